#!/usr/bin/env python3
"""What a policy sets at close, by segments, states and lifetimes of what the kernel is left with."""

import os
import socket
import time

import harness
from harness import Skip
from policies import OBSERVE, Program, pair, rules
from wire import Net

PATIENCE = 3.0  # how much later than the kernel's timer a loaded machine may show it


def closing(t, body, *how, mode=None, capture=True):
    """A program under one rule for close, with one accepted connection: (net, program, peer, fd, port)."""
    net = Net(t)
    if capture:
        net.capture()
    settings = {"mode": mode} if mode else {}
    program = Program(t, rules(f'name = "it"; close = {{ {body} }};', **settings))
    peer, fd, port = pair(t, program, *how)
    return net, program, peer, fd, port


def lose_fins(net, port):
    """Nothing that the program sends arrives from here on."""
    net.drop(f"tcp sport {port}")


def lifetime(net, program, fd, port, most=20):
    """Closes, and says how long the kernel has the connection afterwards."""
    start = time.monotonic()
    program.fine("close", fd)
    net.gone(port, timeout=most)
    return time.monotonic() - start


def between(t, got, least, most, what):
    t.check(least <= got <= most, f"{what}: {got:.2f} s, expected {least} to {most} s")


def test_linger_default_changes_nothing(t):
    """An orderly end in both directions, TIME_WAIT, and not a word."""
    net, program, peer, fd, port = closing(t, 'linger = "default";')
    program.fine("close", fd)
    t.equal(peer.recv(10), b"", "what the peer gets")
    peer.close()
    program.app.wait_for(lambda: net.states(port) == ["TIME_WAIT"], lambda: f"states: {net.states(port)}")
    t.equal(len(net.sent("R")), 0, "resets")
    program.no_action()


def test_linger_reset(t):
    """A reset on the wire, no TIME_WAIT, the counter and the action."""
    net, program, peer, fd, port = closing(t, 'linger = "reset";')
    before = net.counters()["TCPAbortOnData"]
    program.fine("close", fd)
    try:
        peer.recv(10)
        raise harness.Failure("the peer was not reset")
    except ConnectionResetError:
        pass
    t.equal(net.states(port), [], "states")
    program.app.wait_for(lambda: net.sent("R", sport=port), "no RST on the wire")
    t.equal(len(net.sent("F", sport=port)), 0, "FINs")
    t.equal(net.counters()["TCPAbortOnData"] - before, 1, "TCPAbortOnData")
    said = program.action("linger", result="done")
    t.equal((said["rule"], said["at"], said["dry_run"], said["fd"]), ("it", "close", False, fd), "the action")


def test_linger_off(t):
    """The program's own linger of 0, which would reset, is taken back: an orderly end."""
    net, program, peer, fd, port = closing(t, 'linger = "off";')
    program.fine("setopt", fd, socket.SOL_SOCKET, socket.SO_LINGER, 1, 0)
    program.fine("close", fd)
    t.equal(peer.recv(10), b"", "what the peer gets")
    peer.close()
    program.app.wait_for(lambda: net.states(port) == ["TIME_WAIT"], lambda: f"states: {net.states(port)}")
    t.equal(len(net.sent("R")), 0, "resets")
    program.action("linger", result="done")


def test_linger_time_waits_for_the_acknowledgement(t):
    """Also on a non-blocking socket: close takes as long as the FIN is lost, and no longer than the time."""
    net, program, _, fd, port = closing(t, 'linger = "2s";', "nonblock")
    lose_fins(net, port)
    took = program.do("close", fd)
    between(t, took.seconds, 1.9, 2 + PATIENCE, "close while nothing arrives")
    net.drop()
    listener, port = program.listen()
    peer, fd = program.accepted(listener, port, "nonblock")
    took = program.do("close", fd)
    t.check(took.seconds < 1, f"close took {took.seconds} s though the FIN was acknowledged at once")
    t.equal(peer.recv(1), b"", "the end")
    t.equal(program.total("linger", result="done"), 2, "actions")


def test_observe_only_tells(t):
    """Every option is told as what would have been set; the connection ends as without a policy."""
    body = 'linger = "off"; fin_timeout = "2s"; user_timeout = "1s"; rto_max = "1s"; drain = { timeout = "1s"; };'
    net, program, peer, fd, port = closing(t, body, mode=OBSERVE)
    peer.sendall(b"unread")
    program.app.wait_for(lambda: program.do("poll", fd, 0).more[0] != "4", "the data did not arrive")
    t.check(program.do("close", fd).seconds < 0.5, "close took its time")
    program.app.wait_for(lambda: net.sent("R", sport=port), "the close with unread data was not a reset")
    for action in ("drain", "linger", "fin_timeout", "user_timeout", "rto_max"):
        said = program.action(action)
        t.equal((said["result"], said["dry_run"], said["count"]), ("would", True, 1), action)


def test_orphan_in_fin_wait2(t):
    """TCP_LINGER2 ends it in its time; the sysctl would take 60 s."""
    net, program, peer, fd, port = closing(t, 'fin_timeout = "2s";')
    took = lifetime(net, program, fd, port)
    between(t, took, 1.7, 2.2 + PATIENCE, "FIN_WAIT2")
    t.equal(len(net.sent("R")), 0, "resets")
    peer.close()
    t.equal(program.action("fin_timeout")["value"], 2, "the time told")


def aborted(net):
    """Which of the two counts it depends on whether the FIN was acknowledged before close had gone to its end."""
    return net.counters()["TCPAbortOnLinger"] + net.counters()["TCPAbortOnData"]


def test_negative_fin_timeout_resets(t):
    net, program, _, fd, port = closing(t, 'fin_timeout = "reset";')
    before = aborted(net)
    took = lifetime(net, program, fd, port)
    t.check(took < PATIENCE, f"it was there for {took:.2f} s")
    t.check(net.sent("R", sport=port), "no RST on the wire")
    t.equal(aborted(net) - before, 1, "aborts counted")
    program.action("fin_timeout", result="done")


def orphan(t, body):
    """The lifetime of an orphan whose segments are all lost, and the timeouts that the kernel counted."""
    net, program, _, fd, port = closing(t, body, capture=False)
    lose_fins(net, port)
    before = net.counters()["TCPAbortOnTimeout"]
    took = lifetime(net, program, fd, port, 40)
    t.equal(net.counters()["TCPAbortOnTimeout"] - before, 1, "TCPAbortOnTimeout")
    return program, took


def test_user_timeout_ends_an_orphan(t):
    """Where the sysctls give 108 s. On the idle machine: 1.43 s."""
    program, took = orphan(t, 'user_timeout = "1s";')
    between(t, took, 0.9, 1.43 + PATIENCE, "orphan")
    t.equal(program.action("user_timeout", at="close")["value"], 1000, "the time told")


def test_user_timeout_of_three_seconds(t):
    """On the idle machine: 3.41 s."""
    _, took = orphan(t, 'user_timeout = "3s";')
    between(t, took, 2.9, 3.41 + PATIENCE, "orphan")


def test_user_timeout_of_five_seconds(t):
    """On the idle machine: 5.59 s."""
    _, took = orphan(t, 'user_timeout = "5s";')
    between(t, took, 4.9, 5.59 + PATIENCE, "orphan")


def test_an_orphan_without_a_policy(t):
    """The ground under the three before: it is there long after they are gone."""
    net = Net(t)
    program = Program(t)
    _, fd, port = pair(t, program)
    lose_fins(net, port)
    program.fine("close", fd)
    time.sleep(10)
    t.equal(net.states(port), ["FIN_WAIT1"], "the orphan after 10 s")


def kernel_at_least(*wanted):
    return tuple(int(word) for word in os.uname().release.split("-")[0].split(".")[:2]) >= wanted


def test_rto_max_ends_an_orphan(t):
    """On the idle machine: 2.7 s."""
    if not kernel_at_least(6, 15):
        raise Skip("the kernel is older than TCP_RTO_MAX_MS")
    program, took = orphan(t, 'rto_max = "1s";')
    between(t, took, 1.5, 2.7 + PATIENCE, "orphan")
    t.equal(program.action("rto_max", result="done")["value"], 1000, "the time told")


def test_an_option_that_the_kernel_lacks(t):
    """Told by one line in each look, and counted; what else the rule asks for is done."""
    Net(t)
    program = Program(t, rules('name = "it"; close = { rto_max = "1s"; fin_timeout = "9s"; };'), denied="rto_max")
    listener, port = program.listen()
    for _ in range(4):
        peer, fd = program.accepted(listener, port)
        program.fine("close", fd)
    t.equal(program.total("rto_max", result="refused", reason="old_kernel"), 4, "refusals counted")
    t.equal(program.total("fin_timeout", result="done"), 4, "the other option")
    totals = [line["total"] for line in program.actions("rto_max")]
    t.check(totals == sorted(set(totals)) and totals[-1] == 4, f"lines about it, with what they count: {totals}")


def test_another_descriptor_keeps_the_connection_as_it_is(t):
    """The close of one of two descriptors is not the end: nothing is set until the other one goes."""
    net, program, peer, fd, port = closing(t, 'linger = "reset";')
    other = program.fine("dup", fd)
    program.fine("close", fd)
    peer.sendall(b"still here")
    t.equal(program.do("read", other, 100).more, ["still", "here"], "through the other one")
    t.equal(len(net.sent("R")) + len(net.sent("F")), 0, "ends on the wire")
    program.fine("close", other)
    program.app.wait_for(lambda: net.sent("R", sport=port), "no RST after the last close")


def test_a_child_keeps_the_connection_as_it_is(t):
    net, program, peer, fd, port = closing(t, 'linger = "reset"; user_timeout = "1s";')
    child = program.fine("fork")
    program.fine("close", fd)
    time.sleep(0.5)
    t.equal(net.states(port), ["ESTABLISHED"], "state while the child holds it")
    program.action("linger", result="refused", reason="shared")
    t.equal(program.actions("drain"), [], "words about a drain that no rule asked for")
    t.equal(len(net.sent("R")) + len(net.sent("F")), 0, "ends on the wire")
    program.do("kill", child)
    t.equal(peer.recv(10), b"", "the end, in the kernel's way")


if __name__ == "__main__":
    harness.main(__name__)
