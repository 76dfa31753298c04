#!/usr/bin/env python3
"""lines.py PORT REQUEST: bursts of clients that send a request and read one answer, for daemons under test that do not
speak HTTP; it is not watched itself. "fastcgi:SCRIPT" asks a FastCGI server for a page."""

import os
import socket
import struct
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "clients"))
from drive import bursts  # noqa: E402

kept = []


def record(kind, body):
    return struct.pack(">BBHHBB", 1, kind, 1, len(body), 0, 0) + body


def fastcgi(script):
    pairs = {"SCRIPT_FILENAME": script, "REQUEST_METHOD": "GET", "CONTENT_LENGTH": "0"}
    body = b"".join(bytes([len(key), len(value)]) + (key + value).encode() for key, value in pairs.items())
    return record(1, b"\0\1" + bytes(6)) + record(4, body) + record(4, b"") + record(5, b"")


REQUEST = fastcgi(sys.argv[2][8:]) if sys.argv[2].startswith("fastcgi:") else sys.argv[2].encode()


def visit():
    connection = socket.create_connection(("127.0.0.1", int(sys.argv[1])), timeout=20)
    connection.sendall(REQUEST)
    if not connection.recv(4096):
        print("no answer", file=sys.stderr)
    if len(kept) % 2 or REQUEST[:1] == b"\1":  # PHP's workers wait for their client's end
        connection.close()
    kept.append(connection)


bursts(visit, rounds=2)
