#!/usr/bin/env python3
"""Lets every system call that the library makes fail, in turn, with every error that it can have (see inject.c).

Usage: faults.py [--whole] [--jobs N] [--sample N] [--list] [WORKLOAD...]
       faults.py WORKLOAD SPECIFICATION...

Each workload runs bare, then watched without a fault, which tells the places where the library makes calls; then once
for each fault. What has to hold: the program's output and its status are the bare ones, it does not hang, the library
does not run wild, and nothing but the library's own lines stands on stderr. Without --whole a sample is run, the same
each time. The second form repeats one run and shows all of it.
"""

import concurrent.futures
import errno
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
import zlib

HERE = os.path.dirname(os.path.abspath(__file__))
BUILD = os.path.abspath(os.environ.get("CLOSEGUARD_TEST_BUILD", os.path.join(HERE, "..", "..", "build")))
LIBRARY = os.path.join(BUILD, "libcloseguard.so")
PROGRAMS = os.path.join(BUILD, "tests", "faults")
INJECT = os.path.join(PROGRAMS, "inject")
UNSUPPORTED = 125
TIME_LIMIT = 30  # for what takes a second or two on an idle machine
WILD = 30        # so many times the calls of an undisturbed run

# The library's lines; where findings are written to stderr, theirs too.
OWN_LINE = re.compile(r"(\d{4}-\S+Z )?closeguard: ")
OWN_FINDING = re.compile(r'(\d{4}-\S+Z )?closeguard: |\{"v":1,|\s')

# What a sandbox may answer to anything, and what the kernel answers to some.
ANY = ("EPERM", "ENOSYS", "EINVAL")
ERRNOS = {
    "bind": "EADDRINUSE EACCES", "clone3": "EAGAIN ENOMEM", "connect": "ECONNREFUSED ENOENT EACCES",
    "epoll_ctl": "ENOENT EBADF ENOMEM", "fallocate": "ENOSPC EOPNOTSUPP EIO EFBIG EINTR", "fcntl": "EMFILE EBADF EINTR",
    "fstat": "EBADF EIO EOVERFLOW", "ftruncate": "EIO EFBIG EINTR", "futex": "EINTR EAGAIN", "getcwd": "ENOENT ERANGE",
    "getdents64": "EBADF ENOENT EIO 0", "getpeername": "ENOTCONN EBADF", "getsockname": "EBADF ENOBUFS",
    "getsockopt": "EBADF ENOTSOCK ENOPROTOOPT", "ioctl": "ENOTTY EBADF EFAULT", "kill": "ESRCH",
    "lseek": "ESPIPE EBADF",
    "madvise": "ENOMEM EAGAIN EBADF", "mincore": "ENOMEM EFAULT", "mkdirat": "EEXIST EROFS ENOSPC EACCES ENOENT",
    "mmap": "ENOMEM EACCES ENODEV EAGAIN", "mprotect": "ENOMEM EACCES", "mremap": "ENOMEM", "munmap": "ENOMEM",
    "newfstatat": "ENOENT EACCES ELOOP ENOMEM", "openat": "EMFILE ENFILE ENOENT EACCES ENOMEM EINTR ELOOP EIO",
    "pidfd_getfd": "EBADF EMFILE ESRCH", "pidfd_open": "EMFILE ENFILE ESRCH", "pipe2": "EMFILE ENFILE",
    "ppoll": "EINTR ENOMEM 0", "pread64": "EIO EINTR EAGAIN ESPIPE 0", "prlimit64": "EFAULT ESRCH",
    "pselect6": "EINTR EBADF ENOMEM", "read": "EIO EINTR EAGAIN EBADF 0", "readlinkat": "ENOENT EACCES EIO 0",
    "recvfrom": "EAGAIN EINTR ECONNRESET ENOBUFS ENOMEM 0", "rt_sigtimedwait": "EAGAIN EINTR",
    "sendto": "EAGAIN EINTR ENOBUFS ECONNREFUSED ENOMEM EPIPE 0", "setsockopt": "ENOPROTOOPT ENOMEM EBADF",
    "shutdown": "ENOTCONN EBADF", "socket": "EMFILE ENFILE EAFNOSUPPORT EACCES ENOBUFS EPROTONOSUPPORT",
    "statx": "ENOENT EACCES", "unlinkat": "ENOENT EACCES EBUSY EROFS", "write": "EAGAIN ENOSPC EIO EINTR EBADF EFBIG 0",
    "close_range": "ENOMEM EMFILE", "unshare": "ENOMEM", "process_vm_readv": "EFAULT ESRCH",
}
# These are not made to fail. A close that answers with an error has closed, which a supervisor cannot do for it; who
# one is cannot fail; and without the others libc ends the program, whoever called it.
NEVER = {"close", "exit", "exit_group", "getpid", "getppid", "gettid", "getuid", "geteuid", "sched_yield",
         "rt_sigreturn", "execve", "rseq", "set_robust_list", "clock_gettime", "brk", "clone", "getrandom"}
NOT_IN_LIBC = {"futex", "rt_sigprocmask"}
# What the kernel does not answer for ever: a loop that goes on at it is right.
TRANSIENT = {-errno.EINTR, -errno.EAGAIN}
# Calls that the program makes itself before our constructor has run.
OF_THE_PROGRAM = re.compile(r"early_")


class Workload:
    """A program, and what it runs with."""

    def __init__(self, name, argv, shows, marked=True, stderr=OWN_LINE, **settings):
        """shows: what is in its log when nothing fails; marked: see mark.h."""
        self.name, self.shows, self.marked, self.stderr, self.settings = name, shows, marked, stderr, settings
        self.argv = [os.path.join(PROGRAMS, argv[0]), *argv[1:]] if argv[0].startswith("work_") else argv

    def environment(self, folder):
        env = {key: value for key, value in os.environ.items() if not key.startswith(("CLOSEGUARD", "LD_"))}
        os.makedirs(os.path.join(folder, "recorders"), mode=0o700)
        env.update(LD_PRELOAD=LIBRARY, CLOSEGUARD_DIR=os.path.join(folder, "recorders"), CLOSEGUARD_FORMAT="json",
                   CLOSEGUARD_LOG=os.path.join(folder, "log"), CLOSEGUARD_INTERVAL="20ms",
                   CLOSEGUARD_WARN_AFTER="50ms", CLOSEGUARD_SIGNAL="USR2")
        env.update({"CLOSEGUARD_" + key: value for key, value in self.settings.items()})
        return env


WORKLOADS = [
    Workload("serve", ["work_serve"], '"event":"summary"'),
    Workload("policy", ["work_policy"], '"action":"reap"', POLICY=os.path.join(HERE, "policy.cfg")),
    Workload("fork", ["work_fork"], '"event":"finding"', stderr=OWN_FINDING, LOG="stderr"),
    Workload("python", [sys.executable, os.path.join(HERE, "work_python.py")], "LEAK", marked=False,
             stderr=OWN_FINDING, LOG="stderr", FORMAT="text"),
    Workload("no_thread", ["work_serve", "return"], "", THREAD="off", STACKS="fp", LOG="syslog"),
    Workload("in_a_hurry", ["work_serve", "_exit"], "LEAK", stderr=OWN_FINDING, LOG="stderr", FORMAT="text"),
]


class Run:
    """One run: its output, status, and the places that made calls."""

    def __init__(self, workload, specifications=(), bare=False):
        self.folder = tempfile.mkdtemp(prefix="closeguard-faults.")
        self.list = os.path.join(self.folder, "list")
        env = workload.environment(self.folder)
        argv = [INJECT, self.list, *specifications, "--", *workload.argv]
        if bare:
            env.pop("LD_PRELOAD")
            argv = workload.argv
        with open(os.path.join(self.folder, "out"), "w+b") as out, open(os.path.join(self.folder, "err"), "w+b") as err:
            started = time.monotonic()
            child = subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=out, stderr=err, env=env,
                                     cwd=self.folder, start_new_session=True)
            try:
                self.status, self.stacks = child.wait(TIME_LIMIT), ""
            except subprocess.TimeoutExpired:
                self.status, self.stacks = None, stacks_of(child.pid)
            self.seconds = time.monotonic() - started
            try:
                os.killpg(child.pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
            child.wait()
            out.seek(0)
            err.seek(0)
            self.out, self.err = out.read().decode(errors="replace"), err.read().decode(errors="replace")
        self.log = self.err + self.read_log()
        self.places = [] if bare else self.read_places()
        shutil.rmtree(self.folder, ignore_errors=True)

    def read_log(self):
        try:
            with open(os.path.join(self.folder, "log"), encoding="utf-8", errors="replace") as log:
                return log.read()
        except OSError:
            return ""

    def read_places(self):
        try:
            with open(self.list, encoding="utf-8") as text:
                return [Place(*line.split()) for line in text]
        except OSError:
            return []

    def failed(self):
        return sum(place.failed for place in self.places)

    def calls(self):
        """How many the library made."""
        return sum(place.count for place in self.places)


class Place:
    """An instruction that made a call, how often, and how often it was made to fail."""

    def __init__(self, kind, call, module, offset, count, failed):
        self.kind, self.call, self.module, self.offset = kind, call, module, offset
        self.count, self.failed = int(count), int(failed)
        self.function = function_at(module, int(offset, 16)) if kind == "own" else ""

    def possible(self, marked):
        if self.call in NEVER or OF_THE_PROGRAM.match(self.function):
            return False
        if self.kind != "own" and (self.call in NOT_IN_LIBC or self.call.isdigit()):
            return False
        return self.kind != "app" or marked


SYMBOLS = {}
SYMBOLS_LOCK = threading.Lock()


def function_at(module, offset):
    """The function of a module of ours; its segments are mapped as they stand in the file."""
    with SYMBOLS_LOCK:
        if module not in SYMBOLS:
            lines = subprocess.run(["nm", "-S", os.path.join(BUILD, module)], stdout=subprocess.PIPE, check=False,
                                   stderr=subprocess.DEVNULL, text=True).stdout.splitlines()
            words = [line.split() for line in lines]
            SYMBOLS[module] = [(int(one[0], 16), int(one[1], 16), one[3]) for one in words
                               if len(one) == 4 and one[2] in "tTwW"]
    for start, size, name in SYMBOLS[module]:
        if start <= offset < start + size:
            return name
    return ""


def stacks_of(group):
    """What a hanging program waits for, where gdb can tell."""
    if not shutil.which("gdb"):
        return ""
    text = ""
    found = subprocess.run(["pgrep", "-s", str(group)], stdout=subprocess.PIPE, text=True, check=False).stdout
    for pid in [pid for pid in found.split() if pid != str(group)][:4]:
        try:
            done = subprocess.run(["gdb", "-q", "-batch", "-ex", "thread apply all bt 12", "-p", pid], timeout=20,
                                  stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
            text += "\n".join(line for line in done.stdout.splitlines() if line.startswith(("#", "Thread"))) + "\n"
        except subprocess.TimeoutExpired:
            text += "gdb got no answer\n"
    return text


def results_of(call):
    """What the call may answer, as numbers: the most likely first."""
    words = [*ERRNOS.get(call, "").split(), *(ANY if call != "futex" else ())]
    return [0 if word == "0" else -getattr(errno, word) for word in dict.fromkeys(words)]


def result_name(result):
    return errno.errorcode[-result] if result < 0 else str(result)


def plan(workload, places):
    """All faults to be tried: (words for a person, specification)."""
    always = 1 << 40
    jobs = {}

    def add(words, kind, call, module, offset, first, last, result):
        if result in TRANSIENT:
            last = min(last, first + 20)
        specification = f"{kind},{call},{module},{offset},{first},{last},{result}"
        jobs.setdefault(specification, f"{words} answers {result_name(result)}")

    possible = [place for place in places if place.possible(workload.marked)]
    for call in sorted({place.call for place in possible if place.kind == "own"}):
        for result in results_of(call):
            add(f"every {call} of ours", "own", call, "*", "*", 1, always, result)
    for place in sorted(possible, key=lambda one: (one.kind, one.call, one.module, one.function, one.offset)):
        where = (place.kind, place.call, place.module, place.offset)
        words = f"{place.call} ({place.kind}) in {place.function or place.module + '+' + place.offset}"
        results = results_of(place.call)
        for result in results if place.kind == "own" else results[:3]:
            add(f"each {words}", *where, 1, always, result)
        if place.kind == "own":
            add(f"the first {words}", *where, 1, 1, results[0])
            if place.count > 1:
                add(f"a later {words}", *where, 2, always, results[0])
        for number in range(1, min(place.count, 60) + 1) if place.kind != "own" else ():
            add(f"number {number} of {words}", *where, number, number, results[0])
    return [(words, specification) for specification, words in jobs.items()]


def complaints_about(run, bare, calm, workload):
    """What differs from the bare run."""
    if run.status is None:
        return [f"it hung for {TIME_LIMIT} s, having said {run.out[-200:]!r}", *run.stacks.splitlines()]
    wrong = []
    if run.status != bare.status:
        wrong.append(f"status {run.status} instead of {bare.status}")
    if run.out != bare.out:
        pairs = zip(run.out.splitlines() + ["(no more)"], bare.out.splitlines() + ["(no more)"])
        wrong.append("it said %r instead of %r" % next((pair for pair in pairs if pair[0] != pair[1]), ("", "more")))
    strange = [line for line in run.err.splitlines() if not workload.stderr.match(line)]
    if strange:
        wrong.append(f"on stderr: {strange[:3]}")
    if calm and run.calls() > WILD * calm.calls() + 20000:
        wrong.append(f"the library made {run.calls()} calls instead of {calm.calls()}")
    return wrong


class Campaign:
    """All faults of one workload."""

    def __init__(self, workload, sample, jobs):
        self.workload, self.sample, self.jobs = workload, sample, jobs
        self.bare, self.calm = Run(workload, bare=True), Run(workload)
        for _ in range(4):  # where there was no time for what it is to show
            if workload.shows not in self.calm.log:
                self.calm = Run(workload)
        self.ran, self.missed, self.wrong = 0, 0, []
        self.lock = threading.Lock()

    def one(self, job):
        words, specification = job
        run = Run(self.workload, [specification])
        wrong = complaints_about(run, self.bare, self.calm, self.workload)
        with self.lock:
            self.ran += 1
            self.missed += not run.failed() and not wrong
            if wrong:
                self.wrong.append((words, specification, wrong))
                print(f"# {words}: {wrong[0]}\n#   faults.py {self.workload.name} {specification}", flush=True)
                for line in wrong[1:]:
                    print(f"#   {line}", flush=True)

    def execute(self):
        name = f"faults/{self.workload.name}"
        wrong = complaints_about(self.calm, self.bare, None, self.workload)
        if self.calm.status == UNSUPPORTED and not self.calm.places:
            print(f"skip {name}: no seccomp filter with a supervisor here")
            return True
        if not self.calm.places:
            wrong.append("no call of the library was seen")
        if self.workload.shows not in self.calm.log:
            wrong.append(f"the library did not say {self.workload.shows}")
        if wrong:
            print(f"not ok {name}: without any fault: {wrong[0]}")
            print("".join(f"#   {line[:400]}\n" for line in wrong + self.calm.log.splitlines()[-5:]), end="")
            return False
        jobs = plan(self.workload, self.calm.places)
        known = len(jobs)
        if self.sample:  # the same ones each time, whatever was added elsewhere
            jobs = sorted(jobs, key=lambda job: zlib.crc32(job[0].encode()))[:self.sample]
        with concurrent.futures.ThreadPoolExecutor(self.jobs) as pool:
            list(pool.map(self.one, jobs))
        told = f"{self.ran} of {known} faults tried, {self.missed} not reached"
        if self.wrong:
            words, _, wrong = self.wrong[0]
            print(f"not ok {name}: {words}: {wrong[0]} and {len(self.wrong) - 1} more; {told}", flush=True)
        elif self.ran == 0 or self.missed > self.ran / 3:
            print(f"not ok {name}: {told}", flush=True)
        else:
            print(f"ok {name}\nnote: faults/{self.workload.name}: {told}", flush=True)
        return not self.wrong and self.ran


def repeat(workload, specifications):
    bare, run = Run(workload, bare=True), Run(workload, specifications)
    print(run.out + run.err + run.stacks)
    for place in run.places:
        if place.failed:
            print(f"{place.failed} of {place.count} failed: {place.kind} {place.call} {place.module} {place.function}")
    wrong = complaints_about(run, bare, None, workload)
    print("\n".join(wrong) or "all is well", f"({run.seconds:.1f} s, bare {bare.seconds:.1f} s)")
    return not wrong


def main():
    arguments, jobs, sample = sys.argv[1:], 2, 20
    while arguments and arguments[0].startswith("-"):
        option = arguments.pop(0)
        if option == "--whole":
            sample = 0
        elif option == "--list":
            print(" ".join(workload.name for workload in WORKLOADS))
            return
        elif option == "--jobs" and arguments:
            jobs = int(arguments.pop(0))
        elif option == "--sample" and arguments:
            sample = int(arguments.pop(0))
        else:
            sys.exit(__doc__)
    specifications = [word for word in arguments if "," in word]
    wanted = [one for one in WORKLOADS if not arguments or one.name in arguments]
    if specifications:
        sys.exit(not repeat(wanted[0], specifications))
    good = True
    for workload in wanted:
        good = Campaign(workload, sample, jobs).execute() and good
    sys.exit(not good)


if __name__ == "__main__":
    main()
