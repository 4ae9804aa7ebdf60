#!/usr/bin/python3
"""A visit goes in as RTP; what comes out is what was sent, with our tools and without them."""

import hashlib
import json
import subprocess

import ebml
import note
from harness import (
    Recorder, age_decrypt, ffprobe, frame_hashes, main, open_envelopes, packet_times, program, streams_of,
    tap, title_of,
)
from visit import Visit, frame_times, payload_hashes

SECONDS = 12
TOLERANCE_S = 0.0011  # Matroska counts milliseconds


def test_visit(folder):
    recorder = Recorder(folder / "recorder").start()
    visit = Visit(folder, SECONDS, recorder).begin()
    tap.equal(visit.session.look()["state"], "recording", "the session is recording")
    visit.finish()

    check_counts(visit)
    check_manifest(visit)
    check_signatures(visit, folder)
    check_matroska(visit, folder / "visit.mkv")
    check_mp4(visit, folder / "visit.mp4")
    check_excerpt(visit, folder / "excerpt.mkv")
    check_without_sealtape(visit, folder)
    check_two_custodians(visit, folder)
    check_commands(visit)
    tap.equal(recorder.stop(), 0, "the recorder ends with 0 on SIGTERM")
    tap.equal(visit.session.recorder.command("verify", visit.session.id).returncode, 0,
              "verify needs no running recorder")


def check_counts(visit):
    for name, sent in visit.sent.items():
        track = visit.session.track(name)
        tap.equal(track["packets"], sent["packets"], f"{name}: every packet sent was taken")
        tap.equal(track["lost"], 0, f"{name}: none counts as lost")


def check_manifest(visit):
    manifest = visit.session.manifest()
    tap.equal(manifest.states[-1], "closed", "the manifest's last part says closed")
    tap.equal(sorted(manifest.tracks), sorted(visit.media), "the manifest names every track")
    for name in visit.media:
        rows = manifest.of(name)
        tap.equal(manifest.ends[name][0], len(rows), f"{name}: as many segments as its end line says")
        tap.equal([row.index for row in rows], list(range(len(rows))), f"{name}: one part, no hole")
        tap.ok(len(rows) >= 3, f"{name}: several segments", rows)
        holes = [(a, b) for a, b in zip(rows, rows[1:]) if abs(b.start_us - a.end_us) > 60000]
        tap.equal(holes, [], f"{name}: each segment begins where the one before ends")
        tap.ok(rows[0].start_us >= 0 and all(row.duration_us > 0 for row in rows), f"{name}: times make sense")


def check_signatures(visit, folder):
    """The manifest's parts, by openssl and sha256 alone."""
    key = (visit.recorder.folder / "keys" / "recorder.pub").read_text()
    previous, bad = "-", []
    for path in visit.session.manifest().paths:
        part = note.Note(path.read_text())
        if not note.is_signed_by(part, key, folder) or f"\nprev {previous}\n" not in part.text:
            bad.append(path.name)
        previous = hashlib.sha256(path.read_bytes()).hexdigest()
    tap.equal(bad, [], "openssl finds each manifest part signed and chained")


def check_matroska(visit, output):
    done = visit.session.recover(output)
    tap.equal(done.returncode, 0, "recover to Matroska succeeds")
    tap.note(done.stderr)
    titles = {title_of(row): row["index"] for row in streams_of(output)}
    tap.equal(sorted(titles), sorted(visit.media), "the Matroska file has every track, by name")
    first = {}
    for name, index in titles.items():
        first[name] = check_track(visit, output, name, index)
    for person in ("p1", "p2"):
        sent = [visit.sent[f"{person}-{kind}"]["first_unix_us"] / 1e6 for kind in ("audio", "video")]
        got = [first[f"{person}-{kind}"] for kind in ("audio", "video")]
        tap.near(got[1] - got[0], sent[1] - sent[0], 0.02, f"{person}: sound and picture begin in step")


def check_track(visit, path, name, index):
    """Returns the time of the track's first frame."""
    encoded, packets = visit.media[name], visit.packets(name)
    wanted = frame_times(packets, encoded.clock_rate)
    got = packet_times(path, index)
    tap.equal(len(got), len(wanted), f"{name}: as many frames as sent")
    off = [(g - got[0], w) for g, w in zip(got, wanted) if abs(g - got[0] - w) > TOLERANCE_S]
    tap.equal(off, [], f"{name}: every frame at its time")
    if encoded.kind == "audio":
        same = frame_hashes(path, index, copy=True) == payload_hashes(packets)
    else:
        same = frame_hashes(path, index) == frame_hashes(encoded.reference)
    tap.ok(same, f"{name}: every frame is the one that was sent")
    return got[0]


def check_mp4(visit, output):
    done = visit.session.recover(output, "--tracks", "p2-audio,p2-video")
    if not tap.equal(done.returncode, 0, "recover of two tracks to MP4 succeeds"):
        tap.note(done.stderr)
        return
    rows = {row["codec_name"]: row["index"] for row in streams_of(output)}
    tap.equal(sorted(rows), ["h264", "opus"], "the MP4 file has both tracks")
    tap.equal(
        frame_hashes(output, rows["h264"]),
        frame_hashes(visit.media["p2-video"].reference),
        "every picture in the MP4 file is the one that was sent",
    )
    tap.equal(
        frame_hashes(output, rows["opus"], copy=True),
        payload_hashes(visit.packets("p2-audio")),
        "every sound in the MP4 file is the one that was sent",
    )


def check_excerpt(visit, output):
    done = visit.session.recover(output, "--from", "5", "--to", "9", "--tracks", "p1-video,p1-audio")
    tap.equal(done.returncode, 0, "recover of four seconds succeeds")
    length = float(ffprobe(output, "-show_format")["format"]["duration"])
    tap.ok(3.5 < length < 6.5, "the excerpt is as long as asked, or from the keyframe before", length)
    tap.ok(frame_hashes(output, 0) != [], "the excerpt decodes from its first frame")


def check_without_sealtape(visit, folder):
    """docs/recovery.md: Debian's age, cat and ffprobe are enough."""
    ids = open_envelopes(visit.session, folder)
    other = open_envelopes(visit.session, folder / "recorder", visit.recorder.break_glass_identity)
    tap.ok(ids.read_text() == other.read_text(), "the break-glass identity opens the envelope as well")
    for name, encoded in visit.media.items():
        rows = visit.session.manifest().of(name)
        opened = [age_decrypt(row.sealed(visit.session), ids) for row in rows]
        whole = folder / f"{name}.mkv"
        whole.write_bytes(b"".join(opened))
        found = ebml.walk(whole.read_bytes())
        n_frames = len(frame_times(visit.packets(name), encoded.clock_rate))
        tap.equal(len(found.blocks), n_frames, f"{name}: its segments, joined, are strictly Matroska, whole")
        tap.equal(len(packet_times(whole, 0)), n_frames, f"{name}: ffprobe agrees")
        check_alone(name, opened, found.header_length, folder)


def check_alone(name, opened, header_length, folder):
    """The part's header and any one later segment play."""
    bad, alone = [], folder / f"{name}-alone.mkv"
    for index, segment in enumerate(opened[1:], 1):
        alone.write_bytes(opened[0][:header_length] + segment)
        n_blocks = len(ebml.walk(alone.read_bytes()).blocks)
        if n_blocks == 0 or len(frame_hashes(alone, 0)) != n_blocks:
            bad.append(index)
    tap.equal(bad, [], f"{name}: its header and any later segment play alone")


def check_two_custodians(visit, folder):
    """docs/keys.md: a break-glass key that only two people together can open, by Debian's age."""
    place, recorder = folder / "custodians", visit.recorder
    place.mkdir()
    recipients = {}
    for name in ("first", "second"):
        subprocess.run(["age-keygen", "-o", place / name], check=True, capture_output=True)
        shown = subprocess.run(["age-keygen", "-y", place / name], check=True, capture_output=True, text=True)
        recipients[name] = shown.stdout.strip()
    inner, outer, output = place / "inner.age", place / "two.age", place / "visit.mkv"
    subprocess.run(["age", "-r", recipients["first"], "-o", inner, recorder.break_glass_identity], check=True)
    subprocess.run(["age", "-r", recipients["second"], "-o", outer, inner], check=True)
    inner.unlink()

    def recover(*people):
        """Pipes the sealed key through the people's identities, one behind the other."""
        content = outer.read_bytes()
        for person in people:
            content = subprocess.run(["age", "-d", "-i", place / person], input=content, capture_output=True).stdout
        words = [program("sealtape"), "--config", recorder.config, "recover", visit.session.id, "-i", "-", "-o", output]
        return subprocess.run(words, input=content, capture_output=True, timeout=120)

    for alone in ((), ("first",), ("second",)):
        done = recover(*alone)
        tap.equal((done.returncode, output.exists()), (1, False), f"of two custodians, {alone} can not open it")
    done = recover("second", "first")
    tap.equal((done.returncode, done.stderr), (0, b""), "both together open it, with a key that is never on a disk")
    tap.equal(len(streams_of(output)), len(visit.media), "and it is the whole visit")
    check_audit(visit, folder)


def check_audit(visit, folder):
    """What opens is told first; where that is not possible nothing opens, unless one insists."""
    recorder, output = visit.recorder, folder / "told.mkv"
    log = next((recorder.folder / "audit" / recorder.org).glob("admin*.log"))
    told = f"recording-recovered ok session={visit.session.id}"
    before = log.read_text().count(told)
    tap.ok(before >= 1, "the audit log tells of each recovery", before)
    tap.equal(visit.session.recover(output).returncode, 0, "one more")
    tap.equal(log.read_text().count(told), before + 1, "is told as well")
    output.unlink()
    log.rename(log.with_suffix(".away"))
    log.mkdir()
    done = visit.session.recover(output)
    tap.equal((done.returncode, output.exists()), (1, False), "without a log that can be told nothing opens")
    tap.contains(done.stderr, "the audit log can not be told, and --without-audit not given", "and says why")
    done = visit.session.recover(output, "--without-audit")
    tap.equal((done.returncode, output.exists()), (0, True), "unless one insists")
    tap.contains(done.stderr, "warning: no audit log is told of this", "and is warned")
    log.rmdir()
    log.with_suffix(".away").rename(log)


def check_commands(visit):
    session = visit.session.id
    done = visit.recorder.command("verify", session)
    tap.equal(done.returncode, 0, "verify finds all there, genuine and in order")
    tap.note(done.stdout + done.stderr)
    done = visit.recorder.command("session", "list", "--json")
    tap.ok(done.returncode == 0 and session in json.dumps(json.loads(done.stdout)), "session list names it",
           done.stdout + done.stderr)
    done = visit.recorder.command("session", "show", session, "--json")
    shown = json.dumps(json.loads(done.stdout))
    tap.ok(done.returncode == 0 and all(name in shown for name in visit.media), "session show has its tracks",
           done.stdout + done.stderr)
    done = visit.recorder.command("session", "show", session)
    tap.ok(done.returncode == 0 and "p2-video" in done.stdout, "session show draws them", done.stdout + done.stderr)


if __name__ == "__main__":
    main([test_visit], 150)
