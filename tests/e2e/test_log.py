#!/usr/bin/env python3
"""The log as those read it who were not there: when a line was written, how long it is, and where it went."""

import datetime
import json
import os
import re
import stat
import subprocess
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import harness
from harness import Skip
from reports import as_json

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
    t.check({line["event"] for line in lines} >= {"finding", "summary"}, f"events: {lines}")
    for line in lines:
        t.check(re.fullmatch(r"\d+\.\d+\.\d+", line.get("version", "")), f"version in {line}")


def dropped(t, when, env=None):
    """A server that gives its rights up at that time; its log is in a folder where only root may write."""
    if os.geteuid() != 0:
        raise Skip("only root can give rights up")
    os.chmod(t.dir, 0o755)
    folder, root = os.path.join(t.dir, "logs"), os.path.join(t.dir, "root")
    os.mkdir(folder, 0o755)
    os.mkdir(root, 0o755)
    os.makedirs(os.path.join(t.dir, "recorders"), exist_ok=True)
    os.chmod(os.path.join(t.dir, "recorders"), 0o1777)
    app = t.start("prog_drop", when, root, env={"CLOSEGUARD_LOG": os.path.join(folder, "%e.%p.log"),
                                                "CLOSEGUARD_DIR": None, **(env or {})}, stderr_empty=False)
    app.connect(app.number("port"), b"x").close()
    pid = app.number("leaked")
    app.log_path = os.path.join(folder, f"prog_drop.{pid}.log")
    return app


def outlives(t, when):
    app = dropped(t, when)
    app.finding("close_wait", "eof_ignored")
    app.finish()
    t.equal(app.stderr(), "", "stderr")


def test_a_log_outlives_a_change_of_user(t):
    outlives(t, "late")


def test_a_log_outlives_a_change_of_root(t):
    outlives(t, "root")


def test_a_worker_has_its_log(t):
    outlives(t, "worker")


def test_stderr_takes_what_cannot_be_logged(t):
    app = dropped(t, "early", env={"CLOSEGUARD_FORMAT": "text"})
    app.wait_for(lambda: "LEAK" in app.stderr(), lambda: f"stderr: {app.stderr()}")
    told = [line for line in app.stderr().splitlines() if "cannot write to" in line]
    t.equal(len(told), 1, f"lines about it in {app.stderr()}")
    t.check(told[0].endswith(f"{app.log_path}: permission denied; reports go to stderr, as the process has another "
                             "user than at its start"), told[0])


def test_the_mode_of_a_log(t):
    """Whatever the umask; a file that is there keeps its own."""
    for mode, wanted in ((None, 0o600), ("0640", 0o640), ("0664", 0o664)):
        path = os.path.join(t.dir, f"log.{mode}")
        app = leak(t, env={"CLOSEGUARD_LOG": path, "CLOSEGUARD_LOG_MODE": mode}, preexec=lambda: os.umask(0o077))
        app.wait_for(lambda: "LEAK" in app.log(), "no finding")
        t.equal(stat.S_IMODE(os.stat(path).st_mode), wanted, f"mode {mode}")
    path = os.path.join(t.dir, "there")
    os.close(os.open(path, os.O_CREAT | os.O_WRONLY, 0o600))
    app = leak(t, env={"CLOSEGUARD_LOG": path, "CLOSEGUARD_LOG_MODE": "0640"})
    app.wait_for(lambda: "LEAK" in app.log(), "no finding")
    t.equal(stat.S_IMODE(os.stat(path).st_mode), 0o600, "mode of the file that was there")


def test_a_mode_that_is_none(t):
    for wrong in ("640x", "0400", "0666", "0755", "9", "01640"):
        app = leak(t, env={"CLOSEGUARD_LOG": os.path.join(t.dir, "log." + wrong), "CLOSEGUARD_LOG_MODE": wrong})
        app.wait_for(lambda: "LEAK" in app.log(), "no finding")
        t.check(f'CLOSEGUARD_LOG_MODE: "{wrong}" is not an octal mode from 0600 to 0664; using 0600' in app.log(),
                app.log())


def raw_lines(app):
    return app.log().splitlines()


def deep(t, env=None):
    app = t.start("prog_deep", 50, env=env)
    app.line("leaked")
    return app, app.finding("close_wait", "eof_ignored")


def test_a_line_has_the_frames_of_interest(t):
    """And the recorder has the rest, of the same finding."""
    app, told = deep(t)
    t.equal((len(told["opened"]["stack"]), told["opened"]["truncated"]), (12, True), "frames in the log")
    app.dump()
    recorder, = [os.path.join(app.recorders, name) for name in os.listdir(app.recorders) if f"{app.pid}." in name]
    app.kill()
    app.status = None
    merged = as_json(t, app.log_path, recorder).only()
    t.equal(merged["opened"]["stack_id"], told["opened"]["stack_id"], "the stack of log and recorder")
    t.check(len(merged["opened"]["stack"]) >= 32, f"frames in the report: {len(merged['opened']['stack'])}")
    t.equal(merged["count"], 1, "count")


def test_a_depth_that_was_asked_for_is_shown(t):
    _, told = deep(t, env={"CLOSEGUARD_DEPTH": "20"})
    addresses = [frame for frame in told["opened"]["stack"] if not frame.get("inlined")]
    t.equal(len(addresses), 20, "addresses in the log")


def test_a_summary_has_a_line_for_each_group(t):
    app = t.start("prog_leaks_at")
    app.line("ready")
    app.wait_for(lambda: len({one["eof"]["stack_id"] for one in app.events("finding")}) == 8, "not all are told")
    app.dump()
    lines = [json.loads(line) for line in raw_lines(app)]
    parts = [line for line in lines if line["event"] == "summary"]
    t.equal([(line["part"], line["parts"], len(line["groups"])) for line in parts],
            [(part, 8, 1) for part in range(1, 9)], "the summary's lines")
    longest = max(len(line.encode()) + 1 for line in raw_lines(app))
    t.check(longest <= 16384, f"a line of {longest} bytes")
    t.equal(len({line["groups"][0]["eof"]["stack_id"] for line in parts}), 8, "different groups")
    t.equal(len(as_json(t, app.log_path).findings()), 8, "findings of the log")


def built_as(t, name, *flags):
    """Another release of a program, by that name."""
    folder = os.path.join(t.dir, "-".join(["build", *flags]))
    os.mkdir(folder)
    path = os.path.join(folder, name)
    subprocess.run(["gcc", "-g", *flags, "-pthread", "-o", path, os.path.join(harness.HERE, name + ".c")], check=True)
    return path


def test_an_id_is_the_same_in_every_release(t):
    ids = []
    for flags in (("-O0",), ("-O2", "-DPADDING")):
        app = t.start(built_as(t, "prog_deep", *flags), 3, env={"CLOSEGUARD_LOG": os.path.join(t.dir, flags[0])})
        app.line("leaked")
        app.finding("close_wait", "eof_ignored")
        app.finish()
        lines = app.events("finding") + app.events("summary")[-1]["groups"]
        ids += [line["id"] for line in lines] + [as_json(t, app.log_path).only()["id"]]
    t.equal(len(set(ids)), 1, f"different ids: {ids}")
    t.check(re.fullmatch("[0-9a-f]{16}", ids[0]), ids[0])


def test_an_id_ends_with_its_finding(t):
    """What is over is told with the id that it had."""
    app = t.start("prog_over", "resolved")
    told = app.finding("close_wait", "eof_ignored")
    app.tell()
    over = app.wait_for(lambda: app.events("resolved"), "nothing was resolved")[0]
    t.equal(over["id"], told["id"], "id")


if __name__ == "__main__":
    harness.main(__name__)
