#!/usr/bin/python3
"""Senders that lie: clocks that jump by hours, thousands of sources on one port, frames cut anywhere, giant parameter
sets, and a reader of events who never reads. None of it costs another track anything, nor the recorder its memory.

What lies in a packet's header (extension, CSRC, padding) is in test_bad_input.py, a wrong SRTP key in test_srtp.py.
"""

import dataclasses
import random
import socket
import struct
import threading
import time

from harness import Recorder, Sender, _UnixConnection, frame_hashes, main, participant, poll, stream, streams_of, tap
from peers import media
from visit import payload_hashes

SECONDS = 8
HOUR = 3600
N_SOURCES = 10000
N_PAUSES = 1500
MAX_GROWTH_KIB = 24 * 1024  # what a recorder may grow by in all this; a source costs 1.5 MB


def test_hostile_rtp(folder):
    recorder = Recorder(folder / "recorder").start()
    good = Case(folder, recorder, "good", media.noise(folder, SECONDS, 0x31), media.ball(folder, "vp8", SECONDS, 0x32))
    cases = [
        good,
        Case(folder, recorder, "jumps", *jumping(folder)),
        Case(folder, recorder, "sources", media.noise(folder, SECONDS, 0x51), media.ball(folder, "vp8", SECONDS, 0x52)),
        Case(folder, recorder, "strangers", media.noise(folder, 1, 0x53)),
        Case(folder, recorder, "cut", cut_anywhere(media.ball(folder, "vp8", SECONDS, 0x61))),
        Case(folder, recorder, "sets", giant_sets(media.ball(folder, "h264", SECONDS, 0x71))),
    ]
    jumps, sources, strangers, cut, sets = cases[1:]
    before = resident_kib(recorder)
    for case in cases:
        if case not in (jumps, strangers):
            case.send()
    evenly = threading.Thread(target=send_evenly, args=(jumps,))
    evenly.start()
    # Before its source is known a track may take a stranger's first packets for it.
    poll(lambda: all(track["packets"] > 0 for track in sources.session.look()["tracks"]), 20, "the sources to begin")
    attack = [sources.session.ports["audio"], sources.session.ports["video"], strangers.session.ports["audio"]]
    many_sources(attack, [111, 96, 111])
    reader = never_read(recorder, good.session)
    evenly.join()
    for case in cases:
        case.finish()
    grown = resident_kib(recorder) - before
    tap.ok(grown < MAX_GROWTH_KIB, f"the recorder's memory stays as it is (+{grown} KiB)")
    reader.close()
    good.is_whole()
    sources.is_whole()
    for name in ("audio", "video"):
        tap.equal(sources.counts(name)["foreign"], N_SOURCES, f"sources: {name}: each stranger is counted")
    counts = strangers.counts("audio")
    tap.ok(counts["received"] + counts["foreign"] == N_SOURCES and counts["received"] <= 16,
           "strangers: where nobody else sends they are no media either", counts)
    jumps.has_every_packet()
    cut.plays()
    sets.plays()
    tap.equal(recorder.stop(), 0, "the recorder lived through all of it")


class Case:
    """A session of one participant and what is sent to it."""

    def __init__(self, folder, recorder, name, *encoded):
        self.folder, self.recorder, self.name = folder, recorder, name
        self.encoded = {row.kind: row for row in encoded}
        tracks = [row.track(kind, "p1") for kind, row in self.encoded.items()]
        self.session = recorder.open_session([participant("p1")], tracks)
        self.sender, self.sent = None, {}

    def send(self):
        rows = [stream(row, self.session.ports[kind]) for kind, row in self.encoded.items()]
        self.sender = Sender(self.folder, rows)

    def finish(self):
        if self.sender is not None:
            self.sent = dict(zip(self.encoded, self.sender.finish()))
        self.session.finish()
        done = self.recorder.command("verify", self.session.id)
        tap.equal(done.returncode, 0, f"{self.name}: stored, and verifies")
        self.output = self.folder / f"{self.name}.mkv"
        done = self.session.recover(self.output)
        tap.ok(done.returncode == 0 or self.name == "strangers", f"{self.name}: recovers", done.stderr)

    def counts(self, kind):
        return self.session.manifest().counts[kind]

    def index(self, kind):
        return next(row["index"] for row in streams_of(self.output) if row["codec_type"] == kind)

    def is_whole(self):
        for kind, sent in self.sent.items():
            counts = self.counts(kind)
            tap.equal([counts["received"], counts["lost"]], [sent["packets"], 0], f"{self.name}: {kind}: nothing is lost")
        same = frame_hashes(self.output, self.index("audio"), copy=True) == payload_hashes(
            media.read_packets(self.encoded["audio"].packets))
        tap.ok(same, f"{self.name}: the sound is what was sent")
        same = frame_hashes(self.output, self.index("video")) == frame_hashes(self.encoded["video"].reference)
        tap.ok(same, f"{self.name}: the picture is what was sent")

    def has_every_packet(self):
        """Whatever the clock says: sound is recorded, and lies within the time it took."""
        got = frame_hashes(self.output, self.index("audio"), copy=True)
        wanted = payload_hashes(media.read_packets(self.encoded["audio"].packets))
        tap.ok(got == wanted, f"{self.name}: every packet is there, in order", f"{len(got)} of {len(wanted)}")
        manifest = self.session.manifest()
        last_us = max(segment.start_us + segment.duration_us for segment in manifest.of("audio"))
        tap.ok(last_us < 60e6, f"{self.name}: and no hour lies between them", f"the last ends at {last_us} us")
        parts = {segment.part for segment in manifest.of("audio")}
        tap.equal(len(parts), 1 + len(JUMPS), f"{self.name}: each jump begins a part")

    def plays(self):
        """What could be used is there, and a decoder that forgives takes all of it."""
        counts = self.counts("video")
        sent = self.sent["video"]["packets"]
        tap.equal(counts["received"] + counts["foreign"], sent, f"{self.name}: every packet is accounted for")
        times = frame_count(self.output)
        tap.ok(times >= 25, f"{self.name}: at least the first second plays", f"{times} frames")


def frame_count(path):
    """Frames as they are stored, of all video tracks; some may be damaged."""
    rows = streams_of(path)
    return sum(len(frame_hashes(path, row["index"], copy=True)) for row in rows if row["codec_type"] == "video")


# --- clocks ---------------------------------------------------------------------------------------------------

# From this packet on the clock is off by so much.
JUMPS = [(100, 3 * HOUR), (200, -5 * HOUR), (300, 12 * HOUR)]


def jumping(folder):
    """Sound whose RTP timestamps jump by hours; the packets leave evenly."""
    sound = media.noise(folder, SECONDS, 0x41)
    packets = []
    for number, packet in enumerate(media.read_packets(sound.packets)):
        offset_s = sum(seconds for first, seconds in JUMPS if number >= first)
        timestamp = (struct.unpack_from(">I", packet, 4)[0] + offset_s * 48000) % 2**32
        packets.append(packet[:4] + struct.pack(">I", timestamp) + packet[8:])
    return [rewritten(sound, packets)]


def send_evenly(case):
    """A packet every 20 ms, whatever its timestamp."""
    sender = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    start = time.monotonic()
    for number, packet in enumerate(media.read_packets(case.encoded["audio"].packets)):
        time.sleep(max(0, start + number * 0.02 - time.monotonic()))
        sender.sendto(packet, ("127.0.0.1", case.session.ports["audio"]))
    sender.close()


def rewritten(encoded, packets):
    path = encoded.packets.with_suffix(".hostile")
    path.write_bytes(b"".join(struct.pack(">H", len(packet)) + packet for packet in packets))
    return dataclasses.replace(encoded, packets=path)


# --- sources --------------------------------------------------------------------------------------------------


def many_sources(ports, payload_types):
    """On each port as many packets, each of another SSRC, over some seconds: more than come by mistake."""
    sender = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    noise = random.Random(5)
    for number in range(N_SOURCES):
        for port, payload_type in zip(ports, payload_types):
            header = struct.pack(">BBHII", 0x80, payload_type, noise.randrange(2**16), noise.randrange(2**32),
                                 0x10000 + number)
            sender.sendto(header + b"\x90" + noise.randbytes(40), ("127.0.0.1", port))
        if number % 20 == 19:
            time.sleep(0.01)
    sender.close()


# --- payloads -------------------------------------------------------------------------------------------------


def cut_anywhere(encoded):
    """After a second, every other packet ends early: behind its header, in its descriptor, anywhere."""
    packets = []
    for number, packet in enumerate(media.read_packets(encoded.packets)):
        room = len(packet) - 12
        keep = len(packet) if number < 60 or number % 2 else 13 + number // 2 % room
        packets.append(packet[:keep])
    return rewritten(encoded, packets)


def giant_sets(encoded):
    """From the third second on, sets that are too long, or say that a picture is larger than any, come between."""
    packets, sequence = [], None
    giants = [
        parameter_set(16384, 16384), parameter_set(2**31 - 1, 2**31 - 1), parameter_set(1, 2**20),
        b"\x67\x42\xc0\x1e" + b"\xff" * 1100, b"\x67" + b"\x00" * 1100, b"\x67\x42\xc0\x1e" + b"\x55" * 60000,
    ]
    for number, packet in enumerate(media.read_packets(encoded.packets)):
        sequence = struct.unpack_from(">H", packet, 2)[0] if sequence is None else sequence
        inserted = []
        if number > 120 and number % 25 == 0:
            inserted = fragments(giants[number // 25 % len(giants)])
        for payload in inserted:
            packets.append(packet[:1] + bytes([packet[1] & 0x7F]) + struct.pack(">H", sequence) + packet[4:12] + payload)
            sequence = (sequence + 1) % 2**16
        packets.append(packet[:2] + struct.pack(">H", sequence) + packet[4:])
        sequence = (sequence + 1) % 2**16
    return rewritten(encoded, packets)


def parameter_set(width, height):
    """An SPS of the baseline profile for a picture of so many macroblocks."""
    bits = "".join(map(golomb, (0, 0, 2, 1))) + "0" + golomb(width - 1) + golomb(height - 1) + "1100" + "1"
    bits += "0" * (-len(bits) % 8)
    return b"\x67\x42\xc0\x1e" + int(bits, 2).to_bytes(len(bits) // 8, "big")


def golomb(value):
    text = f"{value + 1:b}"
    return "0" * (len(text) - 1) + text


def fragments(unit):
    """A NAL unit as it is, or in fragments (RFC 6184 5.8)."""
    if len(unit) <= 1150:
        return [unit]
    pieces = [unit[at : at + 1150] for at in range(1, len(unit), 1150)]
    rows = []
    for number, piece in enumerate(pieces):
        ends = (0x80 if number == 0 else 0) | (0x40 if number == len(pieces) - 1 else 0)
        rows.append(bytes([unit[0] & 0xE0 | 28, ends | unit[0] & 0x1F]) + piece)
    return rows


# --- readers --------------------------------------------------------------------------------------------------


def never_read(recorder, session):
    """Asks for a session's events, reads none of them, and lets thousands happen in another session and this one."""
    other = recorder.open_session([participant("p1")], [])
    connection = _UnixConnection(str(recorder.socket), 20)
    connection.request("GET", f"/v1/sessions/{other.id}/events")
    for number in range(N_PAUSES):
        what = "resume" if number % 2 else "pause"
        answer = recorder.ask("POST", f"/v1/sessions/{other.id}/{what}", {})
        if answer.status != 200:
            raise RuntimeError(f"{what}: {answer}")
    tap.equal(session.look()["state"], "recording", "with a reader who never reads, others are answered")
    other.finish()
    return connection


def resident_kib(recorder):
    with open(f"/proc/{recorder.child.pid}/status", encoding="ascii") as file:
        return next(int(line.split()[1]) for line in file if line.startswith("VmRSS"))


if __name__ == "__main__":
    main([test_hostile_rtp], 150)
