"""One row's bed: a recorder, a store that can be made to fail, a short recording, and what was seen of all three."""

import contextlib
import json
import os
import pathlib
import re
import subprocess
import sys
import threading
import time

TESTS = pathlib.Path(__file__).resolve().parent.parent
sys.path[:0] = [str(TESTS), str(TESTS / "e2e")]

import s3
from fakes.s3_fake import S3Fake
from harness import Manifest, Recorder, Sender, participant, poll, stream
from peers import media
from peers.children import Child

SECONDS = 6
SEGMENT_MS = 1000
ACCESS_KEY, SECRET = "AKFAULTS", "fault+matrix/secret=0123456789"
BUCKET = "recordings"
RIGHTS = ("put", "get", "list")


def is_in_order(places):
    """Whether rows came in order, but for the four that are on their way at once and may overtake each other."""
    return all(abs(i - at) < 4 for i, at in enumerate(sorted(places).index(place) for place in places))


class Skip(Exception):
    """This machine can not try the row; says why."""


class Material:
    """What everybody sends: encoded once. Its bytes are what must never be found on a disk."""

    def __init__(self, folder):
        self.tracks = {
            "p1-audio": media.noise(folder, SECONDS, 0x31),
            "p1-video": media.ball(folder, "vp8", SECONDS, 0x32, size=(160, 120), key_s=0.5),
        }
        self.heavy = None
        self.folder = folder
        self._lock = threading.Lock()

    def heavy_tracks(self):
        """A picture whose objects are over a megabyte."""
        with self._lock:
            if self.heavy is None:
                video = media.ball(self.folder, "vp8", SECONDS, 0x33, size=(640, 360), bitrate=6000000, key_s=0.5,
                                   pattern="smpte")
                self.heavy = {"p1-audio": self.tracks["p1-audio"], "p1-video": video}
        return self.heavy

    def canaries(self):
        """24 bytes from the middle of many packets."""
        rows = []
        for encoded in self.tracks.values():
            for packet in media.read_packets(encoded.packets)[::7]:
                payload = media.payload(packet)
                if len(payload) >= 64 and len(set(payload[32:56])) > 8:
                    rows.append(payload[32:56])
        return rows


class Fault:
    """`strace` holding on to the recorder: system calls fail, wait or kill until release()."""

    def __init__(self, bed, *injections, paths=()):
        """`paths`: only calls on these files, as they are now."""
        log = bed.folder / f"strace-{time.monotonic_ns()}.log"
        self.pid = bed.recorder.child.pid
        words = [word for text in injections for word in ("-e", "inject=" + text)]
        words += [word for path in paths for word in ("-P", path)]
        calls = ",".join(text.split(":")[0] for text in injections)
        self.child = Child(["strace", "-f", "-qq", "-p", str(bed.recorder.child.pid), "-o", log, "-e", f"trace={calls}",
                            *words], bed.folder / "strace.out")
        poll(lambda: _is_traced(bed.recorder.child.pid), 20, "strace to hold on")
        self.log = log

    def hits(self):
        return self.log.read_text(errors="replace").count("(INJECTED)") if self.log.exists() else 0

    def is_held(self):
        """Whether a thread stands still in a call that is delayed: stopped for longer than it takes to look at it."""
        held = None
        for _ in range(4):
            stopped = set(_stopped_tasks(self.pid))
            held = stopped if held is None else held & stopped
            time.sleep(0.03)
        return bool(held)

    def wait_hits(self, n=1, timeout_s=30):
        poll(lambda: self.hits() >= n, timeout_s, f"{n} injected faults")
        return self

    def release(self):
        self.child.terminate(10)


def _is_traced(pid):
    try:
        tasks = os.listdir(f"/proc/{pid}/task")
        return all(_tracer_of(f"/proc/{pid}/task/{task}/status") for task in tasks)
    except FileNotFoundError:
        return True


def _stopped_tasks(pid):
    for task in os.listdir(f"/proc/{pid}/task"):
        with contextlib.suppress(OSError):
            if pathlib.Path(f"/proc/{pid}/task/{task}/stat").read_text().rpartition(")")[2].split()[0] == "t":
                yield task


def _tracer_of(path):
    return int(re.search(r"TracerPid:\s*(\d+)", pathlib.Path(path).read_text())[1])


def put_store(recorder, folder, **settings):
    """Writes a store in S3 into the recorder's settings."""
    rows = {"type": "s3", "baa": True, "bucket": BUCKET, "region": "us-east-1", "retry_ms": 1000, "attempt_ms": 5000,
            "credentials": str(s3.write_key(folder, ACCESS_KEY, SECRET)), **settings}
    before, rest = recorder.config.read_text().split("store:\n", 1)
    after = rest.split("\n};\n", 1)[1]
    text = "store:\n{\n" + "\n".join(f"{name} = {json.dumps(value)};" for name, value in rows.items()) + "\n};\n"
    recorder.config.write_text(before + text + after)


class Bed:
    def __init__(self, number, folder, material, port):
        self.number, self.folder, self.material = number, pathlib.Path(folder), material
        self.folder.mkdir(parents=True, exist_ok=True)
        self.recorder = Recorder(self.folder / "recorder", port_range=(port, port + 49))
        self.recorder.set("segment_ms", SEGMENT_MS)
        self.recorder.set("object_ms", 2 * SEGMENT_MS)
        self.fake = self.session = self.sender = None
        self.tracks = material.tracks
        self.acknowledged, self.looks, self.notes = {}, {}, {}
        self.process_texts, self.most = [], {"queue": 0, "memory": 0}
        self.recovered_s, self.secret = None, SECRET
        self.images = []  # of disks, to be searched
        self.mounts, self.undo, self.notes_said = [], [], []
        # What the row may do to the invariants, and must say: see oracle.py.
        self.may_lose_packets = self.may_corrupt = self.stays_parked = self.may_differ = False
        self._watch_end, self._look_lock = threading.Event(), threading.Lock()
        self._watcher = None

    def say(self, text):
        self.notes_said.append(text)

    # --- the store ----------------------------------------------------------------------------------------------

    def use_s3(self, fake=None, **settings):
        """The store is a bucket of the strict fake from now on."""
        self.fake = fake or S3Fake()
        self.fake.add_bucket(BUCKET) if BUCKET not in self.fake.buckets else None
        self.fake.add_key(ACCESS_KEY, SECRET, rights=RIGHTS)
        self.fake.start()
        self.undo.append(self.fake.stop)
        self.put_store(**settings)
        return self.fake

    def put_store(self, **settings):
        if "endpoint" not in settings:
            settings["endpoint"] = f"http://127.0.0.1:{self.fake.port}"
        put_store(self.recorder, self.folder, **settings)

    def bucket_folder(self):
        """The store as a folder."""
        if self.fake is None:
            return self.recorder.store
        folder = self.folder / "bucket"
        with self.fake.lock:
            for key, versions in self.fake.buckets[BUCKET].objects.items():
                path = folder / key
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_bytes(versions[-1].body)
        return folder

    def store_down(self):
        self.fake.fault("*", "status", status=503, code="ServiceUnavailable")

    def mount(self, path, *arguments):
        subprocess.run(["mount", *map(str, arguments), str(path)], check=True, capture_output=True)
        self.mounts.append(path)

    # --- the recording ------------------------------------------------------------------------------------------

    def start(self):
        self.recorder.start()
        return self

    def begin(self, tracks=None):
        """Opens the session and sends."""
        self.tracks = tracks or self.tracks
        rows = [encoded.track(name, "p1") for name, encoded in self.tracks.items()]
        self.session = self.recorder.open_session([participant("p1")], rows)
        self.sender = Sender(self.folder, [stream(row, self.session.ports[name]) for name, row in self.tracks.items()])
        self._watch_end.clear()
        self._watcher = threading.Thread(target=self._watch, daemon=True)
        self._watcher.start()
        return self

    def record(self, tracks=None):
        return self.start().begin(tracks)

    def _watch(self):
        """Notes what is acknowledged, over and over."""
        while not self._watch_end.is_set():
            with contextlib.suppress(OSError, RuntimeError, ValueError, TimeoutError):
                self.look()
            self._watch_end.wait(0.05)

    def look(self):
        seen = self.session.look()
        with self._look_lock:  # two that look at once must not put back the older answer
            for track in seen["tracks"]:
                best = self.acknowledged.get(track["id"], (0, 0))
                self.acknowledged[track["id"]] = (max(best[0], track["acknowledged_us"]), max(best[1], track["segments"]))
                self.looks[track["id"]] = track
        self._look_at_process()
        return seen

    def _look_at_process(self):
        pid = self.recorder.child.pid
        with contextlib.suppress(OSError):
            if not self.process_texts:
                for name in ("cmdline", "environ"):
                    self.process_texts.append(pathlib.Path(f"/proc/{pid}/{name}").read_bytes())
            status = pathlib.Path(f"/proc/{pid}/status").read_text()
            self.most["memory"] = max(self.most["memory"], int(re.search(r"VmHWM:\s*(\d+)", status)[1]))
        self.most["queue"] = max(self.most["queue"], self.metric("seal_queue_bytes"))

    def metric(self, name):
        text = self.recorder.ask("GET", "/metrics").body.decode()
        return int(float(re.search(rf"^sealtape_{name} (\S+)$", text, re.M)[1]))

    def wait_segments(self, n, timeout_s=40):
        """Until every track has `n` acknowledged segments."""
        names = set(self.tracks)
        poll(lambda: names <= set(self.acknowledged) and all(self.acknowledged[name][1] >= n for name in names), timeout_s,
             f"{n} segments of each track")
        return self

    def wait_log(self, text, timeout_s=40):
        poll(lambda: re.search(text, self.recorder.child.log_text()), timeout_s, f"the log to say {text!r}")
        return self

    def keep_notes(self):
        """Manifest parts that are in the store now: they must never change."""
        if self.session is not None:
            for path in (self.bucket_folder() / self.recorder.org / self.session.id / "manifest").glob("*.note"):
                self.notes[path.name] = path.read_bytes()

    def kill(self):
        """SIGKILL, as a crash; what is sent goes on into nothing."""
        self._stop_watching()
        self.keep_notes()
        self.recorder.kill()

    def finish(self):
        """Everything is sent and the session stopped."""
        self.sender.finish()
        self.keep_notes()
        if self.recorder.child.is_running():
            answer = self.session.stop()
            if answer.status != 200:
                raise RuntimeError(f"stop: {answer}")
        return self

    def _stop_watching(self):
        self._watch_end.set()
        if self._watcher is not None:
            self._watcher.join()
            self._watcher = None

    def manifest(self):
        return Manifest(self.bucket_folder() / self.recorder.org / self.session.id / "manifest")

    def settle(self, timeout_s=90):
        """The fault is over: starts the recorder again if it is down, and waits until all is stored."""
        self.recorder.before, self.recorder.environment = [], {}
        if not self.recorder.child.is_running():
            self._stop_watching()
            begun = time.monotonic()
            self.recorder.start()
            self.recovered_s = time.monotonic() - begun
        if self.stays_parked:
            poll(lambda: self.metric("upload_parked") == 1, timeout_s, "the session to be parked")
        else:
            poll(self._is_settled, timeout_s, "everything to be stored", 0.1)
        self._stop_watching()
        return self

    def _is_settled(self):
        if self.metric("spool_segments") != 0:
            return False
        states = self.manifest().states
        return bool(states) and states[-1] != "open"

    def close(self):
        self._stop_watching()
        for child in (self.sender and self.sender.child, self.recorder.child):
            if child is not None and child.is_running():
                child.kill()
        for undo in reversed(self.undo):
            with contextlib.suppress(Exception):
                undo()
        for path in reversed(self.mounts):
            subprocess.run(["umount", "-l", str(path)], capture_output=True)
