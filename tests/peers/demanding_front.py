"""What the Ceph of Debian 12 can not be made to do, in front of it: asks for a checksum with whatever is stored, as Amazon S3
does under object lock, and holds it against the bytes. Requests pass as they came, with their Host, so that their signatures
hold; so do the answers. TLS on loopback. Python's standard library only."""

import asyncio
import base64
import collections
import contextlib
import hashlib
import ssl
import threading
import urllib.parse
import zlib

MAX_HEAD_BYTES = 64 << 10
CHECKSUMS = {
    "content-md5": lambda body: hashlib.md5(body).digest(),
    "x-amz-checksum-sha256": lambda body: hashlib.sha256(body).digest(),
    "x-amz-checksum-sha1": lambda body: hashlib.sha1(body).digest(),
    "x-amz-checksum-crc32": lambda body: zlib.crc32(body).to_bytes(4, "big"),
}
_SUBRESOURCES = ("retention", "legal-hold", "tagging", "acl")
_NO_CHECKSUMS = ("x-amz-checksum-algorithm", "x-amz-checksum-mode", "x-amz-checksum-type")
_MISSING = "Content-MD5 OR x-amz-checksum- HTTP header is required for {} requests with Object Lock parameters"

# `what`: `object`, `part 1` and so on, or the subresource. `checksums`: names of those sent. `code`: None if it passed.
Put = collections.namedtuple("Put", "key what checksums code")


class _Refusal(Exception):
    def __init__(self, code, message):
        super().__init__(code)
        self.code, self.message = code, message


class _Request:
    def __init__(self, head):
        lines = head.decode("latin-1").split("\r\n")
        self.method, target, _ = lines[0].split(" ")
        path, _, query = target.partition("?")
        self.headers = {name.strip().lower(): value.strip() for name, _, value in (line.partition(":") for line in lines[1:-2])}
        self.query = dict(urllib.parse.parse_qsl(query, keep_blank_values=True))
        self.bucket, _, self.key = urllib.parse.unquote(path)[1:].partition("/")
        self.n_body = int(self.headers.get("content-length", 0))

    @property
    def what(self):
        if "partNumber" in self.query:
            return f"part {self.query['partNumber']}"
        return next((name for name in _SUBRESOURCES if name in self.query), "object")

    def checksums(self):
        return sorted(name for name in self.headers
                      if name == "content-md5" or (name.startswith("x-amz-checksum-") and name not in _NO_CHECKSUMS))

    def is_put(self):
        return self.method == "PUT" and bool(self.key)

    def check_head(self):
        if "transfer-encoding" in self.headers or self.headers.get("x-amz-content-sha256", "").startswith("STREAMING-"):
            raise _Refusal("NotImplemented", "this front takes no body in chunks")
        if self.is_put() and not self.checksums():
            raise _Refusal("InvalidRequest", _MISSING.format("Put Part" if self.what.startswith("part ") else "Put Object"))
        unknown = set(self.checksums()) - set(CHECKSUMS)
        if unknown:
            raise _Refusal("InvalidRequest", f"this front can not tell {', '.join(sorted(unknown))}")

    def check_body(self, body):
        for name in self.checksums():
            if self.headers[name] != base64.b64encode(CHECKSUMS[name](body)).decode():
                raise _Refusal("BadDigest", f"The {name} you specified did not match what we received.")


class DemandingFront:
    """Serves on `port` from the start, in a thread; `puts` grows with each object, part and subresource of one that is
    put, and with whatever it refused."""

    def __init__(self, upstream_port, certificate, key):
        self.upstream_port, self.puts = upstream_port, []
        self.tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.tls.load_cert_chain(certificate, key)
        self.loop = asyncio.new_event_loop()
        self.is_ready = threading.Event()
        self.thread = threading.Thread(target=self._run, daemon=True)
        self.thread.start()
        self.is_ready.wait(20)

    def stop(self):
        self.loop.call_soon_threadsafe(self.loop.stop)
        self.thread.join(20)

    def _run(self):
        asyncio.set_event_loop(self.loop)
        serve = asyncio.start_server(self._serve, "127.0.0.1", 0, ssl=self.tls, limit=MAX_HEAD_BYTES)
        self.port = self.loop.run_until_complete(serve).sockets[0].getsockname()[1]
        self.is_ready.set()
        self.loop.run_forever()

    async def _serve(self, reader, writer):
        upstream = answers = None
        try:
            down, upstream = await asyncio.open_connection("127.0.0.1", self.upstream_port)
            answers = asyncio.ensure_future(_pass_answers(down, writer))
            while await self._pass_request(reader, upstream):
                pass
        except _Refusal as refusal:
            # What of it went ahead is cut off, so that nothing of it is stored, and our answer is the only one.
            upstream.transport.abort()
            answers.cancel()
            await _answer(writer, refusal)
        except (OSError, asyncio.IncompleteReadError):
            pass
        finally:
            for end in filter(None, (upstream, writer)):
                end.close()

    async def _pass_request(self, reader, upstream):
        head = await reader.readuntil(b"\r\n\r\n")
        request = _Request(head)
        try:
            await self._check_head(request, reader)
            upstream.write(head)  # whoever waits for `100 Continue` gets it from behind us
            body = await reader.readexactly(request.n_body)
            request.check_body(body)
        except _Refusal as refusal:
            self._note(request, refusal.code)
            raise
        if request.is_put():
            self._note(request, None)
        upstream.write(body)
        await upstream.drain()
        return True

    @staticmethod
    async def _check_head(request, reader):
        try:
            request.check_head()
        except _Refusal:
            if "expect" not in request.headers:
                await reader.readexactly(request.n_body)  # whoever is still sending reads no answer
            raise

    def _note(self, request, code):
        self.puts.append(Put(request.key, request.what, request.checksums(), code))


async def _pass_answers(down, writer):
    with contextlib.suppress(OSError):
        while block := await down.read(1 << 16):
            writer.write(block)
            await writer.drain()
    writer.close()


async def _answer(writer, refusal):
    xml = (f'<?xml version="1.0" encoding="UTF-8"?>\n<Error><Code>{refusal.code}</Code><Message>{refusal.message}</Message>'
           "<RequestId>FRONT</RequestId></Error>").encode()
    status = "501 Not Implemented" if refusal.code == "NotImplemented" else "400 Bad Request"
    writer.write(f"HTTP/1.1 {status}\r\nContent-Type: application/xml\r\nContent-Length: {len(xml)}\r\n"
                 "Connection: close\r\n\r\n".encode() + xml)
    await writer.drain()
