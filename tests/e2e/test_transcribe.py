#!/usr/bin/python3
"""What was said in a visit is written down by a real recogniser, and sealed into the session.

Speech of flite goes as Opus over RTP into the recorder. `sealtape transcribe` asks the opener, has pocketsphinx listen to
each of the two, through a pipe, and the recorder seal what it understood. Debian's age opens it. Workers that hang, flood, fail or
talk nonsense, and servers that do, leave nothing behind.
"""

import http.server
import pathlib
import re
import shutil
import stat
import subprocess
import textwrap
import threading
import time

from harness import Recorder, Sender, age_decrypt, cli, consents, main, program, stream, tap
from opener import Opener
from peers import media

# Debian's recogniser gives words with their times; a cue for each utterance is made of them.
RECOGNISER = """
    import subprocess
    said = subprocess.run(
        ["pocketsphinx_continuous", "-infile", "/dev/stdin", "-time", "yes"], stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL, text=True, check=True
    ).stdout
    def clock(seconds):
        return f"{int(seconds) // 60:02}:{int(seconds) % 60:02}.{int(seconds * 1000) % 1000:03}"
    print("WEBVTT\\n")
    words = []
    for line in said.splitlines() + ["end"]:
        part = line.split()
        if len(part) == 4 and part[1][0].isdigit():
            if part[0][0] not in "<[":
                words.append((part[0].split("(")[0], float(part[1]), float(part[2])))
        elif words:
            print(f"{clock(words[0][1])} --> {clock(words[-1][2])}\\n{' '.join(word for word, _, _ in words)}\\n")
            words = []
"""

SENTENCES = {"p1": "please take the medicine two times every day", "p2": "i feel much better than last week"}
BEGINS_S = {"p1": 0.5, "p2": 5.0}
PURPOSES = ("record-audio", "record-video", "transcribe")


class Visits:
    """A recorder, and sessions of two people who speak one after the other; made once for all tests."""

    made = None

    def __init__(self, folder):
        self.recorder = Recorder(folder / "recorder")
        self.folder = folder
        self.opener = Opener(self.recorder)
        self.token = folder / "transcriber.token"
        self.token.write_text(self.opener.token("scribe", "transcriber"))
        self.settings = self.recorder.folder / "orgs" / "clinic-a.conf"
        self.plain_settings = self.settings.read_text().replace(
            'purposes = [ "record-audio", "record-video" ];', f"purposes = [ {', '.join(map(quoted, PURPOSES))} ];"
        ).replace("consent:\n{", 'consent:\n{\n    minors_by = [ "US-CA mental-health 12: alone" ];', 1)
        self.worker("command", ["/bin/false"])
        self.recorder.start()
        self.sound = {
            "p1": media.sentence(folder, SENTENCES["p1"], "kal16", BEGINS_S["p1"], 8, 0x11),
            "p2": media.sentence(folder, SENTENCES["p2"], "rms", BEGINS_S["p2"], 8, 0x21),
        }
        # Who is allowed is a minor: whose yes counts is looked up by what the session was for, where, and the age.
        allowed = self.record((PURPOSES, PURPOSES), {"minor": True, "age": 13, "jurisdiction": "US-CA"}, service="mental-health")
        refused = self.record((PURPOSES, PURPOSES[:2]))
        self.allowed, self.refused = (self.finish(*session) for session in (allowed, refused))
        self.opener.start()

    @classmethod
    def get(cls, folder):
        cls.made = cls.made or cls(folder)
        return cls.made

    def record(self, purposes, about_client=None, **more):
        people = [
            {"id": name, "role": role, "consents": consents(*granted)}
            for name, role, granted in zip(("p1", "p2"), ("provider", "client"), purposes)
        ]
        people[1].update(about_client or {})
        tracks = [sound.track(f"{name}-audio", name) for name, sound in self.sound.items()]
        session = self.recorder.open_session(people, tracks, **more)
        rows = [stream(sound, session.ports[f"{name}-audio"]) for name, sound in self.sound.items()]
        return session, Sender(self.folder, rows)

    @staticmethod
    def finish(session, sender):
        sender.finish()
        session.finish()
        return session

    def worker(self, *lines):
        """The group `transcription`; lines are names and values in turns."""
        rows = "".join(f"    {name} = {shown(value)};\n" for name, value in zip(lines[::2], lines[1::2]))
        self.settings.write_text(f"{self.plain_settings}\ntranscription:\n{{\n{rows}}};\n")

    def script(self, name, text):
        path = self.folder / name
        path.write_text("#!/usr/bin/python3\n" + textwrap.dedent(text))
        path.chmod(0o755)
        return str(path)

    def transcribe(self, session, *more):
        return self.recorder.command("transcribe", session.id, "--token-file", self.token, *more)

    def offline(self, session, *more):
        return self.recorder.command("transcribe", session.id, "--identity", self.recorder.org_identity, *more)

    def told(self):
        """What the command line has told the auditors."""
        folder = self.recorder.folder / "audit" / self.recorder.org
        return "\n".join(path.read_text() for path in sorted(folder.glob("admin*.log")))

    def names(self, session):
        return sorted(str(path.relative_to(session.folder())) for path in session.folder().rglob("*") if path.is_file())


def quoted(text):
    return f'"{text}"'


def shown(value):
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, list):
        return f"[ {', '.join(map(quoted, value))} ]"
    return quoted(value) if isinstance(value, str) else str(value)


class WriteWatch(threading.Thread):
    """Which regular files the command has open for writing, looked at all the time."""

    def __init__(self, config):
        super().__init__(daemon=True)
        self.config, self.found, self.n_looks = str(config).encode(), set(), 0
        self._end = threading.Event()
        self.start()

    def run(self):
        while not self._end.wait(0.01):
            for process in pathlib.Path("/proc").glob("[0-9]*"):
                self._look(process)

    def _look(self, process):
        try:
            words = (process / "cmdline").read_bytes().split(b"\0")
            if self.config not in words or b"transcribe" not in words:
                return
            self.n_looks += 1
            for link in (process / "fd").iterdir():
                flags = int(re.search(r"flags:\s*(\d+)", (process / "fdinfo" / link.name).read_text())[1], 8)
                if flags & 3 and stat.S_ISREG(link.stat().st_mode):
                    self.found.add(str(link.readlink()))
        except OSError:
            pass

    def finish(self):
        self._end.set()
        self.join()


def open_transcript(visits, session, track):
    """With Debian's age alone, as docs/recovery.md has it."""
    keys = visits.folder / "track.keys"
    for envelope in (session.folder() / "env").iterdir():
        plain = age_decrypt(envelope.read_bytes(), visits.recorder.org_identity)
        if f"# track {track}\n".encode() in plain:
            keys.write_bytes(plain)
            keys.chmod(0o600)
    return age_decrypt((session.folder() / f"t{track}" / "0-0.tape").read_bytes(), keys).decode()


def cues_of(text):
    pattern = r"(\d\d):(\d\d):(\d\d\.\d\d\d) --> \S+\n<v ([^>]*)>(.*)"
    return [
        (int(h) * 3600 + int(m) * 60 + float(s), voice, words) for h, m, s, voice, words in re.findall(pattern, text)
    ]


def test_words_are_found(folder):
    visits = Visits.get(folder)
    visits.worker("command", [visits.script("recognise", RECOGNISER), "{language}"], "timeout_s", 60)
    watch = WriteWatch(visits.recorder.config)
    before = set(pathlib.Path("/tmp").iterdir()) | set(pathlib.Path("/dev/shm").iterdir())
    done = visits.transcribe(visits.allowed, "--json")
    watch.finish()
    after = set(pathlib.Path("/tmp").iterdir()) | set(pathlib.Path("/dev/shm").iterdir())
    tap.equal(done.returncode, 0, "transcribe ends well")
    tap.note(done.stderr)
    tap.ok(watch.n_looks > 10, "and was watched meanwhile", str(watch.n_looks))
    tap.equal(watch.found, set(), "no file was open for writing: sound went through pipes alone")
    sounds = [path for path in after - before if path.is_file() and b"WAVE" in path.read_bytes()[:64]]
    tap.equal(sounds, [], "no WAV lies anywhere either")
    track = f"transcript-{len(visits.allowed.manifest().paths)}"
    text = open_transcript(visits, visits.allowed, track)
    tap.note(text)
    for name, voice in (("p1", "Provider p1"), ("p2", "Client p2")):
        cues = [(start, words) for start, who, words in cues_of(text) if who == voice]
        heard = " ".join(words for _, words in cues).split()
        wanted = SENTENCES[name].split()
        hits = sum(word in heard for word in wanted)
        tap.ok(hits >= len(wanted) - 2, f"{hits} of the {len(wanted)} words of {voice} are found", heard)
        tap.near(min([start for start, _ in cues], default=-99), BEGINS_S[name], 1.2, "when they were said")
    states = visits.allowed.manifest().states
    tap.equal(states[-2:], ["closed", "amended"], "the manifest goes on behind the session's end")
    verified = visits.recorder.command("verify", visits.allowed.id)
    tap.equal(verified.returncode, 0, "and verifies: " + verified.stdout + verified.stderr)
    found = [path for path in visits.recorder.folder.rglob("*") if path.is_file() and b"medicine" in path.read_bytes()]
    tap.equal(found, [], "no word lies in the clear")
    shown_text = visits.allowed.recover(folder / "said.vtt", "--transcript")
    tap.equal(shown_text.returncode, 0, "recover gives the transcript: " + shown_text.stderr)
    tap.equal((folder / "said.vtt").read_text(), text, "the same")
    media_file = visits.allowed.recover(folder / "visit.mkv")
    tap.equal(media_file.returncode, 0, "and the sound as before: " + media_file.stderr)
    again = visits.transcribe(visits.allowed, "--json")
    tap.equal(again.returncode, 0, "a second transcript is a further part: " + again.stderr)
    tap.equal(visits.recorder.command("verify", visits.allowed.id).returncode, 0, "which verifies as well")
    lines = [line for line in visits.opener.records().splitlines() if f"session={visits.allowed.id}" in line]
    told = [word for line in lines for word in line.split() if word in ("grant-issued", "media-exported")]
    tap.equal(told[:5], ["grant-issued"] * 2 + ["media-exported", "grant-issued", "media-exported"],
              "the opener gave a grant for each of them, and told so before it opened anything")
    for words in ("role=transcriber", "use=HOPERAT", "tracks=p1-audio", "tracks=p2-audio"):
        tap.contains("\n".join(lines), words, f"its records say {words}")
    tap.ok("grant-ended ok" in "\n".join(lines) or "reason=returned" in "\n".join(lines), "and each was given back")


def test_refused_without_consent(folder):
    visits = Visits.get(folder)
    mark = visits.folder / "worker-ran"
    visits.worker("command", [visits.script("marker", f"open({str(mark)!r}, 'w'); print('WEBVTT')")])
    before = visits.names(visits.refused)
    done = visits.transcribe(visits.refused)
    tap.equal(done.returncode, 1, "one has not consented to transcribe: refused")
    tap.contains(done.stderr, "(consent-missing)", "and said why")
    records = [line for line in visits.opener.records().splitlines() if visits.refused.id in line]
    tap.ok(any("access-refused" in line and "reason=consent-missing" in line for line in records), "by the opener", records)
    tap.ok(not any("media-exported" in line for line in records), "which opened nothing", records)
    token = visits.folder / "other.token"
    for subject, role in (("keep", "custodian"), ("doc", "provider"), ("boss", "admin")):
        token.write_text(visits.opener.token(subject, role))
        done = visits.recorder.command("transcribe", visits.allowed.id, "--token-file", token)
        tap.equal(done.returncode, 1, f"a {role} is not a transcriber")
        tap.contains(done.stderr, "(role-forbidden)", "and is told so")
    done = visits.recorder.command("transcribe", visits.allowed.id)
    tap.contains(done.stderr, "(role-forbidden)", "nor is who set it up, until the organisation says so")
    tap.ok(not mark.exists(), "no worker was started")
    tap.equal(visits.names(visits.refused), before, "nothing was added to the session")


def test_offline(folder):
    """With an identity in hand nobody decides but the consents; what is done is told first, or not done."""
    visits = Visits.get(folder)
    mark = visits.folder / "worker-ran"
    visits.worker("command", [visits.script("marker", f"open({str(mark)!r}, 'w'); print('WEBVTT')")])
    done = visits.offline(visits.refused)
    tap.contains(done.stderr, "consent-missing (participant p2)", "offline as well: refused, and said whose consent")
    tap.contains(visits.told(), f"recording-recovered ok session={visits.refused.id}", "after it was told")
    done = visits.offline(visits.allowed)
    tap.equal(done.returncode, 0, "with consents it is done: " + done.stderr)
    tap.ok(mark.exists(), "the worker has heard it")
    told = visits.told()
    tap.contains(told, f"recording-recovered ok session={visits.allowed.id}", "and the auditors of it")
    mark.unlink()
    before = visits.names(visits.allowed)
    log = next((visits.recorder.folder / "audit" / visits.recorder.org).glob("admin*.log"))
    size = log.stat().st_size
    done = subprocess.run(
        ["prlimit", f"--fsize={size}:{size}", program("sealtape"), "--config", str(visits.recorder.config), "transcribe",
         visits.allowed.id, "--identity", str(visits.recorder.org_identity)], capture_output=True, text=True)
    tap.equal(done.returncode, 1, "where it can not be told, it is not done")
    tap.contains(done.stderr, "this can not be audited, and is not done", "and said so")
    tap.ok(not mark.exists(), "no worker was started")
    tap.equal(visits.names(visits.allowed), before, "nothing was added")
    done = visits.offline(visits.allowed, "--token-file", visits.token)
    tap.equal(done.returncode, 2, "an identity and a token do not go together")


BAD_WORKERS = {
    "hangs": ("import time\ntime.sleep(600)", "did not end within 1 s"),
    "hangs with a child": ("import os, time\nos.fork()\ntime.sleep(600)", "did not end within 1 s"),
    "floods": ("while True:\n  print('words ' * 1000)", "answered more than 64 KiB"),
    "exits with 3": ("import sys\nprint('SECRETWORDS', file=sys.stderr)\nsys.exit(3)", "exited with status 3"),
    "talks nonsense": ("print('SECRETWORDS')", "is not WebVTT: line 1"),
    "ends a cue before it begins": ("print('WEBVTT\\n\\n00:02.000 --> 00:01.000\\nSECRETWORDS')", "line 3"),
    "answers in another encoding": ("import sys\nsys.stdout.buffer.write(b'WEBVTT\\n\\xff')", "not text in UTF-8"),
    "dies": ("import os\nos.kill(os.getpid(), 9)", "ended by signal 9"),
}


def test_bad_workers_leave_nothing(folder):
    visits = Visits.get(folder)
    before = visits.names(visits.allowed)
    for name, (text, words) in BAD_WORKERS.items():
        visits.worker("command", [visits.script("bad", text)], "timeout_s", 1, "max_output_kib", 64)
        done = visits.transcribe(visits.allowed)
        tap.equal(done.returncode, 1, f"a worker that {name} fails the transcription")
        tap.contains(done.stderr, words, "and is told of: " + done.stderr.strip())
        tap.ok("SECRETWORDS" not in done.stderr + done.stdout, "but not what it said")
    visits.worker("command", ["/nowhere/worker"])
    tap.contains(visits.transcribe(visits.allowed).stderr, "can not be started", "a worker that is not there")
    tap.equal(visits.names(visits.allowed), before, "none of them left anything in the session")
    left = subprocess.run(["pgrep", "-f", str(visits.folder / "bad")], capture_output=True, text=True).stdout
    tap.equal(left, "", "nor a process")


class Server(http.server.BaseHTTPRequestHandler):
    """A worker that is asked over HTTP; `answers` says how it behaves."""

    protocol_version = "HTTP/1.1"
    answer, got, heads = "good", [], []

    def do_POST(self):
        sound = b""
        while (size := int(self.rfile.readline(), 16)) > 0:
            sound += self.rfile.read(size)
            self.rfile.readline()
        self.rfile.readline()
        Server.got.append(sound)
        Server.heads.append(dict(self.headers))
        if Server.answer == "slow":
            time.sleep(3)
        status = 500 if Server.answer == "failing" else 200
        body = b"WEBVTT\n\n00:01.000 --> 00:02.000\nhello from the server\n"
        if Server.answer == "flood":
            body += b"\n00:01.000 --> 00:02.000\n" + b"x" * 200000
        self.send_response(status)
        self.send_header("Content-Type", "text/html" if Server.answer == "html" else "text/vtt; charset=utf-8")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


def test_server_as_worker(folder):
    visits = Visits.get(folder)
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Server)
    server.handle_error = lambda *_: None  # clients that hang up are what is tested
    threading.Thread(target=server.serve_forever, daemon=True).start()
    token = visits.folder / "token"
    token.write_text("let-me-in\n")
    token.chmod(0o600)
    url = f"http://127.0.0.1:{server.server_address[1]}/transcribe"
    setting = ["url", url, "baa", True, "token_file", str(token), "timeout_s", 2, "max_output_kib", 64]
    visits.worker(*setting)
    before = visits.names(visits.allowed)
    for answer, words in (
        ("failing", "HTTP status 500"), ("slow", "did not answer within 2 s"), ("flood", "more than 64 KiB"),
        ("html", "is not text/vtt"),
    ):
        Server.answer = answer
        done = visits.transcribe(visits.allowed)
        tap.equal(done.returncode, 1, f"a server that is {answer} fails the transcription")
        tap.contains(done.stderr, words, "and is told of: " + done.stderr.strip())
    tap.equal(visits.names(visits.allowed), before, "and nothing was added")
    Server.answer, Server.got, Server.heads = "good", [], []
    done = visits.transcribe(visits.allowed)
    tap.equal(done.returncode, 0, "a good one serves: " + done.stderr)
    tap.equal([sound[:4] + sound[8:16] for sound in Server.got], [b"RIFFWAVEfmt "] * 2, "it got a WAV of each of the two")
    tap.near(len(Server.got[0]) / 32000, 8, 2, "as long as the session")
    tap.equal(Server.heads[0].get("Authorization"), "Bearer let-me-in", "and the token")
    track = f"transcript-{len(visits.allowed.manifest().paths)}"
    tap.contains(open_transcript(visits, visits.allowed, track), "<v Client p2>hello from the server", "its words are sealed")
    for lines, words in (
        (["url", url], "business associate agreement"),
        (["url", "http://worker.example/x", "baa", True], "must be https://"),
        (["url", url, "command", ["/bin/cat"], "baa", True], "either command or url"),
        (["command", ["/bin/cat"], "baa", True], "goes with url"),
        (["command", ["/bin/cat"], "format", "srt"], "must be \"vtt\" or \"text\""),
        (["command", []], "the recogniser's program"),
    ):
        visits.worker(*lines)
        checked = cli("--config", str(visits.recorder.config), "config", "check")
        tap.contains(checked.stdout + checked.stderr, words, f"config check refuses {lines}")
        tap.ok(checked.returncode != 0, "and fails")
    server.shutdown()


def test_recorder_refuses_what_is_none(folder):
    visits = Visits.get(folder)
    notes = [path.read_text() for path in visits.allowed.manifest().paths]
    base = {"org": "clinic-a", "generation": 9, "notes": [notes[0], notes[-1]], "transcript": "WEBVTT\n"}
    path = f"/v1/sessions/{visits.allowed.id}/transcripts"
    before = visits.names(visits.allowed)
    for change, status, words in (
        ({"notes": [notes[-1].replace("clinic", "clinik")]}, 422, "no genuine part"),
        ({"notes": []}, 422, "one to eight"),
        ({"notes": [notes[-1][:-3]]}, 422, "no genuine part"),
        ({"generation": 1}, 422, "generation"),
        ({"transcript": "WEBVTT\n\nNOTE hidden\n"}, 422, "plainest form"),
        ({"transcript": "hello"}, 422, "WEBVTT"),
        ({"org": "clinic-b"}, 422, "another session"),
        ({"more": 1}, 422, "more"),
        ({"generation": 2}, 409, "amended meanwhile"),
    ):
        answer = visits.recorder.ask("POST", path, {**base, **change})
        tap.equal(answer.status, status, f"{change!r:.60} is refused")
        tap.contains(answer.body.decode(), words, "and said why")
    tap.equal(visits.recorder.ask("POST", path.replace(visits.allowed.id, visits.refused.id), base).status, 422,
              "and parts of another session's manifest")
    answer = visits.recorder.ask("POST", "/v1/sessions", {
        "org": "clinic-a", "participants": [{"id": "p1", "role": "provider", "consents": consents(*PURPOSES)}],
        "tracks": [visits.sound["p1"].track("transcript-1", "p1")]})
    tap.equal(answer.status, 422, "no media may be called like a transcript")
    tap.equal(visits.names(visits.allowed), before, "nothing of it was stored")
    tap.equal(visits.recorder.stop(), 0, "the recorder ends")


def test_transcribe(folder):
    """One recorder and two sessions for all of them; the recorder lives as long as this."""
    test_words_are_found(folder)
    test_refused_without_consent(folder)
    test_offline(folder)
    test_bad_workers_leave_nothing(folder)
    test_server_as_worker(folder)
    test_recorder_refuses_what_is_none(folder)


if __name__ == "__main__":
    if shutil.which("pocketsphinx_continuous") is None or shutil.which("flite") is None:
        tap.skip_all("pocketsphinx or flite is not installed")
    main([test_transcribe], 180)
