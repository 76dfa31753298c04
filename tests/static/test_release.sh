#!/bin/sh
# What make release has built needs no newer libc than the oldest that is supported, and no library whose soname
# changes.
set -u
cd "$(dirname "$0")/../.." || exit 1
release=build/release
if [ ! -e "$release/libcloseguard.so" ]; then
    echo "skip release: make release has not been run here"
    exit 0
fi
for file in "$release"/*; do
    name=release/$(basename "$file")
    newest=$(printf '%s\nGLIBC_2.31\n' "$(objdump -T "$file" | grep -o 'GLIBC_[0-9.]*')" | sort -V | tail -n 1)
    needed=$(objdump -p "$file" | sed -n 's/^ *NEEDED *//p' | grep -v -x -E \
        'ld-linux-.*|lib(c|dl|m|pthread|rt)\.so\..*|lib(dw|elf|jansson|ncursesw|tinfo|z)\.so\.[0-9]*' | tr '\n' ' ')
    if [ "$newest" = GLIBC_2.31 ] && [ -z "$needed" ]; then
        echo "ok $name"
    else
        echo "not ok $name: it needs $newest $needed"
    fi
done
