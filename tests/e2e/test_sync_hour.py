#!/usr/bin/python3
"""An hour of two people whose clocks drift apart, through receiver, media track and exporter in a minute.

Each second has a flash and a click. In the exported file they lie together, at the start, over the hour, after each
gap and at the end, and those of one person lie with the other's; with sender reports and without.
"""

import math
import os
import pathlib
import subprocess

import avsync
from harness import main, streams_of, tap, title_of
from peers import media

SECONDS = 3600
IN_STEP_S = 0.04
FRAME_RATE = 10
# What tests/sync_drive.c and tests/fakes/drifting_visit.c make of the hour.
MUTE, DTX, CAMERA_OFF, LOST, STALLED, PAUSE = (600, 900), (1200, 1500), (1000, 1300), (2000, 2010), (2500, 2510), (3000, 3030)
HOLES = {
    "p1-audio": [MUTE, LOST],
    "p1-video": [LOST],
    "p2-audio": [LOST, PAUSE],
    "p2-video": [CAMERA_OFF, LOST, PAUSE],
}
SPAN_S = 12
# Where the file is looked at, for so long.
MOMENTS = {
    "start": 1.5, "after a minute": 60.5, "before the mute": 585.5, "after the mute": 900.5, "after the camera was off": 1300.5,
    "in DTX": 1400.5, "after DTX": 1500.5, "after the loss": 2010.5, "after the network stalled": 2505.5, "after the pause": 3030.5,
    "end": 3586.5,
}


def test_by_arrivals(folder):
    check(folder, "arrivals", ppm=100, jitter_us=200000, report_s=0)


def test_by_reports(folder):
    check(folder, "reports", ppm=-100, jitter_us=200000, report_s=5)


def check(folder, sync, ppm, jitter_us, report_s):
    clicks = media.clicks(folder, 11, 1)
    flashes = media.flashes(folder, "vp8", 11, 2, frame_rate=FRAME_RATE)
    output = folder / "hour.mkv"
    drive = pathlib.Path(os.environ["SEALTAPE_BIN_DIR"], "tests", "sync_drive")
    settings = map(str, (SECONDS, ppm, jitter_us, report_s, FRAME_RATE))
    done = subprocess.run([drive, clicks.packets, flashes.packets, output, *settings], capture_output=True, text=True, timeout=120)
    tap.equal(done.returncode, 0, f"{sync}: recorded and exported")
    tap.note(done.stdout + done.stderr)
    tap.equal([line.split()[1] for line in done.stdout.splitlines()], [sync] * 4, f"{sync}: is what put them in step")
    index = {title_of(row): row["index"] for row in streams_of(output)}
    tap.equal(sorted(index), sorted(HOLES), f"{sync}: each track is one track of the file")
    places = {name: find_places(sync, name, output, index[name]) for name in HOLES}
    for one, other in (("p1-audio", "p1-video"), ("p2-audio", "p2-video"), ("p1-video", "p2-video"), ("p1-audio", "p2-audio")):
        check_pair(sync, one, other, places)


def find_places(sync, name, output, index):
    """Returns: for each moment, where each second's event is. There must be one for each second, and no other."""
    look = {"audio": avsync.click_onsets, "video": avsync.flash_onsets}[name[3:]]
    places, missing, far = {}, [], []
    for moment, begin in MOMENTS.items():
        onsets = look(output, index, (begin, begin + SPAN_S))
        places[moment] = {round(time): time for time in onsets}
        seconds = range(math.ceil(begin), math.floor(begin + SPAN_S))
        missing += [at for at in seconds if not is_hole(name, at) and at not in places[moment]]
        far += [time for time in onsets if abs(time - round(time)) > IN_STEP_S]
    tap.equal(missing, [], f"{sync}: {name} has an event each second")
    tap.equal(far, [], f"{sync}: {name} has none further than {IN_STEP_S} s from its second")
    return places


def is_hole(name, at):
    """Where a hole begins or ends half a sound may be there."""
    return any(begin - 1 <= at < end + 1 for begin, end in HOLES[name])


def check_pair(sync, one, other, places):
    for moment in MOMENTS:
        both = sorted(set(places[one][moment]) & set(places[other][moment]))
        apart = [places[one][moment][at] - places[other][moment][at] for at in both]
        shown = " ".join(f"{1000 * each:+.0f}" for each in apart)
        tap.ok(all(abs(each) <= IN_STEP_S for each in apart), f"{sync}: {one} and {other} are in step {moment}", shown)
        tap.note(f"{sync}: {one} - {other} {moment}: {shown} ms")
        tap.ok(len(both) >= 9, f"{sync}: which {len(both)} seconds show")


if __name__ == "__main__":
    main([test_by_arrivals, test_by_reports], 280)
