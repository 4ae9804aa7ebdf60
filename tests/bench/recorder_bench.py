"""Measures the recorder beside its peers, in one run, and how soon a stopped session is stored.

    recorder_bench.py [NAME...]         names: table, stop
    SEALTAPE_BENCH_S        seconds of each measurement of a peer (10); of ours it is 20, an object's time
    SEALTAPE_BENCH_N        numbers of publishers (1,10,50,200)

One publisher is 1.2 Mbit/s of VP8 at 640x480 and Opus. The same load goes to sealtaped (in order, muxed, sealed,
durable, stored), to gst-launch (in order, muxed), to ffmpeg (in order, muxed) and to Janus (as it came), one after the other.
"""

import os
import resource
import shutil
import subprocess
import sys
import time

import contenders
import load
from harness import main, poll, tap

SECONDS = int(os.environ.get("SEALTAPE_BENCH_S", "10"))
NUMBERS = [int(word) for word in os.environ.get("SEALTAPE_BENCH_N", "1,10,50,200").split(",")]
# Every track uploads once in this time (object_ms), all at about the same moment: a shorter look would miss it.
OWN_SECONDS = 20
STRACE_S = 3
# Until everybody has seen a keyframe, and ffmpeg has looked at its input as long as it does.
WARM_S = 6


class Sealtape:
    """The recorder with everything on, and a folder as its store."""

    name = "sealtape"

    def __init__(self, folder, encoded, n):
        self.folder = folder
        self.load = load.Load(folder, encoded, n, WARM_S + OWN_SECONDS + STRACE_S + 1)
        self.ports, self.sending = self.load.ports, self.load.sending
        self.pids = [self.load.pid]
        self.lost = self.missing = 0

    def written_bytes(self):
        places = (self.load.recorder.store, self.load.recorder.spool)
        return sum(path.stat().st_size for place in places for path in place.rglob("*") if path.is_file())

    def close(self):
        row = self.load.finish()
        self.lost, self.missing = row["lost"], row["sent"] - row["taken"]
        self.load.close()


def measure(kind, folder, encoded, n):
    """One cell of the table."""
    folder.mkdir()
    contender = kind(folder, encoded, n)
    # strace stops a program at each system call: the peers, who flush nothing, only where that harms nothing.
    is_traced = kind is Sealtape or n == 1
    seconds = OWN_SECONDS if kind is Sealtape else SECONDS
    sending = getattr(contender, "sending", None) or load.Sending(
        folder, encoded, contender.ports, WARM_S + seconds + (STRACE_S if is_traced else 0) + 1
    )
    time.sleep(WARM_S)
    row = {"cpu": load.share_of_core(contender.pids, seconds) / n, "memory": load.memory_bytes(contender.pids) / n}
    row["threads"] = load.count_threads(contender.pids)
    row["flushes"] = load.flushes_per_s(contender.pids, folder, STRACE_S) if is_traced else None
    sent = sending.finish()
    drops = load.kernel_drops([port for pair in contender.ports for port in pair])
    row["written"] = contender.written_bytes() / sent["bytes"]
    contender.close()
    row["lost"] = max(drops, getattr(contender, "missing", 0), getattr(contender, "lost", 0))
    shutil.rmtree(folder)
    return row


def show(rows, n, name):
    row, own, remux = rows[n, name], rows[n, "sealtape"], rows[n, "gst-launch"]
    flushes = "-" if row["flushes"] is None else f"{row['flushes']:.1f}"
    tap.note(
        f"{n:10} {name:11} {100 * row['cpu']:9.3f} % {row['cpu'] / remux['cpu']:10.2f} {row['cpu'] / own['cpu']:9.1f} "
        f"{row['memory'] / 1e6:9.2f} {row['threads']:8} {flushes:>8} {row['lost']:6}"
    )


def table(folder):
    """All of them, at each number of publishers."""
    encoded, rows = load.publisher_media(folder), {}
    kinds = [Sealtape, contenders.GstLaunch, contenders.Ffmpeg]
    if shutil.which("janus"):
        kinds.append(contenders.Janus)
    for n in NUMBERS:
        for kind in kinds:
            rows[n, kind.name] = measure(kind, folder / f"{n}-{kind.name.split()[0]}", encoded, n)
    tap.note(
        f"{'publishers':>10} {'':11} {'CPU each':>11} {'x remux':>10} {'x ours':>9} {'MB each':>9} {'threads':>8} "
        f"{'flushes/s':>8} {'lost':>5}"
    )
    for n in NUMBERS:
        for kind in kinds:
            show(rows, n, kind.name)
    for key, row in rows.items():
        if row["written"] < 0.8:
            tap.note(f"{key[1]} at {key[0]} wrote only {100 * row['written']:.0f} % of what was sent: it does less")
    judge(rows)


def judge(rows):
    for n in NUMBERS:
        own, remux = rows[n, "sealtape"], rows[n, "gst-launch"]
        tap.ok(own["cpu"] <= 0.25 * remux["cpu"], f"{n}: CPU of a publisher is at most a quarter of the remux",
               f"{own['cpu'] / remux['cpu']:.2f}")
        tap.equal(own["lost"], 0, f"{n}: no packet is lost")
    first, last = (rows[n, "sealtape"] for n in (NUMBERS[0], NUMBERS[-1]))
    tap.ok(last["memory"] <= 1.5e6, "memory of one of many is at most 1.5 MB", last["memory"])
    tap.ok(last["threads"] <= first["threads"] + 2, "threads do not grow with publishers", first, last)
    tap.ok(last["flushes"] <= max(4 * first["flushes"], 20), "nor do flushes", first, last)


def stop(folder):
    """From stop to stored, a hundred times."""
    running = load.Load(folder, load.publisher_media(folder), 100, 8)
    running.sending.finish()
    times = []
    for session in running.sessions:
        begun = time.monotonic()
        session.stop()
        poll(lambda: session.look()["state"] == "stored", 30, "stored", 0.01)
        times.append(time.monotonic() - begun)
    times.sort()
    tap.note(f"from stop to stored: median {1000 * times[50]:.0f} ms, 99 of 100 within {1000 * times[98]:.0f} ms")
    tap.ok(times[98] <= 1, "99 of 100 are stored within 1 s of the stop", times[-3:])
    running.close()


if __name__ == "__main__":
    if subprocess.run(["which", "gst-launch-1.0"], capture_output=True).returncode != 0:
        tap.skip_all("no gst-launch-1.0 here")
    files = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (files[1], files[1]))
    main([table, stop], 1800)
