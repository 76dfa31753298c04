#!/usr/bin/env python3
"""Every kind and cause of a finding, each from a program that does just that, counted against the kernel."""

import socket
import struct
import subprocess
import time

import harness
import kernel
from reports import as_json, report
from test_files import recorder_of
import programs
from app import groups_of
from harness import Skip


def serve(t, program, *args, count=3, send=b"hello", ready="ready", **options):
    """Starts a program that accepts, gives it so many clients that send and leave, and waits until it is done."""
    app = t.start(program, *args, **options)
    port = app.number("port")
    for _ in range(count):
        app.connect(port, send).close()
    app.line(ready)
    return app


def server(t):
    """A peer that accepts in the test itself."""
    listening = socket.create_server(("127.0.0.1", 0), backlog=64)
    listening.settimeout(harness.DEADLINE)
    t.cleanups.append(listening.close)
    return listening, listening.getsockname()[1]


def eof_by(t, how, call):
    app = serve(t, "prog_eof", how, 3)
    group = app.expect("close_wait", "eof_ignored", 3)
    t.equal(group["verdict"], "leak", "verdict")
    t.equal(group["origin"], "seen", "origin")
    t.equal(group["opened"]["call"], "accept", "the opening call")
    t.equal(group["eof"]["call"], call, "the call that returned 0")
    return group


def test_eof_ignored_by_read(t):
    eof_by(t, "read", "read")


def test_eof_ignored_by_recv(t):
    eof_by(t, "recv", "recv")


def test_eof_ignored_by_recvfrom(t):
    eof_by(t, "recvfrom", "recvfrom")


def test_eof_ignored_by_readv(t):
    eof_by(t, "readv", "readv")


def test_eof_ignored_by_preadv2(t):
    eof_by(t, "preadv2", "preadv2")


def test_eof_ignored_by_recvmsg(t):
    eof_by(t, "recvmsg", "recvmsg")


def test_eof_ignored_by_recvmmsg(t):
    eof_by(t, "recvmmsg", "recvmmsg")


def test_eof_ignored_by_splice(t):
    eof_by(t, "splice", "splice")


def fortified(t, how):
    """The program's own symbols show whether the compiler made the call that this test is about."""
    path = programs.compile("prog_eof_fortified", harness.BUILD, ["-D_FORTIFY_SOURCE=2"], "prog_eof")
    call = f"__{how}"
    if f" {call}@" not in subprocess.check_output(["readelf", "-W", "--dyn-syms", path], text=True):
        raise Skip(f"this compiler makes no {call}")
    group = serve(t, path, how, 3).expect("close_wait", "eof_ignored", 3)
    t.check(group["eof"]["call"] in (call, how[:4]), f"the call is {group['eof']['call']}")


def test_eof_ignored_by_read_chk(t):
    fortified(t, "read_chk")


def test_eof_ignored_by_recv_chk(t):
    fortified(t, "recv_chk")


def test_eof_ignored_in_an_epoll_loop(t):
    eof_by(t, "epoll", "read")


def test_eof_ignored_by_a_thread(t):
    group = eof_by(t, "thread", "read")
    t.equal(group["eof"]["thread"], "reader", "the thread's name")


def test_data_unread(t):
    app = serve(t, "prog_unread", "some", 3)
    group = app.expect("close_wait", "data_unread", 3)
    t.equal([view["unread_bytes"] for view in group["sockets"]], [3, 3, 3], "unread bytes")


def test_data_unread_that_nobody_ever_read(t):
    app = t.start("prog_unread", "idle", 2)
    port = app.number("port")
    for _ in range(2):
        app.connect(port, b"x" * 1000).close()
    app.line("ready")
    group = app.expect("close_wait", "data_unread", 2)
    t.equal([view["unread_bytes"] for view in group["sockets"]], [1000, 1000], "unread bytes")


def test_fin_unread_in_an_idle_pool(t):
    app = serve(t, "prog_unread", "idle", 3, send=b"")
    group = app.expect("close_wait", "fin_unread", 3)
    t.equal([view["polled_by"] for view in group["sockets"]], [None] * 3, "polled_by")


def test_fin_unread_in_a_stuck_loop(t):
    app = t.start("prog_unread", "polled", 3)
    port = app.number("port")
    peers = [app.connect(port, b"xx") for _ in range(3)]
    epoll = app.number("ready")
    for peer in peers:  # only now: a FIN that comes with data is consumed with it
        peer.close()
    group = app.expect("close_wait", "fin_unread", 3)
    t.equal([view["polled_by"] for view in group["sockets"]], [epoll] * 3, "polled_by")


def test_age_is_the_kernels(t):
    """The FIN was never read; its age lies between what the test measured and that plus one sweep."""
    app = t.start("prog_unread", "idle", 1)
    peer = app.connect(app.number("port"))
    app.line("ready")
    time.sleep(1)
    peer.close()
    closed = time.monotonic()
    app.finding("close_wait", "fin_unread")
    time.sleep(0.5)
    asked = time.monotonic() - closed
    view = groups_of(app.dump())[0]["sockets"][0]
    answered = time.monotonic() - closed
    t.check(asked - 0.2 <= view["age_s"] <= answered + 0.1,
            f"{view['age_s']} s old, the FIN came {asked:.2f} to {answered:.2f} s ago")


def shared_by(t, how, count=1):
    listening, port = server(t)
    app = t.start("prog_shared", how, port, count)
    peers = [listening.accept()[0] for _ in range(count)]
    children = [app.number("child") for _ in range(1 if how == "passed" else 0 if how in ("dup", "fcntl") else count)]
    app.line("ready")
    return app, peers, children


def test_shared_by_a_dup_of_the_same_process(t):
    """The original was closed, the dup is kept in a structure, and the peer has gone."""
    app, peers, _ = shared_by(t, "dup", 3)
    for peer in peers:
        peer.close()
    app.expect_kernel("fin_unread", 3)
    app.finding("close_wait")
    groups = [one for one in groups_of(app.dump()) if one["kind"] == "close_wait"]
    t.equal(sum(one["count"] for one in groups), 3, "sockets")
    t.check({one["cause"] for one in groups} <= {"shared", "fin_unread"}, f"causes {groups}")
    for group in groups:
        app.check_sockets(group, app.pid)


def test_shared_by_fcntl_of_the_same_process(t):
    app, peers, _ = shared_by(t, "fcntl", 2)
    for peer in peers:
        peer.close()
    app.expect_kernel("fin_unread", 2)
    app.finding("close_wait")
    groups = [one for one in groups_of(app.dump()) if one["kind"] == "close_wait"]
    t.equal(sum(one["count"] for one in groups), 2, "sockets")


def test_shared_with_a_child(t):
    app, peers, children = shared_by(t, "child")
    peers[0].close()
    app.expect_kernel("fin_unread", 1, children[0])
    finding = app.finding("close_wait", "shared")
    t.equal(finding["count"], 1, "count")
    if finding["pid"] == app.pid:
        t.equal(finding["sockets"][0]["shared_with"], children, "shared_with")
    everyone = {one["pid"] for one in app.events("finding") if one["verdict"] == "leak"}
    t.equal(len(everyone), 1, f"one process tells of it, not {everyone}")


def kept_by_a_helper(t, how):
    """Started inside libc, while the connection is open without SOCK_CLOEXEC."""
    app, peers, helpers = shared_by(t, how)
    peers[0].close()
    app.expect_kernel("fin_unread", 1, helpers[0])
    finding = app.finding("close_wait", "shared")
    holders = finding["sockets"][0]
    t.equal((finding["pid"], finding["count"], finding["verdict"]), (app.pid, 1, "leak"), "pid, count, verdict")
    t.equal((holders["shared_with"], holders["shared_with_commands"]), (helpers, ["cat"]), "the holder")


def test_shared_with_a_helper_of_popen(t):
    kept_by_a_helper(t, "popen")


def test_shared_with_a_helper_of_system(t):
    kept_by_a_helper(t, "system")


def test_shared_with_a_helper_of_wordexp(t):
    kept_by_a_helper(t, "wordexp")


def test_shared_with_a_child_before_the_peer_closes(t):
    """The parent closed and the child holds the connection: so do all forking servers. Only a FIN makes it a leak."""
    app, _, children = shared_by(t, "child")
    t.equal([tcp.state for tcp in kernel.tcp_of(children[0])], ["ESTABLISHED"], "the connection")
    time.sleep(harness.QUIET_TIME * harness.SLOW)
    t.equal(app.events("finding"), [], "findings")


def test_left_to_a_child(t):
    """The child reads the end and closes; what the parent forgot is its own copy, and that is the advice."""
    app = serve(t, "prog_forking", 3)
    finding = app.expect("close_wait", "eof_ignored", 3)
    t.equal((finding["eof"], finding["last_use"]), (None, None), "reads of the parent's")
    t.check("right after fork()" in finding["advice"], f"advice {finding['advice']}")


def test_shared_with_a_process_that_was_passed_it(t):
    app, peers, children = shared_by(t, "passed")
    peers[0].close()
    app.expect_kernel("fin_unread", 1, children[0])
    finding = app.finding("close_wait")
    t.check(finding["cause"] in ("shared", "fin_unread"), f"cause {finding['cause']}")


def test_never_accepted(t):
    app = t.start("prog_backlog")
    port = app.number("port")
    peers = [app.connect(port) for _ in range(4)]
    app.line("ready")
    for peer in peers[1:]:
        peer.close()
    app.expect("close_wait", "never_accepted", 3)
    app.tell()
    app.line("drained")
    app.wait_for(lambda: app.events("resolved"), "the backlog was emptied, and no line says so")


def test_never_accepted_is_told_by_one_of_the_sharers(t):
    app = t.start("prog_backlog", "inherited")
    port = app.number("port")
    peers = [app.connect(port) for _ in range(4)]
    app.line("ready")
    for peer in peers[1:]:
        peer.close()
    app.expect("close_wait", "never_accepted", 3)
    time.sleep(1)
    t.equal({one["pid"] for one in app.events("finding")}, {app.pid}, "the processes that told of it")


def test_half_close_of_a_relay(t):
    listening, upstream = server(t)
    app = t.start("prog_halfclose", "relay", upstream)
    peer = app.connect(app.number("port"), b"question")
    answer = listening.accept()[0]
    peer.shutdown(socket.SHUT_WR)
    app.line("ready")
    t.equal(answer.recv(99), b"question", "what the relay passed on")
    app.expect_kernel("eof_ignored", 1)
    time.sleep(harness.QUIET_TIME * harness.SLOW)
    groups = [one for one in groups_of(app.dump()) if one["kind"] == "close_wait"]
    t.equal([(one["cause"], one["verdict"]) for one in groups], [("half_close", "info")], "the relay's groups")
    t.check(not [one for one in app.events("finding") if one["verdict"] == "leak"], "a relay was told as a leak")
    answer.close()


def test_half_close_that_still_sends(t):
    app = t.start("prog_halfclose", "sending", 0)
    peer = app.connect(app.number("port"), b"question")
    peer.shutdown(socket.SHUT_WR)
    app.line("ready")
    app.expect_kernel("eof_ignored", 1)
    app.silent(opened=1)
    t.check(not [one for one in groups_of(app.dump()) if one["verdict"] == "leak"], "told as a leak")


def test_late_close(t):
    app = serve(t, "prog_late", 20, 2000, count=20, ready="accepted")
    app.line("ready")
    t.equal(kernel.close_waits(app.pid), [], "what is open still")
    app.wait_for(lambda: harness.BARE or [one for one in app.events() if one.get("cause") == "late_close"],
                 lambda: f"no late_close: {app.log()[-1500:]}")
    groups = [one for one in groups_of(app.dump()) if one["cause"] == "late_close"]
    t.equal(sum(one["count"] for one in groups), 20, "late closes")
    t.equal({one["verdict"] for one in groups}, {"late"}, "verdict")


def test_history_turns_a_leak_into_overload(t):
    """A site that closed late twenty times is judged late while a socket of its is open past its time."""
    app = t.start("prog_late", 24, 2500)
    port = app.number("port")
    for _ in range(20):
        app.connect(port, b"x").close()
    time.sleep(3.5 * harness.SLOW)
    for _ in range(4):
        app.connect(port, b"x").close()
    app.line("accepted")
    time.sleep(1.6)
    if harness.BARE:
        raise Skip("ran bare; the programs and the kernel agreed")
    groups = [one for one in groups_of(app.dump()) if one["cause"] == "eof_ignored"]
    t.check(groups, f"the four are past their time and are not in the summary: {app.log()[-800:]}")
    t.equal({one["verdict"] for one in groups}, {"late"}, "verdict")
    app.line("ready")


def dead(t, how):
    app = t.start("prog_dead", how, 3)
    port = app.number("port")
    for _ in range(3):
        peer = app.connect(port)
        peer.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        fd = app.number("fd") if how != "untold" else None
        peer.close()
        fd = fd if fd is not None else app.number("fd")
        app.wait_for(lambda: kernel.state_of_fd(app.pid, fd) == "CLOSE", "the reset did not arrive")
    app.line("ready")
    group = app.expect("dead_socket", None, 3)
    t.equal({view["state"] for view in group["sockets"]}, {"CLOSE"}, "state")
    return app, group


def test_a_loop_that_reads_on_after_the_end(t):
    app = t.start("prog_zeros")
    app.line("ready")
    advice = app.finding("close_wait", "eof_ignored")["advice"]
    t.check("returned 0 more than a thousand times" in advice, f"advice {advice!r}")
    t.equal(as_json(t, recorder_of(app)).only()["advice"], advice, "the recorder's")


def test_peers_are_counted(t):
    """Of connections that were made by address and port, of all of a finding and not of those alone that are listed."""
    listening, port = server(t)
    app = t.start("prog_peers", 20, port)
    for _ in range(20):
        listening.accept()[0].close()
    app.line("ready")
    app.expect("close_wait", "eof_ignored", 23)
    groups = {group["opened"]["call"]: group for group in app.dump()["groups"]}
    t.equal(groups["socket"]["peers"], [{"peer": f"127.0.0.1:{port}", "count": 20}], "of those that were made")
    t.equal(groups["accept"]["peers"], [{"peer": "127.0.0.1", "count": 3}], "of those that were accepted")
    for source in (app.log_path, recorder_of(app)):
        found = {one["opened"]["call"]: one["peers"] for one in as_json(t, source).findings()}
        t.equal(found, {call: group["peers"] for call, group in groups.items()}, f"in {source}")
    t.check(f"  peers: 127.0.0.1:{port} × 20\n" in report(t, recorder_of(app)).text, "the text")


def refusing_port(t):
    """Bound, so that nobody else gets it, and not listening."""
    bound = socket.socket()
    t.cleanups.append(bound.close)
    bound.bind(("127.0.0.1", 0))
    return bound.getsockname()[1]


def refused(t, how):
    app = t.start("prog_refused", how, 3, refusing_port(t))
    app.line("ready")
    app.wait_for(lambda: sum(one["count"] for one in app.events("finding") if one["cause"] == "connect_failed") >= 3,
                 lambda: f"no three of connect_failed: {app.log()[-800:]}")
    group = app.finding("dead_socket", "connect_failed")
    t.equal((group["verdict"], group["eof"]), ("leak", None), "verdict, EOF")
    t.equal(group["connected"]["call"], "connect", "the connecting call")
    t.equal(group["site"].get("function"), "dial", "the place")
    t.equal({view["state"] for view in group["sockets"]}, {"CLOSE"}, "states")


def test_connect_failed(t):
    refused(t, "block")


def test_connect_failed_without_blocking(t):
    refused(t, "poll")


def retried(t, how):
    """For three times as long as a warning needs, on the same socket."""
    app = t.start("prog_refused", how, 1, refusing_port(t), env={"CLOSEGUARD_WARN_AFTER": "2s"})
    app.line("ready")
    t.equal(app.events("finding"), [], "findings")


def test_connect_that_is_tried_again(t):
    retried(t, "retry")


def test_connect_that_is_tried_again_without_blocking(t):
    retried(t, "repoll")


def test_sockets_that_were_never_connected(t):
    app = t.start("prog_refused", "fresh", 3, 1)
    app.line("ready")
    time.sleep(harness.QUIET_TIME * harness.SLOW)
    t.equal(app.events("finding"), [], "findings")


def test_dead_socket_that_was_shut_down(t):
    """Where it was shut down stands with it, in the log and in a report."""
    app, group = dead(t, "shut")
    t.equal((group["shut"]["call"], group["shut"]["stack"][0]["function"]), ("shutdown", "main"), "the shutdown")
    for source in (app.log_path, recorder_of(app)):
        one = as_json(t, source).only()
        t.equal(one["shut"]["stack"][0]["function"], "main", f"in {source}")
    t.check("  shut down by shutdown() " in report(t, recorder_of(app)).text, "the text")


def test_dead_socket_whose_program_was_told(t):
    dead(t, "told")


def test_dead_socket_that_nobody_looked_at(t):
    dead(t, "untold")


def test_a_pool_that_is_passed_over(t):
    """Its place is used again and the four survive that use: a leak."""
    listening, port = server(t)
    app = t.start("prog_pool", "again", port)

    def greet():
        peer = listening.accept()[0]
        peer.sendall(b"hello\n")
        peer.close()
    for _ in range(4):
        greet()
    app.line("open")
    t.equal(app.finding("close_wait", "fin_unread")["verdict"], "info", "the verdict before")
    app.tell()
    greet()
    app.line("ready")
    app.wait_for(lambda: any(one["verdict"] == "leak" for one in app.events("finding")), "no leak was told")


def test_a_pool_that_a_smaller_burst_passed_over(t):
    """Four were in use at the same time, between two looks; their place is used again by one, and four stay: a pool."""
    listening, port = server(t)
    app = t.start("prog_pool", "burst", port)
    peers = [listening.accept()[0] for _ in range(4)]
    for peer in peers:
        peer.sendall(b"hello\n")
        peer.close()
    app.line("open")
    t.equal(app.finding("close_wait", "fin_unread")["verdict"], "info", "the verdict before")
    app.tell()
    kept = listening.accept()[0]
    kept.sendall(b"hello\n")
    app.line("ready")
    told = [group["verdict"] for group in app.dump()["groups"]]
    t.equal(told, ["info"], "the verdicts once the place was used again")
    kept.close()


def misuse(t, how, kind, call):
    listening, port = server(t)
    app = t.start("prog_misuse", how, port)
    peer = listening.accept()[0]
    t.equal(app.line("result"), "-1 9", "the misused call's answer: EBADF")
    finding = app.finding(kind)
    t.equal(finding["count"], 1, "count")
    t.equal((finding.get("here") or finding["last_use"])["call"], call, "the misused call")
    t.check(finding["opened"], "the opening place is missing")
    peer.close()


def test_double_close(t):
    misuse(t, "double", "double_close", "close")


def closed_by_two_threads(t, how, place, advice):
    """The finding, the recorder's and the log's say the same of which close is the stray one."""
    app = t.start("prog_stray", how)
    app.line("ready")
    told = app.finding("double_close")
    t.check(advice in told["advice"], f"advice {told['advice']!r}")
    t.equal(told["site"]["function"], place, "the place")
    for source in (app.log_path, recorder_of(app)):
        one = as_json(t, source).only()
        t.equal((one["advice"], one["site"]["function"]), (told["advice"], place), f"in {source}")


def test_double_close_whose_first_is_stray(t):
    closed_by_two_threads(t, "first", "give_up", "remove the first close()")


def test_double_close_of_a_number_that_was_reused(t):
    """What was closed under the thread is its own connection, not the one that had the number after that."""
    closed_by_two_threads(t, "reused", "give_up", "remove the first close()")


def test_double_close_whose_second_is_stray(t):
    closed_by_two_threads(t, "second", "give_up", "remove the second close()")


def test_double_close_of_which_nothing_is_known(t):
    closed_by_two_threads(t, "unknown", "finish", "cannot be told")


def test_use_after_close_by_read(t):
    misuse(t, "read", "use_after_close", "read")


def test_use_after_close_by_recv(t):
    misuse(t, "recv", "use_after_close", "recv")


def test_use_after_close_by_send(t):
    misuse(t, "send", "use_after_close", "send")


def test_use_after_close_by_shutdown(t):
    misuse(t, "shutdown", "use_after_close", "shutdown")


def test_use_after_close_by_setsockopt(t):
    misuse(t, "setsockopt", "use_after_close", "setsockopt")


def test_fd_exhaustion_is_told_from_inside_it(t):
    app = t.start("prog_exhaust", 40)
    port = app.number("port")
    for _ in range(45):
        app.connect(port, b"x").close()
    t.equal(app.number("errno"), 24, "the program's errno (EMFILE)")
    held = len([tcp for tcp in kernel.close_waits(app.pid) if tcp.inode])
    t.check(app.finding("fd_exhaustion")["count"] >= 1, "count")
    app.wait_for(lambda: app.events("summary"), "no dump came with it")
    app.expect("close_wait", "eof_ignored", held)


def test_origin_inherited_through_exec(t):
    listening, port = server(t)
    app = t.start("prog_origin", "exec", port)
    listening.accept()[0].close()
    fd = app.number("ready")
    group = app.expect("close_wait", "eof_ignored", 1)
    t.equal((group["origin"], group["sockets"][0]["fd"]), ("inherited", fd), "origin and fd")


def test_origin_received_over_a_unix_socket(t):
    listening, port = server(t)
    mine, theirs = socket.socketpair()
    app = t.start("prog_origin", "received", theirs.fileno(), pass_fds=(theirs.fileno(),))
    theirs.close()
    passed = socket.create_connection(("127.0.0.1", port))
    socket.send_fds(mine, [b"x"], [passed.fileno()])
    passed.close()
    mine.close()
    listening.accept()[0].close()
    fd = app.number("ready")
    group = app.expect("close_wait", "eof_ignored", 1)
    t.equal((group["origin"], group["sockets"][0]["fd"]), ("received", fd), "origin and fd")


def test_number_taken_over_by_an_unseen_listener(t):
    """socket() was seen, its close was not, and the number is a listener's now: its backlog belongs to it."""
    app = t.start("prog_origin", "listen", 0)
    port = app.number("port")
    for _ in range(2):
        app.connect(port, b"hello").close()
    app.line("ready")
    app.expect("close_wait", "never_accepted", 2)


def unseen(t, how, *args):
    listening, port = server(t)
    app = t.start("prog_origin", how, port, *args)
    if how == "uring":
        first = app.line()
        if first.startswith("skip"):
            raise Skip(first[5:])
        app.connect(int(first.split()[1])).close()
    else:
        listening.accept()[0].close()
    fd = app.number("ready")
    group = app.expect("close_wait", "eof_ignored", 1)
    t.equal((group["origin"], group["sockets"][0]["fd"]), ("unseen", fd), "origin and fd")
    if group["cause"] == "eof_ignored" and not group["last_use"]:
        t.check("so there is no stack" in group["advice"] and "`" not in group["advice"].replace("`peers`", ""),
                f"the advice names a stack that is not there: {group['advice']!r}")


def test_origin_unseen_by_raw_system_calls(t):
    unseen(t, "raw")


def test_a_pool_that_is_not_seen(t):
    """What connects past the wrappers may be a pool's as well, and its closes count for the place's history."""
    listening, port = server(t)
    app = t.start("prog_origin", "pool", port)
    for _ in range(3):
        listening.accept()[0].close()
    app.line("pooled")
    finding = app.finding("close_wait", "fin_unread")
    t.equal((finding["origin"], finding["verdict"]), ("unseen", "info"), "what was told")
    app.tell()
    app.line("ready")
    app.wait_for(lambda: app.events("resolved"), "the end was not told")
    counts = app.dump()
    t.equal(counts["closed_in_time"] + counts["closed_late"], 3, "closes in the places' histories")


def test_origin_unseen_by_io_uring(t):
    unseen(t, "uring")


def test_origin_unseen_in_a_dlmopened_plugin(t):
    unseen(t, "dlmopen", programs.compile("lib_plugin", harness.BUILD))


def test_origin_unseen_in_a_deepbind_plugin(t):
    if harness.SANITIZE:
        raise Skip("sanitizers refuse RTLD_DEEPBIND")
    unseen(t, "deepbind", programs.compile("lib_plugin", harness.BUILD))


def told_at_the_end(t, how):
    """A program that nothing is seen of is looked at when it ends; its ends were read, nobody knows when."""
    listening, port = server(t)
    app = t.start("prog_host", how, port, programs.compile("lib_plugin", harness.BUILD))
    for _ in range(2):
        listening.accept()[0].close()
    app.finish()
    if not harness.BARE:
        found = [(one["cause"], one["origin"], one["count"]) for one in app.events("finding")]
        t.equal(found, [("eof_ignored", "unseen", 2)], "findings")


def test_only_a_dlmopened_plugin_uses_sockets(t):
    told_at_the_end(t, "dlmopen")


def test_only_a_deepbind_plugin_uses_sockets(t):
    if harness.SANITIZE:
        raise Skip("sanitizers refuse RTLD_DEEPBIND")
    told_at_the_end(t, "deepbind")


def told_while_it_runs(t, how, **settings):
    """Loading the plugin is the last that is seen of the program before its end."""
    listening, port = server(t)
    app = t.start("prog_host", how, port, programs.compile("lib_plugin", harness.BUILD), "stay", env=settings)
    for _ in range(2):
        listening.accept()[0].close()
    return app


def test_a_dlmopened_plugin_is_told_of_at_once(t):
    app = told_while_it_runs(t, "dlmopen")
    t.equal(app.expect("close_wait", "eof_ignored", 2)["origin"], "unseen", "origin")


def test_a_deepbind_plugin_is_told_of_at_once(t):
    if harness.SANITIZE:
        raise Skip("sanitizers refuse RTLD_DEEPBIND")
    app = told_while_it_runs(t, "deepbind")
    t.equal(app.expect("close_wait", "eof_ignored", 2)["origin"], "unseen", "origin")


def test_a_plugin_loaded_before_our_constructor_is_told_of(t):
    if harness.SANITIZE:
        raise Skip("the sanitizer's runtime has to start first")
    listening, port = server(t)
    early = programs.compile("lib_early_plugin", harness.BUILD)
    app = t.start(harness.need("cat"), env={"LD_PRELOAD": harness.preload(after=[early]), "EARLY_PORT": str(port),
                                            "EARLY_PLUGIN": programs.compile("lib_plugin", harness.BUILD)})
    listening.accept()[0].close()
    t.equal(app.expect("close_wait", "eof_ignored", 1)["origin"], "unseen", "origin")


def test_one_dump_tells_of_what_was_never_looked_at(t):
    """Without a thread the dump's look is the first: whether an end that was read unseen stays so is asked at once."""
    app = told_while_it_runs(t, "dlmopen", CLOSEGUARD_THREAD="off")
    app.expect_kernel("eof_ignored", 2)
    time.sleep(1.5)
    found = [(one["cause"], one["origin"], one["count"]) for one in groups_of(app.dump())]
    t.equal(found, [("eof_ignored", "unseen", 2)], "the first dump's findings")


def test_a_burst_is_counted_whole(t):
    """Twenty sockets leaked at once make one finding of twenty, not a finding of one that grows."""
    app = serve(t, "prog_eof", "read", 20, count=20)
    app.expect_kernel("eof_ignored", 20)
    t.equal(app.finding("close_wait", "eof_ignored")["count"], 20, "count of the first finding")


def test_a_group_is_told_again_when_it_has_doubled(t):
    app = t.start("prog_eof", "read", 7)
    port = app.number("port")
    for _ in range(3):
        app.connect(port, b"x").close()
    t.equal(app.finding("close_wait")["count"], 3, "the first finding")
    app.connect(port, b"x").close()
    time.sleep(1.8)
    t.equal([one["count"] for one in app.events("finding")], [3], "findings after a fourth socket")
    for _ in range(3):
        app.connect(port, b"x").close()
    app.line("ready")
    app.wait_for(lambda: [one["count"] for one in app.events("finding")] == [3, 7], lambda: f"counts {app.log()}")


def test_the_listeners_are_not_told(t):
    app = t.start("prog_backlog")
    app.connect(app.number("port"))
    app.line("ready")
    app.silent(opened=1)


if __name__ == "__main__":
    harness.main(__name__)
