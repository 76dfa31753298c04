#!/bin/sh
# The library compiles for the other architecture, and links where that one's libc is installed.
set -u
cd "$(dirname "$0")/../.." || exit 1
if ! command -v aarch64-linux-gnu-gcc >/dev/null; then
    echo "skip aarch64: aarch64-linux-gnu-gcc is not installed"
    exit 0
fi
mkdir -p build-aarch64
if output=$(flock build-aarch64/lock make --no-print-directory V=0 -k aarch64 2>&1); then
    echo "ok aarch64"
else
    echo "not ok aarch64: $(echo "$output" | grep -m 1 -E 'error|Error')"
    echo "$output"
    exit 1
fi
