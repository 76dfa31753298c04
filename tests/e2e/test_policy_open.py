#!/usr/bin/env python3
"""What a policy sets on new connections, and for which: options by the kernel's word, probes on the wire."""

import socket
import time

import harness
from policies import OBSERVE, UNTOUCHED, Program, caller, pair, rules, write_policy
from wire import Net

KEEPALIVE = 'open = { keepalive = { idle = "1s"; interval = "2s"; count = 3; }; user_timeout = "7s"; };'
SO_KEEPALIVE = socket.SOL_SOCKET, socket.SO_KEEPALIVE
IDLE, INTERVAL, COUNT, USER_TIMEOUT = ((socket.IPPROTO_TCP, name) for name in (
    socket.TCP_KEEPIDLE, socket.TCP_KEEPINTVL, socket.TCP_KEEPCNT, socket.TCP_USER_TIMEOUT))
SET = [1, 1, 2, 3, 7000]


def options(program, fd):
    return [program.option(fd, *name)[0] for name in (SO_KEEPALIVE, IDLE, INTERVAL, COUNT, USER_TIMEOUT)]


def untouched(t, program, fd):
    values = options(program, fd)
    t.check(values[0] == 0 and values[4] == 0, f"the options of fd {fd} are {values}")


def test_accepted_connections_are_kept_alive(t):
    """Both options by getsockopt and in the log, and probes on the wire once the connection has been idle for 1 s."""
    net = Net(t)
    net.capture()
    program = Program(t, rules(f'name = "edge"; {KEEPALIVE}'))
    peer, fd, port = pair(t, program)
    t.equal(options(program, fd), SET, "keepalive and user timeout")
    last = max(one.time for one in net.sent("A", sport=port))
    probes = lambda: [one for one in net.sent("A", sport=port) if one.time > last + 0.5 and one.size == 0]
    program.app.wait_for(probes, "no keepalive probe was sent")
    waited = probes()[0].time - last
    t.check(0.9 < waited < 4, f"the first probe came after {waited:.2f} s")
    t.equal(probes()[0].seq + 1 & 0xffffffff, net.sent("SA", sport=port)[0].seq + 1 & 0xffffffff, "the probe's number")
    said = program.action("keepalive", result="done")
    wanted = {"rule": "edge", "at": "open", "dry_run": False, "count": 1, "fd": fd, "value": 1,
              "local": f"127.0.0.1:{port}", "peer": f"127.0.0.1:{peer.getsockname()[1]}"}
    t.equal({key: said.get(key) for key in wanted}, wanted, "the action")
    t.equal(caller(said["opened"]), "accept_plainly", "where it was opened")
    t.equal(program.action("user_timeout")["value"], 7000, "the time told")


def connects(t, program, port, *how):
    """errno and blocking of a connect are what they are without a policy."""
    answer = program.do("connect", "4", port, *how)
    t.check(answer.result >= 0, f"connect: {answer}")
    t.equal(answer.error, 115 if how else UNTOUCHED, "errno")
    flags = program.do("poll", answer.result, 2000)
    t.equal(flags.result, 1, "the connection stands")
    return answer.result


def test_connections_that_are_made(t):
    Net(t)
    program = Program(t, rules(f'match = {{ role = "connected"; }}; {KEEPALIVE}'))
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        for how in ((), ("nonblock",)):
            fd = connects(t, program, port, *how)
            t.equal(options(program, fd), SET, f"options after connect {how}")
            t.equal(bool(program_flags(program, fd) & 0o4000), bool(how), "O_NONBLOCK")
    t.equal(program.total("keepalive", result="done"), 2, "each once")
    t.equal(program.total("user_timeout", result="done"), 2, "each once")


def program_flags(program, fd):
    with open(f"/proc/{program.pid}/fdinfo/{fd}", encoding="ascii") as info:
        return int(next(line for line in info if line.startswith("flags:")).split()[1], 8)


def test_a_peers_network_is_known_at_once(t):
    """A connection that is still being made has its peer already."""
    Net(t)
    program = Program(t, rules(f'match = {{ role = "connected"; peer = "127.0.0.0/8:1024-65535"; }}; {KEEPALIVE}'))
    with socket.create_server(("127.0.0.1", 0)) as server:
        for how in ((), ("nonblock",)):
            fd = connects(t, program, server.getsockname()[1], *how)
            t.equal(options(program, fd), SET, f"options after connect {how}")


def test_a_slow_connect_is_told_of_once(t):
    """A program that asks again with connect whether it is connected has its options set once."""
    net = Net(t)
    program = Program(t, rules(f'name = "all"; match = {{ peer = "127.0.0.1"; }}; {KEEPALIVE}'))
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        net.drop(f"tcp dport {port}")
        answer = program.do("connect", "4", port, "nonblock")
        t.equal((answer.error, options(program, answer.result)), (115, SET), "while it is being made")
        net.drop()
        t.equal(program.do("poll", answer.result, 5000).result, 1, "connected")
        t.equal(program.do("connect", "4", port, answer.result).error, UNTOUCHED, "asked again")
    t.equal(program.total("keepalive"), 1, "keepalive set")


def test_observe_sets_nothing(t):
    Net(t)
    program = Program(t, rules(KEEPALIVE, mode=OBSERVE))
    _, fd, _ = pair(t, program)
    untouched(t, program, fd)
    said = program.action("keepalive")
    t.equal((said["result"], said["dry_run"], said["rule"]), ("would", True, "rule 1"), "the action")


def test_the_first_match_wins(t):
    """Role, family, port and peer: the connection's options say which rule was taken."""
    Net(t)
    program = Program(t, stderr_empty=True, CLOSEGUARD_POLICY=write_policy(t, rules()))
    four, four_port = program.listen("4")
    dual, dual_port = program.listen("dual")
    timeout = lambda match, seconds: f'match = {{ {match} }}; open = {{ user_timeout = "{seconds}s"; }};'
    write_policy(t, rules(
        timeout('role = "connected"; family = 6;', 1), timeout('role = "connected";', 2),
        timeout(f'role = "accepted"; local = "0.0.0.0/0:{four_port}"; peer = "127.0.0.2";', 3),
        timeout(f'local = "127.0.0.0/8:{four_port}-{four_port}";', 4),
        timeout(f'family = 4; local = "127.0.0.1:{dual_port}";', 5), timeout('peer = "::1/128";', 6),
        timeout('', 7)))
    program.app.wait_for(lambda: took(program, four, four_port) == 4, "the rules are not read", 15)
    cases = ((four, four_port, "127.0.0.1", "127.0.0.1", 4), (four, four_port, "127.0.0.1", "127.0.0.2", 3),
             (dual, dual_port, "127.0.0.1", "127.0.0.1", 5), (dual, dual_port, "::1", "::1", 6),
             (dual, dual_port, "127.0.0.3", "127.0.0.2", 7))
    for listener, port, to, source, wanted in cases:
        t.equal(took(program, listener, port, to, source), wanted, f"rule of {source} to {to}:{port}")
    for family, host, wanted in (("4", "127.0.0.1", 2), ("6", "::1", 1)):
        with socket.create_server((host, 0), family=socket.AF_INET6 if family == "6" else socket.AF_INET) as server:
            fd = program.fine("connect", family, server.getsockname()[1])
            t.equal(program.option(fd, *USER_TIMEOUT)[0] // 1000, wanted, f"rule of a connection to {host}")


def took(program, listener, port, to="127.0.0.1", source="127.0.0.1"):
    """The rule that an accepted connection got, by its user timeout."""
    with socket.create_connection((to, port), harness.DEADLINE, (source, 0)):
        fd = program.fine("accept", listener)
        rule = program.option(fd, *USER_TIMEOUT)[0] // 1000
        program.fine("close", fd)
        return rule


def test_a_site_once_it_has_been_named(t):
    """A rule for a function applies as soon as a sweep has named the stack, and never to another function."""
    Net(t)
    site = 'match = { role = "accepted"; site = "accept_at_the_*"; };'
    program = Program(t, rules(f'name = "edge"; {site} {KEEPALIVE}', 'name = "rest"; open = { user_timeout = "3s"; };'))
    listener, port = program.listen()
    def edge():
        peer, fd = program.accepted(listener, port, call="accept_edge")
        t.cleanups.append(peer.close)
        return options(program, fd)
    program.app.wait_for(lambda: edge() == SET, "the rule for the site never applied")
    def other():
        peer, fd = program.accepted(listener, port)
        t.cleanups.append(peer.close)
        return options(program, fd)
    program.app.wait_for(lambda: other()[4] == 3000, "the other site never got the other rule")
    t.equal(edge(), SET, "the rule for the site, afterwards")
    t.check(other()[4] == 3000 and not program.actions("keepalive", rule="rest"), "the sites were mixed up")
    t.equal(caller(program.action("keepalive")["opened"]), "accept_at_the_edge", "the site told")


if __name__ == "__main__":
    harness.main(__name__)
