"""Faults of the store and of the way to it."""

import json
import os
import pathlib
import re
import subprocess
import sys
import threading
import time
import urllib.request

from bed import ACCESS_KEY, BUCKET, RIGHTS, SECRET, TESTS, Skip, is_in_order, poll
from fakes.aws_metadata import Metadata
from fakes.s3_fake import S3Fake, Version
from peers import certificates, radosgw
from peers.children import Child

DOWN_S = 3


def faulty(*faults, say=None, segments=3, **options):
    """Faults that pass by themselves, in a list of (operation, action, parameters)."""
    def run(bed):
        bed.use_s3(S3Fake(**options) if options else None)
        for operation, action, parameters in faults:
            bed.fake.fault(operation, action, **parameters)
        bed.record().wait_segments(segments)
        if say is not None:
            bed.wait_log(say)
        bed.finish().settle()
        assert any(fault.seen for fault in bed.fake.faults), "the fault did not happen"
    return run


def healed(code, status, say, **parameters):
    """A refusal of everything until it is healed: recording goes on, the log names it."""
    def run(bed):
        bed.use_s3()
        bed.fake.fault("*", "status", status=status, code=code, **parameters)
        bed.record().wait_segments(2).wait_log(say)
        bed.fake.heal()
        bed.finish()
        bed.recorder.stop(40)  # what was denied is asked for once a minute; a start asks at once
        bed.settle()
    return run


def no_answer(bed):
    """The store is gone for a while: in order, and while recording goes on, it gets all of it."""
    bed.use_s3()
    bed.store_down()
    bed.record().wait_segments(3)
    assert not [key for key in bed.fake.buckets[BUCKET].objects if key.endswith(".tape")], "stored, though down"
    bed.fake.heal()
    bed.finish().settle()
    keys = [row[2] for row in bed.fake.requests("PUT") if row[3] == 200]
    for track in bed.tracks:
        tapes = [key for key in keys if f"/t{track}/" in key]
        firsts = [tuple(map(int, re.findall(r"(\d+)-(\d+)\.tape", key)[0])) for key in tapes]
        assert is_in_order(firsts), f"out of order: {tapes}"
    first_tape = min(i for i, key in enumerate(keys) if key.endswith(".tape"))
    first_envelope = min(i for i, key in enumerate(keys) if "/env/" in key)
    assert first_envelope < first_tape, "media went before the envelope"


class Link:
    """A store behind a link of its own: a namespace with the fake in it, TLS, an address of its own."""

    def __init__(self, bed):
        self.bed, self.name = bed, f"sealf{os.getpid() % 100000}-{bed.number}"[:14]
        net = 10 + bed.number
        self.here, self.there = f"10.98.{net}.1", f"10.98.{net}.2"
        self.near, self.far = f"sn{bed.number}", f"sf{bed.number}"
        self._run("ip", "netns", "add", self.name)
        bed.undo.append(lambda: self._run("ip", "netns", "delete", self.name))
        self._run("ip", "link", "add", self.near, "type", "veth", "peer", "name", self.far, "netns", self.name)
        self._run("ip", "address", "add", f"{self.here}/24", "dev", self.near)
        self._run("ip", "link", "set", self.near, "up")
        self._inside("ip", "address", "add", f"{self.there}/24", "dev", self.far)
        self._inside("ip", "link", "set", self.far, "up")
        self._inside("ip", "link", "set", "lo", "up")
        authority = certificates.make_authority(bed.folder)
        pair = certificates.make_server(bed.folder, authority, f"IP:{self.there}")
        port = 9000
        self.fake = S3Fake()  # only for what use of it the bed makes; the other process holds the bucket
        command = ["ip", "netns", "exec", self.name, sys.executable, TESTS / "faults" / "far_store.py", self.there, str(port),
                   *map(str, pair), str(bed.folder / "far")]
        self.child = Child(command, bed.folder / "far.log")
        poll(lambda: "listening" in self.child.log_text(), 20, "the far store to listen")
        bed.put_store(endpoint=f"https://{self.there}:{port}", ca_file=str(authority[0]))

    def _run(self, *command):
        done = subprocess.run(command, capture_output=True, text=True)
        if done.returncode != 0:
            raise Skip(f"{' '.join(command)}: {done.stderr.strip()}")

    def _inside(self, *command):
        self._run("ip", "netns", "exec", self.name, *command)

    def set(self, state):
        self._run("ip", "link", "set", self.near, state)

    def limit(self, kbit_s):
        self._run("tc", "qdisc", "replace", "dev", self.near, "root", "tbf", "rate", f"{kbit_s}kbit", "burst", "4kb",
                  "latency", "400ms")

    def unlimit(self):
        self._run("tc", "qdisc", "delete", "dev", self.near, "root")


def _far(bed):
    link = Link(bed)
    bed.bucket_folder = lambda: bed.folder / "far"
    return link


def link_down(bed):
    link = _far(bed)
    bed.record().wait_segments(1)
    link.set("down")
    bed.wait_segments(4)
    link.set("up")
    bed.finish().settle()


def narrow_link(bed):
    """64 kbit/s: far less than is recorded; the rest waits, and goes when there is room."""
    link = _far(bed)
    link.limit(64)
    bed.record().wait_segments(4)
    bed.finish()
    assert bed.metric("spool_segments") > 0, "nothing waits: the link was not narrow"
    link.unlimit()
    bed.settle()


def no_name(bed):
    """The store's name can not be found, and then its resolver says nothing at all."""
    authority = certificates.make_authority(bed.folder)
    pair = certificates.make_server(bed.folder, authority, "DNS:store.sealtape.test")
    fake = bed.use_s3(S3Fake(tls=pair))
    bed.put_store(endpoint=f"https://store.sealtape.test:{fake.port}", ca_file=str(authority[0]))
    hosts, resolver = bed.folder / "hosts", bed.folder / "resolv.conf"
    hosts.write_text("127.0.0.1 localhost\n")
    resolver.write_text("nameserver 127.0.0.77\noptions timeout:1 attempts:1\n")
    bed.mount("/etc/hosts", "--bind", hosts)
    bed.mount("/etc/resolv.conf", "--bind", resolver)
    bed.record().wait_segments(2).wait_log("resolve")
    hosts.write_text("127.0.0.1 localhost\n127.0.0.1 store.sealtape.test\n")
    bed.finish().settle()


def bad_certificates(bed):
    """Expired, another's name, of an unknown authority, an old TLS: nothing is sent, until it is right."""
    authority = certificates.make_authority(bed.folder)
    stranger = certificates.make_authority(bed.folder, "stranger")
    good = certificates.make_server(bed.folder, authority, "IP:127.0.0.1")
    bad = [certificates.make_server(bed.folder, authority, "IP:127.0.0.1", "ended", days=-1),
           certificates.make_server(bed.folder, authority, "DNS:elsewhere.test", "elsewhere"),
           certificates.make_server(bed.folder, stranger, "IP:127.0.0.1", "unknown")]
    fake = S3Fake(tls=bad[0])
    port = fake.port
    bed.use_s3(fake)
    bed.put_store(endpoint=f"https://127.0.0.1:{port}", ca_file=str(authority[0]), retry_ms=1000)
    bed.record().wait_segments(1).wait_log("certificate")
    for pair in bad[1:]:
        fake.stop()
        other = S3Fake(port=port, tls=pair)
        other.add_bucket(BUCKET)
        other.add_key(ACCESS_KEY, SECRET, rights=RIGHTS)
        fake = bed.fake = other.start()
        bed.undo.append(fake.stop)
        time.sleep(1)  # a few tries at the wrong one
        assert not fake.requests(), "it spoke with a stranger"
    bed.wait_segments(4)
    fake.stop()
    bed.fake = S3Fake(port=port, tls=good)
    bed.fake.add_bucket(BUCKET)
    bed.fake.add_key(ACCESS_KEY, SECRET, rights=RIGHTS)
    bed.fake.start()
    bed.undo.append(bed.fake.stop)
    bed.finish()
    bed.recorder.stop(40)
    bed.settle()


def stores_other_bytes(bed):
    """The answer is lost and other bytes are there: never overwritten, never listed; parked with an alarm."""
    bed.use_s3()
    bed.stays_parked = True
    bed.fake.fault("PUT", "wrong-bytes", key=r"tp1-audio/0-0\.tape", nth=[1])
    bed.fake.fault("PUT", "lost", key=r"tp1-audio/0-0\.tape", nth=[1])
    original = bed.fake.fault_for

    def both(operation, key):
        """The fake does one fault at a time; this one stores other bytes and then cuts the line."""
        fault = original(operation, key)
        if fault is not None and fault.action == "wrong-bytes":
            with bed.fake.lock:
                bed.fake.buckets[BUCKET].objects[key] = [Version("v0", b"other bytes")]
        return fault

    bed.fake.fault_for = both
    bed.record().wait_segments(3).wait_log("parked until somebody looks")
    bed.finish().settle()


def taken_name(bed):
    """Somebody who may write was there first: nothing is overwritten, nothing is lost."""
    bed.use_s3()
    bed.stays_parked = True
    bed.fake.fault("PUT", "status", key=r"\.tape$", status=503, code="ServiceUnavailable")
    bed.record()
    key = f"{bed.recorder.org}/{bed.session.id}/tp1-audio/0-0.tape"
    with bed.fake.lock:
        bed.fake.buckets[BUCKET].objects[key] = [Version("v0", b"not a recording")]
    bed.wait_segments(2)
    bed.fake.heal()
    bed.wait_log("parked until somebody looks")
    bed.finish().settle()
    assert bed.fake.buckets[BUCKET].current(key).body == b"not a recording", "it was overwritten"


def wrong_echo(bed):
    bed.use_s3()
    bed.fake.fault("PUT", "wrong-echo", key=r"\.tape$", nth=[1, 2])
    bed.record().wait_segments(3).wait_log("checksum|digest|other bytes")
    bed.finish().settle()


def floods(bed):
    """A gigabyte for an answer, three times: memory stays bounded."""
    bed.use_s3()
    bed.fake.fault("PUT", "flood", key=r"\.tape$", nth=[1, 2], bytes=1 << 30)
    bed.fake.fault("PUT", "error-200", key=r"\.note$", nth=[1])
    bed.fake.fault("PUT", "html", key=r"\.note$", nth=[2])
    bed.fake.fault("PUT", "raw", key=r"\.note$", nth=[3], body="<?xml version='1.0'?><Err")
    bed.record().wait_segments(3)
    bed.finish().settle()
    assert bed.most["memory"] < 400000, f"{bed.most['memory']} KiB"


def storm(bed):
    """SlowDown, 429 and 502 for a while, with Retry-After: it comes back at moments of its own choice."""
    bed.use_s3()
    for nth, status, code in ((range(1, 5), 503, "SlowDown"), (range(5, 8), 429, "TooManyRequests"), (range(8, 11), 502, "Bad")):
        bed.fake.fault("PUT", "status", nth=list(nth), status=status, code=code, headers={"Retry-After": "1"})
    bed.record().wait_segments(3)
    bed.finish().settle()


def expired_token(bed):
    bed.use_s3()
    bed.fake.keys[ACCESS_KEY] = (SECRET, "new-token", set(RIGHTS))
    bed.record().wait_segments(2).wait_log("ExpiredToken")
    import s3
    s3.write_key(bed.folder, ACCESS_KEY, SECRET, token="new-token")
    bed.finish()
    bed.recorder.stop(40)
    bed.settle()


def skewed_clock(bed):
    bed.use_s3()
    bed.fake.clock_offset_s = 3600
    bed.record().wait_segments(3)
    bed.finish().settle()
    assert "clock" in bed.recorder.child.log_text(), "the log does not tell of the clock"


def redirects(bed):
    """To another host: nobody else is asked, nothing is sent there."""
    other = S3Fake().start()
    bed.undo.append(other.stop)
    bed.use_s3()
    bed.fake.fault("PUT", "status", status=307, code="TemporaryRedirect",
                   headers={"Location": f"http://127.0.0.1:{other.port}/{BUCKET}/x"})
    bed.record().wait_segments(2).wait_log("307|edirect")
    bed.fake.heal()
    bed.finish()
    bed.recorder.stop(40)
    bed.settle()
    assert not other.requests(), "the other host was asked"


def other_region(bed):
    bed.use_s3()
    bed.fake.buckets[BUCKET].region = "eu-central-1"
    bed.record().wait_segments(3)
    bed.finish().settle()


def odd_expectations(bed):
    """417 to an announced body, and a server that never says 100: bodies of over a megabyte."""
    bed.use_s3()
    bed.recorder.set("object_ms", 4000)
    bed.fake.fault("PUT", "expect-417", key=r"tp1-video/0-0\.tape")
    bed.fake.fault("PUT", "expect-never", key=r"tp1-video/0-4\.tape")
    bed.record(bed.material.heavy_tracks()).wait_segments(4)
    bed.finish().settle()
    assert any(len(rows[-1].body) > 1 << 20 for rows in bed.fake.buckets[BUCKET].objects.values()), "no large body"


def credentials_hang(bed):
    """The machine's credentials are refused, renewed late and rotated in the middle."""
    def ends_in(seconds):
        return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + seconds))

    metadata = Metadata(None)
    bed.undo.append(metadata.stop)
    bed.use_s3()
    bed.fake.keys.clear()
    bed.fake.add_key("AKROLE", SECRET, token="first", rights=RIGHTS)
    bed.put_store(credentials="instance")
    bed.recorder.environment = {"AWS_EC2_METADATA_SERVICE_ENDPOINT": metadata.url}
    bed.record().wait_segments(2)
    metadata.answer = ("AKROLE", SECRET, "first", ends_in(3600))
    bed.wait_segments(4)
    bed.fake.add_key("AKROLE", SECRET, token="second", rights=RIGHTS)
    metadata.answer = ("AKROLE", SECRET, "second", ends_in(200))
    bed.finish()
    poll(lambda: bed.session.look()["state"] == "stored", 90, "it to be stored")
    bed.settle()
    bed.fake.add_key(ACCESS_KEY, SECRET, rights=RIGHTS)  # for who verifies, and is no machine
    bed.put_store()


def osd_killed(bed):
    """Ceph with a store on a file; its OSD is killed in the middle of a recording, and comes back."""
    if not radosgw.is_possible():
        raise Skip("no Ceph here, or not root")
    authority = certificates.make_authority(bed.folder)
    pair = certificates.make_server(bed.folder, authority, "IP:127.0.0.1")
    gateway = radosgw.Gateway(bed.folder / "ceph", *pair, on_disk=True)
    bed.undo.append(gateway.stop)
    gateway.start()
    try:
        import botocore.session
    except ImportError as failure:
        raise Skip("no python3-botocore here") from failure
    access_key, secret = gateway.add_user("owner")
    client = botocore.session.get_session().create_client(
        "s3", endpoint_url=f"http://127.0.0.1:{gateway.http}", region_name="us-east-1", aws_access_key_id=access_key,
        aws_secret_access_key=secret)
    client.create_bucket(Bucket=BUCKET)
    import s3
    bed.secret = secret
    bed.put_store(endpoint=f"https://127.0.0.1:{gateway.https}", ca_file=str(authority[0]), retry_ms=1500,
                  credentials=str(s3.write_key(bed.folder, access_key, secret, name="ceph.credentials")))

    def fetch():
        folder = bed.folder / "bucket"
        pages = client.get_paginator("list_objects_v2").paginate(Bucket=BUCKET)
        for row in (row for page in pages for row in page.get("Contents", [])):
            path = folder / row["Key"]
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(client.get_object(Bucket=BUCKET, Key=row["Key"])["Body"].read())
        return folder

    bed.bucket_folder = fetch
    bed.record()
    bed.wait_segments(2)
    bed.keep_notes()
    gateway.kill_store()
    bed.wait_segments(4)
    gateway.start_store()
    bed.sender.finish()
    bed.session.stop()
    bed.settle(150)
