#!/usr/bin/python3
"""A browser sends three layers of its picture (simulcast) into a locked Janus room: over https with an authority of its own,
with a secret and a pin. The recorder follows the best layer that comes, and nothing is forwarded
while its consent is withdrawn.

All of it lives in a network namespace of this test's own, from which no packet can leave."""

import datetime
import shutil
import statistics

import wallclock
from guest import Guest
from harness import Recorder, Session, consents, main, participant, poll, session_request, streams_of, tap
from peers import certificates, janus, private_network

# The best first, as Janus takes it. As little as it takes, so that Chromium need not find out first how much the network carries.
LAYERS = [{"rid": "h", "maxBitrate": 300000}, {"rid": "m", "scaleResolutionDownBy": 2, "maxBitrate": 150000},
          {"rid": "l", "scaleResolutionDownBy": 4, "maxBitrate": 100000}]
# Chromium sends three layers from 960x540 on.
SIZE = (960, 540)
WIDTHS = {"l": 240, "m": 480, "h": 960}
SECRET, PIN = "the room's own", "the room's pin"
STEP_S = 0.25


def test_simulcast(folder):
    authority = certificates.make_authority(folder)
    stranger = certificates.make_authority(folder, "stranger")
    certificate = certificates.make_server(folder, authority, "DNS:localhost", "janus")
    server, host = janus.start(folder, private_network.ADDRESS, certificate)
    host.create_room("vp8", secret=SECRET, pin=PIN, bitrate=3000000)

    recorder = start(folder, stranger[0])
    session = follow(recorder)
    refused(session, "no authority that is trusted here vouches for it")
    stranger[0].write_bytes(authority[0].read_bytes())
    refused(session, "it is for another host")
    session.finish()
    tap.equal(recorder.stop(), 0, "the recorder ends")
    text = recorder.config.read_text().replace("https://127.0.0.1", "https://localhost")
    recorder.config.write_text(text)
    recorder.start()
    session = follow(recorder)
    refused(session, "pin")
    tap.contains(recorder.child.log_text(), "the Janus room can not be followed", "and the log says so")
    session.finish()
    (recorder.folder / "keys" / "pin").write_text(PIN + "\n")
    session = follow(recorder)
    poll(lambda: session.look()["source"]["state"] == "following", 30, "the room to be followed")
    tap.ok(True, "with the right ones the room is followed")

    guest = Guest(folder / "p1", "p1", SIZE, {"pin": PIN}, codec="vp8", layers=LAYERS)
    guest.enter()
    layers_come_and_go(session, guest)
    consent_goes_and_comes(session, host, guest)
    host.destroy_room(secret=SECRET)
    session.wait_state("stored")
    guest.close()
    server.terminate()
    check(session, folder / "call.mkv")
    for text in (recorder.child.log_text(), str(session.look())):
        tap.ok(SECRET not in text and PIN not in text, "no secret is told")
    tap.equal(recorder.stop(), 0, "the recorder ends")


def start(folder, authority):
    recorder = Recorder(folder / "recorder").say_of_org('on_withdrawal = "keep";')
    for name, text in (("secret", SECRET), ("pin", "wrong")):
        path = recorder.folder / "keys" / name
        path.write_text(text + "\n")
        path.chmod(0o600)
    with open(recorder.config, "a") as config:
        config.write(f'\njanus: {{ url = "https://127.0.0.1:{janus.HTTPS_PORT}/janus"; ca_file = "{authority}";\n'
                     'room_secret_file = "keys/secret"; room_pin_file = "keys/pin"; };\n')
    return recorder.start()


def follow(recorder):
    body = {**session_request([participant("p1")], []), "source": {"type": "janus", "room": janus.ROOM}}
    return Session(recorder, recorder.ask("POST", "/v1/sessions", body).json)


def refused(session, why):
    problem = poll(lambda: why in session.look()["source"].get("problem", "") and session.look()["source"]["problem"], 30, why)
    tap.ok(True, f"refused: {problem}")
    tap.equal(session.look()["state"], "recording", "and the session goes on")


def layers_come_and_go(session, guest):
    """Switches layers off and on again, and waits each time until pictures of the best one left have come."""
    guest.wait_sent(lambda video: video["layers"].get("h", 0) > 30, "the best layer to be sent", 60)
    last(session)
    for layer, best in (("h", "m"), ("m", "l")):
        guest.do(f"sendLayer('{layer}', false)")
        before = guest.sent()["video"]["layers"][best]
        guest.wait_sent(lambda video: video["layers"][best] > before + 30, f"layer {best} to be the best")
        last(session)
    guest.do("sendLayer('m', true)", "sendLayer('h', true)")
    before = guest.sent()["video"]["layers"]["h"]
    guest.wait_sent(lambda video: video["layers"]["h"] > before + 45, "the best layer to be sent again", 60)
    last(session)


def last(session):
    """Until two seconds of the picture have come in."""
    before = session.track("p1-video")["packets"]
    poll(lambda: session.track("p1-video")["packets"] > before + 25, 30, "pictures to come in", 0.25)


def consent_goes_and_comes(session, host, guest):
    def tell(state):
        now = datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")
        body = {"participant": "p1", **consents("record-video", state=state)[0], "at": now}
        answer = session.recorder.ask("POST", f"/v1/sessions/{session.id}/consents", body)
        tap.equal(answer.status, 200, f"the consent is {state}")

    def forwarded():
        """What Janus itself says it forwards."""
        rows = host.list_forwarders(SECRET)
        return sorted(row["port"] for publisher in rows for row in publisher["forwarders"] if row.get("port"))

    ports = {name: session.track(name)["port"] for name in ("p1-audio", "p1-video")}
    tap.ok(ports["p1-video"] in forwarded(), "the picture is forwarded", forwarded(), ports)
    tell("withdrawn")
    poll(lambda: ports["p1-video"] not in forwarded(), 15, "the forward to be stopped")
    tap.ok(ports["p1-audio"] in forwarded(), "without consent only the sound is forwarded", forwarded(), ports)
    before = guest.sent()["audio"]["packets"]
    poll(lambda: guest.sent()["audio"]["packets"] > before + 100, 30, "two seconds to pass", 0.25)
    tap.equal(session.track("p1-video")["state"], "paused", "its track is paused")
    tell("granted")
    poll(lambda: ports["p1-video"] in forwarded(), 15, "the forward to begin again")
    last(session)


def check(session, output):
    tap.equal(session.recorder.command("verify", session.id).returncode, 0, "verify finds all there")
    done = session.recover(output)
    tap.equal(done.returncode, 0, "recover succeeds")
    manifest = session.manifest()
    tap.note(manifest.gaps)
    tap.equal(set(manifest.tracks), {"p1-audio", "p1-video"}, "one track for whatever layer came")
    gaps = [gap for gap in manifest.gaps_of("p1-video") if gap.reason == "paused-consent-withdrawn"]
    tap.ok(len(gaps) == 1 and gaps[0].duration_us > 1.5e6, "what was not consented is a gap with its reason", gaps)
    silences = [gap for gap in manifest.gaps_of("p1-video") if gap.reason not in ("no-media", "paused-consent-withdrawn")]
    tap.note(f"at the switches: {silences}")
    about_s = output.stat().st_mtime
    for row in streams_of(output):
        if row["codec_type"] == "video":
            frames = wallclock.frames(output, row["index"], about_s)
    order = [row[2] for at, row in enumerate(frames) if at == 0 or frames[at - 1][2] != row[2]]
    tap.note(f"widths in order {order}")
    cut = order[order.index(WIDTHS["h"]):] if WIDTHS["h"] in order else order
    tap.equal((cut[0], cut[-1]), (WIDTHS["h"], WIDTHS["h"]), "the best layer is recorded, also when it is back")
    tap.ok(WIDTHS["l"] in cut, "and the last one when it is the only one", order)
    times = [at for at, _, _ in frames]
    tap.ok(all(later > earlier for earlier, later in zip(times, times[1:])), "no two pictures are of one time")
    walls = [(wall - at, width) for at, wall, width in frames if wall is not None]
    tap.ok(len(walls) > 0.9 * len(frames), "the pictures show the clock", len(walls), len(frames))
    middle = statistics.median(step for step, _ in walls)
    for width in sorted({width for _, width in walls}):
        steps = [step - middle for step, of in walls if of == width]
        tap.note(f"width {width}: {len(steps)} pictures, {statistics.median(steps) * 1000 if steps else 0:.0f} ms")
        tap.ok(steps and abs(statistics.median(steps)) < STEP_S, f"width {width}: is in step with the others")


if __name__ == "__main__":
    for needed in ("janus", "chromium", "openssl"):
        if shutil.which(needed) is None:
            tap.skip_all(f"no {needed} here")
    if not private_network.is_possible():
        tap.skip_all("no network namespace may be made here")
    private_network.enter()
    main([test_simulcast], 180)
