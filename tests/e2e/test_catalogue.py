#!/usr/bin/python3
"""The catalogue: in step with the store, quick to list from, and the same again whenever it is made anew."""

import json
import os
import pathlib
import sqlite3
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))

import s3
from fakes.s3_fake import S3Fake
from harness import Recorder, Sender, main, participant, poll, stream, tap
from peers import media

BUCKET = "recordings"
SECONDS = 2


def record(recorder, folder, n_sessions=1, stops=True):
    """Short visits, all at once; returns the sessions."""
    sound = media.noise(folder, SECONDS, 0x41)
    sessions, senders = [], []
    for _ in range(n_sessions):
        session = recorder.open_session([participant("p1")], [sound.track("p1-audio", "p1")])
        sessions.append(session)
        senders.append(Sender(folder, [stream(sound, session.ports["p1-audio"])]))
    for sender in senders:
        sender.finish()
    for session in sessions if stops else []:
        session.finish()
    return sessions


def dump(recorder):
    done = recorder.command("catalogue", "dump")
    if done.returncode != 0:
        raise RuntimeError(done.stderr)
    return done.stdout


def listed(recorder, *options):
    done = recorder.command("session", "list", "--json", *options)
    if done.returncode != 0:
        raise RuntimeError(done.stderr)
    answer = json.loads(done.stdout)
    return [row["session"] for row in answer["sessions"]], answer["more"], done.stderr


def wait_even(recorder):
    """Until everything stored is in the catalogue."""
    def is_even():
        text = recorder.ask("GET", "/metrics").body.decode()
        return "\nsealtape_catalogue_waiting 0\n" in text and "\nsealtape_catalogue_behind 0\n" in text
    poll(is_even, 30, "the catalogue to catch up")


def one_line(done, part, name, status=1):
    lines = done.stderr.strip().splitlines()
    tap.ok(done.returncode == status and len(lines) == 1 and part in lines[0], name, done.returncode, done.stderr)


def rebuilt_is_equal(recorder, name):
    before = dump(recorder)
    os.unlink(recorder.folder / "catalogue.db")
    done = recorder.command("catalogue", "rebuild")
    tap.equal(done.returncode, 0, f"{name}: a removed catalogue is rebuilt")
    tap.equal(dump(recorder), before, f"{name}: and equals the one that was kept while recording")
    done = recorder.command("catalogue", "rebuild", "--json")
    tap.equal((done.returncode, json.loads(done.stdout)["findings"]), (0, []), f"{name}: rebuilt over itself")
    tap.equal(dump(recorder), before, f"{name}: nothing changes")
    tap.equal(recorder.command("catalogue", "check").returncode, 0, f"{name}: and it is sound")


def test_directory(folder):
    recorder = Recorder(folder / "recorder").start()
    sessions = record(recorder, folder, 3)
    ids = {session.id for session in sessions}
    wait_even(recorder)
    text = dump(recorder)
    tap.equal(text.count(" stored - "), 3, "three visits stand in it, stored")
    tap.equal(text.count("envelope 1\n"), 3, "each with its envelope")
    rows, more, told = listed(recorder)
    tap.equal((set(rows), more, told), (ids, None, ""), "session list lists them and has nothing to add")
    filters(recorder, rows)
    rebuilt_is_equal(recorder, "a folder")
    more_sessions = record(recorder, folder, 1)
    wait_even(recorder)
    tap.ok(more_sessions[0].id in dump(recorder), "the recorder goes on in the rebuilt one")
    tap.equal(recorder.stop(), 0, "the recorder ends")
    rebuilt_is_equal(recorder, "a folder, later")
    damaged(recorder, ids | {more_sessions[0].id})
    refused(recorder, folder)


def filters(recorder, rows):
    tap.equal(listed(recorder, "--limit", "2")[:2], (rows[:2], rows[1]), "a page of two, and where to go on")
    tap.equal(listed(recorder, "--limit", "2", "--after", rows[1])[:2], (rows[2:], None), "goes on there")
    tap.equal(listed(recorder, "--state", "stored")[0], rows, "by state")
    tap.equal(listed(recorder, "--state", "recording")[0], [], "by another state")
    tap.equal(listed(recorder, "--org", "clinic-b")[0], [], "by another organisation")
    tap.equal(listed(recorder, "--since", "1h")[0], rows, "since an hour ago")
    tap.equal(listed(recorder, "--until", "2020-01-01")[0], [], "until long ago")
    for options, part in (
        (["--state", "lost"], "`lost` is none of open, stored"),
        (["--since", "yesterday"], "`yesterday` is no time"),
        (["--limit", "-1"], "-1 is less than 0"),
        (["--limit", "99999999999"], "99999999999"),
    ):
        done = recorder.command("session", "list", *options)
        tap.ok(done.returncode == 2 and part in done.stderr, f"session list {' '.join(options)}", done.stderr)
    one_line(recorder.command("session", "list", "--after", "nobody"), "no session nobody", "--after an unknown session")


def damaged(recorder, ids):
    """A damaged catalogue: lists come from the store, and the next start makes a new one."""
    path = recorder.folder / "catalogue.db"
    before = dump(recorder)
    content = bytearray(path.read_bytes())
    content[8192:9000] = b"\xff" * 808
    path.write_bytes(content)
    rows, _, told = listed(recorder)
    tap.ok(set(rows) == ids and "the store is read instead" in told and told.count("\n") == 1,
           "with a damaged one the store is listed, and that is said", told)
    one_line(recorder.command("catalogue", "check"), "catalogue.db", "check says so")
    recorder.start()
    wait_even(recorder)
    tap.equal(dump(recorder), before, "the recorder makes a new one, equal to what it was")
    tap.ok((recorder.folder / "catalogue.db.damaged").exists(), "and keeps the damaged one")
    path.unlink()
    tap.equal(set(listed(recorder)[0]), ids, "without any the store is listed")
    recorder.stop()


def refused(recorder, folder):
    """What can not be the catalogue is one sentence, and recording goes on."""
    path = recorder.folder / "catalogue.db"
    recorder.command("catalogue", "rebuild")
    database = sqlite3.connect(path)
    database.execute("PRAGMA user_version = 99")
    database.close()
    one_line(recorder.command("catalogue", "rebuild"), "of a newer Sealtape", "a newer one is not replaced")
    told = listed(recorder)[2]
    tap.ok("of a newer Sealtape" in told and told.count("\n") == 1, "and not listed from", told)
    recorder.start()
    session = record(recorder, folder, 1)[0]
    tap.equal(recorder.command("verify", session.id).returncode, 0, "recording goes on beside a newer one")
    tap.ok("of a newer Sealtape" in recorder.child.log_text(), "the log says why it is not written")
    tap.equal(recorder.child.log_text().count("of a newer Sealtape"), 1, "once")
    recorder.stop()
    for place, part in ((recorder.folder, "it is a folder"), ("/dev/null", "it is no file"),
                        (folder / "none" / "catalogue.db", "No such file or directory")):
        text = recorder.config.read_text()
        recorder.set("path", str(place)) if text.count("path =") == 1 else recorder.config.write_text(
            text.replace('path = "catalogue.db"', f'path = "{place}"'))
        one_line(recorder.command("catalogue", "rebuild"), part, f"catalogue.path = {place}")
        recorder.config.write_text(text)
    tap.equal(recorder.command("catalogue", "make").returncode, 2, "catalogue make is no command")
    path.unlink()


def test_locked(folder):
    """A catalogue that is locked all the time stops nothing."""
    recorder = Recorder(folder / "recorder").start()
    wait_even(recorder)
    other = sqlite3.connect(recorder.folder / "catalogue.db", isolation_level=None)
    other.execute("BEGIN EXCLUSIVE")
    session = record(recorder, folder, 1)[0]
    tap.equal(recorder.command("verify", session.id).returncode, 0, "stored, while the catalogue was locked")
    other.execute("ROLLBACK")
    other.close()
    wait_even(recorder)
    tap.ok(session.id in dump(recorder), "and caught up with afterwards")
    tap.equal(recorder.stop(), 0, "ends well")


def test_killed(folder):
    """Killed at any moment, the next start finds what the catalogue lacks."""
    recorder = Recorder(folder / "recorder").start()
    done = record(recorder, folder, 1)
    running = record(recorder, folder, 1, stops=False)
    recorder.kill()
    recorder.start()
    wait_even(recorder)
    def is_interrupted():
        return f"session clinic-a {running[0].id} incomplete interrupted" in dump(recorder)
    poll(is_interrupted, 30, "the interrupted visit in the catalogue")
    tap.ok(f"session clinic-a {done[0].id} stored" in dump(recorder), "what was stored before stands in it too")
    recorder.stop()
    rebuilt_is_equal(recorder, "killed")


def test_s3(folder):
    """The same in a bucket, with keys that read and with some that may only put."""
    fake = S3Fake()
    fake.add_bucket(BUCKET)
    fake.add_key("AKALL", "secret")
    fake.add_key("AKPUT", "secret", rights=("put",))
    fake.start()
    try:
        recorder = Recorder(folder / "recorder")
        all_keys = s3.write_key(folder, "AKALL", "secret", name="all.credentials")
        put_keys = s3.write_key(folder, "AKPUT", "secret", name="put.credentials")
        put_store(recorder, fake, all_keys)
        recorder.start()
        sessions = record(recorder, folder, 2)
        wait_even(recorder)
        tap.equal({row for row in listed(recorder)[0]}, {session.id for session in sessions}, "a bucket's visits are listed")
        rebuilt_is_equal(recorder, "a bucket")
        recorder.stop()
        put_store(recorder, fake, put_keys)
        (recorder.folder / "catalogue.db").unlink()
        recorder.start()
        session = record(recorder, folder, 1)[0]
        poll(lambda: session.id in dump(recorder), 30, "the new visit in the catalogue")
        tap.ok("since ever" in listed(recorder)[2], "a recorder that may not read says that sessions may be missing")
        put_store(recorder, fake, all_keys)
        tap.equal(recorder.command("catalogue", "rebuild").returncode, 0, "who may read rebuilds it meanwhile")
        tap.equal((len(listed(recorder)[0]), listed(recorder)[2]), (3, ""), "and then none is missing")
        recorder.stop()
    finally:
        fake.stop()


def put_store(recorder, fake, keys):
    text = recorder.config.read_text()
    before, rest = text.split("store:\n", 1)
    after = rest.split("};\n", 1)[1]
    rows = {"type": "s3", "baa": True, "endpoint": f"http://127.0.0.1:{fake.port}", "bucket": BUCKET,
            "region": "us-east-1", "credentials": str(keys), "retry_ms": 1000}
    lines = "".join(f"    {name} = {json.dumps(value)};\n" for name, value in rows.items())
    recorder.config.write_text(before + "store:\n{\n" + lines + "};\n" + after)


if __name__ == "__main__":
    main([test_directory, test_locked, test_killed, test_s3], 170)
