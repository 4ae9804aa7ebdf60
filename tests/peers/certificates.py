"""Certificates of the test's own: an authority and servers it vouches for, made with the openssl program."""

import base64
import hashlib
import subprocess


def _openssl(*arguments, data=None):
    return subprocess.run(["openssl", *map(str, arguments)], input=data, capture_output=True, check=True).stdout


def make_authority(folder, name="ca"):
    """Returns (certificate, key) files."""
    certificate, key = folder / f"{name}.pem", folder / f"{name}.key"
    _openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2",
             "-subj", f"/CN=test {name}", "-keyout", key, "-out", certificate)
    return certificate, key


def make_server(folder, authority, names, name="server", days=2):
    """`names`: as in a subjectAltName. Returns (certificate, key) files."""
    certificate, key, request = (folder / f"{name}.{end}" for end in ("pem", "key", "csr"))
    _openssl("req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj", "/CN=s3",
             "-keyout", key, "-out", request)
    extensions = folder / f"{name}.ext"
    extensions.write_text(f"subjectAltName={names}\n")
    _openssl("x509", "-req", "-in", request, "-CA", authority[0], "-CAkey", authority[1], "-CAcreateserial",
             "-days", days, "-extfile", extensions, "-out", certificate)
    return certificate, key


def pin_of(certificate):
    """What curl calls the pin of a server's public key."""
    public = _openssl("x509", "-in", certificate, "-pubkey", "-noout")
    der = _openssl("pkey", "-pubin", "-outform", "DER", data=public)
    return "sha256//" + base64.b64encode(hashlib.sha256(der).digest()).decode()
