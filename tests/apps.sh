#!/bin/bash
# apps.sh [quick | CASE…]: runs real programs with known leaks under the library, one at a time (their ports are
# fixed), and compares what it says with apps/expected.txt. Prints "ok NAME", "not ok NAME: why" or "skip NAME: why".
set -u
here=$(cd "$(dirname "$0")" && pwd)
build=$(cd "${CLOSEGUARD_TEST_BUILD:-$here/../build}" 2>/dev/null && pwd)
library=$build/libcloseguard.so
quick=(01 12 17 22 24)
work=$(mktemp -d "${TMPDIR:-/tmp}/closeguard-apps.XXXXXX")
case_pid=
failed=0

# The case runs in a session of its own and ends its programs by itself when it is told to.
end() {
	[ -n "$case_pid" ] && kill "$case_pid" 2>/dev/null && wait "$case_pid" 2>/dev/null
	rm -rf "$work"
}
trap end EXIT
trap 'exit 130' INT TERM

chosen() {
	local case
	for case in "$here"/cases/*/; do
		case=$(basename "$case")
		if [ $# -eq 0 ] || [[ " $* " == *" $case "* ]] || [[ " $* " == *" ${case%%-*} "* ]]; then
			echo "$case"
		fi
	done
}

missing() {
	local need table=$here/apps/expected.txt
	for need in $(awk -v wanted="$1" '$1 == wanted { print $2; exit }' "$table" | tr , ' ') ss setsid; do
		command -v "$need" >/dev/null || { echo "$need is not installed"; return; }
	done
	case $1 in
	02-*) /usr/bin/python3 -c 'import requests' 2>/dev/null || echo "python3-requests is not installed" ;;
	08-*) php -r 'exit(function_exists("curl_init") ? 0 : 1);' 2>/dev/null || echo "php-curl is not installed" ;;
	10-*) timeout 2 redis-server --version >/dev/null || echo "redis-server does not run here" ;;
	34-*) [ -e /usr/share/java/HikariCP.jar ] || echo "libhikaricp-java is not installed" ;;
	61-*) /usr/bin/python3 -c 'import paho.mqtt.client' 2>/dev/null || echo "python3-paho-mqtt is not installed" ;;
	14-*) [ -e /usr/lib/apache2/modules/mod_proxy_http.so ] || echo "apache2's mod_proxy_http is not installed" ;;
	esac
}

# Programs that give up their rights (apache's workers) write logs of their own: the directory takes everybody's.
run_case() {
	local logs=$work/$1/logs recorders=$work/$1/recorders
	mkdir -p "$logs" && mkdir -m 700 "$recorders" && chmod 711 "$work" "$work/$1" && chmod 1777 "$logs"
	APP_PRELOAD=$library CLOSEGUARD_WARN_AFTER=1s CLOSEGUARD_INTERVAL=200ms CLOSEGUARD_FORMAT=json \
		CLOSEGUARD_LOG=$logs/%e.%p.log CLOSEGUARD_DIR=$recorders \
		"$here/cases/$1/run.sh" >"$work/$1/output" 2>&1 </dev/null &
	case_pid=$!
	wait "$case_pid"
	local status=$?
	case_pid=
	return $status
}

told() {
	find "$work/$1/logs" -name '*.log' -exec cat {} + | cut -c1-1500 | sed 's/^/#   /'
	tail -n 12 "$work/$1/output" | cut -c1-300 | sed 's/^/#   /'
}

test_case() {
	local reason status problems
	reason=$(missing "$1")
	if [ -n "$reason" ]; then
		echo "skip apps/$1: $reason"
		return
	fi
	run_case "$1"
	status=$?
	if [ $status -eq 2 ] && ! grep -q RESULT: "$work/$1/output"; then
		echo "skip apps/$1: its set-up failed: $(tail -n 1 "$work/$1/output" | cut -c1-200)"
		return
	fi
	if [ $status -ne 0 ]; then
		problems="the case itself ended with $status: $(grep -h RESULT: "$work/$1/output" | tail -n 1)"
	elif grep -qi closeguard "$work/$1/output"; then
		problems="something of ours in the program's output: $(grep -i -m 1 closeguard "$work/$1/output")"
	elif [ -z "$(ls "$work/$1/recorders")" ]; then
		problems="no recorder is left: the library did not look"
	else
		problems=$(python3 -B "$here/apps/judge.py" "$1" "$work/$1/logs" 2>&1)
	fi
	if [ -z "$problems" ]; then
		echo "ok apps/$1"
	else
		echo "not ok apps/$1: $(tail -n 1 <<<"$problems")"
		told "$1"
		failed=1
	fi
}

[ -e "$library" ] || { echo "not ok apps: $library is missing: build it first"; exit 1; }
[ "${1:-}" = quick ] && set -- "${quick[@]}"
for name in $(chosen "$@"); do
	test_case "$name"
done
exit $failed
