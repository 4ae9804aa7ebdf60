#!/bin/sh
# Speed and memory of opening, beside ffmpeg: tests/bench/export.sh BUILD [MIB of the recording]
build=$(realpath "$1") && shift || exit 2
export SEALTAPE_BIN_DIR="$build" PYTHONDONTWRITEBYTECODE=1
exec /usr/bin/python3 "$(dirname "$0")/export_bench.py" "$@"
