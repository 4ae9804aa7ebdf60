#!/bin/bash
# Sizes that make a reader's work: lines per file and functions that a file exports.
#   tests/check_sizes.sh [ROOT]
set -u
export LC_ALL=C
cd "${1:-$(dirname "$0")/..}" || exit 2

longer_than() { # $1: most lines, $2: what it is; names on standard input
    xargs -r awk -v most="$1" -v what="$2" '
        function told() { if (n > most) print "sizes: " file " has " n " lines; " what " has at most " most }
        FNR == 1 { told(); file = FILENAME }
        { n = FNR }
        END { told() }'
}
named() {
    find agent config crypto storage tests tools -name "$1" -type f 2>/dev/null | sort
}
there() { [ ! -f "$1" ] || echo "$1"; }

# clang-format puts the name of a defined function first on its line, its type on the line before.
# A fake stands in for a whole interface, so tests/ may export as many as that has.
exports() {
    named '*.c' | grep -v '^tests/' | xargs -r awk '
        function told() { if (n > 10) print "sizes: " file " exports " n " functions; at most 10" }
        FNR == 1 { told(); file = FILENAME; n = 0; before = "" }
        /^[a-z_][a-z0-9_]*\(/ && before !~ /^static/ && before !~ /[;{}]$/ && $0 !~ /^main\(/ { n++ }
        { before = $0 }
        END { told() }'
}

findings=$(
    named '*.c' | longer_than 400 'a .c file'
    named '*.h' | longer_than 120 'a header'
    there README.md | longer_than 120 "it"
    there ARCHITECTURE.md | longer_than 150 "it"
    exports
)
[ -z "$findings" ] && exit 0
printf '%s\n' "$findings"
exit 1
