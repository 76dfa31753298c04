#!/usr/bin/env python3
"""The log as those read it who were not there: when a line was written, how long it is, and where it went."""

import datetime
import os
import re
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import harness
from harness import Skip

HEAD = re.compile(r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z )?closeguard: \w+\[\d+\]: ")


def leak(t, env=None, **options):
    """One connection whose end is read and which is not closed."""
    app = t.start("prog_eof", "read", 1, env={"CLOSEGUARD_FORMAT": "text", **(env or {})}, **options)
    app.connect(app.number("port"), b"x").close()
    if harness.BARE:
        raise Skip("ran bare")
    return app


def heads(text):
    """The time of each paragraph, or None; all other lines belong to one."""
    found = [HEAD.match(line) for line in text.splitlines() if not line.startswith(" ")]
    return [match and match.group(1) for match in found]


def check_times(t, text, began):
    t.check(heads(text) and all(heads(text)), f"a paragraph without a time: {text}")
    for head in heads(text):
        told = datetime.datetime.strptime(head.strip(), "%Y-%m-%dT%H:%M:%S.%fZ").replace(tzinfo=datetime.timezone.utc)
        t.check(began - 1 <= told.timestamp() <= time.time() + 1, f"{head} is not now")


def test_the_time_comes_first_in_a_file(t):
    began = time.time()
    app = leak(t)
    app.wait_for(lambda: "LEAK" in app.log(), "no finding")
    app.finish()
    check_times(t, app.log(), began)
    t.check("summary (exit)" in app.log(), app.log())


def test_the_time_comes_first_where_stderr_is_no_terminal(t):
    began = time.time()
    app = leak(t, env={"CLOSEGUARD_LOG": "stderr"}, stderr_empty=False)
    app.wait_for(lambda: "LEAK" in app.stderr(), "no finding")
    app.finish()
    check_times(t, app.stderr(), began)


def test_a_terminal_shows_no_time(t):
    master, slave = os.openpty()
    text = b""
    app = leak(t, env={"CLOSEGUARD_LOG": "stderr"}, stderr=slave)
    os.close(slave)
    os.set_blocking(master, False)
    deadline = time.monotonic() + harness.DEADLINE
    while b"LEAK" not in text and time.monotonic() < deadline:
        try:
            text += os.read(master, 1 << 16)
        except BlockingIOError:
            time.sleep(0.05)
    os.close(master)
    t.check(b"LEAK" in text, f"no finding on the terminal: {text}")
    t.check(text.startswith(b"closeguard: prog_eof["), f"{text}")


def test_each_line_names_the_release(t):
    app = leak(t, env={"CLOSEGUARD_FORMAT": "json"})
    app.finding("close_wait", "eof_ignored")
    app.finish()
    lines = app.events()
    t.equal({line["event"] for line in lines}, {"finding", "summary"}, "events")
    for line in lines:
        t.check(re.fullmatch(r"\d+\.\d+\.\d+", line.get("version", "")), f"version in {line}")


if __name__ == "__main__":
    harness.main(__name__)
