#!/usr/bin/env python3
"""Who else holds a connection that a policy would end: where that is not known nothing is done to it."""

import os
import shutil
import socket
import subprocess

import harness
import programs
from policies import Program, rules, write_policy

REAP = 'name = "it"; eof = { warn_after = "300ms"; reap_after = "600ms"; };'
DRAIN = 'name = "it"; close = { drain = { timeout = "2s"; bytes = "1M"; }; };'
NOBODY = 65534


def decided(t, where, what):
    """What the heir's policy did, and whether the holder's connection works afterwards."""
    if where == "outside" and os.geteuid() != 0:
        raise harness.Skip("only root makes a pid namespace")
    if harness.BARE:
        raise harness.Skip("ran bare, where no policy is read")
    policy = write_policy(t, rules(REAP if what == "reap" else DRAIN))
    env = {"HEIR_PRELOAD": harness.preload(), "CLOSEGUARD_POLICY": policy}
    app = t.start("prog_holder", where, what, programs.compile("prog_heir", harness.BUILD), watched=False, env=env,
                  stderr_empty=False)
    app.line("ready")
    told = lambda: [one for one in app.events("action") if one["action"] == what]
    found = app.wait_for(told, lambda: f"no {what} was told; stderr {app.stderr()!r}")[0]
    app.tell()
    return found["result"], found.get("reason"), app.line("sent")


def check_untouched(t, where, reason):
    found = {what: decided(t, where, what) for what in ("reap", "drain")}
    t.equal(found, dict.fromkeys(found, ("refused", reason, "6 got 6")), "result, reason, what the peer got")


def test_held_by_a_process(t):
    check_untouched(t, "process", "shared")


def test_held_by_one_whose_first_thread_has_ended(t):
    """/proc/PID/fd of such a process is empty."""
    check_untouched(t, "thread", "shared")


def test_held_by_a_thread_with_a_table_of_its_own(t):
    """/proc/PID/fd shows the first thread's table."""
    check_untouched(t, "table", "shared")


def test_held_outside_of_the_pid_namespace(t):
    """The heir's /proc shows itself alone."""
    check_untouched(t, "outside", "unknown_holders")


def sees_every_process():
    """Is this root, on a host where nothing but an init is hidden from it?"""
    if os.geteuid() != 0 or os.readlink("/proc/self/ns/pid") != "pid:[4026531836]":
        return False
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            os.readlink(f"/proc/{pid}/exe")
        except PermissionError:
            if pid != "1":
                return False
        except OSError:
            pass
    return True


def test_held_by_nobody(t):
    if not sees_every_process():
        raise harness.Skip("some processes of this host cannot be looked into")
    t.equal(decided(t, "nowhere", "reap"), ("done", None, "-1 got 0"), "reaped")


def lone_leak(t, under=(), **settings):
    """A connection that the program itself accepted and forgot is known to be its own."""
    program = Program(t, rules(REAP), under=under, **settings)
    listener, port = program.listen()
    peer = socket.create_connection(("127.0.0.1", port), timeout=harness.DEADLINE)
    program.app.others.append(peer)
    fd = program.fine("accept", listener)
    peer.shutdown(socket.SHUT_WR)
    t.equal(program.do("read", fd, 10).result, 0, "the end")
    program.action("reap", result="done")
    peer.settimeout(harness.DEADLINE)
    t.equal(peer.recv(10), b"", "the end for the peer")
    return program


def test_a_lone_leak(t):
    lone_leak(t)


def test_a_lone_leak_in_a_pid_namespace(t):
    """As in a container: processes outside are not seen, and cannot have it."""
    command = [harness.need("unshare"), "-Upf", "--map-root-user", "--mount-proc", "--kill-child"]
    if subprocess.run([*command, "true"], stderr=subprocess.DEVNULL, check=False).returncode:
        raise harness.Skip("no namespaces here")
    lone_leak(t, under=command)


def readable_by_others(t, path):
    """Of a build that stands in a place which only its owner may enter: a copy of the library."""
    folder = os.path.join(t.dir, "build")
    os.makedirs(folder, exist_ok=True)
    copy = harness.copy_program(path, folder)
    os.chmod(copy, 0o755)
    return copy


def test_a_lone_leak_of_nobody(t):
    """Other users' processes cannot be looked into, and cannot have it."""
    if os.geteuid() != 0:
        raise harness.Skip("only root becomes somebody else")
    if harness.SANITIZE:
        raise harness.Skip("a sanitizer's runtime may stand where nobody may read")
    command = [harness.need("setpriv"), f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups"]
    os.chmod(t.dir, 0o755)
    own = os.path.join(t.dir, "own")
    os.mkdir(own, 0o700)
    shutil.chown(own, NOBODY, NOBODY)
    for name in ("libcloseguard.so", "libcloseguard-config.so", "libcloseguard-dw.so"):
        readable_by_others(t, os.path.join(harness.BUILD, name))
    library = os.path.join(t.dir, "build", "libcloseguard.so")
    target = readable_by_others(t, programs.compile("prog_policy", harness.BUILD))
    lone_leak(t, under=command, program=target, LD_PRELOAD=library, CLOSEGUARD_DIR=own,
              CLOSEGUARD_LOG=os.path.join(own, "log"))


if __name__ == "__main__":
    harness.main(__name__)
