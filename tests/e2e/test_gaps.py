#!/usr/bin/python3
"""Pauses, a muted microphone and lost packets: sound and picture stay in step, and every hole has its reason.

A flash and a click at each full second show, in the recovered file, what came where.
"""

import json

import avsync
from harness import Recorder, Sender, ffprobe, main, participant, stream, streams_of, tap
from peers import media

SECONDS = 16
PAUSE = [3.9, 6]
MUTE = [7.9, 11]
IN_STEP_S = 0.06


def test_gaps(folder):
    recorder = Recorder(folder / "recorder").start()
    paused = Call(folder, recorder, "vp8", 0x51, audio={"silences": [PAUSE, MUTE]}, video={"silences": [PAUSE]})
    lossy_link = {"outages": [PAUSE], "loss": 0.03, "spare_s": 0.5, "reorder": 0.02, "duplicate": 0.01}
    lossy = Call(folder, recorder, "h264", 0x61, audio={**lossy_link, "seed": 7},
                 video={**lossy_link, "seed": 8, "silences": [[11.9, 14]]})
    for call in (paused, lossy):
        call.finish(folder)
    check_paused(paused)
    check_lossy(lossy)
    for call in (paused, lossy):
        check_counts(call)
    tap.equal(recorder.stop(), 0, "the recorder ends")


class Call:
    """One participant's flashes and clicks on their way through a bad network."""

    def __init__(self, folder, recorder, codec, ssrc, audio, video):
        self.name = codec
        self.media = {
            "p1-audio": media.clicks(folder, SECONDS, ssrc),
            "p1-video": media.flashes(folder, codec, SECONDS, ssrc + 1),
        }
        tracks = [encoded.track(name, "p1") for name, encoded in self.media.items()]
        self.session = recorder.open_session([participant("p1")], tracks)
        faults = {"p1-audio": audio, "p1-video": video}
        rows = [
            stream(encoded, self.session.ports[name], **faults[name]) for name, encoded in self.media.items()
        ]
        self.sender = Sender(folder, rows)

    def finish(self, folder):
        self.sent = dict(zip(self.media, self.sender.finish()))
        self.session.finish()
        self.output = folder / f"{self.name}.mkv"
        done = self.session.recover(self.output)
        tap.equal(done.returncode, 0, f"{self.name}: recovered")
        tap.note(done.stderr)
        self.index = {row["codec_type"]: row["index"] for row in streams_of(self.output)}
        self.flashes = avsync.flash_times(self.output, self.index["video"])
        self.clicks = avsync.click_times(self.output, self.index["audio"])
        tap.note(f"{self.name}: flashes {self.flashes}")
        tap.note(f"{self.name}: clicks {self.clicks}")
        tap.note(f"{self.name}: {self.session.manifest().gaps}")
        done = recorder_verify(self.session)
        tap.equal(done.returncode, 0, f"{self.name}: verifies")

    def zero(self):
        """Where in the file the media's second 0 lies."""
        return self.flashes[0]

    def check(self, wanted_flashes, wanted_clicks, share):
        """At least `share` of what was sent is there, each at its second, sound beside picture."""
        for what, times, wanted in (
            ("flash", self.flashes, wanted_flashes),
            ("click", self.clicks, wanted_clicks),
        ):
            right = [at for at in wanted if abs(avsync.nearest(times, self.zero() + at) - self.zero() - at) <= IN_STEP_S]
            tap.ok(len(right) >= share * len(wanted), f"{self.name}: each {what} stands at its second",
                   f"missing: {sorted(set(wanted) - set(right))}")
            stray = [
                time for time in times
                if min(abs(time - self.zero() - at) for at in wanted) > IN_STEP_S
            ]
            # A picture or a tone cut up by loss may set in a second time: next to its second, never elsewhere.
            far = [time for time in stray if min(abs(time - self.zero() - at) for at in wanted) > 0.2]
            tap.equal(far, [], f"{self.name}: and no {what} anywhere else")
        both = sorted(set(wanted_flashes) & set(wanted_clicks))
        offsets = [
            avsync.nearest(self.clicks, self.zero() + at) - avsync.nearest(self.flashes, self.zero() + at)
            for at in both
        ]
        near = [offset for offset in offsets if abs(offset) <= IN_STEP_S]
        tap.ok(len(near) >= share * len(both), f"{self.name}: sound and picture in step", offsets)

    def check_gap(self, track, reason, span, slack=0.25):
        """The manifest tells of a hole over `span` seconds of the media."""
        begin, end = (self.zero() + at for at in span)
        gaps = self.session.manifest().gaps_of(track)
        fits = [
            gap for gap in gaps
            if gap.reason == reason
            and abs(gap.start_us / 1e6 - begin) <= slack
            and abs((gap.start_us + gap.duration_us) / 1e6 - end) <= slack
        ]
        tap.equal(len(fits), 1, f"{self.name}: {track} has its gap of {reason} at {span}")
        if len(fits) != 1:
            tap.note(f"media begins at {self.zero():.3f}; gaps: {gaps}")


def recorder_verify(session):
    return session.recorder.command("verify", session.id)


def outside(*spans):
    return [at for at in range(SECONDS) if not any(begin <= at < end for begin, end in spans)]


def check_paused(call):
    call.check(outside(PAUSE), outside(PAUSE, MUTE), share=1)
    call.check_gap("p1-video", "silence", PAUSE)
    call.check_gap("p1-audio", "silence", PAUSE)
    call.check_gap("p1-audio", "silence", MUTE)
    # Not the header's duration, which leaves out what was before a sender that began late.
    last = max(float(packet["pts_time"]) for packet in ffprobe(call.output, "-show_entries", "packet=pts_time")["packets"])
    tap.near(last - call.zero(), SECONDS, 0.3, f"{call.name}: nothing shortened the file")
    for name in call.media:
        tap.equal(call.session.track(name)["lost"], 0, f"{call.name}: {name} lost nothing")
    shown = call.session.recorder.command("session", "show", call.session.id, "--json")
    tap.contains(json.dumps(json.loads(shown.stdout)), "silence", "session show tells of the silence")
    drawn = call.session.recorder.command("session", "show", call.session.id)
    tap.note(drawn.stdout)
    tap.contains(drawn.stdout, "silence", "and its picture names it")
    tap.contains(drawn.stdout, ", lost 0 (0.0 %),", "and it reports that nothing was lost")


def check_lossy(call):
    call.check(outside(PAUSE, [11.9, 14]), outside(PAUSE), share=0.7)
    call.check_gap("p1-video", "loss", PAUSE, slack=1.1)  # a picture can only go on at a keyframe
    call.check_gap("p1-audio", "loss", PAUSE)
    call.check_gap("p1-video", "silence", [11.9, 14], slack=1.1)
    for name in call.media:
        counts = call.session.manifest().counts[name]
        tap.ok(counts["reordered"] > 0 and counts["duplicate"] > 0, f"{call.name}: {name} was hit by everything", counts)


def check_counts(call):
    """What the sealed report counts is exactly what the sender says it sent, lost and sent twice."""
    shown = json.loads(call.session.recorder.command("session", "show", call.session.id, "--json").stdout)
    shown = {track["id"]: track for track in shown["tracks"]}
    for name, sent in call.sent.items():
        counts = call.session.manifest().counts[name]
        tap.note(f"{call.name}: {name} {counts} of {without_frames(sent)}")
        arrived = sent["packets"] - sent["duplicates"]
        # A packet that was held back over an outage comes too late: it is among the lost, and counted as late.
        tap.equal(counts["received"] + counts["late"], arrived, f"{call.name}: {name} received what arrived")
        tap.equal(counts["lost"], sent["lost"] - sent["lost_at_end"] + counts["late"],
                  f"{call.name}: {name} lost what was lost")
        tap.equal(counts["expected"], arrived + sent["lost"] - sent["lost_at_end"],
                  f"{call.name}: {name} expected what was sent")
        tap.equal(counts["duplicate"], sent["duplicates"], f"{call.name}: {name} dropped what came twice")
        tap.equal(counts["reordered"] + counts["late"], sent["swapped"], f"{call.name}: {name} put into place what came behind")
        tap.equal([counts["foreign"], counts["kernel_dropped"], counts["paused"]], [0, 0, 0],
                  f"{call.name}: {name} and nothing else happened")
        tap.equal(shown[name]["counts"], counts, f"{call.name}: session show says the same of {name}")
        live = call.session.track(name)
        tap.equal([live[each] for each in ("packets", "lost", "reordered", "late", "duplicate")],
                  [counts[each] for each in ("received", "lost", "reordered", "late", "duplicate")],
                  f"{call.name}: and so does the recorder")
        check_sums(call, name, shown[name])


def check_sums(call, name, shown):
    manifest = call.session.manifest()
    sums = {}
    for gap in manifest.gaps_of(name):
        row = sums.setdefault(gap.reason, {"count": 0, "duration_us": 0})
        row["count"] += 1
        row["duration_us"] += gap.duration_us
    tap.equal(shown["gaps_by_reason"], sums, f"{call.name}: {name} has its gaps summed up")
    forced = sum("n" in segment.flags for segment in manifest.of(name))
    tap.equal(shown["cuts_without_keyframe"], forced, f"{call.name}: {name} has its forced cuts counted")


def without_frames(sent):
    return {key: value for key, value in sent.items() if key != "frames"}


if __name__ == "__main__":
    main([test_gaps], 150)
