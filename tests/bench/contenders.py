"""Who else records RTP on a server, each as its users run it, fed by the same load.

Each takes `n` publishers on `ports` (audio, video), writes into `folder`, and is one or more processes: `pids`.
None of them seals anything, and none makes a file durable before it is closed."""

import json
import pathlib
import urllib.request

import load
from peers.children import Child, poll

JANUS_HTTP_PORT = 18090
_PLUGINS = "audiobridge duktape echotest lua nosip recordplay sip textroom videocall videoroom voicemail".split()


def pairs(n):
    """Ports that nobody else has asked for: those of a recorder start where these do."""
    return [(load.FIRST_PORT + 4 * i, load.FIRST_PORT + 4 * i + 2) for i in range(n)]


def are_bound(ports):
    """Whether somebody listens at each of them."""
    text = pathlib.Path("/proc/net/udp").read_text() + pathlib.Path("/proc/net/udp6").read_text()
    found = {int(line.split()[1].split(":")[1], 16) for line in text.splitlines() if ":" in line.split()[1]}
    return all(port in found for pair in ports for port in pair)


class GstLaunch:
    """One process for all, which is kinder to it than one for each."""

    name = "gst-launch"

    def __init__(self, folder, encoded, n):
        self.folder, self.ports = folder, pairs(n)
        words = []
        for i, pair in enumerate(self.ports):
            words += [*f"matroskamux name=m{i} streamable=true ! filesink location={folder}/{i}.mkv".split()]
            for media, port in zip(encoded, pair):
                depay = "rtpopusdepay ! opusparse" if media.codec == "opus" else "rtpvp8depay"
                caps = (
                    f"application/x-rtp,media={media.kind},clock-rate={media.clock_rate},"
                    f"encoding-name={media.codec.upper()},payload={media.payload_type}"
                )
                words += f"udpsrc address=127.0.0.1 port={port} caps={caps} ! rtpjitterbuffer ! {depay} ! m{i}.".split()
        self.children = [Child(["gst-launch-1.0", "-q", *words], folder / "gst-launch.log")]
        poll(lambda: are_bound(self.ports), 60, "gst-launch to listen")

    @property
    def pids(self):
        return [child.pid for child in self.children]

    def written_bytes(self):
        return sum(path.stat().st_size for path in self.folder.glob("*.mkv"))

    def close(self):
        for child in self.children:
            child.kill()


class Ffmpeg(GstLaunch):
    """One process for each publisher: it writes one recording."""

    name = "ffmpeg"

    def __init__(self, folder, encoded, n):
        self.folder, self.ports, self.children = folder, pairs(n), []
        for i, pair in enumerate(self.ports):
            sdp = folder / f"{i}.sdp"
            rows = ["v=0", "o=- 0 0 IN IP4 127.0.0.1", "s=-", "c=IN IP4 127.0.0.1", "t=0 0"]
            for media, port in zip(encoded, pair):
                channels = "/2" if media.codec == "opus" else ""
                rows += [
                    f"m={media.kind} {port} RTP/AVP {media.payload_type}",
                    f"a=rtpmap:{media.payload_type} {media.codec.upper()}/{media.clock_rate}{channels}",
                ]
            sdp.write_text("\n".join(rows) + "\n")
            command = ["ffmpeg", "-v", "error", "-nostdin", "-protocol_whitelist", "file,udp,rtp", "-i", sdp]
            # As many looks ahead as it wants would delay the first byte by seconds.
            command += ["-c", "copy", "-y", folder / f"{i}.mkv"]
            self.children.append(Child(command, folder / f"ffmpeg-{i}.log"))
        poll(lambda: are_bound(self.ports), 60, "ffmpeg to listen")


class Janus(GstLaunch):
    """RTP as Janus itself takes it in, the streaming plugin, recorded as it came into .mjr files: neither muxed
    nor put into order. A publisher of a VideoRoom costs it SRTP, ICE and DTLS besides."""

    name = "janus .mjr"

    def __init__(self, folder, encoded, n):
        self.folder, self.ports = folder, pairs(n)
        plugins = ",".join(f"libjanus_{name}.so" for name in _PLUGINS)
        libraries = "/usr/lib/x86_64-linux-gnu/janus"
        (folder / "janus.jcfg").write_text(
            f'general: {{ configs_folder = "{folder}"; plugins_folder = "{libraries}/plugins"; '
            f'transports_folder = "{libraries}/transports"; debug_level = 3; log_to_stdout = true; '
            f'protected_folders = [] }}\nplugins: {{ disable = "{plugins}" }}\n'
            'transports: { disable = "libjanus_pfunix.so,libjanus_websockets.so,libjanus_nanomsg.so,'
            'libjanus_mqtt.so,libjanus_rabbitmq.so" }\nevents: { broadcast = false }\n'
        )
        (folder / "janus.transport.http.jcfg").write_text(
            f'general: {{ json = "compact"; base_path = "/janus"; http = true; ip = "127.0.0.1"; '
            f"port = {JANUS_HTTP_PORT}; https = false }}\nadmin: {{ admin_http = false; admin_https = false }}\n"
        )
        (folder / "janus.plugin.streaming.jcfg").write_text("general: { }\n")
        self.children = [Child(["janus", "-F", folder, "-C", folder / "janus.jcfg"], folder / "janus.log")]
        poll(self._answers, 20, "janus to answer")
        self.path = "/janus"
        self.path += f"/{self._post({'janus': 'create'})['data']['id']}"
        self.path += f"/{self._post({'janus': 'attach', 'plugin': 'janus.plugin.streaming'})['data']['id']}"
        for i, pair in enumerate(self.ports):
            self._record(i + 1, encoded, pair)

    def written_bytes(self):
        return sum(path.stat().st_size for path in self.folder.glob("*.mjr"))

    def _record(self, number, encoded, pair):
        rows = [
            {"type": media.kind, "mid": media.kind, "port": port, "pt": media.payload_type, "codec": media.codec}
            for media, port in zip(encoded, pair)
        ]
        files = [{"mid": row["mid"], "filename": f"{self.folder}/{number}-{row['mid']}"} for row in rows]
        self._ask({"request": "create", "type": "rtp", "id": number, "name": str(number), "media": rows})
        self._ask({"request": "recording", "action": "start", "id": number, "media": files})

    def _ask(self, body):
        answer = self._post({"janus": "message", "body": body})
        if answer["janus"] != "success" or "error" in answer["plugindata"]["data"]:
            raise RuntimeError(f"janus refused {body['request']}: {answer}")

    def _answers(self):
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{JANUS_HTTP_PORT}/janus/info", timeout=5) as answer:
                return answer.status == 200
        except OSError:
            return False

    def _post(self, body):
        url = f"http://127.0.0.1:{JANUS_HTTP_PORT}{self.path}"
        content = json.dumps({"transaction": "bench", **body}).encode()
        request = urllib.request.Request(url, content, {"Content-Type": "application/json"})
        with urllib.request.urlopen(request, timeout=30) as answer:
            return json.load(answer)
