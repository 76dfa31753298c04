"""What the suites share: programs run bare and under the library, in a folder of their own, ended by their pids."""

import json
import glob
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time

TOP = os.path.abspath(os.path.join(os.path.dirname(__file__), "..", ".."))
BUILD = os.path.abspath(os.environ.get("CLOSEGUARD_TEST_BUILD", os.path.join(TOP, "build")))
LIBRARY = os.path.join(BUILD, "libcloseguard.so")
PATIENCE = 120  # seconds, for what comes sooner or later


class Skip(Exception):
    """The machine lacks something."""


class Wrong(Exception):
    """The program did not do what it does by itself."""


def need(*programs):
    """The path of the first of them that is installed."""
    paths = os.environ.get("PATH", os.defpath) + ":/usr/sbin:/sbin:/usr/lib/postgresql/*/bin"
    for folder in [one for part in paths.split(":") for one in sorted(glob.glob(part))]:
        for program in programs:
            path = shutil.which(program, path=folder)
            if path:
                return path
    raise Skip(f"{' or '.join(programs)} is not installed")


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Side:
    """One run of a suite, bare or watched."""

    def __init__(self, watched):
        self.watched = watched
        self.dir = tempfile.mkdtemp(prefix="closeguard-suite.")
        os.chmod(self.dir, 0o755)
        os.mkdir(os.path.join(self.dir, "logs"), 0o777)
        os.chmod(os.path.join(self.dir, "logs"), 0o1777)
        self.processes = []

    def path(self, name):
        return os.path.join(self.dir, name)

    def write(self, name, text):
        with open(self.path(name), "w", encoding="utf-8") as file:
            file.write(text.rstrip() + "\n")
        return self.path(name)

    def environment(self):
        """Settings are the standard ones: what is told of a healthy program then is a fault of ours."""
        env = {key: value for key, value in os.environ.items() if not key.startswith(("CLOSEGUARD", "LD_PRELOAD"))}
        if self.watched:
            env.update(LD_PRELOAD=LIBRARY, CLOSEGUARD_FORMAT="json", CLOSEGUARD_LOG=self.path("logs/%e.%p"))
        return env

    def run(self, *command, watched=True, status=0, timeout=900, **options):
        """Runs it to its end and returns what it wrote. `watched` false: a tool that only drives the others."""
        env = self.environment() if watched else None
        done = subprocess.run(list(map(str, command)), env=env, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, text=True, errors="replace", timeout=timeout, check=False,
                              **options)
        if status is not None and done.returncode != status:
            raise Wrong(f"{command[0]} ended with {done.returncode}: {done.stdout[-500:]}")
        return done.stdout

    def start(self, *command, port=None, **options):
        """Starts a server and waits until it listens."""
        with open(self.path(f"output.{len(self.processes)}"), "wb") as output:
            process = subprocess.Popen(list(map(str, command)), env=self.environment(), stdin=subprocess.DEVNULL,
                                       stdout=output, stderr=subprocess.STDOUT, start_new_session=True, **options)
        self.processes.append(process)
        if port:
            self.wait_for(lambda: listens(port) or process.poll() is not None, f"{command[0]} does not listen")
            if process.poll() is not None:
                with open(self.path(f"output.{len(self.processes) - 1}"), encoding="utf-8", errors="replace") as output:
                    raise Wrong(f"{command[0]} ended at once: {output.read()[-300:]}")
        return process

    def wait_for(self, condition, what):
        end = time.monotonic() + PATIENCE
        while not condition():
            if time.monotonic() > end:
                raise Wrong(what)
            time.sleep(0.05)

    def stop(self, process, number=signal.SIGTERM):
        """Ends a server, and says with which status it did."""
        process.send_signal(number)
        try:
            return process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            raise Wrong(f"{process.args[0]} did not end") from None

    def told(self):
        """What the library said: leaks, and lines that are not its own format."""
        found = []
        for path in glob.glob(self.path("logs/*")):
            with open(path, encoding="utf-8", errors="replace") as log:
                found += [json.loads(line) for line in log if line.endswith("\n")]
        return [f"{one['app']}: {one['kind']}/{one['cause']} x{one['count']}" for one in found
                if one["event"] == "finding" and one["verdict"] == "leak"]

    def close(self):
        for process in self.processes:
            try:
                os.killpg(process.pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
            process.wait()
        shutil.rmtree(self.dir, ignore_errors=True)


def listens(port):
    try:
        socket.create_connection(("127.0.0.1", port), 1).close()
        return True
    except OSError:
        return False
