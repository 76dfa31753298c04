#!/bin/bash
# What other eyes than gcc's see: clang's warnings, clang-tidy, cppcheck, shellcheck. Run by `make lint`.
#
# Prints ok, not ok or skip for each; what a tool said comes below its line.
set -u
cd "$(dirname "$0")/.." || exit 1
status=0
log=$(mktemp) || exit 1
trap 'rm -f "$log"' EXIT

# lint NAME TOOL COMMAND...: runs it when the tool is there
lint()
{
    name=$1 tool=$2
    shift 2
    if ! command -v "$tool" >/dev/null; then
        echo "skip lint/$name: $tool is not installed (make deps DEPS=lint)"
    elif "$@" >"$log" 2>&1; then
        echo "ok lint/$name"
    else
        echo "not ok lint/$name: $tool has remarks"
        cat "$log"
        status=1
    fi
}

existing()
{
    find shim policy cli demo tests -name "$1" "${@:2}" 2>/dev/null | sort
}

# Deep analysis is for what runs in somebody else's process or reads somebody else's data; tests are compiled only.
mapfile -t sources < <(existing '*.c' -not -path 'tests/*' -not -path 'demo/*')
mapfile -t scripts < <(
    existing '*.sh' -not -path 'tests/cases/*'
    echo .ci/run
)
FLAGS=(-D_GNU_SOURCE -Ishim -Ipolicy)

tidy()
{
    printf '%s\n' "$@" | xargs -P "$(nproc)" -n 1 sh -c \
        'clang-tidy --quiet "$0" -- -std=gnu11 -D_GNU_SOURCE -Ishim -Ipolicy 2>&1' |
        grep -vE '^[0-9]+ warnings? (and [0-9]+ errors? )?generated|^Suppressed [0-9]+|^Use -header-filter' && return 1
    return 0
}

# internalAstError: cppcheck 2.10 cannot parse a compound literal around va_arg.
# allocaCalled: an exec's arguments are gathered where malloc is forbidden, and a VLA is the same thing in disguise.
check_with_cppcheck()
{
    cppcheck --quiet --std=c11 --enable=warning,performance,portability --inline-suppr --error-exitcode=1 \
        --suppress=missingIncludeSystem --suppress=allocaCalled --suppress=internalAstError \
        -D__x86_64__ -D__linux__ -D__GNUC__=12 -D__SIZEOF_POINTER__=8 "-DElfW(type)=Elf64_##type" "${FLAGS[@]}" "$@"
}

lint clang_build clang make --no-print-directory V=0 -k -j"$(nproc)" BUILD=build-clang CC=clang lint-build
lint clang_tidy clang-tidy tidy "${sources[@]}"
lint cppcheck cppcheck check_with_cppcheck "${sources[@]}"
# SC2016: awk and sh -c programs stand in single quotes. SC2317: does not see what traps and lint call.
lint shellcheck shellcheck shellcheck --external-sources --exclude=SC2016,SC2317 "${scripts[@]}"
exit $status
