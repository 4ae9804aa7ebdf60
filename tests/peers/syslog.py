"""Receivers of audit messages: rsyslog with TLS and client certificates, and one that takes connections and no more."""

import socket
import ssl
import threading

from peers import certificates
from peers.children import Child, poll

NAME = "logs.example"
SENDER = "recorder.example"


class Rsyslog:
    """Writes what it got, byte for byte, a message a line. `start()` after `stop()` is the same receiver again."""

    def __init__(self, folder, port):
        self.folder, self.port, self.child = folder, port, None
        folder.mkdir()
        self.authority = certificates.make_authority(folder)
        self.server = certificates.make_server(folder, self.authority, f"DNS:{NAME}")
        self.sender = certificates.make_server(folder, self.authority, f"DNS:{SENDER}", "sender")
        self.output = folder / "received"
        self.config = folder / "rsyslog.conf"
        self.config.write_text(f"""
            global(workDirectory="{folder}" maxMessageSize="64k" defaultNetstreamDriverCAFile="{self.authority[0]}"
                   defaultNetstreamDriverCertFile="{self.server[0]}" defaultNetstreamDriverKeyFile="{self.server[1]}")
            module(load="imtcp" streamDriver.name="gtls" streamDriver.mode="1" streamDriver.authMode="x509/name"
                   permittedPeer="{SENDER}")
            template(name="raw" type="string" string="%rawmsg%\\n")
            ruleset(name="audit") {{ action(type="omfile" file="{self.output}" template="raw") }}
            input(type="imtcp" address="127.0.0.1" port="{port}" ruleset="audit")
        """)

    def settings(self, **more):
        """The group `audit.syslog` of a configuration that sends here."""
        rows = {"address": "127.0.0.1", "port": self.port, "server_name": NAME, "ca_file": str(self.authority[0]),
                "certificate": str(self.sender[0]), "key": str(self.sender[1]), "retry_ms": 300, "timeout_ms": 1000, **more}
        shown = "; ".join(f'{name} = "{value}"' if isinstance(value, str) else f"{name} = {value}"
                          for name, value in rows.items())
        return "syslog: { " + shown + "; };"

    def start(self):
        command = ["rsyslogd", "-n", "-C", "-f", self.config, "-i", self.folder / "pid"]
        self.child = Child(command, self.folder / "log")
        poll(self._listens, 20, "rsyslog to listen")
        return self

    def _listens(self):
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", self.port)) == 0

    def stop(self):
        self.child.terminate()

    def messages(self):
        return self.output.read_text().splitlines() if self.output.exists() else []


class Staller:
    """Takes each connection, with TLS where it is given a certificate, and never reads what comes."""

    def __init__(self, port, certificate=None):
        self.accepted, self.certificate, self.connections = 0, certificate, []
        self.socket = socket.create_server(("127.0.0.1", port))
        self.thread = threading.Thread(target=self._run, daemon=True)
        self.thread.start()

    def _run(self):
        context = None
        if self.certificate is not None:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(*self.certificate)
        while True:
            try:
                connection, _ = self.socket.accept()
            except OSError:
                return
            self.accepted += 1
            if context is not None:
                try:
                    connection = context.wrap_socket(connection, server_side=True)
                except OSError:
                    continue
            self.connections.append(connection)

    def close(self):
        self.socket.shutdown(socket.SHUT_RDWR)
        self.socket.close()
        for connection in self.connections:
            connection.close()
