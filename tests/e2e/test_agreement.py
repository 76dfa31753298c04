#!/usr/bin/env python3
"""Every kind and cause says the same in a log's line, in reports of the log, the recorder and a saved report."""

import os
import re
import signal
import time

import harness
import test_causes as causes
from policies import OBSERVE, Program, pair, rules
from reports import as_json

TREE = os.path.join(harness.HERE, "..", "..")
NOT_REPORTED = {"fin_wait1", "reset_on_close", "unread_data", "linger_zero", ""}  # planned, as README says

OF_THE_LINE = {"v", "event", "time", "host", "pid", "app", "version", "again", "names"}
OF_A_REPORT = {"total", "status", "first_seen", "last_seen", "processes", "growth_per_min"}
SECONDS = {"oldest_age_s", "age_s", "age_max_s", "forecast_s"}
# A recorder says of these that it does not know them; the kernel's timers, too, only the process asks for.
ONLY_THE_PROCESS_KNOWS = {"polled_by", "shared_with", "shared_with_commands", "suggested_rule", "forecast_s",
                          "age_source", "age_max_s"}
SLACK_S = 8.0  # what passes between a summary and the last look before the report, on a busy machine
FAST = {"CLOSEGUARD_WARN_AFTER": "1s", "CLOSEGUARD_INTERVAL": "100ms"}


def close_wait(cause, how):
    def begin(t):
        app = how(t)
        app.finding("close_wait", cause)
        return app
    return begin


def relay(t):
    listening, upstream = causes.server(t)
    app = t.start("prog_halfclose", "relay", upstream)
    peer = app.connect(app.number("port"), b"question")
    t.keep = (listening, listening.accept()[0])
    peer.shutdown(causes.socket.SHUT_WR)
    app.line("ready")
    time.sleep(harness.QUIET_TIME * harness.SLOW)
    return app


def backlog(t):
    app = t.start("prog_backlog")
    port = app.number("port")
    for peer in [app.connect(port) for _ in range(4)][1:]:
        peer.close()
    app.line("ready")
    return app


def helper(t):
    app, peers, _ = causes.shared_by(t, "popen")
    peers[0].close()
    return app


def late(t):
    app = causes.serve(t, "prog_late", 20, 2000, count=20, ready="accepted")
    app.line("ready")
    return app


def refused(t):
    app = t.start("prog_refused", "block", 3, causes.refusing_port(t))
    app.line("ready")
    app.finding("dead_socket", "connect_failed")
    return app


def half_closed(t):
    policy = rules('name = "half"; shutdown = { fin_wait2_after = "600ms"; };', mode=OBSERVE)
    program = Program(t, policy)
    peer, fd, _ = pair(t, program)
    t.keep = (program, peer)
    program.fine("shutdown", fd, "wr")
    program.app.finding("fin_wait2", "half_closed")
    return program.app


def misuse(t, how):
    listening, port = causes.server(t)
    app = t.start("prog_misuse", how, port)
    t.keep = (listening, listening.accept()[0])
    app.line("result")
    return app


def exhausted(t):
    app = t.start("prog_exhaust", 40)
    port = app.number("port")
    for _ in range(45):
        app.connect(port, b"x").close()
    app.number("errno")
    app.finding("fd_exhaustion")
    return app


def named(t, kind, begin):
    app = begin(t)
    app.finding(kind)
    return app


SCENARIOS = {
    ("close_wait", "eof_ignored"): close_wait("eof_ignored", lambda t: causes.serve(t, "prog_eof", "read", 3)),
    ("close_wait", "data_unread"): close_wait("data_unread", lambda t: causes.serve(t, "prog_unread", "some", 3)),
    ("close_wait", "fin_unread"): close_wait("fin_unread",
                                             lambda t: causes.serve(t, "prog_unread", "idle", 3, send=b"")),
    ("close_wait", "shared"): close_wait("shared", helper),
    ("close_wait", "never_accepted"): close_wait("never_accepted", backlog),
    ("close_wait", "half_close"): relay,
    ("close_wait", "late_close"): close_wait("late_close", late),
    ("dead_socket", None): lambda t: causes.dead(t, "told")[0],
    ("dead_socket", "connect_failed"): refused,
    ("fin_wait2", "half_closed"): half_closed,
    ("double_close", None): lambda t: named(t, "double_close", lambda t: misuse(t, "double")),
    ("use_after_close", None): lambda t: named(t, "use_after_close", lambda t: misuse(t, "read")),
    ("fd_exhaustion", None): exhausted,
}


def test_every_kind_and_cause_is_here(t):
    """By the names that the library has."""
    with open(os.path.join(TREE, "shim", "detect_names.c"), encoding="utf-8") as file:
        names = dict(re.findall(r"\[CG_(\w+)\] = \"(\w*)\"", file.read()))
    kinds = {name for key, name in names.items() if key.startswith("KIND_")}
    given = {name for key, name in names.items() if key.startswith("CAUSE_")}
    t.equal({kind for kind, _ in SCENARIOS}, kinds - NOT_REPORTED, "kinds")
    t.equal({cause for _, cause in SCENARIOS if cause}, given - NOT_REPORTED, "causes")


def differences(one, other, path=""):
    """Where two values differ, apart from ages that went on."""
    if isinstance(one, dict) and isinstance(other, dict):
        found = []
        for key in sorted(set(one) | set(other)):
            a, b, where = one.get(key), other.get(key), f"{path}.{key}"
            if key in SECONDS and isinstance(a, (int, float)) and isinstance(b, (int, float)):
                found += [f"{where}: {a} and {b}"] if abs(a - b) > SLACK_S * harness.SLOW else []
            else:
                found += differences(a, b, where)
        return found
    if isinstance(one, list) and isinstance(other, list) and len(one) == len(other):
        return [found for i, pair in enumerate(zip(one, other)) for found in differences(*pair, f"{path}[{i}]")]
    return [] if one == other else [f"{path}: {one!r:.200} and {other!r:.200}"]


def without(finding, names):
    """Also of its sockets, of which a report says whose they are."""
    kept = {key: value for key, value in finding.items() if key not in names}
    kept["sockets"] = [{key: value for key, value in one.items() if key not in names | {"host", "pid"}}
                       for one in sorted(finding.get("sockets", []), key=lambda one: (one["fd"] or 0, one["peer"]))]
    if kept.get("history"):
        kept["history"] = {**kept["history"], "delays_ms": [
            one[1] if isinstance(one, list) else one for one in kept["history"]["delays_ms"]]}
    return kept


def as_known(line, recorder):
    """The line, without what the recorder does not know of its sockets; a backlog's are not in it at all."""
    if line["cause"] == "never_accepted":
        return {**line, "sockets": recorder["sockets"]}
    if line["kind"] == "fd_exhaustion":  # it could not grow, and keeps no event
        known = {key: value for key, value in line.items() if recorder.get(key) is not None}
        return {**known, "here": recorder["here"]}
    sockets = [{**one, **{key: None for key, value in other.items() if value is None}}
               for one, other in zip(line["sockets"], recorder["sockets"])]
    return {**line, "sockets": sockets + line["sockets"][len(sockets):]}


def only(t, document, kind, cause, where):
    found = [one for one in document if (one["kind"], one["cause"]) == (kind, cause)]
    t.equal(len(found), 1, f"findings {kind} {cause} {where}: {[(one['kind'], one['cause']) for one in document]}")
    return found[0]


def recorder_of(app):
    names = [name for name in os.listdir(app.recorders) if name.startswith(f"{app.pid}.")]
    return os.path.join(app.recorders, names[0])


def agree(t, kind, cause):
    app = SCENARIOS[kind, cause](t)
    if harness.BARE:
        raise harness.Skip("ran bare")
    line = only(t, app.dump()["groups"], kind, cause, "in the log's summary")
    by_log = only(t, as_json(t, app.log_path).findings(), kind, cause, "in the report of the log")
    answer = as_json(t, recorder_of(app), "-o", "saved.json")
    if kind != "fd_exhaustion":  # where the recorder cannot grow
        t.equal(answer.errors, "", "stderr")
    by_recorder = only(t, as_json(t, "saved.json").findings(), kind, cause, "in the report of the recorder")
    as_json(t, "saved.json", "-o", "again.json")
    again = only(t, as_json(t, "again.json").findings(), kind, cause, "in a report of a saved report")
    told = without(line, OF_THE_LINE | {"growth_per_min"})
    t.equal(differences(told, without(by_log, OF_A_REPORT | OF_THE_LINE)), [], "line and report of the log")
    recorded = without(by_recorder, OF_A_REPORT | OF_THE_LINE | ONLY_THE_PROCESS_KNOWS)
    t.equal(differences(as_known(without(told, ONLY_THE_PROCESS_KNOWS), recorded), recorded), [],
            "line and report of the recorder")
    t.equal(differences(without(by_recorder, set()), without(again, set())), [], "a report and a report of it")
    app.process.send_signal(signal.SIGKILL)
    app.status = -signal.SIGKILL


def each(kind, cause):
    def test(t):
        agree(t, kind, cause)
    test.__name__ = f"test_{kind}_{cause or 'alone'}"
    test.__doc__ = f"{kind} {cause or 'without a cause'}"
    return test


for _kind, _cause in SCENARIOS:
    _test = each(_kind, _cause)
    globals()[_test.__name__] = _test
del _test

harness.main(__name__)
