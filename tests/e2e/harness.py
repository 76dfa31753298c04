"""Runs programs under the library and compares what it says with the kernel.

A test is a function with one argument, a Test; a file's main is `harness.main(__name__)`. Every test prints one line:
"ok NAME", "not ok NAME: why" or "skip NAME: why". Environment: CLOSEGUARD_TEST_BUILD (the build directory),
CLOSEGUARD_TEST_SANITIZE (asan or tsan: that runtime is loaded before the library), CLOSEGUARD_TEST_BARE=1 (programs run
without the library, which checks the tests' own programs against the kernel; such tests count as skipped).
"""

import concurrent.futures
import inspect
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
import traceback

from app import App
import programs


class Failure(Exception):
    """The library, or the test's own program, did not do what it should."""


class Skip(Exception):
    """The machine lacks something."""


HERE = os.path.dirname(os.path.abspath(__file__))
BUILD = os.path.abspath(os.environ.get("CLOSEGUARD_TEST_BUILD", os.path.join(HERE, "..", "..", "build")))
LIBRARY = os.path.join(BUILD, "libcloseguard.so")
SANITIZE = os.environ.get("CLOSEGUARD_TEST_SANITIZE", "")
BARE = os.environ.get("CLOSEGUARD_TEST_BARE") == "1"
SLOW = 4 if SANITIZE else 1  # sanitized builds are this much slower, and so are their deadlines
DEADLINE = 60 * SLOW         # for what comes sooner or later, on a busy machine too
QUIET_TIME = 2.2             # twice WARN_AFTER and a sweep: what is silent so long has nothing to say
JOBS = 6                     # scenarios mostly wait


def preload(before=(), after=()):
    """The value of LD_PRELOAD."""
    runtime = []
    if SANITIZE:
        name = {"asan": "libasan.so", "tsan": "libtsan.so"}[SANITIZE]
        runtime = [subprocess.check_output(["gcc", f"-print-file-name={name}"], text=True).strip()]
    return " ".join([*runtime, *before, LIBRARY, *after])


def need(program):
    found = shutil.which(program)
    if not found:
        raise Skip(f"{program} is not installed")
    return found


def copy_program(source, target):
    """By a process of its own: one that another test's thread forks meanwhile keeps no descriptor of the copy open, by
    which it could not be executed (ETXTBSY)."""
    subprocess.run(["cp", source, target], check=True)
    return os.path.join(target, os.path.basename(source)) if os.path.isdir(target) else target


class Test:
    """One running test: its temporary directory and the programs that it started."""

    def __init__(self, name):
        self.name = name
        self.dir = tempfile.mkdtemp(prefix="closeguard-test.")
        self.apps = []
        self.cleanups = []

    def environment(self, **settings):
        """The environment of a watched program; a setting of None removes the variable."""
        env = {key: value for key, value in os.environ.items() if not key.startswith(("CLOSEGUARD", "LD_PRELOAD"))}
        os.makedirs(os.path.join(self.dir, "recorders"), mode=0o700, exist_ok=True)
        env.update(CLOSEGUARD_WARN_AFTER="1s", CLOSEGUARD_INTERVAL="200ms", CLOSEGUARD_FORMAT="json",
                   CLOSEGUARD_LOG=os.path.join(self.dir, "log"), CLOSEGUARD_SIGNAL="USR2",
                   CLOSEGUARD_DIR=os.path.join(self.dir, "recorders"), LD_PRELOAD=preload())
        if SANITIZE:
            env["ASAN_OPTIONS"] = env.get("ASAN_OPTIONS", "detect_leaks=0") + ":verify_asan_link_order=0"
        if BARE:
            settings["LD_PRELOAD"] = (settings.get("LD_PRELOAD") or "").replace(LIBRARY, "").strip() or None
        env.update({key: value for key, value in settings.items() if value is not None})
        for key in [key for key, value in settings.items() if value is None]:
            env.pop(key, None)
        return env

    def start(self, program, *args, env=None, watched=True, **options):
        """Starts one of tests/e2e's programs, or any command given as a path, under the library."""
        path = program if "/" in program else programs.compile(program, BUILD)
        settings = dict(env or {})
        if not watched:
            settings["LD_PRELOAD"] = None
        app = App(self, [path, *map(str, args)], self.environment(**settings), **options)
        self.apps.append(app)
        return app

    def check(self, condition, why):
        if not condition:
            raise Failure(why)

    def equal(self, got, wanted, what):
        if got != wanted:
            raise Failure(f"{what}: got {got!r}, expected {wanted!r}")

    def finish(self):
        """What holds for every program: it ends by itself with its own status, and nothing of ours reached stdout."""
        for app in self.apps:
            app.finish()

    def close(self):
        for app in self.apps:
            app.kill()
        for cleanup in reversed(self.cleanups):
            cleanup()
        shutil.rmtree(self.dir, ignore_errors=True)

    def evidence(self):
        for app in self.apps:
            yield f"{' '.join(app.argv)}: status {app.process.poll()}, stderr {app.stderr()[-1500:]!r}"
        try:
            with open(os.path.join(self.dir, "log"), encoding="utf-8") as log:
                yield "log: " + log.read()[-3000:]
        except OSError:
            yield "log: none"


PRINT_LOCK = threading.Lock()
STOPPING = threading.Event()
RUNNING = set()  # tests whose programs and files have to go when this process is told to end


def emit(line, *details):
    with PRINT_LOCK:
        print(line, flush=True)
        for detail in details:
            for text in detail.rstrip().splitlines():
                print("#   " + text[:2000], flush=True)


def run_one(suite, function):
    name = f"{suite}/{function.__name__}"
    if STOPPING.is_set():
        return False
    test = Test(name)
    RUNNING.add(test)
    started = time.monotonic()
    try:
        function(test)
        test.finish()
        if BARE:
            raise Skip("ran bare; the programs and the kernel agreed")
        emit(f"ok {name}")
        return True
    except Skip as why:
        emit(f"skip {name}: {why}")
        return True
    except Exception as why:  # a test's bug is a failure too, and the others go on
        place = [frame for frame in traceback.extract_tb(why.__traceback__) if "/test_" in frame.filename]
        where = f"line {place[-1].lineno}: " if place else ""
        kind = "" if isinstance(why, Failure) else f"{type(why).__name__}: "
        first = str(why).splitlines()[0] if str(why) else ""
        emit(f"not ok {name}: {where}{kind}{first} ({time.monotonic() - started:.1f} s)", *test.evidence())
        return False
    finally:
        test.close()
        RUNNING.discard(test)


def on_termination(number, _frame):
    """A test that is stopped, by a time limit for example, leaves nothing behind either."""
    STOPPING.set()
    for _ in range(3):  # a thread may be starting one more program just now
        for test in list(RUNNING):  # without waiting for them: the thread that this interrupts may hold the lock
            for app in test.apps:
                app.kill_session()
            shutil.rmtree(test.dir, ignore_errors=True)
        time.sleep(0.1)
    os._exit(128 + number)


def main(module):
    """Runs the test_ functions of the module in parallel; arguments choose by name."""
    here = sys.modules[module]
    suite = os.path.basename(here.__file__)[len("test_"):-len(".py")]
    if not BARE and not os.path.exists(LIBRARY):
        print(f"not ok {suite}: {LIBRARY} is missing: build it first")
        sys.exit(1)
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, on_termination)
    tests = [value for key, value in inspect.getmembers(here, inspect.isfunction) if key.startswith("test_")]
    tests.sort(key=lambda function: function.__code__.co_firstlineno)
    wanted = sys.argv[1:]
    if wanted:
        tests = [function for function in tests if any(word in function.__name__ for word in wanted)]
    with concurrent.futures.ThreadPoolExecutor(JOBS) as pool:
        good = list(pool.map(lambda function: run_one(suite, function), tests))
    sys.exit(0 if good and all(good) else 1)
