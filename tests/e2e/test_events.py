#!/usr/bin/python3
"""Whoever reads a session's events knows at once what becomes of it; a pause by request is a gap with its reason."""

import json
import socket
import threading

from harness import Recorder, Sender, consents, main, participant, poll, stream, tap
from peers import media

SECONDS = 10


class Events:
    """Reads an event stream until it ends: (name, data) of each event."""

    def __init__(self, recorder, path):
        self.events, self.headers, self.ended = [], b"", threading.Event()
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.socket.settimeout(60)
        self.socket.connect(str(recorder.socket))
        self.socket.sendall(f"GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self):
        with self.socket.makefile("rb") as lines:
            while (line := lines.readline().strip()):
                self.headers += line + b"\n"
            name = None
            while (size := int(lines.readline().strip() or b"0", 16)) > 0:
                chunk = lines.read(size).decode()
                lines.readline()
                for line in chunk.split("\n"):
                    if line.startswith("event: "):
                        name = line[7:]
                    elif line.startswith("data: "):
                        self.events.append((name, json.loads(line[6:])))
        self.ended.set()

    def states(self):
        """Each state with its reason, once."""
        rows = [(data["state"], data.get("reason")) for _, data in self.events]
        return [row for at, row in enumerate(rows) if at == 0 or rows[at - 1] != row]

    def close(self):
        self.socket.close()


def test_events(folder):
    recorder = Recorder(folder / "recorder").start()
    sound = media.noise(folder, SECONDS, 0x41)
    session = recorder.open_session([participant("p1")], [sound.track("p1-audio", "p1")])
    path = f"/v1/sessions/{session.id}"
    events = Events(recorder, path + "/events")
    leaver = Events(recorder, path + "/events")
    sender = Sender(folder, [stream(sound, session.ports["p1-audio"])])
    poll(lambda: leaver.events and session.track("p1-audio")["packets"] > 100, 10, "two seconds of sound")
    leaver.close()

    answer = recorder.ask("POST", path + "/pause", {"reason": "break"})
    tap.equal((answer.status, answer.json["state"], answer.json["reason"]), (200, "paused", "break"), "paused by request")
    poll(lambda: session.track("p1-audio")["paused"] > 50, 10, "a second of pause")
    withdrawn = {"participant": "p1", **consents("record-audio", state="withdrawn")[0], "at": "2026-11-21T17:30:00Z"}
    recorder.ask("POST", path + "/consents", withdrawn)
    answer = recorder.ask("POST", path + "/resume", {})
    tap.equal((answer.status, answer.json["state"], answer.json["reason"]), (200, "paused", "consent-withdrawn"),
              "a request does not go on without consent")
    granted = {"participant": "p1", **consents("record-audio")[0], "at": "2026-11-21T17:40:00Z"}
    answer = recorder.ask("POST", path + "/consents", granted)
    tap.equal(answer.json["state"], "recording", "with both it goes on")
    for reason in ("", "A", "two words", 7, None, "x\ny"):
        answer = recorder.ask("POST", path + "/pause", {"reason": reason})
        tap.equal(answer.status, 422, f"the reason {reason!r} is refused")
    sender.finish()
    session.finish()
    tap.equal(recorder.ask("POST", path + "/pause", {}).status, 409, "nothing is paused after the end")

    tap.ok(events.ended.wait(20), "the stream ends with the session")
    tap.contains(events.headers.decode(), "text/event-stream", "it is an event stream")
    tap.equal(events.states(), [("recording", None), ("paused", "break"), ("paused", "consent-withdrawn"),
                                ("recording", None), ("finalising", None), ("quarantined", "consent-withdrawn")], "it told every change in order")
    gaps = [gap.reason for gap in session.manifest().gaps_of("p1-audio")]
    tap.ok("paused-break" in gaps, "the pause stands in the manifest with its reason", gaps)
    tap.equal(recorder.ask("GET", "/v1/sessions/nobody/events").status, 404, "no events of an unknown session")
    late = Events(recorder, path + "/events")
    tap.ok(late.ended.wait(10), "who comes after the end is told the end")
    tap.equal(late.states(), [("quarantined", "consent-withdrawn")], "and nothing else")
    tap.equal(recorder.stop(), 0, "the recorder ends")


def test_orphan(folder):
    """Silence never ends a session; that nobody sends and nobody asks does."""
    recorder = Recorder(folder / "recorder")
    recorder.set("orphan_s", 4)
    recorder.start()
    sound = media.noise(folder, 2, 0x51)
    forgotten = recorder.open_session([participant("p1")], [sound.track("p1-audio", "p1")])
    silent = recorder.open_session([participant("p1")], [sound.track("p1-audio", "p1")])
    Sender(folder, [stream(sound, forgotten.ports["p1-audio"])]).finish()

    def ended():
        silent.look()
        states = {row["session"]: row for row in recorder.ask("GET", "/v1/sessions").json["sessions"]}
        return states[forgotten.id] if states[forgotten.id]["state"] == "stored" else None

    tap.equal(poll(ended, 30, "the forgotten session to end")["reason"], "orphan", "a forgotten session ends as an orphan")
    tap.equal(silent.look()["state"], "recording", "one that is only silent does not")
    tap.equal(recorder.command("verify", forgotten.id).returncode, 0, "what the orphan had is stored")
    tap.equal(recorder.stop(), 0, "the recorder ends")


if __name__ == "__main__":
    main([test_events, test_orphan], 100)
