#!/usr/bin/env python3
"""A server that has no descriptor left, at default settings: who holds them is told at once, and told once."""

import errno
import os
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import harness
from harness import Skip
from reports import report

DEFAULTS = {"CLOSEGUARD_WARN_AFTER": None, "CLOSEGUARD_INTERVAL": None}
LIMIT = 48


def exhausted(t, how, env=None):
    app = t.start("prog_spin", how, LIMIT, env={**DEFAULTS, **(env or {})})
    port = app.number("port")
    for _ in range(LIMIT + 20):
        peer = app.connect(port, b"x")
        if how == "leak":
            peer.close()
    t.equal(app.number("errno"), errno.EMFILE, "why it accepts no more")
    app.line("spins")
    if harness.BARE:
        raise Skip("ran bare")
    return app, app.finding("fd_exhaustion")


def test_a_leak_is_told_when_the_descriptors_are_out(t):
    """However young it is, with its functions; the exhaustion is the leak's."""
    app, out = exhausted(t, "leak")
    leak = app.finding("close_wait", "eof_ignored")
    t.check(leak["count"] > LIMIT / 2 and leak["verdict"] == "leak", f"the leak: {leak['count']} {leak['verdict']}")
    t.check(leak["oldest_age_s"] < 30, f"it is old enough anyway: {leak['oldest_age_s']}")
    t.equal(leak["opened"]["stack"][0]["function"], "accept_one", "function")
    t.equal(out["verdict"], "leak", "the exhaustion's verdict")
    t.check(out["open_fds"] <= out["fd_limit"] == LIMIT, f"{out['open_fds']} of {out['fd_limit']}")


def test_who_holds_the_descriptors_is_told_of_healthy_ones_too(t):
    app, out = exhausted(t, "hold")
    first = out["open_places"][0]
    t.check(first["open"] > LIMIT / 2, f"open: {first}")
    t.equal(first["site"]["function"], "accept_one", "where they were opened")
    t.equal(out["verdict"], "info", "the verdict")
    t.equal([one for one in app.events("finding") if one["kind"] != "fd_exhaustion"], [], "other findings")
    told = report(t, app.log_path).text
    t.check(f"  held open now: {first['open']} opened at accept_one prog_spin.c:" in told, f"the report: {told}")
    other = os.path.join(t.dir, "text")
    app, _ = exhausted_as_text(t, other)
    app.wait_for(lambda: "opened at accept_one prog_spin.c:" in app.log(), "the places in a text")


def exhausted_as_text(t, path):
    app = t.start("prog_spin", "hold", LIMIT, env={**DEFAULTS, "CLOSEGUARD_FORMAT": "text", "CLOSEGUARD_LOG": path})
    port = app.number("port")
    for _ in range(LIMIT + 20):
        app.connect(port, b"x")
    return app, app.line("spins")


def test_a_thousand_failed_calls_are_one_report(t):
    app, _ = exhausted(t, "leak")
    app.finish()
    told = [one for one in app.events("finding") if one["kind"] == "fd_exhaustion"]
    t.equal(len(told), 1, "reports of the exhaustion")
    t.check(len(app.events()) < 20, f"lines: {[line['event'] for line in app.events()]}")


def test_a_full_table_was_prepared_for(t):
    """A policy that acts keeps the sweep in the program's table, where in the end nothing can be opened: what names
    functions is loaded while there is room."""
    policy = os.path.join(t.dir, "policy.cfg")
    with open(policy, "w", encoding="utf-8") as file:
        file.write('version = 1; mode = "enforce"; rules = ({ close = { drain = { timeout = "1s"; }; }; });\n')
    os.chmod(policy, 0o600)
    app = t.start("prog_spin", "leak", 128, env={**DEFAULTS, "CLOSEGUARD_POLICY": policy})
    port = app.number("port")
    for _ in range(104):
        app.connect(port, b"x").close()
    if harness.BARE:
        raise Skip("ran bare")
    app.wait_for(lambda: "libcloseguard-dw.so" in app.maps(), "it is not loaded while there is room")
    for _ in range(60):
        app.connect(port, b"x").close()
    app.line("spins")
    leak, out = app.finding("close_wait", "eof_ignored"), app.finding("fd_exhaustion")
    for told in (leak["opened"]["stack"][0], out["open_places"][0]["site"]):
        t.equal(told.get("function"), "accept_one", f"function of {told}")


if __name__ == "__main__":
    harness.main(__name__)
