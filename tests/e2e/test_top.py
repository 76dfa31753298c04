#!/usr/bin/env python3
"""`closeguard top`: on terminals of three sizes, by its keys, without colour, and in lines."""

import os
import re
import shutil
import signal
import socket
import subprocess
import threading
import time

import harness
from screen import Screen

COMMAND = os.path.join(harness.BUILD, "closeguard")
KEYS = "q quit"
NAMED = os.path.exists(os.path.join(harness.BUILD, "libcloseguard-dw.so"))


def leak(t, count=3, **options):
    """A program with so many forgotten connections, of which its recorder tells."""
    if harness.BARE:
        raise harness.Skip("ran bare")
    app = t.start("prog_lines", count, **options)
    port = app.number("port")
    for _ in range(count):
        app.connect(port, b"question").shutdown(socket.SHUT_WR)
    app.line("ready")
    app.finding("close_wait", "eof_ignored", pid=app.pid)
    return app


def growing(t, count, first=2):
    """The same with the first of them only; each call of the function that is returned adds one."""
    if harness.BARE:
        raise harness.Skip("ran bare")
    app = t.start("prog_lines", count)
    port = app.number("port")
    def more():
        app.connect(port, b"question").shutdown(socket.SHUT_WR)
    for _ in range(first):
        more()
    app.finding("close_wait", "eof_ignored")
    return app, more


def screen(t, *arguments, columns=80, lines=24, **env):
    settings = {"CLOSEGUARD_DIR": os.path.join(t.dir, "recorders"), "LC_ALL": "C.UTF-8", "TERM": "screen-256color",
                "NO_COLOR": None, "LD_PRELOAD": None, **env}
    return Screen(t, [COMMAND, "top", "-i", "200ms", *arguments], columns, lines, **settings)


def batch(t, *arguments, status=0, **settings):
    """The lines, and what came on stderr."""
    done = subprocess.run([COMMAND, "top", *map(str, arguments)], env=t.environment(LD_PRELOAD=None, **settings),
                          stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                          timeout=3 * harness.DEADLINE)
    errors = done.stderr.decode()
    t.equal(done.returncode, status, f"status of {arguments}; it said {errors!r}")
    return done.stdout.decode().splitlines(), errors


def fields(line):
    return dict(re.findall(r'(\w+)=("[^"]*"|\S+)', line))


def find_line(t, lines, kind, pid):
    found = [fields(line) for line in lines if line.startswith(f"{kind} pid={pid} ")]
    t.check(found, f"no {kind} of {pid} in {lines}")
    return found[-1]


def test_lines_where_there_is_no_terminal(t):
    app = leak(t)
    lines, errors = batch(t, "-n", "1")
    t.equal(errors, "", "stderr")
    t.check(re.match(r"top time=20\S+Z processes=1 stopped=0 dead=0 findings=1 leaked=3 ", lines[0]), lines[0])
    process, finding = find_line(t, lines, "process", app.pid), find_line(t, lines, "finding", app.pid)
    t.equal([process[name] for name in ("app", "state", "open", "leaked", "late", "host")],
            ["prog_lines", "live", "4", "3", "0", socket.gethostname()], "the process")
    t.equal([finding[name] for name in ("verdict", "kind", "cause", "count")],
            ["leak", "close_wait", "eof_ignored", "3"], "the finding")
    if NAMED and not harness.SANITIZE:
        t.check(re.fullmatch(r'"more prog_lines\.c:\d+"', finding["site"]), finding["site"])
        t.check(re.fullmatch(r'"take prog_lines\.c:\d+"', finding["opened"]), finding["opened"])


def test_growth_per_minute_in_lines(t):
    """Four a second, for three seconds."""
    app, more = growing(t, 14)
    def add():
        for _ in range(12):
            time.sleep(0.25)
            more()
    thread = threading.Thread(target=add, daemon=True)
    thread.start()
    lines, _ = batch(t, "-b", "-n", "6", "-i", "500ms", app.pid)
    thread.join()
    t.equal(len([line for line in lines if line.startswith("top ")]), 6, "refreshes")
    findings = [fields(line) for line in lines if line.startswith("finding ")]
    counts = [int(one["count"]) for one in findings]
    t.check(counts[-1] > counts[0] and counts == sorted(counts), f"counts {counts}")
    t.equal(findings[0]["per_min"], "-", "of the first")
    t.check(20 < float(findings[-1]["per_min"]) < 1000, f"per_min={findings[-1]['per_min']}")


def test_percentiles_of_closes(t):
    """Closed 0.7 s after their EOF is within about a second, and not late."""
    if harness.BARE:
        raise harness.Skip("ran bare")
    app = t.start("prog_late", 3, 700, env={"CLOSEGUARD_WARN_AFTER": "10s"})
    port = app.number("port")
    for _ in range(3):
        app.connect(port).shutdown(socket.SHUT_WR)
    app.line("ready")
    process = find_line(t, batch(t, "--once", app.pid)[0], "process", app.pid)
    t.equal([process[name] for name in ("p50", "p90", "p99", "closed", "open", "leaked", "late")],
            ["1s", "1s", "1s", "3", "1", "0", "0"], "the process")


def test_stopped_and_killed(t):
    """SIGSTOP and kill -9: as fully as a running one."""
    stopped, killed = leak(t), leak(t, 2, status=-signal.SIGKILL)
    os.kill(stopped.pid, signal.SIGSTOP)
    t.cleanups.append(lambda: stopped.process.poll() is None and os.kill(stopped.pid, signal.SIGCONT))
    def status():
        with open(f"/proc/{stopped.pid}/status", encoding="utf-8") as text:
            return re.search(r"^State:\s*(.)", text.read(), re.M).group(1)
    stopped.wait_for(lambda: status() == "T", "it does not stop")
    os.kill(killed.pid, signal.SIGKILL)
    killed.process.wait()
    lines, _ = batch(t, "--once")
    for app, state, count in ((stopped, "stopped", "3"), (killed, "killed", "2")):
        process, finding = find_line(t, lines, "process", app.pid), find_line(t, lines, "finding", app.pid)
        t.equal((process["state"], process["leaked"], finding["count"]), (state, count, count), "what it is")
        t.check(finding["site"] not in ("-", '"-"'), f"site {finding['site']}")
    t.check("stopped=1 dead=1" in lines[0], lines[0])
    view = screen(t)
    text = view.wait(lambda text: "stopped" in text and "killed" in text, "the states")
    t.check(re.search(rf"{stopped.pid} prog_lines .*stopped +4 +3 ", text), text)
    t.check(re.search(rf"{killed.pid} prog_lines .*killed +3 +2 ", text), text)
    os.kill(stopped.pid, signal.SIGCONT)
    view.wait(lambda text: "stopped" not in text, "it goes on, and so is shown")


def test_refusals(t):
    """One line, with what to try, and the exit code of the rules."""
    if harness.BARE:
        raise harness.Skip("ran bare")
    for arguments, status, pattern in (
            (("--once", os.getpid()), 3, rf"explain {os.getpid()}.*scan {os.getpid()}"),
            (("--once", 2147483647), 3, "there is no process 2147483647"),
            (("12x",), 2, "'12x' is no process id"), (("1", "2"), 2, "'2' is one too many"),
            (("-n", "0"), 2, "-n: '0'.*from 1 on"), (("-i", "0"), 2, "top: -i: '0'.*100ms to 1h"),
            (("--interval=5",), 2, "top: --interval: '5'.*100ms to 1h"),
            (("--sort", "size"), 2, "--sort: 'size'.*LEAKED"), (("--nonsense",), 2, "--nonsense is no option"),
            (("-n",), 2, "-n needs a value")):
        lines, errors = batch(t, *arguments, status=status)
        t.equal(lines, [], f"stdout of {arguments}")
        t.check(re.fullmatch(r"closeguard: top: [^\n]*\n", errors) and re.search(pattern, errors), errors)


def test_a_recorder_that_cannot_be_read(t):
    app = leak(t)
    path = os.path.join(t.dir, "recorders", "77.1.rec")
    with open(path, "wb") as other:
        other.write(b"CLOSEGD\0" + b"\x63\0\0\0" + b"\0" * 20000)
    os.utime(path, (1, 1))
    lines, errors = batch(t, "--once", status=3)
    t.check(re.fullmatch(r"closeguard: top: .*77\.1\.rec is a recorder of version 99[^\n]*\n", errors), errors)
    find_line(t, lines, "finding", app.pid)
    screen(t, columns=100).shows("77.1.rec is a recorder of version 99")


def test_names_never_reach_the_terminal_raw(t):
    app = leak(t, env={"CLOSEGUARD_APP": "a\x1b[31mb\u202ec"})
    lines, _ = batch(t, "--once", LC_ALL="C.UTF-8")
    t.equal(find_line(t, lines, "process", app.pid)["app"], "a?[31mb?c", "the name in lines")
    text = screen(t).shows("a?[31mb?c")
    t.check("\x1b" not in text, "an escape")


def check_frame(t, lines, columns):
    """Nothing is wider than the screen, the title is on top and the keys at the bottom."""
    t.check(all(len(line) <= columns for line in lines), f"a line is too wide: {lines}")
    t.check(re.match(r"\d+ process", lines[0]) and KEYS in lines[-1], f"title and keys in {lines}")


def test_sizes(t):
    app = leak(t)
    wanted = {(80, 24): ("PID", "USER", "LEAKED", "CLOSE/M", "P50", "P90", "P99", "COUNT", "+/MIN", "SITE"),
              (200, 50): ("HOST", "PROGRAM", "OPENED", "KIND", "P99", "SURE"),
              (40, 10): ("PID", "LEAKED", "COUNT", "CAUSE", "SITE")}
    view = screen(t)
    for (columns, lines), words in wanted.items():
        view.resize(columns, lines)
        view.wait(lambda text: KEYS in text.rstrip("\n").split("\n")[-1] and len(text.split("\n")) == lines + 1 and
                  all(word in text for word in words), f"{words} at {columns}x{lines}")
        check_frame(t, view.lines(), columns)
        t.check(str(app.pid) in view.text() and "eof_ignored" in view.text(), view.text())
    view.resize(12, 3)
    time.sleep(0.5)
    view.resize(80, 24)
    view.shows("CLOSE/M")
    view.keys("q")
    t.check("status 0" in view.gave_back(), "q is no success")


def test_a_findings_stacks(t):
    """Enter shows functions and lines of the program's own source, and what to do."""
    app = leak(t)
    view = screen(t, columns=100, lines=50)
    view.shows("eof_ignored")
    view.keys("Enter")
    if NAMED and not harness.SANITIZE:
        with open(os.path.join(harness.HERE, "prog_lines.c"), encoding="utf-8") as source:
            marks = {re.search(r"MARK ([^*]*) \*/", line).group(1): number
                     for number, line in enumerate(source, 1) if "MARK " in line}
        for function, mark in (("take", "opened"), ("more", "eof")):
            view.wait(lambda text: re.search(rf"#0 +{function} .*prog_lines\.c:{marks[mark]}\b", text), mark)
    text = view.shows("SOCKETS")
    for word in (f"prog_lines[{app.pid}]", "LEAK 3 sockets in CLOSE_WAIT", "do: close the socket",
                 "OPENED by accept4()", "EOF SEEN by recv()", "LAST USED by write()", "CLOSE_WAIT", "127.0.0.1:"):
        t.check(word in text, f"no {word!r} in:\n{text}")
    view.keys("Escape")
    view.shows("CLOSE/M")


def test_scrolling_in_stacks(t):
    leak(t)
    view = screen(t)
    view.shows("eof_ignored")
    view.keys("Enter")
    view.shows("EOF SEEN by")
    view.keys("End")
    view.shows("PEER")
    t.check("LEAK 3 sockets" not in view.text(), "the first line is still there")
    view.keys("g")
    view.shows("LEAK 3 sockets")


def test_a_process_and_its_findings(t):
    first, second = leak(t), leak(t, 2, env={"CLOSEGUARD_APP": "prog_lines2"})
    view = screen(t)
    text = view.wait(lambda text: text.count("eof_ignored") == 2, "both findings")
    t.check(text.index(f" {first.pid} ") < text.index(f" {second.pid} "), f"the greater leak is not first: {text}")
    view.keys("Tab", "j", "Enter")
    text = view.shows("recorder ")
    t.check(f"{second.pid} prog_lines" in text and str(first.pid) not in text, text)
    t.equal(text.count("eof_ignored"), 1, "findings of it")
    view.keys("BSpace")
    view.wait(lambda text: text.count("eof_ignored") == 2, "back to both")


def test_workers_with_the_same_finding(t):
    """They are one row, with the processes behind Enter; of one process its own count is shown."""
    workers = [leak(t, 1 + number) for number in range(3)]
    lines, _ = batch(t, "-n", "1")
    found = [fields(line) for line in lines if line.startswith("finding ")]
    t.equal([(one["pid"], one["processes"], one["count"]) for one in found], [(str(workers[2].pid), "3", "6")], "lines")
    alone = find_line(t, batch(t, "-n", "1", workers[1].pid)[0], "finding", workers[1].pid)
    t.equal((alone["processes"], alone["count"]), ("1", "2"), "of one worker")
    view = screen(t, columns=100, lines=50)
    view.wait(lambda text: text.count("eof_ignored") == 1 and "3 pids" in text, "one row")
    view.keys("Enter")
    text = view.shows("PROCESSES that have it, 3")
    t.check("LEAK 6 sockets in CLOSE_WAIT" in text and "3 processes of prog_lines" in text, text)
    listed = [tuple(map(int, one)) for one in re.findall(r"^ +(\d+) +(\d) .* live ", text, re.M)]
    t.equal(listed, [(workers[2].pid, 3), (workers[1].pid, 2), (workers[0].pid, 1)], "the workers")


def test_sorting_and_filter(t):
    first, second = leak(t), leak(t, 2, env={"CLOSEGUARD_APP": "zebra"})
    view = screen(t)
    findings = lambda text: [int(pid) for pid in re.findall(r"eof_ignored +(\d+)", text)]
    view.wait(lambda text: findings(text) == [first.pid, second.pid], "by count")
    view.keys("r")
    view.wait(lambda text: "COUNT reversed" in text and findings(text) == [second.pid, first.pid], "reversed")
    view.keys("r", "<")
    view.shows("APP 1/2")
    view.wait(lambda text: findings(text) == [first.pid, second.pid], "by app")
    view.keys("/", "z", "e", "b", "Enter")
    view.wait(lambda text: "/zeb" in text and findings(text) == [second.pid] and str(first.pid) not in text, "filtered")
    view.keys("Escape")
    view.wait(lambda text: len(findings(text)) == 2, "all again")
    view.keys("/", "Q", "Q", "Enter")
    view.shows("No finding fits the filter.")


def test_pause(t):
    """In a pause numbers stand and keys work; afterwards they go on."""
    app, more = growing(t, 5)
    view = screen(t)
    leaked = lambda text: int(re.search(r"leaked (\d+)", text).group(1))
    view.wait(lambda text: "leaked 2" in text, "the first two")
    view.keys("p")
    view.shows("PAUSED")
    for _ in range(3):
        more()
    app.wait_for(lambda: find_line(t, batch(t, "--once")[0], "process", app.pid)["leaked"] == "5", "they leak")
    time.sleep(0.6)
    t.equal(leaked(view.text()), 2, "leaked, in a pause")
    view.keys("?")
    view.shows("Columns")
    view.keys("Escape", "p")
    view.wait(lambda text: leaked(text) == 5 and "PAUSED" not in text, "it goes on")


def test_processes_come_and_go(t):
    view = screen(t)
    view.shows("No process is watched yet. Start one with: closeguard run")
    app = leak(t)
    view.shows(f"{app.pid} prog_lines")
    app.finish()
    view.wait(lambda text: re.search(rf"{app.pid} prog_lines .*exited", text), "it has exited")
    shutil.rmtree(os.path.join(t.dir, "recorders"))
    view.shows("No process is watched yet")


def test_columns_are_listed_once(t):
    done = subprocess.run([COMMAND, "top", "--sort", "size"], stderr=subprocess.PIPE, text=True, check=False)
    columns = done.stderr.strip().rpartition("it takes ")[2].split(", ")
    t.check("PID" in columns and "LEAKED" in columns, f"the columns {columns}")
    t.equal(sorted(columns), sorted(set(columns)), "columns")


def test_interval_and_help(t):
    leak(t)
    view = screen(t)
    view.shows("every 200ms")
    view.keys("+")
    view.shows("every 500ms")
    view.keys("-", "-", "-", "-")
    view.shows("every 100ms")
    view.keys("h")
    view.shows("closeguard top: help")
    view.keys("q")
    view.gave_back()


def test_signals_give_the_terminal_back(t):
    """SIGTERM, Ctrl-C, a crash: however it ends."""
    leak(t)
    for number, status in ((signal.SIGTERM, 143), (signal.SIGHUP, 129), (signal.SIGSEGV, 139)):
        if harness.SANITIZE and number == signal.SIGSEGV:
            continue  # the sanitizer's own handler is there
        view = screen(t)
        view.shows("eof_ignored")
        os.kill(view.pid("closeguard"), number)
        t.check(f"status {status}" in view.gave_back(), f"{number.name}: {view.text()}")
    view = screen(t)
    view.shows("eof_ignored")
    view.keys("C-c")
    t.check("status 0" in view.gave_back(), f"Ctrl-C: {view.text()}")


def test_stop_and_go_on(t):
    """Ctrl-Z gives the terminal to the shell, fg draws the screen again."""
    leak(t)
    settings = {"CLOSEGUARD_DIR": os.path.join(t.dir, "recorders"), "TERM": "screen-256color", "LD_PRELOAD": None}
    view = Screen(t, ["bash", "--norc", "--noprofile", "-i"], **settings)
    view.keys(f"{COMMAND} top -i 200ms", "Enter")
    view.shows("eof_ignored")
    view.keys("C-z")
    view.shows("Stopped")
    view.keys("fg", "Enter")
    view.wait(lambda text: "eof_ignored" in text and "Stopped" not in text, "the screen again")
    view.keys("q")
    view.wait(lambda text: "eof_ignored" not in text, "it is left")


def test_no_colour(t):
    leak(t)
    coloured = re.compile(r"\x1b\[(?:\d+;)*3[0-7]m")
    for env, colour in (({}, True), ({"NO_COLOR": "1"}, False), ({"TERM": "vt100"}, False)):
        view = screen(t, **env)
        view.shows("eof_ignored")
        text = view.text(escapes=True)
        t.equal(bool(coloured.search(text)), colour, f"colour with {env}: {text!r}")
        t.check("\n>" in view.text(), "the chosen line is not marked")


def test_a_terminal_that_cannot(t):
    """TERM=dumb, and one that nobody knows: lines."""
    app = leak(t)
    for kind in ("dumb", "no-such-terminal"):
        view = screen(t, "-n", "1", TERM=kind, columns=250)
        t.check(f"finding pid={app.pid} " in view.gave_back(), f"{kind}: {view.text()}")


def test_ascii_and_utf8(t):
    """What is cut off is marked in the terminal's own characters."""
    leak(t, env={"CLOSEGUARD_APP": "gr\u00fc\u00dfe-\u6f22\u5b57-and-a-long-name"})
    view = screen(t)
    view.wait(lambda text: "gr\u00fc\u00dfe-\u6f22" in text and "\u2026" in text, "UTF-8")
    ascii_view = screen(t, LC_ALL="C")
    text = ascii_view.shows("gr??e-")
    t.check(all(ord(c) < 128 for c in text), f"beyond ASCII: {text}")
    t.check("~" in text, f"no mark in {text}")


def test_the_manual_has_every_option(t):
    with open(os.path.join(harness.HERE, "..", "..", "man", "closeguard.1"), encoding="utf-8") as page:
        manual = page.read().replace("\\-", "-")
    said = subprocess.run([COMMAND, "top", "--help"], stdout=subprocess.PIPE, text=True, check=True).stdout
    for option in ("--batch", "--iterations", "--once", "--interval", "--sort", "--filter"):
        t.check(option in said and option in manual, f"{option} is not in the help and in the manual")


if __name__ == "__main__":
    harness.main(__name__)
