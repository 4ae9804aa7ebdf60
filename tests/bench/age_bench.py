"""Seals and opens a long stream through pipes, in turns with Debian's age, and compares the best runs.

    age_bench.py [MEBIBYTES]    1024 unless told

Bounds: at most age's processor time, at least its speed, at most 16 MiB of memory however long the stream is. On
a busy machine the speed says more about the others, so it is then shown but not judged."""

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
    """Returns seconds, processor seconds and KiB of `producer | argv | cat >/dev/null`."""
    started = time.monotonic()
    feed = subprocess.Popen(producer, stdout=subprocess.PIPE)
    work = subprocess.Popen(argv, stdin=feed.stdout, stdout=subprocess.PIPE)
    feed.stdout.close()
    drain = subprocess.Popen(["cat"], stdin=work.stdout, stdout=subprocess.DEVNULL)
    work.stdout.close()
    memory = PeakMemory(work)
    memory.start()
    _, work.returncode, usage = os.wait4(work.pid, 0)
    statuses = [process.wait() for process in (drain, feed)] + [work.returncode]
    seconds = time.monotonic() - started
    memory.join()
    if any(statuses):
        raise RuntimeError(f"{argv[0]}: {statuses}")
    return seconds, usage.ru_utime + usage.ru_stime, memory.kib


def compare(name, ours, theirs, producer, n_mib):
    """Takes turns, so that a busy moment of the machine hits both. Returns whether the bounds hold."""
    runs = {"sealtape": [], "age": []}
    for _ in range(ROUNDS):
        runs["sealtape"].append(measure(ours, producer))
        runs["age"].append(measure(theirs, producer))
    seconds, processor = ({who: min(run[i] for run in taken) for who, taken in runs.items()} for i in (0, 1))
    peak = {who: max(run[2] for run in taken) for who, taken in runs.items()}
    for who in runs:
        print(f"  {name} {n_mib} MiB, {who:8}: {seconds[who]:6.2f} s = {n_mib / seconds[who]:5.0f} MiB/s, "
              f"processor {processor[who]:6.2f} s, peak {peak[who] / 1024:.1f} MiB")
    speed, thrift = seconds["age"] / seconds["sealtape"], processor["age"] / processor["sealtape"]
    is_judged = os.getloadavg()[0] < 2 * os.cpu_count()
    holds = thrift >= 1 and (speed >= 1 or not is_judged) and 0 < peak["sealtape"] <= MOST_KIB
    print(f"  {name}: {speed:.2f} x age's speed (bound 1.00{'' if is_judged else ', not judged: the machine is busy'}), "
          f"processor time {1 / thrift:.2f} x age's (bound 1.00), {peak['sealtape'] / 1024:.1f} MiB "
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
