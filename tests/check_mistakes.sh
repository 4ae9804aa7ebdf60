#!/bin/bash
# Mistakes that a grep can see. Comments are taken out first, so that they may name what is banned.
#   tests/check_mistakes.sh [ROOT]
set -u
export LC_ALL=C
cd "${1:-$(dirname "$0")/..}" || exit 2
product='agent config crypto storage'

# Programs that talk to a person or a test on standard output; everything else logs.
may_print='^(agent/admin/|agent/[a-z]+/main\.c|agent/[a-z]+/sealtape[a-z_]*\.c)'
# Who may read the environment: media refuses GStreamer's debug settings that would print payloads.
may_getenv='^(agent/media/media_start|config/config_file|config/key_file|storage/aws_credentials_source)\.c:'

# Prints file:line:text of every line of code of the given folders, without comments. The mark
# /* public */ (compared bytes that are no secret) survives.
code() {
    find "$@" -name '*.[ch]' -type f 2>/dev/null | sort | xargs -r awk '
        BEGIN { mark = "/* public */" }
        FNR == 1 { inside = 0 }
        {
            line = $0; out = ""
            if (index(line, mark)) { gsub(/\/\* public \*\//, "@PUBLIC@", line) }
            while (line != "") {
                if (inside) {
                    end = index(line, "*/")
                    if (!end) { line = ""; break }
                    line = substr(line, end + 2); inside = 0
                } else {
                    start = index(line, "/*")
                    if (!start) { out = out line; line = ""; break }
                    out = out substr(line, 1, start - 1); line = substr(line, start + 2); inside = 1
                }
            }
            if (out ~ /[^[:space:]]/ && out !~ /^[[:space:]]*\/\//) print FILENAME ":" FNR ":" out
        }'
}
because() {
    while IFS= read -r line; do echo "mistakes: $line -- $1"; done
}
# Greps in code only, never in the file's name: $1 is matched behind file:line:
ban() { grep -E "^[^:]+:[0-9]+:.*$1" | because "$2"; }
# What stands in quotes does not count as a call.
unquoted() { sed -E 's/"([^"\\]|\\.)*"/""/g' <<<"$1"; }

# Who may destroy what a store keeps: erasure, which the retention commands call, and what changes the keys
# of a session. No daemon does.
may_destroy='^(storage/(erasure[a-z_]*|reseal_removal|object_versions|replicated_store)\.c|storage/object_store\.h):'

here=$(code $product)
everywhere=$(printf '%s\n' "$here"; code tests)
here_calls=$(unquoted "$here")
everywhere_calls=$(unquoted "$everywhere")
raw() { grep -rnE --include='*.[ch]' --include='*.sh' --include='meson.build' "$1" "${@:2}" 2>/dev/null; }

findings=$(
    printf '%s\n' "$here_calls" | grep '^crypto/' | grep -v '@PUBLIC@' | ban '\b(memcmp|bcmp|CRYPTO_memcmp)\(' \
        'compare secrets with sodium_memcmp; where the bytes are no secret, say so: /* public */'
    printf '%s\n' "$everywhere_calls" | ban '\b(strcpy|strcat|sprintf|vsprintf|gets|strtok|alloca|g_alloca|g_newa)\(' 'no bound'
    printf '%s\n' "$everywhere" | ban '\b(printf|vprintf|g_print|g_printerr)\([[:space:]]*[A-Za-z_]' 'the format must be a literal'
    printf '%s\n' "$everywhere" | ban '\b(fprintf|dprintf)\([^,"]*,[[:space:]]*[A-Za-z_]' 'the format must be a literal'
    printf '%s\n' "$here_calls" | grep -vE "$may_print" | ban '\b(printf|puts|putchar|g_print|g_printerr|perror)\(' \
        'daemons and libraries log, they do not print'
    printf '%s\n' "$everywhere_calls" | ban '\bgoto\b' 'g_autoptr makes goto needless'
    printf '%s\n' "$everywhere_calls" | ban '\bg_return_(val_)?if_fail\(' 'fails without setting the error: g_assert'
    printf '%s\n' "$here_calls" | ban '\b(system|popen|execvp|execlp|g_spawn_command_line_\w+)\(' 'no shell, no search of PATH'
    printf '%s\n' "$here_calls" | grep -vE "$may_getenv" | ban '\b(getenv|secure_getenv|g_getenv|setenv|g_setenv)\(' \
        'settings come from files and options'
    printf '%s\n' "$here_calls" | grep '^crypto/' | ban '\b(rand|random|srand|drand48|g_random_\w+|g_rand_\w+|g_uuid_\w+)\(' \
        'chance comes from libsodium'
    printf '%s\n' "$here_calls" | grep -vE "$may_destroy" | ban '\bobject_store_(list|remove)_versions\(' \
        'only erasure destroys what a store keeps'
    printf '%s\n' "$here" | grep -E '^agent/(recorder|opener|playback|media|service|transcription)/' | ban '"storage/(erasure[a-z_]*|reseal_removal)\.h"' \
        'only the commands of a custodian destroy'
    printf '%s\n' "$here_calls" | ban '\b(g_usleep|usleep|sleep|nanosleep)\(' 'wait for an event or a deadline, do not sleep'
    printf '%s\n' "$here_calls" | ban '\b(mktemp|tmpnam|tempnam|tmpfile|g_file_open_tmp|g_mkstemp|mkstemp)\(' \
        'a temporary file may hold what must never be on a disk'
    printf '%s\n' "$here" | grep -vE '^agent/media/exporter[a-z_]*\.c:' | ban '\bfilesink\b' 'media goes to a file in the exporter only'
    printf '%s\n' "$here" | ban '\b(multifilesink|splitmuxsink|filesrc|giosink|giostreamsink|udpsrc|rtpjitterbuffer|downloadbuffer)\b' \
        'elements that write files or bring threads of their own'
    printf '%s\n' "$here" | ban 'temp-template|faststart[" ,=]+([Tt]rue|TRUE|1)|faststart-file' 'spills plaintext media to a disk'
    printf '%s\n' "$here_calls" | ban '\bGST_DEBUG_DUMP_DIR\b|\bgst_debug_bin_to_dot_file' 'writes files by an environment variable'
    # A specification may be named in a comment (FIPS 180-4).
    { printf '%s\n' "$here"; grep -rnIE . README.md ARCHITECTURE.md CHANGELOG.md docs systemd 2>/dev/null; } | grep -i 'fips' |
        grep -v 'nothing claims FIPS' | because 'no module here is validated: claim nothing of FIPS'
    raw '(^|[^A-Za-z_])(TODO|FIXME|XXX)([^A-Za-z_X]|$)' $product tests | grep -vE '^tests/check_' |
        grep -vE '(TODO|FIXME|XXX)(\([^)]+\))?: *[A-Za-z].{9,}' | because 'say what is to be done: TODO: <text>'
)
[ -z "$findings" ] && exit 0
printf '%s\n' "$findings"
exit 1
