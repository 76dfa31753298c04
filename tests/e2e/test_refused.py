#!/usr/bin/env python3
"""Questions that the kernel does not answer: what can be told without them is told, and the program runs the same."""

import errno
import socket
import struct
import subprocess

import harness
import programs
from harness import Skip
from refusing import refusing

ERRORS = (errno.EPERM, errno.ENOSYS, errno.EINVAL)


def all_told(t, questions, errors=ERRORS):
    """The end that was read and forgotten, and the data that nobody read, with each of the errors."""
    for error in errors:
        app = refusing(t, questions, "prog_eof", "read", 3, error=error)
        port = app.number("port")
        for _ in range(3):
            app.connect(port, b"x").close()
        app.line("ready")
        app.expect("close_wait", "eof_ignored", 3)
        app.finish()
    app = refusing(t, questions, "prog_unread", "some", 2)
    port = app.number("port")
    for _ in range(2):
        app.connect(port, b"hello").close()
    app.line("ready")
    app.expect("close_wait", "data_unread", 2)
    app.finish()


def warned(t, app, text):
    """What is off is said once, with the first finding or at the end."""
    warnings = app.events("warning", pid=app.pid)
    lines = [one["message"] for one in warnings if text in one["message"]]
    t.equal(len(lines), 0 if harness.BARE else 1, f"lines that say {text!r} in {warnings}")


def test_so_cookie(t):
    all_told(t, ["cookie"])


def test_so_cookie_in_the_programs_table(t):
    """As under an emulator that knows neither."""
    all_told(t, ["cookie", "close_range"])


def test_tcp_info(t):
    all_told(t, ["tcp_info"])


def test_tcp_info_in_the_programs_table(t):
    all_told(t, ["tcp_info", "close_range"], (*ERRORS, errno.ENOPROTOOPT, errno.EOPNOTSUPP))


def test_fstat(t):
    all_told(t, ["fstat"])


def test_fstat_in_the_programs_table(t):
    all_told(t, ["fstat", "close_range"])


def test_names_of_protocols(t):
    all_told(t, ["getxattr"])


def test_netlink(t):
    all_told(t, ["netlink"])


def test_netlink_in_the_programs_table(t):
    all_told(t, ["netlink", "close_range"])


def test_netlink_and_tcp_info_in_the_programs_table(t):
    all_told(t, ["netlink", "tcp_info", "close_range"])


def test_a_table_of_our_own(t):
    all_told(t, ["close_range"])


def test_taking_over(t):
    all_told(t, ["pidfd_getfd"])
    all_told(t, ["pidfd_open"])


def test_everything_at_once(t):
    all_told(t, ["cookie", "tcp_info", "fstat", "getxattr", "netlink", "pidfd_open", "pidfd_getfd"])


def test_dead_sockets_without_taking_over(t):
    """They are in no list of the kernel's: what was listed before and is not any more has been reset."""
    app = refusing(t, ["pidfd_getfd"], "prog_dead", "untold", 2)
    port = app.number("port")
    peers = [app.connect(port) for _ in range(2)]
    app.line("ready")
    app.dump()  # a look at everything
    for peer in peers:
        peer.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        peer.close()
    app.expect("dead_socket", None, 2)


def test_what_is_off_is_said(t):
    lines = ((["netlink"], "sock_diag is refused"), (["tcp_info", "close_range"], "TCP_INFO is refused"))
    for questions, text in lines:
        app = refusing(t, questions, "prog_eof", "read", 1)
        app.connect(app.number("port"), b"x").close()
        app.finding("close_wait", "eof_ignored", pid=app.pid)
        warned(t, app, text)
        app.finish()


def test_healthy_programs_are_silent(t):
    """A question that is refused is no reason to speak as long as there is nothing to tell."""
    for questions in (["netlink"], ["tcp_info", "close_range"], ["pidfd_getfd"], ["cookie", "fstat"]):
        app = refusing(t, questions, "prog_quiet", "unconnected")
        app.line("ready")
        app.silent()
        app.finish()
        t.equal(app.events(), [], f"log lines without {questions}")


def test_nothing_can_be_asked(t):
    """No finding can come: that is said at the end, and the program ran as ever."""
    without_proc()
    app = in_no_proc(t, programs.compile("prog_refuse", harness.BUILD), errno.EPERM, "netlink,tcp_info")
    port = app.number("port")
    for _ in range(3):
        app.connect(port, b"x").close()
    app.line("ready")
    app.finish()
    warned(t, app, "could not be looked at")


def without_proc():
    if harness.SANITIZE:
        raise Skip("a sanitizer's runtime reads its options from /proc")
    if subprocess.run(["unshare", "-m", "true"], stderr=subprocess.DEVNULL).returncode:
        raise Skip("no mount namespace may be made here")


def in_no_proc(t, *words):
    command = " ".join(map(str, (*words, programs.compile("prog_eof", harness.BUILD), "read", 3)))
    script = f"mount -t tmpfs none /proc && LD_PRELOAD='{'' if harness.BARE else harness.preload()}' exec {command}"
    return t.start("/usr/bin/unshare", "-m", "sh", "-c", script, watched=False)


def test_no_proc(t):
    without_proc()
    app = in_no_proc(t)
    port = app.number("port")
    for _ in range(3):
        app.connect(port, b"x").close()
    app.line("ready")
    app.expect("close_wait", "eof_ignored", 3)


if __name__ == "__main__":
    harness.main(__name__)
