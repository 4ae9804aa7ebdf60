#!/usr/bin/python3
"""Every cell of the table of roles and every reason of a refusal, through the running opener with signed tokens."""

import http.client
import json
import os
import pathlib
import re
import shutil
import subprocess
import time

from harness import Recorder, Sender, consents, main, poll, stream, tap
from opener import ISSUER, Opener
from peers import media
from test_access import reason_of
from test_retention import OTHER, Custodian, hand_over

SOURCE = pathlib.Path(__file__).resolve().parent.parent.parent / "agent" / "policy"
ALL = '"record-audio", "record-video", "transcribe", "quality-review", "training"'
WHY = {"reason": "asked for by the board"}
KINDS = {"audio": ["p1-audio"], "video": ["p2-video"]}
SECONDS = 2
MINORS_BY = 'minors_by = [ "US-CA mental-health 12: alone" ];'

# HL7 v3 PurposeOfUse as far as it is known here, and one that nobody knows.
PURPOSES = ("TREAT ETREAT BTG HPAYMT HOPERAT HCOMPL HLEGAL HQUALIMP RECORDMGT HSYSADMIN TRAIN SYSDEV HRESCH PATRQT FAMRQT "
            "PWATRNY SUPNWK PUBHLTH").split()
WHO = {"provider": "doc", "client": "pat", "admin": "boss", "auditor": "eye", "custodian": "keep", "transcriber": "write"}

# What each role may open, out of DESIGN's table and not out of the program: all else is refused.
MAY_PLAY = {"provider": {"TREAT", "BTG"}, "client": {"PATRQT"}, "admin": set(), "auditor": set(), "transcriber": {"HOPERAT"},
            "custodian": {"HOPERAT", "HLEGAL", "HCOMPL", "PATRQT", "RECORDMGT", "HQUALIMP", "TRAIN"}}
KEPT_APART = ("HOPERAT", "HLEGAL", "HCOMPL", "PATRQT", "RECORDMGT")

# The guardian said yes to both; to one of them the minor's own was enough.
MINORS = [
    ("child", "client", "minor", "PATRQT", {}, None),
    ("mother", "client", "minor", "PATRQT", {}, "minor-confidential"),
    ("child", "client", "shared", "PATRQT", {}, None),
    ("mother", "client", "shared", "PATRQT", {}, None),
]

# Who, in which role, which session, for what, with what more; and what is answered: None for a grant.
CONDITIONS = [
    ("doc", "provider", "other", "TREAT", {}, "not-own"),
    ("doc", "provider", "apart", "TREAT", {}, "session-quarantined"),
    ("doc", "provider", "close", "TREAT", {}, "session-restricted"),
    ("doc", "provider", "open", "TREAT", {}, "session-open"),
    ("doc", "provider", "gone", "TREAT", {}, "session-erased"),
    ("doc", "provider", "other", "BTG", {}, "reason-missing"),
    ("doc", "provider", "other", "BTG", WHY, None),
    ("doc", "provider", "close", "BTG", WHY, None),
    ("doc", "provider", "apart", "BTG", WHY, "session-quarantined"),
    ("doc", "provider", "gone", "BTG", WHY, "session-erased"),
    ("pat", "client", "other", "PATRQT", {}, "not-own"),
    ("pat", "client", "apart", "PATRQT", {}, "session-quarantined"),
    ("pat", "client", "close", "PATRQT", {}, "session-restricted"),
    ("pat", "client", "open", "PATRQT", {}, "session-open"),
    *MINORS,
    ("write", "transcriber", "minor", "HOPERAT", {}, None),
    ("write", "transcriber", "shared", "HOPERAT", {}, "consent-missing"),
    ("write", "transcriber", "other", "HOPERAT", {}, "consent-missing"),
    ("write", "transcriber", "apart", "HOPERAT", {}, "session-quarantined"),
    ("write", "transcriber", "close", "HOPERAT", {}, "session-restricted"),
    ("write", "transcriber", "open", "HOPERAT", {}, "session-open"),
    ("write", "transcriber", "own", "HOPERAT", {"tracks": KINDS["audio"]}, None),
    ("write", "transcriber", "own", "HOPERAT", {"tracks": KINDS["video"]}, "track-forbidden"),
    ("write", "transcriber", "own", "HOPERAT", {"tracks": KINDS["audio"] + KINDS["video"]}, "track-forbidden"),
    ("doc", "provider", "guarded", "TREAT", {}, None),
    ("doc", "provider", "guarded", "TREAT", {"recipient": "payer-9"}, "part2-consent-missing"),
    ("pat", "client", "guarded", "PATRQT", {}, None),
    ("pat", "client", "guarded", "PATRQT", {"recipient": "payer-9"}, "part2-consent-missing"),
    ("keep", "custodian", "guarded", "HLEGAL", WHY, "part2-consent-missing"),
    ("keep", "custodian", "guarded", "HOPERAT", WHY, None),
    ("doc", "nothing", "own", "TREAT", {}, "person-unknown"),
    *[("keep", "custodian", session, purpose, WHY, reason) for purpose in KEPT_APART
      for session, reason in (("other", None), ("apart", None), ("close", None), ("open", "session-open"),
                              ("gone", "session-erased"))],
    *[("keep", "custodian", session, purpose, WHY, reason) for purpose in ("HQUALIMP", "TRAIN")
      for session, reason in (("other", "consent-missing"), ("apart", "session-quarantined"), ("close", "session-restricted"),
                              ("open", "session-open"), ("gone", "session-erased"))],
    *[("keep", "custodian", "own", purpose, {}, "reason-missing") for purpose in sorted(MAY_PLAY["custodian"])],
]

# Reasons that no request can be answered with, and what stands in their place.
NEVER_SAID = {
    "internal-error": "guards against a caller that leaves out what the rule needs; the opener always gives it",
    "org-mismatch": "an organisation's sessions are looked for under its own name alone: 404, session-unknown, as test_strangers shows",
}

seen = set()


def person(name, role, subject, *purposes, **more):
    return {"id": name, "role": role, "subject": f"{ISSUER}|{subject}",
            "consents": consents("record-audio", "record-video", *purposes), **more}


def check(opener, row, group="", **claims):
    who, role, session, purpose, more, reason = row
    answer = opener.grant(opener.sessions[session], purpose, opener.token(who, role, **claims), **more)
    wanted = (201, None) if reason is None else ({"mfa-required": 401}.get(reason, 403), reason)
    tap.equal((answer.status, answer.json.get("reason") if answer.status != 201 else None), wanted,
              f"{group}{role} {who}, {purpose}, {session} session{'' if more else ', nothing more'}: {reason or 'granted'}")
    seen.add(reason or "ok")
    return answer


def record_all(folder, recorder):
    """One session of each kind, all at once; `open` goes on."""
    more = ("transcribe", "quality-review", "training")
    picture = media.ball(folder, "h264", SECONDS, 0x21)
    sound = media.noise(folder, SECONDS, 0x11)
    usual = [person("p1", "provider", "doc", *more), person("p2", "client", "pat", *more)]
    people = {name: usual for name in ("own", "apart", "close", "gone", "open", "guarded")}
    people["other"] = [person("p1", "provider", "other-doc"), person("p2", "client", "other-pat")]
    for name, age in (("minor", 13), ("shared", 11)):
        child = person("p2", "client", "child", minor=True, age=age, jurisdiction="US-CA")
        child["consents"] += [{**row, "by": "guardian"} for row in child["consents"]] + consents("transcribe")
        people[name] = [person("p1", "provider", "doc", "transcribe"), child, person("p3", "guardian", "mother", "transcribe")]
    more_of = {"guarded": {"label": "part2"}, "minor": {"service": "mental-health"}, "shared": {"service": "mental-health"}}
    sessions = {name: recorder.open_session(rows, [sound.track("p1-audio", "p1"), picture.track("p2-video", "p2")],
                                            **more_of.get(name, {}))
                for name, rows in people.items()}
    senders = [Sender(folder, [stream(tape, session.ports[name]) for session in sessions.values()])
               for name, tape in (("p1-audio", sound), ("p2-video", picture))]
    for sender in senders:
        sender.finish()
    for name, session in sessions.items():
        if name != "open":
            session.finish()
    return sessions


def say(recorder, *words):
    done = recorder.command(*words)
    tap.equal(done.returncode, 0, f"sealtape {words[0]} {done.stderr}")


def told(recorder):
    return "\n".join(path.read_text() for path in (recorder.folder / "audit" / recorder.org).glob("admin*.log"))


def reload(opener, text):
    """The organisation's file, read again by the opener while it runs."""
    before = opener.log.read_text().count("settings read again")
    opener.org_file.write_text(text)
    os.kill(opener.child.pid, 1)
    poll(lambda: opener.log.read_text().count("settings read again") > before, 5, "the settings to be read again", 0.02)


def install(folder):
    recorder = Recorder(folder / "recorder")
    opener = Opener(recorder, access='release = "always";')
    opener.org_text = opener.org_text.replace('"record-audio", "record-video"', ALL)
    opener.org_text = opener.org_text.replace("consent:\n{", f"consent:\n{{\n    {MINORS_BY}", 1)
    opener.write_access('release = "always";')
    recorder.start()
    sessions = record_all(folder, recorder)
    say(recorder, "quarantine", sessions["apart"].id, "--reason", "looked-at")
    say(recorder, "restrict", sessions["close"].id, "--reason", "client-asked")
    opener.sessions = {name: session.id for name, session in sessions.items()}
    return recorder, opener, sessions


def erase(recorder, opener, sessions):
    """What custodians do from the command line is decided by the same table, and told with the same reasons."""
    own, gone = sessions["own"].id, sessions["gone"].id
    acts = [("hold", "place", own, "--matter", "m-1"), ("restrict", own, "--reason", "client-asked"), ("erase", own, "--request"),
            ("quarantine", sessions["apart"].id, "--lift"), ("session", "release", own)]
    handed_over = recorder.folder / "handed-over"
    offboard = ("offboard", "--org", recorder.org, "--identity", str(recorder.org_identity), "--output", str(handed_over))
    hand_over(recorder)
    custodian = Custodian(recorder)
    text = opener.org_file.read_text()

    def act(words, reason, user=OTHER, said=None):
        done = custodian.run(*words, user=user)
        record = [line for line in told(recorder).splitlines() if " refused " in line][-1:] or [""]
        tap.ok(done.returncode == 1 and f"reason={reason}" in record[0], f"{' '.join(words[:2])}: {reason}", done.stderr, record)
        tap.contains(done.stderr, said or f"({reason})", "which is said")
        seen.add(reason)

    def write(who, access=""):
        opener.org_file.write_text(text.replace('owns every session"', f'owns every session", "{who}"').replace("access: {", "access: {" + access))

    for who, access in [("nobody: auditor", ""), ("nobody: provider client admin transcriber", ""),
                        ("nobody: custodian", ' may: { custodian = [ "play" ]; }; ')]:
        write(who, access)
        for words in acts:
            act(words, "role-forbidden")
        if not access:
            act(offboard, "purpose-forbidden" if "provider" in who else "role-forbidden")
    write("nobody: custodian", ' may: { custodian = [ "hold" ]; }; ')
    whole = ("erase", "--all", "--org", recorder.org, "--exported", str(handed_over))
    for words in (offboard, whole):
        act(words, "role-forbidden")
    write("else: custodian")
    for words in [*acts, offboard]:
        act(words, "person-unknown")
    write("nobody: custodian", ' mfa = [ "custodian" ]; mfa_operators = true; ')
    for words in [*acts, offboard]:
        act(words, "mfa-required")
    tap.ok(not handed_over.exists(), "who is refused is handed nothing of an organisation")
    write("nobody: custodian")
    act(("erase", gone, "--approve"), "not-requested", said="no such open request")
    say(recorder, "erase", gone, "--request")
    hand_over(recorder)  # what root has made
    act(("erase", gone, "--approve"), "second-person", user=None, said="it takes two people")
    say(recorder, "hold", "place", gone, "--matter", "m-1")
    hand_over(recorder)
    act(("erase", gone, "--approve"), "held")
    say(recorder, "hold", "release", gone, "--matter", "m-1")
    hand_over(recorder)
    stored, backup = sessions["gone"].folder(), recorder.folder.parent / "backup"
    shutil.copytree(stored, backup)
    done = custodian.run("erase", gone, "--approve", user=OTHER)
    tap.equal(done.returncode, 0, f"two custodians erase it {done.stderr}")
    # A backup of the store brings the bytes back, and what was told of them is stronger.
    shutil.copytree(backup, stored, dirs_exist_ok=True)
    hand_over(recorder)
    act(("hold", "place", gone, "--matter", "m-2"), "session-erased", said="it has been erased")
    hold_unread(recorder, opener, custodian, own, act)
    opener.org_file.write_text(text)


def hold_unread(recorder, opener, custodian, own, act):
    """A hold is placed though the organisation's file is broken, by who could write it, and nothing else is done."""
    other = opener.org_file.with_name("clinic-b.conf")
    other.write_text("nothing that is known;\n")
    done = custodian.run("hold", "place", own, "--matter", "m-3", user=OTHER)
    tap.ok(done.returncode == 0 and "can be looked up" not in done.stderr, "another organisation's broken file keeps no hold back", done.stderr)
    tap.ok("detail=" not in told(recorder).splitlines()[-1], "and the role is looked up", told(recorder)[-300:])
    other.unlink()
    opener.org_file.write_text("nothing that is known;\n")
    hand_over(recorder)
    os.chown(custodian.config, 0, 0)
    act(("hold", "place", own, "--matter", "m-4"), "policy-missing")
    for owner, user in ((OTHER, OTHER), (0, None)):
        os.chown(custodian.config, owner, owner)
        done = custodian.run("hold", "place", own, "--matter", f"m-5-{owner}", user=user)
        tap.ok(done.returncode == 0 and "nobody's role there can be looked up" in done.stderr, "a broken file keeps no hold back",
               done.stdout + done.stderr)
        record = told(recorder).splitlines()[-1]
        tap.ok(" hold-placed ok " in record and "detail=settings-unreadable" in record and "role=" not in record,
               "and the auditors read why no role stands there", record)
        hand_over(recorder)
    for words in (("hold", "release", own, "--matter", "m-3"), ("restrict", own), ("erase", own, "--request")):
        done = custodian.run(*words)
        tap.ok(done.returncode == 1 and "clinic-a.conf" in done.stderr, f"{words[0]} {words[1]}: not while it is broken", done.stderr)


def test_roles(folder):
    recorder, opener, sessions = install(folder)
    erase(recorder, opener, sessions)
    opener.start()
    # Every role and every purpose: what the table gives is granted for an own session with a reason, all else is refused.
    for role, who in WHO.items():
        for place, purpose in enumerate([*PURPOSES, "NOSUCH"]):
            reason = "purpose-forbidden" if MAY_PLAY[role] else "role-forbidden"
            if purpose in MAY_PLAY[role]:
                reason = None
            elif purpose not in PURPOSES and MAY_PLAY[role]:
                reason = "purpose-unknown"
            check(opener, (who if reason is None else f"{who}{place}", role, "own", purpose, WHY, reason))
    tap.equal(opener.grant(opener.sessions["own"], "treat", opener.token("doc", "provider")).status, 422, "a code is of capitals")
    for row in CONDITIONS:
        check(opener, row)
    grant = check(opener, ("write", "transcriber", "own", "HOPERAT", {}, None)).json
    tap.equal([row["id"] for row in grant["tracks"]], KINDS["audio"], "a transcriber who says nothing of tracks gets the sound")
    check_rules(opener)
    check_log(recorder, opener)
    tap.equal(opener.child.terminate(20), 0, "the opener ends in good order")


def check_rules(opener):
    """What the organisation's file changes, while the opener runs."""
    text = opener.org_text
    now = int(time.time())
    play = {role: (WHO[role], role, "own", sorted(MAY_PLAY[role])[-1], WHY) for role in WHO if MAY_PLAY[role]}

    check(opener, (*play["provider"], "clock-untrusted"), auth_time=now + 120)
    reload(opener, text + 'valid_until = "2026-01-01T00:00:00Z"; access: { release = "always"; };')
    for role in play:
        check(opener, (*play[role], "policy-stale"), "rules of last year: ")
    reload(opener, text + 'enabled = false; access: { release = "always"; };')
    for role in play:
        check(opener, (*play[role], "org-disabled"), "switched off: ")
    for rule in ("never", "by-hand"):
        reload(opener, text + f'access: {{ release = "{rule}"; }};')
        check(opener, (*play["client"], "not-released"), f"release {rule}: ")
    everybody = ", ".join(f'"{role}"' for role in WHO)
    reload(opener, text + f'access: {{ release = "always"; mfa = [ {everybody} ]; mfa_age_s = 600; }};')
    for role in play:
        check(opener, (*play[role], "mfa-required"), "no second factor: ", amr=["pwd"])
        check(opener, (*play[role], "mfa-required"), "one of an hour ago: ", auth_time=now - 3600)
        check(opener, (*play[role], "mfa-required"), "one that nobody says when: ", auth_time=None)
        check(opener, (*play[role], None), "a second factor: ")
        check(opener, (*play[role], None), "one by its class: ", amr=["pwd"], acr="urn:mfa")
    answer = opener.ask("GET", "/v1/reviews", token=opener.token("eye", "auditor", amr=["pwd"]))
    tap.equal(reason_of(answer), (401, "mfa-required"), "an auditor reviews with a second factor alone")
    tap.equal(opener.ask("GET", "/v1/reviews", token=opener.token("eye", "auditor")).status, 200, "and does with one")
    for role in play:
        reload(opener, text + f'access: {{ release = "always"; may: {{ {role} = [ "settings-read" ]; }}; }};')
        check(opener, (*play[role], "role-forbidden"), "left to the role is less: ")
    check_warnings(opener, text)
    check_length(opener, text)
    for rules in ('minors = "guardian";', 'minors_by = [ "* * 0: alone" ];'):
        reload(opener, text.replace(MINORS_BY, rules) + 'access: { release = "always"; };')
        for row in MINORS:
            check(opener, row, "other rules than when it was recorded: ")
    reload(opener, text + 'access: { release = "always"; };')


def check_warnings(opener, text):
    """What no program asks for is good settings without an effect, and said to be."""
    asked = "\n".join(path.read_text() for folder in ("admin", "opener") for path in (SOURCE.parent / folder).glob("*.c")
                      if path.name != "config_warnings.c")
    texts = (SOURCE / "access_text.c").read_text().split("access_action_text(")[1]
    actions = dict(re.findall(r'\[ACCESS_([A-Z_]+)\] = "([a-z0-9-]+)"', texts))
    tap.equal(set(actions.values()), text_of_may(), "the manual lists the actions of the program")
    never = [word for name, word in actions.items() if not re.search(rf"ACCESS_{name}\b", asked)]
    tap.ok("audit-all" in never and "play" not in never, "the actions that no program asks for are found", never)
    for word in sorted(text_of_may()):
        opener.org_file.write_text(text + f'access: {{ may: {{ auditor = [ "{word}" ]; }}; }};')
        done = opener.recorder.command("config", "check", "--json")
        warnings = [line for line in json.loads(done.stdout)["warnings"] if "has no effect" in line]
        tap.equal((done.returncode, len(warnings)), (0, int(word in never)), f"{word}: {'a warning' if word in never else 'none'}")
    tap.contains(done.stdout, "leaving out `audit-all`", "what is left out is warned of too")
    opener.org_file.write_text(text)


def text_of_may():
    """The names that `access.may` takes, out of the manual."""
    row = re.search(r"`access\.may\.ROLE` \| [^|]+ \| of ([^|]+) \|", (SOURCE.parent.parent / "docs" / "access.md").read_text())
    return set(re.findall(r"`([a-z0-9-]+)`", row.group(1)))


def check_length(opener, text):
    """However much it is used, a grant ends when it must."""
    reload(opener, text + 'access: { release = "always"; most_s = 3; break_glass_s = 2; };')
    for purpose, most_s in (("TREAT", 3), ("BTG", 2)):
        token = opener.token("doc", "provider")
        begun = time.monotonic()
        grant = opener.grant(opener.sessions["own"], purpose, token, **WHY).json
        tap.equal(grant["idle_s"], most_s, f"{purpose}: no part of a grant is longer than all of it")
        granted, answers = time.monotonic(), []  # it began somewhere between the two
        while time.monotonic() - granted < most_s + 2:
            asked = time.monotonic()
            try:
                answer = opener.ask("GET", f"/v1/grants/{grant['grant']}/media?format=audio", token=token)
                answers.append((asked, answer.status))
            except (http.client.HTTPException, ConnectionError):
                answers.append((asked, "cut off"))
            time.sleep(0.2)
        good = [at - begun for at, status in answers if status == 200]
        tap.ok(max(good) > most_s - 1, f"{purpose}: used again and again it lives", answers)
        cut = [at - begun for at, status in answers if status == "cut off"]
        tap.ok(len(cut) <= 1 and all(at > most_s - 1 for at in cut), "what is on its way as it ends may be cut off", answers)
        late = [status for at, status in answers if at - granted > most_s + 0.5]
        tap.equal(late, [410] * max(1, len(late)), "and ends after all")
        tap.equal(reason_of(answer), (410, "grant-expired"), "which is said")


def median(numbers):
    return sorted(numbers)[len(numbers) // 2]


def test_strangers(folder):
    """Two organisations under one opener: each finds its own, and cannot tell the other's from what is nowhere."""
    recorder = Recorder(folder / "recorder")
    opener = Opener(recorder, access='release = "always";')
    theirs = opener.org_file.with_name("clinic-b.conf")
    theirs.write_text(opener.org_file.read_text().replace("idp.conf", "idp-b.conf"))
    issuer = opener.issuers / "idp.conf"
    issuer.with_name("idp-b.conf").write_text(issuer.read_text().replace('org_value = "a"', 'org_value = "b"'))
    recorder.start()
    people = [person("p1", "provider", "doc"), person("p2", "client", "pat")]
    # More than fits into the buffers between opener and reader, so that a stream can be held up in its middle.
    picture = media.ball(folder, "h264", SECONDS, 0x21, size=(640, 480), bitrate=12_000_000, pattern="snow")
    sessions = {}
    for org in ("clinic-a", "clinic-b"):
        recorder.org = org
        sessions[org] = recorder.open_session(people, [picture.track("p1-video", "p1")])
    Sender(folder, [stream(picture, session.ports["p1-video"]) for session in sessions.values()]).finish()
    for session in sessions.values():
        session.finish()
    recorder.stop()
    opener.start()
    foreign, nowhere = sessions["clinic-b"].id, "00000000-0000-4000-8000-000000000000"
    tap.equal(opener.grant(foreign, "TREAT", opener.token("doc", "provider", tenant="b")).status, 201, "clinic-b opens its own")

    def ask(session, who, purpose="HOPERAT"):
        begun = time.monotonic()
        answer = opener.grant(session, purpose, opener.token(who, "custodian"), **WHY)
        return (answer.status, dict(answer.headers), answer.body), time.monotonic() - begun

    times = {foreign: [], nowhere: []}
    answers = {foreign: set(), nowhere: set()}
    for i in range(120):
        for session in ((foreign, nowhere) if i % 2 else (nowhere, foreign)):
            (status, headers, body), took = ask(session, f"keep{i}")
            headers.pop("Date", None)
            answers[session].add((status, tuple(sorted(headers.items())), body))
            times[session].append(took)
    tap.equal((len(answers[nowhere]), answers[foreign]), (1, answers[nowhere]), "another organisation's id is answered as one that is nowhere")
    tap.equal(next(iter(answers[nowhere]))[0], 404, "with the same status, head and body")
    slower = sum(a > b for a, b in zip(times[foreign], times[nowhere], strict=True))
    tap.note(f"median {median(times[foreign]) * 1000:.2f} ms and {median(times[nowhere]) * 1000:.2f} ms, slower {slower} of 120")
    tap.ok(30 <= slower <= 90, "and which of the two it was is not told by the time it takes", slower)
    tap.ok(all(word not in opener.ask("GET", "/v1/grants", token=opener.token("keep", "custodian")).body.decode()
               for word in (foreign, "clinic-b")), "nor does a list of grants tell of another's")

    token = opener.token("doc", "provider", tenant="b")
    grant = opener.grant(foreign, "TREAT", token).json["grant"]
    other = opener.ask("GET", f"/v1/grants/{grant}/media", token=opener.token("doc", "provider"))
    tap.equal((other.status, other.body), (404, opener.ask("GET", f"/v1/grants/{'0' * len(grant)}/media",
                                                            token=opener.token("doc", "provider")).body), "a grant of theirs is as none")
    connection, answer = opener.stream(f"/v1/grants/{grant}/media", token)
    tap.equal((answer.status, len(answer.read(10_000))), (200, 10_000), "one of theirs is being read")
    text = theirs.read_text()
    theirs.unlink()
    reload(opener, opener.org_file.read_text())
    logs = recorder.folder / "audit" / "clinic-b"
    poll(lambda: any("grant-ended refused" in line and grant in line and "reason=policy-missing" in line
                     for path in logs.glob("access*.log") for line in path.read_text().splitlines()), 5, "the grant to end")
    tap.ok(True, "with the organisation's file gone what is being read is cut: policy-missing")
    seen.add("policy-missing")
    connection.close()
    tap.equal(reason_of(opener.grant(foreign, "TREAT", token)), (401, "token-issuer"), "and nobody of theirs is known any more")
    theirs.write_text(text)
    tap.equal(opener.child.terminate(20), 0, "the opener ends in good order")


def limit_size(opener, size):
    limit = ["prlimit", f"--pid={opener.child.pid}", f"--fsize={size}:unlimited"]
    tap.equal(subprocess.run(limit).returncode, 0, f"files of the opener may have {size} bytes")


def check_log(recorder, opener):
    """Nothing opens without a log: on a full disk, on one that may only be read, of another's; and again once it is there."""
    log = next((recorder.folder / "audit" / recorder.org).glob("access*.log"))

    def refused(name):
        answer = opener.grant(opener.sessions["own"], "TREAT", opener.token("doc", "provider"))
        tap.equal(reason_of(answer), (503, "audit-unavailable"), f"{name}: nothing opens")
        tap.contains(answer.json.get("detail", ""), "audit log can not be written", "and the answer says why")

    limit_size(opener, log.stat().st_size)
    refused("a full disk")
    limit_size(opener, "unlimited")
    seen.add("audit-unavailable")
    tap.equal(opener.grant(opener.sessions["own"], "TREAT", opener.token("doc", "provider")).status, 201, "with space it opens again")
    # As its own user, the log is another's or may not be written.
    hand_over(recorder)
    for name, spoil, mend in (("a log of another's", lambda: os.chown(log, 0, 0), lambda: os.chown(log, OTHER, OTHER)),
                              ("a log that may only be read", lambda: log.chmod(0o400), lambda: log.chmod(0o600))):
        opener.child.terminate(20)
        hand_over(recorder)
        spoil()
        opener.start(["setpriv", f"--reuid={OTHER}", f"--regid={OTHER}", "--clear-groups"])
        refused(name)
        tap.contains(opener.log.read_text(), "without an audit log", "the opener's own log too")
        mend()


def test_every_reason(folder):
    """A new reason without a row fails here, as does a row that nobody needs."""
    texts = (SOURCE / "access_text.c").read_text().split("access_role_text(AccessRole")[0]
    known = set(re.findall(r'\[ACCESS_\w+\] = "([a-z0-9-]+)"', texts))
    tap.ok("ok" in known and len(known) > 20, "the reasons of the program are found", known)
    tap.equal(known - seen - set(NEVER_SAID), set(), "each has been answered here, or stands in the list of those that never are")
    tap.equal(seen - known, set(), "and no other has")
    tap.equal(seen & set(NEVER_SAID), set(), "which holds no reason that is")
    told_of = set(re.findall(r"`([a-z0-9-]+)`", (SOURCE.parent.parent / "docs" / "access-api.md").read_text()))
    tap.equal(known - told_of - set(NEVER_SAID) | {"ok"}, {"ok"}, "and stands in docs/access-api.md")
    rows = set(re.findall(r'ACCESS_ROLE_(\w+),\s+ACCESS_PLAY,\s+"(\w+)"', (SOURCE / "access_rows.c").read_text()))
    tap.equal({(role.lower(), purpose) for role, purpose in rows}, {(role, purpose) for role in MAY_PLAY for purpose in MAY_PLAY[role]},
              "the program's table of who plays is the one of these tests")


if __name__ == "__main__":
    main([test_roles, test_strangers, test_every_reason], 130)
