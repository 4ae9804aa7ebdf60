#!/usr/bin/python3
"""The recorder follows a room whatever its Janus says: nobody is forwarded without consent, and a Janus that talks
nonsense, hangs or refuses is named in the session and asked again, while the recorder goes on."""

import datetime
import os

from harness import Recorder, Session, consents, main, participant, poll, session_request, tap
from peers.fake_janus import FakeJanus

NONSENSE = {
    "html": "not JSON",
    "500": "HTTP status 500",
    "redirect": "HTTP status 302",
    "huge": "longer than 1048576 bytes",
    "cut": "Connection terminated",
    "transaction": "transaction nobody began",
    "no-id": "without an id",
    "array": "without \"janus\"",
    "nonsense-poll": "not JSON",
    "hang": "no answer in time",
}
AUDIO, VIDEO = ("audio", "opus"), ("video", "vp8")


def start(folder, janus, port_range=None, **files):
    recorder = Recorder(folder / "recorder", port_range=port_range)
    lines = [f'url = "{janus.url}";']
    for setting, text in files.items():
        path = recorder.folder / "keys" / setting
        path.write_text(text + "\n")
        path.chmod(0o600)
        lines.append(f'{setting}_file = "keys/{setting}";')
    with open(recorder.config, "a") as config:
        config.write("\njanus: { " + " ".join(lines) + " };\n")
    return recorder.start()


def follow(recorder, participants, **source):
    body = session_request(participants, [])
    body["source"] = {"type": "janus", "room": 1234, **source}
    answer = recorder.ask("POST", "/v1/sessions", body)
    if answer.status != 201:
        raise RuntimeError(f"no session: {answer}")
    return Session(recorder, answer.json)


def now():
    return datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")


def source(session):
    return session.look()["source"]


def wait_source(session, state, timeout_s=15):
    return poll(lambda: (source(session)["state"] == state) and source(session), timeout_s, f"source to be {state}")


def forwarded(session):
    return sorted(stream["track"] for row in source(session)["publishers"] for stream in row["streams"]
                  if stream["state"] == "forwarded")


def wait_forwarded(session, *tracks):
    return poll(lambda: forwarded(session) == sorted(tracks), 15, f"{tracks} to be forwarded")


def test_nonsense(folder):
    janus = FakeJanus()
    janus.mood = "html"
    recorder = start(folder, janus)
    session = follow(recorder, [participant("p1")])
    for mood, problem in NONSENSE.items():
        janus.mood = "good"
        wait_source(session, "following", 30)
        janus.mood = mood
        janus.forget()
        seen = poll(lambda: source(session).get("problem", "").find(problem) >= 0 and
                    source(session)["state"] == "trouble" and source(session), 60, f"{mood} to be named")
        tap.ok(True, f"{mood}: {seen['problem']}")
        tap.contains(recorder.child.log_text(), "the Janus room can not be followed: " + seen["problem"],
                     f"{mood}: and so says the log")
        tap.equal(session.look()["state"], "recording", f"{mood}: the session goes on")
    janus.mood = "good"
    janus.publish(11, "p1", AUDIO)
    wait_forwarded(session, "p1-audio")
    tap.ok(True, "a Janus that has come to its senses is followed")
    janus.mood = "hang"
    session.finish()
    tap.ok(True, "a session ends while Janus hangs")
    tap.equal(recorder.stop(), 0, "the recorder ends")
    janus.close()


def test_only_consented(folder):
    janus = FakeJanus()
    janus.publish(11, "p1", AUDIO, VIDEO)
    janus.publish(12, "Somebody Else", AUDIO, VIDEO)
    janus.publish("p2", "x", AUDIO, ("video", "av1"), ("data", ""))
    recorder = start(folder, janus)
    audio_only = {"id": "p1", "role": "client", "consents": consents("record-audio")}
    session = follow(recorder, [audio_only, participant("p2")])
    wait_forwarded(session, "p1-audio", "p2-audio")
    rows = {row["id"]: row for row in source(session)["publishers"]}
    tap.equal(rows[12].get("problem"), "not-in-session", "whom nobody named is reported")
    tap.equal(rows[12]["streams"], [], "and not forwarded")
    tap.equal(rows["p2"]["streams"][1]["state"], "not-forwarded", "nor is what can not be recorded")
    tap.contains(rows["p2"]["streams"][1]["problem"], "av1", "which is said")
    tap.equal({row["publisher_id"] for row in janus.forwards.values()}, {11, "p2"}, "by Janus neither")
    tap.equal(session.track("p1-video")["state"], "not-recorded", "video waits for its consent")
    tap.ok("Somebody Else" not in recorder.child.log_text(), "the log names nobody")
    tap.ok("Somebody Else" not in str(session.look()), "nor does the session")

    granted = {"participant": "p1", **consents("record-video")[0]}
    tap.equal(recorder.ask("POST", f"/v1/sessions/{session.id}/consents", granted).status, 200, "it comes")
    wait_forwarded(session, "p1-audio", "p1-video", "p2-audio")
    video = next(row for row in janus.forwards.values() if row["mid"] == "1")
    port = session.track("p1-video")["port"]
    tap.equal((video["port"], video["rtcp_port"], video["pt"]), (port, port + 1, 96), "and video goes to its port")

    tap.equal(recorder.ask("DELETE", f"/v1/sessions/{session.id}/participants/p2").status, 200, "one is taken out")
    wait_forwarded(session, "p1-audio", "p1-video")
    poll(lambda: {row["publisher_id"] for row in janus.forwards.values()} == {11}, 10, "the forward to be stopped")
    tap.equal(session.track("p2-audio")["state"], "ended", "and is not recorded any more")
    session.finish()
    poll(lambda: not janus.forwards and janus.requests("(destroy)"), 10, "all forwards to be stopped")
    tap.ok(True, "nothing is forwarded after the end, and Janus has its session back")
    tap.equal(recorder.command("verify", session.id).returncode, 0, "verify finds all there")
    tap.equal(recorder.stop(), 0, "the recorder ends")
    janus.close()


def test_held_is_not_forwarded(folder):
    janus = FakeJanus()
    janus.publish(11, "p1", AUDIO, VIDEO)
    recorder = start(folder, janus)
    session = follow(recorder, [participant("p1")])
    wait_forwarded(session, "p1-audio", "p1-video")
    tell = f"/v1/sessions/{session.id}"
    for before, after, left in (
        (("consents", {"participant": "p1", **consents("record-video", state="withdrawn")[0], "at": now()}),
         ("consents", {"participant": "p1", **consents("record-video")[0], "at": None}), {"0"}),
        (("pause", {}), ("resume", {}), set()),
    ):
        tap.equal(recorder.ask("POST", f"{tell}/{before[0]}", before[1]).status, 200, f"{before[0]}")
        poll(lambda: {row["mid"] for row in janus.forwards.values()} == left, 10, "the forward to be stopped")
        tap.ok(True, "what may not be recorded is not forwarded any more")
        wait_forwarded(session, *(["p1-audio"] if left else []))
        tap.ok(all(session.track(name)["state"] != "ended" for name in ("p1-audio", "p1-video")), "its track goes on")
        body = {key: value for key, value in after[1].items() if value is not None}
        tap.equal(recorder.ask("POST", f"{tell}/{after[0]}", body).status, 200, f"{after[0]} again")
        wait_forwarded(session, "p1-audio", "p1-video")
        ports = {session.track(name)["port"] for name in ("p1-audio", "p1-video")}
        tap.equal({row["port"] for row in janus.forwards.values()}, ports, "and it is forwarded to the same track")
    janus.mood_stop = "ignore"
    recorder.ask("POST", f"{tell}/pause", {})
    poll(lambda: len(janus.requests("stop_rtp_forward")) >= 5, 10, "Janus to be asked to stop")
    tap.equal(len(janus.forwards), 2, "a Janus that does not stop when it is told")
    janus.mood_stop = "good"
    poll(lambda: not janus.forwards, 15, "the forward to be stopped")
    tap.ok(True, "is told again")
    session.finish()
    tap.equal(recorder.command("verify", session.id).returncode, 0, "verify finds all there")
    tap.equal(recorder.stop(), 0, "the recorder ends")
    janus.close()


def test_one_session_for_each_room(folder):
    janus = FakeJanus()
    recorder = start(folder, janus)
    session = follow(recorder, [participant("p1")])
    body = {**session_request([participant("p2")], []), "source": {"type": "janus", "room": 1234}}
    answer = recorder.ask("POST", "/v1/sessions", body)
    tap.equal(answer.status, 409, "a second session for the same room is refused")
    tap.contains(answer.json["detail"], f"session {session.id} follows this room already", "and it is said why")
    other = follow(recorder, [participant("p2")], room=1235)
    tap.equal(other.look()["state"], "recording", "another room is another matter")
    session.stop()
    tap.equal(recorder.ask("POST", "/v1/sessions", body).status, 201, "after the first has ended, the next may follow")
    tap.equal(recorder.stop(), 0, "the recorder ends")
    janus.close()


def test_come_and_go(folder):
    janus = FakeJanus()
    recorder = start(folder, janus, (41000, 41003))
    session = follow(recorder, [participant("p1")])
    wait_source(session, "following")
    for track in ("p1-audio", "p1-audio-2"):
        for left in (9, 10):
            janus.forwards[left] = {"stream_id": left, "host": "127.0.0.1", "port": 41000 + (left - 9) * 2,
                                    "publisher_id": 99, "mid": "0"}
        janus.publish(11, "p1", AUDIO)
        wait_forwarded(session, track)
        port = session.track(track)["port"]
        tap.equal([row["publisher_id"] for row in janus.forwards.values() if row["port"] == port], [11], "what an earlier recorder left at our port is stopped")
        janus.leave(11)
        poll(lambda: session.track(track)["state"] == "ended", 10, f"{track} to end")
        tap.ok(True, f"{track} ends as its publisher leaves")
    janus.publish(13, "p1", AUDIO)
    wait_forwarded(session, "p1-audio-3")
    janus.forwards.clear()
    wait_forwarded(session, "p1-audio-4")
    tap.ok(True, "a forward that Janus lost without a word is noticed")
    janus.forget()
    poll(lambda: session.track("p1-audio-4")["state"] == "ended", 15, "the track to end")
    janus.publish(13, "p1", AUDIO)
    wait_forwarded(session, "p1-audio-5")
    tap.ok(True, "after a restart of Janus it goes on")
    janus.destroy_room()
    session.wait_state("stored")
    tap.ok(True, "the session ends with the room")
    tap.equal(recorder.command("verify", session.id).returncode, 0, "verify finds all there")
    tap.equal(recorder.stop(), 0, "the recorder ends")
    janus.close()


def test_recorder_stops(folder):
    janus = FakeJanus()
    janus.publish(11, "p1", AUDIO, VIDEO)
    recorder = start(folder, janus)
    session = follow(recorder, [participant("p1")])
    wait_forwarded(session, "p1-audio", "p1-video")
    tap.equal(recorder.stop(), 0, "the recorder ends")
    tap.equal(janus.forwards, {}, "and has stopped all forwards")
    janus.close()


def test_secrets(folder):
    janus = FakeJanus()
    secrets = {"apisecret": "api & secret", "secret": "of the room", "admin_key": "of the plugin", "pin": "of the door"}
    janus.require(**secrets)
    janus.publish(11, "p1", AUDIO)
    recorder = start(folder, janus, api_secret="wrong", room_secret=secrets["secret"], room_pin=secrets["pin"],
                     admin_key=secrets["admin_key"])
    session = follow(recorder, [participant("p1")], ends_with_room=False)
    tap.contains(wait_source(session, "trouble")["problem"], "Unauthorized request", "a wrong secret is named")
    session.finish()
    (recorder.folder / "keys" / "api_secret").write_text(secrets["apisecret"])
    session = follow(recorder, [participant("p1")], ends_with_room=False)
    wait_forwarded(session, "p1-audio")
    tap.ok(True, "with the right ones it is forwarded")
    janus.destroy_room()
    wait_source(session, "following")
    tap.equal(session.look()["state"], "recording", "a session may outlive its room")
    os.chmod(recorder.folder / "keys" / "api_secret", 0o644)
    session.finish()
    other = follow(recorder, [participant("p1")])
    tap.contains(wait_source(other, "trouble")["problem"], "api_secret", "a secret that others may read is not used")
    os.chmod(recorder.folder / "keys" / "api_secret", 0o600)
    wait_forwarded(other, "p1-audio")
    tap.ok(True, "until that is mended")
    tap.ok(all(body["pin"] == secrets["pin"] for body in janus.requests("join")), "the room is entered with its pin")
    for text in (recorder.child.log_text(), str(session.look()), str(other.look())):
        tap.ok(not any(secret in text for secret in secrets.values()), "no secret is told")
    tap.equal(recorder.stop(), 0, "the recorder ends")
    janus.close()


def test_bad_requests(folder):
    recorder = Recorder(folder / "recorder").start()
    for what, sentence in (
        ({"type": "janus", "room": 1234}, "names no Janus"),
        ({"type": "janus"}, "\"room\" must be"),
        ({"type": "janus", "room": -1}, "\"room\" must be"),
        ({"type": "janus", "room": 1, "url": "http://x/"}, "\"url\" is not a known member"),
        ({"type": "janus", "room": 1, "ends_with_room": 1}, "true or false"),
        ({"type": "zoom"}, "\"type\" must be"),
    ):
        body = session_request([participant("p1")], [])
        body["source"] = what
        answer = recorder.ask("POST", "/v1/sessions", body)
        tap.equal(answer.status, 422, f"{what} is refused")
        tap.contains(answer.json["detail"], sentence, "with a sentence")
    tap.equal(recorder.stop(), 0, "the recorder ends")


if __name__ == "__main__":
    main([test_bad_requests, test_only_consented, test_held_is_not_forwarded, test_one_session_for_each_room, test_come_and_go, test_recorder_stops, test_secrets, test_nonsense], 170)
