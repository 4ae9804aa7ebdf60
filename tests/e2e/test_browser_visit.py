#!/usr/bin/python3
"""A visit of two browsers in a Janus room that the recorder follows, once with VP8 and H.264, once with VP9 and H.264 of
another kind: mutes of both sorts, a change of size, one who leaves and returns, a Janus that is killed and comes back.

Every picture and click says when it was made, so that the recording shows where each belongs. All of it lives in a network
namespace of this test's own, from which no packet can leave."""

import shutil
import statistics
import time

import wallclock
from guest import Guest
from harness import Recorder, Session, in_threads, main, participant, poll, session_request, streams_of, tap, title_of
from peers import janus, private_network

SECONDS = 3
OUTAGE_S = 2
# How far a track may lie beside another on a busy machine, where the first picture of all may take long to encode.
STEP_S = 0.35
# What lies between an act of a person and its first packet, on a busy machine.
ACT_S = 1.0


def test_vp8_and_h264(folder):
    Visit(folder, {"p1": "vp8", "p2": "h264 packetization-mode=1;profile-level-id=42e01f"}).run()


def test_vp9_and_h264(folder):
    Visit(folder, {"p1": "vp9", "p2": "h264 packetization-mode=0;profile-level-id=4d001f"}).run()


class Visit:
    def __init__(self, folder, codecs):
        self.folder, self.codecs = folder, codecs
        self.acts = {}
        self.server, self.host = janus.start(folder, private_network.ADDRESS)
        self.host.create_room("vp8,vp9,h264")
        self.recorder = Recorder(folder / "recorder")
        with open(self.recorder.config, "a") as config:
            config.write(f'\njanus: {{ url = "http://127.0.0.1:{janus.HTTP_PORT}/janus"; }};\n')
        self.recorder.start()
        body = session_request([participant("p1"), participant("p2", "client")], [])
        body["source"] = {"type": "janus", "room": janus.ROOM}
        self.session = Session(self.recorder, self.recorder.ask("POST", "/v1/sessions", body).json)
        people = [*codecs.items(), ("somebody", "vp8")]
        guests = [Guest(folder / name, name, codec=codec) for name, codec in people]
        self.first, self.second, self.stranger = guests
        in_threads([guest.enter for guest in guests])

    def run(self):
        self.call()
        self.outage()
        self.host.destroy_room()
        self.session.wait_state("stored")
        tap.ok(True, "the session ends with the room")
        for guest in (self.first, self.second):
            guest.close()
        self.server.terminate()
        Recording(self).check()
        tap.equal(self.recorder.stop(), 0, "the recorder ends")

    def act(self, name, *does):
        """Notes between which times it was done."""
        before = time.time()
        for one in does:
            one()
        self.acts[name] = before, time.time()

    def call(self):
        self.record("p1-audio", "p1-video", "p2-audio", "p2-video")
        rows = {row.get("participant"): row for row in self.session.look()["source"]["publishers"]}
        tap.equal(rows[None]["streams"], [], "whom nobody named is not recorded")
        self.stranger.leave()
        self.stranger.close()

        first, second = self.first, self.second
        self.act("mute", lambda: first.do("enable('video', false)", "enable('audio', false)"))
        self.act("hold", lambda: second.do("hold('video', false)", "hold('audio', false)"))
        self.record("p1-audio", "p1-video")
        tap.equal({track["state"] for track in self.session.look()["tracks"]}, {"recording"}, "no mute ends anything")
        self.act("unmute", lambda: first.do("enable('video', true)", "enable('audio', true)"))
        self.act("unhold", lambda: second.do("hold('video', true)", "hold('audio', true)"))
        self.record("p2-audio", "p2-video")
        for guest in (first, second):
            guest.do("resize(160, 120)")
        self.record("p1-video", "p2-video")
        for guest in (first, second):
            guest.do("resize(320, 240)")
        self.record("p1-video", "p2-video")
        self.act("leave", first.leave)
        self.wait_tracks("ended", "p1-audio", "p1-video")
        self.record("p2-audio")
        self.act("return", first.enter)
        self.record("p1-audio-2", "p1-video-2", "p2-audio", "p2-video")

    def outage(self):
        self.act("kill", self.server.kill)
        problem = poll(lambda: self.source()["state"] == "trouble" and self.source().get("problem"), 20, "trouble")
        tap.ok(True, f"the loss of Janus is told: {problem}")
        tap.equal(self.session.look()["state"], "recording", "and the session goes on")
        poll(lambda: time.time() > self.acts["kill"][1] + OUTAGE_S, OUTAGE_S + 5, "the outage to last", 0.25)
        self.server, self.host = janus.start(self.folder, private_network.ADDRESS)
        self.host.create_room("vp8,vp9,h264")
        self.act("back", lambda: in_threads([self.first.enter, self.second.enter]))
        poll(lambda: self.source()["state"] == "following", 30, "the room to be followed again")
        self.record("p1-audio-3", "p1-video-3", "p2-audio-2", "p2-video-2")
        self.wait_tracks("ended", "p1-audio-2", "p1-video-2", "p2-audio", "p2-video")

    def source(self):
        return self.session.look()["source"]

    def packets(self):
        return {track["id"]: track.get("packets", 0) for track in self.session.look()["tracks"]}

    def record(self, *names):
        """Until about SECONDS of each of the tracks have come in."""
        poll(lambda: all(self.packets().get(name, 0) > 0 for name in names), 40, f"media of {names} to flow")
        before = self.packets()
        rates = {name: 50 if "audio" in name else 12 for name in names}
        poll(lambda: all(now[name] - before[name] > SECONDS * rates[name] for now in [self.packets()] for name in names),
             30, f"{SECONDS} s of {names}", 0.25)

    def wait_tracks(self, state, *names):
        def states():
            return {track["id"]: track["state"] for track in self.session.look()["tracks"]}

        poll(lambda: all(states().get(name) == state for name in names), 30, f"{names} to be {state}")


class Recording:
    """What became of a visit: its manifest, and its file, with wall clocks in both."""

    def __init__(self, visit):
        self.visit, self.session = visit, visit.session
        self.manifest = self.session.manifest()
        self.output = visit.folder / "call.mkv"
        self.frames, self.sounds, self.codecs = {}, {}, {}
        self.zero_s = 0  # wall clock at the file's beginning

    def check(self):
        done = self.session.recorder.command("verify", self.session.id)
        tap.equal(done.returncode, 0, "verify finds all there, genuine and in order")
        tap.note(done.stdout + done.stderr)
        done = self.session.recover(self.output)
        tap.equal(done.returncode, 0, "recover succeeds")
        tap.note(done.stderr)
        self.decode()
        self.check_tracks()
        self.check_counts()
        self.check_times()
        self.check_sizes()
        self.check_mutes()
        self.check_absences()

    def decode(self):
        """Raises where anything can not be decoded without complaint."""
        rows = streams_of(self.output)
        about_s = self.visit.acts["mute"][0]
        for row in rows:
            self.codecs[title_of(row)] = row["codec_name"]
            if row["codec_type"] == "video":
                self.frames.setdefault(title_of(row), []).extend(wallclock.frames(self.output, row["index"], about_s))
        for frames in self.frames.values():
            frames.sort()
        self.zero_s = statistics.median(
            statistics.median(wall - at for at, wall, _ in frames if wall is not None) for frames in self.frames.values()
        )
        for row in rows:
            if row["codec_type"] == "audio":
                self.sounds[title_of(row)] = wallclock.clicks(self.output, row["index"], self.zero_s)
        tap.ok(True, "all pictures and sounds decode")

    def check_tracks(self):
        turns = {"p1": ("", "-2", "-3"), "p2": ("", "-2")}
        wanted = {
            f"{who}-{kind}{turn}": self.visit.codecs[who].split()[0] if kind == "video" else "opus"
            for who in turns for turn in turns[who] for kind in ("audio", "video")
        }
        tap.equal(self.codecs, wanted, "each turn of each is a track of its own, in the right codec")
        tap.equal(set(self.manifest.tracks), set(wanted), "and so says the manifest")

    def check_counts(self):
        for name, counts in sorted(self.manifest.counts.items()):
            tap.equal(counts["received"] + counts["lost"], counts["expected"], f"{name}: the counts agree")
            tap.ok(counts["lost"] <= counts["expected"] // 100, f"{name}: nothing worth naming was lost", counts)
        tap.equal(set(self.manifest.counts), set(self.manifest.tracks), "and there are some for each track")

    def check_times(self):
        """Beginning, end and each stretch between gaps lies where the wall clock says."""
        tap.note(self.manifest.gaps)
        for name, frames in sorted(self.frames.items()):
            steps = [wall - at - self.zero_s for at, wall, _ in frames if wall is not None]
            ends = [statistics.median(steps[:15]), statistics.median(steps), statistics.median(steps[-15:])]
            self.check_steps(name, ends, max(steps, key=abs))
        for name, clicks in sorted(self.sounds.items()):
            steps = [wall - at - self.zero_s for at, wall in clicks]
            tap.ok(len(steps) >= 1, f"{name}: there are clicks", clicks)
            if steps:
                ends = [statistics.median(steps[:3]), statistics.median(steps), statistics.median(steps[-3:])]
                self.check_steps(name, ends, max(steps, key=abs))

    def check_steps(self, name, steps, worst):
        shown = " ".join(f"{step * 1000:.0f}" for step in steps)
        tap.ok(max(map(abs, steps)) < STEP_S, f"{name}: is in step", f"{shown} ms")
        tap.note(f"{name}: {shown} ms, worst {worst * 1000:.0f} ms")

    def check_sizes(self):
        for name in ("p1-video", "p2-video"):
            widths = [width for _, _, width in self.frames[name]]
            order = [width for at, width in enumerate(widths) if at == 0 or widths[at - 1] != width]
            tap.equal(order, [320, 160, 320], f"{name}: the change of its size is seen")

    def check_mutes(self):
        mute, unmute = self.visit.acts["mute"][1] + ACT_S, self.visit.acts["unmute"][0]
        hidden = [wall for at, wall, _ in self.frames["p1-video"] if mute < at + self.zero_s < unmute - STEP_S]
        tap.ok(hidden and not any(hidden), "a disabled camera is black", hidden)
        loud = [wall for wall in (row[1] for row in self.sounds["p1-audio"]) if mute < wall < unmute - STEP_S]
        tap.equal(loud, [], "a disabled microphone is silent")
        for name in ("p1-audio", "p1-video"):
            quiet_s = sum(gap.duration_us for gap in self.gaps(name, "silence")) / 1e6
            tap.ok(quiet_s < SECONDS / 2, f"{name}: which is no gap", self.gaps(name, "silence"))
        for name in ("p2-audio", "p2-video"):
            self.check_gap(name, "silence", "hold", "unhold")

    def check_absences(self):
        for name, begin in (("p1-audio", "leave"), ("p1-video", "leave"), ("p1-audio-2", "kill"),
                            ("p1-video-2", "kill"), ("p2-audio", "kill"), ("p2-video", "kill")):
            last = max(segment.end_us for segment in self.manifest.of(name)) / 1e6 + self.zero_s
            self.check_between(last, self.visit.acts[begin], f"{name}: ends at the {begin}")
        for name, begin in (("p1-video-2", "return"), ("p1-video-3", "back"), ("p2-video-2", "back")):
            first = min(segment.start_us for segment in self.manifest.of(name)) / 1e6 + self.zero_s
            tap.ok(first > self.visit.acts[begin][0], f"{name}: begins after the {begin}", first, self.visit.acts)
        for name in ("p1-video-2", "p2-video", "p2-audio"):
            tail = self.gaps(name, "no-media")[-1:]
            tap.ok(tail and tail[0].duration_us > OUTAGE_S * 1e6, f"{name}: the outage is a gap", tail)

    def gaps(self, name, reason):
        return [gap for gap in self.manifest.gaps_of(name) if gap.reason == reason]

    def check_gap(self, name, reason, begin, end):
        gap = max(self.gaps(name, reason), key=lambda row: row.duration_us, default=None)
        if not tap.ok(gap is not None, f"{name}: the {begin} is a gap: {reason}", self.manifest.gaps):
            return
        self.check_between(gap.start_us / 1e6 + self.zero_s, self.visit.acts[begin], f"{name}: begins with the {begin}")
        self.check_between((gap.start_us + gap.duration_us) / 1e6 + self.zero_s, self.visit.acts[end],
                           f"{name}: ends with the {end}")

    def check_between(self, at, act, name):
        tap.ok(act[0] - ACT_S < at < act[1] + ACT_S, name, f"{at - act[0]:.3f} s after its begin, {at - act[1]:.3f} s after its end")


if __name__ == "__main__":
    for needed in ("janus", "chromium"):
        if shutil.which(needed) is None:
            tap.skip_all(f"no {needed} here")
    if not private_network.is_possible():
        tap.skip_all("no network namespace may be made here")
    private_network.enter()
    main([test_vp8_and_h264, test_vp9_and_h264], 280)
