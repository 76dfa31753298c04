#!/usr/bin/env python3
"""`closeguard scan`: what it says of real programs, held against sock_diag and /proc."""

import ctypes
import fcntl
import json
import os
import pty
import socket
import struct
import subprocess
import sys
import termios
import time

import harness
import kernel
import programs
from harness import Skip, need

COMMAND = os.path.join(harness.BUILD, "closeguard")
NOBODY = 65534
PR_CAPBSET_DROP, CAP_SYS_ADMIN, CAP_SYS_PTRACE = 24, 21, 19


def scan(t, *arguments, status=None, command=(COMMAND,), **options):
    """Runs `closeguard scan ARGUMENTS` and returns what it did."""
    env = t.environment(LD_PRELOAD=None, TERM="xterm", NO_COLOR=None)
    done = subprocess.run([*command, "scan", *map(str, arguments)], env=env, stdin=subprocess.DEVNULL,
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=harness.DEADLINE, text=True,
                          **options)
    if status is not None:
        t.equal(done.returncode, status, f"status of scan {arguments}; it said {done.stdout!r} {done.stderr!r}")
    return done


def look(t, *arguments, **options):
    """The JSON object."""
    done = scan(t, "--json", *arguments, **options)
    t.check(done.returncode in (0, 1), f"status {done.returncode}: {done.stderr!r}")
    t.equal(done.stderr, "", "stderr")
    return json.loads(done.stdout)


def sockets_of(found, pid):
    """descriptor -> socket, of one process."""
    process = next((one for one in found["processes"] if one["pid"] == pid), {"sockets": []})
    return {hold["fd"]: one for one in process["sockets"] for hold in one["holders"] if hold["pid"] == pid}


def states(t, *arguments, static=True, **options):
    """The program with a socket of each kind: (app, {name: descriptor})."""
    flags = ["-static"] if static else []
    path = programs.compile("prog_states_static" if static else "prog_states", harness.BUILD, flags,
                            source="prog_states")
    app = t.start(path, *arguments, watched=not static, **options)
    fds = {"port": app.number("port")}
    for name in ("eof_ignored", "fin_unread", "data_unread", "fin_wait2", "half_told", "dead", "new", "child"):
        fds[name] = app.number(name)
    return app, fds


def until(t, condition, what):
    deadline = time.monotonic() + harness.DEADLINE
    while not condition():
        t.check(time.monotonic() < deadline, f"timed out: {what}")
        time.sleep(0.02)


def need_root():
    if os.geteuid() != 0:
        raise Skip("needs root")


def settled(t, pid, port):
    """The kernel has what the program made: the FINs have arrived."""
    def there():
        mine = [one for one in kernel.tcp_of(pid) if one.state == "CLOSE_WAIT"]
        return len(mine) == 7 and any(one.state == "FIN_WAIT2" for one in kernel.tcp_of(pid))
    until(t, there, f"the kernel has {kernel.tcp_of(pid)} of port {port}")


def test_static_program_against_the_kernel(t):
    app, fds = states(t)
    settled(t, app.pid, fds["port"])
    found = look(t, app.pid)
    told = sockets_of(found, app.pid)
    wanted = [one for one in kernel.tcp_of(app.pid) if one.fds and one.state in ("CLOSE_WAIT", "FIN_WAIT2")]
    t.equal(len(wanted), 5, f"sockets of the kernel's {wanted}")
    for one in wanted:
        view = told.get(one.fds[0])
        t.check(view, f"{one} is not told: {sorted(told)}")
        t.equal((view["state"], view["local"], view["peer"], view["inode"]),
                (one.state, one.local, one.peer, one.inode), f"fd {one.fds[0]}")
        if one.state == "CLOSE_WAIT":
            t.equal((view["cause"], view["unread_bytes"]), (one.cause(), max(0, one.rqueue - 1)), f"fd {one.fds[0]}")
    for name in ("eof_ignored", "fin_unread", "data_unread"):
        t.equal(told[fds[name]]["cause"], name, name)
    t.equal(told[fds["data_unread"]]["unread_bytes"], 40, "half-read data")
    t.equal(sorted(told), sorted([fds["dead"], *(one.fds[0] for one in wanted)]), "descriptors that are told")


def test_dead_and_new_sockets(t):
    app, fds = states(t)
    t.equal(kernel.state_of_fd(app.pid, fds["dead"]), "CLOSE", "the program's dead socket")
    told = sockets_of(look(t, app.pid), app.pid)
    t.equal(told[fds["dead"]]["class"], "dead_socket", "the dead one")
    t.check(fds["new"] not in told, f"a socket that was never connected is told: {told.get(fds['new'])}")


def test_backlog(t):
    app, fds = states(t)
    settled(t, app.pid, fds["port"])
    listener, = look(t, app.pid)["listeners"]
    t.equal((listener["pid"], listener["local"]), (app.pid, f"127.0.0.1:{fds['port']}"), "the listener")
    t.equal((listener["never_accepted"], listener["waiting"], listener["backlog"], listener["backlog_limit"]),
            (3, 1, 4, 8), "its backlog")
    waiting = [one for one in kernel.tcp_of(app.pid) if one.inode == 0 and one.state == "CLOSE_WAIT"]
    told = [one["peer"] for one in listener["connections"] if one["cause"] == "never_accepted"]
    t.equal(sorted(told), sorted(one.peer for one in waiting), "peers that were never accepted")


def listening(t, family, address, **options):
    """A listener of this process with a client that came and went."""
    one = socket.socket(family)
    t.cleanups.append(one.close)
    for name, value in options.items():
        level = socket.IPPROTO_IPV6 if name.startswith("IPV6") else socket.SOL_SOCKET
        one.setsockopt(level, getattr(socket, name), value)
    one.bind(address)
    one.listen(4)
    return one


def backlog_of(t, port):
    def of(found):
        return [one for one in found["listeners"] if one["local"].endswith(f":{port}")]
    until(t, lambda: sum(one["never_accepted"] for one in of(look(t, os.getpid()))) > 0, "no backlog is told")
    return of(look(t, os.getpid()))


def come_and_go(family, address):
    with socket.socket(family) as client:
        client.connect(address)


def test_backlog_of_a_dual_stack_listener(t):
    try:
        server = listening(t, socket.AF_INET6, ("::", 0), IPV6_V6ONLY=0)
    except OSError as why:
        raise Skip(f"no IPv6 here: {why}") from None
    port = server.getsockname()[1]
    come_and_go(socket.AF_INET, ("127.0.0.1", port))
    one, = backlog_of(t, port)
    t.equal((one["local"], one["never_accepted"]), (f"[::]:{port}", 1), "the listener")
    t.equal(one["connections"][0]["local"], f"127.0.0.1:{port}", "the connection, mapped")
    come_and_go(socket.AF_INET6, ("::1", port))
    until(t, lambda: backlog_of(t, port)[0]["never_accepted"] == 2, "the second is not told")


def test_backlog_of_listeners_that_share_a_port(t):
    first = listening(t, socket.AF_INET, ("127.0.0.1", 0), SO_REUSEPORT=1)
    port = first.getsockname()[1]
    listening(t, socket.AF_INET, ("127.0.0.1", port), SO_REUSEPORT=1)
    for _ in range(4):
        come_and_go(socket.AF_INET, ("127.0.0.1", port))
    until(t, lambda: backlog_of(t, port)[0]["never_accepted"] == 4, "all four")
    one, = backlog_of(t, port)
    t.equal((one["sockets"], one["backlog"], one["backlog_limit"]), (2, 4, 8), "the listeners together")


def test_nearer_listener_first(t):
    """An exact address gets its own connections, the wildcard the others'."""
    wide = listening(t, socket.AF_INET, ("0.0.0.0", 0), SO_REUSEADDR=1, SO_REUSEPORT=1)
    port = wide.getsockname()[1]
    listening(t, socket.AF_INET, ("127.0.0.1", port), SO_REUSEADDR=1, SO_REUSEPORT=1)
    come_and_go(socket.AF_INET, ("127.0.0.1", port))
    one, = backlog_of(t, port)
    t.equal((one["local"], one["never_accepted"]), (f"127.0.0.1:{port}", 1), "whose it is")


def test_shared_by_a_fork(t):
    app, fds = states(t, "fork")
    settled(t, app.pid, fds["port"])
    t.check(fds["child"] > 0, "the program did not fork")
    for pid, other in ((app.pid, fds["child"]), (fds["child"], app.pid)):
        view = sockets_of(look(t, pid), pid)[fds["eof_ignored"]]
        t.equal(sorted(hold["pid"] for hold in view["holders"]), sorted([pid, other]), "holders")
        t.check(f"shared with prog_states_sta[{other}]" in scan(t, pid).stdout, "the text does not tell with whom")
    told = [one["pid"] for one in look(t)["processes"] if one["pid"] in (app.pid, fds["child"])]
    t.equal(told, [min(app.pid, fds["child"])], "under which of them it is told, of all processes")


def test_ages(t):
    server = listening(t, socket.AF_INET, ("127.0.0.1", 0))
    with socket.create_connection(server.getsockname()) as client:
        accepted, _ = server.accept()
        t.cleanups.append(accepted.close)
        client.sendall(b"x")
        sent = time.monotonic()
        time.sleep(0.5)
        before = time.monotonic()
    time.sleep(0.3)
    asked = time.monotonic()
    view = sockets_of(look(t, os.getpid()), os.getpid())[accepted.fileno()]
    answered = time.monotonic()
    t.equal(view["age_source"], "kernel", "source")
    t.check(asked - before - 0.05 <= view["age_s"] <= answered - before + 0.02,
            f"age {view['age_s']}, closed {asked - before} s ago")
    t.check(asked - sent - 0.05 <= view["age_max_s"] <= answered - sent + 0.02,
            f"at most {view['age_max_s']}, data came {asked - sent} s ago")


def test_exit_status_by_age(t):
    app, fds = states(t)
    settled(t, app.pid, fds["port"])
    scan(t, app.pid, status=0)
    scan(t, "--min-age", "0", app.pid, status=1)
    scan(t, "--min-age", "1h", app.pid, status=0)
    time.sleep(0.3)
    found = look(t, "--min-age", "250ms", app.pid, status=1)
    t.check(found["found"] >= 7, f"found {found['found']} of 7")
    scan(t, "--min-age", "0", "--state", "last-ack", app.pid, status=0)
    scan(t, "--min-age", "0", "--state", "FIN-WAIT-2", app.pid, status=1)


def test_states_and_limit(t):
    app, fds = states(t)
    settled(t, app.pid, fds["port"])
    found = look(t, "--state", "fin-wait-2,dead_socket", app.pid)
    t.equal(found["processes"][0]["counts"], {"fin_wait2": 1, "dead_socket": 1}, "counts")
    t.equal(found["listeners"], [], "listeners")
    limited = look(t, "--limit", "2", app.pid)
    t.equal(limited["processes"][0]["counts"]["close_wait"], 4, "the counts are of all")
    t.equal(len(limited["processes"][0]["sockets"]), 2, "sockets")
    text = scan(t, "--limit", "1", app.pid).stdout
    t.equal(text.count("  fd "), 1, f"sockets in {text!r}")
    t.check("... and 5 more" in text, f"the text does not say how many more: {text!r}")


def test_text(t):
    app, fds = states(t)
    settled(t, app.pid, fds["port"])
    text = scan(t, "--min-age", "0", app.pid, status=1).stdout
    for part in (f"[{app.pid}]: 4 in CLOSE_WAIT, 1 in FIN_WAIT2, 1 dead and still held, oldest ",
                 "eof_ignored    1: ", "fin_unread     2: ", "data_unread    1: ", "peers          127.0.0.1 (5)",
                 f"no: `closeguard explain {app.pid}`",
                 f"next           `gdb -p {app.pid} -batch -ex 'thread apply all bt'`",
                 "unread 40  data_unread", "3 never accepted", "4 of 8"):
        t.check(part in text, f"{part!r} is not in {text!r}")
    t.check("\033" not in text, "colour without a terminal")


def test_what_to_run_next(t):
    """By the program's file, whatever it calls itself."""
    listening = socket.create_server(("127.0.0.1", 0))
    t.cleanups.append(listening.close)
    code = ("import socket, sys; open('/proc/self/comm', 'w').write('service'); "
            f"s = socket.create_connection(('127.0.0.1', {listening.getsockname()[1]})); print('up', flush=True); "
            "sys.stdin.read()")
    app = t.start("/usr/bin/python3", "-c", code, watched=False)
    app.line("up")
    listening.accept()[0].close()
    wanted = f"`py-spy dump --pid {app.pid}` shows where its threads are"
    until(t, lambda: wanted in scan(t, app.pid).stdout, "py-spy is not named")


def test_time_wait_by_peer(t):
    """Three connections that this side closed first, to one service, in a network of our own."""
    need_root()
    script = ("ip link set lo up && exec /usr/bin/python3 -c \"import socket, subprocess, sys\n"
              "l = socket.create_server(('127.0.0.1', 4444))\n"
              "for i in range(3):\n"
              "    c = socket.create_connection(('127.0.0.1', 4444)); s = l.accept()[0]\n"
              "    c.close(); s.recv(1); s.close()\n"
              "sys.exit(subprocess.run(sys.argv[1:]).returncode)\" ")
    command = ["unshare", "-n", "sh", "-c", script + f"{COMMAND} scan \"$@\"", "sh"]
    done = subprocess.run([*command, "--state", "time_wait"], stdout=subprocess.PIPE, text=True, check=False)
    t.check("3 in TIME_WAIT" in done.stdout and "  peers          to 127.0.0.1:4444 (3)\n" in done.stdout, done.stdout)
    found = json.loads(subprocess.run([*command, "--json"], stdout=subprocess.PIPE, text=True, check=False).stdout)
    told = [(one["port"], one["incoming"], one["count"]) for one in found["time_wait_peers"]]
    t.equal(told, [(4444, False, 3)], "time_wait_peers")


def on_terminal(t, columns, *arguments, **settings):
    """What it writes to a terminal of that width."""
    env = t.environment(LD_PRELOAD=None, **settings)
    main, side = pty.openpty()
    fcntl.ioctl(side, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
    with subprocess.Popen([COMMAND, "scan", *map(str, arguments)], stdin=side, stdout=side, stderr=side,
                          env=env) as child:
        os.close(side)
        output = b""
        while True:
            try:
                piece = os.read(main, 4096)
            except OSError:
                piece = b""
            if not piece:
                break
            output += piece
        child.wait(harness.DEADLINE)
    os.close(main)
    return output.decode().replace("\r\n", "\n")


def test_terminal(t):
    app, fds = states(t)
    settled(t, app.pid, fds["port"])
    arguments = ("--min-age", "0", app.pid)
    colourful = on_terminal(t, 60, *arguments, TERM="xterm", NO_COLOR=None)
    t.check("\033[1;31m" in colourful, f"no colour on a terminal: {colourful!r}")
    plain = on_terminal(t, 60, *arguments, TERM="xterm", NO_COLOR="1")
    t.check("\033" not in plain, f"colour in spite of NO_COLOR: {plain!r}")
    listed = [line for line in plain.splitlines() if line.startswith("  fd ")]
    t.check(listed and all(len(line) <= 60 for line in listed), f"longer than the terminal is wide: {listed}")


def test_watched(t):
    app, fds = states(t, static=False)
    settled(t, app.pid, fds["port"])
    found = look(t, app.pid)["processes"][0]
    if harness.BARE:
        raise Skip("ran bare")
    t.equal((found["watched"], os.path.dirname(found["recorder"])), (True, app.recorders), "watched, recorder's folder")
    t.check(f"`closeguard report {app.pid}`" in scan(t, app.pid).stdout, "the text does not name the report")
    elsewhere = subprocess.run([COMMAND, "scan", str(app.pid)], stdout=subprocess.PIPE, text=True,
                               env={"PATH": os.environ["PATH"]}).stdout
    t.check(f"`closeguard report {found['recorder']}`" in elsewhere, f"a folder of its own: {elsewhere!r}")
    app, _ = states(t)
    t.equal(look(t, app.pid)["processes"][0]["watched"], False, "a static program")


def in_own_network(t):
    need_root()
    unshare = need("unshare")
    path = programs.compile("prog_states_static", harness.BUILD, ["-static"], source="prog_states")
    probe = subprocess.run([unshare, "-n", "true"], stderr=subprocess.PIPE, text=True)
    if probe.returncode:
        raise Skip(f"no network namespace can be made: {probe.stderr}")
    app = t.start(unshare, "-n", need("sh"), "-c", f"ip link set lo up && exec {path}", watched=False)
    port = app.number("port")
    app.number("child")
    own = os.stat("/proc/self/ns/net").st_ino
    t.check(os.stat(f"/proc/{app.pid}/ns/net").st_ino != own, "the program is in our network namespace")
    return app, port


def test_another_network_namespace(t):
    app, port = in_own_network(t)
    t.equal(kernel.close_waits(app.pid), [], "what our own namespace has of it")
    def there():
        return look(t, app.pid)["processes"]
    until(t, lambda: there() and there()[0]["counts"].get("close_wait") == 4, f"it tells {there()}")
    found = look(t, app.pid)
    t.equal(found["listeners"][0]["local"], f"127.0.0.1:{port}", "the listener")
    t.equal(found["listeners"][0]["never_accepted"], 3, "its backlog")
    t.equal({one["read_by"] for one in found["namespaces"] if one["pid"]} >= {"sock_diag"}, True, "how it was read")
    check_by_ss(t, app.pid, found)


def check_by_ss(t, pid, found):
    """ss from inside the namespace says the same."""
    output = subprocess.run([need("nsenter"), "-t", str(pid), "-n", need("ss"), "-Htn", "state", "close-wait"],
                            stdout=subprocess.PIPE, text=True, check=True).stdout
    wanted = sorted((line.split()[3], int(line.split()[0])) for line in output.splitlines())
    views = [*found["processes"][0]["sockets"], *found["listeners"][0]["connections"]]
    told = sorted((one["peer"], one["unread_bytes"] + (0 if one["cause"] == "eof_ignored" else 1))
                  for one in views if one["class"] == "close_wait")
    t.equal(told, wanted, "peers and Recv-Q")


def test_all_network_namespaces(t):
    app, _ = in_own_network(t)
    t.check(app.pid not in {one["pid"] for one in look(t)["processes"]}, "told without being asked for")
    t.check("are in other network namespaces: --all-netns" in scan(t).stdout, "no word of other namespaces")
    until(t, lambda: app.pid in {one["pid"] for one in look(t, "--all-netns")["processes"]}, "not told")


def without(*capabilities):
    """For the child of a fork: root, but without these, for good."""
    libc = ctypes.CDLL(None, use_errno=True)

    def drop():
        for capability in capabilities:
            if libc.prctl(PR_CAPBSET_DROP, capability, 0, 0, 0) != 0:
                os._exit(77)
    return drop


def test_namespace_that_may_not_be_entered(t):
    app, _ = in_own_network(t)
    until(t, lambda: look(t, app.pid)["processes"], "the sockets are not there")
    done = scan(t, "--json", app.pid, preexec_fn=without(CAP_SYS_ADMIN))
    if done.returncode == 77:
        raise Skip("capabilities cannot be dropped")
    t.equal((done.returncode, done.stderr), (1, ""), "status (how old they are is not known) and stderr")
    found = json.loads(done.stdout)
    space, = [one for one in found["namespaces"] if one["read_by"] == "proc"]
    t.check("permitted" in space["error"], f"why: {space}")
    views = [one for one in found["processes"][0]["sockets"] if one["class"] == "close_wait"]
    t.equal(sorted(one["cause"] for one in views), ["data_unread", "eof_ignored", "fin_unread", "fin_unread"], "causes")
    t.equal({one["age_s"] for one in views}, {None}, "ages")
    text = scan(t, app.pid, preexec_fn=without(CAP_SYS_ADMIN)).stdout
    t.equal(text.count("it takes CAP_SYS_ADMIN"), 1, f"one line that says why in {text!r}")


def for_nobody(t):
    """The command in a place that everybody may read."""
    need_root()
    os.chmod(t.dir, 0o755)
    return harness.copy_program(COMMAND, t.dir)


def test_without_privileges(t):
    command = for_nobody(t)
    app, fds = states(t)
    settled(t, app.pid, fds["port"])
    done = scan(t, "--json", command=(command,), user=NOBODY, group=NOBODY, extra_groups=[])
    found = json.loads(done.stdout)
    t.check(found["unreadable"] >= 1, "root's processes were read by nobody")
    local = f"127.0.0.1:{fds['port']}"
    unseen = [one for one in found["unseen"]["sockets"] if one["local"] == local and one["class"] == "close_wait"]
    t.equal(sorted(one["cause"] for one in unseen), ["data_unread", "eof_ignored", "fin_unread", "fin_unread"],
            "told without owner")
    text = scan(t, command=(command,), user=NOBODY, group=NOBODY, extra_groups=[]).stdout
    t.check("CAP_SYS_PTRACE" in text, "it does not say how to see more")


def refused(t, pattern, *arguments, status=3, **options):
    done = scan(t, *arguments, status=status, **options)
    t.equal(done.stdout, "", "stdout")
    t.check(done.stderr.startswith("closeguard: scan: ") and done.stderr.count("\n") == 1, f"{done.stderr!r}")
    t.check(pattern in done.stderr, f"{done.stderr!r} does not say {pattern!r}")


def test_refusals(t):
    command = for_nobody(t)
    app, _ = states(t)
    refused(t, "CAP_SYS_PTRACE", app.pid, command=(command,), user=NOBODY, group=NOBODY, extra_groups=[])
    with subprocess.Popen(["true"]) as gone:
        pass
    refused(t, f"there is no process {gone.pid}", gone.pid)
    with subprocess.Popen(["true"]) as zombie:
        os.waitid(os.P_PID, zombie.pid, os.WEXITED | os.WNOWAIT)
        refused(t, "is a kernel thread or has ended", zombie.pid)


def test_wrong_usage(t):
    refused(t, "'x1' is no process id", "x1", status=2)
    refused(t, "'0' is no process id", "0", status=2)
    refused(t, "--nope is no option of scan", "--nope", status=2)
    refused(t, "--min-age: '3' is not understood; it takes a duration", "--min-age", "3", status=2)
    refused(t, "--limit: '-1' is not understood; it takes a number", "--limit=-1", status=2)
    refused(t, "--state: 'open' is not understood", "--state", "open", status=2)
    refused(t, "--state needs a value", "--state", status=2)


def test_help(t):
    text = scan(t, "--help", status=0).stdout
    for part in ("usage: closeguard scan", "--all-netns", "--json", "--limit N", "--min-age D", "--state S",
                 "-h, --help", "dead_socket", "It exits with 0"):
        t.check(part in text, f"{part!r} is not in the help")


if __name__ == "__main__":
    if not os.path.exists(COMMAND):
        sys.exit(f"not ok scan: {COMMAND} is missing: build it first")
    harness.main(__name__)
