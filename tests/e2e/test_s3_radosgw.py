#!/usr/bin/python3
"""The S3 store against a real Ceph object gateway: TLS, races, pages, object lock, credentials that only put, a kill."""

import json
import pathlib
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))

import s3
from harness import main, tap
from peers import certificates, radosgw
from peers.children import poll

try:
    import botocore.exceptions
    import botocore.session
except ImportError:
    botocore = None

BODY, OTHER = "x*5000", "y*5000"
HUGE = "h*70000000"  # over 64 MiB


class Place:
    """The gateway, the certificates in front of it, and an administrator's client."""

    def __init__(self, folder):
        self.folder = folder
        self.authority = certificates.make_authority(folder)
        self.pair = certificates.make_server(folder, self.authority, "IP:127.0.0.1,DNS:s3.localhost,DNS:*.s3.localhost")
        self.gateway = radosgw.Gateway(folder / "ceph", *self.pair).start()
        self.owner = self.gateway.add_user("owner")
        self.admin = self.client(*self.owner)

    def client(self, access_key, secret):
        return botocore.session.get_session().create_client(
            "s3", endpoint_url=f"http://127.0.0.1:{self.gateway.http}", region_name="us-east-1",
            aws_access_key_id=access_key, aws_secret_access_key=secret)

    def store(self, bucket, key=None, **options):
        access_key, secret = key or self.owner
        path = s3.write_key(self.folder, access_key, secret, name=f"{access_key}.credentials")
        options.setdefault("ca_file", self.authority[0])
        host = options.pop("host", "127.0.0.1")
        return s3.Store(endpoint=f"https://{host}:{self.gateway.https}", bucket=bucket, credentials=path, **options)


def refused(action, **arguments):
    """Returns the code of the refusal, None if there was none."""
    try:
        action(**arguments)
    except botocore.exceptions.ClientError as error:
        return error.response["Error"]["Code"]
    return None


def begins(answer, start, name):
    return tap.ok(answer.startswith(start), name, f"answer: {answer}")


def objects_over_tls(place):
    place.admin.create_bucket(Bucket="plain")
    with place.store("plain", pin=certificates.pin_of(place.pair[0])) as store:
        tap.equal(store.ask(f"put org/s/a.tape {BODY}"), "ok", "puts over TLS with an authority of one's own and a pin")
        tap.equal(store.ask("get org/s/a.tape"), s3.told(BODY), "gets")
        tap.equal(store.ask(f"put org/s/a.tape {BODY}"), "ok", "the same once more is a success")
        begins(store.ask(f"put org/s/a.tape {OTHER}"), "error conflict", "other bytes are a conflict")
        tap.equal(store.ask(f"replace org/s/meta.age {OTHER}"), "ok", "replaces")
        begins(store.ask("get org/none"), "error not-found", "nothing is not found")
        tap.equal(store.ask("put org/s/empty.tape e*0"), "ok", "an empty object")
        tap.equal(store.ask("put org/s/big.tape z*9000000"), "ok", "nine megabytes")
        tap.equal(store.ask("get org/s/big.tape"), s3.told("z*9000000"), "and back")
        tap.equal(store.ask("range org/s/big.tape 8000000 70000"), s3.told("z*70000"), "a stretch of it")
        tap.equal(store.ask("range org/s/big.tape 8999990 70000"), s3.told("z*10"), "which ends where it ends")
        begins(store.ask("range org/none 0 10"), "error not-found", "nor is a stretch of nothing")
        tap.equal(store.ask("folders org/"), "ok org/s", "folders")
        tap.equal(store.ask(f"put org/s/huge.tape {HUGE}"), "ok", "an object too large for one request")
        tap.equal(store.ask("get org/s/huge.tape"), s3.told(HUGE), "and back")
        head = place.admin.head_object(Bucket="plain", Key="org/s/huge.tape")
        tap.contains(head["ETag"], "-5", "it travelled in five parts")
        tap.equal(store.ask(f"put org/s/huge.tape {HUGE}"), "ok", "the same once more is a success")
        begins(store.ask(f"put org/s/huge.tape {HUGE.replace('h', 'g')}"), "error conflict", "other bytes are a conflict")
        tap.equal(store.ask("get org/s/huge.tape"), s3.told(HUGE), "and the first ones stay")
        left = place.admin.list_multipart_uploads(Bucket="plain").get("Uploads", [])
        tap.equal(left, [], "nothing half done is left")
    stranger = certificates.make_authority(place.folder, "stranger")
    with place.store("plain", ca_file=stranger[0]) as store:
        begins(store.ask(f"put org/x {BODY}"), "error denied", "a stranger's certificate is refused")
    with place.store("plain", host="s3.localhost", style="host") as store:
        tap.equal(store.ask("get org/s/a.tape"), s3.told(BODY), "with the bucket in the host's name too")


def refusals(place):
    with place.store("nobucket") as store:
        answer = store.ask(f"put a/b {BODY}")
        tap.ok(answer.startswith("error denied") and "NoSuchBucket" in answer, "a bucket that is not there", answer)
    with place.store("plain", key=(place.owner[0], "wrong")) as store:
        answer = store.ask(f"put a/b {BODY}")
        tap.ok(answer.startswith("error denied") and "SignatureDoesNotMatch" in answer, "a wrong secret", answer)
    with place.store("plain", key=("AKNOBODY", "x")) as store:
        answer = store.ask(f"put a/b {BODY}")
        tap.ok(answer.startswith("error denied") and "InvalidAccessKeyId" in answer, "an unknown key", answer)


def pages(place):
    place.admin.create_bucket(Bucket="pages")
    with place.store("pages", max_concurrent=8) as store:
        tap.equal(store.ask("putmany 1050 org/s/t x*10"), "ok 0 failed", "a thousand and fifty objects")
        names = store.ask("list org/").split(" ")[1:]
        tap.equal(names, [f"org/s/t{i:05d}.tape" for i in range(1050)], "are all listed, over two pages, in order")


def races(place):
    place.admin.create_bucket(Bucket="races")
    stores = [place.store("races") for _ in range(6)]
    for i in range(10):
        for n, store in enumerate(stores):
            store.say(f"put race-{i} {chr(97 + n)}*20000")
        answers = [store.hear().split(" ")[0] for store in stores]
        if sorted(answers) != ["error"] * 5 + ["ok"]:
            tap.ok(False, f"round {i}: one of six writers wins", str(answers))
            break
        winner = chr(97 + answers.index("ok"))
        if stores[0].ask(f"get race-{i}") != s3.told(f"{winner}*20000"):
            tap.ok(False, f"round {i}: the winner's bytes stay")
            break
    else:
        tap.ok(True, "ten rounds of six writers with different bytes: one wins, its bytes stay")
    for store in stores:
        store.close()


def object_lock(place):
    place.admin.create_bucket(Bucket="locked", ObjectLockEnabledForBucket=True)
    with place.store("locked", lock="compliance", lock_days=2) as store:
        tap.equal(store.ask(f"put org/s/a.tape {BODY}"), "ok", "puts under compliance lock")
        tap.equal(store.ask(f"put org/s/env/1.age {BODY}"), "ok", "and an envelope without")
    kept = place.admin.get_object_retention(Bucket="locked", Key="org/s/a.tape")["Retention"]
    tap.equal(kept["Mode"], "COMPLIANCE", "the lock is the store's own")
    version = place.admin.head_object(Bucket="locked", Key="org/s/a.tape")["VersionId"]
    tap.equal(refused(place.admin.delete_object, Bucket="locked", Key="org/s/a.tape", VersionId=version), "AccessDenied",
              "its owner can not delete it")
    version = place.admin.head_object(Bucket="locked", Key="org/s/env/1.age")["VersionId"]
    tap.equal(refused(place.admin.delete_object, Bucket="locked", Key="org/s/env/1.age", VersionId=version), None,
              "an envelope can be destroyed")
    with place.store("locked", legal_hold="on") as store:
        tap.equal(store.ask(f"put org/s/held.tape {BODY}"), "ok", "puts under legal hold")
    hold = place.admin.get_object_legal_hold(Bucket="locked", Key="org/s/held.tape")["LegalHold"]["Status"]
    tap.equal(hold, "ON", "which stands")


def versions(place):
    """What a plain list does not show is there all the same, until each of it is named."""
    place.admin.create_bucket(Bucket="versions")
    place.admin.put_bucket_versioning(Bucket="versions", VersioningConfiguration={"Status": "Enabled"})
    with place.store("versions") as store:
        for text in (BODY, OTHER):
            store.ask(f"replace org/s1/env/1.age {text}")
        store.ask(f"put org/s1/tp1/0-0.tape {BODY}")
        store.ask(f"put org/s10/tp1/0-0.tape {BODY}")
        place.admin.delete_object(Bucket="versions", Key="org/s1/tp1/0-0.tape")
        place.admin.create_multipart_upload(Bucket="versions", Key="org/s1/tp1/0-9.tape")
        tap.equal(store.ask("list org/s1/"), "ok org/s1/env/1.age", "a deleted object is not listed")
        rows = store.ask("versions org/s1/").split(" ")[1:]
        tap.equal(sorted(rows), ["org/s1/env/1.age=bytes=5000"] * 2 + [
            "org/s1/tp1/0-0.tape=bytes=5000", "org/s1/tp1/0-0.tape=marker=0", "org/s1/tp1/0-9.tape=upload=0"],
            "but it is there, with its marker, an older envelope and an unfinished upload")
        tap.equal(store.ask("erase org/s1/"), "ok 5 gone 0 locked 0 failed 0", "each is removed by its version")
        tap.equal(store.ask("versions org/s1/"), "ok", "and nothing is left")
        tap.equal(store.ask("erase org/s1/"), "ok 0 gone 0 locked 0 failed 0", "once more is a success")
        tap.equal(store.ask("get org/s10/tp1/0-0.tape"), s3.told(BODY), "a session with a longer name is untouched")
    with place.store("locked", lock="compliance", lock_days=2) as store:
        rows = store.ask("versions org/s/").split(" ")[1:]
        tap.ok(len(rows) == 2, "two objects are under lock", rows)
        answer = store.ask("erase org/s/").split(" ")
        tap.equal(answer[:7], ["ok", "0", "gone", "2", "locked", "0", "failed"], "neither can be removed, and each says it is a lock")
        days = (int(answer[7]) - time.time()) / 86400
        tap.ok(1.9 < days < 2.1, "and until when", days)


def put_only_credentials(place):
    place.admin.create_bucket(Bucket="putonly")
    recorder = place.gateway.add_user("recorder")

    def policy(document):
        for row in document["Statement"]:
            row["Principal"] = {"AWS": ["arn:aws:iam:::user/recorder"]}
        place.admin.put_bucket_policy(Bucket="putonly", Policy=json.dumps(document).replace("BUCKET", "putonly"))

    # On Ceph, who put an object owns it and may read it, unless that is denied.
    policy({"Version": "2012-10-17", "Statement": [
        {"Effect": "Allow", "Action": ["s3:PutObject"], "Resource": ["arn:aws:s3:::BUCKET/*"]},
        {"Effect": "Deny", "Action": ["s3:GetObject", "s3:DeleteObject"], "Resource": ["arn:aws:s3:::BUCKET/*"]}]})
    with place.store("putonly", key=recorder) as store:
        tap.equal(store.ask(f"put org/s/a.tape {BODY}"), "ok", "credentials that may only put can record")
        begins(store.ask("get org/s/a.tape"), "error denied", "but not read")
        begins(store.ask("list "), "error denied", "nor list")
        answer = store.ask(f"put org/s/a.tape {BODY}")
        tap.ok(answer.startswith("error denied") and "s3:GetObject" in answer, "what they need is named", answer)
    text = (pathlib.Path(__file__).resolve().parents[2] / "docs" / "s3.md").read_text(encoding="utf-8")
    policy(json.loads(text.split("```json\n")[1].split("```")[0]))
    with place.store("putonly", key=recorder) as store:
        tap.equal(store.ask(f"put org/s/a.tape {BODY}"), "ok", "with s3:GetObject an object of their own is recognised")
        begins(store.ask(f"put org/s/a.tape {OTHER}"), "error conflict", "and another's too")
        tap.equal(store.ask(f"put org/s/b.tape {BODY}"), "ok", "the policy of docs/s3.md lets it record")
        begins(store.ask("list "), "error denied", "and not list")
        found = dict(row.split(": ")[:2] for row in store.ask("probe").split("\t")[1:])
        tap.equal({name for name in found if found[name] != "good"}, {"checksum"},
                  "the probe finds all in order but the checksum header, which Ceph 16 ignores")
    client = place.client(*recorder)
    tap.equal(refused(client.delete_object, Bucket="putonly", Key="org/s/a.tape"), "AccessDenied", "neither may delete")


def gateway_killed(place):
    place.admin.create_bucket(Bucket="killed")
    with place.store("killed", max_concurrent=4, retry_ms=60000) as store:
        store.say("putmany 400 org/s/t z*60000")
        count = lambda: place.admin.list_objects_v2(Bucket="killed")["KeyCount"]
        poll(lambda: count() > 40, 30, "some objects to be stored")
        before = count()
        place.gateway.restart_gateway()
        tap.equal(store.hear(), "ok 0 failed", "a gateway killed while four hundred objects go up: all are stored")
        tap.ok(before < 400, "it was killed in the middle", f"{before} were there")
        tap.equal(len(store.ask("list org/").split(" ")) - 1, 400, "and none is missing")
        tap.equal(store.ask("get org/s/t00399.tape"), s3.told("z*60000"), "and the last one is whole")


def all_of_it(folder):
    place = Place(folder)
    try:
        for test in (objects_over_tls, refusals, pages, races, object_lock, versions, put_only_credentials, gateway_killed):
            test(place)
    finally:
        place.gateway.stop()
    tap.ok(all(not child.is_running() for child in place.gateway.children), "everything ended")


if __name__ == "__main__":
    if botocore is None:
        tap.skip_all("no python3-botocore here")
    if not radosgw.is_possible():
        tap.skip_all("no radosgw here, or not root")
    main([all_of_it], 170)
