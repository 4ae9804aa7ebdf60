"""Measures the way into a Ceph object gateway: throughput beside rclone and curl in the same run, what a recorded hour
costs the store, how soon a stopped session is stored.

    upload_bench.py [NAME...]        names: throughput, hour, stop
    SEALTAPE_BENCH_MB       each round of `throughput` (256)        SEALTAPE_BENCH_S     recorded for `hour` (40)

rclone checks what it put by the MD5 that the gateway answers; curl checks nothing; we sign a SHA-256 of each body, send
an MD5, and look with a HEAD since this gateway does not echo a checksum.
"""

import json
import os
import pathlib
import shutil
import statistics
import subprocess
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "e2e")]

import botocore.session

import load
import s3
from harness import Recorder, main, participant, poll, tap
from peers import certificates, media, radosgw
from visit import Visit

MEGABYTES = int(os.environ.get("SEALTAPE_BENCH_MB", "256"))
SECONDS = int(os.environ.get("SEALTAPE_BENCH_S", "40"))
OBJECT_BYTES = 4 << 20
AT_ONCE = 4
ROUNDS = 3
STOPS = 40
BUCKET = "recordings"


class Place:
    """A gateway without TLS in front of it, its owner, and a bucket into which anybody may put."""

    def __init__(self, folder):
        self.folder = folder
        pair = certificates.make_server(folder, certificates.make_authority(folder), "IP:127.0.0.1")
        self.gateway = radosgw.Gateway(folder / "ceph", *pair).start()
        self.url = f"http://127.0.0.1:{self.gateway.http}"
        self.owner = self.gateway.add_user("owner")
        self.key = s3.write_key(folder, *self.owner)
        self.admin = botocore.session.get_session().create_client(
            "s3", endpoint_url=self.url, region_name="us-east-1", aws_access_key_id=self.owner[0],
            aws_secret_access_key=self.owner[1])
        self.admin.create_bucket(Bucket=BUCKET)
        anybody = {"Effect": "Allow", "Principal": "*", "Action": ["s3:PutObject"], "Resource": [f"arn:aws:s3:::{BUCKET}/curl/*"]}
        self.admin.put_bucket_policy(Bucket=BUCKET, Policy=json.dumps({"Version": "2012-10-17", "Statement": [anybody]}))

    def objects(self, prefix=""):
        pages = self.admin.get_paginator("list_objects_v2").paginate(Bucket=BUCKET, Prefix=prefix)
        return {row["Key"]: row["Size"] for page in pages for row in page.get("Contents", [])}

    def clear(self):
        for key in self.objects():
            self.admin.delete_object(Bucket=BUCKET, Key=key)

    def settings(self):
        rows = {"type": "s3", "baa": True, "endpoint": self.url, "bucket": BUCKET, "region": "us-east-1",
                "credentials": str(self.key)}
        return "store: {" + " ".join(f"{name} = {json.dumps(value)};" for name, value in rows.items()) + "};\n"


def recorder_into(place, folder):
    recorder = Recorder(folder / "recorder")
    before, rest = recorder.config.read_text().split("store:\n", 1)
    recorder.config.write_text(before + place.settings() + rest.split("\n};\n", 1)[1])
    return recorder


def clock(action):
    begun = time.monotonic()
    action()
    return time.monotonic() - begun


def run(*command):
    environment = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
    done = subprocess.run([*map(str, command)], capture_output=True, text=True, env=environment)
    if done.returncode != 0:
        raise RuntimeError(f"{command[0]}: {done.stderr[-500:]}")


def throughput(folder):
    """The same bytes, as many at once, by three programs in turn."""
    place, count = Place(folder), MEGABYTES * (1 << 20) // OBJECT_BYTES
    source = folder / "source"
    source.mkdir()
    for i in range(count):
        (source / f"{i:05}.tape").write_bytes(b"x" * OBJECT_BYTES)
    config = folder / "rclone.conf"
    config.write_text(f"[gateway]\ntype = s3\nprovider = Ceph\nendpoint = {place.url}\n"
                      f"access_key_id = {place.owner[0]}\nsecret_access_key = {place.owner[1]}\n")
    config.chmod(0o600)
    urls = folder / "curl.conf"
    urls.write_text("".join(f'upload-file = "{source}/{i:05}.tape"\nurl = "{place.url}/{BUCKET}/curl/{i:05}.tape"\n'
                            for i in range(count)))

    def ours():
        with s3.Store(endpoint=place.url, bucket=BUCKET, credentials=place.key, max_concurrent=AT_ONCE) as store:
            answer = store.ask(f"putmany {count} clinic-a/s1/t1/ x*{OBJECT_BYTES}")
        if answer != "ok 0 failed":
            raise RuntimeError(answer)

    rivals = {
        "sealtape": ours,
        "rclone": lambda: run("rclone", "--config", config, "copy", source, f"gateway:{BUCKET}/rclone", "--transfers", AT_ONCE,
                              "--s3-no-check-bucket"),
        "curl -T": lambda: run("curl", "-sS", "--fail", "--parallel", "--parallel-max", AT_ONCE, "-K", urls),
    }
    times = {name: [] for name in rivals}
    for _ in range(ROUNDS):
        for name, action in rivals.items():
            place.clear()
            times[name].append(clock(action))
            if sum(place.objects().values()) != count * OBJECT_BYTES:
                raise RuntimeError(f"{name} did not put all")
    best = {name: min(row) for name, row in times.items()}
    for name, seconds in best.items():
        tap.note(f"{name:9} {MEGABYTES / seconds:7.0f} MiB/s, {best['sealtape'] / seconds:5.2f} of our speed")
    tap.ok(best["sealtape"] <= 2 * best["rclone"], "no slower than half of rclone's speed",
           f"{best['rclone'] / best['sealtape']:.2f} of it")
    shutil.rmtree(source)


def hour(folder):
    """What one visit of two people costs, for an hour of it."""
    place = Place(folder)
    recorder = recorder_into(place, folder).start()
    visit = Visit(folder, SECONDS, recorder).begin()
    before, begun = load.cpu_s([recorder.child.pid]), time.monotonic()
    for names, sender in visit.senders.values():
        visit.sent.update(zip(names, sender.finish()))
    share = (load.cpu_s([recorder.child.pid]) - before) / (time.monotonic() - begun)
    visit.session.finish()
    stored = place.objects(recorder.org + "/")
    sent = sum(len(packet) for name in visit.media for packet in visit.packets(name))
    scale = 3600 / SECONDS
    kinds = {end: [size for key, size in stored.items() if key.endswith(end)] for end in (".tape", ".note", ".age")}
    tap.note(f"an hour of two people, four tracks: {scale * len(kinds['.tape']):.0f} PUTs of media, "
             f"{scale * len(kinds['.note']):.0f} of manifest parts, {len(kinds['.age'])} of keys and metadata; "
             f"{scale * sum(stored.values()) / 1e6:.0f} MB, {3600 * share:.1f} s of a core")
    tap.note(f"what is stored is {sum(stored.values()) / sent:.3f} of the RTP packets' bytes")
    tap.ok(sum(stored.values()) <= 1.1 * sent, "sealing and listing add less than a tenth")
    recorder.stop()


def stop(folder):
    """From stop to stored, over the gateway."""
    place = Place(folder)
    recorder = recorder_into(place, folder).start()
    track, times = media.noise(folder, 2, 1).track("p1-audio", "p1"), []
    for _ in range(STOPS):
        session = recorder.open_session([participant("p1")], [track])
        begun = time.monotonic()
        session.stop()
        poll(lambda: session.look()["state"] == "stored", 30, "stored", 0.01)
        times.append(time.monotonic() - begun)
    times.sort()
    tap.note(f"from stop to stored: median {1000 * statistics.median(times):.0f} ms, slowest {1000 * times[-1]:.0f} ms of {STOPS}")
    tap.ok(times[-1] <= 5, "none takes longer than 5 s")
    recorder.stop()


if __name__ == "__main__":
    if not radosgw.is_possible() or shutil.which("rclone") is None:
        tap.skip_all("no Ceph object gateway or no rclone here")
    main([throughput, hour, stop], 600)
