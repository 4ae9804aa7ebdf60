#!/usr/bin/python3
"""Whatever is moved, swapped, cut or edited in the store is noticed, and the report says where."""

import os
import random
import shutil

import note
from harness import Recorder, Sender, main, participant, stream, tap
from peers import media

SECONDS = 10
FLIPS = 6  # in each file


class Store:
    """A session's folder as it was stored, to be spoilt again and again."""

    def __init__(self, session, spare):
        self.session = session
        self.folder = session.folder()
        self.spare = spare
        shutil.copytree(self.folder, spare)

    def restore(self):
        shutil.rmtree(self.folder)
        shutil.copytree(self.spare, self.folder)

    def objects(self, track):
        """Paths of the track's objects in order."""
        names = []
        for row in self.session.manifest().of(track):
            if row.object not in names:
                names.append(row.object)
        return [self.path(name) for name in names]

    def path(self, name):
        inside = self.folder / name
        return inside if inside.exists() else self.session.recorder.store / name

    def notes(self):
        return self.session.manifest().paths

    def envelopes(self):
        return sorted((self.folder / "env").glob("*.age"))


def test_tamper(folder):
    recorder, other = Recorder(folder / "recorder"), Recorder(folder / "other", org="clinic-b")
    for each in (recorder, other):
        # Short objects, so that each track has several.
        each.set("segment_ms", 1000)
        each.set("object_ms", 2000)
        each.start()
    ours, theirs, foreign = record(folder, [recorder, recorder, other])
    tap.equal([recorder.stop(), other.stop()], [0, 0], "the recorders end")
    store = Store(ours, folder / "spare")
    tap.equal(verdict(ours)[0], 0, "untouched, it verifies")
    tap.equal(opens(ours, folder)[0], 0, "untouched, it opens")
    moved_segments(store, theirs, foreign)
    manifest_parts(store, theirs)
    missing(store)
    envelopes(store, theirs, folder)
    moved_sessions(store, foreign)
    forged_manifests(store, theirs, folder)
    edited_bytes(store, folder)
    tap.equal(verdict(ours)[0], 0, "put back, it verifies again")


def record(folder, recorders):
    """One session on each recorder, at the same time."""
    audio, video = media.noise(folder, SECONDS, 0x31), media.ball(folder, "vp8", SECONDS, 0x32)
    tracks = [audio.track("p1-audio", "p1"), video.track("p1-video", "p1")]
    sessions, senders = [], []
    for recorder in recorders:
        session = recorder.open_session([participant("p1")], tracks)
        rows = [stream(audio, session.ports["p1-audio"]), stream(video, session.ports["p1-video"])]
        sessions.append(session)
        senders.append(Sender(folder, rows))
    for session, sender in zip(sessions, senders):
        sender.finish()
        session.finish()
    return sessions


def verdict(session):
    done = session.recorder.command("verify", session.id)
    return done.returncode, done.stdout + done.stderr


def opens(session, folder):
    output = folder / "opened.mkv"
    output.unlink(missing_ok=True)
    done = session.recover(output)
    return done.returncode, done.stdout + done.stderr


def must_notice(store, what, *words):
    """verify must fail and name one of `words`."""
    status, said = verdict(store.session)
    tap.ok(status != 0, f"verify refuses {what}", said)
    tap.ok(any(str(word) in said for word in words), f"verify says where: {what}", f"none of {words} in:", said)
    store.restore()


def moved_segments(store, theirs, foreign):
    audio, video = store.objects("p1-audio"), store.objects("p1-video")
    swap(audio[1], audio[2])
    must_notice(store, "two objects of a track that changed places", audio[1].name, "p1-audio")
    shutil.copy(video[1], audio[1])
    must_notice(store, "an object of another track", audio[1].name, "p1-audio")
    shutil.copy(Store.objects(store_of(theirs), "p1-video")[1], video[1])
    must_notice(store, "an object of another session", video[1].name, "p1-video")
    shutil.copy(Store.objects(store_of(foreign), "p1-video")[1], video[1])
    must_notice(store, "an object of another organisation", video[1].name, "p1-video")


def store_of(session):
    """A Store without a spare copy, only to look into."""
    store = Store.__new__(Store)
    store.session, store.folder = session, session.folder()
    return store


def manifest_parts(store, theirs):
    notes = store.notes()
    tap.ok(len(notes) >= 2, "the manifest has several parts", notes)
    swap(notes[0], notes[1])
    must_notice(store, "two manifest parts that changed places", "manifest", "part 1")
    shutil.copy(theirs.manifest().paths[0], notes[0])
    must_notice(store, "a manifest part of another session", "manifest", "part 1")
    notes[-1].unlink()
    must_notice(store, "a missing last manifest part", "open", "last", "closed", notes[-1].name)
    notes[0].unlink()
    must_notice(store, "a missing first manifest part", notes[0].name, "part 1", "1.note")
    if len(notes) > 2:
        notes[1].unlink()
        must_notice(store, "a missing middle manifest part", notes[1].name, "part 2", "2.note")


def missing(store):
    last = store.objects("p1-video")[-1]
    last.unlink()
    must_notice(store, "a missing last object", last.name, "p1-video")
    with open(last, "r+b") as file:
        file.truncate(last.stat().st_size - 1)
    must_notice(store, "an object cut by one byte", last.name, "p1-video")


def envelopes(store, theirs, folder):
    (envelope,) = store.envelopes()[:1]
    shutil.copy(store_of(theirs).envelopes()[0], envelope)
    status, said = opens(store.session, folder)
    tap.ok(status != 0, "recover refuses another session's envelope", said)
    tap.contains(said, "envelope", "recover says that it is the envelope")
    store.restore()
    for path in store.envelopes():
        path.unlink()
    must_notice(store, "a missing envelope", "envelope", "env/")


def moved_sessions(store, foreign):
    """A whole session under another one's name."""
    shutil.rmtree(store.folder)
    shutil.copytree(foreign.folder(), store.folder)
    must_notice(store, "a whole session of another organisation", "manifest", "clinic-b", foreign.id, "signature",
                "key", "signed")


def forged_manifests(store, theirs, folder):
    """Whoever has stolen the recorder's signing key can sign any list, but no segment opens in another's place."""
    key = (store.session.recorder.folder / "keys" / "recorder.key").read_text()
    audio, video = store.session.manifest().of("p1-audio"), store.session.manifest().of("p1-video")
    their_audio = theirs.manifest().of("p1-audio")

    note.forge(store.notes(), lambda text: text, key, folder)
    tap.equal(verdict(store.session)[0], 0, "a list signed anew, but unchanged, verifies: the forger is able")
    store.restore()
    for what, edit in (
        ("two segments that changed places", exchange(audio[1], audio[2])),
        ("a segment in another track's place", replace(audio[1], video[1])),
        ("a segment listed twice", replace(audio[2], audio[1])),
    ):
        note.forge(store.notes(), edit, key, folder)
        must_not_open(store, folder, what, "p1-audio")
    shutil.copy(store_of(theirs).objects("p1-audio")[0], store.objects("p1-audio")[0])
    note.forge(store.notes(), replace_first_object(audio, their_audio), key, folder)
    must_not_open(store, folder, "an object of another session, listed as ours", "p1-audio")


def place(row):
    return f" {row.object} {row.offset} {row.length} {row.digest}"


def exchange(one, two):
    def edit(text):
        return text.replace(place(one), " @").replace(place(two), place(one)).replace(" @", place(two))

    return edit


def replace(old, new):
    return lambda text: text.replace(place(old), place(new))


def replace_first_object(ours, theirs):
    """Lists their segments' hashes under our first object's name."""
    name = ours[0].object
    new = {row.index: row for row in theirs if row.object == theirs[0].object}

    def edit(text):
        for row in ours:
            if row.object == name and row.index in new:
                other = new[row.index]
                text = text.replace(place(row), f" {name} {other.offset} {other.length} {other.digest}")
        return text

    return edit


def must_not_open(store, folder, what, *words):
    """recover must fail, whatever verify can see without a secret."""
    status, said = opens(store.session, folder)
    tap.ok(status != 0, f"recover refuses {what}, though the list is signed", said)
    tap.ok(all(word in said for word in words), f"recover says where: {what}", said)
    tap.note(f"verify: {verdict(store.session)}")
    store.restore()


def edited_bytes(store, folder):
    """One byte, anywhere: verify or recover must fail."""
    seed = int(os.environ.get("SEALTAPE_SEED") or random.SystemRandom().randrange(2**31))
    tap.note(f"SEALTAPE_SEED={seed}")
    dice, unnoticed = random.Random(seed), []
    files = sorted(path for path in store.folder.rglob("*") if path.is_file() and path.name != "meta.age")
    for path in files:
        whole = path.read_bytes()
        places = {0, len(whole) - 1, *(dice.randrange(len(whole)) for _ in range(FLIPS))}
        for place in sorted(places):
            spoilt = bytearray(whole)
            spoilt[place] ^= 1 << dice.randrange(8)
            path.write_bytes(spoilt)
            if verdict(store.session)[0] == 0 and opens(store.session, folder)[0] == 0:
                unnoticed.append((str(path.relative_to(store.folder)), place))
        path.write_bytes(whole)
    tap.equal(unnoticed, [], f"one changed bit is noticed in each of {len(files)} files")


def swap(one, two):
    content = one.read_bytes()
    one.write_bytes(two.read_bytes())
    two.write_bytes(content)


if __name__ == "__main__":
    main([test_tamper], 180)
