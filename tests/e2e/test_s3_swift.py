#!/usr/bin/python3
"""The S3 store against OpenStack Swift's S3 front: another verifier of our signatures, and a server that must be refused."""

import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))

import s3
from harness import main, tap
from peers import swift

try:
    import botocore.session
except ImportError:
    botocore = None

BUCKET, BODY = "recordings", "x*5000"


def begins(answer, start, name):
    return tap.ok(answer.startswith(start), name, f"answer: {answer}")


def test_swift(folder):
    place = swift.Swift(folder / "swift").start()
    url = f"http://127.0.0.1:{place.port}"
    admin = botocore.session.get_session().create_client(
        "s3", endpoint_url=url, region_name=swift.REGION, aws_access_key_id=swift.ACCESS_KEY, aws_secret_access_key=swift.SECRET)
    admin.create_bucket(Bucket=BUCKET)
    key = s3.write_key(folder, swift.ACCESS_KEY, swift.SECRET)

    with s3.Store(endpoint=url, bucket=BUCKET, region=swift.REGION, credentials=key) as store:
        for name in ("clinic-a/s1/meta.age", "clinic-a/s1/env/1.age", "clinic-a/s1/tp1-video/0-12.tape", "a.b_c-d/e/f"):
            tap.equal(store.ask(f"replace {name} {BODY}"), "ok", f"its signature holds: put {name}")
            tap.equal(store.ask(f"get {name}"), s3.told(BODY), f"its signature holds: get {name}")
        tap.equal(store.ask("list clinic-a/"), "ok clinic-a/s1/env/1.age clinic-a/s1/meta.age clinic-a/s1/tp1-video/0-12.tape",
                  "a signed query holds: list")
        tap.equal(store.ask("folders"), "ok a.b_c-d clinic-a", "a signed query holds: folders")
        begins(store.ask("get clinic-a/none"), "error not-found", "nothing is not found")
        answer = store.ask(f"put clinic-a/s1/tp1-video/1-0.tape {BODY}")
        begins(answer, "error ", "it knows no put-if-absent: nothing is put that could overwrite")
        tap.contains(answer, "NotImplemented", "and the sentence says why")
        begins(store.ask("get clinic-a/s1/tp1-video/1-0.tape"), "error not-found", "so it is not there")
        rows = dict(row.split(": ", 1) for row in store.ask("probe").split("\t")[1:])
        tap.ok(rows["put"].startswith("bad"), "the probe says not to record there", str(rows))

    wrong = s3.write_key(folder, swift.ACCESS_KEY, "wrong", name="wrong.credentials")
    with s3.Store(endpoint=url, bucket=BUCKET, region=swift.REGION, credentials=wrong) as store:
        begins(store.ask("get clinic-a/s1/meta.age"), "error denied", "a wrong secret is refused")
    with s3.Store(endpoint=url, bucket=BUCKET, region="us-east-1", credentials=key) as store:
        tap.equal(store.ask("get clinic-a/s1/meta.age"), s3.told(BODY), "a wrong region is told by the server, and learnt")
    with s3.Store(endpoint=url, bucket="nobucket", region=swift.REGION, credentials=key) as store:
        begins(store.ask(f"replace a/b {BODY}"), "error ", "a bucket that is not there")


if __name__ == "__main__":
    if botocore is None:
        tap.skip_all("no python3-botocore here")
    if not swift.is_possible():
        tap.skip_all("no Swift here")
    main([test_swift], 120)
