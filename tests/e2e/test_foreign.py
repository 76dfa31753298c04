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


def with_musl(t, *flags):
    harness.need("musl-gcc")
    target = os.path.join(t.dir, "with_musl")
    subprocess.run(["musl-gcc", "-D_GNU_SOURCE", "-O2", "-pthread", *flags, "-o", target,
                    os.path.join(harness.HERE, "prog_foreign.c")], check=True)
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
    runs_as_if_bare(t, with_musl(t), status=5)


def test_a_musl_program_bound_at_start(t):
    runs_as_if_bare(t, with_musl(t, "-Wl,-z,now", "-Wl,--hash-style=sysv"), status=5)


def test_a_static_musl_program(t):
    runs_as_if_bare(t, with_musl(t, "-static"), status=5)


def test_a_musl_child_of_a_watched_program(t):
    runs_as_if_bare(t, harness.need("sh"), "-c", with_musl(t) + "; exit $?", status=5)


def test_a_watched_child_of_a_musl_program(t):
    """The list of preloaded libraries goes on through it: what it starts is watched."""
    app = t.start(with_musl(t), "run", programs.compile("prog_eof", harness.BUILD), "read", "1")
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


def of_32_bits(t, *flags):
    """A program of another class, without any library; with flags one that wants that class's loader."""
    target = os.path.join(t.dir, "of_32_bits")
    done = subprocess.run(["gcc", "-m32", "-O1", "-nostdlib", "-nostartfiles", "-ffreestanding",
                           "-fno-stack-protector", *(flags or ("-static", "-fno-pic", "-no-pie")), "-o", target,
                           os.path.join(harness.HERE, "other_class.c")], stderr=subprocess.PIPE, text=True)
    if done.returncode != 0 or subprocess.run([target], stdout=subprocess.DEVNULL).returncode != 4:
        raise Skip("no program of 32 bits can be built and run here")
    return target


WAYS = ("execve", "execv", "execvp", "execvpe", "execl", "execlp", "execle", "fexecve", "fexecve_path", "execveat",
        "syscall", "posix_spawn", "posix_spawnp", "vfork")


def list_handed_over(t, how, program, listed, **env):
    """What a 32-bit program hears of LD_PRELOAD when a watched one starts it."""
    done = subprocess.run([programs.compile("prog_exec", harness.BUILD), how, program], stdout=subprocess.PIPE,
                          stderr=subprocess.DEVNULL, text=True, env=t.environment(LD_PRELOAD=listed, **env))
    t.equal((done.returncode, done.stdout.splitlines()[-1:]), (4, ["32 bits"]), f"{how}: status, last line")
    return done.stdout.splitlines()[:-1]


def test_every_way_to_a_program_of_32_bits(t):
    program = of_32_bits(t)
    for how in WAYS:
        t.equal(list_handed_over(t, how, program, harness.preload()), [], how)


def test_a_shell_and_a_program_of_32_bits(t):
    """Its loader, where there is one, has nothing to complain of."""
    loader = "/lib/ld-linux.so.2"
    if not os.path.exists(loader):
        raise Skip("there is no loader for programs of 32 bits")
    program = of_32_bits(t, "-fPIE", "-pie", "-Wl,--dynamic-linker=" + loader)
    runs_as_if_bare(t, harness.need("sh"), "-c", program + "; exit $?", status=4)


def test_what_else_is_preloaded_stays(t):
    """Only our own entry goes, however it is written; one that the loader fills in itself stays."""
    program, link, folder = of_32_bits(t), os.path.join(t.dir, "name.so"), os.path.dirname(harness.LIBRARY)
    os.symlink(harness.LIBRARY, link)
    ours, bare = harness.LIBRARY, os.path.basename(harness.LIBRARY)
    for listed, wanted in ((f"/a.so:{ours}", "/a.so"), (f"{ours} /a.so", "/a.so"), (f"/a.so:{ours}:b.so", "/a.so:b.so"),
                           (f" {ours}::/a.so ", "/a.so"), (f"{ours}:{ours}", None), (bare, None), (link, None),
                           (f"/x/$LIB/{bare}:{ours}", f"/x/$LIB/{bare}")):
        got = list_handed_over(t, "execve", program, listed, LD_LIBRARY_PATH=folder)
        t.equal(got, ["LD_PRELOAD=" + wanted] if wanted else [], f"{listed!r}")


def test_scripts_and_searches(t):
    """What runs a script is what counts, through other scripts too; and the first in PATH that can be executed."""
    program, folders = of_32_bits(t), [os.path.join(t.dir, name) for name in ("first", "second")]
    for folder in folders:
        os.mkdir(folder)
    first, second = (os.path.join(folder, "tool") for folder in folders)
    for path, line, mode in ((first, "#!/bin/sh\nexit 9\n", 0o644), (second, f"#! {program} -x\n", 0o755),
                             (os.path.join(t.dir, "script"), f"#!{second}\n", 0o755)):
        with open(path, "w", encoding="utf-8") as file:
            file.write(line)
        os.chmod(path, mode)
    for how in ("execve", "posix_spawn", "syscall"):
        t.equal(list_handed_over(t, how, os.path.join(t.dir, "script"), harness.preload()), [], f"{how} of a script")
    for how in ("execvp", "execvpe", "execlp", "posix_spawnp"):
        t.equal(list_handed_over(t, how, "tool", harness.preload(), PATH=":".join(folders)), [], f"{how} by PATH")


def test_programs_of_our_own_class_keep_the_list(t):
    """And what cannot be started answers as it does bare."""
    shell, listed = harness.need("sh"), harness.preload()
    env = {"LD_PRELOAD": listed}
    script = os.path.join(t.dir, "script")
    with open(script, "w", encoding="utf-8") as file:
        file.write("#!" + shell + "\necho ${#LD_PRELOAD}\nexit 4\n")
    os.chmod(script, 0o755)
    for how in WAYS:
        if not how.startswith("fexecve"):  # which a script does not outlive
            app = t.start("prog_exec", how, script, status=4, env=env)
            app.finish()
            app.reader.join()
            if not harness.BARE:
                t.equal(app.stdout, [str(len(listed))], how)
    for path in ("/nowhere", "/dev/null", t.dir, "/dev/null/x", os.path.join(harness.HERE, "prog_exec.c")):
        for how in ("execve", "execvp", "execl", "execveat"):
            answers = []
            for watched in (False, True):
                app = t.start("prog_exec", how, path, status=None, watched=watched, stderr_empty=False)
                app.finish()
                app.reader.join()
                answers.append((app.process.returncode, app.stdout))
            t.equal(answers[1], answers[0], f"{how} of {path}")


harness.main(__name__)
