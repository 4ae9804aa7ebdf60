#!/usr/bin/python3
"""A strict S3 server for tests, with faults on demand. Python's standard library only.

It refuses what AWS refuses: wrong signatures, digests, checksums, clocks, regions, an object lock without a
checksum; it publishes nothing that was not wholly received, and a name under `If-None-Match: *` has one winner.

In a test:      fake = S3Fake(); fake.add_key("AK", "secret"); fake.start(); fake.fault("PUT", "lost", nth=[1])
By itself:      s3_fake.py --port 0 --key AK:secret --bucket b [--script faults.json] [--tls CERT KEY]
                prints `listening on PORT`; further faults by POST /-/faults, a JSON list of {operation, action, ...}
"""

import argparse
import base64
import dataclasses
import datetime
import hashlib
import hmac
import json
import re
import socket
import ssl
import struct
import threading
import time
from email.utils import formatdate
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import quote, unquote
from xml.sax.saxutils import escape

MAX_SKEW_S = 15 * 60
NOT_SIGNED = {"host", "content-length", "user-agent", "accept", "expect", "connection", "authorization"}
META = ("x-amz-meta-", "x-amz-tagging", "x-amz-storage-class", "x-amz-server-side-encryption", "content-type")


class Refusal(Exception):
    """An S3 error answer."""

    def __init__(self, status, code, message="", extra="", headers=None):
        super().__init__(code)
        self.status, self.code, self.message, self.extra, self.headers = status, code, message, extra, headers or {}


@dataclasses.dataclass
class Version:
    id: str
    body: bytes = b""
    headers: dict = dataclasses.field(default_factory=dict)
    is_delete_marker: bool = False
    lock_mode: str = None
    retain_until: str = None
    legal_hold: bool = False


@dataclasses.dataclass
class Bucket:
    region: str = "us-east-1"
    is_versioned: bool = False
    has_lock: bool = False
    locks_by_default: bool = False
    objects: dict = dataclasses.field(default_factory=dict)  # key -> versions, newest last
    uploads: list = dataclasses.field(default_factory=list)  # (key, id): begun and not finished

    def current(self, key):
        versions = self.objects.get(key, [])
        return versions[-1] if versions and not versions[-1].is_delete_marker else None


@dataclasses.dataclass
class Fault:
    """What to do to the requests of `operation` (PUT, GET, HEAD, DELETE, LIST, or * for all) whose key matches:
    all of them, or those whose number among these (from 1) is in `nth`."""

    operation: str
    action: str
    key: str = ""
    nth: list = None
    parameters: dict = dataclasses.field(default_factory=dict)
    seen: int = 0

    def hits(self, operation, key):
        if self.operation not in ("*", operation) or not re.search(self.key, key):
            return False
        self.seen += 1
        return self.nth is None or self.seen in self.nth


class S3Fake:
    def __init__(self, host="127.0.0.1", port=0, tls=None, domain="s3.localhost", page_size=3, echo=True):
        self.lock = threading.RLock()
        self.buckets, self.keys, self.faults, self.journal = {}, {}, [], []
        self.domain, self.page_size, self.echo = domain, page_size, echo
        self.clock_offset_s = 0  # of the server's clock
        self.under_way = self.most_under_way = self.next_version = 0
        self.ending = threading.Event()
        self.server = ThreadingHTTPServer((host, port), type("Handler", (_Handler,), {"fake": self}))
        self.server.daemon_threads = True
        if tls:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(*tls)
            self.server.socket = context.wrap_socket(self.server.socket, server_side=True,
                                                     do_handshake_on_connect=False)
        self.port = self.server.server_address[1]

    def start(self):
        threading.Thread(target=self.server.serve_forever, args=(0.05,), daemon=True).start()
        return self

    def stop(self):
        self.ending.set()
        self.server.shutdown()
        self.server.server_close()

    def add_key(self, access_key, secret, token=None, rights=("put", "get", "list", "delete")):
        self.keys[access_key] = (secret, token, set(rights))

    def add_bucket(self, name, **settings):
        self.buckets[name] = Bucket(**settings)
        return self.buckets[name]

    def fault(self, operation, action, key="", nth=None, **parameters):
        with self.lock:
            self.faults.append(Fault(operation, action, key, nth, parameters))

    def heal(self):
        with self.lock:
            self.faults.clear()

    def now(self):
        return time.time() + self.clock_offset_s

    def requests(self, operation=None):
        """The journal: (monotonic time, operation, key, status or what was done instead)."""
        with self.lock:
            return [row for row in self.journal if operation in (None, row[1])]

    def fault_for(self, operation, key):
        with self.lock:
            for fault in self.faults:
                if fault.hits(operation, key):
                    return fault
        return None


def _hmac(key, text):
    return hmac.new(key, text.encode(), hashlib.sha256).digest()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server_version = "s3-fake"
    fake = None

    def log_message(self, *_arguments):
        pass

    def setup(self):
        super().setup()
        self.connection.settimeout(30)

    def handle(self):
        try:
            super().handle()
        except (OSError, ssl.SSLError):
            self.close_connection = True

    def date_time_string(self, timestamp=None):
        return formatdate(self.fake.now() if timestamp is None else timestamp, usegmt=True)

    # --- one request -----------------------------------------------------------------------------------------

    def handle_expect_100(self):
        self._split_target()
        fault = self._peek_expect_fault()
        if fault == "expect-417":
            self.expect_refused = True
            return True
        if fault == "expect-never":
            return True
        return super().handle_expect_100()

    def _peek_expect_fault(self):
        with self.fake.lock:
            for fault in self.fake.faults:
                if fault.action.startswith("expect-") and re.search(fault.key, self.key):
                    return fault.action
        return None

    def _split_target(self):
        path, _, query = self.path.partition("?")
        self.raw_path, self.raw_query = path, query
        self.query = {}
        for pair in filter(None, query.split("&")):
            name, _, value = pair.partition("=")
            self.query[unquote(name)] = unquote(value)
        host = self.headers.get("Host", "").split(":")[0]
        decoded = unquote(path)
        if host.endswith("." + self.fake.domain):
            self.bucket_name, self.key = host[: -len(self.fake.domain) - 1], decoded[1:]
        else:
            self.bucket_name, _, self.key = decoded[1:].partition("/")

    def _operation(self):
        if self.command == "GET" and not self.key:
            return "LIST"
        return self.command

    def _serve(self):
        self._split_target()
        if self.path.startswith("/-/"):
            return self._control()
        fake, operation = self.fake, self._operation()
        with fake.lock:
            fake.under_way += 1
            fake.most_under_way = max(fake.most_under_way, fake.under_way)
        try:
            self._serve_one(operation)
        finally:
            with fake.lock:
                fake.under_way -= 1
        return None

    def _note(self, what):
        with self.fake.lock:
            self.fake.journal.append((time.monotonic(), self._operation(), self.key, what))

    def _serve_one(self, operation):
        if getattr(self, "expect_refused", False):
            self.expect_refused = False
            self.close_connection = False  # the client has to know better than to reuse it
            self._note(417)
            return self._answer(417, {}, b"")
        fault = self.fake.fault_for(operation, self.key)
        action = fault.action if fault else None
        wishes = fault.parameters if fault else {}
        if action == "delay":
            self.fake.ending.wait(wishes["seconds"])
        if action == "reset":
            self.rfile.read(min(wishes.get("bytes", 0), self._length()))
            return self._reset(action)
        body = self.rfile.read(self._length())
        if len(body) < self._length():  # cut while sending: nothing of it may ever be seen
            self.close_connection = True
            return self._note("incomplete")
        if action == "status":
            return self._refuse(Refusal(wishes["status"], wishes.get("code", "InternalError"), "as scripted",
                                        wishes.get("extra", ""), wishes.get("headers")))
        if action in ("html", "raw"):
            self._note(action)
            return self._answer(wishes.get("status", 200), {"Content-Type": "text/html"},
                                wishes.get("body", "<html><body>Gateway</body>").encode())
        if action == "flood":
            return self._flood(wishes["bytes"])
        try:
            status, headers, answer = self._dispatch(operation, body, action)
        except Refusal as refusal:
            return self._refuse(refusal)
        if action == "lost":
            return self._reset(action)
        if action == "cut":
            return self._cut(status, headers, answer, wishes.get("bytes", 0))
        self._note(status)
        return self._answer(status, headers, answer)

    do_GET = do_PUT = do_HEAD = do_DELETE = do_POST = _serve

    def _length(self):
        return int(self.headers.get("Content-Length") or 0)

    # --- ways to answer --------------------------------------------------------------------------------------

    def _answer(self, status, headers, body):
        self.send_response(status)
        headers = {"x-amz-request-id": f"R{len(self.fake.journal):08d}", "x-amz-id-2": "fake", **headers}
        headers.setdefault("Content-Length", str(len(body)))
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def _refuse(self, refusal):
        self._note(refusal.code)
        xml = (f'<?xml version="1.0" encoding="UTF-8"?>\n<Error><Code>{refusal.code}</Code><Message>'
               f"{escape(refusal.message)}</Message>{refusal.extra}<RequestId>R</RequestId></Error>").encode()
        headers = {"Content-Type": "application/xml", **refusal.headers}
        if self.command == "HEAD":
            xml = b""
        self._answer(refusal.status, headers, xml)

    def _reset(self, why):
        """Ends the connection with a RST, so that the client sees it at once."""
        self._note(why)
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.close_connection = True
        self.connection.close()

    def _cut(self, status, headers, body, n_bytes):
        self._note("cut")
        self._answer(status, {**headers, "Content-Length": str(len(body))}, body[:n_bytes])
        self.wfile.flush()
        self.close_connection = True

    def _flood(self, n_bytes):
        self._note("flood")
        self.send_response(200)
        self.send_header("Content-Length", str(n_bytes))
        self.end_headers()
        block = b"<" * 65536
        for _ in range(n_bytes // len(block)):
            self.wfile.write(block)

    # --- who asks, and is it genuine -------------------------------------------------------------------------

    def _authenticate(self, body, action):
        match = re.fullmatch(r"AWS4-HMAC-SHA256 Credential=([^/,]+)/(\d{8})/([^/,]+)/s3/aws4_request, ?"
                             r"SignedHeaders=([a-z0-9;-]+), ?Signature=([0-9a-f]{64})",
                             self.headers.get("Authorization", ""))
        if not match:
            raise Refusal(403, "AccessDenied", "no signature of version 4")
        access_key, day, region, names, signature = match.groups()
        if access_key not in self.fake.keys:
            raise Refusal(403, "InvalidAccessKeyId")
        secret, token, rights = self.fake.keys[access_key]
        self._check_time(day)
        bucket = self.fake.buckets.get(self.bucket_name)
        if bucket and bucket.region != region:
            raise Refusal(400, "AuthorizationHeaderMalformed", f"the region '{region}' is wrong",
                          f"<Region>{bucket.region}</Region>", {"x-amz-bucket-region": bucket.region})
        names = names.split(";")
        self._check_signed_names(names)
        canonical = self._canonical(names)
        scope = f"{day}/{region}/s3/aws4_request"
        text = "\n".join(("AWS4-HMAC-SHA256", self.headers["x-amz-date"], scope,
                          hashlib.sha256(canonical.encode()).hexdigest()))
        key = ("AWS4" + secret).encode()
        for word in scope.split("/"):
            key = _hmac(key, word)
        if not hmac.compare_digest(_hmac(key, text).hex(), signature):
            raise Refusal(403, "SignatureDoesNotMatch")
        if self.headers.get("x-amz-security-token") != token:
            raise Refusal(400, "ExpiredToken" if token else "InvalidToken")
        if action != "checks-nothing" and self.headers["x-amz-content-sha256"] != hashlib.sha256(body).hexdigest():
            raise Refusal(400, "XAmzContentSHA256Mismatch")
        return rights

    def _check_time(self, day):
        try:
            sent = datetime.datetime.strptime(self.headers.get("x-amz-date", ""), "%Y%m%dT%H%M%SZ")
        except ValueError:
            raise Refusal(403, "AccessDenied", "no x-amz-date") from None
        if f"{sent:%Y%m%d}" != day:
            raise Refusal(400, "AuthorizationHeaderMalformed", "the day is not x-amz-date's")
        if abs(sent.replace(tzinfo=datetime.timezone.utc).timestamp() - self.fake.now()) > MAX_SKEW_S:
            raise Refusal(403, "RequestTimeTooSkewed")

    def _check_signed_names(self, names):
        sent = {name.lower() for name in self.headers.keys()}
        must = {"host"} | {name for name in sent if name.startswith("x-amz-") or name in ("content-type", "content-md5")}
        if names != sorted(set(names)) or not must <= set(names):
            raise Refusal(403, "AccessDenied", f"not signed: {sorted(must - set(names))}")
        if len(self.headers.get_all("x-amz-date")) != 1 or self.headers.get("x-amz-content-sha256") is None:
            raise Refusal(400, "InvalidRequest", "x-amz-date or x-amz-content-sha256")
        if not set(names) <= sent:
            raise Refusal(403, "SignatureDoesNotMatch", "a signed header was not sent")

    def _canonical(self, names):
        # One encoding only: what was sent has to be canonical already.
        if quote(unquote(self.raw_path), safe="/~") != self.raw_path:
            raise Refusal(400, "InvalidURI", self.raw_path)
        pairs = sorted((quote(n, safe="-_.~"), quote(v, safe="-_.~")) for n, v in self.query.items())
        lines = [f"{name}:{','.join(' '.join(v.split()) for v in self.headers.get_all(name))}" for name in names]
        return "\n".join((self.command, self.raw_path, "&".join(f"{n}={v}" for n, v in pairs), *lines, "",
                          ";".join(names), self.headers["x-amz-content-sha256"]))

    # --- what they ask for -----------------------------------------------------------------------------------

    def _dispatch(self, operation, body, action):
        rights = self._authenticate(body, action)
        bucket = self.fake.buckets.get(self.bucket_name)
        if bucket is None:
            raise Refusal(404, "NoSuchBucket")
        right = {"PUT": "put", "GET": "get", "HEAD": "get", "LIST": "list", "DELETE": "delete"}.get(operation)
        if right not in rights:
            raise Refusal(403, "AccessDenied", "by policy")
        with self.fake.lock:
            if operation == "PUT":
                return self._put(bucket, body, action)
            if operation == "LIST" and "object-lock" in self.query:
                return self._tell_lock(bucket)
            if operation == "LIST":
                return self._list_more(bucket) if {"versions", "uploads"} & set(self.query) else self._list(bucket)
            if operation == "DELETE":
                return self._delete(bucket)
            return self._get(bucket, action)

    def _check_body(self, bucket, body, action):
        md5, checksum = self.headers.get("Content-MD5"), self.headers.get("x-amz-checksum-sha256")
        if action == "checks-nothing":
            return
        if md5 and base64.b64decode(md5) != hashlib.md5(body).digest():
            raise Refusal(400, "BadDigest")
        if checksum and base64.b64decode(checksum) != hashlib.sha256(body).digest():
            raise Refusal(400, "XAmzContentChecksumMismatch")
        mode = self.headers.get("x-amz-object-lock-mode")
        hold = self.headers.get("x-amz-object-lock-legal-hold")
        if (mode or hold) and not bucket.has_lock:
            raise Refusal(400, "InvalidRequest", "Bucket is missing Object Lock Configuration")
        if bucket.has_lock and not (md5 or checksum):
            raise Refusal(400, "InvalidRequest", "Content-MD5 OR x-amz-checksum- HTTP header is required for "
                                                 "Put Object requests with Object Lock parameters")
        if bool(mode) != bool(self.headers.get("x-amz-object-lock-retain-until-date")):
            raise Refusal(400, "InvalidArgument", "lock mode and date go together")

    def _put(self, bucket, body, action):
        condition = None if action == "overwrites" else self.headers.get("If-None-Match")
        if condition not in (None, "*"):
            raise Refusal(501, "NotImplemented", "If-None-Match is * or nothing")
        self._check_body(bucket, body, action)
        if condition and bucket.current(self.key):
            raise Refusal(412, "PreconditionFailed")
        if action == "wrong-bytes":
            body = bytes([body[0] ^ 1]) + body[1:] if body else b"?"
        headers = {name: value for name, value in self.headers.items() if name.lower().startswith(META)}
        self.fake.next_version += 1
        version = Version(f"v{self.fake.next_version}", body, headers,
                          lock_mode=self.headers.get("x-amz-object-lock-mode"),
                          retain_until=self.headers.get("x-amz-object-lock-retain-until-date"),
                          legal_hold=self.headers.get("x-amz-object-lock-legal-hold") == "ON")
        if action != "stores-nothing":
            if bucket.is_versioned or bucket.has_lock:
                bucket.objects.setdefault(self.key, []).append(version)
            else:
                bucket.objects[self.key] = [version]
        answer = {"ETag": f'"{hashlib.md5(body).hexdigest()}"'}
        if bucket.is_versioned or bucket.has_lock:
            answer["x-amz-version-id"] = version.id
        if self.fake.echo and action not in ("stores-nothing", "wrong-bytes") and "x-amz-checksum-sha256" in self.headers:
            answer["x-amz-checksum-sha256"] = self.headers["x-amz-checksum-sha256"]
        if action == "wrong-echo":
            answer["x-amz-checksum-sha256"] = base64.b64encode(bytes(32)).decode()
        if action == "error-200":
            return 200, {}, b"<Error><Code>InternalError</Code><Message>We lied</Message></Error>"
        return 200, answer, b""

    def _get(self, bucket, action):
        if not self.key:
            return 200, {"x-amz-bucket-region": bucket.region}, b""
        wanted = self.query.get("versionId")
        versions = bucket.objects.get(self.key, [])
        found = next((v for v in versions if v.id == wanted), None) if wanted else bucket.current(self.key)
        if found is None or found.is_delete_marker:
            raise Refusal(404, "NoSuchKey" if not wanted else "NoSuchVersion")
        body = found.body
        if action == "wrong-bytes":
            body = bytes([body[0] ^ 1]) + body[1:]
        lock = {"x-amz-object-lock-mode": found.lock_mode, "x-amz-object-lock-retain-until-date": found.retain_until,
                "x-amz-object-lock-legal-hold": "ON" if found.legal_hold else None}
        headers = {**found.headers, **{name: value for name, value in lock.items() if value}}
        if "Range" in self.headers and action != "ignores-range":
            return self._get_range(headers, body, action)
        return 200, {**headers, "Content-Length": str(len(body))}, body

    def _get_range(self, headers, body, action):
        match = re.fullmatch(r"bytes=(\d+)-(\d+)", self.headers["Range"])
        if not match or int(match[2]) < int(match[1]):
            raise Refusal(400, "InvalidArgument", self.headers["Range"])
        first, last = int(match[1]), min(int(match[2]), len(body) - 1)
        if first >= len(body):
            raise Refusal(416, "InvalidRange", headers={"Content-Range": f"bytes */{len(body)}"})
        if action == "short-range":  # less than was asked for, and said so
            last = first + (last - first) // 2
        part, named = body[first : last + 1], f"bytes {first}-{last}/{len(body)}"
        if action == "other-range":
            named = f"bytes {first + 1}-{last + 1}/{len(body)}"
        if action == "false-range":  # less than is said
            part = part[:-1]
        headers = {**headers, "Content-Length": str(len(part))}
        return 206, headers if action == "unnamed-range" else {**headers, "Content-Range": named}, part

    def _is_locked(self, version):
        if version.legal_hold or not version.lock_mode:
            return version.legal_hold
        until = datetime.datetime.fromisoformat(version.retain_until.replace("Z", "+00:00"))
        return until.timestamp() > self.fake.now()

    def _delete(self, bucket):
        if "uploadId" in self.query:
            return self._abort(bucket)
        wanted = self.query.get("versionId")
        versions = bucket.objects.get(self.key, [])
        if wanted is None and (bucket.is_versioned or bucket.has_lock):
            self.fake.next_version += 1
            bucket.objects.setdefault(self.key, []).append(Version(f"v{self.fake.next_version}", is_delete_marker=True))
            return 204, {"x-amz-delete-marker": "true"}, b""
        for version in list(versions):
            if wanted in (None, version.id):
                if self._is_locked(version):
                    raise Refusal(403, "AccessDenied", "locked")
                versions.remove(version)
        if not versions:
            bucket.objects.pop(self.key, None)
        return 204, {}, b""

    def _list(self, bucket):
        if self.query.get("list-type") != "2":
            raise Refusal(501, "NotImplemented", "version 2 of list only")
        prefix, delimiter = self.query.get("prefix", ""), self.query.get("delimiter", "")
        start = base64.b64decode(self.query["continuation-token"][4:]).decode() if "continuation-token" in self.query else ""
        rows = set()
        for key in bucket.objects:
            if bucket.current(key) is None or not key.startswith(prefix):
                continue
            rest = key[len(prefix):]
            cut = rest.find(delimiter) if delimiter else -1
            rows.add((prefix + rest[: cut + 1], True) if cut >= 0 else (key, False))
        rows = sorted(row for row in rows if row[0] > start)
        page = rows[: self.fake.page_size]
        encode = (lambda text: quote(text, safe="/")) if self.query.get("encoding-type") == "url" else escape
        parts = ['<?xml version="1.0" encoding="UTF-8"?>\n'
                 '<ListBucketResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/">'
                 f"<Name>{self.bucket_name}</Name><Prefix>{encode(prefix)}</Prefix><KeyCount>{len(page)}</KeyCount>"]
        if self.query.get("encoding-type") == "url":
            parts.append("<EncodingType>url</EncodingType>")
        if len(rows) > len(page):
            token = "1/+=" + base64.b64encode(page[-1][0].encode()).decode()  # opaque, and wants encoding
            parts.append(f"<IsTruncated>true</IsTruncated><NextContinuationToken>{token}</NextContinuationToken>")
        else:
            parts.append("<IsTruncated>false</IsTruncated>")
        for name, is_folder in page:
            parts.append(f"<CommonPrefixes><Prefix>{encode(name)}</Prefix></CommonPrefixes>" if is_folder else
                         f"<Contents><Key>{encode(name)}</Key><Size>{len(bucket.current(name).body)}</Size></Contents>")
        parts.append("</ListBucketResult>")
        return 200, {"Content-Type": "application/xml"}, "".join(parts).encode()

    def _tell_lock(self, bucket):
        if not bucket.has_lock:
            raise Refusal(404, "ObjectLockConfigurationNotFoundError")
        rule = "<Rule><DefaultRetention><Mode>GOVERNANCE</Mode><Days>1</Days></DefaultRetention></Rule>"
        return 200, {}, ("<ObjectLockConfiguration><ObjectLockEnabled>Enabled</ObjectLockEnabled>"
                         f"{rule if bucket.locks_by_default else ''}</ObjectLockConfiguration>").encode()

    def _abort(self, bucket):
        upload = (self.key, self.query["uploadId"])
        if upload not in bucket.uploads:
            raise Refusal(404, "NoSuchUpload")
        bucket.uploads.remove(upload)
        return 204, {}, b""

    def _rows_of_versions(self, bucket):
        for key in sorted(bucket.objects):
            for version in reversed(bucket.objects[key]):
                name = "DeleteMarker" if version.is_delete_marker else "Version"
                is_latest = "true" if version is bucket.objects[key][-1] else "false"
                size = "" if version.is_delete_marker else f"<Size>{len(version.body)}</Size>"
                yield key, version.id, (f"<{name}><Key>{escape(key)}</Key><VersionId>{version.id}</VersionId>"
                                        f"<IsLatest>{is_latest}</IsLatest>{size}</{name}>")

    def _list_more(self, bucket):
        """All versions, or all unfinished uploads; a page goes on behind a key and a version."""
        is_versions = "versions" in self.query
        root, marker = (("ListVersionsResult", "VersionIdMarker") if is_versions else
                        ("ListMultipartUploadsResult", "UploadIdMarker"))
        rows = list(self._rows_of_versions(bucket)) if is_versions else [
            (key, upload, f"<Upload><Key>{escape(key)}</Key><UploadId>{upload}</UploadId></Upload>")
            for key, upload in sorted(bucket.uploads)]
        rows = [row for row in rows if row[0].startswith(self.query.get("prefix", ""))]
        names = [row[:2] for row in rows]
        last = (self.query.get("key-marker"), self.query.get("version-id-marker" if is_versions else "upload-id-marker"))
        begin = names.index(last) + 1 if last in names else 0
        page = rows[begin: begin + self.fake.page_size]
        more = ""
        if begin + len(page) < len(rows):
            more = f"<NextKeyMarker>{escape(page[-1][0])}</NextKeyMarker><Next{marker}>{page[-1][1]}</Next{marker}>"
        return 200, {}, (f"<{root}><IsTruncated>{'true' if more else 'false'}</IsTruncated>{more}"
                         + "".join(row[2] for row in page) + f"</{root}>").encode()

    # --- control ---------------------------------------------------------------------------------------------

    def _control(self):
        body = self.rfile.read(self._length())
        if self.path == "/-/faults" and self.command == "POST":
            for row in json.loads(body):
                self.fake.fault(**row)
            return self._answer(204, {}, b"")
        if self.path == "/-/faults" and self.command == "DELETE":
            self.fake.heal()
            return self._answer(204, {}, b"")
        if self.path == "/-/clock" and self.command == "PUT":
            self.fake.clock_offset_s = json.loads(body)
            return self._answer(204, {}, b"")
        if self.path == "/-/journal":
            return self._answer(200, {"Content-Type": "application/json"}, json.dumps(self.fake.requests()).encode())
        return self._answer(404, {}, b"")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--key", action="append", default=[], metavar="ID:SECRET[:right,right]")
    parser.add_argument("--bucket", action="append", default=[], metavar="NAME[:versioned|lock]")
    parser.add_argument("--script", help="a JSON list of faults")
    parser.add_argument("--tls", nargs=2, metavar=("CERT", "KEY"))
    parser.add_argument("--page-size", type=int, default=3)
    parser.add_argument("--no-echo", action="store_true", help="do not echo checksums, as Ceph does not")
    options = parser.parse_args()
    fake = S3Fake(port=options.port, tls=options.tls, page_size=options.page_size, echo=not options.no_echo)
    for text in options.key:
        access_key, secret, *rights = text.split(":")
        fake.add_key(access_key, secret, **({"rights": rights[0].split(",")} if rights else {}))
    for text in options.bucket:
        name, _, kind = text.partition(":")
        fake.add_bucket(name, is_versioned=kind == "versioned", has_lock=kind == "lock")
    if options.script:
        with open(options.script, encoding="utf-8") as file:
            for row in json.load(file):
                fake.fault(**row)
    print(f"listening on {fake.port}", flush=True)
    fake.server.serve_forever(0.1)


if __name__ == "__main__":
    main()
