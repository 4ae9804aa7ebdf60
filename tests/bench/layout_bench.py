#!/usr/bin/python3
"""How fast a recorded visit becomes one MP4 on one core: `sealtape recover --layout` for two people at 640x480.

    layout_bench.py [SECONDS]      SEALTAPE_BIN_DIR: where the programs lie

Fails if it is slower than real time, or if a longer visit needs more memory. Records a visit of that length first (VP8, 1.2 Mbit/s, Opus), then exports it with the processor's first core alone. How
many times faster than real time counts that core's time, so that other work on the machine changes little.
"""

import os
import pathlib
import sys
import tempfile
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "e2e"))

from harness import Recorder, Sender, participant, program, stream
from peers import children, media


def record(folder, recorder, seconds):
    encoded = {
        "p1-audio": media.tone(folder, seconds, 440, 0x11),
        "p1-video": media.ball(folder, "vp8", seconds, 0x12, size=(640, 480), frame_rate=30, bitrate=1200000, pattern="smpte"),
        "p2-audio": media.noise(folder, seconds, 0x21),
        "p2-video": media.ball(folder, "vp8", seconds, 0x22, size=(640, 480), frame_rate=30, bitrate=1200000, pattern="smpte"),
    }
    people = [participant("p1"), participant("p2", "client")]
    session = recorder.open_session(people, [one.track(name, name[:2]) for name, one in encoded.items()])
    sender = Sender(folder, [stream(one, session.ports[name]) for name, one in encoded.items()])
    sender.finish(seconds + 60)
    session.finish()
    return session


def export(session, output, layout, *more):
    """Returns seconds on the clock, seconds of the core, and the most memory it had, in MiB."""
    recorder = session.recorder
    command = [
        "taskset", "-c", "0", program("sealtape"), "--config", str(recorder.config), "recover", session.id, "--identity",
        str(recorder.org_identity), "--layout", layout, "--overwrite", "--output", str(output), *more,
    ]
    started = time.monotonic()
    nowhere = [(os.POSIX_SPAWN_OPEN, 1, "/dev/null", os.O_WRONLY, 0)]
    pid = os.posix_spawnp(command[0], command, os.environ, file_actions=nowhere)
    _, status, usage = os.wait4(pid, 0)
    if status != 0:
        raise RuntimeError(f"recover ended with {status}")
    return time.monotonic() - started, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024


def main():
    seconds = int(sys.argv[1]) if len(sys.argv) > 1 else 30
    with tempfile.TemporaryDirectory(prefix="sealtape-bench-") as name:
        folder = pathlib.Path(name)
        recorder = Recorder(folder / "recorder").start()
        try:
            session = record(folder, recorder, seconds)
            print(f"two people, 640x480, {seconds} s, one core")
            print("layout    seconds   core s   times real time   MiB at most")
            good = True
            for layout in ("grid", "speaker", "tracks"):
                wall, core, memory = export(session, folder / "out.mp4", layout)
                print(f"{layout:8} {wall:8.1f} {core:8.1f} {seconds / core:17.1f} {memory:13.0f}")
                _, _, less = export(session, folder / "out.mp4", layout, "--to", str(seconds // 3))
                print(f"{'':8} a third of it: {less:39.0f}")
                good &= core < seconds and memory < 1.15 * less
            recorder.stop()
            return 0 if good else 1
        finally:
            children.kill_all()


sys.exit(main())
