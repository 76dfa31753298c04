#!/usr/bin/env python3
"""`closeguard report` of a log says what the log says, and of a recorder the same."""

import json
import os
import signal

import harness
from reports import as_json, report
from test_files import recorder_of

FAST = {"CLOSEGUARD_WARN_AFTER": "200ms", "CLOSEGUARD_INTERVAL": "50ms"}


def started(t, how):
    app = t.start("prog_over", how, env=FAST, status=-signal.SIGKILL)
    app.line("ready")
    if harness.BARE:
        raise harness.Skip("ran bare")
    return app


def resolved(t, how, kind):
    app = started(t, how)
    told = app.finding(kind)
    app.tell()
    app.line("done")
    over = app.wait_for(lambda: app.events("resolved"), "no line says that it is over")[0]
    app.process.kill()
    app.process.wait()
    for name in ("opened", "eof", "last_use"):
        t.equal([frame["offset"] for frame in (over[name] or {}).get("stack", [])],
                [frame["offset"] for frame in (told[name] or {}).get("stack", [])], f"{name} of the resolved line")
    t.check("here" not in over, "the place of the end is told as that of a mistake")
    answer = as_json(t, app.log_path).expect(1)
    only = answer.only()
    t.equal((only["status"], only["count"], only["total"], answer.document()["leaks_told"]), ("resolved", 0, 1, 1),
            "what is left of it")
    return app


def test_a_leak_that_was_closed_is_over_and_was_told(t):
    app = resolved(t, "resolved", "close_wait")
    text = report(t, app.log_path).expect(1).text
    t.check("1 socket was told as leaked and is not outstanding any more" in text, f"the text is {text!r}")
    report(t, "--exit-zero", app.log_path).expect(0)
    as_json(t, app.log_path, "-o", "saved.json").expect(1)
    t.equal(as_json(t, "saved.json").expect(1).document()["leaks_told"], 1, "the saved report of it")
    as_json(t, recorder_of(app)).expect(1)


def test_a_dead_socket_that_was_closed_is_over(t):
    resolved(t, "dead", "dead_socket")


def test_double_closes_have_one_age(t):
    app = started(t, "twice")
    first = app.finding("double_close")
    app.wait_for(lambda: app.dump()["groups"][0]["oldest_age_s"] > 0.5, "it does not grow older")
    app.tell()
    app.line("ready")
    app.wait_for(lambda: [one for one in app.events("finding") if one["count"] == 2], "the second was not told")
    again = [one for one in app.events("finding") if one["count"] == 2][0]
    t.check(again["oldest_age_s"] >= 0.5, f"the first of two is {again['oldest_age_s']} s old, after {first}")
    summary = app.dump()
    app.process.kill()
    app.process.wait()
    ages = [as_json(t, source).only()["oldest_age_s"] for source in (app.log_path, recorder_of(app))]
    t.check(max(ages) - min(ages) < 2, f"by log and recorder: {ages}")
    t.check(min(ages) >= 0.5, f"by log and recorder: {ages}, in the summary {json.dumps(summary['groups'])[:300]}")


def test_what_a_child_was_to_serve_has_one_advice(t):
    app = t.start("prog_forking", 1, env=FAST)
    app.connect(app.number("port")).close()
    app.line("ready")
    if harness.BARE:
        raise harness.Skip("ran bare")
    told = app.finding("close_wait")
    t.check("after fork()" in told["advice"], f"advice {told['advice']!r}")
    path = [os.path.join(app.recorders, name) for name in os.listdir(app.recorders) if f"{app.pid}" in name][0]
    t.equal(as_json(t, path).only()["advice"], told["advice"], "the recorder's")


if __name__ == "__main__":
    harness.main(__name__)
