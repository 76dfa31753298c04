#!/usr/bin/env python3
"""accuracy.py [DOCUMENT]: how often closeguard is right, counted on programs whose truth is known.

Runs tests/apps.sh (programs with a fault, and some without), tests/healthy/run.py (daemons and pooled clients that are
well) and the model test, and puts the counts in the place of the tables in docs/accuracy.md. Prints the table; exits
with 1 where a healthy program was told to leak, or the model's precision or recall is below 1.
"""
import json
import os
import platform
import re
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor

HERE = os.path.dirname(os.path.abspath(__file__))
BEGIN, END = "<!-- accuracy -->\n", "<!-- end of accuracy -->\n"

# Of tests/cases: programs that are well, most of them with a cache or pool that keeps what its server has closed.
WELL = {"01-libcurl-conncache", "02-py-requests-pool", "06-java-httpurlconnection", "08-php8-curl-close-noop",
        "12-haproxy-halfclose-relay", "14-apache-modproxy-pool", "24-c-fdopen-fclose-negative",
        "34-java-hikari-mariadb", "47-c-halfclose-legit-negative"}
SEEDS = 30
MISTAKES = {"double_close", "use_after_close"}


def run(words, **environment):
    """Its output, of which failures are shown."""
    output = subprocess.run(words, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False,
                            env={**os.environ, **environment}).stdout
    print("\n".join(line for line in output.splitlines() if not re.match("(ok|skip) |#", line)), flush=True)
    return output


def word_of(told):
    """What was said at worst: "told", "info" or "nothing"."""
    if any(one["verdict"] in ("leak", "late") or one["kind"] in MISTAKES for one in told):
        return "told"
    return "info" if told else "nothing"


def cases(folder):
    """(program, has a fault, what was said, details) of tests/cases."""
    path = os.path.join(folder, "told")
    run([os.path.join(HERE, "apps.sh")], CLOSEGUARD_TEST_TOLD=path)
    with open(path, encoding="utf-8") as lines:
        for line in lines:
            one = json.loads(line)
            details = ", ".join(f"{group['count']} × {group['kind']}/{group['cause'] or '-'} {group['verdict']}"
                                for group in one["told"])
            yield one["case"], one["case"] not in WELL, word_of(one["told"]), details


def healthy(folder):
    path = os.path.join(folder, "healthy")
    run([os.path.join(HERE, "healthy", "run.py"), "--results", path])
    with open(path, encoding="utf-8") as file:
        for one in json.load(file):
            said = "told" if one["told"] else "info" if one["informed"] else "nothing"
            kept = f"kept {one['held']} that the other side had closed" if one["held"] else ""
            yield one["name"], one["fault"], said, kept


def model():
    output = run([os.path.join(HERE, "model", "run.py"), f"1-{SEEDS}"])
    found = re.findall(r"precision ([0-9.]+), recall ([0-9.]+) of (\d+) sockets", output)
    if not found:
        sys.exit("accuracy: the model test said nothing of precision and recall:\n" + output[-1000:])
    return [float(one[0]) for one in found], [float(one[1]) for one in found], sum(int(one[2]) for one in found)


def confusion(rows):
    """The table, and how many healthy programs were told of."""
    count = {(fault, said): 0 for fault in (True, False) for said in ("told", "info", "nothing")}
    for _, fault, said, _ in rows:
        count[fault, said] += 1
    lines = ["| programs | told as a leak, as late or as a mistake | told for information | nothing told |",
             "|---|---|---|---|"]
    for fault, title in ((True, "with a fault"), (False, "healthy")):
        cells = " | ".join(str(count[fault, said]) for said in ("told", "info", "nothing"))
        lines.append(f"| {title} | {cells} |")
    told = count[True, "told"] + count[False, "told"]
    faults = sum(count[True, said] for said in ("told", "info", "nothing"))
    lines += ["", f"Precision {count[True, 'told'] / max(told, 1):.3f} (of {told} programs that were told of), recall "
              f"{count[True, 'told'] / max(faults, 1):.3f} (of {faults} programs with a fault)."]
    return lines, count[False, "told"]


def document(rows, precision, recall, sockets):
    lines, wrong = confusion(rows)
    lines = [f"Run on {platform.freedesktop_os_release().get('PRETTY_NAME', 'Linux')}, Linux {platform.release()}, "
             f"{platform.machine()}.", "", *lines, "",
             f"The model test (random socket operations of many threads and processes, {SEEDS} seeds, "
             f"{sockets} sockets that were to be told): precision {min(precision):.5f}, recall {min(recall):.5f}.", "",
             "| program | truth | told | details |", "|---|---|---|---|"]
    words = {"told": "leak, late or mistake", "info": "information", "nothing": "nothing"}
    for name, fault, said, details in rows:
        lines.append(f"| {name} | {'fault' if fault else 'healthy'} | {words[said]} | {details} |")
    return lines, wrong


def main():
    path = sys.argv[1] if len(sys.argv) > 1 else os.path.join(HERE, "..", "docs", "accuracy.md")
    with tempfile.TemporaryDirectory(prefix="closeguard-accuracy.") as folder, ThreadPoolExecutor(2) as pool:
        parts = [pool.submit(list, part) for part in (cases(folder), healthy(folder))]
        rows = [row for part in parts for row in part.result()]
    precision, recall, sockets = model()
    lines, wrong = document(rows, precision, recall, sockets)
    print("\n".join(lines[:10]))
    with open(path, encoding="utf-8") as file:
        text = file.read()
    before, _, rest = text.partition(BEGIN)
    with open(path, "w", encoding="utf-8") as file:
        file.write(before + BEGIN + "\n".join(lines) + "\n" + END + rest.partition(END)[2])
    sys.exit(1 if wrong or min(precision) < 1 or min(recall) < 1 else 0)


if __name__ == "__main__":
    main()
