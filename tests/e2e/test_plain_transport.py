#!/usr/bin/python3
"""What mediasoup's PlainTransport sends, sent by a program of our own (tests/peers/plain_transport.py): RTP and RTCP on one
port, with and without SRTP. mediasoup itself is not here."""

import base64
import struct
import time

from harness import Recorder, frame_hashes, main, participant, poll, tap
from peers import media
from peers.plain_transport import PlainTransport
from visit import payload_hashes

REPORTS_S = {"audio": 5, "video": 1}
PAYLOAD_TYPES = {"audio": 100, "video": 101}
SECONDS = 6


def asked_for(encoded, transport, name):
    """The track as the backend would ask for it, from consumer.rtpParameters and transport.srtpParameters."""
    track = {**encoded.track(name, "p1"), "payload_type": transport.payload_type}
    if transport.key is not None:
        track["srtp"] = {"suite": "AES_CM_128_HMAC_SHA1_80", "key": base64.b64encode(transport.key).decode()}
    return track


def schedule(rows):
    """(seconds, name, packet) of all, in order; reports have no packet."""
    events = []
    for name, (encoded, _) in rows.items():
        packets = media.read_packets(encoded.packets)
        first = struct.unpack_from(">I", packets[0], 4)[0]
        for packet in packets:
            at = ((struct.unpack_from(">I", packet, 4)[0] - first) % 2**32) / encoded.clock_rate
            events.append((at, name, packet))
        events += [(at + 0.5, name, None) for at in range(0, SECONDS, REPORTS_S[encoded.kind])]
    return sorted(events, key=lambda event: event[0])


def send_all(rows):
    """In real time. Returns how many keyframes each was asked for."""
    begun = time.monotonic()
    requests = dict.fromkeys(rows, 0)
    for at, name, packet in schedule(rows):
        time.sleep(max(0, begun + at - time.monotonic()))
        transport = rows[name][1]
        transport.report() if packet is None else transport.send(packet)
        requests[name] += transport.keyframe_requests()
    return requests


def stores(session, rows, folder):
    for name, (encoded, _) in rows.items():
        output = folder / f"{name}.mkv"
        tap.equal(session.recover(output, "--tracks", name).returncode, 0, f"{name} recovers")
        if encoded.kind == "audio":
            is_same = frame_hashes(output, copy=True) == payload_hashes(media.read_packets(encoded.packets))
        else:
            is_same = frame_hashes(output) == frame_hashes(encoded.reference)
        tap.ok(is_same, f"{name}: every frame is as it was encoded")


def test_plain_transport(folder):
    """A participant over SRTP and one in clear, each a transport for each track."""
    recorder = Recorder(folder / "recorder").start()
    rows = {}
    for form, with_srtp in (("srtp", True), ("plain", False)):
        for encoded in (media.noise(folder, SECONDS, 0x71), media.ball(folder, "vp8", SECONDS, 0x72)):
            transport = PlainTransport(PAYLOAD_TYPES[encoded.kind], encoded.clock_rate, with_srtp)
            rows[f"p1-{encoded.kind}-{form}"] = encoded, transport
    session = recorder.open_session([participant("p1")], [asked_for(row[0], row[1], name) for name, row in rows.items()])
    for name, (_, transport) in rows.items():
        # What the recorder sends is under the track's key, so connect() is told the transport's own.
        transport.connect("127.0.0.1", session.ports[name], transport.key)
    requests = send_all(rows)
    sent = {name: transport.n_packets for name, (_, transport) in rows.items()}
    poll(lambda: all(session.track(name)["packets"] == n for name, n in sent.items()), 20, "all packets")
    for name, (encoded, transport) in rows.items():
        track = session.track(name)
        tap.equal([track[word] for word in ("lost", "foreign", "unauthentic", "replayed", "beside")], [0] * 5,
                  f"{name}: all of it is the track's own, RTCP included")
        n_reports = -(-SECONDS // REPORTS_S[encoded.kind])
        n_heard = track["sender_reports"] + track["sender_reports_ignored"]
        tap.equal(n_heard, n_reports, f"{name}: each of its reports is heard, on the RTP port")
        if encoded.kind == "video":  # the first are believed once others agree
            tap.equal(track["sync"], "reports", f"{name}: and puts it in step")
        tap.equal([transport.n_ignored, transport.n_unauthentic], [0, 0], f"{name}: what came back, mediasoup would take")
        tap.ok((requests[name] > 0) == (encoded.kind == "video"), f"{name}: keyframes are asked for, of a picture only",
               requests[name])
    session.finish()
    tap.equal(recorder.command("verify", session.id).returncode, 0, "the session verifies")
    stores(session, rows, folder)
    tap.equal(recorder.stop(), 0, "the recorder ends")


if __name__ == "__main__":
    main([test_plain_transport], 100)
