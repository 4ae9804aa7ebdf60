"""A recorder of the test's own, from outside: set up, started, driven, killed, looked into.

    SEALTAPE_BIN_DIR    where sealtape and sealtaped lie (default: what PATH finds)
    SEALTAPE_KEEP       keep the test's folder and say where it is
"""

import contextlib
import hashlib
import http.client
import json
import os
import pathlib
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
import traceback

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))

from peers import children
from peers.children import Child, poll

ORG = "clinic-a"
PEERS = pathlib.Path(__file__).resolve().parent.parent / "peers"


def program(name):
    folder = os.environ.get("SEALTAPE_BIN_DIR")
    if folder is None:
        return shutil.which(name) or name
    for place in ("", "agent/admin", "agent/recorder", "agent/opener"):  # laid out flat, or as meson builds
        path = pathlib.Path(folder, place, name)
        if path.is_file():
            return str(path)
    raise FileNotFoundError(f"no {name} in {folder}")


# --- the Test Anything Protocol -------------------------------------------------------------------------------


class Tap:
    """Counts and prints what a test program found out."""

    def __init__(self):
        self.count = 0
        self.failed = 0

    def ok(self, is_good, name, *details):
        self.count += 1
        self.failed += 0 if is_good else 1
        print(f"{'ok' if is_good else 'not ok'} {self.count} - {name}")
        if not is_good:
            for detail in details:
                self.note(detail)
        sys.stdout.flush()
        return is_good

    def equal(self, got, wanted, name):
        return self.ok(got == wanted, name, f"got:    {got!r:.1500}", f"wanted: {wanted!r:.1500}")

    def near(self, got, wanted, by, name):
        return self.ok(abs(got - wanted) <= by, name, f"got {got}, wanted {wanted} +- {by}")

    def contains(self, text, part, name):
        return self.ok(part.lower() in text.lower(), name, f"no {part!r} in: {text[:1500]}")

    def note(self, text):
        for line in str(text).splitlines():
            print("# " + line)

    def skip_all(self, reason):
        print(f"1..0 # SKIP {reason}")
        sys.exit(0)


tap = Tap()


def main(tests, deadline_s):
    """Runs every function of `tests` in a folder of its own; ends with the plan. `deadline_s` is for all."""
    sys.stdout.reconfigure(line_buffering=True)
    children.end_children_on_signals()
    root = pathlib.Path(tempfile.mkdtemp(prefix="sealtape-e2e-"))
    watchdog = children.start_watchdog(deadline_s, lambda: _remove(root))
    chosen = sys.argv[1:]
    for test in tests:
        if chosen and test.__name__ not in chosen:
            continue
        folder = root / test.__name__
        folder.mkdir()
        started = time.monotonic()
        try:
            test(folder)
        except Exception:
            tap.ok(False, test.__name__ + " ran to its end", traceback.format_exc())
        finally:
            children.kill_all()
        tap.note(f"{test.__name__}: {time.monotonic() - started:.1f} s")
    watchdog.cancel()
    print(f"1..{tap.count}")
    _remove(root)
    sys.exit(1 if tap.failed else 0)


def _remove(root):
    if os.environ.get("SEALTAPE_KEEP"):
        print(f"# kept: {root}", flush=True)
    else:
        shutil.rmtree(root, ignore_errors=True)


# --- the recorder ---------------------------------------------------------------------------------------------


class Answer:
    """What the control API said."""

    def __init__(self, status, headers, body):
        self.status = status
        self.headers = headers
        self.body = body

    @property
    def json(self):
        return json.loads(self.body)

    def __repr__(self):
        return f"{self.status} {self.body!r:.500}"


class _UnixConnection(http.client.HTTPConnection):
    def __init__(self, path, timeout_s):
        super().__init__("localhost", timeout=timeout_s)
        self._path = path

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self._path)


class Recorder:
    """One installation (`sealtape init`) and its daemon."""

    def __init__(self, folder, org=ORG, port_range=None):
        self.folder = pathlib.Path(folder)
        self.org = org
        self.config = self.folder / "sealtape.conf"
        self.socket = self.folder / "run" / "recorder.sock"
        self.store = self.folder / "store"
        self.spool = self.folder / "spool"
        self.tmp = self.folder.parent / (self.folder.name + "-tmp")
        self.log = self.folder.parent / (self.folder.name + "-sealtaped.log")
        self.tmp.mkdir(exist_ok=True)
        self.child = self.org_text = None
        self.before, self.environment = [], {}  # of start(): words before the program; added to its environment
        done = cli("init", str(self.folder), "--org", org)
        if done.returncode != 0:
            raise RuntimeError(f"sealtape init: {done.stderr}{done.stdout}")
        if port_range is not None:
            self.set("first_port", port_range[0])
            self.set("last_port", port_range[1])

    @property
    def org_identity(self):
        """The organisation's identity file; the break-glass one is the other in that folder."""
        return _one(
            path
            for path in sorted((self.folder / "keys").iterdir())
            if "AGE-SECRET-KEY-1" in _text(path) and "glass" not in path.name
        )

    @property
    def break_glass_identity(self):
        return _one(
            path
            for path in sorted((self.folder / "keys").iterdir())
            if "AGE-SECRET-KEY-1" in _text(path) and "glass" in path.name
        )

    def set(self, setting, value):
        """Changes one `setting = value` of the configuration, which must be there."""
        text = self.config.read_text()
        lines, hits = [], 0
        shown = f'"{value}"' if isinstance(value, str) else str(value)
        for line in text.split("\n"):
            name = line.split("=")[0].strip().rstrip(":")
            if "=" in line and name == setting:
                indent = line[: len(line) - len(line.lstrip())]
                line, hits = f"{indent}{setting} = {shown};", hits + 1
            lines.append(line)
        if hits != 1:
            raise RuntimeError(f"{setting} stands {hits} times in {self.config}")
        self.config.write_text("\n".join(lines))

    @property
    def org_file(self):
        return self.folder / "orgs" / f"{self.org}.conf"

    def say_of_org(self, *settings, consent="evidence_required = false;", purposes='"record-audio", "record-video"'):
        """Writes the organisation's file as it was made, with these settings added, and others in `consent`."""
        if self.org_text is None:
            self.org_text = self.org_file.read_text()
        text = self.org_text.replace("evidence_required = false;", consent)
        text = text.replace('purposes = [ "record-audio", "record-video" ]', f"purposes = [ {purposes} ]")
        self.org_file.write_text("\n".join([text, *settings, ""]))
        return self

    def reload(self, word="settings are read again"):
        """SIGHUP; returns once the daemon has said what came of it."""
        before = self.child.log_text().count(word)
        os.kill(self.child.pid, signal.SIGHUP)
        poll(lambda: self.child.log_text().count(word) > before, 10, f"`{word}`", 0.02)

    def start(self, timeout_s=30):
        """Starts the daemon; returns once it has said READY=1 and serves."""
        notify = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        address = str(self.tmp / "notify.sock")
        with contextlib.suppress(FileNotFoundError):
            os.unlink(address)
        notify.bind(address)
        notify.settimeout(0.2)
        environment = {**os.environ, "NOTIFY_SOCKET": address, "TMPDIR": str(self.tmp), **self.environment}
        environment.pop("JOURNAL_STREAM", None)
        command = [*self.before, program("sealtaped"), "--config", self.config]
        self.child = Child(command, self.log, env=environment)

        def is_ready():
            if not self.child.is_running():
                raise RuntimeError("sealtaped ended:\n" + self.child.log_text()[-3000:])
            try:
                return b"READY=1" in notify.recv(4096)
            except TimeoutError:
                return False

        poll(is_ready, timeout_s, "sealtaped to be ready", 0)
        notify.close()
        return self

    def stop(self, timeout_s=30):
        """SIGTERM; returns the exit status."""
        return self.child.terminate(timeout_s)

    def kill(self):
        return self.child.kill()

    def ask(self, method, path, body=None, timeout_s=20, headers=None):
        """One request. `body`: bytes as they are, anything else as JSON."""
        connection = _UnixConnection(str(self.socket), timeout_s)
        headers = dict(headers or {})
        if body is not None and not isinstance(body, bytes):
            body = json.dumps(body).encode()
        if body is not None:
            headers.setdefault("Content-Type", "application/json")
        try:
            connection.request(method, path, body, headers)
            answer = connection.getresponse()
            return Answer(answer.status, answer.headers, answer.read())
        finally:
            connection.close()

    def open_session(self, participants, tracks, reference="visit-4711", **more):
        """Begins a session that must be permitted. Returns a Session."""
        answer = self.ask("POST", "/v1/sessions", {**session_request(participants, tracks, reference, self.org), **more})
        if answer.status != 201:
            raise RuntimeError(f"no session: {answer}")
        return Session(self, answer.json)

    def command(self, *arguments, timeout_s=120):
        """`sealtape --config ... arguments`."""
        return cli("--config", str(self.config), *map(str, arguments), timeout_s=timeout_s)


class Session:
    """One session of a recorder, as the control API tells of it."""

    def __init__(self, recorder, created):
        self.recorder = recorder
        self.created = created
        self.id = created["session"]
        self.ports = {track["id"]: track["port"] for track in created["tracks"]}

    def look(self):
        answer = self.recorder.ask("GET", f"/v1/sessions/{self.id}")
        if answer.status != 200:
            raise RuntimeError(f"session {self.id}: {answer}")
        return answer.json

    def track(self, name):
        return _one(track for track in self.look()["tracks"] if track["id"] == name)

    def stop(self):
        return self.recorder.ask("POST", f"/v1/sessions/{self.id}/stop", {})

    def wait_state(self, state, timeout_s=30):
        return poll(lambda: self.look()["state"] == state, timeout_s, f"{self.id} to be {state}")

    def finish(self):
        """Stops it and waits until everything is stored."""
        answer = self.stop()
        if answer.status != 200:
            raise RuntimeError(f"stop: {answer}")
        poll(lambda: self.look()["state"] in ("stored", "quarantined"), 30, f"{self.id} to be stored")

    def folder(self):
        return self.recorder.store / self.recorder.org / self.id

    def manifest(self):
        return Manifest(self.folder() / "manifest")

    def recover(self, output, *more, identity=None):
        identity = identity or self.recorder.org_identity
        return self.recorder.command(
            "recover", self.id, "--identity", identity, "--output", output, *more
        )


def consents(*purposes, state="granted"):
    return [
        {
            "purpose": purpose,
            "state": state,
            "text_version": "2026-01",
            "evidence": "ev-1",
            "at": "2026-11-21T17:00:00Z",
        }
        for purpose in purposes
    ]


def participant(name, role="provider"):
    return {"id": name, "role": role, "consents": consents("record-audio", "record-video")}


def session_request(participants, tracks, reference="visit-4711", org=ORG):
    return {"org": org, "reference": reference, "participants": participants, "tracks": tracks}


def cli(*arguments, timeout_s=120):
    """Runs sealtape to its end."""
    return subprocess.run(
        [program("sealtape"), *arguments],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        errors="replace",
        timeout=timeout_s,
    )


# --- what was stored ------------------------------------------------------------------------------------------


COUNTS = (
    "expected", "received", "lost", "reordered", "duplicate", "late", "paused", "foreign", "kernel_dropped",
    "recovered", "limited", "beside", "late_keyframes", "unreadable",
)


class Manifest:
    """The lines of all parts in order, read without Sealtape's help; signatures are verify's business."""

    def __init__(self, folder):
        self.paths = sorted(folder.glob("*.note"), key=lambda path: int(path.stem))
        self.segments, self.gaps, self.tracks, self.states, self.ends, self.counts = [], [], {}, [], {}, {}
        for path in self.paths:
            text = path.read_text().split("\n\n")[0]
            for line in text.split("\n"):
                self._take(line.split(" "))

    def _take(self, words):
        if words[0] == "state":
            self.states.append(words[1])
        elif words[0] == "track":
            self.tracks[words[1]] = words[2:]
        elif words[0] == "end":
            self.ends[words[1]] = (int(words[2]), int(words[3]))
        elif words[0] == "count":
            self.counts[words[1]] = dict(zip(COUNTS, map(int, words[2:]), strict=True))
        elif words[0] == "gap":
            self.gaps.append(Gap(words[1], int(words[2]), int(words[3]), words[4]))
        elif words[0] == "seg":
            self.segments.append(
                Segment(words[1], *map(int, words[2:6]), words[6], words[7], *map(int, words[8:10]), words[10])
            )

    def of(self, track):
        rows = [segment for segment in self.segments if segment.track == track]
        return sorted(rows, key=lambda row: (row.part, row.index))

    def gaps_of(self, track):
        return sorted((gap for gap in self.gaps if gap.track == track), key=lambda gap: gap.start_us)


class Gap:
    def __init__(self, track, start_us, duration_us, reason):
        self.track, self.start_us, self.duration_us, self.reason = track, start_us, duration_us, reason

    def __repr__(self):
        return f"gap({self.track} {self.start_us / 1e6:.3f}+{self.duration_us / 1e6:.3f} {self.reason})"


class Segment:
    """One `seg` line."""

    def __init__(self, track, part, index, start_us, duration_us, flags, object_name, offset, length, digest):
        self.track, self.part, self.index = track, part, index
        self.start_us, self.duration_us, self.flags = start_us, duration_us, flags
        self.object, self.offset, self.length, self.digest = object_name, offset, length, digest

    @property
    def end_us(self):
        return self.start_us + self.duration_us

    def sealed(self, session):
        """Its bytes out of its object, checked against the manifest's hash."""
        path = session.folder() / self.object
        if not path.is_file():
            path = session.recorder.store / self.object
        sealed = path.read_bytes()[self.offset : self.offset + self.length]
        if hashlib.sha256(sealed).hexdigest() != self.digest:
            raise RuntimeError(f"{self} is not what the manifest says")
        return sealed

    def __repr__(self):
        return f"seg({self.track} {self.part}/{self.index} {self.start_us}+{self.duration_us} {self.flags})"


def age_decrypt(sealed, identity):
    """Opens an age file with Debian's age, nothing of ours."""
    done = subprocess.run(["age", "-d", "-i", str(identity)], input=sealed, capture_output=True, timeout=60)
    if done.returncode != 0:
        raise RuntimeError("age: " + done.stderr.decode())
    return done.stdout


def open_envelopes(session, folder, identity=None):
    """Opens all the session's envelopes with age. Returns a file of all identities inside."""
    identity = identity or session.recorder.org_identity
    ids = pathlib.Path(folder) / f"{session.id}.ids"
    envelopes = sorted((session.folder() / "env").glob("*.age"), key=lambda path: int(path.stem))
    lines = []
    for envelope in envelopes:
        for line in age_decrypt(envelope.read_bytes(), identity).decode().splitlines():
            if line not in lines or line.startswith("#"):
                lines.append(line)
    ids.touch(mode=0o600)
    ids.write_text("\n".join(lines) + "\n")
    return ids


# --- senders --------------------------------------------------------------------------------------------------


class Sender:
    """A process that sends streams as RTP; its report once it is done."""

    def __init__(self, folder, streams, speed=1):
        stem = pathlib.Path(folder) / f"sender-{time.monotonic_ns()}"
        self.report_path = stem.with_suffix(".report")
        scenario = {"speed": speed, "report": str(self.report_path), "streams": streams}
        stem.with_suffix(".json").write_text(json.dumps(scenario))
        command = ["/usr/bin/python3", PEERS / "rtp_source.py", stem.with_suffix(".json")]
        self.child = Child(command, stem.with_suffix(".log"))

    def began(self, port):
        """When the stream to `port` sent its first packet, by time.monotonic(); None if it has not."""
        rows = [line.split() for line in self.child.log_text().splitlines() if line.startswith("began ")]
        return next((float(row[2]) for row in rows if int(row[1]) == port), None)

    def finish(self, timeout_s=60):
        """Waits for its end; returns the reports of its streams."""
        if self.child.wait(timeout_s) != 0:
            raise RuntimeError("sender: " + self.child.log_text()[-1500:])
        return json.loads(self.report_path.read_text())["streams"]


def stream(media, port, **more):
    """One stream of a Sender, from a Media of peers.media."""
    return {
        "packets": str(media.packets),
        "clock_rate": media.clock_rate,
        "host": "127.0.0.1",
        "port": port,
        **more,
    }


# --- looking at files -----------------------------------------------------------------------------------------


def ffprobe(path, *arguments):
    """Returns ffprobe's answer as a dictionary; raises if it had anything to complain of."""
    command = ["ffprobe", "-v", "error", "-of", "json", *arguments, str(path)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120)
    if done.returncode != 0 or done.stderr.strip():
        raise RuntimeError(f"ffprobe {path}: {done.stderr}")
    return json.loads(done.stdout)


def streams_of(path):
    return ffprobe(path, "-show_streams")["streams"]


def title_of(row):
    """A track's name; ffprobe writes the tag's own name now so, now so."""
    tags = {name.lower(): value for name, value in row.get("tags", {}).items()}
    return tags.get("title")


def packet_times(path, index):
    """Presentation times in seconds of one stream's packets."""
    packets = ffprobe(path, "-select_streams", str(index), "-show_entries", "packet=pts_time")["packets"]
    return [float(packet["pts_time"]) for packet in packets]


def frame_hashes(path, index=0, copy=False):
    """MD5 of each decoded frame of a stream, or of each packet as it is stored."""
    mode = ["-c", "copy"] if copy else ["-fps_mode", "passthrough"]
    command = ["ffmpeg", "-v", "error", "-i", str(path), "-map", f"0:{index}", *mode, "-f", "framemd5", "-"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120)
    if done.returncode != 0 or done.stderr.strip():
        raise RuntimeError(f"ffmpeg {path}: {done.stderr[:1500]}")
    rows = [line for line in done.stdout.splitlines() if line and not line.startswith("#")]
    return [row.split(",")[5].strip() for row in rows]


def count_threads(pid):
    return len(os.listdir(f"/proc/{pid}/task"))


def in_threads(jobs):
    """Runs all functions at once; returns their results in order, raises the first failure."""
    results = [None] * len(jobs)

    def run(position, job):
        try:
            results[position] = (job(), None)
        except Exception as failure:
            results[position] = (None, failure)

    threads = [threading.Thread(target=run, args=row, daemon=True) for row in enumerate(jobs)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for _, failure in results:
        if failure is not None:
            raise failure
    return [result for result, _ in results]


def _one(rows):
    rows = list(rows)
    if len(rows) != 1:
        raise RuntimeError(f"{len(rows)} rows where one was expected")
    return rows[0]


def _text(path):
    return path.read_text(errors="replace") if path.is_file() else ""
