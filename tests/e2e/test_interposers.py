#!/usr/bin/env python3
"""Beside other libraries that interpose libc: their clocks are not ours, and they see no call of ours."""

import glob
import os

import harness
import programs
from app import counter
from harness import Skip

ORDERS = ("before", "after")


def beside(t, order, library, program, *args, **env):
    return t.start(program, *args, env={"LD_PRELOAD": harness.preload(**{order: [library]}), **env})


def closes_in_time(t, order, library, **env):
    """What is closed after 0.7 s is not told as late, by a limit of 20 s, however fast the other clock runs."""
    app = beside(t, order, library, "prog_patient", CLOSEGUARD_WARN_AFTER="20s", **env)
    app.line("closed")
    if not harness.BARE:
        summary = app.dump()
        t.equal(counter(summary, "closed_in_time"), 1, "closed in time")
    t.equal(app.events("finding"), [], "findings")


def test_a_fast_clock(t):
    library = programs.compile("lib_interposer", harness.BUILD)
    for order in ORDERS:
        closes_in_time(t, order, library)


def test_libfaketime(t):
    found = glob.glob("/usr/lib/*/faketime/libfaketimeMT.so.1")
    if not found or harness.SANITIZE:
        raise Skip("libfaketime is not installed" if not found else "libfaketime and a sanitizer's runtime do not mix")
    for order in ORDERS:
        closes_in_time(t, order, found[0], FAKETIME="@2020-01-01 00:00:00 x50")


def test_no_call_of_ours_is_seen(t):
    """From the constructor to the report at the end."""
    library = programs.compile("lib_interposer", harness.BUILD)
    if harness.SANITIZE:
        raise Skip("a sanitized library calls libc for its runtime")
    for order in ORDERS:
        path = os.path.join(t.dir, "seen." + order)
        app = beside(t, order, library, "prog_eof", "read", 1, INTERPOSER_LOG=path)
        app.connect(app.number("port"), b"x").close()
        app.line("ready")
        if not harness.BARE:
            app.finding("close_wait", "eof_ignored")
        app.finish()
        with open(path, encoding="utf-8") as file:
            seen = sorted(set(file.read().splitlines()))
        t.equal(seen, ["loaded"], f"{order}: what the other library noted")


harness.main(__name__)
