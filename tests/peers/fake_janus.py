"""A Janus that is a small HTTP server: as much of the VideoRoom as the recorder asks, and every way to be wrong."""

import http.server
import json
import threading

HUGE = 3 << 20


class FakeJanus:
    """Speaks for one room. `mood` says how it answers; what it was asked stands in `asked`."""

    def __init__(self, port=0):
        self.mood = "good"
        self.mood_stop = "good"
        self.asked = []
        self.publishers = []
        self.forwards = {}
        self._events = []
        self._wake = threading.Condition()
        self._last_id = 100
        self._secrets = {}
        self._over = False
        handler = type("Handler", (_Handler,), {"janus": self})
        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", port), handler)
        self._server.daemon_threads = True
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    @property
    def url(self):
        return f"http://127.0.0.1:{self._server.server_port}/janus"

    def require(self, **secrets):
        """Refuses requests without these: apisecret, secret, pin, admin_key."""
        self._secrets = secrets

    def publish(self, name, display, *streams):
        """Somebody publishes `streams`, each (type, codec)."""
        row = {
            "id": name,
            "display": display,
            "streams": [
                {"type": kind, "mindex": at, "mid": str(at), "codec": codec}
                for at, (kind, codec) in enumerate(streams)
            ],
        }
        self.publishers.append(row)
        self.tell({"videoroom": "event", "room": 1234, "publishers": [row]})

    def leave(self, name):
        self.publishers = [row for row in self.publishers if row["id"] != name]
        self.forwards = {key: row for key, row in self.forwards.items() if row["publisher_id"] != name}
        self.tell({"videoroom": "event", "room": 1234, "leaving": name})

    def destroy_room(self):
        self.tell({"videoroom": "destroyed", "room": 1234})

    def tell(self, data, transaction=None):
        event = {"janus": "event", "sender": 7, "session_id": 3,
                 "plugindata": {"plugin": "janus.plugin.videoroom", "data": data}}
        if transaction is not None:
            event["transaction"] = transaction
        with self._wake:
            self._events.append(event)
            self._wake.notify_all()

    def forget(self):
        """As after a restart: nobody publishes, nothing is forwarded, no session is known."""
        with self._wake:
            self.publishers, self.forwards, self._events = [], {}, [{"janus": "timeout", "session_id": 3}]
            self._wake.notify_all()

    def requests(self, name):
        return [body for body in self.asked if body.get("request") == name]

    def close(self):
        with self._wake:
            self._over = True
            self._wake.notify_all()
        self._server.shutdown()
        self._server.server_close()

    def wait_events(self):
        with self._wake:
            self._wake.wait_for(lambda: self._events or self._over, 2)
            events, self._events = self._events, []
            return events or [{"janus": "keepalive"}]

    def answer(self, message):
        kind, transaction = message["janus"], message["transaction"]
        if "apisecret" in self._secrets and message.get("apisecret") != self._secrets["apisecret"]:
            return {"janus": "error", "transaction": transaction,
                    "error": {"code": 403, "reason": "Unauthorized request (wrong or missing secret/token)"}}
        if kind in ("create", "attach"):
            return {"janus": "success", "transaction": transaction, "data": {"id": 3 if kind == "create" else 7}}
        if kind == "destroy":
            self.asked.append({"request": "(destroy)"})
            return {"janus": "success", "transaction": transaction}
        body = message["body"]
        self.asked.append(body)
        if body["request"] == "join":
            if "pin" in self._secrets and body.get("pin") != self._secrets["pin"]:
                self.tell({"videoroom": "event", "error_code": 433, "error": "Unauthorized (wrong pin)"}, transaction)
                return {"janus": "ack", "transaction": transaction}
            self.tell({"videoroom": "joined", "room": 1234, "id": 1, "publishers": self.publishers}, transaction)
            return {"janus": "ack", "transaction": transaction}
        data = self._sync(body)
        return {"janus": "success", "transaction": transaction,
                "plugindata": {"plugin": "janus.plugin.videoroom", "data": data}}

    def _sync(self, body):
        for name in ("secret", "admin_key"):
            if name in self._secrets and body.get(name) != self._secrets[name]:
                return {"videoroom": "event", "error_code": 433, "error": f"Unauthorized (wrong {name})"}
        if body["request"] == "rtp_forward":
            rows = []
            for stream in body["streams"]:
                self._last_id += 1
                row = {"stream_id": self._last_id, "host": stream["host"], "port": stream["port"],
                       "publisher_id": body["publisher_id"], "mid": stream["mid"], "pt": stream["pt"],
                       "rtcp_port": stream.get("rtcp_port")}
                self.forwards[self._last_id] = row
                rows.append(row)
            return {"videoroom": "rtp_forward", "publisher_id": body["publisher_id"], "forwarders": rows}
        if body["request"] == "stop_rtp_forward":
            if self.mood_stop == "good":
                self.forwards.pop(body["stream_id"], None)
            return {"videoroom": "stop_rtp_forward", "stream_id": body["stream_id"]}
        publishers = {}
        for row in self.forwards.values():
            publishers.setdefault(row["publisher_id"], []).append(row)
        rows = [{"publisher_id": name, "forwarders": rows} for name, rows in publishers.items()]
        return {"videoroom": "forwarders", "room": 1234, "publishers": rows}


class _Handler(http.server.BaseHTTPRequestHandler):
    janus = None

    def do_GET(self):
        if not self._misbehave():
            self._send(200, json.dumps(self.janus.wait_events()).encode())

    def do_POST(self):
        message = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        if not self._misbehave(message):
            self._send(200, json.dumps(self.janus.answer(message)).encode())

    def _misbehave(self, message=None):
        mood = self.janus.mood
        if mood == "good" or (mood == "nonsense-poll" and message is not None):
            return False
        if mood == "hang":
            threading.Event().wait(20)
        elif mood == "huge":
            self._send(200, b'{"janus":"success","x":"' + b"x" * HUGE + b'"}')
        elif mood == "500":
            self._send(500, b'{"janus":"success"}')
        elif mood == "redirect":
            self._send(302, b"", [("Location", "http://127.0.0.1:1/")])
        elif mood == "cut":
            self.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n{")
            self.close_connection = True
        elif mood == "transaction":
            self._send(200, b'{"janus":"success","transaction":"other","data":{"id":3}}')
        elif mood == "no-id" and message is not None:
            self._send(200, json.dumps({"janus": "success", "transaction": message["transaction"],
                                        "data": {"id": "x"}}).encode())
        elif mood == "array":
            self._send(200, b"[[[[1, null]]]]")
        else:
            self._send(200, b"<!doctype html><title>Welcome to nginx!</title>")
        return True

    def _send(self, status, body, headers=()):
        try:
            self.send_response(status)
            for name, value in headers:
                self.send_header(name, value)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)
        except OSError:
            pass

    def log_message(self, *_arguments):
        pass
