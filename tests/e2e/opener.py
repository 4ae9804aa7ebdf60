"""An opener beside a recorder of the tests' own, an issuer of tokens, and people who ask."""

import base64
import http.client
import json
import os
import socket
import time

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from harness import Answer, _UnixConnection, program
from peers.children import Child, poll

ISSUER = "https://idp.example"
AUDIENCE = "sealtape"
READY = "ready: access API"


def b64(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def number(value, size=None):
    return b64(value.to_bytes(size or (value.bit_length() + 7) // 8, "big"))


class Key:
    """A signing key of an issuer, and its public half as a JWK."""

    def __init__(self, algorithm, kid):
        self.algorithm, self.kid = algorithm, kid
        if algorithm[:2] in ("RS", "PS"):
            self.private = rsa.generate_private_key(65537, 2048)
            numbers = self.private.public_key().public_numbers()
            self.jwk = {"kty": "RSA", "n": number(numbers.n), "e": number(numbers.e)}
        elif algorithm[:2] == "ES":
            curve, name = {"ES256": (ec.SECP256R1(), "P-256"), "ES384": (ec.SECP384R1(), "P-384"),
                           "ES512": (ec.SECP521R1(), "P-521")}[algorithm]
            self.private = ec.generate_private_key(curve)
            self.size = (curve.key_size + 7) // 8
            numbers = self.private.public_key().public_numbers()
            self.jwk = {"kty": "EC", "crv": name, "x": number(numbers.x, self.size), "y": number(numbers.y, self.size)}
        else:
            self.private = ed25519.Ed25519PrivateKey.generate()
            raw = self.private.public_key().public_bytes(serialization.Encoding.Raw, serialization.PublicFormat.Raw)
            self.jwk = {"kty": "OKP", "crv": "Ed25519", "x": b64(raw)}
        self.jwk.update({"kid": kid, "use": "sig"})

    def sign(self, data):
        digest = {"256": hashes.SHA256(), "384": hashes.SHA384(), "512": hashes.SHA512()}.get(self.algorithm[2:])
        if self.algorithm.startswith("RS"):
            return self.private.sign(data, padding.PKCS1v15(), digest)
        if self.algorithm.startswith("PS"):
            return self.private.sign(data, padding.PSS(padding.MGF1(digest), digest.digest_size), digest)
        if self.algorithm.startswith("ES"):
            r, s = decode_dss_signature(self.private.sign(data, ec.ECDSA(digest)))
            return r.to_bytes(self.size, "big") + s.to_bytes(self.size, "big")
        return self.private.sign(data)


def claims_of(subject, *roles, **more):
    now = int(time.time())
    return {"iss": ISSUER, "aud": AUDIENCE, "sub": subject, "iat": now, "exp": now + 600, "jti": f"{subject}-{now}",
            "roles": list(roles), "tenant": "a", "amr": ["pwd", "otp"], "auth_time": now, **more}


def token_of(key, claims, header=None):
    """`claims`: a dict, or the payload's text as it is."""
    head = {"alg": key.algorithm, "kid": key.kid, "typ": "at+jwt", **(header or {})}
    text = claims if isinstance(claims, str) else json.dumps(claims)
    signed = f"{b64(json.dumps(head).encode())}.{b64(text.encode())}"
    return f"{signed}.{b64(key.sign(signed.encode()))}"


class Opener:
    """The opener of a recorder's installation."""

    def __init__(self, recorder, keys=(), access="", issuer=""):
        self.recorder = recorder
        self.keys = list(keys) or [Key("ES256", "k1")]
        self.socket = recorder.folder / "run" / "access.sock"
        self.log = recorder.folder.parent / "accessd.log"
        self.org_file = recorder.folder / "orgs" / f"{recorder.org}.conf"
        self.issuers = recorder.folder / "issuers"
        self.issuers.mkdir(exist_ok=True)
        self.write_keys()
        (self.issuers / "idp.conf").write_text(
            f'issuer: {{ issuer = "{ISSUER}"; audiences = [ "{AUDIENCE}" ]; keys = "idp.jwks"; role_claim = "roles";\n'
            'roles = [ "provider=provider", "client=client", "admin=admin", "auditor=auditor", "custodian=custodian", '
            '"transcriber=transcriber" ];\n'
            f'org_claim = "tenant"; org_value = "a"; acr = [ "urn:mfa" ]; amr = [ "otp" ]; {issuer} }};\n'
        )
        self.org_text = self.org_file.read_text() + '\nissuers = [ "../issuers/idp.conf" ];\n'
        self.write_access(access)
        self.child = None

    def write_keys(self):
        keys = {"keys": [key.jwk for key in self.keys]}
        (self.issuers / "idp.jwks").write_text(json.dumps(keys))

    def write_access(self, access):
        self.org_file.write_text(self.org_text + f"access: {{ {access} }};\n")

    def start(self, before=()):
        n_before = self.log.read_text().count(READY) if self.log.exists() else 0
        self.child = Child([*before, program("sealtape-accessd"), "--config", self.recorder.config], self.log)

        def is_ready():
            if not self.child.is_running():
                raise RuntimeError("sealtape-accessd ended:\n" + self.child.log_text()[-3000:])
            return self.child.log_text().count(READY) > n_before

        poll(is_ready, 20, "the opener to be ready")
        return self

    def ask(self, method, path, body=None, token=None, headers=None, timeout_s=20):
        headers = dict(headers or {})
        if token is not None:
            headers["Authorization"] = "Bearer " + token
        connection = _UnixConnection(str(self.socket), timeout_s)
        if body is not None:
            body = json.dumps(body).encode()
            headers.setdefault("Content-Type", "application/json")
        try:
            connection.request(method, path, body, headers)
            answer = connection.getresponse()
            return Answer(answer.status, answer.headers, answer.read())
        finally:
            connection.close()

    def token(self, subject, *roles, **more):
        return token_of(self.keys[0], claims_of(subject, *roles, **more))

    def grant(self, session, purpose, token=None, **more):
        return self.ask("POST", "/v1/grants", {"session": session, "purpose": purpose, **more}, token)

    def stream(self, path, token=None):
        """Begins to read an answer. Returns: the connection and its answer, not read yet."""
        connection = _UnixConnection(str(self.socket), 20)
        headers = {"Authorization": "Bearer " + token} if token else {}
        connection.request("GET", path, None, headers)
        return connection, connection.getresponse()

    def records(self):
        folder = self.recorder.folder / "audit" / self.recorder.org
        return "\n".join(path.read_text() for path in sorted(folder.glob("access*.log")))

    def metric(self, name):
        for line in self.ask("GET", "/metrics").body.decode().splitlines():
            if line.startswith(name + " "):
                return float(line.split()[1])
        raise KeyError(name)
