#!/usr/bin/python3
"""The README's commands, typed as they stand there by somebody who has just built the programs."""

import os
import pathlib
import re
import subprocess

from harness import main, program, streams_of, tap, title_of

README = pathlib.Path(__file__).resolve().parents[2] / "README.md"

# What a person does between the lines: waits until a daemon serves and a session is stored, and copies what was answered.
PERSON = r"""
set -euo pipefail
trap 'kill $(jobs -p) 2>/dev/null; wait' EXIT
wait_for() { for _ in $(seq 200); do "$@" && return; sleep 0.1; done; echo "in vain: $*" >&2; exit 1; }
make() { [ "$*" = install ] && command -v sealtaped >/dev/null; }
curl() {
    wait_for [ -S ~/tape/run/recorder.sock ]
    answer=$(command curl --silent --show-error --fail-with-body "$@")
    [ -n "${SESSION:-}" ] || SESSION=$(jq -r .session <<<"$answer") PORT=$(jq -r .tracks[0].port <<<"$answer")
}
is_stored() {
    command curl -s --unix-socket ~/tape/run/recorder.sock "http://localhost/v1/sessions/$SESSION" | jq -e '.state == "stored"' >/dev/null
}
sealtape() {
    case $1 in --config) wait_for is_stored ;; esac
    case " $* " in *" export "*) wait_for [ -S ~/tape/run/access.sock ] ;; esac
    command sealtape "$@"
}
cd ~
"""


def blocks():
    """Heading to the first block of commands below it."""
    return dict(re.findall(r"^## (.+?)$.*?^```\n(.*?)^```$", README.read_text(encoding="utf-8"), re.M | re.S))


def test_by_hand(folder):
    programs = folder / "programs"
    programs.mkdir()
    for name in ("sealtape", "sealtaped", "sealtape-accessd"):
        (programs / name).symlink_to(os.path.abspath(program(name)))
    typed, n_ports = re.subn(r"port=40000$", 'port="$PORT"', blocks()["By hand"], flags=re.M)
    typed, n_sessions = re.subn(r"\bSESSION\b(?!, and)", '"$SESSION"', typed)  # not in the remark
    tap.ok(n_ports == 1 and n_sessions >= 5, "the page has the commands that are meant", typed)

    environment = {**os.environ, "HOME": str(folder), "PATH": f"{programs}:{os.environ['PATH']}"}
    done = subprocess.run(["bash", "-c", PERSON + typed], env=environment, stdin=subprocess.DEVNULL, capture_output=True,
                          text=True, timeout=80, check=False)

    tap.equal(done.returncode, 0, "every command succeeds")
    tap.note(done.stdout + done.stderr)
    tap.contains(done.stdout, "all there, genuine and in order", "the recording is verified")
    for name in ("visit.mkv", "visit2.mkv"):
        tap.equal([title_of(row) for row in streams_of(folder / name)], ["p1-audio"], f"{name} has what was sent")
    for words in ("recording-stored ok", "access-asked ok", "media-exported ok"):
        tap.contains(done.stdout, words, f"the audit log knows: {words}")


def test_targets(folder):
    listed = subprocess.run(["make", "-C", README.parent, "help"], capture_output=True, text=True, check=True).stdout
    for target in re.findall(r"^make ([a-z-]+)", blocks()["Two commands"], re.M):
        tap.contains(listed, f"make {target} ", f"`make {target}` is there")


if __name__ == "__main__":
    main([test_by_hand, test_targets], 100)
