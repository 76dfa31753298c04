#!/bin/sh
# What `make demo` runs: real programs under the shim with real traffic, and what closeguard says of them.
# Usage: demo/run.sh [BUILD]. Exits with 1 when an expected report did not come, or the correct server was accused.
set -u
cd "$(dirname "$0")/.." || exit 1
build=${1:-build}
cc=${CC:-cc}
library=$(cd "$build" 2>/dev/null && pwd)/libcloseguard.so
out=$build/demo
work=$(mktemp -d "${TMPDIR:-/tmp}/closeguard-demo.XXXXXX") || exit 1
pids=
failed=0

# Only what the demo started, by pid. The shell would tell of each "Terminated" one that it was not told to wait for.
stop()
{
    for pid in $pids; do
        kill "$pid" 2>/dev/null && wait "$pid" 2>/dev/null
    done
    pids=
}
trap 'stop; rm -rf "$work"' EXIT
trap 'exit 1' INT TERM HUP

die()
{
    echo "demo: $*" >&2
    exit 1
}

check_tools()
{
    [ -e "$library" ] || die "there is no $build/libcloseguard.so; run make first"
    for tool in "$cc" curl ss; do
        command -v "$tool" >/dev/null || die "$tool is missing; make deps installs it"
    done
    echo '#include <curl/curl.h>' | $cc -E - >/dev/null 2>&1 ||
        die "libcurl's headers are missing; make deps installs them"
}

# compile NAME [LIBRARY...]
compile()
{
    name=$1
    shift
    $cc -std=gnu11 -D_GNU_SOURCE -Wall -O2 -g -pthread -o "$out/$name" "demo/$name.c" "$@" ||
        die "demo/$name.c does not compile"
}

# watch NAME [ARG...]: starts it under the shim, without the suppressions that come with it: a few idle connections
# of libcurl are nobody's bug by them, and a demonstration has no more.
# Its findings go to $work/NAME.log, its own output to $work/NAME.out.
watch()
{
    name=$1
    shift
    CLOSEGUARD_WARN_AFTER=1s CLOSEGUARD_LOG="$work/%e.log" CLOSEGUARD_DIR="$work/recorders" \
        LD_PRELOAD="$library" "$out/$name" "$@" >"$work/$name.out" 2>"$work/$name.err" &
    pids="$pids $!"
}

# within SECONDS COMMAND...: tries until it succeeds
within()
{
    left=$(($1 * 10))
    shift
    until "$@"; do
        left=$((left - 1))
        [ $left -gt 0 ] || return 1
        sleep 0.1
    done
}

# serve NAME: starts a server and sets $port
serve()
{
    watch "$1"
    within 10 test -s "$work/$1.out" || die "$1 did not start: $(cat "$work/$1.err")"
    port=$(cat "$work/$1.out")
}

# Requests that are answered, and clients that give up in the middle of one, all at the same moment.
traffic()
{
    clients=
    for _ in 1 2 3; do
        curl -s --noproxy '*' -o "$work/answer" "http://127.0.0.1:$port/" ||
            die "the server at port $port did not answer"
    done
    for _ in 1 2 3 4; do
        curl -s --noproxy '*' --max-time 5 -H 'Content-Length: 1000' -d 'a part' "http://127.0.0.1:$port/upload" &
        clients="$clients $!"
    done
    (printf 'GET / HTTP/1.1\r\nHost: half a re'; sleep 1) |
        curl -s --noproxy '*' --max-time 5 "telnet://127.0.0.1:$port" &
    clients="$clients $!"
    sleep 0.5
    # shellcheck disable=SC2086 # a list of pids
    kill $clients
    for client in $clients; do
        wait "$client" 2>/dev/null
    done
}

say()
{
    printf '\n%s\n' "$*"
}

indented()
{
    sed 's/^/    /'
}

# expect NAME PATTERN...: shows the report of NAME, which has to contain each pattern.
expect()
{
    name=$1
    shift
    within 20 grep -qs LEAK "$work/$name.log"
    sleep 0.5
    say "closeguard on $name:"
    [ ! -s "$work/$name.log" ] || indented <"$work/$name.log"
    for pattern; do
        grep -qs -e "$pattern" "$work/$name.log" && continue
        echo "demo: FAILED: the report of $name does not say \"$pattern\"" >&2
        failed=1
    done
}

# kernel FILTER: the same connections as ss sees them
kernel()
{
    say "\$ ss -tnp state close-wait '$1'"
    rows=$(ss -Htnp state close-wait "$1")
    echo "${rows:-(no connection)}" | indented
}

bug_of()
{
    line=$(grep -n 'the bug:' "demo/$1.c")
    say "The bug: demo/$1.c:$(echo "$line" | sed 's|:[[:space:]]*|: |; s|[[:space:]]*/\*.*||')"
}

leaky_server()
{
    say "1. A server that forgets a close on its error path (demo/leaky_server.c)"
    echo "   Three good requests, then five clients that give up in the middle of theirs."
    serve leaky_server
    traffic
    expect leaky_server LEAK CLOSE_WAIT 'leaky_server\.c:[0-9]'
    kernel "sport = :$port"
    bug_of leaky_server
    stop
}

leaky_client()
{
    say "2. A libcurl client that keeps its handles (demo/leaky_client.c)"
    echo "   A transfer every second from the correct server, which closes its idle connections after 1.5 s."
    server=$pids
    watch leaky_client "http://127.0.0.1:$port/" 30
    expect leaky_client LEAK CLOSE_WAIT 'leaky_client\.c:[0-9]'
    kernel "dport = :$port"
    bug_of leaky_client
}

good_server()
{
    say "3. The correct server, which served the client above and now gets the first one's traffic (demo/good_server.c)"
    traffic
    sleep 2.5
    if ! grep -qs libcloseguard.so "/proc/${server# }/maps"; then
        echo "demo: FAILED: good_server is not watched" >&2
        failed=1
    elif [ -s "$work/good_server.log" ]; then
        indented <"$work/good_server.log"
        echo "demo: FAILED: closeguard accuses the correct server" >&2
        failed=1
    else
        echo "   closeguard produced no line about it."
    fi
    kernel "sport = :$port"
    stop
}

# shellcheck disable=SC2046 # a list of names
unset LD_PRELOAD $(env | sed -n 's/^\(CLOSEGUARD[A-Z_]*\)=.*/\1/p')
check_tools
mkdir -p "$out" && mkdir -m 700 "$work/recorders" || exit 1
compile leaky_server
compile good_server
compile leaky_client -lcurl
leaky_server
serve good_server
leaky_client
good_server
[ $failed -eq 0 ] || exit 1
say "Your own program: $build/closeguard run ./app"
echo "Without the command: LD_PRELOAD=$library ./app"
