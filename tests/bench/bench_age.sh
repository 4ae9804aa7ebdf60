#!/bin/sh
# Speed and memory of `sealtape age` beside Debian's age: tests/bench/bench_age.sh BUILD [MEBIBYTES]
build=$(realpath "$1") && shift || exit 2
export SEALTAPE_BIN_DIR="$build" PYTHONDONTWRITEBYTECODE=1
exec /usr/bin/python3 "$(dirname "$0")/age_bench.py" "$@"
