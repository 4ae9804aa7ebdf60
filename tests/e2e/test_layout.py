#!/usr/bin/python3
"""A visit as one MP4 that plays everywhere: who is where, what a gap looks like, and whether all of it is in step."""

import array
import math
import stat
import struct
import subprocess
import time

import avsync
from harness import Recorder, Sender, consents, ffprobe, main, participant, stream, streams_of, tap
from peers import media

SECONDS = 12
WIDTH, HEIGHT = 1280, 720
CARD = (44, 134, 124)
IN_STEP_S = 0.04
RATE = 8000


class Visit:
    """A provider's red VP8, a client's H.264 that turns upright and from blue to green, an interpreter who joins with
    sound alone. The client withdraws consent for a while, and the provider's camera is off for a while."""

    def __init__(self, folder, recorder):
        self.folder, self.recorder = folder, recorder
        camera = [
            media.ball(folder, "h264", SECONDS / 2, 0x31, size=(640, 480), pattern="blue"),
            media.ball(folder, "h264", SECONDS / 2, 0x32, size=(480, 640), pattern="green"),
        ]
        self.media = {
            "p1-audio": media.tone(folder, SECONDS, 440, 0x11),
            "p1-video": media.ball(folder, "vp8", SECONDS, 0x12, size=(640, 480), pattern="red"),
            "p2-audio": media.tone(folder, SECONDS, 1000, 0x21),
            "p2-video": media.joined(folder, camera, 0x22),
            "p3-audio": media.plain_tone(folder, "g722", 4, 1700, 0x41),
            "p3-more": media.plain_tone(folder, "pcma", 4, 2300, 0x42),
        }

    def record(self):
        first = [name for name in self.media if not name.startswith("p3")]
        tracks = [self.media[name].track(name, name[:2]) for name in first]
        self.session = self.recorder.open_session([participant("p1"), participant("p2", "client")], tracks)
        rows = [self.stream(name, self.session.ports) for name in first]
        sender = Sender(self.folder, rows)
        time.sleep(2)
        later = self.let_interpreter_join()
        time.sleep(0.5)
        self.consent("withdrawn")
        time.sleep(1.5)
        self.consent("granted")
        for child in (sender, later):
            child.finish()
        self.session.finish()
        return self

    def stream(self, name, ports):
        faults = {"silences": [[7, 10]]} if name == "p1-video" else {}
        return stream(self.media[name], ports[name], **faults)

    def let_interpreter_join(self):
        path = f"/v1/sessions/{self.session.id}"
        answer = self.recorder.ask("POST", path + "/participants", participant("p3", "interpreter"))
        tap.equal(answer.status, 200, "an interpreter joins")
        ports = {}
        for name in ("p3-audio", "p3-more"):
            answer = self.recorder.ask("POST", path + "/tracks", self.media[name].track(name, "p3"))
            ports.update({track["id"]: track["port"] for track in answer.json["tracks"]})
        return Sender(self.folder, [self.stream(name, ports) for name in ("p3-audio", "p3-more")])

    def consent(self, state):
        consent = {"participant": "p2", **consents("record-video", state=state)[0]}
        consent["at"] = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
        answer = self.recorder.ask("POST", f"/v1/sessions/{self.session.id}/consents", consent)
        tap.equal(answer.status, 200, f"consent is {state}")

    def middle_of(self, track, reason):
        """Seconds of the middle of the track's longest gap of that reason."""
        gaps = [gap for gap in self.session.manifest().gaps_of(track) if gap.reason == reason]
        gap = max(gaps, key=lambda row: row.duration_us)
        return (gap.start_us + gap.duration_us / 2) / 1e6

    def first_of(self, track):
        return self.session.manifest().of(track)[0].start_us / 1e6

    def length(self):
        manifest = self.session.manifest()
        return max(int(manifest.tracks[name][5]) + end[1] for name, end in manifest.ends.items()) / 1e6


def test_layouts(folder):
    recorder = Recorder(folder / "recorder").say_of_org('on_withdrawal = "keep";').start()
    visit = Visit(folder, recorder).record()
    tap.note(visit.session.manifest().gaps)
    check_grid(visit, folder / "grid.mp4")
    check_speaker(visit, folder / "speaker.mp4")
    check_tracks(visit, folder / "tracks.mp4")
    check_excerpt(visit, folder / "excerpt.mp4")
    check_refusals(visit, folder)
    tap.equal(recorder.stop(), 0, "the recorder ends")


def check_grid(visit, output):
    recover(visit, output, "grid")
    check_plays_everywhere(visit, output, [("h264", None), ("aac", None)])
    tap.ok(index_is_in_front(output), "its index is in front, so that it plays while it is fetched")
    tap.equal(stat.S_IMODE(output.stat().st_mode), 0o600, "nobody else may read it")

    alone = visit.first_of("p1-video") + 1
    left, right = (WIDTH // 4, HEIGHT // 2), (WIDTH * 3 // 4, HEIGHT // 2)
    check_colours(output, alone, "two people", {left: "red", right: "blue"})
    check_caption(output, alone, (8, 690, 120, 22), "the provider's caption")
    check_caption(output, alone, (646, 690, 100, 22), "the client's caption")

    upper_left, upper_right, below = (WIDTH // 4, 150), (WIDTH * 3 // 4, 150), (WIDTH // 2, 600)
    paused = visit.middle_of("p1-video", "paused-consent-withdrawn")
    check_colours(output, paused, "consent withdrawn", {upper_left: "card", upper_right: "card", below: "card"})
    check_text(output, paused, (100, 130, 440, 100), "the card says something")
    camera_off = visit.middle_of("p1-video", "silence")
    check_colours(output, camera_off, "one camera off", {upper_left: "card", upper_right: "green", below: "card"})
    end = visit.length() - 0.6
    check_colours(output, end, "all back", {upper_left: "red", upper_right: "green"})
    tall = [colour_of(pixel(frame_at(output, end), x, 150)) for x in (WIDTH * 3 // 4 - 150, WIDTH * 3 // 4 + 150)]
    tap.equal(tall, ["black", "black"], "an upright picture stands between black bars")

    check_tones(output, 1, visit.first_of("p3-audio") + 0.2, 0.4, {440, 1000, 1700, 2300})
    check_tones(output, 1, camera_off + 0.7, 0.5, {440, 1000})
    loudest = max(map(abs, samples(output, 1, 0, visit.length())))
    tap.ok(10000 < loudest < 32600, "four voices at once are loud and not clipped", loudest)


def check_speaker(visit, output):
    recover(visit, output, "speaker")
    check_plays_everywhere(visit, output, [("h264", None), ("aac", None)])
    check_colours(output, visit.first_of("p1-video") + 1, "who speaks",
                  {(WIDTH // 2, 250): "red", (WIDTH // 2, 640): "blue"})


def check_tracks(visit, output):
    recover(visit, output, "tracks")
    wanted = [
        ("aac", "Provider"), ("h264", "Provider"), ("aac", "Client"), ("h264", "Client"), ("aac", "Interpreter"),
        ("aac", "Interpreter"),
    ]
    check_plays_everywhere(visit, output, wanted)
    rows = {(row["codec_name"], handler_of(row)): row["index"] for row in streams_of(output)}
    check_tones(output, rows["aac", "Provider"], visit.first_of("p1-audio") + 1, 0.5, {440})
    check_tones(output, rows["aac", "Client"], visit.first_of("p1-audio") + 1, 0.5, {1000})
    check_tones(output, 4, visit.first_of("p3-audio") + 0.2, 0.4, {1700})
    check_tones(output, 4, visit.first_of("p3-audio") - 0.6, 0.4, set())


def check_excerpt(visit, output):
    from_s = visit.first_of("p1-video") + 3.5
    done = recover(visit, output, "grid", "--tracks", "p2-video,p2-audio", "--from", f"{from_s:.3f}", "--to",
                   f"{from_s + 2:.3f}")
    tap.equal(done.returncode, 0, "two seconds of two tracks")
    length = float(ffprobe(output, "-show_format")["format"]["duration"])
    tap.near(length, 2, 0.06, "are two seconds long")
    tap.equal(len(packets_of(output, 0)), 60, "begin and end at that very frame")
    check_colours(output, 1.9, "one person", {(WIDTH // 2, HEIGHT // 2): "blue"})


def check_refusals(visit, folder):
    rows = [
        (("--layout", "mosaic", "--output", folder / "a.mp4"), 2, "grid, speaker or tracks"),
        (("--layout", "grid", "--output", "-"), 2, "standard output"),
        (("--layout", "grid", "--output", folder / "a.mkv"), 2, "MP4"),
        (("--layout", "grid", "--container", "mkv", "--output", folder / "a.mp4"), 2, "MP4"),
        (("--layout", "grid", "--tracks", "p9-audio", "--output", folder / "a.mp4"), 1, "p9-audio"),
        (("--layout", "grid", "--from", "900", "--output", folder / "a.mp4"), 1, "nothing was recorded"),
        (("--layout", "grid", "--output", folder / "grid.mp4"), 1, "exists"),
    ]
    for arguments, code, words in rows:
        done = visit.recorder.command("recover", visit.session.id, "--identity", visit.recorder.org_identity, *arguments)
        tap.equal(done.returncode, code, f"{arguments[1]} {arguments[-1]}: is refused")
        tap.contains(done.stderr, words, "and says why")
    left = [path.name for path in folder.iterdir() if "partial" in path.name or path.name.startswith("a.")]
    tap.equal(left, [], "nothing is left behind")


def test_in_step(folder):
    """Flashes and clicks of one person: at the start, after a mute and a camera that was off, and at the end."""
    recorder = Recorder(folder / "recorder").start()
    clicks = media.clicks(folder, SECONDS, 0x51)
    calls = {}
    for number, codec in enumerate(("vp8", "vp9")):
        flashes = media.flashes(folder, codec, SECONDS, 0x61 + number, size=(640, 480))
        session = recorder.open_session(
            [participant("p1")], [clicks.track("p1-audio", "p1"), flashes.track("p1-video", "p1")]
        )
        rows = [
            stream(clicks, session.ports["p1-audio"], silences=[[3.5, 5.5]]),
            stream(flashes, session.ports["p1-video"], silences=[[6.5, 8.5]]),
        ]
        calls[codec] = (session, Sender(folder, rows))
    for codec, (session, sender) in calls.items():
        sender.finish()
        session.finish()
        check_in_step(session, folder / f"{codec}.mp4", codec)
    tap.equal(recorder.stop(), 0, "the recorder ends")


def check_in_step(session, output, codec):
    done = session.recover(output, "--layout", "tracks")
    tap.equal(done.returncode, 0, f"{codec}: recovered")
    tap.note(done.stderr)
    flashes, clicks = avsync.flash_times(output, 1), avsync.click_times(output, 0)
    tap.note(f"{codec}: flashes {flashes}, clicks {clicks}")
    offsets = [avsync.nearest(clicks, at) - at for at in flashes]
    offsets = [offset for offset in offsets if abs(offset) < 0.3]
    tap.ok(len(offsets) >= SECONDS - 6, f"{codec}: flashes and clicks are there", offsets)
    tap.ok(all(abs(offset) <= IN_STEP_S for offset in offsets), f"{codec}: sound and picture are in step", offsets)


# --- looking and listening ------------------------------------------------------------------------------------


def recover(visit, output, layout, *more):
    done = visit.session.recover(output, "--layout", layout, *more)
    tap.equal(done.returncode, 0, f"{layout}: recovered")
    tap.note(done.stderr)
    return done


def check_plays_everywhere(visit, output, wanted):
    rows = streams_of(output)
    tap.equal([row["codec_name"] for row in rows], [codec for codec, _ in wanted], "its streams")
    for row, (codec, title) in zip(rows, wanted):
        if codec == "h264":
            tap.equal((row["profile"], row["pix_fmt"]), ("High", "yuv420p"), "H.264 as every player has it")
        else:
            tap.equal((row["profile"], row["sample_rate"]), ("LC", "48000"), "AAC as every player has it")
        tap.near(float(row["duration"]), visit.length(), 0.1, "lasts as long as the session")
        tap.near(float(row["start_time"]), 0, 0.001, "begins with it")
        if title is not None:
            tap.equal(handler_of(row), title, "is called by the role")


def handler_of(row):
    return row.get("tags", {}).get("handler_name")


def index_is_in_front(path):
    content, at, order = path.read_bytes(), 0, []
    while at + 8 <= len(content):
        (length,), name = struct.unpack_from(">I", content, at), content[at + 4 : at + 8]
        order.append(name)
        at += length if length > 1 else len(content)
    return order.index(b"moov") < order.index(b"mdat")


def packets_of(path, index):
    return ffprobe(path, "-select_streams", str(index), "-show_entries", "packet=pts_time")["packets"]


def frame_at(path, seconds):
    """The picture shown at that moment: its three planes."""
    command = [
        "ffmpeg", "-v", "error", "-ss", f"{seconds:.3f}", "-i", str(path), "-frames:v", "1", "-f", "rawvideo", "-pix_fmt",
        "yuv420p", "-",
    ]
    raw = subprocess.run(command, capture_output=True, check=True, timeout=60).stdout
    area = WIDTH * HEIGHT
    if len(raw) != area * 3 // 2:
        raise RuntimeError(f"{path}: no picture at {seconds}")
    return raw[:area], raw[area : area * 5 // 4], raw[area * 5 // 4 :]


def pixel(frame, x, y):
    luma, u, v = frame
    half = y // 2 * (WIDTH // 2) + x // 2
    return luma[y * WIDTH + x], u[half], v[half]


COLOURS = {
    "red": (81, 90, 240), "green": (145, 54, 34), "blue": (41, 240, 110), "black": (16, 128, 128), "card": CARD,
}


def colour_of(sample):
    """The nearest of the colours that may be there."""
    return min(COLOURS, key=lambda name: math.dist(COLOURS[name], sample))


def check_colours(path, at, what, wanted):
    frame = frame_at(path, at)
    # A little beside the middle, where a card has its text.
    got = {place: colour_of(pixel(frame, place[0], place[1] - 90 if name == "card" else place[1]))
           for place, name in wanted.items()}
    tap.equal(got, wanted, f"{what}: every tile is where it belongs")


def check_text(path, at, area, what):
    """There is something white, and more that is not."""
    frame = frame_at(path, at)
    x, y, width, height = area
    values = [pixel(frame, column, row)[0] for row in range(y, y + height) for column in range(x, x + width)]
    share = sum(value > 190 for value in values) / len(values)
    tap.ok(0.01 < share < 0.4, what, f"share of white: {share:.3f}")


def check_caption(path, at, area, what):
    check_text(path, at, area, what)


def samples(path, index, begin, length):
    command = [
        "ffmpeg", "-v", "error", "-i", str(path), "-map", f"0:{index}", "-ss", f"{begin:.3f}", "-t", f"{length:.3f}",
        "-ac", "1", "-ar", str(RATE), "-f", "s16le", "-",
    ]
    raw = subprocess.run(command, capture_output=True, check=True, timeout=60).stdout
    return array.array("h", raw[: len(raw) // 2 * 2])


def strength(sound, frequency):
    """How much of a tone there is: Goertzel, as an amplitude of 0 to 1."""
    factor = 2 * math.cos(2 * math.pi * frequency / RATE)
    before, last = 0.0, 0.0
    for sample in sound:
        before, last = last, sample / 32768 + factor * last - before
    power = before * before + last * last - factor * before * last
    return 2 * math.sqrt(max(power, 0)) / len(sound)


def check_tones(path, index, begin, length, wanted):
    sound = samples(path, index, begin, length)
    found = {frequency: round(strength(sound, frequency), 3) for frequency in (440, 1000, 1700, 2300, 3100)}
    heard = {frequency for frequency, level in found.items() if level > 0.05}
    tap.equal(heard, wanted, f"at {begin:.1f} s: these tones and no others ({found})")


if __name__ == "__main__":
    main([test_layouts, test_in_step], 290)
