"""An S3 store of ours, driven line by line (tests/s3/s3_drive.c)."""

import hashlib
import os
import subprocess

from harness import program


def body(text):
    """The bytes that `<letter>*<count>` stands for."""
    return text[0].encode() * int(text[2:])


def told(text):
    """What `get` answers for them."""
    return f"ok {len(body(text))} {hashlib.sha256(body(text)).hexdigest()}"


def write_key(folder, access_key, secret, token=None, name="s3.credentials"):
    path = folder / name
    lines = [f"aws_access_key_id = {access_key}", f"aws_secret_access_key = {secret}"]
    path.write_text("[default]\n" + "\n".join(lines + ([f"aws_session_token={token}"] if token else [])) + "\n")
    path.chmod(0o600)
    return path


class Store:
    """One driver process; `ask` returns its answer to a command."""

    def __init__(self, environment=None, **options):
        arguments = [f"{name}={value}" for name, value in options.items() if value is not None]
        self.process = subprocess.Popen([program("tests/s3/s3_drive"), *arguments], text=True, stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environment or os.environ)
        self.opened = self.process.stdout.readline().strip()

    def say(self, command):
        self.process.stdin.write(command + "\n")
        self.process.stdin.flush()

    def hear(self):
        return self.process.stdout.readline().strip()

    def ask(self, command):
        self.say(command)
        return self.hear()

    def close(self):
        """Returns the exit status and what it logged."""
        try:
            _, logged = self.process.communicate(timeout=60)
        except subprocess.TimeoutExpired:
            self.process.kill()
            _, logged = self.process.communicate()
        return self.process.returncode, logged

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.close()
