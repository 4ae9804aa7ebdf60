"""A Ceph object gateway of the test's own: one monitor, one store in memory, one gateway, all on loopback, all in
one folder, all ended by their ids."""

import os
import pathlib
import secrets
import shutil
import socket
import subprocess
import uuid

from peers.children import Child, poll

PROGRAMS = ("ceph", "ceph-authtool", "ceph-mon", "ceph-osd", "monmaptool", "radosgw", "radosgw-admin")

_IN_MEMORY = "osd objectstore = memstore\nmemstore device bytes = 1073741824"
_ON_DISK = """osd objectstore = bluestore
bluestore block size = 2147483648
bluestore cache autotune = false
bluestore cache size = 67108864"""
_SETTINGS = """
[global]
fsid = {fsid}
mon initial members = a
mon host = [v2:127.0.0.1:{mon2}/0,v1:127.0.0.1:{mon1}/0]
public addr = 127.0.0.1
cluster addr = 127.0.0.1
public network = 127.0.0.0/8
cluster network = 127.0.0.0/8
ms bind ipv6 = false
osd pool default size = 1
osd pool default min size = 1
osd pool default pg num = 4
osd pool default pgp num = 4
osd pool default pg autoscale mode = off
osd crush chooseleaf type = 0
mon allow pool size one = true
mon data = {folder}/mon
osd data = {folder}/osd
rgw data = {folder}/rgw
run dir = {folder}/run
admin socket = {folder}/run/$name.$pid.asok
log file = {folder}/log/$name.log
pid file = {folder}/run/$name.pid
crash dir = {folder}/crash
keyring = {folder}/keyring
{objects}
[client.rgw]
keyring = {folder}/rgw/keyring
rgw data = {folder}/rgw
rgw frontends = beast endpoint=127.0.0.1:{http} ssl_endpoint=127.0.0.1:{https} ssl_certificate={certificate} ssl_private_key={key}
rgw dns name = s3.localhost
rgw lc debug interval = 10
"""


def is_possible():
    return os.geteuid() == 0 and all(shutil.which(name) for name in PROGRAMS)


def _free_ports(count):
    sockets = [socket.socket() for _ in range(count)]
    for each in sockets:
        each.bind(("127.0.0.1", 0))
    ports = [each.getsockname()[1] for each in sockets]
    for each in sockets:
        each.close()
    return ports


class Gateway:
    """Running after start(); `http` and `https` are its ports."""

    def __init__(self, folder, certificate, key, on_disk=False):
        """`on_disk`: the objects lie in a file, so that its store may be killed and comes back with them."""
        self.folder = folder
        self.children = []
        self.settings = folder / "ceph.conf"
        self.http, self.https, self.mon1, self.mon2 = _free_ports(4)
        for name in ("mon", "osd", "rgw", "run", "log", "crash"):
            (folder / name).mkdir(parents=True)
        self.fsid = str(uuid.uuid4())
        self.settings.write_text(_SETTINGS.format(fsid=self.fsid, folder=folder, http=self.http, https=self.https,
                                                  mon1=self.mon1, mon2=self.mon2, certificate=certificate, key=key,
                                                  objects=_ON_DISK if on_disk else _IN_MEMORY))

    def start(self):
        self._start_monitor()
        self._start_store()
        key = self._ceph("auth", "get-or-create", "client.rgw", "mon", "allow rw", "osd", "allow rwx")
        (self.folder / "rgw" / "keyring").write_text(key)
        self.start_gateway()
        return self

    def stop(self):
        """The gateway first, the monitor last; whoever does not end in time is killed, by its id."""
        for child in reversed(self.children):
            if child.is_running():
                child.terminate(10)

    def add_user(self, name, access_key=None):
        """Returns (access key, secret)."""
        access_key, secret = access_key or "AK" + secrets.token_hex(8).upper(), secrets.token_urlsafe(24)
        self._run("radosgw-admin", "user", "create", f"--uid={name}", f"--display-name={name}",
                  f"--access-key={access_key}", f"--secret={secret}")
        return access_key, secret

    def restart_gateway(self):
        """Kills the gateway and starts another."""
        self.kill_gateway()
        self.start_gateway()

    def kill_gateway(self):
        gateway = self.children.pop()
        gateway.kill()
        for name in ("faketime_shm", "sem.faketime_sem"):  # of a shifted clock, whose owner tidies up only if it ends by itself
            pathlib.Path(f"/dev/shm/{name}_{gateway.pid}").unlink(missing_ok=True)

    def start_gateway(self, shift=None):
        """`shift`: of its clock alone, as `+36h`. End that one with kill_gateway(): the first process only waits for it."""
        self._spawn("radosgw", "-f", "-n", "client.rgw", "-k", self.folder / "rgw" / "keyring", shift=shift)
        poll(lambda: self._answers(self.https), 60, "radosgw to answer", 0.1)

    def start_store(self):
        self._spawn("ceph-osd", "-f", "-i", "0")

    def kill_store(self):
        """Kills the daemon that keeps the objects, the gateway stays."""
        store = next(child for child in self.children if child.command[0] == "ceph-osd")
        self.children.remove(store)
        store.kill()

    def _start_monitor(self):
        keyring, monmap = self.folder / "keyring", self.folder / "monmap"
        self._run("ceph-authtool", "--create-keyring", keyring, "--gen-key", "-n", "mon.", "--cap", "mon", "allow *",
                  settings=False)
        self._run("ceph-authtool", keyring, "--gen-key", "-n", "client.admin", "--cap", "mon", "allow *", "--cap", "osd",
                  "allow *", "--cap", "mgr", "allow *", settings=False)
        self._run("monmaptool", "--create", "--fsid", self.fsid, "--addv", "a",
                  f"[v2:127.0.0.1:{self.mon2},v1:127.0.0.1:{self.mon1}]", monmap, settings=False)
        self._run("ceph-mon", "-i", "a", "--mkfs", "--monmap", monmap, "--keyring", keyring)
        self._spawn("ceph-mon", "-f", "-i", "a", "--public-addr", "127.0.0.1")

    def _start_store(self):
        osd = str(uuid.uuid4())
        keyring = self.folder / "keyring"
        self._ceph("osd", "new", osd)
        key = self._ceph("auth", "get-or-create", "osd.0", "mon", "allow profile osd", "osd", "allow *")
        with open(keyring, "a", encoding="utf-8") as file:
            file.write(key)
        self._run("ceph-osd", "-i", "0", "--mkfs", "--osd-uuid", osd)
        self._ceph("osd", "crush", "add", "osd.0", "1.0", "root=default", "host=localhost")
        self.start_store()

    def _spawn(self, name, *arguments, shift=None):
        log = self.folder / "log" / f"{name}.out"
        clock = ["env", "FAKETIME_DONT_FAKE_MONOTONIC=1", "faketime", "-m", "-f", shift] if shift else []
        self.children.append(Child([*clock, name, "-c", self.settings, *arguments], log))

    def _run(self, name, *arguments, settings=True):
        command = [name, *(["-c", self.settings] if settings else []), *arguments]
        done = subprocess.run([str(word) for word in command], stdin=subprocess.DEVNULL, capture_output=True, text=True,
                              timeout=60)
        if done.returncode != 0:
            raise RuntimeError(f"{' '.join(map(str, command))}: {done.stderr[-1500:]}")
        return done.stdout

    def _ceph(self, *arguments):
        return self._run("ceph", "--connect-timeout", "30", *arguments)

    def _answers(self, port):
        for child in self.children:
            if not child.is_running():
                raise RuntimeError(f"{child.command[0]} ended:\n{child.log_text()[-2000:]}")
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", port)) == 0
