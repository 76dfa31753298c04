#!/usr/bin/env python3
"""`closeguard report` begins with what to mend first."""

import os
import re

import harness
from reports import as_json, finding, frame, log, place, report, summary

LIBC = frame(0x9000, "__read", module="libc.so.6", build_id="1c" * 20)


def many(t, findings=60, processes=9):
    """Nine processes and sixty findings, the heavier the later; each in as many processes as its number allows."""
    lines = []
    for number in range(findings):
        opened = (frame(0x1000 + 16 * number, f"serve_{number}", number + 1), frame(0x5000, "main", 5))
        for process in range(1 + number % processes):
            verdict = "info" if number % 10 == 7 else "leak"
            lines.append(finding(1 + number, number, opened, pid=100 + process, verdict=verdict, sockets=[],
                                 eof=place("read", LIBC, *opened), app="shop"))
    return log(t, "many", *lines)


def first_lines(answer):
    return answer.text.split("\n\n")[0].splitlines()


def test_the_first_ten_lines(t):
    answer = report(t, many(t), "--width", 100).expect(1)
    lines = first_lines(answer)
    t.equal(len(lines), 10, f"lines of the answer in {answer.text[:3000]}")
    leaked = sum((1 + number) * (1 + number % 9) for number in range(60) if number % 10 != 7)
    t.equal(lines[0], f"closeguard: 60 findings in 9 processes, {leaked} sockets leaked; heaviest first:", "headline")
    t.equal(lines[1].split(), ["count", "a", "minute", "what", "where", "processes"], "columns")
    heaviest = sorted(((1 + number) * (1 + number % 9) for number in range(60) if number % 10 != 7), reverse=True)
    t.equal([int(line.split()[0]) for line in lines[2:9]], heaviest[:7], "the heaviest")
    t.equal(lines[2].split(), ["486", "-", "leak", "close_wait", "eof_ignored", "serve_53", "serve_53.c:54", "9", "of",
                               "shop"], "the first")
    t.equal(lines[9].strip(), "... and 53 more", "the others")
    t.check(answer.text.index("summary (log)") > answer.text.index(lines[9]), "the processes come before the answer")


def test_one_finding(t):
    lines = first_lines(report(t, log(t, "log", finding(3))).expect(1))
    t.equal(len(lines), 3, "lines")
    t.equal(lines[0], "closeguard: 1 finding in 1 process, 3 sockets leaked:", "headline")
    t.equal(lines[2].split()[2:], ["leak", "close_wait", "eof_ignored", "more", "more.c:30", "app[100]"], "the row")


def test_findings_at_one_place(t):
    """They are told apart by what called it."""
    at = lambda number: (frame(0x1300, "read_all", 30), frame(0x2000 + 16 * number, f"caller_{number}", 5))
    lines = first_lines(report(t, log(t, "log", *[finding(9 - number, opened=at(number), eof=place("read", *at(number)))
                                                  for number in range(3)])))
    t.equal([re.search(r"read_all .*?  ", line).group().strip() for line in lines[2:]],
            [f"read_all read_all.c:30 < caller_{number}" for number in range(3)], "places")


def test_nothing_is_no_answer(t):
    answer = report(t, log(t, "log", summary(reason="exit"))).expect(0)
    t.check(answer.text.startswith("closeguard: app[100]: summary"), answer.text[:200])


def test_what_a_policy_bears_comes_last(t):
    """It is no leak to mend, however many there are."""
    borne = finding(50, 0, (frame(0x1800, "pool"),), suppressed="a pool")
    lines = first_lines(report(t, log(t, "log", borne, finding(1, 0, verdict="info", pid=7)), "--width", 90))
    t.equal([line.split()[2] for line in lines[2:]], ["info", "suppressed"], "the order")


def test_a_narrow_paper(t):
    """The place gives way, and no row is broken."""
    lines = first_lines(report(t, many(t), "--width", 76))
    t.equal(len(lines), 10, "lines")
    t.check(all(len(line) <= 76 for line in lines), "\n".join(lines))
    t.check("serve_53" in lines[2] and "9 of shop" in lines[2], lines[2])


def test_growth(t):
    """A process knows its own; of a log without it, two lines tell."""
    told = as_json(t, log(t, "told", finding(8, 10, growth_per_min=12.5))).only()
    t.equal(told["growth_per_min"], 12.5, "what the process said")
    lines = log(t, "lines", finding(2, 0), finding(8, 30))
    t.equal(as_json(t, lines).only()["growth_per_min"], 12, "six in half a minute")
    t.check(" +12 " in first_lines(report(t, lines))[2], "no growth in the answer")
    t.equal(as_json(t, log(t, "one", finding(2))).only()["growth_per_min"], None, "of one line")
    both = as_json(t, lines, log(t, "told2", finding(8, 10, pid=7, growth_per_min=-2.5))).only()
    t.equal(both["growth_per_min"], 9.5, "the sum of two processes")


def test_the_place(t):
    """The call itself for misuse, else where the end was read, the last use, the opening; never libc."""
    own, main = frame(0x1300, "more", 30), frame(0x1200, "main", 5)
    site = lambda **changes: as_json(t, log(t, "log", finding(1, **changes))).only()["site"]
    t.equal(site(), own, "where the end was read")
    t.equal(site(eof=place("read", LIBC, own, main))["function"], "more", "libc is passed over")
    t.equal(site(eof=None)["function"], "answer", "the last use")
    t.equal(site(eof=None, last_use=None)["function"], "serve", "the opening")
    t.equal(site(eof=None, last_use=place("write", LIBC))["function"], "serve", "a last use in a library")
    t.equal(site(kind="double_close", cause=None, here=place("close", frame(0x1700, "twice", 9)))["function"], "twice",
            "the call itself")
    t.equal(site(eof=None, last_use=None, opened=(frame(0x1100),)),
            frame(0x1100), "without names")
    t.equal(site(eof=None, last_use=None, opened=()), None, "without stacks")


def test_the_heaviest_are_kept(t):
    """More findings than a report keeps, and the heaviest is the last."""
    light = [finding(1 + (number == 2), 0, (frame(0x10000 + 16 * number),), eof=None, last_use=None, sockets=[],
                     history=None) for number in range(9000)]
    heavy = finding(500, 5, (frame(0x1100, "late_comer"),), eof=None, last_use=None, sockets=[], history=None)
    path = log(t, "many", *light, heavy)
    answer = as_json(t, path).expect(1)
    findings = answer.findings()
    t.equal(len(findings), 4096, "findings")
    t.equal([(one["count"], one["opened"]["stack"][0].get("function")) for one in findings[:2]],
            [(500, "late_comer"), (2, None)], "the heaviest")
    t.check("4905 findings were left out" in answer.warnings(), answer.warnings())
    t.equal(answer.document()["leaks_told"], 9501, "what was told is told, though it was left out")
    saved = os.path.join(t.dir, "saved")
    as_json(t, path, "-o", saved)
    t.equal(len(as_json(t, saved).findings()), 4096, "of the saved report")


harness.main(__name__)
