"""Requests per second of nginx with one worker, by wrk or ab, with and without keep-alive."""

import os
import re
import shutil
import socket
import subprocess
import tempfile
import time

import common

CONFIG = """
daemon off; worker_processes 1; pid {dir}/pid; error_log {dir}/error.log crit; {user}
events {{ worker_connections 512; }}
http {{
    access_log off; keepalive_requests 1000000;
    client_body_temp_path {dir}/a; proxy_temp_path {dir}/b; fastcgi_temp_path {dir}/c; uwsgi_temp_path {dir}/d;
    scgi_temp_path {dir}/e;
    server {{ listen 127.0.0.1:{port}; location / {{ return 200 "hello\\n"; }} }}
}}
"""


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Nginx:
    def __init__(self, mode):
        self.mode, self.port = mode, free_port()
        self.dir = tempfile.mkdtemp(prefix="closeguard-nginx.")
        path = os.path.join(self.dir, "nginx.conf")
        with open(path, "w", encoding="ascii") as config:
            config.write(CONFIG.format(dir=self.dir, port=self.port, user="user root;" if os.getuid() == 0 else ""))
        self.words = ["nginx", "-c", path]
        self.process = subprocess.Popen(self.words, env=mode.environment(), stderr=subprocess.DEVNULL)
        for _ in range(100):
            try:
                socket.create_connection(("127.0.0.1", self.port), timeout=1).close()
                return
            except OSError:
                time.sleep(0.05)
        raise common.Skip("nginx did not start")

    def close(self):
        self.process.terminate()
        self.process.wait()
        shutil.rmtree(self.dir, ignore_errors=True)


def load(tool, keepalive, seconds):
    """The load generator's words, without the URL."""
    if tool == "wrk":
        close = [] if keepalive else ["-H", "Connection: close"]
        return ["wrk", "-t1", "-c16", f"-d{seconds}s", *close]
    return ["ab", "-q", "-c", "16", "-n", "10000000", "-t", str(seconds), *(["-k"] if keepalive else [])]


def requests_per_second(words, server):
    words = [*words, f"http://127.0.0.1:{server.port}/"]
    out = subprocess.run(words, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, check=True).stdout
    return float(re.search(r"Requests(?: per second:|/sec:) *([0-9.]+)", out)[1])


def nginx(figures, quick):
    tool = next((name for name in ("wrk", "ab") if shutil.which(name)), None)
    if not shutil.which("nginx") or not tool:
        raise common.Skip("nginx, or both wrk and ab, are not installed")
    servers = []
    try:
        for mode in (common.bare(), common.passthrough(), common.shim()):
            servers.append(Nginx(mode))
        for keepalive in (True, False):
            words = load(tool, keepalive, 1)
            rates = {server.mode.name: [] for server in servers}
            for number in range(5 if quick else 15):
                first = number % len(servers)
                for server in servers[first:] + servers[:first]:
                    rates[server.mode.name].append(requests_per_second(words, server))
            figures.add(f"nginx {'with' if keepalive else 'without'} keep-alive", "requests per second", rates,
                        servers[-1].mode.command(["nginx", "-c", "CONF"]) + "; " + " ".join(words) + " URL")
    finally:
        for server in servers:
            server.close()
