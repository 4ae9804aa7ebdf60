#!/bin/bash
# `make demo` and `make check` of the last commit, on a machine that has nothing but Debian 12's
# smallest base, make and the certificates: no package left by hand can hide a missing step.
#   tests/check_fresh.sh [target of make ...]          (default: demo check)
#   KEEP=1 leaves the root behind and says where; MIRROR=URL overrides where Debian comes from.
# The base is made once with debootstrap (40 s) and kept in the user's cache. How this machine
# reaches its packages (apt, npm, proxies, certificates) is copied in at run time.
set -euo pipefail
here=$(cd "$(dirname "$0")/.." && pwd)
cache=${XDG_CACHE_HOME:-$HOME/.cache}/sealtape
if [ "$(id -u)" -ne 0 ]; then
    command -v sudo >/dev/null || { echo "check-fresh: needs root (debootstrap, chroot)" >&2; exit 1; }
    exec sudo --preserve-env env XDG_CACHE_HOME="${XDG_CACHE_HOME:-$HOME/.cache}" "$0" "$@"
fi
[ $# -gt 0 ] || set -- demo check
suite=bookworm
say() { echo "check-fresh: $*"; }

# In a mount and process namespace of its own, so that mounts and stray processes end with it,
# however it ends.
if [ "${IN_NAMESPACE:-}" != 1 ]; then
    missing=()
    for pair in debootstrap:debootstrap git:git unshare:util-linux; do
        command -v "${pair%:*}" >/dev/null || missing+=("${pair#*:}")
    done
    if [ ${#missing[@]} -gt 0 ]; then
        say "installing with apt-get: ${missing[*]}"
        DEBIAN_FRONTEND=noninteractive apt-get -qq update
        DEBIAN_FRONTEND=noninteractive apt-get -qq -y install --no-install-recommends "${missing[@]}" >/dev/null
    fi
    export IN_NAMESPACE=1
    IN_ROOT=$(mktemp -d "${TMPDIR:-/var/tmp}/sealtape-fresh.XXXXXX")
    export IN_ROOT
    child=
    clean_up() {
        [ -z "$child" ] || { kill -KILL "$child" && wait "$child"; } 2>/dev/null || true
        [ -z "${KEEP:-}" ] || { say "kept $IN_ROOT"; return; }
        rm -rf --one-file-system "$IN_ROOT"
    }
    trap clean_up EXIT
    trap 'exit 130' INT TERM HUP
    unshare --mount --pid --fork --kill-child "$0" "$@" &
    child=$!
    status=0
    wait "$child" || status=$?
    child=
    exit "$status"
fi
root=$IN_ROOT

make_base() {
    local mirror
    mirror=${MIRROR:-$(apt-get indextargets --format '$(CODENAME) $(COMPONENT) $(CREATED_BY) $(REPO_URI)' |
        awk -v suite=$suite '$1 == suite && $2 == "main" && $3 == "Packages" { print $4; exit }')}
    [ -n "$mirror" ] || { say "no source of Debian $suite in this machine's apt: set MIRROR=URL" >&2; exit 1; }
    say "making the base with debootstrap"
    mkdir -p "$cache"
    debootstrap --variant=minbase --include=make,ca-certificates "$suite" "$root/base" "$mirror" >"$root/log" 2>&1 ||
        { tail -n 20 "$root/log" >&2; exit 1; }
    rm -f "$root/base/var/cache/apt/archives/"*.deb
    tar -C "$root/base" -cf "$base.partial" . && mv "$base.partial" "$base"
    rm -rf "$root/base"
}

# Brings along how this machine reaches packages, whatever that is.
copy_access() {
    local name key
    rm -f etc/apt/sources.list
    for name in sources.list sources.list.d apt.conf.d trusted.gpg.d keyrings auth.conf auth.conf.d preferences.d; do
        [ -e "/etc/apt/$name" ] && cp -aT "/etc/apt/$name" "etc/apt/$name"
    done
    # Hooks of packages that are not in the base would fail there.
    rm -f etc/apt/apt.conf.d/{20packagekit,50appstream,70debconf,*listchanges,*unattended*}
    { grep -rhoE '(Signed-By: *|signed-by=)/[^] ]+' /etc/apt/sources.list.d /etc/apt/sources.list 2>/dev/null || true; } |
        sed 's/^[^/]*//' | sort -u | while IFS= read -r key; do
        [ -e "$key" ] && [ ! -e ".$key" ] && install -D -m 644 "$key" ".$key"
    done || true
    cp -L /etc/resolv.conf /etc/hosts etc/
    if compgen -G '/usr/local/share/ca-certificates/*.crt' >/dev/null; then
        mkdir -p usr/local/share/ca-certificates
        cp -a /usr/local/share/ca-certificates/. usr/local/share/ca-certificates/
        chroot . update-ca-certificates >/dev/null 2>&1
    fi
    for name in "$HOME/.npmrc" /etc/npmrc; do
        [ -f "$name" ] && install -D -m 600 "$name" ".${name/#$HOME//root}"
    done || true
}

mount_all() {
    # The root must be a mount point of its own: `ip netns exec` remounts "/" inside.
    mount --bind "$root/debian" "$root/debian"
    cd "$root/debian"
    mount -t proc proc proc
    mount -t sysfs sysfs sys
    mount --rbind /dev dev
    mount -t tmpfs tmpfs dev/shm
    mount -t tmpfs tmpfs run
}

base=$cache/debian-12-minbase.tar
mount --make-rprivate /
if [ -n "$(find "$base" -mtime -14 2>/dev/null)" ]; then
    say "base from ${base/#$HOME/\~}"
else
    make_base
fi
mkdir "$root/debian"
tar -C "$root/debian" -xf "$base"
cd "$root/debian"
copy_access
git clone -q --no-hardlinks "$here" root/sealtape
[ -z "$(git -C "$here" status --porcelain)" ] || say "the work tree has changes that are not in the last commit: they are not tried"
say "commit $(git -C root/sealtape rev-parse --short HEAD), $(chroot . dpkg-query -W | wc -l) packages before"
mount_all

environment=(PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LANG=C.UTF-8 TERM="${TERM:-dumb}")
for name in http_proxy https_proxy no_proxy HTTP_PROXY HTTPS_PROXY NO_PROXY NODE_EXTRA_CA_CERTS NPM_CONFIG_REGISTRY npm_config_registry; do
    [ -n "${!name:-}" ] && environment+=("$name=${!name}")
done
for target in "$@"; do
    start=$SECONDS
    say "make $target"
    if ! chroot "$root/debian" env -i "${environment[@]}" sh -c "cd /root/sealtape && make $target" </dev/null 2>&1; then
        say "make $target failed after $((SECONDS - start)) s"
        exit 1
    fi
    say "make $target: ok, $((SECONDS - start)) s"
done
say "all of it holds on a bare Debian 12: $*"
