#!/usr/bin/python3
"""Networks at their worst: what is recovered is what arrived, no less and no more, and every packet is counted.

A relay loses, delays, doubles and swaps packets by a seed, and writes down which. From that alone follows what the
recording must hold: each Opus packet and each picture of which all packets arrived, and each count of the report.
"""

import json

import ebml
from harness import Recorder, Sender, in_threads, main, participant, stream, tap
from peers import frames, media
from relay import Relay, link

SECONDS = 20
BITRATE = 600000  # three or four packets for each picture
CODECS = ("opus", "vp8", "h264", "vp9")
OF_CODEC = {"opus": "A_OPUS", "vp8": "V_VP8", "h264": "V_MPEG4/ISO/AVC", "vp9": "V_VP9"}
IN_STEP_S = 0.05
GAP_PACKETS = 10  # of 20 ms: shorter holes are no gap of their own
# A machine that is busy holds packets up as well: what was waited for nearly as long as the recorder waits may be
# either late or in time. Nothing of what these networks do on purpose comes near.
DOUBT_S = 0.3

# Name: what the network does, how long the recorder waits for a packet.
NETWORKS = {
    "loss-1": ({"loss": 0.01}, 1000),
    "loss-5": ({"loss": 0.05, "duplicate": 0.02}, 1000),
    "loss-20": ({"loss": 0.2}, 1000),
    "bursts": ({"bursts": {"enter": 0.01, "leave": 0.15}, "duplicate": 0.05, "copy_packets": 5}, 1000),
    "jitter": ({"jitter_ms": 300, "loss": 0.02}, 1000),
    "outage": ({"outages": [[4, 14]], "loss": 0.01, "reorder": {"share": 0.05, "packets": 8}}, 1000),
    "stall": ({"stalls": [[3, 6], [10, 12]]}, 1000),
    "stragglers": ({"straggle": {"share": 0.01, "seconds": 4, "until_s": SECONDS - 5}}, 1000),
    "reorder-200": ({"reorder": {"share": 0.03, "packets": 200}, "duplicate": 0.05, "copy_packets": 50}, 5000),
    "everything": ({"loss": 0.05, "bursts": {"enter": 0.005, "leave": 0.2}, "outages": [[5, 15]], "duplicate": 0.05,
                    "copy_packets": 30, "reorder": {"share": 0.03, "packets": 50}, "jitter_ms": 100}, 5000),
}


def test_hostile_network(folder):
    encoded = encode(folder)
    recorders = {}
    for _, wait_ms in NETWORKS.values():
        if wait_ms not in recorders:
            recorder = Recorder(folder / f"recorder-{wait_ms}")
            recorder.set("reorder_ms", wait_ms)
            recorders[wait_ms] = recorder.start()
    calls = {name: Call(name, recorders[row[1]], encoded, *row) for name, row in NETWORKS.items()}
    links = [row for call in calls.values() for row in call.links()]
    relay = Relay(folder, links)
    senders = send(folder, encoded, relay.ports)
    sent = [row for sender in senders for row in sender.finish(60)]
    passages = iter(relay.finish())
    for call in calls.values():
        call.passages = {codec: next(passages) for codec in CODECS}
    sent_packets = sum(row["packets"] for row in sent)
    came = sum(passage.n_entered for call in calls.values() for passage in call.passages.values())
    tap.equal(came, sent_packets, "every packet that was sent went through the relay")
    in_threads([call.session.finish for call in calls.values()])
    for call in calls.values():
        call.check(folder)
    for recorder in recorders.values():
        tap.equal(recorder.stop(), 0, "the recorder ends")


def encode(folder):
    # Numbers chosen so that the sequence numbers go around on the way.
    jobs = [
        lambda: media.noise(folder, SECONDS, ssrc_for(65200)),
        lambda: media.ball(folder, "vp8", SECONDS, ssrc_for(65300), bitrate=BITRATE, pattern="smpte"),
        lambda: media.ball(folder, "h264", SECONDS, ssrc_for(65400), bitrate=BITRATE, pattern="smpte"),
        lambda: media.ball(folder, "vp9", SECONDS, ssrc_for(65500), bitrate=BITRATE, pattern="smpte"),
    ]
    return dict(zip(CODECS, in_threads(jobs)))


def ssrc_for(first_sequence):
    """The SSRC with which media.py begins at this sequence number."""
    return first_sequence * pow(31, -1, 2**16) % 2**16


def send(folder, encoded, ports):
    """All calls' streams, from a few processes."""
    rows = [stream(encoded[CODECS[number % len(CODECS)]], port) for number, port in enumerate(ports)]
    return [Sender(folder, rows)]


class Call:
    """One participant with four tracks behind one network."""

    def __init__(self, name, recorder, encoded, faults, wait_ms):
        self.name, self.recorder, self.encoded, self.faults, self.wait_ms = name, recorder, encoded, faults, wait_ms
        tracks = [row.track(codec, "p1") for codec, row in encoded.items()]
        self.session = recorder.open_session([participant("p1")], tracks)

    def links(self):
        seed = 1000 * list(NETWORKS).index(self.name)
        return [
            link(self.encoded[codec], self.session.ports[codec], seed + number, self.faults)
            for number, codec in enumerate(CODECS)
        ]

    def check(self, folder):
        self.manifest = self.session.manifest()
        shown = json.loads(self.recorder.command("session", "show", self.session.id, "--json").stdout)
        self.shown = {track["id"]: track for track in shown["tracks"]}
        done = self.recorder.command("verify", self.session.id)
        tap.equal(done.returncode, 0, f"{self.name}: verifies, and its gaps and segments tile the timeline")
        self.output = folder / f"{self.name}.mkv"
        done = self.session.recover(self.output)
        tap.equal(done.returncode, 0, f"{self.name}: recovers")
        tap.note(done.stderr)
        stored = ebml.walk(self.output.read_bytes())
        for codec in CODECS:
            self.check_counts(codec)
            self.check_media(codec, stored)
        self.check_losses()

    def late(self, codec):
        """Which packets came too late for the recorder, and which of them may have been in time after all."""
        behind = self.passages[codec].behind()
        wait_s = self.wait_ms / 1000
        late = {place for place, waited_s in behind.items() if waited_s > wait_s - DOUBT_S}
        doubtful = {place for place in late if behind[place] < wait_s + DOUBT_S}
        return late, doubtful

    def check_counts(self, codec):
        """Each number of the sealed report is the one that follows from what the relay did."""
        passage, counts = self.passages[codec], self.manifest.counts[codec]
        late, doubtful = self.late(codec)
        if doubtful:
            tap.note(f"{self.name}: {codec}: the machine was so slow that {len(doubtful)} packets may be late or not")
            late = late - doubtful if counts["late"] < len(late) else late
        n_behind = len(passage.behind())
        wanted = {
            "expected": passage.expected(),
            "received": len(passage.places) - len(late),
            "lost": passage.expected() - len(passage.places) + len(late),
            "reordered": n_behind - len(late),
            "duplicate": passage.duplicates(),
            "late": len(late),
            "paused": 0, "foreign": 0, "kernel_dropped": 0, "recovered": 0, "limited": 0, "beside": 0,
            # The encoder's affair, and that of what was lost.
            "late_keyframes": counts["late_keyframes"],
            "unreadable": 0,
        }
        tap.note(f"{self.name}: {codec}: {passage.n_entered} sent, {passage.n_lost} lost on the way, {wanted}")
        tap.equal(counts, wanted, f"{self.name}: {codec}: counts what the network did")
        tap.equal(self.shown[codec]["counts"], counts, f"{self.name}: {codec}: session show says the same")

    def check_media(self, codec, stored):
        late, _ = self.late(codec)
        arrived = self.passages[codec].places - late
        packets = media.read_packets(self.encoded[codec].packets)
        whole = [frame for frame in frames.sent_frames(codec, packets) if arrived.issuperset(frame.places)]
        keys = [number for number, frame in enumerate(whole) if frame.is_key]
        playable = whole[keys[0]:] if keys else []
        number = next(key for key, name in stored.codecs.items() if name == OF_CODEC[codec])
        blocks = [block for block in stored.blocks if block[0] == number]
        got = [frames.stored_digest(codec, block[3]) for block in blocks]
        wanted = [frame.digest for frame in playable]
        tap.ok(got == wanted, f"{self.name}: {codec}: recovered are the {len(wanted)} frames that arrived whole",
               *differences(got, wanted))
        if len(got) != len(wanted) or not got:
            return
        rate = self.encoded[codec].clock_rate
        sent_s = [((frame.timestamp - playable[0].timestamp) % 2**32) / rate for frame in playable]
        stored_s = [(block[1] - blocks[0][1]) / 1e9 for block in blocks]
        worst = max(abs(a - b) for a, b in zip(sent_s, stored_s))
        tap.ok(worst <= IN_STEP_S, f"{self.name}: {codec}: each at its time", f"off by {worst} s")


    def check_losses(self):
        """Each hole of 200 ms and more that the network tore into the sound is a gap of that length, at its place."""
        late, _ = self.late("opus")
        places = sorted(self.passages["opus"].places - late)
        holes = [(a + 1, b) for a, b in zip(places, places[1:]) if b - a - 1 >= GAP_PACKETS]
        gaps = joined([gap for gap in self.manifest.gaps_of("opus") if gap.reason == "loss"])
        began_us = min(segment.start_us for segment in self.manifest.of("opus"))
        got = [[(at - began_us) / 20000 for at in gap] for gap in gaps]
        wanted = [[begin - places[0], end - places[0]] for begin, end in holes]
        is_equal = len(got) == len(wanted) and all(
            abs(a - b) <= IN_STEP_S / 0.02 for row, other in zip(got, wanted) for a, b in zip(row, other)
        )
        tap.ok(is_equal, f"{self.name}: {len(wanted)} holes in the sound are told as lost", f"got: {got}",
               f"wanted: {wanted}")


def joined(gaps):
    """[begin, end] in microseconds; a gap that a cut fell into is told in two."""
    rows = []
    for gap in gaps:
        end_us = gap.start_us + gap.duration_us
        if rows and gap.start_us - rows[-1][1] <= 1000:
            rows[-1][1] = end_us
        else:
            rows.append([gap.start_us, end_us])
    return rows


def differences(got, wanted):
    missing = [number for number, digest in enumerate(wanted) if digest not in set(got)]
    foreign = [number for number, digest in enumerate(got) if digest not in set(wanted)]
    return [f"{len(got)} recovered of {len(wanted)}", f"missing: {missing[:40]}", f"foreign: {foreign[:40]}"]


if __name__ == "__main__":
    main([test_hostile_network], 150)
