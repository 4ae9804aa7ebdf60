#!/usr/bin/python3
"""SRTP as others send it: GStreamer's srtpenc for every suite, and ffmpeg, which has an SRTP of its own."""

import base64
import dataclasses
import json
import secrets
import subprocess

from harness import Recorder, Sender, frame_hashes, main, participant, poll, session_request, stream, streams_of, tap
from peers import media
from peers.children import Child
from visit import payload_hashes

# Suite, bytes of key and salt, srtpenc's settings.
SUITES = [
    ("AES_CM_128_HMAC_SHA1_80", 30, "rtp-cipher=aes-128-icm rtp-auth=hmac-sha1-80"),
    ("AEAD_AES_128_GCM", 28, "rtp-cipher=aes-128-gcm rtp-auth=null"),
    ("AEAD_AES_256_GCM", 44, "rtp-cipher=aes-256-gcm rtp-auth=null"),
]
SETTINGS = {name: f"{settings} {settings.replace('rtp-', 'rtcp-')}" for name, _, settings in SUITES}
CLOCK = "application/x-rtp-stream,media={kind},clock-rate={rate},encoding-name={codec},payload={type}"


class Key:
    """A suite and a fresh key for it."""

    def __init__(self, suite, n_bytes):
        self.suite = suite
        self.bytes = secrets.token_bytes(n_bytes)
        self.text = base64.b64encode(self.bytes).decode()

    def of(self, track):
        return {**track, "srtp": {"suite": self.suite, "key": self.text}}


def fresh_key(number):
    return Key(*SUITES[number][:2])


def sealed(encoded, key):
    """The same stream as srtpenc makes SRTP of it."""
    output = encoded.packets.with_suffix(f".{secrets.token_hex(4)}.srtp")
    caps = CLOCK.format(kind=encoded.kind, rate=encoded.clock_rate, codec=encoded.codec.upper(),
                        type=encoded.payload_type)
    pipeline = (
        f"filesrc location={encoded.packets} ! {caps} ! rtpstreamdepay ! "
        f"srtpenc key={key.bytes.hex()} {SETTINGS[key.suite]} ! rtpstreampay ! "
        f"filesink buffer-mode=unbuffered location={output}"
    )
    done = subprocess.run(["gst-launch-1.0", "-q", *pipeline.split()], capture_output=True, text=True, timeout=60)
    if done.returncode != 0:
        raise RuntimeError(f"srtpenc: {done.stderr}")
    return dataclasses.replace(encoded, packets=output)


def around(codec):
    """An SSRC with which a stream of media.py goes over the last sequence number in its first seconds."""
    return next(ssrc for ssrc in range(0x1000 * len(codec), 0x80000) if 65440 <= ssrc * 31 % 2**16 < 65500)


def stores(session, name, encoded, folder):
    """Checks that the recording holds exactly what was encoded."""
    output = folder / f"{name}.mkv"
    tap.equal(session.recover(output, "--tracks", name).returncode, 0, f"{name} recovers")
    if encoded.kind == "audio":  # packet by packet: a decoder cuts the ends
        is_same = frame_hashes(output, copy=True) == payload_hashes(media.read_packets(encoded.packets))
    else:
        is_same = frame_hashes(output) == frame_hashes(encoded.reference)
    tap.ok(is_same, f"{name}: every frame is as it was encoded")


def test_suites(folder):
    """Every suite, over the end of the sequence numbers, and every packet once more: a replay."""
    recorder = Recorder(folder / "recorder").start()
    tracks, plain, rows, keys = [], {}, {}, []
    for number, (suite, _, _) in enumerate(SUITES):
        for encoded in (media.noise(folder, 6, around("opus") + number * 65536),
                        media.ball(folder, "vp8", 6, around("vp8") + number * 65536)):
            name = f"p1-{encoded.kind}-{number}"
            key = fresh_key(number)
            keys.append(key)
            plain[name] = encoded
            rows[name] = sealed(encoded, key)
            tracks.append(key.of(encoded.track(name, "p1")))
    numbers = [int.from_bytes(packet[2:4], "big") for row in plain.values() for packet in media.read_packets(row.packets)]
    tap.ok(max(numbers) == 65535 and min(numbers) == 0, "the sequence numbers go around")
    hidden = all(media.payload(packet) not in pair for row in plain for pair, packet in
                 zip(media.read_packets(rows[row].packets), media.read_packets(plain[row].packets)))
    tap.ok(hidden, "what is sent does not show what is said")

    session = recorder.open_session([participant("p1")], tracks)
    Sender(folder, [stream(row, session.ports[name], duplicate=1) for name, row in rows.items()]).finish()
    counts = {name: len(media.read_packets(row.packets)) for name, row in rows.items()}
    poll(lambda: all(track["packets"] + track["replayed"] == 2 * counts[track["id"]]
                     for track in session.look()["tracks"]), 20, "all packets")
    for track in session.look()["tracks"]:
        sent = counts[track["id"]]
        counted = [track[name] for name in ("packets", "replayed", "unauthentic", "foreign", "lost", "duplicate")]
        tap.equal(counted, [sent, sent, 0, 0, 0, 0], f"{track['id']}: each packet once, each replay dropped")
    metrics = recorder.ask("GET", "/metrics").body.decode()
    tap.ok(f"sealtape_srtp_replayed_packets {len(numbers)}\n" in metrics, "the metrics count the replays", metrics)
    told = json.dumps(session.look()) + recorder.ask("GET", "/v1/sessions").body.decode()
    session.finish()
    tap.equal(recorder.command("verify", session.id).returncode, 0, "the session verifies")
    for name, encoded in plain.items():
        stores(session, name, encoded, folder)
    keeps_secret(recorder, told, keys)
    tap.equal(recorder.stop(), 0, "the recorder ends")


def keeps_secret(recorder, told, keys):
    kept = b"".join(path.read_bytes() for path in recorder.folder.rglob("*") if path.is_file())
    kept += recorder.log.read_bytes() + told.encode()
    shown = [key.suite for key in keys if key.bytes in kept or key.text.encode() in kept or key.bytes.hex().encode() in kept]
    tap.equal(shown, [], "no key is answered, logged or stored")


def test_wrong_key(folder):
    """One track's sender has a wrong key, one's has none: both are told of, and the third is recorded."""
    recorder = Recorder(folder / "recorder").start()
    audio = [media.noise(folder, 5, ssrc) for ssrc in (0x51, 0x52, 0x53)]
    names = ["p1-audio", "p2-audio", "p3-audio"]
    keys = [fresh_key(0), fresh_key(1), fresh_key(2)]
    people = [participant(name[:2]) for name in names]
    tracks = [key.of(row.track(name, name[:2])) for key, row, name in zip(keys, audio, names)]
    session = recorder.open_session(people, tracks)
    sent = [sealed(audio[0], fresh_key(0)), audio[1], sealed(audio[2], keys[2])]
    Sender(folder, [stream(row, session.ports[name]) for row, name in zip(sent, names)]).finish()
    n_packets = len(media.read_packets(audio[2].packets))
    seen = ("packets", "unauthentic", "foreign")
    poll(lambda: sum(track[name] for track in session.look()["tracks"] for name in seen) == 3 * n_packets, 20,
         "all packets")
    tap.equal(session.look()["state"], "recording", "the session goes on")
    for name, what in (("p1-audio", "of a wrong key"), ("p2-audio", "of plain RTP")):
        track = session.track(name)
        tap.equal([track["packets"], track["unauthentic"] + track["foreign"], track["segments"]], [0, n_packets, 0],
                  f"nothing {what} is taken, every packet is counted")
    warnings = [line for line in recorder.log.read_text().splitlines() if "authentication failed" in line]
    tap.equal([sum(name in line for line in warnings) for name in names], [1, 1, 0],
              "the log says so once for each")
    session.finish()
    tap.equal(recorder.command("verify", session.id).returncode, 0, "the session verifies")
    stores(session, "p3-audio", audio[2], folder)
    tap.equal([gap.reason for gap in session.manifest().gaps_of("p1-audio")], ["no-media"],
              "the manifest says that nothing came")
    tap.equal(recorder.stop(), 0, "the recorder ends")


def test_requests(folder):
    """What can not be a key is refused by name, and the key is not quoted."""
    recorder = Recorder(folder / "recorder").start()
    key = fresh_key(0)
    track = media.Media("opus", None, None, 1).track("p1-audio", "p1")
    for srtp, words in (
        (key.text, "object"),
        ({"suite": key.suite}, '"key"'),
        ({"key": key.text}, '"suite"'),
        ({"suite": "AES_CM_128_HMAC_SHA1_32", "key": key.text}, "AEAD_AES_256_GCM"),
        ({"suite": "AEAD_AES_256_GCM", "key": key.text}, "44 bytes"),
        ({"suite": key.suite, "key": key.text[:-4]}, "30 bytes"),
        ({"suite": key.suite, "key": key.text, "mki": "AQ=="}, "mki"),
    ):
        answer = recorder.ask("POST", "/v1/sessions", session_request([participant("p1")], [{**track, "srtp": srtp}]))
        said = answer.body.decode()
        tap.ok(answer.status == 422 and words in json.loads(said)["detail"], f"422 names {words}", said)
        tap.ok(key.text[:8] not in said, f"and not the key ({words})", said)
    tap.ok(key.text[:8] not in recorder.log.read_text(), "nor does the log")
    tap.equal(recorder.stop(), 0, "the recorder ends")


def test_ffmpeg(folder):
    """ffmpeg's SRTP is not libsrtp's. Its sender reports, as SRTCP, are understood too."""
    recorder = Recorder(folder / "recorder").start()
    key, audio = fresh_key(0), media.noise(folder, 5, 0x61)
    session = recorder.open_session([participant("p1")], [key.of(audio.track("p1-audio", "p1"))])
    address = f"srtp://127.0.0.1:{session.ports['p1-audio']}"
    child = Child(["ffmpeg", "-v", "error", "-re", "-i", audio.reference, "-c", "copy", "-f", "rtp",
                   "-payload_type", "111", "-srtp_out_suite", key.suite, "-srtp_out_params", key.text, address],
                  folder / "ffmpeg.log")
    tap.equal(child.wait(30), 0, "ffmpeg sends to its end")
    wanted = frame_hashes(audio.reference, copy=True)
    poll(lambda: session.track("p1-audio")["packets"] == len(wanted), 20, "all packets")
    track = session.track("p1-audio")
    tap.equal([track[name] for name in ("unauthentic", "replayed", "foreign", "lost")], [0, 0, 0, 0],
              "all of it is genuine, RTCP included")
    session.finish()
    output = folder / "out.mkv"
    tap.equal(session.recover(output).returncode, 0, "it recovers")
    tap.equal(frame_hashes(output, streams_of(output)[0]["index"], copy=True), wanted, "every packet is as it was sent")
    tap.equal(recorder.stop(), 0, "the recorder ends")


if __name__ == "__main__":
    main([test_suites, test_wrong_key, test_requests, test_ffmpeg], 160)
