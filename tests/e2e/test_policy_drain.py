#!/usr/bin/env python3
"""close.drain: responses arrive whole though the peer has sent more than was read, and nobody is disturbed by it."""

import ctypes
import os
import socket
import threading
import time

import harness
import kernel
from policies import Program, pair, rules, write_policy
from wire import Net

ROUNDS = int(os.environ.get("TEST_ROUNDS", "60"))  # make check-policy sets more
SIZE, REQUEST = 1 << 20, 1000
DRAIN = 'name = "it"; match = { role = "accepted"; }; close = { drain = { timeout = "5s"; bytes = "8M"; }; };'


def fetch(port):
    """Sends more than the server reads, then takes the response slowly: (bytes, how it ended)."""
    with socket.socket() as client:
        client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 16384)
        client.settimeout(harness.DEADLINE)
        client.connect(("127.0.0.1", port))
        got = 0
        try:
            client.sendall(b"u" * (REQUEST + 60000))
            while True:
                data = client.recv(65536)
                if not data:
                    return got, "end"
                got += len(data)
        except OSError as error:
            return got, type(error).__name__


def fetch_all(port, rounds, at_once=4):
    """What `rounds` requests brought, a few at a time."""
    results, lock = [], threading.Lock()
    def work():
        while True:
            with lock:
                if len(results) >= rounds:
                    return
                results.append(None)
                place = len(results) - 1
            results[place] = fetch(port)
    workers = [threading.Thread(target=work) for _ in range(at_once)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    return results


class Server:
    """prog_policy_serve in one of its ways, after it has served all that it was to."""

    def __init__(self, t, how, rounds, policy, at_once=4, **settings):
        if policy:
            settings["CLOSEGUARD_POLICY"] = write_policy(t, policy)
        self.app = t.start("prog_policy_serve", how, rounds, env=settings)
        self.results = fetch_all(self.app.number("port"), rounds, at_once)
        words = self.app.line("served").split()
        self.close_s, self.stale = int(words[2]) / 1e6, int(words[4])

    def cut(self):
        return [one for one in self.results if one != (SIZE, "end")]

    def drains(self):
        """How many times, by the log: result or reason -> total."""
        found = {}
        for one in self.app.events("action"):
            key = one.get("reason", one["result"])
            found[key] = found.get(key, 0) + one["count"]
        return found


def whole(t, how, rounds=ROUNDS, at_once=4):
    """Not one response is cut, and the summaries count a drain for each."""
    Net(t)
    server = Server(t, how, rounds, rules(DRAIN), at_once)
    t.equal(len(server.cut()), 0, f"responses cut of {rounds}, such as {server.cut()[:3]}; drains: {server.drains()}")
    server.app.process.stdin.close()
    server.app.process.wait(harness.DEADLINE)
    if not harness.BARE:
        told = server.drains()  # more where a child was done before its parent had asked
        t.check(told.get("done", 0) >= rounds, f"{rounds} connections; drains told: {told}")
    return server


def test_without_a_drain_responses_are_cut(t):
    """The ground under all the others: this server and this client do lose data, by the kernel's count as well."""
    net = Net(t)
    before = net.counters()["TCPAbortOnClose"]
    server = Server(t, "plain", 20, None)
    t.check(len(server.cut()) > 10, f"only {len(server.cut())} of 20 responses were cut: {server.results}")
    t.check(net.counters()["TCPAbortOnClose"] - before >= len(server.cut()), "the kernel aborted fewer than were cut")


def test_a_blocking_server(t):
    before = Net(t).counters()["TCPAbortOnClose"]
    whole(t, "plain")
    t.equal(Net.counters()["TCPAbortOnClose"] - before, 0, "aborts")


def test_an_event_loop(t):
    """Drained behind its back: close returns at once, and no event comes for what was closed."""
    server = whole(t, "events")
    t.check(server.close_s < 0.2 * harness.SLOW, f"the longest close took {server.close_s} s")
    t.equal(server.stale, 0, "events for closed connections")


def test_an_event_loop_with_two_sets(t):
    server = whole(t, "events_twice")
    t.equal(server.stale, 0, "events for closed connections")


def test_a_stream_with_buffered_output(t):
    whole(t, "stream")


def test_a_raw_close(t):
    whole(t, "raw")


def test_dup2_over_the_connection(t):
    whole(t, "dup2")


def test_a_child_for_each_connection(t):
    """The parent's close is not the end; the child's is, though the two are asked about at the same time."""
    if harness.SANITIZE == "tsan":
        raise harness.Skip("the runtime ends a child of several threads that makes one: nobody drains there")
    whole(t, "children", max(20, ROUNDS // 4), at_once=2)


def test_a_child_that_leaves_in_a_hurry(t):
    whole(t, "children_hurry", max(20, ROUNDS // 4), at_once=2)


def test_workers_that_accept(t):
    whole(t, "workers")


def test_exit_waits_for_what_is_being_drained(t):
    """The program is over; the peer still gets everything."""
    Net(t)
    for _ in range(5):
        server = Server(t, "exit", 1, rules(DRAIN), 1)
        t.equal(server.cut(), [], "responses cut")


def drained(t, body, *how):
    """A program under such a drain with one connection that has unread data: (net, program, peer, fd, port)."""
    net = Net(t)
    net.capture()
    program = Program(t, rules(f'name = "it"; close = {{ drain = {{ {body} }}; }};'))
    peer, fd, port = pair(t, program, *how)
    peer.sendall(b"unread")
    program.app.wait_for(lambda: int(program.do("poll", fd, 0).more[0], 16) & 1, "the data did not arrive")
    return net, program, peer, fd, port


def ends_after(t, net, port, start, least, most):
    while "FIN_WAIT2" in net.states(port) and time.monotonic() - start < most + 5:
        time.sleep(0.02)
    took = time.monotonic() - start
    t.check(least <= took <= most, f"it was drained for {took:.2f} s, expected {least} to {most}")


def test_the_timeout_of_a_blocking_close(t):
    """A peer that never closes: FIN at once, and a close that takes its time and no longer."""
    net, program, peer, fd, port = drained(t, 'timeout = "1s";')
    took = program.do("close", fd)
    t.check(0.95 <= took.seconds < 3.5, f"close took {took.seconds} s")
    t.equal((took.result, took.error), (0, 7777), "close")
    t.equal(peer.recv(10), b"", "the end for the peer")
    program.action("drain", result="done", reason="time_over")
    t.equal(len(net.sent("R", sport=port)), 0, "resets: all that came was read")


def test_the_timeout_behind_an_event_loop(t):
    net, program, peer, fd, port = drained(t, 'timeout = "1s";', "nonblock")
    start = time.monotonic()
    t.check(program.do("close", fd).seconds < 0.3, "close did not return at once")
    t.equal(peer.recv(10), b"", "the end for the peer, at once")
    t.check(time.monotonic() - start < 0.9, "the FIN came late")
    time.sleep(0.3)
    t.equal(held(program, port), 1, "descriptors of the connection while it is drained")
    program.action("drain", result="done", reason="time_over")
    took = time.monotonic() - start
    t.check(0.95 <= took <= 4, f"it was drained for {took:.2f} s")
    t.equal(held(program, port), 0, "descriptors of the connection afterwards")


def held(program, port):
    """How many descriptors of the program's process are this connection."""
    return sum(len(one.fds) for one in kernel.tcp_of(program.pid) if one.sport == port and one.state != "LISTEN")


def test_a_close_that_is_left_halfway(t):
    """Cancelled or jumped out of while it drains, or cancelled before: what is open then is what would be open bare."""
    policy = write_policy(t, rules('name = "it"; close = { drain = { timeout = "1s"; }; };'))
    for how, wanted in (("wait", "open 0 usable 0 returned"), ("before", "open 1 usable 1 cancelled"),
                        ("jump", "open 0 usable 0 jumped")):
        for settings in ({"watched": False}, {}, {"env": {"CLOSEGUARD_POLICY": policy}}):
            app = t.start("prog_cancel_close", how, **settings)
            t.equal(app.line(), wanted, f"{how} with {settings}")
        app.line("ready")
        app.wait_for(lambda: sockets_of(app.pid) == (2 if how == "before" else 1),
                     lambda: f"{how}: {sockets_of(app.pid)} descriptors are TCP connections")


def sockets_of(pid):
    """How many descriptors are TCP connections, ours among them."""
    return sum(len(one.fds) for one in kernel.tcp_of(pid) if one.state != "LISTEN")


def test_the_bytes(t):
    """A peer that sends without end is cut off after so many."""
    net, program, peer, fd, port = drained(t, 'timeout = "10s"; bytes = 100000;', "nonblock")
    program.fine("close", fd)
    start, sent = time.monotonic(), 0
    try:
        while time.monotonic() - start < harness.DEADLINE:
            sent += peer.send(b"x" * 10000)
            time.sleep(0.01)
        raise harness.Failure("the peer could send for ever")
    except (BrokenPipeError, ConnectionResetError):
        pass
    t.check(time.monotonic() - start < 9, "it was the time that ended it")
    t.check(sent >= 90000, f"it was cut off after {sent} bytes")
    program.action("drain", result="done", reason="bytes_over")


def test_a_lingering_program_is_left_alone(t):
    """It chose itself how to close."""
    net, program, peer, fd, port = drained(t, 'timeout = "5s";')
    program.fine("setopt", fd, socket.SOL_SOCKET, socket.SO_LINGER, 1, 0)
    t.check(program.do("close", fd).seconds < 1, "close was held up")
    program.app.wait_for(lambda: net.sent("R", sport=port), "no reset, as the program wanted")
    program.action("drain", result="refused", reason="app_lingers")


def test_no_event_after_the_close(t):
    """In sets made before and after the policy, level- and edge-triggered, also for a second number in another set."""
    net, program, peer, fd, port = drained(t, 'timeout = "3s";', "nonblock")
    first, second = program.fine("epoll_create"), program.fine("epoll_create")
    program.fine("epoll_add", first, fd)
    program.fine("epoll_add", second, fd, "et")
    t.equal(program.do("epoll_wait", first, 1000).result, 1, "events before")
    program.fine("close", fd)
    peer.sendall(b"more")
    for _ in range(4):
        t.equal([program.do("epoll_wait", one, 200).more for one in (first, second)], [[], []], "events after")
    t.equal(net.states(port), ["FIN_WAIT2"], "it is being drained meanwhile")


def test_no_event_for_an_old_number(t):
    """Registered under a number that was closed before the last one: nobody could take it out of the set again, so
    the connection is not kept."""
    net, program, peer, fd, port = drained(t, 'timeout = "3s";', "nonblock")
    first = program.fine("epoll_create")
    program.fine("epoll_add", first, fd)
    other = program.fine("dup", fd)
    program.fine("close", fd)
    t.equal(program.do("epoll_wait", first, 1000).result, 1, "the kernel's own: the registration stays")
    program.fine("close", other)
    for _ in range(4):
        t.equal(program.do("epoll_wait", first, 200).more, [], "events after the last close")
    program.action("drain", result="refused", reason="unknown_holders")


def test_the_budget(t):
    """128 at once; beyond, what is there is read, and it is said so."""
    Net(t)
    program = Program(t, rules('name = "it"; close = { drain = { timeout = "8s"; }; };'))
    listener, port = program.listen()
    for number in range(132):
        peer, fd = program.accepted(listener, port, "nonblock")
        peer.sendall(b"unread")
        if number > 127:
            program.app.wait_for(lambda: int(program.do("poll", fd, 0).more[0], 16) & 1, "the data did not arrive")
        program.fine("close", fd)
        if number > 127:
            t.equal(peer.recv(10), b"", "the end, without a reset")
    t.equal(program.total("drain", result="refused", reason="budget"), 4, "over the budget")
    for peer in program.app.others:
        peer.close()


def unread(program, listener, port):
    """A connection with unread data: (peer, descriptor)."""
    peer, fd = program.accepted(listener, port, "nonblock")
    peer.sendall(b"unread")
    program.app.wait_for(lambda: int(program.do("poll", fd, 0).more[0], 16) & 1, "the data did not arrive")
    return peer, fd


def test_a_low_limit_of_descriptors(t):
    """What is drained leaves the program its numbers; what finds no place is read as far as it is there."""
    Net(t)
    limit = 64
    program = Program(t, rules('name = "it"; close = { drain = { timeout = "10s"; }; };'))
    listener, port = program.listen()
    program.fine("limit", limit)
    for _ in range(30):
        peer, fd = unread(program, listener, port)
        program.fine("close", fd)
        t.equal(peer.recv(10), b"", "the end, without a reset")
    program.action("drain", result="refused", reason="budget")
    peers = [socket.create_connection(("127.0.0.1", port)) for _ in range(limit)]
    program.app.others.extend(peers)
    got = 0
    while program.do("accept", listener, "nonblock").result >= 0:
        got += 1
    t.check(got >= limit - limit // 8 - 16, f"with a limit of {limit} the program could only have {got} connections")


def test_a_received_connection_may_be_the_senders_too(t):
    """The close of a copy that came by SCM_RIGHTS resets nothing."""
    net = Net(t)
    net.capture()
    program = Program(t, rules('name = "it"; close = { linger = "reset"; };'))
    ends = program.do("socketpair").more
    with socket.create_server(("127.0.0.1", 0)) as server, socket.create_connection(server.getsockname()) as mine:
        other, port = server.accept()[0], mine.getsockname()[1]
        link = socket.socket(fileno=copy_of(program.pid, int(ends[0])))
        socket.send_fds(link, [b"x"], [mine.fileno()])
        fd = int(program.do("recvfd", ends[1]).more[0])
        program.fine("close", fd)
        program.action("linger", result="refused", reason="shared")
        mine.sendall(b"still here")
        t.equal(other.recv(100), b"still here", "through the sender's copy")
        t.equal((len(net.sent("R")), net.states(port)), (0, ["ESTABLISHED"]), "resets, and the state")


def copy_of(pid, fd):
    """Another process's descriptor, as one of ours."""
    libc = ctypes.CDLL(None, use_errno=True)
    pidfd = os.pidfd_open(pid)
    copy = libc.syscall(kernel.SYS_PIDFD_GETFD, pidfd, fd, 0)
    os.close(pidfd)
    return copy


def test_a_parents_close_does_not_shut_the_connection(t):
    """The child goes on to use what the parent has closed, for longer than any question takes."""
    Net(t)
    program = Program(t, rules('name = "it"; close = { drain = { timeout = "1s"; }; };'))
    peer, fd, port = pair(t, program)
    child = program.fine("fork")
    program.fine("close", fd)
    program.action("drain", result="refused", reason="shared")
    t.equal(Net.states(port), ["ESTABLISHED"], "the connection")
    peer.sendall(b"still")
    program.do("kill", child)


if __name__ == "__main__":
    harness.main(__name__)
