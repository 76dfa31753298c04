#!/usr/bin/env python3
"""mail.py PORT: answers 250 to everything said over SMTP, and takes leave of idle sessions by 421."""

import socketserver
import sys

IDLE_S = 5


class Session(socketserver.StreamRequestHandler):
    timeout = IDLE_S

    def handle(self):
        self.wfile.write(b"220 here\r\n")
        try:
            while self.rfile.readline():
                self.wfile.write(b"250 ok\r\n")
        except TimeoutError:
            self.wfile.write(b"421 4.4.2 idle for too long\r\n")


class Server(socketserver.ThreadingTCPServer):
    daemon_threads = True
    request_queue_size = 64
    allow_reuse_address = True


Server(("127.0.0.1", int(sys.argv[1])), Session).serve_forever()
