"""Faults of the recorder's process: killed, frozen of means, doubled, of another age."""

import contextlib
import errno
import http.client
import os
import pathlib
import re
import resource
import shutil
import struct
import tarfile

from bed import TESTS, Fault, Skip, poll
from harness import Session, participant, program, session_request
from peers.children import Child

MEMORY = pathlib.Path("/sys/fs/cgroup/memory")


def terminated_while_uploading(bed):
    bed.use_s3()
    bed.fake.fault("PUT", "delay", seconds=1.0)
    bed.record().wait_segments(3)
    bed._stop_watching()
    bed.keep_notes()
    status = bed.recorder.stop(timeout_s=25)
    assert status == 0, f"it ended with {status}"
    bed.fake.heal()
    bed.finish().settle()


def killed_in_recovery(whens):
    """Again and again, before those calls of a start: recovery begins anew from the same state."""
    def run(bed):
        bed.use_s3()
        bed.store_down()
        bed.record().wait_segments(2)
        bed.kill()
        bed.sender.child.kill()
        for when in whens:
            Counter(bed, when)
            try:
                bed.recorder.start()
            except RuntimeError:
                bed.say(f"killed at call {when} of its recovery")
            else:
                bed.recorder.kill()
        bed.fake.heal()
        bed.settle()
    return run


class Counter:
    """Counts the calls of the bed's recorder that change a disk, over all its threads, and kills it before the
    `when`th of them."""

    def __init__(self, bed, when=0):
        shim = pathlib.Path(os.environ["SEALTAPE_FAULT_SHIM"])
        if not shim.is_file():
            raise Skip("the shim that counts calls was not built")
        self.path = bed.folder / "calls"
        self.path.write_bytes(struct.pack("QQ", 0, when))
        bed.recorder.environment = {"LD_PRELOAD": str(shim), "FAULT_COUNT_FILE": str(self.path)}

    def n_calls(self):
        return struct.unpack("QQ", self.path.read_bytes())[0]


def count_calls(bed):
    """(how many a whole recording makes, how many a recovery makes until it is ready)"""
    counter = Counter(bed)
    bed.record()
    bed.sender.finish()
    bed.session.stop()
    poll(lambda: bed.session.look()["state"] == "stored", 60, "it to be stored")
    bed._stop_watching()
    n_recorded = counter.n_calls()
    bed.recorder.kill()
    counter = Counter(bed)
    bed.recorder.start()
    n_recovered = counter.n_calls()
    bed.recorder.stop()
    return n_recorded, n_recovered


def memory_fails(bed):
    """malloc fails at some moment: the recorder may end like one that was killed, never worse."""
    shim = pathlib.Path(os.environ["SEALTAPE_FAULT_SHIM"])
    if not shim.is_file():
        raise Skip("the shim that fails malloc was not built")
    bed.use_s3()
    bed.recorder.environment = {"LD_PRELOAD": str(shim), "FAULT_MALLOC_FILE": str(bed.folder / "fail-now")}
    bed.record().wait_segments(2)
    (bed.folder / "fail-now").touch()  # from now on every one of 64 KiB and more
    with contextlib.suppress(TimeoutError):
        poll(lambda: not bed.recorder.child.is_running(), 3, "it to end")
    bed.say("it went on" if bed.recorder.child.is_running() else "it ended")
    (bed.folder / "fail-now").unlink()
    if bed.recorder.child.is_running():
        bed.finish().settle()
    else:
        bed.kill()
        bed.finish().settle()


def out_of_memory(bed):
    group = MEMORY / f"sealtape-{os.getpid()}-{bed.number}"
    try:
        group.mkdir()
    except OSError as failure:
        raise Skip(f"no memory cgroup of version 1 here: {failure}") from failure
    bed.undo.append(group.rmdir)
    bed.use_s3()
    bed.recorder.before = ["sh", "-c", f"echo $$ >{group}/cgroup.procs && exec \"$@\"", "sh"]
    bed.record().wait_segments(2)
    # Whatever it is asked for now needs memory that it does not get, once no cache is left to be thrown out for it.
    body = session_request([participant("p1")], [bed.tracks["p1-video"].track("p1-video", "p1")])
    for _ in range(40):
        try:
            (group / "memory.force_empty").write_text("0")
            used = int((group / "memory.usage_in_bytes").read_text())
            (group / "memory.limit_in_bytes").write_text(str(used + (128 << 10)))
        except OSError as failure:
            if failure.errno != errno.EBUSY:
                raise Skip(f"no limit can be set: {failure}") from failure
        with contextlib.suppress(OSError, ValueError, http.client.HTTPException):
            bed.recorder.ask("POST", "/v1/sessions", body, timeout_s=2)
        if not bed.recorder.child.is_running():
            break
    if bed.recorder.child.is_running():
        raise Skip("the kernel's memory limit did not end it")
    bed.kill()
    bed.finish().settle()


def no_more_descriptors(bed):
    """No file, no socket can be opened for a while."""
    bed.use_s3()
    bed.record().wait_segments(1)
    pid = bed.recorder.child.pid
    least = resource.prlimit(pid, resource.RLIMIT_NOFILE)
    bed._stop_watching()  # its connections would be the first to fail
    resource.prlimit(pid, resource.RLIMIT_NOFILE, (3, least[1]))
    fault = Fault(bed, "fdatasync:error=EIO:when=1").wait_hits()
    fault.release()
    bed.wait_log("Too many open files")
    resource.prlimit(pid, resource.RLIMIT_NOFILE, least)
    bed.finish().settle()


def two_on_one_spool(bed):
    bed.record().wait_segments(1)
    second = bed.folder / "second.conf"
    text = bed.recorder.config.read_text().replace("run/recorder.sock", "run/second.sock")
    second = bed.recorder.folder / "second.conf"
    second.write_text(text)
    child = Child([program("sealtaped"), "--config", second], bed.folder / "second.log")
    status = child.wait(30)
    lines = child.log_text().strip().splitlines()
    assert status not in (0, None) and status > 0, f"the second ended with {status}"
    assert len(lines) == 1 and "in use by another process" in lines[0], f"it said {lines}"
    bed.wait_segments(3)
    bed.finish().settle()


def older_spool_is_read(bed):
    """A spool of format 1, as the recorder before this format left it when it was killed."""
    bed.material, older = bed.material, TESTS / "vectors" / "spool-format-1.tar.gz"
    shutil.rmtree(bed.recorder.folder)
    with tarfile.open(older) as archive:
        archive.extractall(bed.recorder.folder.parent)
    for path in (bed.recorder.folder / "keys").glob("*.key"):
        path.chmod(0o600)
    (bed.recorder.folder / "run").mkdir(exist_ok=True)
    session = next((bed.recorder.store / bed.recorder.org).iterdir()).name
    bed.session = Session(bed.recorder, {"session": session, "tracks": []})
    bed.acknowledged = {"p1-audio": (2000000, 2)}
    bed.recorder.start()
    poll(bed._is_settled, 60, "the old spool to be stored")
    (bed.recorder.spool / "format").write_text("3\n")
    bed.recorder.stop()
    try:
        bed.recorder.start()
    except RuntimeError as failure:
        assert re.search("newer version", str(failure)), f"it said {failure}"
    else:
        raise AssertionError("a spool of a newer format was opened")
    (bed.recorder.spool / "format").write_text("2\n")
    bed.recorder.start()


def killed_at(when):
    """One step of the kill sweep: SIGKILL before the `when`th call that changes a disk."""
    def run(bed):
        Counter(bed, when)
        try:
            bed.record()
            bed.sender.finish()
            if bed.recorder.child.is_running():
                bed.session.stop()
                poll(lambda: not bed.recorder.child.is_running() or bed.session.look()["state"] == "stored", 30, "an end")
        except (RuntimeError, OSError, ValueError) as failure:
            bed.say(f"{type(failure).__name__} at the {when}th")
        if bed.recorder.child.is_running():
            bed.say(f"fewer than {when} calls")
        bed.kill()
        if bed.sender is not None:
            bed.sender.child.kill()
        if bed.session is None:
            bed.recorder.environment = {}
            bed.recorder.start()
            bed.begin().wait_segments(1)
            bed.finish()
        bed.settle()
    return run
