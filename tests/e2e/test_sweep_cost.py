#!/usr/bin/env python3
"""What a sweep asks of /proc on a host with many processes, of a program with many leaks."""

import math
import os
import re
import signal
import subprocess
import time

import harness

PROCESSES, SOCKETS, PLACES, SECONDS = 200, 300, 20, 5


def links_on_host():
    """Descriptors of all processes, and one link more for each process; as far as they are seen."""
    total = 0
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            total += 1 + len(os.listdir(f"/proc/{pid}/fd"))
        except OSError:
            pass
    return total


def counted(path):
    """The calls that strace counted."""
    with open(path, encoding="utf-8") as table:
        rows = [line.split() for line in table if re.match(r" *[\d.]+( +[\d.]+){3}", line)]
    return {row[-1]: int(row[3]) for row in rows}


def test_one_walk_answers_all(t):
    """Not one walk over /proc for each socket or finding, and none while answers hold."""
    strace = harness.need("strace")
    if harness.BARE or harness.SANITIZE:
        raise harness.Skip("counts the calls of the plain library")
    app = t.start("prog_crowd", PROCESSES, SOCKETS, env={"CLOSEGUARD_WARN_AFTER": "2s"})
    app.line("ready", timeout=60)
    table, start = os.path.join(t.dir, "calls"), time.monotonic()
    command = [strace, "-f", "-c", "-e", "trace=readlinkat", "-o", table, "-p", str(app.pid)]
    tracer = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    t.cleanups.append(tracer.kill)
    said = tracer.stderr.readline()
    if "attached" not in said:
        raise harness.Skip(f"strace cannot trace here: {said.strip()}")
    places = lambda: len({str(one["opened"]["stack"]) for one in app.events("finding")})
    app.wait_for(lambda: places() >= PLACES, lambda: f"{places()} of {PLACES} places were told", timeout=90)
    time.sleep(SECONDS)
    links, seconds = links_on_host(), time.monotonic() - start
    tracer.send_signal(signal.SIGINT)
    tracer.wait(harness.DEADLINE)
    calls = counted(table)["readlinkat"]
    walks = 2 + math.log2(1 + seconds / 5)  # answers hold for five seconds, then for ten, for twenty
    looks = 10 + 1.2 * seconds              # at the program's own descriptors: what is new there, who polls them
    most = int(walks * links + looks * (SOCKETS + 50))
    t.check(calls > PROCESSES, f"no walk was counted: {calls} calls")
    t.check(calls <= most, f"{calls} calls in {seconds:.1f} s, at most {most} expected with {links} links on this host")
    t.check(app.dump()["sweeps"] > 2, "it did not go on looking")


def traced(t, app, seconds):
    """The calls of the sweep's thread by which one could look at a descriptor, a line each."""
    path, tasks = os.path.join(t.dir, f"calls-{time.monotonic_ns()}"), f"/proc/{app.pid}/task"
    names = {task: open(f"{tasks}/{task}/comm", encoding="utf-8").read().strip() for task in os.listdir(tasks)}
    thread, = (task for task, name in names.items() if name == "closeguard")
    command = [harness.need("strace"), "-qq", "-o", path, "-p", thread, "-e",
               "trace=readlinkat,getxattr,statx,newfstatat,fstat,fcntl,getsockopt,pidfd_getfd,ioctl,getdents64"]
    tracer = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    t.cleanups.append(tracer.kill)
    time.sleep(seconds)
    if tracer.poll() is not None:
        raise harness.Skip(f"strace cannot trace here: {tracer.stderr.read().strip()}")
    tracer.send_signal(signal.SIGINT)
    tracer.wait(harness.DEADLINE)
    with open(path, encoding="utf-8", errors="replace") as calls:
        return calls.readlines()


def numbers_looked_at(lines):
    """Of descriptors that are asked, or whose link in /proc is read."""
    asked = re.compile(r"(?:fstat|fcntl|getsockopt|ioctl)\((\d+),"
                       r"|pidfd_getfd\(\d+, (\d+),"
                       r'|(?:readlinkat|newfstatat|statx)\(\d+, "(\d+)"'
                       r'|/fd/(\d+)"')
    found = (asked.search(line) for line in lines)
    return {int(next(filter(None, match.groups()))) for match in found if match}


def test_what_is_in_use_is_left_alone(t):
    """A look holds the file for a moment: a close in it is not the last one, and epoll goes on telling of it."""
    if harness.BARE or harness.SANITIZE:
        raise harness.Skip("counts the calls of the plain library")
    app = t.start("prog_in_use", 40, env={"CLOSEGUARD_INTERVAL": "100ms", "CLOSEGUARD_WARN_AFTER": "400ms"})
    lowest, highest = app.number("lowest"), app.number("highest")
    app.dump()  # which asks about all of them
    lines = traced(t, app, 3)
    t.check(any("getdents64" in line for line in lines), "the sweep did not look at what is open")
    in_use = set(range(lowest, highest + 1))
    t.equal(numbers_looked_at(lines) & in_use, set(), "numbers of connections in use that were looked at")
    os.kill(app.pid, signal.SIGUSR1)
    app.line("stopped")
    seen = set()
    app.wait_for(lambda: seen.update(numbers_looked_at(traced(t, app, 1)) & in_use) or len(seen) > 40,
                 lambda: f"of connections that are used no more only {len(seen)} are looked at", timeout=60)


if __name__ == "__main__":
    harness.main(__name__)
