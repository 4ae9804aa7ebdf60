#!/usr/bin/python3
"""The end of a recording: holds, rules, two people, a certificate; and that nothing brings it back."""

import json
import os
import pathlib
import shutil
import subprocess
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))

from harness import Recorder, Sender, main, open_envelopes, participant, program, stream, streams_of, tap
from peers import media

RULES = 'table = "{}"; time_zone = "America/Phoenix"; minors = {}; rules = [{}];'
OTHER = 65534  # another person: nobody


def record(recorder, folder, count, subjects=()):
    """`subjects`: of the client in each."""
    sound = media.noise(folder, 2, 0x41)
    clients = [[{**participant("p2", "client"), "subject": subject}] for subject in subjects] or [[]] * count
    sessions = [recorder.open_session([participant("p1"), *client], [sound.track("p1-audio", "p1")]) for client in clients]
    senders = [Sender(folder, [stream(sound, session.ports["p1-audio"])]) for session in sessions]
    for sender in senders:
        sender.finish()
    for session in sessions:
        session.finish()
    return sessions


class Custodian:
    """Runs commands as one of two people, today or on another day."""

    def __init__(self, recorder):
        self.recorder, self.config = recorder, recorder.folder / "sealtape.conf"

    def run(self, *words, user=None, days=0):
        command = [program("sealtape"), "--config", str(self.config), *words]
        if user is not None:
            command = ["setpriv", f"--reuid={user}", f"--regid={user}", "--clear-groups", *command]
        if days:
            command = ["faketime", "-f", f"{days * 86400:+.0f}", *command]
        return subprocess.run(command, capture_output=True, text=True, timeout=60)

    def rules(self, *rules, table="t1", minors="false"):
        text = RULES.format(table, minors, ", ".join(f'"{rule}"' for rule in rules))
        (self.recorder.folder / "orgs" / f"{self.recorder.org}.retention").write_text(text)

    def plan(self, command="plan", **options):
        done = self.run("retention", command, "--json", **options)
        if not done.stdout:
            raise RuntimeError(done.stderr)
        return {row["session"]: row for row in json.loads(done.stdout)["sessions"]}


def says(done, status, text, name):
    shown = done.stdout + done.stderr
    return tap.ok(done.returncode == status and text in shown, name, f"exit {done.returncode}: {shown}")


def give(folder):
    for path in [folder, *folder.rglob("*")]:
        os.chown(path, OTHER, OTHER, follow_symlinks=False)


def hand_over(recorder):
    """Lets the other person work here too: root still may."""
    give(recorder.folder)
    for path in list(recorder.folder.parents)[:3]:
        if str(path).startswith("/tmp/"):
            path.chmod(0o755)


def states_of(custodian):
    return [row["state"] for row in json.loads(custodian.run("session", "list", "--json").stdout)["sessions"]]


def is_gone(session):
    left = sorted(str(path.relative_to(session.folder())) for path in session.folder().rglob("*") if path.is_file())
    return [path for path in left if not path.startswith("notes/")]


def check_known_gone(custodian, ledger, sessions, envelope):
    """What was found gone is not read again for thirty days, as long as the store lists the same of it."""
    path = ledger / f"{custodian.recorder.org}.gone"
    known = [line.split()[0] for line in path.read_text().splitlines()[1:]]
    tap.equal(sorted(known), sorted(session.id for session in sessions), "the run knows which are gone")
    back = sessions[1].folder() / "env" / "1.age"
    back.parent.mkdir(exist_ok=True)
    back.write_bytes(envelope)
    tap.equal(custodian.plan("run")[sessions[1].id]["what"], "erased", "one of them comes back, and is erased again")
    tap.equal(is_gone(sessions[1]), [], "so it is gone")
    note = sessions[2].folder() / "notes" / "1.note"
    kept = note.read_bytes()
    note.write_bytes(kept.replace(b"org ", b"0rg ", 1))
    tap.ok(sessions[2].id not in custodian.plan(), "an annotation that was changed under its name is not read today")
    tap.ok("left alone" in custodian.plan(days=31)[sessions[2].id]["what"], "but within thirty days")
    note.write_bytes(kept)
    path.write_text(path.read_text() + "nonsense\n")
    says(custodian.run("retention", "run"), 0, "", "a list that is damaged is made anew")
    tap.ok("nonsense" not in path.read_text() and sessions[2].id in path.read_text(), "by looking at all")


def test_all(folder):
    recorder = Recorder(folder / "recorder")
    recorder.start()
    first, second, third = record(recorder, folder, 3)
    recorder.stop()
    custodian = Custodian(recorder)
    shutil.copy(recorder.folder / "catalogue.db", folder / "catalogue.before")

    # Holds: sets of matters.
    says(custodian.run("hold", "place", first.id, "--matter", "m-1"), 0, "on hold for m-1", "a hold is placed")
    says(custodian.run("hold", "place", first.id, "--matter", "m-2", "--reason", "litigation"), 0, "on hold for m-2", "and another")
    says(custodian.run("hold", "release", first.id, "--matter", "m-1"), 0, "no longer on hold for m-1", "one is released")
    says(custodian.run("hold", "release", first.id, "--matter", "m-1"), 1, "no open hold for m-1", "once only")
    says(custodian.run("hold", "list", first.id), 0, "m-2", "the other is open")
    says(custodian.run("hold", "place", first.id, "--matter", "Smith v. Jones"), 1, "must be an id", "a matter is an id")

    # Rules.
    says(custodian.run("retention", "plan"), 0, "no-rule", "without rules all is kept")
    custodian.rules("adult: adult 0 days")
    says(custodian.run("retention", "plan"), 1, "at least one day", "a rule of no days is refused")
    says(custodian.run("config", "check"), 1, "at least one day", "by config check too")
    custodian.rules("adult: adult 101 years")
    says(custodian.run("config", "check"), 1, "at most 100 years", "which reads what each rule means")
    custodian.rules("adult: adult 7 years", "minor: minor 7 years, age 21", minors="true")
    newborn = custodian.plan()[second.id]
    tap.ok(newborn["rule"] == "minor" and newborn["until"] > "2046", "who may be a minor is kept as one born that day", newborn)
    says(custodian.run("retention", "classify", second.id, "adult"), 0, "adult", "it is an adult's")
    tap.equal(custodian.plan()[second.id]["rule"], "adult", "and the adults' rule applies")
    custodian.rules("short: any 3 days")
    custodian.plan("run")
    tap.equal(is_gone(second) != [], True, "nothing is due today")
    until = custodian.plan()[second.id]["until"]
    custodian.rules("shorter: any 1 day", table="t2")
    tap.equal(custodian.plan()[second.id]["until"], until, "a noted date is never shortened by other rules")
    tap.equal(custodian.plan(days=3650)[second.id]["verdict"], "clock-ahead", "a clock ten years ahead deletes nothing")
    tap.equal(custodian.plan("run", days=-400)[second.id]["verdict"], "not-yet", "nor one that was set back")
    rows = custodian.plan("run", days=6)
    tap.equal((rows[second.id]["what"], is_gone(second)), ("erased", []), "when its day has passed it is erased")
    tap.ok("blocked by hold m-2" in rows[first.id]["what"] and is_gone(first) != [], "what is on hold is not", rows[first.id])
    tap.ok(second.id not in custodian.plan("run", days=6), "once only")

    # Two people, and a hold beats them. The third is gone by the rule as well.
    says(custodian.run("erase", first.id, "--request"), 0, "erasure-requested", "one person asks for it")
    says(custodian.run("erase", first.id), 1, "an approval (--approve) by another", "and can not do it alone")
    says(custodian.run("erase", first.id, "--approve"), 1, "it takes two people", "nor approve it")
    hand_over(recorder)
    says(custodian.run("erase", first.id, "--approve", user=OTHER), 1, "nobody is no custodian", "nor just anybody of this host")
    file = recorder.folder / "orgs" / f"{recorder.org}.conf"
    file.write_text(file.read_text().replace('owns every session"', 'owns every session", "nobody: custodian"'))
    says(custodian.run("erase", first.id, "--approve", user=OTHER), 1, "on hold for m-2", "another may approve, and the hold blocks it")
    tap.ok(is_gone(first) != [], "nothing is gone")
    says(custodian.run("hold", "release", first.id, "--matter", "m-2"), 0, "no longer", "the last matter is released")
    envelope = (first.folder() / "env" / "1.age").read_bytes()
    backup = folder / "backup"
    shutil.copytree(first.folder(), backup)
    says(custodian.run("erase", first.id), 1, "an approval (--approve) by another", "what was refused then is no approval now")
    hand_over(recorder)
    says(custodian.run("erase", first.id, "--approve", user=OTHER), 0, "erased.", "another approves, and now it is erased")
    tap.equal(is_gone(first), [], "nothing of it is left")
    certificate = custodian.run("erase", first.id, "--certificate")
    says(certificate, 0, "part certificate", "its certificate is genuine")
    tap.ok(all(word in certificate.stdout for word in ("requested unix:", "approved unix:nobody", "hold none", "env/1.age")),
           "and says who, and what", certificate.stdout)
    tap.equal(len(is_gone(third)), 0, "what was due beside it is gone too")
    (folder / "copy" / recorder.org).mkdir(parents=True)
    (folder / "copy" / recorder.org / first.id).symlink_to(backup)
    says(custodian.run("repair", first.id, "--from", str(folder / "copy")), 3, "erased, so nothing is put back", "no repair brings it back")
    says(custodian.run("repair", "--all", "--from", str(folder / "copy")), 0, "0 objects put back, 0 left wrong", "nor one of all")
    tap.equal(is_gone(first), [], "out of a copy of before")
    orders, ledger = recorder.store / recorder.org / "erased" / first.id, recorder.folder / "erased"
    orders.rename(folder / "orders")
    done = custodian.run("repair", first.id, "--from", str(folder / "copy"))
    says(done, 3, "its order is in the ledger of this host", "nor where the store has lost the order: this host's ledger knows it")
    says(custodian.run("repair", "--all", "--from", str(folder / "copy")), 0, "0 objects put back, 0 left wrong", "for all of them too")
    ledger.rename(folder / "ledger")
    ledger.write_text("")
    says(custodian.run("repair", first.id, "--from", str(folder / "copy")), 1, "read the ledger of what was erased", "and what it can not ask is no leave")
    tap.equal(is_gone(first), [], "so nothing is back")
    ledger.unlink()
    (folder / "ledger").rename(ledger)
    (folder / "orders").rename(orders)

    # Everybody says what became of it, and an old catalogue does not bring it back.
    says(custodian.run("verify", first.id), 3, "erased on ", "verify says that it was erased, and not that something is missing")
    found = json.loads(custodian.run("verify", first.id, "--json").stdout)["findings"]
    tap.equal([row["code"] for row in found], ["erased"], "with a word for programs")
    says(custodian.run("verify", "--all"), 0, "3 of them erased, 0 findings", "and what was erased rightly is no fault of the store")
    says(custodian.run("session", "show", first.id), 0, "erased", "session show says it")
    tap.equal(states_of(custodian), ["erased"] * 3, "session list too, from the catalogue")
    dump = custodian.run("catalogue", "dump").stdout
    says(custodian.run("catalogue", "rebuild"), 0, "", "the catalogue is made again")
    tap.equal(custodian.run("catalogue", "dump").stdout, dump, "equal to the one before")
    says(custodian.run("scrub", "--sample", "10"), 0, "0 findings", "scrub finds nothing to complain of")
    shutil.copy(folder / "catalogue.before", recorder.folder / "catalogue.db")
    tap.ok("stored" in states_of(custodian), "an old catalogue comes back, which knows nothing of it")
    says(custodian.run("retention", "run"), 0, "", "the next run tells it")
    tap.equal(states_of(custodian), ["erased"] * 3, "and it brings nothing back")

    check_known_gone(custodian, ledger, [first, second, third], envelope)

    # An old backup of the store comes back, its orders with it: the ledger of this host knows better.
    shutil.rmtree(recorder.store / recorder.org / "erased" / first.id)
    shutil.rmtree(first.folder())
    shutil.copytree(backup, first.folder())
    tap.equal((first.folder() / "env" / "1.age").read_bytes(), envelope, "a backup brings its envelope back")
    done = custodian.run("retention", "run")
    says(done, 0, "put back into a restored store", "the next run plays the ledger back")
    tap.equal(is_gone(first), [], "and it is gone again")
    path = recorder.store / recorder.org / "erased" / first.id / "2.note"
    path.write_bytes(path.read_bytes().replace(b"hold none", b"hold m-99"))
    says(custodian.run("erase", first.id, "--certificate"), 1, "2.note", "an altered certificate is noticed")
    says(custodian.run("audit", "verify"), 0, "", "the audit log of it all is whole")


def opens(sealed, identities):
    """Whether any of the `identities` opens what is sealed, by age itself."""
    done = subprocess.run(["age", "-d", "-i", str(identities)], input=sealed, capture_output=True, timeout=20)
    return done.returncode == 0


def came_after(custodian, whole, offboard, out, session):
    """What came to a recording after it was handed over is handed over too, before anything is erased."""
    left = f"{session.id}: left alone: "
    media = (out / "recording.mkv").stat().st_mtime_ns
    says(custodian.run("restrict", session.id, "--reason", "client-asked"), 0, "", "something is told of it then")
    says(custodian.run(*whole), 3, left + "annotation 1 (restricted) came after it was exported: `sealtape offboard` exports it",
         "what was told after the export was not handed over")
    says(custodian.run(*offboard), 0, "annotation 1 (restricted) came after it was exported: handed over again", "so it is")
    tap.equal([row["kind"] for row in json.loads((out / "session.json").read_text())["annotations"]["list"]], ["restricted"], "with it")
    tap.equal((out / "recording.mkv").stat().st_mtime_ns, media, "and no media are written twice for that")
    said = out.parent.parent / "said.txt"
    said.write_text("It was the left knee.")
    says(custodian.run("amend", session.id, "--statement", str(said)), 0, "amended, number 2", "a statement comes later still")
    says(custodian.run(*whole, "--request"), 3, left + "annotation 2 (amended) came after", "nobody can even request it")
    says(custodian.run(*offboard), 0, "1 exported, 1 were there already", "it is exported")
    tap.ok("left knee" in (out / "amendments.jsonl").read_text(), "with the statement")
    for name, change, text in [
            ("recording.mkv", lambda body: body[:-1], "the export is not what was written (file recording.mkv "),
            ("complete", lambda body: b"", "its manifest is another than when it was exported"),
            ("complete", lambda body: body.replace(b"manifest ", b"manifest 1"), "its manifest is another than when it was exported"),
            ("complete", lambda body: body.replace(b"notes 2 ", b"notes 9 "), "its annotations are others than when it was exported")]:
        whole_file = (out / name).read_bytes()
        (out / name).write_bytes(change(whole_file))
        tap.ok(change(whole_file) != whole_file, f"{name} was changed")
        says(custodian.run(*whole), 3, left + text, f"an export whose {name} is another is none")
        (out / name).write_bytes(whole_file)
    says(custodian.run(*whole), 0, f"{session.id}: to be erased", "and then it may go")


def test_many(folder):
    """All of one client, and then of the organisation, which has been handed it before."""
    recorder = Recorder(folder / "recorder")
    recorder.start()
    mine, held, others = record(recorder, folder, 3, ["Patient/1", "Patient/1", "Patient/2"])
    recorder.stop()
    custodian = Custodian(recorder)
    identity = str(recorder.org_identity)
    client = ["erase", "--client", "Patient/1", "--org", recorder.org, "--identity", identity]
    whole = ["erase", "--all", "--org", recorder.org, "--exported", str(folder / "out")]

    says(custodian.run("hold", "place", held.id, "--matter", "m-1"), 0, "on hold", "one of a client's recordings is on hold")
    says(custodian.run("erase", "--client", "Patient/1"), 2, "--org", "whose organisation has to be said")
    says(custodian.run(*client[:5]), 2, "--identity", "and who can tell the client's sessions")
    says(custodian.run("erase", "--all", "--org", recorder.org), 2, "offboard", "nothing goes as a whole that was not handed over")
    done = custodian.run(*client)
    says(done, 0, f"{mine.id}: to be erased", "a list says first what would be erased")
    tap.ok(f"{held.id}: blocked by hold m-1" in done.stdout and others.id not in done.stdout, "what would not, and nobody else's", done.stdout)
    says(custodian.run(*client, "--approve"), 3, "nobody has requested", "it takes a request")
    says(custodian.run(*client, "--request"), 0, "requested", "one person requests all")
    done = custodian.run(*client, "--approve")
    tap.ok(done.returncode == 3 and "it takes two people" in done.stdout and is_gone(mine) != [], "and can not approve it", done.stdout)
    keys = open_envelopes(mine, folder)
    sealed = [row.sealed(others) for row in others.manifest().of("p1-audio")]
    kept = [row.sealed(mine) for row in mine.manifest().of("p1-audio")]
    envelope = (mine.folder() / "env" / "1.age").read_bytes()
    hand_over(recorder)
    file = recorder.folder / "orgs" / f"{recorder.org}.conf"
    file.write_text(file.read_text().replace('owns every session"', 'owns every session", "nobody: custodian"'))
    done = custodian.run(*client, "--approve", user=OTHER)
    says(done, 3, f"{mine.id}: erased", "another person approves, and it is erased")
    tap.ok(f"{held.id}: blocked by hold m-1" in done.stdout and is_gone(held) != [], "but for what is on hold", done.stdout)
    says(custodian.run("audit", "show"), 0, "detail=find-client", "the auditors know who looked for a client")

    # The envelope of before, and the keys that it held.
    tap.ok(opens(kept[0], keys), "the keys of a copied envelope would open what was there")
    tap.equal(is_gone(mine), [], "but nothing is there any more")
    tap.ok(not any(opens(body, keys) for body in sealed), "and nobody else's recording opens with them")
    path = mine.folder() / "env" / "1.age"
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(envelope)
    output = str(folder / "again.mkv")
    says(custodian.run("recover", mine.id, "--identity", identity, "--output", output), 1, "", "put back it opens nothing")
    says(custodian.run("retention", "run", days=1), 0, f"{mine.id}  erased", "the next day's run takes it away again")
    tap.equal(is_gone(mine), [], "for good")
    output = str(folder / "others.mkv")
    says(custodian.run("recover", others.id, "--identity", identity, "--output", output), 0, "", "the others open")

    # Offboarding.
    offboard = ["offboard", "--org", recorder.org, "--identity", identity, "--output", str(folder / "out")]
    says(custodian.run(*offboard), 0, "2 exported, 0 were there already, 0 failed", "all that is left is handed over")
    for session in (held, others):
        out = folder / "out" / session.id
        tap.equal([row["codec_name"] for row in streams_of(out / "recording.mkv")], ["opus"], "a file that plays")
        facts, meta = (json.loads((out / name).read_text()) for name in ("session.json", "meta.json"))
        tap.equal((facts["session"], facts["annotations"]["holds"]), (session.id, ["m-1"] if session is held else []), "what is signed of it")
        tap.equal(meta["participants"][1]["subject"], "Patient/1" if session is held else "Patient/2", "and who it was")
    before = (folder / "out" / held.id / "recording.mkv").stat().st_mtime_ns
    (folder / "out" / others.id / "complete").unlink()
    says(custodian.run(*offboard), 0, "1 exported, 1 were there already", "it goes on where it stopped")
    tap.equal((folder / "out" / held.id / "recording.mkv").stat().st_mtime_ns, before, "and does nothing twice")
    (folder / "out" / others.id / "complete").rename(folder / "complete")
    says(custodian.run(*whole), 3, f"{others.id}: left alone: it was not exported before", "what was not handed over is left alone")
    (folder / "complete").rename(folder / "out" / others.id / "complete")
    says(custodian.run(*whole), 0, f"{others.id}: to be erased", "what was may go")
    came_after(custodian, whole, offboard, folder / "out" / others.id, others)
    says(custodian.run(*whole, "--request", user=None), 0, "requested", "one person requests it")
    give(folder / "out")
    hand_over(recorder)
    done = custodian.run(*whole, "--approve", user=OTHER)
    says(done, 3, f"{others.id}: erased", "and another approves")
    tap.ok(f"{held.id}: blocked by hold m-1" in done.stdout and is_gone(others) == [], "a hold still beats it", done.stdout)
    says(custodian.run("hold", "release", held.id, "--matter", "m-1"), 0, "no longer", "until it is released")
    hand_over(recorder)
    done = custodian.run(*whole, "--approve", user=OTHER)
    says(done, 3, f"{held.id}: left alone: annotation 3 (hold-released) came after it was exported", "which was not handed over yet")
    says(custodian.run(*offboard), 0, "1 exported", "so it is")
    give(folder / "out")
    hand_over(recorder)
    done = custodian.run(*whole, "--approve", "--json", user=OTHER)
    tap.equal([(row["session"], row["result"]) for row in json.loads(done.stdout)["sessions"]], [(held.id, "erased")], "then it is gone too")


if __name__ == "__main__":
    main([test_all, test_many], 200)
