"""A short visit of two people, recorded: what most tests here begin with."""

import hashlib
import struct

from harness import Recorder, Sender, participant, stream
from peers import media


class Visit:
    """p1 sends VP8 and Opus, p2 sends H.264 and Opus. `media` and `sent` go by track name."""

    def __init__(self, folder, seconds, recorder=None):
        self.folder = folder
        self.media = {
            "p1-audio": media.noise(folder, seconds, 0x11),
            "p1-video": media.ball(folder, "vp8", seconds, 0x12),
            "p2-audio": media.noise(folder, seconds, 0x21),
            "p2-video": media.ball(folder, "h264", seconds, 0x22),
        }
        self.recorder = recorder or Recorder(folder / "recorder")
        self.senders = {}
        self.sent = {}
        self.session = None

    def begin(self):
        people = [participant("p1"), participant("p2", "client")]
        tracks = [encoded.track(name, name[:2]) for name, encoded in self.media.items()]
        self.session = self.recorder.open_session(people, tracks)
        for person in ("p1", "p2"):
            names = [name for name in self.media if name.startswith(person)]
            rows = [stream(self.media[name], self.session.ports[name]) for name in names]
            self.senders[person] = (names, Sender(self.folder, rows))
        return self

    def finish(self):
        """Until all is sent, the call has ended and everything is stored."""
        for names, sender in self.senders.values():
            self.sent.update(zip(names, sender.finish()))
        self.session.finish()
        return self

    def packets(self, name):
        return media.read_packets(self.media[name].packets)


def payload_hashes(packets):
    """MD5 of what each packet carries: for Opus, of each packet in the recording."""
    return [hashlib.md5(media.payload(packet)).hexdigest() for packet in packets]


def frame_times(packets, clock_rate):
    """Seconds of each frame, counted from the first, by RTP timestamps."""
    first, times = struct.unpack_from(">I", packets[0], 4)[0], []
    for packet in packets:
        at = ((struct.unpack_from(">I", packet, 4)[0] - first) % 2**32) / clock_rate
        if not times or times[-1] != at:
            times.append(at)
    return times
