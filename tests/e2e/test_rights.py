#!/usr/bin/env python3
"""What others can write, or have no right to: recorders, folders, workers without privileges."""

import os
import subprocess

import harness
import policies
import programs

POLICY = """version = 1; mode = "observe"; rules = ( { name = "a rule"; match = { role = "accepted"; site = "second"; };
open = { keepalive = { idle = "60s"; interval = "10s"; count = 3; }; }; }, { name = "the rest"; match = { role =
"accepted"; }; open = { user_timeout = "20s"; }; eof = { reap_after = "50ms"; }; close = { linger = "off"; }; } );
suppress = ( { kind = "close_wait"; stack = [ "third" ]; max = 1; reason = "one is kept"; } );"""


def corrupted(t, form, seeds, rounds=3):
    """Runs with other nonsense each, a few at a time, and as many as the time allows."""
    policy = policies.write_policy(t, POLICY)
    env = t.environment(CLOSEGUARD_POLICY=policy, CLOSEGUARD_FORMAT=form, CLOSEGUARD_WARN_AFTER="20ms",
                        CLOSEGUARD_INTERVAL="10ms")
    program = programs.compile("prog_corrupt", harness.BUILD)
    for at in range(0, len(seeds), 4):
        running = [(seed, subprocess.Popen([program, str(seed), str(rounds)], env=env, stdin=subprocess.DEVNULL,
                                           stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True))
                   for seed in seeds[at:at + 4]]
        try:
            for seed, process in running:
                out, err = process.communicate(timeout=4 * harness.DEADLINE)
                t.equal((process.returncode, out), (7, "corrupted 1\n"), f"status and output with seed {seed}, {err}")
        finally:
            for _, process in running:
                process.kill()
                process.wait()


def test_a_recorder_full_of_nonsense_is_survived(t):
    corrupted(t, "json", range(1, 13))


def test_a_recorder_full_of_nonsense_is_survived_in_text(t):
    corrupted(t, "text", range(101, 109))


def worker_reaches_nothing(t, how):
    app = t.start("prog_worker", how, env={"CLOSEGUARD_LOG": os.path.join(t.dir, "log")})
    if not harness.BARE:  # bare there is none
        t.equal(app.line()[:13], "master maps 1", "what the master has mapped")
    t.equal(app.line(), "worker maps 0 fds 0 opens 0", "what of a recorder the worker can reach")
    app.expect("close_wait", "eof_ignored", 2)


def test_a_worker_reaches_no_recorder_of_its_master(t):
    worker_reaches_nothing(t, "fork")


def test_nor_one_made_past_the_handlers(t):
    worker_reaches_nothing(t, "_Fork")


if __name__ == "__main__":
    harness.main(__name__)
