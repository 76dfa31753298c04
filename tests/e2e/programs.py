"""Compiles the test programs, each once."""

import fcntl
import os
import subprocess

HERE = os.path.dirname(os.path.abspath(__file__))
CFLAGS = ["-std=gnu11", "-D_GNU_SOURCE", "-O2", "-g", "-Wall", "-Wextra", "-Werror", "-pthread"]


def compile(name, build, flags=(), source=None, compiler=None):
    """Compiles NAME.c (or .cc) and returns the result: a program, or a shared object where the name begins with lib_."""
    compiler = compiler or os.environ.get("CC", "cc")
    source = os.path.join(HERE, (source or name) + ".c")
    if not os.path.exists(source):
        source, compiler = source + "c", "c++"
    shared = ["-shared", "-fPIC"] if os.path.basename(name).startswith("lib_") else []
    directory = os.path.join(build, "e2e")
    os.makedirs(directory, exist_ok=True)
    target = os.path.join(directory, name + (".so" if shared else ""))
    with open(target + ".lock", "w", encoding="utf-8") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        inputs = [source, os.path.join(HERE, "prog.h"), os.path.join(HERE, "programs.py")]
        if not os.path.exists(target) or os.path.getmtime(target) < max(map(os.path.getmtime, inputs)):
            cflags = [flag for flag in CFLAGS if not (compiler == "c++" and flag == "-std=gnu11")]
            command = [compiler, *cflags, *shared, "-o", target + ".new", source, *flags]
            done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
            if done.returncode != 0:
                raise RuntimeError(f"{' '.join(command)}: {done.stdout}")
            os.rename(target + ".new", target)
    return target
