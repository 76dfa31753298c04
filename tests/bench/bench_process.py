"""What being loaded costs a process: time to start, memory, and the sweep's CPU time."""

import os
import resource
import subprocess
import time

import common


def startup(figures, quick):
    runs = 60 if quick else 300
    for name, target in (("start and end of a C program without sockets", common.program("nothing")),
                         ("start and end of /bin/true", "/bin/true")):
        words = [common.program("spawn"), str(runs), target, "-", common.program("passthrough"), common.LIBRARY]
        env = common.shim().environment()
        del env["LD_PRELOAD"]
        wall = {"bare": [], "passthrough": [], "shim": []}
        for line in subprocess.run(words, env=env, stdout=subprocess.PIPE, text=True, check=True).stdout.splitlines():
            index, taken, _ = map(int, line.split())
            wall[list(wall)[index]].append(taken / 1e6)
        figures.add(name, "ms", wall, " ".join(words))


def cpu_of_threads(pid):
    total = 0
    for task in os.listdir(f"/proc/{pid}/task"):
        with open(f"/proc/{pid}/task/{task}/schedstat", encoding="ascii") as stat:
            total += int(stat.read().split()[0])
    return total


class Holder:
    """A process with many idle connections, whose far ends are in another, unwatched one."""

    def __init__(self, mode, count, to):
        self.words = [common.program("hold"), "near", to]
        self.far = self.start([common.program("hold"), "far"], common.bare())
        port = self.far.stdout.readline().strip()
        self.near = self.start([*self.words, port, str(count)], mode)
        if self.near.stdout.readline().strip() != "ready":
            self.close()
            raise common.Skip(f"{count} connections could not be opened")

    @staticmethod
    def start(words, mode):
        return subprocess.Popen(words, env=mode.environment(), stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def memory_kib(self):
        with open(f"/proc/{self.near.pid}/smaps_rollup", encoding="ascii") as rollup:
            for line in rollup:
                if line.startswith("Rss:"):
                    return int(line.split()[1])
        raise common.Skip("smaps_rollup has no Rss")

    def cpu_ns(self):
        return cpu_of_threads(self.near.pid)

    def close(self):
        for process in (self.near, self.far):
            process.stdin.close()
            process.wait()
            process.stdout.close()


class Crowd:
    """A process with forgotten connections, and others beside it that it has to ask for."""

    def __init__(self, mode, processes, sockets):
        self.words = [common.program("../e2e/prog_crowd"), str(processes), str(sockets)]
        self.leaker = subprocess.Popen(self.words, env=mode.environment(), stdin=subprocess.PIPE,
                                       stdout=subprocess.PIPE, text=True)
        if self.leaker.stdout.readline().strip() != "ready":
            self.close()
            raise common.Skip("the processes or connections could not be made")

    def cpu_ns(self):
        return cpu_of_threads(self.leaker.pid)

    def close(self):
        self.leaker.stdin.close()
        self.leaker.wait()
        self.leaker.stdout.close()


def crowd(figures, quick):
    """Who else holds a forgotten connection is asked of every process of the host."""
    processes, sockets, seconds, cpu = 200, 300, 5 if quick else 20, {}
    for mode in (common.bare(), common.shim(WARN_AFTER="1s")):
        leaker = Crowd(mode, processes, sockets)
        try:
            before = leaker.cpu_ns()  # all of them are still to be told
            time.sleep(seconds)
            cpu[mode.name] = [(leaker.cpu_ns() - before) / 1e6 / seconds]
        finally:
            leaker.close()
    command = common.shim(WARN_AFTER="1s").command(leaker.words) + "; cat /proc/PID/task/*/schedstat"
    figures.add(f"CPU time with {sockets} leaks that may be shared, beside {processes} processes", "ms per second", cpu,
                command, f"over the first {seconds} s, CLOSEGUARD_INTERVAL at its default")


def idle(figures, quick):
    """Each mode is measured alone: together they would need more ports and descriptors than hosts have."""
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    count = 10_000 if hard == resource.RLIM_INFINITY or hard > 10_100 else hard - 100
    seconds = 5 if quick else 20
    memory, cpu = {}, {}
    for number, mode in enumerate([common.bare(), common.passthrough(), common.shim()]):
        holder = Holder(mode, count, f"127.0.0.{2 + number}")
        try:
            time.sleep(2)  # the first sweeps, which look at every new connection
            memory[mode.name] = [holder.memory_kib()]
            before = holder.cpu_ns()
            time.sleep(seconds)
            cpu[mode.name] = [(holder.cpu_ns() - before) / 1e6 / seconds]
        finally:
            holder.close()
    command = f"{common.program('hold')} far (prints PORT); "
    command += common.shim().command([common.program("hold"), "near", "127.0.0.1", "PORT", str(count)])
    figures.add(f"memory with {count} connections", "KiB of RSS", memory, command + "; grep Rss /proc/PID/smaps_rollup")
    figures.add(f"CPU time with {count} idle connections", "ms per second", cpu,
                command + "; cat /proc/PID/task/*/schedstat",
                f"over {seconds} s, CLOSEGUARD_INTERVAL at its default")
