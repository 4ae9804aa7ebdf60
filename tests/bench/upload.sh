#!/bin/sh
# Uploading to S3 beside rclone and curl: tests/bench/upload.sh BUILD [name of one measurement]
build=$(realpath "$1") && shift || exit 2
export SEALTAPE_BIN_DIR="$build" PYTHONDONTWRITEBYTECODE=1
exec /usr/bin/python3 "$(dirname "$0")/upload_bench.py" "$@"
