"""Faults of the recorder's own disk and of what lies on it."""

import contextlib
import os
import pathlib
import random
import shutil
import sqlite3
import subprocess
import threading
import time

from bed import Fault, Skip, poll

WRITES = "pwritev,pwritev2,fallocate"


def fsync_fails_once(bed):
    bed.use_s3()
    bed.record().wait_segments(1)
    logs = [path for path in bed.recorder.spool.rglob("*") if path.is_file()]
    fault = Fault(bed, "fdatasync:error=EIO:when=1", paths=logs).wait_hits()
    fault.release()
    bed.finish().settle()
    assert bed.metric("spool_failed_files_total") >= 1, "the file that failed is not counted"
    assert "did not keep" in bed.recorder.child.log_text(), "no alarm in the log"


def catalogue_locked(bed):
    """Somebody holds the catalogue from the first packet to the last: nothing waits for it, and it catches up."""
    bed.use_s3()
    bed.record().wait_segments(1)
    path = bed.recorder.folder / "catalogue.db"
    poll(path.exists, 20, "the catalogue")
    other = sqlite3.connect(path, isolation_level=None, timeout=20)
    other.execute("BEGIN EXCLUSIVE")
    bed.finish().settle()
    other.execute("ROLLBACK")
    other.close()
    poll(lambda: bed.session.id in bed.recorder.command("catalogue", "dump").stdout, 60, "the catalogue to catch up")


def disk_fails_for_long(bed):
    """Nothing is acknowledged meanwhile; afterwards it is written again from memory, or stands as a gap."""
    bed.use_s3()
    bed.record().wait_segments(1)
    fault = Fault(bed, "fdatasync:error=EIO:when=1+", "pwritev,pwritev2:error=EIO:when=1+").wait_hits(6)
    # Here what was flushed before the fault took hold has been told, if nobody has asked yet: a busy machine looks late.
    bed.look()
    before = dict(bed.acknowledged)
    poll(lambda: bed.recorder.ask("GET", "/readyz").status == 503, 20, "the recorder to say that it is not ready")
    fault.wait_hits(12)
    bed.look()
    assert bed.acknowledged == before, f"acknowledged while the disk kept nothing: {before}, {bed.acknowledged}"
    fault.release()
    bed.finish().settle()


def spool_unreadable_once(bed):
    bed.use_s3()
    bed.store_down()
    bed.record().wait_segments(4)
    fault = Fault(bed, "pread64:error=EIO:when=1")
    bed.fake.heal()
    fault.wait_hits()
    fault.release()
    bed.finish().settle()


def spool_unreadable(bed):
    """One segment can not be read, ever: it becomes a gap, and the queue goes on."""
    bed.use_s3()
    bed.store_down()
    bed.may_corrupt = True
    bed.record().wait_segments(4)
    fault = Fault(bed, "pread64:error=EIO:when=1..7")
    bed.fake.heal()
    fault.wait_hits(4)
    fault.release()
    bed.finish().settle()
    assert bed.metric("spool_quarantined") >= 1, "not counted"
    assert any(gap.reason == "corrupt" for gap in bed.manifest().gaps), "no gap stands for it"


def tmpfs_fills(bed):
    bed.mount(bed.recorder.spool, "-t", "tmpfs", "-o", "size=24m,mode=0700", "sealtape-test")
    bed.record().wait_segments(1)
    filler = bed.recorder.spool / "filler"
    _fill(filler)
    bed.wait_log("No space left|disk is full")
    poll(lambda: bed.recorder.ask("POST", "/v1/sessions", _request(bed)).status == 507, 20, "a new session to be refused")
    assert bed.recorder.ask("GET", "/readyz").status == 503, "it says that it is ready"
    assert bed.metric("spool_level") == 3, "the level is not critical"
    filler.unlink()
    bed.finish().settle()
    assert any(gap.reason == "disk-full" for gap in bed.manifest().gaps), "no gap says disk-full"


def enospc_at(call):
    def run(bed):
        bed.use_s3()
        bed.record().wait_segments(1)
        if call == "fdatasync":
            fault = Fault(bed, "fdatasync:error=ENOSPC:when=1..2").wait_hits()
        else:
            fault = Fault(bed, f"{call}:error=ENOSPC:when=1+").wait_hits(2)
        fault.release()
        bed.finish().settle()
    return run


def inodes_run_out(bed):
    """The next log file finds no name: it does once there are names again."""
    bed.use_s3()
    bed.mount(bed.recorder.spool, "-t", "tmpfs", "-o", "size=200m,nr_inodes=40,mode=0700", "sealtape-test")
    bed.record().wait_segments(1)
    names = []
    with contextlib.suppress(OSError):
        for number in range(100):
            path = bed.recorder.spool / f"filler-{number}"
            path.touch()
            names.append(path)
    # The reserve's name serves the first new log only; others flush too, so how many it takes is not known before.
    fault = Fault(bed, "fdatasync:error=EIO:when=1+").wait_hits(2)
    bed.wait_log("No space left|disk is full")
    fault.release()
    for path in names:
        path.unlink()
    bed.finish().settle()


def turns_read_only(bed):
    bed.use_s3()
    bed.record().wait_segments(1)
    fault = Fault(bed, f"{WRITES}:error=EROFS:when=1+").wait_hits(3)
    fault.release()
    bed.finish().settle()


def short_writes(bed):
    shim = pathlib.Path(os.environ["SEALTAPE_FAULT_SHIM"])
    if not shim.is_file():
        raise Skip("the shim for short writes was not built")
    bed.use_s3()
    bed.recorder.environment = {"LD_PRELOAD": str(shim), "FAULT_SHORT_WRITE": "777"}
    bed.record().wait_segments(1)
    fault = Fault(bed, "pwritev,pwritev2,pwrite64:error=EINTR:when=3+7").wait_hits(3)
    bed.finish()
    poll(lambda: bed.session.look()["state"] == "stored", 60, "it to be stored")
    fault.release()
    bed.settle()


def slow_disk(bed):
    bed.use_s3()
    bed.record().wait_segments(1)
    fault = Fault(bed, "fdatasync:delay_enter=2000000:when=1+")
    bed.wait_segments(3)
    bed.finish()
    fault.release()
    bed.settle()


def _killed_with_full_spool(bed):
    bed.use_s3()
    bed.store_down()
    bed.record().wait_segments(4)
    bed.kill()
    bed.finish()
    return max(bed.recorder.spool.glob("*.log"))


def _used(path):
    return len(path.read_bytes().rstrip(b"\0"))


def bits_flip(bed):
    """Sixteen bits of the log flip; what they hit is a gap, never uploaded as good."""
    bed.may_corrupt = True
    log = _killed_with_full_spool(bed)
    dice = random.Random(bed.number)
    content = bytearray(log.read_bytes())
    begin = content.find(b"sealtape-segment")  # behind the records that say what the session is
    for _ in range(16):
        content[dice.randrange(begin, _used(log))] ^= 1 << dice.randrange(8)
    log.write_bytes(content)
    bed.fake.heal()
    bed.settle()


def stored_bits_flip(bed):
    """One bit of each kind of object in the store flips: verify notices each."""
    bed.record().wait_segments(2)
    bed.finish().settle()
    folder = bed.recorder.store / bed.recorder.org / bed.session.id
    paths = [next(folder.glob(form)) for form in ("manifest/1.note", "t*/*.tape", "env/1.age")]
    for path in paths:
        good = path.read_bytes()
        # An envelope's inside is checked by who can open it; what everybody sees is where it belongs.
        for at in (0, 40) if path.suffix == ".age" else (0, len(good) // 2, len(good) - 2):
            path.chmod(0o600)
            path.write_bytes(good[:at] + bytes([good[at] ^ 4]) + good[at + 1:])
            done = bed.recorder.command("verify", bed.session.id)
            assert done.returncode != 0, f"byte {at} of {path.name} changed and verify found nothing"
        path.write_bytes(good)


def spool_tampered(kind):
    def run(bed):
        log = _killed_with_full_spool(bed)
        spool, used = bed.recorder.spool, _used(log)
        if kind == "cut":
            bed.may_corrupt = True
            os.truncate(log, used * 3 // 4)
            bed.acknowledged = {}  # the row takes them away itself; what is left must be told as it is
        elif kind == "renamed":
            log.rename(spool / "0000009999.log")
            bed.acknowledged = {}
        elif kind == "doubled":
            shutil.copy(log, spool / "0000009999.log")
        elif kind == "symlink":
            aside = bed.folder / "elsewhere.log"
            shutil.move(log, aside)
            log.symlink_to(aside)
            try:
                bed.recorder.start()
            except RuntimeError as failure:
                assert log.name in str(failure), f"the link is not named: {failure}"
            else:
                raise AssertionError("a symbolic link was followed")
            log.unlink()
            shutil.move(aside, log)
        bed.fake.heal()
        if kind == "renamed":
            _settle_without_session(bed)
        else:
            bed.settle()
    return run


def _settle_without_session(bed):
    """A log that was renamed is set aside whole; put back under its name nothing is lost."""
    bed.recorder.start()
    assert bed.metric("spool_quarantined") >= 1, "a file under another's name is not set aside"
    bed.recorder.stop()
    spool = bed.recorder.spool
    aside = next((spool / "quarantine").glob("0000009999.log.*"))
    first = next(bed_log for bed_log in sorted(spool.glob("*.log")))
    for path in spool.glob("*.log"):
        path.unlink()
    shutil.move(aside, spool / "0000000001.log")
    assert first is not None
    bed.settle()


def spool_rolled_back(bed):
    """An older copy of the spool comes back after everything was stored: nothing in the store changes."""
    bed.use_s3()
    bed.fake.fault("PUT", "status", status=503, code="ServiceUnavailable")
    bed.record().wait_segments(3)
    bed.kill()
    bed.finish()
    copy = bed.folder / "older"
    shutil.copytree(bed.recorder.spool, copy)
    bed.fake.heal()
    bed.settle()
    bed.keep_notes()
    bed.recorder.stop()
    shutil.rmtree(bed.recorder.spool)
    shutil.move(copy, bed.recorder.spool)
    bed.recorder.start()
    poll(lambda: bed.metric("spool_segments") == 0 or bed.metric("upload_parked") == 1, 60, "it to be settled or parked")


def power_cut(kind, after_s=None):
    """The file system loses all that was not flushed, `after_s` into the recording; then it is mounted again."""
    def run(bed):
        import powercut
        disk = powercut.Disk(bed, kind)
        bed.use_s3()
        bed.store_down()
        bed.record()
        if after_s is None:
            bed.wait_segments(3)
        else:
            time.sleep(after_s)  # the moment is the point
        acknowledged = dict(bed.acknowledged)
        disk.cut()
        bed.kill()
        bed.acknowledged = acknowledged  # what is said after the cut is said by a recorder that is as good as dead
        disk.mount_again()
        bed.sender.child.kill()
        bed.fake.heal()
        bed.settle()
        bed.images.append(disk.image)
    return run


def _cut_in_commit(bed, disk, paths, change):
    """The power goes while what `change` makes the recorder write to `paths` is written and not flushed yet."""
    before = dict(bed.acknowledged)
    fault = Fault(bed, "fdatasync,fsync:delay_enter=3000000:when=1+", paths=[path for path in paths if path.exists()])
    asker = threading.Thread(target=_quietly, args=(change,), daemon=True)
    asker.start()
    poll(fault.is_held, 20, "a flush to be held up")
    disk.cut()
    bed.kill()
    fault.release()
    bed.acknowledged = before
    asker.join(10)
    disk.mount_again()
    bed.sender.child.kill()


def _quietly(change):
    with contextlib.suppress(Exception):
        change()


def catalogue_loses_power(kind):
    """The catalogue is sound afterwards, or was made anew, and says what the store does."""
    def run(bed):
        import powercut
        disk = powercut.Disk(bed, kind, bed.recorder.folder / "index")
        path = disk.path / "catalogue.db"
        bed.recorder.config.write_text(bed.recorder.config.read_text().replace('"catalogue.db"', f'"{path}"', 1))
        bed.use_s3()
        bed.record().wait_segments(2)
        poll(path.exists, 20, "the catalogue")
        _cut_in_commit(bed, disk, sorted(disk.path.glob("catalogue.db*")), lambda: None)
        bed.settle()
        done = bed.recorder.command("catalogue", "check")
        assert done.returncode == 0, f"catalogue check: {done.stdout}{done.stderr}"
        poll(lambda: f" {bed.session.id} incomplete" in bed.recorder.command("catalogue", "dump").stdout, 60, "it to catch up")
        dump = bed.recorder.command("catalogue", "dump").stdout
        # A fake store in Python may be slow to answer beside others.
        poll(lambda: bed.recorder.command("catalogue", "rebuild").returncode == 0, 60, "the catalogue to be made anew")
        assert bed.recorder.command("catalogue", "dump").stdout == dump, "made anew from the store it is another"
        bed.say("set aside as damaged" if path.with_suffix(".db.damaged").exists() else "sound")
    return run


def audit_log_loses_power(kind):
    """What was not flushed is cut off and said; what was before is whole, in its chain, and goes on."""
    def run(bed):
        import powercut
        disk = powercut.Disk(bed, kind, bed.recorder.folder / "told")
        text = bed.recorder.config.read_text()
        bed.recorder.config.write_text(text.replace("recorder:\n{\n", f'recorder:\n{{\n    audit = "{disk.path}/audit";\n', 1))
        bed.use_s3()
        bed.record().wait_segments(2)
        logs = list((disk.path / "audit" / bed.recorder.org).iterdir())
        assert logs, "no audit log lies on the disk"
        pause = f"/v1/sessions/{bed.session.id}/pause"
        _cut_in_commit(bed, disk, logs, lambda: bed.recorder.ask("POST", pause, {"reason": "break"}, timeout_s=5))
        bed.settle()
        log = next((disk.path / "audit" / bed.recorder.org).glob("*.log"))
        records = log.read_bytes()
        bed.recorder.stop()
        done = bed.recorder.command("audit", "verify")
        assert done.returncode == 0, f"audit verify: {done.stdout}{done.stderr}"
        assert records.endswith(b"\n") and records.count(b"\n") >= 4, "the log is short, or torn"
    return run


def _fill(path):
    with open(path, "wb", buffering=0) as file, contextlib.suppress(OSError):
        while True:
            file.write(bytes(65536))
    with open(path, "ab", buffering=0) as file, contextlib.suppress(OSError):
        while True:
            file.write(bytes(512))


def _request(bed):
    from harness import participant, session_request
    return session_request([participant("p1")], [bed.tracks["p1-audio"].track("p1-audio", "p1")])


def free_loop():
    return subprocess.run(["losetup", "-f"], capture_output=True, text=True).stdout.strip()
