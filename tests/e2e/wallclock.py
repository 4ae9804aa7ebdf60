"""When, by the wall clock, each picture and click of a recording was made, as peers/publish.html wrote it into them."""

import subprocess

from avsync import click_times
from harness import ffprobe

_TICK_S = 0.01
_ROUND = 1 << 15  # ticks until the code begins again
CLICK_EVERY_S = 1


def frames(path, index, wall_s):
    """(time in the file, wall clock or None where the picture shows none, width) of each picture of stream `index`.

    `wall_s`: a wall clock less than two minutes off. Raises if a picture can not be decoded, or the decoder complains."""
    rows = ffprobe(path, "-select_streams", str(index), "-show_entries", "frame=pts_time,width")["frames"]
    command = ["ffmpeg", "-v", "error", "-i", str(path), "-map", f"0:{index}", "-fps_mode", "passthrough", "-enc_time_base", "1:1000000",
               "-vf", "scale=4:4:flags=area,format=gray", "-f", "rawvideo", "-"]
    done = subprocess.run(command, capture_output=True, timeout=120)
    if done.returncode != 0 or done.stderr:
        raise RuntimeError(f"ffmpeg {path}: {done.stderr[:1500]!r}")
    if len(done.stdout) != 16 * len(rows):
        raise RuntimeError(f"{path}: {len(done.stdout) // 16} pictures, {len(rows)} times")
    pictures = [done.stdout[at : at + 16] for at in range(0, len(done.stdout), 16)]
    return [
        (float(row["pts_time"]), _wall_clock(picture, wall_s), int(row["width"]))
        for row, picture in zip(rows, pictures)
    ]


def _wall_clock(picture, near_s):
    bits = [pixel > 128 for pixel in picture]
    if sum(bits) % 2 == 0 or any(64 < pixel < 192 for pixel in picture):
        return None
    ticks = sum(bit << place for place, bit in enumerate(bits[:15]))
    off = (ticks - int(near_s / _TICK_S) + _ROUND // 2) % _ROUND - _ROUND // 2
    return (int(near_s / _TICK_S) + off) * _TICK_S


def clicks(path, index, begun_s):
    """(time in the file, wall clock) of each click of stream `index`; `begun_s`: wall clock of the file's time 0, within
    CLICK_EVERY_S / 2."""
    return [
        (time, round((begun_s + time) / CLICK_EVERY_S) * CLICK_EVERY_S) for time in click_times(path, index)
    ]
