#!/usr/bin/env python3
"""load.py PORT [PATH]: bursts of plain HTTP clients for daemons under test; it is not watched itself.

Half of a burst's clients hang up at once, the others keep their connection through the gap, until the daemon closes it
or the next burst comes.
"""

import http.client
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "clients"))
from drive import bursts  # noqa: E402

PATH = sys.argv[2] if len(sys.argv) > 2 else "/"
kept = []
wrong = []


def ask(connection):
    """Servers that keep no connection and do not say so close it instead of answering a second time."""
    for last in (False, True):
        try:
            connection.request("GET", PATH)
            answer = connection.getresponse()
            answer.read()
            return answer
        except ConnectionError:
            connection.close()
            if last:
                raise
    return None


def visit():
    connection = http.client.HTTPConnection("127.0.0.1", int(sys.argv[1]), timeout=20)
    try:
        for _ in range(3):
            answer = ask(connection)
            if answer.status != 200:
                wrong.append(answer.status)
    except OSError as why:
        wrong.append(why)
    if len(kept) % 2:
        connection.close()
    kept.append(connection)
    for old in kept[:-8]:
        old.close()


bursts(visit, rounds=2)
if wrong:
    print("wrong answers:", len(wrong), wrong[:3], file=sys.stderr)
