#!/bin/bash
# Sizes that make a reader's work: lines per file and functions that a file exports.
#   tests/check_sizes.sh [ROOT]
set -u
cd "${1:-$(dirname "$0")/..}" || exit 2

longer_than() { # $1: most lines, $2: what it is; names on standard input
    while IFS= read -r file; do
        [ -f "$file" ] || continue
        n_lines=$(wc -l <"$file")
        [ "$n_lines" -le "$1" ] || echo "sizes: $file has $n_lines lines; $2 has at most $1"
    done
}
named() {
    find agent config crypto storage tests tools -name "$1" -type f 2>/dev/null | LC_ALL=C sort
}

# clang-format puts the name of a defined function first on its line, its type on the line before.
# A fake stands in for a whole interface, so tests/ may export as many as that has.
exports() {
    named '*.c' | grep -v '^tests/' | while IFS= read -r file; do
        awk -v file="$file" '
            /^[a-z_][a-z0-9_]*\(/ && before !~ /^static/ && before !~ /[;{}]$/ && $0 !~ /^main\(/ { n++ }
            { before = $0 }
            END { if (n > 10) print "sizes: " file " exports " n " functions; at most 10" }' "$file"
    done
}

findings=$(
    named '*.c' | longer_than 400 'a .c file'
    named '*.h' | longer_than 120 'a header'
    echo README.md | longer_than 120 "it"
    echo ARCHITECTURE.md | longer_than 150 "it"
    exports
)
[ -z "$findings" ] && exit 0
printf '%s\n' "$findings"
exit 1
