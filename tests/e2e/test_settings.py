#!/usr/bin/env python3
"""The CLOSEGUARD_ variables: what each does, and what wrong values do."""

import json
import os
import signal
import socket
import stat
import subprocess
import time

import harness
import programs
from app import groups_of
from harness import Skip


def leak(t, count=1, program="prog_eof", **options):
    app = t.start(program, "read", count, **options)
    port = app.number("port")
    for _ in range(count):
        app.connect(port, b"x").close()
    app.line("ready")
    return app


def ended(t, how, status=0, expected=0, **options):
    """Runs prog_end to its end, with a leak of its own."""
    app = t.start("prog_end", how, status, status=expected, **options)
    app.line("ready")
    app.wait_for(lambda: harness.BARE or app.events("finding") or options.get("env", {}).get("CLOSEGUARD_THREAD"),
                 "no finding before the end")
    app.tell()
    return app


def test_off_does_nothing_at_all(t):
    app = leak(t, env={"CLOSEGUARD": "off", "CLOSEGUARD_SIGNAL": None})
    app.expect_kernel("eof_ignored", 1)
    app.silent()
    t.equal(os.listdir(app.recorders), [], "recorders")
    t.equal(len(os.listdir(f"/proc/{app.pid}/task")), 1, "threads")


def test_warn_after(t):
    app = leak(t, env={"CLOSEGUARD_WARN_AFTER": "3s"})
    started = time.monotonic()
    time.sleep(2)
    t.equal(app.events("finding"), [], "findings before the time")
    app.finding("close_wait")
    t.check(time.monotonic() - started < 20 * harness.SLOW, "told much too late")  # the standard is 30 s


def test_thread_off_tells_at_exit(t):
    app = leak(t, 2, env={"CLOSEGUARD_THREAD": "off"})
    app.silent()
    t.equal(len(os.listdir(f"/proc/{app.pid}/task")), 1, "threads")
    app.finish()
    if harness.BARE:
        raise Skip("ran bare")
    groups = groups_of(app.events("summary")[-1]) or app.events("finding")
    t.equal([(one["cause"], one["count"]) for one in groups], [("eof_ignored", 2)], "what is told at exit")


def test_thread_off_tells_on_the_dump_signal(t):
    app = leak(t, 2, env={"CLOSEGUARD_THREAD": "off"})
    time.sleep(1.3)
    groups = groups_of(app.dump())
    t.equal([(one["cause"], one["count"]) for one in groups], [("eof_ignored", 2)], "what the dump says")


def test_thread_on_is_one_thread(t):
    app = leak(t)
    app.finding("close_wait")
    t.equal(len(os.listdir(f"/proc/{app.pid}/task")), 3 if harness.SANITIZE == "tsan" else 2, "threads")


def test_exitcode(t):
    ended(t, "return", expected=0 if harness.BARE else 42, env={"CLOSEGUARD_EXITCODE": "42"})


def test_exitcode_by_thread_off(t):
    app = t.start("prog_end", "return", 0, status=0 if harness.BARE else 42,
                  env={"CLOSEGUARD_EXITCODE": "42", "CLOSEGUARD_THREAD": "off"})
    app.line("ready")
    time.sleep(1.3)
    app.tell()


def test_exitcode_by_exit_in_a_thread(t):
    ended(t, "thread", expected=0 if harness.BARE else 42, env={"CLOSEGUARD_EXITCODE": "42"})


def test_exitcode_leaves_a_failure_alone(t):
    """Only a clean exit is changed: a status of the program's own is not."""
    ended(t, "return", 3, expected=3, env={"CLOSEGUARD_EXITCODE": "42"})


def test_exitcode_without_findings(t):
    app = t.start("prog_idle", env={"CLOSEGUARD_EXITCODE": "42"})
    app.line("lowest")


def test_exitcode_unset(t):
    ended(t, "return", expected=0)


CHILD = "import subprocess, sys; sys.exit(subprocess.call(sys.argv[1:]))"


def follow(t, value):
    path = programs.compile("prog_eof", harness.BUILD)
    app = t.start("/usr/bin/python3", "-c", CHILD, path, "read", "1", env={"CLOSEGUARD_FOLLOW": value})
    app.connect(app.number("port"), b"x").close()
    app.line("ready")
    return app


def test_follow(t):
    app = follow(t, "on")
    t.equal(app.finding("close_wait")["app"], "prog_eof", "who told")


def test_follow_off(t):
    app = follow(t, "off")
    child = int(subprocess.check_output(["pgrep", "-P", str(app.pid)], text=True).split()[0])
    with open(f"/proc/{child}/maps", encoding="utf-8") as maps:
        t.check(harness.LIBRARY not in maps.read(), "the child is watched")
    app.silent()


def test_follow_off_keeps_the_rest_of_ld_preload(t):
    """Another preload of the user's is no business of ours."""
    if harness.SANITIZE == "tsan":
        raise Skip("a shell crashes under TSan's runtime, also without the library")
    other = programs.compile("lib_plugin", harness.BUILD)
    names = "echo preload $(basename -a $(echo $LD_PRELOAD | tr : ' '))"  # the folder may have our name
    app = t.start("/usr/bin/python3", "-c", CHILD, "/bin/sh", "-c", names,
                  env={"CLOSEGUARD_FOLLOW": "off", "LD_PRELOAD": harness.preload(after=[other])})
    got = app.line("preload").split()
    t.check(os.path.basename(other) in got, f"LD_PRELOAD of the child is {got}")
    t.check(harness.BARE or os.path.basename(harness.LIBRARY) not in got, f"LD_PRELOAD of the child is {got}")


def test_app_name(t):
    app = leak(t, env={"CLOSEGUARD_APP": "billing", "CLOSEGUARD_LOG": os.path.join(t.dir, "%e.log")})
    app.log_path = os.path.join(t.dir, "billing.log")
    t.equal(app.finding("close_wait")["app"], "billing", "app")


def test_the_apps_own_handler_wins(t):
    """CLOSEGUARD_SIGNAL names a signal that the program handles too: the program gets it, and one line says so."""
    script = ("import signal, socket, sys\n"
              "signal.signal(signal.SIGUSR2, lambda *a: print('handled', flush=True))\n"
              "l = socket.create_server(('127.0.0.1', 0)); c = socket.create_connection(l.getsockname())\n"
              "print('ready', flush=True)\n"
              "while sys.stdin.readline(): pass\n")
    app = t.start("/usr/bin/python3", "-c", script)
    app.line("ready")
    time.sleep(1)
    os.kill(app.pid, signal.SIGUSR2)
    app.line("handled")
    if harness.BARE:
        raise Skip("ran bare")
    time.sleep(0.5)
    t.equal(app.events("summary"), [], "summaries")


def test_no_dump_signal_by_default(t):
    """Unset, the signal does what it always does."""
    app = leak(t, env={"CLOSEGUARD_SIGNAL": None}, status=-signal.SIGUSR2)
    os.kill(app.pid, signal.SIGUSR2)
    app.process.wait(harness.DEADLINE)


WRONG = {
    "CLOSEGUARD": "perhaps", "CLOSEGUARD_FORMAT": "xml", "CLOSEGUARD_WARN_AFTER": "soon", "CLOSEGUARD_INTERVAL": "-1s",
    "CLOSEGUARD_STACKS": "some", "CLOSEGUARD_DEPTH": "1000", "CLOSEGUARD_THREAD": "2", "CLOSEGUARD_SIGNAL": "NOSUCH",
    "CLOSEGUARD_EXITCODE": "256", "CLOSEGUARD_FOLLOW": "maybe", "CLOSEGUARD_LOG": "/tmp/%q",
    "CLOSEGUARD_WARNAFTER": "3s",
}


def wrong(t, variable, value):
    """One line that names the variable and the value; the program runs on, and is watched with what is used instead."""
    env = {variable: value}
    if variable != "CLOSEGUARD_LOG":
        env["CLOSEGUARD_LOG"] = os.path.join(t.dir, "log")
    app = leak(t, env=env, stderr_empty=False)
    if harness.BARE:
        raise Skip("ran bare")
    both = lambda: [line for line in (app.stderr() + app.log()).splitlines() if variable in line]
    lines = app.wait_for(both, lambda: f"nothing said of {variable}={value}")
    t.equal(len(lines), 1, f"lines about {variable}: {lines}")
    t.check(value in lines[0], f"the value is not in {lines[0]!r}")
    t.check(app.process.poll() is None, "the program died")


def test_wrong_values(t):
    for variable, value in WRONG.items():
        try:
            wrong(t, variable, value)
        except harness.Failure as why:
            raise harness.Failure(f"{variable}={value}: {why}") from None
        finally:
            for app in t.apps:
                app.kill()
            t.apps.clear()
            if os.path.exists(os.path.join(t.dir, "log")):
                os.unlink(os.path.join(t.dir, "log"))


def test_wrong_values_without_tcp_end_well(t):
    """Told at once, since it is the user's input, and once, with every program."""
    app = t.start("prog_idle", env={"CLOSEGUARD_WARN_AFTER": "soon"}, stderr_empty=False)
    app.line("lowest")
    if harness.BARE:
        raise Skip("ran bare")
    lines = (app.stderr() + app.log()).splitlines()
    t.equal(len([line for line in lines if "CLOSEGUARD_WARN_AFTER" in line]), 1, f"lines {lines}")


def test_a_wrong_value_is_told_by_the_first_program_alone(t):
    """Not by each of the commands that it starts; but by one that has something to report."""
    if harness.BARE:
        raise Skip("ran bare")
    log = os.path.join(t.dir, "log")
    env = t.environment(CLOSEGUARD_DEPTH="deep", CLOSEGUARD_POLICY="/nowhere/at/all.cfg", CLOSEGUARD_SIGNAL=None)

    def told_by(script):
        subprocess.run(["sh", "-c", script], env=env, check=True, timeout=harness.DEADLINE, stdin=subprocess.DEVNULL,
                       stdout=subprocess.DEVNULL)
        with open(log, encoding="utf-8") as lines:
            warnings = [json.loads(line) for line in lines if '"warning"' in line]
        os.unlink(log)
        return {text: sorted({one["app"] for one in warnings if text in json.dumps(one)})
                for text in ("deep", "nowhere")}

    for text, apps in told_by("/bin/true; /bin/true; /bin/true; :").items():
        t.equal(apps, ["sh"], f"programs that told of {text}")
    program = programs.compile("prog_names", harness.BUILD)
    for text, apps in told_by(f"/bin/true; (sleep 2; echo) | {program}; :").items():
        t.equal(apps, ["prog_names", "sh"], f"programs that told of {text}, one of which leaks")


def test_a_very_long_value(t):
    app = t.start("prog_idle", env={"CLOSEGUARD_LOG": "/" + "x" * 5000}, stderr_empty=False)
    app.line("lowest")


def recorder(t, where, **options):
    """A leaking program whose CLOSEGUARD_DIR is in trouble: it is watched all the same, and its log has the finding."""
    app = leak(t, env={"CLOSEGUARD_DIR": where}, **options)
    app.finding("close_wait", "eof_ignored")
    return app


def test_dir_is_made(t):
    where = os.path.join(t.dir, "new")
    recorder(t, where)
    t.equal(stat.S_IMODE(os.stat(where).st_mode), 0o700, "the directory's mode")
    names = os.listdir(where)
    t.equal(len(names), 1, f"recorders: {names}")
    t.equal(stat.S_IMODE(os.stat(os.path.join(where, names[0])).st_mode), 0o600, "the recorder's mode")


def test_dir_is_a_symlink(t):
    real, link = os.path.join(t.dir, "real"), os.path.join(t.dir, "link")
    os.mkdir(real, 0o700)
    os.symlink(real, link)
    recorder(t, link)
    t.equal(os.listdir(real), [], "files written through a symlink")


def test_dir_of_another_owner(t):
    where = os.path.join(t.dir, "foreign")
    os.mkdir(where, 0o700)
    if os.geteuid() != 0:
        raise Skip("only root can give a directory away")
    os.chown(where, 65534, 65534)
    recorder(t, where)
    t.equal(os.listdir(where), [], "files written into a directory of another owner")


def test_dir_that_others_may_write(t):
    where = os.path.join(t.dir, "open")
    os.mkdir(where)
    os.chmod(where, 0o777)
    recorder(t, where)
    t.equal(os.listdir(where), [], "files written into a directory that others may write")


def test_dir_that_cannot_be_made(t):
    recorder(t, "/proc/nowhere/recorders")


def test_trouble_with_the_dir_is_not_told_without_a_finding(t):
    listening = socket.create_server(("127.0.0.1", 0))
    t.cleanups.append(listening.close)
    app = t.start("prog_quiet", "keepalive", listening.getsockname()[1], env={"CLOSEGUARD_DIR": "/proc/nowhere"})
    app.line("ready")
    app.silent()


def test_a_file_planted_under_the_recorders_name_is_not_followed(t):
    """Links planted under every likely name: nothing is written through them."""
    where, target = os.path.join(t.dir, "planted"), os.path.join(t.dir, "target")
    os.mkdir(where, 0o700)
    app = recorder(t, where)
    name = os.listdir(where)[0]
    app.kill()
    t.apps.clear()
    os.unlink(os.path.join(where, name))
    with open(target, "w", encoding="utf-8") as file:
        file.write("precious")
    first = t.start("prog_idle")
    for pid in range(first.pid, first.pid + 200):
        os.symlink(target, os.path.join(where, name.replace(str(app.pid), str(pid))))
    if os.path.exists(app.log_path):
        os.unlink(app.log_path)
    recorder(t, where)
    with open(target, encoding="utf-8") as file:
        t.equal(file.read(), "precious", "the file that the links point to")


def test_settings_are_read_once(t):
    """The program clears its environment: the log's place was copied at the start."""
    script = ("import ctypes, socket, sys\n"
              "ctypes.CDLL(None).clearenv()\n"
              "l = socket.create_server(('127.0.0.1', 0)); print('port', l.getsockname()[1], flush=True)\n"
              "c = l.accept()[0]\n"
              "while c.recv(99): pass\n"
              "print('ready', flush=True); sys.stdin.read()\n")
    app = t.start("/usr/bin/python3", "-c", script)
    app.connect(app.number("port"), b"x").close()
    app.line("ready")
    app.expect("close_wait", "eof_ignored", 1)


def test_the_default_directory(t):
    """/dev/shm/closeguard-<uid>: this program's recorder is there, and is gone after a clean end."""
    where = f"/dev/shm/closeguard-{os.getuid()}"
    listening = socket.create_server(("127.0.0.1", 0))
    t.cleanups.append(listening.close)
    app = t.start("prog_quiet", "keepalive", listening.getsockname()[1], env={"CLOSEGUARD_DIR": None})
    app.line("ready")
    if harness.BARE:
        raise Skip("ran bare")
    mine = lambda: [name for name in os.listdir(where) if str(app.pid) in name]
    t.equal(len(mine()), 1, f"recorders of {app.pid} in {os.listdir(where)}")
    app.finish()
    t.equal(mine(), [], "recorders afterwards")


def test_warnings_are_json_lines_too(t):
    app = t.start("prog_idle", env={"CLOSEGUARD_DEPTH": "many"}, stderr_empty=False)
    app.line("lowest")
    if harness.BARE:
        raise Skip("ran bare")
    lines = (app.log() + app.stderr()).splitlines()
    t.equal([json.loads(line)["event"] for line in lines], ["warning"], f"lines {lines}")


if __name__ == "__main__":
    harness.main(__name__)
