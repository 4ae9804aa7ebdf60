#!/usr/bin/python3
"""The senders that the other tests rely on do what they are told: checked against plain sockets and ffmpeg."""

import collections
import select
import socket
import struct

import avsync
from ebml import EbmlError, walk
from harness import Sender, frame_hashes, main, stream, subprocess, tap
from peers import media
from visit import frame_times, payload_hashes


class Receiver:
    """A UDP port that keeps what comes."""

    def __init__(self):
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4 << 20)
        self.socket.bind(("127.0.0.1", 0))
        self.port = self.socket.getsockname()[1]

    def drain(self):
        datagrams = []
        while select.select([self.socket], [], [], 0.05)[0]:
            datagrams.append(self.socket.recv(65536))
        return datagrams


def through(folder, encoded, speed=40, **faults):
    """What arrives of a stream, and the sender's report."""
    receiver = Receiver()
    (report,) = Sender(folder, [stream(encoded, receiver.port, **faults)], speed).finish()
    return receiver.drain(), report


def numbers(packets):
    return [struct.unpack_from(">H", packet, 2)[0] for packet in packets]


def holes(packets):
    ordered = sorted(set(number - numbers(packets)[0] & 0xFFFF for number in numbers(packets)))
    return ordered[-1] - ordered[0] + 1 - len(ordered)


def test_encoding(folder):
    for codec in ("vp8", "vp9", "h264"):
        encoded = media.ball(folder, codec, 3, 0x100)
        packets = media.read_packets(encoded.packets)
        tap.equal(len(frame_times(packets, 90000)), 75, f"{codec}: 75 frames in 3 s")
        tap.equal(holes(packets), 0, f"{codec}: no packet is missing")
        tap.equal(len(set(frame_hashes(encoded.reference))), 75, f"{codec}: no two frames look alike")
    sound = media.noise(folder, 3, 0x101)
    packets = media.read_packets(sound.packets)
    tap.equal(payload_hashes(packets), frame_hashes(sound.reference, copy=True), "opus: packets carry the reference")
    tap.ok(len(media.read_packets(media.speech(folder, "How are you?", "rms", 5).packets)) > 20, "flite speaks")


def test_as_it_is(folder):
    encoded = media.ball(folder, "h264", 3, 0x110)
    wanted = media.read_packets(encoded.packets)
    got, report = through(folder, encoded)
    tap.ok(got == wanted, "without faults every packet arrives as it was made")
    tap.equal(report["packets"], len(wanted), "the report counts them")
    tap.equal(len(report["frames"]), 75, "and the frames")


def test_two_streams(folder):
    sound, picture = media.noise(folder, 3, 0x111), media.ball(folder, "vp8", 3, 0x112)
    ports = [Receiver(), Receiver()]
    reports = Sender(folder, [stream(sound, ports[0].port), stream(picture, ports[1].port)], 20).finish()
    for encoded, port, report in zip((sound, picture), ports, reports):
        wanted = media.read_packets(encoded.packets)
        tap.ok(port.drain() == wanted and report["packets"] == len(wanted), f"{encoded.codec} goes to its own port")


def test_faults(folder):
    encoded = media.noise(folder, 20, 0x120)
    all_of_it = media.read_packets(encoded.packets)
    got, report = through(folder, encoded, silences=[[5, 7]])
    tap.equal(holes(got), 0, "silence leaves no hole in the sequence")
    steps = collections.Counter(b - a for a, b in zip(frame_times(got, 48000), frame_times(got, 48000)[1:]))
    tap.near(max(steps), 2.0, 0.03, "but the clock goes on")
    got, report = through(folder, encoded, outages=[[5, 7]])
    tap.equal(holes(got), 100, "an outage leaves a hole of 100 packets")
    tap.equal(report["lost"], 100, "which the report counts")
    got, report = through(folder, encoded, loss=0.03, seed=3)
    tap.ok(10 <= report["lost"] <= 60 and len(got) == len(all_of_it) - report["lost"], "3 % are lost", report["lost"])
    again, _ = through(folder, encoded, loss=0.03, seed=3)
    tap.ok(got == again, "the seed says which")
    got, _ = through(folder, encoded, reorder=0.1, duplicate=0.1)
    tap.ok(got != all_of_it and sorted(set(got)) == sorted(all_of_it), "reordering and doubling lose nothing")
    got, _ = through(folder, encoded, restart={"at_s": 10, "ssrc": 0x9999})
    sources = collections.Counter(struct.unpack_from(">I", packet, 8)[0] for packet in got)
    tap.equal(set(sources), {0x120, 0x9999}, "a restart changes the source")
    got, report = through(folder, encoded, extras=[{"at_s": 1, "hex": ""}, {"at_s": 2, "hex": "00" * 65507}])
    tap.ok(b"" in got and bytes(65507) in got and report["foreign"] == 2, "empty and huge datagrams go out")
    got, _ = through(folder, encoded, begin_s=5, end_s=10, payload_type=99, ssrc=7)
    tap.near(len(got), 250, 2, "a piece can be sent")
    tap.equal({(packet[1] & 0x7F, struct.unpack_from(">I", packet, 8)[0]) for packet in got}, {(99, 7)}, "relabelled")


def test_flash_and_click(folder):
    for codec in ("vp8", "h264"):
        picture, sound = media.flashes(folder, codec, 8, 0x130), media.clicks(folder, 8, 0x131)
        both = folder / f"{codec}.mkv"
        subprocess.run(
            ["ffmpeg", "-v", "error", "-i", picture.reference, "-itsoffset", "0.2", "-i", sound.reference, "-c", "copy",
             "-map", "0", "-map", "1", both], check=True)
        flashes, clicks = avsync.flash_times(both, 0), avsync.click_times(both, 1)
        tap.equal(len(flashes), 8, f"{codec}: each flash is found")
        tap.equal(len(clicks), 8, f"{codec}: each click is found")
        off = [click - flash for flash, click in zip(flashes, clicks) if abs(click - flash - 0.2) > 0.02]
        tap.equal(off, [], f"{codec}: a shift of 200 ms is measured as such")


def test_strict_matroska(folder):
    whole = media.ball(folder, "vp8", 2, 0x140).reference.read_bytes()
    found = walk(whole)
    tap.equal((len(found.blocks), found.codecs), (50, {1: "V_VP8"}), "a whole file is read")
    accepted = []
    for place in range(found.header_length):
        for length in (place, None):
            spoilt = whole[:length] if length is not None else whole[:place] + b"\x00" + whole[place + 1 :]
            try:
                walk(spoilt)
                accepted.append((place, length))
            except (EbmlError, UnicodeDecodeError):
                pass
    cut = [place for place, length in accepted if length is not None]
    tap.equal(cut, [], "a cut anywhere in the header is refused")
    for spoilt, what in (
        (whole + b"\x00", "a byte too many"),
        (whole[: found.header_length] + whole[found.header_length + 1 :], "a byte too few"),
        (whole[: found.header_length] + b"\xec\x81\x00" + b"\xaa\x81\x00" + whole[found.header_length :],
         "an element that does not belong there"),
    ):
        try:
            walk(spoilt)
            tap.ok(False, f"refused: {what}")
        except EbmlError as refusal:
            tap.ok(True, f"refused: {what} ({refusal})")


if __name__ == "__main__":
    main([test_encoding, test_as_it_is, test_two_streams, test_faults, test_flash_and_click, test_strict_matroska], 90)
