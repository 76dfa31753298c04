"""The set-ups: daemons and pooled clients as Debian ships them, each a line.

`needs` are programs, or files and Python modules ("python:requests", "perl:DBI", "ruby:pg", "php:curl",
"jar:okhttp") without which the set-up is skipped.
A client's words may name ports: {http} {https} {mail} {redis} …; `loads` is what drives a daemon. `pools` says that
the set-up keeps connections that the other side has closed: if it does not, it shows nothing.
"""

from collections import namedtuple

import daemons

Daemon = namedtuple("Daemon", "name needs start loads user", defaults=(None, None))
Client = namedtuple("Client", "name needs words server pools", defaults=(False,))

HTTP, HTTPS = "http://127.0.0.1:{http}/", "https://localhost:{https}/"
JAVA = ("java", "javac")
PYTHON, PERL, PHP = "/usr/bin/python3", "perl", "php"


def python(name, module, *words, server="http", pools=True, script=None):
    script = script or f"py_{name.replace('-', '_')}.py"
    return Client(f"python-{name}", [PYTHON, f"python:{module}"], [PYTHON, script, *words], server, pools)


def perl(name, module, *words, server="http", pools=True, script=None):
    return Client(f"perl-{name}", [PERL, f"perl:{module}"], [PERL, script or f"perl_{name}.pl", *words], server, pools)


def ruby(name, library, *words, server="http", pools=True):
    return Client(f"ruby-{name}", ["ruby", f"ruby:{library}"], ["ruby", f"rb_{name}.rb", *words], server, pools)


def php(name, extension, *words, server="http", pools=True):
    return Client(f"php-{name}", [PHP, f"php:{extension}"], [PHP, f"php_{name}.php", *words], server, pools)


def java(name, main, jars, *words, server="http", pools=True):
    return Client(f"java-{name}", [*JAVA, *(f"jar:{jar}" for jar in jars)], ["java", main, *words], server, pools)


def compiled(name, header, library, *words, server="http", pools=True):
    return Client(f"c-{name}", ["gcc", f"/usr/include/{header}|/usr/include/x86_64-linux-gnu/{header}"],
                  ["cc", f"c_{name}.c", *words, library], server, pools)


HTTP_LOAD = ("load.py", "{port}")

DAEMONS = [
    Daemon("redis", ["redis-server"], daemons.redis),
    Daemon("memcached", ["memcached"], daemons.memcached, user="nobody"),
    Daemon("mariadb", ["mariadbd", "mariadb-install-db"], daemons.mariadb, user="mysql"),
    Daemon("postgres", ["/usr/lib/postgresql"], daemons.postgres, user="postgres"),
    Daemon("slapd", ["slapd", "/etc/ldap/schema/core.schema"], daemons.slapd),
    Daemon("mosquitto", ["mosquitto"], daemons.mosquitto),
    Daemon("pgbouncer", ["pgbouncer", "/usr/lib/postgresql"], daemons.pgbouncer, user="postgres"),
    Daemon("pgpool", ["pgpool", "/usr/lib/postgresql"], daemons.pgpool, user="postgres"),
    Daemon("nutcracker", ["nutcracker", "redis-server"], daemons.nutcracker,
           ("lines.py", "{port}", "*2\r\n$3\r\nGET\r\n$1\r\na\r\n")),
    Daemon("nginx", ["nginx"], daemons.nginx, HTTP_LOAD),
    Daemon("apache", ["apache2"], daemons.apache, HTTP_LOAD),
    Daemon("haproxy-tcp", ["haproxy"], daemons.haproxy_tcp, HTTP_LOAD),
    Daemon("haproxy-http", ["haproxy"], daemons.haproxy_http, HTTP_LOAD),
    Daemon("stunnel", ["stunnel4"], daemons.stunnel, HTTP_LOAD),
    Daemon("lighttpd", ["lighttpd"], daemons.lighttpd, HTTP_LOAD),
    Daemon("varnish", ["varnishd"], daemons.varnish, HTTP_LOAD),
    Daemon("squid", ["squid"], daemons.squid, HTTP_LOAD),
    Daemon("tinyproxy", ["tinyproxy"], daemons.tinyproxy, HTTP_LOAD),
    Daemon("gunicorn-sync", ["/usr/bin/gunicorn"], daemons.gunicorn_sync, HTTP_LOAD),
    Daemon("gunicorn-threads", ["/usr/bin/gunicorn"], daemons.gunicorn_threads, HTTP_LOAD),
    Daemon("uvicorn", [PYTHON, "python:uvicorn"], daemons.uvicorn, HTTP_LOAD),
    Daemon("uwsgi", ["uwsgi", "/usr/lib/uwsgi/plugins/python3_plugin.so"], daemons.uwsgi, HTTP_LOAD),
    Daemon("puma", ["puma"], daemons.puma, HTTP_LOAD),
    Daemon("php-fpm", ["php-fpm8.2"], daemons.php_fpm, ("lines.py", "{port}", "fastcgi:{dir}/page.php")),
    Daemon("socat", ["socat"], daemons.socat, HTTP_LOAD),
    Daemon("sshd", ["/usr/sbin/sshd", "ssh-keygen"], daemons.sshd, ("lines.py", "{port}", "SSH-2.0-a\r\n")),
    Daemon("python-http", [PYTHON], daemons.python_http, HTTP_LOAD),
    Daemon("node-http", ["node"], daemons.node_http, HTTP_LOAD),
]

MARIADB = "jdbc:mariadb://127.0.0.1:{mariadb}/?useSsl=false"
POSTGRES = "jdbc:postgresql://127.0.0.1:{postgres}/postgres"
CLIENTS = [
    python("requests", "requests", HTTP),
    python("requests-tls", "requests", HTTPS, "{ca}", server="https", script="py_requests.py"),
    python("urllib3", "urllib3", HTTP),
    python("httpx", "httpx", HTTP),
    python("httpx-tls", "httpx", HTTPS, "{ca}", server="https", script="py_httpx.py"),
    python("httpx-async", "httpx", HTTP, pools=False),
    python("aiohttp", "aiohttp", HTTP, pools=False),
    python("pycurl", "pycurl", HTTP),
    python("pycurl-tls", "pycurl", HTTPS, "{ca}", server="https", script="py_pycurl.py"),
    python("httplib2", "httplib2", HTTP),
    python("gevent", "gevent,requests", HTTP, pools=False),
    python("eventlet", "eventlet,requests", HTTP, pools=False),
    python("redis", "redis", "{redis}", server="redis"),
    python("psycopg2-pool", "psycopg2", "{postgres}", server="postgres"),
    python("psycopg2-pgbouncer", "psycopg2", "{pgbouncer}", server="pgbouncer", script="py_psycopg2_pool.py"),
    python("psycopg2-pgpool", "psycopg2", "{pgpool}", server="pgpool", script="py_psycopg2_pool.py", pools=False),
    python("psycopg-pool", "psycopg_pool", "{postgres}", server="postgres"),
    python("asyncpg", "asyncpg", "{postgres}", server="postgres", pools=False),
    python("sqlalchemy-mysql", "sqlalchemy,pymysql", "mysql+pymysql://root@127.0.0.1:{mariadb}/", server="mariadb",
           script="py_sqlalchemy.py", pools=False),
    python("sqlalchemy-postgres", "sqlalchemy,psycopg2", "postgresql://postgres@127.0.0.1:{postgres}/postgres",
           server="postgres", script="py_sqlalchemy.py"),
    python("pymemcache", "pymemcache", "{memcached}", server="memcached"),
    python("pylibmc", "pylibmc", "{memcached}", server="memcached"),
    python("ldap", "ldap", "{slapd}", server="slapd"),
    python("smtp", "smtplib", "{mail}", server="mail"),
    python("mqtt", "paho.mqtt.client", "{mosquitto}", server="mosquitto", pools=False),
    php("curl", "curl", HTTP),
    php("mysqli", "mysqli", "{mariadb}", server="mariadb", pools=False),
    php("redis", "redis", "{redis}", server="redis"),
    php("memcached", "memcached", "{memcached}", server="memcached", pools=False),
    php("pgsql", "pgsql", "{postgres}", server="postgres"),
    perl("lwp", "LWP::UserAgent", HTTP),
    perl("http_tiny", "HTTP::Tiny", HTTP),
    perl("furl", "Furl", HTTP),
    perl("dbi-postgres", "DBD::Pg", "dbi:Pg:host=127.0.0.1;port={postgres};dbname=postgres", "postgres",
         server="postgres", script="perl_dbi.pl"),
    perl("dbi-mariadb", "DBD::MariaDB", "dbi:MariaDB:host=127.0.0.1;port={mariadb}", "root", server="mariadb",
         script="perl_dbi.pl", pools=False),
    perl("mojo", "Mojo::UserAgent", HTTP, pools=False),
    perl("redis", "Redis", "{redis}", server="redis"),
    perl("memcached", "Cache::Memcached", "{memcached}", server="memcached"),
    perl("ldap", "Net::LDAP", "{slapd}", server="slapd"),
    ruby("net_http_persistent", "net/http/persistent", HTTP),
    ruby("excon", "excon", HTTP),
    ruby("httpclient", "httpclient", HTTP),
    ruby("typhoeus", "typhoeus", HTTP),
    ruby("pg", "pg", "{postgres}", server="postgres"),
    ruby("mysql2", "mysql2", "{mariadb}", server="mariadb", pools=False),
    ruby("sequel", "sequel", "{postgres}", server="postgres"),
    ruby("redis", "redis", "{redis}", server="redis"),
    ruby("dalli", "dalli", "{memcached}", server="memcached"),
    java("urlconnection", "JdkUrl", [], HTTP, pools=False),
    java("httpclient", "JdkClient", [], HTTP, pools=False),
    java("hikari-mariadb", "Hikari", ["HikariCP", "mariadb-java-client", "slf4j-api"], MARIADB, "root",
         server="mariadb", pools=False),
    java("hikari-postgres", "Hikari", ["HikariCP", "postgresql", "slf4j-api"], POSTGRES, "postgres", server="postgres"),
    java("dbcp-postgres", "Dbcp", ["commons-dbcp2", "commons-pool2", "commons-logging", "postgresql"], POSTGRES,
         "postgres", server="postgres"),
    java("okhttp", "OkHttp", ["okhttp", "okio"], HTTP),
    java("apache-httpclient", "ApacheClient", ["httpclient", "httpcore", "commons-logging"], HTTP),
    Client("node-agent", ["node"], ["node", "node_agent.js", HTTP], "http"),
    Client("node-fetch", ["node"], ["node", "node_fetch.js", HTTP], "http"),
    compiled("libcurl", "curl/curl.h", "-lcurl", HTTP),
    compiled("multi", "curl/curl.h", "-lcurl", HTTP),
    compiled("hiredis", "hiredis/hiredis.h", "-lhiredis", "{redis}", server="redis"),
]
LEAK = Client("leak-control", [PYTHON], [PYTHON, "leak_control.py", HTTP], "http", True)
