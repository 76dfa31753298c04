#!/usr/bin/env python3
"""The storm (storm.cc), bare and watched: no hang, no difference, no growth. Usage: storm.py [SECONDS]

The program checks itself what does not depend on time: bytes, statuses, errors, exceptions, memory. This compares what
does: after the first quarter of its time the watched process may not grow more than the bare one does, beside what the
library is allowed; its descriptors and threads are the bare one's and a constant few. What hangs is shown with its
stacks, where gdb is there.
"""

import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time

HERE = os.path.dirname(os.path.abspath(__file__))
BUILD = os.path.abspath(os.environ.get("CLOSEGUARD_TEST_BUILD", os.path.join(HERE, "..", "..", "build")))
LIBRARY = os.path.join(BUILD, "libcloseguard.so")
PROGRAMS = os.path.join(BUILD, "tests", "storm")

BARE_SECONDS = 30       # at most: a bare run does not change any more
END_LIMIT = 120         # beyond the time that was asked for: a child that hangs is waited for and shown
GROWTH_KIB = 4096       # what the library may take while it gets to know more places, beside the bare growth
DESCRIPTORS, THREADS = 10, 1
HUNG = re.compile(r"wrong: .*: hung (\d+)$")
CHILDREN = [("child", ["cc"]), ("child_static", ["cc", "-static"]), ("child_musl", ["musl-gcc"])]


def build_children():
    """What the storm executes; what cannot be built here is left out, which is told."""
    missing = []
    for name, command in CHILDREN:
        target, source = os.path.join(PROGRAMS, name), os.path.join(HERE, "child.c")
        if os.path.exists(target) and os.path.getmtime(target) > os.path.getmtime(source):
            continue
        compiler = os.environ.get("CC", "cc") if command[0] == "cc" else command[0]
        command = [compiler, *command[1:], "-O2", "-o", target, source]
        if not shutil.which(compiler) or subprocess.run(command, check=False, stderr=subprocess.DEVNULL).returncode:
            missing.append(name)
    return missing


def stacks_of(pid):
    if not shutil.which("gdb"):
        return ["gdb is not there"]
    try:
        done = subprocess.run(["gdb", "-q", "-batch", "-ex", "thread apply all bt 24", "-p", str(pid)], timeout=30,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
        return [line[:150] for line in done.stdout.splitlines() if line.startswith(("#", "Thread"))]
    except subprocess.TimeoutExpired:
        return ["gdb got no answer"]


def children_of(pid):
    """Its server is one, and may be what hangs."""
    try:
        with open(f"/proc/{pid}/task/{pid}/children", encoding="utf-8") as children:
            return [int(child) for child in children.read().split()]
    except OSError:
        return []


class Sample:
    def __init__(self, line):
        words = line.split()[1:]
        self.second, self.rss, self.fds, self.threads, self.server_rss, self.server_fds = map(int, words)


class Storm:
    """One run."""

    def __init__(self, seconds, watched):
        self.samples, self.wrong, self.did, self.seconds = [], [], {}, seconds
        self.folder = tempfile.mkdtemp(prefix="closeguard-storm.")
        env = {key: value for key, value in os.environ.items() if not key.startswith(("CLOSEGUARD", "LD_"))}
        if watched:
            os.mkdir(os.path.join(self.folder, "recorders"), 0o700)
            env.update(LD_PRELOAD=LIBRARY, CLOSEGUARD_DIR=os.path.join(self.folder, "recorders"),
                       CLOSEGUARD_LOG=os.path.join(self.folder, "log"), CLOSEGUARD_FORMAT="json",
                       CLOSEGUARD_INTERVAL="100ms", CLOSEGUARD_WARN_AFTER="200ms")
        argv = [os.path.join(PROGRAMS, "storm"), str(seconds), os.path.join(PROGRAMS, "lib_storm.so"), PROGRAMS]
        with open(os.path.join(self.folder, "err"), "w+", encoding="utf-8", errors="replace") as errors:
            self.process = subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=errors,
                                            env=env, cwd=self.folder, start_new_session=True, text=True)
            reader = threading.Thread(target=self.read, daemon=True)
            reader.start()
            self.wait()
            reader.join(10)
            errors.seek(0)
            # What a child cannot write to the log, having dropped its privileges past libc, it says here.
            self.wrong += ["on stderr: " + line for line in errors.read().splitlines()
                           if not (watched and re.match(r'closeguard: |.* closeguard: |{"v":1,"event":', line))][:5]
        self.told = self.read_log()
        shutil.rmtree(self.folder, ignore_errors=True)

    def read(self):
        for line in self.process.stdout:
            line = line.rstrip("\n")
            if line.startswith("sample "):
                self.samples.append(Sample(line))
            elif line.startswith("did "):
                _, what, count = line.split()
                self.did[what] = self.did.get(what, 0) + int(count)
            else:
                self.wrong.append(line)
                hung = HUNG.match(line)
                if hung or line.startswith("stuck"):
                    self.wrong += stacks_of(int(hung.group(1)) if hung else self.process.pid)

    def wait(self):
        try:
            status = self.process.wait(self.seconds + END_LIMIT)
            if status:
                self.wrong.append(f"the program ended with {status}")
        except subprocess.TimeoutExpired:
            self.wrong += ["the program hangs", *stacks_of(self.process.pid)]
            for child in children_of(self.process.pid):
                self.wrong += [f"its child {child}:", *stacks_of(child)]
        try:
            os.killpg(self.process.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
        self.process.wait()

    def read_log(self):
        """
        How many findings and children's summaries the library told, so that a storm that it slept through is not taken
        for a good one. On an idle host the children that leak have ended before there is anything to find.
        """
        try:
            with open(os.path.join(self.folder, "log"), encoding="utf-8", errors="replace") as log:
                return sum('"event":"finding"' in line or '"event":"summary"' in line for line in log)
        except OSError:
            return 0

    def growth(self, what):
        """From the first quarter to the end: the least of each, since what is in use at one moment says little."""
        values = [getattr(sample, what) for sample in self.samples]
        quarter = max(1, len(values) // 4)
        return min(values[-quarter:]) - min(values[quarter:2 * quarter] or values)

    def least(self, what):
        return min(getattr(sample, what) for sample in self.samples)

    def most(self, what):
        return max(getattr(sample, what) for sample in self.samples)


def compare(bare, watched):
    wrong = []
    if len(bare.samples) < 2 or len(watched.samples) < 2:
        return ["too few samples were taken"]
    for what in ("rss", "server_rss"):
        if watched.growth(what) > max(bare.growth(what), 0) + GROWTH_KIB:
            values = [getattr(sample, what) for sample in watched.samples]
            wrong.append(f"{what} grew by {watched.growth(what)} KiB, bare by {bare.growth(what)}: {values}")
    for what, more in (("fds", DESCRIPTORS), ("threads", THREADS)):
        if watched.most(what) > bare.most(what) + more:
            wrong.append(f"{what}: {watched.most(what)}, bare {bare.most(what)}")
    if watched.most("server_fds") > max(bare.most("server_fds"), 200) + DESCRIPTORS:
        wrong.append(f"the server had {watched.most('server_fds')} descriptors, bare {bare.most('server_fds')}")
    for what, count in bare.did.items():
        if count and not watched.did.get(what):
            wrong.append(f"{what}: nothing was done, bare {count}")
    if not watched.told:
        wrong.append("the library told nothing")
    return wrong


def judge(name, wrong, note):
    print(f"not ok {name}: {wrong[0]}" if wrong else f"ok {name}")
    for line in wrong[1:200]:
        print(f"#   {line[:1000]}")
    print(f"note: {name}: {note}", flush=True)
    return not wrong


def main():
    seconds = int(sys.argv[1]) if len(sys.argv) > 1 else 15
    missing = build_children()
    for name in missing:
        print(f"skip storm/{name}: it cannot be built here (for child_musl: musl-tools)")
    bare = Storm(min(BARE_SECONDS, max(5, seconds // 3)), False)
    good = judge("storm/bare", bare.wrong, f"{bare.did}")
    started = time.monotonic()
    watched = Storm(seconds, True)
    good = judge("storm/no_hang_no_difference", watched.wrong,
                 f"{watched.did}, {watched.told} findings and summaries, {time.monotonic() - started:.0f} s") and good
    good = judge("storm/no_growth", compare(bare, watched), "rss in KiB, descriptors, threads: " + ", ".join(
        f"{one.rss} {one.fds} {one.threads}" for one in watched.samples[::max(1, len(watched.samples) // 6)])) and good
    sys.exit(not good)


if __name__ == "__main__":
    main()
