#!/usr/bin/python3
"""A real browser's call through a real Janus is recorded: Chromium publishes, rtp_forward feeds the recorder.

All of it lives in a network namespace of this test's own, from which no packet can leave.
"""

import json
import shutil
import time

from harness import PEERS, Recorder, ffprobe, frame_hashes, main, packet_times, participant, poll, streams_of, tap
from peers import chromium, janus, private_network

SECONDS = 12
FRAME_RATE = 25


def test_janus(folder):
    server, publisher = janus.start(folder, private_network.ADDRESS)
    publisher.create_room("vp8")
    publisher.join()
    browser = chromium.Chromium(folder, PEERS / "publish.html")
    offer = browser.evaluate(f"makeOffer(640, 360, {FRAME_RATE})")
    answer = publisher.publish(offer)
    tap.equal(browser.evaluate(f"takeAnswer({json.dumps(answer)})"), "connected", "the browser's call is up")
    sent = browser.evaluate("sent()")

    recorder = Recorder(folder / "recorder").start()
    session = recorder.open_session([participant("p1", "client")], [audio_track(), video_track()])
    publisher.rtp_forward("127.0.0.1", forwards(session, sent))
    record(session, browser)
    browser.evaluate("hangUp()")
    session.finish()

    check_stored(session)
    check_recovered(session, folder / "call.mkv")
    tap.equal(recorder.stop(), 0, "the recorder ends")
    browser.close()
    server.terminate()


def audio_track():
    return {"id": "p1-audio", "participant": "p1", "kind": "audio", "codec": "opus", "payload_type": 111,
            "clock_rate": 48000, "channels": 2}


def video_track():
    return {"id": "p1-video", "participant": "p1", "kind": "video", "codec": "vp8", "payload_type": 96,
            "clock_rate": 90000}


def forwards(session, sent):
    """Where Janus is to send each of the browser's streams; RTCP for the picture, so that it can be asked
    for a keyframe."""
    by_id = {track["id"]: track for track in session.created["tracks"]}
    audio, video = by_id["p1-audio"], by_id["p1-video"]
    return {
        sent["audio"]["mid"]: {"port": audio["port"], "pt": 111},
        sent["video"]["mid"]: {"port": video["port"], "rtcp_port": video["rtcp_port"], "pt": 96},
    }


def record(session, browser):
    """Until SECONDS of both have come in."""
    poll(lambda: all(track["packets"] > 0 for track in session.look()["tracks"]), 20, "media to flow")
    begun, before = time.monotonic(), browser.evaluate("sent()")
    poll(lambda: time.monotonic() - begun >= SECONDS, SECONDS + 5, "the call to last", 0.25)
    after = browser.evaluate("sent()")
    frames = after["video"]["frames"] - before["video"]["frames"]
    tap.ok(frames > SECONDS * 5, "the browser sent pictures", after)
    tap.ok(after["video"]["plis"] + after["video"]["firs"] >= 1, "and was asked for a keyframe by the recorder", after)
    poll(
        lambda: all(track["acknowledged_us"] > (SECONDS - 8) * 1000000 for track in session.look()["tracks"]),
        20, "segments to be acknowledged",
    )


def check_stored(session):
    done = session.recorder.command("verify", session.id)
    tap.equal(done.returncode, 0, "verify finds all there, genuine and in order")
    tap.note(done.stdout + done.stderr)
    for track in session.look()["tracks"]:
        tap.ok(track["lost"] <= track["packets"] // 100, f"{track['id']}: nothing worth naming was lost", track)
    tap.note(session.manifest().gaps)


def check_recovered(session, output):
    done = session.recover(output)
    tap.equal(done.returncode, 0, "recover succeeds")
    tap.note(done.stderr)
    rows = {row["codec_type"]: row for row in streams_of(output)}
    tap.equal({kind: row["codec_name"] for kind, row in rows.items()}, {"audio": "opus", "video": "vp8"},
              "the file has the sound and the picture")
    times = {kind: packet_times(output, row["index"]) for kind, row in rows.items()}
    lengths = {kind: row[-1] - row[0] for kind, row in times.items()}
    tap.note(f"lengths {lengths}, beginnings { {kind: row[0] for kind, row in times.items()} }")
    for kind, length in lengths.items():
        tap.ok(length > SECONDS - 1.5, f"the {kind} is as long as the call", length)
    # The picture may begin later, with the first keyframe that was asked for, but it ends with the sound.
    tap.near(times["video"][0], times["audio"][0], 1.5, "sound and picture begin together")
    tap.near(times["video"][-1], times["audio"][-1], 0.5, "and end together")
    decoded = frame_hashes(output, rows["video"]["index"])
    tap.equal(len(decoded), len(times["video"]), "every picture decodes, without complaint")
    tap.ok(len(set(decoded)) > len(decoded) // 2, "the picture moves", len(set(decoded)))
    tap.equal(len(frame_hashes(output, rows["audio"]["index"])), len(times["audio"]), "every sound decodes")
    tap.ok(float(ffprobe(output, "-show_format")["format"]["duration"]) > SECONDS - 1.5, "ffprobe tells the length")


if __name__ == "__main__":
    for needed in ("janus", "chromium"):
        if shutil.which(needed) is None:
            tap.skip_all(f"no {needed} here")
    if not private_network.is_possible():
        tap.skip_all("no network namespace may be made here")
    private_network.enter()
    main([test_janus], 120)
