#!/usr/bin/python3
"""The audit log: what a session leaves in it, that nothing is recorded without it, that whoever edits, cuts, forks or puts
it back is found out, and that its proofs hold by RFC 6962 alone, computed here."""

import base64
import contextlib
import hashlib
import os
import re
import shutil
import subprocess

import note
from harness import Recorder, Sender, Session, consents, main, participant, poll, session_request, stream, tap
from peers import media
from test_bad_input import enter_mounts, mount_small

ORG = "clinic-a"


# --- RFC 6962, section 2.1, and C2SP tlog-checkpoint and tlog-proof, written from their texts ----------------------


def leaf(record):
    return hashlib.sha256(b"\x00" + record).digest()


def node(left, right):
    return hashlib.sha256(b"\x01" + left + right).digest()


def split(count):
    half = 1
    while half * 2 < count:
        half *= 2
    return half


def root(records):
    if not records:
        return hashlib.sha256(b"").digest()
    if len(records) == 1:
        return leaf(records[0])
    half = split(len(records))
    return node(root(records[:half]), root(records[half:]))


def climb(index, count, proof, start):
    """Where the proof leads: by the definition of the path, from below."""
    if count == 1:
        if proof:
            raise ValueError("the proof is too long")
        return start
    half = split(count)
    if index < half:
        return node(climb(index, half, proof[:-1], start), proof[-1])
    return node(proof[-1], climb(index - half, count - half, proof[:-1], start))


def is_power_of_two(count):
    return count & (count - 1) == 0


def roots_of_growth(before, after, proof, old):
    """RFC 6962, section 2.1.2, backwards: the two roots that a consistency proof leads to. `old`: the root of `before`."""
    proof = list(proof)
    if before == after:
        return old, old
    start = old if is_power_of_two(before) else proof.pop(0)
    return walk(before, after, proof, start)


def walk(before, after, proof, start):
    """SUBPROOF: from the hash of what both trees share up to both roots."""
    if before == after:
        if proof:
            raise ValueError("the proof is too long")
        return start, start
    half = split(after)
    if before <= half:
        old, new = walk(before, half, proof[:-1], start)
        return old, node(new, proof[-1])
    old, new = walk(before - half, after - half, proof[:-1], start)
    return node(proof[-1], old), node(proof[-1], new)


class Checkpoint:
    def __init__(self, text, recorder, folder):
        self.note = note.Note(text)
        self.origin, size, encoded = self.note.text.split("\n")[:3]
        self.size, self.root = int(size), base64.b64decode(encoded, validate=True)
        key = (recorder.folder / "keys" / "recorder.pub").read_text()
        self.is_genuine = note.is_signed_by(self.note, key, folder)


# --- what is looked at -----------------------------------------------------------------------------------------------


def log_of(recorder):
    return next((recorder.folder / "audit" / ORG).glob("recorder.*.log"))


def records_of(recorder):
    """(event, outcome, fields) of each line."""
    rows = []
    for line in log_of(recorder).read_text().splitlines():
        _, _, event, outcome, *pairs = line.split(" ")
        rows.append((event, outcome, dict(pair.split("=", 1) for pair in pairs)))
    return rows


def anchors_of(recorder):
    folder = recorder.store / ORG / "audit" / log_of(recorder).stem
    return sorted(folder.glob("*.note"), key=lambda path: int(path.stem))


def track_of(folder):
    return media.noise(folder, 2, 0x11).track("p1-audio", "p1")


def record_one(recorder, folder):
    """A session with a pause, a joiner, a withdrawal and an end, without media: the log is what counts."""
    session = recorder.open_session([participant("p1")], [track_of(folder)])
    path = f"/v1/sessions/{session.id}"
    recorder.ask("POST", path + "/pause", {"reason": "break"})
    recorder.ask("POST", path + "/resume", {})
    recorder.ask("POST", path + "/participants", {"id": "p2", "role": "client", "consents": []})
    recorder.ask("DELETE", path + "/participants/p2")
    recorder.ask("POST", path + "/consents", {"participant": "p1", **consents("record-audio", state="withdrawn")[0]})
    session.stop()
    poll(lambda: session.look()["state"] in ("quarantined", "incomplete"), 20, "an end")
    return session


def verify(recorder, **more):
    return recorder.command("audit", "verify", **more)


def test_what_is_noted(folder):
    recorder = Recorder(folder / "recorder").start()
    session = record_one(recorder, folder)
    answer = recorder.ask("POST", "/v1/sessions", session_request([{**participant("p9"), "consents": []}], [
        {**track_of(folder), "participant": "p9"}]))
    tap.equal(answer.status, 403, "one without consent is refused")
    poll(lambda: any(row[0] == "recording-refused" for row in records_of(recorder)), 10, "the refusal to be noted")
    rows = [(event, outcome, fields.get("reason")) for event, outcome, fields in records_of(recorder)
            if fields.get("session") == session.id]
    wanted = [
        ("participant-joined", "ok", None), ("consent-changed", "ok", None), ("consent-changed", "ok", None),
        ("recording-started", "ok", "ok"),
        ("recording-paused", "ok", "break"), ("recording-resumed", "ok", None),
        ("participant-joined", "ok", None), ("decided", "refused", "consent-missing"),
        ("decided", "refused", "consent-missing"), ("recording-paused", "ok", "consent-missing"),
        ("participant-left", "ok", None), ("decided", "ok", "ok"), ("decided", "ok", "ok"), ("recording-resumed", "ok", None),
        ("consent-changed", "ok", None), ("recording-quarantined", "ok", "consent-withdrawn"),
        ("decided", "refused", "consent-withdrawn"),
        ("recording-paused", "ok", "consent-withdrawn"), ("recording-ended", "ok", "asked-for"), ("recording-stored", "ok", "consent-withdrawn"),
    ]
    tap.equal(rows, wanted, "each thing that happened, in its order, with its reason")
    refusal = next(row for row in records_of(recorder) if row[0] == "recording-refused")
    tap.equal((refusal[1], refusal[2]["reason"]), ("refused", "consent-missing"), "and the refusal")
    text = log_of(recorder).read_text()
    tap.ok("visit-4711" not in text, "the backend's reference for the visit is not in it")
    tap.equal(log_of(recorder).stat().st_mode & 0o777, 0o600, "it is for its owner alone")

    shown = recorder.command("audit", "show", "--session", session.id, "--event", "recording-started", "--json").stdout
    tap.contains(shown, '"event": "recording-started"', "shown by session and event")
    tap.equal(shown.count('"event"'), 1, "and nothing else")
    poll(lambda: anchors_of(recorder), 20, "a checkpoint in the store")
    tap.equal(recorder.stop(), 0, "the recorder ends")
    last = records_of(recorder)[-1]
    tap.equal(last[0], "recorder-stopped", "which is its last record")
    tap.equal(int(anchors_of(recorder)[-1].stem), len(records_of(recorder)), "and the store vouches for it too")
    done = verify(recorder)
    tap.equal(done.returncode, 0, "verified")
    tap.contains(done.stdout, "nothing wrong", "which it says")
    proofs(folder, recorder)
    tampering(folder, recorder)


def proofs(folder, recorder):
    records = log_of(recorder).read_bytes().splitlines()
    for path in anchors_of(recorder):
        checkpoint = Checkpoint(path.read_text(), recorder, folder)
        tap.ok(checkpoint.is_genuine, f"the checkpoint of {checkpoint.size} is signed, says openssl")
        tap.equal(checkpoint.root, root(records[:checkpoint.size]), "its root is that of RFC 6962")
        tap.contains(checkpoint.origin, "/" + ORG, "its origin names the organisation")
    for index in (0, 1, len(records) // 2, len(records) - 1):
        done = recorder.command("audit", "prove", "--org", ORG, "--origin", log_of(recorder).stem, index)
        head, _, rest = done.stdout.partition("\n\n")
        first, at, *hashes = head.split("\n")
        checkpoint = Checkpoint(rest, recorder, folder)
        tap.equal((first, at), ("c2sp.org/tlog-proof@v1", f"index {index}"), f"record {index} has a proof")
        tap.equal(done.stderr.encode().rstrip(b"\n"), records[index], "and is told")
        reached = climb(index, checkpoint.size, [base64.b64decode(text) for text in hashes], leaf(records[index]))
        tap.equal(reached, checkpoint.root, "the proof leads to the signed root")
    for before in sorted({1, 2, 3, len(records) // 2, len(records) - 1, len(records)}):
        done = recorder.command("audit", "prove", "--org", ORG, "--origin", log_of(recorder).stem, "--from", before)
        head, _, rest = done.stdout.partition("\n\n")
        first, *hashes = head.split("\n")
        checkpoint = Checkpoint(rest, recorder, folder)
        old = root(records[:before])
        found = roots_of_growth(before, checkpoint.size, [base64.b64decode(text) for text in hashes], old)
        tap.equal((first, found), (f"old {before}", (old, checkpoint.root)), f"{before} records are the beginning of what is signed")
        tap.ok(checkpoint.is_genuine, "which is genuine")
    for wrong in ("0", "99999"):
        done = recorder.command("audit", "prove", "--org", ORG, "--origin", log_of(recorder).stem, "--from", wrong)
        tap.ok(done.returncode == 1 and "--from must be" in done.stderr, f"no proof from {wrong}", done.stderr)
    for wrong, part in (("99999", "is not there"), ("x", "number"), ("-1", "")):
        done = recorder.command("audit", "prove", "--org", ORG, "--origin", log_of(recorder).stem, wrong)
        tap.ok(done.returncode != 0 and part in done.stderr, f"no proof of {wrong}", done.stderr)


def tampering(folder, recorder):
    """Each on a copy, found by `verify` and named."""
    log, checkpoint = log_of(recorder), log_of(recorder).with_suffix(".checkpoint")
    kept = folder / "kept"
    shutil.copytree(log.parent, kept)
    lines = log.read_text().splitlines(keepends=True)
    edited = [re.sub("consent-missing", "consent-given", line) for line in lines]
    early = anchors_of(recorder)[0]
    rows = [
        ("edited", "".join(edited), "are not those that were signed"),
        ("one removed", "".join(lines[:3] + lines[4:]), "is not its record"),
        ("two in another order", "".join(lines[:3] + [lines[4], lines[3]] + lines[5:]), "is not its record"),
        ("its end cut off", "".join(lines[:-3]), "its end was cut off"),
        ("its last line torn", "".join(lines)[:-5], "cut"),
        ("emptied", "", "its end was cut off"),
    ]
    for name, text, sentence in rows:
        log.write_text(text)
        done = verify(recorder)
        tap.ok(done.returncode == 3 and sentence in done.stdout, f"{name}: found", done.stdout + done.stderr)
        try:
            recorder.start()
        except RuntimeError:
            tap.ok(False, f"{name}: the recorder starts, for what is in its spool", recorder.child.log_text()[-500:])
            continue
        if name != "its last line torn":
            answer = recorder.ask("POST", "/v1/sessions", session_request([participant("p1")], [track_of(folder)]))
            tap.equal((answer.status, answer.json.get("reason")), (503, "audit-unavailable"), f"{name}: nothing new is recorded")
            tap.contains(answer.body.decode(), "can not be audited", f"{name}: and it says why")
        recorder.stop()
        shutil.copy(kept / log.name, log)
        shutil.copy(kept / checkpoint.name, checkpoint)

    # An older copy of everything on this host: only the store knows better.
    log.write_text("".join(lines[: int(early.stem)]))
    checkpoint.write_text(early.read_text())
    done = verify(recorder)
    tap.ok(done.returncode == 3 and "older copy was put back" in done.stdout, "an older copy put back: found", done.stdout)
    log.unlink()
    checkpoint.unlink()
    done = verify(recorder)
    tap.ok(done.returncode == 3 and "the log has 0" in done.stdout, "the whole log removed, beside others: found", done.stdout)
    shutil.copy(kept / log.name, log)
    shutil.copy(kept / checkpoint.name, checkpoint)
    fork(folder, recorder, lines)
    tap.equal(verify(recorder).returncode, 0, "and what it was before is still good")


def fork(folder, recorder, lines):
    """Whoever stole the recorder's key writes another history and signs it: the store's checkpoint stands against it."""
    log, checkpoint = log_of(recorder), log_of(recorder).with_suffix(".checkpoint")
    forged = [line.replace("withdrawn", "granted") for line in lines]
    log.write_text("".join(forged))
    text = note.Note(checkpoint.read_text()).text.split("\n")
    text[2] = base64.b64encode(root("".join(forged).encode().splitlines())).decode()
    key = next(path for path in (recorder.folder / "keys").iterdir() if path.read_text().startswith("PRIVATE+KEY+"))
    genuine = checkpoint.read_text(), "".join(lines)
    checkpoint.write_text(note.sign("\n".join(text), key.read_text(), folder))
    done = verify(recorder)
    tap.ok(done.returncode == 3 and "/audit/" in done.stdout and "are not those that were signed" in done.stdout,
           "a history forged with the recorder's own key: found by the store's checkpoint", done.stdout)
    checkpoint.write_text(genuine[0])
    log.write_text(genuine[1])


def of_session(recorder, session):
    return [(event, outcome, fields.get("reason")) for event, outcome, fields in records_of(recorder)
            if fields.get("session") == session.id]


def test_ends_in_another_process(folder):
    """Two sessions of a recorder that is killed: one is running, of the other the store has not yet taken all."""
    recorder = Recorder(folder / "recorder").start()
    ended, running = [recorder.open_session([participant("p1")], [track_of(folder)]) for _ in range(2)]
    place = recorder.store / ORG / ended.id
    poll(place.is_dir, 20, "the envelope to be stored")
    kept = place.rename(folder / "kept-session")
    place.write_text("in the way")
    ended.stop()
    poll(lambda: ("recording-ended", "ok", "asked-for") in of_session(recorder, ended), 20, "the end to be told")
    recorder.kill()
    tap.ok(not [row for row in of_session(recorder, ended) if row[0] == "recording-stored"], "killed before it is stored")
    place.unlink()
    kept.rename(place)
    recorder.start()
    # Whether its end was durable when the kill came, its manifest says.
    poll(lambda: ended.manifest().states[-1:] in (["closed"], ["interrupted"]), 20, "the session to be stored")
    last = {"closed": ("recording-stored", "ok", None), "interrupted": ("recording-incomplete", "failed", "interrupted")}
    poll(lambda: of_session(recorder, ended)[-1] == last[ended.manifest().states[-1]], 20, "it to be told as stored")
    tap.ok(True, "what an earlier process recorded is told as stored")
    poll(lambda: of_session(recorder, running)[-1] == last["interrupted"], 20, "the running one to be told as stored")
    tap.equal(of_session(recorder, running)[-2:], [("recording-ended", "failed", "abandoned"), last["interrupted"]],
              "one that was cut off has ended as abandoned")
    tap.equal(recorder.stop(), 0, "the recorder ends")
    recorder.start()
    tap.equal(recorder.stop(), 0, "and once more")
    tap.equal(len([row for row in of_session(recorder, running) if row[0] == "recording-ended"]), 1,
              "what is stored is not told again")


def test_without_a_log(folder):
    """Where nothing can be noted nothing is recorded, and what runs goes on."""
    recorder = Recorder(folder / "recorder").start()
    running = recorder.open_session([participant("p1")], [track_of(folder)])
    recorder.stop()
    audit = recorder.folder / "audit"
    kept = folder / "kept"
    os.rename(audit, kept)
    audit.write_text("no folder")
    recorder.start()
    tap.contains(recorder.child.log_text(), "nothing is recorded or opened without an audit log", "the recorder says so at its start")
    answer = recorder.ask("POST", "/v1/sessions", session_request([participant("p1")], [track_of(folder)]))
    tap.equal((answer.status, answer.json.get("reason")), (503, "audit-unavailable"), "no session begins")
    tap.contains(answer.body.decode(), "can not be audited", "and the answer says why")
    tap.equal(list((recorder.store / ORG).glob("*/env/*.age")), list((recorder.store / ORG / running.id / "env").glob("*")),
              "no key was made for it")
    tap.equal(recorder.command("verify", running.id).returncode, 0, "what was recorded before is stored")
    recorder.stop()
    audit.unlink()
    os.rename(kept, audit)
    recorder.start()
    session = recorder.open_session([participant("p1")], [track_of(folder)])
    tap.ok(isinstance(session, Session), "with its log back it records again")
    recorder.kill()
    recorder.start()
    tap.equal(verify(recorder).returncode, 0, "a log whose recorder was killed is good")
    recorder.stop()


def begin_call(recorder, folder, seconds):
    """A call that goes on. Returns: its session and its sender."""
    sound = media.noise(folder, seconds, 0x51)
    session = recorder.open_session([participant("p1")], [sound.track("p1-audio", "p1")])
    sender = Sender(folder, [stream(sound, session.ports["p1-audio"])])
    poll(lambda: session.track("p1-audio")["packets"] > 100, 10, "two seconds of sound")
    return session, sender


def nothing_new(recorder, folder, name):
    answer = recorder.ask("POST", "/v1/sessions", session_request([participant("p1")], [track_of(folder)]))
    tap.equal((answer.status, answer.json.get("reason")), (503, "audit-unavailable"), f"{name}: nothing new is recorded")
    tap.contains(answer.json["detail"], "can not be audited", "and the answer says why")


def failing_logs(recorder):
    return re.search(r"^sealtape_audit_failing_logs (\d+)$", recorder.ask("GET", "/metrics").body.decode(), re.M).group(1)


def test_full_during_a_call(folder):
    """A disk that fills up under the log: the call is sealed and stored, and the log says afterwards what it could not take."""
    recorder = Recorder(folder / "recorder")
    audit, filler = recorder.folder / "audit", recorder.folder / "audit" / "filler"
    audit.mkdir(exist_ok=True)
    mount_small(audit, "size=128k,mode=0700")
    recorder.start()
    session, sender = begin_call(recorder, folder, 5)
    with contextlib.suppress(OSError), filler.open("wb", buffering=0) as file:
        while file.write(b"x" * 4096):
            pass
    path, n_pauses = f"/v1/sessions/{session.id}", 0
    # In the log's last page there is room for some more.
    while "nothing new is recorded or opened" not in recorder.child.log_text() and n_pauses < 200:
        recorder.ask("POST", path + "/pause", {"reason": "break"})
        recorder.ask("POST", path + "/resume", {})
        n_pauses += 1
    nothing_new(recorder, folder, "a full disk")
    tap.equal(failing_logs(recorder), "1", "the metrics tell of it")
    tap.equal(session.look()["state"], "recording", "the call that runs goes on")
    sender.finish()
    session.finish()
    tap.equal(session.look()["state"], "stored", "and is sealed and stored")
    tap.equal(recorder.command("verify", session.id).returncode, 0, "which verify finds")
    filler.unlink()
    poll(lambda: failing_logs(recorder) == "0", 10, "the recorder to see that there is space")
    tap.contains(recorder.child.log_text(), "takes records again", "it says so")
    tap.ok(isinstance(recorder.open_session([participant("p1")], [track_of(folder)]), Session), "with space it records again")
    recorder.stop()
    rows = records_of(recorder)
    missed = {row[2]["detail"]: int(row[2]["count"]) for row in rows if row[0] == "events-left-out"}
    tap.equal({(row[1], row[2]["reason"]) for row in rows if row[0] == "events-left-out"}, {("failed", "log-failed")},
              "the log says that something is missing, and why")
    tap.equal((missed.get("recording-ended"), missed.get("recording-stored")), (1, 1), "the call's end among it")
    for event in ("recording-paused", "recording-resumed"):
        noted = [row[0] for row in rows].count(event)
        tap.equal(noted + missed.get(event, 0), n_pauses, f"each {event} is noted or counted")
    tap.equal(verify(recorder).returncode, 0, "and the log is good")
    tap.equal(session.recover(folder / "out.mkv").returncode, 0, "the call opens")
    subprocess.run(["umount", str(audit)], check=True)


def test_unwritable_after_a_crash(folder):
    """A recorder that is killed in a call and finds a log it may not write: what was sealed is stored, nothing new begins."""
    recorder = Recorder(folder / "recorder")
    recorder.before = ["setpriv", "--bounding-set=-dac_override,-dac_read_search"]  # root as any other user
    recorder.set("segment_ms", 1000)
    recorder.start()
    for name, spoil, mend in (("a log that may only be read", lambda log: log.chmod(0o400), lambda log: log.chmod(0o600)),
                              ("a log of another's", lambda log: os.chown(log, 65534, 65534), lambda log: os.chown(log, 0, 0))):
        session, sender = begin_call(recorder, folder, 4)
        poll(lambda session=session: session.track("p1-audio")["acknowledged_us"] > 0, 10, "a segment to be kept", 0.05)
        recorder.kill()
        sender.finish()
        spoil(log_of(recorder))
        recorder.start()
        tap.contains(recorder.child.log_text(), "nothing is recorded or opened without an audit log", f"{name}: said at the start")
        nothing_new(recorder, folder, name)
        tap.equal(failing_logs(recorder), "1", "the metrics tell of it")
        poll(lambda session=session: recorder.command("verify", session.id).returncode == 0, 20, "the call's media to be stored")
        tap.ok(session.manifest().segments, "the media that were sealed are stored", session.manifest().states)
        recorder.stop()
        mend(log_of(recorder))
        recorder.start()
        tap.equal(failing_logs(recorder), "0", "with its log back it is well")
    tap.ok(isinstance(recorder.open_session([participant("p1")], [track_of(folder)]), Session), "and records again")
    tap.equal(recorder.stop(), 0, "the recorder ends")
    tap.equal(verify(recorder).returncode, 0, "and the log is good")


def test_a_flood_of_refusals(folder):
    recorder = Recorder(folder / "recorder").start()
    request = session_request([{**participant("p1"), "consents": []}], [track_of(folder)])
    for _ in range(200):
        recorder.ask("POST", "/v1/sessions", request)
    recorder.stop()
    rows = records_of(recorder)
    refused = [row for row in rows if row[0] == "recording-refused"]
    decided = [row for row in rows if row[0] == "decided"]
    left_out = {row[2]["detail"]: int(row[2]["count"]) for row in rows if row[0] == "events-left-out"}
    tap.equal(len(refused), 10, "of two hundred refusals ten are written")
    tap.equal(left_out.get("recording-refused"), 190, "and the others counted")
    tap.ok(len(decided) <= 10, "as are the decisions", len(decided))
    tap.equal(verify(recorder).returncode, 0, "verified")


def test_a_flood_beyond_a_limit(folder):
    """What a limit keeps from beginning is bounded too, and what happens to a session that records is not."""
    recorder = Recorder(folder / "recorder")
    recorder.set("max_sessions", 1)
    recorder.start()
    session = recorder.open_session([participant("p1")], [track_of(folder)])
    request = session_request([participant("p1")], [track_of(folder)])
    answers = {recorder.ask("POST", "/v1/sessions", request).status for _ in range(100)}
    tap.equal(answers, {429}, "a second session is refused by the limit")
    path = f"/v1/sessions/{session.id}/participants"
    for _ in range(15):
        recorder.ask("POST", path, {"id": "p2", "role": "client", "consents": []})
        recorder.ask("DELETE", path + "/p2")
    session.finish()
    recorder.stop()
    rows = records_of(recorder)
    refused = [row for row in rows if row[0] == "recording-refused"]
    left_out = [row for row in rows if row[0] == "events-left-out"]
    tap.equal(len(refused), 10, "of a hundred refusals ten are written")
    tap.equal([(row[2]["detail"], row[2]["count"]) for row in left_out], [("recording-refused", "90")], "and the others counted")
    decided = [row for row in rows if row[0] == "decided" and row[1] == "refused" and row[2]["session"] == session.id]
    tap.equal(len(decided), 30, "each decision of the session that records is written")
    tap.equal(verify(recorder).returncode, 0, "verified")


if __name__ == "__main__":
    tests = [test_what_is_noted, test_ends_in_another_process, test_without_a_log, test_a_flood_of_refusals, test_a_flood_beyond_a_limit]
    if subprocess.run(["unshare", "--mount", "true"], capture_output=True).returncode == 0:
        enter_mounts()
        tests += [test_full_during_a_call, test_unwritable_after_a_crash]
    else:
        tap.note("no mount namespace may be made here: a full disk and another's log are not tried")
    main(tests, 200)
