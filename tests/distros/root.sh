#!/bin/bash
# distros/root.sh SUITE [PACKAGE...]: makes a root folder of a Debian release with these packages, once, and prints its
# path. Where that cannot be done it prints why and exits with 77. ROOTS: where they are kept. MIRROR: whence they come.
set -u
cd "$(dirname "$0")/../.." || exit 1
suite=$1
shift
roots=${ROOTS:-$PWD/build-roots}
root=$roots/$suite

cannot()
{
    echo "$*"
    exit 77
}

if [ -e "$root/.complete" ]; then
    echo "$root"
    exit 0
fi
[ "$(id -u)" = 0 ] || cannot "a root folder of $suite can only be made by root"
command -v debootstrap >/dev/null || cannot "debootstrap is not installed"
command -v unshare >/dev/null || cannot "unshare is not installed"
mkdir -p "$roots"
rm -rf "$root.new"
packages=$(IFS=,; echo "$*")
if ! debootstrap --variant=minbase ${packages:+--include="$packages"} "$suite" "$root.new" \
    "${MIRROR:-http://deb.debian.org/debian}" > "$roots/$suite.log" 2>&1; then
    cannot "debootstrap $suite: $(grep -E '^(E|W):' "$roots/$suite.log" | tail -n 1)"
fi
touch "$root.new/.complete"
rm -rf "$root"
mv "$root.new" "$root"
echo "$root"
