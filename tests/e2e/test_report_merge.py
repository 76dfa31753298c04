#!/usr/bin/env python3
"""`closeguard report` makes one report of what any number of processes and hosts said."""

import os
import signal

import harness
from reports import BUILD_ID, as_json, finding, frame, log, place, report, socket, summary, time, without_names


def processes(finding_):
    return [(one["host"], one["pid"], one["count"]) for one in finding_["processes"]]


def test_hosts_are_merged(t):
    """The same build on two hosts: what differs is only pids and names."""
    one = log(t, "one.log", finding(3), finding(7, 5, pid=101))
    other = log(t, "other.log", finding(5, 2, host="web2", pid=77))
    answer = as_json(t, one, other).expect(1)
    merged = answer.only()
    t.equal((merged["count"], merged["status"], merged["total"]), (15, "open", 15), "count, status and total")
    t.equal(processes(merged), [("web1", 101, 7), ("web2", 77, 5), ("web1", 100, 3)], "the largest part first")
    t.equal((merged["first_seen"], merged["last_seen"]), (time(0), time(5)), "when")
    t.equal({(one["host"], one["pid"]) for one in merged["sockets"]}, {("web1", 100), ("web1", 101), ("web2", 77)},
            "whose sockets")
    t.equal(len(merged["sockets"]), 15, "sockets")
    t.equal([(one["path"], one["host"], one["pid"], one["kind"]) for one in answer.document()["sources"]],
            [(one, "web1", 100, "log"), (one, "web1", 101, "log"), (other, "web2", 77, "log")], "sources")


def test_the_document(t):
    document = as_json(t, log(t, "log", finding())).document()
    t.equal((document["v"], document["event"], document["generator"].split()[0]), (1, "report", "closeguard"), "what")
    t.equal(set(document), {"v", "event", "time", "generator", "sources", "leaks_told", "findings", "timeline",
                            "actions", "warnings"}, "members")
    t.equal(set(finding()) - set(document["findings"][0]), {"v", "event", "time", "host", "pid", "app"},
            "members of a finding that the merged one has not")


def test_names_are_no_key(t):
    """One log has names and inlined functions, the other only addresses."""
    opened = (frame(0x1100, "take", 11, inlined=True), frame(0x1100, "serve", 20), frame(0x1200, "main", 5))
    merged = as_json(t, log(t, "bare", without_names(finding(2, 0, opened))),
                     log(t, "named", finding(3, 0, opened, pid=101))).only()
    t.equal(merged["count"], 5, "count")
    t.equal([(one.get("function"), one.get("inlined", False)) for one in merged["opened"]["stack"]],
            [("take", True), ("serve", False), ("main", False)], "the stack, with the names that one of them had")


def test_what_differs_is_not_merged(t):
    other = {"offset": finding(1, 0, (frame(0x1101), frame(0x1200)), pid=1),
             "build": finding(1, 0, (frame(0x1100, build_id="6a" * 20), frame(0x1200)), pid=2),
             "cause": finding(1, 0, cause="data_unread", pid=3), "kind": finding(1, 0, kind="fin_wait2", pid=4),
             "eof": finding(1, 0, eof=None, pid=5), "last use": finding(1, 0, last_use=None, pid=6),
             "order": finding(1, 0, (frame(0x1200), frame(0x1100)), pid=7)}
    answer = as_json(t, log(t, "log", finding(), *other.values()))
    t.equal(len(answer.findings()), 1 + len(other), "findings")


def test_modules_without_build_id(t):
    """Then the name counts; generated code has only its address, which means nothing elsewhere."""
    named = lambda module: (frame(0x10, build_id=None, module=module),)
    answer = as_json(t, log(t, "log", finding(1, 0, named("a")), finding(2, 0, named("a"), pid=2),
                            finding(4, 0, named("b"), pid=3)))
    t.equal(sorted(one["count"] for one in answer.findings()), [3, 4], "counts")
    bare = {"module": "app", "build_id": None, "function": "f"}
    answer = as_json(t, log(t, "bare", *[finding(1, 0, pid=pid, opened=(dict(bare, function=name),))
                                         for pid, name in ((1, "f"), (2, "f"), (3, "g"))]))
    t.equal(sorted(one["count"] for one in answer.findings()), [1, 2], "counts by function alone")


def test_the_last_word_counts(t):
    """A log repeats a group when it has doubled: it is not added up."""
    path = log(t, "log", finding(2, 0), finding(4, 10), finding(8, 20))
    t.equal((as_json(t, path).only()["count"], as_json(t, path).only()["total"]), (8, 8), "count and total")
    t.equal(as_json(t, path, path).only()["count"], 8, "the same log twice")
    pieces = [log(t, f"log.{i}", finding(count, at)) for i, (count, at) in enumerate(((8, 20), (2, 0), (4, 10)))]
    t.equal(as_json(t, *pieces).only()["count"], 8, "rotated files in any order")


def test_resolved(t):
    gone = {**finding(0, 30), "event": "resolved"}
    answer = as_json(t, log(t, "log", finding(5, 0), gone)).expect(1)
    merged = answer.only()
    t.equal((merged["count"], merged["status"], merged["total"], merged["sockets"]), (0, "resolved", 5, []),
            "a resolved one")
    again = as_json(t, log(t, "again", finding(5, 0), gone, finding(2, 40))).only()
    t.equal((again["count"], again["status"], again["total"]), (2, "open", 7), "one that came back")
    half = as_json(t, log(t, "half", finding(5, 0), finding(3, 0, pid=101), gone)).expect(1).only()
    t.equal(processes(half), [("web1", 101, 3)], "where it is not resolved")
    t.equal({one["pid"] for one in half["sockets"]}, {101}, "whose sockets")


def test_a_summary_restates_all(t):
    other = finding(4, 0, cause="data_unread")
    answer = as_json(t, log(t, "log", finding(5, 0), other, summary(finding(6), second=60)))
    t.equal([(one["cause"], one["count"]) for one in answer.findings()], [("eof_ignored", 6), ("data_unread", 0)],
            "what the summary had, and what it had not")
    source = answer.document()["sources"][0]
    t.equal((source["counters"]["opened"], source["counters"]["uptime_s"], source["state"]), (12, 60.5, "unknown"),
            "counters and state")
    ended = as_json(t, log(t, "exit", summary(finding(6), second=60, reason="exit"))).document()["sources"][0]
    t.equal(ended["state"], "exited", "the state after its exit")
    twice = as_json(t, log(t, "twice", summary(finding(6), finding(2), second=60))).only()
    t.equal(twice["count"], 8, "a module that was loaded twice: the same stacks, two findings")


def in_parts(whole):
    """A line for each group, as the library writes a summary."""
    groups = whole["groups"]
    return [{**whole, "part": i + 1, "parts": len(groups), "groups": [group]} for i, group in enumerate(groups)]


def test_a_summary_in_parts_restates_all(t):
    causes = ("eof_ignored", "data_unread", "half_close")
    before = [finding(5, 0, cause=cause) for cause in causes]
    after = in_parts(summary(finding(6), finding(7, cause="data_unread"), second=60))
    counts = lambda name, *lines: {one["cause"]: one["count"] for one in as_json(t, log(t, name, *lines)).findings()}
    t.equal(counts("all", *before, *after), {"eof_ignored": 6, "data_unread": 7, "half_close": 0}, "of all parts")
    t.equal(counts("begun", *before, *after[:1]), {"eof_ignored": 6, "data_unread": 5, "half_close": 5},
            "of one that was cut off")
    t.equal(counts("end", *before, *after[1:]), {"eof_ignored": 5, "data_unread": 7, "half_close": 5},
            "of one whose beginning is missing")
    other = in_parts(summary(finding(6, pid=101), finding(8, cause="data_unread"), second=61, pid=101))
    mixed = [line for both in zip(after, other) for line in both]
    t.equal(counts("mixed", *before, *mixed), {"eof_ignored": 12, "data_unread": 15, "half_close": 0},
            "of two processes at the same time")


def test_a_stack_that_was_cut_is_the_same(t):
    """A line has as much of a stack as it has room for; the number tells that it is the same."""
    whole, cut = finding(5, 0), finding(6, 9)
    for one in (whole, cut):
        one["opened"]["stack_id"] = "00000000000000aa"
    cut["opened"].update(stack=cut["opened"]["stack"][:1], truncated=True)
    merged = as_json(t, log(t, "log", whole, cut)).only()
    t.equal((merged["count"], len(merged["opened"]["stack"])), (6, len(whole["opened"]["stack"])), "one finding, whole")
    t.check("truncated" not in merged["opened"], "it says that something is missing")


def test_a_pid_is_used_again(t):
    """In a container every run is pid 1 of the same host."""
    runs = [summary(finding(3), second=at, reason="exit", pid=1, uptime_s=50) for at in (60, 120)]
    answer = as_json(t, log(t, "log", *runs))
    t.equal(processes(answer.only()), [("web1", 1, 3)] * 2, "two lives")
    t.equal(len(answer.document()["sources"]), 2, "sources")
    renamed = as_json(t, log(t, "exec", finding(3), finding(2, 5, app="other"))).only()
    t.equal(renamed["count"], 5, "another program of the same pid")


def test_the_verdict_of_many(t):
    """A leak in one process is a leak, however the others do; what is resolved has no say."""
    late = {"verdict": "late", "confidence": 0.8}
    merged = as_json(t, log(t, "log", finding(9, 0, **late), finding(1, 0, pid=2, confidence=0.7))).expect(1).only()
    t.equal((merged["verdict"], merged["confidence"], merged["count"]), ("leak", 0.7, 10), "one leak among late ones")
    gone = {**finding(0, 30, pid=2), "event": "resolved"}
    merged = as_json(t, log(t, "gone", finding(9, 0, **late), finding(1, 0, pid=2), gone)).expect(1).only()
    t.equal((merged["verdict"], merged["confidence"]), ("late", 0.8), "after the leak was mended")


def test_history_and_ages(t):
    merged = as_json(t, log(t, "log", finding(3), finding(2, 0, pid=2, oldest_age_s=99.25))).only()
    history = merged["history"]
    t.equal((history["opened"], history["closed_late"], history["never_closed"]), (20, 2, 5), "sums")
    t.equal((history["delays_ms"][1], history["delays_ms"][19]), ([2, 4], [None, 8]), "delays and their bounds")
    t.equal(merged["oldest_age_s"], 99.25, "the oldest")


def test_at_most_sixteen_sockets(t):
    """The oldest of all, each with its process."""
    lines = [finding(16, 0, pid=pid, sockets=[socket(fd, pid + fd / 100) for fd in range(16)]) for pid in range(1, 5)]
    sockets = as_json(t, log(t, "log", *lines)).only()["sockets"]
    t.equal([one["pid"] for one in sockets], [4] * 16, "whose the oldest are")
    ages = [one["age_s"] for one in sockets]
    t.equal(ages, sorted(ages, reverse=True), "their order")


def test_the_order_of_findings(t):
    answer = as_json(t, log(t, "log", finding(1), finding(50, 0, cause="half_close", verdict="info"),
                            finding(5, 0, cause="data_unread"), finding(7, 0, cause="late_close", verdict="late")))
    t.equal([(one["verdict"], one["count"]) for one in answer.findings()],
            [("leak", 5), ("leak", 1), ("late", 7), ("info", 50)], "leaks first, the largest first")


def test_the_timeline(t):
    lines = [finding(2, 0), finding(4, 10, cause="data_unread"), finding(9, 15, kind="fin_wait2"), finding(3, 5, pid=2),
             {**finding(0, 30), "event": "resolved"}]
    timeline = as_json(t, log(t, "log", *lines)).document()["timeline"]
    t.equal([(one["time"], one["pid"], one["count"]) for one in timeline],
            [(time(0), 100, 2), (time(5), 2, 3), (time(10), 100, 6), (time(15), 100, 6), (time(30), 100, 4)], "points")


def test_a_long_timeline_is_thinned(t):
    lines = [finding(1 + i % 7, i % 3600, pid=pid, opened=(), eof=None, last_use=None, sockets=[], history=None)
             for i in range(3600) for pid in (1, 2, 3)]
    timeline = as_json(t, log(t, "log", *lines)).document()["timeline"]
    t.check(1000 < len(timeline) < 5000, f"{len(timeline)} points")
    for pid in (1, 2, 3):
        own = [one for one in timeline if one["pid"] == pid]
        t.equal((own[0]["time"], own[-1]["time"]), (time(0), time(3599)), "the first and the last point")
        t.check(len(own) > 300, f"{len(own)} points of one process")


def action(second, **changes):
    return {**{name: finding()[name] for name in ("v", "host", "pid", "app")}, "event": "action", "time": time(second),
            "rule": "edge", "action": "reap", "at": "eof", "result": "done", "dry_run": False, **changes}


def test_actions_are_counted(t):
    lines = [action(1), action(3, pid=7), action(2, dry_run=True), action(5, result="refused", reason="shared"),
             action(0)]
    actions = as_json(t, log(t, "log", *lines)).document()["actions"]
    t.equal([(one["result"], one["reason"], one["dry_run"], one["count"]) for one in actions],
            [("done", None, False, 3), ("done", None, True, 1), ("refused", "shared", False, 1)], "groups")
    t.equal((actions[0]["first_seen"], actions[0]["last_seen"]), (time(0), time(3)), "when")
    t.check('policy: 3 times reap by rule "edge": done' in report(t, os.path.join(t.dir, "log")).text, "in text")


def test_actions_with_a_total(t):
    """A process says how many there were in all: neither a lost line nor one that is given twice makes that wrong."""
    path = log(t, "log", action(1, count=1, total=1), action(9, count=4, total=9, used_again=2),
               action(9, count=3, total=3, pid=7),
               {**summary(second=20), "actions": [{**action(20, count=0, total=11, used_again=2)}]})
    actions = as_json(t, path, path).document()["actions"]
    t.equal([(one["count"], one["used_again"]) for one in actions], [(14, 2)], "sums")


def test_what_a_policy_bears(t):
    """A suppressed leak is told, and is no failure, while every process that has it is told to bear it."""
    borne = finding(3, suppressed="the connection cache", suggested_rule="{ name = \"x\"; }")
    answer = as_json(t, log(t, "log", summary(borne, second=9))).expect(0)
    t.equal((answer.only()["suppressed"], answer.only()["suggested_rule"]),
            (borne["suppressed"], borne["suggested_rule"]), "texts")
    text = report(t, os.path.join(t.dir, "log")).expect(0).text
    t.check("  suppressed: the connection cache\n" in text and "  a rule for it: { name" in text, text)
    both = as_json(t, os.path.join(t.dir, "log"), log(t, "other", finding(1, pid=7))).expect(1).only()
    t.check("suppressed" not in both, "one that bears it and one that does not")
    as_json(t, "--diff", log(t, "old", finding(1)), os.path.join(t.dir, "log")).expect(0)


def test_a_saved_report_is_merged(t):
    """Reports of many hosts, saved there, and merged here."""
    one, other = log(t, "one", finding(3), summary(finding(4), second=9)), log(t, "two",
                                                                               finding(5, 2, host="web2", pid=7))
    for name, path in (("one.json", one), ("two.json", other)):
        as_json(t, path, "-o", name).expect(1)
    direct, saved = as_json(t, one, other).document(), as_json(t, "one.json", "two.json").document()
    for name in ("findings", "sources", "timeline", "actions", "warnings"):
        t.equal(saved[name], direct[name], name)
    os.rename(os.path.join(t.dir, "one.json"), os.path.join(t.dir, "old.json"))
    with open(os.path.join(t.dir, "old.json"), encoding="utf-8") as text:
        log(t, "bad.json", text.read().replace('"v":1', '"v":2', 1))
    as_json(t, "bad.json").expect(3, "closeguard: report: bad.json is a saved report of another version, this command "
                                     "reads version 1\n")
    log(t, "cut.json", b'{"v":1,"event":"report","sources":[')
    t.check("cut.json is a saved report that is damaged: line 1: " in as_json(t, "cut.json").errors, "a damaged one")


def leaking(t, count):
    app = t.start("prog_lines", count, status=-signal.SIGKILL)
    port = app.number("port")
    for _ in range(count):
        app.connect(port, b"question").shutdown(1)
    app.line("ready")
    app.finding("close_wait", "eof_ignored", pid=app.pid)
    return app


def test_recorders_and_logs_of_the_same(t):
    """Two processes of one program; one of them is told of by its log too, and counted once."""
    apps = [leaking(t, count) for count in (2, 3)]
    for app in apps:
        app.wait_for(lambda: [one["count"] for one in app.events("finding", pid=app.pid)][-1:] == [len(app.others)],
                     "the log has not all of it")
    path = os.path.join(t.dir, "log")
    answer = as_json(t, *[app.pid for app in apps], path).expect(1)
    t.equal(answer.only()["count"], 5, "count")
    t.equal(sorted(one["count"] for one in answer.only()["processes"]), [2, 3], "of each process")
    t.equal({one["kind"] for one in answer.document()["sources"]}, {"process", "log"}, "kinds of sources")
    t.equal({one["state"] for one in answer.document()["sources"]}, {"live"}, "their state")
    for app in apps:
        os.kill(app.pid, signal.SIGKILL)
        app.process.wait()
    dead = as_json(t, path).expect(1).document()
    t.equal((dead["findings"][0]["count"], {one["state"] for one in dead["sources"]}), (5, {"unknown"}), "by the log")
    t.equal({one["state"] for one in as_json(t).document()["sources"]}, {"killed"}, "by the recorders")


def test_stopped_and_deadlocked(t):
    """What the process could say itself is said without it."""
    app = leaking(t, 3)
    told = as_json(t, app.pid).expect(1)
    os.kill(app.pid, signal.SIGSTOP)
    app.wait_for(lambda: as_json(t, app.pid).document()["sources"][0]["state"] == "stopped", "it does not stop")
    stopped = as_json(t, app.pid).expect(1)
    for name in ("count", "opened", "eof", "last_use", "kind", "cause"):
        one, other = told.only()[name], stopped.only()[name]
        if isinstance(one, dict):
            one, other = one["stack"], other["stack"]
        t.equal(other, one, name)
    t.equal({(one["state"], one["local"] is None) for one in stopped.only()["sockets"]}, {("CLOSE_WAIT", False)},
            "the kernel's word of its sockets")
    os.kill(app.pid, signal.SIGKILL)
    app.process.wait()


if __name__ == "__main__":
    harness.main(__name__)
