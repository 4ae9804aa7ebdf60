#!/usr/bin/python3
"""Records of a substance use disorder (42 CFR part 2): they leave with a consent that is bound to it, and with its notice."""

import json
import re
import subprocess

from harness import Recorder, Sender, consents, main, poll, stream, tap
from opener import ISSUER, Opener
from peers import media
from test_access import reason_of

SECONDS = 2
PURPOSES = ("record-audio", "record-video", "transcribe", "sud-tpo", "sud-other", "sud-legal", "sud-notes")
NOTICE = "42 CFR part 2 prohibits unauthorized use or disclosure of these records."
LONG_NOTICE = "A general authorization for the release of medical or other information is NOT sufficient"
WHY = {"reason": "asked for by the board"}


def signed(purpose, evidence, state="granted", **more):
    return {**consents(purpose, state=state)[0], "evidence": evidence, **more}


def people(*more):
    return [{"id": "p1", "role": "provider", "subject": f"{ISSUER}|doc", "consents": consents("record-audio", "record-video", "transcribe")},
            {"id": "p2", "role": "client", "subject": f"{ISSUER}|pat",
             "consents": [*consents("record-audio", "record-video", "transcribe"), *more]}]


SESSIONS = {
    "plain": (None, people()),
    "bare": ("part2", people()),
    "signed": ("part2", people(signed("sud-tpo", "form-tpo"), signed("sud-other", "form-law", recipient="law-3"),
                               signed("sud-legal", "form-court", recipient="court-5"))),
    "unproven": ("part2", people({**signed("sud-tpo", "form"), "evidence": None})),
    "notes": ("sud-notes", people(signed("sud-tpo", "form-tpo"), signed("sud-other", "form-law", recipient="law-3"))),
    "own-notes": ("sud-notes", people(signed("sud-notes", "form-notes", recipient="law-3"), signed("sud-notes", "form-use"))),
}


def record_all(folder, recorder):
    picture, sound = media.ball(folder, "h264", SECONDS, 0x21), media.noise(folder, SECONDS, 0x11)
    tracks = [sound.track("p1-audio", "p1"), picture.track("p2-video", "p2")]
    sessions = {name: recorder.open_session(rows, tracks, **({"label": label} if label else {}))
                for name, (label, rows) in SESSIONS.items()}
    for name, session in sessions.items():
        tap.equal(session.look().get("label"), SESSIONS[name][0], f"{name}: the session says its label")
    senders = [Sender(folder, [stream(tape, session.ports[track]) for session in sessions.values()])
               for track, tape in (("p1-audio", sound), ("p2-video", picture))]
    for sender in senders:
        sender.finish()
    for session in sessions.values():
        session.finish()
    # One that its recorder dies under keeps its label: it is journaled before anything is recorded.
    cut = recorder.open_session(people(), tracks, label="sud-notes")
    recorder.kill()
    recorder.start()
    poll(lambda: "state interrupted" in manifest(cut), 30, "its next start to end the session")
    tap.contains(manifest(cut), "mark sud-notes labelled", "a session that was cut short has its label")
    return sessions


def manifest(session):
    return "".join(path.read_text() for path in session.manifest().paths)


def comment(path):
    done = subprocess.run(["ffprobe", "-v", "error", "-show_entries", "format_tags", "-of", "json", path], capture_output=True, text=True)
    tags = json.loads(done.stdout or "{}").get("format", {}).get("tags", {})
    return {name.lower(): value for name, value in tags.items()}.get("comment")


def check_manifests(sessions):
    for name, session in sessions.items():
        label = SESSIONS[name][0]
        tap.equal(set(re.findall(r"^mark (.+)$", manifest(session), re.M)), {f"{label} labelled"} if label else set(),
                  f"{name}: the signed manifest has its label")
        tap.equal(session.recorder.command("verify", session.id).returncode, 0, f"{name}: verify finds all there")
    shown = json.loads(sessions["notes"].recorder.command("session", "show", sessions["notes"].id, "--json").stdout)
    tap.equal(shown["annotations"]["label"], "sud-notes", "session show says it")


# Which session, who asks, as what, for what, for whom outside; the proofs it is bound to, None: it is refused.
ROWS = [
    ("plain", "doc", "provider", "TREAT", "payer-9", ()),
    ("bare", "doc", "provider", "TREAT", None, ()),
    ("bare", "doc", "provider", "TREAT", "payer-9", None),
    ("bare", "doc", "provider", "BTG", "hospital-1", ()),
    ("bare", "pat", "client", "PATRQT", None, ()),
    ("bare", "pat", "client", "PATRQT", "law-3", None),
    ("bare", "keep", "custodian", "HOPERAT", None, ()),
    ("bare", "keep", "custodian", "HOPERAT", "payer-9", None),
    ("bare", "keep", "custodian", "HLEGAL", None, None),
    ("signed", "doc", "provider", "TREAT", "payer-9", ("form-tpo",)),
    ("signed", "keep", "custodian", "HOPERAT", "payer-9", ("form-tpo",)),
    ("signed", "pat", "client", "PATRQT", "law-3", ("form-law",)),
    ("signed", "pat", "client", "PATRQT", "law-4", None),
    ("signed", "keep", "custodian", "HLEGAL", "law-3", None),
    ("signed", "keep", "custodian", "HLEGAL", "court-5", ("form-court",)),
    ("unproven", "doc", "provider", "TREAT", "payer-9", None),
    ("notes", "doc", "provider", "TREAT", None, ()),
    ("notes", "doc", "provider", "TREAT", "payer-9", None),
    ("notes", "keep", "custodian", "HOPERAT", None, None),
    ("notes", "write", "transcriber", "HOPERAT", None, None),
    ("notes", "pat", "client", "PATRQT", "law-3", None),
    ("own-notes", "keep", "custodian", "HOPERAT", None, ("form-use",)),
    ("own-notes", "write", "transcriber", "HOPERAT", None, ("form-use",)),
    ("own-notes", "pat", "client", "PATRQT", "law-3", ("form-notes",)),
    ("own-notes", "keep", "custodian", "HLEGAL", "law-3", None),
]


def check_grants(opener, sessions):
    for name, who, role, purpose, recipient, proofs in ROWS:
        more = {**({"recipient": recipient} if recipient else {}), **(WHY if purpose == "BTG" or role == "custodian" else {})}
        answer = opener.grant(sessions[name].id, purpose, opener.token(who, role), **more)
        group = f"{name}, {role}, {purpose} for {recipient or 'nobody else'}"
        if proofs is None:
            tap.equal(reason_of(answer), (403, "part2-consent-missing"), f"{group}: refused")
            continue
        tap.equal(answer.status, 201, f"{group}: granted")
        part2 = answer.json.get("part2")
        if SESSIONS[name][0] is None:
            tap.equal(part2, None, "with nothing more")
            continue
        tap.equal(tuple(row["evidence"] for row in part2["consents"]), proofs, "bound to these consents")
        tap.ok(part2["short_notice"] == NOTICE and LONG_NOTICE in part2["notice"], "with the notice", part2)


def check_copies(folder, recorder, opener, sessions):
    token = folder / "doc.jwt"
    token.write_text(opener.token("doc", "provider"))

    def export(name, output, *more):
        return recorder.command("export", sessions[name].id, "--purpose", "TREAT", "--token-file", token, "--output", folder / output, *more)

    for output, more in (("payer.mkv", ()), ("payer.mp4", ()), ("payer-grid.mp4", ("--layout", "grid"))):
        done = export("signed", output, "--recipient", "payer-9", *more)
        tap.equal(done.returncode, 0, f"{output}: it is written {done.stderr}")
        tap.equal(comment(folder / output), NOTICE, "the file says of itself what it is")
        beside = (folder / f"{output}.notice.txt").read_text()
        tap.ok(LONG_NOTICE in beside and "Consent form-tpo of p2 (sud-tpo)" in beside and "treatment, payment" in beside,
               "beside it are the notice and what the client consented to", beside)
    done = export("bare", "refused.mkv", "--recipient", "payer-9")
    tap.ok(done.returncode == 1 and "the client has not consented" in done.stderr, "without a consent nothing is written", done)
    tap.equal(list(folder.glob("refused*")), [], "nothing at all")
    tap.equal(export("bare", "mine.mkv").returncode, 0, "within the organisation it opens")
    tap.ok(comment(folder / "mine.mkv") == NOTICE and "by no consent of the client's" in (folder / "mine.mkv.notice.txt").read_text(),
           "and says that nobody consented to more")
    tap.equal(export("plain", "plain.mkv", "--recipient", "payer-9").returncode, 0, "what has no label goes as it did")
    tap.ok(comment(folder / "plain.mkv") is None and not (folder / "plain.mkv.notice.txt").exists(), "without a notice")
    done = sessions["bare"].recover(folder / "recovered.mkv")
    tap.ok(done.returncode == 0 and comment(folder / "recovered.mkv") == NOTICE and (folder / "recovered.mkv.notice.txt").exists(),
           "offline too a copy has the notice", done)
    grant = opener.grant(sessions["signed"].id, "TREAT", opener.token("doc", "provider"), recipient="payer-9").json["grant"]
    answer = opener.ask("GET", f"/v1/grants/{grant}/media", token=opener.token("doc", "provider"))
    (folder / "streamed.mkv").write_bytes(answer.body)
    tap.equal(comment(folder / "streamed.mkv"), NOTICE, "as has what is streamed")


def check_account(recorder):
    """42 CFR 2.25: what was disclosed with consent is accounted for, whatever HIPAA would leave out."""
    done = recorder.command("audit", "disclosures", "--org", recorder.org, "--client", f"{ISSUER}|pat", "--json")
    rows = json.loads(done.stdout)["disclosures"]
    tap.ok(rows and {row["recipient"] for row in rows} == {"payer-9"}, "the client's account has the disclosures with consent", rows)
    log = "\n".join(path.read_text() for path in (recorder.folder / "audit" / recorder.org).glob("access*.log"))
    told = [line for line in log.splitlines() if " media-disclosed ok " in line and "basis=part2" in line]
    tap.ok(told and all("evidence=form-tpo" in line for line in told), "and each record has the id of the consent", log)


def check_withdrawal(recorder, opener, sessions):
    """Prospective: what was granted by it opens nothing, what comes is refused, and what was disclosed stays told."""
    token = opener.token("doc", "provider")
    grant = opener.grant(sessions["signed"].id, "TREAT", token, recipient="payer-9").json["grant"]
    done = recorder.command("consent", "withdraw", sessions["signed"].id, "--participant", "p2", "--purpose", "sud-tpo")
    tap.equal((done.returncode, "stays as it is" in done.stdout), (0, True), f"the client revokes it {done.stderr}")
    answer = opener.ask("GET", f"/v1/grants/{grant}/media", token=token)
    tap.equal(reason_of(answer), (403, "part2-consent-missing"), "what was granted by it opens nothing any more")
    answer = opener.grant(sessions["signed"].id, "TREAT", token, recipient="payer-9")
    tap.equal(reason_of(answer), (403, "part2-consent-missing"), "and nothing more is granted by it")
    answer = opener.grant(sessions["signed"].id, "PATRQT", opener.token("pat", "client"), recipient="law-3")
    tap.equal(answer.status, 201, "the other consents stay")


def check_later(recorder, opener, sessions):
    """What the client signs long after the session, for one recipient."""
    bare, token = sessions["bare"].id, opener.token("keep", "custodian")
    words = ("consent", "grant", bare, "--participant", "p2", "--purpose", "sud-legal", "--recipient", "court-5")
    for more, status, what in (((), 2, "--evidence names the proof"), (("--evidence", "Form 9"), 1, "evidence")):
        done = recorder.command(*words, *more)
        tap.ok(done.returncode == status and what in done.stderr, f"a consent without a proof that can be found is none: {more}", done)
    done = recorder.command("consent", "grant", bare, "--participant", "p2", "--purpose", "record-audio", "--evidence", "f")
    tap.equal(done.returncode, 2, "nobody consents to be recorded afterwards")
    done = recorder.command(*words, "--evidence", "form-9")
    tap.equal((done.returncode, done.stdout), (0, f"{bare}: p2 consents to sud-legal by form-9, for court-5.\n"), f"it is told {done.stderr}")
    answer = opener.grant(bare, "HLEGAL", token, recipient="court-5", **WHY)
    tap.equal([row["evidence"] for row in answer.json["part2"]["consents"]], ["form-9"], "and then counts")
    answer = opener.grant(bare, "HLEGAL", token, recipient="court-6", **WHY)
    tap.equal(reason_of(answer), (403, "part2-consent-missing"), "for whom it names alone")
    done = recorder.command("consent", "withdraw", bare, "--participant", "p2", "--purpose", "sud-legal", "--recipient", "court-5")
    tap.equal(done.returncode, 0, f"it is revoked {done.stderr}")
    answer = opener.grant(bare, "HLEGAL", token, recipient="court-5", **WHY)
    tap.equal(reason_of(answer), (403, "part2-consent-missing"), "and does not count any more")


def test_part2(folder):
    recorder = Recorder(folder / "recorder")
    opener = Opener(recorder, access='release = "always";')
    opener.org_text = opener.org_text.replace('"record-audio", "record-video"', ", ".join(f'"{one}"' for one in PURPOSES))
    opener.write_access('release = "always";')
    recorder.start()
    sessions = record_all(folder, recorder)
    check_manifests(sessions)
    opener.start()
    check_grants(opener, sessions)
    check_copies(folder, recorder, opener, sessions)
    check_account(recorder)
    check_withdrawal(recorder, opener, sessions)
    check_later(recorder, opener, sessions)
    # Bad input.
    track = media.noise(folder, SECONDS, 0x11).track("p1-audio", "p1")
    for what, body, word in (("a label that nobody knows", {"label": "part3"}, '"label" must be'),
                             ("a label that is no text", {"label": ["part2"]}, '"label" must be'),
                             ("a recipient of being recorded",
                              {"participants": people({**consents("record-audio")[0], "recipient": "law-3"})}, '"recipient" is said of'),
                             ("a recipient that is a name", {"participants": people(signed("sud-tpo", "f", recipient="Dr. Who"))},
                              '"recipient" must be an id')):
        answer = recorder.ask("POST", "/v1/sessions", {"org": recorder.org, "participants": people(), "tracks": [track], **body})
        tap.ok(answer.status == 422 and word in answer.json["detail"], f"{what} is refused", answer)
    tap.equal(opener.child.terminate(20), 0, "the opener ends in good order")
    tap.equal(recorder.stop(), 0, "the recorder too")


if __name__ == "__main__":
    main([test_part2], 120)
