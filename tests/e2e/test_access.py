#!/usr/bin/python3
"""Who may open what: every cell of the table of roles through the opener with signed tokens, and what is no token."""

import base64
import hashlib
import hmac
import http.client
import http.server
import json
import os
import re
import socket
import ssl
import subprocess
import threading
import time

from harness import Recorder, Sender, consents, frame_hashes, main, poll, program, stream, tap
from opener import AUDIENCE, ISSUER, Key, Opener, claims_of, token_of
from peers import certificates, media

SECONDS = 3


def person(name, role, subject, *purposes):
    return {"id": name, "role": role, "subject": f"{ISSUER}|{subject}",
            "consents": consents("record-audio", "record-video", *purposes)}


def record(folder, recorder, people):
    sound = {f"{one['id']}-audio": media.noise(folder, SECONDS, 0x11 + i) for i, one in enumerate(people)}
    session = recorder.open_session(people, [sound[name].track(name, name[:2]) for name in sound])
    sender = Sender(folder, [stream(sound[name], session.ports[name]) for name in sound])
    sender.finish()
    session.finish()
    return session.id


def install(folder, keys=(), access="", issuer=""):
    """A recorder that has recorded two visits, and an opener."""
    recorder = Recorder(folder / "recorder")
    opener = Opener(recorder, keys, access, issuer)
    text = recorder.config.parent / "orgs" / "clinic-a.conf"
    text.write_text(text.read_text().replace('"record-video" ]', '"record-video", "transcribe" ]', 1))
    opener.org_text = opener.org_text.replace('"record-video" ]', '"record-video", "transcribe" ]', 1)
    recorder.start()
    ours = record(folder, recorder, [person("p1", "provider", "doc", "transcribe"),
                                     person("p2", "client", "pat", "transcribe")])
    theirs = record(folder, recorder, [person("p1", "provider", "other-doc"), person("p2", "client", "other-pat")])
    recorder.stop()
    return recorder, opener.start(), ours, theirs


def reason_of(answer):
    return (answer.status, answer.json.get("reason"))


def test_table(folder):
    """Each role, each purpose: own and another's, released or not, with and without a reason."""
    recorder, opener, ours, theirs = install(folder, access='release = "always";')
    why = {"reason": "asked for by the board"}
    rows = [
        ("doc", "provider", ours, "TREAT", {}, 201, None),
        ("doc", "provider", theirs, "TREAT", {}, 403, "not-own"),
        ("doc", "provider", ours, "HOPERAT", why, 403, "purpose-forbidden"),
        ("doc", "provider", ours, "ETREAT", {}, 403, "purpose-forbidden"),
        ("doc", "provider", ours, "NOSUCH", {}, 403, "purpose-unknown"),
        ("doc", "provider", theirs, "BTG", {}, 403, "reason-missing"),
        ("doc", "provider", theirs, "BTG", why, 201, None),
        ("pat", "client", ours, "PATRQT", {}, 201, None),
        ("pat", "client", theirs, "PATRQT", {}, 403, "not-own"),
        ("pat", "client", ours, "TREAT", {}, 403, "purpose-forbidden"),
        ("pat", "client", ours, "BTG", why, 403, "purpose-forbidden"),
        ("boss", "admin", ours, "TREAT", why, 403, "role-forbidden"),
        ("boss", "admin", ours, "HOPERAT", why, 403, "role-forbidden"),
        ("boss", "admin", ours, "BTG", why, 403, "role-forbidden"),
        ("eye", "auditor", ours, "HCOMPL", why, 403, "role-forbidden"),
        ("eye", "auditor", ours, "BTG", why, 403, "role-forbidden"),
        ("keep", "custodian", ours, "HOPERAT", {}, 403, "reason-missing"),
        ("keep", "custodian", ours, "HOPERAT", why, 201, None),
        ("keep", "custodian", theirs, "HLEGAL", why, 201, None),
        ("keep", "custodian", ours, "BTG", why, 403, "purpose-forbidden"),
        ("write", "transcriber", ours, "HOPERAT", {}, 201, None),
        ("write", "transcriber", theirs, "HOPERAT", {}, 403, "consent-missing"),
        ("write", "transcriber", ours, "TREAT", {}, 403, "purpose-forbidden"),
        ("who", "nothing", ours, "TREAT", {}, 403, "person-unknown"),
        ("doc", "provider", "00000000-0000-4000-8000-000000000000", "TREAT", {}, 404, "session-unknown"),
    ]
    for subject, role, session, purpose, more, status, reason in rows:
        answer = opener.grant(session, purpose, opener.token(subject, role), **more)
        got = (answer.status, answer.json.get("reason") if status != 201 else None)
        whose = {ours: "own", theirs: "another's"}.get(session, "no")
        tap.equal(got, (status, reason), f"{role}, {purpose}, {whose} session: {reason or 'granted'}")

    answer = opener.grant(ours, "TREAT", token_of(opener.keys[0], claims_of("doc", "provider", amr=["pwd"])))
    tap.equal(answer.status, 201, "no second factor is asked for where the organisation does not")
    answer = opener.grant(theirs, "BTG", token_of(opener.keys[0], claims_of("doc", "provider", amr=["pwd"])), **why)
    tap.equal(reason_of(answer), (401, "mfa-required"), "but always for break-glass")
    challenge = answer.headers["WWW-Authenticate"]
    tap.ok("insufficient_user_authentication" in challenge and 'acr_values="urn:mfa"' in challenge
           and 'max_age="300"' in challenge, "and the challenge says what would do", challenge)
    old = claims_of("doc", "provider", auth_time=int(time.time()) - 301)
    tap.equal(reason_of(opener.grant(theirs, "BTG", token_of(opener.keys[0], old), **why)), (401, "mfa-required"),
              "a factor of five minutes ago is not fresh")
    log = opener.log.read_text()
    tap.equal(log.count("break-glass in"), 1, "break-glass is a warning in the log")
    tap.equal(opener.metric("sealtape_access_break_glass_total"), 1, "and counted")
    tap.contains(opener.records(), "break-glass-started ok session=" + theirs, "and told to the auditors")
    tap.ok("asked for by the board" not in opener.records() + log, "a reason stands in no log")

    check_reviews(folder, recorder, opener, theirs)

    answer = opener.ask("GET", "/v1/grants", headers={"Origin": "https://evil.example"})
    tap.equal(reason_of(answer), (403, "browser"), "a browser is refused")
    for header in ("Cookie", "Sec-Fetch-Mode", "Sec-Fetch-Something"):
        answer = opener.ask("GET", "/v1/grants", headers={header: "x"}, token=opener.token("doc", "provider"))
        tap.equal(reason_of(answer), (403, "browser"), f"and so is whoever sends {header}")
    poll(lambda: "reason=browser" in opener.records(), 5, "the refusal of a browser to be in the audit log")
    tap.equal(opener.child.terminate(20), 0, "the opener ends in good order")


def check_reviews(folder, recorder, opener, session):
    """What break-glass opened waits for an auditor, over a restart, and is closed once, by somebody else."""
    auditor, token = opener.token("eye", "auditor"), folder / "eye.token"
    token.write_text(auditor)
    for subject, role in (("doc", "provider"), ("pat", "client"), ("boss", "admin"), ("keep", "custodian"),
                          ("write", "transcriber")):
        tap.equal(reason_of(opener.ask("GET", "/v1/reviews", token=opener.token(subject, role))), (403, "role-forbidden"),
                  f"a {role} reviews nothing")
    rows = opener.ask("GET", "/v1/reviews", token=auditor).json["reviews"]
    tap.equal([(row["session"], row["person"], row["reason"], row["purpose"]) for row in rows],
              [(session, f"{ISSUER}|doc", "asked for by the board", "BTG")], "an auditor sees who, what and why")
    shelf = [path for path in (recorder.folder / "access").rglob("*.review")] or list(recorder.folder.rglob("*.review"))
    tap.ok(len(shelf) == 1 and b"board" not in shelf[0].read_bytes(), "which is sealed where it is kept", shelf)
    opener.child.terminate(20)
    opener.start()
    done = recorder.command("reviews", "list", "--token-file", token)
    review = rows[0]["review"]
    tap.ok(done.returncode == 0 and review in done.stdout and "asked for by the board" in done.stdout,
           "it still waits after a restart", done.stdout + done.stderr)
    both = opener.token("doc", "auditor")
    answer = opener.ask("POST", f"/v1/reviews/{review}/close", {"verdict": "justified"}, both)
    tap.equal(reason_of(answer), (403, "second-person"), "nobody closes what they opened themselves")
    for body in ({"verdict": "fine"}, {}, {"verdict": "justified", "more": 1}):
        tap.equal(opener.ask("POST", f"/v1/reviews/{review}/close", body, auditor).status, 422, f"{body} is no verdict")
    done = recorder.command("reviews", "close", review, "--verdict", "justified", "--token-file", token)
    tap.equal(done.returncode, 0, "an auditor closes it " + done.stderr)
    tap.contains(opener.records(), "review-closed ok session=" + session, "which the auditors are told")
    tap.contains(opener.records(), "state=justified", "with the verdict")
    done = recorder.command("reviews", "list", "--token-file", token)
    tap.contains(done.stdout, "Nothing waits", "and nothing waits")
    answer = opener.ask("POST", f"/v1/reviews/{review}/close", {"verdict": "justified"}, auditor)
    tap.equal(reason_of(answer), (404, "review-unknown"), "it is closed once")
    tap.equal(opener.ask("POST", "/v1/reviews/..%2F..%2Fkeys/close", {"verdict": "justified"}, auditor).status, 404,
              "an id is no path")


def test_tokens(folder):
    """What is no good token: nobody is known, and nothing is looked for."""
    keys = [Key(name, name.lower()) for name in ("ES256", "RS256", "PS256", "ES384", "ES512", "EdDSA")]
    recorder = Recorder(folder / "recorder")
    opener = Opener(recorder, keys).start()
    session = "00000000-0000-4000-8000-000000000000"
    for key in keys:
        answer = opener.grant(session, "TREAT", token_of(key, claims_of("doc", "provider")))
        tap.equal(reason_of(answer), (404, "session-unknown"), f"{key.algorithm}: the token is good")

    now, good = int(time.time()), keys[0]
    claims = claims_of("doc", "provider")
    text = json.dumps(claims)

    def hs256():
        """Signed with the public key's text as if it were a secret."""
        secret = json.dumps(keys[1].jwk).encode()
        head = base64.urlsafe_b64encode(json.dumps({"alg": "HS256", "kid": keys[1].kid}).encode()).rstrip(b"=")
        body = base64.urlsafe_b64encode(text.encode()).rstrip(b"=")
        mac = hmac.new(secret, head + b"." + body, hashlib.sha256).digest()
        return (head + b"." + body + b"." + base64.urlsafe_b64encode(mac).rstrip(b"=")).decode()

    def broken():
        token = token_of(good, claims)
        place = token.rindex(".") + 5
        return token[:place] + ("A" if token[place] != "A" else "B") + token[place + 1 :]

    unknown = Key("ES256", "k9")
    impostor = Key("ES256", good.kid)
    rows = [
        ("expired a second ago", token_of(good, claims_of("doc", "provider", exp=now - 1)), "token-expired"),
        ("not yet valid", token_of(good, claims_of("doc", "provider", nbf=now + 60)), "token-early"),
        ("issued in the future", token_of(good, claims_of("doc", "provider", iat=now + 60)), "token-early"),
        ("for somebody else", token_of(good, claims_of("doc", "provider", aud="other")), "token-audience"),
        ("of another issuer", token_of(good, claims_of("doc", "provider", iss="https://evil")), "token-issuer"),
        ("of another tenant", token_of(good, claims_of("doc", "provider", tenant="b")), "token-issuer"),
        ("of an unknown key", token_of(unknown, claims), "token-key-unknown"),
        ("of a key with a known name", token_of(impostor, claims), "token-signature"),
        ("with a changed signature", broken(), "token-signature"),
        ("alg none", token_of(good, claims, {"alg": "none"}), "token-algorithm"),
        ("HS256 with the public key", hs256(), "token-algorithm"),
        ("another algorithm than the key's", token_of(good, claims, {"alg": "RS256"}), "token-key-unknown"),
        ("a claim twice", token_of(good, text[:-1] + ', "sub": "boss"}'), "token-malformed"),
        ("without exp", token_of(good, {k: v for k, v in claims.items() if k != "exp"}), "token-claims"),
        ("without sub", token_of(good, {k: v for k, v in claims.items() if k != "sub"}), "token-claims"),
        ("exp as a text", token_of(good, claims_of("doc", "provider", exp=str(now + 60))), "token-claims"),
        ("with something critical", token_of(good, claims, {"crit": ["x"]}), "token-malformed"),
        ("no token", "x.y", "token-malformed"),
        ("padding", token_of(good, claims) + "==", "token-malformed"),
        ("long", token_of(good, claims_of("doc", "provider", more="x" * 20000)), "token-malformed"),
    ]
    for name, token, reason in rows:
        answer = opener.grant(session, "TREAT", token)
        tap.equal(reason_of(answer), (401, reason), f"a token that is {name}: {reason}")
        tap.ok("invalid_token" in answer.headers["WWW-Authenticate"], "and the challenge says invalid_token")
    try:
        answer = opener.grant(session, "TREAT", "A" * 1_000_000)
        tap.ok(answer.status in (401, 413, 431), f"a token of 1 MB is refused ({answer.status})")
    except OSError:
        tap.ok(True, "a token of 1 MB is refused: the line is cut")
    tap.equal(opener.ask("GET", "/healthz").status, 200, "and the opener lives")
    poll(lambda: "reason=token-expired" in opener.records(), 5, "refused tokens to be audited")

    # A new key is found, but the issuer's keys are read again only once a minute.
    answer = opener.grant(session, "TREAT", opener.token("doc", "provider"))
    tap.equal(answer.status, 404, "the known key goes on")
    foreign, absent = [], []
    for i in range(40):
        begun = time.monotonic()
        one = opener.grant("11111111-0000-4000-8000-000000000000", "TREAT", opener.token(f"t{i}", "provider"))
        foreign.append(time.monotonic() - begun)
        tap.ok(one.body == answer.body, "every unknown session is answered with the same bytes") if i == 0 else None
    tap.note(f"median answer for an unknown session: {sorted(foreign)[20] * 1000:.1f} ms")
    for _ in range(60):
        last = opener.grant(session, "TREAT", opener.token("busy", "provider"))
    tap.equal(opener.grant(session, "TREAT", opener.token("busy", "provider")).json["reason"], "rate",
              "a person who asks too often is told to wait")
    tap.equal(opener.child.terminate(20), 0, "the opener ends in good order")


def playable(path):
    done = subprocess.run(["ffprobe", "-v", "error", "-show_entries", "format=format_name,duration", "-of", "json", path],
                          capture_output=True, text=True)
    return json.loads(done.stdout).get("format", {}) if done.returncode == 0 else {}


def check_sealed_anew(folder, recorder, opener, session):
    """After a leak: the opener gives the same frames with the session's new keys. Ends with the opener started again."""
    old, new = recorder.org_identity, recorder.folder / "new.key"
    leaked = re.search(r"age1\w+", old.read_text()).group()
    for words in (("new",), ("rotate", "--output", new),
                  ("reencrypt", "--compromised", leaked, "--identity", old, "--identity", new, session)):
        done = recorder.command("keys", *words)
        tap.equal(done.returncode, 0, f"keys {words[0]} {done.stderr}")
    tap.equal(opener.child.terminate(20), 0, "the opener ends in good order")
    text = recorder.config.read_text()
    recorder.config.write_text(text.replace('identities = [ "keys/clinic-a.key" ]', f'identities = [ "{new}" ]'))
    opener.start()
    done = recorder.command("export", session, "--purpose", "TREAT", "--output", folder / "anew.mkv")
    tap.equal(done.returncode, 0, f"it is exported with the new key alone {done.stderr}")
    tap.equal(frame_hashes(folder / "anew.mkv", copy=True), frame_hashes(folder / "local.mkv", copy=True), "the same frames")


def test_export(folder):
    """One command from a token to a file that plays; audit first; grants that end."""
    recorder, opener, ours, theirs = install(folder, access='release = "always"; idle_s = 3; start_s = 4;')
    token = folder / "token"
    token.write_text(opener.token("pat", "client"))

    for name, form in (("out.mp4", "mp4"), ("out.mkv", "matroska")):
        done = recorder.command("export", ours, "--purpose", "PATRQT", "--token-file", token, "--output", folder / name)
        tap.ok(done.returncode == 0, f"a client gets the own recording as {name}", done.stderr)
        found = playable(folder / name)
        tap.ok(form in found.get("format_name", "") and float(found.get("duration", 0)) > SECONDS - 1, "it plays", found)
    done = recorder.command("export", theirs, "--purpose", "PATRQT", "--token-file", token, "--output", folder / "no.mp4")
    tap.equal(done.returncode, 1, "another's is refused")
    tap.contains(done.stderr, "not-own", "and is said so")
    tap.ok(not (folder / "no.mp4").exists(), "and no file is left")
    done = recorder.command("export", ours, "--purpose", "TREAT", "--output", folder / "local.mkv")
    tap.ok(done.returncode == 0, "who set it up exports as a local operator", done.stderr)
    check_sealed_anew(folder, recorder, opener, ours)
    lines = opener.records().splitlines()
    first = next(i for i, line in enumerate(lines) if "media-exported" in line)
    tap.ok(any("grant-issued" in line for line in lines[:first]), "a grant's record comes before what is opened")

    path = f"/v1/grants/{opener.grant(ours, 'TREAT', opener.token('doc', 'provider')).json['grant']}"
    other = opener.token("other-doc", "provider")
    tap.equal(reason_of(opener.ask("GET", path + "/media", token=other)), (404, "grant-unknown"),
              "a grant is its person's alone")
    doc = opener.token("doc", "provider")
    whole = opener.ask("GET", path + "/media?format=webm", token=doc)
    tap.ok(whole.status == 200 and whole.body[:4] == b"\x1a\x45\xdf\xa3" and b"webm" in whole.body[:64], "WebM streams")
    row = next(row for row in opener.ask("GET", path, token=doc).json["tracks"] if row["id"] == "p1-audio")
    # A track begins when it is asked for, and its sound when the sender has started: until then it has a gap.
    begins = max([row["from_us"], *(gap["start_us"] + gap["duration_us"] for gap in row["gaps"]
                                    if gap["start_us"] == row["from_us"])])
    part = opener.ask("GET", path + f"/media?tracks=p1-audio&to_us={begins + 1000000}", token=doc)
    answer = opener.ask("GET", path + "/media?from_us=999000000&to_us=999000001", token=doc)
    tap.equal(reason_of(answer), (404, "track-unknown"), "where nothing was recorded is said")
    tap.ok(part.status == 200 and 0 < len(part.body) < len(whole.body), "so does a part of it",
           f"status {part.status}, {len(part.body)} of {len(whole.body)} bytes", part.body[:300] if part.status != 200 else "", row)
    tap.equal(opener.ask("GET", path + "/media?format=avi", token=doc).status, 422, "an unknown format is said")
    tap.equal(reason_of(opener.ask("GET", path + "/media?tracks=p9", token=doc)), (403, "outside-grant"),
              "a track that is not the grant's is refused")
    time.sleep(4.5)
    tap.equal(reason_of(opener.ask("GET", path + "/media", token=doc)), (410, "grant-expired"), "it ends by idleness")
    path = f"/v1/grants/{opener.grant(ours, 'TREAT', doc).json['grant']}"
    tap.equal(opener.ask("DELETE", path, token=doc).json["state"], "revoked", "one can be given back")
    tap.equal(reason_of(opener.ask("GET", path + "/media", token=doc)), (410, "grant-revoked"), "and is over then")

    # In the end the audit log can not be written.
    log = next((recorder.folder / "audit" / recorder.org).glob("access*.log"))
    size = log.stat().st_size
    path = f"/v1/grants/{opener.grant(ours, 'TREAT', doc).json['grant']}"
    limit = ["prlimit", f"--pid={opener.child.process.pid}", f"--fsize={size}:{size}"]
    tap.equal(subprocess.run(limit).returncode, 0, "the log's disk is full")
    tap.equal(reason_of(opener.ask("GET", path + "/media", token=doc)), (503, "audit-unavailable"), "nothing opens")
    tap.equal(reason_of(opener.grant(ours, "TREAT", doc)), (503, "audit-unavailable"), "nothing is granted")
    opener.child.kill()


def through_tls(folder, port, path, token, client=None):
    """Returns: status and body of what the opener answers at its address; raises where it does not."""
    context = ssl.create_default_context(cafile=folder / "ca.pem")
    if client is not None:
        context.load_cert_chain(*client)
    connection = http.client.HTTPSConnection("127.0.0.1", port, timeout=20, context=context)
    connection.request("GET", path, headers={"Authorization": "Bearer " + token})
    answer = connection.getresponse()
    body = answer.read()
    connection.close()
    return answer.status, body


def check_tls(folder, recorder, opener, session):
    """At an address, media go through TLS and to clients with a certificate alone; the answer is that of the socket."""
    authority = certificates.make_authority(folder)
    own = certificates.make_server(folder, authority, "IP:127.0.0.1")
    client = certificates.make_server(folder, authority, "DNS:portal.example", "client")
    stranger = certificates.make_server(folder, certificates.make_authority(folder, "other"), "DNS:portal.example", "stranger")
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    tls = f'tls: {{ listen = "127.0.0.1:{port}"; certificate = "{own[0]}"; key = "{own[1]}"; client_ca = "{authority[0]}"; }};'
    recorder.config.write_text(recorder.config.read_text().replace("\naccess:\n{", f"\naccess:\n{{\n{tls}", 1))
    opener.child.kill()
    opener.start()
    token = opener.token("pat", "client")
    grant = opener.grant(session, "PATRQT", token).json["grant"]
    for path in (f"/v1/grants/{grant}/segments/p1-audio/0", f"/v1/grants/{grant}/media"):
        wanted = opener.ask("GET", path, token=token)
        tap.equal(through_tls(folder, port, path, token, client), (200, wanted.body), "the same media come through TLS")
    for name, shown in (("no certificate", None), ("another authority's", stranger)):
        try:
            tap.ok(False, f"{name}: refused", through_tls(folder, port, "/v1/grants", token, shown))
        except OSError as error:
            tap.ok(True, f"{name}: refused", error)
    with socket.create_connection(("127.0.0.1", port), timeout=20) as plain:
        plain.sendall(f"GET /v1/grants/{grant}/media HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {token}\r\n\r\n".encode())
        said = b""
        try:
            while piece := plain.recv(65536):
                said += piece
        except OSError:
            pass
        tap.ok(b"HTTP/1.1 200" not in said, "without TLS nothing comes", said[:200])


def test_revoked(folder):
    """What is being read ends when it is no longer allowed."""
    recorder, opener, ours, _ = install(folder, access='release = "always";')
    check_tls(folder, recorder, opener, ours)
    token = opener.token("pat", "client")

    def begin():
        grant = opener.grant(ours, "PATRQT", token).json["grant"]
        connection, answer = opener.stream(f"/v1/grants/{grant}/segments/p1-audio/0", token)
        tap.equal(answer.status, 200, "media are being read")
        return grant, connection, answer

    # A recording this short fits into buffers on the way, so the reader is held up before: the opener's side decides.
    grant, connection, answer = begin()
    answer.read()
    connection.close()
    opener.write_access('release = "never";')
    opener.child.process.send_signal(1)
    poll(lambda: "settings read again" in opener.log.read_text(), 5, "the settings to be read again")
    tap.equal(reason_of(opener.ask("GET", f"/v1/grants/{grant}/media", token=token)), (403, "not-released"),
              "a grant does not outlive what allowed it")
    tap.equal(reason_of(opener.grant(ours, "PATRQT", token)), (403, "not-released"), "and there is no new one")
    opener.child.kill()
    records = opener.records()
    tap.contains(records, "media-exported ok session=" + ours, "kill -9 leaves the record of what was opened")
    tap.ok("subject" not in records and "asked" in records, "without anything about a person but an id")


class Issuer:
    """Serves a JWK set over TLS on loopback, counts who asks, and may be away or send others elsewhere."""

    def __init__(self, certificate, keys):
        self.keys, self.n_asked, self.status = keys, 0, 200
        issuer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                issuer.n_asked += 1
                body = json.dumps({"keys": [key.jwk for key in issuer.keys]}).encode()
                self.send_response(200 if self.path == "/again" else issuer.status)
                if issuer.status == 302 and self.path != "/again":
                    self.send_header("Location", issuer.url + "/again")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *words):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(*certificate)
        self.server.socket = context.wrap_socket(self.server.socket, server_side=True, do_handshake_on_connect=False)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        self.url = f"https://127.0.0.1:{self.server.server_port}"


def with_setting(recorder, pattern, value, examine):
    """What `examine` returns while the first match of `pattern` in sealtape.conf is `value`."""
    text = recorder.config.read_text()
    recorder.config.write_text(re.sub(pattern, value, text, count=1))
    tap.ok(recorder.config.read_text() != text, f"{pattern} stands in sealtape.conf")
    found = examine()
    recorder.config.write_text(text)
    return found


def check_doctor_socket(opener, doctor):
    """Who reaches the opener's socket."""
    for mode, result, said in ((0o666, "warning", "mode 0666, so everybody on this host reaches the opener"),
                               (0o400, "warning", "mode 0400, and this user may not ask there (Permission denied)")):
        opener.socket.chmod(mode)
        row = doctor()["opener socket"]
        tap.ok(row[0] == result and said in row[1], f"doctor sees a socket of mode {mode:04o}", row)
    tap.ok("opener" not in doctor(), "and does not say that nobody answers where it may not ask")
    opener.socket.chmod(0o660)
    path = opener.recorder.folder / "store"
    rows = with_setting(opener.recorder, r'socket = "[^"]*access.sock"', f'socket = "{path}"', doctor)
    tap.equal(rows["opener socket"], ("warning", f"access.socket: {path} is no socket, so no opener can listen there."),
              "and what is no socket")


def check_doctor_signers(opener, doctor):
    """Whether the settings know the keys with which the programs of this host sign."""
    for name, row, setting, result in (("recorder", "signing key", "trusted_recorders", "failed"),
                                       ("access", "opener signer", "trusted_openers", "warning"),
                                       ("admin", "admin signer", "trusted_admins", "warning")):
        key = opener.recorder.folder / "keys" / f"{name}.key"
        public = key.with_suffix(".pub").read_text().strip()
        tap.equal(doctor()[row], ("ok", f"Only its owner may read it, and `{setting}` knows it."), f"{row}: known")
        known = key.with_name("admin.pub" if name == "recorder" else "recorder.pub").read_text().strip()
        found = with_setting(opener.recorder, rf"{setting} = \[[^\]]*\]", f'{setting} = [ "{known}" ]', doctor)[row]
        tap.ok(found[0] == result and f"`{setting}` does not have this" in found[1] and f'add "{public}"' in found[1], f"{row}: another's", found)
        key.chmod(0)
        found = doctor()[row]
        if name == "recorder":
            tap.ok(found[0] == "failed" and "Permission denied" in found[1], f"{row}: that can not be read", found)
        else:
            tap.equal(found, ("ok", f"This user may not read it; the `.pub` lies beside it, and `{setting}` knows it."),
                      f"{row}: of another user")
        key.chmod(0o600)


def check_doctor(opener, doctor):
    """What doctor says of an opener that works, and of one that others reach, that is away, or whose keys open nothing."""
    owner = f"{opener.socket.owner()}:{opener.socket.group()}"
    rows = doctor()
    tap.equal([(name, rows[name]) for name in ("opener socket", "opener", "opener keys", "issuer")],
              [("opener socket", ("ok", f"{opener.socket} is of {owner}, mode 0660; this user may ask there.")),
               ("opener", ("ok", f"It answers on {opener.socket}.")),
               ("opener keys", ("ok", "A key of access.identities opens what clinic-a seals.")),
               ("issuer", ("ok", f"Tokens of {ISSUER}: 1 of its keys can be read."))], "doctor finds the opener well")
    check_doctor_socket(opener, doctor)
    check_doctor_signers(opener, doctor)
    other = opener.recorder.folder / "keys" / "other.key"
    subprocess.run(["age-keygen", "-o", other], check=True, capture_output=True)
    for path, said in ((other.with_name("not-there.key"), "not-there.key"),
                       (other, "No key of access.identities is one of the recipients of clinic-a")):
        row = with_setting(opener.recorder, r"\n    identities = \[[^\]]*\]", f'\n    identities = [ "{path}" ]', doctor)["opener keys"]
        tap.ok(row[0] == "warning" and said in row[1], "doctor says what the keys do not open", row)


def test_keys_by_https(folder):
    """An issuer's keys from a URL: who vouches for it, how often it is asked, and how long they count while it is away."""
    authority, stranger = certificates.make_authority(folder), certificates.make_authority(folder, "stranger")
    good = certificates.make_server(folder, authority, "IP:127.0.0.1")
    elsewhere = certificates.make_server(folder, authority, "DNS:other.example", "elsewhere")
    keys = [Key("ES256", "k1"), Key("ES256", "k2"), Key("ES256", "k3")]
    issuer, wrong = Issuer(good, keys[:1]), Issuer(elsewhere, keys[:1])
    opener = Opener(Recorder(folder / "recorder"), keys)
    file = opener.issuers / "idp.conf"
    text = file.read_text()

    def follow(url, ca=authority[0], **settings):
        more = "".join(f" {name} = {value};" for name, value in settings.items())
        file.write_text(text.replace('"idp.jwks"', f'"{url}"' + (f'; ca_file = "{ca}"' if ca else "")).replace(" };", more + " };"))

    def reload():
        before = opener.log.read_text().count("settings read again")
        os.kill(opener.child.pid, 1)
        poll(lambda: opener.log.read_text().count("settings read again") > before, 5, "the settings to be read again", 0.02)

    def doctor():
        """Its rows, as a user whom no mode of a file lets through that does not mean to."""
        words = ["--config", str(opener.recorder.config), "doctor", "--json"]
        drop = ["setpriv", "--bounding-set=-dac_override,-dac_read_search"] if os.geteuid() == 0 else []
        done = subprocess.run([*drop, program("sealtape"), *words], capture_output=True, text=True, timeout=60, check=False)
        return {row["check"]: (row["result"], row["message"]) for row in json.loads(done.stdout)["checks"]}

    def asks(key=keys[0]):
        answer = opener.ask("GET", "/v1/grants", token=token_of(key, claims_of("keep", "custodian")))
        return answer.status if answer.status == 200 else reason_of(answer)

    unknown = (401, "token-key-unknown")
    for url in ("http://127.0.0.1/jwks", "https://", "ftp://x/jwks"):
        follow(url)
        done = opener.recorder.command("config", "check")
        tap.ok(done.returncode == 1 and "issuer.keys" in done.stderr, f"{url} is no place for keys", done.stderr)
    follow(issuer.url, keys_kept_s=600, keys_away_s=599)
    done = opener.recorder.command("config", "check")
    tap.ok(done.returncode == 1 and "issuer.keys_away_s: must be at least keys_kept_s, 600" in done.stderr,
           "keys that would count for less time than they are kept are refused", done.stderr)
    refused = [("an authority of somebody else's", issuer.url, stranger[0], "no authority that is trusted here vouches for it"),
               ("the system's authorities", issuer.url, None, "no authority that is trusted here vouches for it"),
               ("a certificate of another host", wrong.url, authority[0], "it is for another host")]
    for number, (name, url, ca, said) in enumerate(refused):
        follow(url, ca)
        opener.start() if number == 0 else reload()
        tap.equal(asks(), unknown, f"{name}: no token counts")
        tap.contains(opener.log.read_text().splitlines()[-1], said, "and the log says why")
        row = doctor()["issuer"]
        tap.ok(row[0] == "warning" and said in row[1], "and doctor does", row)
    tap.equal((issuer.n_asked, wrong.n_asked), (0, 0), "and nothing was asked of it")

    follow(issuer.url, keys_kept_s=3600, keys_again_s=2, keys_away_s=3600)
    reload()
    tap.equal([asks() for _ in range(20)], [200] * 20, "with the organisation's own authority they do")
    tap.equal(issuer.n_asked, 1, "and it is asked once")
    check_doctor(opener, doctor)
    issuer.n_asked = 1
    begun = time.monotonic()
    tap.equal({asks(keys[1]) for _ in range(30)}, {unknown}, "a key that it does not have")
    tap.ok(issuer.n_asked <= 2 + (time.monotonic() - begun) / 2, "does not make it be asked more often than the limit", issuer.n_asked)
    issuer.keys = keys[:2]
    poll(lambda: asks(keys[1]) == 200, 10, "a new key to be found at its first use")
    tap.equal(asks(), 200, "beside the old one")

    follow(issuer.url, keys_kept_s=1, keys_again_s=1, keys_away_s=4)
    reload()
    for status in (503, 302):
        issuer.status = status
        before = issuer.n_asked
        poll(lambda before=before: asks() == 200 and issuer.n_asked > before, 3, f"{status}: it to be asked in vain and tokens to count on", 0.05)
        poll(lambda: asks() == unknown, 10, f"{status}: its keys to count no more")
        issuer.status = 200
        poll(lambda: asks() == 200, 10, "tokens to count once it is back")
    issuer.keys = keys[1:2]
    poll(lambda: asks() == unknown, 10, "a key that it took back to count no more")
    tap.equal(asks(keys[1]), 200, "and the other does")
    tap.equal(opener.child.terminate(20), 0, "the opener ends in good order")
    tap.contains(doctor()["opener"][1], "Nobody answers on", "and doctor says that it is away")


if __name__ == "__main__":
    main([test_table, test_tokens, test_keys_by_https, test_export, test_revoked], 140)
