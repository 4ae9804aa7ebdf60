#!/usr/bin/python3
"""What goes over a limit is refused with a clear word, or ends in good order and says why."""

import json
import socket
import time

from harness import Recorder, Sender, consents, main, participant, poll, session_request, stream, tap
from peers import media
from test_events import Events


def refused(recorder, answer, limit, value, name):
    """A refusal is a 429 that names the limit, its value and its sentence."""
    tap.equal(answer.status, 429, f"{name}: refused")
    problem = answer.json
    tap.equal([problem.get("reason"), problem.get("limit"), problem.get("value")], ["limit", limit, value],
              f"{name}: the problem names the limit and its value")
    tap.ok(limit in problem["detail"] and str(value) in problem["detail"], f"{name}: so does its sentence", problem)
    tap.contains(recorder.child.log_text(), "ready", f"{name}: the recorder goes on")


def test_requests(folder):
    recorder = Recorder(folder / "recorder")
    for setting, value in (("max_tracks", 5), ("max_sessions", 2), ("max_session_tracks", 3),
                           ("max_session_participants", 2)):
        recorder.set(setting, value)
    recorder.start()
    sound = media.noise(folder, 2, 0x31)

    def tracks(n, who="p1"):
        return [sound.track(f"{who}-audio-{i}", who) for i in range(n)]

    def ask(people, wanted):
        return recorder.ask("POST", "/v1/sessions", session_request(people, wanted))

    refused(recorder, ask([participant("p1")], tracks(4)), "recorder.max_session_tracks", 3, "four tracks")
    three = [participant(name) for name in ("p1", "p2", "p3")]
    refused(recorder, ask(three, tracks(1)), "recorder.max_session_participants", 2, "three people")
    tap.equal(recorder.ask("GET", "/v1/sessions").json["sessions"], [], "nothing is left of what was refused")

    first = recorder.open_session([participant("p1"), participant("p2")], tracks(3))
    path = f"/v1/sessions/{first.id}"
    answer = recorder.ask("POST", path + "/tracks", sound.track("more", "p1"))
    refused(recorder, answer, "recorder.max_session_tracks", 3, "a fourth track")
    answer = recorder.ask("POST", path + "/participants", participant("p3"))
    refused(recorder, answer, "recorder.max_session_participants", 2, "a third person")
    recorder.ask("DELETE", path + "/participants/p2")
    tap.equal(recorder.ask("POST", path + "/participants", participant("p3")).status, 200, "a place that is free is free")

    refused(recorder, ask([participant("p1")], tracks(3)), "recorder.max_tracks", 5, "a sixth track of all")
    second = recorder.open_session([participant("p1")], tracks(2))
    refused(recorder, ask([participant("p1")], []), "recorder.max_sessions", 2, "a third session")
    denied = participant("p1")
    denied["consents"] = consents("record-audio", state="refused")
    tap.equal(ask([denied], tracks(1)).status, 403, "consent is asked before room")
    second.finish()
    third = recorder.open_session([participant("p1")], tracks(2))
    tap.equal(third.look()["state"], "recording", "the room of a session that ended is free")
    for session in (first, third):
        session.finish()
    tap.equal(recorder.stop(), 0, "the recorder ends")


def ended(recorder, events, session, reason):
    tap.ok(events.ended.wait(60), f"{reason}: the session ends by itself")
    tap.equal(events.states()[-2:], [("finalising", reason), ("stored", reason)],
              f"{reason}: the events say why, and that it is stored")
    tap.equal(session.look()["reason"], reason, f"{reason}: so does the session")
    tap.contains(recorder.child.log_text(), f"session {session.id}: ended: {reason}", f"{reason}: so does the log")
    done = recorder.command("verify", session.id)
    tap.equal(done.returncode, 0, f"{reason}: what was recorded verifies")
    shown = json.loads(recorder.command("session", "show", session.id, "--json").stdout)
    tap.equal([shown["state"], shown["reason"]], ["stored", reason], f"{reason}: the sealed manifest says why")
    tap.contains(recorder.command("session", "show", session.id).stdout, reason, f"{reason}: and people read it")
    tap.ok(session.manifest().of("p1-audio"), f"{reason}: something was recorded")


def begin(folder, recorder, seconds, sent_s):
    sound = media.noise(folder, sent_s, 0x33)
    session = recorder.open_session([participant("p1")], [sound.track("p1-audio", "p1")])
    events = Events(recorder, f"/v1/sessions/{session.id}/events")
    return session, events, Sender(folder, [stream(sound, session.ports["p1-audio"])])


def test_hours(folder):
    recorder = Recorder(folder / "recorder")
    recorder.set("max_session_s", 5)
    recorder.start()
    session, events, sender = begin(folder, recorder, 5, 8)
    ended(recorder, events, session, "limit-hours")
    sender.finish()
    answer = recorder.ask("POST", f"/v1/sessions/{session.id}/stop", {})
    tap.equal([answer.status, answer.json["state"]], [200, "stored"], "to stop it once more is harmless")
    tap.equal(recorder.stop(), 0, "the recorder ends")


def test_bytes(folder):
    """One mebibyte of a track that sends more than that."""
    recorder = Recorder(folder / "recorder")
    recorder.set("max_session_mib", 1)
    recorder.start()
    ball = media.ball(folder, "vp8", 20, 0x35, bitrate=1500000, pattern="smpte")
    sound = media.noise(folder, 20, 0x36)
    session = recorder.open_session([participant("p1")], [sound.track("p1-audio", "p1"), ball.track("p1-video", "p1")])
    events = Events(recorder, f"/v1/sessions/{session.id}/events")
    sender = Sender(folder, [stream(sound, session.ports["p1-audio"]), stream(ball, session.ports["p1-video"])])
    ended(recorder, events, session, "limit-bytes")
    taken = sum(track["bytes"] for track in session.look()["tracks"])
    tap.ok(taken >= 2**20, "not before the limit", taken)
    sender.finish()
    tap.equal(recorder.stop(), 0, "the recorder ends")


def test_bit_rate(folder):
    """Ten seconds at about 100 kbit/s, and in the middle five times as much: that is dropped, and told."""
    recorder = Recorder(folder / "recorder")
    recorder.set("max_track_kbps", 200)
    recorder.start()
    sound = media.noise(folder, 14, 0x37)
    session = recorder.open_session([participant("p1")], [sound.track("p1-audio", "p1")])
    events = Events(recorder, f"/v1/sessions/{session.id}/events")
    flood = Flood(media.read_packets(sound.packets), session.ports["p1-audio"])
    flood.run(fat_from_s=4, fat_to_s=9)
    session.finish()
    live = session.track("p1-audio")
    tap.ok(live["limited"] > 20, "packets were dropped", live)
    tap.equal([live["packets"] + live["limited"], live["lost"], live["foreign"]], [flood.n_sent, 0, 0],
              "each packet is recorded or counted as dropped")
    gaps = session.manifest().gaps_of("p1-audio")
    held = sum(gap.duration_us for gap in gaps if gap.reason == "limit-bitrate")
    tap.ok(held > 1500000, "the manifest has the holes with their reason", gaps)
    tap.ok(all(gap.reason in ("limit-bitrate", "no-media") for gap in gaps), "and no other reason", gaps)
    tap.contains(recorder.child.log_text(), "recorder.max_track_kbps (200)", "the log names the limit")
    told = [track.get("reason") for _, data in events.events for track in data["tracks"]]
    tap.ok("limit-bitrate" in told, "the events tell of it while it is", told)
    tap.ok(told[-1] is None, "and not at the end", told)
    tap.equal(recorder.command("verify", session.id).returncode, 0, "it verifies")
    tap.equal(recorder.command("recover", session.id, "--identity", recorder.org_identity, "--output",
                               folder / "out.mkv").returncode, 0, "and plays")
    tap.equal(recorder.stop(), 0, "the recorder ends")


class Flood:
    """Sends an audio stream at its pace, with a large header extension in a part of it."""

    def __init__(self, packets, port):
        self.packets, self.port, self.n_sent = packets, port, 0

    def run(self, fat_from_s, fat_to_s):
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as out:
            begin = time.monotonic()
            for number, packet in enumerate(self.packets):
                at = number * 0.02
                time.sleep(max(0, begin + at - time.monotonic()))
                is_fat = fat_from_s <= at < fat_to_s
                out.sendto(self.fatten(packet) if is_fat else packet, ("127.0.0.1", self.port))
                self.n_sent += 1

    @staticmethod
    def fatten(packet):
        """More than a kilobyte of header extension (RFC 3550 5.3.1)."""
        words = 300
        extension = bytes([0xBE, 0xDE, words >> 8, words & 255]) + bytes(4 * words)
        return bytes([packet[0] | 0x10]) + packet[1:12] + extension + packet[12:]


if __name__ == "__main__":
    main([test_requests, test_hours, test_bytes, test_bit_rate], 120)
