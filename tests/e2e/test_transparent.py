#!/usr/bin/env python3
"""`closeguard run` stands between a shell and a program, and neither may notice: held against the program run bare."""

import os
import pty
import re
import select
import shutil
import signal
import subprocess
import sys
import time

import harness
from harness import Skip, need

COMMAND = os.path.join(harness.BUILD, "closeguard")
RUN = COMMAND + " run "
PROMPT = "ready>"


def environment(t, **settings):
    """Without the library, which is what `run` is for; a sanitizer's runtime stays."""
    settings.setdefault("LD_PRELOAD", harness.preload().replace(harness.LIBRARY, "").strip() or None)
    settings.setdefault("CLOSEGUARD_LOG", None)
    settings.setdefault("CLOSEGUARD_FORMAT", None)
    settings.setdefault("CLOSEGUARD_SIGNAL", None)
    return t.environment(**settings)


def shell(t, script, **settings):
    """A script in which $RUN is "closeguard run", or nothing."""
    done = subprocess.run([need("bash"), "-c", script], env=environment(t, **settings), cwd=t.dir,
                          stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                          timeout=harness.DEADLINE)
    return done.returncode, done.stdout, done.stderr


def same(t, script):
    """Status and output are the same with and without; returns the output."""
    bare = shell(t, script, RUN="")
    t.equal(shell(t, script, RUN=RUN), bare, f"status, stdout and stderr of {script!r}")
    return bare[1]


class Terminal:
    """An interactive bash on a terminal of its own."""

    def __init__(self, t):
        self.t, self.seen, self.mark = t, "", 0
        env = environment(t, PS1=PROMPT, TERM="dumb", RUN=COMMAND + " run", HISTFILE=None)
        bash = need("bash")
        self.pid, self.fd = pty.fork()
        if self.pid == 0:
            os.chdir(t.dir)
            os.execve(bash, [bash, "--norc", "--noprofile", "-i"], env)
        t.cleanups.append(self.close)
        self.expect(re.escape(PROMPT))

    def expect(self, pattern, timeout=None):
        """Waits until what came since the last match has the pattern."""
        deadline = time.monotonic() + (timeout or harness.DEADLINE)
        while True:
            match = re.compile(pattern, re.M).search(self.seen, self.mark)
            if match:
                self.mark = match.end()
                return match
            left = deadline - time.monotonic()
            if left <= 0 or not select.select([self.fd], [], [], left)[0]:
                raise harness.Failure(f"no {pattern!r} in {self.seen[self.mark:]!r}")
            try:
                self.seen += os.read(self.fd, 4096).decode(errors="replace").replace("\r", "")
            except OSError:
                raise harness.Failure(f"the shell ended; it said {self.seen[-500:]!r}") from None

    def type(self, text):
        os.write(self.fd, text.encode())

    def run(self, command):
        """A command to its end; its output without the echo."""
        self.type(command + "\n")
        self.expect(re.escape(command) + "\n")
        start = self.mark
        self.expect("^" + re.escape(PROMPT))
        return self.seen[start:self.mark - len(PROMPT)]

    def begin(self, command, name):
        """A command in the foreground; its pid, once it is the program of that name."""
        self.type(command + "\n")
        self.expect(re.escape(command) + "\n")
        return self.foreground(name)

    def foreground(self, name):
        deadline = time.monotonic() + harness.DEADLINE
        while time.monotonic() < deadline:
            group = os.tcgetpgrp(self.fd)
            if group != self.pid and program_of(group) == name:
                return group
            time.sleep(0.02)
        raise harness.Failure(f"{name} is not in the foreground; the terminal has {self.seen[self.mark:]!r}")

    def close(self):
        for pid in [self.pid, *children_of(self.pid)]:
            for number in (signal.SIGKILL, signal.SIGCONT):
                try:
                    os.kill(pid, number)
                except ProcessLookupError:
                    pass
        os.close(self.fd)
        os.waitpid(self.pid, 0)


def program_of(pid):
    try:
        return os.path.basename(os.readlink(f"/proc/{pid}/exe"))
    except OSError:
        return None


def state_of(pid):
    with open(f"/proc/{pid}/stat", encoding="utf-8") as stat:
        return stat.read().rpartition(")")[2].split()[0]


def children_of(pid):
    try:
        with open(f"/proc/{pid}/task/{pid}/children", encoding="utf-8") as children:
            return [int(one) for one in children.read().split()]
    except OSError:
        return []


def until(t, condition, what):
    deadline = time.monotonic() + harness.DEADLINE
    while not condition():
        t.check(time.monotonic() < deadline, f"timed out: {what}")
        time.sleep(0.02)


def sleeper(t, name="sleeper"):
    """A copy of sleep under a name of its own."""
    path = os.path.join(t.dir, name)
    return harness.copy_program(shutil.which("sleep"), path)


# Exit codes and signals.

def codes(t, first, last):
    script = f"for i in $(seq {first} {last}); do $RUN sh -c \"exit $i\"; printf '%s ' $?; done"
    t.equal(same(t, script).split(), [str(code) for code in range(first, last + 1)], "exit codes")


def test_exit_codes_0_to_127(t):
    codes(t, 0, 127)


def test_exit_codes_128_to_255(t):
    codes(t, 128, 255)


def test_death_by_signals(t):
    names = "HUP INT QUIT ILL TRAP ABRT BUS FPE KILL USR1 SEGV USR2 PIPE ALRM TERM XCPU XFSZ VTALRM PROF SYS".split()
    for name in names:
        child = subprocess.run([COMMAND, "run", "sh", "-c", f"ulimit -c 0; kill -{name} $$"], env=environment(t),
                               stdin=subprocess.DEVNULL, stderr=subprocess.PIPE, timeout=harness.DEADLINE)
        t.equal((child.returncode, child.stderr), (-getattr(signal, "SIG" + name), b""), f"SIG{name}")


def dump_of(t, folder, *before):
    """Whether the kernel says that it dumped, and how many files that left."""
    os.mkdir(os.path.join(t.dir, folder))
    script = [*before, "sh", "-c", "ulimit -c unlimited; kill -SEGV $$"]
    child = subprocess.Popen(script, env=environment(t), cwd=os.path.join(t.dir, folder), stdin=subprocess.DEVNULL,
                             stderr=subprocess.DEVNULL)
    _, status = os.waitpid(child.pid, 0)
    child.returncode = 0
    return os.WTERMSIG(status), os.WCOREDUMP(status), len(os.listdir(os.path.join(t.dir, folder)))


def test_core_dumps_are_not_doubled(t):
    bare = dump_of(t, "bare")
    t.equal(bare[0], signal.SIGSEGV, "the program's end")
    t.equal(dump_of(t, "run", COMMAND, "run"), bare, "signal, dumped, files")


def test_signals_reach_the_program(t):
    """It is the process that was started: who sends it a signal needs nobody to pass it on."""
    script = "trap 'echo got term; exit 7' TERM; trap 'echo got hup' HUP; echo set; while :; do sleep 0.05; done"
    with subprocess.Popen([COMMAND, "run", "sh", "-c", script], env=environment(t), stdin=subprocess.DEVNULL,
                          stdout=subprocess.PIPE, text=True) as child:
        t.equal(child.stdout.readline(), "set\n", "the first line")
        child.send_signal(signal.SIGHUP)
        t.equal(child.stdout.readline(), "got hup\n", "after SIGHUP")
        child.send_signal(signal.SIGTERM)
        t.equal(child.stdout.readline(), "got term\n", "after SIGTERM")
        t.equal(child.wait(harness.DEADLINE), 7, "status")


# Shells and pipes.

def test_pipelines(t):
    t.equal(same(t, "seq 100000 | $RUN cat | $RUN wc -l"), "100000\n", "a pipeline")
    t.equal(same(t, "yes | $RUN head -1; echo ${PIPESTATUS[@]}"), "y\n141 0\n", "a reader that ends")
    t.equal(same(t, "$RUN yes | head -1; echo ${PIPESTATUS[@]}"), "y\n141 0\n", "a writer that is ended")
    t.equal(same(t, "echo $(echo words | $RUN tr a-z A-Z) $($RUN echo more)"), "WORDS more\n", "substitutions")
    same(t, "set -o pipefail; $RUN sh -c 'exit 3' | cat")
    same(t, "$RUN sh -c 'cat <&0' < /etc/passwd | cksum; $RUN cat nowhere; echo $?")


def test_shell_scripts(t):
    same(t, "$RUN bash -c 'for i in 1 2 3; do (echo $i | cat) & done; wait; echo done' | sort")
    same(t, "$RUN bash -ec 'trap \"echo left\" EXIT; false; echo never'; echo $?")
    same(t, "exec 3>three; $RUN sh -c 'echo three >&3'; exec 3>&-; cat three")
    same(t, "x=1 $RUN env | grep -c '^x=1$'")


def test_background_jobs(t):
    same(t, "$RUN sh -c 'sleep 0.1; exit 9' & wait $!; echo $?")
    same(t, "$RUN sleep 60 & kill $!; wait $!; echo $?")
    same(t, "$RUN sh -c 'sleep 0.5; echo late' & echo early; wait")
    same(t, "jobs=; for i in 1 2 3 4; do $RUN sh -c \"exit $i\" & jobs=\"$jobs $!\"; done; "
            "for job in $jobs; do wait $job; echo $?; done")


def test_no_descriptor_is_left_open(t):
    same(t, "$RUN ls /proc/self/fd | wc -l")
    same(t, "exec 5</etc/passwd 9>&1; $RUN ls /proc/self/fd | tr '\\n' ' '")


def test_end_of_pipes(t):
    """Who reads a program's output to its end waits for nobody else."""
    child = subprocess.Popen([COMMAND, "run", "sh", "-c", "exec >&-; read line"], env=environment(t),
                             stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    started = time.monotonic()
    readable = select.select([child.stdout], [], [], harness.DEADLINE)[0]
    t.check(readable and child.stdout.read() == b"", "its stdout is still held by somebody")
    t.check(child.poll() is None, f"the program ended, after {time.monotonic() - started} s")
    child.communicate(b"\n", harness.DEADLINE)


FAMILY = """
import os, signal
try:
    print("a child", os.waitpid(-1, os.WNOHANG))
except ChildProcessError:
    print("no child")
print(signal.sigpending(), sorted(signal.pthread_sigmask(signal.SIG_BLOCK, [])))
"""


def test_no_child_and_no_signal(t):
    def block():
        signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGCHLD])
    output = [subprocess.run([*before, sys.executable, "-c", FAMILY], env=environment(t), preexec_fn=block,
                             stdout=subprocess.PIPE, text=True).stdout for before in ([], [COMMAND, "run"])]
    t.check("no child" in output[0], f"bare: {output[0]!r}")
    t.equal(output[1], output[0], "children, pending and blocked signals")


def test_as_init(t):
    if os.geteuid() != 0:
        raise Skip("needs root")
    script = "set -- /proc/[0-9]*; echo $$ $#"
    inside = [need("unshare"), "-pf", "--mount-proc"]
    bare, under = [subprocess.run([*inside, *before, "sh", "-c", script], env=environment(t), stdout=subprocess.PIPE,
                                  text=True) for before in ([], [COMMAND, "run"])]
    if bare.returncode:
        raise Skip("no pid namespace can be made")
    t.equal(bare.stdout, "1 1\n", "its pid, and how many processes there are, bare")
    t.equal(under.stdout, bare.stdout, "the same under closeguard")


# Terminals.

def test_interrupt_arrives_once(t):
    script = os.path.join(t.dir, "count.py")
    with open(script, "w", encoding="utf-8") as file:
        file.write("import signal, time\ngot = []\nsignal.signal(signal.SIGINT, lambda *_: got.append(1))\n"
                   "print('counting', flush=True)\nwhile not got:\n    time.sleep(0.01)\ntime.sleep(0.3)\n"
                   "print('interrupts:', len(got))\n")
    terminal = Terminal(t)
    terminal.type(f"$RUN {sys.executable} {script}\n")
    terminal.expect("^counting")
    terminal.type("\x03")
    t.equal(terminal.expect(r"interrupts: (\d+)")[1], "1", "interrupts")
    terminal.expect(re.escape(PROMPT))


def test_interrupt_ends_it(t):
    terminal = Terminal(t)
    program = sleeper(t)
    pid = terminal.begin(f"$RUN {program} 1000", "sleeper")
    terminal.type("\x03")
    terminal.expect(re.escape(PROMPT))
    t.equal(terminal.run("echo status $?"), "status 130\n", "after Ctrl-C")
    t.check(not os.path.exists(f"/proc/{pid}"), "the program is still there")
    terminal.begin(f"$RUN {program} 1000", "sleeper")
    terminal.type("\x1c")
    terminal.expect(re.escape(PROMPT))
    t.equal(terminal.run("echo status $?"), "status 131\n", "after Ctrl-\\")


def test_job_control(t):
    terminal = Terminal(t)
    pid = terminal.begin(f"$RUN {sleeper(t)} 1000", "sleeper")
    terminal.type("\x1a")
    terminal.expect("Stopped")
    terminal.expect(re.escape(PROMPT))
    t.equal(state_of(pid), "T", "the program's state after Ctrl-Z")
    t.check("Stopped" in terminal.run("jobs"), "jobs does not say that it is stopped")
    terminal.run("bg")
    until(t, lambda: state_of(pid) == "S", "it goes on in the background")
    t.check("Running" in terminal.run("jobs"), "jobs does not say that it runs")
    terminal.type("fg\n")
    t.equal(terminal.foreground("sleeper"), pid, "the program in the foreground")
    terminal.type("\x1a")
    terminal.expect("Stopped")
    terminal.expect(re.escape(PROMPT))
    terminal.run("kill %1; kill -CONT %1")
    t.equal(terminal.run("wait %1 2>/dev/null; echo status $?").splitlines()[-1], "status 143", "after kill")


def test_job_of_several(t):
    """Ctrl-Z and Ctrl-C reach every program of a pipeline."""
    terminal = Terminal(t)
    one, other = sleeper(t, "one"), sleeper(t, "other")
    terminal.type(f"$RUN {one} 1000 | $RUN {other} 1000\n")
    until(t, lambda: {"one", "other"} <= {program_of(pid) for pid in children_of(terminal.pid)}, "both run")
    pids = children_of(terminal.pid)
    t.equal(len({os.getpgid(pid) for pid in pids}), 1, "process groups")
    terminal.type("\x1a")
    terminal.expect("Stopped")
    terminal.expect(re.escape(PROMPT))
    until(t, lambda: {state_of(pid) for pid in pids} == {"T"}, "both are stopped")
    terminal.type("fg\n")
    until(t, lambda: {state_of(pid) for pid in pids} == {"S"}, "both go on")
    terminal.type("\x03")
    terminal.expect(re.escape(PROMPT))
    t.equal(terminal.run("echo $?"), "130\n", "after Ctrl-C")
    until(t, lambda: not any(os.path.exists(f"/proc/{pid}") for pid in pids), "they are still there")


def test_background_job_does_not_read_the_terminal(t):
    terminal = Terminal(t)
    terminal.run("$RUN cat &")
    until(t, lambda: [pid for pid in children_of(terminal.pid) if program_of(pid) == "cat" and state_of(pid) == "T"],
          "it is stopped for reading")
    t.equal(terminal.run("echo the shell reads").splitlines()[0], "the shell reads", "what is typed")
    t.check("Stopped" in terminal.run("jobs"), "jobs")
    terminal.run("kill -KILL %1")


def test_terminal_settings(t):
    """They are as the program leaves them."""
    terminal = Terminal(t)
    before = terminal.run("stty -g")
    for command in ("true", "false", "sh -c 'stty -icanon; kill -KILL $$'"):
        terminal.type(f"$RUN {command}\n")
        terminal.expect(re.escape(PROMPT))
        t.equal(terminal.run("stty -g"), before, f"after {command}")
    bare, under = [subprocess.run(["bash", "-c", f"{run} stty raw -echo; stty -g; stty sane"], stdin=terminal_side(t),
                                  env=environment(t), stdout=subprocess.PIPE).stdout for run in ("", RUN)]
    t.check(bare and under == bare, f"what stty sets stays set: {under!r}, bare {bare!r}")


def terminal_side(t):
    main, side = pty.openpty()
    t.cleanups.extend([lambda: os.close(main), lambda: os.close(side)])
    return side


# The summary at the end.

LEAK = """
#include "closeguard.h"
#include "prog.h"
static void forget(int fd)
{
	read_to_end(fd);
}
int main(int argc, char **argv)
{
	int pair[2];
	connected_pair(pair);
	close(pair[0]);
	if (argc > 2)
		close(pair[1]);
	else
		forget(pair[1]);
	for (int i = 0; i < (argc > 2 ? 20 : 200) && !closeguard_check(); i++)
		doze(50);
	if (argc > 1 && atoi(argv[1]))
		raise(atoi(argv[1]));
	return 0;
}
"""


def leak(t, *arguments, options=(), **settings):
    """Runs the leaking program to its end; its status and stderr."""
    source, program = os.path.join(t.dir, "leak.c"), os.path.join(t.dir, "leak")
    with open(source, "w", encoding="utf-8") as file:
        file.write(LEAK)
    subprocess.run([os.environ.get("CC", "cc"), "-D_GNU_SOURCE", "-g", "-O0", "-pthread", "-I" + harness.HERE,
                    "-I" + os.path.join(harness.HERE, "..", "..", "shim"), "-o", program, source], check=True)
    env = environment(t, CLOSEGUARD_WARN_AFTER="300ms", **settings)
    done = subprocess.run([COMMAND, "run", *options, program, *map(str, arguments)], env=env, stdin=subprocess.DEVNULL,
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, timeout=harness.DEADLINE)
    t.equal(done.stdout, "", "stdout")
    return done.returncode, done.stderr


def test_summary_at_a_clean_exit(t):
    status, said = leak(t)
    t.equal(status, 0, "status")
    t.equal(said.count("summary ("), 1, f"summaries in {said!r}")
    t.check("summary (exit): 1 finding outstanding" in said and "forget" in said and "leak.c:" in said, f"{said!r}")


def test_summary_after_a_signal(t):
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGKILL):
        status, said = leak(t, int(number))
        t.equal(status, -number, "status")
        t.equal(said.count("summary ("), 1, f"summaries in {said!r}")
        end = said[said.index("summary (recorder): 1 finding outstanding"):]
        t.check("read_to_end" in end and "leak.c:" in end and "leaked" not in end, f"not symbolised: {end!r}")


def test_summary_after_a_signal_in_json(t):
    _, said = leak(t, int(signal.SIGTERM), options=["--json"])
    last = said.splitlines()[-1]
    t.check('"event":"report"' in last and '"state":"killed"' in last and "leak.c" in last, f"last line {last!r}")


def test_no_summary(t):
    t.equal(leak(t, int(signal.SIGTERM), "closed"), (-signal.SIGTERM, ""), "nothing is outstanding")
    for options in (["--no-summary"], ["--log", os.path.join(t.dir, "log")], ["--log", "none"]):
        status, said = leak(t, int(signal.SIGTERM), options=options)
        t.equal((status, "summary (" in said), (-signal.SIGTERM, False), f"{options}: {said!r}")


def witnesses():
    """Processes of the command that are in a session of their own."""
    found = []
    for name in filter(str.isdigit, os.listdir("/proc")):
        try:
            if os.path.samefile(f"/proc/{name}/exe", COMMAND) and os.getsid(int(name)) != os.getsid(0):
                found.append(int(name))
        except OSError:
            pass
    return found


def test_nobody_is_left(t):
    """The one that waits to tell is in nobody's way, and goes with the program."""
    program = sleeper(t)
    child = subprocess.Popen([COMMAND, "run", program, "1000"], env=environment(t), stdin=subprocess.DEVNULL)
    mine = []

    def waiting():
        mine[:] = [pid for pid in witnesses() if program.encode() in cmdline(pid)]
        return program_of(child.pid) == "sleeper" and mine
    until(t, waiting, "nobody waits for its end")
    t.equal(len(mine), 1, "who waits")
    t.check(os.getpgid(mine[0]) != os.getpgid(child.pid), "it is in the program's process group")
    t.equal(sorted(os.listdir(f"/proc/{mine[0]}/fd")), ["0", "1", "2", "3"], "its descriptors")
    t.equal(os.readlink(f"/proc/{mine[0]}/fd/1"), "/dev/null", "its stdout")
    child.kill()
    child.wait()
    until(t, lambda: program_of(mine[0]) is None, "it stays after the program")  # a zombie has no program


def cmdline(pid):
    try:
        with open(f"/proc/{pid}/cmdline", "rb") as file:
            return file.read()
    except OSError:
        return b""


if __name__ == "__main__":
    if not os.path.exists(COMMAND):
        sys.exit(f"not ok transparent: {COMMAND} is missing: build it first")
    if harness.SANITIZE:
        print("skip transparent: a sanitizer's runtime handles signals and crashes itself, in the shells too")
        sys.exit(0)
    harness.main(__name__)
