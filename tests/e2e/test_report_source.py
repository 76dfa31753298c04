#!/usr/bin/env python3
"""`closeguard report` shows the lines around a place, where the file is at hand."""

import os
import re
import sys

import harness
from reports import as_json, finding, frame, log, place, report

sys.path.insert(0, os.path.join(harness.HERE, "..", "html"))
from page import Page

LINES = [f"\tline {number} of the source;" for number in range(1, 41)]


def at(path, line=30):
    """A finding whose place is that file and line."""
    named = {**frame(0x1300, "more", line), "file": path}
    return finding(1, eof=place("read", named))


def lay(t, path, lines=None):
    path = os.path.join(t.dir, path)
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "w", encoding="utf-8") as file:
        file.write("\n".join(LINES if lines is None else lines) + "\n")
    os.utime(path, (1700000000, 1700000000))
    return path


def source(t, line, *options):
    return as_json(t, *options, log(t, "log", line)).only().get("source")


def test_in_text(t):
    path = lay(t, "src/app/more.c")
    text = report(t, "--source", log(t, "log", at(path))).expect(1).text
    t.check(f"  source {path}:\n       29          line 29 of the source;\n"
            "  >    30          line 30 of the source;\n       31          line 31 of the source;\n" in text, text)
    t.check("line 30 of" not in report(t, log(t, "log", at(path))).text, "without the option")


def test_where_it_is_looked_for(t):
    path = lay(t, "src/app/more.c")
    wanted = {"line": 30, "first": 29, "lines": LINES[28:31]}
    t.equal(source(t, at(path), "--source"), {"file": path, **wanted}, "as it is")
    t.equal(source(t, at("src/app/more.c"), "--source"), {"file": "./src/app/more.c", **wanted}, "in this folder")
    there = os.path.join(t.dir, "src")
    for told in ("/build/elsewhere/src/app/more.c", "../app/more.c"):
        found = {"file": there + "/app/more.c", **wanted}
        t.equal(source(t, at(told), f"--source={there}"), found, f"the end of {told}")
    t.equal(source(t, at("/build/elsewhere/none.c"), "--source"), None, "nowhere")
    t.equal(source(t, at(path)), None, "without the option")


def test_first_and_last_lines(t):
    path = lay(t, "more.c")
    t.equal(source(t, at(path, 1), "--source")["lines"], LINES[:2], "around the first")
    t.equal(source(t, at(path, 40), "--source")["lines"], LINES[38:], "around the last")
    t.equal(source(t, at(path, 41), "--source"), None, "of a file that is shorter")
    changed = source(t, {**at(path), "time": "2001-01-01T00:00:00.000Z"}, "--source")
    t.equal(changed.get("changed"), True, "of a file that is younger than the finding")


def test_other_files_are_not_read(t):
    """The names in a log are its maker's: only a source's name is followed, and only to a regular file."""
    os.mkfifo(os.path.join(t.dir, "fifo.c"))
    secret = lay(t, "secret.key")
    for path in (secret, "/etc/passwd", os.path.join(t.dir, "fifo.c"), t.dir, lay(t, "dir.c/inside.txt")[:-11]):
        t.equal(source(t, at(path, 2), "--source"), None, f"of {path}")
    wild = lay(t, "wild.c", ["x" * 5000, "\x1b[2J\u202e", "", ""])
    answer = report(t, "--source", log(t, "log", at(wild, 2)))
    t.check(all(c == "\n" or c.isprintable() for c in answer.text), "a control character")
    t.check("x" * 200 in answer.text and "x" * 201 not in answer.text, "a long line is cut")


def test_in_the_page(t):
    path = lay(t, "more.c")
    lay(t, "hostile.c", ["", "</script><b id=owned>", ""])
    page_path = os.path.join(t.dir, "real.html")
    report(t, "--format", "html", "-o", page_path, log(t, "log", at(path))).expect(1)
    document = as_json(t, "--source", log(t, "log", at(path))).document()
    for width in (390, 1440):
        with Page(t, document, width=width) as page:
            t.equal(page.texts(".source .line.here .line-number"), ["30"], "the line")
            t.equal(page.texts(".source code"), [one.strip() for one in LINES[28:31]], "lines")
            t.check(page.value("document.documentElement.scrollWidth <= innerWidth"), f"wider than {width}")
    with open(page_path, encoding="utf-8") as file:
        t.check(re.search(r'"source":\{.*line 30 of the source', file.read()), "the page has no source")
    document = as_json(t, "--source", log(t, "log", at(os.path.join(t.dir, "hostile.c"), 2))).document()
    with Page(t, document) as page:
        t.equal((page.number("#owned"), page.texts(".source code")[1]), (0, "</script><b id=owned>"), "a hostile line")


harness.main(__name__)
