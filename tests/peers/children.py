"""Processes that a test starts, each the head of its own group, and all ended with the test.

Only what was started here is ever signalled, by its id.
"""

import atexit
import ctypes
import os
import signal
import subprocess
import sys
import threading
import time

PR_SET_PDEATHSIG = 1
_libc = ctypes.CDLL(None, use_errno=True)
_running = []
_lock = threading.Lock()


def _die_with_parent():
    _libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


class Child:
    """One running program, its log in a file."""

    def __init__(self, command, log, **popen):
        self.command = [str(word) for word in command]
        self.log = str(log)
        with open(self.log, "ab") as output:
            self.process = subprocess.Popen(
                self.command,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                preexec_fn=_die_with_parent,
                **popen,
            )
        self.pid = self.process.pid
        with _lock:
            _running.append(self)

    def is_running(self):
        return self.process.poll() is None

    def log_text(self):
        with open(self.log, "rb") as file:
            return file.read().decode("utf-8", "replace")

    def wait(self, timeout_s):
        """Returns the exit status, negative for a signal."""
        status = self.process.wait(timeout_s)
        self._forget()
        return status

    def terminate(self, timeout_s=20):
        """Asks it to end, insists after `timeout_s`; returns the exit status."""
        if self.is_running():
            self.process.terminate()
        try:
            return self.wait(timeout_s)
        except subprocess.TimeoutExpired:
            return self.kill()

    def kill(self):
        """Ends it and whatever it started, at once."""
        try:
            os.killpg(self.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
        return self.wait(20)

    def _forget(self):
        with _lock:
            if self in _running:
                _running.remove(self)


def kill_all():
    with _lock:
        left = list(_running)
    for child in left:
        try:
            os.killpg(child.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass


def start_watchdog(deadline_s, before_exit=None):
    """Ends the whole test, children first, if it still runs after `deadline_s`."""

    def bark():
        print(f"Bail out! still running after {deadline_s} s", flush=True)
        kill_all()
        if before_exit is not None:
            before_exit()
        os._exit(1)

    timer = threading.Timer(deadline_s, bark)
    timer.daemon = True
    timer.start()
    return timer


def poll(condition, timeout_s, what, interval_s=0.05):
    """Asks `condition` until it answers something true, which is returned."""
    deadline = time.monotonic() + timeout_s
    while True:
        answer = condition()
        if answer:
            return answer
        if time.monotonic() > deadline:
            raise TimeoutError(f"waited {timeout_s} s for {what}")
        time.sleep(interval_s)


def _on_signal(number, _frame):
    kill_all()
    sys.exit(128 + number)


def end_children_on_signals():
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, _on_signal)


atexit.register(kill_all)
