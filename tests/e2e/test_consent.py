#!/usr/bin/python3
"""Nothing is captured without everyone's consent, purpose by purpose; who joins, leaves or withdraws is obeyed at once."""

from harness import Recorder, Sender, consents, main, participant, poll, session_request, stream, streams_of, tap
from peers import media

SECONDS = 14


def person(name, *purposes, role="client"):
    return {"id": name, "role": role, "consents": consents(*purposes)}


def test_refused(folder):
    """Without consent there is no session, no port and no file."""
    recorder = Recorder(folder / "recorder").start()
    sound = media.noise(folder, 2, 0x11).track("p1-audio", "p1")
    rows = [
        ([person("p1")], "consent-missing"),
        ([person("p1", "record-video")], "consent-missing"),
        ([person("p1", "record-audio"), person("p2")], "consent-missing"),
        ([{**person("p1"), "consents": consents("record-audio", state="refused")}], "consent-refused"),
        ([{**person("p1"), "consents": consents("record-audio", state="withdrawn")}], "consent-withdrawn"),
    ]
    for people, reason in rows:
        answer = recorder.ask("POST", "/v1/sessions", session_request(people, [sound]))
        tap.equal((answer.status, answer.json.get("reason")), (403, reason), f"refused: {reason}")
    tap.equal(recorder.ask("GET", "/v1/sessions").json["sessions"], [], "a refused session leaves no trace in the API")
    stored = [path for path in recorder.store.rglob("*") if path.is_file() and "audit" not in path.parts]
    tap.equal(stored, [], "nor in the store, but for the audit log's checkpoints")
    tap.equal(recorder.stop(), 0, "the recorder ends")


def test_purposes(folder):
    """Audio consented, video not: only sound is recorded, until the other consent comes."""
    recorder = Recorder(folder / "recorder").start()
    sound, picture = media.noise(folder, SECONDS, 0x21), media.ball(folder, "vp8", SECONDS, 0x22)
    tracks = [sound.track("p1-audio", "p1"), picture.track("p1-video", "p1")]
    answer = recorder.ask("POST", "/v1/sessions", session_request([person("p1", "record-audio")], tracks))
    tap.equal(answer.status, 201, "the session begins with what is permitted")
    created = {track["id"]: track for track in answer.json["tracks"]}
    tap.equal(created["p1-audio"]["state"], "recording", "sound is recorded")
    tap.equal((created["p1-video"]["state"], created["p1-video"].get("reason")), ("not-recorded", "consent-missing"),
              "the picture is not, and says why")
    tap.ok("port" not in created["p1-video"], "it has no port to send to")

    path = f"/v1/sessions/{answer.json['session']}"
    first = Sender(folder, [stream(sound, created["p1-audio"]["port"])])
    answer = recorder.ask("POST", path + "/consents", {"participant": "p1", **consents("record-video")[0]})
    tap.equal(answer.status, 200, "the consent is taken")

    def video():
        tracks = recorder.ask("GET", path).json["tracks"]
        return next(track for track in tracks if track["id"] == "p1-video")

    poll(lambda: video()["state"] == "recording", 10, "the picture's track to begin by itself")
    second = Sender(folder, [stream(picture, video()["port"])])
    first.finish()
    second.finish()
    recorder.ask("POST", path + "/stop", {})
    poll(lambda: recorder.ask("GET", path).json["state"] == "stored", 20, "it to be stored")
    session = answer.json["session"]
    envelopes = sorted(file.name for file in (recorder.store / "clinic-a" / session / "env").iterdir())
    tap.equal(envelopes, ["1.age", "2.age"], "the late track has a generation of its own")
    output = folder / "out.mkv"
    done = recorder.command("recover", session, "--identity", recorder.org_identity, "--output", output)
    tap.equal(done.returncode, 0, "recovered")
    tap.equal(sorted(row["codec_name"] for row in streams_of(output)), ["opus", "vp8"], "with both tracks")
    tap.equal(recorder.command("verify", session).returncode, 0, "verified")
    tap.equal(recorder.stop(), 0, "the recorder ends")


def test_presence(folder):
    """A joiner without consent pauses everything; when they leave it goes on; a withdrawal ends capture."""
    recorder = Recorder(folder / "recorder").start()
    sound, picture = media.noise(folder, SECONDS, 0x31), media.ball(folder, "vp8", SECONDS, 0x32)
    tracks = [sound.track("p1-audio", "p1"), picture.track("p1-video", "p1")]
    session = recorder.open_session([participant("p1")], tracks)
    path = f"/v1/sessions/{session.id}"
    sender = Sender(folder, [stream(sound, session.ports["p1-audio"]), stream(picture, session.ports["p1-video"])])

    def packets():
        return session.track("p1-audio")["packets"]

    poll(lambda: packets() > 150, 10, "three seconds of sound")
    answer = recorder.ask("POST", path + "/participants", person("p2"))
    tap.equal((answer.status, answer.json["state"], answer.json.get("reason")), (200, "paused", "consent-missing"),
              "a joiner without consent pauses")
    poll(lambda: session.track("p1-audio")["paused"] > 50, 10, "a second of pause")
    answer = recorder.ask("DELETE", path + "/participants/p2")
    tap.equal((answer.status, answer.json["state"]), (200, "recording"), "when they leave it goes on")
    before = packets()
    poll(lambda: packets() > before + 150, 10, "three more seconds")
    withdrawn = {"participant": "p1", **consents("record-audio", state="withdrawn")[0], "at": "2026-11-21T17:30:00Z"}
    answer = recorder.ask("POST", path + "/consents", withdrawn)
    states = {track["id"]: (track["state"], track.get("reason")) for track in answer.json["tracks"]}
    tap.equal(states, {"p1-audio": ("paused", "consent-withdrawn"), "p1-video": ("recording", None)},
              "a withdrawal ends what it concerns and nothing else")
    sent = sender.finish()
    session.finish()
    manifest = session.manifest()
    for name, row in zip(("p1-audio", "p1-video"), sent):
        counts = manifest.counts[name]
        tap.equal((counts["received"] + counts["paused"], counts["lost"]), (row["packets"], 0),
                  f"{name}: what a pause dropped is counted apart")
        tap.ok(counts["paused"] > 0, f"{name}: and it did drop some", counts)
    reasons = [gap.reason for gap in manifest.gaps_of("p1-audio")]
    tap.ok("paused-consent-missing" in reasons and "paused-consent-withdrawn" in reasons,
           "the manifest says where and why", manifest.gaps)
    tap.ok("paused-consent-withdrawn" not in [gap.reason for gap in manifest.gaps_of("p1-video")],
           "for the track concerned alone", manifest.gaps)
    tap.equal(recorder.command("verify", session.id).returncode, 0, "verified")
    output = folder / "out.mkv"
    tap.equal(session.look()["state"], "quarantined", "what was recorded before the withdrawal is kept from use")
    tap.equal(session.recover(output).returncode, 1, "nobody opens it by chance")
    tap.equal(session.recover(output, "--even-apart").returncode, 0, "recovered by who says so")
    tap.equal(recorder.stop(), 0, "the recorder ends")


if __name__ == "__main__":
    main([test_refused, test_purposes, test_presence], 150)
