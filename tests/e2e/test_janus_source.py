#!/usr/bin/python3
"""The recorder follows a VideoRoom of a real Janus by itself: two browsers publish, one of them late; one leaves and
returns; Janus is killed and started again in between; the session ends with the room.

All of it lives in a network namespace of this test's own, from which no packet can leave.
"""

import json
import shutil
import time

from harness import PEERS, Recorder, Session, main, participant, poll, session_request, streams_of, tap
from peers import chromium, janus, private_network

SECONDS = 6


class Guest:
    """A browser in the room, under a name."""

    def __init__(self, folder, name):
        folder.mkdir()
        self.name = name
        self.publisher = janus.Publisher()
        self.publisher.join(name)
        self.browser = chromium.Chromium(folder, PEERS / "publish.html")
        offer = self.browser.evaluate("makeOffer(320, 240, 15)")
        answer = self.publisher.publish(offer)
        tap.equal(self.browser.evaluate(f"takeAnswer({json.dumps(answer)})"), "connected", f"{name}'s call is up")

    def leave(self):
        self.publisher.leave()
        self.close()

    def close(self):
        self.browser.close()


def test_janus_source(folder):
    server, host = janus.start(folder, private_network.ADDRESS)
    host.create_room("vp8")
    recorder = Recorder(folder / "recorder")
    with open(recorder.config, "a") as config:
        config.write(f'\njanus: {{ url = "http://127.0.0.1:{janus.HTTP_PORT}/janus"; }};\n')
    recorder.start()
    body = session_request([participant("p1"), participant("p2", "client")], [])
    body["source"] = {"type": "janus", "room": janus.ROOM}
    session = Session(recorder, recorder.ask("POST", "/v1/sessions", body).json)

    first = Guest(folder / "p1", "p1")
    record(session, "p1-audio", "p1-video")
    second = Guest(folder / "p2", "p2")
    stranger = Guest(folder / "p3", "p3")
    record(session, "p2-audio", "p2-video")
    rows = {row.get("participant"): row for row in session.look()["source"]["publishers"]}
    tap.equal(rows[None]["streams"], [], "whom nobody named is not recorded")
    stats = first.browser.evaluate("sent()")
    tap.ok(stats["video"]["plis"] + stats["video"]["firs"] >= 1, "keyframes were asked for", stats)
    stranger.leave()

    first.leave()
    wait_tracks(session, "ended", "p1-audio", "p1-video")
    first = Guest(folder / "p1-again", "p1")
    record(session, "p1-audio-2", "p1-video-2")

    server.kill()
    poll(lambda: session.look()["source"]["state"] == "trouble", 20, "the loss of Janus to be noticed")
    tap.ok(True, "the loss of Janus is told: " + session.look()["source"]["problem"])
    tap.equal(session.look()["state"], "recording", "and the session goes on")
    first.close()
    second.close()
    server, host = janus.start(folder, private_network.ADDRESS)
    host.create_room("vp8")
    poll(lambda: session.look()["source"]["state"] == "following", 30, "the room to be followed again")
    second = Guest(folder / "p2-again", "p2")
    record(session, "p2-audio-2", "p2-video-2")
    wait_tracks(session, "ended", "p2-audio", "p2-video", "p1-audio-2", "p1-video-2")

    host.destroy_room()
    session.wait_state("stored")
    tap.ok(True, "the session ends with the room")
    check_recording(session, folder / "call.mkv")
    tap.equal(recorder.stop(), 0, "the recorder ends")
    second.close()
    server.terminate()


def tracks_of(session):
    return {track["id"]: track for track in session.look()["tracks"]}


def wait_tracks(session, state, *names):
    poll(lambda: all(tracks_of(session).get(name, {}).get("state") == state for name in names), 30,
         f"{names} to be {state}")


def record(session, *names):
    """Until SECONDS of each of the tracks have come in."""
    poll(lambda: all(tracks_of(session).get(name, {}).get("packets", 0) > 0 for name in names), 30,
         f"media of {names} to flow")
    begun = time.monotonic()
    poll(lambda: time.monotonic() - begun >= SECONDS, SECONDS + 5, "the call to last", 0.25)
    for name in names:
        tap.ok(tracks_of(session)[name]["packets"] > SECONDS * 10, f"{name} is recorded", tracks_of(session)[name])


def check_recording(session, output):
    done = session.recorder.command("verify", session.id)
    tap.equal(done.returncode, 0, "verify finds all there, genuine and in order")
    tap.note(done.stdout + done.stderr)
    kinds = {f"p{who}-{kind}{turn}" for who in (1, 2) for kind in ("audio", "video") for turn in ("", "-2")}
    manifest = session.manifest()
    tap.equal(set(manifest.tracks), kinds, "each turn is a track of its own")
    for name in sorted(kinds):
        rows = manifest.of(name)
        length = sum(row.duration_us for row in rows)
        tap.ok(length > (SECONDS - 3) * 1000000, f"{name} has its media", length)
    done = session.recover(output)
    tap.equal(done.returncode, 0, "recover succeeds")
    tap.note(done.stderr)
    tap.equal(sorted(row["codec_name"] for row in streams_of(output)), ["opus"] * 4 + ["vp8"] * 4,
              "the file has all tracks")


if __name__ == "__main__":
    for needed in ("janus", "chromium"):
        if shutil.which(needed) is None:
            tap.skip_all(f"no {needed} here")
    if not private_network.is_possible():
        tap.skip_all("no network namespace may be made here")
    private_network.enter()
    main([test_janus_source], 180)
