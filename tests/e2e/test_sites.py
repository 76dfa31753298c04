#!/usr/bin/env python3
"""A finding is named by one place in the code, and by the same one everywhere."""

import os
import re
import signal
import socket
import subprocess

import harness
import programs
from policies import write_policy
from reports import COMMAND, as_json, report
from test_files import recorder_of

WANTED = ["ask_price", "ask_stock", "net_drain", "search_stream"]
BY_POLICY = ["ask_price", "ask_stock", "load_cart", "search_stream"]


def shop(t, **settings):
    """prog_sites, when its four findings were told; the peer of two of them closes at once."""
    if harness.SANITIZE:
        raise harness.Skip("a sanitizer's code has other frames")
    bound = socket.socket()
    t.cleanups.append(bound.close)
    bound.bind(("127.0.0.1", 0))
    bound.listen(16)
    app = t.start("prog_sites", bound.getsockname()[1], env=settings)
    for _ in range(6):
        bound.accept()[0].close()
    app.line("ready")
    if harness.BARE:
        raise harness.Skip("ran bare")
    return app


def told(t, app):
    app.wait_for(lambda: len(app.events("finding")) >= 4, lambda: f"no four findings in {app.log()[-1500:]}")
    return app.events("finding")


def names(findings):
    return sorted({one["site"]["function"] for one in findings})


def test_json_and_the_report_name_it(t):
    app = shop(t)
    lines = told(t, app)
    t.equal(names(lines), WANTED, "sites")
    for one in lines:
        t.equal(set(one["site"]) >= {"function", "file", "line", "module", "offset"}, True, f"of {one['site']}")
        t.equal(os.path.basename(one["site"]["file"]), "prog_sites.c", "the file")
    t.equal(names(app.dump()["groups"]), WANTED, "in the summary")
    for source in (app.log_path, recorder_of(app)):
        t.equal(names(as_json(t, source).findings()), WANTED, f"in the report of {source}")
    as_json(t, app.log_path, "-o", "saved.json")
    t.equal(names(as_json(t, "saved.json").findings()), WANTED, "in the report of a saved one")
    top = subprocess.run([COMMAND, "top", "--once", str(app.pid)], env=t.environment(LD_PRELOAD=None),
                         stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=harness.DEADLINE).stdout
    t.equal(sorted(re.findall(r'site="(\w+) prog_sites\.c:\d+"', top)), WANTED, f"in {top}")


def test_the_headline_names_it(t):
    app = shop(t, CLOSEGUARD_FORMAT="text")
    headline = re.compile(r"closeguard: prog_sites\[\d+\]: (?:LEAK|INFO) .* at (\w+) prog_sites\.c:\d+$", re.M)
    app.wait_for(lambda: len(headline.findall(app.log())) >= 4, lambda: f"no four headlines in {app.log()[-3000:]}")
    t.equal(sorted(set(headline.findall(app.log()))), WANTED, "the places in the headlines")
    said = re.findall(r" at (\w+) prog_sites\.c:\d+$", report(t, recorder_of(app)).text, re.M)
    t.equal(sorted(said), WANTED, "the places in the report's")


def test_a_policy_adds_what_is_passed_over(t):
    policy = write_policy(t, 'version = 1; pass_over = [ "net_*" ];')
    app = shop(t, CLOSEGUARD_POLICY=policy)
    t.equal(names(told(t, app)), BY_POLICY, "sites")
    for source in (app.log_path, recorder_of(app)):
        t.equal(names(as_json(t, source).findings()), BY_POLICY, f"in the report of {source}")


def test_the_callers_of_a_last_use_in_a_library(t):
    """Taken of a connection that has become suspicious, and of those that its place opens afterwards."""
    if harness.SANITIZE:
        raise harness.Skip("a sanitizer's code has other frames")
    library = programs.compile("lib_reader", harness.BUILD)
    policy = write_policy(t, 'version = 1; pass_over = [ "lib_reader*" ];')
    app = t.start("prog_library_use", library, env={"CLOSEGUARD_POLICY": policy})
    app.line("ready")
    first = app.finding("close_wait")
    t.equal([frame["function"] for frame in first["last_use"]["stack"]], ["reader_fill"], "before it was suspicious")
    app.tell()
    app.line("ready")
    groups = lambda: {tuple(frame["function"] for frame in group["last_use"]["stack"][:2]): group
                      for group in app.dump()["groups"]}
    app.wait_for(lambda: len(groups()) == 2, lambda: f"no two findings in {app.dump()}")
    found = groups()
    t.check(("reader_flush", "late_answer") in found, f"of the suspicious one: {list(found)}")
    t.check(("reader_fill", "later_request") in found, f"of later ones: {list(found)}")
    later = found["reader_fill", "later_request"]
    t.equal((later["site"]["function"], later["count"]), ("later_request", 3), "the place and the count")
    app.process.kill()
    app.process.wait()
    app.status = -signal.SIGKILL
    for source in (app.log_path, recorder_of(app)):
        stacks = [one["last_use"]["stack"] for one in as_json(t, source).findings() if one["count"]]
        callers = [[frame["function"] for frame in stack[1:2]] for stack in stacks]
        t.equal(sorted(callers), [["late_answer"], ["later_request"]], f"in {source}")


if __name__ == "__main__":
    harness.main(__name__)
