#!/usr/bin/env python3
"""Logs that are cut off, damaged, foreign, compressed, hostile or large: one clear line, and what could be saved."""

import gzip
import json
import os
import random
import resource
import subprocess
import time

import harness
from reports import COMMAND, Answer, as_json, finding, frame, log, report, summary


def refused(t, name, why):
    answer = as_json(t, name)
    t.equal((answer.status, answer.text), (3, ""), "status and output")
    t.equal(answer.errors, f"closeguard: report: {why}\n", "the line")


def test_foreign_lines_are_skipped(t):
    """A log may be shared with the program's own output."""
    path = log(t, "log", "starting", finding(2), '{"level":"info","event":"request"}', '{"v":"1","event":"finding"}',
               "[1, 2]", "", "   ", "\xff\xfe".encode("latin-1") + b"\n", finding(4, 5))
    answer = as_json(t, path).expect(1)
    t.equal(answer.only()["count"], 4, "count")
    t.equal(answer.warnings(), f"{path}: 5 lines skipped: not written by closeguard as JSON (the first is line 1)",
            "warnings")


def test_damaged_lines(t):
    good = json.dumps(finding(3, 9))
    path = log(t, "log", finding(2), good[:700], good.replace('"count": 3', '"count": '), "{" * 5000 + '"event"',
               finding(4, 10, pid=2))
    answer = as_json(t, path).expect(1)
    t.equal(answer.only()["count"], 6, "count")
    t.check(answer.warnings().startswith(f"{path}: 3 lines skipped: damaged, "), answer.warnings())
    t.check(answer.warnings().endswith("(the first is line 2)"), answer.warnings())


def test_a_cut_off_log(t):
    whole = json.dumps(finding(3, 9))
    path = log(t, "log", finding(2), whole[:len(whole) // 2].encode())
    answer = as_json(t, path).expect(1)
    t.equal((answer.only()["count"], answer.warnings()), (2, f"{path}: its last line is cut off"), "count and warnings")
    t.equal(as_json(t, log(t, "whole", whole.encode())).expect(1).warnings(), "",
            "warnings of one that only lacks its newline")
    log(t, "begun", whole[:500].encode())
    refused(t, "begun", "begun has only the beginning of a line: it was cut off")


def test_findings_without_a_kind(t):
    path = log(t, "log", {"v": 1, "event": "finding"}, finding(2))
    why = f"{path}: 1 line skipped: no kind of finding is named (the first is line 1)"
    t.equal(as_json(t, path).expect(1).warnings(), why, "warnings")


def test_other_versions(t):
    path = log(t, "log", finding(2), finding(9, v=2), finding(7, v=3))
    answer = as_json(t, path).expect(1)
    t.equal(answer.only()["count"], 2, "count")
    why = f"{path}: 2 lines skipped: of version 2, this command reads version 1 (the first is line 2)"
    t.equal(answer.warnings(), why, "warnings")
    log(t, "other", finding(9, v=2))
    refused(t, "other", "other is a log of version 2, this command reads version 1; use the command of the same "
            "build as its libcloseguard.so")


def test_what_is_no_log(t):
    log(t, "empty")
    refused(t, "empty", "empty is empty")
    log(t, "text", "closeguard: nginx[4242]: LEAK 37 sockets in CLOSE_WAIT")
    refused(t, "text", 'text is no recorder: it does not begin with "CLOSEGD", and no log: closeguard wrote none of '
                       "its 1 lines as JSON (CLOSEGUARD_FORMAT=json)")
    refused(t, "nothing", "nothing cannot be read: No such file or directory")
    both = as_json(t, log(t, "log", finding(2)), "text")
    t.equal((both.status, both.only()["count"], both.errors.count("\n")), (3, 2, 1), "a good one beside a bad one")


def test_a_line_without_end(t):
    path = log(t, "log", finding(2), b'{"v":1,"event":"finding","x":"' + b"A" * (9 << 20) + b'"}\n', finding(4, 5))
    answer = as_json(t, path).expect(1)
    t.equal(answer.only()["count"], 4, "count")
    t.equal(answer.warnings(), f"{path}: 1 line skipped: longer than 4 MiB (the first is line 2)", "warnings")


def test_names_that_look_like_members(t):
    """What stands in a text is text: stacks and sockets are found by their names."""
    odd = finding(2, label='"stack":[1,2] and \\"sockets":[3]', x={'odd"stack': [1, 2, 3, 4, 5, 6, 7, 8, 9]})
    odd["opened"]["stack"][0]["module"] = '[jit] ] "\\'
    merged = as_json(t, log(t, "log", odd), log(t, "spaced", json.dumps({**odd, "pid": 2}, indent=None))).only()
    t.equal((merged["count"], merged["label"], len(merged["sockets"])), (4, odd["label"], 4), "two ways to write it")
    t.equal(merged["opened"]["stack"], odd["opened"]["stack"], "the stack")


def packed(t, name, data):
    with open(os.path.join(t.dir, name), "wb") as file:
        file.write(data)
    return name


def test_compressed(t):
    lines = b"".join(json.dumps(finding(2 + i, i, pid=1)).encode() + b"\n" for i in range(50))
    name = packed(t, "log.gz", gzip.compress(lines[:5000]) + gzip.compress(lines[5000:]))
    t.equal(as_json(t, name).expect(1).only()["count"], 51, "two members, the seam within a line")
    whole = gzip.compress(lines)
    cut = as_json(t, packed(t, "cut.gz", whole[:-200])).expect(1)
    t.check("cut.gz: its compressed data are cut off after " in cut.warnings(), cut.warnings())
    bad = bytearray(gzip.compress(random.Random(1).randbytes(200000).hex().encode() + b"\n" + lines, 1))
    bad[len(bad) // 2] ^= 0x55
    answer = as_json(t, packed(t, "bad.gz", bytes(bad)))
    t.equal(answer.status, 3, "status")
    t.check("bad.gz: its compressed data are damaged after" in answer.errors, answer.errors)
    t.equal(answer.errors.count("\n"), 1, "lines")


def test_standard_input(t):
    lines = json.dumps(finding(3)).encode() + b"\n"
    for given in (lines, gzip.compress(lines)):
        answer = as_json(t, "-", given=given).expect(1)
        t.equal((answer.only()["count"], answer.document()["sources"][0]["path"]), (3, "standard input"),
                "what came in")
    log(t, "log", finding(3))
    log(t, "log2", finding(4, pid=2))
    done = subprocess.run(["bash", "-c", f"exec {COMMAND} report --format json <(cat log) <(cat log2)"], cwd=t.dir,
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=t.environment(LD_PRELOAD=None))
    t.equal(Answer(t, done).expect(1).only()["count"], 7, "through pipes")


def measure(t, *arguments):
    """Status, seconds and the most memory in KiB of a report."""
    started = time.monotonic()
    process = subprocess.Popen([COMMAND, "report", *arguments], cwd=t.dir, env=t.environment(LD_PRELOAD=None),
                               stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    return process.returncode, time.monotonic() - started, usage.ru_maxrss


def test_large_logs_in_bounded_memory(t):
    """Many lines on a few findings, and each line another finding: 64 MB of both."""
    if harness.BARE or harness.SANITIZE:
        raise harness.Skip("memory is not measured here")
    few, many = os.path.join(t.dir, "few"), os.path.join(t.dir, "many")
    deep = [frame(0x2000 + 16 * i, f"handler_{i}", i + 1) for i in range(14)]
    one = json.dumps(finding(16, opened=(frame(0x1100, "serve"), *deep)), separators=(",", ":"))
    with open(few, "w", encoding="ascii") as file:
        for i in range((64 << 20) // len(one)):
            file.write(one.replace('"0x1100"', f'"{hex(0x5000 + i % 200)}"').replace('"pid":100',
                                                                                     f'"pid":{i % 50}') + "\n")
    with open(many, "w", encoding="ascii") as file:
        for i in range((64 << 20) // len(one)):
            file.write(one.replace('"0x1100"', f'"{hex(0x5000 + i)}"').replace('"serve"', f'"serve_{i}"')
                       .replace('"web1"', f'"web{i}"') + "\n")
    status, seconds, memory = measure(t, "--format", "json", few)
    t.equal(status, 1, "status")
    t.check(memory < 60 << 10, f"{memory} KiB for few findings")
    t.check(seconds < 15, f"{seconds:.1f} s for few findings")
    status, seconds, memory = measure(t, "--format", "json", many)
    t.equal(status, 1, "status")
    t.check(memory < 200 << 10, f"{memory} KiB for many findings")
    left = as_json(t, many).warnings()
    t.check("findings were left out, because there are more different ones" in left, left)


def test_mutated_logs(t):
    """Some hundred logs with bytes changed, lost and repeated: an answer of the manual, and no crash."""
    chance = random.Random(7)
    lines = [finding(2), finding(4, 5, opened=(frame(0x1100, "take", inlined=True), frame(0x1100, "serve"))),
             summary(finding(5), finding(1, cause="data_unread"), second=20), {**finding(0, 30), "event": "resolved"},
             {"v": 1, "event": "warning", "host": "web1", "pid": 100, "app": "app", "message": "no libdw"}]
    whole = b"".join(json.dumps(line, separators=(",", ":")).encode() + b"\n" for line in lines)
    saved = as_json(t, packed(t, "log", whole)).text.encode()
    for batch in range(24):
        names = []
        for number in range(16):
            data = bytearray(saved if batch % 6 == 5 else whole)
            for _ in range(chance.choice((1, 1, 2, 8, 40))):
                at, kind = chance.randrange(len(data)), chance.randrange(5)
                if kind == 0:
                    data[at] = chance.choice(b'"{}[]:,\\0-9e.\n\x00\xff')
                elif kind == 1:
                    data[at] ^= 1 << chance.randrange(8)
                elif kind == 2:
                    del data[at:at + chance.choice((1, 10, 300))]
                elif kind == 3:
                    data[at:at] = data[at // 2:at // 2 + chance.choice((1, 30, 2000))]
                else:
                    data[at:at] = chance.choice((b"99999999999999999999", b"-1", b"1e999", b"null", b'"\\ud800"',
                                                 b"[" * 99))
            names.append(packed(t, f"m.{batch}.{number}", gzip.compress(data) if number % 4 == 3 else bytes(data)))
        form = ("text", "json", "folded", "html")[batch % 4]
        answer = report(t, "--format", form, *names)
        t.check(answer.status in (0, 1, 3), f"batch {batch}: status {answer.status}: {answer.errors[-800:]!r}")
        for line in answer.errors.splitlines():
            t.check(line.startswith(("closeguard: report: ", "closeguard: warning: ")), f"batch {batch}: {line!r}")
        if form == "json" and answer.text:
            answer.document()
        if form == "text":
            t.check(all(c == "\n" or c.isprintable() for c in answer.text), f"batch {batch}: unprintable")
        for name in names:
            os.remove(os.path.join(t.dir, name))


if __name__ == "__main__":
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    harness.main(__name__)
