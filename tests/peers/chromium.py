"""A headless Chromium with a fake camera and microphone, driven over its DevTools pipe."""

import http.server
import json
import os
import pathlib
import select
import threading
import time

from peers.children import Child, poll

_FLAGS = (
    "--headless --no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking "
    "--disable-component-update --disable-default-apps --disable-domain-reliability --disable-extensions "
    "--disable-sync --metrics-recording-only --mute-audio --no-default-browser-check "
    "--disable-dev-shm-usage --no-proxy-server --autoplay-policy=no-user-gesture-required "
    "--use-fake-device-for-media-stream --use-fake-ui-for-media-stream "
    "--disable-features=WebRtcHideLocalIpsWithMdns,OptimizationHints,MediaRouter,Translate "
    "--host-resolver-rules=MAP\\t*\\t~NOTFOUND,EXCLUDE\\t127.0.0.1 "
    "--remote-debugging-pipe"
)


class Chromium:
    """One browser showing one page of ours, served from loopback so that it may use the camera."""

    def __init__(self, folder, page):
        self._server = _serve(pathlib.Path(page))
        url = f"http://127.0.0.1:{self._server.server_port}/"
        command_read, self._write = os.pipe()
        self._read, event_write = os.pipe()
        flags = [flag.replace("\\t", " ") for flag in _FLAGS.split()]
        # The pipe is on descriptors 3 and 4, which a shell sets most simply. 50 to 53 keep clear.
        shell = f'exec 50<&{command_read} 51>&{event_write}; exec 3<&50 4>&51 50<&- 51>&-; exec chromium "$@"'
        self.child = Child(
            ["bash", "-c", shell, "chromium", *flags, f"--user-data-dir={folder}/profile", "about:blank"],
            folder / "chromium.log",
            pass_fds=(command_read, event_write),
            env={**os.environ, "HOME": str(folder), "TMPDIR": str(folder)},
        )
        os.close(command_read)
        os.close(event_write)
        self._buffer = b""
        self._last_id = 0
        self._session = None
        target = self._call("Target.createTarget", {"url": url})["targetId"]
        attached = self._call("Target.attachToTarget", {"targetId": target, "flatten": True})
        self._session = attached["sessionId"]
        loaded = f"location.href === '{url}' && document.readyState === 'complete'"
        poll(lambda: self.evaluate(loaded), 30, f"chromium to load {page}")

    def evaluate(self, expression, timeout_s=30):
        """Runs JavaScript in the page; a promise is awaited. Returns its value as JSON."""
        answer = self._call(
            "Runtime.evaluate",
            {"expression": expression, "awaitPromise": True, "returnByValue": True},
            timeout_s,
        )
        if "exceptionDetails" in answer:
            raise RuntimeError("the page threw: " + json.dumps(answer["exceptionDetails"])[:1000])
        return answer["result"].get("value")

    def close(self):
        self.child.kill()
        os.close(self._read)
        os.close(self._write)
        self._server.shutdown()

    def _call(self, method, params, timeout_s=60):
        self._last_id += 1
        message = {"id": self._last_id, "method": method, "params": params}
        if self._session is not None:
            message["sessionId"] = self._session
        os.write(self._write, json.dumps(message).encode() + b"\0")
        deadline = time.monotonic() + timeout_s
        while True:
            answer = self._next_message(deadline, method)
            if answer.get("id") == self._last_id:
                break
        if "error" in answer:
            raise RuntimeError(f"chromium refused {method}: {answer['error']}")
        return answer["result"]

    def _next_message(self, deadline, what):
        while b"\0" not in self._buffer:
            ready, _, _ = select.select([self._read], [], [], max(0, deadline - time.monotonic()))
            if not ready:
                raise TimeoutError(f"chromium did not answer {what}:\n{self.child.log_text()[-2000:]}")
            chunk = os.read(self._read, 1 << 16)
            if not chunk:
                raise RuntimeError("chromium ended:\n" + self.child.log_text()[-2000:])
            self._buffer += chunk
        message, self._buffer = self._buffer.split(b"\0", 1)
        return json.loads(message)


def _serve(page):
    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            body = page.read_bytes() if self.path == "/" else b""
            self.send_response(200 if body else 404)
            self.send_header("Content-Type", "text/html; charset=utf-8")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_arguments):
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server
