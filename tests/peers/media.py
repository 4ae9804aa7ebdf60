"""Encodes pictures and sound once, as RTP packets in a file, beside the same stream in Matroska.

The packets go out later, from a process of their own (rtp_source.py); the Matroska file says what a
recording of them must contain. Packets lie in the file as in RFC 4571: two bytes of length, then RTP.
"""

import array
import dataclasses
import math
import pathlib
import random
import struct
import subprocess

CLOCK_RATES = {"opus": 48000, "pcmu": 8000, "pcma": 8000, "g722": 8000, "vp8": 90000, "vp9": 90000, "h264": 90000}
PAYLOAD_TYPES = {"opus": 111, "pcmu": 0, "pcma": 8, "g722": 9, "vp8": 96, "vp9": 98, "h264": 102}
SAMPLE_RATE = 48000

_ENCODERS = {
    "vp8": "vp8enc deadline=1 cpu-used=8 target-bitrate={bitrate} keyframe-max-dist={key_frames} "
    "error-resilient=partitions",
    "vp9": "vp9enc deadline=1 cpu-used=8 target-bitrate={bitrate} keyframe-max-dist={key_frames} "
    "lag-in-frames=0",
    "h264": "x264enc tune=zerolatency speed-preset=ultrafast bitrate={kilobit} key-int-max={key_frames} "
    "option-string=scenecut=0 ! video/x-h264,profile=constrained-baseline",
}
_PAYLOADERS = {
    "vp8": "rtpvp8pay picture-id-mode=15-bit",
    "vp9": "rtpvp9pay picture-id-mode=15-bit",
    "h264": "rtph264pay config-interval=-1 aggregate-mode=zero-latency",
    "opus": "rtpopuspay",
}
_PARSERS = {"vp8": "identity", "vp9": "vp9parse", "h264": "h264parse", "opus": "opusparse"}


@dataclasses.dataclass
class Media:
    """One encoded stream."""

    codec: str
    packets: pathlib.Path
    reference: pathlib.Path
    ssrc: int

    @property
    def kind(self):
        return "video" if self.codec in _ENCODERS else "audio"

    @property
    def clock_rate(self):
        return CLOCK_RATES[self.codec]

    @property
    def payload_type(self):
        return PAYLOAD_TYPES[self.codec]

    def track(self, name, participant):
        """The track as POST /v1/sessions wants to hear of it."""
        track = {
            "id": name,
            "participant": participant,
            "kind": self.kind,
            "codec": self.codec,
            "payload_type": self.payload_type,
            "clock_rate": self.clock_rate,
        }
        if self.kind == "audio":
            track["channels"] = 2 if self.codec == "opus" else 1
        return track


def ball(folder, codec, seconds, ssrc, size=(320, 240), frame_rate=25, bitrate=300000, key_s=1.0, pattern="ball"):
    """A moving ball, or another of videotestsrc's patterns; smpte takes whatever bitrate it is given."""
    width, height = size
    source = (
        f"videotestsrc pattern={pattern} num-buffers={round(seconds * frame_rate)} ! "
        f"video/x-raw,format=I420,width={width},height={height},framerate={frame_rate}/1"
    )
    return _encode_video(folder, codec, source, ssrc, bitrate, round(key_s * frame_rate))


def flashes(folder, codec, seconds, ssrc, size=(160, 120), frame_rate=25):
    """Black, but white for three frames at each full second, which begin with a keyframe."""
    width, height = size
    raw = pathlib.Path(folder) / f"flash-{ssrc}.yuv"
    chroma = b"\x80" * (width * height // 2)
    with open(raw, "wb") as file:
        for index in range(round(seconds * frame_rate)):
            luma = b"\xeb" if index % frame_rate < 3 else b"\x10"
            file.write(luma * (width * height) + chroma)
    source = (
        f"filesrc location={raw} ! rawvideoparse format=i420 width={width} height={height} "
        f"framerate={frame_rate}/1"
    )
    media = _encode_video(folder, codec, source, ssrc, 300000, frame_rate)
    raw.unlink()
    return media


def clicks(folder, seconds, ssrc):
    """Silence, but 80 ms of a 1 kHz tone at each full second."""
    beep = [round(12000 * math.sin(2 * math.pi * i * 1000 / SAMPLE_RATE)) for i in range(3840)]
    second = array.array("h", beep + [0] * (SAMPLE_RATE - len(beep))).tobytes()
    raw = pathlib.Path(folder) / f"click-{ssrc}.pcm"
    raw.write_bytes(second * math.ceil(seconds))
    source = (
        f"filesrc location={raw} ! rawaudioparse format=pcm pcm-format=s16le sample-rate={SAMPLE_RATE} "
        "num-channels=1"
    )
    media = _encode_audio(folder, source, ssrc)
    raw.unlink()
    return media


def sentence(folder, words, voice, begins_s, seconds, ssrc):
    """A voice of flite that says `words` at `begins_s`, between silence."""
    said = pathlib.Path(folder) / f"said-{ssrc}.wav"
    raw = pathlib.Path(folder) / f"speech-{ssrc}.wav"
    subprocess.run(["flite", "-voice", voice, "-t", words, "-o", said], check=True, stdin=subprocess.DEVNULL)
    subprocess.run(
        ["ffmpeg", "-v", "error", "-y", "-i", said, "-af", f"adelay={round(begins_s * 1000)},apad=whole_dur={seconds}",
         "-ar", str(SAMPLE_RATE), "-t", str(seconds), raw],
        check=True, stdin=subprocess.DEVNULL,
    )
    media = _encode_audio(folder, f"filesrc location={raw} ! wavparse", ssrc)
    said.unlink()
    raw.unlink()
    return media


def tone(folder, seconds, frequency, ssrc, volume=0.4):
    """A sine that a filter finds again in a mix."""
    buffers = math.ceil(seconds * 50)
    source = f"audiotestsrc wave=sine freq={frequency} volume={volume} samplesperbuffer=960 num-buffers={buffers}"
    return _encode_audio(folder, source + f" ! audio/x-raw,rate={SAMPLE_RATE}", ssrc)


def plain_tone(folder, codec, seconds, frequency, ssrc, volume=0.4):
    """The same in 20 ms packets of PCMU, PCMA or G.722; there is no reference."""
    folder = pathlib.Path(folder)
    media = Media(codec, folder / f"{codec}-{ssrc}.rtp", None, ssrc)
    raw = folder / f"{codec}-{ssrc}.raw"
    encoding = {"pcmu": "pcm_mulaw", "pcma": "pcm_alaw", "g722": "g722"}[codec]
    rate = 16000 if codec == "g722" else 8000
    source = f"sine=frequency={frequency}:sample_rate={rate}:duration={seconds},volume={8 * volume}"
    command = ["ffmpeg", "-v", "error", "-f", "lavfi", "-i", source, "-c:a", encoding, "-f", "data", "-map", "0", raw]
    if codec != "g722":
        command[-5:] = ["-f", encoding[4:], raw]
    subprocess.run(command, check=True, stdin=subprocess.DEVNULL)
    sound = raw.read_bytes()
    raw.unlink()
    with open(media.packets, "wb") as file:
        for number in range(len(sound) // 160):
            header = struct.pack(">BBHII", 0x80, media.payload_type, number % 2**16, 160 * number, ssrc)
            packet = header + sound[160 * number : 160 * number + 160]
            file.write(struct.pack(">H", len(packet)) + packet)
    return media


def speech(folder, text, voice, ssrc):
    """A sentence spoken by flite."""
    wav = pathlib.Path(folder) / f"speech-{ssrc}.wav"
    subprocess.run(["flite", "-voice", voice, "-t", text, "-o", wav], check=True)
    return _encode_audio(folder, f"filesrc location={wav} ! wavparse", ssrc)


def noise(folder, seconds, ssrc):
    """Sound that nothing can foresee, so that no two packets are alike."""
    buffers = math.ceil(seconds * 50)
    source = f"audiotestsrc wave=pink-noise samplesperbuffer=960 num-buffers={buffers}"
    return _encode_audio(folder, source + f" ! audio/x-raw,rate={SAMPLE_RATE}", ssrc)


def plain_sound(folder, codec, seconds, ssrc):
    """20 ms packets of noise in a codec of RFC 3551, to all of which any byte is a sample; there is no reference."""
    folder = pathlib.Path(folder)
    media = Media(codec, folder / f"{codec}-{ssrc}.rtp", None, ssrc)
    noise = random.Random(ssrc)
    with open(media.packets, "wb") as file:
        for number in range(round(seconds * 50)):
            header = struct.pack(">BBHII", 0x80, media.payload_type, number, 160 * number, ssrc)
            packet = header + noise.randbytes(160)
            file.write(struct.pack(">H", len(packet)) + packet)
    return media


def joined(folder, pieces, ssrc):
    """Streams of one codec, one behind the other as one sender's: another camera, layer or size each time."""
    folder = pathlib.Path(folder)
    media = dataclasses.replace(pieces[0], packets=folder / f"joined-{ssrc}.rtp", reference=None, ssrc=ssrc)
    sequence, begin = 0, 0
    with open(media.packets, "wb") as file:
        for piece in pieces:
            packets, times = read_packets(piece.packets), []
            first = struct.unpack_from(">I", packets[0], 4)[0]
            for packet in packets:
                at = (struct.unpack_from(">I", packet, 4)[0] - first) % 2**32
                times.append(at)
                rest = struct.pack(">HII", sequence % 2**16, (begin + at) % 2**32, ssrc)
                file.write(struct.pack(">H", len(packet)) + packet[:2] + rest + packet[12:])
                sequence += 1
            steps = sorted(set(times))
            begin += steps[-1] + steps[-1] - steps[-2]
    return media


def read_packets(path):
    """All RTP packets of a file made here, in order."""
    content = pathlib.Path(path).read_bytes()
    packets, at = [], 0
    while at < len(content):
        (length,) = struct.unpack_from(">H", content, at)
        packets.append(content[at + 2 : at + 2 + length])
        at += 2 + length
    return packets


def payload(packet):
    """What an RTP packet carries after its header."""
    start = 12 + 4 * (packet[0] & 0x0F)
    if packet[0] & 0x10:
        start += 4 + 4 * struct.unpack_from(">H", packet, start + 2)[0]
    return packet[start:]


def _encode_video(folder, codec, source, ssrc, bitrate, key_frames):
    encoder = _ENCODERS[codec].format(
        bitrate=bitrate, kilobit=bitrate // 1000, key_frames=key_frames
    )
    return _encode(folder, codec, f"{source} ! videoconvert ! {encoder}", ssrc)


def _encode_audio(folder, source, ssrc):
    encoder = "audioconvert ! audioresample ! audio/x-raw,rate=48000,channels=2 ! opusenc frame-size=20"
    for _ in range(6):
        media = _encode(folder, "opus", f"{source} ! {encoder}", ssrc)
        if _is_regular(media):
            return media
    raise RuntimeError("could not encode opus: GStreamer gives two packets one timestamp each time")


def _is_regular(media):
    """Both branches of _encode()'s tee have the same buffers: on a busy machine opusparse sometimes changes a time of
    one before the payloader has read it, about once in 10,000 packets. What is sent must be what a sender sends."""
    times = [struct.unpack_from(">I", packet, 4)[0] for packet in read_packets(media.packets)]
    return all((after - before) % 2**32 == 960 for before, after in zip(times[1:], times[2:]))


def _encode(folder, codec, encoded, ssrc):
    folder = pathlib.Path(folder)
    media = Media(codec, folder / f"{codec}-{ssrc}.rtp", folder / f"{codec}-{ssrc}.mkv", ssrc)
    capture = media.packets.with_suffix(".gdp")
    pay = (
        f"{_PAYLOADERS[codec]} mtu=1200 pt={media.payload_type} ssrc={ssrc} "
        f"timestamp-offset={ssrc * 7919 % 2**32} seqnum-offset={ssrc * 31 % 2**16}"
    )
    pipeline = (
        f"{encoded} ! tee name=t t. ! queue max-size-time=0 max-size-bytes=0 max-size-buffers=0 ! {pay} ! "
        f"gdppay ! filesink buffer-mode=unbuffered location={capture} "
        f"t. ! queue max-size-time=0 max-size-bytes=0 max-size-buffers=0 ! {_PARSERS[codec]} ! "
        f"matroskamux ! filesink buffer-mode=unbuffered location={media.reference}"
    )
    command = ["gst-launch-1.0", "-q", *pipeline.split()]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120)
    if done.returncode != 0:
        raise RuntimeError(f"could not encode {codec}: {done.stderr}")
    packets = list(_captured(capture.read_bytes()))
    capture.unlink()
    media.packets.write_bytes(b"".join(struct.pack(">H", len(p)) + p for p in packets))
    return media


def _captured(content):
    """The buffers in GStreamer's GDP framing: 62 bytes of header, with type and length, then bytes."""
    at = 0
    while at < len(content):
        kind, length = struct.unpack_from(">HI", content, at + 4)
        if kind == 1:
            yield content[at + 62 : at + 62 + length]
        at += 62 + length
