"""A Transit engine, as HashiCorp Vault and OpenBao serve it, so far as an RSA key of one is read and decrypts. Every request is
held against what their API asks for, and what does not fit is noted in `wrong`: method, path, headers, JSON, TLS."""

import base64
import binascii
import datetime
import ipaddress
import json
import re
import ssl
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa

FORM = re.compile(r"vault:v([1-9][0-9]*):([A-Za-z0-9+/]+=*)")
OAEP = padding.OAEP(padding.MGF1(hashes.SHA256()), hashes.SHA256(), None)


def make_authority(folder, name="127.0.0.1", authority="ca"):
    """Writes `ca.pem`, and `server.pem` with a key, for the address. Returns: the authority's file."""
    now = datetime.datetime.utcnow()

    def certificate(subject, key, issuer, issuer_key, extension):
        names = [x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, one)]) for one in (subject, issuer)]
        return (x509.CertificateBuilder().subject_name(names[0]).issuer_name(names[1]).public_key(key.public_key())
                .serial_number(x509.random_serial_number()).not_valid_before(now - datetime.timedelta(1))
                .not_valid_after(now + datetime.timedelta(30)).add_extension(extension, True).sign(issuer_key, hashes.SHA256()))

    own, key = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
    pem = serialization.Encoding.PEM
    (folder / "ca.pem").write_bytes(certificate(authority, own, authority, own, x509.BasicConstraints(True, 0)).public_bytes(pem))
    names = x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address(name))])
    (folder / "server.pem").write_bytes(certificate("vault", key, authority, own, names).public_bytes(pem) + key.private_bytes(
        pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()))
    return folder / "ca.pem"


class _Server(ThreadingHTTPServer):
    def handle_error(self, *_arguments):
        """Who does not take the certificate, or does not wait."""


class TransitFake:
    """`tokens`: token -> paths of policy, as (method, path). `trouble`: None, or what the next answers are instead."""

    def __init__(self, server_pem, mount="seal", port=0, bits=3072):
        self.mount, self.bits = mount, bits
        self.keys = {}  # name -> {version: private key}
        self.types = {}
        self.least = {}  # name -> min_decryption_version
        self.tokens, self.namespace, self.trouble = {}, None, None
        self.requests, self.wrong = [], []
        self.server = _Server(("127.0.0.1", port), type("Handler", (_Handler,), {"fake": self}))
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        context.load_cert_chain(server_pem)
        self.server.socket = context.wrap_socket(self.server.socket, server_side=True, do_handshake_on_connect=False)
        self.port = self.server.server_address[1]
        threading.Thread(target=self.server.serve_forever, args=(0.05,), daemon=True).start()

    def add_key(self, name, kind=None):
        self.keys[name], self.types[name], self.least[name] = {}, kind or f"rsa-{self.bits}", 1
        self.rotate(name)

    def rotate(self, name):
        key = rsa.generate_private_key(65537, self.bits)
        self.keys[name][len(self.keys[name]) + 1] = key

    def allow(self, token, *rights):
        self.tokens[token] = {(method, f"/v1/{self.mount}/{path}") for method, path in rights}

    def describe(self, name):
        keys = {str(version): {"creation_time": "2026-11-01T00:00:00Z", "name": self.types[name], "public_key": key.public_key().public_bytes(
            serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo).decode()}
            for version, key in self.keys[name].items() if version >= self.least[name]}
        return {"name": name, "type": self.types[name], "keys": keys, "latest_version": len(self.keys[name]),
                "min_decryption_version": self.least[name], "min_encryption_version": 0, "exportable": False,
                "allow_plaintext_backup": False, "deletion_allowed": False, "supports_decryption": True}

    def decrypt(self, name, ciphertext):
        """Returns: status and the answer, in the words of Vault's."""
        if name not in self.keys:
            return 400, {"errors": ["encryption key not found"]}
        match = FORM.fullmatch(ciphertext)
        if match is None or int(match[1]) not in self.keys[name]:
            return 400, {"errors": ["invalid ciphertext: no prefix" if match is None else "invalid ciphertext: version is too new"]}
        if int(match[1]) < self.least[name]:
            return 400, {"errors": ["ciphertext or signature version is disallowed by policy (too old)"]}
        try:
            plain = self.keys[name][int(match[1])].decrypt(base64.b64decode(match[2], validate=True), OAEP)
        except (ValueError, binascii.Error):
            return 400, {"errors": ["failed to RSA decrypt the ciphertext: crypto/rsa: decryption error"]}
        return 200, {"data": {"plaintext": base64.b64encode(plain).decode()}}

    def stop(self):
        self.server.shutdown()
        self.server.server_close()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    fake = None

    def log_message(self, *_arguments):
        pass

    def send(self, status, body, headers=()):
        body = body if isinstance(body, bytes) else json.dumps({"request_id": "3f8c", "lease_id": "", **body}).encode()
        self.send_response(status)
        for name, value in (("Content-Type", "application/json"), ("Content-Length", str(len(body))), *headers):
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def expect(self, is_right, what):
        if not is_right:
            self.fake.wrong.append(f"{self.command} {self.path}: {what}")

    def read_request(self):
        """Returns: the JSON of the body, checked."""
        self.expect(isinstance(self.connection, ssl.SSLSocket) and self.connection.version() in ("TLSv1.2", "TLSv1.3"), "no TLS")
        self.expect(self.headers["X-Vault-Request"] == "true", "no X-Vault-Request")
        self.expect(self.headers["X-Vault-Namespace"] == self.fake.namespace, f"namespace {self.headers['X-Vault-Namespace']!r}")
        self.expect(self.headers["Authorization"] is None and "?" not in self.path, "a secret where none belongs")
        raw = self.rfile.read(int(self.headers["Content-Length"] or 0))
        if self.command == "GET":
            return self.expect(raw == b"", "a body")
        self.expect(self.headers["Content-Type"] == "application/json", "no JSON")
        body = json.loads(raw)
        self.expect(set(body) == {"ciphertext"} and FORM.fullmatch(body["ciphertext"]) is not None, f"body {raw[:80]!r}")
        return body

    def answer(self):
        body = self.read_request()
        fake, prefix = self.fake, f"/v1/{self.fake.mount}/"
        fake.requests.append((self.command, self.path))
        if fake.trouble is not None:
            return fake.trouble(self)
        if (self.command, self.path) not in fake.tokens.get(self.headers["X-Vault-Token"], ()):
            return self.send(403, {"errors": ["1 error occurred:\n\t* permission denied\n\n"]})
        operation, _, name = self.path.removeprefix(prefix).partition("/")
        if (self.command, operation) == ("GET", "keys"):
            return self.send(200, {"data": fake.describe(name)}) if name in fake.keys else self.send(404, {"errors": []})
        self.expect((self.command, operation) == ("POST", "decrypt"), "an operation that nobody needs")
        return self.send(*fake.decrypt(name, body["ciphertext"]))

    do_GET = do_POST = do_PUT = do_DELETE = do_LIST = answer


# --- what a vault answers on a bad day: values of `trouble` ---------------------------------------------------------


def errors(status, *sentences, headers=()):
    return lambda handler: handler.send(status, {"errors": list(sentences)}, headers)


def raw(status, body):
    return lambda handler: handler.send(status, body)


def slow(seconds):
    def answer(handler):
        time.sleep(seconds)
        handler.close_connection = True

    return answer
