#!/usr/bin/env python3
"""judge.py CASE LOGS: compares the findings in a directory of logs with expected.txt and prints what is wrong.

A log line comes when a group is first seen and when it has doubled, so a last line of N stands for N to 2N-1 sockets.
"""

import glob
import json
import os
import sys

HERE = os.path.dirname(os.path.abspath(__file__))


def expectations(case):
    with open(os.path.join(HERE, "expected.txt"), encoding="utf-8") as table:
        for line in table:
            words = line.split()
            if words and words[0] == case and words[2] != "-":
                yield dict(zip(("finding", "count", "verdict", "origin", "end"), words[2:]))


def place(value):
    """What makes a place the same in two lines: its addresses."""
    return [(frame["module"], frame["offset"]) for frame in (value or {}).get("stack", [])]


def groups(directory):
    """The last word on every group, and whether it was resolved."""
    found = {}
    for path in sorted(glob.glob(os.path.join(directory, "*.log"))):
        with open(path, encoding="utf-8") as log:
            for line in log:
                one = json.loads(line)
                if one["event"] not in ("finding", "resolved"):
                    continue
                key = (one["pid"], one["kind"], one["cause"], one.get("origin"), str(place(one.get("opened"))),
                       str(place(one.get("eof"))))
                resolved = one["event"] == "resolved"
                found[key] = dict(found[key] if resolved and key in found else one, resolved=resolved)
    return list(found.values())


def name_of(group):
    return f"{group['kind']}/{group['cause'] or 'none'}"


def count_fits(told, wanted):
    if wanted.endswith("+"):
        return told >= int(wanted[:-1])
    least, _, most = wanted.partition("..")
    return any(told <= number < 2 * told for number in range(int(least), int(most or least) + 1))


def judge(case, directory):
    found, wrong = groups(directory), []
    wanted = list(expectations(case))
    for one in wanted:
        mine = [group for group in found if name_of(group) == one["finding"]]
        count = sum(group["count"] for group in mine)
        if not mine or not count_fits(count, one["count"]):
            wrong.append(f"{one['finding']}: {count} told, {one['count']} expected")
        for field in ("verdict", "origin"):
            values = {group[field] for group in mine} - {one[field]}
            if one[field] != "-" and values:
                wrong.append(f"{one['finding']}: {field} {values}, expected {one[field]}")
        if one["end"] == "resolved" and not all(group["resolved"] for group in mine):
            wrong.append(f"{one['finding']}: not resolved at the end")
    allowed = {one["finding"] for one in wanted}
    for group in found:
        name = name_of(group)
        if name not in allowed and group["verdict"] != "info":
            wrong.append(f"{name} x{group['count']} of pid {group['pid']} was not expected")
    return wrong


def note(case, directory):
    """For tests/accuracy.py: what was said of the case, in the file that the environment names."""
    path = os.environ.get("CLOSEGUARD_TEST_TOLD")
    if path:
        told = [{key: group[key] for key in ("kind", "cause", "verdict", "count")} for group in groups(directory)]
        with open(path, "a", encoding="utf-8") as file:
            file.write(json.dumps({"case": case, "told": told}) + "\n")


if __name__ == "__main__":
    note(sys.argv[1], sys.argv[2])
    problems = judge(sys.argv[1], sys.argv[2])
    print("; ".join(problems), end="")
    sys.exit(1 if problems else 0)
