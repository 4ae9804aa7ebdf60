"""Seals and opens a long stream through pipes, in turns with Debian's age, and compares the best runs.

    age_bench.py [MEBIBYTES]    1024 unless told

Bounds: at least age's speed, and at most 16 MiB of memory however long the stream is."""

import os
import pathlib
import subprocess
import sys
import tempfile
import threading
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "e2e"))
import harness

ROUNDS = 3
MOST_KIB = 16 * 1024


class PeakMemory(threading.Thread):
    """Watches a process's high-water mark, which only grows. The kernel's own account (ru_maxrss) starts from
    the size of whoever started the process, so it does not say this."""

    def __init__(self, process):
        super().__init__(daemon=True)
        self.status = pathlib.Path(f"/proc/{process.pid}/status")
        self.kib = 0

    def run(self):
        try:
            while True:
                for line in self.status.read_text().splitlines():
                    if line.startswith("VmHWM:"):
                        self.kib = max(self.kib, int(line.split()[1]))
                time.sleep(0.01)
        except (FileNotFoundError, ProcessLookupError):
            pass


def measure(argv, producer):
    """Returns seconds and KiB of `producer | argv | cat >/dev/null`."""
    started = time.monotonic()
    feed = subprocess.Popen(producer, stdout=subprocess.PIPE)
    work = subprocess.Popen(argv, stdin=feed.stdout, stdout=subprocess.PIPE)
    feed.stdout.close()
    drain = subprocess.Popen(["cat"], stdin=work.stdout, stdout=subprocess.DEVNULL)
    work.stdout.close()
    memory = PeakMemory(work)
    memory.start()
    statuses = [process.wait() for process in (drain, work, feed)]
    seconds = time.monotonic() - started
    memory.join()
    if any(statuses):
        raise RuntimeError(f"{argv[0]}: {statuses}")
    return seconds, memory.kib


def compare(name, ours, theirs, producer, n_mib):
    """Takes turns, so that a busy moment of the machine hits both. Returns whether the bounds hold."""
    runs = {"sealtape": [], "age": []}
    for _ in range(ROUNDS):
        runs["sealtape"].append(measure(ours, producer))
        runs["age"].append(measure(theirs, producer))
    best = {who: min(seconds for seconds, _ in taken) for who, taken in runs.items()}
    peak = {who: max(kib for _, kib in taken) for who, taken in runs.items()}
    for who in runs:
        print(f"  {name} {n_mib} MiB, {who:8}: {best[who]:6.2f} s = {n_mib / best[who]:5.0f} MiB/s, "
              f"peak {peak[who] / 1024:.1f} MiB")
    ratio = best["age"] / best["sealtape"]
    holds = ratio >= 1 and 0 < peak["sealtape"] <= MOST_KIB
    print(f"  {name}: {ratio:.2f} x age's speed (bound 1.00), {peak['sealtape'] / 1024:.1f} MiB "
          f"(bound {MOST_KIB // 1024}): {'holds' if holds else 'DOES NOT HOLD'}")
    return holds


def main():
    n_mib = int(sys.argv[1]) if len(sys.argv) > 1 else 1024
    sealtape = [harness.program("sealtape"), "age"]
    with tempfile.TemporaryDirectory(prefix="sealtape-bench-") as folder:
        key, sealed = os.path.join(folder, "key"), os.path.join(folder, "sealed")
        subprocess.run(["age-keygen", "-o", key], check=True, stderr=subprocess.DEVNULL)
        recipient = subprocess.run(["age-keygen", "-y", key], check=True, capture_output=True,
                                   text=True).stdout.strip()
        zeros = ["head", "-c", str(n_mib * 1024 * 1024), "/dev/zero"]
        seals = compare("seal", sealtape + ["-r", recipient], ["age", "-r", recipient], zeros, n_mib)
        with open(sealed, "wb") as file:
            feed = subprocess.Popen(zeros, stdout=subprocess.PIPE)
            subprocess.run(["age", "-r", recipient], stdin=feed.stdout, stdout=file, check=True)
        opens = compare("open", sealtape + ["-d", "-i", key], ["age", "-d", "-i", key], ["cat", sealed], n_mib)
    return 0 if seals and opens else 1


if __name__ == "__main__":
    sys.exit(main())
