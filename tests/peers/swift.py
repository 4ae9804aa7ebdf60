"""OpenStack Swift of the test's own, with its S3 front: a proxy, one storage server of each kind, memcached, all on
loopback, all in one folder, all ended by their ids. Another verifier of signatures, dates and regions than Ceph's."""

import os
import shutil
import socket
import subprocess

from peers.children import Child, poll

PROGRAMS = ("swift-proxy-server", "swift-account-server", "swift-container-server", "swift-object-server",
            "swift-ring-builder", "memcached")
REGION = "swift-1"
ACCESS_KEY, SECRET = "t:t", "not-for-anything-else"

_PROXY = """[DEFAULT]
bind_ip = 127.0.0.1
bind_port = {proxy}
swift_dir = {folder}
workers = 0
user = {user}
log_name = proxy
[pipeline:main]
pipeline = catch_errors proxy-logging cache listing_formats bulk s3api tempauth slo dlo versioned_writes symlink proxy-logging proxy-server
[app:proxy-server]
use = egg:swift#proxy
account_autocreate = true
[filter:catch_errors]
use = egg:swift#catch_errors
[filter:proxy-logging]
use = egg:swift#proxy_logging
[filter:cache]
use = egg:swift#memcache
memcache_servers = 127.0.0.1:{memcached}
[filter:listing_formats]
use = egg:swift#listing_formats
[filter:bulk]
use = egg:swift#bulk
[filter:s3api]
use = egg:swift#s3api
location = {region}
dns_compliant_bucket_names = true
allow_multipart_uploads = true
[filter:tempauth]
use = egg:swift#tempauth
user_t_t = {secret} .admin
[filter:slo]
use = egg:swift#slo
[filter:dlo]
use = egg:swift#dlo
[filter:versioned_writes]
use = egg:swift#versioned_writes
allow_object_versioning = true
[filter:symlink]
use = egg:swift#symlink
"""

_STORAGE = """[DEFAULT]
bind_ip = 127.0.0.1
bind_port = {port}
swift_dir = {folder}
devices = {folder}/devices
mount_check = false
workers = 0
user = {user}
log_name = {kind}
recon_cache_path = {folder}
[pipeline:main]
pipeline = {kind}-server
[app:{kind}-server]
use = egg:swift#{kind}
"""


def is_possible():
    return all(shutil.which(name) for name in PROGRAMS)


def _free_ports(count):
    sockets = [socket.socket() for _ in range(count)]
    for each in sockets:
        each.bind(("127.0.0.1", 0))
    ports = [each.getsockname()[1] for each in sockets]
    for each in sockets:
        each.close()
    return ports


class Swift:
    """Running after start(); `port` is its front's."""

    def __init__(self, folder):
        self.folder = folder
        self.children = []
        (folder / "devices" / "d1").mkdir(parents=True)
        ports = _free_ports(5)
        self.port, self.memcached, self.storage = ports[0], ports[1], dict(zip(("account", "container", "object"), ports[2:]))
        self.user = subprocess.run(["id", "-un"], capture_output=True, text=True, check=True).stdout.strip()

    def start(self):
        (self.folder / "swift.conf").write_text("[swift-hash]\nswift_hash_path_suffix = s\nswift_hash_path_prefix = p\n"
                                                "[storage-policy:0]\nname = gold\ndefault = yes\n")
        self._spawn("memcached", "-u", self.user, "-l", "127.0.0.1", "-p", self.memcached, "-m", "16")
        for kind, port in self.storage.items():
            self._make_ring(kind, port)
            self._configure(kind, _STORAGE.format(port=port, kind=kind, folder=self.folder, user=self.user))
        self._configure("proxy", _PROXY.format(proxy=self.port, memcached=self.memcached, folder=self.folder, region=REGION,
                                               secret=SECRET, user=self.user))
        poll(lambda: all(self._answers(port) for port in (self.port, self.memcached, *self.storage.values())), 60,
             "Swift to answer", 0.1)
        return self

    def _make_ring(self, kind, port):
        builder = str(self.folder / f"{kind}.builder")
        for arguments in (("create", "4", "1", "1"), ("add", f"r1z1-127.0.0.1:{port}/d1", "1"), ("rebalance",)):
            done = subprocess.run(["swift-ring-builder", builder, *arguments], capture_output=True, text=True, timeout=60)
            if done.returncode not in (0, 1):  # 1: only warnings
                raise RuntimeError(f"swift-ring-builder {arguments}: {done.stdout}{done.stderr}")

    def _configure(self, kind, text):
        path = self.folder / f"{kind}-server.conf"
        path.write_text(text)
        self._spawn(f"swift-{kind}-server", path, "--verbose")

    def _spawn(self, name, *arguments):
        environment = {**os.environ, "SWIFT_CONF_FILE": str(self.folder / "swift.conf")}
        self.children.append(Child([name, *arguments], self.folder / f"{name}.log", env=environment))

    def _answers(self, port):
        for child in self.children:
            if not child.is_running():
                raise RuntimeError(f"{child.command[0]} ended:\n{child.log_text()[-2000:]}")
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", port)) == 0
