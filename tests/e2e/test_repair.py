#!/usr/bin/python3
"""What a source sends beside its plain packets: repeated and redundant ones make up for loss, the rest is no loss."""

import random
import select
import socket
import struct
import time

from harness import Recorder, frame_hashes, main, participant, poll, stream, streams_of, tap, Sender
from peers import media
from visit import payload_hashes

RTX, RTX_SSRC, RED, EVENT, ULPFEC, NOISE = 97, 0x777, 63, 126, 117, 13
SECONDS = 6


def fields(packet):
    """Sequence number, timestamp, SSRC."""
    return struct.unpack_from(">HII", packet, 2)


def rtp(payload_type, marker, sequence, timestamp, ssrc, payload):
    return struct.pack(">BBHII", 0x80, payload_type | marker, sequence % 2**16, timestamp % 2**32, ssrc) + payload


def rtx(packet, sequence):
    """A retransmission of a packet without extension (RFC 4588 4)."""
    number, timestamp, _ = fields(packet)
    return rtp(RTX, packet[1] & 0x80, sequence, timestamp, RTX_SSRC, struct.pack(">H", number) + media.payload(packet))


def red(packets, at, n_earlier):
    """Packet `at` with those before it in redundant blocks (RFC 2198 3)."""
    number, timestamp, ssrc = fields(packets[at])
    heads, bodies = b"", b""
    for earlier in packets[max(0, at - n_earlier):at]:
        before, body = timestamp - fields(earlier)[1], media.payload(earlier)
        heads += struct.pack(">I", 1 << 31 | (earlier[1] & 0x7F) << 24 | before << 10 | len(body))
        bodies += body
    return rtp(RED, 0, number, timestamp, ssrc, heads + bytes([packets[at][1] & 0x7F]) + bodies + media.payload(packets[at]))


class Line:
    """Sends datagrams at their times from one socket."""

    def __init__(self, port):
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.connect(("127.0.0.1", port))

    def send(self, rows):
        """Rows of (seconds, datagram)."""
        begin = time.monotonic()
        for at, datagram in sorted(rows, key=lambda row: row[0]):
            time.sleep(max(0, begin + at - time.monotonic()))
            self.socket.send(datagram)
        return self

    def collect(self):
        """What came back so far."""
        answers = []
        while select.select([self.socket], [], [], 0)[0]:
            try:
                answers.append(self.socket.recv(2048))
            except ConnectionRefusedError:
                pass  # the track has ended
        return answers


def timed(packets, clock_rate):
    first = fields(packets[0])[1]
    return [(((fields(packet)[1] - first) % 2**32) / clock_rate, packet) for packet in packets]


def record(folder, recorder, track, rows):
    session = recorder.open_session([participant("p1")], [track])
    Line(session.ports[track["id"]]).send(rows)
    session.finish()
    output = folder / f"{session.id}.mkv"
    tap.equal(session.recover(output).returncode, 0, f"{track['id']}: recovered")
    tap.equal(recorder.command("verify", session.id).returncode, 0, f"{track['id']}: verifies")
    return session, session.track(track["id"]), output


def counts(live, *names):
    return [live[name] for name in names]


def test_retransmissions(folder):
    recorder = Recorder(folder / "recorder").start()
    ball = media.ball(folder, "vp8", SECONDS, 0x51)
    packets, chance = media.read_packets(ball.packets), random.Random(3)
    rows, n_repeated = [], 0
    for at, packet in timed(packets, 90000):
        is_repeated = at > 0.5 and chance.random() < 0.2
        n_repeated += is_repeated
        rows.append((at + 0.06, rtx(packet, n_repeated)) if is_repeated else (at, packet))
    rows += [(2 + n / 1000, rtp(RTX, 0, 5000 + n, 0, RTX_SSRC, b"")) for n in range(20)]
    rows += [(3 + n / 1000, rtx(packets[0], 6000 + n)) for n in range(30)]
    track = {**ball.track("p1-video", "p1"), "rtx": {"payload_type": RTX, "ssrc": RTX_SSRC}}
    session, live, output = record(folder, recorder, track, rows)
    tap.ok(n_repeated > 20, "enough packets came only by retransmission", n_repeated)
    tap.equal(counts(live, "packets", "recovered", "lost", "foreign"), [len(packets), n_repeated, 0, 0],
              "each took its place")
    tap.equal(counts(live, "beside", "duplicate"), [20, 30], "probes and needless ones are told apart")
    tap.equal(frame_hashes(output, 0), frame_hashes(ball.reference, 0), "every picture is as it was sent")
    row = session.manifest().counts["p1-video"]
    tap.equal([row["recovered"], row["beside"], row["limited"]], [n_repeated, 20, 0], "the manifest counts the same")
    tap.equal(recorder.stop(), 0, "the recorder ends")


def test_feedback(folder):
    """Pictures without their first keyframe: each source is asked for one in the way it understands."""
    recorder = Recorder(folder / "recorder").start()
    packets = timed(media.read_packets(media.ball(folder, "vp8", 2, 0x55).packets), 90000)
    begin = next(at for at, packet in packets if at > 0)
    rows = [row for row in packets if begin <= row[0] < begin + 0.8]
    for wanted, kinds in (({}, {1}), ({"feedback": ["fir"]}, {4}), ({"feedback": ["pli", "fir"]}, {1, 4}),
                          ({"feedback": []}, set())):
        track = {**media.Media("vp8", None, None, 0).track("p1-video", "p1"), **wanted}
        session = recorder.open_session([participant("p1")], [track])
        line = Line(session.ports["p1-video"]).send(rows)
        # The first packets wait for a quicker one as long as they jitter.
        poll(lambda: session.track("p1-video")["packets"] > 0, 10, "the first packets to be taken")
        time.sleep(0.3)
        session.finish()
        asked = [(answer[at] & 31, answer[at:]) for answer in line.collect() for at in starts(answer) if answer[at + 1] == 206]
        tap.equal({kind for kind, _ in asked}, kinds, f"{wanted}: asked in the ways it understands")
        for kind, packet in asked:
            tap.equal(packet[8:12] if kind == 1 else packet[12:16], rows[0][1][8:12], f"{wanted}: of its SSRC")
        counters = [packet[16] for kind, packet in asked if kind == 4]
        tap.equal(counters, list(range(len(counters))), f"{wanted}: each FIR is a new one")
    tap.equal(recorder.stop(), 0, "the recorder ends")


def starts(compound):
    """Where each packet of an RTCP compound begins."""
    at = 0
    while at + 4 <= len(compound):
        yield at
        at += 4 * (struct.unpack_from(">H", compound, at + 2)[0] + 1)


def test_redundancy(folder):
    """Every third packet arrives, with the two before it inside; what it can not make up for is lost, and no more."""
    recorder = Recorder(folder / "recorder").start()
    sound = media.noise(folder, SECONDS, 0x52)
    packets = media.read_packets(sound.packets)
    rows = timed(packets, 48000)
    sent = [(at, red(packets, n, 2)) for n, (at, _) in enumerate(rows) if n < 50 or n % 3 == 0 or n == len(rows) - 1]
    sent = [row for row in sent if not 3 <= row[0] < 3.2]
    track = {**sound.track("p1-audio", "p1"), "red": {"payload_type": RED}}
    _, live, output = record(folder, recorder, track, sent)
    lost = [n for n, (at, _) in enumerate(rows) if 3 <= at < 3.2]
    made_up = [n for n in lost if n > lost[-1] - 2 or any(n < m <= n + 2 for m in range(lost[-1] + 1, lost[-1] + 3) if m % 3 == 0)]
    tap.note(f"lost {lost}, of them made up {made_up}")
    tap.equal(live["packets"] + live["lost"], len(packets), "nothing is unaccounted for")
    tap.ok(len(lost) - 2 <= live["lost"] <= len(lost), "only what nobody repeated is lost", live, lost)
    tap.equal(live["packets"], live["recovered"] + len(sent), "the rest was made up from redundant blocks")
    wanted = payload_hashes(packets)
    got = frame_hashes(output, 0, copy=True)
    tap.equal(got, [each for each in wanted if each in set(got)], "every packet is as it was, in order")
    tap.equal(len(got), live["packets"], "and none is missing")
    tap.equal(counts(live, "foreign", "duplicate", "late"), [0, 0, 0], "and nothing else is counted")
    tap.equal(recorder.stop(), 0, "the recorder ends")


def test_beside(folder):
    """Digits and comfort noise take sequence numbers and are no loss; an undeclared type is one, and is named."""
    recorder = Recorder(folder / "recorder").start()
    sound = media.noise(folder, SECONDS, 0x53)
    packets = media.read_packets(sound.packets)
    rows = []
    for n, (at, packet) in enumerate(timed(packets, 48000)):
        number, timestamp, ssrc = fields(packet)
        if 100 <= n < 150:
            begin = fields(packets[100])[1]
            packet = rtp(EVENT, 0x80 if n == 100 else 0, number, begin, ssrc, bytes([5, 10, n * 4 % 256, 0]))
        elif n in (180, 181):
            packet = rtp(ULPFEC, 0, number, timestamp, ssrc, bytes(30))
        elif n in (200, 210):
            packet = rtp(NOISE, 0, number, timestamp, ssrc, b"\x40")
        elif n == 220:
            packet = rtp(112, 0, number, timestamp, ssrc, media.payload(packet))
        rows.append((at, packet))
    track = {**sound.track("p1-audio", "p1"), "telephone_event": {"payload_type": EVENT}, "ulpfec": {"payload_type": ULPFEC}}
    session, live, output = record(folder, recorder, track, rows)
    tap.equal(counts(live, "packets", "beside", "lost", "foreign"), [len(packets) - 55, 54, 1, 1],
              "what is declared is beside, what is not is foreign and lost")
    tap.equal(live["undeclared_payload_type"], 112, "it is named")
    tap.contains(recorder.child.log_text(), "payload type 112", "in the log too")
    tap.equal([gap.reason for gap in session.manifest().gaps_of("p1-audio") if gap.reason != "no-media"], ["silence"],
              "a second of digits is a silence")
    sound = [each for n, each in enumerate(payload_hashes(packets)) if not (100 <= n < 150 or n in (180, 181, 200, 210, 220))]
    tap.equal(frame_hashes(output, 0, copy=True), sound, "all of the sound is there")
    tap.equal(recorder.stop(), 0, "the recorder ends")


def test_another_source(folder):
    """A source that goes on with another SSRC loses nothing."""
    recorder = Recorder(folder / "recorder").start()
    sound = media.noise(folder, SECONDS, 0x54)
    session = recorder.open_session([participant("p1")], [sound.track("p1-audio", "p1")])
    restart = {"at_s": 3.01, "ssrc": 0x999}
    sent = Sender(folder, [stream(sound, session.ports["p1-audio"], restart=restart)]).finish()[0]
    session.finish()
    live = session.track("p1-audio")
    tap.equal(counts(live, "packets", "lost", "foreign"), [sent["packets"], 0, 0], "every packet is recorded")
    parts = {segment.part for segment in session.manifest().of("p1-audio")}
    tap.equal(parts, {0, 1}, "in two parts")
    gaps = [gap for gap in session.manifest().gaps_of("p1-audio") if gap.reason != "no-media"]
    tap.ok(all(gap.reason == "source-restart" and gap.duration_us < 200000 for gap in gaps),
           "between them lies at most what their clocks differ by", gaps)
    output = folder / "out.mkv"
    tap.equal(session.recover(output).returncode, 0, "recovered")
    tap.equal(frame_hashes(output, 0, copy=True), payload_hashes(media.read_packets(sound.packets)), "and all is as it was")
    tap.equal(len(streams_of(output)), 1, "in one stream")
    tap.equal(recorder.stop(), 0, "the recorder ends")


if __name__ == "__main__":
    main([test_retransmissions, test_feedback, test_redundancy, test_beside, test_another_source], 110)
