#!/usr/bin/env python3
"""Instructions that the library adds to a call on the hot path, counted exactly by callgrind.

The count of N calls taken from that of 2N leaves N calls and nothing else; so does the pass-through library, and the
difference of the two is what closeguard itself does.
"""

import os
import re
import shutil
import subprocess
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import common  # noqa: E402

CALLS = 8000
LIMITS = {"recv": 44, "write": 46}  # instructions per call


def counted(mode, what, calls):
    words = ["valgrind", "--tool=callgrind", "--callgrind-out-file=/dev/null", common.program("instructions"), what,
             str(calls)]
    done = subprocess.run(words, env=mode.environment(), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    found = re.search(r"Collected : (\d+)", done.stderr)
    if done.returncode or not found:
        raise RuntimeError(f"{mode.command(words)}: status {done.returncode}: {done.stderr[-600:]}")
    return int(found[1])


def per_call(mode, what):
    return (counted(mode, what, 2 * CALLS) - counted(mode, what, CALLS)) / CALLS


def test(what, limit):
    name = f"instructions/{what}"
    try:
        base = per_call(common.passthrough(), what)
        # The sweep's thread would be counted too, now more and now less of it.
        ours = per_call(common.shim(THREAD="off"), what)
    except RuntimeError as why:
        print(f"not ok {name}: {' '.join(str(why).split())}")
        return False
    added = ours - base
    good = added <= limit
    print(f"{'ok' if good else 'not ok'} {name}: {added:+.2f} over the pass-through library's {base:.2f}, "
          f"at most {limit} allowed")
    return good


def main():
    if not shutil.which("valgrind"):
        print("skip instructions: valgrind is not installed")
        return 0
    if os.environ.get("CLOSEGUARD_TEST_SANITIZE"):
        print("skip instructions: a sanitized build has instructions of its own")
        return 0
    if not os.path.exists(common.LIBRARY):
        print(f"not ok instructions: {common.LIBRARY} is missing: build it first")
        return 1
    return 0 if all([test(what, limit) for what, limit in LIMITS.items()]) else 1


if __name__ == "__main__":
    sys.exit(main())
