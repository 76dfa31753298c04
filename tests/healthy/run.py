#!/usr/bin/env python3
"""run.py [--results FILE] [NAME…]: healthy daemons and pooled clients at default settings: nothing may be said to leak
or to be late.

All set-ups of table.py run side by side for three minutes: bursts of use, and gaps in which the other side closes what
is pooled. One more leaks, and has to be told of. Prints "ok NAME", "not ok NAME: why" or "skip NAME: why".
--results writes what was found, for docs/accuracy.md. HEALTHY_GAPS="45 50" sets other gaps, in seconds.
"""

import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time

import table
from setup import HERE, Setup, children_of_all, free_port, lacking, wait_for_port, waiting_inodes

BUILD = os.path.abspath(os.environ.get("CLOSEGUARD_TEST_BUILD", os.path.join(HERE, "..", "..", "build")))
BURSTS = [8, 3, 1, 6]  # workers at once: a pool that was once larger keeps what fewer workers do not use
GAPS = [float(gap) for gap in os.environ.get("HEALTHY_GAPS", "48 55 42 40").split()]


def show(line, *details):
    print(line, flush=True)
    for detail in details:
        print("#   " + detail[:400], flush=True)


class Peers:
    """The other sides that are not under test: HTTP with and without TLS, and mail."""

    def __init__(self, work):
        self.ports = {name: free_port() for name in ("http", "https", "mail")}
        self.ca, key = os.path.join(work, "ca.pem"), os.path.join(work, "key.pem")
        subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj",
                        "/CN=localhost", "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1", "-keyout", key,
                        "-out", self.ca], check=True, stderr=subprocess.DEVNULL)
        words = {"http": ["peer.py"], "https": ["peer.py", self.ca, key], "mail": ["mail.py"]}
        self.processes = []
        for name, (script, *rest) in words.items():
            command = [sys.executable, os.path.join(HERE, script), str(self.ports[name]), *rest]
            self.processes.append(subprocess.Popen(command, start_new_session=True))
            if not wait_for_port(self.ports[name], self.processes[-1]):
                sys.exit(f"not ok healthy: the peer {name} does not start")

    def close(self):
        for process in self.processes:
            Setup.kill(process)


class Window:
    """The three minutes."""

    def __init__(self, wanted, work):
        self.wanted, self.work = wanted, work
        self.peers = Peers(work)
        self.ports = dict(self.peers.ports)
        self.setups, self.skipped, self.broken = [], [], []

    def chosen(self, entry):
        return not self.wanted or any(word in entry.name for word in self.wanted)

    def servers_wanted(self):
        clients = [entry for entry in table.CLIENTS if self.chosen(entry)]
        servers = {entry.server for entry in clients}
        return servers | ({"postgres"} if servers & {"pgbouncer", "pgpool"} else set())

    def build(self, entry):
        missing = lacking(entry.needs)
        if missing:
            self.skipped.append((entry.name, f"not installed: {missing}"))
            return None
        return Setup(entry, self.ports, self.work, os.path.join(BUILD, "libcloseguard.so"), self.peers.ca)

    def start(self, setup, start):
        if setup not in self.setups:
            self.setups.append(setup)
        try:
            start()
        except (OSError, subprocess.CalledProcessError, StopIteration) as why:
            output = getattr(why, "stderr", b"") or b""
            self.broken.append((setup.name, f"it does not start: {why} {output.decode(errors='replace')[-300:]}"))
            self.setups.remove(setup)

    def start_daemons(self):
        needed = self.servers_wanted()
        for entry in table.DAEMONS:
            if not self.chosen(entry) and entry.name not in needed:
                continue
            self.ports[entry.name] = free_port()
            setup = self.build(entry)
            if setup:
                self.start(setup, setup.start_daemon)
        for setup in list(self.setups):
            if not wait_for_port(setup.port, setup.program):
                self.broken.append((setup.name, "its port was never opened: " + setup.output("program.err")[-300:]))
                setup.close()
                self.setups.remove(setup)
            elif setup.entry.loads:
                self.start(setup, setup.start_driver)

    def start_clients(self):
        running = {setup.name for setup in self.setups} | set(self.peers.ports)
        for entry in table.CLIENTS + [table.LEAK]:
            if not self.chosen(entry) and entry is not table.LEAK:
                continue
            if entry.server not in running:
                self.skipped.append((entry.name, f"{entry.server} does not run here"))
                continue
            setup = self.build(entry)
            if setup:
                self.start(setup, setup.start_client)

    def run(self):
        self.start_daemons()
        self.start_clients()
        for size, gap in zip(BURSTS, GAPS):
            for setup in self.setups:
                setup.burst(size)
                time.sleep(0.05)
            time.sleep(gap)
            waiting, children = waiting_inodes(), children_of_all()
            for setup in self.setups:
                setup.look(waiting, children)
        for setup in reversed(self.setups):  # clients before the daemons that they talk to
            setup.end()

    def close(self):
        for setup in self.setups:
            setup.close()
        self.peers.close()


def describe(one, group):
    opened = group.get("opened") or {}
    frames = [frame.get("function") or frame.get("module", "?") for frame in opened.get("stack", [])][:6]
    sockets = [f"{one.get('local')} {one.get('peer')} {one.get('state')}" for one in group.get("sockets", [])][:3]
    return (f"{one['event']} {group.get('verdict')} {group.get('kind')}/{group.get('cause')} x{group.get('count')} "
            f"history {json.dumps(group.get('history'))} {sockets} opened by {' < '.join(map(str, frames))}")


def judge(setup, bursts):
    """(line of the result, details, what docs/accuracy.md counts)."""
    told = list(setup.told())
    leaks = setup.name == table.LEAK.name
    trouble = setup.trouble(bursts)
    if trouble:
        said = [setup.output(f"{name}.err")[-300:] for name in ("program", "driver")]
        return f"not ok healthy/{setup.name}: {trouble}", said, None
    result = {"name": setup.name, "fault": leaks, "told": bool(told), "held": setup.held,
              "informed": any(setup.told(("info",)))}
    if bool(told) != leaks:
        why = f"{len(told)} lines of leaks" if told else "its leak was not told"
        return f"not ok healthy/{setup.name}: {why}", [describe(one, group) for one, group in told[:8]], result
    kept = [f"kept {setup.held} that the other side had closed"] if setup.held else []
    return f"ok healthy/{setup.name}", kept, result


def report(window, path):
    results, good = [], True
    for name, why in window.skipped:
        show(f"skip healthy/{name}: {why}")
    for name, why in window.broken:
        show(f"not ok healthy/{name}: {why}")
        good = False
    for setup in window.setups:
        line, details, result = judge(setup, len(GAPS))
        show(line, *details)
        good &= line.startswith("ok")
        results += [result] if result else []
    if path:
        with open(path, "w", encoding="utf-8") as file:
            json.dump(results, file)
    return good


def main():
    words = sys.argv[1:]
    path = words[words.index("--results") + 1] if "--results" in words else None
    wanted = [word for word in words if word not in ("--results", path)]
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    work = tempfile.mkdtemp(prefix="closeguard-healthy.")
    os.chmod(work, 0o755)
    window = Window(wanted, work)
    try:
        window.run()
        good = report(window, path)
    finally:
        window.close()
        if not os.environ.get("HEALTHY_KEEP"):
            shutil.rmtree(work, ignore_errors=True)
    sys.exit(0 if good else 1)


if __name__ == "__main__":
    main()
