#!/usr/bin/env python3
"""peer.py PORT [CERTIFICATE KEY]: a server over HTTP/1.1 that closes connections idle for KEEP_ALIVE_S seconds.

It is the other side of the clients and proxies under test and is not watched itself. With a certificate it speaks TLS
and says goodbye by close_notify, as servers do.
"""

import http.server
import socket
import ssl
import sys

KEEP_ALIVE_S = 5


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    timeout = KEEP_ALIVE_S

    def do_GET(self):
        self.send_response(200)
        self.send_header("Content-Length", "3")
        self.end_headers()
        self.wfile.write(b"ok\n")

    def log_message(self, *_words):
        pass


class Server(http.server.ThreadingHTTPServer):
    request_queue_size = 256
    context = None

    def finish_request(self, request, client_address):
        if self.context:
            request.settimeout(KEEP_ALIVE_S)
            request = self.context.wrap_socket(request, server_side=True)
        try:
            super().finish_request(request, client_address)
        finally:
            if self.context:
                self.say_goodbye(request)

    def say_goodbye(self, request):
        try:
            request.settimeout(0)
            request.unwrap()
        except (OSError, ValueError):
            pass
        request.close()

    def handle_error(self, request, client_address):
        pass


def main():
    server = Server(("127.0.0.1", int(sys.argv[1])), Handler)
    server.socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    if len(sys.argv) > 3:
        server.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        server.context.load_cert_chain(sys.argv[2], sys.argv[3])
    server.serve_forever()


if __name__ == "__main__":
    main()
