#!/bin/sh
# Installs what the named groups need and the machine lacks: tests/deps.sh build demo test lint healthy
#
# What counts is whether the thing works (a compiler compiles, a library is found by it with the code that uses it), not
# which package brought it or where a file of that name lies; so a second run does nothing, on any distribution. Nothing
# that gets installed is started. CC, CPPFLAGS, CFLAGS and LDFLAGS are those of the build.
set -u
PATH=$PATH:/usr/local/sbin:/usr/sbin:/sbin
export PATH

# group:must  what to ask for  apt  dnf  apk      ("a|b": the first that exists; "a,b": both; "-": not packaged there)
needs()
{
    cat <<'TABLE'
build:required compiler:cc           gcc,libc6-dev         gcc,glibc-devel        gcc,musl-dev
build:required command:make          make                  make                   make
build:required command:pkg-config    pkg-config|pkgconf    pkgconf-pkg-config     pkgconf
build:required library:check         check                 check-devel            check-dev
build:required library:config        libconfig-dev         libconfig-devel        libconfig-dev
build:required library:dw            libdw-dev             elfutils-devel         elfutils-dev
build:required library:elf           libelf-dev            elfutils-libelf-devel  elfutils-dev
build:required library:jansson       libjansson-dev        jansson-devel          jansson-dev
build:required library:ncursesw      libncurses-dev        ncurses-devel          ncurses-dev
build:required library:z             zlib1g-dev            zlib-devel             zlib-dev
build:required loads:libunwind.so.8|libunwind.so.1 libunwind8 libunwind           libunwind
demo:required  library:curl          libcurl4-openssl-dev  libcurl-devel          curl-dev
demo:required  command:curl          curl                  curl                   curl
demo:required  python:ctypes,json,ssl python3              python3                python3
test:required  command:bash          bash                  bash                   bash
test:required  compiler:g++          g++                   gcc-c++                g++
test:required  command:ip            iproute2              iproute                iproute2
test:required  command:openssl       openssl               openssl                openssl
test:required  command:perl          perl                  perl-interpreter       perl
test:required  command:pgrep         procps                procps-ng              procps
test:required  command:unshare       util-linux            util-linux             util-linux
test:required  python:requests       python3-requests      python3-requests       py3-requests
test:optional  compiler:aarch64-linux-gnu-gcc gcc-aarch64-linux-gnu,libc6-dev-arm64-cross gcc-aarch64-linux-gnu -
test:optional  command:apache2|httpd apache2|apache2-bin   httpd                  apache2
test:optional  command:chromedriver  chromium-driver       chromedriver           chromium-chromedriver
test:optional  command:chromium|chromium-browser chromium  chromium               chromium
test:optional  compiler:clang        clang                 clang                  clang
test:optional  command:debootstrap   debootstrap           debootstrap            debootstrap
test:optional  command:dwz           dwz                   dwz                    dwz
test:optional  command:gdb           gdb                   gdb                    gdb
test:optional  command:groff         groff-base            groff-base             groff
test:optional  command:gunicorn      gunicorn              python3-gunicorn       py3-gunicorn
test:optional  command:haproxy       haproxy               haproxy                haproxy
test:optional  command:javac         openjdk-17-jdk-headless|default-jdk-headless java-17-openjdk-devel  openjdk17-jdk
test:optional  command:/lib/ld-linux.so.2 libc6-i386       glibc.i686             -
test:optional  command:faketime      faketime              libfaketime            libfaketime
test:optional  command:mariadbd      mariadb-server        mariadb-server         mariadb
test:optional  command:mosquitto     mosquitto             mosquitto              mosquitto
test:optional  command:musl-gcc      musl-tools            musl-gcc               musl-dev
test:optional  command:nft           nftables              nftables               nftables
test:optional  command:nginx         nginx-light|nginx     nginx-core             nginx
test:optional  command:node          nodejs                nodejs                 nodejs
test:optional  command:npm           npm                   nodejs-npm             npm
test:optional  command:php           php-cli               php-cli                php
test:optional  command:php-fpm8.2    php-fpm               -                      -
test:optional  command:qemu-aarch64-static qemu-user-static qemu-user-static      -
test:optional  command:redis-server  redis-server          redis|valkey-compat-redis redis
test:optional  command:socat         socat                 socat                  socat
test:optional  command:sshd          openssh-server        openssh-server         openssh-server
test:optional  command:strace        strace                strace                 strace
test:optional  command:tmux          tmux                  tmux                   tmux
test:optional  command:valgrind      valgrind              valgrind               valgrind
test:optional  command:xz            xz-utils              xz                     xz
test:optional  command:zsh           zsh                   zsh                    zsh
test:optional  file:/usr/share/java/HikariCP.jar libhikaricp-java -      -
test:optional  file:/usr/share/java/mariadb-java-client.jar libmariadb-java - -
test:optional  library:ssl           libssl-dev            openssl-devel          openssl-dev
test:optional  python:paho.mqtt.client python3-paho-mqtt   python3-paho-mqtt      py3-paho-mqtt
test:optional  php:curl              php-curl              php-common             php-curl
test:optional  sanitizer:address     -                     libasan                -
test:optional  loads:libdebuginfod.so.1 libdebuginfod1     elfutils-debuginfod-client -
test:optional  sanitizer:thread      -                     libtsan                -
test:optional  sanitizer:undefined   -                     libubsan               -
lint:required  compiler:clang        clang                 clang                  clang
lint:required  command:clang-tidy    clang-tidy            clang-tools-extra      clang-extra-tools
healthy:optional command:apache2|httpd apache2|apache2-bin httpd apache2
healthy:optional command:curl-config libcurl4-openssl-dev libcurl-devel curl-dev
healthy:optional command:/usr/bin/gunicorn gunicorn python3-gunicorn py3-gunicorn
healthy:optional command:haproxy haproxy haproxy haproxy
healthy:optional command:javac openjdk-17-jdk-headless|default-jdk-headless java-17-openjdk-devel openjdk17-jdk
healthy:optional command:lighttpd lighttpd lighttpd lighttpd
healthy:optional command:mariadbd mariadb-server mariadb-server mariadb
healthy:optional command:memcached memcached memcached memcached
healthy:optional command:mosquitto mosquitto mosquitto mosquitto
healthy:optional command:nginx nginx-light|nginx nginx-core nginx
healthy:optional command:node nodejs nodejs nodejs
healthy:optional command:perl perl perl-interpreter perl
healthy:optional command:pgbouncer pgbouncer pgbouncer pgbouncer
healthy:optional command:php php-cli php-cli php
healthy:optional command:php-fpm8.2 php-fpm - -
healthy:optional command:puma puma rubygem-puma -
healthy:optional command:redis-server redis-server redis|valkey-compat-redis redis
healthy:optional command:ruby ruby ruby ruby
healthy:optional command:slapd slapd openldap-servers openldap
healthy:optional command:socat socat socat socat
healthy:optional command:sshd openssh-server openssh-server openssh-server
healthy:optional command:squid squid squid squid
healthy:optional command:stunnel4 stunnel4 stunnel stunnel
healthy:optional command:tinyproxy tinyproxy tinyproxy tinyproxy
healthy:optional command:uwsgi uwsgi,uwsgi-plugin-python3 uwsgi-plugin-python3 uwsgi-python3
healthy:optional command:varnishd varnish varnish varnish
healthy:optional file:/usr/lib/postgresql postgresql postgresql-server postgresql
healthy:optional file:/usr/share/java/HikariCP.jar libhikaricp-java - -
healthy:optional file:/usr/share/java/commons-dbcp2.jar libcommons-dbcp2-java - -
healthy:optional file:/usr/share/java/httpclient.jar libhttpclient-java - -
healthy:optional file:/usr/share/java/mariadb-java-client.jar libmariadb-java - -
healthy:optional file:/usr/share/java/okhttp.jar libokhttp-java - -
healthy:optional file:/usr/share/java/postgresql.jar libpostgresql-jdbc-java - -
healthy:optional perl:Cache::Memcached libcache-memcached-perl perl-Cache-Memcached -
healthy:optional perl:DBD::MariaDB libdbd-mariadb-perl perl-DBD-MariaDB -
healthy:optional perl:DBD::Pg libdbd-pg-perl perl-DBD-Pg perl-dbd-pg
healthy:optional perl:Furl libfurl-perl - -
healthy:optional perl:LWP::UserAgent libwww-perl perl-libwww-perl perl-libwww
healthy:optional perl:Net::LDAP libnet-ldap-perl perl-LDAP perl-ldap
healthy:optional perl:Redis libredis-perl perl-Redis perl-redis
healthy:optional php:curl php-curl php-common php-curl
healthy:optional php:mysqli php-mysql php-mysqlnd php-mysqli
healthy:optional php:pgsql php-pgsql php-pgsql php-pgsql
healthy:optional php:redis php-redis php-pecl-redis php-pecl-redis
healthy:optional python:aiohttp python3-aiohttp python3-aiohttp py3-aiohttp
healthy:optional python:asyncpg python3-asyncpg python3-asyncpg py3-asyncpg
healthy:optional python:httplib2 python3-httplib2 python3-httplib2 py3-httplib2
healthy:optional python:httpx python3-httpx python3-httpx py3-httpx
healthy:optional python:ldap python3-ldap python3-ldap py3-ldap
healthy:optional python:paho.mqtt.client python3-paho-mqtt python3-paho-mqtt py3-paho-mqtt
healthy:optional python:psycopg2 python3-psycopg2 python3-psycopg2 py3-psycopg2
healthy:optional python:psycopg_pool python3-psycopg,python3-psycopg-pool python3-psycopg3_pool -
healthy:optional python:pycurl python3-pycurl python3-pycurl py3-curl
healthy:optional python:pylibmc python3-pylibmc python3-pylibmc -
healthy:optional python:pymemcache python3-pymemcache - -
healthy:optional python:pymysql python3-pymysql python3-PyMySQL py3-pymysql
healthy:optional python:redis python3-redis python3-redis py3-redis
healthy:optional python:requests python3-requests python3-requests py3-requests
healthy:optional python:sqlalchemy python3-sqlalchemy python3-sqlalchemy py3-sqlalchemy
healthy:optional python:uvicorn uvicorn python3-uvicorn uvicorn
healthy:optional ruby:dalli ruby-dalli - -
healthy:optional ruby:mysql2 ruby-mysql2 rubygem-mysql2 ruby-mysql2
healthy:optional ruby:net/http/persistent ruby-net-http-persistent rubygem-net-http-persistent ruby-net-http-persistent
healthy:optional ruby:pg ruby-pg rubygem-pg ruby-pg
healthy:optional ruby:redis ruby-redis - -
healthy:optional ruby:sequel ruby-sequel rubygem-sequel -
healthy:optional command:nutcracker nutcracker nutcracker -
healthy:optional command:pgpool pgpool2 pgpool-II -
healthy:optional library:hiredis libhiredis-dev hiredis-devel hiredis-dev
healthy:optional perl:Mojo::UserAgent libmojolicious-perl perl-Mojolicious perl-mojolicious
healthy:optional php:memcached php-memcached php-pecl-memcached php-pecl-memcached
healthy:optional python:eventlet python3-eventlet python3-eventlet py3-eventlet
healthy:optional python:gevent python3-gevent python3-gevent py3-gevent
healthy:optional ruby:excon ruby-excon rubygem-excon -
healthy:optional ruby:httpclient ruby-httpclient rubygem-httpclient -
healthy:optional ruby:typhoeus ruby-typhoeus - -
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

# code_of LIBRARY: a program that includes it as the sources do, and calls it.
code_of()
{
    case $1 in
    check) echo '#include <check.h>
        int main(void) { return srunner_ntests_failed(srunner_create(suite_create("a"))); }' ;;
    config) echo '#include <libconfig.h>
        int main(void) { config_t c; config_init(&c); return config_lookup(&c, "a") != 0; }' ;;
    curl) echo '#include <curl/curl.h>
        int main(void) { return curl_easy_init() == 0; }' ;;
    dw) echo '#include <dwarf.h>
        #include <elfutils/libdw.h>
        int main(void) { return dwarf_begin(0, DWARF_C_READ) != 0 && DW_TAG_subprogram; }' ;;
    elf) echo '#include <gelf.h>
        int main(void) { return elf_version(EV_CURRENT) == EV_NONE; }' ;;
    jansson) echo '#include <jansson.h>
        int main(void) { return json_object() == 0; }' ;;
    ncursesw) echo '#include <ncurses.h>
        #include <term.h>
        int main(void) { int e; return setupterm("a", 1, &e) == OK && add_wch(0) == OK; }' ;;
    hiredis) echo '#include <hiredis/hiredis.h>
        int main(void) { return redisConnect("", 0) == 0; }' ;;
    ssl) echo '#include <openssl/ssl.h>
        int main(void) { return SSL_CTX_new(TLS_method()) == 0; }' ;;
    z) echo '#include <zlib.h>
        int main(void) { return zlibVersion() == 0; }' ;;
    esac
}

# compiles COMPILER [ARG...]: does the program on stdin become an executable, with the build's own flags?
compiles()
{
    compiler=$1
    shift
    # shellcheck disable=SC2086 # flags are lists of words
    $compiler -D_GNU_SOURCE= ${CPPFLAGS:-} ${CFLAGS:-} -o "$scratch/out" - ${LDFLAGS:-} "$@" >/dev/null 2>&1
}

# Check is several libraries, and pkg-config has to say which, as in the build.
links_of()
{
    case $1 in
    check) pkg-config --libs check 2>/dev/null || echo -lcheck ;;
    *) echo "-l$1" ;;
    esac
}

# links LIBRARY: with its header and by the linker.
links()
{
    # shellcheck disable=SC2046 # a list of words
    code_of "$1" | compiles "$cc -x c" $(links_of "$1")
}

# works COMPILER: makes an executable of what the sources are made of.
works()
{
    case $1 in
    *++) echo '#include <stdexcept>
        int main() { try { throw std::runtime_error("a"); } catch (const std::exception &e) { return 0; } }' |
            compiles "$1 -x c++" ;;
    *) echo '#include <pthread.h>
        #include <sys/socket.h>
        int main(void) { return pthread_self() == 0 && socket(AF_INET, SOCK_STREAM, 0); }' |
            compiles "$1 -x c" -pthread ;;
    esac
}

# loads LIBRARY: by the name by which it is opened at run time.
loads()
{
    echo '#include <dlfcn.h>
        int main(int n, char **names) { return n < 2 || !dlopen(names[1], RTLD_NOW); }' |
        compiles "$cc -x c" -ldl && "$scratch/out" "$1"
}

# there KIND:NAME: does it work on this machine? Programs under test are run by the distribution's own Python.
there()
{
    name=${1#*:}
    case $1 in
    *:*\|*) there "${1%%|*}" || there "${1%%:*}:${1#*|}" ;;
    command:*) command -v "$name" >/dev/null ;;
    compiler:cc) works "$cc" ;;
    compiler:*) works "$name" ;;
    library:*) links "$name" ;;
    loads:*) loads "$name" ;;
    sanitizer:*) echo 'int main(void) { return 0; }' | compiles "$cc -x c" -fsanitize="$name" ;;
    python:*) /usr/bin/python3 -c "import $name" 2>/dev/null ;;
    file:*) [ -e "$name" ] ;;
    perl:*) perl "-M$name" -e 1 2>/dev/null ;;
    ruby:*) ruby -e "require '$name'" 2>/dev/null ;;
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
    trap 'as_root rm -f $POLICY_RC; rm -rf "$scratch"' EXIT
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

[ $# -gt 0 ] || die "usage: tests/deps.sh GROUP... (build, demo, test, lint, healthy)"
for group; do
    case $group in
    build | demo | test | lint | healthy) ;;
    *) die "there is no group \"$group\"; there are build, demo, test, lint, healthy" ;;
    esac
done

cc=${CC:-cc}
scratch=$(mktemp -d) || exit 1
trap 'rm -rf "$scratch"' EXIT
trap 'exit 1' INT TERM

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
