#!/bin/bash
# Proves that every rule of check_layers, check_mistakes, check_sizes and check_compliance can fail: each row feeds one
# bad line, named by what the finding must say. Lines that a finding names are judged together, by one run. TAP.
set -u
here=$(cd "$(dirname "$0")" && pwd)
tree=$(mktemp -d)
trap 'rm -rf "$tree"' EXIT
n=0

fresh() { # a small tree in which nothing is wrong, with near misses of most rules
    rm -rf "${tree:?}"/*
    mkdir -p "$tree"/{crypto,config,storage,docs,tests} "$tree"/agent/{policy,media,recorder,service,admin}
    echo 'See [the layers](ARCHITECTURE.md) and [elsewhere](https://example.org/).' >"$tree/README.md"
    echo 'crypto/ storage/ agent/policy/' >"$tree/ARCHITECTURE.md"
    touch "$tree"/{crypto,storage,agent/policy}/meson.build
    cat >"$tree/crypto/key.c" <<'END'
#include "crypto/key.h"
#include <sodium.h>
/* memcmp() would tell by its time how much was right,
 * goto sprintf( and system( are named here only, and FIPS 180-4 too. */
static bool
is_header(const char *bytes)
{
    return memcmp(bytes, "goto", 4) == 0; /* public */
}
END
    cat >"$tree/agent/policy/consent.c" <<'END'
#include "agent/policy/consent.h"
#include <string.h>
static const int moves[] = {1, 2};
/* TODO: say which rule decided, as soon as two rules can. */
END
    cat >"$tree/agent/recorder/session.c" <<'END'
#include "agent/policy/consent.h"
#include "crypto/key.h"
#include <jansson.h>
static void log_state(void) { g_message("session %s: printf(", id); }
END
    echo 'int main(void) { printf("%d", 1); }' >"$tree/agent/admin/main.c"
    echo '#include <gst/gst.h>' >"$tree/agent/media/track.h"
    echo '#include "agent/media/track.h"' >"$tree/agent/media/track.c"
    echo 'char *text = "appsrc ! filesink name=out";' >"$tree/agent/media/exporter.c"
}
report() { # $1: ok or not ok, $2: name
    n=$((n + 1))
    echo "$1 $n /check/$2"
}
name_of() { # $1: the check, $2: file, $3: what was added
    echo "$1-finds-$(echo "$3 in $2" | tr -cs 'A-Za-z0-9_./-' '-' | cut -c1-70)"
}
# $1: the check, $2: what its finding must say, $3: file to add to, $4...: lines
expect() {
    local check=$1 says=$2 file=$3 name
    shift 3
    name=$(name_of "$check" "$file" "$*")
    fresh
    printf '%s\n' "$@" >>"$tree/$file"
    out=$("$here/check_$check.sh" "$tree" 2>&1)
    if [ $? -eq 1 ] && grep -qF -- "$says" <<<"$out"; then
        report ok "$name"
    else
        report 'not ok' "$name"
        sed 's/^/# /' <<<"${out:-nothing found}"
    fi
}
rows=()
# As expect(), for the next run of `together`: the finding must begin with the file and the line's number.
add() { # $1: what its finding must say, $2: file to add to, $3: one line
    printf '%s\n' "$3" >>"$tree/$2"
    rows+=("$1" "$2" "$(wc -l <"$tree/$2")" "$3")
}
together() { # $1: the check
    local check=$1 status i finding found
    local -a findings
    out=$("$here/check_$check.sh" "$tree" 2>&1)
    status=$?
    mapfile -t findings <<<"$out"
    for ((i = 0; i < ${#rows[@]}; i += 4)); do
        found='not ok'
        for finding in "${findings[@]}"; do
            [[ $status -ne 1 || $finding != "$check: ${rows[i + 1]}:${rows[i + 2]}:"*"${rows[i]}"* ]] || found=ok
        done
        report "$found" "$(name_of "$check" "${rows[i + 1]}" "${rows[i + 3]}")"
        [ "$found" = ok ] || printf '# %s\n' "${findings[@]}"
    done
    rows=()
    fresh
}
layers() { add "$@"; }
mistakes() { add "$@"; }

for check in layers mistakes sizes; do
    fresh
    if out=$("$here/check_$check.sh" "$tree" 2>&1) && [ -z "$out" ]; then
        report ok "$check-accepts-what-is-right"
    else
        report 'not ok' "$check-accepts-what-is-right"
        sed 's/^/# /' <<<"$out"
    fi
done

fresh
layers 'crypto may include only' crypto/key.c '#include "storage/spool.h"'
layers 'storage may include only' storage/spool.c '#include "config/settings.h"'
layers 'storage may include only' storage/spool.c '#  include "agent/media/segment.h"'
layers 'agent/media may include only' agent/media/track.c '#include "agent/policy/consent.h"'
layers 'agent/policy may include only' agent/policy/consent.c '#include "crypto/key.h"'
layers 'may include only' agent/recorder/session.c '#include "agent/admin/command.h"'
layers 'may include only' agent/recorder/session.c '#include "../media/track.h"'
layers 'its home is agent/media' agent/recorder/session.c '#include <gst/app/gstappsink.h>'
layers 'its home is agent/service' agent/recorder/session.c '#include <libsoup/soup.h>'
layers 'its home is agent/service' agent/recorder/session.c '#include <systemd/sd-daemon.h>'
layers 'its home is crypto' storage/spool.c '#include <sodium.h>'
layers 'its home is crypto' config/settings.c '#include <openssl/sha.h>'
layers 'its home is config' crypto/key.c '#include <libconfig.h>'
layers 'its home is storage' agent/service/http.c '#include <curl/curl.h>'
layers 'its home is agent/audit agent/service' storage/spool.c '#include <jansson.h>'
layers 'shows a foreign type' agent/recorder/session.c '#include "agent/media/track.h"'
layers 'no such include' agent/policy/consent.c '#include <stdio.h>'
layers 'no such include' agent/policy/consent.c '#include <time.h>'
layers 'no I/O, clock' agent/policy/consent.c 'int64_t now = g_get_real_time();'
layers 'no I/O, clock' agent/policy/consent.c '    g_warning("no");'
layers 'no globals' agent/policy/consent.c 'static int n_asked;'
layers 'no globals' agent/policy/consent.c 'static int n_asked = 0;'
layers 'no globals' agent/policy/consent.c 'static struct {'
layers 'sealed segments only' storage/spool.h 'bool spool_append(Spool *self, const Segment *segment);'
layers 'sealed segments only' storage/reader.c '    bytes = age_file_open(identities, NULL, p, n, error);'
together layers
expect layers 'no row in tests/check_layers.sh' crypto/../agent/other.c 'int x;'
expect layers 'has no row in ARCHITECTURE.md' agent/service/meson.build 'x'
expect layers 'a link that leads nowhere' README.md '[gone](docs/gone.md)'
expect layers 'a link that leads nowhere' docs/formats.md '[gone](gone.md#part)'

fresh
mistakes 'sodium_memcmp' crypto/key.c 'return memcmp(a, b, 32) == 0;'
mistakes 'sodium_memcmp' crypto/key.c '/* why */ return memcmp(a, b, 32) == 0; /* compared */'
mistakes 'claim nothing of FIPS' agent/admin/main.c 'puts("FIPS 140-3 mode: on");'
mistakes 'claim nothing of FIPS' docs/keys.md 'Keys are fips-validated.'
mistakes 'no bound' storage/spool.c 'strcpy(a, b);'
mistakes 'no bound' tests/test_spool.c 'sprintf(a, "x");'
mistakes 'literal' agent/admin/main.c 'printf(text);'
mistakes 'literal' agent/admin/main.c 'fprintf(stderr, text);'
mistakes 'they do not print' storage/spool.c 'printf("here");'
mistakes 'they do not print' agent/recorder/session.c 'g_print("here");'
mistakes 'goto needless' storage/spool.c 'goto out;'
mistakes 'g_assert' storage/spool.c 'g_return_val_if_fail(self != NULL, false);'
mistakes 'no shell' agent/admin/main.c 'system("ffprobe out.mkv");'
mistakes 'no shell' agent/admin/main.c 'FILE *f = popen("x", "r");'
mistakes 'settings come from' config/settings.c 'g_getenv("SEALTAPE");'
mistakes 'chance comes from' crypto/key.c 'int x = rand();'
mistakes 'only erasure destroys' storage/uploader.c '    object_store_remove_versions(store, removals, 1);'
mistakes 'only erasure destroys' agent/recorder/session.c 'found = object_store_list_versions(store, prefix, error);'
mistakes 'only the commands of a custodian destroy' agent/recorder/session.c '#include "storage/erasure.h"'
mistakes 'only the commands of a custodian destroy' agent/media/exporter.c '#include "storage/erasure_order.h"'
mistakes 'only the commands of a custodian destroy' agent/recorder/session.c '#include "storage/reseal_removal.h"'
mistakes 'do not sleep' storage/spool.c 'g_usleep(10);'
mistakes 'temporary file' storage/spool.c 'int fd = mkstemp(name);'
mistakes 'in the exporter only' agent/media/track.c 'gst_element_factory_make("filesink", NULL);'
mistakes 'elements that write files' agent/media/exporter.c 'make("splitmuxsink");'
mistakes 'elements that write files' agent/media/track.c 'make("multifilesink");'
mistakes 'spills plaintext' agent/media/track.c 'g_object_set(queue, "temp-template", "/tmp/x", NULL);'
mistakes 'spills plaintext' agent/media/exporter.c 'g_object_set(mux, "faststart", TRUE, NULL);'
mistakes 'spills plaintext' agent/media/exporter.c '"mp4mux faststart=true ! filesink"'
mistakes 'say what is to be done' storage/spool.c '/* TODO */'
mistakes 'say what is to be done' storage/spool.c '/* FIXME: this */'
together mistakes

expect sizes 'lines; a .c file' storage/spool.c "$(seq -f '/* %g */' 401)"
expect sizes 'lines; a header' storage/spool.h "$(seq -f '/* %g */' 121)"
expect sizes 'lines; it has at most' README.md "$(seq 121)"
expect sizes 'exports 11 functions' storage/spool.c "$(seq -f 'bool
spool_%g(void)
{
}' 11)"
# shellcheck disable=SC2016 # backquotes of the page
{
    expect compliance 'there is no test /no/such' docs/compliance.md '| 1 | a | | `/no/such` | yes |'
    expect compliance 'there is no test test_x.py:run' docs/compliance.md '| 1 | a | | `test_x.py:run` | yes |'
    expect compliance 'there is no agent/none.c' docs/compliance.md '| 1 | a | `agent/none.c` | | not yet |'
}
expect compliance 'says yes and names no test' docs/compliance.md '| 1 | a | | | yes |'
expect compliance 'does not say what is missing' docs/compliance.md '| 1 | a | | | partly |'
expect compliance 'is no state' docs/compliance.md '| 1 | a | | | nearly |'
expect compliance 'each once, in order' docs/compliance.md '| 2 | a | | | not yet |'
echo "1..$n"
