#!/usr/bin/python3
"""Media that changes while it is recorded: sizes, cameras, mutes and the codecs of telephones.

Every change becomes a part of its own or a gap with its reason, no part's header says another size than its pictures
have, and what is recovered is what was sent.
"""

from harness import (
    Recorder, Sender, age_decrypt, ffprobe, frame_hashes, main, open_envelopes, packet_times, participant, stream,
    streams_of, tap, title_of,
)
from peers import media
from visit import payload_hashes

PIECE_S = 2
SECONDS = 3 * PIECE_S
SMALL, LARGE = (320, 240), (640, 480)
MUTE = [2, 4]
# A new SSRC must outlast the old one by so long before it is believed; pictures then wait for their keyframe.
SEAM_S = 0.2
CODEC_NAMES = {"pcmu": ("pcm_mulaw", "8000"), "pcma": ("pcm_alaw", "8000"), "g722": ("adpcm_g722", "16000")}


def test_changes(folder):
    call = Call(folder)
    for name, pieces in call.pieces.items():
        check_sizes(call, name, folder)
        check_pictures(call, name, pieces)
    check_camera(call)
    for name in ("pcmu", "pcma", "g722"):
        check_sound(call, name)
    tap.equal(call.session.recorder.command("verify", call.session.id).returncode, 0, "verifies")
    check_mp4(call, folder / "out.mp4")
    tap.equal(call.recorder.stop(), 0, "the recorder ends")


class Call:
    """Three pictures that change their size as a simulcast layer does, a camera that is exchanged, three telephones."""

    def __init__(self, folder):
        self.pieces = {codec: layers(folder, codec, 0x100 * number) for number, codec in
                       enumerate(("vp8", "vp9", "h264"), 1)}
        self.media = {
            codec: media.joined(folder, pieces, 0x800 + number)
            for number, (codec, pieces) in enumerate(self.pieces.items())
        }
        self.media["camera"] = media.ball(folder, "vp8", SECONDS, 0x700)
        for number, codec in enumerate(CODEC_NAMES):
            self.media[codec] = media.plain_sound(folder, codec, SECONDS, 0x900 + number)
        faults = {
            "camera": {"restart": {"at_s": SECONDS / 2, "ssrc": 0x701}},
            "g722": {"restart": {"at_s": SECONDS / 2, "ssrc": 0x9FF}},
            "pcmu": {"silences": [MUTE]},
        }
        self.recorder = Recorder(folder / "recorder").start()
        tracks = [encoded.track(name, "p1") for name, encoded in self.media.items()]
        self.session = self.recorder.open_session([participant("p1")], tracks)
        rows = [
            stream(encoded, self.session.ports[name], **faults.get(name, {})) for name, encoded in self.media.items()
        ]
        self.sent = dict(zip(self.media, Sender(folder, rows).finish()))
        self.session.finish()
        self.manifest = self.session.manifest()
        self.output = folder / "out.mkv"
        done = self.session.recover(self.output)
        tap.equal(done.returncode, 0, "recovered")
        tap.note(done.stderr)
        self.streams = {}
        for row in streams_of(self.output):
            self.streams.setdefault(title_of(row), []).append(row)
        tap.note(self.manifest.gaps)

    def holes(self, name):
        """Reason and seconds of each gap, but for those before the first packet and after the last."""
        gaps = self.manifest.gaps_of(name)
        return [(gap.reason, gap.duration_us / 1e6) for gap in gaps if gap.reason != "no-media"]

    def parts_of(self, name):
        """The manifest's segments, part by part."""
        parts = {}
        for segment in self.manifest.of(name):
            parts.setdefault(segment.part, []).append(segment)
        return [parts[number] for number in sorted(parts)]


def layers(folder, codec, ssrc):
    """Small, large, small."""
    return [
        media.ball(folder, codec, PIECE_S, ssrc + number, size=size)
        for number, size in enumerate((SMALL, LARGE, SMALL))
    ]


def check_sizes(call, name, folder):
    """Each part, opened with age alone: its header and all its pictures are of one size."""
    identity = open_envelopes(call.session, folder)
    sizes = []
    for number, segments in enumerate(call.parts_of(name)):
        path = folder / f"{name}-{number}.mkv"
        path.write_bytes(b"".join(age_decrypt(segment.sealed(call.session), identity) for segment in segments))
        header = ffprobe(path, "-show_entries", "stream=width,height")["streams"][0]
        frames = ffprobe(path, "-show_entries", "frame=width,height")["frames"]
        sizes.append({(row["width"], row["height"]) for row in [header, *frames]})
    tap.equal(sizes, [{SMALL}, {LARGE}, {SMALL}], f"{name}: a part for each size, and its header says it")
    tap.equal(call.holes(name), [], f"{name}: nothing is missing")
    starts = [segments[0].start_us / 1e6 for segments in call.parts_of(name)]
    tap.note(f"{name}: parts begin at {starts}")
    for number, start in enumerate(starts):
        tap.near(start - starts[0], number * PIECE_S, 0.002, f"{name}: part {number} begins at its time")


def check_pictures(call, name, pieces):
    if name == "h264":  # of another size, H.264 needs a track of its own
        wanted = [pieces[0], pieces[2]], [pieces[1]]
    else:
        wanted = [pieces]
    copy = name != "h264"  # parameter sets move into the header there, so its pictures are compared
    rows = call.streams[name]
    tap.equal(len(rows), len(wanted), f"{name}: the recovered file has a track for all that fits in one")
    for row, members in zip(rows, wanted):
        sent = [digest for piece in members for digest in frame_hashes(piece.reference, copy=copy)]
        tap.ok(frame_hashes(call.output, row["index"], copy=copy) == sent, f"{name}: every picture is as sent")


def check_camera(call):
    tap.equal(len(call.parts_of("camera")), 2, "camera: another one is another part")
    check_seam(call, "camera")
    got = frame_hashes(call.output, call.streams["camera"][0]["index"])
    tap.equal(got, frame_hashes(call.media["camera"].reference), "camera: every picture of both is as sent")


def check_seam(call, name):
    """A new source has a clock of its own, which may begin a moment later; nothing is missing there."""
    holes = call.holes(name)
    tap.ok(sum(seconds for _, seconds in holes) < SEAM_S, f"{name}: the two sources lie side by side", holes)
    tap.ok({reason for reason, _ in holes} <= {"source-restart"}, f"{name}: with the reason of what lies between", holes)


def check_sound(call, name):
    (row,) = call.streams[name]
    tap.equal((row["codec_name"], row["sample_rate"], row["channels"]), (*CODEC_NAMES[name], 1), f"{name}: is what it was")
    packets = media.read_packets(call.media[name].packets)
    times = [number * 0.02 for number in range(len(packets))]
    kept = [at for at in range(len(packets)) if name != "pcmu" or not MUTE[0] <= times[at] < MUTE[1]]
    wanted = payload_hashes([packets[at] for at in kept])
    stored = frame_hashes(call.output, row["index"], copy=True)
    tap.ok(stored == wanted, f"{name}: every byte is as sent")
    got = packet_times(call.output, row["index"])
    steps = [abs(time - got[0] - times[at]) for time, at in zip(got, kept)]
    tap.ok(len(got) == len(kept) and max(steps) < (SEAM_S if name == "g722" else 0.03), f"{name}: and at its time", max(steps, default=None))
    holes = call.holes(name)
    if name == "g722":
        check_seam(call, name)
    else:
        tap.equal([reason for reason, _ in holes], [] if name == "pcma" else ["silence"], f"{name}: its gaps")
    tap.equal(len(call.parts_of(name)), 2 if name == "g722" else 1, f"{name}: its parts")
    tap.equal(call.session.track(name)["lost"], 0, f"{name}: nothing counts as lost")
    if name == "pcmu":
        tap.near(holes[0][1], MUTE[1] - MUTE[0], 0.05, "pcmu: the mute is as long as it was")


def check_mp4(call, output):
    done = call.session.recover(output)
    tap.ok(done.returncode != 0, "MP4 is refused")
    tap.contains(done.stderr, "MP4 can not hold", "and it is said why")


if __name__ == "__main__":
    main([test_changes], 100)
