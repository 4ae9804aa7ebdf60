"""What must hold after every fault, looked up from outside: in the store, the spool, the logs, with openssl's and age's
help but without Sealtape's, `sealtape verify` excepted. Each invariant is a function that returns complaints.

    I1  every acknowledged segment lies in the store or the spool, its hash is right, and it opens
    I2  no media and no key lies on a disk, in a log or in a core file in the clear
    I3  segments and gaps tell of each track's whole time, once
    I4  the manifest is a chain that only grows, and it verifies
    I5  a name has one version, a segment one ciphertext, and no nonce or file key comes twice
    I6  after a crash the recorder is ready soon
    I7  no secret in a log, in arguments or in the environment
    I8  capture was never held up: no packet dropped, the queue short, no overload
"""

import dataclasses
import hashlib
import json
import pathlib
import re
import struct
import subprocess
import tempfile

TOLERANCE_US = 1000  # rounding between clocks
RECOVERY_S = 30  # the aim is 3 s; the rest is for a machine that does much else
QUEUE_BYTES = 64 << 20
FRAME_BYTES = 56
SEGMENT, OBJECT = 7, 16
AGE = b"age-encryption.org/v1\n"


@dataclasses.dataclass
class Evidence:
    """What a run leaves behind. Folders are paths; `acknowledged`: track -> (until us, segments)."""

    org: str
    session: str
    store: pathlib.Path
    spool: pathlib.Path
    identity: pathlib.Path
    acknowledged: dict
    canaries: list
    secrets: list
    searched: list  # files and folders in which neither canaries nor secrets may lie
    logs: list
    process_texts: list = dataclasses.field(default_factory=list)
    versions: dict = dataclasses.field(default_factory=dict)  # key -> number of versions
    earlier_notes: dict = dataclasses.field(default_factory=dict)  # name -> bytes, seen before
    looks: dict = dataclasses.field(default_factory=dict)  # track -> what the API said last
    most_queued: int = 0
    recovered_s: float = None
    verify: object = None  # (exit status, what it said); None: not to be asked
    may_lose_packets: bool = False
    may_corrupt: bool = False  # the row destroys what was acknowledged; a gap `corrupt` must stand for it
    is_final: bool = True

    @property
    def folder(self):
        return self.store / self.org / self.session


@dataclasses.dataclass
class Piece:
    """One sealed segment, wherever it lies."""

    track: str
    part: int
    index: int
    sealed: bytes
    start_us: int = None
    end_us: int = None
    digest: str = None
    where: str = ""


# --- reading -------------------------------------------------------------------------------------------------------


class Manifest:
    """All parts in order."""

    def __init__(self, folder):
        self.paths = sorted(folder.glob("*.note"), key=lambda path: int(path.stem))
        self.rows = []
        for path in self.paths:
            text = path.read_bytes().decode().split("\n\n")[0]
            self.rows += [line.split(" ") for line in text.split("\n")]

    def of(self, word):
        return [row[1:] for row in self.rows if row[0] == word]

    def state(self):
        states = self.of("state")
        return states[-1][0] if states else None


def stored_pieces(evidence, manifest):
    for track, part, index, start, duration, _, name, offset, length, digest in manifest.of("seg"):
        path, start = evidence.folder / name, int(start)
        sealed = path.read_bytes()[int(offset): int(offset) + int(length)] if path.is_file() else b""
        yield Piece(track, int(part), int(index), sealed, start, start + int(duration), digest, f"store {name}")


def spool_records(content):
    """(type, body, payload) of each record of a log file; what is no record is passed over."""
    at = content.find(b"Spl1")
    while 0 <= at <= len(content) - FRAME_BYTES:
        kind, _, n_body, n_payload = struct.unpack_from("<IQII", content, at + 4)
        body_at = at + FRAME_BYTES
        end = body_at + n_body + n_payload
        body = content[body_at: body_at + n_body]
        head = content[at: at + 24] + hashlib.sha256(body).digest()
        if end > len(content) or hashlib.sha256(head).digest() != content[at + 24: body_at]:
            at = content.find(b"Spl1", at + 4)
            continue
        yield kind, body, content[body_at + n_body: end]
        at = content.find(b"Spl1", end)


def body_texts(body, count):
    """The first texts of a body, and the rest."""
    texts = []
    for _ in range(count):
        (length,) = struct.unpack_from("<Q", body)
        texts.append(body[8: 8 + length].decode())
        body = body[8 + length + 1:]
    return texts, body


def spooled(evidence):
    """(pieces, envelopes) that lie in the spool; quarantined segments too, which nobody throws away."""
    pieces, envelopes = [], []
    for path in sorted(evidence.spool.glob("*.log")):
        for kind, body, payload in spool_records(path.read_bytes()):
            if kind == SEGMENT:
                (session, track), rest = body_texts(body, 2)
                part, index, _, start, duration, _, _ = struct.unpack_from("<7Q", rest)
                if session == evidence.session:
                    pieces.append(Piece(track, part, index, payload, start, start + duration, rest[56:88].hex(), path.name))
            elif kind == OBJECT:
                (session, name), rest = body_texts(body, 2)
                if session == evidence.session and name.startswith("env/"):
                    envelopes.append(rest[16:])
    for path in (evidence.spool / "quarantine").glob("*.bin"):
        content = path.read_bytes()
        place = place_of(content)
        if place is not None and place[0] == evidence.session:
            pieces.append(Piece(*place[1:], content, where=f"quarantine {path.name}"))
    return pieces, envelopes


def place_of(sealed):
    """(session, track, part, index) that the file itself names."""
    match = re.match(rb"age-encryption\.org/v1\n-> sealtape-segment \S+ (\S+) (\S+) (\d+) (\d+)\n", sealed)
    return (match[1].decode(), match[2].decode(), int(match[3]), int(match[4])) if match else None


def age_decrypt(sealed, identity):
    done = subprocess.run(["age", "-d", "-i", str(identity)], input=sealed, capture_output=True, timeout=60)
    return done.stdout if done.returncode == 0 else None


def identities(evidence, envelopes):
    """The tracks' identities, out of every envelope there is."""
    sealed = [path.read_bytes() for path in (evidence.folder / "env").glob("*.age")] + envelopes
    lines = []
    for each in sealed:
        opened = age_decrypt(each, evidence.identity)
        lines += opened.decode().splitlines() if opened else []
    return sorted({line for line in lines if line.startswith("AGE-SECRET-KEY-")})


# --- the invariants ------------------------------------------------------------------------------------------------


def i1(evidence):
    manifest = Manifest(evidence.folder / "manifest")
    kept, envelopes = spooled(evidence)
    keys = identities(evidence, envelopes)
    complaints, good = [], {}
    with tempfile.NamedTemporaryFile("w", suffix=".ids") as ids:
        ids.write("\n".join(keys) + "\n")
        ids.flush()
        for piece in [*stored_pieces(evidence, manifest), *kept]:
            name = f"{piece.where}: {piece.track} {piece.part}/{piece.index}"
            fault = _fault_of(piece, evidence, ids.name)
            if fault is None:
                good.setdefault(piece.track, {}).setdefault((piece.part, piece.index), piece)
            elif not piece.where.startswith("quarantine"):
                complaints.append(f"{name} {fault}")
    if evidence.may_corrupt:
        complaints = [text for text in complaints if text.startswith("store")]
    for track, (until_us, n_segments) in evidence.acknowledged.items():
        pieces = good.get(track, {})
        lost_us = sum(int(row[2]) for row in manifest.of("gap") if row[0] == track and row[3] == "corrupt")
        if evidence.may_corrupt and lost_us > 0:
            continue
        reached = max((piece.end_us or 0 for piece in pieces.values()), default=0)
        if len(pieces) < n_segments:
            complaints.append(f"{track}: {n_segments} segments were acknowledged, {len(pieces)} are there")
        elif reached < until_us:
            complaints.append(f"{track}: acknowledged until {until_us} us, there until {reached} us")
    return complaints


def _fault_of(piece, evidence, ids):
    if piece.digest is not None and hashlib.sha256(piece.sealed).hexdigest() != piece.digest:
        return "is not what its digest says"
    if place_of(piece.sealed) != (evidence.session, piece.track, piece.part, piece.index):
        return "names another place"
    opened = age_decrypt(piece.sealed, ids)
    return None if opened else "does not open"


def _files(roots):
    for root in map(pathlib.Path, roots):
        for path in [root] if root.is_file() else sorted(root.rglob("*")):
            if path.is_file() and not path.is_symlink():
                yield path


def _hits(path, needles):
    """Reads the file in stretches, so that an image of a disk is no trouble."""
    overlap = max(map(len, needles), default=1)
    with open(path, "rb") as file:
        before = b""
        while block := file.read(16 << 20):
            text = before + block
            if text.strip(b"\0"):
                for needle in needles:
                    if needle in text:
                        return needle
            before = text[-overlap:]
    return None


def i2(evidence):
    keys = [key.encode() for key in identities(evidence, spooled(evidence)[1])]
    needles, complaints = [*evidence.canaries, *keys], []
    for path in _files([*evidence.searched, evidence.store, evidence.spool, *evidence.logs]):
        hit = _hits(path, needles)
        if hit is not None:
            complaints.append(f"{path.name} holds {'a key' if hit in keys else 'media'} in the clear")
        if re.fullmatch(r"core(\.\d+)?", path.name):
            complaints.append(f"a core file was written: {path}")
    return complaints


def i3(evidence):
    manifest = Manifest(evidence.folder / "manifest")
    complaints = []
    if not evidence.is_final:
        return complaints
    begins = {row[0]: int(row[6]) if len(row) > 6 else 0 for row in manifest.of("track")}
    ends = {row[0]: int(row[2]) for row in manifest.of("end")}
    for track in begins:
        pieces = sorted([(int(row[3]), int(row[4])) for row in manifest.of("seg") if row[0] == track]
                        + [(int(row[1]), int(row[2])) for row in manifest.of("gap") if row[0] == track])
        reached = begins[track]
        for start, duration in pieces:
            if start > reached + TOLERANCE_US:
                complaints.append(f"{track}: nothing tells of {reached} to {start} us")
            reached = max(reached, start + duration)
        length = reached - begins[track]
        if abs(length - ends.get(track, length)) > TOLERANCE_US:
            complaints.append(f"{track}: {length} us are told of, and it has {ends[track]} us")
    if not begins:
        complaints.append("the manifest has no track")
    return complaints


def i4(evidence):
    manifest, complaints, previous = Manifest(evidence.folder / "manifest"), [], "-"
    for number, path in enumerate(manifest.paths, 1):
        content = path.read_bytes()
        prev = re.search(rb"^prev (\S+)$", content, re.M)
        if path.stem != str(number):
            complaints.append(f"part {number} is missing")
            break
        if prev is None or prev[1].decode() != previous:
            complaints.append(f"part {number} does not follow the one before")
        previous = hashlib.sha256(content).hexdigest()
    for name, content in evidence.earlier_notes.items():
        path = evidence.folder / "manifest" / name
        if not path.is_file() or path.read_bytes() != content:
            complaints.append(f"{name} was there before, and is gone or another")
    if evidence.verify is not None and evidence.verify[0] != 0:
        complaints.append(f"verify: {evidence.verify[1].strip()[:600]}")
    return complaints


def i5(evidence):
    complaints = [f"{key} has {count} versions" for key, count in evidence.versions.items()
                  if count != 1 and not key.endswith("/meta.age")]
    manifest = Manifest(evidence.folder / "manifest")
    places, nonces = {}, {}
    for piece in [*stored_pieces(evidence, manifest), *spooled(evidence)[0]]:
        place, digest = (piece.track, piece.part, piece.index), hashlib.sha256(piece.sealed).digest()
        if piece.where.startswith("quarantine") or not piece.sealed.startswith(AGE):
            continue
        if evidence.may_corrupt and piece.digest != digest.hex():
            continue
        if places.setdefault(place, digest) != digest:
            complaints.append(f"{place} was sealed to other bytes before")
        for what in _random_parts(piece.sealed):
            if nonces.setdefault(what, place) != place:
                complaints.append(f"{place} and {nonces[what]} share a nonce or a file key's wrapping")
    return complaints


def _random_parts(sealed):
    """The ephemeral share of the recipient's stanza, and the nonce of the payload."""
    share = re.search(rb"\n-> X25519 (\S+)\n", sealed)
    end = re.search(rb"\n--- \S+\n", sealed)
    return [part for part in (share and share[1], end and sealed[end.end(): end.end() + 16]) if part]


def i6(evidence):
    if evidence.recovered_s is not None and evidence.recovered_s > RECOVERY_S:
        return [f"ready only {evidence.recovered_s:.1f} s after its start"]
    return []


def i7(evidence):
    complaints = []
    for path in _files([*evidence.logs, *evidence.searched]):
        hit = _hits(path, evidence.secrets)
        if hit is not None or (path in evidence.logs and b"AGE-SECRET-KEY-1" in path.read_bytes()):
            complaints.append(f"{path.name} holds a secret")
    for text in evidence.process_texts:
        if any(secret in text for secret in evidence.secrets) or b"AGE-SECRET-KEY-1" in text:
            complaints.append("arguments or environment hold a secret")
    return complaints


def i8(evidence):
    complaints = []
    for track, look in evidence.looks.items():
        dropped = look.get("kernel_dropped", 0) + (0 if evidence.may_lose_packets else look.get("lost", 0))
        if dropped:
            complaints.append(f"{track}: {json.dumps({k: look.get(k) for k in ('lost', 'kernel_dropped')})}")
    if evidence.most_queued > QUEUE_BYTES:
        complaints.append(f"{evidence.most_queued} bytes waited to be sealed")
    if any(row[3] == "overload" for row in Manifest(evidence.folder / "manifest").of("gap")):
        complaints.append("a gap `overload`")
    return complaints


INVARIANTS = {"I1": i1, "I2": i2, "I3": i3, "I4": i4, "I5": i5, "I6": i6, "I7": i7, "I8": i8}


def check(evidence):
    """Returns: name -> complaints, for all of them."""
    return {name: look(evidence) for name, look in INVARIANTS.items()}


def evidence_of(bed):
    """What a bed (bed.py) has to show for itself."""
    recorder = bed.recorder
    versions = {}
    if bed.fake is not None:
        with bed.fake.lock:
            versions = {key: len(rows) for bucket in bed.fake.buckets.values() for key, rows in bucket.objects.items()
                        if not key.startswith("probe/") and "sealtape-probe" not in key}
    done = None if bed.may_differ or bed.stays_parked else recorder.command("verify", bed.session.id)
    signing = (recorder.folder / "keys" / "recorder.key").read_bytes().strip().split(b"+", 4)[4]
    return Evidence(
        org=recorder.org, session=bed.session.id, store=bed.bucket_folder(), spool=recorder.spool,
        identity=recorder.org_identity, acknowledged=dict(bed.acknowledged), canaries=bed.material.canaries(),
        secrets=[signing, bed.secret.encode()], searched=[recorder.tmp, *bed.images], logs=[pathlib.Path(recorder.log)],
        process_texts=bed.process_texts, versions=versions, earlier_notes=bed.notes, looks=bed.looks,
        most_queued=bed.most["queue"], recovered_s=bed.recovered_s,
        verify=done and (done.returncode, done.stdout + done.stderr), may_lose_packets=bed.may_lose_packets,
        may_corrupt=bed.may_corrupt, is_final=not bed.stays_parked)
