"""How the daemons under test are started: for each a function of a Place that returns the words of its command.

All of them close connections that are idle for IDLE_S seconds, so that what their clients pool is closed by the other
side during every gap. Where their defaults allow it they run as they are packaged; only ports, directories and these
times differ.
"""

import os
import shutil
import subprocess

IDLE_S = 5
ROOT = os.geteuid() == 0


def write(place, name, text):
    path = os.path.join(place.dir, name)
    with open(path, "w", encoding="utf-8") as file:
        file.write(text)
    os.chmod(path, 0o644)
    return path


def quietly(*words, **options):
    subprocess.run(words, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, **options)


def as_user(name):
    """Words before a command of a daemon that refuses to be root."""
    return ["setpriv", f"--reuid={name}", f"--regid={name}", "--clear-groups"] if ROOT else []


def owned(place, name, user):
    path = os.path.join(place.dir, name)
    os.mkdir(path, 0o700)
    if ROOT:
        shutil.chown(path, user, user)
    return path


def redis(place):
    return ["redis-server", "--port", place.port, "--bind", "127.0.0.1", "--timeout", IDLE_S, "--save", "",
            "--dir", place.dir]


def memcached(place):
    return ["memcached", "-l", "127.0.0.1", "-p", place.port, "-o", f"idle_timeout={IDLE_S}", "-t", 2,
            *(["-u", "nobody"] if ROOT else [])]


def mariadb(place):
    data = owned(place, "data", "mysql")
    user = ["--user=mysql"] if ROOT else []
    quietly("mariadb-install-db", "--no-defaults", *user, f"--datadir={data}", "--skip-test-db",
            "--auth-root-authentication-method=normal")
    first = write(place, "first.sql", "create user if not exists root@'127.0.0.1';\n"
                  "grant all on *.* to root@'127.0.0.1';\n")
    return ["mariadbd", "--no-defaults", *user, f"--datadir={data}", f"--port={place.port}", "--bind-address=127.0.0.1",
            f"--socket={data}/socket", f"--wait-timeout={IDLE_S}", "--innodb-buffer-pool-size=8M",
            f"--init-file={first}", f"--log-error={data}/log"]


def postgres(place):
    data = owned(place, "data", "postgres")
    folder = sorted(path for path in os.listdir("/usr/lib/postgresql"))[-1]
    program = f"/usr/lib/postgresql/{folder}/bin"
    quietly(*as_user("postgres"), f"{program}/initdb", "-D", data, "-U", "postgres", "-A", "trust", "--no-sync")
    settings = ["listen_addresses=127.0.0.1", f"unix_socket_directories={data}", f"idle_session_timeout={IDLE_S}s",
                "max_connections=200", "fsync=off"]
    words = [*as_user("postgres"), f"{program}/postgres", "-D", data, "-p", place.port]
    return words + [word for setting in settings for word in ("-c", setting)]


def slapd(place):
    data = os.path.join(place.dir, "data")
    os.mkdir(data)
    config = write(place, "slapd.conf", f"""include /etc/ldap/schema/core.schema
modulepath /usr/lib/ldap
moduleload back_mdb
pidfile {place.dir}/pid
idletimeout {IDLE_S}
database mdb
suffix "dc=test"
directory {data}
""")
    return ["slapd", "-d", "0", "-f", config, "-h", f"ldap://127.0.0.1:{place.port}"]


def mosquitto(place):
    config = write(place, "mosquitto.conf", f"listener {place.port} 127.0.0.1\nallow_anonymous true\n")
    return ["mosquitto", "-c", config]


def nginx(place):
    config = write(place, "nginx.conf", f"""daemon off;
worker_processes 2;
pid {place.dir}/pid;
error_log stderr;
events {{}}
http {{
  access_log off;
  keepalive_timeout {IDLE_S}s;
  client_body_temp_path {place.dir}/body;
  proxy_temp_path {place.dir}/proxy;
  fastcgi_temp_path {place.dir}/fastcgi;
  uwsgi_temp_path {place.dir}/uwsgi;
  scgi_temp_path {place.dir}/scgi;
  upstream peer {{ server 127.0.0.1:{place.ports["http"]}; keepalive 16; }}
  server {{
    listen 127.0.0.1:{place.port};
    location / {{ proxy_pass http://peer; proxy_http_version 1.1; proxy_set_header Connection ""; }}
  }}
}}
""")
    return ["nginx", "-c", config]


def apache(place):
    modules = "".join(f"LoadModule {name}_module /usr/lib/apache2/modules/mod_{name}.so\n"
                      for name in ("mpm_event", "authz_core", "proxy", "proxy_http"))
    config = write(place, "apache.conf", f"""ServerName localhost
ServerRoot {place.dir}
PidFile {place.dir}/pid
ErrorLog {place.dir}/errors
Listen 127.0.0.1:{place.port}
{modules}{"User www-data" if ROOT else ""}
{"Group www-data" if ROOT else ""}
KeepAliveTimeout {IDLE_S}
ProxyPass / http://127.0.0.1:{place.ports["http"]}/
""")
    return ["apache2", "-DFOREGROUND", "-f", config]


def haproxy(place, mode):
    config = write(place, "haproxy.cfg", f"""global
  maxconn 500
defaults
  mode {mode}
  timeout connect 5s
  timeout client {20 * IDLE_S}s
  timeout server {20 * IDLE_S}s
  timeout http-keep-alive {IDLE_S}s
listen a
  bind 127.0.0.1:{place.port}
  server peer 127.0.0.1:{place.ports["http"]}
""")
    return ["haproxy", "-db", "-f", config]


def haproxy_tcp(place):
    return haproxy(place, "tcp")


def haproxy_http(place):
    return haproxy(place, "http")


def stunnel(place):
    config = write(place, "stunnel.conf", f"""foreground = yes
pid =
syslog = no
debug = err
client = yes
[a]
accept = 127.0.0.1:{place.port}
connect = 127.0.0.1:{place.ports["https"]}
""")
    return ["stunnel4", config]


def lighttpd(place):
    config = write(place, "lighttpd.conf", f"""server.document-root = "{place.dir}"
server.port = {place.port}
server.bind = "127.0.0.1"
server.modules = ("mod_proxy")
server.max-keep-alive-idle = {IDLE_S}
proxy.server = ("" => (("host" => "127.0.0.1", "port" => {place.ports["http"]})))
""")
    return ["lighttpd", "-D", "-f", config]


def varnish(place):
    config = write(place, "varnish.vcl", f"""vcl 4.1;
backend default {{ .host = "127.0.0.1"; .port = "{place.ports["http"]}"; }}
sub vcl_recv {{ return (pass); }}
""")
    work = os.path.join(place.dir, "work")
    os.mkdir(work, 0o755)
    return ["varnishd", "-F", "-a", f"127.0.0.1:{place.port}", "-f", config, "-n", work, "-s", "malloc,16m", "-p",
            f"timeout_idle={IDLE_S}"]


def squid(place):
    config = write(place, "squid.conf", f"""http_port 127.0.0.1:{place.port} accel defaultsite=localhost no-vhost
cache_peer 127.0.0.1 parent {place.ports["http"]} 0 no-query originserver
http_access allow all
cache deny all
access_log none
cache_log {place.dir}/log
pid_filename none
coredump_dir {place.dir}
client_idle_pconn_timeout {IDLE_S} seconds
shutdown_lifetime 1 seconds
pinger_enable off
""")
    if ROOT:
        shutil.chown(place.dir, "proxy", "proxy")
    return ["squid", "-N", "-f", config]


def tinyproxy(place):
    config = write(place, "tinyproxy.conf", f"""Port {place.port}
Listen 127.0.0.1
Timeout {20 * IDLE_S}
MaxClients 60
ReverseOnly Yes
ReversePath "/" "http://127.0.0.1:{place.ports["http"]}/"
""")
    return ["tinyproxy", "-d", "-c", config]


def pgbouncer(place):
    users = write(place, "users", '"postgres" ""\n')
    config = write(place, "pgbouncer.ini", f"""[databases]
postgres = host=127.0.0.1 port={place.ports["postgres"]}
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = {place.port}
unix_socket_dir =
auth_type = trust
auth_file = {users}
client_idle_timeout = {2 * IDLE_S}
""")
    return [*as_user("postgres"), "pgbouncer", "-q", config]


def nutcracker(place):
    config = write(place, "nutcracker.yml", f"""a:
  listen: 127.0.0.1:{place.port}
  redis: true
  hash: fnv1a_64
  distribution: ketama
  server_connections: 4
  servers:
   - 127.0.0.1:{place.ports["redis"]}:1
""")
    return ["nutcracker", "-c", config, "-s", place.port + 1, "-a", "127.0.0.1"]


def pgpool(place):
    work = owned(place, "work", "postgres")
    config = write(place, "pgpool.conf", f"""listen_addresses = '127.0.0.1'
port = {place.port}
pcp_port = {place.port + 1}
socket_dir = '{work}'
unix_socket_directories = '{work}'
pcp_socket_dir = '{work}'
pid_file_name = '{work}/pid'
logdir = '{work}'
backend_clustering_mode = 'raw'
backend_hostname0 = '127.0.0.1'
backend_port0 = {place.ports["postgres"]}
backend_weight0 = 1
num_init_children = 10
max_pool = 2
pool_passwd = ''
client_idle_limit = {2 * IDLE_S}
""")
    nothing = write(place, "nothing.conf", "")
    return [*as_user("postgres"), "pgpool", "-n", "-f", config, "-a", nothing, "-F", nothing]


def gunicorn(place, *more):
    write(place, "app_sync.py", "def app(env, start):\n    start('200 OK', [('Content-Length', '2')])\n"
          "    return [b'ok']\n")
    return ["/usr/bin/gunicorn", "--chdir", place.dir, "-b", f"127.0.0.1:{place.port}", "--log-level", "error",
            "--keep-alive", IDLE_S, *more, "app_sync:app"]


def gunicorn_sync(place):
    return [*gunicorn(place, "-w", 2)]


def gunicorn_threads(place):
    return [*gunicorn(place, "-k", "gthread", "-w", 2, "--threads", 8)]


def uvicorn(place):
    write(place, "app_async.py", """async def app(scope, receive, send):
    if scope["type"] == "http":
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"2")]})
        await send({"type": "http.response.body", "body": b"ok"})
""")
    return ["/usr/bin/python3", "-m", "uvicorn", "--app-dir", place.dir, "--port", place.port, "--log-level", "error",
            "--timeout-keep-alive", IDLE_S, "--lifespan", "off", "app_async:app"]


def uwsgi(place):
    path = write(place, "app_sync.py", "def application(env, start):\n    start('200 OK', [('Content-Length', '2')])\n"
                 "    return [b'ok']\n")
    return ["uwsgi", "--plugin", "python3", "--http-socket", f"127.0.0.1:{place.port}", "--wsgi-file", path,
            "--processes", 2, "--threads", 4, "--enable-threads", "--disable-logging", "--die-on-term"]


def puma(place):
    path = write(place, "site.ru", "run ->(env) { [200, { 'content-length' => '2' }, ['ok']] }\n")
    return ["puma", "-q", "-t", "8:8", "-e", "production", "-b", f"tcp://127.0.0.1:{place.port}", path]


def php_fpm(place):
    write(place, "page.php", "<?php echo 'ok';\n")
    config = write(place, "fpm.conf", f"""[global]
daemonize = no
error_log = {place.dir}/errors
[www]
{"user = www-data" if ROOT else ""}
{"group = www-data" if ROOT else ""}
listen = 127.0.0.1:{place.port}
pm = static
pm.max_children = 3
""")
    return ["php-fpm8.2", "-n", "-F", "-y", config]


def socat(place):
    return ["socat", f"TCP-LISTEN:{place.port},bind=127.0.0.1,fork,reuseaddr", f"TCP:127.0.0.1:{place.ports['http']}"]


def sshd(place):
    key = os.path.join(place.dir, "key")
    quietly("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", key)
    config = write(place, "sshd_config", f"Port {place.port}\nListenAddress 127.0.0.1\nHostKey {key}\nPidFile none\n")
    return ["/usr/sbin/sshd", "-D", "-f", config]


def python_http(place):
    write(place, "index.html", "ok\n")
    return ["/usr/bin/python3", "-m", "http.server", place.port, "--bind", "127.0.0.1", "--directory", place.dir,
            "--protocol", "HTTP/1.1"]


def node_http(place):
    path = write(place, "server.js", "require('http').createServer((question, answer) => answer.end('ok'))"
                 f".listen({place.port}, '127.0.0.1');\n")
    return ["node", path]
