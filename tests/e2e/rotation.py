"""A store full of recorded sessions' envelopes, and a `sealtape keys rewrap` that is killed again and again: for the test
of rotation in the check, and for `make rotation` with ten thousand sessions in a bucket."""

import hashlib
import json
import random
import secrets
import subprocess
import time

import p256tag
from harness import ORG, program

KEY = "AGE-SECRET-KEY-1GFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPQ4EGAEX\n"


def names(count):
    return [f"old-{i:05d}" for i in range(count)]


def objects(sessions, recipients):
    """Name and content of each session's envelope and metadata."""
    for session in sessions:
        for name, place in (("env/1.age", f"sealtape-envelope {ORG} {session} 1"), ("meta.age", f"sealtape-meta {ORG} {session}")):
            text = f"# track p1-audio\n{KEY}" if name != "meta.age" else json.dumps({"session": session})
            yield f"{ORG}/{session}/{name}", p256tag.seal_in_place(place, recipients, text.encode())


def rewrap(config, identities, *more):
    command = [program("sealtape"), "--config", str(config), "keys", "rewrap", "--json", *more]
    for identity in identities:
        command += ["--identity", str(identity)]
    return subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def is_sealed_to(content, recipient):
    """Whether its header names the recipient."""
    return hashlib.sha256(recipient.encode()).hexdigest()[:16].encode() in content[:2000]


class Killed:
    """Runs rewrap, kills it `kills` times at random moments, then lets it end. `whole_s`: what a run takes, guessed; on a
    machine so slow that no killed run got anywhere, as `has_begun()` says, they get longer."""

    def __init__(self, config, identities, kills, whole_s, has_begun=lambda: True, seed=None):
        self.seed = seed if seed is not None else secrets.randbits(32)
        chance = random.Random(self.seed)
        self.kills = 0
        runs = 0
        while runs < kills or (runs < 3 * kills and not has_begun()):
            runs += 1
            whole_s *= 1 if runs <= kills else 2
            child = rewrap(config, identities)
            try:
                child.communicate(timeout=chance.uniform(0.02, whole_s / (kills + 1)))
            except subprocess.TimeoutExpired:
                child.kill()
                child.communicate()
                self.kills += 1
        began = time.monotonic()
        child = rewrap(config, identities)
        out, self.errors = child.communicate(timeout=1800)
        self.seconds, self.status = time.monotonic() - began, child.returncode
        self.report = json.loads(out) if out.startswith("{") else {"unexpected": out}


def opens(sealed, identity):
    """By Debian's age."""
    return subprocess.run(["age", "-d", "-i", str(identity)], input=sealed, capture_output=True, check=False).returncode == 0
