#!/bin/sh
# The manual and the README against the sources: every setting, kind, cause, verb and option; every path exists.
set -u
cd "$(dirname "$0")/../.." || exit 1
build=${CLOSEGUARD_TEST_BUILD:-build}
failed=0

# result NAME WHAT_IS_WRONG: ok where nothing is
result()
{
    if [ -z "$2" ]; then
        echo "ok docs/$1"
    else
        echo "not ok docs/$1: $(echo "$2" | tr '\n' ' ')"
        failed=1
    fi
}

# A manual page as one reads it: without fonts, hyphenation or line breaks.
text_of()
{
    sed 's/\\-/-/g; s/\\f[BIRP]//g; s/\\&//g' "$1"
}

# missing FILE_WITH_TEXT: which of the words on stdin it lacks; none on stdin is wrong, too
missing()
{
    words=$(cat)
    [ -n "$words" ] || echo "nothing was found to look for"
    for word in $words; do
        grep -qE -e "(^|[^A-Za-z0-9_-])$word([^A-Za-z0-9_-]|\$)" "$1" || echo "$word"
    done
}

variables()
{
    sed -n 's/^CG_OPTION(\([A-Z_]*\),.*/CLOSEGUARD_\1/p' shim/options.def | sed 's/_ON$//'
}

# names ARRAY: the strings of a table in detect_names.c
names()
{
    sed -n "/^static const char \*const $1\[/,/^};/s/.*= \"\([a-z_0-9]\{1,\}\)\".*/\1/p" shim/detect_names.c
}

undated()
{
    for page in man/*.[1-8]; do
        head -n 1 "$page" | grep -qE '^\.TH [A-Z.]+ [1-8] [0-9]{4}-[0-9]{2}-[0-9]{2} ' || echo "$page"
    done
}

# A table's row that does not stand behind another one is no row: a blank line came between.
lone_rows()
{
    awk 'FNR == 1 { before = "" }
        pending && $0 !~ /^[|][-| ]+$/ { print pending }
        { pending = "" }
        /^[|]/ && before == "" { pending = FILENAME ":" FNR }
        { before = $0 }' "$@"
}

work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT
text_of man/libcloseguard.7 >"$work/library"
text_of man/closeguard.1 >"$work/command"

result dates-of-the-manual "$(undated)"
result tables "$(lone_rows README.md docs/*.md)"
result variables-in-the-manual "$(variables | missing "$work/library")"
result variables-in-the-readme "$(variables | missing README.md)"
for table in kinds causes verdicts age_sources origins; do
    result "$table-in-the-manual" "$(names $table | missing "$work/library")"
done
for table in kinds causes; do
    result "$table-in-the-readme" "$(names $table | missing README.md)"
done

# The README's table of settings says what options.def says.
settings=$(sed -n 's/^CG_OPTION(\([A-Z_]*\), [a-z]*, "\([^"]*\)".*/CLOSEGUARD_\1 \2/p' shim/options.def)
defaults=$(echo "$settings" | sed 's/_ON / /' |
    while read -r name value; do
        grep -q "^| \`$name\` | ${value:+\`$value\`}" README.md || echo "$name is not ${value:-unset}"
    done)
result defaults-in-the-readme "$defaults"

if [ -x "$build/closeguard" ]; then
    result options-in-the-manual "$(for verb in check explain run scan; do
        "$build/closeguard" $verb --help
    done | grep -o -e '--[a-z-]*' | sort -u |
        missing "$work/command")"
    result verbs-in-the-manual "$("$build/closeguard" help | sed -n 's/^  \([a-z]\{1,\}\)  .*/closeguard \1/p' |
        while read -r verb; do grep -q "$verb" "$work/command" || echo "$verb"; done)"
    result verbs-in-the-readme "$("$build/closeguard" help | sed -n 's/^  \([a-z]\{1,\}\)  .*/\1/p' |
        while read -r verb; do grep -q "closeguard $verb" README.md || echo "$verb"; done)"
else
    echo "not ok docs/options-in-the-manual: $build/closeguard is missing: build it first"
    failed=1
fi

# Files and folders that the README names, and the make targets.
# shellcheck disable=SC2016 # the backquotes are the README's
paths=$(grep -oE '`(shim|cli|policy|demo|tests|man)/[A-Za-z0-9_./*-]*`' README.md | tr -d '`' | sort -u)
result paths-in-the-readme "$(echo "$paths" |
    while read -r path; do
        # shellcheck disable=SC2086 # a pattern
        ls -d $path >/dev/null 2>&1 || echo "$path"
    done)"
result targets-in-the-readme "$(grep -oE '`make [a-z -]*' README.md | cut -c7- | tr ' ' '\n' | sort -u | grep . |
    while read -r target; do
        grep -qE "^([a-z -]* )?$target( [a-z -]*)?:" Makefile tests/tests.mk demo/demo.mk || echo "$target"
    done)"

if command -v groff >/dev/null && groff -man -Tutf8 -z man/closeguard.1 >/dev/null 2>&1; then
    result manual-is-well-formed "$(for page in man/*.[1-8]; do groff -man -ww -Tutf8 -z "$page" 2>&1; done)"
else
    echo "skip docs/manual-is-well-formed: groff with the man macros is not installed"
fi
exit $failed
