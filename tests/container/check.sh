#!/bin/bash
# The package and its units under a real systemd: installed, configured by the README's steps, recording, upgraded over itself
# while a session is on its way, purged.   tests/container/check.sh ROOT DEB     (needs root)
# ROOT is made by make_root and stays as it was: what happens lies in an overlay above it. TAP on standard output.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
root=$(realpath "$1") deb=$(realpath "$2")
if [ "${IN_NAMESPACE:-}" != 1 ]; then
    export IN_NAMESPACE=1
    exec unshare --mount --propagation private "$0" "$root" "$deb"
fi

place=$(mktemp -d "${TMPDIR:-/var/tmp}/sealtape-container.XXXXXX")
nspawn='' leader='' n=0 n_bad=0 sender=''
clean_up() {
    [ -z "$sender" ] || kill "$sender" 2>/dev/null || true
    if [ -n "$nspawn" ]; then
        kill "$nspawn" 2>/dev/null || true
        wait "$nspawn" 2>/dev/null || true
    fi
    umount "$place/root" "$place/layer" 2>/dev/null || true
    rm -rf --one-file-system "$place"
}
trap clean_up EXIT
trap 'exit 130' INT TERM HUP

ok() { n=$((n + 1)) && echo "ok $n - $1"; }
bad() { n=$((n + 1)) n_bad=$((n_bad + 1)) && echo "not ok $n - $1"; }
check() { # NAME COMMAND...
    local name=$1
    shift
    if "$@" >"$place/out" 2>&1; then ok "$name"; else
        bad "$name"
        sed 's/^/#   /' "$place/out"
    fi
}
# A command inside, with the container's programs and files, under its systemd.
inside() { cd / && timeout 120 nsenter -t "$leader" -m -u -i -n -p --wd=/ env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LANG=C.UTF-8 DEBIAN_FRONTEND=noninteractive "$@"; }
ask() { # METHOD PATH [BODY]
    inside curl --silent --show-error --fail-with-body --max-time 20 --unix-socket /run/sealtape/recorder.sock -X "$1" \
        "http://localhost$2" ${3:+-H 'Content-Type: application/json' -d "$3"}
}
wait_for() { # SECONDS COMMAND...
    local limit=$((SECONDS + $1))
    shift
    until "$@" >/dev/null 2>&1; do
        [ "$SECONDS" -lt "$limit" ] || return 1
        sleep 0.2
    done
}
is_up() { inside systemctl is-system-running | grep -qE 'running|degraded'; }
state_of() { ask GET "/v1/sessions/$1" | jq -r .state; }
has_state() { [ "$(state_of "$1")" = "$2" ]; }

boot() {
    mkdir "$place/layer" "$place/root"
    mount -t tmpfs tmpfs "$place/layer"
    mkdir "$place/layer/upper" "$place/layer/work"
    mount -t overlay overlay -o "lowerdir=$root,upperdir=$place/layer/upper,workdir=$place/layer/work" "$place/root"
    cp "$deb" "$place/root/sealtape.deb"
    # Memory that is locked: nspawn forbids it where a machine does not.
    systemd-nspawn --quiet -D "$place/root" --register=no --keep-unit --private-network --hostname=recorder --machine="sealtape-$$" \
        --system-call-filter=@memlock -b >"$place/boot.log" 2>&1 </dev/null &
    nspawn=$!
    wait_for 30 pgrep -P "$nspawn" || { cat "$place/boot.log"; exit 1; }
    leader=$(pgrep -P "$nspawn" | head -n 1)
    wait_for 60 is_up || { cat "$place/boot.log"; exit 1; }
    echo "# systemd $(inside systemctl --version | sed -n '1s/systemd \([0-9]*\).*/\1/p') is up after $SECONDS s"
}

# Opus that says nothing, 50 packets a second, as a media server sends it: python3 of this machine in the container's network.
send_rtp() { # PORT SECONDS
    nsenter -t "$leader" -n /usr/bin/python3 - "$1" "$2" <<'END' &
import socket, struct, sys, time
port, seconds = int(sys.argv[1]), float(sys.argv[2])
out = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
begin = time.monotonic()
for i in range(int(seconds * 50)):
    out.sendto(struct.pack("!BBHII", 0x80, 111, i & 0xffff, i * 960, 4711) + b"\xf8\xff\xfe" * 30, ("127.0.0.1", port))
    time.sleep(max(0.0, begin + (i + 1) / 50 - time.monotonic()))
END
    sender=$!
}
consents='[{"purpose":"record-audio","state":"granted","text_version":"2026-01","evidence":"ev-1","at":"2026-11-21T17:00:00Z"}]'
begin_session() { # prints id and port
    ask POST /v1/sessions '{"org":"clinic-a","reference":"visit-4711","participants":[{"id":"p1","role":"provider","consents":'"$consents"'}],
        "tracks":[{"id":"p1-audio","participant":"p1","kind":"audio","codec":"opus","payload_type":111,"clock_rate":48000,"channels":2}]}' |
        jq -r '"\(.session) \(.tracks[0].port)"'
}

# --- the tests ------------------------------------------------------------------------------------------------------
installed_and_idle() {
    inside dpkg -i /sealtape.deb
    inside getent passwd sealtape sealtape-access sealtape-retain
    inside systemctl is-enabled sealtaped sealtape-accessd.socket sealtape-scrub.timer sealtape-retention.timer || true
    inside systemctl list-timers --all --no-legend 'sealtape*'
    [ "$(inside systemctl is-enabled sealtaped || true)" = disabled ] && [ "$(inside systemctl is-active sealtaped || true)" = inactive ] &&
        [ -z "$(inside systemctl list-timers --all --no-legend 'sealtape*')" ]
}
configured() { # the README's steps, as it has them
    local steps
    # The package is installed already, and the last test has looked at what that did.
    steps=$(awk '/^<!-- package -->$/ { here = 1; next } here && /^```$/ { fences++; if (fences == 2) exit; next } here' "$here/../../README.md" |
        grep -v '^apt install')
    [ -n "$steps" ] && inside bash -euxc "$steps" && wait_for 20 ask GET /readyz
}
separated() { # what each account may touch
    ! inside setpriv --reuid sealtape --regid sealtape --init-groups cat /etc/sealtape/keys/clinic-a.key &&
        ! inside setpriv --reuid sealtape-access --regid sealtape-access --init-groups cat /etc/sealtape/keys/recorder.key &&
        ! inside setpriv --reuid sealtape-access --regid sealtape-access --init-groups ls /var/lib/sealtape/spool &&
        ! inside setpriv --reuid sealtape-retain --regid sealtape-retain --init-groups cat /etc/sealtape/keys/clinic-a.key
}
exposed() { # printed, and at most 1.5
    inside systemctl list-unit-files --no-legend 'sealtape*.service' | awk '{ print $1 }' >"$place/units"
    while read -r unit; do
        inside systemd-analyze security --no-pager --threshold=15 "$unit" >"$place/exposure" </dev/null || { cat "$place/exposure"; return 1; }
        tail -n 1 "$place/exposure" | sed 's/[^ -~]//g; s/^ */# /' >&3
    done <"$place/units"
}
recorded() {
    read -r session port < <(begin_session)
    send_rtp "$port" 6
    wait "$sender"
    sender=''
    ask POST "/v1/sessions/$session/stop" '{}'
    wait_for 20 has_state "$session" stored && inside sealtape verify "$session" &&
        inside sealtape session show "$session" --json | jq -e '[.tracks[].segments] | add > 0'
}
opened() { # the opener starts with the first who asks, on the socket that systemd holds
    inside systemctl enable --now sealtape-accessd.socket
    inside curl --silent --show-error --fail --max-time 20 --unix-socket /run/sealtape-access/access.sock http://localhost/healthz &&
        inside systemctl is-active sealtape-accessd.service &&
        wait_for 20 inside sh -c 'ls /var/lib/sealtape-store/clinic-a/audit/access.*/*.note'
}
sandboxed() { # as the kernel says, of the running process: what took effect in here
    local pid
    pid=$(inside systemctl show -P MainPID sealtaped)
    inside cat "/proc/$pid/status" >"$place/status"
    inside grep -E "^NoNewPrivs:.1|^Seccomp:.2|^CapEff:.0000000000000000|^CapBnd:.0000000000000000" "/proc/$pid/status" | wc -l | grep -qx 4 &&
        ! inside nsenter -t "$pid" -m -S "$(inside id -u sealtape)" -G "$(inside id -g sealtape)" touch /usr/there /etc/sealtape/there
}
told() { # the journal has fields, not only lines
    inside journalctl -u sealtaped -o json --no-pager | jq -e -s 'map(select(.GLIB_DOMAIN != null and .PRIORITY != null)) | length > 0'
}
watched() { # a recorder that stands still is ended by the watchdog, and is back by itself
    local pid
    pid=$(inside systemctl show -P MainPID sealtaped)
    inside kill -STOP "$pid"
    wait_for 60 sh -c "! kill -0 \"\$(echo $(pgrep -f -P "$leader" sealtaped | head -n 1))\"" || return 1
    wait_for 30 ask GET /readyz && [ "$(inside systemctl show -P MainPID sealtaped)" != "$pid" ] &&
        inside journalctl -u sealtaped --no-pager | grep -q 'Watchdog timeout'
}
upgraded() { # over itself, in the middle of a session
    read -r session port < <(begin_session)
    send_rtp "$port" 30
    sleep 6
    inside dpkg -i /sealtape.deb
    kill "$sender" 2>/dev/null || true
    sender=''
    wait_for 20 ask GET /readyz && inside systemctl is-enabled sealtaped && wait_for 30 inside sealtape verify "$session"
    inside sealtape session list
    inside sealtape verify "$session" && inside sealtape session show "$session" --json | jq -e '[.tracks[].segments] | add > 0'
}
operated() { # each command block of docs/operations.md, in its order, as it stands there
    local n_blocks block=0
    n_blocks=$(grep -c '^```sh$' "$here/../../docs/operations.md")
    while [ "$block" -lt "$n_blocks" ]; do
        block=$((block + 1))
        awk -v wanted="$block" '/^```sh$/ { n++; here = n == wanted; next } /^```$/ { here = 0 } here' "$here/../../docs/operations.md" >"$place/block"
        inside bash -euxo pipefail -c "$(cat "$place/block")" || { echo "block $block of docs/operations.md failed"; return 1; }
        wait_for 20 ask GET /readyz || return 1
    done
    [ "$n_blocks" -ge 6 ] && ! inside test -e /etc/sealtape/keys/recorder.key && recorded
}
purged() { # programs, units and caches are gone; what was recorded, and what opens and proves it, is not
    inside dpkg --purge sealtape
    ! inside test -e /usr/sbin/sealtaped && ! inside test -e /lib/systemd/system/sealtaped.service && ! inside test -e /var/cache/sealtape &&
        ! inside systemctl is-active sealtaped &&
        inside test -e /etc/sealtape/keys/clinic-a.key && inside sh -c 'ls /var/lib/sealtape-store/clinic-a/*/manifest/*.note'
}
exec 3>&1
boot
echo "1..$(grep -c '^check ' "$0")"
check installs-and-starts-nothing installed_and_idle
check is-configured-by-the-readmes-steps configured
check keeps-the-three-accounts-apart separated
check exposes-little exposed
check records-under-its-unit recorded
check the-opener-starts-by-its-socket opened
check the-sandbox-took-effect sandboxed
check logs-with-fields told
check upgrades-over-itself-in-a-session upgraded
check runs-each-command-of-the-operations-page operated
check a-standstill-is-ended-by-the-watchdog watched
check purges-and-keeps-recordings-and-keys purged
[ "$n_bad" -eq 0 ] || { inside journalctl --no-pager -u 'sealtape*' | tail -n 60 | sed 's/^/# /'; exit 1; }
