#!/usr/bin/env python3
"""Programs under valgrind's tools, and with a sanitizer's runtime inside: nothing is said that is not said bare."""

import os
import subprocess

import harness
import programs

SUPPRESSIONS = os.path.join(harness.HERE, "..", "..", "shim", "closeguard.supp")


def run(t, command, log, stacks="full", watched=True, **settings):
    """Status and stderr of a run; with a log it lasts until something was found."""
    settings.update(CLOSEGUARD_LOG=log, CLOSEGUARD_STACKS=stacks, CLOSEGUARD_WARN_AFTER="1s")
    if not watched:
        settings["LD_PRELOAD"] = None
    done = subprocess.run([*command, log if watched else "-"], env=t.environment(**settings), stdin=subprocess.DEVNULL,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace", timeout=300)
    return done.returncode, done.stdout


def is_quiet(t, command, stacks=("full", "fp", "off")):
    """The same as bare, in each way of taking stacks, and the forgotten connection is found."""
    if harness.SANITIZE or harness.BARE:
        raise harness.Skip("the library as it is installed is asked for")
    status, output = run(t, command, "-", watched=False)
    if status != 7 or output:
        raise harness.Skip(f"bare it does not run here: status {status}, {output[-300:]!r}")
    for way in stacks:
        log = os.path.join(t.dir, "log." + way)
        status, output = run(t, command, log, way)
        t.check(not output, f"with stacks {way} it said {output[:3000]!r}")
        t.equal(status, 7, f"the status with stacks {way}")
        with open(log, encoding="utf-8") as text:
            findings = text.read()
        t.check('"close_wait"' in findings, f"with stacks {way} the connection was not found: {findings[:500]}")


def valgrind(t, *arguments, **options):
    harness.need("valgrind")
    program = programs.compile("prog_tools", harness.BUILD)
    is_quiet(t, ["valgrind", "-q", "--error-exitcode=99", *arguments, program], **options)


def test_memcheck(t):
    """Without any suppression."""
    valgrind(t)


def test_helgrind(t):
    valgrind(t, "--tool=helgrind", "--suppressions=" + SUPPRESSIONS, stacks=("full",))


def test_drd(t):
    valgrind(t, "--tool=drd", "--suppressions=" + SUPPRESSIONS, stacks=("full",))


def build_sanitized(t, name, compiler, *flags):
    compiler = harness.need(compiler)
    program = os.path.join(t.dir, name)
    trial = subprocess.run([compiler, *flags, "-x", "c", "-o", program, "-"], input="int main(void) { return 0; }",
                           stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    if trial.returncode:
        raise harness.Skip(f"{compiler} has no such runtime: {trial.stdout[-200:]}")
    subprocess.run([compiler, "-g", "-O1", "-D_GNU_SOURCE", "-pthread", *flags, "-o", program,
                    os.path.join(harness.HERE, name + ".c")], check=True)
    return program


def sanitized(t, compiler, *flags):
    """A runtime that is linked into the program: its name says nothing."""
    is_quiet(t, [build_sanitized(t, "prog_tools", compiler, *flags)], stacks=("full", "fp"))


def test_a_child_below_thread_sanitizer_makes_a_thread(t):
    """Its runtime ends the child of several threads that does, and a thread of ours would make several of one."""
    if harness.SANITIZE or harness.BARE:
        raise harness.Skip("the library as it is installed is asked for")
    program = build_sanitized(t, "prog_forked_thread", "gcc", "-fsanitize=thread")
    status, output = run(t, [program], "-", watched=False)
    if status != 7:
        raise harness.Skip(f"bare it does not run here: status {status}, {output[-300:]!r}")
    t.equal(run(t, [program], os.path.join(t.dir, "log")), (7, ""), "status and output")


def test_thread_sanitizer_of_gcc(t):
    """It has let a thread go before the destructors of others' pthread keys run."""
    sanitized(t, "gcc", "-fsanitize=thread", "-static-libtsan")


def test_thread_sanitizer_of_clang(t):
    """It sees memcpy and memcmp in whatever library, but no atomics there."""
    sanitized(t, "clang", "-fsanitize=thread")


def test_address_sanitizer_of_clang(t):
    sanitized(t, "clang", "-fsanitize=address")


def test_address_sanitizer_of_gcc(t):
    sanitized(t, "gcc", "-fsanitize=address", "-static-libasan")


if __name__ == "__main__":
    harness.main(__name__)
