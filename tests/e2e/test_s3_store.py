#!/usr/bin/python3
"""The S3 store against a strict fake with faults on demand: what is stored is right, and what is not is told."""

import contextlib
import os
import pathlib
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))

import s3
from fakes.aws_metadata import Metadata
from fakes.s3_fake import S3Fake, Version
from harness import main, tap
from peers import certificates

BUCKET, KEY = "recordings", "clinic-a/s1/tp1-audio/0-0.tape"
BODY, OTHER = "x*5000", "y*5000"
BIG = "z*3000000"  # over the size from which libcurl waits for `100 Continue`


@contextlib.contextmanager
def fake_and_store(folder, fake=None, scheme="http", host="127.0.0.1", rights=None, **options):
    """`rights`: of the key that the store gets."""
    fake = fake or S3Fake()
    fake.add_bucket(BUCKET) if BUCKET not in fake.buckets else None
    fake.add_key("AKTEST", "secret+/=", **({"rights": rights} if rights else {}))
    fake.start()
    if "credentials" not in options:
        options["credentials"] = s3.write_key(folder, "AKTEST", "secret+/=")
    try:
        with s3.Store(endpoint=f"{scheme}://{host}:{fake.port}", bucket=BUCKET, **options) as store:
            yield fake, store
    finally:
        fake.stop()


def stored(fake, key=KEY):
    version = fake.buckets[BUCKET].current(key)
    return version.body if version else None


def begins(answer, start, name):
    return tap.ok(answer.startswith(start), name, f"answer: {answer}")


# --- what it does while all is well --------------------------------------------------------------------------------


def plain_life(folder):
    with fake_and_store(folder) as (fake, store):
        tap.equal(store.opened, "ok", "opens")
        tap.equal(store.ask(f"put {KEY} {BODY}"), "ok", "puts")
        tap.equal(stored(fake), s3.body(BODY), "the bytes are there")
        tap.equal(store.ask(f"get {KEY}"), s3.told(BODY), "gets them back")
        tap.equal(store.ask(f"put {KEY} {BODY}"), "ok", "the same once more is a success")
        begins(store.ask(f"put {KEY} {OTHER}"), "error conflict", "other bytes under the name are a conflict")
        tap.equal(stored(fake), s3.body(BODY), "and the stored ones stay")
        tap.equal(store.ask(f"replace {KEY} {OTHER}"), "ok", "replaces where it is asked to")
        tap.equal(stored(fake), s3.body(OTHER), "and then others are there")
        begins(store.ask("get clinic-a/none"), "error not-found", "what is not there is not found")
        tap.equal(store.ask("put clinic-a/empty e*0"), "ok", "an empty object is one too")
        tap.equal(store.ask("get clinic-a/empty"), s3.told("e*0"), "and comes back empty")
        tap.equal(store.ask(f"put clinic-a/big.tape {BIG}"), "ok", "a large one goes after 100 Continue")
        tap.equal(store.ask("get clinic-a/big.tape"), s3.told(BIG), "and comes back whole")


def lists_every_page(folder):
    fake = S3Fake(page_size=2)
    with fake_and_store(folder, fake) as (fake, store):
        names = [f"clinic-a/s{i}/{name}" for i in range(5) for name in ("env/1.age", "manifest/1.note")]
        for name in [*names, "clinic-b/s9/meta.age"]:
            store.ask(f"put {name} x*1")
        tap.equal(store.ask("list clinic-a/"), "ok " + " ".join(sorted(names)), "all names, in order, over pages of two")
        tap.equal(store.ask("folders "), "ok clinic-a clinic-b", "folders of the root")
        tap.equal(store.ask("folders clinic-a/"), "ok " + " ".join(f"clinic-a/s{i}" for i in range(5)), "sessions of one")
        tap.equal(store.ask("list nobody/"), "ok", "nothing is an empty list")
        fake.buckets[BUCKET].objects["clinic-a/odd name+\u00e4&<.txt"] = [Version("v")]
        tap.equal(store.ask("list clinic-a/odd"), "ok clinic-a/odd name+\u00e4&<.txt", "a foreign name comes as it is")


def prefix_keeps_to_its_part(folder):
    with fake_and_store(folder, prefix="tapes/main/") as (fake, store):
        store.ask(f"put {KEY} {BODY}")
        fake.buckets[BUCKET].objects["other/file"] = [Version("v")]
        tap.ok(stored(fake, "tapes/main/" + KEY) == s3.body(BODY), "stands behind the prefix")
        tap.equal(store.ask("list "), f"ok {KEY}", "lists without it, and nothing beside it")
        tap.equal(store.ask("folders "), "ok clinic-a", "folders below it")


def host_style(folder):
    with fake_and_store(folder, style="host", host="s3.localhost") as (fake, store):
        tap.equal(store.ask(f"put {KEY} {BODY}"), "ok", "puts with the bucket in the host's name")
        tap.equal(stored(fake), s3.body(BODY), "into that bucket")
        tap.equal(store.ask("list "), f"ok {KEY}", "and lists it")


def asks_for_what_was_set(folder):
    fake = S3Fake()
    fake.add_bucket(BUCKET, has_lock=True)
    options = {"lock": "compliance", "lock_days": 30, "legal_hold": "on", "encryption": "aws:kms", "kms_key_id": "arn:k/1",
               "storage_class": "STANDARD_IA", "tags": "kind=recording&org=a"}
    with fake_and_store(folder, fake, **options) as (fake, store):
        tap.equal(store.ask(f"put {KEY} {BODY}"), "ok", "puts under a lock")
        version = fake.buckets[BUCKET].current(KEY)
        tap.equal((version.lock_mode, version.legal_hold), ("COMPLIANCE", True), "locked and held")
        until = time.mktime(time.strptime(version.retain_until, "%Y-%m-%dT%H:%M:%SZ")) - time.timezone
        tap.near(until - time.time(), 30 * 86400, 60, "for thirty days")
        headers = {name.lower(): value for name, value in version.headers.items()}
        tap.equal([headers.get(name) for name in ("x-amz-server-side-encryption", "x-amz-server-side-encryption-aws-kms-"
                  "key-id", "x-amz-storage-class", "x-amz-tagging")],
                  ["aws:kms", "arn:k/1", "STANDARD_IA", "kind=recording&org=a"], "encryption, class and tags")
        store.ask(f"put clinic-a/s1/env/1.age {BODY}")
        version = fake.buckets[BUCKET].current("clinic-a/s1/env/1.age")
        tap.equal((version.lock_mode, version.legal_hold), (None, False), "an envelope is never locked")


def many_at_once(folder):
    with fake_and_store(folder, max_concurrent=3) as (fake, store):
        fake.fault("PUT", "delay", seconds=0.05)
        tap.equal(store.ask(f"putmany 24 clinic-a/m {BODY}"), "ok 0 failed", "twenty-four in one call")
        tap.equal(len(fake.buckets[BUCKET].objects), 24, "are all there")
        tap.equal(fake.most_under_way, 3, "at most three, and really three, were under way")


# --- faults that pass ----------------------------------------------------------------------------------------------


def lost_answers(folder):
    with fake_and_store(folder) as (fake, store):
        fake.fault("PUT", "lost", nth=[1])
        tap.equal(store.ask(f"put {KEY} {BODY}"), "ok", "a put whose answer was lost is a success")
        tap.equal([row[3] for row in fake.requests("PUT")], ["lost", "PreconditionFailed"], "found by asking again")
        tap.equal(len(fake.requests("GET")), 1, "and settled by comparing")
        fake.fault("PUT", "lost", key="evil", nth=[1])
        fake.buckets[BUCKET].objects["clinic-a/evil"] = [Version("v", s3.body(OTHER))]
        begins(store.ask(f"put clinic-a/evil {BODY}"), "error conflict", "a name that others took before is told")


def cuts_at_each_band(folder):
    with fake_and_store(folder) as (fake, store):
        for n_bytes in (0, 1, 65536, 1 << 20, 2999999):
            key = f"clinic-a/cut-{n_bytes}"
            fake.fault("PUT", "reset", key=key, nth=[1], bytes=n_bytes)
            tap.equal(store.ask(f"put {key} {BIG}"), "ok", f"connection reset after {n_bytes} bytes: put again")
            tap.equal(stored(fake, key), s3.body(BIG), "and whole")
        fake.fault("GET", "cut", nth=[1], bytes=1000)
        tap.equal(store.ask("get clinic-a/cut-1"), s3.told(BIG), "an answer cut short is fetched again")


def storms_pass(folder):
    rows = [(500, "InternalError"), (502, "BadGateway"), (503, "SlowDown"), (504, "GatewayTimeout"),
            (429, "TooManyRequests"), (408, "RequestTimeout"), (400, "RequestTimeout"), (409, "ConditionalRequestConflict")]
    with fake_and_store(folder) as (fake, store):
        for i, (status, code) in enumerate(rows):
            fake.fault("PUT", "status", key=f"storm-{i}$", nth=[1, 2], status=status, code=code)
            tap.equal(store.ask(f"put clinic-a/storm-{i} {BODY}"), "ok", f"{status} {code} twice, then stored")


def jitter_and_retry_after(folder):
    with fake_and_store(folder, max_concurrent=8, retry_ms=15000) as (fake, store):
        fake.fault("PUT", "status", nth=list(range(1, 9)), status=500)
        tap.equal(store.ask(f"putmany 8 clinic-a/j {BODY}"), "ok 0 failed", "eight that failed at once are all stored")
        again = sorted(row[0] for row in fake.requests("PUT") if row[3] == 200)
        tap.ok(again[-1] - again[0] > 0.02, "and did not come back at one moment", f"spread {again[-1] - again[0]:.3f} s")
        fake.heal()
        fake.fault("PUT", "status", key="asked", nth=[1], status=503, code="SlowDown", headers={"Retry-After": "2"})
        store.ask(f"put clinic-a/asked {BODY}")
        times = [row[0] for row in fake.requests("PUT") if row[2] == "clinic-a/asked"]
        tap.ok(len(times) == 2 and times[1] - times[0] >= 1.99, "Retry-After is waited for", str(times))
        fake.fault("PUT", "status", key="long", status=503, code="SlowDown", headers={"Retry-After": "500"})
        start = time.monotonic()
        begins(store.ask(f"put clinic-a/long {BODY}"), "error transient", "one past the deadline is told to the caller")
        tap.ok(time.monotonic() - start < 2, "at once")


def slowdown_halves(folder):
    with fake_and_store(folder, max_concurrent=8, retry_ms=20000) as (fake, store):
        fake.fault("PUT", "delay", key="warm", seconds=0.1)
        store.ask(f"putmany 16 clinic-a/warm {BODY}")
        before = fake.most_under_way
        fake.heal()
        fake.fault("PUT", "status", nth=list(range(1, 9)), status=503, code="SlowDown")
        store.ask(f"putmany 8 clinic-a/slow {BODY}")
        fake.heal()
        fake.most_under_way = 0
        fake.fault("PUT", "delay", key="later", seconds=0.05)
        tap.equal(store.ask(f"putmany 12 clinic-a/later {BODY}"), "ok 0 failed", "all stored after a SlowDown storm")
        tap.ok(before >= 6 and fake.most_under_way <= 3, "with far fewer at once", f"{before} then {fake.most_under_way}")
        store.ask(f"putmany 200 clinic-a/more {BODY}")
        fake.most_under_way = 0
        store.ask(f"putmany 24 clinic-a/later2 {BODY}")
        tap.ok(fake.most_under_way >= 5, "and more again after a while", str(fake.most_under_way))


def gives_up_in_time(folder):
    with fake_and_store(folder, retry_ms=1500, attempt_ms=800) as (fake, store):
        fake.fault("*", "status", status=500)
        start = time.monotonic()
        begins(store.ask(f"put {KEY} {BODY}"), "error transient", "an outage is told as one that may pass")
        tap.ok(time.monotonic() - start < 3, "within its deadline")
        fake.heal()
        fake.fault("GET", "delay", seconds=30)
        start = time.monotonic()
        begins(store.ask("get clinic-a/slow"), "error transient", "a server that does not answer")
        tap.ok(time.monotonic() - start < 4, "is not waited for longer than that", f"{time.monotonic() - start:.1f} s")
        fake.ending.set()


def clock_is_followed(folder):
    for offset_s in (3600, -3600):
        name = f"{offset_s:+d}"
        where = folder / name
        where.mkdir()
        with fake_and_store(where) as (fake, store):
            fake.clock_offset_s = offset_s
            tap.equal(store.ask(f"put {KEY} {BODY}"), "ok", f"a server's clock {name} s off")
            store.ask(f"put {KEY}2 {BODY}")
            refusals = [row for row in fake.requests() if row[3] == "RequestTimeTooSkewed"]
            tap.equal(len(refusals), 1, "is learnt from one refusal")
            fake.clock_offset_s = 0
            tap.equal(store.ask(f"get {KEY}"), s3.told(BODY), "and followed back")
            _, logged = store.close()
            tap.contains(logged, "clock", "and logged")
        (where / "many").mkdir()
        with fake_and_store(where / "many", max_concurrent=8) as (fake, store):
            fake.clock_offset_s = offset_s
            fake.fault("PUT", "delay", seconds=0.1)
            tap.equal(store.ask(f"putmany 8 clinic-a/c {BODY}"), "ok 0 failed", "eight that are refused at once all learn it")
    fake = S3Fake()
    with fake_and_store(folder, fake) as (fake, store):
        fake.fault("PUT", "status", status=403, code="RequestTimeTooSkewed")
        begins(store.ask(f"put {KEY} {BODY}"), "error denied", "a server that says so with the right time ends it")
        tap.equal(len(fake.requests("PUT")), 1, "without trying on")


def region_is_learnt(folder):
    fake = S3Fake()
    fake.add_bucket(BUCKET, region="eu-central-1")
    with fake_and_store(folder, fake) as (fake, store):
        tap.equal(store.ask(f"put {KEY} {BODY}"), "ok", "a wrong region is corrected by the store's own word")
        store.ask(f"put {KEY}2 {BODY}")
        tap.equal([row[3] for row in fake.requests("PUT")], ["AuthorizationHeaderMalformed", 200, 200], "once")


def region_is_kept(folder):
    """Where media may be is law: a bucket that turns out to be elsewhere gets nothing."""
    fake = S3Fake()
    fake.add_bucket(BUCKET, region="us-west-2")
    with fake_and_store(folder, fake, region="eu-central-1", keeps_region="on") as (fake, store):
        begins(store.ask(f"put {KEY} {BODY}"), "error denied", "a bucket in another region is refused")
        begins(store.ask(f"put {KEY} {BODY}"), "error denied", "again and again")
        tap.equal(({row[3] for row in fake.requests("PUT")}, stored(fake)), ({"AuthorizationHeaderMalformed"}, None), "nothing lies there")
        for keep, said in ((0, "ok"), (1, "error denied"), (0, "ok")):
            tap.equal(store.ask(f"keep {keep}"), "ok", "the rule comes and goes while the store is open")
            begins(store.ask(f"put {KEY}{keep} {BODY}"), said, f"and counts at once: {keep}")


def credentials_are_renewed(folder):
    path = s3.write_key(folder, "AKTEST", "secret+/=", token="old")
    fake = S3Fake()
    with fake_and_store(folder, fake, credentials=path) as (fake, store):
        fake.keys["AKTEST"] = ("secret+/=", "old", {"put", "get", "list"})
        tap.equal(store.ask(f"put {KEY} {BODY}"), "ok", "a session token is signed and taken")
        fake.keys["AKTEST"] = ("secret+/=", "new", {"put", "get", "list"})
        s3.write_key(folder, "AKTEST", "secret+/=", token="new")
        tap.equal(store.ask(f"put {KEY}2 {BODY}"), "ok", "one that ended is read anew from its file")
        fake.keys = {"AKNEXT": ("next", None, {"put", "get"})}
        s3.write_key(folder, "AKNEXT", "next")
        tap.equal(store.ask(f"put {KEY}3 {BODY}"), "ok", "and so is a rotated pair of keys")
        fake.keys = {}
        begins(store.ask(f"put {KEY}4 {BODY}"), "error denied", "revoked keys are told")
        tap.ok("InvalidAccessKeyId" in store.ask(f"put {KEY}4 {BODY}"), "by their name")


# --- a store that lies ---------------------------------------------------------------------------------------------


def lies_are_found(folder):
    for echo in (True, False):
        where = folder / str(echo)
        where.mkdir()
        with fake_and_store(where, S3Fake(echo=echo)) as (fake, store):
            fake.fault("PUT", "stores-nothing", key="nothing")
            begins(store.ask(f"put clinic-a/nothing {BODY}"), "error transient", "a put that stored nothing is no success")
            fake.fault("PUT", "error-200", key="error", nth=[1])
            tap.equal(store.ask(f"put clinic-a/error {BODY}"), "ok", "an error inside a 200 is tried again")
            tap.equal(stored(fake, "clinic-a/error"), s3.body(BODY), "until it is stored")
            fake.fault("PUT", "html", key="html", nth=[1])
            tap.equal(store.ask(f"put clinic-a/html {BODY}"), "ok", "so is a proxy's page with 200")
            tap.equal(stored(fake, "clinic-a/html"), s3.body(BODY), "until it is stored")
            fake.fault("GET", "wrong-bytes", key="html")
            begins(store.ask("get clinic-a/html"), "error corrupt", "bytes changed on their way back are noticed")
    with fake_and_store(folder) as (fake, store):
        fake.fault("PUT", "wrong-echo")
        begins(store.ask(f"put {KEY} {BODY}"), "error corrupt", "a wrong checksum in the answer is noticed")
        fake.heal()
        fake.fault("PUT", "wrong-bytes", key="wrong", nth=[1])
        fake.fault("PUT", "lost", key="wrong", nth=[1])
        store.ask(f"put clinic-a/wrong {BODY}")
        begins(store.ask(f"put clinic-a/wrong {BODY}"), "error conflict", "other bytes stored are found by the next try")


def stretches_are_right(folder):
    with fake_and_store(folder, retry_ms=300) as (fake, store):
        store.ask(f"put {KEY} {BODY}")
        ask = f"range {KEY} 4000 500"
        rows = [("cut", "ok", "a stretch cut in mid body is asked for again"),
                ("lost", "ok", "so is one whose answer was lost"),
                ("short-range", s3.told("x*250"), "one that ends sooner, and says so, is taken as what it is"),
                ("ignores-range", "error io", "all of the object is no stretch of it"),
                ("other-range", "error corrupt", "nor is another stretch"),
                ("false-range", "error corrupt", "nor less than the answer says that it is"),
                ("unnamed-range", "error corrupt", "nor one that does not say where it lies")]
        for action, answer, name in rows:
            fake.fault("GET", action, nth=[1], bytes=100)
            begins(store.ask(ask), answer, name)
            fake.heal()
            tap.equal(store.ask(ask), s3.told("x*500"), "and the next is right")
        tap.equal(store.ask(f"range {KEY} 4900 500"), s3.told("x*100"), "a stretch ends where the object does")
        tap.equal(store.ask(f"range {KEY} 5000 500"), s3.told("x*0"), "behind the end there is nothing")
        begins(store.ask("range clinic-a/none 0 10"), "error not-found", "of nothing there is no stretch")
        store.ask(f"replace {KEY} {OTHER}")
        tap.equal(store.ask(ask), s3.told("y*500"), "a stretch is of what lies there now")


def odd_lists_fail(folder):
    head = "<ListBucketResult><IsTruncated>true</IsTruncated>"
    rows = {
        "an error in a 200": "<Error><Code>InternalError</Code></Error>",
        "XML that is cut": head + "<Contents><Key>a</Ke",
        "a proxy's page": "<html><body>Sign in</body></html>",
        "nothing": "",
        "another document": "<ListAllMyBucketsResult/>",
        "a document type": "<!DOCTYPE x [<!ENTITY a 'b'>]>" + head + "</ListBucketResult>",
        "no end and no token": head + "</ListBucketResult>",
        "the same token for ever": head + "<NextContinuationToken>t</NextContinuationToken></ListBucketResult>",
        "a name outside": "<ListBucketResult><Contents><Key>elsewhere</Key></Contents></ListBucketResult>",
    }
    with fake_and_store(folder, retry_ms=300) as (fake, store):
        for name, text in rows.items():
            fake.fault("LIST", "raw", body=text)
            begins(store.ask("list clinic-a/"), "error", f"{name} is no list")
            fake.heal()
        fake.fault("LIST", "flood", bytes=1 << 30)
        begins(store.ask("list clinic-a/"), "error corrupt", "a gigabyte is not read")
        with open(f"/proc/{store.process.pid}/status", encoding="utf-8") as status:
            peak = next(int(line.split()[1]) for line in status if line.startswith("VmHWM"))
        tap.ok(peak < 120000, "and takes no such memory", f"{peak} KiB")


# --- refusals ------------------------------------------------------------------------------------------------------


def refusals_are_told(folder):
    with fake_and_store(folder, retry_ms=300) as (fake, store):
        rows = [("AccessDenied", 403, "denied"), ("NoSuchBucket", 404, "denied"), ("QuotaExceeded", 403, "full"),
                ("BadDigest", 400, "corrupt"), ("MethodNotAllowed", 405, "denied"), ("NotImplemented", 501, "denied")]
        for i, (code, status, word) in enumerate(rows):
            fake.fault("PUT", "status", key=f"refused-{i}$", status=status, code=code)
            answer = store.ask(f"put clinic-a/refused-{i} {BODY}")
            tap.ok(answer.startswith(f"error {word}") and code in answer, f"{code} is {word}, by its name", answer)
            tries = [row for row in fake.requests("PUT") if row[2] == f"clinic-a/refused-{i}"]
            tap.equal(len(tries), 2 if code == "BadDigest" else 1, "and not asked again and again")


def put_only_credentials(folder):
    fake = S3Fake(echo=False)
    with fake_and_store(folder, fake, rights=("put",)) as (fake, store):
        tap.equal(store.ask(f"put {KEY} {BODY}"), "ok", "credentials that may only put can record")
        tap.equal(store.ask(f"put {KEY}2 {BODY}"), "ok", "on and on")
        tap.equal(len(fake.requests("HEAD")), 1, "and look only once in vain")
        begins(store.ask(f"get {KEY}"), "error denied", "they can not read")
        begins(store.ask("list "), "error denied", "nor list")
        answer = store.ask(f"put {KEY} {BODY}")
        tap.ok(answer.startswith("error denied") and "s3:GetObject" in answer, "a taken name can not be settled", answer)


def redirects_are_not_followed(folder):
    with fake_and_store(folder, retry_ms=300) as (fake, store):
        other = S3Fake().start()
        fake.fault("PUT", "status", status=307, code="TemporaryRedirect",
                   headers={"Location": f"http://127.0.0.1:{other.port}/{BUCKET}/x"})
        begins(store.ask(f"put {KEY} {BODY}"), "error", "a redirect is no success")
        fake.heal()
        fake.fault("PUT", "status", status=301, code="PermanentRedirect", headers={"x-amz-bucket-region": "eu-west-9"})
        answer = store.ask(f"put {KEY} {BODY}")
        tap.ok(answer.startswith("error denied") and "eu-west-9" in answer, "the right region is named", answer)
        tap.equal(other.requests(), [], "and nobody else was asked")
        other.stop()


def refusal_ahead_of_the_body(folder):
    with fake_and_store(folder) as (fake, store):
        fake.fault("PUT", "expect-417", key="late")
        tap.equal(store.ask(f"put clinic-a/late {BIG}"), "ok", "417 to an announced body: it is sent unannounced")
        fake.heal()
        for i in range(3):
            tap.equal(store.ask(f"put clinic-a/after-{i} {BIG}"), "ok", "and what follows is not mixed up with it")
            tap.equal(stored(fake, f"clinic-a/after-{i}"), s3.body(BIG), "byte for byte")
        fake.fault("PUT", "expect-never", key="never")
        tap.equal(store.ask(f"put clinic-a/never {BIG}"), "ok", "a server that never says 100 Continue")


def put_off():
    """How often the kernel has put off an acknowledgement in this network until its time was up."""
    names, values = (line.split() for line in pathlib.Path("/proc/net/netstat").read_text().splitlines() if line.startswith("TcpExt:"))
    return int(values[names.index("DelayedACKs")])


def pieces_are_acknowledged(folder):
    count = 40
    with fake_and_store(folder) as (fake, store):
        store.ask(f"put {KEY} {BODY}")
        late = []
        while len(late) < 5 and (not late or min(late) > count // 2):  # a machine that is busy may be late itself
            before = put_off()
            tap.equal({store.ask(f"get {KEY}") for _ in range(count)}, {s3.told(BODY)}, "objects whose head comes alone")
            late.append(put_off() - before)
        tap.ok(min(late) <= count // 2, f"the server never waits for leave to send the rest ({late} of {count} waits)")


def dead_connections_are_replaced(folder):
    authority = certificates.make_authority(folder)
    pair = certificates.make_server(folder, authority, "IP:127.0.0.1")
    for scheme, tls in (("http", None), ("https", pair)):
        options = {"ca_file": authority[0]} if tls else {}
        with fake_and_store(folder, S3Fake(tls=tls), scheme, **options) as (fake, store):
            store.ask(f"put {KEY} {BODY}")
            for n_bytes in (0, 100000, 2000000):
                fake.fault("PUT", "reset", key=f"-{n_bytes}$", nth=[1, 2], bytes=n_bytes)
                tap.equal(store.ask(f"put {KEY}-{n_bytes} {BIG}"), "ok", f"{scheme}: closed twice after {n_bytes} bytes")
            fake.fault("*", "lost", key="-0$", nth=[1])
            tap.equal(store.ask(f"get {KEY}-0"), s3.told(BIG), f"{scheme}: closed instead of an answer")


# --- TLS -----------------------------------------------------------------------------------------------------------


def tls_is_verified(folder):
    authority = certificates.make_authority(folder)
    stranger = certificates.make_authority(folder, "stranger")
    good = certificates.make_server(folder, authority, "IP:127.0.0.1")
    wrong_name = certificates.make_server(folder, authority, "DNS:elsewhere.example", "wrong-name")
    ended = certificates.make_server(folder, authority, "IP:127.0.0.1", "ended", days=-1)
    pin, other_pin = certificates.pin_of(good[0]), certificates.pin_of(wrong_name[0])
    rows = [
        ("its authority is trusted", good, authority[0], None, "ok"),
        ("its pin fits", good, authority[0], pin, "ok"),
        ("no authority of the system's", good, None, None, "error denied"),
        ("another authority", good, stranger[0], None, "error denied"),
        ("another pin", good, authority[0], other_pin, "error denied"),
        ("another name", wrong_name, authority[0], None, "error denied"),
        ("one that has ended", ended, authority[0], None, "error denied"),
    ]
    for name, pair, ca_file, pinned, wanted in rows:
        with fake_and_store(folder, S3Fake(tls=pair), "https", retry_ms=300, ca_file=ca_file, pin=pinned) as (fake, store):
            begins(store.ask(f"put {KEY} {BODY}"), wanted, f"a certificate: {name}")
            tap.ok((stored(fake) is not None) == (wanted == "ok"), "and nothing is sent to a stranger")


def settings_are_checked(folder):
    key = s3.write_key(folder, "A", "b")
    open_key = s3.write_key(folder, "A", "b", name="open")
    open_key.chmod(0o644)
    bad_key = folder / "bad"
    bad_key.write_text("aws_access_key_id = A\n")
    bad_key.chmod(0o600)
    fine = {"endpoint": "https://s3.example.net", "bucket": "bucket", "credentials": key}
    rows = [({"endpoint": "http://s3.example.net"}, "use https"), ({"endpoint": "https://u:p@h"}, "more than"),
            ({"endpoint": "https://h/path"}, "more than"), ({"endpoint": "ftp://h"}, "https"), ({"endpoint": "h"}, "URL"),
            ({"bucket": "Bad_Bucket"}, "bucket"), ({"bucket": "a"}, "bucket"), ({"prefix": "x"}, "prefix"),
            ({"prefix": "../"}, "prefix"), ({"bucket": "a.b", "style": "host"}, "path"), ({"region": "EU west"}, "region"),
            ({"credentials": open_key}, "chmod 600"), ({"credentials": bad_key}, "aws_secret_access_key"),
            ({"credentials": "relative"}, "absolute"), ({"credentials": folder / "none"}, "No such file"),
            ({"credentials": "systemd:x"}, "LoadCredential"), ({"encryption": "rot13"}, "AES256"),
            ({"kms_key_id": "k"}, "aws:kms"), ({"lock": "compliance"}, "days"), ({"ca_file": "/none"}, "authorities"),
            ({"pin": "md5//x"}, "sha256"), ({"tags": "a=b\tc"}, "spaces")]
    for change, wanted in rows:
        with s3.Store(**{**fine, **change}) as store:
            tap.ok(store.opened.startswith("error") and wanted in store.opened, f"{change} is refused", store.opened)
    with s3.Store(**fine) as store:
        tap.equal(store.opened, "ok", "what is right opens, though nobody answers there")
    environment = {"AWS_ACCESS_KEY_ID": "AKTEST", "AWS_SECRET_ACCESS_KEY": "secret+/="}
    with fake_and_store(folder, credentials="environment", environment={**os.environ, **environment}) as (_, store):
        tap.equal(store.ask(f"put {KEY} {BODY}"), "ok", "keys from the environment")
    (folder / "s3-key").write_text("aws_access_key_id=AKTEST\naws_secret_access_key=secret+/=\n")
    environment = {**os.environ, "CREDENTIALS_DIRECTORY": str(folder)}
    with fake_and_store(folder, credentials="systemd:s3-key", environment=environment) as (_, store):
        tap.equal(store.ask(f"put {KEY} {BODY}"), "ok", "keys from a credential of the unit")


def race_has_one_winner(folder):
    fake = S3Fake()
    with fake_and_store(folder, fake) as (fake, _):
        key = s3.write_key(folder, "AKTEST", "secret+/=")
        stores = [s3.Store(endpoint=f"http://127.0.0.1:{fake.port}", bucket=BUCKET, credentials=key) for _ in range(6)]
        for i in range(5):
            for n, store in enumerate(stores):
                store.say(f"put clinic-a/race-{i} {chr(97 + n)}*9000")
            answers = [store.hear().split(" ")[0] for store in stores]
            tap.equal(sorted(answers), ["error"] * 5 + ["ok"], "of six writers with different bytes one wins")
            winner = answers.index("ok")
            tap.equal(stored(fake, f"clinic-a/race-{i}"), s3.body(f"{chr(97 + winner)}*9000"), "and its bytes stay")
        for store in stores:
            store.close()


def versions_are_named(folder):
    """Erasure: a plain DELETE would only hide them."""
    fake = S3Fake(page_size=2)
    fake.add_bucket(BUCKET, has_lock=True)
    with fake_and_store(folder, fake, lock="compliance", lock_days=3, prefix="deep/") as (fake, store):
        bucket = fake.buckets[BUCKET]
        for text in (BODY, OTHER, BODY):
            store.ask(f"replace c/s1/env/1.age {text}")
        store.ask(f"put c/s1/t/0-0.tape {BODY}")
        store.ask(f"put c/s10/t/0-0.tape {BODY}")
        bucket.objects["deep/c/s1/env/1.age"].append(Version("m1", is_delete_marker=True))
        bucket.uploads += [("deep/c/s1/t/0-9.tape", f"u{n}") for n in range(3)]
        rows = store.ask("versions c/s1/").split(" ")[1:]
        tap.equal(sorted(rows), sorted(["c/s1/env/1.age=bytes=5000"] * 3 + ["c/s1/env/1.age=marker=0", "c/s1/t/0-0.tape=bytes=5000"]
                                       + ["c/s1/t/0-9.tape=upload=0"] * 3), "all versions, markers and uploads, over pages of two")
        answer = store.ask("erase c/s1/")
        begins(answer, "ok 7 gone 1 locked 0 failed ", "all go but what is under lock")
        tap.ok(2.9 < (int(answer.split(" ")[-1]) - time.time()) / 86400 < 3.1, "and until when is told", answer)
        tap.equal(store.ask("versions c/s1/"), "ok c/s1/t/0-0.tape=bytes=5000", "it is still there")
        fake.clock_offset_s = 4 * 86400
        tap.equal(store.ask("erase c/s1/"), "ok 1 gone 0 locked 0 failed 0", "until its day has come")
        fake.clock_offset_s = 0
        tap.equal([key for key in bucket.objects if "/s1/" in key], [], "then nothing is left")
        tap.ok(stored(fake, "deep/c/s10/t/0-0.tape") is not None, "and the session with a longer name is untouched")
        bucket.objects["deep/c/s1/held.tape"] = [Version("h1", b"x", legal_hold=True)]
        tap.equal(store.ask("erase c/s1/"), "ok 0 gone 1 locked 0 failed 0", "a legal hold of the store's own is told apart")
    with fake_and_store(folder, rights=("get", "list")) as (fake, store):
        fake.buckets[BUCKET].objects["c/s1/t/0-0.tape"] = [Version("v1", b"x")]
        tap.equal(store.ask("erase c/s1/"), "ok 0 gone 0 locked 1 failed 0", "credentials that may not delete are no lock")
        fake.fault("LIST", "status", status=501, code="NotImplemented")
        begins(store.ask("versions c/s1/"), "error ", "a store that knows no versions fails, and is not taken for empty")


def machines_get_credentials(folder):
    def ends_in(seconds):
        return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + seconds))

    token = folder / "web-token"
    token.write_text("a.web+identity/=\n")
    rows = {
        "instance": lambda url: {"AWS_EC2_METADATA_SERVICE_ENDPOINT": url},
        "container": lambda url: {"AWS_CONTAINER_CREDENTIALS_FULL_URI": url + "/container",
                                  "AWS_CONTAINER_AUTHORIZATION_TOKEN": "Bearer c"},
        "web-identity": lambda url: {"AWS_WEB_IDENTITY_TOKEN_FILE": str(token), "AWS_ROLE_ARN": "arn:aws:iam::1:role/r",
                                     "AWS_ENDPOINT_URL_STS": url},
    }
    for kind, environment in rows.items():
        fake, metadata = S3Fake(), Metadata(("AKROLE", "secret/+", "first", ends_in(3600)))
        settings = {"credentials": kind, "environment": {**os.environ, **environment(metadata.url)}}
        with fake_and_store(folder, fake, **settings) as (fake, store):
            fake.add_key("AKROLE", "secret/+", token="first")
            tap.equal(store.ask(f"put {KEY} {BODY}"), "ok", f"credentials of the {kind} are fetched")
            tap.equal(store.ask(f"put {KEY}2 {BODY}"), "ok", "and kept")
            tap.equal(metadata.asked, 1, "while they are good")
            fake.add_key("AKROLE", "secret/+", token="second")
            metadata.answer = ("AKROLE", "secret/+", "second", ends_in(200))
            tap.equal(store.ask(f"put {KEY}3 {BODY}"), "ok", "fetched anew when the store says they ended")
            metadata.answer = None
            tap.equal(store.ask(f"put {KEY}4 {BODY}"), "ok", "near their end and not to be renewed: good to the end")
            asked = metadata.asked
            tap.equal(store.ask(f"put {KEY}5 {BODY}"), "ok", "and so on")
            tap.equal(metadata.asked, asked, "without asking again for each request")
        metadata.stop()
        with s3.Store(endpoint="https://s3.example.net", bucket=BUCKET, retry_ms=500, **settings) as store:
            tap.equal(store.opened, "ok", "a source that is down keeps nobody from recording")
            begins(store.ask(f"put {KEY} {BODY}"), "error transient", "but it is told")
    environment = {**os.environ, "AWS_CONTAINER_CREDENTIALS_FULL_URI": "http://example.net/x"}
    with s3.Store(endpoint="https://s3.example.net", bucket=BUCKET, credentials="container", environment=environment) as store:
        tap.ok("neither https" in store.opened, "keys do not travel in the clear", store.opened)


def verdicts(store):
    """What the probe finds: name -> verdict."""
    rows = [row.split(": ") for row in store.ask("probe").split("\t")[1:]]
    return {row[0]: row[1] for row in rows}


def probe_finds_out(folder):
    good = {name: "good" for name in ("put", "put-if-absent", "payload-hash", "content-md5", "checksum", "clock", "read",
                                      "list", "delete", "object-lock")}
    with fake_and_store(folder, rights=("put", "get")) as (fake, store):
        tap.equal(verdicts(store), good, "the probe finds all in order")
        tap.equal(verdicts(store), good, "and again on the object that it left")
        tap.equal(list(fake.buckets[BUCKET].objects), ["sealtape-probe"], "which is the only one")
        fake.clock_offset_s = 120
        tap.equal(verdicts(store), {**good, "clock": "warning"}, "a clock two minutes off")
        fake.clock_offset_s = 0
        fake.fault("PUT", "overwrites")
        tap.equal(verdicts(store), {**good, "put-if-absent": "bad"}, "a store that overwrites")
        fake.buckets[BUCKET].is_versioned = True
        tap.equal(verdicts(store), {**good, "put-if-absent": "warning"}, "one that overwrites and keeps what was there")
        fake.buckets[BUCKET].is_versioned = False
        fake.heal()
        fake.fault("PUT", "checks-nothing", key="damaged")
        tap.equal(verdicts(store), {**good, "payload-hash": "bad", "content-md5": "warning", "checksum": "warning"},
                  "a store that checks nothing")
    with fake_and_store(folder) as (fake, store):
        tap.equal(verdicts(store), {**good, "list": "warning", "delete": "warning"}, "credentials that may too much")
    with fake_and_store(folder, rights=("put",)) as (fake, store):
        found = verdicts(store)
        tap.equal(found.pop("read"), "warning", "credentials that may not read")
        fake.keys.clear()
        tap.equal(verdicts(store), {"put": "bad"}, "credentials that may nothing")
    fake = S3Fake()
    bucket = fake.add_bucket(BUCKET)
    with fake_and_store(folder, fake, rights=("put", "get", "list"), lock="governance", lock_days=1) as (fake, store):
        tap.equal(verdicts(store)["object-lock"], "bad", "a lock that the bucket does not have")
        bucket.has_lock = True
        tap.equal(verdicts(store)["object-lock"], "good", "one that it has")
        bucket.locks_by_default = True
        tap.equal(verdicts(store)["object-lock"], "warning", "one by default, which would keep envelopes")


TESTS = [plain_life, lists_every_page, prefix_keeps_to_its_part, host_style, asks_for_what_was_set, many_at_once, lost_answers,
         cuts_at_each_band, storms_pass, jitter_and_retry_after, slowdown_halves, gives_up_in_time, clock_is_followed,
         region_is_learnt, region_is_kept, credentials_are_renewed, lies_are_found, stretches_are_right, odd_lists_fail, refusals_are_told, put_only_credentials,
         redirects_are_not_followed, refusal_ahead_of_the_body, pieces_are_acknowledged, dead_connections_are_replaced, tls_is_verified,
         settings_are_checked, race_has_one_winner, versions_are_named, machines_get_credentials, probe_finds_out]

main(TESTS, 240)
