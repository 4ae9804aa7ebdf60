#!/usr/bin/python3
"""The fault matrix: every row breaks something under a real recorder with a real recording, then one oracle looks for the
invariants I1 to I8. Writes a table of what came of it.

    matrix.py [--short] [--table FILE] [NUMBER or NAME...]        SEALTAPE_AT_ONCE  rows at a time (4)
    matrix.py --kill-sweep EVERY      SIGKILL at every EVERYth system call of a recording, and of a recovery
    matrix.py --power-cuts COUNT      at moments that SEALTAPE_SEED repeats
"""

import argparse
import os
import pathlib
import random
import shutil
import subprocess
import sys
import tempfile
import threading
import time
import traceback
from concurrent.futures import ThreadPoolExecutor

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))

import bed as beds
import oracle
import rows_disk as disk
import rows_process as process
import rows_store as store
from bed import Bed, Material, Skip
from harness import tap
from peers import children

# number, name, how, what to do, whether it is in the short form
ROWS = [
    *[(1, f"SIGKILL at a call of commit, upload or manifest, number {when}", "preloaded shim", process.killed_at(when),
       when in (31, 67, 102)) for when in (3, 8, 17, 31, 45, 67, 88, 102, 120)],
    (2, "SIGTERM while it uploads slowly", "kill", process.terminated_while_uploading, True),
    (3, "SIGKILL twice while it recovers", "preloaded shim", process.killed_in_recovery((2, 4)), True),
    (4, "power cut, ext4", "shutdown ioctl, remount", disk.power_cut("ext4"), True),
    (4, "power cut, xfs", "shutdown ioctl, remount", disk.power_cut("xfs"), False),
    *[(5, f"power cut in a commit of the catalogue, {kind}", "shutdown ioctl, remount", disk.catalogue_loses_power(kind),
       kind == "ext4") for kind in ("ext4", "xfs")],
    *[(6, f"power cut in an append to the audit log, {kind}", "shutdown ioctl, remount", disk.audit_log_loses_power(kind),
       kind == "xfs") for kind in ("ext4", "xfs")],
    (7, "fsync fails once", "strace EIO", disk.fsync_fails_once, True),
    (8, "the disk keeps nothing for long", "strace EIO", disk.disk_fails_for_long, True),
    (9, "a spooled segment is unreadable once", "strace EIO", disk.spool_unreadable_once, False),
    (9, "a spooled segment is unreadable", "strace EIO", disk.spool_unreadable, True),
    (10, "the spool's disk fills up", "tmpfs of 24 MiB", disk.tmpfs_fills, True),
    (10, "ENOSPC while writing", "strace ENOSPC", disk.enospc_at("pwritev"), True),
    (10, "ENOSPC while flushing", "strace ENOSPC", disk.enospc_at("fdatasync"), False),
    (11, "inodes run out", "tmpfs nr_inodes", disk.inodes_run_out, True),
    (12, "the file system turns read-only", "strace EROFS", disk.turns_read_only, False),
    (13, "short writes, EINTR", "preloaded shim, strace EINTR", disk.short_writes, True),
    (14, "two seconds a flush", "strace delay_enter", disk.slow_disk, True),
    (15, "bits of the spool flip", "script", disk.bits_flip, True),
    (15, "bits of the store flip", "script", disk.stored_bits_flip, False),
    (16, "a log of the spool is cut", "script", disk.spool_tampered("cut"), True),
    (16, "a log of the spool is renamed", "script", disk.spool_tampered("renamed"), False),
    (16, "a log of the spool is doubled", "script", disk.spool_tampered("doubled"), False),
    (16, "a log of the spool is a symbolic link", "script", disk.spool_tampered("symlink"), False),
    (17, "an older copy of the spool comes back", "cp -a", disk.spool_rolled_back, True),
    (18, "malloc fails", "preloaded shim", process.memory_fails, False),
    (19, "killed for want of memory", "cgroup v1", process.out_of_memory, True),
    (20, "no more file descriptors", "prlimit", process.no_more_descriptors, True),
    (24, "the store does not answer", "fake: 503 to all", store.no_answer, True),
    (24, "the link is down", "veth down", store.link_down, True),
    (27, "64 kbit/s of uplink", "tbf", store.narrow_link, True),
    (28, "the store's name is not found", "hosts, resolv.conf", store.no_name, True),
    (29, "certificates: ended, of another, unknown", "fake: TLS", store.bad_certificates, True),
    (30, "reset after N bytes", "fake: RST", store.faulty(
        *[("PUT", "reset", {"key": r"\.tape$", "nth": [n], "bytes": size}) for n, size in ((1, 0), (2, 1), (3, 9000))]), True),
    (31, "the answer is lost after the object was stored", "fake: RST", store.faulty(
        ("PUT", "lost", {"key": r"\.tape$", "nth": [1, 3]}), ("PUT", "lost", {"key": r"\.note$", "nth": [1, 3]}),
        ("PUT", "lost", {"key": r"env/", "nth": [1]})), True),
    (32, "200, and nothing is stored", "fake", store.faulty(
        ("PUT", "stores-nothing", {"key": r"\.tape$", "nth": [1, 2]}),
        ("PUT", "stores-nothing", {"key": r"\.note$", "nth": [1]}), echo=False), True),
    (33, "other bytes are stored", "fake", store.stores_other_bytes, True),
    (33, "a wrong checksum is echoed", "fake", store.wrong_echo, False),
    (34, "SlowDown, 429, 502, Retry-After", "fake", store.storm, True),
    (35, "200 with an error, a page, cut XML, a gigabyte", "fake", store.floods, True),
    (36, "403: the token has ended", "fake", store.expired_token, False),
    (36, "403: the key is revoked", "fake", store.healed("InvalidAccessKeyId", 403, "InvalidAccessKeyId"), False),
    (36, "403: denied by policy", "fake", store.healed("AccessDenied", 403, "AccessDenied"), False),
    (36, "403: the clock is an hour off", "fake", store.skewed_clock, True),
    (37, "307 to another host", "fake", store.redirects, True),
    (37, "400: another region", "fake", store.other_region, False),
    (38, "417, and a 100 that never comes", "fake", store.odd_expectations, False),
    (39, "the bucket is gone", "fake", store.healed("NoSuchBucket", 404, "NoSuchBucket"), True),
    (39, "the name is taken", "fake", store.taken_name, True),
    (40, "the object store's OSD is killed", "Ceph, kill -9", store.osd_killed, False),
    (41, "the source of credentials hangs, the token rotates", "fake metadata service", store.credentials_hang, True),
    (45, "the catalogue is locked", "BEGIN EXCLUSIVE", disk.catalogue_locked, True),
    (47, "two recorders on one spool", "started twice", process.two_on_one_spool, True),
    (48, "a spool of the format before, and of a newer one", "recorded by that version", process.older_spool_is_read, True),
]


class Result:
    def __init__(self, row, position):
        self.number, self.name, self.how, self.run, _ = row
        self.position = position
        self.said, self.complaints, self.skip, self.failure, self.seconds, self.recovered_s = [], {}, None, None, 0, None

    @property
    def is_good(self):
        return self.failure is None and not any(self.complaints.values())

    def word(self):
        if self.skip is not None:
            return f"SKIPPED: {self.skip}"
        return "holds" if self.is_good else "FAILS"


def attempt(result, folder, material):
    begun, bed = time.monotonic(), None
    try:
        bed = Bed(result.position, folder, material, 20000 + 60 * (result.position % 600))
        result.run(bed)
        evidence = oracle.evidence_of(bed)
        bed.recorder.stop(40)
        result.complaints = oracle.check(evidence)
    except Skip as reason:
        result.skip = str(reason)
    except Exception:
        log = pathlib.Path(bed.recorder.log) if bed is not None else None
        result.failure = traceback.format_exc() + (log.read_text(errors="replace")[-3000:] if log and log.exists() else "")
    finally:
        if bed is not None:
            bed.close()
            result.said, result.recovered_s = bed.notes_said, bed.recovered_s
    result.seconds = time.monotonic() - begun
    return result


def table(results):
    """The results as Markdown."""
    tried = [row for row in results if row.skip is None]
    lines = ["# The fault matrix", "",
             f"{len(tried)} faults tried, {sum(row.is_good for row in tried)} hold, "
             f"{sum(not row.is_good for row in tried)} fail, {len(results) - len(tried)} skipped. "
             "I1 acknowledged segments, I2 nothing in the clear, I3 whole time, I4 manifest, I5 versions and nonces, "
             "I6 recovery, I7 secrets, I8 capture.", "",
             "| row | fault | how | result | invariants | ready again | seconds |", "| --- | --- | --- | --- | --- | --- | --- |"]
    for row in results:
        marks = " ".join(name if not found else f"**{name}**" for name, found in row.complaints.items()) or "-"
        again = f"{row.recovered_s:.1f} s" if row.recovered_s is not None else "-"
        more = f" ({'; '.join(row.said)})" if row.said else ""
        lines.append(f"| {row.number} | {row.name} | {row.how} | {row.word()}{more} | {marks} | {again} | {row.seconds:.0f} |")
    return "\n".join(lines) + "\n"


def report(result):
    name = f"row {result.number}: {result.name}"
    if result.skip is not None:
        tap.count += 1
        print(f"ok {tap.count} - {name} # SKIP {result.skip}", flush=True)
        return
    complaints = [f"{key}: {text}" for key, found in result.complaints.items() for text in found[:5]]
    tap.ok(result.is_good, name, *complaints, *([result.failure] if result.failure else []))
    tap.note(f"{result.seconds:.1f} s" + "".join(f"; {text}" for text in result.said))


def enter():
    """Starts this program again with a network and mounts of its own, which go with it."""
    if os.environ.get("SEALTAPE_FAULTS_INSIDE") is None:
        os.environ["SEALTAPE_FAULTS_INSIDE"] = "1"
        os.execvp("unshare", ["unshare", "--net", "--mount", sys.executable, *sys.argv])
    for command in ("ip link set lo up", "ip link add seal0 type dummy", "ip link set seal0 up"):
        subprocess.run(command.split(), capture_output=True)


def chosen_rows(options):
    for row in ROWS:
        words = [word for word in options.rows if not word.isdigit()]
        if options.rows and str(row[0]) not in options.rows and not any(word in row[1] for word in words):
            continue
        if options.short and not row[4] and not options.rows:
            continue
        yield row


def sweep_rows(every, root, material):
    """A row for each system call that changes a disk, as many as a recording without a fault makes."""
    bed = Bed(0, root / "dry", material, 20000)
    try:
        n_recorded, n_recovered = process.count_calls(bed)
    finally:
        bed.close()
    tap.note(f"{n_recorded} calls in a recording, {n_recovered} in a recovery")
    for when in range(1, n_recorded + 1, every):
        yield 1, f"SIGKILL at call {when} of a recording", "preloaded shim", process.killed_at(when), False
    for when in range(1, n_recovered + 1, max(1, every // 4)):
        yield 3, f"SIGKILL at call {when} of a recovery", "preloaded shim", process.killed_in_recovery((when, when)), False


def power_cut_rows(count):
    seed = int(os.environ.get("SEALTAPE_SEED") or random.SystemRandom().randrange(2**31))
    tap.note(f"SEALTAPE_SEED={seed}")
    dice = random.Random(seed)
    for number in range(count):
        kind, after_s = ("ext4", "xfs")[number % 2], dice.uniform(0, 5)
        yield 4, f"power cut {number + 1}, {kind}, after {after_s:.2f} s", "shutdown ioctl", disk.power_cut(kind, after_s), False


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--short", action="store_true")
    parser.add_argument("--kill-sweep", type=int, metavar="EVERY")
    parser.add_argument("--power-cuts", type=int, metavar="COUNT")
    parser.add_argument("--table", type=pathlib.Path)
    parser.add_argument("rows", nargs="*")
    options = parser.parse_args()
    if os.geteuid() != 0 or shutil.which("strace") is None or shutil.which("unshare") is None:
        tap.skip_all("needs root, strace and unshare")
    enter()
    sys.stdout.reconfigure(line_buffering=True)
    children.end_children_on_signals()
    root = pathlib.Path(tempfile.mkdtemp(prefix="sealtape-faults-"))
    watchdog = children.start_watchdog(600 if options.short else 7200, lambda: shutil.rmtree(root, ignore_errors=True))
    material = Material(root)
    if options.kill_sweep:
        rows = sweep_rows(options.kill_sweep, root, material)
    elif options.power_cuts:
        rows = power_cut_rows(options.power_cuts)
    else:
        rows = chosen_rows(options)
    results = [Result(row, i) for i, row in enumerate(rows)]
    at_once = int(os.environ.get("SEALTAPE_AT_ONCE", "4"))
    lock = threading.Lock()

    def one(result):
        attempt(result, root / f"row-{result.position}", material)
        with lock:
            report(result)
        if not os.environ.get("SEALTAPE_KEEP"):
            shutil.rmtree(root / f"row-{result.position}", ignore_errors=True)

    with ThreadPoolExecutor(at_once) as pool:
        list(pool.map(one, results))
    watchdog.cancel()
    if options.table is not None:
        options.table.parent.mkdir(parents=True, exist_ok=True)
        options.table.write_text(table(results))
    print(f"1..{tap.count}")
    if os.environ.get("SEALTAPE_KEEP"):
        print(f"# kept: {root}")
    else:
        shutil.rmtree(root, ignore_errors=True)
    sys.exit(1 if tap.failed else 0)


if __name__ == "__main__":
    main()
