#!/bin/sh
# docs/compliance.md names all 46 requirements once, each with a state, and only tests that exist. A row that says `yes` names one.
#
#   tests/check_compliance.sh [ROOT]
set -eu
cd "${1:-$(dirname "$0")/..}"
exec /usr/bin/python3 - docs/compliance.md <<'END'
import pathlib
import re
import sys

LAST = 46
faults, numbers = [], []
sources = "\n".join(path.read_text() for path in sorted(pathlib.Path("tests").glob("test_*.c")))
promises = set(re.findall(r'"(/[a-z0-9_/-]+)"', sources))


def exists(name):
    if name.startswith("/"):
        return name in promises
    if ":" not in name:
        return pathlib.Path(name).is_file()
    file, function = name.split(":")
    path = pathlib.Path("tests/e2e") / file
    return path.exists() and re.search(rf"^def {re.escape(function)}\(", path.read_text(), re.M) is not None


for line in pathlib.Path(sys.argv[1]).read_text().splitlines():
    cells = [cell.strip() for cell in line.strip().strip("|").split("|")]
    if not line.startswith("|") or not cells[0].isdigit():
        continue
    if len(cells) != 5:
        faults.append(f"row {cells[0]} has {len(cells)} cells, not 5")
        continue
    number, _, where, shown, state = cells
    numbers.append(int(number))
    tests = re.findall(r"`([^`]+)`", shown)
    faults += [f"{number}: there is no test {name}" for name in tests if not exists(name)]
    faults += [f"{number}: there is no {path}" for path in re.findall(r"`([^`]+)`", where) if not pathlib.Path(path).exists()]
    word = state.split(":")[0]
    if word not in ("yes", "partly", "not yet"):
        faults.append(f"{number}: `{word}` is no state")
    if word != "not yet" and not tests:
        faults.append(f"{number}: says {word} and names no test")
    if word == "partly" and ":" not in state:
        faults.append(f"{number}: does not say what is missing")
if numbers != list(range(1, LAST + 1)):
    faults.append(f"the numbers are not 1 to {LAST}, each once, in order")
for fault in faults:
    print(f"compliance: {fault}")
sys.exit(1 if faults else 0)
END
