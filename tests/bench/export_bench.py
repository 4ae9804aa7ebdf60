#!/usr/bin/python3
"""What opening costs: `sealtape export` through the opener, beside `ffmpeg -c copy` of the same media in plaintext.

    export_bench.py [MIB]      SEALTAPE_BIN_DIR: where the programs lie; MIB: of the large recording (3072)

Bounds: at least 0.8 of ffmpeg's speed; less than 64 MiB of memory in the opener and in the command, however long the
recording is; 50 exports of four tracks at once all end well. Recordings are made by tests/bench/long_visit.c.
"""

import concurrent.futures
import os
import pathlib
import statistics
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "e2e"))

from harness import Recorder, program
from opener import Opener
from peers import children

KBIT, PEOPLE = 4000, 2
TURNS = 3
AT_ONCE, SHORT_S = 50, 20


def make(recorder, session, seconds):
    tool = pathlib.Path(os.environ["SEALTAPE_BIN_DIR"]) / "tests" / "bench" / "long_visit"
    subprocess.run([tool, recorder.config, recorder.org, session, str(PEOPLE), str(seconds), str(KBIT)], check=True,
                   stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def size_of(recorder, session):
    folder = recorder.store / recorder.org / session
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


def timed(command):
    """Returns seconds on the clock, seconds of processor, and the most memory it had, in MiB."""
    started = time.monotonic()
    nowhere = [(os.POSIX_SPAWN_OPEN, 1, "/dev/null", os.O_WRONLY, 0)]
    pid = os.posix_spawnp(command[0], list(map(str, command)), os.environ, file_actions=nowhere)
    _, status, usage = os.wait4(pid, 0)
    if status != 0:
        raise RuntimeError(f"{command[0]} ended with {status}")
    return time.monotonic() - started, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024


def export_command(recorder, session, output):
    return [program("sealtape"), "--config", recorder.config, "export", session, "--purpose", "TREAT", "--overwrite",
            "--output", output]


def memory_of(opener):
    """The most it had since it started, in MiB."""
    for line in pathlib.Path(f"/proc/{opener.child.process.pid}/status").read_text().splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) / 1024
    raise RuntimeError("no VmHWM")


def processor_of(opener):
    """Seconds of processor since it started."""
    fields = pathlib.Path(f"/proc/{opener.child.process.pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def compare(folder, recorder, opener, session):
    """In turns, so that both meet the same machine: each reads what was read before, and writes a new file right after
    the other's was removed. Returns: the ratio of speeds, and the command's memory."""
    sealed, plain, copy = folder / "sealed.mkv", folder / "plain.mkv", folder / "copy.mkv"
    timed(export_command(recorder, session, plain))
    timed(export_command(recorder, session, sealed))
    ours, theirs, memory = [], [], 0
    cores = {"ffmpeg": 0, "command": 0, "opener": -processor_of(opener)}
    for _ in range(TURNS):
        sealed.unlink()
        wall, core, _ = timed(["ffmpeg", "-v", "error", "-y", "-i", plain, "-map", "0", "-c", "copy", copy])
        theirs.append(wall)
        cores["ffmpeg"] += core
        copy.unlink()
        wall, core, used = timed(export_command(recorder, session, sealed))
        ours.append(wall)
        cores["command"] += core
        memory = max(memory, used)
    size = plain.stat().st_size / 1e6
    print(f"{size:8.0f} MB   ffmpeg -c copy {size / statistics.median(theirs):6.0f} MB/s   "
          f"export {size / statistics.median(ours):6.0f} MB/s")
    cores["opener"] += processor_of(opener)
    print("processor seconds for a GB: " + ", ".join(f"{name} {1000 * core / TURNS / size:.1f}" for name, core in cores.items()))
    for path in (sealed, plain):
        path.unlink()
    return statistics.median(theirs) / statistics.median(ours), memory


def at_once(folder, recorder, session):
    def one(number):
        output = folder / f"out-{number}.mkv"
        done = subprocess.run(list(map(str, export_command(recorder, session, output))), capture_output=True, text=True)
        good = done.returncode == 0 and output.stat().st_size > size_of(recorder, session) / 2
        output.unlink(missing_ok=True)
        return None if good else done.stderr

    started = time.monotonic()
    with concurrent.futures.ThreadPoolExecutor(AT_ONCE) as pool:
        failed = [text for text in pool.map(one, range(AT_ONCE)) if text is not None]
    print(f"{AT_ONCE} exports of {2 * PEOPLE} tracks at once: {time.monotonic() - started:.1f} s, {len(failed)} failed")
    for text in failed[:3]:
        print("  " + text)
    return not failed


def main():
    mib = int(sys.argv[1]) if len(sys.argv) > 1 else 3072
    with tempfile.TemporaryDirectory(prefix="sealtape-bench-") as name:
        folder = pathlib.Path(name)
        recorder = Recorder(folder / "recorder")
        opener = Opener(recorder)
        good = True
        try:
            make(recorder, "short", SHORT_S)
            make(recorder, "long", (mib << 20) * SHORT_S // size_of(recorder, "short"))
            opener.start()
            ratio, command_mib = compare(folder, recorder, opener, "long")
            opener_mib = memory_of(opener)
            print(f"speed: {ratio:.2f} of ffmpeg's (at least 0.8)")
            print(f"memory: opener {opener_mib:.0f} MiB, command {command_mib:.0f} MiB (less than 64)")
            good = ratio >= 0.8 and opener_mib < 64 and command_mib < 64
            good &= at_once(folder, recorder, "short")
            print(f"opener after that: {memory_of(opener):.0f} MiB")
        finally:
            children.kill_all()
    return 0 if good else 1


sys.exit(main())
