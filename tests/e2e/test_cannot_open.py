#!/usr/bin/python3
"""The recorder's memory holds none of the session's identities, neither as text nor as bytes.

All of its readable memory is searched while it records. That the search would find one is shown first, on a
process that holds one.
"""

import array
import os
import subprocess
import time

from harness import Recorder, Sender, age_decrypt, main, open_envelopes, participant, poll, stream, tap
from peers import media
from peers.children import Child

PAGE = os.sysconf("SC_PAGE_SIZE")
_ALPHABET = "qpzry9x8gf2tvdw0s3jn54khce6mua7l"


def identity_bytes(text):
    """The 32 bytes of an AGE-SECRET-KEY-1... (BIP 173 bech32: five bits a letter, six letters of checksum)."""
    data = [_ALPHABET.index(letter) for letter in text.lower().split("1", 1)[1][:-6]]
    number = 0
    for value in data:
        number = number << 5 | value
    return (number >> (5 * len(data) - 256)).to_bytes(32, "big")


def clamped(key):
    return bytes([key[0] & 248]) + key[1:31] + bytes([key[31] & 127 | 64])


def memory_of(pid):
    """Yields (name of the mapping, its bytes) of all memory that holds something, whatever its protection."""
    with open(f"/proc/{pid}/maps") as maps, open(f"/proc/{pid}/mem", "rb", buffering=0) as memory, open(
        f"/proc/{pid}/pagemap", "rb", buffering=0
    ) as pagemap:
        for line in maps:
            words = line.split()
            begin, end = (int(word, 16) for word in words[0].split("-"))
            name = words[5] if len(words) > 5 else "anonymous"
            if name in ("[vvar]", "[vsyscall]"):
                continue
            for first, last in _runs(pagemap, begin, end):
                try:
                    memory.seek(first)
                    yield name, memory.read(last - first)
                except OSError:
                    break  # unmapped meanwhile, or a device's


def _runs(pagemap, begin, end):
    """The stretches of a mapping that are in memory or swapped out; pages never touched hold nothing."""
    pagemap.seek(begin // PAGE * 8)
    entries = array.array("Q", pagemap.read((end - begin) // PAGE * 8))
    start = None
    for number, entry in enumerate(entries):
        is_there = entry >> 62 != 0
        if is_there and start is None:
            start = number
        if not is_there and start is not None:
            yield begin + start * PAGE, begin + number * PAGE
            start = None
    if start is not None:
        yield begin + start * PAGE, begin + len(entries) * PAGE


def search(pid, identities):
    """Returns (what was found, bytes searched)."""
    needles = {}
    for text in identities:
        needles["text " + text[:20]] = text.encode()
        needles["lower text " + text[:20]] = text.lower().encode()
        # A multiplication works with a copy whose first and last byte it has clamped (RFC 7748, section 5).
        for kind, key in (("", identity_bytes(text)), ("clamped ", clamped(identity_bytes(text)))):
            needles[kind + "bytes of " + text[:20]] = key
            # Half a key is a find as well: freed memory is often overwritten in part.
            needles[kind + "first half of " + text[:20]] = key[:16]
            needles[kind + "second half of " + text[:20]] = key[16:]
    found, n_bytes = set(), 0
    for name, content in memory_of(pid):
        n_bytes += len(content)
        found.update(f"{what} in {name}" for what, needle in needles.items() if needle in content)
    return sorted(found), n_bytes


def test_finds_what_is_there(folder):
    made = subprocess.run(["age-keygen"], capture_output=True, text=True, check=True)
    (secret,) = (line for line in made.stdout.splitlines() if line.startswith("AGE-SECRET-KEY-1"))
    ready = folder / "ready"
    holder = (
        "import sys, pathlib, time\n"
        "key = sys.stdin.read().encode() if {text} else bytes.fromhex(sys.stdin.read())\n"
        "pathlib.Path({ready!r}).touch()\n"
        "time.sleep(60)\n"
    )
    for is_text in (True, False):
        secret_file = folder / "secret"
        secret_file.write_text(secret if is_text else identity_bytes(secret).hex())
        program = holder.format(text=is_text, ready=str(ready)).replace("sys.stdin", f"open({str(secret_file)!r})")
        child = Child(["/usr/bin/python3", "-c", program], folder / "holder.log")
        poll(ready.exists, 10, "the holder to be ready")
        found, _ = search(child.pid, [secret])
        kind = "text" if is_text else "bytes"
        tap.ok(any(what.startswith(kind) for what in found), f"an identity held as {kind} is found", found)
        child.kill()
        ready.unlink()
    clean = Child(["/usr/bin/python3", "-c", "import time; time.sleep(60)"], folder / "clean.log")
    tap.equal(search(clean.pid, [secret])[0], [], "and none in a process that has none")
    clean.kill()


def test_recorder_cannot_open(folder):
    recorder = Recorder(folder / "recorder").start()
    audio, video = media.noise(folder, 12, 0x41), media.ball(folder, "vp8", 12, 0x42)
    tracks = [audio.track("p1-audio", "p1"), video.track("p1-video", "p1")]
    sessions = [recorder.open_session([participant("p1")], tracks) for _ in range(3)]
    senders = [
        Sender(folder, [stream(audio, s.ports["p1-audio"]), stream(video, s.ports["p1-video"])])
        for s in sessions
    ]
    identities = []
    for session in sessions:
        poll(lambda: list((session.folder() / "env").glob("*.age")), 10, "the envelope")
        ids = open_envelopes(session, folder).read_text()
        identities += [line for line in ids.splitlines() if line.startswith("AGE-SECRET-KEY-1")]
    tap.equal(len(set(identities)), 6, "every track of every session has an identity of its own")

    moments, found, n_bytes = 0, set(), 0
    while any(sender.child.is_running() for sender in senders) and moments < 100:
        now, n_bytes = search(recorder.child.pid, identities)
        found.update(now)
        moments += 1
        time.sleep(0.3)
    tap.ok(moments >= 3, f"its memory was searched at {moments} moments while it recorded")
    tap.ok(n_bytes > 1 << 20, f"all of it, {n_bytes} bytes")
    tap.equal(sorted(found), [], "none of the identities is in the recorder's memory")
    for session, sender in zip(sessions, senders):
        sender.finish()
        session.finish()
    found, _ = search(recorder.child.pid, identities)
    tap.equal(found, [], "nor after the sessions ended")
    segment = sessions[0].manifest().of("p1-audio")[0]
    opened = age_decrypt(segment.sealed(sessions[0]), open_envelopes(sessions[0], folder))
    tap.ok(opened[:4] == b"\x1a\x45\xdf\xa3", "and they are the identities that open the segments")


if __name__ == "__main__":
    if os.geteuid() != 0:
        tap.skip_all("reading another process's memory needs root")
    main([test_finds_what_is_there, test_recorder_cannot_open], 120)
