"""A disk of one's own in a file, and a way to cut its power: the shutdown ioctl of ext4 and xfs."""

import fcntl
import os
import shutil
import struct
import subprocess
import time

from bed import Skip

SHUTDOWN = 0x8004587D  # _IOR('X', 125, __u32), the same for ext4 and xfs
WITHOUT_LOG = struct.pack("I", 2)  # nothing is flushed, not even the journal
SIZES = {"ext4": 160 << 20, "xfs": 320 << 20}


class Disk:
    """Mounted where the bed's spool is, or at `path`, a folder that is made."""

    def __init__(self, bed, kind, path=None):
        self.bed, self.kind, self.path = bed, kind, path or bed.recorder.spool
        self.path.mkdir(exist_ok=True)
        self.image = bed.folder / f"{kind}.img"
        if shutil.which(f"mkfs.{kind}") is None:
            raise Skip(f"no mkfs.{kind} here")
        with open(self.image, "wb") as file:
            file.truncate(SIZES[kind])
        options = ["-q", "-F"] if kind == "ext4" else ["-q"]
        self._run(f"mkfs.{kind}", *options, self.image)
        self._mount()
        bed.mounts.append(self.path)

    def _mount(self):
        done = subprocess.run(["mount", "-o", "loop", "-t", self.kind, self.image, self.path], capture_output=True, text=True)
        if done.returncode != 0:
            raise Skip(f"no {self.kind} image can be mounted here: {done.stderr.strip()}")

    def cut(self):
        folder = os.open(self.path, os.O_RDONLY)
        try:
            fcntl.ioctl(folder, SHUTDOWN, WITHOUT_LOG)
        except OSError as failure:
            raise Skip(f"{self.kind} here knows no shutdown: {failure}") from failure
        finally:
            os.close(folder)

    def mount_again(self):
        # A program that is just being started elsewhere may hold a descriptor of ours for a moment.
        for _ in range(50):
            if subprocess.run(["umount", self.path], capture_output=True).returncode == 0:
                break
            time.sleep(0.1)
        else:
            self._run("umount", self.path)
        self._mount()

    @staticmethod
    def _run(*command):
        subprocess.run(list(map(str, command)), check=True, capture_output=True)
