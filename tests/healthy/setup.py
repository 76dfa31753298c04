"""One set-up while it runs: the daemon or the client under the library, what drives it, and what became of it."""

import glob
import json
import os
import random
import shutil
import signal
import socket
import subprocess
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
JARS = "/usr/share/java"


def free_port():
    """Below the ports that the kernel gives out by itself, and those of tests/cases."""
    while True:
        port = random.randrange(12000, 22000)
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
                return port
            except OSError:
                continue


def is_there(need):
    kind, _, name = need.partition(":")
    if not name:
        paths = need.split("|")
        return any(map(os.path.exists, paths)) if "/" in need else bool(shutil.which(need))
    if kind == "python":
        return subprocess.run(["/usr/bin/python3", "-c", f"import {name}"], stderr=subprocess.DEVNULL,
                              check=False).returncode == 0
    if kind == "perl":
        return subprocess.run(["perl", f"-M{name}", "-e", "1"], stderr=subprocess.DEVNULL, check=False).returncode == 0
    if kind == "ruby":
        return subprocess.run(["ruby", "-e", f"require '{name}'"], stderr=subprocess.DEVNULL,
                              check=False).returncode == 0
    if kind == "php":
        return name in subprocess.run(["php", "-m"], stdout=subprocess.PIPE, text=True, check=False).stdout.split()
    return os.path.exists(f"{JARS}/{name}.jar")


def lacking(needs):
    return ", ".join(need for need in needs if not is_there(need))


class Setup:
    """`entry` is a line of the table; `ports` maps servers to their ports and is shared by all."""

    def __init__(self, entry, ports, work, library, ca):
        self.entry, self.name, self.ports, self.library, self.ca = entry, entry.name, ports, library, ca
        self.port = ports.get(entry.name)
        self.dir = os.path.join(work, entry.name)
        self.logs, self.recorders = os.path.join(self.dir, "logs"), os.path.join(self.dir, "recorders")
        self.program = self.driver = None
        self.held = 0           # the most that it kept in CLOSE_WAIT at the end of a gap
        self.recorded = False
        self.ended_early = None
        os.mkdir(self.dir, 0o755)
        os.mkdir(self.logs)
        os.chmod(self.logs, 0o1777)
        os.mkdir(self.recorders, 0o700)
        if getattr(entry, "user", None) and os.geteuid() == 0:
            shutil.chown(self.recorders, entry.user)

    def environment(self, watched):
        keep = {key: value for key, value in os.environ.items() if not key.startswith(("CLOSEGUARD", "LD_PRELOAD"))
                and not key.endswith(("_CA_BUNDLE", "_proxy", "_PROXY"))}
        keep["PYTHONDONTWRITEBYTECODE"] = "1"
        if watched:
            keep.update(LD_PRELOAD=self.library, CLOSEGUARD_FORMAT="json", CLOSEGUARD_LOG=f"{self.logs}/%e.%p.log",
                        CLOSEGUARD_DIR=self.recorders)
        return keep

    def spawn(self, words, watched, stdin):
        name = "program" if watched else "driver"
        out, err = (open(os.path.join(self.dir, f"{name}.{kind}"), "wb") for kind in ("out", "err"))
        with out, err:
            return subprocess.Popen([str(word) for word in words], stdin=stdin, stdout=out, stderr=err,
                                    cwd=self.dir if watched else HERE, env=self.environment(watched),
                                    start_new_session=True)

    def start_daemon(self):
        self.program = self.spawn(self.entry.start(self), True, subprocess.DEVNULL)

    def start_driver(self):
        words = [word.format(port=self.port, dir=self.dir) for word in self.entry.loads]
        self.driver = self.spawn([sys.executable, os.path.join(HERE, words[0]), *words[1:]], False, subprocess.PIPE)

    def client_words(self):
        """Java is compiled before, and C: what is under test is the program, not its compiler."""
        first, script, *rest = (word.format(ca=self.ca, **self.ports) for word in self.entry.words)
        script = os.path.join(HERE, "clients", script)
        if first == "java":
            jars = [f"{JARS}/{need[4:]}.jar" for need in self.entry.needs if need.startswith("jar:")]
            path = ":".join([self.dir, *jars])
            subprocess.run(["javac", "-cp", path, "-d", self.dir, os.path.join(HERE, "clients", "Drive.java"),
                            script + ".java"], check=True, capture_output=True)
            return ["java", "-Xmx64m", "-cp", path, os.path.basename(script), *rest]
        if first == "cc":
            target = os.path.join(self.dir, "client")
            subprocess.run(["cc", "-O1", "-g", "-o", target, script, rest[-1]], check=True, capture_output=True)
            return [target, *rest[:-1]]
        return [first, script, *rest]

    def start_client(self):
        self.program = self.driver = self.spawn(self.client_words(), True, subprocess.PIPE)

    def burst(self, size):
        if not self.driver:
            return
        try:
            self.driver.stdin.write(f"{size}\n".encode())
            self.driver.stdin.flush()
        except OSError:
            pass  # it has ended, which the end tells

    def look(self, waiting, children):
        """At the end of a gap: how many connections it keeps that the other side has closed."""
        self.recorded |= bool(os.listdir(self.recorders))
        if self.program.poll() is not None and self.ended_early is None:
            self.ended_early = self.program.returncode
        pids, held = [self.program.pid], set()
        for pid in pids:
            pids += children.get(pid, [])
            try:
                for fd in os.listdir(f"/proc/{pid}/fd"):
                    held.add(os.readlink(f"/proc/{pid}/fd/{fd}"))
            except OSError:
                continue
        self.held = max(self.held, len(held & waiting))

    def end(self):
        """A client ends at the end of its input, a daemon when it is told to."""
        if self.driver:
            try:
                self.driver.stdin.close()
            except OSError:
                pass
            self.wait(self.driver, 30)
        if self.program is not self.driver:
            self.program.send_signal(signal.SIGTERM)
            self.wait(self.program, 20)

    def wait(self, process, limit):
        try:
            process.wait(limit)
        except subprocess.TimeoutExpired:
            pass
        self.kill(process)

    @staticmethod
    def kill(process):
        for group in (process.pid,):
            try:
                os.killpg(group, signal.SIGKILL)
            except ProcessLookupError:
                pass
        process.wait()

    def close(self):
        for process in {self.program, self.driver} - {None}:
            self.kill(process)

    def told(self, verdicts=("leak", "late")):
        """(event, finding) for all that was said to leak or to be late: when it was found, or in the last summary."""
        for path in glob.glob(os.path.join(self.logs, "*.log")):
            with open(path, encoding="utf-8") as log:
                for line in log:
                    one = json.loads(line)
                    groups = [one] if one["event"] == "finding" else one.get("groups", [])
                    yield from ((one, group) for group in groups if group.get("verdict") in verdicts)

    def output(self, name):
        try:
            with open(os.path.join(self.dir, name), encoding="utf-8", errors="replace") as file:
                return file.read()
        except OSError:
            return ""

    def trouble(self, bursts):
        """Why the set-up itself shows nothing, or ""."""
        which = "program" if self.driver is self.program else "driver"
        done = self.output(f"{which}.out").count("done")
        if self.ended_early is not None:
            return f"it ended by itself with {self.ended_early}"
        if self.driver and done != bursts:
            return f"{done} of {bursts} bursts were done"
        if which == "driver" and self.output("driver.err"):
            return "wrong answers"
        if not self.recorded:
            return "no recorder: the library did not look"
        if getattr(self.entry, "pools", False) and not self.held:
            return "it kept no connection that the other side had closed"
        return ""


def waiting_inodes():
    """What /proc/PID/fd shows for each socket in CLOSE_WAIT of this network namespace."""
    found = set()
    for path in ("/proc/net/tcp", "/proc/net/tcp6"):
        with open(path, encoding="ascii") as table:
            found |= {f"socket:[{line.split()[9]}]" for line in table if line.split()[3] == "08"}
    return found


def children_of_all():
    children = {}
    for stat in glob.glob("/proc/[0-9]*/stat"):
        try:
            with open(stat, encoding="utf-8", errors="replace") as file:
                parent = int(file.read().rpartition(")")[2].split()[1])
        except OSError:
            continue
        children.setdefault(parent, []).append(int(stat.split("/")[2]))
    return children


def wait_for_port(port, program, limit=60):
    end = time.monotonic() + limit
    while time.monotonic() < end and program.poll() is None:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return True
        time.sleep(0.1)
    return False
