#!/bin/bash
# tests/deps.sh asks for what does not work here, whatever files lie about, and for nothing where all works. The package
# manager is one of ours, that notes what it is told.
set -u
cd "$(dirname "$0")/../.." || exit 1
dir=$(mktemp -d) || exit 1
trap 'rm -rf "$dir"' EXIT
mkdir -p "$dir/bin" "$dir/include/curl" "$dir/include/elfutils" "$dir/include/lzma" "$dir/lib"

# Nobody is root here, and sudo does nothing but call the package manager.
tool()
{
    printf '#!/bin/sh\n%s\n' "$2" > "$dir/bin/$1"
    chmod +x "$dir/bin/$1"
}
tool id 'echo 1000'
tool sudo 'case "$*" in *apt-get*) exec "$@" ;; esac'
tool apt-get "echo \"\$*\" >> $dir/asked; exit 100"
tool apt-cache 'echo "  Candidate: 1"'

# deps GROUP... [with variables of the build before it]: what it asks for and says
deps()
{
    : > "$dir/asked"
    env PATH="$dir/bin:$PATH" tests/deps.sh "$@" > "$dir/said" 2>&1
}

# asked_for NAME PACKAGE
asked_for()
{
    if grep -qw -e "install .*$2" "$dir/asked"; then
        echo "ok deps/$1"
    else
        echo "not ok deps/$1: it did not ask for $2, but said: $(tail -n 1 "$dir/said")"
    fi
}

libraries="check.h:check curl/curl.h:libcurl4-openssl-dev elfutils/libdw.h:libdw-dev gelf.h:libelf-dev
jansson.h:libjansson-dev libconfig.h:libconfig-dev ncurses.h:libncurses-dev zlib.h:zlib1g-dev"

# Other libraries have headers of the same names (liblzma its check.h), in folders of their own.
for entry in $libraries; do
    echo > "$dir/include/lzma/$(basename "${entry%:*}")"
    echo "#error not here" > "$dir/include/${entry%:*}"
done
CPPFLAGS="-I$dir/include" deps build demo
for entry in $libraries; do
    asked_for "without_the_header/${entry%:*}" "${entry#*:}"
done

for name in check check_pic curl dw elf jansson config ncursesw z; do
    echo "INPUT(-lnot_there)" | tee "$dir/lib/lib$name.so" > "$dir/lib/lib$name.a"
done
LDFLAGS="-L$dir/lib" deps build demo
for entry in $libraries; do
    asked_for "without_the_library/${entry%:*}" "${entry#*:}"
done

tool cc 'exit 1'
deps build
asked_for a_compiler_that_does_not_compile gcc
rm "$dir/bin/cc"

if deps build demo && [ ! -s "$dir/asked" ]; then
    echo "ok deps/nothing_where_all_is_there"
else
    echo "not ok deps/nothing_where_all_is_there: $(tail -n 1 "$dir/said")"
fi
