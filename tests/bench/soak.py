"""A recorder that records for long needs no more memory, threads or files than in the beginning.

    soak.py
    SEALTAPE_SOAK_S     seconds of media (30: what `make check` has time for; `make soak` takes an hour)
    SEALTAPE_SOAK_N     publishers (5)

Looks at the memory that is the recorder's alone (anonymous pages: open segments make it go up and down) and judges by
its slope, the median of all slopes between two looks, after a while of warming up. No time or speed is judged.
"""

import os
import pathlib
import re
import statistics
import time

import load
from harness import main, tap

SECONDS = int(os.environ.get("SEALTAPE_SOAK_S", "30"))
PUBLISHERS = int(os.environ.get("SEALTAPE_SOAK_N", "5"))
WARM_S = min(SECONDS / 4, 300)
# A leak of 100 bytes for each packet, or of a tenth of each segment, shows within the shortest run.
MOST_GROWTH_BYTES = 3 << 19
MOST_LOOKS = 400


def own_bytes(pid):
    text = pathlib.Path(f"/proc/{pid}/smaps_rollup").read_text()
    return int(re.search(r"^Anonymous:\s+(\d+) kB", text, re.M).group(1)) * 1024


def look(pid):
    return own_bytes(pid), load.count_threads([pid]), len(os.listdir(f"/proc/{pid}/fd"))


def watch(pid, seconds):
    """Returns (time, look) from time to time."""
    looks, begun = [], time.monotonic()
    pause_s = max(0.25, seconds / MOST_LOOKS)
    while time.monotonic() < begun + seconds:
        looks.append((time.monotonic() - begun, look(pid)))
        time.sleep(pause_s)
    return looks


def slope(points):
    """By Theil and Sen: what a few odd points can not change."""
    rows = [
        (later[1] - earlier[1]) / (later[0] - earlier[0])
        for i, earlier in enumerate(points)
        for later in points[i + 1 :]
    ]
    return statistics.median(rows)


def stays_as_many(counts, name):
    """Some come and go: the store opens and closes files all the time."""
    quarter = len(counts) // 4
    tap.ok(statistics.median(counts[-quarter:]) <= statistics.median(counts[:quarter]) + 2, f"{name} stay as many", counts)


def soak(folder):
    """Records as long as told, and looks."""
    running = load.Load(folder, load.publisher_media(folder), PUBLISHERS, SECONDS, short_segments=SECONDS < 300)
    time.sleep(WARM_S)
    looks = watch(running.pid, SECONDS - WARM_S - 2)
    span_s = looks[-1][0]
    growth = slope([(at, seen[0]) for at, seen in looks]) * span_s
    memory = [seen[0] for _, seen in looks]
    tap.note(
        f"{PUBLISHERS} publishers for {SECONDS} s, {len(looks)} looks: {min(memory) / 1e6:.1f} to {max(memory) / 1e6:.1f} MB, "
        f"grows by {growth / 1e6:+.2f} MB in {span_s:.0f} s"
    )
    tap.ok(growth <= MOST_GROWTH_BYTES, "memory stays flat", [row // 1000 for row in memory])
    stays_as_many([seen[1] for _, seen in looks], "threads")
    stays_as_many([seen[2] for _, seen in looks], "open files")
    row = running.finish()
    tap.note(row)
    tap.equal(row["not_stored"], {}, "every session is stored")
    done = running.recorder.command("verify", "--all", timeout_s=600)
    tap.equal(done.returncode, 0, "and verifies")
    running.close()


if __name__ == "__main__":
    main([soak], SECONDS + 300)
