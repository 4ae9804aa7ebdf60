#!/bin/bash
# Holds the layers of ARCHITECTURE.md with a few greps: includes point down only, each foreign
# library has one home, policy is pure, headers keep foreign types at home, every folder and every
# link has its place in the pages.   tests/check_layers.sh [ROOT]
set -u
export LC_ALL=C
cd "${1:-$(dirname "$0")/..}" || exit 2
product='agent config crypto storage'

because() { # turns lines on standard input into findings with a reason
    while IFS= read -r line; do echo "layers: $line -- $1"; done
}
included() { # $1: folder, $2: pattern of includes to find (as written, with < or ")
    grep -rnE --include='*.[ch]' "^[[:space:]]*#[[:space:]]*include[[:space:]]*$2" "$1" 2>/dev/null
}

# What each folder may include besides itself. Folders side by side do not know each other.
check_direction() {
    local wiring='crypto config storage agent/policy agent/media agent/audit agent/service agent/store agent/trail agent/playback agent/keys agent/rules agent/reseal'
    while read -r folder allowed; do
        [ -d "$folder" ] || continue
        included "$folder" '"' | grep -vE "\"($folder${allowed:+|${allowed// /|}})/[a-z0-9_]+\.h\"" |
            because "$folder may include only itself and: ${allowed:-nothing}"
    done <<END
crypto
config crypto
storage crypto
agent/policy
agent/media crypto
agent/audit crypto
agent/service crypto
agent/store crypto config storage
agent/trail crypto config storage agent/audit agent/service
agent/keys crypto config storage
agent/keyhelper
agent/playback crypto config storage agent/media agent/policy
agent/reseal crypto config storage agent/playback agent/keys
agent/rules config agent/policy
agent/recorder $wiring
agent/opener $wiring
agent/admin $wiring
END
    # A folder that is missing above would be held to nothing.
    find $product -name '*.c' -type f 2>/dev/null | sed 's|/[^/]*$||' | sort -u |
        grep -vxE 'crypto|config|storage|agent/(policy|media|audit|service|store|trail|playback|keys|keyhelper|rules|reseal|recorder|opener|admin)' |
        because 'this folder has no row in tests/check_layers.sh'
}

# Where a foreign library may be included: folders, or a file. GLib is everywhere.
check_homes() {
    while read -r library homes; do
        included . "<$library" | sed 's|^\./||' | grep -E "^(${product// /|})/" |
            grep -vE "^(${homes// /|})[/:]" | because "its home is $homes"
    done <<'END'
gst/ agent/media
freetype/ agent/media/text_font.c
libsoup/ agent/service
libconfig config
sodium crypto
openssl/ crypto
curl/ storage
jansson agent/audit agent/service agent/recorder agent/opener agent/admin agent/playback storage/aws_credentials_fetch.c
systemd/ agent/service
jose/ agent/opener
sqlite3 storage/sql_database.c
srtp2/ agent/recorder/srtp_context.c
p11-kit/ agent/keyhelper
END
}

# A header that names a foreign type must not be read from outside its folder.
check_foreign_types() {
    local header
    grep -rlE --include='*.h' \
        '^#[[:space:]]*include[[:space:]]*<(gst/|libsoup/|libconfig|sodium|openssl/|curl/|systemd/|sqlite3)' \
        $product 2>/dev/null |
        while IFS= read -r header; do
            included . "\"$header\"" | sed 's|^\./||' | grep -E "^(${product// /|})/" |
                grep -v "^${header%/*}/" | because "$header shows a foreign type and is for ${header%/*} alone"
        done
}

# No I/O, no clock, no globals, no chance.
check_policy() {
    local pure='"agent/policy/|<glib\.h>|<inttypes\.h>|<limits\.h>|<stdbool\.h>|<stddef\.h>|<stdint\.h>|<string\.h>'
    included agent/policy '[<"]' | grep -vE "include[[:space:]]*($pure)" | because 'policy is pure: no such include'
    grep -rnE --include='*.[ch]' \
        '\b(g_get_(real|monotonic)_time|g_date_time_new_now\w*|time|clock_gettime|gettimeofday|fopen|open|read|write|printf|g_print\w*|g_file_\w+|g_getenv|getenv|g_random_\w+|rand|random|g_(log|debug|info|message|warning|critical)|g_thread_\w+|g_mutex_\w+) ?\(' \
        agent/policy 2>/dev/null | because 'policy is pure: no I/O, clock, chance, log or thread'
    grep -rnE --include='*.c' '^static (struct|union)( [A-Za-z]+)? \{|^(static )?[A-Za-z_][A-Za-z0-9_ *]*(\[[^]]*\])?( =.*|;)$' \
        agent/policy 2>/dev/null | grep -vE '\bconst\b|\btypedef\b|:(struct|enum|union|extern|#|\})' | because 'policy has no globals; a table is const'
}

# Plaintext media has no way into storage.
check_storage() {
    grep -rnE --include='*.[ch]' '\b(Segment|MediaTrack|GstBuffer|AgeIdentity|age_file_open\w*|age_identity_\w+)\b' \
        storage 2>/dev/null | grep -vE ':[[:space:]]*(/?\*|//)' | because 'storage sees sealed segments only and opens nothing'
}

check_pages() {
    local page target folder
    for folder in $(find $product -name meson.build 2>/dev/null | sed 's|/meson.build$||' | grep -v '^agent$' | sort); do
        grep -qF "$folder/" ARCHITECTURE.md 2>/dev/null || echo "$folder"
    done | because 'has no row in ARCHITECTURE.md'
    for page in *.md $(find docs -name '*.md' 2>/dev/null); do
        [ -f "$page" ] || continue
        grep -oE '\]\([^)# ]+' "$page" | sed 's/^](//' | while IFS= read -r target; do
            [[ $target == http* || -e $(dirname "$page")/$target ]] || echo "$page: $target"
        done
    done | because 'a link that leads nowhere'
}

findings=$(check_direction; check_homes; check_foreign_types; check_policy; check_storage; check_pages)
[ -z "$findings" ] && exit 0
printf '%s\n' "$findings"
exit 1
