#!/bin/sh
# The recorder under load, against the bounds of docs/: tests/bench/recorder.sh BUILD [name of one measurement]
build=$(realpath "$1") && shift || exit 2
export SEALTAPE_BIN_DIR="$build" PYTHONDONTWRITEBYTECODE=1
exec /usr/bin/python3 "$(dirname "$0")/recorder_bench.py" "$@"
