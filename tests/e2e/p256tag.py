"""The p256tag recipient type of c2sp.org/age, written from the specification and RFC 9180 alone, on Debian's
`cryptography`: a second implementation for ours to be held against, until Debian's age knows it."""
import base64
import hashlib
import hmac
import os

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, x25519
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305

INFO = b"age-encryption.org/p256tag"
ALPHABET = "qpzry9x8gf2tvdw0s3jn54khce6mua7l"
CURVE = ec.SECP256R1()


def _polymod(values):
    check = 1
    for value in values:
        top = check >> 25
        check = (check & 0x1ffffff) << 5 ^ value
        for i, factor in enumerate((0x3b6a57b2, 0x26508e6d, 0x1ea119fa, 0x3d4233dd, 0x2a1462b3)):
            check ^= factor if top >> i & 1 else 0
    return check


def bech32(prefix, data):
    bits, count, words = 0, 0, []
    for byte in data:
        bits, count = bits << 8 | byte, count + 8
        while count >= 5:
            count -= 5
            words.append(bits >> count & 31)
    if count:
        words.append(bits << (5 - count) & 31)
    expanded = [ord(c) >> 5 for c in prefix] + [0] + [ord(c) & 31 for c in prefix]
    check = _polymod(expanded + words + [0] * 6) ^ 1
    words += [check >> 5 * (5 - i) & 31 for i in range(6)]
    return prefix + "1" + "".join(ALPHABET[word] for word in words)


def _extract(salt, key):
    return hmac.new(salt, key, hashlib.sha256).digest()


def _labeled_extract(suite, salt, label, key):
    return _extract(salt, b"HPKE-v1" + suite + label + key)


def _labeled_expand(suite, key, label, info, length):
    return hmac.new(key, length.to_bytes(2, "big") + b"HPKE-v1" + suite + label + info + b"\x01",
                    hashlib.sha256).digest()[:length]


def _schedule(shared, enc, recipient):
    kem, suite = b"KEM\x00\x10", b"HPKE\x00\x10\x00\x01\x00\x03"
    secret = _labeled_expand(kem, _labeled_extract(kem, b"", b"eae_prk", shared), b"shared_secret", enc + recipient, 32)
    context = (b"\x00" + _labeled_extract(suite, b"", b"psk_id_hash", b"") +
               _labeled_extract(suite, b"", b"info_hash", INFO))
    inner = _labeled_extract(suite, secret, b"secret", b"")
    return _labeled_expand(suite, inner, b"key", context, 32), _labeled_expand(suite, inner, b"base_nonce", context, 12)


def _point(key, form):
    return key.public_bytes(serialization.Encoding.X962, form)


def recipient_text(public):
    return bech32("age1tag", _point(public, serialization.PublicFormat.CompressedPoint))


def _b64(data):
    return base64.b64encode(data).rstrip(b"=")


def _b64_lines(data):
    text = _b64(data)
    return b"".join(text[i:i + 64] + b"\n" for i in range(0, len(text), 64)) + (b"\n" if len(text) % 64 == 0 else b"")


def _hkdf(key, salt, info):
    return hmac.new(_extract(salt or bytes(32), key), info + b"\x01", hashlib.sha256).digest()


def seal(public, plaintext):
    """An age file of less than 64 KiB for the one recipient."""
    file_key = os.urandom(16)
    return _finish(file_key, b"age-encryption.org/v1\n" + _stanza(public, file_key), plaintext)


def _stanza(public, file_key):
    ephemeral = ec.generate_private_key(CURVE)
    uncompressed = serialization.PublicFormat.UncompressedPoint
    enc, own = _point(ephemeral.public_key(), uncompressed), _point(public, uncompressed)
    key, nonce = _schedule(ephemeral.exchange(ec.ECDH(), public), enc, own)
    compressed = _point(public, serialization.PublicFormat.CompressedPoint)
    tag = _extract(INFO, enc + hashlib.sha256(compressed).digest()[:4])[:4]
    return (b"-> p256tag " + _b64(tag) + b" " + _b64(enc) + b"\n" +
            _b64_lines(ChaCha20Poly1305(key).encrypt(nonce, file_key, b"")))


def _finish(file_key, stanzas, plaintext):
    header = stanzas + b"---"
    mac = hmac.new(_hkdf(file_key, b"", b"header"), header, hashlib.sha256).digest()
    salt = os.urandom(16)
    body = ChaCha20Poly1305(_hkdf(file_key, salt, b"payload")).encrypt(bytes(11) + b"\x01", plaintext, b"")
    return header + b" " + _b64(mac) + b"\n" + salt + body


def _x25519_stanza(recipient, file_key):
    """`recipient`: 32 bytes."""
    ephemeral = x25519.X25519PrivateKey.generate()
    share = ephemeral.public_key().public_bytes(serialization.Encoding.Raw, serialization.PublicFormat.Raw)
    shared = ephemeral.exchange(x25519.X25519PublicKey.from_public_bytes(recipient))
    key = _hkdf(shared, share + recipient, b"age-encryption.org/v1/X25519")
    return b"-> X25519 " + _b64(share) + b"\n" + _b64_lines(ChaCha20Poly1305(key).encrypt(bytes(12), file_key, b""))


def unbech32(text):
    """The bytes of an age recipient; its checksum is others' to check."""
    bits, count, data = 0, 0, b""
    for character in text[text.rindex("1") + 1:-6]:
        bits, count = bits << 5 | ALPHABET.index(character), count + 5
        if count >= 8:
            count -= 8
            data += bytes([bits >> count & 255])
    return data


def seal_in_place(place, recipients, plaintext):
    """An age file that says where it belongs, for X25519 recipients (`age1...`): an envelope without the list of whom it
    is for, as they were before there was one."""
    file_key = os.urandom(16)
    stanzas = b"age-encryption.org/v1\n-> " + place.encode() + b"\n\n"
    for recipient in recipients:
        stanzas += _x25519_stanza(unbech32(recipient), file_key)
    return _finish(file_key, stanzas, plaintext)


def open_stanza(words, body, private):
    """`words`: of a p256tag stanza, its type first. Returns the file key, None where it is for somebody else."""
    def decode(text):
        return base64.b64decode(text + "=" * (-len(text) % 4))
    tag, enc = decode(words[1]), decode(words[2])
    public = private.public_key()
    compressed = _point(public, serialization.PublicFormat.CompressedPoint)
    if _extract(INFO, enc + hashlib.sha256(compressed).digest()[:4])[:4] != tag:
        return None
    peer = ec.EllipticCurvePublicKey.from_encoded_point(CURVE, enc)
    key, nonce = _schedule(private.exchange(ec.ECDH(), peer), enc,
                           _point(public, serialization.PublicFormat.UncompressedPoint))
    return ChaCha20Poly1305(key).decrypt(nonce, body, b"")
