#!/usr/bin/python3
"""An organisation whose key a Transit engine keeps (HashiCorp Vault, OpenBao), by a stand-in that holds each request against the API."""

import base64
import os
import pathlib
import re
import subprocess
import time

from harness import Recorder, Sender, age_decrypt, consents, frame_hashes, main, stream, tap
from opener import ISSUER, Opener
from peers import media

from fakes.transit_fake import TransitFake, errors, make_authority, raw, slow

SECONDS, SECRET = 3, "hvs.CAESIJwkZ3f9T-secret"
READ, DECRYPT = ("GET", "keys/org"), ("POST", "decrypt/org")


class Vault:
    """The stand-in with a key, and the URI of who may open with it."""

    def __init__(self, folder):
        self.folder = folder / "vault"
        self.folder.mkdir()
        self.authority = make_authority(self.folder)
        self.fake = TransitFake(self.folder / "server.pem")
        self.fake.add_key("org")
        self.fake.allow(SECRET, READ, DECRYPT)
        self.token = self.folder / "token"
        self.write_token(SECRET)
        self.uri = f"transit:https://127.0.0.1:{self.fake.port}/seal/org?token-source={self.token}&ca-file={self.authority}"

    def write_token(self, token):
        self.token.touch(mode=0o600)
        self.token.write_text(token + "\n")


def person(name, subject):
    return {"id": name, "role": "provider", "subject": f"{ISSUER}|{subject}", "consents": consents("record-audio", "record-video")}


def record(folder, recorder, name):
    (folder / name).mkdir()
    sound = media.noise(folder / name, SECONDS, 0x11)
    session = recorder.open_session([person("p1", "doc")], [sound.track("p1-audio", "p1")])
    Sender(folder / name, [stream(sound, session.ports["p1-audio"])]).finish()
    session.finish()
    return session, sound


def envelope_of(session):
    return (session.folder() / "env" / "1.age").read_bytes()


def check_seal(folder, recorder, vault):
    """The recorder has the public half, and asks nobody."""
    tap.equal(recorder.command("keys", "new").returncode, 0, "there is a key ring")
    done = recorder.command("keys", "rotate", "--recipient", vault.uri)
    tap.equal(done.returncode, 0, f"the vault's key takes the organisation's place {done.stderr}")
    tap.equal(vault.fake.requests, [("GET", "/v1/seal/keys/org"), ("POST", "/v1/seal/decrypt/org")], "after it was read and has opened a challenge")
    vault.fake.trouble = errors(503, "Vault is sealed")
    recorder.start()
    session, sound = record(folder, recorder, "first")
    vault.fake.trouble = None
    tap.equal(len(vault.fake.requests), 2, "a recorder seals without asking, while the vault is sealed itself")
    tap.ok(b"-> vault-transit " in envelope_of(session) and envelope_of(session).count(b"-> X25519 ") == 1, "to the vault and to break-glass")
    return session, sound


def check_recover(folder, recorder, vault, session, sound):
    done = session.recover(folder / "out.mkv", identity=vault.uri)
    tap.equal(done.returncode, 0, f"recover opens it through the vault {done.stderr}")
    tap.equal(frame_hashes(folder / "out.mkv", copy=True), frame_hashes(sound.reference, copy=True), "and gives every packet that was sent")
    tap.contains(age_decrypt(envelope_of(session), recorder.break_glass_identity).decode(), "AGE-SECRET-KEY-1",
                 "Debian's age passes over the vault and opens it with break-glass")


def check_page(folder, vault, session):
    """docs/recovery.md: how it is opened by the vault and without Sealtape. `vault` stands for the vault's own program."""
    page = (pathlib.Path(__file__).resolve().parents[2] / "docs" / "recovery.md").read_text()
    (folder / "open.py").write_text(re.search(r"## With a key in a vault.*?```python\n(.*?)```", page, re.S).group(1))
    version, sealed = re.search(rb"-> vault-transit \S+ (\d+)\n((?:[A-Za-z0-9+/]+\n)+)", envelope_of(session)).groups()
    text = sealed.replace(b"\n", b"").decode()
    status, answer = vault.fake.decrypt("org", f"vault:v{version.decode()}:{text + '=' * (-len(text) % 4)}")
    tap.equal(status, 200, "the stanza's body is what the vault calls its ciphertext")
    tool = folder / "bin" / "vault"
    tool.parent.mkdir()
    tool.write_text(f'#!/bin/sh\n[ "$*" = "write -field=plaintext seal/decrypt/org ciphertext=vault:v{version.decode()}:'
                    f'{text + "=" * (-len(text) % 4)}" ] && echo {answer.get("data", {}).get("plaintext")}\n')
    tool.chmod(0o755)
    done = subprocess.run(["/usr/bin/python3", folder / "open.py", "seal", "org", session.folder() / "env" / "1.age"], capture_output=True, text=True,
                          env={**os.environ, "PATH": f"{tool.parent}:{os.environ['PATH']}"})
    tap.contains(done.stdout, "AGE-SECRET-KEY-1", f"the page's program opens the envelope {done.stderr[-600:]}")


def media_of(opener, session):
    doc = opener.token("doc", "provider")
    answer = opener.grant(session.id, "TREAT", doc)
    if answer.status == 201:
        answer = opener.ask("GET", f"/v1/grants/{answer.json['grant']}/media", token=doc, timeout_s=60)
    return answer.status, None if answer.status == 200 else answer.json.get("reason"), answer.body


def check_opener(recorder, vault, session):
    text = recorder.config.read_text()
    recorder.config.write_text(re.sub(r"identities = \[.*?\];", f'identities = [ "{vault.uri}" ];', text))
    opener = Opener(recorder).start()
    status, reason, body = media_of(opener, session)
    tap.equal((status, reason, body[:4]), (200, None, b"\x1a\x45\xdf\xa3"), "media stream out of the vault's key")
    rows = [
        ("sealed", errors(503, "Vault is sealed"), "the vault is sealed"),
        ("limited", errors(429, "request path \"seal/decrypt/org\": rate limit quota exceeded", headers=[("Retry-After", "1")]), "asked too often"),
        ("refused", errors(403, "permission denied"), "the token is refused"),
    ]
    for name, trouble, part in rows:
        vault.fake.trouble = trouble
        tap.equal(media_of(opener, session)[:2], (503, "token-unavailable"), f"{name}: it says that the keys are away")
        tap.contains(opener.log.read_text(), part, "and the log why")
    vault.fake.trouble = None
    tap.equal(media_of(opener, session)[0], 200, "and it opens as soon as they are back")
    vault.write_token("hvs.renewed")
    vault.fake.allow("hvs.renewed", READ, DECRYPT)
    vault.fake.tokens.pop(SECRET)
    tap.equal(media_of(opener, session)[0], 200, "a token that was renewed in its file is taken from there")
    texts = [opener.log.read_text()] + [pathlib.Path(f"/proc/{opener.child.pid}/{name}").read_text(errors="replace") for name in ("cmdline", "environ")]
    tap.ok(not any(word in one for one in texts for word in (SECRET, "hvs.renewed")), "the token stands in no argument, environment or log")
    opener.child.terminate()
    vault.write_token(SECRET)
    vault.fake.allow(SECRET, READ, DECRYPT)


def check_troubles(folder, vault, session):
    """Each is one sentence, and nothing is opened."""
    key, plain = vault.fake.describe("org"), base64.b64encode(b"0123456789abcdef").decode()
    small = {**key, "keys": {"1": {**key["keys"]["1"], "public_key": "-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n"}}}
    rows = [
        ("no such key", errors(404), "no such key"),
        ("a standby", errors(307, headers=[("Location", "https://10.0.0.1:8200/v1/seal/keys/org")]), "points to another node"),
        ("a failure", errors(500, "internal error"), "the vault failed"),
        ("a proxy's page", raw(200, b"<html>login</html>"), "none of a vault's"),
        ("an answer without end", raw(200, b"[" * 300000), "too long"),
        ("a key cut short", raw(200, b'{"data":{"latest_version":1'), "none of a vault's"),
        ("no data", raw(200, b'{"data":[]}'), "no key of a Transit engine's"),
        ("a version of none", lambda handler: handler.send(200, {"data": {**key, "latest_version": -4}}), "no key of a Transit engine's"),
        ("a key that is none", lambda handler: handler.send(200, {"data": small}), "rsa-3072 or rsa-4096"),
        ("another key's plaintext", lambda handler: handler.send(200, {"data": key if handler.command == "GET" else {"plaintext": plain}}), ""),
        ("a short plaintext", lambda handler: handler.send(200, {"data": key if handler.command == "GET" else {"plaintext": "AAAA"}}), "no file key"),
        ("a plaintext of nonsense", lambda handler: handler.send(200, {"data": key if handler.command == "GET" else {"plaintext": "@"}}), "no plaintext"),
    ]
    for name, trouble, part in rows:
        vault.fake.trouble = trouble
        done = session.recover(folder / "no.mkv", identity=vault.uri)
        tap.ok(done.returncode == 1 and part.lower() in done.stderr.lower() and len(done.stderr.strip().splitlines()) == 1, f"{name}: one sentence",
               f"{done.returncode} {done.stderr}")
    vault.fake.trouble = slow(20)
    began = time.monotonic()
    done = session.recover(folder / "no.mkv", identity=vault.uri)
    tap.ok(done.returncode == 1 and 9 < time.monotonic() - began < 14, f"a vault that does not answer is given up after ten seconds ({done.stderr})")
    vault.fake.trouble = None
    tap.ok(not (folder / "no.mkv").exists(), "none of them opened anything")


def check_nonsense(folder, vault, session):
    other = folder / "other"
    other.mkdir()
    make_authority(other, authority="another")
    plain = vault.uri.replace("https:", "http:")
    rows = [
        ("without TLS", plain, "https://"),
        ("another authority's", vault.uri.replace(str(vault.authority), str(other / "ca.pem")), "certificate"),
        ("the system's authorities", vault.uri.split("&")[0], "certificate"),
        ("no token-source", vault.uri.split("?")[0], "names no token-source"),
        ("a token in the URI", vault.uri + "&token=hvs.1", "not known"),
        ("no key", vault.uri.replace("/seal/org", "/org"), "no mount and key"),
        ("a way out", vault.uri.replace("/seal/org", "/seal/../sys"), "no mount and key"),
        ("no token file", vault.uri.replace(str(vault.token), "/nowhere/token"), "No such file"),
        ("no such key", vault.uri.replace("/seal/org", "/seal/other"), "the token is refused"),
    ]
    for name, uri, part in rows:
        done = session.recover(folder / "no.mkv", identity=uri)
        tap.ok(done.returncode == 1 and part.lower() in done.stderr.lower(), f"{name}: refused", done.stderr)
    vault.token.chmod(0o644)
    tap.contains(session.recover(folder / "no.mkv", identity=vault.uri).stderr, "chmod 600", "a token that others may read is not used")
    vault.token.chmod(0o600)
    vault.write_token("two words")
    tap.contains(session.recover(folder / "no.mkv", identity=vault.uri).stderr, "one word", "what is no token is not sent")
    vault.write_token(SECRET)


def check_versions(folder, recorder, vault, session):
    """The vault rotates its key, the organisation follows, and what was sealed to the old version is re-wrapped."""
    vault.fake.rotate("org")
    done = recorder.command("keys", "rotate", "--recipient", vault.uri)
    tap.equal(done.returncode, 0, f"the newest version becomes the key {done.stderr}")
    tap.equal(session.recover(folder / "old.mkv", identity=vault.uri).returncode, 0, "what was sealed to the old version opens by the same name")
    done = recorder.command("keys", "rewrap", "--identity", vault.uri, "--identity", recorder.break_glass_identity)
    tap.contains(done.stdout, "Rotated", f"all is sealed anew {done.stderr}")
    tap.ok(re.search(rb"-> vault-transit \S+ 2\n", envelope_of(session)) and not re.search(rb"vault-transit \S+ 1\n", envelope_of(session)), "to the new version alone")
    vault.fake.least["org"] = 2
    tap.equal(session.recover(folder / "new.mkv", identity=vault.uri).returncode, 0, "and opens once the vault has given up the old one")
    refused = recorder.command("keys", "destroy", "x", "--identity", vault.uri)
    tap.contains(refused.stderr, "its own tools", "a key in a vault is not shredded here")


def run(folder):
    recorder = Recorder(folder / "recorder")
    vault = Vault(folder)
    session, sound = check_seal(folder, recorder, vault)
    recorder.stop()
    check_recover(folder, recorder, vault, session, sound)
    check_page(folder, vault, session)
    check_opener(recorder, vault, session)
    check_troubles(folder, vault, session)
    check_nonsense(folder, vault, session)
    check_versions(folder, recorder, vault, session)
    tap.equal(vault.fake.wrong, [], "each request was as the API has it")


if __name__ == "__main__":
    main([run], 200)
