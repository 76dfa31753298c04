#!/usr/bin/env python3
"""A machine that has just booted, or runs for years: the clock that ages are taken from begins at the boot."""

import glob
import os
import re
import subprocess

import harness
import programs

YOUNG, OLD = 4, 20 * 365 * 86400  # seconds


def since_boot(uptime):
    """The command that runs another at this uptime."""
    for program in ("unshare", "true"):
        harness.need(program)
    with open("/proc/uptime", encoding="ascii") as file:
        offset = uptime - int(float(file.read().split()[0]))
    command = ["unshare", *([] if os.geteuid() == 0 else ["--user", "--map-root-user"]), "--time", "--fork",
               f"--monotonic={offset}", f"--boottime={offset}"]
    tried = subprocess.run([*command, "true"], stderr=subprocess.PIPE, text=True, check=False)
    if tried.returncode != 0:
        raise harness.Skip(f"no time namespace: {tried.stderr.strip()}")
    return command


def units_hold(t, uptime):
    """The unit tests that take times, at this uptime."""
    sources = glob.glob(os.path.join(harness.HERE, "..", "unit", "test_*.c"))
    units = [os.path.splitext(os.path.basename(one))[0] for one in sources if takes_times(one)]
    t.check("test_track_site" in units, f"only {units} take times")
    for unit in sorted(units):
        path = os.path.join(harness.BUILD, "tests", "unit", unit)
        if not os.path.exists(path):
            raise harness.Skip(f"{path} is not built")
        done = subprocess.run([*since_boot(uptime), path], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                              timeout=240 * harness.SLOW, check=False)
        wrong = [line for line in done.stdout.splitlines() if line.startswith("not ok")]
        t.check(done.returncode == 0 and not wrong and "ok " in done.stdout,
                f"{unit}, {uptime} s after the boot: {wrong or done.stdout[-500:]}")


def takes_times(source):
    with open(source, encoding="utf-8") as text:
        return re.search(r"cg_track_clock|[.>]start_ns", text.read())


def test_units_soon_after_the_boot(t):
    units_hold(t, YOUNG)


def test_units_years_after_the_boot(t):
    units_hold(t, OLD)


def test_a_leak_soon_after_the_boot(t):
    """No age is counted from the boot, and none is older than that."""
    command = since_boot(YOUNG)
    command[0] = harness.need(command[0])
    app = t.start(*command, programs.compile("prog_eof", harness.BUILD), "read", 3)
    port = app.number("port")
    for _ in range(3):
        app.connect(port, b"x").close()
    found = app.finding("close_wait", "eof_ignored")
    t.check(1 <= found["oldest_age_s"] < harness.DEADLINE, f"age {found['oldest_age_s']}")
    for place in ("opened", "eof"):
        t.check(0 <= found[place]["age_s"] < harness.DEADLINE, f"{place} {found[place]['age_s']} s ago")


if __name__ == "__main__":
    harness.main(__name__)
