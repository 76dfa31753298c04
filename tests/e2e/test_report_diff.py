#!/usr/bin/env python3
"""`closeguard report --diff OLD`: what is new, grown, gone and shrunk; for CI."""

import copy
import json

import harness
from reports import as_json, finding, frame, log, report

NEW_ID = "ee" * 20


def rebuilt(line):
    """The same finding of another build: other build-id, other offsets, other lines."""
    made = copy.deepcopy(line)
    for name in ("opened", "eof", "last_use"):
        for one in made[name]["stack"]:
            one.update(build_id=NEW_ID, offset=hex(int(one["offset"], 16) + 0x40), line=one["line"] + 3)
    return made


def changes(answer):
    diff = answer.document()["diff"]
    return [(one["change"], one["cause"], one["count_before"], one["count"]) for one in diff["findings"]]


def test_all_that_can_change(t):
    old = log(t, "old", finding(3), finding(4, cause="data_unread"), finding(5, cause="shared"),
              finding(6, cause="fin_unread"))
    new = log(t, "new", finding(3, 9, pid=7), finding(9, 9, cause="data_unread"), finding(2, 9, cause="shared"),
              finding(1, 9, kind="fin_wait2", cause="half_closed", verdict="info"))
    answer = as_json(t, "--diff", old, new).expect(1)
    t.equal(changes(answer), [("new", "half_closed", 0, 1), ("grown", "data_unread", 4, 9),
                              ("gone", "fin_unread", 6, 0),
                              ("shrunk", "shared", 5, 2)], "changes")
    diff = answer.document()["diff"]
    t.equal([diff[name] for name in ("against", "new", "grown", "gone", "shrunk", "unchanged", "worse")],
            [old, 1, 1, 1, 1, 1, True], "counts")
    t.equal(len(answer.findings()), 4, "the findings are all there")
    lines = report(t, "--diff", old, new).expect(1).text.splitlines()
    t.equal(lines[0], f"closeguard: compared with {old}: 1 new, 1 grown, 1 gone, 1 shrunk, 1 unchanged",
            "the first line")
    heads = [line for line in lines if line.startswith("closeguard: app")]
    for head, start in zip(heads, ("NEW: INFO 1 socket in FIN_WAIT2", "GROWN from 4: LEAK 9 sockets",
                                   "GONE from 6: LEAK 6 sockets",
                                   "SHRUNK from 5: LEAK 2 sockets"), strict=True):
        t.check(head.startswith(f"closeguard: app[100] on web1: {start}"), f"{head!r} is not {start!r}")


def test_exit_status(t):
    """Only leaks that are new or have grown are a failure."""
    old = log(t, "old", finding(3), finding(3, cause="half_close", verdict="info"))
    for status, lines in ((0, [finding(3), finding(3, cause="half_close", verdict="info")]), (0, [finding(2)]), (0, []),
                          (0, [finding(3), finding(99, cause="half_close", verdict="info")]), (1, [finding(4)]),
                          (1, [finding(3), finding(1, cause="shared")]),
                          (0, [finding(9), {**finding(0, 9), "event": "resolved"}])):
        new = log(t, "new", {"v": 1, "event": "warning", "message": "x"}, *lines)
        t.equal(as_json(t, "--diff", old, new).status, status,
                f"status for {[(one['cause'], one['count']) for one in lines]}")


def test_a_saved_report_and_another_build(t):
    lines = [finding(3), finding(4, cause="data_unread")]
    old = log(t, "old", *lines)
    as_json(t, old, "-o", "old.json").expect(1)
    t.equal(changes(as_json(t, "--diff", "old.json", old).expect(0)), [], "the same log")
    new = log(t, "new", rebuilt(lines[0]), rebuilt({**lines[1], "count": 5}),
              rebuilt(finding(1, opened=(frame(0x9000, "other"),))))
    t.equal(changes(as_json(t, "--diff", "old.json", new).expect(1)),
            [("new", "eof_ignored", 0, 1), ("grown", "data_unread", 4, 5)], "changes")


def test_what_could_not_be_named_is_said(t):
    """A build whose functions were not named, and that is not here: the report says what it could not compare."""
    bare = rebuilt(finding(2))
    for name in ("opened", "eof", "last_use"):
        for one in bare[name]["stack"]:
            for key in ("function", "file", "line"):
                one.pop(key, None)
    shared = finding(9, cause="shared")
    old, new = log(t, "old", finding(2), shared), log(t, "new", bare)
    diff = as_json(t, "--diff", old, new).expect(1).document()["diff"]
    t.equal([diff[name] for name in ("new", "gone", "unnamed")], [1, 2, 1], "new, gone, of them unnamed")
    t.check("closeguard: 1 of the new and gone has functions that could not be named" in
            report(t, "--diff", old, new).expect(1).text, "the text does not say so")
    t.equal(as_json(t, "--diff", old, log(t, "named", shared)).document()["diff"]["unnamed"], 0, "all named")


def test_two_of_one_name(t):
    """Two call sites in one function: each is found again in another build, one of them twice is not."""
    one, other = finding(2), finding(2, opened=(frame(0x1180, "serve", 25), frame(0x1200, "main", 5)))
    old = log(t, "old", one, other)
    t.equal(changes(as_json(t, "--diff", old, log(t, "both", rebuilt(one), rebuilt(other))).expect(0)), [], "both")
    more = [rebuilt(finding(2, opened=(frame(at, "serve"), frame(0x1200, "main")))) for at in (0x1100, 0x1180, 0x11c0)]
    t.equal(changes(as_json(t, "--diff", old, log(t, "more", *more)).expect(1)), [("new", "eof_ignored", 0, 2)],
            "a third")


def test_what_cannot_be_compared(t):
    log(t, "new", finding(3))
    answer = as_json(t, "--diff", "nothing", "new")
    t.equal((answer.status, answer.text, answer.errors),
            (3, "", "closeguard: report: nothing cannot be read: No such file or directory\n"), "no old one")
    why = "closeguard: report: --diff has no folded stacks; it takes --format text, json or html\n"
    report(t, "--format=folded", "--diff", "new", "new").expect(2, why)
    log(t, "empty.json", json.dumps({"v": 1, "event": "report", "time": "2026-03-01T12:00:00.000Z", "findings": []}))
    t.equal(changes(as_json(t, "--diff", "empty.json", "new").expect(1)), [("new", "eof_ignored", 0, 3)],
            "an empty one")


if __name__ == "__main__":
    harness.main(__name__)
