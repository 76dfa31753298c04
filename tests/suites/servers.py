"""Servers under load. Each suite takes a Side and returns what has to be the same without the library."""

import os
import pwd
import re
import signal
import subprocess

from common import PATIENCE, Skip, free_port, need


def requests_with(side, port, count=4000, path="/"):
    """Requests by ab, which says how many failed: (complete, failed, answers other than 2xx)."""
    out = side.run(need("ab"), "-q", "-n", count, "-c", 16, f"http://127.0.0.1:{port}{path}", watched=False)
    def number(name):
        found = re.search(name + r":\s+(\d+)", out)
        return int(found.group(1)) if found else 0
    return number("Complete requests"), number("Failed requests"), number("Non-2xx responses")


def nginx_config(side, port, more="", location="return 200 ok;"):
    side.write("empty.conf", "")
    return side.write("nginx.conf", f"""
        daemon off; worker_processes 2; pid {side.path('nginx.pid')}; error_log {side.path('nginx.log')};
        events {{ worker_connections 256; }}
        http {{ access_log off; {more}
            server {{ listen 127.0.0.1:{port}; location / {{ {location} }} }} }}""")


def nginx(side):
    """nginx: 4,000 requests at a time, and two reloads between them."""
    port = free_port()
    command = [need("nginx"), "-c", nginx_config(side, port)]
    server = side.start(*command, port=port)
    results = [requests_with(side, port)]
    for _ in range(2):
        server.send_signal(signal.SIGHUP)
        results.append(requests_with(side, port))
    return results, side.stop(server, signal.SIGQUIT)


def nginx_wrk(side):
    """nginx under wrk: kept connections, for three seconds."""
    port = free_port()
    server = side.start(need("nginx"), "-c", nginx_config(side, port), port=port)
    out = side.run(need("wrk"), "-t", 1, "-c", 32, "-d", "3s", f"http://127.0.0.1:{port}/", watched=False)
    return "Socket errors" in out, "Non-2xx" in out, side.stop(server, signal.SIGQUIT)


def redis(side):
    """redis under its own benchmark."""
    port = free_port()
    server = side.start(need("redis-server"), "--port", port, "--save", "", "--dir", side.dir, port=port)
    out = side.run(need("redis-benchmark"), "-p", port, "-n", 20000, "-c", 50, "-q", "-t", "set,get,incr,lpush,mset")
    return len(re.findall(r"requests per second", out)), "rror" in out, side.stop(server)


def haproxy(side):
    """haproxy before a server, with ten reloads under load: not one request fails."""
    front, back = free_port(), free_port()
    server = side.start(need("nginx"), "-c", nginx_config(side, back), port=back)
    config = side.write("haproxy.cfg", f"""
        global
            maxconn 500
            stats socket {side.path('sock')} mode 600 expose-fd listeners
        defaults
            mode http
            timeout connect 10s
            timeout client 30s
            timeout server 30s
        listen all
            bind 127.0.0.1:{front}
            server one 127.0.0.1:{back}
    """)
    command = [need("haproxy"), "-db", "-f", config]
    proxy, results = side.start(*command, port=front), []
    for _ in range(10):
        successor = side.start(*command, "-x", side.path("sock"), "-sf", proxy.pid)
        results.append(requests_with(side, front, 400)[1:])
        proxy.wait(PATIENCE)
        proxy = successor
    side.stop(proxy)
    return sorted(set(results)), side.stop(server, signal.SIGQUIT)


def postgresql(side):
    """PostgreSQL under pgbench, as a user of its own: a process for each connection."""
    initdb, pgbench, postgres = need("initdb"), need("pgbench"), need("postgres")
    options = {}
    if os.geteuid() == 0:
        try:
            user = pwd.getpwnam("postgres")
        except KeyError:
            raise Skip("there is no user postgres, and the server does not run as root") from None
        os.chown(side.dir, user.pw_uid, user.pw_gid)
        options = {"user": user.pw_uid, "group": user.pw_gid}
    data, port = side.path("data"), free_port()
    side.run(initdb, "-D", data, "-A", "trust", "-U", "test", "--no-sync", **options)
    server = side.start(postgres, "-D", data, "-p", port, "-k", side.dir, "-h", "127.0.0.1", port=port, **options)
    at = ["-h", "127.0.0.1", "-p", port, "-U", "test", "postgres"]
    side.run(pgbench, "-i", "-q", "-s", 1, *at, **options)
    out = side.run(pgbench, "-n", "-C", "-c", 4, "-t", 50, *at, **options)
    done = re.search(r"actually processed: (\S+)", out)
    return done and done.group(1), side.stop(server, signal.SIGINT)


def sshd(side):
    """sshd, twenty sessions: a sandbox before each login."""
    daemon, client, keygen = need("sshd"), need("ssh"), need("ssh-keygen")
    if os.geteuid() != 0:
        raise Skip("a login by sshd needs root")
    for name in ("host", "user"):
        side.run(keygen, "-q", "-t", "ed25519", "-N", "", "-f", side.path(name), watched=False)
    side.run("cp", side.path("user.pub"), side.path("authorized"), watched=False)
    port = free_port()
    config = side.write("sshd_config", f"""
        Port {port}
        ListenAddress 127.0.0.1
        HostKey {side.path('host')}
        AuthorizedKeysFile {side.path('authorized')}
        StrictModes no
        PidFile none
        PermitRootLogin yes
        UsePAM no
    """)
    os.makedirs("/run/sshd", exist_ok=True)
    server = side.start(daemon, "-D", "-e", "-f", config, port=port)
    answers = []
    for i in range(20):
        answers.append(side.run(client, "-F", "none", "-p", port, "-i", side.path("user"), "-o",
                                "StrictHostKeyChecking=no", "-o", "UserKnownHostsFile=/dev/null", "-o",
                                "LogLevel=ERROR", "127.0.0.1", f"echo {i}").strip())
    return answers, side.stop(server)


def php_fpm(side):
    """PHP-FPM behind nginx, with one reload."""
    fpm = need("php-fpm", "php-fpm8.2", "php-fpm8.4", "php-fpm7.4")
    port, back = free_port(), free_port()
    script = side.write("index.php", "<?php echo array_sum(range(1, 100));")
    user = "user = www-data\ngroup = www-data" if os.geteuid() == 0 else ""
    config = side.write("fpm.conf", f"[global]\nerror_log = {side.path('fpm.log')}\ndaemonize = no\n[www]\n{user}\n"
                                    f"listen = 127.0.0.1:{back}\npm = static\npm.max_children = 3\n"
                                    "pm.max_requests = 300\n")
    workers = side.start(fpm, "-y", config, "-F", "-n", port=back)
    fastcgi = (f"fastcgi_pass 127.0.0.1:{back}; fastcgi_param SCRIPT_FILENAME {script}; "
               "fastcgi_param REQUEST_METHOD GET;")
    server = side.start(need("nginx"), "-c", nginx_config(side, port, location=fastcgi), port=port)
    results = [requests_with(side, port, 1000)]
    workers.send_signal(signal.SIGUSR2)
    side.wait_for(lambda: requests_with(side, port, 50)[2] == 0, "it did not come back after its reload")
    results.append(requests_with(side, port, 1000))
    return results, side.stop(server, signal.SIGQUIT), side.stop(workers)


def version(command):
    out = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False).stdout
    found = re.search(r"\d+\.\d+[\w.]*", out)
    return found.group(0) if found else "?"


SUITES = {
    "nginx": (nginx, ["nginx", "-v"]),
    "nginx-wrk": (nginx_wrk, ["nginx", "-v"]),
    "redis": (redis, ["redis-server", "--version"]),
    "haproxy": (haproxy, ["haproxy", "-v"]),
    "postgresql": (postgresql, ["postgres", "--version"]),
    "sshd": (sshd, ["ssh", "-V"]),
    "php-fpm": (php_fpm, ["php-fpm8.2", "-v"]),
}
