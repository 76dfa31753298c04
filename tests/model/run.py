#!/usr/bin/env python3
"""The model test: random socket operations, then closeguard's findings and slots against the kernel's word.

Usage: run.py SEEDS [--jobs N] [--steps N] [--threads N] [--verbose] [--keep]
SEEDS: "7", "1-1000" or "3,8,20-30". A failing seed is run again alone with --verbose, which logs each operation.

Environment: CLOSEGUARD_TEST_BUILD (default: build), CLOSEGUARD_TEST_SANITIZE (asan or tsan: its runtime is preloaded
first), CLOSEGUARD_TEST_BARE=1 (without the library: only the model's own bookkeeping is held against the kernel).
"""

import argparse
import concurrent.futures
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time

import compare
import selftest
import summaries  # of e2e, as compare has seen to

HERE = os.path.dirname(os.path.abspath(__file__))
SHIM = os.path.join(HERE, "..", "..", "shim")
BUILD = os.path.abspath(os.environ.get("CLOSEGUARD_TEST_BUILD", os.path.join(HERE, "..", "..", "build")))
LIBRARY = os.path.join(BUILD, "libcloseguard.so")
SANITIZE = os.environ.get("CLOSEGUARD_TEST_SANITIZE", "")
BARE = os.environ.get("CLOSEGUARD_TEST_BARE") == "1"
SLOW = 3 if SANITIZE else 1
SLOT_EOF, SLOT_CONNECT = 1, 1 << 20  # shim/record.h's CG_SLOT_…
SETTLE_S = 0.6 * SLOW  # twice WARN_AFTER: sweeps see everything, and what they saw first gets old enough
PATIENCE = 5  # so often is what differs compared again, a second later each
ADOPT_S = 0.4 * SLOW  # what was opened past every wrapper has to be found in two looks before
DEADLINE_S = 10 * SLOW
PROGRAMS = {
    "model": ["model.c", "set.c", "far.c", "children.c", "unseen.c", "op_open.c", "op_dup.c", "op_close.c", "op_io.c",
              "op_far.c"],
    "peer": ["peer.c"],
    "slots": ["slots.c"],
}


def build():
    """The programs are built plainly, never with a sanitizer."""
    out = os.path.join(BUILD, "tests", "model")
    os.makedirs(out, exist_ok=True)
    for name, sources in PROGRAMS.items():
        subprocess.run([os.environ.get("CC", "cc"), "-D_GNU_SOURCE", "-std=gnu11", "-O1", "-g", "-Wall", "-Wextra",
                        "-Werror", "-fno-omit-frame-pointer", "-I" + SHIM, "-o", os.path.join(out, name + ".new"),
                        *[os.path.join(HERE, source) for source in sources], "-pthread"], check=True)
        os.replace(os.path.join(out, name + ".new"), os.path.join(out, name))
    return out


def preload():
    runtime = []
    if SANITIZE:
        name = {"asan": "libasan.so", "tsan": "libtsan.so"}[SANITIZE]
        found = subprocess.check_output([os.environ.get("CC", "cc"), "-print-file-name=" + name], text=True).strip()
        runtime = [os.path.realpath(found)]
    return ":".join([*runtime, LIBRARY])


class Slot:
    def __init__(self, words):
        self.fd, self.kind, self.inode = int(words[1]), words[2], int(words[3])
        flags = int(next(word for word in words if word.startswith("flags="))[6:], 16)
        self.eof, self.refused = flags & SLOT_EOF != 0, flags & SLOT_CONNECT != 0
        self.text = " ".join(words[1:])


class Model:
    """One run of the model program with its peer process."""

    def __init__(self, programs, seed, options):
        self.programs, self.seed, self.options = programs, seed, options
        self.dir = tempfile.mkdtemp(prefix="closeguard-model.")
        self.unseen = seed % 4 == 3
        self.refused = {}
        self.was_connected, self.unseen_fds, self.children, self.slots, self.departed = {}, set(), [], {}, []
        self.process = self.peer = None

    def environment(self):
        env = {key: value for key, value in os.environ.items() if not key.startswith(("CLOSEGUARD", "LD_PRELOAD"))}
        self.clean = dict(env)
        os.mkdir(os.path.join(self.dir, "recorders"), 0o700)
        env.update(CLOSEGUARD_WARN_AFTER="300ms", CLOSEGUARD_INTERVAL="50ms", CLOSEGUARD_FORMAT="json",
                   CLOSEGUARD_LOG=os.path.join(self.dir, "log.%p"), CLOSEGUARD_SIGNAL="USR2",
                   CLOSEGUARD_DIR=os.path.join(self.dir, "recorders"))
        if self.seed % 5 == 4:
            env["CLOSEGUARD_STACKS"] = "fp"
        if SANITIZE:
            env.setdefault("ASAN_OPTIONS", "detect_leaks=0")
        if SANITIZE == "tsan":
            env.setdefault("TSAN_OPTIONS", "die_after_fork=0")
        if not BARE:
            env["LD_PRELOAD"] = preload()
        return env

    def start(self):
        env = self.environment()
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with ours, theirs:
            self.peer = subprocess.Popen([os.path.join(self.programs, "peer"), str(theirs.fileno())], env=self.clean,
                                         pass_fds=[theirs.fileno()], stdin=subprocess.DEVNULL)
            argv = [os.path.join(self.programs, "model")]
            argv += ["--verbose"] * self.options.verbose + ["--unseen"] * self.unseen
            argv += [str(self.seed), str(self.options.steps or 80 + self.seed % 7 * 20)]
            argv += [str(self.options.threads or 1 + self.seed % 4), str(ours.fileno())]
            with open(os.path.join(self.dir, "stderr"), "wb") as errors:
                self.process = subprocess.Popen(argv, env=env, pass_fds=[ours.fileno()], stdin=subprocess.PIPE,
                                                stdout=subprocess.PIPE, stderr=errors, start_new_session=True)

    def read_lists(self):
        """What the model holds, when its steps are done. A watchdog ends one that hangs."""
        for raw in self.process.stdout:
            words = raw.decode().split()
            if words == ["ready"]:
                return
            if words[0] == "fd":
                self.was_connected[int(words[1])] = words[3] == "1"
                self.refused[int(words[1])] = words[4] == "1"
            elif words[0] == "unseen":
                self.unseen_fds.add(int(words[1]))
            elif words[0] == "child":
                self.children.append(int(words[1]))
        raise RuntimeError(f"the model ended with {self.process.wait()}: {self.stderr()[-600:]!r}")

    def read_slots(self):
        folder = os.path.join(self.dir, "recorders")
        names = [os.path.join(folder, name) for name in os.listdir(folder)]
        text = subprocess.run([os.path.join(self.programs, "slots"), *names], stdout=subprocess.PIPE, text=True,
                              check=True).stdout
        mine, found = False, False
        for words in map(str.split, text.splitlines()):
            if words[0] == "recorder":
                mine = words[1] == str(self.process.pid)
                found |= mine
            elif mine and words[0] == "departed":
                self.departed.append(Slot(words))
            elif mine:
                slot = Slot(words)
                self.slots[slot.fd] = slot
        if not found:
            raise RuntimeError(f"no recorder of pid {self.process.pid} among {len(names)}")

    def saw_eof(self, inode):
        return any(one.eof for one in [*self.slots.values(), *self.departed] if one.inode == inode)

    def saw_refusal(self, inode):
        return any(one.refused for one in self.slots.values() if one.inode == inode and one.kind == "conn")

    def slots_text(self, inode, fds):
        """What the recorder has of a socket."""
        found = ["slot " + self.slots[fd].text if fd in self.slots else f"no slot {fd}" for fd in fds]
        found += ["departed " + one.text for one in self.departed if one.inode == inode]
        found += ["old slot " + one.text for one in self.slots.values() if one.inode == inode and one.fd not in fds]
        return "; ".join(found) or f"the recorder has nothing of inode {inode}"

    def events(self):
        try:
            with open(os.path.join(self.dir, f"log.{self.process.pid}"), encoding="utf-8") as log:
                text = log.read()
        except FileNotFoundError:
            return []
        return summaries.joined([json.loads(line) for line in text[:text.rfind("\n") + 1].splitlines()])

    def dump(self):
        before = len([one for one in self.events() if one["event"] == "summary"])
        os.kill(self.process.pid, signal.SIGUSR2)
        deadline = time.monotonic() + DEADLINE_S
        while time.monotonic() < deadline:
            found = [one for one in self.events() if one["event"] == "summary"]
            if len(found) > before:
                return found[-1]
            time.sleep(0.02)
        raise RuntimeError("the dump signal brought no summary")

    def stderr(self):
        with open(os.path.join(self.dir, "stderr"), encoding="utf-8", errors="replace") as errors:
            return errors.read()

    def judge(self, score):
        self.start()
        self.read_lists()
        if BARE:
            time.sleep(0.05)
            compare.compare_bookkeeping(self, compare.Truth(self.process.pid, self.children), score)
        else:
            time.sleep(SETTLE_S + ADOPT_S * self.unseen)
            for _ in range(PATIENCE):
                trial = compare.Score()
                self.compare(trial)
                if not trial.differences:
                    break
                time.sleep(1)  # on a busy host what was put past the wrappers is found some looks later
            vars(score).update(vars(trial))
            for one in self.events():
                if one["event"] == "warning":
                    score.differ(f"a warning: {one}")
        self.process.stdin.close()
        status = self.process.wait(DEADLINE_S)
        if status:
            score.differ(f"the model ended with {status}")
        if self.stderr() and not self.options.verbose:
            score.differ(f"on stderr: {self.stderr()[-600:]!r}")

    def compare(self, score):
        summary = self.dump()
        self.read_slots()
        truth = compare.Truth(self.process.pid, self.children)
        compare.compare_bookkeeping(self, truth, score)
        compare.compare_slots(self, truth, score)
        compare.compare_findings(summary, truth, self, score)

    def close(self):
        for process, group in ((self.process, True), (self.peer, False)):
            if not process:
                continue
            try:
                os.killpg(process.pid, signal.SIGKILL) if group else process.kill()
            except ProcessLookupError:
                pass
            process.wait()
            for stream in (process.stdin, process.stdout):
                if stream:
                    stream.close()
        if self.options.keep:
            print(f"#   seed {self.seed}: {self.dir}")
        else:
            shutil.rmtree(self.dir, ignore_errors=True)


def run_seed(programs, seed, options):
    score, model = compare.Score(), Model(programs, seed, options)
    watchdog = threading.Timer(DEADLINE_S * 2, lambda: model.process and model.process.kill())
    watchdog.start()
    try:
        model.judge(score)
        if options.verbose:
            print(model.stderr(), end="")
    except Exception as why:  # one seed's trouble is a failure, and the others go on
        score.differ(f"{type(why).__name__}: {why}")
    finally:
        watchdog.cancel()
        model.close()
    return seed, score


def run_seed_twice(programs, seed, options):
    """
    What goes past every wrapper is seen by looks only, and a look may miss what lasts for less than the time between
    two: where a seed does such things, a difference has to be there in a second run too. It is told either way.
    """
    seed, score = run_seed(programs, seed, options)
    if not score.differences or seed % 4 != 3 or BARE:
        return seed, score
    first = score.differences[0]
    print(f"# seed {seed} goes past the wrappers and is run again; the first run: {first}", flush=True)
    return run_seed(programs, seed, options)


def report(seed, score):
    if not score.differences and BARE:
        print(f"skip model/seed {seed}: ran bare; the model's own list and the kernel agreed", flush=True)
        return
    if not score.differences:
        print(f"ok model/seed {seed} ({score.right} sockets)", flush=True)
        return
    print(f"not ok model/seed {seed}: {len(score.differences)} differences, the first: {score.differences[0]}")
    for text in score.differences:
        print("#   " + text)
    sys.stdout.flush()


def seeds_of(text):
    found = []
    for part in text.split(","):
        first, _, last = part.partition("-")
        found += range(int(first), int(last or first) + 1)
    return found


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("seeds", type=seeds_of)
    parser.add_argument("--jobs", type=int, default=4)  # a seed mostly waits
    parser.add_argument("--steps", type=int, default=0)
    parser.add_argument("--threads", type=int, default=0)
    parser.add_argument("--verbose", action="store_true")
    parser.add_argument("--keep", action="store_true", help="leave the logs and recorders where they are")
    options = parser.parse_args()
    if not BARE and not os.path.exists(LIBRARY):
        print(f"not ok model: {LIBRARY} is missing: build it first")
        return 1
    if not selftest.run():
        return 1
    programs, total, failed = build(), compare.Score(), 0
    with concurrent.futures.ThreadPoolExecutor(options.jobs) as pool:
        for done in concurrent.futures.as_completed(
                [pool.submit(run_seed_twice, programs, seed, options) for seed in options.seeds]):
            seed, score = done.result()
            total.add(score)
            failed += bool(score.differences)
            report(seed, score)
    print(f"# {len(options.seeds)} seeds, {failed} failed; " + ("bare" if BARE else total.text()))
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
