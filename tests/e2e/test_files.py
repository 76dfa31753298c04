#!/usr/bin/env python3
"""Files that the library reads belong to others, who may rewrite, cut short, replace or delete them at any time."""

import os
import signal
import subprocess
import threading

import harness
import programs
from reports import as_json


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
    if harness.SANITIZE == "tsan":
        raise harness.Skip("the runtime maps the file itself, to look for suppressions")
    program, debug = with_debug_file(t, "prog_places")
    with Rewriter(debug) as rewriter:
        app = t.start(program, 1, 40, env={"CLOSEGUARD_INTERVAL": "10ms", "CLOSEGUARD_WARN_AFTER": "20ms"})
        app.line("done")
        t.equal(app.process.wait(harness.DEADLINE), 0, "status")
        t.check(rewriter.rounds > 20, f"the file was rewritten {rewriter.rounds} times only")
    told = [one for one in app.events("finding") if one["kind"] == "double_close"]
    t.check(len(told) >= 60, f"only {len(told)} findings were told")


def test_a_recorder_is_cut_short(t):
    """By its owner, who meant another file. The program goes on, unwatched, and ends with its own status."""
    if harness.BARE or harness.SANITIZE:
        raise harness.Skip("ran bare, or with a runtime that handles SIGBUS itself")
    app = t.start("prog_lines", 6, stderr_empty=False)
    port = app.number("port")
    app.connect(port, b"question").shutdown(1)
    app.finding("close_wait", "eof_ignored")
    os.truncate(recorder_of(app), 0)
    for _ in range(5):
        app.connect(port, b"question").shutdown(1)
    app.line("ready")
    app.wait_for(lambda: [one for one in app.events("warning") if "cut short" in one["message"]], "no warning")


def end_by_sigbus(t, mode, status, last):
    """As it would without the library, whose thread is there."""
    app = t.start("prog_sigbus", mode, status=status)
    app.line("port")
    if not harness.BARE:
        app.wait_for(lambda: len(os.listdir(f"/proc/{app.pid}/task")) > 1, "no second thread")
    app.tell()
    app.process.wait(harness.DEADLINE)
    app.reader.join()
    t.equal(app.stdout[1:], last, "what it said")


def test_the_program_s_own_sigbus_ends_it(t):
    end_by_sigbus(t, "fault", -signal.SIGBUS, [])
    end_by_sigbus(t, "sent", -signal.SIGBUS, [])


def test_the_program_s_own_handler_and_wait_have_their_sigbus(t):
    end_by_sigbus(t, "handled", 5, [f"handled {int(signal.SIGBUS)}"])
    end_by_sigbus(t, "waited", 6, [f"waited {int(signal.SIGBUS)}"])


def shifted(t, name):
    """Another build of the program: other functions and lines at the same addresses, or near them."""
    with open(os.path.join(programs.HERE, name + ".c"), encoding="utf-8") as file:
        source = file.read()
    changed = os.path.join(t.dir, "changed.c")
    with open(changed, "w", encoding="utf-8") as file:
        file.write("\n" * 50 + source.replace("serve", "wrong_serve").replace("take", "wrong_take")
                   .replace("answer", "wrong_answer").replace("more", "wrong_more"))
    return build(t, "changed", changed)


def build(t, name, source):
    program = os.path.join(t.dir, name)
    subprocess.run([os.environ.get("CC", "cc"), *programs.CFLAGS, "-I" + programs.HERE, "-Wl,--build-id=none", "-o",
                    program, source], check=True)
    return program


def without_build_id(t):
    """prog_lines, started, and replaced on disk before there is anything to name."""
    need_names()
    program = build(t, "app", os.path.join(programs.HERE, "prog_lines.c"))
    app = t.start(program, 2, status=None)
    port = app.number("port")
    os.rename(shifted(t, "prog_lines"), program)
    for _ in range(2):
        app.connect(port, b"question").shutdown(1)
    app.line("ready")
    return app


def recorder_of(app):
    """The one file of a program that made no child."""
    return os.path.join(app.recorders, os.listdir(app.recorders)[0])


def functions(stacks, module):
    return {frame.get("function") for stack in stacks for frame in stack if frame["module"] == module}


def all_stacks(finding):
    return [finding[place]["stack"] for place in ("opened", "eof", "last_use") if finding.get(place)]


def test_a_replaced_program_without_build_id_is_named_as_it_runs(t):
    app = without_build_id(t)
    finding = app.finding("close_wait", "eof_ignored")
    named = functions(all_stacks(finding), finding["opened"]["stack"][0]["module"])
    t.check(named >= {"take", "serve", "main"}, f"functions: {named}")
    lines = [frame["line"] for stack in all_stacks(finding) for frame in stack if frame.get("function") == "main"]
    t.check(lines and max(lines) < 50, f"lines of main: {lines}")


def test_a_replaced_program_without_build_id_is_not_named_afterwards(t):
    app = without_build_id(t)
    app.finding("close_wait", "eof_ignored")
    app.status = -signal.SIGKILL
    os.kill(app.pid, signal.SIGKILL)
    app.process.wait()
    answer = as_json(t, recorder_of(app))
    named = functions(all_stacks(answer.only()), "app")
    t.check(named <= {None}, f"functions: {named}")
    told = answer.errors + answer.warnings()
    t.check("are not named: the file was replaced since it was loaded" in told, told)


if __name__ == "__main__":
    harness.main(__name__)
