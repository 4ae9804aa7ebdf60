"""A recorder that records for long needs no more memory, threads or files than in the beginning.

    soak.py
    SEALTAPE_SOAK_S     seconds of media (30: what `make check` has time for; `make soak` takes an hour)
    SEALTAPE_SOAK_N     publishers (20)

Looks at the memory that is the recorder's alone (anonymous pages: open segments make it go up and down) and judges by
its slope, the median of all slopes between two looks, after a while of warming up. What malloc keeps though nobody uses it
is in there; so the memory in use is judged besides, by its lowest, for each segment that came meanwhile. The short form has
small pictures and short segments, as many in half a minute as else in two. No time or speed is judged.
"""

import os
import pathlib
import re
import statistics
import time

import load
from harness import main, tap

SECONDS = int(os.environ.get("SEALTAPE_SOAK_S", "30"))
PUBLISHERS = int(os.environ.get("SEALTAPE_SOAK_N", "20"))
IS_SHORT = SECONDS < 300
WARM_S = min(SECONDS / 4, 300)
# A leak of 100 bytes for each packet, or of a tenth of each segment, shows within the shortest run.
MOST_GROWTH_BYTES = 3 << 19
MOST_LOOKS = 400
# What open segments and objects under way make uncertain, and what a segment may leave behind: less than the least that is
# known of one.
NOISE_BYTES = 200000 if IS_SHORT else 1000000
MOST_LEFT_BYTES = 40


def own_bytes(pid):
    text = pathlib.Path(f"/proc/{pid}/smaps_rollup").read_text()
    return int(re.search(r"^Anonymous:\s+(\d+) kB", text, re.M).group(1)) * 1024


def look(running):
    pid, recorder = running.pid, running.recorder
    return (
        own_bytes(pid),
        load.count_threads([pid]),
        len(os.listdir(f"/proc/{pid}/fd")),
        load.metric(recorder, "heap_used_bytes"),
        load.metric(recorder, "segments"),
    )


def watch(running, seconds):
    """Returns (time, look) from time to time."""
    looks, begun = [], time.monotonic()
    pause_s = max(0.25, seconds / MOST_LOOKS)
    while time.monotonic() < begun + seconds:
        looks.append((time.monotonic() - begun, look(running)))
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


def leaves_nothing_behind(used, segments):
    """By the lowest of the first and of the last third: what open segments add is not in either."""
    third = len(used) // 3
    growth = min(used[-third:]) - min(used[:third])
    n_segments = segments[-third // 2] - segments[third // 2]
    tap.note(f"in use: {min(used[:third]) / 1e6:.2f} MB at least, then {growth / 1e3:+.0f} kB in {n_segments} segments")
    tap.ok(
        n_segments > 0 and growth <= NOISE_BYTES + MOST_LEFT_BYTES * n_segments,
        "a segment leaves nothing behind",
        [row // 1000 for row in used],
    )


def soak(folder):
    """Records as long as told, and looks."""
    encoded = load.small_media(folder) if IS_SHORT else load.publisher_media(folder)
    running = load.Load(folder, encoded, PUBLISHERS, SECONDS, short_segments=IS_SHORT)
    time.sleep(WARM_S)
    looks = watch(running, SECONDS - WARM_S - 2)
    span_s = looks[-1][0]
    growth = slope([(at, seen[0]) for at, seen in looks]) * span_s
    memory = [seen[0] for _, seen in looks]
    tap.note(
        f"{PUBLISHERS} publishers for {SECONDS} s, {len(looks)} looks: {min(memory) / 1e6:.1f} to {max(memory) / 1e6:.1f} MB, "
        f"grows by {growth / 1e6:+.2f} MB in {span_s:.0f} s"
    )
    tap.ok(growth <= MOST_GROWTH_BYTES, "memory stays flat", [row // 1000 for row in memory])
    leaves_nothing_behind([seen[3] for _, seen in looks], [seen[4] for _, seen in looks])
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
