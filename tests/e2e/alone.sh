#!/bin/sh
# Runs a test in a network of its own: two that run at once never take each other's ports nor hear each other's packets.
#   tests/e2e/alone.sh PROGRAM...
# Only root can make one; for others tools/run_tests runs one test after the other.
if [ "$(id -u)" -eq 0 ] && unshare --net true 2>/dev/null; then
    # shellcheck disable=SC2016 # the inner shell's
    exec unshare --net sh -c 'ip link set lo up && exec "$@"' sh "$@"
fi
exec "$@"
