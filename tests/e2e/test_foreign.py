#!/usr/bin/env python3
"""Programs that the library is not made for start and run beside it all the same, and hear nothing of it."""

import os
import struct
import subprocess

import harness
import programs
from harness import Skip

if harness.SANITIZE:
    print("skip foreign: a sanitizer's runtime cannot be loaded into programs without glibc")
    raise SystemExit(0)


def with_musl(name, *flags):
    harness.need("musl-gcc")
    target = os.path.join(harness.BUILD, "tests", "e2e", name + "-musl" + "".join(flags))
    source = os.path.join(harness.HERE, name + ".c")
    if not os.path.exists(target) or os.path.getmtime(target) < os.path.getmtime(source):
        own = f"{target}.{os.getpid()}"
        subprocess.run(["musl-gcc", "-D_GNU_SOURCE", "-O2", "-pthread", *flags, "-o", own, source], check=True)
        os.rename(own, target)
    return target


def left_by(t):
    """What the library has written: no log, no recorder."""
    return os.path.exists(os.path.join(t.dir, "log")), os.listdir(os.path.join(t.dir, "recorders"))


def runs_as_if_bare(t, *command, status):
    """The same lines and the same status, nothing on stderr, and nothing left behind."""
    outcomes = []
    for watched in (False, True):
        app = t.start(*command, status=status, watched=watched)
        app.finish()
        app.reader.join()
        outcomes.append(app.stdout)
    t.check(outcomes[0], "the program itself said nothing")
    t.equal(outcomes[1], outcomes[0], "lines under the library")
    t.equal(left_by(t), (False, []), "log, recorders")


def test_a_musl_program(t):
    runs_as_if_bare(t, with_musl("prog_foreign"), status=5)


def test_a_musl_program_bound_at_start(t):
    runs_as_if_bare(t, with_musl("prog_foreign", "-Wl,-z,now", "-Wl,--hash-style=sysv"), status=5)


def test_a_static_musl_program(t):
    runs_as_if_bare(t, with_musl("prog_foreign", "-static"), status=5)


def test_a_musl_child_of_a_watched_program(t):
    runs_as_if_bare(t, harness.need("sh"), "-c", with_musl("prog_foreign") + "; exit $?", status=5)


def test_a_watched_child_of_a_musl_program(t):
    """The list of preloaded libraries goes on through it: what it starts is watched."""
    app = t.start(with_musl("prog_foreign"), "run", programs.compile("prog_eof", harness.BUILD), "read", "1")
    app.connect(app.number("port"), b"x").close()
    app.line("ready")
    if not harness.BARE:
        app.finding("close_wait", "eof_ignored")


def test_a_program_without_any_library(t):
    runs_as_if_bare(t, "prog_nolibc", status=6)
    runs_as_if_bare(t, harness.need("sh"), "-c", programs.compile("prog_nolibc", harness.BUILD) + "; exit $?", status=6)


def test_kinds_of_executables(t):
    """Each way of linking one: its tables are where the library looks for calls that go past it."""
    kinds = {"fixed": ["-fno-pic", "-no-pie"],  # has copies of libc's variables
             "sysv": ["-Wl,--hash-style=sysv"], "gnu": ["-Wl,--hash-style=gnu"],
             "now": ["-Wl,-z,now"], "lazy": ["-Wl,-z,lazy"], "direct": ["-fno-plt"],
             "norelro": ["-Wl,-z,norelro"], "execstack": ["-Wl,-z,execstack"]}
    for kind, flags in kinds.items():
        app = t.start(programs.compile(f"prog_foreign_{kind}", harness.BUILD, flags, "prog_foreign"), status=5)
        app.finish()
        app.reader.join()
        t.check("stream 0" in app.stdout, f"{kind}: {app.stdout}")


def test_a_note_that_is_not_in_memory(t):
    """A note's address counts only where a loaded segment has it: linkers and packers leave others behind."""
    path = os.path.join(t.dir, "noted")
    with open(programs.compile("prog_foreign_fixed", harness.BUILD, ["-fno-pic", "-no-pie"], "prog_foreign"),
              "rb") as file:
        image = bytearray(file.read())
    start, size, count = struct.unpack_from("<Q", image, 32)[0], *struct.unpack_from("<HH", image, 54)
    notes = [at for at in range(start, start + size * count, size) if struct.unpack_from("<I", image, at)[0] == 4 and
             struct.unpack_from("<Q", image, at + 48)[0] == 4]  # those aligned to 8 are read by libc's loader
    t.check(notes, "the program has no note")
    for at in notes:
        struct.pack_into("<QQ", image, at + 16, 64, 64)
    with open(path, "wb") as file:
        file.write(image)
    os.chmod(path, 0o755)
    runs_as_if_bare(t, path, status=5)


harness.main(__name__)
