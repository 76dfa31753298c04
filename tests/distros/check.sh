#!/bin/bash
# distros/check.sh RELEASE: what make release built, in Debian releases old and new. Prints a line for each result.
set -u
cd "$(dirname "$0")/../.." || exit 1
release=$1
suites="bullseye bookworm trixie"
packages="libdw1 libelf1 libunwind8 libjansson4 libncursesw6 zlib1g"

said=$(tests/distros/release.sh "$release" 2>&1)
case $? in
0) ;;
77)
    echo "skip distros: $(echo "$said" | tail -n 1)"
    exit 0
    ;;
*)
    echo "$said" | tail -n 30
    echo "not ok distros/release: it does not build in the oldest release"
    exit 1
    ;;
esac

# result NAME CONDITION...
result()
{
    name=$1
    shift
    if "$@"; then
        echo "ok distros/$name"
    else
        echo "not ok distros/$name: $(tail -n 5 "$out" | tr '\n' ' ')"
    fi
}

status_is() { [ "$status" = "$1" ]; }
says() { grep -q -e "$1" "$out"; }

builder=$(tests/distros/root.sh bullseye) || exit 1
out=$(mktemp) || exit 1
trap 'rm -f "$out"' EXIT
cp tests/distros/leak.c "$builder/src/leak.c"
tests/distros/inside.sh "$builder" gcc -g -O1 -o /src/leak /src/leak.c > "$out" 2>&1
result "program" test -x "$builder/src/leak"

for suite in $suites; do
    # shellcheck disable=SC2086 # a list of words; names end in t64 since the year 2038 was thought of
    case $suite in
    bullseye) root=$builder ;;
    bookworm) root=$(tests/distros/root.sh "$suite" $packages) ;;
    *) root=$(tests/distros/root.sh "$suite" ${packages/libdw1 libelf1/libdw1t64 libelf1t64}) ;;
    esac || {
        echo "skip distros/$suite: $root"
        continue
    }
    rm -rf "$root/opt/closeguard"
    mkdir -p "$root/opt/closeguard"
    cp "$release"/* "$builder/src/leak" policy/nginx-behind-lb.cfg "$root/opt/closeguard"
    # Told before the program ends only because the policy was read: the standard is 30 s.
    echo 'version = 1; mode = "observe"; warn_after = "1s"; rules = ( { name = "all"; } );' \
        > "$root/opt/closeguard/policy.cfg"

    # inside VARIABLE=VALUE... COMMAND...: $out and $status
    inside()
    {
        tests/distros/inside.sh "$root" env -C /opt/closeguard "$@" > "$out" 2>&1
        status=$?
    }
    inside CLOSEGUARD_WARN_AFTER=1s ./closeguard run --error-exitcode 7 ./leak
    result "$suite/run_exit_status" status_is 7
    result "$suite/run_names_the_line" says 'read_and_forget.*leak.c:12'
    inside LD_PRELOAD=/opt/closeguard/libcloseguard.so CLOSEGUARD_FORMAT=json CLOSEGUARD_POLICY=policy.cfg ./leak
    result "$suite/preload_exit_status" status_is 0
    result "$suite/preload_names_the_line" says '"cause":"eof_ignored".*"function":"read_and_forget".*"line":12'
    result "$suite/preload_has_no_complaint" eval '! says "\"event\":\"warning\""'
    inside ./closeguard check nginx-behind-lb.cfg policy.cfg
    result "$suite/check" status_is 0
done
