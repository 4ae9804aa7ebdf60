#!/usr/bin/python3
"""What leaves as FHIR R4, and as ATNA, looked at by others' validators: AuditEvents of every event, and documents of sessions."""

import copy
import json
import pathlib
import re
import subprocess

from harness import Recorder, Sender, main, participant, stream, tap
from peers import media
from test_atna import check_valid

TESTS = pathlib.Path(__file__).resolve().parent.parent
CODES = TESTS.parent / "agent" / "audit" / "audit_code.c"
EVERYTHING = (
    "session=f55795a5-4d3e-4c55-9fd7-6c1f1f1f2a10 participant=p1 purpose=record-audio state=granted reason=consent%20%3Cmissing%3E "
    "text_version=2026-01 evidence=ev-1 policy=38d48c52 actor=https://idp.example%7Cs-%C3%A9 role=provider use=TREAT token=jti-1 "
    "address=192.0.2.7 grant=g-1 client=p-0123456789abcdef0123456789abcdef recipient=court-7 basis=other tracks=p1-audio "
    "from_us=0 to_us=1000000 review=r-1 key=k-1 new_key=k-2 matter=m-1 rule=clinical until=2033-01-01 certificate=c-1 "
    "approver=unix:bo detail=x count=3"
)


def validate(resources):
    """(whether all are valid, what the validator says)."""
    text = "\n".join(json.dumps(resource) for resource in resources)
    done = subprocess.run(["node", TESTS / "fhir" / "check.mjs"], input=text, capture_output=True, text=True, timeout=120)
    if done.returncode not in (0, 1) or "looked at" not in done.stdout:
        raise RuntimeError("the validator: " + done.stderr[-1500:])
    return done.returncode == 0, done.stdout


def events():
    """Each event's word, out of the one table."""
    return re.findall(r"\[AUDIT_\w+\] = \{\s*\"([a-z-]+)\"", CODES.read_text())


def write_log(recorder, lines):
    name = (recorder.folder / "keys" / "recorder.pub").read_text().split("+")[0].lower()
    folder = recorder.folder / "audit" / recorder.org
    folder.mkdir(parents=True, mode=0o700, exist_ok=True)
    path = folder / f"{name}.log"
    path.touch(mode=0o600)
    path.write_text("".join(line + "\n" for line in lines))


def test_every_event(folder):
    recorder = Recorder(folder / "recorder")
    names = events()
    tap.ok(len(names) > 55, f"{len(names)} events", names)
    rows = []
    for name in names:
        for outcome, fields in (("ok", EVERYTHING), ("refused", EVERYTHING), ("failed", "reason=disk"), ("ok", "")):
            rows.append(f"{len(rows)} 2026-11-21T17:00:23.672566Z {name} {outcome} {fields}".rstrip())
    write_log(recorder, rows)
    resources = [json.loads(row) for row in recorder.command("audit", "export", "--format", "fhir").stdout.splitlines()]
    told = {coding["code"] for one in resources for coding in one["subtype"] if coding["system"] == "urn:sealtape:audit-event"}
    tap.equal(sorted(set(names) - told), [], "each event has an AuditEvent")
    is_good, said = validate(resources)
    tap.ok(is_good and len(resources) >= len(rows), "each of them valid R4, says an independent validator", said[-1500:])
    tap.ok(not any("meta" in one for one in resources), "of no profile: none of IHE's would be true without a Patient")
    tap.equal(sum("modifierExtension" in json.dumps(one) for one in resources), 0, "and without a modifier")
    messages = recorder.command("audit", "export", "--format", "atna").stdout.splitlines()
    tap.equal(sorted(name for name in names if not any(f'csd-code="{name}"' in row for row in messages)), [],
              "each event has an ATNA message")
    check_valid(folder, messages, "of every event")
    spoiled(resources[0])


def spoiled(good):
    """That the validator can fail: each change by itself makes a resource invalid."""
    def without(name):
        bad = copy.deepcopy(good)
        del bad[name]
        return bad

    rows = [(f"without {name}", without(name)) for name in ("type", "recorded", "agent", "source")]
    rows += [("with a word that R4 lacks", {**good, "auditor": "x"}),
             ("with a number for a text", {**good, "outcomeDesc": 4}),
             ("with a time that is none", {**good, "recorded": "yesterday"}),
             ("with one agent, not a list", {**good, "agent": good["agent"][0]})]
    _, said = validate([row for _, row in rows])
    found = {int(line.split(":")[0]) for line in said.splitlines() if re.match(r"\d+: ", line)}
    tap.equal([name for number, (name, _) in enumerate(rows, 1) if number not in found], [], "and it finds each of eight faults")


def record(recorder, folder):
    made = media.noise(folder, 2, 0x11)
    session = recorder.open_session([participant("p1")], [made.track("p1-audio", "p1")])
    Sender(folder, [stream(made, session.ports["p1-audio"])]).finish()
    return session


def test_documents(folder):
    recorder = Recorder(folder / "recorder").start()
    session = record(recorder, folder)
    done = recorder.command("session", "fhir", session.id)
    tap.ok(done.returncode == 1 and "once it is stored" in done.stderr, "a session that runs has no document", done.stderr)
    session.finish()
    plain = recorder.command("session", "fhir", session.id)
    tap.equal(plain.returncode, 0, "a stored one has")
    document = json.loads(plain.stdout)
    full = json.loads(recorder.command(
        "session", "fhir", session.id, "--subject", "Patient/12", "--encounter", "Encounter/e-1", "--loinc", "75496-0",
        "--url", "https://sealtape.clinic-a.example/recordings/" + session.id).stdout)
    held = recorder.command("hold", "place", session.id, "--matter", "m-1")
    on_hold = json.loads(recorder.command("session", "fhir", session.id).stdout)
    is_good, said = validate([document, full, on_hold])
    tap.ok(is_good, "each a valid DocumentReference, says an independent validator", said)
    attachment = document["content"][0]["attachment"]
    tap.equal((document["masterIdentifier"]["value"], attachment["url"]), ("urn:uuid:" + session.id,) * 2, "named by the session's id")
    tap.equal((full["subject"], full["context"]["encounter"]), ({"reference": "Patient/12"}, [{"reference": "Encounter/e-1"}]),
              "whose it is, as the caller said")
    tap.ok("size" not in attachment and "hash" not in attachment, "without a size beyond R4, and no SHA-1")
    tap.ok(document["context"]["period"]["start"] < document["context"]["period"]["end"] == document["date"], "from when to when")
    facts = {row["url"]: row for row in document["extension"]}
    tap.equal(facts["urn:sealtape:document-state"]["valueCode"], "stored", "what became of it")
    if held.returncode == 0:
        told = {row["url"]: row for row in on_hold["extension"]}
        tap.ok(told["urn:sealtape:document-on-hold"]["valueBoolean"], "and that it is held")
    tap.equal([word for word in ("visit-4711", "AGE-SECRET", "age1", "m-1", "ev-1") if word in json.dumps([document, full, on_hold])],
              [], "no reference of the backend's, key, matter or evidence")
    told = recorder.command("audit", "show", "--event", "chart-linked", "--session", session.id).stdout
    tap.equal(told.count("chart-linked"), 3, "the auditors are told each time")
    wrong(recorder, session.id)


def wrong(recorder, session):
    rows = [("--subject", "Anna Miller", "Patient/ID"), ("--subject", "Patient/", "Patient/ID"), ("--encounter", "Patient/1", "Encounter/ID"),
            ("--loinc", "note", "12345-6"), ("--url", "http://x.example/1", "https"), ("--url", "https://x.example/1?X-Amz-Signature=1", "https"),
            ("--url", "https://anna:pw@x.example/1", "https"), ("--url", "https://x.example/1#token", "https")]
    for option, value, sentence in rows:
        done = recorder.command("session", "fhir", session, option, value)
        tap.ok(done.returncode == 2 and sentence in done.stderr and done.stdout == "", f"refused: {option} {value}", done.stderr)
    done = recorder.command("session", "fhir", "00000000-0000-4000-8000-000000000000")
    tap.ok(done.returncode == 1 and "0000" in done.stderr, "as is a session nobody knows", done.stderr)


if __name__ == "__main__":
    main([test_every_event, test_documents], 120)
