"""A Python program: a server with threads, clients, an epoll loop, children by subprocess, and leaked connections."""

import hashlib
import os
import selectors
import socket
import socketserver
import subprocess
import sys
import threading
import time

LEAKED = []


class Handler(socketserver.BaseRequestHandler):
    def handle(self):
        data = self.request.recv(4096)
        self.request.sendall(hashlib.sha256(data).hexdigest().encode())


class Server(socketserver.ThreadingTCPServer):
    daemon_threads = True

    def shutdown_request(self, request):
        LEAKED.append(request)
        try:
            request.shutdown(socket.SHUT_WR)
        except OSError:
            pass  # the peer has gone without a word


def main():
    server = Server(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
    for i in range(4):
        with socket.create_connection(server.server_address) as peer:
            peer.sendall(b"request %d" % i)
            answer = b"".join(iter(lambda: peer.recv(100), b""))
        print("answer", i, answer.decode(), flush=True)
    with selectors.DefaultSelector() as selector:
        one, other = socket.socketpair()
        selector.register(one, selectors.EVENT_READ)
        other.sendall(b"x")
        print("ready", len(selector.select(1)), one.recv(1), flush=True)
    done = subprocess.run(["/bin/sh", "-c", "cat; exit 6"], input=b"to a child\n", stdout=subprocess.PIPE, check=False)
    print("child", done.returncode, done.stdout, flush=True)
    pid = os.fork()
    if pid == 0:
        peer = socket.create_connection(server.server_address)
        os._exit(9)
    print("forked", os.waitpid(pid, 0)[1], flush=True)
    time.sleep(0.15)
    server.shutdown()
    print("over", flush=True)
    sys.exit(4)


main()
