#!/usr/bin/env python3
"""The sweep has a table of descriptors of its own: the program's numbers, its limit and its files are left alone."""

import errno
import glob
import os
import resource
import socket
import time

import harness
import programs
from app import groups_of
from policies import Program, pair, rules, write_policy
from refusing import refusing


def sweep_of(app):
    """The directory of the sweep's thread in /proc."""
    def look():
        for task in glob.glob(f"/proc/{app.pid}/task/*"):
            try:
                with open(f"{task}/comm", encoding="utf-8") as comm:
                    if comm.read() == "closeguard\n":
                        return task
            except OSError:
                pass
        return None
    return app.wait_for(look, "there is no thread of ours")


def links(directory):
    found = {}
    for name in os.listdir(directory):
        try:
            found[int(name)] = os.readlink(f"{directory}/{name}")
        except OSError:
            pass
    return found


def has_own_table(app):
    return links(f"{sweep_of(app)}/fd").get(1) == "/dev/null"


def served(t, app, count=3):
    port = app.number("port")
    for _ in range(count):
        app.connect(port, b"x").close()
    app.line("ready")


def needs_library():
    if harness.BARE:
        raise harness.Skip("ran bare, where there is no such thread")


def test_a_table_of_its_own(t):
    """What the sweep has open is not in the program's table, and what the program has open not in the sweep's."""
    needs_library()
    app = t.start("prog_eof", "read", 3)
    served(t, app)
    app.expect("close_wait", "eof_ignored", 3)
    app.wait_for(lambda: has_own_table(app), "the thread is in the program's table")
    own, its = links(f"{sweep_of(app)}/fd"), links(f"/proc/{app.pid}/fd")
    t.equal([own.get(fd) for fd in range(3)], ["/dev/null"] * 3, "what libraries write their messages to")
    t.equal(sorted(set(own.values()) & set(its.values()) - {"/dev/null"}), [], "files that are in both tables")
    extra = [link for fd, link in its.items() if fd > 2 and not link.startswith(("socket:", "pipe:"))]
    t.check(len(extra) <= 1 and all(link.endswith(".rec") for link in extra), f"of ours in the program's table: {its}")


def test_numbers_while_findings_are_written(t):
    app = t.start("prog_busy_numbers", env={"CLOSEGUARD_WARN_AFTER": "20ms", "CLOSEGUARD_INTERVAL": "10ms"})
    t.check(app.number("rounds") > 1000, "the program had no time")
    t.equal(app.number("other"), 0, "numbers that were not the lowest free one")
    if not harness.BARE:
        t.check(app.events("finding"), "nothing was written meanwhile")


def test_valgrind_hears_of_no_call_that_it_does_not_know(t):
    valgrind = harness.need("valgrind")
    if harness.SANITIZE:
        raise harness.Skip("valgrind does not run what a sanitizer's runtime is in")
    app = t.start(valgrind, programs.compile("prog_eof", harness.BUILD), "read", 1, stderr_empty=False)
    app.connect(app.number("port"), b"x").close()
    app.line("ready", 60 * harness.SLOW)
    app.finding("close_wait", "eof_ignored", 60 * harness.SLOW)
    t.check("unhandled" not in app.stderr(), "valgrind says: " + app.stderr())


def test_the_limit(t):
    """Of sixteen descriptors the program has what it has without us."""
    got = []
    for watched in (False, True):
        app = t.start("prog_till", watched=watched, env={"CLOSEGUARD_LOG": "none"},
                      preexec=lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (16, 16)))
        app.line("first")
        if watched and not harness.BARE:
            app.wait_for(lambda: has_own_table(app), "the thread is in the program's table")
            library = [link for link in links(f"/proc/{app.pid}/fd").values() if link.startswith("pipe:")]
        app.tell()
        got.append(app.number("sockets"))
        t.equal(app.number("errno"), errno.EMFILE, "why there are no more")
        app.finish()
    if not harness.BARE:
        pipes = len(library) - 1  # stdout is one
        t.check(got[1] >= got[0] - max(0, pipes - 1), f"{got[0]} sockets bare, {got[1]} watched, pipes {library}")


def test_exhaustion_leaves_ours_out(t):
    app = t.start("prog_exhaust", 40)
    port = app.number("port")
    app.process.stdin.flush()
    for _ in range(40):
        try:
            app.connect(port, b"x").close()
        except OSError:
            break
    app.line("errno")
    app.finding("fd_exhaustion")
    said = app.events("finding")
    open_fds = [one["open_fds"] for one in said if one["kind"] == "fd_exhaustion"]
    its = {fd: link for fd, link in links(f"/proc/{app.pid}/fd").items() if not link.endswith(".rec")}
    t.check(all(count <= len(its) for count in open_fds), f"{open_fds} are said to be open, the program has {its}")


def test_main_left_before(t):
    app = t.start("prog_left", "before")
    served(t, app)
    app.finding("close_wait", "eof_ignored")
    t.equal(sum(one["count"] for one in groups_of(app.dump())), 3, "sockets told")


def test_main_left_after(t):
    """The table of the first thread, by which the others' was seen, goes with it."""
    app = t.start("prog_left", "after")
    served(t, app)
    app.finding("close_wait", "eof_ignored")
    t.equal(sum(one["count"] for one in groups_of(app.dump())), 3, "sockets told")


def test_main_left_unseen(t):
    app = t.start("prog_left", "unseen")
    served(t, app)
    app.finding("close_wait", "eof_ignored")
    t.equal(sum(one["count"] for one in groups_of(app.dump())), 3, "sockets told")


def wrote(t, refused, **options):
    """The finding on the program's stderr, whatever that is."""
    settings = {"CLOSEGUARD_LOG": "stderr", "CLOSEGUARD_FORMAT": "text"}
    if refused:
        return refusing(t, ["pidfd_getfd"], "prog_stderr", env=settings, stderr_empty=False, **options)
    return t.start("prog_stderr", env=settings, stderr_empty=False, **options)


def written_by_both(t, app, read):
    app.line("ready")
    if not harness.BARE:
        app.wait_for(lambda: b"LEAK" in read(), lambda: f"no finding on stderr: {read()}")
    app.tell()
    app.line("written")
    app.wait_for(lambda: b"next line" in read(), "the program's own line")
    app.finish()
    text = read()
    t.equal(text.count(b"line of the program\n"), 2, f"lines of the program in {text}")
    t.check(b"\0" not in text, f"holes in {text}")
    if not harness.BARE:
        t.check(text.count(b"closeguard: prog_stderr[") == text.count(b"closeguard: ") > 0, f"damaged: {text}")
        t.check(b"first line" in text.splitlines()[0], f"out of order: {text}")


def to_file(t, refused, flags):
    path = os.path.join(t.dir, "output")
    fd = os.open(path, os.O_CREAT | os.O_TRUNC | os.O_WRONLY | flags, 0o600)

    def read():
        with open(path, "rb") as file:
            return file.read()
    app = wrote(t, refused, stderr=fd)
    os.close(fd)
    written_by_both(t, app, read)


def test_stderr_is_a_file(t):
    """Its offset is the program's: what is written does not overwrite, and is not overwritten."""
    to_file(t, False, 0)
    to_file(t, True, 0)


def test_stderr_is_a_log(t):
    to_file(t, False, os.O_APPEND)
    to_file(t, True, os.O_APPEND)


def from_reader(t, refused, there, here):
    text = bytearray()

    def read():
        try:
            while part := here(65536):
                text.extend(part)
        except BlockingIOError:
            pass
        return bytes(text)
    app = wrote(t, refused, stderr=there)
    os.close(there)
    written_by_both(t, app, read)


def test_stderr_is_a_pipe(t):
    for refused in (False, True):
        here, there = os.pipe()
        os.set_blocking(here, False)
        from_reader(t, refused, there, lambda n, fd=here: os.read(fd, n))
        os.close(here)


def test_stderr_is_a_socket(t):
    """As services have it whose output goes to a journal."""
    for refused in (False, True):
        here, there = socket.socketpair()
        with here:
            here.setblocking(False)
            from_reader(t, refused, there.detach(), here.recv)


REAP = rules('name = "leak"; eof = { warn_after = "300ms"; reap_after = "600ms"; };')


def test_reaping_from_the_own_table(t):
    program = Program(t, REAP)
    peer, fd, _ = pair(t, program)
    program.app.wait_for(lambda: has_own_table(program.app), "the thread is in the program's table")
    peer.shutdown(socket.SHUT_WR)
    t.equal(program.do("read", fd, 10).result, 0, "the end")
    program.action("reap", result="done")
    t.equal(peer.recv(10), b"", "the end for the peer")


def test_reaping_where_taking_over_is_refused(t):
    app = refusing(t, ["pidfd_getfd"], "prog_eof", "read", 2, env={"CLOSEGUARD_POLICY": write_policy(t, REAP)})
    served(t, app, 2)
    app.wait_for(lambda: [one for one in app.events("action") if one["result"] == "done"], "nothing was reaped")
    t.check(not has_own_table(app), "the thread left the table in which it has to act")


def test_a_policy_that_comes_to_drain(t):
    """The thread goes back to the program's table, where connections are handed over to it."""
    program = Program(t, rules('name = "it"; open = { user_timeout = "7s"; };'))
    pair(t, program)
    program.app.wait_for(lambda: has_own_table(program.app), "the thread is in the program's table")
    write_policy(t, rules('name = "it"; close = { drain = { timeout = "1s"; bytes = 4096; }; };'))
    peers, end = [], time.monotonic() + harness.DEADLINE
    while time.monotonic() < end:  # each one is an event, and may be the first under the new policy
        peer, fd, _ = pair(t, program, "nonblock")
        peers.append(peer)
        peer.sendall(b"x")
        program.do("close", fd)
        peer.close()
        if program.actions("drain", result="done"):
            return
        time.sleep(0.2)
    raise harness.Failure(f"nothing was drained: {program.app.events('action')}")


if __name__ == "__main__":
    harness.main(__name__)
