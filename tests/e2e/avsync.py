"""Where the flashes and clicks of peers.media lie in a file, as a player would show them."""

import array
import subprocess

from harness import ffprobe

_RATE = 8000
_BLOCK = _RATE // 200  # 5 ms
_SIDE = 8


def flash_times(path, index):
    """Seconds at which stream `index` turns from black to white."""
    frames = ffprobe(path, "-select_streams", str(index), "-show_entries", "frame=pts_time")["frames"]
    filters = f"scale={_SIDE}:{_SIDE},format=gray"
    pictures = _decoded(path, index, ["-fps_mode", "passthrough", "-vf", filters, "-f", "rawvideo"])
    area = _SIDE * _SIDE
    if len(pictures) != area * len(frames):
        raise RuntimeError(f"{path}: {len(pictures) // area} pictures, {len(frames)} times")
    times, was_white = [], False
    for number, frame in enumerate(frames):
        is_white = sum(pictures[number * area : (number + 1) * area]) > 128 * area
        if is_white and not was_white:
            times.append(float(frame["pts_time"]))
        was_white = is_white
    return times


def click_times(path, index):
    """Seconds at which the tone of stream `index` sets in; holes in the stream are filled with silence."""
    filters = f"aresample={_RATE}:async=1:min_hard_comp=0.005:first_pts=0"
    raw = _decoded(path, index, ["-af", filters, "-ac", "1", "-f", "s16le"])
    samples = array.array("h", raw[: len(raw) // 2 * 2])
    times, quiet = [], 20
    for at in range(0, len(samples) - _BLOCK, _BLOCK):
        loudness = sum(map(abs, samples[at : at + _BLOCK])) / _BLOCK
        if loudness > 1500:
            if quiet >= 20:  # 100 ms
                times.append(at / _RATE)
            quiet = 0
        else:
            quiet += 1
    return times


def flash_onsets(path, index, span):
    """As flash_times(), of a `span` of seconds in a long file: by the brightness of each picture."""
    filters = "signalstats,metadata=print:key=lavfi.signalstats.YAVG:file=-"
    return _onsets(path, index, span, ["-vf", "settb=1/1000," + filters], 1000, 128)


def click_onsets(path, index, span):
    """Seconds at which a packet of sound begins that is loud after one that was not."""
    level = "lavfi.astats.Overall.RMS_level"
    filters = f"astats=metadata=1:reset=1,ametadata=print:key={level}:file=-"
    return _onsets(path, index, span, ["-af", "asettb=1/48000," + filters], 48000, -35)


def nearest(times, at):
    return min(times, key=lambda time: abs(time - at), default=float("inf"))


def _onsets(path, index, span, filters, ticks, limit):
    """Seconds of the frames whose printed value rises over `limit`."""
    begin, end = span
    start = max(begin - 3, 0)  # a picture must have a keyframe before it, and the file's index may not know this one's
    place = ["-copyts", "-seek_timestamp", "1", "-ss", str(start), "-t", str(end - start), "-i", str(path), "-map", f"0:{index}"]
    command = ["ffmpeg", "-v", "error", *place, *filters, "-f", "null", "-"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=True)
    times, was_over, time = [], True, None
    for line in done.stdout.splitlines():
        if line.startswith("frame:"):
            time = int(line.split("pts:")[1].split()[0]) / ticks
            continue
        is_over = float(line.split("=")[1]) > limit
        if is_over and not was_over:
            times.append(time)
        was_over = is_over
    return [time for time in times if begin <= time < end]


def _decoded(path, index, arguments):
    """On the file's own clock. Damaged frames are expected here: what ffmpeg says of them is not looked at."""
    command = ["ffmpeg", "-v", "quiet", "-copyts", "-i", str(path), "-map", f"0:{index}", *arguments, "-"]
    return subprocess.run(command, capture_output=True, timeout=120, check=True).stdout
