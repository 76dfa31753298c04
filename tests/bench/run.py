#!/usr/bin/env python3
"""The benchmarks: bare, through a pass-through preload library, and under closeguard, in one run and in turn.

Usage: run.py [--quick] [calls] [connections] [policies] [startup] [idle] [crowd] [nginx]    (all of them by default)

Prints medians, the median difference from bare and the median ratio to it, and writes build/bench.json. What it
measures never fails a test: machines differ, and so do their moods. Calls and connections are in CPU time of the
calling thread; the sweep's thread is measured by itself. Environment: CLOSEGUARD_TEST_BUILD (default: build).
"""

import json
import os
import platform
import subprocess
import sys
import time

import bench_calls
import bench_nginx
import bench_process
import common

BENCHMARKS = {
    "calls": bench_calls.calls,
    "connections": bench_calls.connections,
    "policies": bench_calls.policies,
    "startup": bench_process.startup,
    "idle": bench_process.idle,
    "crowd": bench_process.crowd,
    "nginx": bench_nginx.nginx,
}


def machine():
    with open("/proc/cpuinfo", encoding="utf-8") as info:
        model = next((line.split(":", 1)[1].strip() for line in info if line.startswith("model name")), "?")
    return {"kernel": platform.release(), "cpu": model, "processors": os.cpu_count(),
            "libc": " ".join(platform.libc_ver())}


def main():
    quick = "--quick" in sys.argv[1:]
    wanted = [word for word in sys.argv[1:] if word != "--quick"] or list(BENCHMARKS)
    unknown = [word for word in wanted if word not in BENCHMARKS]
    if unknown or not os.path.exists(common.LIBRARY):
        print(__doc__ if unknown else f"bench: {common.LIBRARY} is missing: build it first", file=sys.stderr)
        return 2
    figures = common.Figures()
    for name in wanted:
        try:
            BENCHMARKS[name](figures, quick)
        except common.Skip as why:
            figures.skip(name, str(why))
        except (OSError, ValueError, subprocess.SubprocessError) as why:
            figures.skip(name, f"it went wrong: {type(why).__name__}: {why}")
    path = os.path.join(common.BUILD, "bench.json")
    with open(path, "w", encoding="utf-8") as out:
        json.dump({"time": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()), "machine": machine(), "quick": quick,
                   "figures": figures.rows}, out, indent=1)
        out.write("\n")
    print(f"All figures: {path}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
