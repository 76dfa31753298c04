#!/usr/bin/env python3
"""eof.reap_after and shutdown.fin_wait2_after: what is ended, what is left alone, and what the program notices."""

import os
import socket
import time

import harness
import kernel
from policies import OBSERVE, UNTOUCHED, Program, caller, pair, rules, write_policy
from wire import Net

REAP = 'name = "leak"; eof = { warn_after = "300ms"; reap_after = "600ms"; };'
HALF = 'name = "half"; shutdown = { fin_wait2_after = "600ms"; };'
EPIPE = 32
POLLHUP = 0x10


def leaked(t, policy=None, *how, data=b"", **settings):
    """A connection whose peer has closed, and of which the program was told by a read of 0 (or not, with data)."""
    net = Net(t)
    net.capture()
    program = Program(t, policy or rules(REAP), **settings)
    peer, fd, port = pair(t, program, *how)
    if data:
        peer.sendall(data)
    peer.shutdown(socket.SHUT_WR)
    if not data:
        t.equal(program.do("read", fd, 10).result, 0, "the end")
    return net, program, peer, fd, port


def reaped(program, port, **wanted):
    """Waits for the action, and for the state that it leaves: none, with the descriptor still open."""
    said = program.action("reap", result="done", **wanted)
    program.app.wait_for(lambda: not Net.states(port), lambda: f"states: {Net.states(port)}")
    return said


def test_reaping(t):
    """FIN on the wire, the connection gone from the kernel's table, the descriptor open in the process."""
    net, program, peer, fd, port = leaked(t)
    t.equal(net.states(port), ["CLOSE_WAIT"], "before")
    said = reaped(program, port)
    t.equal(len(net.sent("F", sport=port)), 1, "FINs of the program")
    t.equal(len(net.sent("R")), 0, "resets")
    t.equal(peer.recv(10), b"", "the end for the peer")
    t.check(os.readlink(f"/proc/{program.pid}/fd/{fd}").startswith("socket:"), "the descriptor is gone")
    t.equal(kernel.state_of_fd(program.pid, fd), "CLOSE", "its state")
    wanted = {"rule": "leak", "at": "eof", "dry_run": False, "fd": fd, "used_again": 0,
              "local": f"127.0.0.1:{port}", "peer": "127.0.0.1:%d" % peer.getsockname()[1]}
    t.equal({key: said.get(key) for key in wanted}, wanted, "the action")
    t.equal(caller(said["opened"]), "accept_plainly", "where it was opened")
    finding = program.app.finding("close_wait", "eof_ignored")
    t.check(0.3 <= finding["oldest_age_s"] < 20, f"told at the age of {finding['oldest_age_s']}")


def test_it_waits_for_the_acknowledgement(t):
    """LAST_ACK while the FIN is lost, and not for long: TCP_USER_TIMEOUT is set, where the sysctl gives 938 s."""
    net, program, _, fd, port = leaked(t)
    net.drop(f"tcp sport {port}")
    program.action("reap", result="done")
    t.equal(net.states(port), ["LAST_ACK"], "while nothing arrives")
    took = net.gone(port, timeout=30)
    t.check(took > 2, f"it was gone after {took:.1f} s already")


def test_a_blocked_reader_is_woken(t):
    """One that waits for something to happen hears HUP; what was unread stays readable, and the end comes after it."""
    net, program, peer, fd, port = leaked(t, rules(REAP), data=b"unread")
    epoll = program.fine("epoll_create")
    program.fine("epoll_add", epoll, fd, "et")
    program.start("async", "epoll_wait", epoll, 15000)
    program.answer()
    program.start("async", "epoll_wait", epoll, 15000)
    reaped(program, port)
    events = int(program.answer().more[0].split(":")[1], 16)
    t.check(events & POLLHUP, f"the events that woke it: {events:x}")
    t.check(int(program.do("poll", fd, 0).more[0], 16) & POLLHUP, "poll does not show HUP")
    t.equal(program.do("read", fd, 100).more, ["unread"], "what was unread")
    t.equal(program.do("read", fd, 100).result, 0, "the end after it")
    t.equal(program.do("read", fd, 100).error, UNTOUCHED, "errno of a read afterwards")


WRITES = ("write", "send", "sendto", "writev", "pwritev2", "pwritev64v2", "sendmsg", "sendmmsg", "sendfile", "splice",
          "dprintf")


def test_writing_to_a_reaped_connection(t):
    """EPIPE, and the program lives on with SIGPIPE at its default; each is counted as used again, once."""
    net = Net(t)
    program = Program(t, rules(REAP))
    listener, port = program.listen()
    fds = []
    for _ in WRITES:
        peer, fd = program.accepted(listener, port)
        peer.close()
        t.equal(program.do("read", fd, 10).result, 0, "the end")
        fds.append(fd)
    program.app.wait_for(lambda: not net.states(port), lambda: f"states: {net.states(port)}")
    program.app.wait_for(lambda: program.total("reap", result="done") == len(WRITES), "they were not all reaped")
    for call, fd in zip(WRITES, fds):
        for _ in range(2):
            answer = program.do(call, fd)
            t.equal((answer.result, answer.error), (-1, EPIPE), call)
    summary = [one for one in program.app.dump()["actions"] if one["action"] == "reap"]
    t.equal(sum(one["used_again"] for one in summary), len(WRITES), "used again")
    program.fine("close", fds[0])


def test_sigpipe_of_another_connection_kills(t):
    """As without us, though connections were reaped: and a number that was reaped before is like any other."""
    net = Net(t)
    program = Program(t, rules(REAP), status=-13)
    listener, port = program.listen()
    peer, fd = program.accepted(listener, port)
    peer.close()
    t.equal(program.do("read", fd, 10).result, 0, "the end")
    reaped(program, port)
    t.equal(program.do("write", fd).error, EPIPE, "to the reaped one")
    program.fine("close", fd)
    peer, again = program.accepted(listener, port)
    t.equal(again, fd, "the number, given out again")
    program.fine("shutdown", again, "wr")
    program.start("write", again)
    t.equal(program.app.process.wait(harness.DEADLINE), -13, "the program's end")


def untouched(t, net, program, port, seconds=2.5):
    time.sleep(seconds)
    t.equal(net.states(port), ["CLOSE_WAIT"], "the state after twice the time")
    t.equal(len(net.sent("F", sport=port)) + len(net.sent("R")), 0, "ends on the wire")


def test_a_child_shares_it(t):
    """Nothing happens to it, and it is said why."""
    net = Net(t)
    net.capture()
    program = Program(t, rules(REAP))
    peer, fd, port = pair(t, program)
    child = program.fine("fork")
    peer.shutdown(socket.SHUT_WR)
    t.equal(program.do("read", fd, 10).result, 0, "the end")
    program.action("reap", result="refused", reason="shared")
    untouched(t, net, program, port, 1.0)
    program.do("kill", child)


def test_one_that_is_on_its_way_to_somebody(t):
    """Sent by SCM_RIGHTS and not received yet: nobody else has it, and yet it is not the program's alone."""
    net, program, peer, fd, port = leaked(t)
    ends = program.do("socketpair").more
    program.fine("sendfd", ends[0], fd)
    untouched(t, net, program, port)
    other = int(program.do("recvfd", ends[1]).more[0])
    t.equal(program.do("write", other, 3).result, 3, "through the one that was received")
    t.equal(peer.recv(10), bytes(3), "what the peer got")


def test_one_that_was_received(t):
    """Whoever sent it may have it still, in a place that cannot be seen from here."""
    net, program, _, fd, port = leaked(t)
    ends = program.do("socketpair").more
    program.fine("sendfd", ends[0], fd)
    program.do("recvfd", ends[1])
    program.fine("close", fd)
    program.action("reap", result="refused", reason="unknown_holders")
    untouched(t, net, program, port, 1.0)


def test_a_stream(t):
    """stdio's own writes cannot be kept from raising SIGPIPE: it is not reaped."""
    net, program, _, fd, port = leaked(t)
    program.fine("fdopen", fd)
    program.action("reap", result="refused", reason="stream")
    untouched(t, net, program, port, 1.0)


def test_a_half_close_is_left_alone(t):
    """The peer has finished its request; the program still answers, now and then."""
    net, program, peer, fd, port = leaked(t)
    for _ in range(8):
        t.equal(program.do("write", fd, 10).result, 10, "write")
        time.sleep(0.3)
    t.equal(net.states(port), ["CLOSE_WAIT"], "the state")
    t.equal(len(net.sent("F", sport=port)), 0, "FINs")
    t.equal(len(peer.recv(1000)), 80, "what the peer got")


def test_a_relay_is_left_alone(t):
    """EOF on one side, passed on to the other side by a half-close: it waits for the answer, as designed."""
    net = Net(t)
    net.capture()
    program = Program(t, rules(REAP))
    with socket.create_server(("127.0.0.1", 0)) as server:
        peer, fd, port = pair(t, program)
        onward = program.fine("connect", "4", server.getsockname()[1])
        backend = server.accept()[0]
        program.app.others.append(backend)
        for one, other in ((fd, onward), (onward, fd)):
            (peer if one == fd else backend).sendall(b"data")
            t.equal(program.do("read", one, 4).result, 4, "read")
            program.fine("write", other, 4)
        peer.shutdown(socket.SHUT_WR)
        t.equal(program.do("read", fd, 10).result, 0, "the end of one side")
        program.fine("shutdown", onward, "wr")
        untouched(t, net, program, port, 4)
        t.equal(program.actions("reap"), [], "actions")


def test_one_in_use_is_left_alone(t):
    """A program that reads on and on from what has ended has not forgotten it."""
    net, program, _, fd, port = leaked(t)
    for _ in range(10):
        t.equal(program.do("read", fd, 10).result, 0, "the end, again")
        time.sleep(0.25)
    t.equal((net.states(port), len(net.sent("F", sport=port))), (["CLOSE_WAIT"], 0), "the state")
    reaped(program, port)


def test_observe_counts_the_mistakes(t):
    """Nothing on the wire; of two that would have been reaped the program used one afterwards."""
    net = Net(t)
    net.capture()
    program = Program(t, rules(REAP, mode=OBSERVE))
    listener, port = program.listen()
    fds = []
    for _ in range(2):
        peer, fd = program.accepted(listener, port)
        peer.shutdown(socket.SHUT_WR)
        t.equal(program.do("read", fd, 10).result, 0, "the end")
        fds.append(fd)
    program.app.wait_for(lambda: program.total("reap", result="would") == 2, "they were not both told of")
    t.check(all(one["dry_run"] for one in program.actions("reap")), "dry_run")
    t.equal(program.do("write", fds[0], 5).result, 5, "a write afterwards")
    again = lambda: [one for one in program.app.dump()["actions"] if one["used_again"] == 1]
    program.app.wait_for(again, "the use was not counted")
    t.equal((net.states(port), len(net.sent("F", sport=port))), (["CLOSE_WAIT"] * 2, 0), "states, FINs")


def test_times_of_their_own(t):
    """Two listeners, two rules: each is told after its own time, and only one is reaped."""
    net = Net(t)
    program = Program(t, rules())
    (one, first), (two, second) = program.listen(), program.listen()
    write_policy(t, rules(f'match = {{ local = "127.0.0.1:{first}"; }}; eof = {{ warn_after = "300ms"; }};',
                          f'match = {{ local = "127.0.0.1:{second}"; }}; eof = {{ warn_after = "1h"; }};'))
    time.sleep(2.5)
    for listener, port in ((one, first), (two, second)):
        peer, fd = program.accepted(listener, port)
        peer.close()
        t.equal(program.do("read", fd, 10).result, 0, "the end")
    found = program.app.finding("close_wait", "eof_ignored")
    time.sleep(2)
    t.equal([view["local"] for view in found["sockets"]], [f"127.0.0.1:{first}"], "whose time was over")
    t.equal(len(program.app.events("finding")), 1, "findings")


# FIN_WAIT2.

def half_closed(t, mode=None):
    """The program has shut down its side; the peer has not closed its own."""
    net = Net(t)
    net.capture()
    program = Program(t, rules(HALF, **({"mode": mode} if mode else {})))
    peer, fd, port = pair(t, program)
    program.fine("shutdown", fd, "wr")
    program.app.wait_for(lambda: net.states(port) == ["FIN_WAIT2"], lambda: f"states: {net.states(port)}")
    return net, program, peer, fd, port


def test_fin_wait2_after_shutdown_is_ended(t):
    net, program, peer, fd, port = half_closed(t)
    said = program.action("fin_wait2", result="done")
    t.equal((said["rule"], said["at"], said["fd"]), ("half", "shutdown", fd), "the action")
    program.app.wait_for(lambda: not net.states(port), lambda: f"states: {net.states(port)}")
    t.check(net.sent("R", sport=port), "no RST on the wire")
    try:
        peer.recv(10)
        peer.send(b"x")
        raise harness.Failure("the peer was not told")
    except (ConnectionResetError, BrokenPipeError):
        pass
    program.fine("close", fd)


def test_a_reader_is_woken(t):
    """It waits for a peer that says nothing, and reads the end; EPIPE where it was too slow to wake."""
    net, program, peer, fd, port = half_closed(t)
    program.start("async", "read", fd, 10)
    program.action("fin_wait2", result="done")
    answer = program.answer()
    t.check((answer.result, answer.error) in ((0, UNTOUCHED), (-1, EPIPE)), f"the read: {answer}")
    t.equal(net.states(port), [], "states")


def test_fin_wait2_is_told_of(t):
    """In observe mode: a finding and an action, and nothing on the wire."""
    net, program, peer, fd, port = half_closed(t, OBSERVE)
    finding = program.app.finding("fin_wait2", "half_closed")
    t.equal([(one["fd"], one["state"]) for one in finding["sockets"]], [(fd, "FIN_WAIT2")], "the finding")
    t.equal(finding["shut"]["call"], "shutdown", "the call that half-closed it")
    t.equal(finding["site"], finding["shut"]["stack"][0], "the place that it is named by")
    t.check(program.action("fin_wait2", result="would")["dry_run"], "dry_run")
    time.sleep(1)
    t.equal((net.states(port), len(net.sent("R"))), (["FIN_WAIT2"], 0), "state, resets")
    peer.sendall(b"late")
    t.equal(program.do("read", fd, 10).more, ["late"], "what the peer still sends")


def test_fin_wait2_with_a_peer_that_sends(t):
    """An upload after a half-close, with pauses: it is left alone as long as something comes."""
    net, program, peer, fd, port = half_closed(t)
    for number in range(12):
        peer.sendall(b"data")
        if number % 2:
            t.check(program.do("read", fd, 100).result > 0, "read")
        time.sleep(0.25)
    t.equal((net.states(port), len(net.sent("R"))), (["FIN_WAIT2"], 0), "state, resets")


if __name__ == "__main__":
    harness.main(__name__)
