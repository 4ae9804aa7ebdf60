#!/usr/bin/python3
"""Bad input of every kind: one clear sentence, the right status, nothing lost.

Runs in a mount namespace of its own (unshare --mount), for the small disks that it fills.
"""

import json
import os
import pathlib
import secrets
import shutil
import struct
import subprocess
import sys

from harness import (
    Recorder, Sender, cli, consents, frame_hashes, main, participant, poll, program, session_request, stream,
    streams_of, tap,
)
from peers import media
from peers.children import Child
from visit import payload_hashes

OPUS = {"id": "p1-audio", "participant": "p1", "kind": "audio", "codec": "opus", "payload_type": 111,
        "clock_rate": 48000, "channels": 2}
VP8 = {"id": "p1-video", "participant": "p1", "kind": "video", "codec": "vp8", "payload_type": 96,
       "clock_rate": 90000}


# --- the control API ------------------------------------------------------------------------------------------


def test_requests(folder):
    recorder = Recorder(folder / "recorder").start()
    good = session_request([participant("p1")], [OPUS])
    for body, words in (
        (b"{", "line 1"),
        (b'{"org": "clinic-a",\n "participants": [}', "line 2"),
        (b"", "JSON"),
        (b"\xff\xfe\x00", ""),
        (b"[]", "object"),
        ({**good, "org": 7}, '"org"'),
        ({**good, "org": "../clinic-a"}, '"org"'),
        ({**good, "reference": ["x"]}, '"reference"'),
        ({**good, "participants": {}}, '"participants"'),
        ({**good, "participants": [7]}, "participants[0]"),
        ({**good, "tracks": "all"}, '"tracks"'),
        ({**good, "trakcs": []}, "trakcs"),
        (with_track(OPUS, OPUS), "p1-audio"),
        (with_track({**OPUS, "codec": "av1", "kind": "video"}), "Debian 12"),
        (with_track({**OPUS, "codec": "av1", "kind": "video"}), "depayload"),
        (with_track({**OPUS, "codec": "mp3"}), "one of opus"),
        (with_track({**OPUS, "kind": "video"}), "opus"),
        (with_track({**OPUS, "payload_type": "111"}), '"payload_type"'),
        (with_track({**OPUS, "payload_type": 128}), '"payload_type"'),
        (with_track({**OPUS, "clock_rate": 8000}), "clock"),
        (with_track({**OPUS, "participant": "nobody"}), "nobody"),
        (with_track({**OPUS, "id": "P1 Audio"}), '"id"'),
        (with_track({**OPUS, "id": "a" * 65}), '"id"'),
    ):
        refused(recorder.ask("POST", "/v1/sessions", body), {400, 409, 422}, words, shown(body))
    refused_paths(recorder, good)
    refused_by_policy(recorder, good)
    listed = recorder.ask("GET", "/v1/sessions").json
    open_ones = [row for row in rows_of(listed) if row.get("state") == "recording"]
    tap.equal(open_ones, [], "nothing of all that began a session")
    session = recorder.open_session([participant("p1")], [OPUS])
    refused(recorder.ask("POST", f"/v1/sessions/{session.id}/tracks", OPUS), {400, 409, 422}, "p1-audio",
            "a second track with the same id, later")
    tap.equal(session.look()["state"], "recording", "the session does not mind")
    session.finish()
    again = session.stop()
    tap.ok(again.status in (200, 409), "a second stop is answered", again)
    tap.equal(recorder.stop(), 0, "the recorder lived through all of it")


def with_track(*tracks):
    return session_request([participant("p1")], list(tracks))


def rows_of(listed):
    return listed if isinstance(listed, list) else listed["sessions"]


def shown(body):
    text = body if isinstance(body, bytes) else json.dumps(body)[:4000]
    return repr(text[:60] if isinstance(text, bytes) else text[-110:])


def refused(answer, statuses, words, what):
    problem = {}
    if answer.headers.get_content_type() == "application/problem+json":
        problem = answer.json
    sentence = problem.get("detail", "")
    is_good = (
        answer.status in statuses
        and problem.get("status") == answer.status
        and words.lower() in answer.body.decode().replace('\\"', '"').lower()
        and 10 < len(sentence) < 400
        and "\n" not in sentence
    )
    tap.ok(is_good, f"refused with {sorted(statuses)}: {what}", answer)


def refused_paths(recorder, good):
    unknown = "00000000-0000-4000-8000-000000000000"
    refused(recorder.ask("GET", f"/v1/sessions/{unknown}"), {404}, "session", "an unknown session")
    refused(recorder.ask("POST", f"/v1/sessions/{unknown}/stop", {}), {404}, "session", "stop of an unknown one")
    refused(recorder.ask("POST", f"/v1/sessions/{unknown}/tracks", OPUS), {404}, "session", "a track for one")
    refused(recorder.ask("GET", "/v1/sessions/..%2f..%2fetc"), {400, 404}, "", "a path for an id")
    refused(recorder.ask("GET", "/v2/sessions"), {404}, "", "an unknown path")
    answer = recorder.ask("DELETE", "/v1/sessions")
    refused(answer, {405}, "", "another method")
    tap.ok("POST" in (answer.headers.get("Allow") or ""), "405 says what is allowed", answer.headers)
    refused(recorder.ask("POST", "/v1/sessions", json.dumps(good).encode(), headers={"Content-Type": "text/plain"}),
            {415}, "json", "another content type")
    refused(recorder.ask("POST", "/v1/sessions", {**good, "reference": "x" * (1 << 20)}), {413, 400}, "",
            "a body over 1 MiB")


def refused_by_policy(recorder, good):
    answer = recorder.ask("POST", "/v1/sessions", {**good, "org": "clinic-z"})
    refused(answer, {403}, "policy-missing", "an unknown organisation")
    silent = {"id": "p1", "role": "provider", "consents": []}
    answer = recorder.ask("POST", "/v1/sessions", session_request([silent], [OPUS]))
    refused(answer, {403}, "consent-missing", "nobody consented")
    no = {"id": "p1", "role": "provider", "consents": consents("record-audio", state="refused")}
    answer = recorder.ask("POST", "/v1/sessions", session_request([no], [OPUS]))
    refused(answer, {403}, "consent-refused", "somebody refused")
    tap.equal(answer.json.get("reason"), "consent-refused", "the problem's reason is the decision's")


def test_ports_run_out(folder):
    recorder = Recorder(folder / "recorder", port_range=(41000, 41003)).start()
    video = {**VP8}
    session = recorder.open_session([participant("p1")], [OPUS, video])
    answer = recorder.ask("POST", "/v1/sessions", session_request([participant("p1")], [OPUS]))
    refused(answer, {503, 507}, "port", "a third track, where two have ports")
    tap.equal(session.look()["state"], "recording", "those that have ports go on")
    session.finish()
    after = recorder.open_session([participant("p1")], [OPUS, video])
    tap.ok(True, "their ports are free again afterwards")
    after.finish()
    tap.equal(recorder.stop(), 0, "the recorder ends")


# --- what comes in on the ports -------------------------------------------------------------------------------


def test_foreign_packets(folder):
    recorder = Recorder(folder / "recorder").start()
    audio, video = media.noise(folder, 6, 0x81), media.ball(folder, "vp8", 6, 0x82)
    encoded = {"p1-audio": audio, "p1-video": video}
    tracks = [row.track(name, "p1") for name, row in encoded.items()]
    session = recorder.open_session([participant("p1")], tracks)
    rows = [
        stream(row, session.ports[name], extras=foreign(row.payload_type)) for name, row in encoded.items()
    ]
    reports = dict(zip(encoded, Sender(folder, rows).finish()))
    session.finish()
    for name, report in reports.items():
        track = session.track(name)
        tap.equal(track["packets"], report["packets"], f"{name}: what belongs to it was taken")
        # Datagrams beyond what a UDP socket takes at once may be dropped by the kernel instead.
        counted = track["foreign"]
        tap.ok(report["foreign"] - 2 <= counted <= report["foreign"], f"{name}: what does not was counted",
               f"{counted} counted of {report['foreign']}")
    output = folder / "recovered.mkv"
    tap.equal(session.recover(output).returncode, 0, "it recovers")
    index = {row["codec_type"]: row["index"] for row in streams_of(output)}
    tap.ok(frame_hashes(output, index["video"]) == frame_hashes(video.reference), "the picture is what was sent")
    tap.ok(
        frame_hashes(output, index["audio"], copy=True) == payload_hashes(media.read_packets(audio.packets)),
        "the sound is what was sent",
    )
    tap.equal(recorder.stop(), 0, "the recorder lived through all of it")


def foreign(payload_type):
    """Datagrams that are none of the stream's, spread over its time."""
    rtp = struct.pack(">BBHII", 0x80, payload_type, 7, 7, 0xDEAD) + b"\x00" * 40
    other_type = struct.pack(">BBHII", 0x80, (payload_type + 1) & 0x7F, 7, 7, 0xBEEF) + b"\x00" * 40
    sender_report = struct.pack(">BBHIIIIII", 0x80, 200, 6, 0xDEAD, 1, 2, 3, 4, 5)
    bye = struct.pack(">BBHI", 0x81, 203, 1, 0xDEAD)
    padding = bytes([0xA0]) + rtp[1:-1] + b"\xff"  # more padding than there is packet
    extension = bytes([0x90]) + rtp[1:12] + b"\xbe\xde\xff\xff"  # longer than the packet
    sources = bytes([0x8F]) + rtp[1:12]  # fifteen sources, none there
    kinds = [rtp, other_type, sender_report, bye, b"", b"\x80", b"\x00" * 12, bytes(65507), padding, extension,
             sources, secrets.token_bytes(65507)]
    kinds += [bytes([dice & 0x3F]) + secrets.token_bytes(dice) for dice in range(1, 120, 7)]
    return [{"at_s": 0.2 + 5.5 * number / len(kinds), "hex": kind.hex()} for number, kind in enumerate(kinds)]


# --- settings and identities ----------------------------------------------------------------------------------


def test_settings(folder):
    recorder = Recorder(folder / "recorder")
    whole = recorder.config.read_text()
    lines = whole.split("\n")
    line = next(number for number, text in enumerate(lines) if text.strip().startswith("segment_ms"))
    for text, words in (
        (whole.replace("segment_ms", "segmnet_ms"), ["sealtape.conf", f":{line + 1}", "segmnet_ms"]),
        (replaced(lines, line, "  segment_ms = 7;"), ["sealtape.conf", f":{line + 1}", "segment_ms", "1000"]),
        (replaced(lines, line, '  segment_ms = "long";'), ["sealtape.conf", f":{line + 1}", "segment_ms"]),
        (replaced(lines, line, "  segment_ms = ;"), ["sealtape.conf", f":{line + 1}"]),
    ):
        recorder.config.write_text(text)
        for command in (["sealtaped", "--config", str(recorder.config)],
                        ["sealtape", "--config", str(recorder.config), "session", "list"]):
            done = subprocess.run([program(command[0]), *command[1:]], capture_output=True, text=True, timeout=20)
            said = done.stderr + done.stdout
            what = f"{command[0]} refuses {words[-1]}"
            tap.ok(done.returncode != 0 and all(word in said for word in words), what, said)
    recorder.config.write_text(whole)
    done = cli("--config", str(folder / "none.conf"), "session", "list")
    tap.ok(done.returncode != 0 and "none.conf" in done.stderr, "a missing configuration is named", done.stderr)
    done = cli("--config", str(recorder.config), "no-such-command")
    tap.ok(done.returncode != 0 and "no-such-command" in done.stderr, "an unknown command is named", done.stderr)
    recorder.start()
    second = Child([program("sealtaped"), "--config", recorder.config], folder / "second.log")
    status = second.wait(20)
    tap.ok(status != 0, "a second recorder on the same folder is refused", second.log_text())
    tap.equal(recorder.ask("GET", "/healthz").status, 200, "and the first one goes on")
    tap.equal(recorder.stop(), 0, "the recorder ends")


def replaced(lines, number, text):
    return "\n".join(lines[:number] + [text] + lines[number + 1 :])


def test_identities(folder):
    recorder = Recorder(folder / "recorder").start()
    audio = media.noise(folder, 3, 0x91)
    session = recorder.open_session([participant("p1")], [audio.track("p1-audio", "p1")])
    Sender(folder, [stream(audio, session.ports["p1-audio"])]).finish()
    session.finish()
    output = folder / "out.mkv"

    def must_refuse(identity, words, what):
        done = session.recover(output, identity=identity)
        is_good = done.returncode != 0 and all(word.lower() in done.stderr.lower() for word in words)
        tap.ok(is_good, f"recover refuses {what}", done.stderr)
        tap.ok(not output.exists() or output.stat().st_size == 0, f"and leaves nothing behind for {what}")
        output.unlink(missing_ok=True)

    must_refuse(folder / "none.key", ["none.key"], "a missing identity file")
    open_to_all = folder / "open.key"
    shutil.copy(recorder.org_identity, open_to_all)
    open_to_all.chmod(0o644)
    must_refuse(open_to_all, ["open.key", "chmod"], "an identity file that others may read")
    stranger = folder / "stranger.key"
    subprocess.run(["age-keygen", "-o", stranger], check=True, capture_output=True)
    must_refuse(stranger, ["identit"], "an identity that does not fit")
    garbage = folder / "garbage.key"
    garbage.touch(mode=0o600)
    garbage.write_text("# nothing here\nAGE-SECRET-KEY-1NOTREALLY\n")
    must_refuse(garbage, ["garbage.key"], "a file that holds no identity")
    done = recorder.command("recover", "00000000-0000-4000-8000-000000000000", "--identity", recorder.org_identity,
                            "--output", output)
    tap.ok(done.returncode != 0 and "00000000" in done.stderr, "recover names a session it can not find", done.stderr)
    done = session.recover("/proc/none/out.mkv")
    tap.ok(done.returncode != 0 and "/proc/none" in done.stderr, "recover names an output it can not write",
           done.stderr)
    done = session.recover(output, "--tracks", "p9-audio")
    tap.ok(done.returncode != 0 and "p9-audio" in done.stderr, "recover names a track it can not find", done.stderr)
    tap.equal(session.recover(output).returncode, 0, "with the right identity it opens")
    tap.equal(recorder.stop(), 0, "the recorder ends")


# --- disks ----------------------------------------------------------------------------------------------------


def mount_small(path, options):
    subprocess.run(["mount", "-t", "tmpfs", "-o", options, "sealtape-test", str(path)], check=True)


def test_store_full(folder):
    """The store's disk is full for a while: everything waits in the spool, then goes where it belongs."""
    recorder = Recorder(folder / "recorder")
    recorder.set("segment_ms", 1000)
    recorder.set("object_ms", 1000)
    mount_small(recorder.store, "size=2m,mode=0700")
    recorder.start()
    audio, video = media.noise(folder, 5, 0xA1), media.ball(folder, "vp8", 5, 0xA2)
    encoded = {"p1-audio": audio, "p1-video": video}
    session = recorder.open_session([participant("p1")], [row.track(name, "p1") for name, row in encoded.items()])
    filler = pathlib.Path(recorder.store, "filler")
    fill(filler)
    sender = Sender(folder, [stream(row, session.ports[name]) for name, row in encoded.items()])
    sender.finish()
    session.stop()
    poll(lambda: "No space left" in recorder.child.log_text(), 20, "a word of the full disk in the log")
    tap.equal(session.look()["state"], "finalising", "a session whose store is full is not called stored")
    tap.ok(recorder.child.is_running(), "the recorder lives")
    filler.unlink()
    session.wait_state("stored", 90)
    tap.equal(recorder.command("verify", session.id).returncode, 0, "with room again, all is stored and verifies")
    output = folder / "out.mkv"
    tap.equal(session.recover(output).returncode, 0, "it recovers")
    index = {row["codec_type"]: row["index"] for row in streams_of(output)}
    tap.ok(frame_hashes(output, index["video"]) == frame_hashes(video.reference), "no picture is missing")
    tap.equal(recorder.stop(), 0, "the recorder ends")
    subprocess.run(["umount", str(recorder.store)], check=True)


def fill(path):
    with open(path, "wb", buffering=0) as file:
        try:
            while True:
                file.write(bytes(4096))
        except OSError:
            pass


def test_spool_full(folder):
    """The spool's disk fills up: nothing acknowledged is lost, the hole is named, and it goes on with room again."""
    recorder = Recorder(folder / "recorder")
    recorder.set("segment_ms", 1000)
    recorder.set("object_ms", 1000)
    mount_small(recorder.spool, "size=24m,mode=0700")
    recorder.start()
    audio = media.noise(folder, 14, 0xB1)
    session = recorder.open_session([participant("p1")], [audio.track("p1-audio", "p1")])
    sender = Sender(folder, [stream(audio, session.ports["p1-audio"])])
    poll(lambda: session.track("p1-audio")["segments"] >= 2, 20, "segments to be acknowledged")
    filler = pathlib.Path(recorder.spool, "filler")
    fill(filler)
    before = session.track("p1-audio")["acknowledged_us"]
    poll(lambda: "No space left" in recorder.child.log_text(), 20, "a word of the full disk in the log")
    # The last page of the log may still hold the records of a few.
    for _ in range(20):
        answer = recorder.ask("POST", "/v1/sessions", session_request([participant("p1")], [OPUS]))
        if answer.status != 201:
            break
    refused(answer, {503, 507}, "full", "a new session on a full disk")
    tap.ok(recorder.child.is_running(), "the recorder lives")
    filler.unlink()
    sender.finish()
    session.stop()
    poll(lambda: session.look()["state"] in ("stored", "incomplete"), 60, "the session to end")
    manifest = session.manifest()
    tap.ok(max(row.end_us for row in manifest.of("p1-audio")) >= before, "nothing acknowledged was lost")
    tap.note(f"{session.look()['state']}, {manifest.gaps}")
    done = recorder.command("verify", session.id)
    tap.note(done.stdout + done.stderr)
    pieces = sorted(
        [(row.start_us, row.end_us) for row in manifest.of("p1-audio")]
        + [(gap.start_us, gap.start_us + gap.duration_us) for gap in manifest.gaps_of("p1-audio")]
    )
    holes = [(a, b) for a, b in zip(pieces, pieces[1:]) if b[0] - a[1] > 250000]
    tap.equal(holes, [], "what could not be kept stands as a gap")
    tap.equal(recorder.stop(), 0, "the recorder ends")
    subprocess.run(["umount", str(recorder.spool)], check=True)


def test_store_not_writable(folder):
    """A store that takes nothing for a while: sessions are recorded into the spool, and stored when it does again."""
    recorder = Recorder(folder / "recorder")
    mount_small(recorder.store, "size=8m,ro")
    recorder.start()
    audio = media.noise(folder, 3, 0xC1)
    session = recorder.open_session([participant("p1")], [audio.track("p1-audio", "p1")])
    Sender(folder, [stream(audio, session.ports["p1-audio"])]).finish()
    session.stop()
    poll(lambda: "Read-only file system" in recorder.child.log_text(), 20, "a word of the store in the log")
    tap.equal(session.look()["state"], "finalising", "a session that can not be stored is not called so")
    tap.equal(recorder.kill(), -9, "the recorder is killed")
    subprocess.run(["mount", "-o", "remount,rw", str(recorder.store)], check=True)
    recorder.start()
    poll(lambda: recorder.command("verify", session.id).returncode == 0, 60, "the session to be stored")
    tap.equal(session.recover(folder / "out.mkv").returncode, 0, "with a store that takes it, it is stored and recovers")
    tap.equal(recorder.stop(), 0, "the recorder ends")
    subprocess.run(["umount", str(recorder.store)], check=True)
    shutil.rmtree(recorder.store)
    recorder.store.write_text("in the way")
    child = Child([program("sealtaped"), "--config", recorder.config], folder / "second.log")
    status = child.wait(20)
    tap.ok(status != 0 and "store" in child.log_text(), "a store that is no folder is named", child.log_text())


def enter_mounts():
    """Starts this program again with mounts of its own, which go with it."""
    if os.environ.get("SEALTAPE_PRIVATE_MOUNTS") is None:
        os.environ["SEALTAPE_PRIVATE_MOUNTS"] = "1"
        os.execvp("unshare", ["unshare", "--mount", sys.executable, *sys.argv])


if __name__ == "__main__":
    tests = [test_requests, test_ports_run_out, test_foreign_packets, test_settings, test_identities]
    if subprocess.run(["unshare", "--mount", "true"], capture_output=True).returncode == 0:
        enter_mounts()
        tests += [test_store_full, test_spool_full, test_store_not_writable]
    else:
        tap.note("no mount namespace may be made here: full disks are not tried")
    main(tests, 240)
