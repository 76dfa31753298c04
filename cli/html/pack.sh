#!/bin/sh
# Makes one page of report.html, the style sheets and the scripts beside it, and prints it as a C file: the bytes
# before the data and those behind it.
#
# Needs nothing but sh, awk, od and sha256sum. The content security policy allows the style sheet and the script by
# their hashes, so whatever else gets into the page does not run.
set -eu
cd "$(dirname "$0")"
LC_ALL=C
export LC_ALL

# Scripts share one scope; each may use at load time what stands before it.
STYLES="theme.css page.css parts.css table.css detail.css charts.css views.css media.css"
SCRIPTS="base.js words.js model.js state.js summary.js histogram.js detail.js diff.js table.js merge.js tree.js flame.js
sandwich.js series.js timeline.js sources.js filters.js main.js"

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
# shellcheck disable=SC2086 # lists of words
{
    cat $STYLES >"$folder/style"
    { printf '(() => {\n"use strict";\n' && cat $SCRIPTS && printf '})();\n'; } >"$folder/script"
}
if grep -niE '</(script|style)|<!--' "$folder/style" "$folder/script" >&2; then
    echo "pack.sh: that would end the element it stands in" >&2
    exit 1
fi

# hash_of FILE: as a content security policy writes it, in base64
hash_of()
{
    sha256sum <"$1" | awk '
    function hex(at) { return index("0123456789abcdef", substr($1 "00", at, 1)) - 1 }
    function letter(n) {
        return substr("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/", n + 1, 1)
    }
    {
        for (at = 1; at <= 64; at += 3) { # three hexadecimal digits are two letters
            twelve = hex(at) * 256 + hex(at + 1) * 16 + hex(at + 2)
            out = out letter(int(twelve / 64)) letter(twelve % 64)
        }
        print "sha256-" substr(out, 1, 43) "="
    }'
}

awk -v style="$folder/style" -v script="$folder/script" -v head="$folder/head" -v tail="$folder/tail" \
    -v style_hash="$(hash_of "$folder/style")" -v script_hash="$(hash_of "$folder/script")" '
function put(text) { printf "%s", text >out }
function put_file(name, line) {
    while ((getline line <name) > 0)
        put(line "\n")
}
BEGIN { out = head }
{
    sub(/@STYLE_HASH@/, style_hash)
    sub(/@SCRIPT_HASH@/, script_hash)
    if (!match($0, /@(STYLE|SCRIPT|DATA)@/)) {
        put($0 "\n")
        next
    }
    name = substr($0, RSTART, RLENGTH)
    behind = substr($0, RSTART + RLENGTH)
    put(substr($0, 1, RSTART - 1))
    if (name == "@STYLE@")
        put_file(style)
    else if (name == "@SCRIPT@")
        put_file(script)
    else
        out = tail
    put(behind "\n")
}' report.html

# bytes NAME FILE: an array and its size
bytes()
{
    printf 'const unsigned char %s[] = {\n' "$1"
    od -An -v -tu1 "$2" | sed 's/[0-9][0-9]*/&,/g'
    printf '};\nconst size_t %s_size = sizeof %s;\n\n' "$1" "$1"
}
printf '/* Made by cli/html/pack.sh, declared in cli/report_page.h. */\n#include <stddef.h>\n\n'
bytes cg_report_page_head "$folder/head"
bytes cg_report_page_tail "$folder/tail"
