#!/usr/bin/env python3
"""Other projects' programs under load, bare and under the library: what they do has to be the same, and nothing that
is healthy is told as a leak.

Usage: run.py [--document FILE] [NAME...]

Prints "ok NAME", "not ok NAME: why" or "skip NAME: why". --document puts what was run, with versions and results, in
the place of the table in that file.
"""
import platform
import sys
import traceback

import runtimes
import servers
from common import Side, Skip, Wrong, need

BEGIN, END = "<!-- suites -->\n", "<!-- end of suites -->\n"
SUITES = {**servers.SUITES, **runtimes.SUITES}


def one_side(suite, watched):
    side = Side(watched)
    try:
        return suite(side), side.told()
    finally:
        side.close()


def judge(name):
    """("ok" | "not ok" | "skip", why)"""
    suite = SUITES[name][0]
    try:
        bare, _ = one_side(suite, False)
    except Skip as why:
        return "skip", str(why)
    except Exception as why:  # it does not work here by itself
        return "skip", f"without the library: {type(why).__name__}: {str(why)[-300:]}".replace("\n", " ")
    try:
        watched, told = one_side(suite, True)
    except (Skip, Wrong) as why:
        return "not ok", str(why).replace("\n", " ")
    if watched != bare:
        return "not ok", f"got {watched}, without the library {bare}"
    return ("not ok", f"told of a healthy program: {told}") if told else ("ok", "")


def row(name, verdict, why):
    suite, command = SUITES[name]
    try:
        version = servers.version([need(command[0]), *command[1:]])
    except Skip:
        version = "not installed"
    what = suite.__doc__.split(":", 1)[-1].strip().rstrip(".")
    result = {"ok": "the same as without, nothing told", "skip": f"not run: {why}"}.get(verdict, why)
    return f"| {name} | {version} | {what} | {result} | `tests/suites/run.py {name}` |"


def put_table(path, rows):
    """Replaces the rows of the document's table of suites, and says on what they were run."""
    with open(path, encoding="utf-8") as file:
        text = file.read()
    system = f"{platform.freedesktop_os_release()['PRETTY_NAME']}, Linux {platform.release()}, {platform.libc_ver()[1]}"
    begin, end = text.index(BEGIN) + len(BEGIN), text.index(END)
    table = ["| suite | version | what is done | result | again by |", "|---|---|---|---|---|", *rows]
    with open(path, "w", encoding="utf-8") as file:
        file.write(f"{text[:begin]}\nOn {system} (glibc):\n\n" + "\n".join(table) + "\n\n" + text[end:])


def main():
    arguments, document, rows = sys.argv[1:], None, []
    if arguments[:1] == ["--document"]:
        document, arguments = arguments[1], arguments[2:]
    bad = 0
    for name in arguments or SUITES:
        try:
            verdict, why = judge(name)
        except Exception:  # a fault of the suite; the others go on
            verdict, why = "not ok", traceback.format_exc().splitlines()[-1]
        bad += verdict == "not ok"
        print(f"{verdict} suites/{name}" + (f": {why}" if why else ""), flush=True)
        rows.append(row(name, verdict, why))
    if document:
        put_table(document, rows)
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
