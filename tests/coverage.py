#!/usr/bin/env python3
"""Which lines of shim/ and policy/ the tests have run, after a run of them in a build with --coverage.

Usage: tests/coverage.py BUILD

Prints the functions that no test entered, the share of each file, and a line for tests/run of each folder: 90 % of its
lines at least.
"""
import collections
import glob
import gzip
import json
import os
import subprocess
import sys
import tempfile

FOLDERS = ("shim", "policy")
LEAST = 90.0


class Source:
    """Of one file: line -> how often; function -> how often it was entered, in any of the objects that contain it."""

    def __init__(self):
        self.lines, self.functions = collections.Counter(), collections.Counter()

    def percent(self):
        return 100.0 * sum(1 for n in self.lines.values() if n) / max(1, len(self.lines))


def documents(notes):
    """What gcov says of each object, run or not."""
    with tempfile.TemporaryDirectory() as scratch:
        for start in range(0, len(notes), 50):
            subprocess.run([os.environ.get("GCOV", "gcov"), "--json-format", *notes[start:start + 50]], cwd=scratch,
                           stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=True)
        for path in glob.glob(os.path.join(scratch, "*.gcov.json.gz")):
            with gzip.open(path, "rt", encoding="utf-8") as file:
                yield json.load(file)


def read(build):
    top = os.getcwd()
    notes = [os.path.abspath(path) for folder in FOLDERS for path in glob.glob(f"{build}/obj/{folder}/*.gcno")]
    sources = collections.defaultdict(Source)
    for document in documents(notes):
        for file in document["files"]:
            name = os.path.relpath(os.path.join(document["current_working_directory"], file["file"]), top)
            if name.split(os.sep)[0] not in FOLDERS:
                continue
            for line in file["lines"]:
                sources[name].lines[line["line_number"]] += line["count"]
            for function in file["functions"]:
                sources[name].functions[function["name"]] += function["execution_count"]
    return sources


def main():
    sources = read(sys.argv[1])
    for name, one in sorted(sources.items()):
        never = [function for function, n in sorted(one.functions.items()) if not n]
        print(f"note: {one.percent():5.1f} %  {name}" + (f": not entered: {', '.join(never)}" if never else ""))
    for folder in FOLDERS:
        lines = [n for name, one in sources.items() if name.startswith(folder + "/") for n in one.lines.values()]
        percent = 100.0 * sum(1 for n in lines if n) / max(1, len(lines))
        verdict = "ok" if percent >= LEAST else "not ok"
        print(f"{verdict} coverage/{folder}: {percent:.1f} % of {len(lines)} lines")
    return 0


if __name__ == "__main__":
    sys.exit(main())
