#!/usr/bin/env python3
"""Programs about which nothing may be told: no finding, no line, an empty log."""

import os
import socket
import ssl
import subprocess
import threading

import harness
import kernel
from app import groups_of


class Peers:
    """A server in the test itself that greets, and then leaves or stays."""

    def __init__(self, t, leave=True, greeting=b"hello\n"):
        self.listening = socket.create_server(("127.0.0.1", 0), backlog=64)
        self.port = self.listening.getsockname()[1]
        self.leave, self.greeting, self.kept = leave, greeting, []
        t.cleanups.append(self.close)
        threading.Thread(target=self.run, daemon=True).start()

    def run(self):
        while True:
            try:
                peer = self.listening.accept()[0]
                peer.sendall(self.greeting)
            except OSError:
                return
            if self.leave:
                peer.close()
            else:
                self.kept.append(peer)

    def close(self):
        self.listening.close()
        for peer in self.kept:
            peer.close()


def quiet(t, how, opened, leave=True, tcp_left=None):
    """Runs prog_quiet HOW; `opened` is how many connections the record has to have seen (0: nothing is asked of it)."""
    peers = Peers(t, leave)
    app = t.start("prog_quiet", how, peers.port)
    app.line("ready")
    if tcp_left is not None:
        t.equal(len(kernel.tcp_of(app.pid)), tcp_left, f"TCP sockets left: {kernel.tcp_of(app.pid)}")
    app.silent(opened=opened or None)
    return app


def test_keepalive_idle_but_open(t):
    quiet(t, "keepalive", 1, leave=False, tcp_left=1)


def test_closed_in_time(t):
    quiet(t, "closed", 5, tcp_left=0)


def test_fdopen_and_fclose(t):
    quiet(t, "stdio", 3, tcp_left=0)


def test_freopen_over_a_connection(t):
    quiet(t, "freopen", 1, tcp_left=0)


def test_dup2_over_a_connection(t):
    quiet(t, "dup2", 1, tcp_left=0)


def test_closed_by_syscall(t):
    quiet(t, "raw", 2, tcp_left=0)


def test_passed_to_another_process(t):
    quiet(t, "passed", 1, tcp_left=0)


def test_pool_that_looks_before_use(t):
    """Idle and closed by the peer for less than its time, then found dead and closed."""
    peers = Peers(t, leave=True, greeting=b"")
    app = t.start("prog_quiet", "pool", peers.port, env={"CLOSEGUARD_WARN_AFTER": "5s"})
    app.line("pooled")
    app.expect_kernel("fin_unread", 1)
    peers.leave = False
    app.tell()
    app.line("ready")
    app.silent(opened=2)


def test_datagram_sockets(t):
    app = quiet(t, "udp", 0)
    t.equal(os.listdir(app.recorders), [], "recorders of a program without TCP")


def test_unix_sockets_and_pipes(t):
    app = quiet(t, "unix", 0)
    t.equal(os.listdir(app.recorders), [], "recorders of a program without TCP")


def test_listeners_only(t):
    quiet(t, "listeners", 0, tcp_left=5)


def test_sockets_that_were_never_connected(t):
    quiet(t, "unconnected", 0)


def test_double_close_of_a_file(t):
    quiet(t, "none", 0)


def test_closing_every_number_in_a_loop(t):
    quiet(t, "close-loop", 1, tcp_left=0)


def test_closing_every_number_downwards(t):
    quiet(t, "close-loop-open", 3, leave=False, tcp_left=0)


def test_closefrom(t):
    quiet(t, "closefrom", 2, tcp_left=0)


def test_close_range(t):
    quiet(t, "close-range", 2, tcp_left=0)


def test_zeros_that_are_no_eof(t):
    quiet(t, "zeros", 1, leave=False)


def test_refused_connection(t):
    quiet(t, "failed", 0, tcp_left=0)


def test_no_trace_of_a_program_without_tcp(t):
    """No file, no thread, no line, and the descriptor numbers are those of the program alone."""
    bare = t.start("prog_idle", watched=False)
    wanted = bare.line("threads"), bare.line("lowest")
    app = t.start("prog_idle")
    got = app.line("threads"), app.line("lowest")
    t.equal(got, wanted, "threads and lowest free descriptor")
    app.silent()
    t.equal(os.listdir(app.recorders), [], "files left in CLOSEGUARD_DIR")
    t.equal(len(os.listdir(f"/proc/{app.pid}/task")), 1, "threads")
    t.equal(sorted(map(int, os.listdir(f"/proc/{app.pid}/fd"))), [0, 1, 2, 3], "descriptors")


def test_nothing_is_left_after_a_clean_exit(t):
    peers = Peers(t)
    app = t.start("prog_quiet", "closed", peers.port)
    app.line("ready")
    if not harness.BARE:
        t.equal(len(os.listdir(app.recorders)), 1, "recorders while it runs")
    app.finish()
    t.equal(os.listdir(app.recorders), [], "recorders after a clean exit with nothing to say")
    t.equal(app.log(), "", "the log")


def certificate(t):
    key, cert = f"{t.dir}/key.pem", f"{t.dir}/cert.pem"
    subprocess.run([harness.need("openssl"), "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", key,
                    "-out", cert, "-days", "2", "-subj", "/CN=localhost"], check=True, stderr=subprocess.DEVNULL)
    return key, cert


TLS_CLIENT = r"""
import socket, ssl, sys
context = ssl._create_unverified_context()
for _ in range(3):
    with context.wrap_socket(socket.create_connection(("127.0.0.1", int(sys.argv[1])))) as tls:
        tls.sendall(b"question")
        assert tls.recv(99) == b"answer"
        assert tls.recv(99) == b""
print("ready", flush=True)
sys.stdin.read()
"""


def test_tls_closed_cleanly(t):
    key, cert = certificate(t)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(cert, key)
    listening = socket.create_server(("127.0.0.1", 0))
    t.cleanups.append(listening.close)

    def run():
        for _ in range(3):
            tls = context.wrap_socket(listening.accept()[0], server_side=True)
            tls.recv(99)
            tls.sendall(b"answer")
            tls.settimeout(1)
            try:
                tls.unwrap()
            except OSError:
                pass
            tls.close()

    threading.Thread(target=run, daemon=True).start()
    app = t.start("/usr/bin/python3", "-c", TLS_CLIENT, listening.getsockname()[1])
    app.line("ready")
    app.silent(opened=3)


def test_openssl_s_client(t):
    """Another TLS stack's way to close, in a program that ends by itself."""
    key, cert = certificate(t)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(cert, key)
    listening = socket.create_server(("127.0.0.1", 0))
    t.cleanups.append(listening.close)

    def run():
        tls = context.wrap_socket(listening.accept()[0], server_side=True)
        tls.sendall(b"answer\n")
        tls.close()

    threading.Thread(target=run, daemon=True).start()
    app = t.start(harness.need("openssl"), "s_client", "-quiet", "-connect",
                  f"127.0.0.1:{listening.getsockname()[1]}", stderr=subprocess.DEVNULL, status=None)
    app.line("answer")
    app.process.wait(harness.DEADLINE)
    t.equal(app.log(), "", "the log")


def test_curl_and_a_python_server(t):
    """Two real programs that close what they open."""
    if harness.SANITIZE:
        raise harness.Skip("curl hangs in setlocale under a sanitizer's runtime, also without the library")
    server = t.start("/usr/bin/python3", "-u", "-c",
                     "import http.server, sys, threading\n"
                     "class Quiet(http.server.SimpleHTTPRequestHandler):\n"
                     "    def log_message(self, *args): pass\n"
                     "s = http.server.ThreadingHTTPServer(('127.0.0.1', 0), Quiet)\n"
                     "print('port', s.server_port, flush=True)\n"
                     "threading.Thread(target=s.serve_forever, daemon=True).start()\n"
                     "sys.stdin.read()\n")
    port = server.number("port")
    for _ in range(5):
        client = t.start(harness.need("curl"), "-s", "-o", "/dev/null", f"http://127.0.0.1:{port}/")
        t.equal(client.process.wait(harness.DEADLINE), 0, "curl's status")
    server.silent(opened=5)


def test_closed_connections_are_in_no_summary(t):
    peers = Peers(t)
    app = t.start("prog_quiet", "closed", peers.port)
    app.line("ready")
    t.equal(groups_of(app.dump()), [], "groups")


def test_a_pool_that_nobody_has_needed_since(t):
    """Four to one peer, and nothing was done at their place since: for information, and not told as a leak."""
    peers = Peers(t)
    app = t.start("prog_pool", "idle", peers.port)
    app.line("ready")
    finding = app.finding("close_wait", "fin_unread")
    t.equal((finding["verdict"], finding["count"]), ("info", 4), "what was told")


def test_a_handler_that_answers_after_the_end(t):
    app = t.start("prog_pool", "job", 0)
    peer = app.connect(app.number("port"), b"job")
    peer.shutdown(socket.SHUT_WR)
    app.line("at-work")
    t.equal(peer.recv(16), b"answer", "the answer")
    app.line("ready")
    app.silent(opened=1)


def reused(t, how):
    """EBADF on a number that had been a connection's, for a reason that has nothing to do with the connection."""
    peers = Peers(t)
    app = t.start("prog_reused", how, peers.port)
    t.equal(app.line("result"), "-1 9", "the call's answer: EBADF")
    app.line("ready")
    app.silent(opened=1)


def test_a_number_taken_by_a_file_open_for_reading(t):
    reused(t, "readonly")


def test_a_number_taken_by_a_file_open_for_writing(t):
    reused(t, "writeonly")


def test_a_number_taken_by_a_path_descriptor(t):
    reused(t, "path")


def test_a_number_whose_file_was_used_after_its_close(t):
    reused(t, "closed")


def test_a_number_whose_file_was_closed_twice(t):
    reused(t, "closed-twice")


if __name__ == "__main__":
    harness.main(__name__)
