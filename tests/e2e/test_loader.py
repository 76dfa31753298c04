#!/usr/bin/env python3
"""Forks while another thread is in the dynamic loader: because of us, or for reasons of the program's own."""

import os
import subprocess
import time

import harness


def test_children_find_the_loader_free(t):
    """glibc leaves the lock of dl_iterate_phdr as it was at the fork: a child would wait for a thread it lacks."""
    app = t.start("prog_loader", 1000 // (4 if harness.SANITIZE else 1))
    t.equal(app.number("hung"), 0, "children that never had an answer")


def test_children_find_the_unwinder_free(t):
    """Neither is anything of ours left locked by another thread's accept or socket at the fork."""
    app = t.start("prog_loader", 60 // (4 if harness.SANITIZE else 1), "opens")
    t.equal(app.number("hung"), 0, "children that never got through a socket of their own")


def test_libc_can_go_over_the_threads_of_a_raw_childs_parent(t):
    """A thread of ours that was made and had not run yet would be waited for, for ever, by setuid in the child."""
    app = t.start("prog_loader", 200 // (4 if harness.SANITIZE else 1), "early")
    t.equal(app.number("hung"), 0, "children that never got through setresuid")


def program_in_the_loader(t, way, stacks):
    forks = 80 // (4 if harness.SANITIZE else 1)
    app = t.start("prog_loader", forks, way, env={"CLOSEGUARD_STACKS": stacks})
    t.equal(app.number("hung"), 0, "children that never got through a socket of their own")


def test_the_programs_thread_loads_and_unloads(t):
    """The child of a fork in the midst of the program's own dlopen cannot have the loader's lock: nor does it ask."""
    program_in_the_loader(t, "loads", "full")


def test_the_programs_thread_walks_the_list(t):
    """The same with dl_iterate_phdr, which every exception that is thrown calls."""
    program_in_the_loader(t, "walks", "full")


def test_the_same_without_unwind_tables(t):
    """Frame pointers need no loader, but the modules that they lead to did."""
    program_in_the_loader(t, "walks", "fp")


def test_a_short_child_ends_at_once(t):
    """What the end asks of a thread that has only just been started is not slept over."""
    took = []
    for watched in (False, True):
        begun = time.monotonic()
        app = t.start("prog_loader", 20, "quiet", watched=watched)
        t.equal(app.number("hung"), 0, "children that did not end")
        took.append(time.monotonic() - begun)
    t.check(took[1] < 10 * took[0] + 8, "20 children that open a socket and end took %.1f s, bare %.1f s; a second "
            "each is a sleep" % (took[1], took[0]))


def loads_as_if_bare(t, *tags):
    """What a library loads is searched for where that library says: relative to itself, and nowhere else."""
    if harness.SANITIZE:
        raise harness.Skip("the sanitizer's own dlopen is the caller that the loader sees")
    outer, inner = (os.path.join(t.dir, name) for name in ("outer", "inner"))
    compiler = [os.environ.get("CC", "cc"), "-D_GNU_SOURCE=", "-O2", "-shared", "-fPIC"]
    for directory, source, name, flags in ((outer, "lib_caller", "caller.so", ["-Wl,-rpath,$ORIGIN/../inner", *tags]),
                                           (inner, "lib_plugin", "only_here.so", [])):
        os.mkdir(directory)
        subprocess.run([*compiler, *flags, "-o", os.path.join(directory, name),
                        os.path.join(harness.HERE, source + ".c"), "-ldl"], check=True)
    said = []
    for watched in (False, True):
        app = t.start("prog_search", os.path.join(outer, "caller.so"), "only_here.so", watched=watched,
                      env={"NO_DEEPBIND": "1"} if harness.SANITIZE else {})
        app.line("ready")
        app.finish()
        app.reader.join()
        said.append(app.stdout)
    t.equal(said[1], said[0], "what was found, watched and bare")
    found = [line for line in said[0] if "outer/../inner/only_here.so in" in line]
    t.equal(len(found), 4 if harness.SANITIZE else 5, f"ways in which the library is found, of {said[0]}")


def test_the_callers_rpath_is_searched(t):
    loads_as_if_bare(t, "-Wl,--disable-new-dtags")


def test_the_callers_runpath_is_searched(t):
    loads_as_if_bare(t, "-Wl,--enable-new-dtags")


if __name__ == "__main__":
    harness.main(__name__)
