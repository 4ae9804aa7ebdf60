#!/bin/sh
# Speed and memory of `sealtape recover --layout` on one core: tests/bench/bench_layout.sh BUILD [SECONDS]
build=$(realpath "$1") && shift || exit 2
export SEALTAPE_BIN_DIR="$build" PYTHONDONTWRITEBYTECODE=1
exec /usr/bin/python3 "$(dirname "$0")/layout_bench.py" "$@"
