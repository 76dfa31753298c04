#!/usr/bin/env python3
"""The other architecture, by an emulator: leaks are found, children by vfork do no harm, frame pointers are followed.

The emulator answers some questions as no kernel does (no SO_COOKIE, no sock_diag): what is told there is what can be
told without.
"""

import os
import subprocess

import harness
import programs
from app import frame_of
from harness import Skip

CC, EMULATOR = "aarch64-linux-gnu-gcc", "qemu-aarch64-static"
ROOT = "/usr/aarch64-linux-gnu"  # where distributions put that architecture's libc
TOP = os.path.join(harness.HERE, "..", "..")
LIBRARY = os.path.join(TOP, "build-aarch64", "libcloseguard.so")


def emulated(t, name, *args, **settings):
    """One of our programs, built and run for that architecture, under that build of the library."""
    if harness.SANITIZE:
        raise Skip("the sanitizers' runtimes are this machine's")
    for program in (CC, EMULATOR, "flock", "make"):
        harness.need(program)
    if not os.path.exists(os.path.join(ROOT, "lib", "ld-linux-aarch64.so.1")):
        raise Skip(f"there is no libc in {ROOT}")
    os.makedirs(os.path.join(TOP, "build-aarch64"), exist_ok=True)
    built = subprocess.run(["flock", "build-aarch64/lock", "make", "aarch64"], cwd=TOP, stdout=subprocess.PIPE,
                           stderr=subprocess.STDOUT, text=True, check=False)
    t.check(built.returncode == 0 and os.path.exists(LIBRARY), built.stdout[-1000:])
    program = os.path.join(t.dir, name)
    subprocess.run([CC, *programs.CFLAGS, "-fno-omit-frame-pointer", "-fno-optimize-sibling-calls", "-o", program,
                    os.path.join(harness.HERE, name + ".c"), "-ldl"], check=True)
    preload = [] if harness.BARE else ["-E", "LD_PRELOAD=" + LIBRARY]
    return t.start(harness.need(EMULATOR), "-L", ROOT, *preload, program, *args, env={"LD_PRELOAD": None, **settings})


def leak(app, count):
    """The connections of so many peers, each at its end."""
    port = app.number("port")
    for _ in range(count):
        app.connect(port, b"x").close()
    app.line("ready")


def functions_of(t, program, stack):
    """The functions of a stack's frames that are in the program, inlined ones too, by the compiler's own tools."""
    offsets = [frame["offset"] for frame in stack if os.path.basename(frame.get("module", "")) == program]
    lines = subprocess.run(["aarch64-linux-gnu-addr2line", "-fi", "-e", os.path.join(t.dir, program), *offsets],
                           stdout=subprocess.PIPE, text=True, check=True).stdout.splitlines()
    return lines[::2]


def test_a_leak_is_found(t):
    app = emulated(t, "prog_eof", "read", 3)
    leak(app, 3)
    found = app.finding("close_wait", "eof_ignored")
    t.equal((found["verdict"], found["origin"]), ("leak", "seen"), "verdict and origin")
    t.equal((found["opened"]["call"], found["eof"]["call"]), ("accept", "read"), "the calls")
    t.equal(len(found["sockets"]), found["count"], "sockets")
    app.wait_for(lambda: sum(one["count"] for one in app.dump()["groups"]) == 3, "not all three were told")


def test_frame_pointers_are_followed(t):
    app = emulated(t, "prog_eof", "read", 1, CLOSEGUARD_STACKS="fp")
    leak(app, 1)
    stack = app.finding("close_wait", "eof_ignored")["opened"]["stack"]
    t.check(frame_of(stack).get("module", "").endswith("prog_eof"), f"the top frame of {stack}")
    t.check("main" in functions_of(t, "prog_eof", stack), f"functions of {stack}")


def test_children_by_vfork(t):
    """They run on the parent's stack, close all that they have, and change nothing in the parent's record."""
    app = emulated(t, "prog_vfork", 3, "exit")
    leak(app, 3)
    app.finding("close_wait", "eof_ignored")
    app.wait_for(lambda: sum(one["count"] for one in app.dump()["groups"]) == 3, "not all three were told")


if __name__ == "__main__":
    harness.main(__name__)
