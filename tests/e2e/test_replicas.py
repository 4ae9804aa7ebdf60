#!/usr/bin/python3
"""Two stores: a segment leaves the spool when both have it, one may be down for a while, and either is enough to recover."""

import shutil
import time

import s3
from fakes.s3_fake import S3Fake
from harness import Recorder, main, poll, streams_of, tap
from visit import Visit

SECONDS = 8
BUCKET = "copies"
RATE_KBIT_S = 1600
REPLICA = """store: {
    type = "s3"; baa = true; endpoint = "http://127.0.0.1:%d"; bucket = "%s"; region = "us-east-1";
    credentials = "%s"; retry_ms = 1000;
};
"""


def with_replica(folder, fake):
    """A recorder with a directory, and a bucket of `fake` as its copy."""
    recorder = Recorder(folder / "recorder")
    fake.add_bucket(BUCKET)
    fake.add_key("AKTEST", "secret", rights=("put", "get", "list"))
    key = s3.write_key(folder, "AKTEST", "secret")
    (recorder.folder / "second-site.conf").write_text(REPLICA % (fake.port, BUCKET, key))
    text = recorder.config.read_text()
    recorder.config.write_text(text.replace('type = "directory";', 'type = "directory";\n    replicas = [ "second-site.conf" ];'))
    return recorder


def copies(fake):
    bucket = fake.buckets[BUCKET]
    return {key: bucket.current(key).body for key in list(bucket.objects) if not key.startswith("sealtape-probe")}


def originals(recorder):
    return {str(path.relative_to(recorder.store)): path.read_bytes() for path in recorder.store.rglob("*") if path.is_file()}


def test_an_outage_of_one(folder):
    fake = S3Fake(page_size=1000).start()
    recorder = with_replica(folder, fake)
    tap.equal(recorder.command("config", "check").returncode, 0, "the settings are good")
    visit = Visit(folder, SECONDS, recorder.start()).begin()
    session = visit.session
    # Media waits for both.
    ahead = lambda: {key.split("/")[2] for key in copies(fake) if key.endswith(".age")}
    poll(lambda: {"env", "meta.age"} <= ahead(), 20, "envelope and meta in the replica")
    fake.fault("PUT", "status", status=503, code="ServiceUnavailable")
    for names, sender in visit.senders.values():
        visit.sent.update(zip(names, sender.finish()))
    session.stop()
    poll(lambda: any(key.endswith(".tape") for key in originals(recorder)), 30, "media to be in the first store")
    poll(lambda: len(fake.requests("PUT")) >= 8, 60, "the replica to have been asked a few times")
    tap.equal(session.look()["state"], "finalising", "nothing is called stored that one of two has not")
    tap.ok(not any(key.endswith(".tape") for key in copies(fake)), "the replica has no media yet")
    media = [path for path in recorder.store.rglob("*.tape")]
    first_times = {path: path.stat().st_mtime_ns for path in media}

    fake.heal()
    session.wait_state("stored", 90)
    tap.equal({path: path.stat().st_mtime_ns for path in media}, first_times, "the first store was not written again")
    here, there = originals(recorder), copies(fake)
    tap.equal(sorted(here), sorted(there), "both have the same objects")
    tap.ok(all(here[key] == there[key] for key in here), "with the same bytes")
    tap.contains(recorder.child.log_text(), "replica second-site: ", "the log names the one that failed")
    tap.equal(recorder.command("verify", session.id).returncode, 0, "verified")

    rows = recorder.command("doctor").stdout
    tap.contains(rows, "replica second-site put-if-absent", "doctor looks at the replica too")
    tap.equal(recorder.stop(), 0, "the recorder ends")

    shutil.move(recorder.store / "clinic-a", folder / "burnt")
    done = session.recover(folder / "out.mkv")
    tap.equal(done.returncode, 0, "recovered although the first store has lost it")
    tap.equal(sorted(row["codec_name"] for row in streams_of(folder / "out.mkv")), ["h264", "opus", "opus", "vp8"],
              "with all tracks")
    fake.stop()


def test_a_limited_line(folder):
    """Bodies go out no faster than the clinic's line is to bear, all requests together; lower bounds only."""
    fake = S3Fake().start()
    fake.add_bucket(BUCKET)
    fake.add_key("AKTEST", "secret")
    size, key = 300000, s3.write_key(folder, "AKTEST", "secret")
    with s3.Store(endpoint=f"http://127.0.0.1:{fake.port}", bucket=BUCKET, credentials=key,
                  max_upload_kbit_s=RATE_KBIT_S, attempt_ms=1000) as store:
        started = time.monotonic()
        tap.equal(store.ask(f"put clinic-a/s1/t1/0-0.tape x*{size}"), "ok",
                  "a body that takes longer than one try may last is put all the same")
        took = time.monotonic() - started
        # A tenth of a second's worth goes out at once.
        wanted = (size - RATE_KBIT_S * 1000 / 8 / 10) / (RATE_KBIT_S * 1000 / 8) * 0.95
        tap.ok(took >= wanted, "and not faster than the line may", f"took {took:.2f} s, at least {wanted:.2f} s")
        tap.equal(len(fake.requests("PUT")), 1, "in one try")
    fake.stop()


if __name__ == "__main__":
    main([test_an_outage_of_one, test_a_limited_line], 140)
