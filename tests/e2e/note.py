"""C2SP signed notes with openssl's Ed25519, apart from Sealtape's own code: to check its manifests, and to forge
them as somebody who stole the recorder's signing key could."""

import base64
import hashlib
import pathlib
import subprocess

_PRIVATE = bytes.fromhex("302e020100300506032b657004220420")  # PKCS 8 before a seed
_PUBLIC = bytes.fromhex("302a300506032b6570032100")  # SubjectPublicKeyInfo before a key


class Note:
    """One note: its text, and its signatures as (key name, key id, signature)."""

    def __init__(self, content):
        text, _, signatures = content.partition("\n\n")
        self.text = text + "\n"
        self.signatures = []
        for line in signatures.splitlines():
            dash, name, encoded = line.split(" ")
            raw = base64.b64decode(encoded, validate=True)
            if dash != "—" or len(raw) != 68:
                raise ValueError(f"no signature: {line}")
            self.signatures.append((name, raw[:4], raw[4:]))


def is_signed_by(note, verifier_key, folder):
    """Whether a `name+id+base64` key has signed the note."""
    name, key_id, encoded = verifier_key.strip().split("+", 2)
    key = base64.b64decode(encoded)
    if key[0] != 1 or hashlib.sha256(name.encode() + b"\n" + key).digest()[:4].hex() != key_id:
        raise ValueError("no verifier key")
    for signer, signer_id, signature in note.signatures:
        if (signer, signer_id.hex()) == (name, key_id):
            pem = _pem(folder, "public.pem", "PUBLIC KEY", _PUBLIC + key[1:])
            (folder / "signature").write_bytes(signature)
            return _openssl(folder, note.text, "-verify", "-pubin", "-inkey", pem, "-sigfile", folder / "signature")
    return False


def sign(text, signing_key, folder):
    """The whole note, signed with a `PRIVATE+KEY+name+id+base64`."""
    _, _, name, key_id, encoded = signing_key.strip().split("+", 4)
    pem = _pem(folder, "private.pem", "PRIVATE KEY", _PRIVATE + base64.b64decode(encoded)[1:])
    if not _openssl(folder, text, "-sign", "-inkey", pem, "-out", folder / "signature"):
        raise RuntimeError("openssl did not sign")
    signature = bytes.fromhex(key_id) + (folder / "signature").read_bytes()
    return f"{text}\n— {name} {base64.b64encode(signature).decode()}\n"


def forge(paths, edit, signing_key, folder):
    """Passes each part's text through `edit` and chains and signs all of them anew."""
    previous = "-"
    for path in paths:
        lines = edit(Note(path.read_text()).text).split("\n")
        lines = [f"prev {previous}" if line.startswith("prev ") else line for line in lines]
        path.write_text(sign("\n".join(lines), signing_key, folder))
        previous = hashlib.sha256(path.read_bytes()).hexdigest()


def _pem(folder, name, label, der):
    path = pathlib.Path(folder) / name
    path.touch(mode=0o600)
    path.write_text(f"-----BEGIN {label}-----\n{base64.b64encode(der).decode()}\n-----END {label}-----\n")
    return path


def _openssl(folder, text, *arguments):
    message = pathlib.Path(folder) / "message"
    message.write_bytes(text.encode())
    command = ["openssl", "pkeyutl", "-rawin", "-in", message, *arguments]
    return subprocess.run(list(map(str, command)), capture_output=True, timeout=20).returncode == 0
