#!/usr/bin/env python3
"""What makes the exit code of a run red: leaks that were told, and at the end what the program had read the end of."""

import json
import os
import socket
import subprocess

import harness
import programs

RED = 42
PYTHON = "/usr/bin/python3"  # the distribution's: one that somebody built may have been linked otherwise


def run(t, command, gate=True, stdout="", **settings):
    """Runs it to its end; returns its status and the lines of its log."""
    env = t.environment(CLOSEGUARD_EXITCODE=str(RED) if gate else None, **settings)
    done = subprocess.run([str(word) for word in command], env=env, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True, timeout=harness.DEADLINE)
    t.equal(done.stdout, stdout, "output")
    path = os.path.join(t.dir, "log")
    if not os.path.exists(path):
        return done.returncode, []
    with open(path, encoding="utf-8") as log:
        return done.returncode, [json.loads(line) for line in log]


def reported(t):
    """The counts of what `closeguard report` finds in the recorders."""
    done = subprocess.run([os.path.join(harness.BUILD, "closeguard"), "report", "--format", "json"],
                          env=t.environment(LD_PRELOAD=None), stdout=subprocess.PIPE, timeout=harness.DEADLINE)
    return [finding["count"] for finding in json.loads(done.stdout)["findings"]]


def gate(*words):
    return [programs.compile("prog_gate", harness.BUILD), *words]


def script(*words):
    if not os.access(PYTHON, os.X_OK):
        raise harness.Skip(f"{PYTHON} is not installed")
    return [PYTHON, os.path.join(harness.HERE, "gate.py"), *words]


def verdicts(lines):
    return {(line["verdict"], line["cause"]) for line in lines if line["event"] == "finding"}


def test_leaks_that_an_orderly_shutdown_closes(t):
    status, lines = run(t, gate("shutdown", 8, 2500))
    t.equal(status, RED, "status")
    t.equal(verdicts(lines), {("leak", "eof_ignored")}, "what was told: the closes of the shutdown are not late")
    t.equal(lines[-1]["leaks_told"], 8, "told as leaked, by the summary")


def test_an_orderly_shutdown_of_young_connections(t):
    t.equal(run(t, gate("shutdown", 8, 0)), (0, []), "status and log")


def refusing_port(t):
    """Bound, so that nobody else gets it, and not listening."""
    bound = socket.socket()
    t.cleanups.append(bound.close)
    bound.bind(("127.0.0.1", 0))
    return bound.getsockname()[1]


def test_connects_that_were_refused(t):
    """The program was told: at the end that counts however young it is; one that was not has the usual time."""
    program = programs.compile("prog_refused", harness.BUILD)
    settings = {"CLOSEGUARD_WARN_AFTER": "60s", "stdout": "ready\n"}
    status, lines = run(t, [program, "block", 3, refusing_port(t)], **settings)
    t.equal((status, verdicts(lines)), (RED, {("leak", "connect_failed")}), "status and findings")
    t.equal(run(t, [program, "poll", 3, refusing_port(t)], **settings)[0], 0, "status of one that was not told")


def test_late_closes_of_a_program_that_goes_on(t):
    status, lines = run(t, gate("close", 3, 1000), CLOSEGUARD_WARN_AFTER="900ms", CLOSEGUARD_THREAD="off")
    t.equal(status, 0, "status")
    t.equal(verdicts(lines), {("late", "late_close")}, "what was told")


def test_young_connections_at_exit(t):
    status, lines = run(t, gate("keep", 8, 0))
    t.equal(status, RED, "status")
    t.equal([line["count"] for line in lines if line["event"] == "finding"], [8], "sockets that were told")
    t.equal(reported(t), [8], "sockets that the report shows")


def test_young_connections_at_exit_without_a_gate(t):
    t.equal(run(t, gate("keep", 8, 0), gate=False), (0, []), "status and log")


def test_leaks_that_an_interpreter_closes(t):
    status, lines = run(t, script(5, 2.5))
    t.equal(status, RED, "status")
    t.equal(verdicts(lines), {("leak", "eof_ignored")}, "what was told")


def test_young_connections_that_an_interpreter_closes(t):
    status, lines = run(t, script(5, 0))
    t.equal(status, RED, "status")
    t.equal([line["count"] for line in lines if line["event"] == "finding"], [5], "sockets that were told")


def test_what_an_interpreter_closes_without_a_gate(t):
    status, lines = run(t, script(5, 2.5), gate=False)
    t.equal(status, 0, "status")
    t.equal(verdicts(lines), {("leak", "eof_ignored")}, "what was told: its closes are not late")
    t.equal(run(t, script(5, 0), gate=False)[0], 0, "status")


if __name__ == "__main__":
    harness.main(__name__)
