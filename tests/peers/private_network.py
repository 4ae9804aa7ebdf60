"""A network of the test's own: one namespace with loopback and one address no packet can leave from."""

import os
import shutil
import subprocess
import sys

ADDRESS = "10.77.0.1"
_MARK = "SEALTAPE_PRIVATE_NETWORK"


def is_possible():
    """Whether this user may make a network namespace here."""
    if shutil.which("unshare") is None or shutil.which("ip") is None:
        return False
    return subprocess.run(["unshare", "--net", "true"], capture_output=True).returncode == 0


def enter():
    """Starts this program again inside a new network namespace; returns only there.

    The namespace has no name and no way out: it goes when its last process ends.
    """
    if os.environ.get(_MARK) is None:
        os.environ[_MARK] = "1"
        os.execvp("unshare", ["unshare", "--net", sys.executable, *sys.argv])
    for command in (
        "ip link set lo up",
        "ip link add seal0 type veth peer name seal1",
        f"ip address add {ADDRESS}/24 dev seal0",
        "ip link set seal0 up",
        "ip link set seal1 up",
    ):
        subprocess.run(command.split(), check=True)
