#!/usr/bin/env python3
"""Names that others have chosen: of programs, threads, files, in environments, labels and policies. Whatever is in
them, what the command and the library write moves no cursor, turns no text around, forges no line, and they hang on
nothing."""

import glob
import json
import os
import shutil
import subprocess
import time

import harness
import policies
import programs
from harness import Failure, Skip

COMMAND = os.path.join(harness.BUILD, "closeguard")
# An escape sequence, a line feed, C1's CSI as a byte and as a character, a turn of direction, a line separator.
NAME = b"a\x1b[31mb\nclo\x9b2Jd\xc2\x9b2Je\xe2\x80\xaef\xe2\x80\xa8\x7fg"
BAD = {*range(0x00, 0x0a), *range(0x0b, 0x20), *range(0x7f, 0xa0), 0x61c, 0x200e, 0x200f, *range(0x2028, 0x202f),
       *range(0x2066, 0x206a), 0xfeff}


def is_harmless(written, what):
    """UTF-8 without anything that a terminal acts on, and no line that begins within a name."""
    try:
        text = written.decode("utf-8")
    except UnicodeDecodeError as why:
        raise Failure(f"{what} is not UTF-8: {why}: {written!r}") from why
    known = "\t" if text.startswith("<!DOCTYPE html>") else ""  # the page's own are indented
    found = sorted({hex(ord(c)) for c in text if ord(c) in BAD and c not in known})
    if found:
        raise Failure(f"{what} has {found}: {written!r}")
    forged = [line for line in text.splitlines() if line.lstrip().startswith(("clo2J", "clo?", "clo\ufffd"))]
    if forged:
        raise Failure(f"{what} has a line from within a name: {forged}")
    return text


def run(t, *arguments, status=None, env=None):
    """One verb: both of its outputs are harmless. Returns what it wrote to stdout, and to stderr."""
    done = subprocess.run([COMMAND, *arguments], env=env or t.environment(LD_PRELOAD=None), timeout=harness.DEADLINE,
                          stdin=subprocess.DEVNULL, capture_output=True)
    what = f"{arguments}: status {done.returncode}"
    if done.returncode < 0 or (status is not None and done.returncode != status):
        raise Failure(f"{what}: {done.stderr!r} {done.stdout!r}")
    return is_harmless(done.stdout, what + ", stdout"), is_harmless(done.stderr, what + ", stderr")


def in_folder(t):
    folder = os.path.join(os.fsencode(t.dir), NAME)
    os.makedirs(folder, exist_ok=True)
    return folder


def hostile_program(t, **settings):
    """A program in a folder, of a name, with a thread and a label that are all called so, under the library."""
    path = os.path.join(in_folder(t), NAME)
    programs.compile("prog_hostile", harness.BUILD)
    subprocess.run([b"cp", os.fsencode(os.path.join(harness.BUILD, "tests/e2e/prog_hostile")), path], check=True)
    process = subprocess.Popen([path, NAME], env=t.environment(CLOSEGUARD_LOG=os.path.join(t.dir, "log"), **settings),
                               stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    t.cleanups.append(process.kill)
    t.equal(process.stdout.readline(), b"ready\n", "the program's line")
    return process


def wait_for(t, condition, what):
    until = time.monotonic() + harness.DEADLINE
    while not condition():
        t.check(time.monotonic() < until, f"no {what} in time")
        time.sleep(0.05)


def log_of(t):
    try:
        with open(os.path.join(t.dir, "log"), "rb") as log:
            return log.read()
    except FileNotFoundError:
        return b""


def test_the_log_as_text(t):
    process = hostile_program(t, CLOSEGUARD_FORMAT="text", CLOSEGUARD_WARN_AFTER="50ms")
    wait_for(t, lambda: b"LEAK" in log_of(t), "finding")
    process.communicate()
    text = is_harmless(log_of(t), "the log")
    t.check("a?[31mb?clo" in text, f"the name is nowhere in {text!r}")
    t.check("in thread \"a?[31mb" in text and "label: a?[31mb?clo" in text, f"no thread or label in {text!r}")


def test_the_log_as_json(t):
    process = hostile_program(t, CLOSEGUARD_WARN_AFTER="50ms")
    wait_for(t, lambda: b"finding" in log_of(t), "finding")
    process.communicate()
    lines = [json.loads(line) for line in is_harmless(log_of(t), "the log").splitlines()]
    app = NAME.decode("utf-8", "replace")
    t.equal({line["app"] for line in lines}, {app}, "the program's name, once read back")
    t.check(app.startswith([line for line in lines if line["event"] == "finding"][0]["label"][:12]), "the label")


def test_complaints_of_the_library(t):
    policy = policies.write_policy(t, 'version = 1; mode = "\\x1b[31m\\xc2\\x9b2J";')
    process = hostile_program(t, CLOSEGUARD_FORMAT="text", CLOSEGUARD_POLICY=policy,
                              CLOSEGUARD_DEPTH=b"\x1b[31m\x9b2J")
    process.communicate()
    text = is_harmless(log_of(t), "the log")
    t.check("CLOSEGUARD_DEPTH" in text and "policy.cfg" in text, f"not both complaints: {text!r}")


def verbs_on(t, process, recorder):
    """What each verb writes about it, in every form."""
    pid, reports = str(process.pid), {}
    for form in ("text", "json", "html", "folded"):
        reports[form] = run(t, "report", "--format", form, pid)[0]
        copied = run(t, "report", "--format", form, recorder)[0]
        t.check(len(copied) > 40 and len(reports[form]) > 40, f"{form}: {reports[form]!r} {copied!r}")
    t.check("a?[31mb?clo" in reports["text"], f"the name is nowhere in {reports['text']!r}")
    t.equal(json.loads(reports["json"])["sources"][0]["pid"], process.pid, "the process in the JSON report")
    json.loads(run(t, "explain", "--json", pid, status=0)[0])
    t.check("recorder" in run(t, "explain", pid, status=0)[0], "explain tells of no recorder")
    t.check(pid in run(t, "top", "--batch", "--iterations", "1", pid)[0], "top does not tell of the process")
    run(t, "scan", pid)
    json.loads(run(t, "scan", "--json", pid)[0])


def test_verbs_about_a_process(t):
    process = hostile_program(t, CLOSEGUARD_WARN_AFTER="50ms")
    wait_for(t, lambda: b"finding" in log_of(t), "finding")
    if harness.BARE:
        raise Skip("ran bare, where there is no recorder")
    recorder = os.path.join(in_folder(t), b"1.1.rec")
    shutil.copy(glob.glob(os.path.join(t.dir, "recorders", "*.rec"))[0], recorder)
    verbs_on(t, process, recorder)
    log = os.path.join(in_folder(t), b"log")
    shutil.copy(os.path.join(t.dir, "log"), log)
    for form in ("text", "json", "html", "folded"):
        run(t, "report", "--format", form, log)


def test_a_log_that_is_made_to_hurt(t):
    """JSON may have any character in a string as a number."""
    log = os.path.join(t.dir, "made.json")
    evil = NAME.decode("utf-8", "replace")
    frame = {"module": evil, "build_id": evil, "offset": "0x12", "function": evil, "file": evil, "line": 3}
    place = {"call": evil, "thread": evil, "age_s": 1, "stack": [frame]}
    with open(log, "w", encoding="utf-8") as file:
        json.dump({"v": 1, "event": "finding", "time": "2026-01-01T00:00:00.000Z", "host": evil, "pid": 7, "app": evil,
                   "kind": "close_wait", "cause": "eof_ignored", "verdict": "leak", "confidence": 0.9, "count": 3,
                   "oldest_age_s": 4, "advice": evil, "opened": place, "eof": place, "last_use": place, "label": evil,
                   "suggested_rule": evil, "origin": evil,
                   "sockets": [{"fd": 3, "state": evil, "local": evil, "peer": evil, "age_s": 4}]}, file)
        file.write("\n")
        json.dump({"v": 1, "event": "warning", "time": evil, "host": evil, "pid": 7, "app": evil, "text": evil}, file)
    for form in ("text", "json", "html", "folded"):
        t.check(len(run(t, "report", "--format", form, log)[0]) > 40, f"{form} says nothing")


def test_explain_waits_for_no_fifo(t):
    """What LD_PRELOAD named is something else by now; and its name is in the answer."""
    folder = in_folder(t)
    library = os.path.join(folder, b"libcloseguard.so")
    program = shutil.which("sleep")
    process = subprocess.Popen([program, "1000"], env={"LD_PRELOAD": library}, stderr=subprocess.DEVNULL)
    t.cleanups.append(process.kill)
    wait_for(t, lambda: os.readlink(f"/proc/{process.pid}/exe") == os.path.realpath(program), "program")
    os.mkfifo(library)
    text = run(t, "explain", str(process.pid), status=1)[0]
    t.check("LD_PRELOAD names" in text and "a?[31mb?clo" in text, f"it does not say what it found: {text!r}")
    answer = json.loads(run(t, "explain", "--json", str(process.pid), status=1)[0])
    t.check(any("LD_PRELOAD names" in reason for reason in answer["reasons"]), f"{answer}")


def test_complaints_of_every_verb(t):
    missing = os.path.join(in_folder(t), NAME)
    for verb in ("run", "report", "check", "explain"):
        t.check("a?[31mb?clo" in run(t, verb, missing)[1], f"{verb} does not say what is missing")
    for verb in ("run", "report", "check", "explain", "scan", "top"):
        run(t, verb, b"--" + NAME)
        run(t, verb, NAME)
    run(t, NAME)
    run(t, "report", "--format", NAME)
    run(t, "check", "--explain", b"role=" + NAME, missing)
    run(t, "report", env=t.environment(LD_PRELOAD=None, CLOSEGUARD_DIR=missing))
    run(t, "explain", "true", env=t.environment(LD_PRELOAD=None, PATH=in_folder(t)))


def test_policies(t):
    evil = "a\\xc2\\x9b2J\\xe2\\x80\\xaed"  # what is no ASCII control, which a policy may not have
    text = (f'version = 1; app = "{evil}"; rules = ( {{ name = "{evil}"; match = {{ role = "accepted"; '
            f'site = "{evil}"; }}; eof = {{ warn_after = "10s"; }}; }} ); '
            f'suppress = ( {{ kind = "close_wait"; stack = [ "{evil}" ]; reason = "{evil}"; }} );')
    good = policies.write_policy(t, text)
    t.check("a?2J?d" in run(t, "check", good, status=0)[0], "check does not tell of the rule")
    run(t, "check", "--explain", "role=connected", good)
    run(t, "check", "--explain", "role=accepted site=x", good)
    run(t, "check", "--app", b"x" + NAME, good)
    evil += "\\x1b[31m\\n\\x9b2J"
    bad = policies.write_policy(t, f'version = 1; mode = "{evil}"; log = "{evil}"; warn_after = "{evil}"; '
                                   f'rules = ( {{ name = "{evil}"; match = {{ role = "{evil}"; }}; }} );',
                                name="bad.cfg")
    t.check("mode" in run(t, "check", bad, status=1)[1], "check does not complain of the mode")
    placed = os.path.join(in_folder(t), b"bad.cfg")
    shutil.copy(bad, placed)
    run(t, "check", placed, status=1)


if __name__ == "__main__":
    harness.main(__name__)
