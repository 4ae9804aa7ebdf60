#!/usr/bin/python3
"""Whole sessions with a Ceph object gateway as the store: TLS with an authority of one's own, a bucket with object lock,
a recorder that may neither list nor delete, a gateway killed in the middle, new keys after a leak and an erasure that a lock holds
up. In front of the gateway stands one that asks for a checksum with all that is stored (peers/demanding_front.py)."""

import base64
import collections
import contextlib
import hashlib
import json
import os
import pathlib
import re
import ssl
import subprocess
import time
import urllib.error
import urllib.request

import rotation
import s3
from harness import Recorder, age_decrypt, frame_hashes, main, open_envelopes, participant, poll, session_request, tap
from peers import certificates, demanding_front, radosgw
from test_retention import OTHER, Custodian, hand_over, says
from test_s3_radosgw import botocore, refused
from visit import Visit
import test_keys
import test_visit

BUCKET = "recordings"
SECONDS = 12
LONG_SECONDS = 24
BODY = b"some bytes"
HUGE_KEY, HUGE = "org/huge/t1/1-0.tape", "h*70000000"  # over 64 MiB
KINDS = {name: f"[^/]+/{form}" for name, form in {
    "media": r"[^/]+/t[^/]+/\d+-\d+\.tape", "manifests": r"[^/]+/manifest/\d+\.note", "annotations": r"[^/]+/notes/\d+\.note",
    "envelopes": r"[^/]+/env/\d+\.age", "metadata": r"[^/]+/meta\.age", "sealings anew": r"[^/]+/resealed/\d+\.note",
    "erasures": r"erased/[^/]+/\d+\.note", "audit checkpoints": r"audit/[^/]+/\d+\.note"}.items()}
EXTRA_RIGHTS = ["s3:PutObjectRetention", "s3:PutObjectLegalHold"]
SEES_LOCK = "s3:GetBucketObjectLockConfiguration"


class Place:
    """A gateway, a locked bucket, put-only keys for the recorder, reading keys for who verifies and recovers."""

    def __init__(self, folder):
        self.folder = folder
        self.authority = certificates.make_authority(folder)
        pair = certificates.make_server(folder, self.authority, "IP:127.0.0.1")
        self.gateway = radosgw.Gateway(folder / "ceph", *pair)
        self.front = demanding_front.DemandingFront(self.gateway.http, *pair)
        self.port = self.gateway.https  # for our programs

    def start(self):
        self.gateway.start()
        self.owner = self.gateway.add_user("owner")
        self.admin = self._client(*self.owner)
        self.admin.create_bucket(Bucket=BUCKET, ObjectLockEnabledForBucket=True)
        users = {name: self.gateway.add_user(name) for name in ("recorder", "reader", "custodian")}
        self.keys = {name: s3.write_key(self.folder, *pair, name=f"{name}.credentials") for name, pair in users.items()}
        os.chown(self.keys["custodian"], OTHER, OTHER)
        self.reader, self.custodian = (self._client(*users[name]) for name in ("reader", "custodian"))
        self.admin.put_bucket_policy(Bucket=BUCKET, Policy=json.dumps(self._policy()))

    def stop(self):
        self.front.stop()
        self.gateway.stop()

    def _client(self, access_key, secret, url=None, **config):
        return botocore.session.get_session().create_client(
            "s3", endpoint_url=url or f"http://127.0.0.1:{self.gateway.http}", region_name="us-east-1",
            aws_access_key_id=access_key, aws_secret_access_key=secret, config=botocore.config.Config(**config))

    def url_to_put(self, port, key, **wishes):
        """As the owner, by TLS at `port`: of an object, or with `wishes` of a part."""
        client = self._client(*self.owner, url=f"https://127.0.0.1:{port}", signature_version="s3v4")
        wishes.update(Bucket=BUCKET, Key=key)
        return client.generate_presigned_url("upload_part" if "PartNumber" in wishes else "put_object", Params=wishes)

    def _policy(self):
        """What docs/s3.md says, and reading for the other user."""
        text = (pathlib.Path(__file__).resolve().parents[2] / "docs" / "s3.md").read_text(encoding="utf-8")
        policy, more = (json.loads(block.split("```")[0].replace("BUCKET", BUCKET)) for block in text.split("```json\n")[1:3])
        for row in more["Statement"]:
            row["Principal"] = {"AWS": ["arn:aws:iam:::user/custodian"]}
        for row in policy["Statement"]:
            row["Principal"] = {"AWS": ["arn:aws:iam:::user/recorder"]}
            if row["Effect"] == "Allow":
                row["Action"] += EXTRA_RIGHTS
            else:
                row["NotAction"] += [*EXTRA_RIGHTS, SEES_LOCK]
        policy["Statement"].append({"Effect": "Allow", "Principal": {"AWS": ["arn:aws:iam:::user/recorder"]},
                                    "Action": [SEES_LOCK], "Resource": [f"arn:aws:s3:::{BUCKET}"]})
        policy["Statement"].append({
            "Effect": "Allow", "Principal": {"AWS": ["arn:aws:iam:::user/reader"]},
            "Action": ["s3:GetObject", "s3:ListBucket"],
            "Resource": [f"arn:aws:s3:::{BUCKET}", f"arn:aws:s3:::{BUCKET}/*"]})
        policy["Statement"] += more["Statement"]
        return policy

    def settings(self, **changes):
        """The text of a `store`."""
        rows = {"type": "s3", "baa": True, "endpoint": f"https://127.0.0.1:{self.port}", "bucket": BUCKET,
                "region": "us-east-1", "ca_file": str(self.authority[0]), "credentials": str(self.keys["recorder"]),
                "lock": "compliance", "lock_days": 1, "retry_ms": 2000, **changes}
        return "store: {" + " ".join(f"{name} = {json.dumps(value)};" for name, value in rows.items()) + "};\n"


class S3Recorder(Recorder):
    """Records into the bucket; its commands read with the other keys; `store` is a copy, see fetch()."""

    def __init__(self, folder, place):
        super().__init__(folder)
        self.place = place
        self.good = self.config.read_text()
        self.reading = self.folder / "reading.conf"
        self.put_stores()

    def put_stores(self):
        self.put_store(self.config)
        self.put_store(self.reading, credentials=str(self.place.keys["reader"]))

    @contextlib.contextmanager
    def by_the_front(self):
        """Everybody asks the front meanwhile; the recorder is to be started within."""
        self.place.port = self.place.front.port
        self.put_stores()
        yield
        self.place.port = self.place.gateway.https
        self.put_stores()

    def put_store(self, path, **changes):
        before, rest = self.good.split("store:\n", 1)
        after = rest.split("\n};\n", 1)[1]
        path.write_text(before + self.place.settings(**changes) + after)
        return path

    def command(self, *arguments, config=None, timeout_s=120):
        kept, self.config = self.config, config or self.reading
        try:
            return super().command(*arguments, timeout_s=timeout_s)
        finally:
            self.config = kept

    def fetch(self):
        """Copies the bucket to where a directory store would be, for who looks into it."""
        pages = self.place.reader.get_paginator("list_objects_v2").paginate(Bucket=BUCKET)
        for row in (row for page in pages for row in page.get("Contents", [])):
            path = self.store / row["Key"]
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(self.place.reader.get_object(Bucket=BUCKET, Key=row["Key"])["Body"].read())


def one_line(text, part, name):
    """What is told is one line and has `part` in it."""
    lines = text.strip().splitlines()
    tap.ok(len(lines) == 1 and part in lines[0], name, text)


def refused_settings(place, recorder):
    """What the programs say before anything is asked of the network."""
    def told(**changes):
        recorder.put_store(recorder.folder / "bad.conf", **changes)
        return recorder.command("session", "list", config=recorder.folder / "bad.conf").stderr

    one_line(told(baa=False), "business associate agreement", "no agreement, no store")
    one_line(told(endpoint="http://10.0.0.1"), "http", "plain http to elsewhere is refused")
    one_line(told(credentials="./nokeys"), "nokeys", "a file of keys that is not there is named")
    one_line(told(ca_file="./none.pem"), "authorities", "so is an authority that is not there")
    one_line(told(bucket="Not A Bucket"), "bucket", "so is a name that no bucket has")
    one_line(told(region="Frankfurt"), "region", "and what can not be a region")
    recorder.put_store(recorder.config, credentials="./nokeys")
    try:
        recorder.start()
    except RuntimeError:
        one_line(recorder.child.log_text(), "nokeys", "the recorder does not start without its keys, and says so")
    else:
        tap.ok(False, "the recorder does not start without its keys")
    recorder.put_store(recorder.config)


def refused_stores(place, recorder):
    """What the gateway refuses, as doctor and the control API tell it."""
    wrong = s3.write_key(place.folder, "AKNOBODY", "x", name="nobody.credentials")
    for changes, part, name in (
        ({"credentials": str(wrong)}, "InvalidAccessKeyId", "keys that nobody knows"),
        ({"bucket": "nobucket"}, "NoSuchBucket", "a bucket that is not there"),
        ({"ca_file": str(certificates.make_authority(place.folder, "stranger")[0])}, "certificate",
         "a certificate that nobody vouches for"),
    ):
        recorder.put_store(recorder.config, **changes)
        done = recorder.command("doctor", config=recorder.config)
        rows = [line for line in done.stdout.splitlines() if line.startswith("failed") and "store put" in line]
        tap.ok(done.returncode == 1 and len(rows) == 1 and part in rows[0], f"doctor tells of {name}",
               done.stdout + done.stderr)
        recorder.start()
        session = recorder.open_session([participant("p1")], request()["tracks"])
        poll(lambda: f"session {session.id}: " in recorder.child.log_text() and part in recorder.child.log_text(), 60,
             "the session to be told of")
        tap.ok(session.look()["state"] == "recording", f"a session is recorded with {name}, and the log names it")
        recorder.stop(40)
    recorder.put_store(recorder.config)


def gateway_down(place, recorder):
    recorder.start()
    session = recorder.open_session([participant("p1")], request()["tracks"])
    poll(lambda: "trying again" in recorder.child.log_text(), 60, "the log to tell of the store")
    tap.equal(session.look()["state"], "recording", "without a gateway the recorder is ready, and a session is recorded")
    tap.equal(recorder.stop(40), 0, "it ends well")


def versions_of(place, recorder, session):
    """Every version of what is not told of it: (key, version)."""
    prefix = f"{recorder.org}/{session.id}/"
    pages = place.custodian.get_paginator("list_object_versions").paginate(Bucket=BUCKET, Prefix=prefix)
    rows = [row for page in pages for kind in ("Versions", "DeleteMarkers") for row in page.get(kind, [])]
    return [(row["Key"], row["VersionId"]) for row in rows if not row["Key"].startswith(prefix + "notes/")]


def custodian_of(place, recorder):
    custodian = Custodian(recorder)
    custodian.config = recorder.put_store(recorder.folder / "custodian.conf", credentials=str(place.keys["custodian"]))
    return custodian


def lock_of(place, row):
    return place.custodian.get_object_retention(Bucket=BUCKET, Key=row[0], VersionId=row[1])["Retention"]


def body_of(place, row):
    return place.custodian.get_object(Bucket=BUCKET, Key=row[0], VersionId=row[1])["Body"].read()


def later(place):
    """The gateway by a clock behind all locks."""
    place.gateway.kill_gateway()
    place.gateway.start_gateway("+36h")


def opened_by(place, recorder, session, identity):
    """What of the session, in any version, an identity file opens: media as the newest note or else the manifest lists them."""
    recorder.fetch()
    rows = [row for row in versions_of(place, recorder, session) if not row[0].endswith((".tape", ".note"))]
    return ([row[0] for row in rows if rotation.opens(body_of(place, row), identity)] +
            ["media" for one in test_keys.stored_segments(session) if rotation.opens(one, identity)])


def resealed_under_lock(place, recorder, session):
    """After a leak no version of an old key is left at once; the old bytes go when their lock has ended."""
    started = time.monotonic()
    custodian, old, new = custodian_of(place, recorder), recorder.org_identity, recorder.folder / "new.key"
    ids = recorder.folder / "leaked.ids"
    before = versions_of(place, recorder, session)
    leaked = next(body_of(place, row) for row in before if row[0].endswith("/env/1.age"))
    ids.write_bytes(subprocess.run(["age", "-d", "-i", str(old)], input=leaked, capture_output=True, check=True).stdout)
    media = [row for row in before if row[0].endswith(".tape")]
    tap.ok("media" in opened_by(place, recorder, session, ids), "what was leaked opens its media")
    until = f"{max(lock_of(place, row)['RetainUntilDate'] for row in media):%Y-%m-%d}"
    tap.equal(session.recover(recorder.folder / "before.mkv", identity=old).returncode, 0, "it is recovered before")
    says(custodian.run("keys", "new"), 0, "", "there is a key ring")
    says(custodian.run("keys", "rotate", "--output", new), 0, "", "and a new key in it")
    reencrypt = ("keys", "reencrypt", "--compromised", test_keys.recipient_of(old), "--identity", old, "--identity", new, session.id)
    says(custodian.run(*reencrypt), 3, f"{session.id}: sealed anew, old bytes locked until {until}\n", "sealed anew under lock: the exact words")
    now = versions_of(place, recorder, session)
    tap.ok(set(media) <= set(now), "all that was locked is there")
    tap.equal([opened_by(place, recorder, session, identity) for identity in (old, ids)], [[], []],
              "no version of anything opens with the leaked key, and no media of now with the session's leaked ones")
    says(recorder.command("verify", session.id), 0, "the recorder's signature covers what ", "verify finds it whole, and says who proves what")
    says(custodian.run(*reencrypt), 3, f"old bytes locked until {until}\n", "a run before that day says the same")
    tap.ok(set(media) <= set(versions_of(place, recorder, session)), "and nothing went")
    later(place)
    try:
        says(custodian.run(*reencrypt, days=1.5), 0, f"{session.id}: sealed anew, nothing of before is left.\n", "a run after it removes them")
    finally:
        place.gateway.restart_gateway()
    now = versions_of(place, recorder, session)
    tap.equal(set(media) & set(now), set(), "no version of them is left")
    says(recorder.command("verify", session.id), 0, "all there, genuine and in order", "verify finds it whole")
    tap.equal(session.recover(recorder.folder / "after.mkv", identity=new).returncode, 0, "the new key opens it")
    tap.equal(frame_hashes(recorder.folder / "after.mkv", copy=True), frame_hashes(recorder.folder / "before.mkv", copy=True), "the same media")
    tap.note(f"of these seconds, {time.monotonic() - started:.1f} are the sealing anew's")


def erased_under_lock(place, recorder, session):
    """Its keys go at once, its bytes when the lock has ended: so by the gateway's clock, and that of who asks it then."""
    started = time.monotonic()
    custodian = custodian_of(place, recorder)
    file = recorder.folder / "orgs" / f"{recorder.org}.conf"
    file.write_text(file.read_text().replace('owns every session"', 'owns every session", "nobody: custodian"'))
    before = versions_of(place, recorder, session)
    locked = [row for row in before if row[0].endswith((".tape", ".note"))]
    locks = [lock_of(place, row) for row in locked]
    until = f"{max(lock['RetainUntilDate'] for lock in locks):%Y-%m-%d}"
    tap.equal({lock["Mode"] for lock in locks}, {"COMPLIANCE"}, "all that may be is under compliance lock")
    kept = sorted(key.split("/", 2)[2] for key, _ in set(before) - set(locked))
    tap.equal(([name for name in kept if not name.endswith(".past")], len(locked) >= 7), (["env/2.age", "meta.age"], True),
              "and keys are not")
    says(custodian.run("erase", session.id, "--request"), 0, "requested", "its erasure is requested")
    hand_over(recorder)
    done = custodian.run("erase", session.id, "--approve", user=OTHER)
    says(done, 0, f"{session.id}: erased by key, bytes locked until {until}; pending until {until}.\n", "and approved: the exact words")
    tap.equal(sorted(versions_of(place, recorder, session)), sorted(locked), "no version of a key is left, all of what is locked")
    says(custodian.run("erase", session.id, "--certificate"), 0, f"{len(locked)} left, {len(locked)} locked", "which the certificate says")
    says(custodian.run("retention", "run"), 0, f"bytes locked until {until}", "a run before that day says the same")
    tap.equal(len(versions_of(place, recorder, session)), len(locked), "and nothing went")
    later(place)
    try:
        says(custodian.run("retention", "run", days=1.5), 0, f"{session.id}  erased", "a run after it ends the erasure")
    finally:
        place.gateway.restart_gateway()
    tap.equal(versions_of(place, recorder, session), [], "every version is gone")
    certificate = custodian.run("erase", session.id, "--certificate")
    says(certificate, 0, "listed-again 0 left, 0 locked", "the last certificate says so")
    tap.ok(all(f"removed {key} {version} " in certificate.stdout for key, version in locked), "and names each version", certificate.stdout)
    says(custodian.run("verify", session.id), 3, "erased on ", "so does verify")
    tap.note(f"of these seconds, {time.monotonic() - started:.1f} are the erasure's")


def request():
    track = {"id": "p1-audio", "participant": "p1", "kind": "audio", "codec": "opus", "payload_type": 111,
             "clock_rate": 48000, "channels": 2}
    return session_request([participant("p1")], [track])


def doctor_is_content(place, recorder):
    done = recorder.command("doctor", "--json", config=recorder.config)
    rows = {row["check"]: row for row in json.loads(done.stdout)["checks"]}
    store = {name: row["result"] for name, row in rows.items() if name.startswith("store ")}
    tap.equal({name: result for name, result in store.items() if result != "ok"},
              {"store put-if-absent": "warning", "store checksum": "warning"},
              "doctor finds the store in order but for what Ceph 16 ignores: checksums, and If-None-Match with versions")
    tap.ok({"store put-if-absent", "store delete", "store list", "store object-lock"} <= set(store), "and says what it tried",
           done.stdout)
    done = recorder.command("doctor", "--json", config=recorder.reading)
    tap.equal(done.returncode, 1, "with keys that may not put, doctor fails")


def whole_visit(place, recorder, folder):
    folder.mkdir()
    recorder.start()
    visit = Visit(folder, SECONDS, recorder).begin()
    visit.finish()
    recorder.fetch()
    test_visit.check_counts(visit)
    test_visit.check_manifest(visit)
    test_visit.check_signatures(visit, folder)
    test_visit.check_matroska(visit, folder / "visit.mkv")
    (folder / "recorder").mkdir()  # for the other envelope's identities
    test_visit.check_without_sealtape(visit, folder)
    test_visit.check_commands(visit)
    check_locks(place, visit)
    poll(lambda: "checks are good" in recorder.child.log_text(), 30, "the probe to be logged")
    tap.contains(recorder.child.log_text(), "9 of 10 checks are good", "what the store does is logged at start")
    tap.equal(recorder.stop(), 0, "the recorder ends well")
    return visit.session


def check_locks(place, visit):
    key = str(visit.session.manifest().paths[0].relative_to(visit.recorder.store))
    version = place.reader.head_object(Bucket=BUCKET, Key=key)["VersionId"]
    tap.equal(refused(place.admin.delete_object, Bucket=BUCKET, Key=key, VersionId=version),
              "AccessDenied", "not even the owner can delete a manifest")


def gateway_killed(place, recorder, folder):
    """Killed twice: for a moment, and for longer than retries last."""
    folder.mkdir()
    recorder.start()
    visit = Visit(folder, LONG_SECONDS, recorder).begin()
    look = lambda: {row["id"]: (row["acknowledged_us"], row["segments"]) for row in visit.session.look()["tracks"]}
    poll(lambda: min(end for end, _ in look().values()) > 0, 30, "all tracks to be acknowledged")
    place.gateway.kill_gateway()
    before = look()
    poll(lambda: all(look()[name][0] > before[name][0] + 3000000 for name in before), 30, "recording to go on")
    tap.ok(True, "with the gateway killed, recording goes on and is acknowledged")
    other = recorder.open_session([participant("p1")], request()["tracks"])
    tap.ok(True, "a new session begins meanwhile")
    place.gateway.start_gateway()
    poll(lambda: look()["p1-audio"][0] > before["p1-audio"][0] + 6000000, 30, "recording to go on further")
    place.gateway.restart_gateway()
    acknowledged = look()
    visit.finish()
    other.finish()
    recorder.fetch()
    tap.equal(recorder.command("verify", other.id).returncode, 0, "the session that began without a gateway is stored")
    test_visit.check_counts(visit)
    test_visit.check_manifest(visit)
    test_visit.check_matroska(visit, folder / "visit.mkv")
    ids, manifest = open_envelopes(visit.session, folder), visit.session.manifest()
    for name, (end_us, n_segments) in acknowledged.items():
        rows = manifest.of(name)
        opened = [age_decrypt(row.sealed(visit.session), ids) for row in rows]
        tap.ok(rows[-1].end_us >= end_us and len(opened) >= n_segments, f"{name}: nothing acknowledged was lost",
               acknowledged[name], rows)
        inside = lambda gap: rows[0].start_us < gap.start_us + gap.duration_us and gap.start_us < rows[-1].end_us
        lost = [gap for gap in manifest.gaps_of(name) if gap.reason != "no-media" or (gap.duration_us > 1000000 and inside(gap))]
        tap.equal(lost, [], f"{name}: no gap but before the first packet and behind the last")
    tap.equal(recorder.command("verify", visit.session.id).returncode, 0, "verify finds all")
    tap.equal(recorder.stop(), 0, "the recorder ends well")


def sent(place, url, **headers):
    """PUTs BODY there; what came of it: a status, and the code of an error."""
    context = ssl.create_default_context(cafile=place.authority[0])
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    request = urllib.request.Request(url, BODY, method="PUT", headers=named)
    try:
        with urllib.request.urlopen(request, context=context, timeout=30) as answer:
            return answer.status, None
    except urllib.error.HTTPError as error:
        return error.code, re.search("<Code>(.*?)</Code>", error.read().decode())[1]


def front_refuses(place):
    """The test's own puts, signed as they must be: what the gateway takes as it is, the front does not."""
    upload = place.admin.create_multipart_upload(Bucket=BUCKET, Key="front/parts")["UploadId"]
    rows = [("front/object", {}), ("front/parts", {"PartNumber": 1, "UploadId": upload})]
    by_gateway, by_front = ([place.url_to_put(port, key, **wishes) for key, wishes in rows]
                            for port in (place.gateway.https, place.front.port))
    md5, sha256 = (base64.b64encode(hashlib.new(name, BODY).digest()).decode() for name in ("md5", "sha256"))
    tap.equal([sent(place, url) for url in by_gateway], [(200, None)] * 2, "the gateway takes an object and a part without a checksum")
    tap.equal([sent(place, url) for url in by_front], [(400, "InvalidRequest")] * 2, "the front refuses both")
    tap.equal([sent(place, url, x_amz_checksum_sha256=sha256[:-5] + "AAAA=") for url in by_front], [(400, "BadDigest")] * 2,
              "and a checksum of other bytes")
    tap.equal([sent(place, url, content_md5=md5) for url in by_front], [(200, None)] * 2, "with the right one it lets them pass")
    place.admin.abort_multipart_upload(Bucket=BUCKET, Key="front/parts", UploadId=upload)


def parts_under_lock(place):
    """An object too large for one put, with the recorder's credentials."""
    options = {"endpoint": f"https://127.0.0.1:{place.front.port}", "bucket": BUCKET, "ca_file": place.authority[0],
               "credentials": place.keys["recorder"], "lock": "compliance", "lock_days": 1}
    with s3.Store(**options) as store:
        tap.equal(store.ask(f"put {HUGE_KEY} {HUGE}"), "ok", "an object in parts is stored through the front")
    version = place.custodian.list_object_versions(Bucket=BUCKET, Prefix=HUGE_KEY)["Versions"][0]["VersionId"]
    tap.equal(lock_of(place, (HUGE_KEY, version))["Mode"], "COMPLIANCE", "under lock")
    tap.equal([(put.what, put.checksums) for put in place.front.puts if put.key == HUGE_KEY],
              [(what, ["content-md5"]) for what in [*(f"part {number}" for number in range(1, 6)), "retention"]],
              "each of its parts had a checksum, and so had its lock, which Ceph 16 forgets of an upload in parts")


def checksums_of_all(place, stored):
    """What our programs put through the front: of all that was ever stored, and nothing of it refused."""
    puts = [put for put in place.front.puts if not put.key.startswith("front/")]
    refused_keys = {put.key for put in puts if put.code is not None}
    tap.equal(refused_keys, {"sealtape-probe-damaged"}, "the front refused nothing but what the probe damages on purpose")
    passed = collections.Counter(kind for kind, form in KINDS.items() for put in puts if put.code is None and re.fullmatch(form, put.key))
    tap.equal(set(KINDS) - set(passed), set(), "it let pass some of each kind, all with a checksum")
    tap.equal({key for key, _ in stored} - {put.key for put in puts}, set(), "nothing came by another way")
    tap.note(f"with a checksum each: {', '.join(f'{n} of {kind}' for kind, n in sorted(passed.items()))}")


def test_session(folder):
    place = Place(folder)
    place.keys = {name: s3.write_key(folder, "AK" + name, "x", name=f"{name}.credentials") for name in ("recorder", "reader")}
    recorder = S3Recorder(folder / "recorder", place)
    refused_settings(place, recorder)
    gateway_down(place, recorder)
    try:
        place.start()
        refused_stores(place, recorder)
        doctor_is_content(place, recorder)
        front_refuses(place)
        with recorder.by_the_front():
            session = whole_visit(place, recorder, folder / "visit")
        stored = versions_of(place, recorder, session)
        gateway_killed(place, recorder, folder / "killed")
        with recorder.by_the_front():
            resealed_under_lock(place, recorder, session)
            stored += versions_of(place, recorder, session)
            erased_under_lock(place, recorder, session)
        parts_under_lock(place)
        checksums_of_all(place, stored)
    finally:
        place.stop()


if __name__ == "__main__":
    if botocore is None:
        tap.skip_all("no python3-botocore here")
    if not radosgw.is_possible():
        tap.skip_all("no radosgw here, or not root")
    main([test_session], 280)
