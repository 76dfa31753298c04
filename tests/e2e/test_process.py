#!/usr/bin/env python3
"""What processes do: fork, exec, become daemons, run shells, end in every way there is."""

import os
import shutil
import signal
import struct
import subprocess
import time

import harness
import programs
from app import groups_of
from harness import Skip


def need_threads_in_children():
    if harness.SANITIZE == "tsan":
        raise Skip("the runtime ends a child of several threads that makes one: nothing is told there before its end")


def children_that_leak(t, how, children, each=3):
    need_threads_in_children()
    app = t.start("prog_fork", how)
    port = app.number("port")
    for _ in range(children * each):
        app.connect(port, b"x").close()
    pids = [app.number("ready") for _ in range(children)]
    for pid in pids:
        t.cleanups.append(lambda pid=pid: kill(pid))
        app.expect_kernel("eof_ignored", each, pid)
    return app, pids


def kill(pid):
    try:
        os.kill(pid, signal.SIGKILL)
    except ProcessLookupError:
        pass


def test_prefork_server(t):
    """Each worker tells of its own connections, with its own pid; the parent has nothing to tell."""
    app, pids = children_that_leak(t, "prefork", 3)
    for pid in pids:
        app.expect("close_wait", "eof_ignored", 3, pid=pid)
    t.equal({one["pid"] for one in app.events("finding")}, set(pids), "who told")


def test_fork_in_a_threaded_program(t):
    """The child also holds what the other threads had open at the fork; its own three are told as its own."""
    need_threads_in_children()
    app = t.start("prog_fork", "threaded")
    port = app.number("port")
    for _ in range(3):
        app.connect(port, b"x").close()
    pid = app.number("ready")
    app.finding("close_wait", "eof_ignored", pid=pid)

    def own():
        return [one for one in groups_of(app.dump(pid)) if one["cause"] == "eof_ignored" and one["origin"] == "seen"]

    # What it inherited may be old enough to be told before its own is.
    groups = app.wait_for(lambda: [one for one in [own()] if sum(group["count"] for group in one) >= 3],
                          "the child's own three are not told")[0]
    t.equal(sum(one["count"] for one in groups), 3, "the child's own")
    for group in groups:
        app.check_sockets(group, pid)


def test_plain_fork_by__Fork(t):
    app, pids = children_that_leak(t, "_Fork", 1)
    app.expect("close_wait", "eof_ignored", 3, pid=pids[0])


def test_daemon(t):
    app, pids = children_that_leak(t, "daemon", 1)
    t.equal(app.process.wait(harness.DEADLINE), 0, "the parent's status")
    app.expect("close_wait", "eof_ignored", 3, pid=pids[0])


def test_an_inherited_leak_is_told_once(t):
    """Children and grandchildren hold it too, unwillingly; the process that opened it tells."""
    app = t.start("prog_fork", "inherit")
    app.connect(app.number("port"), b"x").close()
    app.line("ready")
    app.finding("close_wait")
    time.sleep(1.5)
    leaks = [one for one in app.events("finding") if one["verdict"] == "leak"]
    t.equal([(one["pid"], one["count"]) for one in leaks], [(app.pid, 1)], "who told of how many")


def test_vfork_children_that_close_everything(t):
    """A vforked child shares its parent's memory: what it closes is not the parent's."""
    app = t.start("prog_vfork", 3)
    port = app.number("port")
    for _ in range(3):
        app.connect(port, b"x").close()
    app.line("ready")
    app.expect("close_wait", "eof_ignored", 3)


SUBPROCESSES = r"""
import socket, subprocess, sys
listening = socket.create_server(("127.0.0.1", 0))
print("port", listening.getsockname()[1], flush=True)
kept = []
for _ in range(3):
    kept.append(listening.accept()[0])
    while kept[-1].recv(99): pass
for _ in range(40):
    subprocess.run(["/bin/true"], check=True, close_fds=True)
    subprocess.run(["/bin/true"], check=True, close_fds=False)
    kept[0].fileno()
print("ready", flush=True)
sys.stdin.read()
"""


def test_python_subprocess_beside_connections(t):
    app = t.start("/usr/bin/python3", "-c", SUBPROCESSES)
    port = app.number("port")
    for _ in range(3):
        app.connect(port, b"x").close()
    app.line("ready")
    app.expect("close_wait", "eof_ignored", 3)


COMMANDS = r"""
cd /usr/share
ls / | head -3; ls /nonexistent; echo one two | awk '{print $2}'; seq 5 | sort -r | tr '\n' ' '
find /etc -maxdepth 1 -name 'pass*'
printf 'a\nb\n' | grep b | sed s/b/c/; tar cf - /etc/hostname 2>/dev/null | gzip -9n | gunzip | tar tf - ; date -d @0 -u
perl -e 'print "perl\n"; warn "careful\n"'; python3 -Sc 'import sys; print("python"); print("err", file=sys.stderr)'
(exit 7); echo $?; sh -c 'kill -TERM $$'; echo $?; true & wait; x=$(cat /etc/hostname | wc -l); echo "$x"
exec 3>&1 4</dev/null; echo to three >&3; ls -l /proc/self/fd | awk 'NR > 1 {print $9}' | sort -n | head -3
echo fds 1>&2
cat <<END | xargs -n1 echo
x y
END
env | grep -c '^PATH='; getent hosts localhost | awk '{print $2}'; id -u; nice true; timeout 1 sleep 0.01; echo done
"""


def run_both(t, argv, env=None, **options):
    """Runs a command bare and watched; answers both of (status, stdout and stderr together)."""
    results = []
    for watched in (False, True):
        settings = dict(env or {})
        if not watched:
            settings["LD_PRELOAD"] = None
        done = subprocess.run(argv, env=t.environment(**settings), stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                              stdin=subprocess.DEVNULL, timeout=harness.DEADLINE * 2, **options)
        results.append((done.returncode, done.stdout.decode(errors="replace")))
    return results


def test_a_shell_with_many_commands(t):
    """What a script sees of 2>&1 is the same, byte for byte."""
    bare, watched = run_both(t, ["/bin/sh", "-c", COMMANDS], {"CLOSEGUARD_LOG": None})
    t.check(bare[1].endswith("done\n"), f"the script itself went wrong: {bare[1]}")
    t.equal(watched, bare, "status and output")


def test_a_bash_pipeline(t):
    script = "for i in $(seq 30); do echo $i | cat | sed s/1/x/ | (read a; echo $a); done; echo ${PIPESTATUS[*]}"
    bare, watched = run_both(t, [harness.need("bash"), "-c", script], {"CLOSEGUARD_LOG": None})
    t.equal(watched, bare, "status and output")


def test_environment_of_children(t):
    """A program's children get the environment that it gives them; nothing is added where it was cleared on purpose."""
    argv = ["/usr/bin/env", "-i", "A=1", "B=2", "/usr/bin/env"]
    bare, watched = run_both(t, argv, {"CLOSEGUARD_LOG": None})
    t.equal(bare[1], "A=1\nB=2\n", "the bare output")
    t.equal(watched, bare, "status and output")


def test_unshare_user(t):
    """A program that must have one thread (a user namespace is refused to others) gets one."""
    argv = [harness.need("unshare"), "-U", "sh", "-c", "id -u; echo unshared"]
    bare, watched = run_both(t, argv, {"CLOSEGUARD_LOG": None})
    if bare[0]:
        raise Skip("no user namespace may be made here")
    t.equal(watched, bare, "status and output")


def ending(t, how, status, expected, findings=True):
    app = t.start("prog_end", how, status, status=expected)
    app.line("ready")
    app.finding("close_wait", "eof_ignored")
    app.tell()
    app.process.wait(harness.DEADLINE)
    names = os.listdir(app.recorders)
    t.equal(len(names), 1, f"recorders left: {names}")
    return app, os.path.join(app.recorders, names[0])


def test_end_by_return(t):
    app, _ = ending(t, "return", 0, 0)
    t.equal([one["count"] for one in groups_of(app.events("summary")[-1])], [1], "the summary")


def test_end_by_exit_in_a_thread(t):
    ending(t, "thread", 6, 6)


def test_end_by_pthread_exit_of_main(t):
    """The last thread of the program's own has ended: so has the process, whatever thread we have."""
    if harness.SANITIZE == "tsan":
        raise harness.Skip("TSan has a thread of its own, which does not end")
    ending(t, "pthread_exit", 0, 0)


def test_end_by__exit(t):
    ending(t, "_exit", 4, 4)


def test_end_by__Exit(t):
    ending(t, "_Exit", 4, 4)


def test_end_by_quick_exit(t):
    ending(t, "quick_exit", 5, 5)


def test_end_by_abort(t):
    ending(t, "abort", 0, -signal.SIGABRT)


def test_end_by_a_crash(t):
    ending(t, "crash", 0, -signal.SIGSEGV)


def test_end_by_a_signal(t):
    ending(t, "term", 0, -signal.SIGTERM)


def test_end_by_kill_9(t):
    """The recorder survives, and says whose it is."""
    app, path = ending(t, "kill", 0, -signal.SIGKILL)
    with open(path, "rb") as file:
        magic, version, _, _, _, _, pid = struct.unpack("=8sIIIIIi", file.read(32))
    t.equal((magic.rstrip(b"\0"), version > 0, pid), (b"CLOSEGD", True, app.pid), "the recorder's header")


def test_end_by_exec(t):
    """The finding was told; the program that follows has nothing to say and ends well."""
    app = t.start("prog_end", "exec", 0)
    app.line("ready")
    app.finding("close_wait", "eof_ignored")
    app.tell()
    t.equal(app.process.wait(harness.DEADLINE), 0, "status")


def setuid_copy(t, name):
    if os.geteuid() != 0:
        raise Skip("only root can make a setuid program here")
    path = os.path.join(t.dir, name)
    shutil.copy(programs.compile(name, harness.BUILD), path)
    os.chmod(path, 0o4755)
    os.chmod(t.dir, 0o711)
    return path


def test_setuid_programs_are_left_alone(t):
    path = setuid_copy(t, "prog_eof")
    app = t.start(path, "read", 1, preexec=lambda: os.setresuid(65534, 65534, 65534))
    app.connect(app.number("port"), b"x").close()
    app.line("ready")
    app.expect_kernel("eof_ignored", 1)
    time.sleep(harness.QUIET_TIME)
    t.equal((app.log(), app.stderr()), ("", ""), "log and stderr")


def test_setuid_programs_ignore_the_environment(t):
    """The library is a trusted one (setuid, in a system directory) and is loaded: it still does nothing."""
    path = setuid_copy(t, "prog_eof")
    directory = os.path.dirname(os.path.realpath(subprocess.check_output(["gcc", "-print-file-name=libc.so.6"],
                                                                         text=True).strip()))
    upper, work = os.path.join(t.dir, "upper"), os.path.join(t.dir, "work")
    os.mkdir(upper)
    os.mkdir(work)
    if not harness.BARE:
        shutil.copy(harness.LIBRARY, upper)
        os.chmod(os.path.join(upper, "libcloseguard.so"), 0o4755)
    mount = f"mount -t overlay none -o lowerdir={directory},upperdir={upper},workdir={work} {directory}"
    if subprocess.run(["unshare", "-m", "sh", "-c", mount], stderr=subprocess.DEVNULL).returncode:
        raise Skip("no overlay may be mounted here")
    os.chmod(upper, 0o755)
    script = (f"{mount} && exec setpriv --reuid 65534 --clear-groups env LD_PRELOAD=libcloseguard.so "
              f"CLOSEGUARD_EXITCODE=9 {path} read 1")
    app = t.start("/usr/bin/unshare", "-m", "sh", "-c", script, watched=False)
    app.connect(app.number("port"), b"x").close()
    app.line("ready")
    with open(f"/proc/{app.pid}/maps", encoding="utf-8") as maps:
        if "libcloseguard.so" not in maps.read():
            raise Skip("the loader refused the library, as it should where it is not trusted")
    time.sleep(harness.QUIET_TIME)
    t.equal((app.log(), app.stderr()), ("", ""), "log and stderr")
    t.equal(len(os.listdir(f"/proc/{app.pid}/task")), 1, "threads")


def test_many_short_programs_leave_nothing(t):
    script = "i=0; while [ $i -lt 60 ]; do /bin/true; i=$((i + 1)); done"
    _, watched = run_both(t, ["/bin/sh", "-c", script], {"CLOSEGUARD_LOG": None})
    t.equal(watched, (0, ""), "status and output")
    t.equal(os.listdir(os.path.join(t.dir, "recorders")), [], "recorders")


def test_python_multiprocessing(t):
    """The parent opens, children inherit; all end well and the pool's results are right."""
    script = ("import multiprocessing as mp, socket\n"
              "def square(x): return x * x\n"
              "if __name__ == '__main__':\n"
              "    l = socket.create_server(('127.0.0.1', 0)); c = socket.create_connection(l.getsockname())\n"
              "    with mp.get_context('fork').Pool(4) as pool: print(sum(pool.map(square, range(1000))))\n"
              "    c.close(); l.close()\n")
    bare, watched = run_both(t, ["/usr/bin/python3", "-c", script], {"CLOSEGUARD_LOG": None})
    t.equal(watched, bare, "status and output")


def test_core_dumps_and_ptrace_are_as_before(t):
    """The process stays as dumpable as it was, and its limits and mode mask are its own."""
    script = ("import ctypes, os, resource, signal, socket\n"
              "l = socket.create_server(('127.0.0.1', 0)); c = socket.create_connection(l.getsockname())\n"
              "libc = ctypes.CDLL(None)\n"
              "print(libc.prctl(3, 0, 0, 0, 0), oct(os.umask(0o22)), resource.getrlimit(resource.RLIMIT_NOFILE),\n"
              "      signal.pthread_sigmask(signal.SIG_BLOCK, []), [signal.getsignal(n) for n in (10, 12, 13, 17)])\n"
              "c.close(); l.close()\n")
    bare, watched = run_both(t, ["/usr/bin/python3", "-c", script], {"CLOSEGUARD_LOG": None, "CLOSEGUARD_SIGNAL": None})
    t.equal(watched, bare, "status and output")


if __name__ == "__main__":
    harness.main(__name__)
