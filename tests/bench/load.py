"""What the benchmarks of the recorder share: a load of many publishers, and looks at a process from outside."""

import json
import os
import pathlib
import re
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "e2e")]

from harness import Recorder, participant, tap
from peers import media
from peers.children import Child, poll

# Two ports for each track, RTP and RTCP; below what the kernel gives away by itself.
FIRST_PORT = 20000
# A sender that was so late says more about the machine than about who receives.
LATE_US = 200000


def publisher_media(folder):
    """10 s of one publisher at 640x480: 1.15 Mbit/s of picture, 64 kbit/s of sound."""
    return (
        media.noise(folder, 10, 1),
        media.ball(folder, "vp8", 10, 2, size=(640, 480), bitrate=1150000, key_s=2, pattern="smpte"),
    )


def small_media(folder):
    """The same, small: 64 kbit/s of picture with a keyframe each second, for many short segments."""
    return (
        media.noise(folder, 10, 1),
        media.ball(folder, "vp8", 10, 2, size=(160, 120), bitrate=64000, key_s=1),
    )


def load_program():
    folder = pathlib.Path(os.environ["SEALTAPE_BIN_DIR"])
    for path in (folder / "rtp_load", folder / "tests" / "rtp_load", folder / "tests" / "bench" / "rtp_load"):
        if path.is_file():
            return path
    raise FileNotFoundError(f"no rtp_load in {folder}")


class Sending:
    """The load generator at work, to pairs of ports (audio, video)."""

    def __init__(self, folder, encoded, ports, seconds, in_pieces=False):
        audio, video = encoded
        rows = folder / "ports"
        rows.write_text("".join(f"{pair[0]} {pair[1]}\n" for pair in ports))
        self.report = folder / "load.json"
        command = f"exec {load_program()} {audio.packets} {video.packets} {seconds} {'pieces' if in_pieces else ''} <{rows} >{self.report}"
        self.child = Child(["sh", "-c", command], folder / "load.log")

    def end(self):
        """Ends it before its time; finish() then has the report."""
        self.child.process.terminate()

    def finish(self):
        """Returns the report: packets, bytes, latest_us, ..."""
        self.child.wait(600)
        sent = json.loads(self.report.read_text())
        if sent["latest_us"] > LATE_US:
            tap.note(f"the sender itself was {sent['latest_us'] / 1e6:.1f} s late at worst: this machine is too busy")
        return sent


class Load:
    """A recorder with `n` publishers, one session each, and what sends to them."""

    def __init__(self, folder, encoded, n, seconds, short_segments=False, in_pieces=False):
        self.folder, self.n = folder, n
        self.recorder = Recorder(folder / "recorder", port_range=(FIRST_PORT, FIRST_PORT + 4 * n + 99))
        self.recorder.set("max_tracks", max(2000, 2 * n))
        if short_segments:
            self.recorder.set("segment_ms", 1000)
            self.recorder.set("object_ms", 2000)
        self.recorder.start()
        self.idle_bytes = memory_bytes([self.pid])
        audio, video = encoded
        tracks = [audio.track("p1-audio", "p1"), video.track("p1-video", "p1")]
        begun = time.monotonic()
        self.sessions = [self.recorder.open_session([participant("p1")], tracks) for _ in range(n)]
        self.opening_s = (time.monotonic() - begun) / n
        self.ports = [(s.ports["p1-audio"], s.ports["p1-video"]) for s in self.sessions]
        self.sending = Sending(folder, encoded, self.ports, seconds, in_pieces)

    @property
    def pid(self):
        return self.recorder.child.pid

    def finish(self):
        """Until all has ended. Returns how many packets were sent, taken, lost, dropped by the kernel, and how many
        sessions ended otherwise than stored, by state."""
        sent = self.sending.finish()
        for session in self.sessions:
            session.stop()
        row = {"sent": sent["packets"], "taken": 0, "lost": 0, "dropped": 0, "not_stored": {}}
        for session in self.sessions:
            state = poll(lambda: ended(session), 300, f"{session.id} to end")
            if state["state"] != "stored":
                word = f"{state['state']} {state.get('reason')}"
                row["not_stored"][word] = row["not_stored"].get(word, 0) + 1
            for track in state["tracks"]:
                row["taken"] += track["packets"]
                row["lost"] += track["lost"]
                row["dropped"] += track["kernel_dropped"]
        return row

    def close(self):
        self.recorder.stop(120)


def ended(session):
    """The session once it has ended, else nothing."""
    state = session.look()
    return None if state["state"] in ("recording", "paused", "finalising") else state


def cpu_s(pids):
    """Seconds on a processor of all their threads, to the nanosecond."""
    total = 0
    for pid in pids:
        for task in pathlib.Path(f"/proc/{pid}/task").iterdir():
            total += int((task / "schedstat").read_text().split()[0])
    return total / 1e9


def share_of_core(pids, seconds):
    before, begun = cpu_s(pids), time.monotonic()
    time.sleep(seconds)
    return (cpu_s(pids) - before) / (time.monotonic() - begun)


def memory_bytes(pids):
    """What is theirs, shared pages by their share (PSS)."""
    rows = (pathlib.Path(f"/proc/{pid}/smaps_rollup").read_text() for pid in pids)
    return sum(int(re.search(r"^Pss:\s+(\d+) kB", text, re.M).group(1)) * 1024 for text in rows)


def count_threads(pids):
    return sum(len(os.listdir(f"/proc/{pid}/task")) for pid in pids)


def metric(recorder, name):
    """A number that the recorder tells of itself."""
    text = recorder.ask("GET", "/metrics", headers={"Connection": "close"}).body.decode()
    rows = dict(line.rsplit(" ", 1) for line in text.splitlines() if not line.startswith("#"))
    return int(rows["sealtape_" + name])


def kernel_drops(ports):
    """Datagrams that found a full socket, of the sockets at these ports."""
    wanted, drops = set(ports), 0
    for name in ("/proc/net/udp", "/proc/net/udp6"):
        for line in pathlib.Path(name).read_text().splitlines()[1:]:
            words = line.split()
            if int(words[1].split(":")[1], 16) in wanted:
                drops += int(words[-1])
    return drops


def flushes_per_s(pids, folder, seconds):
    """Calls that make something durable, counted by strace, which slows them down: measure nothing else then."""
    output = folder / "strace"
    command = ["strace", "-f", "-c", "-e", "trace=fsync,fdatasync,syncfs,sync_file_range", "-o", output]
    for pid in pids:
        command += ["-p", str(pid)]
    tracer = Child(command, folder / "strace.log")
    time.sleep(seconds)
    tracer.process.send_signal(2)
    tracer.wait(60)
    rows = [line.split() for line in output.read_text().splitlines()]
    return sum(int(row[3]) for row in rows if row and row[-1] in ("fsync", "fdatasync", "syncfs")) / seconds
