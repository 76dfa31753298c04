"""The cost of calls and of connections: slices of a few milliseconds, given to all modes in turn."""

import os
import subprocess

import common

SLICE_NS = 20_000_000


class Worker:
    """One copy of calls.c that does slices on request. All copies share a processor, since only one works at a time."""

    def __init__(self, mode, processor):
        self.mode = mode
        self.process = subprocess.Popen([common.program("calls")], env=mode.environment(), stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE, text=True)
        os.sched_setaffinity(self.process.pid, {processor})

    def slice(self, what, length=SLICE_NS):
        """Nanoseconds per call."""
        self.process.stdin.write(f"{what} {length}\n")
        self.process.stdin.flush()
        calls, taken = self.process.stdout.readline().split()
        return int(taken) / int(calls)

    def close(self):
        self.process.stdin.close()
        self.process.wait()
        self.process.stdout.close()


def in_turn(modes, what, rounds):
    """mode name -> nanoseconds per call, round by round; who begins changes, so that nobody always follows another."""
    processor = max(os.sched_getaffinity(0))
    workers = [Worker(mode, processor) for mode in modes]
    try:
        for worker in workers:
            worker.slice(what)  # warm
        taken = {mode.name: [] for mode in modes}
        for number in range(rounds):
            first = number % len(workers)
            for worker in workers[first:] + workers[:first]:
                taken[worker.mode.name].append(worker.slice(what))
        return taken
    finally:
        for worker in workers:
            worker.close()


def command(what):
    """The shim's own number alone; the pairs need the driver."""
    return f"echo '{what} {SLICE_NS}' | " + common.shim().command([common.program("calls")])


def calls(figures, quick):
    names = {"recv": "recv of one byte that is there", "eagain": "recv of nothing (EAGAIN)",
             "write": "write of one byte"}
    for what, name in names.items():
        modes = [common.bare(), common.passthrough(), common.idle_thread(), common.shim(),
                 common.shim("shim no thread", THREAD="off")]
        figures.add(name, "ns per call", in_turn(modes, what, 15 if quick else 45), command(what),
                    "the sweep is a second thread in a program of one: compare with idle thread")


def connections(figures, quick):
    modes = [common.bare(), common.passthrough(), common.shim("shim full"), common.shim("shim fp", STACKS="fp"),
             common.shim("shim off", STACKS="off")]
    figures.add("connect + accept + request + answer + two closes", "ns per connection",
                in_turn(modes, "connection", 15 if quick else 45), command("connection"),
                "both ends in the process: two connections are tracked")


POLICIES = {
    "other app": 'app = "another*"; rules = ( { close = { linger = "off"; }; } );',
    "no rule fits": 'rules = ( { match = { site = "no_such_function"; }; open = { user_timeout = "20s"; };'
                    ' eof = { reap_after = "5m"; }; close = { fin_timeout = "10s"; }; } );',
    "address asked": 'rules = ( { match = { peer = "203.0.113.0/24"; }; open = { user_timeout = "20s"; }; } );',
    "user_timeout": 'rules = ( { open = { user_timeout = "20s"; }; } );',
}


def policies(figures, quick):
    """What a policy adds to a connection: nothing where no rule fits, else the system calls that its rules ask for."""
    modes = [common.bare(), common.shim()]
    for name, text in POLICIES.items():
        path = os.path.join(common.recorders(), name.replace(" ", "-") + ".cfg")
        with open(path, "w", encoding="utf-8") as file:
            file.write('version = 1;\nmode = "enforce";\n' + text + "\n")
        modes.append(common.shim(name, POLICY=path))
    figures.add("a connection under policies", "ns per connection", in_turn(modes, "connection", 15 if quick else 45),
                command("connection"), "the same as above; user_timeout is one setsockopt for each of both ends")
