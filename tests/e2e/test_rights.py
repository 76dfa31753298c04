#!/usr/bin/env python3
"""What others can write, or have no right to: recorders, folders, workers without privileges."""

import glob
import json
import os
import shutil
import subprocess

import harness
import policies
import programs
from harness import Skip

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


COMMAND = os.path.join(harness.BUILD, "closeguard")
OTHER, ANOTHER = 64117, 64118  # users that nobody is


def command(*arguments, **settings):
    env = {key: value for key, value in os.environ.items() if not key.startswith(("CLOSEGUARD", "LD_PRELOAD"))}
    return subprocess.run([COMMAND, *map(str, arguments)], env={**env, **settings}, timeout=harness.DEADLINE,
                          stdin=subprocess.DEVNULL, capture_output=True, text=True)


def leaker(t, **options):
    """A program with a finding, and its recorder."""
    if harness.BARE:
        raise Skip("ran bare, where there is no recorder")
    if os.geteuid() != 0:
        raise Skip("not root: nothing can belong to another user")
    app = t.start("prog_eof", "read", 1, **options)
    app.connect(app.number("port"), b"x").close()
    app.line("ready")
    app.expect("close_wait", "eof_ignored", 1)
    return app, glob.glob(os.path.join(t.dir, "recorders", f"{app.process.pid}.*.rec"))[0]


def folder_of(t, name, owner):
    folder = os.path.join(t.dir, name)
    os.mkdir(folder, 0o777)
    os.chown(folder, owner, owner)
    return folder


def put(t, recorder, folder, name, owner):
    path = os.path.join(folder, name)
    shutil.copy(recorder, path)
    os.chown(path, owner, owner)
    return path


def test_another_users_recorder_is_not_the_processs(t):
    """It names a process of root's, rightly down to its start: whoever made it wants to be taken for it."""
    app, recorder = leaker(t)
    folder = folder_of(t, "others", OTHER)
    forged = put(t, recorder, folder, os.path.basename(recorder), OTHER)
    done = command("report", forged)
    t.check(f"belongs to user {OTHER}" in done.stdout and "another user's" in done.stdout, f"nothing said: {done}")
    t.check(f"the word of user {OTHER}" in done.stdout, f"not said whose: {done}")
    told = json.loads(command("report", "--format", "json", forged).stdout)
    t.equal((told["sources"][0]["kind"], told["sources"][0]["process"]["state"], told["sources"][0]["process"]["uid"]),
            ("recorder", "unknown", OTHER), "kind, state and user of the forged one")
    told = json.loads(command("report", "--format", "json", recorder).stdout)
    t.equal((told["sources"][0]["process"]["state"], told["sources"][0]["process"]["uid"]), ("running", 0),
            "state and user of the right one")
    lines = command("top", "--batch", "--iterations", "1", CLOSEGUARD_DIR=folder).stdout
    t.check(f"user={OTHER} " in lines and " state=unknown" in lines, f"top shows it as another's: {lines}")
    lines = command("top", "--batch", "--iterations", "1", CLOSEGUARD_DIR=os.path.dirname(recorder)).stdout
    t.check("user=root " in lines and f"pid={app.process.pid} " in lines, f"top does not show the right one: {lines}")


def test_what_others_put_into_a_folder_is_left_out(t):
    _, recorder = leaker(t)
    folder = folder_of(t, "open", OTHER)
    put(t, recorder, folder, os.path.basename(recorder), ANOTHER)
    done = command("report", CLOSEGUARD_DIR=folder)
    t.check("left out, since they belong to other users than their folder: 1" in done.stderr, f"nothing said: {done}")
    t.check("LEAK" not in done.stdout, f"it is believed: {done}")
    done = command("top", "--batch", "--iterations", "1", CLOSEGUARD_DIR=folder)
    t.check("belong to other users" in done.stderr and "pid=" not in done.stdout, f"top: {done}")
    t.equal(done.returncode, 0, "top's status, which others are not to decide")


def test_a_folder_with_another_users_number_is_left_out(t):
    app, recorder = leaker(t)
    folder = f"/dev/shm/closeguard-{OTHER}"
    if not os.path.isdir("/dev/shm") or os.path.exists(folder):
        raise Skip("no /dev/shm, or somebody uses that number")
    t.cleanups.append(lambda: shutil.rmtree(folder, ignore_errors=True))
    os.mkdir(folder, 0o755)
    os.chown(folder, ANOTHER, ANOTHER)
    put(t, recorder, folder, os.path.basename(recorder), ANOTHER)
    done = command("top", "--batch", "--iterations", "1")
    t.check(f"{folder} is left out" in done.stderr and f"pid={app.process.pid} " not in done.stdout, f"top: {done}")
    sleeper = subprocess.Popen(["sleep", "1000"], user=OTHER, group=OTHER)
    t.cleanups.append(sleeper.kill)
    put(t, recorder, folder, f"{sleeper.pid}.1.rec", ANOTHER)
    done = command("report", sleeper.pid)
    t.equal(done.returncode, 3, f"the status of a report on {OTHER}'s process by {ANOTHER}'s folder: {done}")
    t.check("belongs to another user" in done.stderr, f"nothing said: {done}")


if __name__ == "__main__":
    harness.main(__name__)
