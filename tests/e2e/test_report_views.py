#!/usr/bin/env python3
"""The page's views of what has changed, and of one function."""

import os
import sys
import time

import harness
from reports import as_json, finding, frame, log, place, report

sys.path.insert(0, os.path.join(harness.HERE, "..", "html"))
import documents
from page import Page


def stack(*names):
    return [frame(0x1000 + 16 * number, name, number + 1) for number, name in names]


def leak(count, number, *names, **changes):
    """Opened and read by main, the functions named, and one of its own."""
    numbers = {"main": 1, "serve": 2, "fetch": 3, "retry": 4, "read_all": 5}
    frames = stack(*[(numbers.get(name, number), name) for name in names])
    return finding(count, opened=frames, eof=place("read", *frames), last_use=None, sockets=[], **changes)


def compared(t):
    old = log(t, "old", leak(3, 10, "same", "main"), leak(5, 11, "growing", "main"), leak(8, 12, "going", "main"),
              leak(9, 13, "shrinking", "main"))
    new = log(t, "new", leak(3, 10, "same", "main"), leak(7, 11, "growing", "main"), leak(2, 14, "coming", "main"),
              leak(4, 13, "shrinking", "main"))
    return old, new


def test_a_comparison_as_a_page(t):
    old, new = compared(t)
    path = os.path.join(t.dir, "diff.html")
    report(t, "--diff", old, "--format", "html", "-o", path, new).expect(1)
    document = as_json(t, "--diff", old, new).document()
    for width in (390, 1440):
        with Page(t, document, width=width) as page:
            t.equal(page.value("document.querySelector('[role=tab][aria-selected=true]').textContent"), "Changes",
                    "the view that comes first")
            t.check(f"Compared with {old}: 1 new, 1 grown, 1 gone, 1 shrunk, 1 unchanged." in
                    page.text("#panel-diff"), page.text("#panel-diff"))
            t.equal([text.split()[0] for text in page.texts(".change summary .badge")],
                    ["new", "grown", "gone", "shrunk"], "changes")
            t.equal(page.texts(".change .counts"), ["0 → 2", "5 → 7", "8 → 0", "9 → 4"], "counts")
            t.equal([text for text in page.texts(".change summary .strong.code")],
                    ["coming", "growing", "going", "shrinking"], "places")
            page.click(".change.gone summary")
            end = time.monotonic() + harness.DEADLINE
            while not page.number(".change.gone .detail-body") and time.monotonic() < end:
                time.sleep(0.05)
            t.check("8 sockets in CLOSE_WAIT" in page.text(".change.gone .detail"), "what there was of it")
            t.check(page.value("document.documentElement.scrollWidth <= innerWidth"), f"wider than {width}")
    with open(path, encoding="utf-8") as file:
        text = file.read()
    t.check('"count_before"' in text and '"against"' in text, "the page of the command has no comparison")
    with Page(t, documents.realistic(), "view=diff") as page:
        t.equal((page.number("#tab-diff"), page.number("tr.finding")), (0, 7), "without a comparison")


def sandwich(t):
    return as_json(t, log(t, "log", leak(5, 20, "read_all", "fetch", "serve", "main"),
                          leak(3, 21, "read_all", "retry", "main", cause="data_unread"),
                          leak(2, 22, "other", "fetch", "serve", "main"))).document()


def frames(page, half):
    """Name and sockets of each frame of the upper (0) or the lower half (1), by row from the top."""
    return page.value("[...document.querySelectorAll('.halves section')[%d].querySelectorAll('.f')]"
                      ".sort((a, b) => a.offsetTop - b.offsetTop || a.offsetLeft - b.offsetLeft)"
                      ".map((one) => one.getAttribute('aria-label').split(', ')[0] + ' ' +"
                      "one.getAttribute('aria-label').match(/(\\d+) socket/)[1])" % half)


def test_a_function_between_callers_and_callees(t):
    with Page(t, sandwich(t), "view=sandwich") as page:
        rows = [text.split() for text in page.texts(".functions tbody tr")]
        t.equal([(row[0], row[-2], row[-1]) for row in rows[:2]], [("read_all", "8", "8"), ("other", "2", "2")],
                "functions, where stacks end first")
        t.equal(frames(page, 0), ["main 5", "serve 5", "main 3", "fetch 5", "retry 3", "read_all 8"],
                "callers above it, the outermost on top")
        t.check("the stacks end here" in page.text(".halves section:nth-of-type(2)"), page.text(".halves"))
        page.click('.functions button[title*="fetch.c"]')
        t.equal(frames(page, 0), ["main 7", "serve 7", "fetch 7"], "callers of another")
        t.equal(frames(page, 1), ["fetch 7", "read_all 5", "other 2"], "callees of it")
        t.check("fn=fetch" in page.value("location.hash"), "the address does not say it")
    with Page(t, sandwich(t), "view=sandwich", width=390) as page:
        t.check(page.value("document.documentElement.scrollWidth <= innerWidth"), "wider than 390")


def test_a_recursion_counts_once(t):
    deep = stack((20, "leaf"), (6, "walk"), (6, "walk"), (1, "main"))
    document = as_json(t, log(t, "log", finding(4, opened=deep, eof=place("read", *deep), sockets=[]))).document()
    with Page(t, document, "view=sandwich") as page:
        page.click('.functions button[title*="walk.c"]')
        t.equal((frames(page, 0), frames(page, 1)), (["main 4", "walk 4"], ["walk 4", "walk 4", "leaf 4"]), "both")


harness.main(__name__)
