#!/usr/bin/env python3
"""The suppressions that come with the library: what is nobody's bug is told for information, and fails no gate."""

import os
import shutil
import socket
import threading

import harness
import programs

RED = 42


def leave(listening):
    """A server that greets and closes: what its clients pool is closed by the peer."""
    while True:
        try:
            peer = listening.accept()[0]
            peer.sendall(b"hello\n")
            peer.close()
        except OSError:
            return


def cache(t, name, status, **settings):
    """Four idle connections, of a program whose own name is that of a library with a cache, up to its end."""
    listening = socket.create_server(("127.0.0.1", 0), backlog=64)
    t.cleanups.append(listening.close)
    threading.Thread(target=leave, args=(listening,), daemon=True).start()
    path = harness.copy_program(programs.compile("prog_pool", harness.BUILD), os.path.join(t.dir, name))
    app = t.start(path, "idle", listening.getsockname()[1], env={"CLOSEGUARD_EXITCODE": str(RED), **settings})
    app.status = status
    app.line("ready")
    t.equal(app.finding("close_wait", "fin_unread")["verdict"], "info", "the verdict of an idle pool")
    app.process.stdin.close()
    app.process.wait(harness.DEADLINE)
    return app.events("summary")[-1]["groups"][0]


def test_a_cache_fails_no_gate(t):
    group = cache(t, "libcurl-cache", 0)
    t.equal((group["verdict"], group["count"]), ("info", 4), "the last look")
    t.check("libcurl's cache" in group.get("suppressed", ""), "the reason is missing")


def test_they_can_be_switched_off(t):
    group = cache(t, "libcurl-cache", RED, CLOSEGUARD_SUPPRESS="off")
    t.equal((group["verdict"], group.get("suppressed")), ("leak", None), "the last look")


def test_another_pool_fails_the_gate(t):
    t.equal(cache(t, "other-cache", RED)["verdict"], "leak", "the last look")


def test_no_more_than_the_cache_holds(t):
    """A copy of the library's folder, with a smaller number in the file."""
    folder = os.path.join(t.dir, "lib")
    os.mkdir(folder)
    for name in os.listdir(harness.BUILD):
        if name.startswith("libcloseguard") and name.endswith((".so", ".cfg")):
            shutil.copy(os.path.join(harness.BUILD, name), folder)
    shipped = os.path.join(folder, "libcloseguard-suppressions.cfg")
    with open(shipped, encoding="utf-8") as file:
        text = file.read()
    t.check("max = 5" in text, "the file has no number to change")
    with open(shipped, "w", encoding="utf-8") as file:
        file.write(text.replace("max = 5", "max = 3"))
    library = harness.preload().replace(harness.LIBRARY, os.path.join(folder, "libcloseguard.so"))
    t.equal(cache(t, "libcurl-cache", RED, LD_PRELOAD=library)["verdict"], "leak", "the last look")


if __name__ == "__main__":
    harness.main(__name__)
