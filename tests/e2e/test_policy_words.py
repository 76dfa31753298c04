#!/usr/bin/env python3
"""setsockopt rules, suppressions and the rule that a summary suggests."""

import os
import re
import socket
import subprocess
import time

import harness
from app import groups_of
from policies import OBSERVE, Program, caller, pair, rules, write_policy
from wire import Net

COMMAND = os.path.join(harness.BUILD, "closeguard")
NODELAY = socket.IPPROTO_TCP, socket.TCP_NODELAY
LINGER = socket.SOL_SOCKET, socket.SO_LINGER
KEEPALIVE = socket.SOL_SOCKET, socket.SO_KEEPALIVE
VERBS = 'name = "words"; setsockopt = { SO_LINGER = "deny"; TCP_NODELAY = "log"; SO_KEEPALIVE = "allow"; };'


def set_all(program, fd):
    """Each call succeeds and leaves errno alone. Returns what the options are then."""
    program.fine("setopt", fd, *LINGER, 1, 0)
    program.fine("setopt", fd, *NODELAY, 1)
    program.fine("setopt", fd, *KEEPALIVE, 1)
    return program.option(fd, *LINGER), program.option(fd, *NODELAY)[0], program.option(fd, *KEEPALIVE)[0]


def test_options_that_are_denied_and_logged(t):
    """deny answers 0 and changes nothing, in the kernel's word and on the wire; both are told with the call's place."""
    net = Net(t)
    net.capture()
    program = Program(t, rules(VERBS))
    peer, fd, port = pair(t, program)
    linger, nodelay, keepalive = set_all(program, fd)
    t.equal((linger[0], bool(nodelay), bool(keepalive)), (0, True, True), "options")
    program.fine("close", fd)
    t.equal((peer.recv(10), len(net.sent("R"))), (b"", 0), "an orderly end, where a linger of 0 would reset")
    denied = program.action("setsockopt", option="SO_LINGER")
    logged = program.action("setsockopt", option="TCP_NODELAY")
    t.equal((denied["result"], denied["reason"], denied["dry_run"], denied["fd"]), ("done", "denied", False, fd),
            "deny")
    t.equal((logged["result"], logged.get("reason"), logged["dry_run"]), ("done", None, False), "log")
    for said in (denied, logged):
        t.equal(caller(said["here"]), "set_the_option", "where it was called")
        t.equal(said["here"]["call"], "setsockopt", "the call")
    t.equal(program.actions("setsockopt", option="SO_KEEPALIVE"), [], "what is allowed")


def test_denied_options_are_made_in_observe_mode(t):
    Net(t)
    program = Program(t, rules(VERBS, mode=OBSERVE))
    _, fd, _ = pair(t, program)
    linger, nodelay, keepalive = set_all(program, fd)
    t.equal((linger, bool(nodelay), bool(keepalive)), ([1, 0], True, True), "options")
    said = program.action("setsockopt", option="SO_LINGER")
    t.equal((said["result"], said["dry_run"]), ("would", True), "the action")


def leak(program, count, call="accept"):
    """Connections that the program is told the end of, and keeps. Returns the descriptors."""
    listener, port = program.listen()
    fds = []
    for _ in range(count):
        peer, fd = program.accepted(listener, port, call=call)
        peer.close()
        if program.do("read", fd, 10).result != 0:
            raise harness.Failure("no end was read")
        fds.append(fd)
    return fds


SUPPRESS = ('suppress = ( { kind = "close_wait"; stack = [ "accept_at_*", "do_accept" ]; max = 8; '
            'reason = "kept for the next one"; } );')


def test_a_suppression_bears_eight(t):
    """Not a word of eight but in the summary, which says why; and they do not make the exit code."""
    Net(t)
    program = Program(t, rules(more=SUPPRESS), CLOSEGUARD_EXITCODE="42")
    leak(program, 8, "accept_edge")
    time.sleep(2.5 * harness.SLOW)
    t.equal(program.app.events("finding"), [], "findings of eight")
    groups = [one for one in groups_of(program.app.dump()) if one["kind"] == "close_wait"]
    t.equal([(one["count"], one["suppressed"]) for one in groups], [(8, "kept for the next one")], "the summary")


def test_a_suppression_does_not_bear_nine(t):
    Net(t)
    program = Program(t, rules(more=SUPPRESS), CLOSEGUARD_EXITCODE="42", status=42)
    fds = leak(program, 9, "accept_edge")
    found = program.app.finding("close_wait", "eof_ignored")
    t.equal(found["count"], 9, "the finding")
    groups = [one for one in groups_of(program.app.dump()) if one["kind"] == "close_wait"]
    t.equal([(one["count"], one.get("suppressed")) for one in groups], [(9, None)], "the summary")
    t.equal(len(fds), 9, "leaked")


def test_a_suppression_is_for_its_stack(t):
    """The same many from another place are told."""
    Net(t)
    program = Program(t, rules(more=SUPPRESS))
    leak(program, 3)
    t.equal(program.app.finding("close_wait", "eof_ignored")["count"] >= 1, True, "told")


def test_the_suggested_rule_is_accepted(t):
    """Pasted into a file it passes the check, and it reaps such a leak."""
    if harness.SANITIZE:
        raise harness.Skip("a sanitizer's wrapper is the nearest place")
    Net(t)
    program = Program(t)
    leak(program, 2, "accept_edge")
    program.app.finding("close_wait", "eof_ignored")
    groups = [one for one in groups_of(program.app.dump()) if one["kind"] == "close_wait"]
    suggested = groups[0].get("suggested_rule", "")
    t.check(re.search(r'site = "accept_at_the_edge"', suggested), f"suggested: {suggested!r}")
    path = write_policy(t, f'version = 1;\nmode = "enforce";\nrules = ( {suggested} );\n', "pasted.cfg")
    done = subprocess.run([COMMAND, "check", path], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    t.equal(done.returncode, 0, f"closeguard check said {done.stdout!r}")
    with open(path, encoding="utf-8") as file:
        shorter = file.read().replace('"5m"', '"1s"')
    other = Program(t, shorter, CLOSEGUARD_LOG=os.path.join(t.dir, "other"), CLOSEGUARD_WARN_AFTER="500ms")
    leak(other, 1, "accept_edge")
    other.action("reap", result="done", rule="leak")


if __name__ == "__main__":
    harness.main(__name__)
