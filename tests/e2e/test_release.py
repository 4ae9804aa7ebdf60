#!/usr/bin/python3
"""A client gets a recording that was released by hand, and no more of it once that is taken back, in mid-stream."""

import json
import os
import pathlib
import pwd
import re
import struct
import subprocess
import time

from harness import Recorder, Sender, consents, main, poll, program, stream, tap
from opener import ISSUER, Opener
from peers import media
from peers.children import Child
from test_access import playable, reason_of
from test_age_interop import PASSPHRASE, run_on_terminal

SECONDS = 3


def person(name, role, subject):
    return {"id": name, "role": role, "subject": f"{ISSUER}|{subject}", "consents": consents("record-audio", "record-video")}


STATEMENT = "I said the left knee, not the right. – Ça va?\n"


def check_amend_killed(recorder, session, folder):
    """An `amend` that is killed at each call that changes a disk: what it leaves, the next one ends."""
    counter, text = folder / "calls", folder / "cut.txt"
    text.write_text("It was the right ear.")
    words = [program("sealtape"), "--config", str(recorder.config), "amend", session.id, "--statement", str(text), "--participant", "p2"]
    environment = {**os.environ, "LD_PRELOAD": os.environ["SEALTAPE_FAULT_SHIM"], "FAULT_COUNT_FILE": str(counter)}

    def files(name):
        return sorted(path.name for path in (session.folder() / name).iterdir())

    before = files("said"), files("notes")
    for kill_at in range(1, 60):
        counter.write_bytes(struct.pack("=QQ", 0, kill_at))
        done = subprocess.run(words, env=environment, capture_output=True, text=True, timeout=30)
        if [name for name in files("said") if name.endswith(".sealed")] != before[0]:
            break
        tap.ok(done.returncode == -9 and files("notes") == before[1], f"killed at call {kill_at} nothing is there yet", done)
    tap.ok(done.returncode == -9 and files("notes") == before[1], f"killed at call {kill_at} a statement lies there unsigned", done)
    found = json.loads(recorder.command("verify", session.id, "--json").stdout)["findings"]
    tap.ok([row["code"] for row in found] == ["statement-unsigned"] and "cut short" in found[0]["message"], "verify says what it is", found)
    stray = session.folder() / "said" / ("0" * 64 + ".sealed")
    stray.write_bytes(b"whoever may put")
    done = recorder.command("amend", session.id, "--statement", text, "--participant", "p2")
    tap.ok(done.returncode == 3 and "what it had sealed is signed for now, number" in done.stdout, "the same words again sign for it", done)
    tap.contains(recorder.command("audit", "show", "--json").stdout, '"detail": "resumed"', "which the auditors are told")
    found = json.loads(recorder.command("verify", session.id, "--json").stdout)["findings"]
    tap.ok(["000000" in row["message"] for row in found] == [True], "and for nothing that nobody here put", found)
    text.write_text("And the throat.")
    done = recorder.command("amend", session.id, "--statement", text)
    tap.ok(done.returncode == 0 and "amended, number" in done.stdout, "the next statement is added", done)
    stray.unlink()
    tap.equal(recorder.command("verify", session.id).returncode, 0, "it all verifies")
    recorder.command("recover", session.id, "--identity", recorder.org_identity, "--output", folder / "cut.mkv", "--amendments", folder / "cut.jsonl")
    rows = [json.loads(line) for line in (folder / "cut.jsonl").read_text().splitlines()]
    tap.equal([(row["text"], row["participant"]) for row in rows[1:]], [("It was the right ear.", "p2"), ("And the throat.", None)],
              "and each reads once, with whose it is")


def check_rights(recorder, opener, session, folder, pat):
    """Amendment and restriction, with one who may open it asking meanwhile."""
    before = {path: path.read_bytes() for path in session.folder().rglob("*") if path.is_file()}
    file = folder / "statement.txt"

    def amend(text, *more):
        file.write_bytes(text)
        return recorder.command("amend", session.id, "--statement", file, *more)

    for text, what in ((b"", "empty"), (b"x" * 65537, "65536 bytes"), (b"\xff\xfe", "UTF-8"), (b"a\x1b[2Jb", "control characters")):
        done = amend(text)
        tap.ok(done.returncode == 1 and what in done.stderr, f"a statement is refused: {what}", done.stderr)
    tap.equal({path for path in session.folder().rglob("*") if path.is_file()}, set(before), "and nothing of it is kept")
    done = amend(STATEMENT.encode(), "--participant", "p2")
    tap.ok(done.returncode == 0, "the client's statement is sealed beside the recording", done.stderr)
    tap.ok(all(path.read_bytes() == body for path, body in before.items()), "where nothing else is touched")
    sealed = [path for path in session.folder().rglob("*") if path.is_file() and path not in before]
    tap.equal(sorted(path.parent.name for path in sealed), ["notes", "said"], "but an annotation and an object are new")
    tap.ok(not any(b"left knee" in path.read_bytes() for path in sealed), "and not in the clear")
    shown = recorder.command("session", "show", session.id).stdout
    tap.ok("amendments" in shown, "session show tells of it", shown)
    tap.equal(recorder.command("verify", session.id).returncode, 0, "it verifies")
    tap.contains(recorder.command("audit", "show", "--json").stdout, '"recording-amended"', "the auditors know")

    def read(*words, name):
        done = recorder.command(*words, "--output", folder / f"{name}.mkv", "--amendments", folder / f"{name}.jsonl")
        tap.contains(done.stderr, "1 statement of a client or clinician amends", f"{words[0]} says that there is one")
        lines = [json.loads(line) for line in (folder / f"{name}.jsonl").read_text().splitlines()]
        tap.equal([(row["text"], row["participant"]) for row in lines], [(STATEMENT, "p2")], "and reads it")

    read("export", session.id, "--purpose", "PATRQT", "--token-file", folder / "pat.token", name="amended")
    tap.contains(opener.records(), "amendments", "which the opener told the auditors")
    read("recover", session.id, "--identity", recorder.org_identity, name="recovered")
    said = next(path for path in sealed if path.parent.name == "said")
    body = said.read_bytes()
    said.chmod(0o600)
    for change, code in ((lambda: said.write_bytes(body[:-1] + b"?"), "statement-changed"), (said.unlink, "statement-missing")):
        change()
        tap.contains(recorder.command("verify", session.id).stdout, "statement", f"{code}: verify says it")
        found = json.loads(recorder.command("verify", session.id, "--json").stdout)["findings"]
        tap.equal([row["code"] for row in found], [code], "with a word for programs")
        grant = opener.grant(session.id, "PATRQT", pat).json["grant"]
        tap.ok(opener.ask("GET", f"/v1/grants/{grant}/amendments", token=pat).status >= 400, "and the opener does not tell it")
    said.write_bytes(body)
    stray = said.with_name("0" * 64 + ".sealed")
    stray.write_bytes(body)
    found = json.loads(recorder.command("verify", session.id, "--json").stdout)["findings"]
    tap.equal([row["code"] for row in found], ["statement-unsigned"], "one that nobody signed for is named")
    stray.unlink()

    done = recorder.command("restrict", session.id, "--reason", "disputed")
    tap.ok(done.returncode == 0, "its use is restricted", done.stderr)
    tap.equal(reason_of(opener.grant(session.id, "PATRQT", pat)), (403, "session-restricted"), "the client is refused, and told why")
    done = recorder.command("recover", session.id, "--identity", recorder.org_identity, "--output", folder / "no.mkv")
    tap.ok(done.returncode == 1 and "restricted in its use" in done.stderr, "as is a recovery offline", done.stderr)
    done = recorder.command("restrict", session.id, "--lift")
    tap.ok(done.returncode == 0, "that is lifted", done.stderr)
    grant = opener.grant(session.id, "PATRQT", pat)
    tap.equal((grant.status, grant.json["amendments"]), (201, 1), "and it opens again, with its amendment")
    check_amend_killed(recorder, session, folder)


def check_sealed_identity(recorder, opener, session, folder):
    """An identity that is sealed to a passphrase, and both as credentials of the unit; the secrets show nowhere."""
    plain, whole = recorder.org_identity, recorder.config.read_text()
    credentials = folder / "credentials"
    credentials.mkdir(mode=0o700)
    shown = run_on_terminal(["age", "-p", "-o", credentials / "identity", plain], [PASSPHRASE, PASSPHRASE])[1]
    secret = next(line for line in plain.read_text().splitlines() if line.startswith("AGE-SECRET-KEY-"))
    (credentials / "pass").write_text(PASSPHRASE + "\n")
    (credentials / "wrong").write_text(PASSPHRASE + "r\n")
    tap.ok((credentials / "identity").exists(), "age seals the identity to a passphrase", shown)
    for path in credentials.iterdir():
        path.chmod(0o600)
    away = plain.rename(folder / "away.key")  # what opens now is the sealed one

    def configure(identity, passphrase):
        text = re.sub(r"(?m)^( *)identities = \[.*\];$", rf'\1identities = [ "{identity}" ]; {passphrase}', whole)
        tap.ok(text != whole, f"the opener's identity is {identity}")
        recorder.config.write_text(text)

    def fails(sentence, name):
        child = Child([program("sealtape-accessd"), "--config", recorder.config], folder / "refused.log")
        code = child.process.wait(30)
        lines = [line for line in child.log_text().splitlines() if line]
        tap.ok(code not in (0, None) and len(lines) == 1 and sentence in lines[0], name, code, lines)
        tap.ok(PASSPHRASE not in child.log_text(), "and the log has no passphrase")
        (folder / "refused.log").unlink()

    configure(credentials / "identity", "")
    fails("access.passphrase_file must name its file", "a sealed identity without a passphrase is said, and ends it")
    configure(credentials / "identity", f'passphrase_file = "{credentials / "wrong"}";')
    fails("passphrase is wrong", "a wrong passphrase is said, and ends it")
    (credentials / "pass").chmod(0o644)
    configure(credentials / "identity", f'passphrase_file = "{credentials / "pass"}";')
    fails("chmod", "one that others may read is refused")
    (credentials / "pass").chmod(0o600)
    for identity, passphrase in ((credentials / "identity", credentials / "pass"), ("systemd:identity", "systemd:pass")):
        configure(identity, f'passphrase_file = "{passphrase}";')
        opener.start(["env", f"CREDENTIALS_DIRECTORY={credentials}"])
        process = pathlib.Path("/proc") / str(opener.child.pid)
        seen = (process / "cmdline").read_bytes() + (process / "environ").read_bytes() + opener.log.read_bytes()
        tap.ok(PASSPHRASE.encode() not in seen and secret.encode() not in seen, "no secret stands in its words, environment or log")
        locked = int(re.search(r"VmLck:\s+(\d+) kB", (process / "status").read_text())[1])
        tap.ok(locked > 0, f"{locked} KiB of its memory are locked")
        done = recorder.command("export", session.id, "--purpose", "TREAT", "--output", folder / "sealed.mkv", "--overwrite")
        tap.ok(done.returncode == 0, f"and it opens, with {identity}", done.stderr)
        tap.equal(opener.child.terminate(20), 0, "and ends in good order")
    recorder.config.write_text(whole)
    away.rename(plain)


def test_release(folder):
    recorder = Recorder(folder / "recorder")
    opener = Opener(recorder)  # the organisation releases by hand, as it does unless told otherwise
    recorder.start()
    # Far more than fits into the buffers between opener and reader, so that a stream can be held up in its middle.
    picture = media.ball(folder, "h264", SECONDS, 0x21, size=(640, 480), bitrate=12_000_000, pattern="snow")
    sound = media.noise(folder, SECONDS, 0x11)
    session = recorder.open_session([person("p1", "provider", "doc"), person("p2", "client", "pat")],
                                    [sound.track("p1-audio", "p1"), picture.track("p2-video", "p2")])
    Sender(folder, [stream(sound, session.ports["p1-audio"]), stream(picture, session.ports["p2-video"])]).finish()
    session.finish()
    recorder.stop()
    opener.start()
    pat = opener.token("pat", "client")
    token = folder / "pat.token"
    token.write_text(pat)

    def export(name):
        return recorder.command("export", session.id, "--purpose", "PATRQT", "--token-file", token, "--output", folder / name)

    done = export("before.mp4")
    tap.equal(done.returncode, 1, "nothing was released: the client is refused")
    tap.contains(done.stderr, "(not-released)", "and told why")
    tap.ok(not (folder / "before.mp4").exists(), "no file is left")

    def told():
        return "\n".join(path.read_text() for path in (recorder.folder / "audit" / recorder.org).glob("admin*.log"))

    # Who is no custodian releases nothing.
    text = recorder.config.parent / "orgs" / "clinic-a.conf"
    whole = text.read_text()
    user = pwd.getpwuid(os.getuid()).pw_name
    text.write_text(whole.replace(f"{user}: provider custodian", f"{user}: provider admin"))
    tap.ok(text.read_text() != whole, "the operator is made a provider and admin")
    done = recorder.command("session", "release", session.id)
    tap.equal(done.returncode, 1, "who can not release it")
    tap.contains(done.stderr, "role-forbidden", "and is told so")
    text.write_text(whole)
    tap.contains(told(), f"recording-released refused session={session.id} reason=role-forbidden", "as are the auditors")
    tap.equal(reason_of(opener.grant(session.id, "PATRQT", pat)), (403, "not-released"), "it still is not released")

    done = recorder.command("session", "release", session.id)
    tap.ok(done.returncode == 0, "a custodian releases it", done.stderr)
    tap.contains(told(), f"recording-released ok session={session.id}", "and the auditors are told")
    done = export("out.mp4")
    tap.ok(done.returncode == 0, "now the client gets it", done.stderr)
    found = playable(folder / "out.mp4")
    tap.ok("mp4" in found.get("format_name", "") and float(found.get("duration", 0)) > SECONDS - 1, "an MP4 that plays", found)
    other = opener.token("other-pat", "client")
    tap.equal(reason_of(opener.grant(session.id, "PATRQT", other)), (403, "not-own"), "another client does not")

    check_rights(recorder, opener, session, folder, pat)

    grant = opener.grant(session.id, "PATRQT", pat).json["grant"]
    whole_answer = opener.ask("GET", f"/v1/grants/{grant}/media", token=pat)
    tap.ok(whole_answer.status == 200 and len(whole_answer.body) > 1_500_000, f"read on, a stream has {len(whole_answer.body)} bytes")
    connection, answer = opener.stream(f"/v1/grants/{grant}/media", pat)
    head = answer.read(10_000)
    tap.equal((answer.status, len(head)), (200, 10_000), "the client has begun to read it")
    done = recorder.command("session", "unrelease", session.id)
    tap.ok(done.returncode == 0, "the release is taken back", done.stderr)
    begun = time.monotonic()
    poll(lambda: any("grant-ended refused" in line and grant in line and "reason=not-released" in line
                     for line in opener.records().splitlines()), 5, "the grant to end")
    tap.note(f"the grant ended {time.monotonic() - begun:.1f} s after the command")
    rest, is_cut = 0, False
    try:
        while piece := answer.read(65536):
            rest += len(piece)
    except Exception as fault:  # IncompleteRead: the last chunk never came
        is_cut, rest = True, rest + len(getattr(fault, "partial", b""))
    connection.close()
    tap.ok(is_cut, "the stream under way is cut: its end never comes")
    tap.ok(len(head) + rest < len(whole_answer.body) * 3 // 4, f"in its middle, after {len(head) + rest} bytes")
    poll(lambda: "media-closed failed" in opener.records() and "reason=grant-ended" in opener.records(), 5, "it to be told")
    tap.equal(reason_of(opener.ask("GET", f"/v1/grants/{grant}/media", token=pat)), (410, "grant-revoked"), "the grant is over")
    tap.equal(reason_of(opener.grant(session.id, "PATRQT", pat)), (403, "not-released"), "and there is no new one")

    # For one of its clients alone, and for one who is not in it.
    done = recorder.command("session", "release", session.id, "--participant", "p9")
    tap.contains(done.stderr, "nothing was recorded of a participant p9", "a participant nobody recorded is said")
    tap.equal(reason_of(opener.grant(session.id, "PATRQT", pat)), (403, "not-released"), "which releases it to nobody else")
    done = recorder.command("session", "release", session.id, "--participant", "p2")
    tap.equal(opener.grant(session.id, "PATRQT", pat).status, 201, "released to this client alone: " + done.stderr)
    tap.equal(recorder.command("verify", session.id).returncode, 0, "and it all verifies")
    tap.equal(recorder.command("session", "release", "nowhere").returncode, 1, "a session that is nowhere is said")
    tap.equal(opener.child.terminate(20), 0, "the opener ends in good order")
    check_sealed_identity(recorder, opener, session, folder)


if __name__ == "__main__":
    main([test_release], 110)
