#!/usr/bin/env python3
"""Instructions that the library adds to a call on the hot path and to the start, counted exactly by callgrind.

The count of N calls taken from that of 2N leaves N calls and nothing else; so does the pass-through library, and the
difference of the two is what closeguard itself does. At the start most of the time goes into page faults.
"""

import os
import re
import shutil
import subprocess
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import common  # noqa: E402

CALLS = 8000
LIMITS = {"recv": 46, "write": 47}  # instructions per call
START_INSTRUCTIONS, START_FAULTS = 149000, 16  # of a program without sockets, over the pass-through library's


def collected(mode, *words):
    words = ["valgrind", "--tool=callgrind", "--callgrind-out-file=/dev/null", *words]
    done = subprocess.run(words, env=mode.environment(), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    found = re.search(r"Collected : (\d+)", done.stderr)
    if done.returncode or not found:
        raise RuntimeError(f"{mode.command(words)}: status {done.returncode}: {done.stderr[-600:]}")
    return int(found[1])


def counted(mode, what, calls):
    return collected(mode, common.program("instructions"), what, str(calls))


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
    good = round(added) <= limit  # one more in thousands is the longer run's, not the call's
    print(f"{'ok' if good else 'not ok'} {name}: {added:+.2f} over the pass-through library's {base:.2f}, "
          f"at most {limit} allowed")
    return good


def page_faults(mode):
    """The fewest of some starts: the kernel maps now more and now less around a fault."""
    def once():
        pid = os.posix_spawn(common.program("nothing"), ["nothing"], mode.environment())
        return os.wait4(pid, 0)[2].ru_minflt
    return min(once() for _ in range(15))


def start_instructions(mode):
    return collected(mode, common.program("nothing"))


def test_start(what, count, limit):
    base, ours = count(common.passthrough()), count(common.shim())
    good = ours - base <= limit
    print(f"{'ok' if good else 'not ok'} instructions/start_{what}: {ours - base:+} over the pass-through library's "
          f"{base}, at most {limit} allowed")
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
    return 0 if all([*(test(what, limit) for what, limit in LIMITS.items()),
                     test_start("instructions", start_instructions, START_INSTRUCTIONS),
                     test_start("page_faults", page_faults, START_FAULTS)]) else 1


if __name__ == "__main__":
    sys.exit(main())
