#!/usr/bin/env python3
"""The end of a process waits half a second for the library at most; what was not told by then is in the recorder."""

import ctypes
import errno
import os
import subprocess
import time

import harness
from reports import as_json
from test_files import need_names, recorder_of, with_debug_file

PTRACE_DETACH, PTRACE_SEIZE, PTRACE_INTERRUPT, WALL = 17, 0x4206, 0x4207, 0x40000000
LIBC = ctypes.CDLL(None, use_errno=True)
LIBC.ptrace.argtypes = [ctypes.c_long, ctypes.c_long, ctypes.c_void_p, ctypes.c_void_p]


def thread_of_ours(app):
    """It gets its name a moment after it was made."""
    def look():
        for tid in os.listdir(f"/proc/{app.pid}/task"):
            with open(f"/proc/{app.pid}/task/{tid}/comm", encoding="utf-8") as comm:
                if comm.read() == "closeguard\n":
                    return int(tid)
        return None
    return app.wait_for(look, "there is no sweep thread")


def stop(tid):
    """Stops one thread: on a host that gives it no time it would stand as still, but not as surely."""
    if LIBC.ptrace(PTRACE_SEIZE, tid, None, None) < 0:
        if ctypes.get_errno() in (errno.EPERM, errno.ENOSYS):
            raise harness.Skip("no thread may be stopped here")
        raise OSError(ctypes.get_errno(), "ptrace")
    LIBC.ptrace(PTRACE_INTERRUPT, tid, None, None)
    os.waitpid(tid, WALL)


def test_the_end_does_not_wait_for_a_thread_that_gets_no_time(t):
    app = t.start("prog_lines", 2, env={"CLOSEGUARD_WARN_AFTER": "1h"})
    port = app.number("port")
    for _ in range(2):
        app.connect(port, b"question").shutdown(1)
    app.line("ready")
    if harness.BARE:
        raise harness.Skip("ran bare")
    tid = thread_of_ours(app)
    stop(tid)
    start = time.monotonic()
    app.process.stdin.close()
    os.waitpid(tid, WALL)
    took = time.monotonic() - start
    t.equal(app.process.wait(harness.DEADLINE), 0, "status")
    t.check(took < 2, f"the end took {took:.2f} s")
    source = as_json(t, recorder_of(app)).document()["sources"][0]
    t.equal((source["counters"]["open_now"], source["counters"]["eofs"]), (3, 2), "what the command finds")


def slow_to_read(t, debug):
    """Debug information that takes more CPU to unpack than the end of a process may."""
    with open(os.path.join(t.dir, "zeros"), "wb") as zeros:
        zeros.truncate(100 << 20)
    subprocess.run(["objcopy", "--add-section", f".debug_types={zeros.name}", debug], check=True)
    done = subprocess.run(["objcopy", "--compress-debug-sections=zlib", debug], stderr=subprocess.PIPE)
    if done.returncode:
        raise harness.Skip("objcopy does not compress")


def test_names_that_take_too_long_are_told_as_missing(t):
    need_names()
    program, debug = with_debug_file(t, "prog_places")
    slow_to_read(t, debug)
    app = t.start(program, 1, 0, env={"CLOSEGUARD_INTERVAL": "5s"})
    app.line("done")
    t.equal(app.process.wait(harness.DEADLINE), 0, "status")
    for summary in app.events("summary"):
        t.equal(len(summary["groups"]), 64, "groups")
        warnings = [one["message"] for one in app.events("warning")]
        t.check(any("no time left for some names" in one for one in warnings), f"warnings: {warnings}")
    if not app.events("finding"):
        raise harness.Skip("the machine is too busy: the thread got no time at all")
    unnamed = [one for one in app.events("finding") if not one["here"]["stack"][0].get("function")]
    t.check(all(one.get("names") == "pending" for one in unnamed), "a finding without names does not say so")
    found = [one for one in as_json(t, recorder_of(app)).findings() if one["kind"] == "double_close"]
    t.equal(sum(one["count"] for one in found), 64, "what the command finds, also where a busy host left no summary")
    t.check(all(one["here"]["stack"][0].get("line") for one in found), "not all of it has lines")


def test_a_leak_waits_for_its_names(t):
    """Reading debug information takes all the time that one sweep has for names: the next ones name the others."""
    need_names()
    program, debug = with_debug_file(t, "prog_leaks_at")
    slow_to_read(t, debug)
    app = t.start(program, env={"CLOSEGUARD_WARN_AFTER": "100ms", "CLOSEGUARD_INTERVAL": "100ms"})
    app.line("ready")
    if harness.BARE:
        raise harness.Skip("ran bare")
    app.wait_for(lambda: sum(one["count"] for one in app.events("finding")) >= 8, "not all leaks were told")
    times = [one["time"] for one in app.events("finding")]
    t.check(len(set(times)) > 1, f"all were told at once: {times}")
    for one in app.events("finding"):
        t.check(one.get("names") == "pending" or one["eof"]["stack"][0].get("line"), f"not named nor pending: {one}")


if __name__ == "__main__":
    harness.main(__name__)
