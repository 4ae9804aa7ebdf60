"""A Janus of the test's own with its VideoRoom, set up and driven over its HTTP API."""

import json
import secrets
import urllib.request

from peers.children import Child, poll

PLUGINS = "/usr/lib/x86_64-linux-gnu/janus/plugins"
TRANSPORTS = "/usr/lib/x86_64-linux-gnu/janus/transports"
HTTP_PORT = 18088
HTTPS_PORT = 18089
ROOM = 4711

_SETTINGS = """
general: {{
    configs_folder = "{folder}"
    plugins_folder = "{plugins}"
    transports_folder = "{transports}"
    debug_level = 4
    log_to_stdout = true
    session_timeout = 0
    admin_secret = "test"
    protected_folders = []
}}
media: {{ rtp_port_range = "20000-20200" }}
nat: {{ full_trickle = false, ice_enforce_list = "{address}" }}
plugins: {{ disable = "{unwanted_plugins}" }}
transports: {{ disable = "libjanus_pfunix.so,libjanus_websockets.so,libjanus_nanomsg.so,libjanus_mqtt.so,libjanus_rabbitmq.so" }}
events: {{ broadcast = false }}
"""

_UNWANTED_PLUGINS = ",".join(
    f"libjanus_{name}.so"
    for name in "audiobridge duktape echotest lua nosip recordplay sip streaming textroom videocall "
    "voicemail".split()
)

_HTTP = """
general: {{ json = "compact", base_path = "/janus", http = true, ip = "127.0.0.1", port = {port}, https = {https},
            secure_ip = "127.0.0.1", secure_port = {secure_port} }}
certificates: {{ {certificates} }}
admin: {{ admin_http = false, admin_https = false }}
"""


def start(folder, address, certificate=None):
    """Starts Janus with its settings in `folder`; media on `address`, its API on loopback. `certificate`: files of
    certificate and key, for https beside http.

    Returns (child, handle of a publisher's VideoRoom plugin)."""
    settings = _SETTINGS.format(
        folder=folder,
        plugins=PLUGINS,
        transports=TRANSPORTS,
        address=address,
        unwanted_plugins=_UNWANTED_PLUGINS,
    )
    pem, key = certificate or ("", "")
    (folder / "janus.jcfg").write_text(settings)
    (folder / "janus.transport.http.jcfg").write_text(
        _HTTP.format(
            port=HTTP_PORT,
            https="true" if certificate else "false",
            secure_port=HTTPS_PORT,
            certificates=f'cert_pem = "{pem}", cert_key = "{key}"' if certificate else "",
        )
    )
    (folder / "janus.plugin.videoroom.jcfg").write_text("general: { }\n")
    child = Child(["janus", "-F", folder, "-C", folder / "janus.jcfg"], folder / "janus.log")

    def answers():
        if not child.is_running():
            raise RuntimeError("janus ended:\n" + child.log_text()[-2000:])
        try:
            return _get("/janus/info")["janus"] == "server_info"
        except OSError:
            return False

    poll(answers, 20, "janus to answer")
    return child, Publisher()


class Publisher:
    """One participant's session with Janus, as the page of a telehealth service holds it."""

    def __init__(self):
        self.session = _post("/janus", {"janus": "create"})["data"]["id"]
        answer = _post(
            f"/janus/{self.session}", {"janus": "attach", "plugin": "janus.plugin.videoroom"}
        )
        self.path = f"/janus/{self.session}/{answer['data']['id']}"
        self.publisher_id = None

    def create_room(self, video_codec="vp8", **more):
        """`video_codec`: those that may be published, by commas."""
        return self._ask(
            {
                "request": "create",
                "room": ROOM,
                "publishers": 4,
                "bitrate": 600000,
                "fir_freq": 0,
                "audiocodec": "opus",
                "videocodec": video_codec,
                "notify_joining": False,
                **more,
            }
        )

    def destroy_room(self, **more):
        return self._ask({"request": "destroy", "room": ROOM, **more})

    def join(self, display=None, **more):
        request = {"request": "join", "ptype": "publisher", "room": ROOM, **more}
        if display is not None:
            request["display"] = display
        event = self._ask_event(request)
        self.publisher_id = event["plugindata"]["data"]["id"]

    def publish(self, offer_sdp):
        """Hands the browser's offer to the room. Returns the SDP answer."""
        event = self._ask_event(
            {"request": "configure", "audio": True, "video": True},
            jsep={"type": "offer", "sdp": offer_sdp, "trickle": False},
        )
        return event["jsep"]["sdp"]

    def rtp_forward(self, host, streams):
        """Forwards this publisher's media as plain RTP. `streams`: mid -> settings of the stream."""
        rows = [{"mid": mid, "host": host, **settings} for mid, settings in streams.items()]
        return self._ask(
            {
                "request": "rtp_forward",
                "room": ROOM,
                "publisher_id": self.publisher_id,
                "host": host,
                "streams": rows,
            }
        )

    def list_forwarders(self, secret):
        return self._ask({"request": "listforwarders", "room": ROOM, "secret": secret})["publishers"]

    def leave(self):
        _post(self.path, {"janus": "message", "body": {"request": "leave"}})

    def unpublish(self):
        return self._ask_event({"request": "unpublish"})

    def _ask(self, body):
        answer = _post(self.path, {"janus": "message", "body": body})
        data = answer.get("plugindata", {}).get("data", {})
        if answer["janus"] != "success" or "error" in data:
            raise RuntimeError(f"janus refused {body['request']}: {answer}")
        return data

    def _ask_event(self, body, **more):
        """For requests whose answer comes later, on the session's long poll."""
        transaction = secrets.token_hex(8)
        _post(self.path, {"transaction": transaction, "janus": "message", "body": body, **more})
        for _ in range(20):
            event = _get(f"/janus/{self.session}")
            if event["janus"] != "event" or event.get("transaction") != transaction:
                continue
            data = event["plugindata"]["data"]
            if "error" in data:
                raise RuntimeError(f"janus refused {body['request']}: {data}")
            return event
        raise RuntimeError(f"janus sent no answer to {body['request']}")


def _get(path):
    with urllib.request.urlopen(f"http://127.0.0.1:{HTTP_PORT}{path}", timeout=35) as answer:
        return json.load(answer)


def _post(path, message):
    message = {"transaction": secrets.token_hex(8), **message}
    request = urllib.request.Request(
        f"http://127.0.0.1:{HTTP_PORT}{path}",
        json.dumps(message).encode(),
        {"Content-Type": "application/json"},
    )
    with urllib.request.urlopen(request, timeout=20) as answer:
        return json.load(answer)
