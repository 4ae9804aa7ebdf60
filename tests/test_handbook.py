#!/usr/bin/env python3
"""What is told beside the programs fits them: completion, manual pages, alert rules, the dashboard. TAP.
    tests/test_handbook.py SEALTAPE
"""
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile

ROOT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..")
SEALTAPE = os.path.abspath(sys.argv[1])


def run(*argv):
    return subprocess.run(argv, capture_output=True, text=True, check=False, timeout=60, env={**os.environ, "LC_ALL": "C.UTF-8"})


def read(name):
    with open(os.path.join(ROOT, name), encoding="utf-8") as file:
        return file.read()


def commands():
    return re.findall(r"^  ([a-z-]+) ", run(SEALTAPE, "help").stdout.split("Commands:")[1].split("\n\n")[0], re.M)


def offered(*words):
    """What bash would offer behind these words."""
    script = f'''. "{ROOT}/systemd/sealtape.completion"; COMP_WORDS=("$@" ""); COMP_CWORD=$#; COMPREPLY=()
        _sealtape; printf '%s\\n' "${{COMPREPLY[@]}}"'''
    return set(run("bash", "-c", script, "bash", SEALTAPE, *words).stdout.split())


def completion_offers_each_command_and_option():
    assert set(commands()) <= offered(), set(commands()) - offered()
    for command in commands():
        text = run(SEALTAPE, command, "--help").stdout
        options = set(re.findall(r"^  (?:-\w, )?(--[a-z][a-z-]*)", text, re.M))
        assert options and options <= offered(command), (command, options - offered(command))
    assert {"list", "show", "fhir"} <= offered("session") and "--since" in offered("session", "list")


def each_command_has_a_manual_page():
    headings = [one.split()[0] for line in re.findall(r"^## (.*)", read("docs/cli.md"), re.M) for one in line.split(", ")]
    assert set(commands()) <= set(headings), f"docs/cli.md lacks {set(commands()) - set(headings)}"
    if shutil.which("scdoc") is None:
        raise AssertionError("no scdoc")
    with tempfile.TemporaryDirectory() as folder:
        done = run("/usr/bin/python3", os.path.join(ROOT, "tools/man_pages"), "0", folder)
        assert done.returncode == 0, done.stderr
        pages = os.listdir(folder)
    for page in ("sealtape.1", "sealtaped.8", "sealtape-accessd.8", "sealtape-keyhelper.8", "sealtape.conf.5", "sealtape-orgs.5"):
        assert page in pages, page
    for heading in headings:
        assert any(page.startswith(f"sealtape-{heading}") for page in pages), heading


def known_metrics():
    text = read("agent/recorder/metrics.c") + read("agent/recorder/duty_metrics.c")
    return {"sealtape_" + name for name in re.findall(r'add\(text,\s*"([a-z_]+)"', text)} | set(re.findall(r"sealtape_[a-z_]+", text))


def alerts_fire_for_what_they_are_for():
    done = run("promtool", "test", "rules", os.path.join(ROOT, "tests/container/rules_test.yml"))
    assert done.returncode == 0, done.stdout + done.stderr
    rules, tests = read("systemd/sealtape.rules.yml"), read("tests/container/rules_test.yml")
    for name in re.findall(r"alert: (\w+)", rules):
        assert re.search(rf"alertname: {name}\n\s+exp_alerts: \[\{{", tests), f"{name} is never seen to fire"


def rules_and_dashboard_name_metrics_that_exist():
    json.loads(read("systemd/grafana-dashboard.json"))
    for name in ("systemd/sealtape.rules.yml", "systemd/grafana-dashboard.json"):
        used = set(re.findall(r"\bsealtape_[a-z_]+", read(name)))
        assert used and used <= known_metrics(), (name, used - known_metrics())


TESTS = [completion_offers_each_command_and_option, each_command_has_a_manual_page, alerts_fire_for_what_they_are_for,
         rules_and_dashboard_name_metrics_that_exist]

if __name__ == "__main__":
    print(f"1..{len(TESTS)}")
    for number, test in enumerate(TESTS, 1):
        try:
            test()
            print(f"ok {number} - {test.__name__}")
        except AssertionError as fault:
            print(f"not ok {number} - {test.__name__}\n# {str(fault)[:2000]}")
