#!/usr/bin/python3
"""What `make demo` shows holds: the same script, with a shorter visit."""

import os
import pathlib
import subprocess

from harness import main, packet_times, program, streams_of, tap, title_of

DEMO = pathlib.Path(__file__).resolve().parents[2] / "tools" / "demo.sh"
SECONDS = 8


def test_demo(folder):
    place = folder / "visit"
    programs = folder / "programs"
    programs.mkdir()
    for name in ("sealtape", "sealtaped", "sealtape-accessd"):
        (programs / name).symlink_to(os.path.abspath(program(name)))
    environment = {**os.environ, "DEMO_DIR": str(place), "DEMO_SECONDS": str(SECONDS), "SEALTAPE_BIN_DIR": str(programs)}
    done = subprocess.run([DEMO], env=environment, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=80)
    tap.equal(done.returncode, 0, "the demo ends well")
    tap.equal(done.stderr, "", "and says nothing that it did not mean to say")
    for words in ("all there, genuine and in order", "p2-video", "purpose-unknown", "access-refused refused use=HMARKT",
                  "grant-ended ok", "matroska", "Where everything lies"):
        tap.contains(done.stdout, words, f"it shows: {words}")
    tap.note(done.stdout)
    rows = streams_of(place / "visit.mkv")
    tap.equal(sorted(title_of(row) for row in rows), ["p1-audio", "p1-video", "p2-audio", "p2-video"],
              "the opened visit has all four tracks")
    # Each by its own packets: a busy machine's senders begin when they can.
    for row in rows:
        times = packet_times(place / "visit.mkv", row["index"])
        tap.near(times[-1] - times[0], SECONDS, 0.5, f"{title_of(row)} is as long as it was")
    left = [path.parent.name for path in pathlib.Path("/proc").glob("[0-9]*/cmdline") if mentions(path, place)]
    tap.equal(left, [], "nothing keeps running")


def mentions(path, place):
    try:
        return str(place).encode() in path.read_bytes()
    except OSError:
        return False  # it has just ended


if __name__ == "__main__":
    main([test_demo], 100)
