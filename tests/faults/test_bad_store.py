#!/usr/bin/python3
"""A store, or a disk, that is set up wrongly: `sealtape doctor` names it in one clear line, the recorder says the same in
its log, and records on into the spool wherever it can; once it is mended, everything is stored."""

import pathlib
import shutil
import subprocess
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))

import bed as beds  # first: it says where the others lie
import s3
from bed import ACCESS_KEY, BUCKET, RIGHTS, SECRET, Bed
from fakes.s3_fake import S3Fake
from harness import main, program, tap
from peers import certificates
from peers.children import Child, poll


def other_key(bed):
    return str(s3.write_key(bed.folder, "AKNOBODY", "x", name="nobody.credentials"))


def other_style(bed):
    fake = S3Fake()  # which knows no names in front of localhost
    return {"fake": fake, "endpoint": f"http://localhost:{fake.port}", "style": "host"}


def self_signed(bed):
    pair = certificates.make_authority(bed.folder, "alone")
    fake = S3Fake(tls=certificates.make_server(bed.folder, pair, "IP:127.0.0.1"))
    return {"fake": fake, "endpoint": f"https://127.0.0.1:{fake.port}"}


def locked_bucket(bed):
    """Locks by default, and these credentials may not ask for it."""
    fake = S3Fake()
    fake.add_bucket(BUCKET, has_lock=True, locks_by_default=True)
    return {"fake": fake}


def far_clock(bed):
    fake = S3Fake()
    fake.clock_offset_s = 3600
    return {"fake": fake}


def far_region(bed):
    fake = S3Fake()
    fake.add_bucket(BUCKET, region="eu-central-1")
    return {"fake": fake}


# name, what is set, what doctor must name, what the log must say, whether recordings are stored all the same
STORES = [
    ("a bucket that is not there", lambda bed: {"bucket": "nobucket"}, "NoSuchBucket", "NoSuchBucket", False),
    ("keys that nobody knows", lambda bed: {"credentials": other_key(bed)}, "InvalidAccessKeyId", "InvalidAccessKeyId", False),
    ("the other addressing style", other_style, "NoSuchBucket", "NoSuchBucket", False),
    ("a certificate that nobody vouches for", self_signed, "certificate", "certificate", False),
    ("nobody there", lambda bed: {"endpoint": "http://127.0.0.1:9"}, "connect", "connect", False),
    ("another region", far_region, "eu-central-1", "the bucket's region is eu-central-1", True),
    ("a clock that is an hour off", far_clock, "clock", "the store's clock is 36", True),
    ("a bucket that locks by itself", locked_bucket, "lock", None, True),
]

REFUSED = [
    ("plain http to elsewhere", {"endpoint": "http://10.0.0.1"}, "use https"),
    ("no agreement with who runs the store", {"baa": False}, "business associate agreement"),
    ("keys in a file that is not there", {"credentials": "/none/keys"}, "/none/keys"),
    ("a bucket in front of an address", {"style": "host"}, 'set style = "path"'),
    ("a name that no bucket has", {"bucket": "Not A Bucket"}, "bucket"),
]


def bed_with(folder, number, settings):
    bed = Bed(number, folder / f"bed-{number}", Materials.of(folder), 47000 + 60 * number)
    settings = dict(settings(bed))
    bed.use_s3(settings.pop("fake", None), **settings)
    return bed


class Materials:
    made = None

    @classmethod
    def of(cls, folder):
        cls.made = cls.made or beds.Material(folder)
        return cls.made


def doctor_tells(bed, part, name):
    done = bed.recorder.command("doctor", timeout_s=120)
    lines = [line for line in (done.stdout + done.stderr).splitlines() if part.lower() in line.lower()]
    tap.ok(len(lines) >= 1, f"doctor tells of {name}", done.stdout + done.stderr)


def test_stores_that_are_wrong(folder):
    for number, (name, settings, told, logged, is_stored) in enumerate(STORES):
        bed = bed_with(folder, number, settings)
        try:
            doctor_tells(bed, told, name)
            bed.record().wait_segments(1)
            tap.equal(bed.session.look()["state"], "recording", f"with {name} a session is recorded")
            if logged is not None:
                bed.wait_log(logged)
            lines = [line for line in bed.recorder.child.log_text().splitlines() if logged and logged in line]
            tap.ok(all(len(line) < 500 for line in lines), "the log says it in one line", *lines[:1])
            if not is_stored:
                bed.recorder.stop(40)
                authority = bed.folder / "alone.pem"
                bed.put_store(**({"ca_file": str(authority), "endpoint": f"https://127.0.0.1:{bed.fake.port}"}
                                 if authority.exists() else {}))
            bed.finish()
            bed.settle()
            tap.equal(bed.recorder.command("verify", bed.session.id).returncode, 0, "mended, all of it is stored"
                      if not is_stored else "and stored")
        finally:
            bed.close()


def test_settings_that_are_refused(folder):
    bed = Bed(20, folder / "bed", Materials.of(folder), 48500)
    bed.use_s3()
    try:
        for name, settings, part in REFUSED:
            bed.put_store(**settings)
            child = Child([program("sealtaped"), "--config", bed.recorder.config], folder / f"{part.replace('/', '_')}.log")
            status, said = child.wait(30), child.log_text().strip()
            tap.ok(status == 1 and part in said and len(said.splitlines()) == 1, f"{name} is refused in one line", said)
    finally:
        bed.close()


def test_disks(folder):
    """The store's own disk is full, or may only be read: what is recorded waits."""
    for number, (name, options, part) in enumerate((("full", "size=64k,mode=0700", "No space left"),
                                                    ("only to be read", "size=8m,mode=0700", "Read-only"))):
        bed = Bed(30 + number, folder / f"disk-{number}", Materials.of(folder), 49000 + 60 * number)
        try:
            bed.mount(bed.recorder.store, "-t", "tmpfs", "-o", options, "sealtape-test")
            if part == "Read-only":
                bed.start()
                subprocess.run(["mount", "-o", "remount,ro", str(bed.recorder.store)], check=True)
                bed.begin()
            else:
                bed.record()
            bed.wait_segments(2).wait_log(part)
            tap.ok(True, f"a store's disk that is {name}: recording goes on, and the log names it")
            subprocess.run(["mount", "-o", "remount,rw,size=64m", str(bed.recorder.store)], check=True)
            bed.finish()
            bed.recorder.stop(40)
            bed.settle()
            tap.equal(bed.recorder.command("verify", bed.session.id).returncode, 0, "mended, all of it is stored")
        finally:
            bed.close()


def enter_mounts():
    import os
    if os.environ.get("SEALTAPE_PRIVATE_MOUNTS") is None:
        os.environ["SEALTAPE_PRIVATE_MOUNTS"] = "1"
        os.execvp("unshare", ["unshare", "--mount", sys.executable, *sys.argv])


if __name__ == "__main__":
    tests = [test_stores_that_are_wrong, test_settings_that_are_refused]
    if subprocess.run(["unshare", "--mount", "true"], capture_output=True).returncode == 0:
        enter_mounts()
        tests.append(test_disks)
    else:
        tap.note("no mount namespace may be made here: full disks are not tried")
    main(tests, 270)
