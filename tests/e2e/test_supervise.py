#!/usr/bin/env python3
"""`closeguard run --supervise`: a parent that passes on what comes, and looks at what a signal's victim left open."""

import json
import os
import pty
import re
import signal
import subprocess
import time

import harness
import programs

COMMAND = os.path.join(harness.BUILD, "closeguard")
PYTHON = ("python3", "-c")


def start(t, *arguments, preexec=None, stdin=subprocess.DEVNULL, **settings):
    if harness.BARE:
        raise harness.Skip("ran bare")
    env = t.environment(LD_PRELOAD=harness.preload().replace(harness.LIBRARY, "").strip() or None, **settings)
    return subprocess.Popen([COMMAND, "run", "--supervise", *map(str, arguments)], env=env, cwd=t.dir, stdin=stdin,
                            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, preexec_fn=preexec)


def status_of(process):
    """The status and what was said; a process that hangs is no process that ends."""
    try:
        out, errors = process.communicate(timeout=harness.DEADLINE)
    except subprocess.TimeoutExpired:
        process.kill()
        raise
    return process.returncode, out, errors


def wait_for(t, condition, what):
    end = time.monotonic() + harness.DEADLINE
    while not (found := condition()):
        t.check(time.monotonic() < end, f"timed out: {what}")
        time.sleep(0.05)
    return found


def child_of(t, process):
    path = f"/proc/{process.pid}/task/{process.pid}/children"
    return int(wait_for(t, lambda: open(path, encoding="ascii").read().split(), "no child")[0])


def source(t, pid):
    """What the recorder of the process says, or None."""
    done = subprocess.run([COMMAND, "report", "--format", "json", str(pid)], env=t.environment(LD_PRELOAD=None),
                          stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, timeout=harness.DEADLINE)
    return json.loads(done.stdout) if done.stdout else None


def leaking(t, how, number, count=3, until=None, **settings):
    """Starts prog_gate with a code of 42, ends it by a signal when it is time, and returns the status."""
    process = start(t, "--error-exitcode", 42, programs.compile("prog_gate", harness.BUILD), how, count, 600000,
                    CLOSEGUARD_DIR=os.path.join(t.dir, "recorders"), **settings)
    pid = child_of(t, process)
    wait_for(t, lambda: (said := source(t, pid)) and until(said), "it is not time to end it")
    os.kill(pid if number == signal.SIGKILL else process.pid, number)
    return status_of(process)[0]


def is_told(said):
    return said["leaks_told"] > 0


def was_seen(said):
    return said["sources"][0]["counters"]["sweeps"] >= 3


def test_a_leak_is_told_of_whoever_ended_it(t):
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        t.equal(leaking(t, "keep", number, until=is_told), 42, f"status after {number}")


def test_a_leak_that_was_too_young_to_be_told(t):
    """Its end was read, and a look saw that."""
    t.equal(leaking(t, "keep", signal.SIGTERM, until=was_seen, CLOSEGUARD_WARN_AFTER="60s",
                    CLOSEGUARD_INTERVAL="200ms"), 42, "status")


def test_nothing_is_left(t):
    t.equal(leaking(t, "keep", signal.SIGTERM, count=0, until=was_seen), -signal.SIGTERM, "status without a leak")
    t.equal(leaking(t, "keep", signal.SIGKILL, until=is_told), -signal.SIGKILL, "what no shutdown ends by")


def test_without_a_code_the_signal_is_the_answer(t):
    process = start(t, programs.compile("prog_gate", harness.BUILD), "keep", 3, 600000)
    pid = child_of(t, process)
    wait_for(t, lambda: (said := source(t, pid)) and is_told(said), "nothing is told")
    process.send_signal(signal.SIGTERM)
    t.equal(status_of(process)[0], -signal.SIGTERM, "status")


def test_status_and_arguments(t):
    t.equal(status_of(start(t, "sh", "-c", 'echo "$1"; exit 7', "sh", "a b"))[:2], (7, "a b\n"), "status and output")
    t.equal(status_of(start(t, "sh", "-c", "kill -SEGV $$"))[0], -signal.SIGSEGV, "a crash")
    program = "import signal; print(signal.getsignal(signal.SIGUSR1) == signal.SIG_IGN, signal.pthread_sigmask(0, []))"
    ignored = start(t, *PYTHON, program, preexec=lambda: signal.signal(signal.SIGUSR1, signal.SIG_IGN))
    t.equal(status_of(ignored)[:2], (0, "True set()\n"), "signals of the program")


def test_signals_are_passed_on(t):
    program = ("import signal, sys\n"
               "signal.signal(signal.SIGTERM, lambda *_: sys.exit(5))\n"
               "print('ready', flush=True)\n"
               "while True: signal.pause()\n")
    process = start(t, *PYTHON, program)
    t.equal(process.stdout.readline(), "ready\n", "the program")
    process.send_signal(signal.SIGTERM)
    t.equal(status_of(process)[0], 5, "status of the program's own handler")


def test_the_terminals_signal_comes_once(t):
    """Ctrl-C goes to parent and child: it is not passed on."""
    program = ("import signal, sys, time\n"
               "got = []\n"
               "signal.signal(signal.SIGINT, lambda *_: got.append(1))\n"
               "print('ready', flush=True)\n"
               "while not got: time.sleep(0.05)\n"
               "time.sleep(1)\n"
               "sys.exit(10 + len(got))\n")
    master, slave = pty.openpty()
    def lead():
        os.setsid()
        import fcntl, termios
        fcntl.ioctl(slave, termios.TIOCSCTTY, 0)
    process = start(t, *PYTHON, program, preexec=lead, stdin=slave)
    os.close(slave)
    t.equal(process.stdout.readline(), "ready\n", "the program")
    os.write(master, b"\x03")
    t.equal(status_of(process)[0], 11, "10 and the number of SIGINTs")
    os.close(master)


def state(pid):
    with open(f"/proc/{pid}/stat", encoding="latin-1") as file:
        return re.search(r"\) (\S)", file.read()).group(1)


def test_stop_and_continue(t):
    process = start(t, "sleep", 1000)
    pid = child_of(t, process)
    wait_for(t, lambda: os.readlink(f"/proc/{pid}/exe").endswith("sleep") or "coreutils" in
             os.readlink(f"/proc/{pid}/exe"), "no sleep")
    os.kill(pid, signal.SIGSTOP)
    wait_for(t, lambda: state(pid) == state(process.pid) == "T", "parent and child are not stopped")
    process.send_signal(signal.SIGCONT)
    wait_for(t, lambda: "T" not in (state(pid), state(process.pid)), "they do not go on")
    process.send_signal(signal.SIGTERM)
    t.equal(status_of(process)[0], -signal.SIGTERM, "status")


harness.main(__name__)
