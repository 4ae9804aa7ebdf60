"""Measures the recorder: what one publisher costs, that flushes and threads do not grow with tracks, how many are
recorded without a lost packet, how soon a stopped session is stored.

    recorder_bench.py [NAME...]        names: cost, flushes, many, stop
    SEALTAPE_PUBLISHERS     of `many` (default 1000)        SEALTAPE_BENCH_S     seconds of each measurement (20)

One publisher is 1.2 Mbit/s of VP8 and Opus. The compared remux is gst-launch with udpsrc, rtpjitterbuffer and
matroskamux to a file, without any sealing, in the same run.
"""

import json
import os
import pathlib
import re
import resource
import subprocess
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "e2e")]

from harness import Recorder, count_threads, main, participant, poll, tap
from peers import media
from peers.children import Child

SECONDS = int(os.environ.get("SEALTAPE_BENCH_S", "20"))
PUBLISHERS = int(os.environ.get("SEALTAPE_PUBLISHERS", "1000"))
TRACKS = {"p1-audio": "audio", "p1-video": "video"}


def load_program():
    folder = pathlib.Path(os.environ["SEALTAPE_BIN_DIR"])
    for path in (folder / "rtp_load", folder / "tests" / "rtp_load", folder / "tests" / "bench" / "rtp_load"):
        if path.is_file():
            return path
    raise FileNotFoundError(f"no rtp_load in {folder}")


def publisher_media(folder):
    """10 s of one publisher: 1.15 Mbit/s of picture, 64 kbit/s of sound."""
    return (
        media.noise(folder, 10, 1),
        media.ball(folder, "vp8", 10, 2, size=(640, 360), bitrate=1150000, key_s=2, pattern="smpte"),
    )


class Load:
    """A recorder with `n` publishers, one session each, and what sends to them."""

    def __init__(self, folder, encoded, n, seconds):
        self.encoded, self.n = encoded, n
        self.recorder = Recorder(folder / "recorder", port_range=(20000, 20000 + 4 * n + 99))
        self.recorder.set("max_tracks", max(2000, 2 * n))
        self.recorder.start()
        audio, video = encoded
        tracks = [audio.track("p1-audio", "p1"), video.track("p1-video", "p1")]
        begun = time.monotonic()
        self.sessions = [self.recorder.open_session([participant("p1")], tracks) for _ in range(n)]
        self.opening_s = (time.monotonic() - begun) / n
        ports = folder / "ports"
        rows = [f"{s.ports['p1-audio']} {s.ports['p1-video']}\n" for s in self.sessions]
        ports.write_text("".join(rows))
        self.report = folder / "load.json"
        command = f"exec {load_program()} {audio.packets} {video.packets} {seconds} <{ports} >{self.report}"
        self.sender = Child(["sh", "-c", command], folder / "load.log")

    @property
    def pid(self):
        return self.recorder.child.pid

    def finish(self):
        """Returns (packets sent, packets taken, packets lost, dropped by the kernel)."""
        self.sender.wait(120)
        sent = json.loads(self.report.read_text())
        tap.note(f"sender: {sent}")
        if sent["latest_us"] > 200000:
            tap.note("the sender itself was late by more than 200 ms: this machine is too busy to tell")
        for session in self.sessions:
            session.stop()
        taken = lost = dropped = 0
        for session in self.sessions:
            session.wait_state("stored", 120)
            for track in session.look()["tracks"]:
                taken += track["packets"]
                lost += track["lost"]
                dropped += track["kernel_dropped"]
        return sent["packets"], taken, lost, dropped

    def close(self):
        self.recorder.stop(120)


def cpu_s(pid):
    """Seconds on a processor of all its threads, to the nanosecond."""
    total = 0
    for task in pathlib.Path(f"/proc/{pid}/task").iterdir():
        total += int((task / "schedstat").read_text().split()[0])
    return total / 1e9


def resident_bytes(pid):
    text = pathlib.Path(f"/proc/{pid}/status").read_text()
    return int(re.search(r"VmRSS:\s+(\d+) kB", text).group(1)) * 1024


def share_of_core(pid, seconds):
    before, begun = cpu_s(pid), time.monotonic()
    time.sleep(seconds)
    return (cpu_s(pid) - before) / (time.monotonic() - begun)


def cost(folder):
    """CPU and memory of one publisher, beside gst-launch doing less."""
    encoded = publisher_media(folder)
    load = Load(folder, encoded, 1, SECONDS + 6)
    poll(lambda: load.sessions[0].track("p1-video")["packets"] > 0, 10, "media")
    time.sleep(3)
    ours = share_of_core(load.pid, SECONDS)
    load.finish()
    load.close()
    theirs = gst_launch_share(folder, encoded)
    tap.note(f"one publisher: {100 * ours:.3f} % of a core; gst-launch remux: {100 * theirs:.3f} %")
    tap.ok(ours <= 0.25 * theirs, "CPU of one publisher is at most a quarter of the remux",
           f"{ours / theirs:.2f} of it")

    (folder / "many").mkdir()
    n = 50
    load = Load(folder / "many", encoded, n, SECONDS + 6)
    idle = resident_bytes(load.pid)
    time.sleep(5)
    share = share_of_core(load.pid, SECONDS - 2) / n
    busy = resident_bytes(load.pid)
    load.finish()
    load.close()
    tap.note(f"each of {n}: {100 * share:.3f} % of a core, {busy / n / 1e6:.2f} MB of {busy / 1e6:.0f} MB in all, "
             f"{(busy - idle) / n / 1e6:.2f} MB more than before media; a session took {1000 * load.opening_s:.1f} ms")
    tap.ok(share <= 0.25 * theirs, "and of each of many", f"{share / theirs:.2f}")
    tap.ok(busy / n <= 1.5e6, "memory for one publisher is at most 1.5 MB", busy / n)


def gst_launch_share(folder, encoded):
    audio, video = encoded
    pipeline = (
        f"matroskamux name=m ! filesink location={folder}/remux.mkv "
        f"udpsrc address=127.0.0.1 port=19000 caps=application/x-rtp,media=audio,clock-rate=48000,encoding-name=OPUS,"
        f"payload={audio.payload_type} ! rtpjitterbuffer ! rtpopusdepay ! opusparse ! m. "
        f"udpsrc address=127.0.0.1 port=19002 caps=application/x-rtp,media=video,clock-rate=90000,encoding-name=VP8,"
        f"payload={video.payload_type} ! rtpjitterbuffer ! rtpvp8depay ! m."
    )
    remux = Child(["gst-launch-1.0", "-q", *pipeline.split()], folder / "remux.log")
    time.sleep(1)
    command = f"echo 19000 19002 | exec {load_program()} {audio.packets} {video.packets} {SECONDS + 6}"
    sender = Child(["sh", "-c", command], folder / "remux-load.log")
    time.sleep(3)
    share = share_of_core(remux.pid, SECONDS)
    sender.wait(60)
    remux.kill()
    return share


def flushes(folder):
    """Flushes per second and threads, with one publisher and with a hundred."""
    encoded, found = publisher_media(folder), {}
    for n in (1, 100):
        place = folder / str(n)
        place.mkdir()
        load = Load(place, encoded, n, SECONDS + 8)
        time.sleep(6)
        found[n] = (flushes_per_s(load.pid, place, SECONDS), count_threads(load.pid))
        load.finish()
        load.close()
        tap.note(f"{n} publishers: {found[n][0]:.1f} flushes a second, {found[n][1]} threads")
    tap.ok(found[100][0] <= max(4 * found[1][0], 20), "flushes per second do not grow with tracks", found)
    tap.ok(found[100][1] <= found[1][1] + 2, "nor do threads", found)


def flushes_per_s(pid, folder, seconds):
    output = folder / "strace"
    tracer = Child(["strace", "-f", "-c", "-e", "trace=fsync,fdatasync,syncfs,sync_file_range", "-o", output, "-p", pid],
                   folder / "strace.log")
    time.sleep(seconds)
    tracer.process.send_signal(2)
    tracer.wait(10)
    rows = [line.split() for line in output.read_text().splitlines()]
    return sum(int(row[3]) for row in rows if row and row[-1] in ("fsync", "fdatasync", "syncfs")) / seconds


def many(folder):
    """PUBLISHERS at once, without one lost packet."""
    load = Load(folder, publisher_media(folder), PUBLISHERS, SECONDS + 5)
    time.sleep(5)
    share = share_of_core(load.pid, SECONDS - 2)
    memory = resident_bytes(load.pid)
    sent, taken, lost, dropped = load.finish()
    tap.note(f"{PUBLISHERS} publishers: {100 * share:.0f} % of a core, {memory / 1e6:.0f} MB, "
             f"{count_threads(load.pid)} threads")
    tap.ok((taken, lost, dropped) == (sent, 0, 0), f"{PUBLISHERS} publishers are recorded without one lost packet",
           f"sent {sent}, taken {taken}, lost {lost}, dropped by the kernel {dropped}")
    tap.ok(memory / PUBLISHERS <= 1.5e6, "memory for one publisher is at most 1.5 MB", memory / PUBLISHERS)
    done = load.recorder.command("verify", load.sessions[-1].id)
    tap.equal(done.returncode, 0, "and the last of them verifies")
    load.close()


def stop(folder):
    """From stop to stored, a hundred times."""
    encoded = publisher_media(folder)
    load = Load(folder, encoded, 100, 8)
    load.sender.wait(60)
    times = []
    for session in load.sessions:
        begun = time.monotonic()
        session.stop()
        poll(lambda: session.look()["state"] == "stored", 30, "stored", 0.01)
        times.append(time.monotonic() - begun)
    times.sort()
    tap.note(f"from stop to stored: median {1000 * times[50]:.0f} ms, 99 of 100 within {1000 * times[98]:.0f} ms")
    tap.ok(times[98] <= 1, "99 of 100 are stored within 1 s of the stop", times[-3:])
    load.close()


if __name__ == "__main__":
    if subprocess.run(["which", "gst-launch-1.0"], capture_output=True).returncode != 0:
        tap.skip_all("no gst-launch-1.0 here")
    files = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (files[1], files[1]))
    main([cost, flushes, many, stop], 900)
