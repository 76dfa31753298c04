#!/bin/sh
# make install: what a package would hold, and that it works from there.
set -u
cd "$(dirname "$0")/../.." || exit 1
build=${CLOSEGUARD_TEST_BUILD:-build}
dest=$(mktemp -d) || exit 1
trap 'rm -rf "$dest"' EXIT
status=0

# judge NAME COMMAND...: ok when the command succeeds
judge()
{
    name=$1
    shift
    if "$@" >"$dest/output" 2>&1; then
        echo "ok install/$name"
    else
        echo "not ok install/$name: $* failed: $(tail -n 1 "$dest/output")"
        status=1
    fi
}

judge install make --no-print-directory BUILD="$build" PREFIX=/opt/guard DESTDIR="$dest" install
cd "$dest" || exit 1
judge command opt/guard/bin/closeguard --help
judge header sh -c 'echo "#include <closeguard.h>
    int main(void) { return closeguard_present(); }" |
    ${CC:-cc} -Wall -Werror -Iopt/guard/include -x c -o program - -ldl'
judge absent_library ./program
judge loads sh -c 'test -z "$(LD_PRELOAD=$0 env true 2>&1)"' "$dest/opt/guard/lib/libcloseguard.so"
judge bash_completion test -e opt/guard/share/bash-completion/completions/closeguard
judge zsh_completion test -e opt/guard/share/zsh/site-functions/_closeguard
judge annex test -e opt/guard/lib/libcloseguard-dw.so
judge config_annex test -e opt/guard/lib/libcloseguard-config.so
judge suppressions test -e opt/guard/share/closeguard/closeguard.supp
judge shipped_suppressions test -e opt/guard/lib/libcloseguard-suppressions.cfg
judge policies test -e opt/guard/share/closeguard/policies/nginx-behind-lb.cfg
judge config_manual test -e opt/guard/share/man/man5/closeguard.conf.5
exit $status
