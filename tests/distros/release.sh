#!/bin/bash
# distros/release.sh TO: builds in the oldest release that is supported, and puts the library, its annexes and the
# command into the folder TO. They run wherever there is a libc as new as that one's; libconfig, whose soname changes
# from one release to the next, becomes a part of what needs it. Exits with 77 where that cannot be done, and says why.
set -u
cd "$(dirname "$0")/../.." || exit 1
to=$1
root=$(tests/distros/root.sh bullseye gcc libc6-dev make pkg-config libdw-dev libelf-dev libunwind-dev libjansson-dev \
    libncurses-dev zlib1g-dev) || {
    echo "release: $root"
    exit 77
}
mkdir -p "$root/src" "$root/libconfig"

# libconfig.a as Debian has it cannot become a part of a shared object.
build_libconfig='
    set -e
    [ ! -e /libconfig/libconfig.a ] || exit 0
    cd /libconfig
    sed -n "s/^deb /deb-src /p" /etc/apt/sources.list > /etc/apt/sources.list.d/source.list
    apt-get -q update
    apt-get -q -o APT::Sandbox::User=root source --download-only libconfig
    tar xzf libconfig_*.orig.tar.gz --strip-components=1
    ./configure -q --disable-cxx --disable-shared --enable-static --with-pic
    make -s -C lib
    cp lib/libconfig.h /usr/local/include
    cp lib/.libs/libconfig.a .'
if ! tests/distros/inside.sh "$root" sh -c "$build_libconfig" > "$root/libconfig.log" 2>&1; then
    echo "release: libconfig: $(tail -n 1 "$root/libconfig.log")"
    exit 77
fi

# The sources with their times, so that a second run builds what has changed.
tar c Makefile shim policy cli completion demo man tests/tests.mk | tar x -C "$root/src"
set -e
unset MAKEFLAGS MFLAGS MAKELEVEL
tests/distros/inside.sh "$root" make -C /src -j"$(nproc)" \
    CONFIG_LIBS='-L/libconfig -Wl,-Bstatic -lconfig -Wl,-Bdynamic -Wl,--exclude-libs,libconfig.a'
mkdir -p "$to"
cp "$root"/src/build/libcloseguard*.so "$root"/src/build/libcloseguard*.cfg "$root/src/build/closeguard" "$to"
echo "release: in $to; newest symbols of libc: $(objdump -T "$to"/* | grep -o 'GLIBC_[0-9.]*' | sort -Vu | tail -n 1)"
