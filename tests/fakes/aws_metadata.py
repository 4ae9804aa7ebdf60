"""Where machines get their credentials from: the instance's metadata service (version 2), the container's endpoint and
STS, as one server with one answer to give."""

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs

ROLE = "/latest/meta-data/iam/security-credentials/"


class Metadata:
    """`answer`: (access key, secret, token, expiration), or None: it fails."""

    def __init__(self, answer):
        self.answer = answer
        self.asked = 0
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), type("Handler", (_Handler,), {"metadata": self}))
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}"
        threading.Thread(target=self.server.serve_forever, args=(0.05,), daemon=True).start()

    def stop(self):
        self.server.shutdown()
        self.server.server_close()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    metadata = None

    def log_message(self, *_arguments):
        pass

    def _send(self, status, text=""):
        self.send_response(status)
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text.encode())

    def _send_json(self):
        self.metadata.asked += 1
        if self.metadata.answer is None:
            return self._send(503)
        names = ("AccessKeyId", "SecretAccessKey", "Token", "Expiration")
        return self._send(200, json.dumps({"Code": "Success", **dict(zip(names, self.metadata.answer))}))

    def do_PUT(self):
        is_right = self.path == "/latest/api/token" and self.headers["X-aws-ec2-metadata-token-ttl-seconds"]
        self._send(200, "the-token") if is_right else self._send(404)

    def do_GET(self):
        if self.path.startswith("/container"):
            return self._send_json() if self.headers["Authorization"] == "Bearer c" else self._send(401)
        if self.headers["X-aws-ec2-metadata-token"] != "the-token":
            return self._send(401)
        if self.path == ROLE:
            return self._send(200, "recorder-role\n")
        return self._send_json() if self.path == ROLE + "recorder-role" else self._send(404)

    def do_POST(self):
        form = parse_qs(self.rfile.read(int(self.headers["Content-Length"])).decode())
        if form["Action"] != ["AssumeRoleWithWebIdentity"] or form["WebIdentityToken"] != ["a.web+identity/="]:
            return self._send(400)
        self.metadata.asked += 1
        if self.metadata.answer is None:
            return self._send(503)
        names = ("AccessKeyId", "SecretAccessKey", "SessionToken", "Expiration")
        rows = "".join(f"<{name}>{value}</{name}>" for name, value in zip(names, self.metadata.answer))
        return self._send(200, '<AssumeRoleWithWebIdentityResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/">'
                               f"<AssumeRoleWithWebIdentityResult><Credentials>{rows}</Credentials>"
                               "</AssumeRoleWithWebIdentityResult></AssumeRoleWithWebIdentityResponse>")
