#!/usr/bin/python3
"""The oracle can fail: a good recording is found good, and for each invariant something is planted that breaks it."""

import dataclasses
import hashlib
import pathlib
import shutil
import struct
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))

import bed as beds  # first: it says where the others lie
import oracle
from harness import main, tap


def record_text(kind, body, payload=b""):
    """A record as the spool writes it."""
    head = b"Spl1" + struct.pack("<IQII", kind, 1, len(body), len(payload))
    return head + hashlib.sha256(head + hashlib.sha256(body).digest()).digest() + body + payload


def text(value):
    return struct.pack("<Q", len(value)) + value.encode() + b"\0"


def spool_segment(evidence, track, index, sealed):
    body = text(evidence.session) + text(track)
    body += struct.pack("<7Q", 9, index, index, 0, 1000000, 0, len(sealed)) + hashlib.sha256(sealed).digest()
    (evidence.spool / "0000000099.log").write_bytes(record_text(oracle.SEGMENT, body, sealed))


def edit_note(evidence, edit):
    path = sorted((evidence.folder / "manifest").glob("*.note"), key=lambda each: int(each.stem))[-1]
    path.chmod(0o600)
    lines = path.read_text().split("\n")
    path.write_text("\n".join(edit(lines)))


def drop_segments(evidence):
    for path in (evidence.folder / "manifest").glob("*.note"):
        path.write_text("\n".join(line for line in path.read_text().split("\n") if not line.startswith("seg p1-audio 0 1 ")))


def a_tape(evidence):
    return sorted(evidence.folder.glob("tp1-video/*.tape"))[0]


def flip(path):
    content = bytearray(path.read_bytes())
    content[-5] ^= 1
    path.write_bytes(content)


def append(path, content):
    path.parent.mkdir(parents=True, exist_ok=True)
    with open(path, "ab") as file:
        file.write(content)


def key_of(evidence):
    return oracle.identities(evidence, [])[0].encode()


def part_overload(lines):
    return lines[:9] + ["gap p1-audio 0 0 overload"] + lines[9:]


PLANTS = [
    ("I1", "an object is gone", lambda e: a_tape(e).unlink()),
    ("I1", "a bit of an object is another", lambda e: flip(a_tape(e))),
    ("I1", "more was acknowledged than is there", lambda e: e.acknowledged.update({"p1-audio": (1, 99)})),
    ("I1", "it was acknowledged for longer", lambda e: e.acknowledged.update({"p1-audio": (99000000, 1)})),
    ("I1", "the envelope is gone", lambda e: [path.unlink() for path in [*e.folder.glob("env/*"), *e.spool.glob("*.log")]]),
    ("I2", "media in the spool", lambda e: append(e.spool / "0000000077.log", bytes(99999) + e.canaries[3])),
    ("I2", "media on an image, across two stretches",
     lambda e: append(e.searched[0] / "disk.img", bytes((16 << 20) - 7) + e.canaries[0])),
    ("I2", "a key in the log", lambda e: append(e.logs[0], key_of(e))),
    ("I2", "a core file", lambda e: append(e.searched[0] / "core.17", b"x")),
    ("I3", "a segment's line is missing", drop_segments),
    ("I3", "a track is longer than what is told of", lambda e: edit_note(e, lambda lines: [
        f"{line}000" if line.startswith("end p1-audio") else line for line in lines])),
    ("I4", "a part is gone", lambda e: (e.folder / "manifest" / "2.note").unlink()),
    ("I4", "a part was changed", lambda e: append(e.folder / "manifest" / "1.note", b"\n")),
    ("I4", "the manifest became shorter", lambda e: e.earlier_notes.update({"99.note": b"x"})),
    ("I4", "verify is not content", lambda e: setattr(e, "verify", (1, "not genuine"))),
    ("I5", "a name has two versions", lambda e: e.versions.update({"clinic-a/x/manifest/1.note": 2})),
    ("I5", "one ciphertext stands for two segments", lambda e: spool_segment(e, "p1-video", 5, a_tape(e).read_bytes())),
    ("I6", "it took long to come back", lambda e: setattr(e, "recovered_s", 99.0)),
    ("I7", "a secret in the log", lambda e: append(e.logs[0], b"key " + e.secrets[0])),
    ("I7", "a secret in the environment", lambda e: e.process_texts.append(b"X=" + e.secrets[1])),
    ("I8", "the kernel dropped packets", lambda e: e.looks["p1-audio"].update(kernel_dropped=3)),
    ("I8", "packets were lost", lambda e: e.looks["p1-audio"].update(lost=1)),
    ("I8", "the queue was long", lambda e: setattr(e, "most_queued", 1 << 40)),
    ("I8", "a gap says overload", lambda e: edit_note(e, part_overload)),
]


def copied(evidence, folder):
    """The evidence on its own copy of everything."""
    shutil.copytree(evidence.store, folder / "store")
    shutil.copytree(evidence.spool, folder / "spool")
    (folder / "tmp").mkdir()
    shutil.copy(evidence.logs[0], folder / "log")
    return dataclasses.replace(
        evidence, store=folder / "store", spool=folder / "spool", searched=[folder / "tmp"], logs=[folder / "log"],
        acknowledged=dict(evidence.acknowledged), process_texts=list(evidence.process_texts), versions=dict(evidence.versions),
        earlier_notes=dict(evidence.earlier_notes), looks={name: dict(look) for name, look in evidence.looks.items()})


def test_each_invariant_can_fail(folder):
    material = beds.Material(folder)
    bed = beds.Bed(0, folder / "bed", material, 46000)
    try:
        bed.record().wait_segments(3)
        bed.finish().settle()
        evidence = oracle.evidence_of(bed)
        bed.recorder.stop()
    finally:
        bed.close()
    found = oracle.check(evidence)
    tap.equal({name: rows for name, rows in found.items() if rows}, {}, "a good recording is found good")
    tap.ok(len(evidence.canaries) > 20 and all(evidence.secrets), "there is something to look for")
    for number, (invariant, name, plant) in enumerate(PLANTS):
        place = folder / f"plant-{number}"
        place.mkdir()
        spoilt = copied(evidence, place)
        plant(spoilt)
        tap.ok(bool(oracle.INVARIANTS[invariant](spoilt)), f"{invariant} notices: {name}")
        shutil.rmtree(place)


if __name__ == "__main__":
    if shutil.which("age") is None:
        tap.skip_all("no age here")
    main([test_each_invariant_can_fail], 160)
