#!/usr/bin/python3
"""SIGKILL at random moments of a recording: what was acknowledged is stored, listed and opens; the rest is a gap.

    SEALTAPE_SEED    the moments to repeat        SEALTAPE_KILLS    how many (default 20)

Several recorders run at once, each with its own folder and ports. Acknowledged is what GET /v1/sessions/<id> says
in `acknowledged_us`, asked over and over until the kill.
"""

import http.client
import os
import random
import threading
import time

from harness import Recorder, Sender, age_decrypt, in_threads, main, open_envelopes, participant, poll, stream, tap
from peers import media

MEDIA_S = 8
SEGMENT_MS = 1000
KEY_S = 0.5
AT_ONCE = 5
# Beyond the open segment: waiting for a missing packet, for the next keyframe, for the group's flush.
MARGIN_S = 1.0


class Run:
    """One recorder, recorded with, killed, started again."""

    def __init__(self, number, folder, encoded, dice):
        self.number = number
        self.folder = folder / f"run-{number}"
        self.folder.mkdir()
        self.media = encoded
        # One in four is killed while it finishes the session, within 300 ms of the stop.
        self.after_stop = number % 4 == 3
        self.delay_s = dice.uniform(0, 0.3) if self.after_stop else dice.uniform(0.2, 6.5)
        self.acknowledged = {}
        self.is_killed = False
        self.seen = {}
        self.trouble = []

    def go(self):
        ports = 30000 + 100 * self.number
        recorder = Recorder(self.folder / "recorder", port_range=(ports, ports + 99))
        recorder.set("segment_ms", SEGMENT_MS)
        recorder.set("object_ms", 2 * SEGMENT_MS)
        self.recorder = recorder.start()
        tracks = [encoded.track(name, "p1") for name, encoded in self.media.items()]
        self.session = recorder.open_session([participant("p1")], tracks)
        self.opened = time.monotonic()
        rows = [stream(encoded, self.session.ports[name]) for name, encoded in self.media.items()]
        self.sender = Sender(self.folder, rows)
        self._record_until_killed()
        self.killed_s = time.monotonic() - self.opened
        self.sender.child.kill()
        self._check_after()

    def _record_until_killed(self):
        ended = threading.Event()
        watcher = threading.Thread(target=self._note_acknowledged, args=(ended,), daemon=True)
        watcher.start()
        if self.after_stop:
            time.sleep(3.0)
            answer = self.session.stop()
            if answer.status != 200:
                self.trouble.append(f"stop: {answer}")
        time.sleep(self.delay_s)  # the moment is the point of the test
        self.is_killed = True
        self.recorder.kill()
        ended.set()
        watcher.join()

    def _note_acknowledged(self, ended):
        while not ended.is_set():
            try:
                seen = self.session.look()
            except (OSError, RuntimeError, ValueError, http.client.HTTPException) as failure:
                if not self.is_killed:
                    self.trouble.append(f"asking failed: {failure}")
                return
            for track in seen["tracks"]:
                self.acknowledged[track["id"]] = (track["acknowledged_us"], track["segments"])
                self.seen[track["id"]] = {key: track.get(key) for key in ("packets", "lost", "foreign", "kernel_dropped")}
            time.sleep(0.02)

    def _check_after(self):
        self.recorder.start()
        poll(self._is_ended, 20, f"run {self.number} to end the session")
        manifest = self.session.manifest()
        ids = open_envelopes(self.session, self.folder)
        for name in self.media:
            self._check_track(name, manifest, ids)
        done = self.recorder.command("verify", self.session.id)
        self.must(done.returncode == 0, f"verify: {done.stdout}{done.stderr}")
        opened = self.session.recover(self.folder / "recovered.mkv")
        if manifest.segments:
            self.must(opened.returncode == 0, f"recover: {opened.stderr}")
        again = self.recorder.open_session([participant("p1")], [self.media["p1-audio"].track("p1-audio", "p1")])
        again.finish()
        self.must(self.recorder.stop() == 0, "the recorder did not end well")

    def _is_ended(self):
        manifest = self.session.manifest()
        return manifest.states and manifest.states[-1] in ("interrupted", "closed")

    def _check_track(self, name, manifest, ids):
        rows = manifest.of(name)
        acknowledged_us, n_segments = self.acknowledged.get(name, (0, 0))
        end_us = max((row.end_us for row in rows), default=0)
        self.must(end_us >= acknowledged_us, f"{name}: acknowledged to {acknowledged_us}, kept to {end_us}")
        self.must(len(rows) >= n_segments, f"{name}: {n_segments} segments were there, {len(rows)} are")
        for row in rows:
            try:
                age_decrypt(row.sealed(self.session), ids)
            except (RuntimeError, OSError) as failure:
                self.trouble.append(f"{name}: {row}: {failure}")
        self._check_time(name, rows, manifest.gaps_of(name))
        if manifest.states[-1] == "interrupted":
            self._check_gap(name, end_us, manifest)
        is_counted = manifest.states[-1] == "closed"
        self.must((name in manifest.counts) == is_counted, f"{name}: {manifest.states[-1]}, counts {manifest.counts}")

    def _check_time(self, name, rows, gaps):
        """Segments and gaps follow each other without holes."""
        pieces = sorted([(r.start_us, r.end_us) for r in rows] + [(g.start_us, g.start_us + g.duration_us) for g in gaps])
        reached = pieces[0][0] if pieces else 0
        for begin, end in pieces:
            self.must(begin <= reached + 250000, f"{name}: nothing tells of {reached} to {begin} us")
            reached = max(reached, end)

    def _check_gap(self, name, end_us, manifest):
        last = [gap for gap in manifest.gaps_of(name) if gap.reason == "interrupted"]
        told_us = max([gap.start_us + gap.duration_us for gap in manifest.gaps_of(name) if gap not in last], default=0)
        self.must(len(last) == 1, f"{name}: no gap `interrupted` but {manifest.gaps_of(name)}")
        if last:
            self.must(abs(last[0].start_us - max(end_us, told_us)) <= 250000, f"{name}: {last[0]} does not follow {end_us}, {told_us}")
        if not self.after_stop:
            # Before the first packet there was nothing to lose.
            began = self.sender.began(self.session.ports[name])
            lost_s = self.killed_s - max(end_us / 1e6, self.killed_s if began is None else began - self.opened)
            most_s = SEGMENT_MS / 1000 + KEY_S + MARGIN_S
            self.must(lost_s <= most_s, f"{name}: lost {lost_s:.2f} s, at most {most_s} s may be open; {self.seen.get(name)}, "
                      f"{manifest.of(name)}, {manifest.gaps_of(name)}")

    def must(self, is_good, trouble):
        if not is_good:
            self.trouble.append(trouble)


def test_kill(folder):
    seed = int(os.environ.get("SEALTAPE_SEED") or random.SystemRandom().randrange(2**31))
    n_kills = int(os.environ.get("SEALTAPE_KILLS", "20"))
    tap.note(f"SEALTAPE_SEED={seed}")
    dice = random.Random(seed)
    encoded = {
        "p1-audio": media.noise(folder, MEDIA_S, 0x71),
        "p1-video": media.ball(folder, "vp8", MEDIA_S, 0x72, size=(160, 120), key_s=KEY_S),
    }
    runs = [Run(number, folder, encoded, dice) for number in range(n_kills)]
    for first in range(0, n_kills, AT_ONCE):
        in_threads([lambda run=run: attempt(run) for run in runs[first : first + AT_ONCE]])
    for run in runs:
        moment = "after the stop" if run.after_stop else "into the recording"
        kept = {name: f"{end / 1e6:.2f} s" for name, (end, _) in run.acknowledged.items()}
        tap.equal(run.trouble, [], f"killed {run.delay_s:.2f} s {moment}, nothing acknowledged was lost")
        tap.note(f"acknowledged {kept}")
    most = max((end for run in runs for end, _ in run.acknowledged.values()), default=0)
    tap.ok(most > 2000000, "some runs had segments acknowledged when they were killed", most)


def attempt(run):
    try:
        run.go()
    except Exception as failure:
        run.trouble.append(f"{type(failure).__name__}: {failure}")


if __name__ == "__main__":
    main([test_kill], 300)
