#!/bin/bash
# The built library from outside: it exports what calls.def lists, and needs nothing but libc.
set -u
cd "$(dirname "$0")/../.." || exit 1
lib=${CLOSEGUARD_TEST_LIB:-build/libcloseguard.so}
export LC_ALL=C
OLDEST=2.31   # what the project promises to run on when built there
NEWEST=2.34   # dlopen and the threads moved into libc.so.6; a build on a newer libc cannot avoid this one

status=0
# judge NAME COMPLAINT [REMARK]: passes when there is no complaint
judge()
{
    if [ -z "$2" ]; then
        echo "ok exports/$1${3:+ ($3)}"
    else
        echo "not ok exports/$1: $(echo "$2" | paste -sd' ')"
        status=1
    fi
}

if [ ! -e "$lib" ]; then
    echo "not ok exports: $lib is not built"
    exit 1
fi

table_names()
{
    {
        printf '#define %s\n' 'CG_REQUIRED(n, r, name, p, a) name' 'CG_OPTIONAL(n, r, name, p, a) name' \
            'CG_ALIAS(name, same_as) name' 'CG_VARIADIC(name) name'
        cat shim/calls.def
    } | ${CC:-cc} -x c -E -P - | grep -o '[A-Za-z_][A-Za-z0-9_]*' | sort
}
exported=$(nm -D --defined-only "$lib" | awk '{ print $NF }' | sort)
wanted=$(table_names)
judge table_is_read "$([ "$(echo "$wanted" | wc -l)" -gt 50 ] || echo 'fewer than 50 names in calls.def')"
judge table_is_unique "$(echo "$wanted" | uniq -d)"
judge nothing_missing "$(comm -23 <(echo "$wanted") <(echo "$exported"))"
judge nothing_else "$(comm -13 <(echo "$wanted") <(echo "$exported") | grep -v '^closeguard_')"
judge functions_only "$(nm -D --defined-only "$lib" | awk '$2 !~ /^[TWi]$/ { print $NF }')"

dynamic=$(readelf -dW "$lib")
judge needs_only_libc "$(echo "$dynamic" | sed -n 's/.*(NEEDED).*\[\(.*\)\]/\1/p' |
    grep -Ev '^(libc\.so\.6|libdl\.so\.2|libpthread\.so\.0)$')" # names that musl takes for its own
judge no_text_relocations "$(echo "$dynamic" | grep -E 'TEXTREL')"
judge no_search_path "$(echo "$dynamic" | grep -E 'RPATH|RUNPATH')"
judge bound_at_start "$(echo "$dynamic" | grep -q 'BIND_NOW' || echo 'not linked with -z now')"
judge never_unloaded "$(echo "$dynamic" | grep -q 'NODELETE' || echo 'not linked with -z nodelete')"
judge no_version_definitions "$(readelf -VW "$lib" | grep 'Version definition section')"

# What the loader refuses to start without. musl knows no versions, and no symbol that is marked as glibc's.
hard=$(readelf --dyn-syms -W "$lib" | awk '$7 == "UND" && $5 == "GLOBAL" { sub(/@.*/, "", $8); print $8 }' | sort -u)
judge undefined_are_read "$([ "$(echo "$hard" | wc -l)" -gt 10 ] || echo 'fewer than 10 undefined symbols')"
judge nothing_of_glibc_alone "$(comm -23 <(echo "$hard") \
    <({ grep -v '^#' tests/static/allowed-symbols.txt | grep -v ' glibc$'
        printf '%s\n' __environ __getauxval; } | sort))" # one comes with environ, one with aarch64's atomics
musl=$(find /lib/ -maxdepth 1 -name "ld-musl-$(uname -m).so.1")
if [ -n "$musl" ]; then
    judge musl_has_all "$(comm -23 <(echo "$hard") <(nm -D --defined-only "$musl" | awk '{ print $NF }' | sort -u))"
else
    echo "skip exports/musl_has_all: musl is not installed"
fi

segments=$(readelf -lW "$lib")
judge no_executable_stack "$(echo "$segments" | grep 'GNU_STACK' | grep 'RWE')"
# Every thread of every watched program carries it, and a late dlopen finds little static room.
tls=$(echo "$segments" | awk '$1 == "TLS" { print $6 }')
judge little_thread_local "$([ $((${tls:-0})) -le 64 ] || echo "$((tls)) bytes of thread-local storage, more than 64")"

needed=$(nm -D --undefined-only "$lib" | grep -o '@GLIBC_[0-9.]*' | sed 's/@GLIBC_//' | sort -uV | tail -n 1)
which=$(nm -D --undefined-only "$lib" | grep -E "@GLIBC_${needed//./\\.}\$" | awk '{ sub(/@.*/, "", $NF); print $NF }')
newest_of() { printf '%s\n' "$@" | sort -V | tail -n 1; }
if [ "$(newest_of "$needed" $NEWEST)" != $NEWEST ]; then
    judge old_glibc_suffices "needs GLIBC_$needed for $which"
elif [ "$(newest_of "$needed" $OLDEST)" != $OLDEST ]; then
    judge old_glibc_suffices "" \
        "this build needs GLIBC_$needed for $(echo "$which" | paste -sd' '); one made on $OLDEST needs less"
else
    judge old_glibc_suffices "" "GLIBC_$needed"
fi
exit $status
