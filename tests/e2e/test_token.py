#!/usr/bin/python3
"""An organisation whose key lies in a token: SoftHSM, and a module over it that hangs, loses its token and locks itself."""

import json
import os
import pathlib
import re
import shutil
import subprocess
import time

from harness import ORG, Recorder, Sender, age_decrypt, consents, frame_hashes, main, poll, program, stream, tap
from opener import ISSUER, READY, Opener
from peers import media
from peers.children import Child

PIN, SECONDS = "246810", 3
SOFTHSM = "/usr/lib/softhsm/libsofthsm2.so"


class Token:
    """A token of SoftHSM's with a key that was made inside and never leaves."""

    def __init__(self, folder):
        self.folder = folder / "token"
        self.place = self.folder / "tokens"
        self.place.mkdir(parents=True)
        (self.folder / "softhsm2.conf").write_text(f"directories.tokendir = {self.place}\nlog.level = ERROR\n")
        os.environ.update(SOFTHSM2_CONF=str(self.folder / "softhsm2.conf"), TOKEN_FOLDER=str(self.folder))
        self.module = next(path for path in (pathlib.Path(program("sealtape")).parent / "tests" / "token_module.so",) if path.is_file())
        self.pin = self.folder / "pin"
        self.write_pin(PIN)
        subprocess.run(["softhsm2-util", "--init-token", "--free", "--label", "vault", "--pin", PIN, "--so-pin", "13579000"],
                       check=True, capture_output=True)
        self.tool("--login", "--keypairgen", "--key-type", "EC:prime256v1", "--label", "org", "--id", "01", "--usage-derive")
        self.uri = f"pkcs11:token=vault;object=org?module-path={self.module}&pin-source={self.pin}"

    def write_pin(self, pin):
        self.pin.touch(mode=0o600)
        self.pin.write_text(pin + "\n")

    def tool(self, *words):
        subprocess.run(["pkcs11-tool", "--module", SOFTHSM, "--token-label", "vault", "--pin", PIN, *words], check=True, capture_output=True)

    def tell(self, name, is_on=True):
        (self.folder / name).touch() if is_on else (self.folder / name).unlink()

    def calls(self, name):
        path = self.folder / "calls"
        return path.read_text().split().count(name) if path.exists() else 0


def person(name, subject):
    return {"id": name, "role": "provider", "subject": f"{ISSUER}|{subject}", "consents": consents("record-audio", "record-video", "transcribe")}


def helpers(child):
    """The ids of the helpers of a running program, by the 15 characters that the kernel keeps of a name."""
    found = subprocess.run(["ps", "-o", "pid=,comm=", "--ppid", str(child.pid)], capture_output=True, text=True).stdout
    return [int(line.split()[0]) for line in found.splitlines() if "sealtape-keyhel" in line]


def record(folder, recorder):
    """The recorder knows nothing of the token: it has the public half."""
    recorder.environment = {"SOFTHSM2_CONF": "/nowhere", "TOKEN_FOLDER": "/nowhere"}
    recorder.start()
    sound = media.noise(folder, SECONDS, 0x11)
    session = recorder.open_session([person("p1", "doc")], [sound.track("p1-audio", "p1")])
    Sender(folder, [stream(sound, session.ports["p1-audio"])]).finish()
    session.finish()
    recorder.stop()
    return session, sound


def check_transcribe(folder, recorder, token, session):
    """What the token opens is heard, sealed in, and opens through the token again."""
    recorder.start()
    done = recorder.command("transcribe", session.id, "--identity", token.uri)
    tap.equal(done.returncode, 0, f"transcribe opens the sound through the token {done.stderr}")
    words = folder / "words.vtt"
    poll(lambda: session.recover(words, "--transcript", identity=token.uri).returncode == 0, 15, "the transcript to be stored")
    tap.contains(words.read_text(), "heard 4711", "and what was heard opens through it as well")
    recorder.stop()
    token.tell("gone")
    done = recorder.command("transcribe", session.id, "--identity", token.uri)
    tap.ok(done.returncode == 1 and "there is no token `vault`" in done.stderr, "without the token nothing is heard", done.stderr)
    token.tell("gone", False)


def prepare_worker(folder, recorder):
    """Who is recorded may be transcribed, by a worker that has heard if it was given a sound."""
    worker = folder / "worker"
    worker.write_text("#!/usr/bin/python3\nimport sys\nsound = sys.stdin.buffer.read()\n"
                      "print('WEBVTT\\n\\n00:01.000 --> 00:02.000\\nheard 4711\\n' if any(sound[44:]) else 'WEBVTT\\n')\n")
    worker.chmod(0o755)
    path = recorder.folder / "orgs" / f"{ORG}.conf"
    text = path.read_text().replace('purposes = [ "record-audio", "record-video" ];', 'purposes = [ "record-audio", "record-video", "transcribe" ];')
    path.write_text(f'{text}\ntranscription:\n{{\n    command = [ "{worker}" ];\n}};\n')


def wrong_words(text, *words):
    return [word for word in words if word in text]


def check_rotation(recorder, token):
    tap.equal(recorder.command("keys", "new").returncode, 0, "there is a key ring")
    done = recorder.command("keys", "rotate", "--recipient", token.uri)
    tap.equal(done.returncode, 0, f"the token's key takes the organisation's place {done.stderr}")
    tap.contains(done.stdout, "age1tag1", "by its public half")
    tap.equal(token.calls("C_DeriveKey"), 1, "after it has opened a challenge")


def check_recover(folder, recorder, token, session, sound):
    envelope = (session.folder() / "env" / "1.age").read_bytes()
    tap.ok(b"-> p256tag " in envelope and envelope.count(b"-> X25519 ") == 1, "the envelope is sealed to the token and to break-glass")
    done = session.recover(folder / "out.mkv", identity=token.uri)
    tap.equal(done.returncode, 0, f"recover opens it through the token {done.stderr}")
    tap.equal(frame_hashes(folder / "out.mkv", copy=True), frame_hashes(sound.reference, copy=True), "and gives every packet that was sent")
    plain = token.uri.replace(f"module-path={token.module}&", "")
    tap.equal(session.recover(folder / "any.mkv", identity=plain).returncode, 0, "so it does through the modules that p11-kit knows")
    done = session.recover(folder / "no.mkv", identity=recorder.folder / "keys" / "clinic-a.key")
    tap.ok(done.returncode != 0 and not (folder / "no.mkv").exists(), "the key of before opens nothing of it")
    glass = recorder.break_glass_identity
    tap.contains(age_decrypt(envelope, glass).decode(), "AGE-SECRET-KEY-1", "Debian's age passes over the token and opens it with break-glass")
    token.tell("gone")
    done = session.recover(folder / "no.mkv", identity=token.uri)
    tap.equal(done.returncode, 1, "without the token it does not open")
    tap.contains(done.stderr, "there is no token `vault`", "and that is what is said")
    token.tell("gone", False)


def check_page(folder, session, token):
    """docs/recovery.md: how it is opened with a token and without Sealtape."""
    page = (pathlib.Path(__file__).resolve().parents[2] / "docs" / "recovery.md").read_text()
    script = re.search(r"```python\n(.*?)```", page, re.S).group(1)
    (folder / "open.py").write_text(script)
    done = subprocess.run(["/usr/bin/python3", folder / "open.py", SOFTHSM, "vault", "org", session.folder() / "env" / "1.age"],
                          env={**os.environ, "PIN": PIN}, capture_output=True, text=True)
    tap.contains(done.stdout, "AGE-SECRET-KEY-1", f"the page's program opens the envelope through the token {done.stderr[-600:]}")


def media_of(opener, session):
    """Asks for a grant and the media. Returns: status, reason and the body."""
    doc = opener.token("doc", "provider")
    answer = opener.grant(session.id, "TREAT", doc)
    if answer.status == 201:
        answer = opener.ask("GET", f"/v1/grants/{answer.json['grant']}/media", token=doc, timeout_s=60)
    return answer.status, None if answer.status == 200 else answer.json.get("reason"), answer.body


def start_opener(recorder, token, uri=None):
    text = recorder.config.read_text()
    recorder.config.write_text(re.sub(r"identities = \[.*?\];", f'identities = [ "{uri or token.uri}" ];', text))
    return Opener(recorder).start()


def check_opener(recorder, token, session):
    opener = start_opener(recorder, token)
    tap.equal(len(helpers(opener.child)), 1, "the opener has one helper for its token")
    status, reason, body = media_of(opener, session)
    tap.equal((status, reason, body[:4]), (200, None, b"\x1a\x45\xdf\xa3"), "media stream out of the token's key")
    token.tell("gone")
    tap.equal(media_of(opener, session)[:2], (503, "token-unavailable"), "the token is pulled out: said so")
    tap.contains(opener.log.read_text(), "the token was removed", "in one sentence")
    tap.equal(media_of(opener, session)[:2], (503, "token-unavailable"), "and again")
    tap.contains(opener.log.read_text(), "there is no token `vault`", "as long as it is away")
    token.tell("gone", False)
    tap.equal(media_of(opener, session)[0], 200, "it is back, and opens")
    os.kill(helpers(opener.child)[0], 9)
    tap.equal([media_of(opener, session)[0] for _ in range(2)][1], 200, "a helper that was killed comes back")
    aside = token.place.with_suffix(".aside")
    token.place.rename(aside)
    os.kill(helpers(opener.child)[0], 9)
    poll(lambda: media_of(opener, session)[:2] == (503, "token-unavailable"), 10, "SoftHSM's own token to be missed")
    aside.rename(token.place)
    tap.equal(media_of(opener, session)[0], 200, "SoftHSM's own token comes back as well")
    check_hanging(opener, token, session)
    check_secrets(opener, token)
    check_signers(opener, recorder, session)
    opener.child.terminate()
    tap.equal(helpers(opener.child), [], "no helper stays behind")


def check_hanging(opener, token, session):
    before = helpers(opener.child)
    token.tell("hangs")
    began = time.monotonic()
    answer = opener.grant(session.id, "TREAT", opener.token("doc", "provider"))
    took = time.monotonic() - began
    tap.equal((answer.status, answer.json.get("reason")), (503, "token-unavailable"), "a module that hangs is given up")
    tap.ok(9 < took < 16, f"after ten seconds ({took:.1f})")
    tap.contains(opener.log.read_text(), "does not answer", "which is said")
    tap.ok(not any(pathlib.Path(f"/proc/{pid}").exists() for pid in before), "and its process is gone")
    token.tell("hangs", False)
    tap.equal(media_of(opener, session)[0], 200, "and the next one answers")


def check_signers(opener, recorder, session):
    """Whom the key ring does not enrol, the opener does not believe, from that moment on."""
    others, own = ((recorder.folder / "keys" / name).read_text().strip() for name in ("access.pub", "recorder.pub"))
    tap.equal(recorder.command("keys", "enrol", others).returncode, 0, "another program than the recorder is enrolled")
    status, _, body = media_of(opener, session)
    tap.ok(status >= 400 and b"EBML" not in body, "the opener opens nothing of the recorder's then", f"{status} {body[:300]}")
    tap.contains(opener.log.read_text() + body.decode(errors="replace"), "is signed by no program that the key ring", "and says why")
    tap.equal(recorder.command("keys", "enrol", own).returncode, 0, "it is enrolled")
    tap.equal(media_of(opener, session)[0], 200, "and counts again")


def check_secrets(opener, token):
    texts = [opener.log.read_text()]
    for pid in [opener.child.pid, *helpers(opener.child)]:
        texts += [pathlib.Path(f"/proc/{pid}/{name}").read_text(errors="replace") for name in ("cmdline", "environ")]
    tap.ok(not any(PIN in text for text in texts), "the PIN stands in no argument, environment or log")


def run_keys(recorder, token):
    done = recorder.command("keys", "escrow-check", "--identity", token.uri)
    return done.returncode == 0, done.stderr


def run_opener(folder, recorder):
    """Returns: whether it became ready, and its log."""
    child = Child([program("sealtape-accessd"), "--config", recorder.config], folder / "pin.log")
    poll(lambda: not child.is_running() or READY in child.log_text(), 30, "the opener to be ready or to end")
    is_ready, said = child.is_running(), child.log_text()
    child.terminate()
    (folder / "pin.log").unlink()
    return is_ready, said


def check_wrong_pin_of(token, name, start):
    """`start()`: runs a program. Returns: whether the token opened for it, and what it said."""
    token.write_pin("111111")
    before = token.calls("C_Login")
    said = [start() for _ in range(3)]
    tap.equal((token.calls("C_Login") - before, [row[0] for row in said]), (1, [False] * 3), f"{name}: started three times, and one try")
    tap.equal([len(row[1].strip().splitlines()) for row in said], [1, 1, 1], f"{name}: one sentence each")
    tap.contains(said[0][1], "token `vault`: the PIN is wrong", f"{name}: what is wrong")
    tap.contains(said[2][1], "until somebody has logged in with the right one", f"{name}: and how to go on")
    token.write_pin(PIN)
    token.tool("--login", "--list-objects")
    (token.folder / "wrong").unlink()  # our module's own count, which that does not pass
    tap.ok(start()[0], f"{name}: and then it opens")


def check_wrong_pin(folder, recorder, token, session):
    """A PIN is tried once, whoever asks how often."""
    token.write_pin("111111")
    before = token.calls("C_Login")
    said = [session.recover(folder / "no.mkv", identity=token.uri) for _ in range(3)]
    tap.equal([done.returncode for done in said], [1, 1, 1], "a wrong PIN opens nothing")
    tap.equal(token.calls("C_Login") - before, 1, "and is tried once, not three times")
    tap.contains(said[0].stderr, "token `vault`: the PIN is wrong", "which is said, and of which token")
    tap.contains(said[2].stderr, "until somebody has logged in with the right one", "and then how to go on")
    tap.ok(all(len(done.stderr.strip().splitlines()) == 1 for done in said), "in one sentence each")
    token.write_pin(PIN)
    tap.equal(session.recover(folder / "no.mkv", identity=token.uri).returncode, 1, "the right one is not tried either")
    token.tool("--login", "--list-objects")
    (token.folder / "wrong").unlink()
    tap.equal(session.recover(folder / "back.mkv", identity=token.uri).returncode, 0, "until somebody has logged in")
    check_wrong_pin_of(token, "keys", lambda: run_keys(recorder, token))
    check_wrong_pin_of(token, "the opener", lambda: run_opener(folder, recorder))
    (token.folder / "wrong").write_text("xxx")
    done = session.recover(folder / "no.mkv", identity=token.uri)
    tap.contains(done.stderr, "has locked itself after too many wrong PINs", "three wrong PINs by others: one clear sentence")
    (token.folder / "wrong").unlink()


def check_nonsense(folder, token, session):
    rows = [
        ("pin-value", token.uri + "&pin-value=1", "does not belong into a pkcs11: URI"),
        ("no key of that name", token.uri.replace("object=org", "object=other"), "no private key `other`"),
        ("no module", token.uri.replace(str(token.module), "/nowhere.so"), "no PKCS#11 module"),
        ("a module without a path", token.uri.replace(str(token.module), "libsofthsm2.so"), "no absolute path"),
        ("no pin-source", token.uri.split("&")[0], "names no pin-source"),
        ("a relative path", token.uri.replace(f"={token.pin}", "=pin"), "no absolute path"),
        ("no PIN file", token.uri + "x", "No such file"),
    ]
    for name, uri, part in rows:
        done = session.recover(folder / "no.mkv", identity=uri)
        tap.ok(done.returncode == 1 and part.lower() in done.stderr.lower(), f"{name}: refused", done.stderr)
    token.pin.chmod(0o644)
    tap.contains(session.recover(folder / "no.mkv", identity=token.uri).stderr, "chmod 600", "a PIN that others may read is not used")
    token.pin.chmod(0o600)


def check_rewrap(recorder, token, session):
    """Back to a file, by the token's last word."""
    new = recorder.folder / "keys" / "back.key"
    tap.equal(recorder.command("keys", "rotate", "--output", new).returncode, 0, "the key is rotated out of the token")
    token.tell("gone")
    done = recorder.command("keys", "rewrap", "--identity", token.uri, "--identity", new)
    tap.equal(done.returncode, 1, "a rewrap without the token stops")
    token.tell("gone", False)
    done = recorder.command("keys", "rewrap", "--identity", token.uri, "--identity", new)
    tap.contains(done.stdout, "Rotated", f"with it, all is sealed anew {done.stderr}")
    envelope = (session.folder() / "env" / "1.age").read_bytes()
    tap.contains(age_decrypt(envelope, new).decode(), "AGE-SECRET-KEY-1", "and opens with the file, by Debian's age")
    refused = recorder.command("keys", "destroy", "x", "--identity", token.uri)
    tap.contains(refused.stderr, "its own tools", "a key in a token is not shredded here")
    return new


def check_drill(recorder, token, session, new):
    """The break-glass key in a token, in a drawer until it is drilled."""
    token.tool("--login", "--keypairgen", "--key-type", "EC:prime256v1", "--label", "glass", "--id", "02", "--usage-derive")
    glass = token.uri.replace("object=org", "object=glass")
    done = recorder.command("keys", "rotate", "--role", "break-glass", "--recipient", glass)
    tap.equal(done.returncode, 0, f"another key of the token is for break-glass {done.stderr}")
    refused = recorder.command("keys", "drill", session.id, "--identity", glass)
    tap.ok(refused.returncode != 0, "a drill of what is not sealed to it yet does not pass", refused.stdout)
    done = recorder.command("keys", "rewrap", "--identity", new, "--identity", glass)
    tap.contains(done.stdout, "Rotated", f"the recordings are sealed to it {done.stderr}")
    token.tell("gone")
    refused = recorder.command("keys", "drill", session.id, "--identity", glass)
    tap.ok(refused.returncode == 1 and "there is no token `vault`" in refused.stderr, "nor one without the token", refused.stderr)
    token.tell("gone", False)
    before = token.calls("C_DeriveKey")
    done = recorder.command("keys", "drill", session.id, "--identity", glass, "--json")
    tap.equal(json.loads(done.stdout or "{}").get("tracks_opened"), 2, f"the drill opens sound and transcript through the token {done.stderr}")
    tap.ok(token.calls("C_DeriveKey") > before, "by the token's own operation")
    rows = json.loads(recorder.command("keys", "list", "--json").stdout)["keys"]
    drilled = [row["drilled"] for row in rows if row["role"] == "break-glass" and row["state"] == "active"]
    tap.ok(len(drilled) == 1 and drilled[0], "and the ring remembers when", rows)


def run(folder):
    recorder = Recorder(folder / "recorder")
    token = Token(folder)
    check_rotation(recorder, token)
    prepare_worker(folder, recorder)
    session, sound = record(folder, recorder)
    check_recover(folder, recorder, token, session, sound)
    check_page(folder, session, token)
    check_transcribe(folder, recorder, token, session)
    check_opener(recorder, token, session)
    check_wrong_pin(folder, recorder, token, session)
    check_nonsense(folder, token, session)
    new = check_rewrap(recorder, token, session)
    check_drill(recorder, token, session, new)


if __name__ == "__main__":
    main([run], 200)
