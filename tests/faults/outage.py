#!/usr/bin/python3
"""The store is away for long, scaled down: publishers record on into the spool, with their memory flat; when it is back,
the backlog drains in order while recording goes on.

    outage.py [--short]     SEALTAPE_PUBLISHERS (200)   SEALTAPE_OUTAGE_S (120)
"""

import os
import pathlib
import re
import resource
import subprocess
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))

import bed as beds  # first: it says where the others lie

sys.path.insert(0, str(beds.TESTS / "bench"))

from fakes.s3_fake import S3Fake
from harness import Manifest, Recorder, main, participant, poll, tap
from load import Sending, memory_bytes, publisher_media

SHORT = "--short" in sys.argv
PUBLISHERS = 10 if SHORT else int(os.environ.get("SEALTAPE_PUBLISHERS", "200"))
OUTAGE_S = 8 if SHORT else int(os.environ.get("SEALTAPE_OUTAGE_S", "120"))
AFTER_S = 15 if SHORT else 900  # or until the backlog has drained


class Crowd:
    """A recorder with many publishers, and a store that can be taken away."""

    def __init__(self, folder):
        self.encoded = publisher_media(folder)
        self.recorder = Recorder(folder / "recorder", port_range=(20000, 20000 + 4 * PUBLISHERS + 99))
        self.recorder.set("max_tracks", max(2000, 2 * PUBLISHERS))
        self.recorder.set("segment_ms", 1000 if SHORT else 4000)
        self.recorder.set("object_ms", 2000 if SHORT else 8000)
        self.fake = None
        if SHORT:
            self.fake = S3Fake(page_size=1000)
            self.fake.add_bucket(beds.BUCKET)
            self.fake.add_key(beds.ACCESS_KEY, beds.SECRET, rights=beds.RIGHTS)
            self.fake.start()
            beds.put_store(self.recorder, folder, endpoint=f"http://127.0.0.1:{self.fake.port}")
        else:
            subprocess.run(["mount", "--bind", self.recorder.store, self.recorder.store], check=True)
        self.recorder.start()
        audio, video = self.encoded
        tracks = [audio.track("p1-audio", "p1"), video.track("p1-video", "p1")]
        self.sessions = [self.recorder.open_session([participant("p1")], tracks) for _ in range(PUBLISHERS)]
        ports = [(s.ports["p1-audio"], s.ports["p1-video"]) for s in self.sessions]
        self.sending = Sending(folder, self.encoded, ports, OUTAGE_S + AFTER_S + 10)

    def metric(self, name):
        text = self.recorder.ask("GET", "/metrics", timeout_s=60).body.decode()
        return int(float(re.search(rf"^sealtape_{name} (\S+)$", text, re.M)[1]))

    def store_is(self, way):
        """The many would be too much for a store in Python: theirs is a folder that may only be read for a while."""
        if self.fake is not None:
            return self.fake.fault("*", "status", status=503, code="ServiceUnavailable") if way == "ro" else self.fake.heal()
        return subprocess.run(["mount", "-o", f"remount,bind,{way}", self.recorder.store], check=True)

    def notes_of(self, session):
        """A folder with the session's manifest."""
        folder = session.folder() / "manifest"
        for key, versions in self.fake.buckets[beds.BUCKET].objects.items() if self.fake is not None else ():
            if key.startswith(f"{self.recorder.org}/{session.id}/manifest/"):
                folder.mkdir(parents=True, exist_ok=True)
                (folder / key.split("/")[-1]).write_bytes(versions[-1].body)
        return folder

    def memory(self):
        return memory_bytes([self.recorder.child.pid])


def order_of(crowd, session, track):
    """Whether the track's objects came into the store in their order."""
    if crowd.fake is not None:
        keys = [row[2] for row in crowd.fake.requests("PUT") if row[3] == 200 and f"{session.id}/t{track}/" in row[2]]
        places = [tuple(map(int, key.split("/")[-1][:-5].split("-"))) for key in keys]
        return beds.is_in_order(places)
    tapes = list((session.folder() / f"t{track}").glob("*.tape"))
    by_name = sorted(tapes, key=lambda path: tuple(map(int, path.stem.split("-"))))
    times = [path.stat().st_mtime_ns for path in by_name]
    return all(before <= after for before, after in zip(times, times[1:]))


def test_outage(folder):
    crowd = Crowd(folder)
    poll(lambda: crowd.metric("objects_stored_total") >= PUBLISHERS, 60, "objects to be stored")
    crowd.store_is("ro")
    poll(lambda: crowd.metric("upload_failures_total") > 0, 60, "the store to be missed")
    stored, begun = crowd.metric("objects_stored_total"), time.monotonic()
    waiting, memory = [crowd.metric("spool_segments")], [crowd.memory()]
    while time.monotonic() - begun < OUTAGE_S:
        time.sleep(OUTAGE_S / 8)
        waiting.append(crowd.metric("spool_segments"))
        memory.append(crowd.memory())
    tap.ok(waiting[-1] > waiting[0] + PUBLISHERS, "recording goes on without the store", waiting)
    # What was on its way when the store went away may still have come.
    tap.ok(crowd.metric("objects_stored_total") <= stored + PUBLISHERS, "and really without it", stored)
    growth = memory[-1] - memory[1]
    bytes_each = growth / max(1, waiting[-1] - waiting[1])
    tap.note(f"waiting {waiting}; memory {[m >> 20 for m in memory]} MiB; {bytes_each:.0f} bytes for each segment that waits")
    tap.ok(growth < 32 << 20 or bytes_each < 2048, "memory stays flat but for the list of what waits", growth)

    taken_before = sum(track["packets"] for track in crowd.sessions[0].look()["tracks"])
    crowd.store_is("rw")
    back = time.monotonic()
    poll(lambda: crowd.metric("spool_segments") <= waiting[0] + 4 * PUBLISHERS, 600, "the backlog to drain", 0.5)
    tap.note(f"{waiting[-1]} segments drained in {time.monotonic() - back:.1f} s")
    is_running = crowd.sending.child.is_running()
    taken = sum(track["packets"] for track in crowd.sessions[0].look()["tracks"])
    tap.ok(is_running and taken > taken_before, "while recording goes on", taken_before, taken)
    if not SHORT:
        crowd.sending.end()
    sent = crowd.sending.finish()
    tap.note(f"{sent['packets']} packets sent to {PUBLISHERS} publishers' ports")
    for session in crowd.sessions:
        session.stop()
    lost = dropped = 0
    for session in crowd.sessions:
        session.wait_state("stored", 300)
        for track in session.look()["tracks"]:
            lost, dropped = lost + track["lost"] + track["lost_segments"], dropped + track["kernel_dropped"]
    tap.equal((lost, dropped), (0, 0), "no packet and no segment was lost")
    sample = crowd.sessions[:: max(1, PUBLISHERS // 10)]
    tap.equal([s.id for s in sample for t in ("p1-audio", "p1-video") if not order_of(crowd, s, t)], [], "each track came in order")
    checks = [crowd.recorder.command("verify", s.id) for s in sample]
    tap.equal([done.stdout[-600:] + done.stderr for done in checks if done.returncode != 0], [], "and verifies")
    gaps = [gap for s in sample for gap in Manifest(crowd.notes_of(s)).gaps if gap.reason != "no-media"]
    tap.equal(gaps, [], "without a gap")
    tap.equal(crowd.recorder.stop(60), 0, "the recorder ends")


if __name__ == "__main__":
    if os.geteuid() != 0 or subprocess.run(["unshare", "--mount", "true"], capture_output=True).returncode != 0:
        tap.skip_all("needs root and mounts of its own")
    if os.environ.get("SEALTAPE_OUTAGE_INSIDE") is None:
        os.environ["SEALTAPE_OUTAGE_INSIDE"] = "1"
        os.execvp("unshare", ["unshare", "--mount", "/usr/bin/python3", *sys.argv])
    sys.argv = [word for word in sys.argv if word != "--short"]
    files = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (files[1], files[1]))
    main([test_outage], 150 if SHORT else 1800)
