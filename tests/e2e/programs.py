"""Compiles the test programs as tests.mk does, into the same place: what is there and new enough is used."""

import fcntl
import glob
import os
import re
import subprocess

HERE = os.path.dirname(os.path.abspath(__file__))
CFLAGS = ["-D_GNU_SOURCE=", "-O2", "-g", "-Wall", "-pthread"]


def own_flags(source):
    """A source may hold one comment line "build flags: ..."."""
    with open(source, encoding="utf-8") as text:
        found = re.search(r"build flags: *(.*?)(?: *\*/)? *$", text.read(), re.M)
    return found.group(1).split() if found else []


def compile(name, build, flags=(), source=None):
    """The path of a program, or of a shared object (lib_…); `source` where it is a variant of another one's."""
    source = os.path.join(HERE, (source or name) + ".c")
    compiler = os.environ.get("CC", "cc")
    if not os.path.exists(source):
        source, compiler = source + "c", os.environ.get("CXX", "c++")
    shared = ["-shared", "-fPIC"] if name.startswith("lib_") else []
    directory = os.path.join(build, "tests", "e2e")
    os.makedirs(directory, exist_ok=True)
    target = os.path.join(directory, name + (".so" if shared else ""))
    with open(target + ".lock", "w", encoding="utf-8") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        inputs = [source, *glob.glob(os.path.join(HERE, "*.h"))]
        if not os.path.exists(target) or os.path.getmtime(target) < max(map(os.path.getmtime, inputs)):
            command = [compiler, *CFLAGS, *shared, *own_flags(source), *flags, "-o", target + ".new", source, "-ldl"]
            done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
            if done.returncode != 0:
                raise RuntimeError(f"{' '.join(command)}: {done.stdout}")
            os.rename(target + ".new", target)
    return target
