#!/usr/bin/env python3
"""Files that the library reads belong to others, who may rewrite, cut short, replace or delete them at any time."""

import os
import shutil
import subprocess
import threading

import harness
import programs


def need_names():
    if harness.BARE:
        raise harness.Skip("ran bare")
    if not os.path.exists(os.path.join(harness.BUILD, "libcloseguard-dw.so")):
        raise harness.Skip("this build has no annex for names")


def with_debug_file(t, name):
    """A copy of a program without debug information, and the separate file that has it, padded to some MiB: what takes
    a while to read is likely to be cut short meanwhile."""
    harness.need("objcopy")
    harness.need("strip")
    source, program = programs.compile(name, harness.BUILD), os.path.join(t.dir, name)
    debug = os.path.join(t.dir, name + ".debug")
    subprocess.run(["objcopy", "--only-keep-debug", source, debug], check=True)
    subprocess.run(["strip", source, "-o", program], check=True)
    subprocess.run(["objcopy", f"--add-gnu-debuglink={debug}", program], check=True)
    return program, debug


class Rewriter(threading.Thread):
    """Cuts a file short and writes it again, in place, as cp does."""

    def __init__(self, path):
        super().__init__(daemon=True)
        with open(path, "rb") as file:
            self.contents = file.read()
        self.path, self.rounds, self.over = path, 0, threading.Event()

    def run(self):
        while not self.over.is_set():
            with open(self.path, "r+b") as file:
                file.truncate(0)
                self.over.wait(0.002)
                file.write(self.contents)
            self.rounds += 1
            self.over.wait(0.002)

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *_):
        self.over.set()
        self.join()


def test_a_debug_file_is_rewritten_while_it_is_read(t):
    need_names()
    program, debug = with_debug_file(t, "prog_places")
    with Rewriter(debug) as rewriter:
        app = t.start(program, 1, 40, env={"CLOSEGUARD_INTERVAL": "10ms", "CLOSEGUARD_WARN_AFTER": "20ms"})
        app.line("done")
        t.equal(app.process.wait(harness.DEADLINE), 0, "status")
        t.check(rewriter.rounds > 20, f"the file was rewritten {rewriter.rounds} times only")
    told = [one for one in app.events("finding") if one["kind"] == "double_close"]
    t.check(len(told) >= 60, f"only {len(told)} findings were told")


if __name__ == "__main__":
    harness.main(__name__)
