#!/usr/bin/python3
"""The keys of an organisation rotated with a Ceph object gateway as the store, and a session running across it: rewrap is
killed at random points and goes on; at the end the new key opens everything and the old one nothing. `make rotation` runs it with
ten thousand sessions.

    SEALTAPE_ROTATION_SESSIONS, SEALTAPE_ROTATION_KILLS, SEALTAPE_ROTATION_SEED
"""

import concurrent.futures
import json
import os
import random
import re
import threading
import time

import rotation
from harness import ORG, Recorder, Sender, main, participant, stream, tap
from peers import media, radosgw
from test_session_radosgw import BUCKET, Place, botocore

SESSIONS = int(os.environ.get("SEALTAPE_ROTATION_SESSIONS", "60"))
KILLS = int(os.environ.get("SEALTAPE_ROTATION_KILLS", "4"))
SEED = os.environ.get("SEALTAPE_ROTATION_SEED")
GUESSED_RATE = 150  # envelopes a second, from which the moments of the kills are drawn: of a fast machine, a slow one gets more runs
SECONDS = 6
DEADLINE_S = 120 + SESSIONS // 2


def recipient_of(path):
    return re.search(r"age1\w+", path.read_text()).group()


class Bucket:
    """One without versions or lock: whoever may replace an envelope works in it."""

    def __init__(self, place, owner):
        self.place, self.owner = place, owner
        self.local = threading.local()

    def client(self):
        if not hasattr(self.local, "client"):
            self.local.client = self.place._client(*self.owner)
        return self.local.client

    def put(self, row):
        self.client().put_object(Bucket=BUCKET, Key=row[0], Body=row[1])

    def get(self, name):
        return self.client().get_object(Bucket=BUCKET, Key=name)["Body"].read()

    def names(self):
        pages = self.client().get_paginator("list_objects_v2").paginate(Bucket=BUCKET, Prefix=f"{ORG}/")
        return [row["Key"] for page in pages for row in page.get("Contents", [])]


def open_bucket(place):
    place.gateway.start()
    owner = place.gateway.add_user("owner")
    bucket = Bucket(place, owner)
    bucket.client().create_bucket(Bucket=BUCKET)
    path = place.folder / "owner.credentials"
    path.write_text(f"[default]\naws_access_key_id = {owner[0]}\naws_secret_access_key = {owner[1]}\n")
    path.chmod(0o600)
    place.keys = {"recorder": path}
    return bucket


def make_recorder(place):
    recorder = Recorder(place.folder / "recorder")
    before, rest = recorder.config.read_text().split("store:\n", 1)
    text = place.settings().replace(' lock = "compliance"; lock_days = 1;', "")
    recorder.config.write_text(before + text + rest.split("\n};\n", 1)[1])
    return recorder


def fill(bucket, recipients):
    began = time.monotonic()
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        for _ in pool.map(bucket.put, rotation.objects(rotation.names(SESSIONS), recipients)):
            pass
    tap.note(f"{2 * SESSIONS} objects of {SESSIONS} sessions put in {time.monotonic() - began:.0f} s")


def untouched(bucket):
    """Everything that re-wrapping must leave alone: names and contents."""
    return {name: bucket.get(name) for name in bucket.names() if not name.endswith(".age") and "/audit/" not in name}


def timed(recorder, n_objects, *words):
    """Runs `sealtape keys WORDS`, and says how fast it went through the objects."""
    began = time.monotonic()
    done = recorder.command("keys", *words, timeout_s=DEADLINE_S)
    seconds = time.monotonic() - began
    tap.note(f"{words[0]}: {n_objects} objects in {seconds:.1f} s, {n_objects / seconds:.0f} a second")
    return done


def check_all(recorder, bucket, old, new, killed):
    glass = recorder.folder / "keys" / "break-glass.key"
    report = killed.report
    tap.note(f"seed {killed.seed}: killed {killed.kills} times; the last run: {report}")
    tap.equal((killed.status, report.get("ok"), report.get("stale")), (0, True, 0), f"the last run ends well {killed.errors}")
    tap.ok(killed.kills >= min(KILLS, 1) and report.get("current", 0) > 0, "what the killed runs did is not done again")
    sealed = [name for name in bucket.names() if name.endswith(".age")]
    tap.equal((len(sealed), report["rewrapped"] + report["current"]), (2 * SESSIONS + 2,) * 2, "nothing came and nothing went")
    done = timed(recorder, len(sealed), "escrow-check", "--identity", new, "--identity", glass, "--json")
    told = json.loads(done.stdout or "{}")
    tap.equal([told.get(name) for name in ("objects", "organisation_opened", "break_glass_opened")], [len(sealed)] * 3,
              f"the new key opens every one, and so does the break-glass key {done.stderr}")
    done = timed(recorder, len(sealed), "retire", recipient_of(old), "--identity", old)
    tap.equal(done.returncode, 0, f"the old key was asked of every one, and opens none {done.stderr}")
    for name in random.Random(killed.seed).sample(sealed, min(10, len(sealed))):
        content = bucket.get(name)
        tap.ok(rotation.opens(content, new) and not rotation.opens(content, old), f"Debian's age says the same of {name}")


def run(folder):
    place = Place(folder)
    try:
        rotate(place, open_bucket(place))
    finally:
        place.gateway.stop()


def rotate(place, bucket):
    recorder = make_recorder(place)
    old, new = recorder.org_identity, recorder.folder / "keys" / "new.key"
    tap.equal(recorder.command("keys", "new").returncode, 0, "a ring")
    fill(bucket, [recipient_of(old), recipient_of(recorder.folder / "keys" / "break-glass.key")])
    recorder.start()
    sound = media.noise(place.folder, SECONDS, 0x11)
    session = recorder.open_session([participant("p1")], [sound.track("p1-audio", "p1")])
    sender = Sender(place.folder, [stream(sound, session.ports["p1-audio"])])
    done = recorder.command("keys", "rotate", "--output", new)
    tap.equal(done.returncode, 0, f"rotated while a session runs {done.stderr}")
    sender.finish()
    session.finish()
    before = untouched(bucket)
    seed = int(SEED) if SEED else None
    look_at = [f"{ORG}/{name}/env/1.age" for name in rotation.names(SESSIONS)[:20]]
    killed = rotation.Killed(recorder.config, [old, new], KILLS, 2 * SESSIONS / GUESSED_RATE, lambda: any(
        rotation.is_sealed_to(bucket.get(name), recipient_of(new)) for name in look_at), seed)
    check_all(recorder, bucket, old, new, killed)
    tap.equal(untouched(bucket), before, "media and manifests are byte for byte what they were")
    tap.equal(recorder.command("verify", session.id).returncode, 0, "the session that ran across it is whole")
    done = session.recover(place.folder / "new.mkv", identity=new)
    tap.equal(done.returncode, 0, f"and recovers with the new key {done.stderr}")
    print(f"# {killed.report.get('per_second', 0):.0f} envelopes a second, {SESSIONS} sessions", flush=True)
    recorder.stop()


if __name__ == "__main__":
    if botocore is None:
        tap.skip_all("no python3-botocore here")
    if not radosgw.is_possible():
        tap.skip_all("no radosgw here, or not root")
    main([run], DEADLINE_S)
