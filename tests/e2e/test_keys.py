#!/usr/bin/python3
"""The life of an organisation's keys: a ring that the recorder reads, rotation under a running session, a re-wrapping that is
killed and goes on, keys that may not go while anything needs them, and what nobody can open."""

import contextlib
import hashlib
import json
import os
import pty
import random
import re
import select
import shutil
import signal
import subprocess
import time

import rotation
from harness import ORG, Recorder, Sender, cli, frame_hashes, main, participant, program, stream, tap
from peers import media

SESSIONS, KILLS = 200, 5
SECONDS = 6


def recipient_of(path):
    return re.search(r"age1\w+", path.read_text()).group()


def folder_digest(recorder, session):
    """Of all that re-wrapping must not touch."""
    files = sorted(path for path in session.folder().rglob("*") if path.is_file() and path.suffix not in (".age", ".partial"))
    return [(path.name, hashlib.sha256(path.read_bytes()).hexdigest()) for path in files]


def fill(recorder, recipients):
    for name, content in rotation.objects(rotation.names(SESSIONS), recipients):
        path = recorder.store / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)


def begin(folder, recorder):
    sound = media.noise(folder, SECONDS, 0x11)
    session = recorder.open_session([participant("p1")], [sound.track("p1-audio", "p1")])
    return session, Sender(folder, [stream(sound, session.ports["p1-audio"])])


def refuse(name, done, part, status=1):
    tap.equal(done.returncode, status, f"{name}: refused")
    tap.contains(done.stderr, part, f"{name}: says why")


def check_ring(recorder):
    """The list in the organisation's file becomes the ring, which counts from then on."""
    made = recorder.command("keys", "new")
    tap.equal(made.returncode, 0, f"a ring is made of the list {made.stderr}")
    conf = recorder.folder / "orgs" / f"{ORG}.conf"
    conf.write_text(re.sub(r"recipients = \[.*?\];", "", conf.read_text(), flags=re.S))
    tap.equal(recorder.command("config", "check").returncode, 0, "the list may go")
    rows = json.loads(recorder.command("keys", "list", "--json").stdout)["keys"]
    tap.equal([(row["role"], row["state"]) for row in rows],
              [("organisation", "active"), ("break-glass", "active")], "both keys are active")


def check_strangers(recorder, folder):
    """A ring that somebody else signed, one that is cut, and one with a changed byte."""
    ring = recorder.folder / "orgs" / f"{ORG}.keys"
    kept = folder / "kept"
    shutil.copytree(ring, kept)
    other = Recorder(folder / "other")
    other.command("keys", "new")
    shutil.copy(other.folder / "orgs" / f"{ORG}.keys" / "1.note", ring / "1.note")
    refuse("a ring of a stranger", recorder.command("config", "check"), "trusted_admins")
    shutil.copy(kept / "1.note", ring / "1.note")
    (ring / "1.note").rename(ring / "2.note")
    refuse("a ring without its first version", recorder.command("config", "check"), "version 1 of the key ring is missing")
    shutil.rmtree(ring)
    shutil.copytree(kept, ring)
    note = bytearray((ring / "1.note").read_bytes())
    note[40] ^= 1
    (ring / "1.note").write_bytes(note)
    refuse("a changed ring", recorder.command("config", "check"), "key ring does not count")
    shutil.rmtree(ring)
    shutil.copytree(kept, ring)


def check_nobody(recorder, folder):
    """A recipient that nobody can open is not taken."""
    stranger = "age1zvkyg2lqzraa2lnjvqej32nkuu0ues2s82hzrye869xeexvn73equnujwj"
    refuse("no key at all", recorder.command("keys", "rotate", "--recipient", "age1nobody", "--escrow", "safe"), "--recipient: ")
    refuse("no proof", recorder.command("keys", "rotate", "--recipient", stranger), "nobody has shown")
    refuse("another's proof", recorder.command("keys", "rotate", "--recipient", stranger, "--identity", recorder.org_identity),
           "does not open with what --identity gives")
    refuse("no key named", recorder.command("keys", "rotate"), "--output", 2)


class Screen:
    """`sealtape status` in a terminal of its own."""

    def __init__(self, recorder):
        pid, self.terminal = pty.fork()
        if pid == 0:
            os.execv(program("sealtape"), ["sealtape", "--config", str(recorder.config), "status", "--interval", "1"])
        self.pid, self.seen = pid, b""

    def wait_for(self, part, seconds=10):
        until = time.monotonic() + seconds
        while part not in self.seen and time.monotonic() < until:
            if select.select([self.terminal], [], [], 0.2)[0]:
                self.seen += os.read(self.terminal, 65536)
        return part in self.seen

    def end(self):
        os.kill(self.pid, signal.SIGINT)
        self.wait_for(b"\x1b[?1049l")
        return os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1])


def check_status_down(recorder):
    done = recorder.command("status")
    tap.equal(done.returncode, 3, "status without a recorder: an alarm")
    tap.contains(done.stdout, "RecorderDown: The recorder does not answer", "and which one")


def check_status(recorder, session):
    done = recorder.command("status", "--json")
    facts = json.loads(done.stdout)
    tap.equal((done.returncode, facts["alarms"]), (0, []), "status of a recorder that works: no alarm")
    tap.equal((facts["sessions"]["recording"], facts["media"]["tracks"]), (1, 1), "one session, one track")
    tap.equal([(row["session"], row["state"]) for row in facts["open"]], [(session.id, "recording")], "which one")
    tap.ok("visit-4711" not in done.stdout, "and not what somebody calls it outside")
    tap.equal([row["state"] for row in facts["keys"]], ["open-only", "active", "active"], "the keys")
    tap.equal([row["command"] for row in facts["due"]], ["sealtape keys rewrap"], "the old key is to be re-wrapped")
    page = recorder.command("status", "--once").stdout
    tap.ok("\x1b" not in page and session.id in page and "alarms     none" in page, "as a plain page", page)
    screen = Screen(recorder)
    tap.ok(screen.wait_for(session.id.encode()), "live in a terminal", screen.seen)
    screen.seen = b""
    tap.ok(screen.wait_for(b"\x1b[H"), "it is drawn again")
    tap.equal(screen.end(), 0, "and ends at Ctrl-C")
    tap.ok(b"\x1b[?1049l" in screen.seen, "with the screen as it was")
    metrics = recorder.ask("GET", "/metrics").body.decode()
    lint = subprocess.run(["promtool", "check", "metrics"], input=metrics, capture_output=True, text=True, check=False)
    tap.equal((lint.returncode, lint.stdout + lint.stderr), (0, ""), "promtool takes the metrics")
    for line in ("sealtape_key_rewraps_due 1", "sealtape_key_drills_due 0", 'sealtape_errors_total{kind="store-denied"} 0'):
        tap.contains(metrics, line + "\n", f"{line}")


def check_rewrap(recorder, session, old, new):
    before = folder_digest(recorder, session)
    refuse("rewrap with the old key alone", recorder.command("keys", "rewrap", "--identity", old), "none of the identities belongs")
    early = [recorder.command("keys", "retire", recipient_of(old), "--identity", old, "--jobs", jobs) for jobs in ("1", "16")]
    refuse("retire too early", early[0], "still need")
    tap.equal(early[1].stderr, early[0].stderr, "the same examples, however many at once")
    for name in ("rewrap", "escrow-check", "retire KEY"):
        refuse(f"{name} with nobody at it", recorder.command("keys", *name.split(), "--identity", old, "--jobs", "0"), "--jobs takes 1 to 64", 2)
    killed = rotation.Killed(recorder.config, [old, new], KILLS, 2.5, lambda: any(
        rotation.is_sealed_to(path.read_bytes(), recipient_of(new)) for path in (recorder.store / ORG).rglob("*.age")))
    report = killed.report
    tap.note(f"seed {killed.seed}: killed {killed.kills} times; the last run: {report}")
    tap.equal(killed.status, 0, f"the last run ends well {killed.errors}")
    tap.ok(report.get("ok") and report.get("stale") == 0, "and leaves nothing stale")
    tap.ok(killed.kills > 0 and report.get("current", 0) > 0, "what the killed runs did is not done again")
    tap.equal(list((recorder.store / ORG).rglob("*.partial")), [], "no copy is left behind by what was killed")
    files = sorted((recorder.store / ORG).rglob("*.age"))
    tap.equal(report["rewrapped"] + report["current"], len(files), "the last run has opened every one")
    chance = random.Random(killed.seed)
    sealed = [path.read_bytes() for path in chance.sample(files, 25)]
    tap.equal(len(files), 2 * SESSIONS + 2, "nothing came and nothing went")
    tap.ok(all(rotation.opens(one, new) for one in sealed), "they open with the new key, by Debian's age")
    tap.ok(not any(rotation.opens(one, old) for one in sealed), "and not with the old one; `retire` asks it of all")
    tap.ok(all(rotation.opens(one, recorder.folder / "keys" / "break-glass.key") for one in sealed[:10]), "the break-glass key still does")
    tap.equal(folder_digest(recorder, session), before, "media and manifest are byte for byte what they were")
    tap.equal(session.recover(recorder.folder / "new.mkv", identity=new).returncode, 0, "the session recovers with the new key")
    again = recorder.command("keys", "rewrap", "--identity", new)
    tap.contains(again.stdout, "0 envelopes sealed anew" if again.stdout.startswith(" ") else "0 envelopes sealed anew", "a second run finds nothing to do")
    tap.contains(again.stdout, "does not undo a leak", "and says what it can not do")


def fill_disk(path, child):
    """Writes until `child` has ended."""
    with open(path, "wb", buffering=0) as file:
        while child.poll() is None:
            with contextlib.suppress(OSError):
                file.write(bytes(4096))


def check_disk_full(recorder, folder, old, new):
    """The disk of recordings and audit log fills up while a copy of the store is re-wrapped."""
    place = folder / "small"
    place.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=3m,mode=0700", "sealtape-test", str(place)], check=True)
    shutil.copytree(recorder.store / ORG, place / "store" / ORG, ignore=shutil.ignore_patterns("audit"))  # another log is begun
    config = recorder.folder / "small.conf"
    text = recorder.config.read_text().replace('path = "store";', f'path = "{place}/store";')
    config.write_text(text.replace("recorder:\n{", f'recorder:\n{{\n    audit = "{place}/audit";'))
    rewrap = ("--config", str(config), "keys", "rewrap", "--identity", str(old), "--identity", str(new))
    first = place / "store" / ORG / "old-00000" / "env" / "1.age"
    before = first.stat().st_ino
    child = rotation.rewrap(config, [old, new], "--jobs", "1")
    while child.poll() is None and first.stat().st_ino == before:
        pass
    fill_disk(place / "filler", child)
    report, said = json.load(child.stdout), [line for line in child.stderr.read().splitlines() if line.startswith("sealtape: ")]
    tap.equal((child.returncode, report["ok"], len(said)), (1, False, 1), f"a disk that is full stops a rewrap, with one sentence {said}")
    tap.contains("".join(said), "No space left on device", "that says what it is")
    files = sorted((place / "store").rglob("*.age"))
    done = [path for path in files if rotation.is_sealed_to(path.read_bytes(), recipient_of(new))]
    tap.ok(0 < len(done) < len(files) == len(list((recorder.store / ORG).rglob("*.age"))), f"in the middle, {len(done)} of {len(files)}, and nothing is lost")
    tap.ok(rotation.opens(done[-1].read_bytes(), new) and rotation.opens(files[-1].read_bytes(), old), "each opens with the one key or the other")
    tap.equal(list((place / "store").rglob("*.partial")), [], "no half of one stays")
    refuse("what can not be audited", cli(*rewrap), "this can not be audited, and is not done")
    tap.equal([path for path in files if rotation.is_sealed_to(path.read_bytes(), recipient_of(new))], done, "nothing was done then")
    (place / "filler").unlink()
    again = cli(*rewrap)
    tap.equal(again.returncode, 0, f"with room it goes on {again.stderr}")
    tap.contains(again.stdout, f" {len(done)} were already", "where it stopped")
    tap.ok(all(rotation.is_sealed_to(path.read_bytes(), recipient_of(new)) for path in files), "to the end")
    checked = cli("--config", str(config), "audit", "verify")
    tap.equal(checked.returncode, 0, f"and its audit log is whole {checked.stdout}")
    subprocess.run(["umount", str(place)], check=True)


def check_damage(recorder, old, new):
    """What nobody can open is named, in the same order however many are looked at at once, and `Rotated` is not said."""
    names = [f"{ORG}/{session}/env/1.age" for session in rotation.names(SESSIONS)[:60:7]]
    kept = {name: (recorder.store / name).read_bytes() for name in names}
    for name, content in kept.items():
        (recorder.store / name).write_bytes(content[:-1])
    done = recorder.command("keys", "rewrap", "--identity", old, "--identity", new)
    tap.equal(done.returncode, 3, "a damaged envelope is a finding")
    tap.contains(done.stdout, f"NOT rotated: {len(names)} of", "it is not called rotated")
    tap.equal([name for name in re.findall(r"^  (\S+): ", done.stdout, re.M)], names, "and each is named, in order")
    for jobs in ("1", "16"):
        done = recorder.command("keys", "escrow-check", "--identity", new, "--jobs", jobs)
        told = [line.split(": ")[0] for line in done.stdout.splitlines() if ".age: " in line]
        tap.equal((done.returncode, told), (3, names), f"escrow-check with --jobs {jobs} names the same")
    for name, content in kept.items():
        (recorder.store / name).write_bytes(content)


def stored_segments(session):
    """What of a session's media lies in the store now: each sealed segment, where its newest note or else the manifest says."""
    notes = sorted((session.folder() / "resealed").glob("*.note"), key=lambda path: int(path.stem))
    paths = notes[-1:] or sorted((session.folder() / "manifest").glob("*.note"))
    for row in (line.split() for path in paths for line in path.read_text().splitlines() if line.startswith("seg ")):
        name, offset, length = row[-4], int(row[-3]), int(row[-2])
        yield (session.folder() / name).read_bytes()[offset:offset + length]


def kill_reencrypt(recorder, command, seed):
    """Kills it at random moments, then lets it end. Returns: the last run."""
    chance = random.Random(seed)
    kills = 0
    for most_s in (0.05, 0.1, 0.2, 0.4):
        child = subprocess.Popen([program("sealtape"), "--config", str(recorder.config), *command], stdin=subprocess.DEVNULL,
                                 stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            child.wait(timeout=chance.uniform(0.01, most_s))
        except subprocess.TimeoutExpired:
            child.kill()
            child.wait()
            kills += 1
    tap.note(f"seed {seed}: killed {kills} times")
    return cli("--config", str(recorder.config), *command)


def check_reencrypt(recorder, session, old, new, leaked):
    """`leaked`: a copy of the session's envelope from before it was re-wrapped. With it and the old key go the session's keys."""
    ids = recorder.folder / "leaked.ids"
    ids.write_bytes(subprocess.run(["age", "-d", "-i", str(old)], input=leaked, capture_output=True, check=True).stdout)
    tap.ok(all(rotation.opens(one, ids) for one in stored_segments(session)), "what was leaked opens the session, re-wrapped or not")
    reencrypt = ("keys", "reencrypt", "--identity", str(new), session.id)
    refuse("a key that is still active", recorder.command(*reencrypt, "--compromised", recipient_of(new)), "is still active")
    refuse("a key that nobody knows", recorder.command(*reencrypt, "--compromised", "0123456789abcdef"), "is no key of")
    tap.equal(recorder.command("hold", "place", session.id, "--matter", "m-1").returncode, 0, "the session is on hold")
    tap.equal(session.recover(recorder.folder / "before.mkv", identity=new).returncode, 0, "it is recovered before")
    n_segments = len(list(stored_segments(session)))

    done = kill_reencrypt(recorder, (*reencrypt, "--compromised", recipient_of(old), "--take-over"), random.getrandbits(32))
    tap.equal(done.returncode, 0, f"a run that was killed again and again goes on to its end {done.stderr}")
    tap.contains(done.stdout, f"{session.id}: ", "and says so")
    tap.ok("is on hold for m-1, and kept" in done.stdout or "was sealed anew before" in done.stdout, "and that a hold is open")
    verified = recorder.command("verify", session.id)
    tap.ok(verified.returncode == 0, "it is whole", verified.stdout)
    tap.contains(verified.stdout, ": the recorder's signature covers what ", "and verify says what is proven by whom")
    now = list(stored_segments(session))
    tap.equal(len(now), n_segments, "as many segments as before")
    tap.ok(not any(rotation.opens(one, ids) for one in now), "what was leaked opens none of them")
    tap.ok(not any(rotation.opens(path.read_bytes(), identity) for path in session.folder().rglob("*") if path.is_file()
                   for identity in (ids, old)), "and nothing else")
    tap.equal(session.recover(recorder.folder / "after.mkv", identity=new).returncode, 0, "the new key opens it")
    tap.equal(frame_hashes(recorder.folder / "after.mkv", copy=True), frame_hashes(recorder.folder / "before.mkv", copy=True), "the same media")

    again = recorder.command(*reencrypt, "--compromised", recipient_of(old))
    tap.contains(again.stdout, "was sealed anew before", f"a second run does nothing {again.stderr}")
    note = next((session.folder() / "resealed").glob("*.note"))
    kept = note.read_bytes()
    note.write_bytes(kept.replace(b"seg ", b"seg x", 1))
    verified = recorder.command("verify", session.id)
    tap.equal(verified.returncode, 3, "a note that was changed is a finding")
    tap.contains(verified.stdout, "resealed/1.note", "and named")
    tap.ok(session.recover(recorder.folder / "forged.mkv", identity=new).returncode != 0, "and nothing is opened by it")
    note.write_bytes(kept)
    tap.equal(recorder.command("hold", "release", session.id, "--matter", "m-1").returncode, 0, "the hold is released")
    check_amend_cut_short(recorder, session)


def check_amend_cut_short(recorder, session):
    """Of a session that was sealed anew. What a kill between the two leaves is made by taking the annotation away."""
    text = recorder.folder / "statement.txt"
    text.write_text("It was the right ear.")
    done = recorder.command("amend", session.id, "--statement", text)
    tap.equal(done.returncode, 0, f"it is amended {done.stderr}")
    max((session.folder() / "notes").glob("*.note"), key=lambda path: int(path.stem)).unlink()
    done = recorder.command("amend", session.id, "--statement", text)
    tap.ok(done.returncode == 3 and "what it had sealed is signed for now" in done.stdout,
           "a statement whose amend was cut short is signed for, by what was read before it was sealed", done.stdout + done.stderr)
    tap.equal(recorder.command("verify", session.id).returncode, 0, "and it verifies")


def check_end(recorder, old, new):
    copy = old.with_suffix(".copy")
    shutil.copy(old, copy)
    copy.chmod(0o600)
    key = recipient_of(old)
    refuse("destroy before retire", recorder.command("keys", "destroy", key, "--identity", old), "retire it first")
    done = recorder.command("keys", "retire", key, "--identity", old)
    tap.equal(done.returncode, 0, f"the old key retires {done.stderr}")
    back = recorder.store / ORG / "back" / "env" / "1.age"
    back.parent.mkdir(parents=True)
    back.write_bytes(rotation.p256tag.seal_in_place(f"sealtape-envelope {ORG} back 1", [key], b"# track a\n" + rotation.KEY.encode()))
    refuse("the last key that opens something", recorder.command("keys", "destroy", key, "--identity", old), "back/env/1.age")
    tap.ok(old.exists(), "and its file is still there")
    shutil.rmtree(recorder.store / ORG / "back")
    done = recorder.command("keys", "destroy", key, "--identity", old)
    tap.equal(done.returncode, 0, f"then it is destroyed {done.stderr}")
    tap.ok(not old.exists(), "its file is gone")
    tap.contains(done.stdout, "What that can not reach", "and what that does not reach is said")
    states = {row["recipient"]: row["state"] for row in json.loads(recorder.command("keys", "list", "--json").stdout)["keys"]}
    tap.equal((states[key], states[recipient_of(new)]), ("destroyed", "active"), "the ring says so")
    refuse("the active key", recorder.command("keys", "retire", recipient_of(new), "--identity", new), "rotate first")


def check_worst_day(recorder, session, new):
    glass = recorder.folder / "keys" / "break-glass.key"
    refuse("a drill with the everyday key", recorder.command("keys", "drill", session.id, "--identity", new), "one break-glass key")
    done = recorder.command("keys", "drill", session.id, "--identity", glass, "--json")
    tap.equal(json.loads(done.stdout or "{}").get("tracks_opened"), 1, f"the drill opens the session {done.stderr}")
    rows = json.loads(recorder.command("keys", "list", "--json").stdout)["keys"]
    tap.ok([row for row in rows if row["role"] == "break-glass"][0]["drilled"], "and the ring remembers when")
    good = recorder.command("keys", "escrow-check", session.id, "--identity", new, "--identity", glass, "--json")
    tap.equal(json.loads(good.stdout)["organisation_opened"], 2, "escrow-check opens envelope and metadata")
    swapped = next((session.folder() / "env").glob("*.age"))  # the one that the sealing anew left
    kept = swapped.read_bytes()
    swapped.write_bytes(rotation.p256tag.seal_in_place(f"sealtape-envelope {ORG} {session.id} {swapped.stem}",
                                                       [recipient_of(new), recipient_of(glass)], b"# track p1-audio\n" + rotation.KEY.encode()))
    bad = recorder.command("keys", "escrow-check", session.id, "--identity", new)
    tap.equal(bad.returncode, 3, "escrow-check finds a swapped envelope")
    tap.contains(bad.stdout, "another key for track", "and says that it is one")
    swapped.write_bytes(kept)


def check_signers(recorder, folder, before, new):
    """A recorder that was stolen: what it had signed counts, what it signs later is named."""
    key = (recorder.folder / "keys" / "recorder.pub").read_text().strip()
    refuse("a program that nobody enrolled", recorder.command("keys", "revoke", key), "enrol")
    tap.equal(recorder.command("keys", "enrol", key).returncode, 0, "the recorder is enrolled")
    refuse("twice", recorder.command("keys", "enrol", key), "has it already")
    tap.equal(recorder.command("verify", before.id).returncode, 0, "its session verifies")
    refuse("a place behind the log", recorder.command("keys", "revoke", key, "--records", "100000"), "the store has checkpoints for ")
    refuse("no place", recorder.command("keys", "revoke", key, "--records", "-1"), "--records is less than 0", 2)
    refuse("no key", recorder.command("keys", "enrol", "recorder.vm+00+AA"), "sealtape: ")
    done = recorder.command("keys", "revoke", key)
    tap.contains(done.stderr, "1 sessions and ", f"it is revoked at its place in the log {done.stderr}")
    tap.equal(recorder.command("verify", before.id).returncode, 0, "what it had signed by then still counts")
    tap.equal(recorder.command("audit", "verify").returncode, 0, "and so does its log up to there")
    refuse("a key that was revoked", recorder.command("keys", "enrol", key), "does not come back")
    stolen, sender = begin(folder, recorder)
    sender.finish()
    stolen.finish()
    done = recorder.command("verify", stolen.id)
    tap.equal(done.returncode, 3, "a session of after is a finding")
    tap.contains(done.stdout, "which was revoked at ", "that says why")
    refuse("and its recovery", stolen.recover(folder / "stolen.mkv", identity=new), "which was revoked at ")
    tap.equal(before.recover(folder / "before.mkv", identity=new).returncode, 0, "what counts still opens")
    recorder.stop()  # signs its log once more
    tap.contains(recorder.command("audit", "verify").stdout, "was revoked at", "its later checkpoint is named")
    last = max((before.folder() / "manifest").glob("*.note"), key=lambda path: int(path.stem))
    aside = last.rename(folder / "last.note")
    tap.contains(recorder.command("verify", before.id).stdout, f"manifest part {last.stem} is missing, which ", "a part that was taken away is missed")
    aside.rename(last)
    path = next((recorder.folder / "orgs" / f"{ORG}.keys").glob("*.signed"))
    kept = path.read_bytes()
    path.write_bytes(kept + f"session {stolen.id} 1 {'0' * 64}\n".encode())
    refuse("a longer list", recorder.command("verify", stolen.id), "not the list that the key ring names")
    path.write_bytes(kept)


def check_audit(recorder):
    told = recorder.command("audit", "show")
    for event in ("key-rotated", "key-rewrapped", "key-retired", "key-destroyed", "key-drilled", "recording-resealed"):
        tap.contains(told.stdout, event, f"{event} is in the audit log")


def run(folder):
    recorder = Recorder(folder / "recorder")
    old, new = recorder.org_identity, recorder.folder / "keys" / "new.key"
    check_ring(recorder)
    check_strangers(recorder, folder)
    check_nobody(recorder, folder)
    check_status_down(recorder)
    recorder.start()
    session, sender = begin(folder, recorder)
    done = recorder.command("keys", "rotate", "--output", new)
    tap.equal(done.returncode, 0, f"the key is rotated while a session runs {done.stderr}")
    check_status(recorder, session)
    fill(recorder, [recipient_of(old), recipient_of(recorder.folder / "keys" / "break-glass.key")])
    sender.finish()
    session.finish()
    tap.equal(recorder.command("verify", session.id).returncode, 0, "the session that ran across it is whole")
    leaked = (session.folder() / "env" / "1.age").read_bytes()
    check_disk_full(recorder, folder, old, new)
    check_rewrap(recorder, session, old, new)
    check_damage(recorder, old, new)
    check_reencrypt(recorder, session, old, new, leaked)
    check_end(recorder, old, new)
    check_worst_day(recorder, session, new)
    check_audit(recorder)
    check_signers(recorder, folder, session, new)


if __name__ == "__main__":
    main([run], 90)
