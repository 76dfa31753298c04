#!/usr/bin/env python3
"""What several processes hold is told by one of them."""

import os
import re
import signal
import subprocess
import time

import harness
from reports import as_json, finding, log, report, socket as a_socket

OTHERS = 10  # seconds in which each process looks many times: nobody else may have told by then


def told(app):
    """(event, pid, cause, count) of each finding, whichever process told it, from the log and from stderr."""
    lines = app.events() + app.events(path=app.errors)
    return [(one["pid"], one["cause"], one["count"]) for one in lines if one["event"] == "finding"]


def prefork(t, *how):
    """Two workers that are stuck, and three connections in their backlog that the peers have given up."""
    app = t.start("prog_prefork", 2, *how, stderr_empty=False, env={"CLOSEGUARD_LOG": "stderr"} if how else {})
    port = app.number("port")
    peers = [app.connect(port) for _ in range(2)]
    app.line("accepted")
    app.line("accepted")
    for peer in [app.connect(port) for _ in range(3)]:
        peer.close()
    app.busy = peers  # the workers are stuck with these
    return app


def backlogs(app):
    return [one for one in told(app) if one[1] == "never_accepted"]


def check_once(t, app):
    app.wait_for(lambda: harness.BARE or backlogs(app), "the backlog is not told")
    time.sleep(OTHERS)
    if not harness.BARE:
        t.equal([one[2] for one in backlogs(app)], [3], f"counts of what was told in {told(app)}")
        t.equal(backlogs(app)[0][0], app.pid, "who told")


def test_a_backlog_of_workers(t):
    check_once(t, prefork(t))


def test_a_backlog_of_workers_of_another_user(t):
    """The parent cannot be looked into by them."""
    if os.geteuid() != 0:
        raise harness.Skip("only root becomes another user")
    check_once(t, prefork(t, "drop"))


def test_a_backlog_of_workers_that_moved_their_listener(t):
    """They have it under another number, which came in unseen."""
    check_once(t, prefork(t, "move"))


def test_a_backlog_of_workers_on_a_busy_host(t):
    """More loops than processors: what takes its time is no answer."""
    loops = [subprocess.Popen(["sh", "-c", "while :; do :; done"]) for _ in range(2 * (os.cpu_count() or 1))]
    try:
        check_once(t, prefork(t))
    finally:
        for loop in loops:
            loop.kill()
            loop.wait()


def test_a_backlog_that_its_opener_left(t):
    """The parent closes its own listener: one of the workers goes on, and only one."""
    app = prefork(t)
    app.wait_for(lambda: harness.BARE or backlogs(app), "the backlog is not told")
    app.tell()
    app.line("closed")
    def by_workers():
        return harness.BARE or [one for one in backlogs(app) if one[0] != app.pid]
    app.wait_for(by_workers, "no worker tells of the backlog", timeout=2 * harness.DEADLINE)
    time.sleep(OTHERS)
    if not harness.BARE:
        t.equal(len(by_workers()), 1, f"workers that told, in {told(app)}")


def test_a_fork_servers_children_do_not_repeat_it(t):
    """Neither while the parent lives nor when it is gone and they end."""
    app = t.start("prog_forkserver", status=-signal.SIGKILL)
    port = app.number("port")
    peers = []
    for _ in range(6):
        peers.append(app.connect(port, b"q"))
        t.equal(peers[-1].recv(1), b"q", "the answer")
    for peer in peers[:3]:
        peer.close()
    app.expect("close_wait", "eof_ignored", 3)
    time.sleep(harness.QUIET_TIME)
    os.kill(app.pid, signal.SIGKILL)
    for peer in peers[3:]:
        peer.close()
    for _ in range(6):
        app.line("served")
    time.sleep(1)
    t.equal({one["pid"] for one in app.events("finding")} - {app.pid}, set(), f"who else told; all is {told(app)}")


def in_backlog(pid, peers, **changes):
    sockets = [{**a_socket(3), "fd": None, "peer": f"10.0.0.1:{peer}", "local": "10.0.0.2:80"} for peer in peers]
    return finding(len(peers), 0, cause="never_accepted", eof=None, last_use=None, pid=pid, sockets=sockets, **changes)


def test_a_report_counts_a_backlog_once(t):
    """By host, listener and peer, also where the stacks of two processes differ; other hosts are others."""
    whole = log(t, "whole", *[in_backlog(pid, range(3)) for pid in (1, 2, 3)], in_backlog(4, range(2, 5)),
                in_backlog(5, range(3), host="web2"), in_backlog(6, range(3), opened=()))
    answer = as_json(t, whole).expect(1)
    t.equal([one["count"] for one in answer.findings()], [8], "three of three, two of three, three of another host")
    t.equal(len(answer.findings()[0]["sockets"]), 8, "sockets")
    t.equal([(one["pid"], one["count"]) for one in answer.findings()[0]["processes"]], [(1, 3), (5, 3), (4, 2)],
            "processes")
    many = log(t, "many", *[{**in_backlog(pid, range(16)), "count": 40} for pid in (1, 2)])
    t.equal(as_json(t, many).only()["count"], 40, "of a backlog longer than what is listed")
    t.check(re.search(r"^ +8 .* leak close_wait never_accepted", report(t, whole).text, re.M), "the answer")
    apart = log(t, "apart", in_backlog(1, range(3)), in_backlog(2, range(3, 6)))
    t.equal(as_json(t, apart).only()["count"], 6, "two listeners on one port, each with a backlog of its own")


harness.main(__name__)
