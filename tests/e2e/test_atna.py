#!/usr/bin/python3
"""Audit messages on their way: a real rsyslog over TLS with client certificates gets what the log says, byte for byte and in
its order, whatever happens in between; and one that stalls keeps nobody from recording."""

import pathlib
import re
import subprocess
import time

from harness import Recorder, main, participant, poll, session_request, tap
from peers import certificates
from peers.syslog import Rsyslog, Staller
from test_audit import log_of, record_one, records_of, track_of

PORT = 16514
GRAMMAR = pathlib.Path(__file__).resolve().parent.parent / "atna.rng"


def send_to(recorder, group):
    text = recorder.config.read_text()
    recorder.config.write_text(re.sub(r'(people = "ids";)(\s*syslog:.*)?', lambda found: found[1] + "\n    " + group, text))


def metric(recorder, name):
    text = recorder.ask("GET", "/metrics").body.decode()
    return int(re.search(rf"^sealtape_{name} (\d+)", text, re.M)[1])


def number_of(recorder):
    return len(log_of(recorder).read_text().splitlines())


def exported(recorder, until):
    """The recorder's first records as `audit export` says they leave; the command line's own are not among them."""
    rows = recorder.command("audit", "export", "--format", "atna").stdout.splitlines()
    return [row for row in rows if f" sealtape {log_of(recorder).stem} " in row][:until]


def arrived(recorder, receiver, what):
    """Waits until all records of the log are confirmed; returns what came."""
    poll(lambda: metric(recorder, "audit_unsent_records") == 0, 20, what)
    return from_recorder(recorder, receiver)


def from_recorder(recorder, receiver):
    """Its messages; each command of this test sends one too."""
    return [row for row in receiver.messages() if f" sealtape {log_of(recorder).stem} " in row]


def check_valid(folder, messages, what):
    files = []
    for number, row in enumerate(messages):
        head, _, message = row.partition(" - ")
        if not re.fullmatch(r"<8[45]>1 \S+Z \S+ sealtape \S+ IHE\+RFC-3881", head) or message[:5] != "<?xml":
            tap.ok(False, "a header of ATNA", head)
        files.append(folder / f"message-{number}.xml")
        files[-1].write_text(message)
    done = subprocess.run(["xmllint", "--noout", "--relaxng", GRAMMAR, *files], capture_output=True, text=True)
    tap.ok(done.returncode == 0, f"{len(files)} messages {what} are valid by the grammar", done.stderr[-800:])


def test_outage(folder):
    """Two hours in small: the receiver ends, sessions go on, the recorder is killed and started, the receiver is back."""
    receiver = Rsyslog(folder / "receiver", PORT).start()
    recorder = Recorder(folder / "recorder")
    send_to(recorder, receiver.settings())
    recorder.start()
    record_one(recorder, folder)
    before = arrived(recorder, receiver, "the messages of the first session")
    tap.ok(len(before) >= 15, "a session's messages arrive over TLS", len(before), receiver.child.log_text())
    tap.equal(before, exported(recorder, len(before)), "each as it is in the log, in its order")
    receiver.stop()
    record_one(recorder, folder)
    n_waiting = poll(lambda: metric(recorder, "audit_unsent_records"), 10, "messages to wait")
    tap.ok(n_waiting > 10, "what happens while nobody listens waits", n_waiting)
    poll(lambda: "do not go to 127.0.0.1" in recorder.child.log_text(), 10, "a warning")
    recorder.kill()
    recorder.log = folder / "again.log"
    recorder.start()
    record_one(recorder, folder)
    tap.ok(metric(recorder, "audit_unsent_records") >= n_waiting + 15, "a restart in between forgets nothing")
    done = recorder.command("doctor")
    tap.ok("audit receiver" in done.stdout and "takes none" in done.stdout, "doctor tries the receiver", done.stdout[-1500:])
    receiver.start()
    done = recorder.command("doctor")
    tap.ok("takes audit messages, and our certificate" in done.stdout, "and finds it again", done.stdout[-1500:])
    after = arrived(recorder, receiver, "what waited")
    tap.equal(after, exported(recorder, number_of(recorder)), "after the outage nothing is lost, doubled or in another order")
    tap.contains(recorder.child.log_text(), "go to 127.0.0.1:16514 again", "which the recorder says")
    tap.equal(recorder.stop(), 0, "it ends")
    tap.equal(from_recorder(recorder, receiver), exported(recorder, number_of(recorder)), "its last word arrives too")
    tap.contains(from_recorder(recorder, receiver)[-1], "recorder-stopped", "which is that it stops")
    check_valid(folder, receiver.messages(), "of three sessions")
    place = log_of(recorder).with_suffix(".syslog")
    tap.ok(place.read_text().split(" ")[1] == str(number_of(recorder)), "the place stands beside the log", place.read_text())
    command_line(folder, recorder, receiver)


def command_line(folder, recorder, receiver):
    """It sends what it notes at its end; what waited, with the next or when asked to."""
    n_before = len(receiver.messages())
    recorder.command("audit", "show")
    more = receiver.messages()[n_before:]
    tap.ok(len(more) == 1 and " sealtape admin." in more[0], "a command sends what it has noted", more)
    receiver.stop()
    done = recorder.command("audit", "show")
    tap.ok(done.returncode == 0 and "wait for the next command" in done.stderr, "without a receiver it does its work", done.stderr)
    done = recorder.command("audit", "forward")
    tap.ok(done.returncode == 1 and "127.0.0.1" in done.stderr, "asked to send it says who is missing", done.stderr)
    receiver.start()
    tap.contains(recorder.command("audit", "forward").stdout, "1 records sent", "what waited is sent")
    tap.contains(recorder.command("audit", "forward").stdout, "0 records sent", "once")
    log = next(log_of(recorder).parent.glob("admin.*.log"))
    sent = [row for row in receiver.messages() if f" sealtape {log.stem} " in row]
    tap.equal(len(sent), len(log.read_text().splitlines()), "all of its log, each record once")
    check_valid(folder, sent, "of the command line")


def test_staller(folder):
    """One that takes the connection and reads nothing: a deadline, no memory, and sessions go on until too much waits."""
    receiver = Rsyslog(folder / "receiver", PORT)
    staller = Staller(PORT, receiver.server)
    recorder = Recorder(folder / "recorder")
    send_to(recorder, receiver.settings(max_lag=100))
    recorder.start()
    running = recorder.open_session([participant("p1")], [track_of(folder)])
    poll(lambda: staller.accepted >= 2, 15, "a second try")
    tap.contains(recorder.child.log_text(), "did not read to the end", "a receiver that stalls is left, and the log says why")
    path = f"/v1/sessions/{running.id}/participants"
    for least, event in ((82, "audit-feed-behind"), (100, "audit-feed-full")):
        while (n_before := metric(recorder, "audit_unsent_records")) < least:
            recorder.ask("POST", path, {"id": "p2", "role": "client", "consents": []})
            recorder.ask("DELETE", path + "/p2")
            # Both are answered before they stand in the log: asked on and on they would pass from below 80 to above 100.
            poll(lambda n_least=n_before + 2: metric(recorder, "audit_unsent_records") >= n_least, 10, "both records")
        poll(lambda event=event: any(row[0] == event for row in records_of(recorder)), 10, f"a record of {event}")
        tap.ok(True, f"{least} that wait of 100: {event}")
    answer = recorder.ask("POST", "/v1/sessions", session_request([participant("p1")], [track_of(folder)]))
    tap.equal((answer.status, answer.json.get("reason")), (503, "audit-unavailable"), "once as many wait as may, nothing new begins")
    tap.contains(answer.body.decode(), "max_lag", "which it says")
    running.finish()
    tap.ok(True, "what runs is stored to its end")
    tap.equal(recorder.command("verify", running.id).returncode, 0, "and whole")
    staller.close()
    receiver.start()
    arrived(recorder, receiver, "all to arrive at one that listens")
    came = from_recorder(recorder, receiver)
    tap.equal(came, exported(recorder, len(came)), "in order, each once")
    answer = recorder.ask("POST", "/v1/sessions", session_request([participant("p1")], [track_of(folder)]))
    tap.equal(answer.status, 201, "and sessions begin again")
    poll(lambda: any(row[0] == "audit-feed-caught-up" for row in records_of(recorder)), 10, "a record that it goes again")
    staller_at_the_end(recorder, receiver)


def staller_at_the_end(recorder, receiver):
    receiver.stop()
    staller = Staller(PORT, receiver.server)
    recorder.ask("POST", "/v1/sessions", session_request([{**participant("p1"), "consents": []}], []))
    poll(lambda: staller.accepted >= 1, 10, "a try")
    started = time.monotonic()
    tap.equal(recorder.stop(), 0, "a recorder ends beside a receiver that stalls")
    tap.ok(time.monotonic() - started < 8, "soon", time.monotonic() - started)
    staller.close()


def test_who_is_who(folder):
    """Nothing is sent to whom the authority does not vouch for, or counted at one that does not want us."""
    receiver = Rsyslog(folder / "receiver", PORT).start()
    other = certificates.make_authority(folder, "other")
    stranger = certificates.make_server(folder, other, "DNS:recorder.example", "stranger")
    expired = certificates.make_server(folder, receiver.authority, "DNS:recorder.example", "expired", days=-1)
    rows = [
        ("a receiver of another authority", {"ca_file": str(other[0])}, "vouched for"),
        ("a receiver of another name", {"server_name": "elsewhere.example"}, "names another server"),
        ("our certificate of another authority", {"certificate": str(stranger[0]), "key": str(stranger[1])}, ""),
        ("our certificate expired", {"certificate": str(expired[0]), "key": str(expired[1])}, ""),
    ]
    for name, more, sentence in rows:
        recorder = Recorder(folder / re.sub(r"\W", "-", name))
        send_to(recorder, receiver.settings(**more))
        recorder.start()
        poll(lambda: "do not go to" in recorder.child.log_text(), 10, "a warning")
        time.sleep(1)
        tap.contains(recorder.child.log_text(), sentence or "do not go to", f"{name}: said")
        tap.ok(metric(recorder, "audit_unsent_records") > 0, f"{name}: nothing counts as sent")
        recorder.stop()
    tap.equal(receiver.messages(), [], "and nothing was")
    settings(folder, receiver)


def settings(folder, receiver):
    recorder = Recorder(folder / "settings")
    rows = [
        (receiver.settings().replace(' ca_file = ', ' ca_fil = '), "ca_fil"),
        (receiver.settings(address="logs.example:6514"), "without a port"),
        (re.sub(r'key = "[^"]*"; ', "", receiver.settings()), "audit.syslog.key: is missing"),
        ('syslog: { address = "10.0.0.1"; tls = false; };', "not an address of loopback"),
        ("syslog: { port = 6514; };", "audit.syslog.address: is missing"),
        (receiver.settings(max_lag=1), "max_lag"),
    ]
    for group, sentence in rows:
        send_to(recorder, group)
        done = recorder.command("config", "check")
        tap.ok(done.returncode != 0 and sentence in done.stdout + done.stderr, f"refused: {sentence}", done.stdout + done.stderr)


if __name__ == "__main__":
    main([test_outage, test_staller, test_who_is_who], 150)
