#!/bin/sh
# The test runner itself: what it must count as a failure, it counts.
set -u
run=$(dirname "$0")/../run
dir=$(mktemp -d) || exit 1
trap 'rm -rf "$dir"' EXIT

# expect NAME "CLOSING LINE" "SHELL CODE OF A TEST PROGRAM" [tests/run's options]
expect()
{
    name=$1 want=$2
    printf '#!/bin/sh\n%s\n' "$3" > "$dir/program"
    chmod +x "$dir/program"
    shift 3
    got=$("$run" "$@" "$dir/program" | grep -E '^[0-9]+ passed, [0-9]+ failed')
    if [ "$got" = "$want" ]; then
        echo "ok runner/$name"
    else
        echo "not ok runner/$name: closing line \"$got\", wanted \"$want\""
    fi
}

expect counts '2 passed, 1 failed, 1 skipped' 'echo ok a; echo ok b; echo "not ok c: why"; echo "skip d: why"; exit 1'
expect passes '1 passed, 0 failed' 'echo ok a'
expect not_ok_with_status_0 '0 passed, 1 failed' 'echo "not ok a: why"'
expect silent '0 passed, 1 failed' 'exit 0'
expect status_only '1 passed, 1 failed' 'echo ok a; exit 3'
expect crash '1 passed, 1 failed' 'echo ok a; kill -SEGV $$'
expect timeout '1 passed, 1 failed' 'echo ok a; sleep 60' --timeout 0.5
expect budget '0 passed, 1 failed' 'sleep 60' --budget 0.5
expect skip_without_reason '0 passed, 1 failed' 'echo "skip a"'
expect one_closing_line '1 passed, 0 failed' 'echo ok a; echo "note: b"; echo "7 passed, 0 failed"'
expect leftover_does_not_hang '1 passed, 0 failed' 'sleep 60 & echo ok a' --timeout 30
expect environment '1 passed, 0 failed' '[ -z "${CLOSEGUARD_DIR+x}" ] && [ -n "$CLOSEGUARD_TEST_LIB" ] && echo ok a'

# Another python3 comes first in PATH, that is good for nothing but to start the runner.
mkdir "$dir/first" || exit 1
printf '#!/bin/sh\ncase $1 in */run) exec %s "$@" ;; esac\nexit 3\n' \
    "$(python3 -c 'import os, sys; print(os.path.realpath(sys.executable))')" > "$dir/first/python3"
chmod +x "$dir/first/python3"
PATH=$dir/first:$PATH
expect python '1 passed, 0 failed' 'python3 -c "print(\"ok a\")"'
