#!/usr/bin/python3
"""Scrubbing finds what changed, went or came in a store, in turn; repair puts back what is missing and overwrites nothing."""

import json
import pathlib
import shutil
import sqlite3
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))

import s3
from fakes.s3_fake import S3Fake, Version
from harness import Recorder, Sender, main, participant, stream, tap
from peers import media
from test_catalogue import put_store, wait_even
from test_replicas import with_replica, copies, BUCKET as COPIES

SECONDS = 3
BUCKET = "recordings"


def record(recorder, folder, n_sessions):
    """Visits with several objects each, all at once; the recorder has ended then."""
    recorder.set("segment_ms", 1000)
    recorder.set("object_ms", 1000)
    recorder.start()
    sound = media.noise(folder, SECONDS, 0x51)
    sessions = [recorder.open_session([participant("p1")], [sound.track("p1-audio", "p1")]) for _ in range(n_sessions)]
    senders = [Sender(folder, [stream(sound, session.ports["p1-audio"])]) for session in sessions]
    for sender, session in zip(senders, sessions):
        sender.finish()
        session.finish()
    wait_even(recorder)
    tap.equal(recorder.stop(), 0, "recorded")
    return sessions


def run(recorder, *arguments):
    """Returns the exit code and the JSON answer."""
    done = recorder.command("--json", *arguments)
    return done.returncode, json.loads(done.stdout) if done.stdout else done.stderr


def scrub(recorder, n_sample=1000, *more):
    code, answer = run(recorder, "scrub", "--sample", str(n_sample), *more)
    return code, answer


def found(answer):
    return sorted({(row["session"], row["code"]) for row in answer["findings"]})


def test_directory(folder):
    recorder = Recorder(folder / "recorder")
    first, second = record(recorder, folder, 2)
    turns(recorder)
    verify_all(recorder)
    objects = sorted(first.folder().glob("tp1-audio/*.tape"))
    spare = folder / "spare"
    shutil.copytree(recorder.store, spare)
    spoilt(recorder, first, objects)
    repaired(recorder, first, second, objects, spare)
    bad_input(recorder, first, folder)


def turns(recorder):
    """Small samples, again and again: each object is read once before any is read twice."""
    total = scrub(recorder, 1000)[1]["objects"]
    tap.ok(total >= 4, "several objects", str(total))
    before = last_rounds(recorder)
    n_runs, n_read = 0, 0
    while last_rounds(recorder)[0] <= before[-1] and n_runs < total + 2:
        code, answer = scrub(recorder, 3)
        n_runs += 1
        n_read += answer["objects"]
        if code != 0:
            tap.ok(False, "nothing is wrong", answer)
            return
    tap.ok(n_runs >= total // 3 and total <= n_read < total + 3, "samples of three read every object once before the round ends",
           f"{n_runs} runs, {n_read} of {total}")


def last_rounds(recorder):
    database = sqlite3.connect(recorder.folder / "catalogue.db")
    rows = [row[0] for row in database.execute("SELECT scrubbed_us FROM sessions ORDER BY scrubbed_us")]
    database.close()
    return rows


def verify_all(recorder):
    code, answer = run(recorder, "verify", "--all")
    tap.equal((code, answer["ok"], len(answer["sessions"])), (0, True, 2), "verify --all: two sessions, all well")
    code, answer = run(recorder, "verify", "--all", "--org", "clinic-b")
    tap.equal((code, answer["sessions"]), (0, []), "verify --all --org: another's are left out")


def spoilt(recorder, session, objects):
    """One thing done to the store at a time, and the code that tells of it."""
    changed, gone = objects[0], objects[1]
    manifest = session.folder() / "manifest"
    cases = [
        ("a changed object", changed, lambda path: path.write_bytes(path.read_bytes()[:-9] + b"changed.."), "segment-changed"),
        ("an object gone", gone, lambda path: path.unlink(), "object-missing"),
        ("an envelope gone", session.folder() / "env" / "1.age", lambda path: path.unlink(), "envelope-missing"),
        ("a part of the manifest gone", manifest / "1.note", lambda path: path.unlink(), "manifest-missing"),
    ]
    for name, path, spoil, code in cases:
        whole = path.read_bytes()
        path.chmod(0o600)
        spoil(path)
        status, answer = scrub(recorder)
        tap.ok(status == 3 and not answer["ok"] and (session.id, code) in found(answer), f"{name} is found", found(answer))
        path.write_bytes(whole)
    foreign = session.folder() / "tp1-audio" / "9-9.tape"
    foreign.write_bytes(b"nobody listed me")
    tap.equal(found(scrub(recorder)[1]), [(session.id, "object-foreign")], "a foreign object is found")
    foreign.unlink()
    orphan = session.folder().parent / "left-behind" / "env" / "1.age"
    orphan.parent.mkdir(parents=True)
    orphan.write_bytes(b"age-encryption.org/v1\n")
    tap.equal(found(scrub(recorder, 1)[1]), [("left-behind", "session-orphaned")], "an orphan is found by any sample")
    shutil.rmtree(orphan.parent.parent)
    aside = recorder.folder / "aside"
    session.folder().rename(aside)
    tap.equal(found(scrub(recorder)[1]), [(session.id, "session-missing")], "a session that is gone is found")
    aside.rename(session.folder())
    done = recorder.command("scrub", "--sample", "1000")
    tap.ok(done.returncode == 0 and "0 findings" in done.stdout, "all put back, nothing is found", done.stdout, done.stderr)


def tree(folder):
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def repaired(recorder, first, second, objects, spare):
    """Whatever is missing comes back as it was; what is changed stays."""
    good = tree(recorder.store)
    objects[0].unlink()
    (first.folder() / "manifest" / "1.note").unlink()
    (first.folder() / "env" / "1.age").unlink()
    shutil.rmtree(second.folder())
    code, answer = run(recorder, "repair", "--all", "--from", str(spare), "--plan")
    tap.ok(code == 0 and answer["put_back"] > 4 and answer["plan"], "a plan says what would be done", answer)
    tap.ok(not objects[0].exists() and not second.folder().exists(), "and does nothing")
    code, answer = run(recorder, "repair", "--all", "--from", str(spare))
    tap.equal((code, answer["wrong"]), (0, 0), "everything is put back")
    tap.equal(tree(recorder.store) == good, True, "byte for byte")
    tap.equal(scrub(recorder)[0], 0, "and nothing is found any more")
    tap.equal(run(recorder, "repair", "--all", "--from", str(spare))[1]["put_back"], 0, "again, there is nothing to do")
    from_spool(recorder, first, objects)
    objects[0].chmod(0o600)
    tampered = objects[0].read_bytes()[:-9] + b"tampered."
    objects[0].write_bytes(tampered)
    code, answer = run(recorder, "repair", first.id, "--from", str(spare))
    told = " ".join(row["outcome"] for row in answer["objects"])
    tap.ok(code == 3 and "left as it is" in told, "a changed object is told", answer)
    tap.equal(objects[0].read_bytes(), tampered, "and never overwritten")
    objects[0].unlink()
    for path in recorder.spool.glob("*.log"):
        path.unlink()
    evil = spare / objects[0].relative_to(recorder.store)
    evil.chmod(0o600)
    evil.write_bytes(tampered)
    code, answer = run(recorder, "repair", first.id, "--from", str(spare))
    tap.ok(code == 3 and not objects[0].exists() and "no source has it" in answer["objects"][0]["outcome"],
           "a source that was tampered with is not believed", answer)
    evil.write_bytes(good[str(objects[0].relative_to(recorder.store))])
    tap.equal(run(recorder, "repair", first.id, "--from", str(spare))[0], 0, "a genuine one is")


def from_spool(recorder, session, objects):
    """What the spool still holds comes from there, whether a recorder runs or not."""
    good = tree(recorder.store)
    for path in [*objects, session.folder() / "manifest" / "2.note"]:
        path.unlink()
    code, answer = run(recorder, "repair", session.id)
    sources = {row["detail"] for row in answer["objects"] if row["outcome"] == "put back"}
    if tree(recorder.store) == good:
        tap.equal((code, sources), (0, {"from spool"}), "the spool still had what the store lost")
    else:
        tap.ok(False, "the spool still had what the store lost", answer)


def bad_input(recorder, session, folder):
    rows = [
        (("scrub",), 2, "how many objects"), (("scrub", "--sample", "0"), 2, "1 to"), (("scrub", "--sample", "-5"), 2, "1 to"),
        (("scrub", "--sample", "99999999999999999999"), 2, "--sample"), (("scrub", "--sample", "many"), 2, "many"),
        (("scrub", "--sample", "200000000"), 2, "1 to"), (("repair",), 2, "either a session or --all"),
        (("repair", session.id, "--all"), 2, "either a session or --all"), (("repair", "nobody"), 1, "no store has a session nobody"),
        (("repair", "../x"), 2, "not a session's id"), (("repair", "--all", "--from", str(folder / "none")), 1, "--from"),
        (("verify", session.id, "--org", "clinic-a"), 2, "only with --all"), (("verify", "nobody"), 1, "no session nobody"),
    ]
    for arguments, status, part in rows:
        done = recorder.command(*arguments)
        tap.ok(done.returncode == status and part in done.stderr, " ".join(arguments[:3]), done.returncode, done.stderr)
    catalogue = recorder.folder / "catalogue.db"
    catalogue.unlink()
    done = recorder.command("scrub", "--sample", "5")
    tap.ok(done.returncode == 1 and "catalogue rebuild" in done.stderr and done.stderr.count("\n") == 1,
           "scrub without a catalogue says what to do", done.stderr)


def test_replica(folder):
    """Each copy is scrubbed for itself, and each is repaired from the other."""
    fake = S3Fake(page_size=1000).start()
    recorder = with_replica(folder, fake)
    session = record(recorder, folder, 1)[0]
    tap.equal(scrub(recorder)[0], 0, "two stores, nothing wrong")
    good = copies(fake)
    here = sorted(session.folder().glob("tp1-audio/*.tape"))[0]
    there = next(key for key in sorted(good) if key.endswith(".tape") and key != str(here.relative_to(recorder.store)))
    here.unlink()
    del fake.buckets[COPIES].objects[there]
    answer = scrub(recorder)[1]
    tap.equal(len({row["place"] for row in answer["findings"]}), 2, "each store's loss is told with its place")
    tap.equal(run(recorder, "verify", session.id)[0], 0, "together they still have everything")
    code, answer = run(recorder, "repair", "--all")
    tap.ok(code == 0 and answer["put_back"] == 2, "each is repaired from the other", answer)
    tap.equal((copies(fake) == good, here.exists(), scrub(recorder)[0]), (True, True, 0), "and both are whole again")
    fake.stop()


def test_s3(folder):
    fake = S3Fake()
    fake.add_bucket(BUCKET)
    fake.add_key("AKALL", "secret")
    fake.start()
    recorder = Recorder(folder / "recorder")
    put_store(recorder, fake, s3.write_key(folder, "AKALL", "secret"))
    session = record(recorder, folder, 1)[0]
    tap.equal(scrub(recorder)[0], 0, "a bucket, nothing wrong")
    objects = fake.buckets[BUCKET].objects
    keys = sorted(key for key in objects if key.endswith(".tape"))
    objects[keys[0]].append(Version("v9", objects[keys[0]][-1].body[:-9] + b"changed.."))
    kept = objects.pop(keys[1])
    objects[f"clinic-a/{session.id}/tp1-audio/9-9.tape"] = [Version("v8", b"x")]
    objects["clinic-a/left-behind/env/1.age"] = [Version("v7", b"x")]
    status, answer = scrub(recorder)
    tap.equal((status, found(answer)), (3, sorted([("left-behind", "session-orphaned"), (session.id, "object-foreign"),
              (session.id, "object-missing"), (session.id, "segment-changed")])), "changed, missing, foreign, orphaned")
    lost = keys[1]
    code, answer = run(recorder, "repair", session.id)
    tap.ok(lost in objects and objects[lost][-1].body == kept[-1].body, "repair puts back what is missing, from the spool", answer)
    tap.ok(code == 3 and objects[keys[0]][-1].id == "v9", "and leaves the changed one", answer)
    fake.fault("GET", "status", status=503, code="SlowDown")
    done = recorder.command("scrub", "--sample", "5", timeout_s=100)
    tap.ok(done.returncode in (1, 3), "a store that does not answer is told", done.stdout, done.stderr)
    fake.stop()


if __name__ == "__main__":
    main([test_directory, test_replica, test_s3], 170)
