#!/bin/sh
# Installs what the named groups need and the machine lacks: tests/deps.sh build demo test lint
#
# What counts is whether the thing is there (a command, a header), not which package brought it; so a second run does
# nothing, on any distribution. Nothing that gets installed is started.
set -u
PATH=$PATH:/usr/local/sbin:/usr/sbin:/sbin
export PATH

# group:must  what to look for  apt  dnf  apk      ("a|b": the first that exists; "a,b": both; "-": not packaged there)
needs()
{
    cat <<'TABLE'
build:required command:gcc           gcc,libc6-dev         gcc,glibc-devel        gcc,musl-dev
build:required command:make          make                  make                   make
build:required command:pkg-config    pkg-config|pkgconf    pkgconf-pkg-config     pkgconf
build:required header:check.h        check                 check-devel            check-dev
build:required header:elfutils/libdw.h libdw-dev             elfutils-devel         elfutils-dev
build:required header:jansson.h      libjansson-dev        jansson-devel          jansson-dev
build:required header:libconfig.h    libconfig-dev         libconfig-devel        libconfig-dev
build:required header:libelf.h       libelf-dev            elfutils-libelf-devel  elfutils-dev
build:required header:libunwind.h    libunwind-dev         libunwind-devel        libunwind-dev
build:required header:ncurses.h      libncurses-dev        ncurses-devel          ncurses-dev
build:required header:zlib.h         zlib1g-dev            zlib-devel             zlib-dev
demo:required  header:curl/curl.h    libcurl4-openssl-dev  libcurl-devel          curl-dev
demo:required  command:curl          curl                  curl                   curl
demo:required  command:python3       python3               python3                python3
test:required  command:bash          bash                  bash                   bash
test:required  command:g++           g++                   gcc-c++                g++
test:required  command:ip            iproute2              iproute                iproute2
test:required  command:openssl       openssl               openssl                openssl
test:required  command:perl          perl                  perl-interpreter       perl
test:required  command:pgrep         procps                procps-ng              procps
test:required  command:unshare       util-linux            util-linux             util-linux
test:required  python:requests       python3-requests      python3-requests       py3-requests
test:optional  command:aarch64-linux-gnu-gcc gcc-aarch64-linux-gnu,libc6-dev-arm64-cross gcc-aarch64-linux-gnu -
test:optional  command:apache2|httpd apache2|apache2-bin   httpd                  apache2
test:optional  command:chromedriver  chromium-driver       chromedriver           chromium-chromedriver
test:optional  command:chromium|chromium-browser chromium  chromium               chromium
test:optional  command:clang         clang                 clang                  clang
test:optional  command:dwz           dwz                   dwz                    dwz
test:optional  command:groff         groff-base            groff-base             groff
test:optional  command:haproxy       haproxy               haproxy                haproxy
test:optional  command:javac         openjdk-17-jdk-headless|default-jdk-headless java-17-openjdk-devel  openjdk17-jdk
test:optional  command:nft           nftables              nftables               nftables
test:optional  command:nginx         nginx-light|nginx     nginx-core             nginx
test:optional  command:node          nodejs                nodejs                 nodejs
test:optional  command:npm           npm                   nodejs-npm             npm
test:optional  command:php           php-cli               php-cli                php
test:optional  command:redis-server  redis-server          redis|valkey-compat-redis redis
test:optional  command:socat         socat                 socat                  socat
test:optional  command:sshd          openssh-server        openssh-server         openssh-server
test:optional  command:strace        strace                strace                 strace
test:optional  command:tmux          tmux                  tmux                   tmux
test:optional  command:valgrind      valgrind              valgrind               valgrind
test:optional  command:xz            xz-utils              xz                     xz
test:optional  command:zsh           zsh                   zsh                    zsh
test:optional  php:curl              php-curl              php-common             php-curl
test:optional  library:libasan.so    -                     libasan                -
test:optional  library:libdebuginfod.so.1 libdebuginfod1   elfutils-debuginfod-client -
test:optional  library:libtsan.so    -                     libtsan                -
test:optional  library:libubsan.so   -                     libubsan               -
lint:required  command:clang         clang                 clang                  clang
lint:required  command:clang-tidy    clang-tidy            clang-tools-extra      clang-extra-tools
lint:required  command:cppcheck      cppcheck              cppcheck               cppcheck
lint:required  command:shellcheck    shellcheck            ShellCheck             shellcheck
TABLE
}

say()
{
    echo "deps: $*"
}

die()
{
    say "$*" >&2
    exit 1
}

# there KIND:NAME: is it on this machine?
there()
{
    name=${1#*:}
    case $1 in
    command:*\|*) command -v "${name%%|*}" >/dev/null || command -v "${name#*|}" >/dev/null ;;
    command:*) command -v "$name" >/dev/null ;;
    header:*) for file in /usr/include/"$name" /usr/include/*/"$name" /usr/local/include/"$name"; do
            [ -e "$file" ] && return 0
        done
        return 1 ;;
    library:*) [ "$(gcc -print-file-name="$name" 2>/dev/null)" != "$name" ] && command -v gcc >/dev/null ;;
    python:*) python3 -c "import importlib.util as u, sys; sys.exit(not u.find_spec('$name'))" 2>/dev/null ;;
    php:*) php -m 2>/dev/null | grep -qx "$name" ;;
    esac
}

# missing GROUP...: the lines of the table, of these groups, whose thing is not there
missing()
{
    needs | while read -r tag thing apt dnf apk; do
        for group; do
            [ "$group" = "${tag%:*}" ] || continue
            there "$thing" </dev/null || echo "$tag $thing $apt $dnf $apk"
        done
    done
}

as_root()
{
    if [ "$(id -u)" = 0 ]; then
        env "$@"
    else
        sudo env "$@"
    fi
}

# quietly COMMAND...: its output is shown only when it fails
quietly()
{
    log=$(mktemp) || exit 1
    if "$@" </dev/null >"$log" 2>&1; then
        rm -f "$log"
    else
        tail -n 15 "$log" >&2
        rm -f "$log"
        return 1
    fi
}

apt_get()
{
    quietly as_root DEBIAN_FRONTEND=noninteractive RUNLEVEL=1 \
        apt-get -q -y -o DPkg::Lock::Timeout=300 -o Acquire::Retries=3 "$@"
}

# exists PACKAGE: can it be installed from the configured sources?
exists()
{
    case $manager in
    apt) LC_ALL=C apt-cache policy "$1" 2>/dev/null | grep '^  Candidate:' | grep -qv '(none)' ;;
    dnf) dnf -q list "$1" >/dev/null 2>&1 ;;
    apk) apk list "$1" 2>/dev/null | grep -q . ;;
    esac
}

refresh()
{
    say "reading the package lists"
    case $manager in
    apt) apt_get update ;;
    dnf) quietly as_root dnf -q -y makecache ;;
    apk) quietly as_root apk update ;;
    esac
}

install_packages()
{
    case $manager in
    apt) apt_get install --no-install-recommends "$@" ;;
    dnf) quietly as_root dnf -q -y --setopt=install_weak_deps=False install "$@" ;;
    apk) quietly as_root apk add "$@" ;;
    esac
}

# Debian starts what it installs, unless this file says no. One that is there already is somebody's decision.
POLICY_RC=/usr/sbin/policy-rc.d
forbid_services()
{
    [ "$manager" = apt ] && [ ! -e $POLICY_RC ] || return 0
    trap 'as_root rm -f $POLICY_RC' EXIT
    trap 'exit 1' INT TERM
    as_root sh -c "printf '#!/bin/sh\nexit 101\n' > $POLICY_RC && chmod 755 $POLICY_RC"
}

# choose "a|b,c": prints the packages of the first alternative that exists
choose()
{
    [ "$1" != - ] || return 0
    for alternative in $(echo "$1" | tr '|' ' '); do
        found=$(echo "$alternative" | tr ',' ' ')
        for package in $found; do
            exists "$package" || continue 2
        done
        echo "$found"
        return 0
    done
    return 1
}

# Lines of $lacking of one kind: packages_for prints what to install, unknown_for what no configured source has.
packages_for()
{
    echo "$lacking" | grep ":$1 " | cut -d' ' -f"$column" | while read -r names; do
        choose "$names"
    done | tr ' ' '\n' | sort -u | tr '\n' ' '
}

unknown_for()
{
    echo "$lacking" | grep ":$1 " | cut -d' ' -f"$column" | while read -r names; do
        choose "$names" >/dev/null || echo "$names"
    done | tr '\n' ' '
}

names_of()
{
    echo "$1" | cut -d' ' -f2 | sed 's/^[a-z]*://' | tr '\n' ' '
}

[ $# -gt 0 ] || die "usage: tests/deps.sh GROUP... (build, demo, test, lint)"
for group; do
    case $group in
    build | demo | test | lint) ;;
    *) die "there is no group \"$group\"; there are build, demo, test, lint" ;;
    esac
done

lacking=$(missing "$@")
if [ -z "$lacking" ]; then
    say "everything is there ($*)"
    exit 0
fi

if command -v apt-get >/dev/null; then
    manager=apt column=3
elif command -v dnf >/dev/null; then
    manager=dnf column=4
elif command -v apk >/dev/null; then
    manager=apk column=5
else
    die "no apt-get, dnf or apk here; install by hand what brings: $(names_of "$lacking")"
fi

[ "$(id -u)" = 0 ] || command -v sudo >/dev/null ||
    die "root is needed to install what brings: $(names_of "$lacking")"

# Lists that are empty, too old to know a package, or too old to fetch it, are read anew, once.
refreshed=no
if [ -n "$(unknown_for required)$(unknown_for optional)" ]; then
    refresh || say "the package lists could not be read; going on with those that are there"
    refreshed=yes
fi
unknown=$(unknown_for required)
[ -z "$unknown" ] || die "no configured package source has: $unknown"
required=$(packages_for required)
optional=$(packages_for optional)
if [ -n "$required$optional" ]; then
    say "installing $required$optional"
    forbid_services
    # shellcheck disable=SC2086 # lists of words
    install_packages $required $optional || {
        [ $refreshed = yes ] || refresh
        [ -z "$required" ] || install_packages $required || die "could not install $required"
        for package in $optional; do
            install_packages "$package" || say "could not install $package; going on without it"
        done
    }
fi

lacking=$(missing "$@")
fatal=$(echo "$lacking" | grep ':required ')
[ -z "$fatal" ] || die "still missing and needed: $(names_of "$fatal")"
[ -z "$lacking" ] || say "not available here, what needs it is skipped: $(names_of "$lacking")"
