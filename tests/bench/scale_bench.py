"""How many publishers this machine records at once without losing a packet of theirs.

    scale_bench.py
    SEALTAPE_SCALE_N        numbers of publishers to try, in order (100,300,1000)
    SEALTAPE_BENCH_S        seconds of media each (60)
    SEALTAPE_SCALE_NARROWINGS  how many numbers to try between what held and what did not (3)

A number holds if no packet was lost, by the kernel's count and by the recorder's, every session is stored and
verifies, and threads and flushes are those of the smallest number. Where one does not hold, numbers between it and the
largest that did are tried. Pictures are sent in pieces (rtp_load.c), as a network card hands them over; SEALTAPE_LOAD=single
sends each packet by itself, which costs generator and kernel about half as much again. The load generator runs on the same machine, and all of it goes to one disk, twice (spool and
store): TMPDIR chooses which.
"""

import os
import resource
import shutil
import sys
import threading
import time

import load
from harness import main, tap

SECONDS = int(os.environ.get("SEALTAPE_BENCH_S", "60"))
NUMBERS = [int(word) for word in os.environ.get("SEALTAPE_SCALE_N", "100,300,1000").split(",")]
IN_PIECES = os.environ.get("SEALTAPE_LOAD", "pieces") == "pieces"
WARM_S = 6
NARROWINGS = int(os.environ.get("SEALTAPE_SCALE_NARROWINGS", "3"))


class Flushes(threading.Thread):
    """How often the spool makes its log durable, by the recorder's own count."""

    def __init__(self, recorder, seconds):
        super().__init__(daemon=True)
        self.recorder, self.seconds, self.per_s = recorder, seconds, None

    def count(self):
        return load.metric(self.recorder, "spool_flushes_total")

    def run(self):
        before = self.count()
        time.sleep(self.seconds)
        self.per_s = (self.count() - before) / self.seconds


def verify_all(recorder, sessions):
    """Returns the sessions that do not verify."""
    done = recorder.command("verify", "--all", "--json", timeout_s=600)
    if done.returncode == 0:
        return []
    bad = [session.id for session in sessions if recorder.command("verify", session.id).returncode != 0]
    return bad or [done.stderr]


def attempt(folder, encoded, n):
    folder.mkdir()
    running = load.Load(folder, encoded, n, WARM_S + SECONDS, in_pieces=IN_PIECES)
    time.sleep(WARM_S)
    flushes = Flushes(running.recorder, SECONDS - 5)
    flushes.start()
    row = {"cpu": load.share_of_core([running.pid], SECONDS - 5), "memory": load.memory_bytes([running.pid])}
    row["threads"] = load.count_threads([running.pid])
    flushes.join()
    row["flushes"] = flushes.per_s
    row.update(running.finish())
    row["bad"] = verify_all(running.recorder, running.sessions)
    running.close()
    shutil.rmtree(folder)
    return row


def holds(row, first):
    return (
        (row["taken"], row["lost"], row["dropped"], row["not_stored"], row["bad"]) == (row["sent"], 0, 0, {}, [])
        and row["threads"] <= first["threads"] + 2
        and row["flushes"] <= max(2 * first["flushes"], 20)
    )


def try_number(folder, encoded, n, first):
    """Returns what was measured, and whether it holds beside `first`, the first measurement (None: this is it)."""
    row = attempt(folder / str(n), encoded, n)
    tap.note(
        f"{n} publishers: {100 * row['cpu']:.0f} % of a core, {row['memory'] / 1e6:.0f} MB, {row['threads']} threads, "
        f"{row['flushes']:.1f} flushes a second; sent {row['sent']}, taken {row['taken']}, lost {row['lost']}, "
        f"dropped by the kernel {row['dropped']}; not stored {row['not_stored'] or 'none'}, not verified {len(row['bad'])}"
    )
    return row, holds(row, first or row)


def scale(folder):
    """The numbers one after the other."""
    encoded, first, most = load.publisher_media(folder), None, 0
    for n in NUMBERS:
        row, is_held = try_number(folder, encoded, n, first)
        first = first or row
        tap.ok(is_held, f"{n} publishers are recorded without one lost packet, stored and verified")
        tap.ok(n < 50 or row["memory"] <= 1.5e6 * n, f"{n}: memory of each is at most 1.5 MB", row["memory"] / n)
        if not is_held:
            most = narrow(folder, encoded, first, (most, n))
            break
        most = n
    tap.note(f"the largest number that holds here: {most}")


def narrow(folder, encoded, first, limits):
    """Between what held and what did not. Returns the largest number that held."""
    good, bad = limits
    for _ in range(NARROWINGS):
        n = (good + bad) // 2
        if n == good:
            break
        _, is_held = try_number(folder, encoded, n, first)
        good, bad = (n, bad) if is_held else (good, n)
    return good


if __name__ == "__main__":
    files = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (files[1], files[1]))
    main([scale], 3600)
