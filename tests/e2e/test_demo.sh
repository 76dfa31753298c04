#!/bin/sh
# The demo keeps its promises: both leaks with their lines, no word about the correct server, and an end in time.
set -u
cd "$(dirname "$0")/../.." || exit 1
build=${CLOSEGUARD_TEST_BUILD:-build}
work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT
failed=0

result()
{
    if [ "$2" = 0 ]; then
        echo "ok demo/$1"
    else
        echo "not ok demo/$1: $3"
        failed=1
    fi
}

skip()
{
    echo "skip demo: $1"
    exit 0
}

says()
{
    grep -q -e "$2" "$work/out"
    result "$1" $? "the demo does not say \"$2\""
}

[ -z "${CLOSEGUARD_TEST_SANITIZE:-}" ] || skip "its programs are built without the sanitizer that the library needs"
command -v curl >/dev/null || skip "curl is not installed"
command -v ss >/dev/null || skip "ss is not installed"
echo '#include <curl/curl.h>' | cc -E - >/dev/null 2>&1 || skip "libcurl's headers are not installed"

start=$(date +%s)
demo/run.sh "$build" >"$work/out" 2>"$work/err"
status=$?
took=$(($(date +%s) - start))
result status $status "exit status $status: $(head -n 1 "$work/err")"
[ $failed = 0 ] || sed 's/^/# /' "$work/out" "$work/err"
[ $took -lt 60 ]
result time $? "it took $took s"
says server-leak 'LEAK [1-5] sockets* in CLOSE_WAIT'
says server-line 'read_request .*demo/leaky_server\.c:[0-9]'
says client-leak 'LEAK [1-8] sockets* in CLOSE_WAIT'
says client-line 'fetch .*demo/leaky_client\.c:[0-9]'
says good-server 'closeguard produced no line about it'
says own-program 'closeguard run ./app'
says preload-line 'LD_PRELOAD=.*libcloseguard\.so ./app'

# It can fail: with a library that does nothing, the reports are missing and it says so.
mkdir "$work/build"
echo 'int nothing;' | cc -x c - -shared -fPIC -o "$work/build/libcloseguard.so"
demo/run.sh "$work/build" >/dev/null 2>"$work/err"
[ $? -eq 1 ] && grep -q 'FAILED: the report of leaky_server does not say' "$work/err"
result fails-without-reports $? "it did not notice that reports were missing"
exit $failed
