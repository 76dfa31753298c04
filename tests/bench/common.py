"""What the benchmarks share: their programs, the ways to load them, and figures."""

import atexit
import os
import re
import shutil
import statistics
import subprocess
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
BUILD = os.path.abspath(os.environ.get("CLOSEGUARD_TEST_BUILD", os.path.join(HERE, "..", "..", "build")))
LIBRARY = os.path.join(BUILD, "libcloseguard.so")
OUT = os.path.join(BUILD, "tests", "bench")


class Skip(Exception):
    """The machine lacks something."""


def program(name):
    """The path of a program of this directory, built when make has not done so."""
    source, path = os.path.join(HERE, name + ".c"), os.path.join(OUT, name)
    if not os.path.exists(path) or os.path.getmtime(path) < os.path.getmtime(source):
        os.makedirs(OUT, exist_ok=True)
        with open(source, encoding="utf-8") as text:
            flags = re.search(r"build flags: *(.*)", text.read())
        subprocess.run([os.environ.get("CC", "cc"), "-O2", "-g", "-D_GNU_SOURCE=", *(flags[1].split() if flags else []),
                        "-o", path, source, "-ldl"], check=True)
    return path


class Mode:
    """A way of loading a program: bare, through the pass-through library, or under closeguard with settings."""

    def __init__(self, name, preload=None, **settings):
        self.name, self.preload, self.settings = name, preload, settings

    def environment(self):
        env = {key: value for key, value in os.environ.items() if not key.startswith(("CLOSEGUARD", "LD_PRELOAD"))}
        if self.preload:
            env["LD_PRELOAD"] = self.preload
        if self.preload == LIBRARY:
            env.update(CLOSEGUARD_DIR=recorders(), CLOSEGUARD_LOG="none", **self.settings)
        return env

    def command(self, words):
        """What to type to run the same again; the recorders' directory is a temporary one and left out."""
        env = [f"LD_PRELOAD={self.preload}"] if self.preload else []
        env += [f"{name}={value}" for name, value in self.settings.items()]
        return " ".join([*env, *words])


def bare():
    return Mode("bare")


def passthrough():
    return Mode("passthrough", program("passthrough"))


def idle_thread():
    return Mode("idle thread", program("idlethread"))


def shim(name="shim", **settings):
    return Mode(name, LIBRARY, **{"CLOSEGUARD_" + key: value for key, value in settings.items()})


def recorders():
    """One directory for all recorders of this run, on the same kind of file system as the default one."""
    if not recorders.path:
        parent = "/dev/shm" if os.path.isdir("/dev/shm") else None
        recorders.path = tempfile.mkdtemp(prefix="closeguard-bench.", dir=parent)
        atexit.register(shutil.rmtree, recorders.path, ignore_errors=True)
    return recorders.path


recorders.path = None


class Figures:
    """All that was measured, for the table and for build/bench.json."""

    def __init__(self):
        self.rows = []

    def add(self, name, unit, values, command, note=""):
        """values: mode -> list of measurements, alike in length where they were taken in pairs."""
        row = {"name": name, "unit": unit, "command": command, "note": note, "modes": {}}
        base = values.get("bare")
        for mode, measured in values.items():
            entry = {"median": statistics.median(measured), "min": min(measured), "max": max(measured),
                     "samples": len(measured)}
            if base and mode != "bare":
                pairs = list(zip(measured, base))
                differences = [ours - plain for ours, plain in pairs]
                entry["difference"] = statistics.median(differences)
                if len(differences) >= 4:
                    entry["quartiles"] = statistics.quantiles(differences, n=4)[::2]
                if all(plain for _, plain in pairs):
                    entry["ratio"] = statistics.median(ours / plain for ours, plain in pairs)
            row["modes"][mode] = entry
        self.rows.append(row)
        print_row(row)

    def skip(self, name, why):
        self.rows.append({"name": name, "skipped": why})
        print(f"{name}: skipped: {why}", flush=True)


def print_row(row):
    print(f"{row['name']} ({row['unit']}){': ' + row['note'] if row['note'] else ''}")
    for mode, entry in row["modes"].items():
        text = f"  {mode:<15}{entry['median']:>14,.2f}"
        if "difference" in entry:
            text += f"   {entry['difference']:+14,.2f}"
        if "ratio" in entry:
            text += f"   x {entry['ratio']:.3f}"
        if "quartiles" in entry:
            text += f"   (half of the pairs within {entry['quartiles'][0]:+,.2f} to {entry['quartiles'][1]:+,.2f})"
        print(text)
    print(f"  $ {row['command']}", flush=True)
