#!/usr/bin/python3
"""No 24 bytes in a row of the media that was sent lie in any file that the recorder wrote.

What is searched for: every 24-byte window of every RTP payload that was sent. Any such window contains an
8-aligned run of 16 bytes of its payload (24 = 16 + 8), so it is enough to look up the 16 bytes at every place of a
file among all 8-aligned 16-byte runs of the payloads; a hit is then widened and counts from 24 equal bytes on.
Runs of few different bytes, as in zeros, say nothing and are left out.
What is searched: every file under the recorder's folder, its TMPDIR and its log, and every file it holds open, over
and over while it records (files come and go), and whole once more at the end.
"""

import collections
import hashlib
import os
import pathlib
import stat
import threading

from harness import Recorder, main, tap
from visit import Visit
from peers import media

SECONDS = 10
RUN, STEP, WINDOW = 16, 8, 24
DIFFERENT = 6  # a run with fewer different bytes is no evidence


class Needle:
    """All payloads, to be found again."""

    def __init__(self, payloads):
        self.payloads = payloads
        self.places = {}
        for number, payload in enumerate(payloads):
            for at in range(0, len(payload) - RUN + 1, STEP):
                run = payload[at : at + RUN]
                if len(set(run)) >= DIFFERENT:
                    self.places.setdefault(run, (number, at))

    def find(self, content):
        """Where in `content` a window begins, else None."""
        places = self.places
        for at in range(len(content) - RUN + 1):
            run = content[at : at + RUN]
            if run in places and self._widened(content, at, *places[run]) >= WINDOW:
                return at
        return None

    def _widened(self, content, at, number, start):
        payload, left, right = self.payloads[number], 0, RUN
        while left < min(at, start) and content[at - left - 1] == payload[start - left - 1]:
            left += 1
        while (
            at + right < len(content)
            and start + right < len(payload)
            and content[at + right] == payload[start + right]
        ):
            right += 1
        return left + right


class Watch:
    """Reads every file below some folders, each as often as it changes."""

    def __init__(self, needle, roots):
        self.needle, self.roots = needle, roots
        self.read, self.found, self.n_bytes = {}, [], 0
        self.pid = None
        self._end = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)

    def start(self):
        self._thread.start()
        return self

    def _watch(self):
        while not self._end.wait(0.2):
            self.look()

    def finish(self):
        """Reads everything once more, whole."""
        self._end.set()
        self._thread.join()
        self.read.clear()
        self.look()

    def look(self):
        for root in self.roots:
            paths = [root] if root.is_file() else root.rglob("*")
            for path in paths:
                if not path.is_symlink():
                    self._look_into(path)
        self._look_at_open_files()

    def _look_at_open_files(self):
        """Files that a process holds open, whatever has become of their names."""
        folder = pathlib.Path(f"/proc/{self.pid}/fd")
        try:
            paths = list(folder.iterdir()) if self.pid else []
        except FileNotFoundError:
            return
        for path in paths:
            self._look_into(path)

    def _look_into(self, path):
        """All of it if it changed; what was read before and is still the same is not searched again."""
        try:
            state = path.stat()
            key = (state.st_dev, state.st_ino)
            seen = self.read.get(key, Seen(None, 0, b""))
            if not stat.S_ISREG(state.st_mode) or seen.version == (state.st_size, state.st_mtime_ns):
                return
            content = path.read_bytes().rstrip(b"\0")
        except (FileNotFoundError, PermissionError):
            return
        is_longer = hashlib.sha256(content[: seen.length]).digest() == seen.digest
        start = max(0, seen.length - WINDOW) if is_longer else 0
        self.read[key] = Seen((state.st_size, state.st_mtime_ns), len(content), hashlib.sha256(content).digest())
        self.n_bytes += len(content) - start
        at = self.needle.find(content[start:])
        if at is not None:
            self.found.append((str(path), start + at))


Seen = collections.namedtuple("Seen", "version length digest")


def test_finds_what_is_there(folder):
    """The search itself: a window of each alignment, planted among noise, is found; 23 bytes are not."""
    encoded = media.ball(folder, "vp8", 3, 0x77)
    payloads = [media.payload(packet) for packet in media.read_packets(encoded.packets)]
    needle = Needle(payloads)
    victim = max(payloads, key=len)
    missed = []
    for offset in range(200, 216):
        (folder / "planted").write_bytes(os.urandom(5001) + victim[offset : offset + WINDOW] + os.urandom(77))
        watch = Watch(needle, [folder / "planted"])
        watch.look()
        if [at for _, at in watch.found] == []:
            missed.append(offset)
    tap.equal(missed, [], "a window of 24 bytes is found wherever in the payload it begins")
    tap.ok(needle.find(os.urandom(2000000)) is None, "nothing is found in noise")
    tap.ok(needle.find(bytes(100000) + b"\xff" * 100000) is None, "nor in zeros and ones")
    whole = encoded.reference.read_bytes()
    tap.ok(needle.find(whole) is not None, "and a plain Matroska file of it is found out")


def test_no_plaintext(folder):
    recorder = Recorder(folder / "recorder")
    (folder / "media").mkdir()
    visit = Visit(folder / "media", SECONDS, recorder)
    payloads = [media.payload(packet) for name in visit.media for packet in visit.packets(name)]
    needle = Needle(payloads)
    tap.note(f"{len(payloads)} payloads, {sum(map(len, payloads))} bytes, {len(needle.places)} runs")
    watch = Watch(needle, [recorder.folder, recorder.tmp, recorder.log]).start()
    recorder.start()
    watch.pid = recorder.child.pid
    visit.begin().finish()
    tap.equal(recorder.stop(), 0, "the recorder ends")
    watch.finish()
    tap.equal(watch.found, [], "no window of the media lies in any file, at any moment looked at")
    stored = sum(path.stat().st_size for path in recorder.store.rglob("*.tape"))
    sent = sum(map(len, payloads))
    tap.ok(stored > sent, "and yet all of it was stored", f"{stored} bytes stored, {sent} sent")
    tap.ok(watch.n_bytes >= stored, "and was read by this test", f"{watch.n_bytes} bytes")
    tap.note(f"{watch.n_bytes} bytes of {len(watch.read)} files searched")
    leaks_of_names(recorder)


def leaks_of_names(recorder):
    """The reference of the visit identifies a person: it lies nowhere in the clear either."""
    found = []
    for root in (recorder.folder, recorder.tmp):
        for path in root.rglob("*"):
            if path.is_file() and b"visit-4711" in path.read_bytes():
                found.append(str(path))
    if b"visit-4711" in pathlib.Path(recorder.log).read_bytes():
        found.append(str(recorder.log))
    tap.equal(found, [], "the visit's reference lies in no file either")


if __name__ == "__main__":
    main([test_finds_what_is_there, test_no_plaintext], 150)
