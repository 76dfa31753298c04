#!/usr/bin/env python3
"""`closeguard run`: what it passes on, what it sets, and what it refuses and why."""

import os
import random
import re
import shutil
import signal
import struct
import subprocess
import sys

import harness
from harness import Skip

COMMAND = os.path.join(harness.BUILD, "closeguard")
EM_S390, EM_FOREIGN = 22, 243
LOADER = re.compile(rb"/lib(64)?/ld-linux-[a-z0-9_-]+\.so\.[12]\0")


def launch(t, *arguments, command=COMMAND, **settings):
    """Runs `closeguard run ARGUMENTS`; a setting of None is taken out of the environment."""
    settings.setdefault("LD_PRELOAD", harness.preload().replace(harness.LIBRARY, "").strip() or None)
    env = t.environment(**settings)
    return subprocess.run([command, "run", *map(str, arguments)], env=env, cwd=t.dir, stdin=subprocess.DEVNULL,
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=harness.DEADLINE, text=True)


def refused(t, pattern, *arguments, **settings):
    """It exits with 3 and one line that matches."""
    done = launch(t, *arguments, **settings)
    t.equal(done.returncode, 3, f"status; it said {done.stderr!r}")
    t.equal(done.stdout, "", "stdout")
    t.check(re.fullmatch(r"closeguard: run: [^\n]*\n", done.stderr), f"not one line: {done.stderr!r}")
    t.check(re.search(pattern, done.stderr), f"{done.stderr!r} does not say {pattern!r}")


def wrong_usage(t, pattern, *arguments):
    done = launch(t, *arguments)
    t.equal(done.returncode, 2, f"status; it said {done.stderr!r}")
    t.check(re.search(pattern, done.stderr), f"{done.stderr!r} does not say {pattern!r}")


def variable(t, name, *arguments, **settings):
    """What the program finds in its environment."""
    done = launch(t, *arguments, "sh", "-c", f'printf %s "${name}"', **settings)
    t.equal(done.returncode, 0, f"status ({done.stderr!r})")
    return done.stdout


def write(t, name, content, mode=0o755):
    path = os.path.join(t.dir, name)
    with open(path, "wb") as file:
        file.write(content)
    os.chmod(path, mode)
    return path


def build(t, name, *flags, source="int main(void) { return 0; }\n"):
    path = os.path.join(t.dir, name)
    command = [harness.need("gcc"), "-x", "c", "-", "-x", "none", "-o", path, *flags]
    done = subprocess.run(command, input=source, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    if done.returncode:
        raise Skip(f"gcc cannot build with {' '.join(flags)}: {done.stdout.splitlines()[-1]}")
    return path


def copy_of(t, program, name="copy"):
    path = os.path.join(t.dir, name)
    harness.copy_program(shutil.which(program), path)
    os.chmod(path, 0o755)
    return path


def need_root():
    if os.geteuid() != 0:
        raise Skip("needs root")


# What is passed on.

def test_exit_status(t):
    t.equal(launch(t, "sh", "-c", "exit 37").returncode, 37, "status")
    t.equal(launch(t, "sh", "-c", "kill -TERM $$").returncode, -signal.SIGTERM, "status")


def test_same_process(t):
    child = subprocess.Popen([COMMAND, "run", "sh", "-c", "echo $$"], stdout=subprocess.PIPE, text=True,
                             env=t.environment(LD_PRELOAD=None) if not harness.SANITIZE else t.environment())
    t.equal(int(child.communicate(timeout=harness.DEADLINE)[0]), child.pid, "the program's pid")


def test_arguments(t):
    done = launch(t, "printf", "%s,", "--json", "-h", "", "a b", "--")
    t.equal(done.stdout, "--json,-h,,a b,--,", "the program's arguments")
    t.equal(launch(t, "--json", "--", "echo", "x").stdout, "x\n", "after --")


def test_silent(t):
    done = launch(t, "sh", "-c", "echo out; echo err >&2")
    t.equal((done.stdout, done.stderr), ("out\n", "err\n"), "the program's output")


def test_ignored_signals_stay_ignored(t):
    done = launch(t, "sh", "-c", "trap '' INT; exec " + COMMAND + " run sh -c 'kill -INT $$; echo alive'")
    t.equal(done.stdout, "alive\n", "after SIGINT")


# What is set.

def test_preload_first(t):
    other = build(t, "libother.so", "-shared", "-fPIC", source="int other;\n")
    found = variable(t, "LD_PRELOAD", LD_PRELOAD=harness.preload(after=[other]).replace(harness.LIBRARY + " ", ""))
    names = [os.path.basename(path) for path in re.split("[ :]+", found)]
    wanted = [f"lib{harness.SANITIZE}.so"] if harness.SANITIZE else []
    t.equal([re.sub(r"\.so\..*", ".so", name) for name in names], wanted + ["libcloseguard.so", "libother.so"],
            "LD_PRELOAD")


def test_preload_once(t):
    found = variable(t, "LD_PRELOAD", LD_PRELOAD=harness.preload())
    t.equal(found.count("libcloseguard.so"), 1, f"libraries of ours in {found!r}")
    found = variable(t, "LD_PRELOAD", COMMAND, "run")
    t.equal(found.count("libcloseguard.so"), 1, f"libraries of ours in {found!r}")


def sanitizer_first(t, name):
    """A stand-in with the runtime's name: what counts is where it is put."""
    runtime = build(t, name, "-shared", "-fPIC", "-Wl,-soname," + name, source="int runtime;\n")
    program = build(t, "sanitized", "-Wl,--no-as-needed", runtime, "-Wl,-rpath," + t.dir,
                    source='#include <stdio.h>\n#include <stdlib.h>\nint main(void) { puts(getenv("LD_PRELOAD")); }\n')
    done = launch(t, program)
    t.equal(done.returncode, 0, f"status ({done.stderr!r})")
    t.equal(re.split("[ :]", done.stdout.strip())[0], name, f"the first library of {done.stdout!r}")
    t.check("libcloseguard.so" in done.stdout, f"ours is not in {done.stdout!r}")
    script = write(t, "script", f"#!{program}\n".encode())
    t.equal(launch(t, script).stdout, done.stdout, "LD_PRELOAD by way of a script")


def test_asan_first(t):
    sanitizer_first(t, "libasan.so.99")


def test_tsan_first(t):
    sanitizer_first(t, "libtsan.so.99")


def test_asan_program(t):
    if harness.SANITIZE == "tsan":
        raise Skip("the library needs the other sanitizer, and a program has one")
    program = build(t, "asan", "-fsanitize=address")
    bare = subprocess.run([program], env={"PATH": os.environ["PATH"]}, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    if bare.returncode:
        raise Skip("a program with AddressSanitizer does not run here")
    done = launch(t, program, ASAN_OPTIONS="detect_leaks=0")
    t.equal((done.returncode, done.stderr), (0, ""), "status and stderr")


def test_options_set_variables(t):
    policy = write(t, "policy.cfg", b"version = 1;\n", 0o600)
    log = os.path.join(t.dir, "own.log")
    for arguments, name, wanted in (
            (["--policy", policy], "CLOSEGUARD_POLICY", policy),
            (["--policy", "policy.cfg"], "CLOSEGUARD_POLICY", policy),
            (["--log", log], "CLOSEGUARD_LOG", log), (["--log=own.log"], "CLOSEGUARD_LOG", log),
            (["--log", "none"], "CLOSEGUARD_LOG", "none"), (["--log", "syslog"], "CLOSEGUARD_LOG", "syslog"),
            (["--json"], "CLOSEGUARD_FORMAT", "json"), (["--warn-after", "5m"], "CLOSEGUARD_WARN_AFTER", "5m"),
            (["--stacks", "fp"], "CLOSEGUARD_STACKS", "fp"), (["--error-exitcode", "9"], "CLOSEGUARD_EXITCODE", "9")):
        t.equal(variable(t, name, *arguments, **{name: "none" if name == "CLOSEGUARD_LOG" else None}), wanted,
                " ".join(arguments))


def test_command_line_wins(t):
    t.equal(variable(t, "CLOSEGUARD_STACKS", "--stacks", "off", CLOSEGUARD_STACKS="fp"), "off", "CLOSEGUARD_STACKS")
    t.equal(variable(t, "CLOSEGUARD_STACKS", CLOSEGUARD_STACKS="fp"), "fp", "CLOSEGUARD_STACKS without an option")


def test_error_exitcode(t):
    program = build(t, "leaks", "-I" + harness.HERE, source=LEAKS)
    quick = ["--warn-after", "200ms", "--error-exitcode", "42"]
    t.equal(launch(t, *quick, program, "leak").returncode, 42, "status with a leak")
    t.equal(launch(t, *quick, program).returncode, 0, "status without")
    t.equal(launch(t, "--warn-after", "200ms", program, "leak").returncode, 0, "status with a leak, without the option")


LEAKS = """
#include "prog.h"
int main(int argc, char **argv)
{
	int pair[2];
	(void)argv;
	connected_pair(pair);
	close(pair[0]);
	read_to_end(pair[1]);
	if (argc == 1)
		close(pair[1]);
	doze(1000);
	return 0;
}
"""


def test_help(t):
    done = launch(t, "--help")
    t.equal((done.returncode, done.stderr), (0, ""), "status and stderr")
    for name in ("--policy", "--error-exitcode", "CLOSEGUARD_WARN_AFTER", "CLOSEGUARD_DIR"):
        t.check(name in done.stdout, f"the help does not name {name}")
    t.equal(subprocess.run([COMMAND, "help", "run"], stdout=subprocess.PIPE, text=True).stdout, done.stdout, "help run")


def test_wrong_usage(t):
    wrong_usage(t, "usage: closeguard run")
    wrong_usage(t, "--nope is no option", "--nope", "true")
    wrong_usage(t, "needs a value", "--log")
    wrong_usage(t, "'sometimes' is not understood; it takes full, fp or off", "--stacks", "sometimes", "true")
    wrong_usage(t, "'3' is not understood", "--warn-after", "3", "true")
    wrong_usage(t, "'256' is not understood", "--error-exitcode", "256", "true")
    refused(t, r"--policy nowhere: No such file", "--policy", "nowhere", "true")


# Where the library is found.

def installed(t, command, library):
    for source, place in ((COMMAND, command), (harness.LIBRARY, library)):
        os.makedirs(os.path.dirname(os.path.join(t.dir, place)), exist_ok=True)
        harness.copy_program(source, os.path.join(t.dir, place))
    return os.path.join(t.dir, command)


def test_library_places(t):
    for command, library in (("prefix/bin/closeguard", "prefix/lib/libcloseguard.so"),
                             ("folder/closeguard", "folder/libcloseguard.so")):
        found = launch(t, "sh", "-c", "printf %s $LD_PRELOAD", command=installed(t, command, library)).stdout
        t.check(found.endswith(os.path.join(os.path.realpath(t.dir), library)), f"LD_PRELOAD is {found!r}")


def test_library_by_a_link(t):
    link = os.path.join(t.dir, "link")
    os.symlink(COMMAND, link)
    found = launch(t, "sh", "-c", "printf %s $LD_PRELOAD", command=link).stdout
    t.check(found.endswith(os.path.realpath(harness.LIBRARY)), f"LD_PRELOAD is {found!r}")


def test_library_missing(t):
    os.mkdir(os.path.join(t.dir, "alone"))
    alone = harness.copy_program(COMMAND, os.path.join(t.dir, "alone"))
    refused(t, "libcloseguard.so is neither", "true", command=alone)


def test_library_path_with_a_space(t):
    refused(t, "a space or a colon", "true", command=installed(t, "a b/closeguard", "a b/libcloseguard.so"))


# What is refused.

def test_static(t):
    refused(t, r"static is statically linked.*closeguard scan", build(t, "static", "-static"))


def test_static_pie(t):
    refused(t, "is statically linked", build(t, "static", "-static-pie"))


def test_setuid(t):
    program = copy_of(t, "true")
    os.chmod(program, 0o4755)
    refused(t, "is setuid.*LD_PRELOAD.*copy", program)
    os.chmod(program, 0o2755)
    refused(t, "is setgid", program)
    os.chmod(program, 0o2745)  # without group execution the bit once meant mandatory locking
    t.equal(launch(t, program).returncode, 0, "status")


def test_capabilities(t):
    need_root()
    program = copy_of(t, "true")
    try:
        # vfs_cap_data, revision 2: CAP_NET_BIND_SERVICE, permitted
        os.setxattr(program, "security.capability", struct.pack("<5I", 0x02000000, 1 << 10, 0, 0, 0))
    except OSError as why:
        raise Skip(f"no file capabilities here: {why}") from None
    refused(t, "has file capabilities", program)


def patched(t, name, offset, value):
    with open(shutil.which("true"), "rb") as file:
        content = bytearray(file.read())
    content[offset:offset + len(value)] = value
    return write(t, name, bytes(content))


def test_another_machine(t):
    refused(t, r"foreign is built for 64-bit riscv, and this closeguard for 64-bit",
            patched(t, "foreign", 18, struct.pack("=H", EM_FOREIGN)))
    refused(t, r"is built for 32-bit", patched(t, "narrow", 4, b"\1"))


def test_musl(t):
    with open(shutil.which("true"), "rb") as file:
        content = file.read()
    found = LOADER.search(content)
    if not found:
        raise Skip("the system's programs have another loader")
    musl = b"/lib/ld-musl.so.1\0".ljust(len(found[0]), b"\0")
    refused(t, "built for musl", write(t, "musl", content.replace(found[0], musl)))


def test_no_program(t):
    refused(t, "nowhere was not found in PATH", "nowhere")
    refused(t, r"\./nowhere was not found", "./nowhere")
    refused(t, "is a directory", t.dir)
    refused(t, "plain is not executable; chmod", write(t, "plain", b"#!/bin/sh\n", 0o644))
    refused(t, "neither an ELF program nor a script", write(t, "noise", b"\1\2\0\3noise"))
    refused(t, "is no program but a broken ELF file", write(t, "broken", b"\177ELF\2\1\1"))
    refused(t, "the command's name is empty", "")


def test_path(t):
    os.makedirs(os.path.join(t.dir, "a"))
    os.makedirs(os.path.join(t.dir, "b"))
    write(t, "a/tool", b"#!/bin/sh\necho a\n", 0o644)
    refused(t, "tool is in PATH, but is not executable", "tool", PATH=f"{t.dir}/a:/usr/bin:/bin")
    write(t, "b/tool", b"#!/bin/sh\necho b\n")
    t.equal(launch(t, "tool", PATH=f"{t.dir}/a:{t.dir}/b:/usr/bin:/bin").stdout, "b\n", "the tool that was found")
    t.equal(launch(t, "a/../b/tool", PATH="/usr/bin:/bin").stdout, "b\n", "by its path")


def test_scripts(t):
    first = write(t, "first", b"#! /bin/sh -u\necho $# $0 $2\n")
    t.equal(launch(t, first, "x", "y z").stdout, f"2 {first} y z\n", "a script")
    t.equal(launch(t, write(t, "second", b"echo $# $0\n"), "x").stdout, f"1 {t.dir}/second\n", "a script without #!")
    refused(t, r"its interpreter .*/nowhere was not found", write(t, "third", f"#!{t.dir}/nowhere\n".encode()))
    nested = write(t, "fourth", f"#!{first}\n".encode())
    t.equal(launch(t, nested, "x", "y").stdout, f"3 {first} x\n", "a script's script")


def test_script_of_a_static_program(t):
    static = build(t, "static", "-static")
    script = write(t, "script", f"#!{static} -x\n".encode())
    refused(t, r"script: its interpreter .*/static is statically linked", script)


def test_script_of_itself(t):
    refused(t, "too many scripts", write(t, "endless", f"#!{t.dir}/endless\n".encode()))


def test_loader_as_the_program(t):
    with open(shutil.which("true"), "rb") as file:
        found = LOADER.search(file.read())
    if not found:
        raise Skip("the system's programs have another loader")
    t.equal(launch(t, found[0].rstrip(b"\0").decode(), shutil.which("true")).returncode, 0, "status")


def test_unreadable(t):
    need_root()
    os.chmod(t.dir, 0o755)
    command = installed(t, "folder/closeguard", "folder/libcloseguard.so")
    program = copy_of(t, "true")
    os.chmod(program, 0o711)
    done = subprocess.run([command, "run", program], user=65534, group=65534, stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, text=True, env={"CLOSEGUARD": "off", **sanitized()})
    t.equal(done.returncode, 0, f"status ({done.stderr!r})")
    t.check("may not be read" in done.stderr, f"it said {done.stderr!r}")


def sanitized():
    return {"LD_PRELOAD": harness.preload().split()[0], "ASAN_OPTIONS": "detect_leaks=0"} if harness.SANITIZE else {}


def mutations(content, count):
    """Copies with bytes of the headers changed, and copies cut short, the same ones in each run."""
    chance = random.Random(2026)
    extremes = (b"\0", b"\1", b"\x7f", b"\xff", b"\x80")
    for _ in range(count):
        copy = bytearray(content)
        for _ in range(chance.randint(1, 6)):
            at = chance.randrange(24, 1024)
            some = chance.choice(extremes) * chance.choice((1, 2, 8)) if chance.random() < 0.6 else chance.randbytes(4)
            copy[at:at + len(some)] = some
        if chance.random() < 0.3:
            del copy[chance.randrange(16, len(copy)):]
        if len(copy) > 20:
            copy[18:20] = struct.pack("=H", EM_S390)
        yield bytes(copy)


def test_hostile_files(t):
    """Broken headers are refused and never bring the command down. A foreign machine keeps them from being started."""
    with open(shutil.which("true"), "rb") as file:
        content = file.read()
    for number, copy in enumerate(mutations(content, 300)):
        done = launch(t, write(t, "hostile", copy), CLOSEGUARD="off")
        t.equal(done.returncode, 3, f"status for mutation {number}; it said {done.stderr[:300]!r}")


def test_a_log_that_cannot_be_written_is_refused_at_once(t):
    os.mkdir(os.path.join(t.dir, "folder"))
    write(t, "file", b"")
    os.symlink("file", os.path.join(t.dir, "link"))
    for path, why in (("nowhere/log", "No such file or directory"), ("nowhere/%e.%p.log", "No such file or directory"),
                      ("file/log", "Not a directory"), ("folder", "Is a directory"), ("link", "symbolic link")):
        refused(t, f"--log .*{re.escape(path)}: .*{why}", "--log", path, "true")
    for path in ("new", "file", "folder/%e.%p.log", "/dev/null", "none", "syslog"):
        t.equal(launch(t, "--log", path, "true").returncode, 0, f"status with {path}")
    t.check(not os.path.exists(os.path.join(t.dir, "new")), "the check has made the file")


if __name__ == "__main__":
    if not os.path.exists(COMMAND):
        sys.exit(f"not ok run: {COMMAND} is missing: build it first")
    harness.main(__name__)
