#!/usr/bin/python3
"""Two people whose clocks are off by an hour's drift in a minute: flash and click stay together in the file.

Their clocks run 1000 ppm too fast and too slow, so that in 40 s what was one moment would lie 80 ms apart. One visit
has no sender reports. In the other pictures leave 80 ms late, which only reports tell: some to the port for RTCP, some among
the media, and to one track some that are nonsense.
"""

import random
import struct

import avsync
from harness import Recorder, Sender, main, participant, stream, streams_of, tap, title_of
from peers import media

SECONDS = 40
IN_STEP_S = 0.04
PPM = {"p1-audio": 1000, "p1-video": -1000, "p2-audio": -1000, "p2-video": 1000}
LATE_S = 0.08
SETTLED_S = 15
NTP_S = 3_900_000_000


def test_sync(folder):
    recorder = Recorder(folder / "recorder").start()
    visits = [Visit(folder, recorder, "arrivals"), Visit(folder, recorder, "reports")]
    for visit in visits:
        visit.send()
    for visit in visits:
        visit.finish()
    for visit in visits:
        visit.check()
    tap.equal(recorder.stop(), 0, "the recorder ends")


class Visit:
    def __init__(self, folder, recorder, sync):
        self.folder, self.sync = folder, sync
        self.has_reports = sync == "reports"
        self.media = {}
        for number, name in enumerate(PPM):
            ssrc = number + (0x71 if self.has_reports else 0x61)
            make = media.clicks(folder, SECONDS, ssrc) if name.endswith("audio") else media.flashes(folder, "vp8", SECONDS, ssrc)
            self.media[name] = make
        tracks = [encoded.track(name, name[:2]) for name, encoded in self.media.items()]
        self.session = recorder.open_session([participant("p1"), participant("p2", "client")], tracks)

    def send(self):
        rows = []
        for name, encoded in self.media.items():
            more = {"ppm": PPM[name]}
            if self.has_reports:
                more |= {"extras": self.reports(name), "late_s": LATE_S if name.endswith("video") else 0}
            rows.append(stream(encoded, self.session.ports[name], **more))
        self.sender = Sender(self.folder, rows)

    def reports(self, name):
        """A true one each second, and to one track as many of another clock."""
        packet = media.read_packets(self.media[name].packets)[0]
        first, ssrc = struct.unpack_from(">II", packet, 4)
        port = self.session.ports[name] + (1 if name.endswith("audio") else 0)
        rate = self.media[name].clock_rate * (1 + PPM[name] / 1e6)
        chance, rows = random.Random(3), []
        for second in range(1, SECONDS):
            true = report(ssrc, NTP_S + second, int(first + second * rate) % 2**32, name[:2])
            rows.append({"at_s": second, "hex": true, "port": port})
            if name == "p2-audio":
                false = report(ssrc, chance.randrange(2**32), chance.randrange(2**32), name[:2])
                rows.append({"at_s": second + 0.5, "hex": false, "port": port})
        return rows

    def finish(self):
        self.sender.finish(timeout_s=90)
        self.shown = {track["id"]: track for track in self.session.look()["tracks"]}
        self.session.finish()
        self.output = self.folder / f"{self.sync}.mkv"
        done = self.session.recover(self.output)
        tap.equal(done.returncode, 0, f"{self.sync}: recovered")

    def check(self):
        for name, track in self.shown.items():
            believed, ignored = track["sender_reports"], track["sender_reports_ignored"]
            tap.equal(track["sync"], self.sync, f"{self.sync}: {name} says so")
            tap.ok(believed >= SECONDS - 5 if self.has_reports else believed + ignored == 0, f"{self.sync}: and of {name} how many", track)
        if self.has_reports:
            tap.ok(self.shown["p2-audio"]["sender_reports_ignored"] >= SECONDS - 5, f"{self.sync}: nonsense is ignored and counted", self.shown["p2-audio"])
        index = {title_of(row): row["index"] for row in streams_of(self.output)}
        self.late = {}
        for name in PPM:
            look = avsync.click_times if name.endswith("audio") else avsync.flash_times
            self.late[name] = self.lateness(name, look(self.output, index[name]))
        for one, other in (("p1-audio", "p1-video"), ("p2-audio", "p2-video"), ("p1-audio", "p2-audio"), ("p1-video", "p2-video")):
            self.check_pair(one, other)
        for name in PPM:
            parts = {segment.part for segment in self.session.manifest().of(name)}
            tap.equal(parts, {0}, f"{self.sync}: {name} is one part")

    def lateness(self, name, times):
        """How much later than it was made each second's event lies in the file, from the session's own zero."""
        tap.equal(len(times), SECONDS, f"{self.sync}: {name} has an event each second")
        return [time - second / (1 + PPM[name] / 1e6) for second, time in enumerate(times)]

    def check_pair(self, one, other):
        apart = [left - right for left, right in zip(self.late[one], self.late[other])]
        begin = SETTLED_S if self.has_reports else 0
        tap.note(f"{self.sync}: {one} - {other}: " + " ".join(f"{1000 * each:+.0f}" for each in apart) + " ms")
        tap.ok(all(abs(each) <= IN_STEP_S for each in apart[begin:]), f"{self.sync}: {one} and {other} are in step", apart)


def report(ssrc, ntp_s, timestamp, cname):
    """A sender report with the name of who sends, in hex."""
    name = cname.encode()
    items = struct.pack(">IBB", ssrc, 1, len(name)) + name + b"\0"
    items += b"\0" * (-len(items) % 4)
    sender = struct.pack(">BBHIIIIII", 0x80, 200, 6, ssrc, ntp_s, 0, timestamp, 0, 0)
    return (sender + struct.pack(">BBH", 0x81, 202, len(items) // 4) + items).hex()


if __name__ == "__main__":
    main([test_sync], 160)
