#!/bin/bash
# What the code inside a watched process asks of libc: only what allowed-symbols.txt lists. No malloc, no stdio, no
# libc wrapper of a system call, which would come back through our own wrappers.
set -u
cd "$(dirname "$0")/../.." || exit 1
build=${CLOSEGUARD_TEST_BUILD:-build}
allowed=tests/static/allowed-symbols.txt
export LC_ALL=C

objects=$(for source in shim/*.[cS] policy/*.c; do
    case $source in shim/annex_* | policy/parse*) continue ;; esac
    [ ! -e "$build/obj/$source.o" ] || echo "$build/obj/$source.o"
done)
if [ -z "$objects" ]; then
    echo "not ok symbols: no objects in $build/obj/shim"
    exit 1
fi

status=0
judge()
{
    if [ -z "$2" ]; then
        echo "ok symbols/$1"
    else
        echo "not ok symbols/$1: $(echo "$2" | paste -sd' ')"
        status=1
    fi
}

listed=$(grep -v '^#' $allowed | grep .)
judge list_is_sorted "$(echo "$listed" | sort -uc 2>&1)"

# shellcheck disable=SC2086 # a list of files without blanks
own=$(nm --defined-only $objects | awk 'NF >= 3 { print $NF }' | sort -u)
# shellcheck disable=SC2086
judge only_allowed "$(nm -A -u $objects |
    awk '{ sub(/^.*\/obj\//, ""); sub(/\.o:.*/, ": ", $1); print $NF, $1 }' | sort |
    join -v1 - <(printf '%s\n' "$own" "$listed" | sort -u) | awk '{ print $2 $1 }')"

# The command is linked with both: of a name in two of them the linker would take one for both, without a word.
others=$(find "$build/obj/cli" "$build/obj/policy" -name '*.o' | grep -vFx "$objects")
# shellcheck disable=SC2086
twice=$(nm -g --defined-only $objects $others 2>/dev/null | awk 'NF == 3 { print $3 }' | sort | uniq -d)
judge no_name_twice_in_the_command "$twice"
exit $status
