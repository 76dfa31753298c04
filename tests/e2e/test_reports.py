#!/usr/bin/env python3
"""The lines themselves: fields, places in the code, text, destinations, rotation, trouble with the log."""

import datetime
import fcntl
import os
import re
import resource
import socket
import stat
import subprocess
import time

import harness
import programs
from app import frame_of, groups_of
from harness import Skip

FIELDS = {"v", "event", "id", "time", "host", "pid", "app", "kind", "cause", "verdict", "confidence", "count",
          "oldest_age_s", "advice", "opened", "eof", "last_use", "sockets", "origin"}
SOCKET_FIELDS = {"fd", "state", "local", "peer", "age_s", "age_max_s", "age_source", "unread_bytes", "unsent_bytes",
                 "inode", "polled_by", "shared_with"}


def marks(name):
    """The lines of a program's source that carry a mark."""
    with open(os.path.join(harness.HERE, name), encoding="utf-8") as source:
        found = re.finditer(r"^.*/\* MARK (.*?) \*/.*$", source.read(), re.M)
        lines = {}
        for one in found:
            lines[one.group(1)] = one.string.count("\n", 0, one.start()) + 1
        return lines


def leak(t, count=1, program="prog_lines", **options):
    """A program with so many forgotten connections."""
    app = t.start(program, count, **options)
    port = app.number("port")
    for _ in range(count):
        peer = app.connect(port, b"question")
        peer.shutdown(socket.SHUT_WR)
    app.line("ready")
    return app


def test_the_forecast(t):
    """A leak that grows says when the descriptors will be gone, before they are."""
    limit = lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (1000, 1000))  # noqa: E731
    app = t.start("prog_lines", 40, preexec=limit)
    port = app.number("port")
    started = time.monotonic()
    for _ in range(40):
        peer = app.connect(port, b"question")
        peer.shutdown(socket.SHUT_WR)
        time.sleep(0.1)
    rate = 40 / (time.monotonic() - started)
    again = app.wait_for(lambda: [one for one in app.events("finding") if one.get("forecast_s")], "a forecast")
    wanted = 1000 / rate
    t.check(wanted / 4 < again[-1]["forecast_s"] < wanted * 4, f"{again[-1]['forecast_s']} s, at {rate} a second")


def test_the_fields_of_a_finding(t):
    app = leak(t, 2)
    one = app.finding("close_wait", "eof_ignored")
    t.equal(FIELDS - set(one), set(), "missing fields")
    t.equal((one["v"], one["event"], one["pid"], one["app"], one["host"]),
            (1, "finding", app.pid, "prog_lines", socket.gethostname()), "who speaks")
    told = datetime.datetime.strptime(one["time"], "%Y-%m-%dT%H:%M:%S.%fZ").replace(tzinfo=datetime.timezone.utc)
    late = abs((datetime.datetime.now(datetime.timezone.utc) - told).total_seconds())
    t.check(late < 10 * harness.SLOW, f"the time is {late} s from now")
    t.check(re.search(r"\.\d{3}Z$", one["time"]), f"milliseconds: {one['time']}")
    t.check(0 <= one["confidence"] <= 1, f"confidence {one['confidence']}")
    t.check(1 <= one["oldest_age_s"] < 20 * harness.SLOW, f"oldest_age_s {one['oldest_age_s']}")
    t.check(one["advice"].strip(), "no advice")
    for view in one["sockets"]:
        t.equal(SOCKET_FIELDS - set(view), set(), "missing fields of a socket")
        t.check(view["age_source"] in ("eof", "kernel", "first_seen"), f"age_source {view['age_source']}")
    for place in ("opened", "eof", "last_use"):
        t.equal({"call", "thread", "age_s", "stack"} - set(one[place]), set(), f"missing fields of {place}")
    for frame in one["opened"]["stack"]:
        t.equal({"module", "build_id", "offset"} - set(frame), set(), "missing fields of a frame")
        t.check(int(str(frame["offset"]), 16) >= 0, f"offset {frame['offset']}")


def build_id_of(path):
    notes = subprocess.check_output(["readelf", "-n", path], text=True)
    return re.search(r"Build ID: ([0-9a-f]+)", notes).group(1)


def app_frames(place):
    """A sanitizer's runtime stands between the program and the library, so its wrapper comes before the program."""
    runtime = f"lib{harness.SANITIZE}.so"
    return [frame for frame in place["stack"] if not (harness.SANITIZE and frame["module"].startswith(runtime))]


def named(frame):
    """TSan's own debug information is large, and a report's time for names is bounded."""
    if harness.SANITIZE == "tsan" and "file" not in frame:
        raise Skip("the time for names was over")
    return frame


def test_the_right_line(t):
    """An inlined helper of an optimised program: the top frames are its line, and then its caller's."""
    app = leak(t)
    wanted = marks("prog_lines.c")
    one = app.finding("close_wait", "eof_ignored")
    if not any(frame.get("line") for frame in one["opened"]["stack"]):
        raise Skip("no symbols: libdw is missing") if not os.path.exists(
            os.path.join(harness.BUILD, "libcloseguard-dw.so")) else harness.Failure(f"no lines in {one['opened']}")
    for place, caller in (("opened", "take"), ("eof", "more")):
        top, below = app_frames(one[place])[:2]
        t.equal((os.path.basename(named(top)["file"]), top["line"], top["function"]),
                ("prog_lines.c", wanted[place], caller), f"the top frame of {place}")
        t.equal(top.get("inlined"), True, f"{caller} is inlined")
        t.equal((below["function"], below["line"]), ("serve", wanted[f"{caller}'s caller"]), f"below {caller}")
    t.equal(frame_of(one["opened"]["stack"], "main").get("file", "").rsplit("/", 1)[-1], "prog_lines.c", "main's file")
    t.equal(app_frames(one["opened"])[0]["build_id"], build_id_of(app.argv[0]), "build_id")
    t.equal(one["opened"]["call"], "accept4", "the opening call")
    t.equal(one["eof"]["call"], "recv", "the call that returned 0")
    t.equal(one["last_use"]["call"], "write", "the last use")
    last = one["last_use"]["stack"][0]
    if not harness.SANITIZE:  # its runtime's wrapper is what called us, and a last use is one address only
        t.equal((last["function"], last["line"]), ("answer", wanted["last_use"]), "the last use's frame")


def test_offsets_agree_with_addr2line(t):
    app = leak(t)
    one = app.finding("close_wait", "eof_ignored")
    offset = str(app_frames(one["opened"])[0]["offset"])
    told = subprocess.check_output([harness.need("addr2line"), "-e", app.argv[0], offset], text=True)
    t.equal(told.split()[0].rsplit("/", 1)[-1], f"prog_lines.c:{marks('prog_lines.c')['opened']}", "addr2line")


def test_frames_of_ours_and_of_libc_are_not_shown(t):
    app = leak(t)
    one = app.finding("close_wait", "eof_ignored")
    for place in ("opened", "eof"):
        modules = [frame["module"] for frame in app_frames(one[place])]
        t.check(not any("closeguard" in module for module in modules), f"{place} goes through {modules}")
        t.equal(modules[0], "prog_lines", f"the top module of {place}")


def test_a_stripped_program_has_module_and_offset(t):
    path = programs.compile("prog_lines_stripped", harness.BUILD, ["-s"], "prog_lines")
    app = leak(t, program=path)
    one = app.finding("close_wait", "eof_ignored")
    top = app_frames(one["opened"])[0]
    t.equal(top["module"], "prog_lines_stripped", "module")
    t.equal(top["build_id"], build_id_of(path), "build_id")
    t.check(not top.get("line"), f"a stripped program has a line: {top}")


def test_frame_pointers_alone(t):
    if harness.SANITIZE == "tsan":
        raise harness.Skip("TSan's runtime has no frame pointers to follow")
    path = programs.compile("prog_lines_fp", harness.BUILD, ["-fno-omit-frame-pointer"], "prog_lines")
    app = leak(t, program=path, env={"CLOSEGUARD_STACKS": "fp"})
    one = app.finding("close_wait", "eof_ignored")
    names = [frame.get("function") for frame in one["opened"]["stack"]]
    t.equal(names[:2], ["take", "serve"], f"the frames of {names}")


def test_without_stacks_groups_are_by_call(t):
    app = leak(t, 2, env={"CLOSEGUARD_STACKS": "off"})
    one = app.finding("close_wait", "eof_ignored")
    t.equal(one["count"], 2, "count")
    t.equal((one["opened"] or {}).get("stack", []), [], "the opening stack")


def test_depth(t):
    app = leak(t, env={"CLOSEGUARD_DEPTH": "1"})
    one = app.finding("close_wait", "eof_ignored")
    offsets = {frame["offset"] for frame in one["opened"]["stack"]}
    t.equal(len(offsets), 1, f"addresses shown: {one['opened']['stack']}")


def test_text(t):
    app = leak(t, 2, env={"CLOSEGUARD_FORMAT": "text"})
    line = marks("prog_lines.c")["opened"]
    if harness.BARE:
        raise Skip("ran bare")
    text = app.wait_for(lambda: app.log() if "CLOSE_WAIT" in app.log() else None, "no text")
    head = text.splitlines()[0]
    t.check(f" closeguard: prog_lines[{app.pid}]: LEAK 2 sockets in CLOSE_WAIT" in head, f"headline {head!r}")
    t.check("recv" in head and "returned 0" in head, f"headline {head!r}")
    t.check(f"prog_lines.c:{line}" in text, f"no {line} in {text}")
    t.check("127.0.0.1:" in text, f"no addresses in {text}")
    t.check("\x1b" not in text, "colour in a file")


def test_text_and_json_agree(t):
    """One program in each format: the same count, state and places."""
    json_app = leak(t, 3)
    one = json_app.finding("close_wait", "eof_ignored")
    other = os.path.join(t.dir, "text")
    text_app = leak(t, 3, env={"CLOSEGUARD_FORMAT": "text", "CLOSEGUARD_LOG": other})
    text = text_app.wait_for(lambda: text_app.log() if "CLOSE_WAIT" in text_app.log() else None, "no text")
    t.check(f"LEAK {one['count']} sockets" in text, f"count {one['count']} is not in {text}")
    t.check(one["advice"] in " ".join(text.split()), f"the advice {one['advice']!r} is not in {text}")
    for place in ("opened", "eof"):
        top = named(one[place]["stack"][0])
        t.check(f"{os.path.basename(top['file'])}:{top['line']}" in text, f"{place}: {top} is not in {text}")


def test_stderr_is_the_default(t):
    app = leak(t, env={"CLOSEGUARD_LOG": None, "CLOSEGUARD_FORMAT": None}, stderr_empty=False)
    if harness.BARE:
        raise Skip("ran bare")
    app.wait_for(lambda: " closeguard: prog_lines[" in app.stderr(), lambda: f"stderr: {app.stderr()!r}")


def test_log_none(t):
    app = leak(t, env={"CLOSEGUARD_LOG": "none"})
    time.sleep(harness.QUIET_TIME * harness.SLOW)
    t.equal(app.stderr(), "", "stderr")


def test_log_path_with_percent_letters(t):
    app = leak(t, env={"CLOSEGUARD_LOG": os.path.join(t.dir, "%e.%p.%h.log")})
    app.log_path = os.path.join(t.dir, f"prog_lines.{app.pid}.{socket.gethostname()}.log")
    app.finding("close_wait", "eof_ignored")
    t.equal(stat.S_IMODE(os.stat(app.log_path).st_mode), 0o600, "the log's mode")


def test_log_rotation(t):
    """The file is renamed away: what comes later is in a new one."""
    app = t.start("prog_eof", "read", 6)
    port = app.number("port")
    app.connect(port, b"x").close()
    app.finding("close_wait")
    old = app.log_path + ".1"
    os.rename(app.log_path, old)
    for _ in range(5):
        app.connect(port, b"x").close()
    app.line("ready")
    t.check(app.finding("close_wait")["count"] >= 2, "the new file's finding")
    t.equal([one["count"] for one in app.events("finding", path=old)], [1], "the old file's findings")


def test_full_disk(t):
    """/dev/full answers ENOSPC: the program runs on, and stderr is told once at most."""
    app = leak(t, env={"CLOSEGUARD_LOG": "/dev/full"}, stderr_empty=False)
    time.sleep(harness.QUIET_TIME * harness.SLOW)
    t.check(app.process.poll() is None, "the program died")
    t.check(app.stderr().count("\n") <= 3, f"stderr: {app.stderr()}")


def test_a_full_file_system_leaves_no_half_line(t):
    """A tmpfs of one page in a mount namespace of its own: what is in the log is whole lines."""
    mount = os.path.join(t.dir, "small")
    os.mkdir(mount)
    path = programs.compile("prog_eof", harness.BUILD)
    script = (f"mount -t tmpfs -o size=4k none {mount} && head -c 3000 /dev/zero | tr '\\0' '\\n' > {mount}/log && "
              f"exec env LD_PRELOAD='{harness.preload()}' {path} read 1")
    if subprocess.run(["unshare", "-m", "true"], stderr=subprocess.DEVNULL).returncode:
        raise Skip("no mount namespace may be made here")
    app = t.start("/usr/bin/unshare", "-m", "sh", "-c", script, watched=False,
                  env={"CLOSEGUARD_LOG": f"{mount}/log"}, stderr_empty=False)
    app.connect(app.number("port"), b"x").close()
    app.line("ready")
    time.sleep(harness.QUIET_TIME * harness.SLOW)
    log = app.log(f"/proc/{app.pid}/root{mount}/log").lstrip("\n")
    t.check(log == "" or log.endswith("\n"), f"half a line: {log!r}")
    t.check(app.process.poll() is None, "the program died")


def test_closed_stderr(t):
    """Descriptor 2 is closed, and then a connection of the program takes its number: not a byte of ours goes there."""
    path = programs.compile("prog_eof", harness.BUILD)
    app = t.start("/bin/sh", "-c", f"exec 2>&-; LD_PRELOAD='{harness.preload()}' exec {path} read 2", watched=False,
                  env={"CLOSEGUARD_LOG": None})
    port = app.number("port")
    peers = [app.connect(port, b"x") for _ in range(2)]
    for peer in peers:
        peer.shutdown(socket.SHUT_WR)
    app.line("ready")
    time.sleep(harness.QUIET_TIME * harness.SLOW)
    t.check(app.process.poll() is None, "the program died")
    for peer in peers:
        peer.setblocking(False)
        try:
            got = peer.recv(4096)
        except BlockingIOError:
            got = b""
        t.equal(got, b"", "bytes that reached the peer")


def test_a_stuck_stderr_does_not_stop_the_program(t):
    """stderr is a pipe that nobody reads and that is full."""
    reading, writing = os.pipe()
    t.cleanups.append(lambda: (os.close(reading), os.close(writing)))
    fcntl.fcntl(writing, fcntl.F_SETFL, os.O_NONBLOCK)
    try:
        while os.write(writing, b"x" * 4096):
            pass
    except BlockingIOError:
        pass
    fcntl.fcntl(writing, fcntl.F_SETFL, 0)
    app = leak(t, env={"CLOSEGUARD_LOG": "stderr"}, stderr=writing)
    time.sleep(harness.QUIET_TIME * harness.SLOW)
    started = time.monotonic()
    app.finish()
    t.check(time.monotonic() - started < 20 * harness.SLOW, "the exit waited for the pipe")


def test_lost_reports_are_told(t):
    """stderr is a full pipe for a while: the first report that gets through again says what was lost."""
    reading, writing = os.pipe()
    t.cleanups.append(lambda: (os.close(reading), os.close(writing)))
    fcntl.fcntl(writing, fcntl.F_SETPIPE_SZ, 4096)
    os.write(writing, b"x" * 4096)
    app = t.start("prog_eof", "read", 6, env={"CLOSEGUARD_LOG": "stderr"}, stderr=writing)
    port = app.number("port")
    app.connect(port, b"x").close()
    time.sleep(2 * harness.QUIET_TIME * harness.SLOW)
    t.equal(os.read(reading, 4096), b"x" * 4096, "what was in the pipe")
    for _ in range(5):
        app.connect(port, b"x").close()
    app.line("ready")
    fcntl.fcntl(reading, fcntl.F_SETFL, os.O_NONBLOCK)
    got = []

    def told():
        try:
            got.append(os.read(reading, 4096))
        except BlockingIOError:
            pass
        return b" bytes of reports before this could not be written" in b"".join(got)

    app.wait_for(told, "no line says that reports were lost")


def test_a_log_whose_reader_is_gone(t):
    """stderr is a pipe without a reader: no SIGPIPE in the program."""
    reading, writing = os.pipe()
    os.close(reading)
    t.cleanups.append(lambda: os.close(writing))
    app = leak(t, env={"CLOSEGUARD_LOG": "stderr"}, stderr=writing)
    time.sleep(harness.QUIET_TIME * harness.SLOW)
    t.check(app.process.poll() is None, "the program died")


def test_resolved(t):
    app = t.start("prog_backlog")
    port = app.number("port")
    peers = [app.connect(port) for _ in range(4)]
    app.line("ready")
    for peer in peers[1:]:
        peer.close()
    told = app.finding("close_wait", "never_accepted")
    app.tell()
    app.line("drained")
    resolved = app.wait_for(lambda: app.events("resolved"), "no line says that it is over")[0]
    t.equal((resolved["kind"], resolved["cause"]), (told["kind"], told["cause"]), "what is resolved")
    t.equal(groups_of(app.dump()), [], "groups afterwards")


def test_the_summary_at_exit(t):
    app = leak(t, 3)
    app.finding("close_wait", "eof_ignored")
    app.finish()
    summaries = app.events("summary")
    t.equal(len(summaries), 1, "summaries at exit")
    t.equal([(one["cause"], one["count"]) for one in groups_of(summaries[0])], [("eof_ignored", 3)], "its groups")
    t.equal(len(os.listdir(app.recorders)), 1, "the recorder stays: it has something to say")


def test_two_places_make_two_groups(t):
    """The same bug at two places of one program is two findings, each with its own stack."""
    app = t.start("prog_unread", "idle", 2)
    port = app.number("port")
    app.connect(port).close()
    app.connect(port, b"unread").close()
    app.line("ready")
    app.expect("close_wait", "fin_unread", 1)
    app.expect("close_wait", "data_unread", 1)


def test_ipv6_addresses(t):
    script = ("import socket, sys\n"
              "s = socket.create_server(('::1', 0), family=socket.AF_INET6)\n"
              "print('port', s.getsockname()[1], flush=True)\n"
              "c = s.accept()[0]\n"
              "while c.recv(99): pass\n"
              "print('ready', flush=True)\n"
              "sys.stdin.read()\n")
    if not os.path.exists("/proc/net/if_inet6"):
        raise Skip("no IPv6 here")
    app = t.start("/usr/bin/python3", "-c", script)
    port = app.number("port")
    peer = socket.create_connection(("::1", port))
    mine = peer.getsockname()[1]
    peer.close()
    app.line("ready")
    group = app.expect("close_wait", "eof_ignored", 1)
    view = group["sockets"][0]
    t.equal((view["local"], view["peer"]), (f"[::1]:{port}", f"[::1]:{mine}"), "addresses")


if __name__ == "__main__":
    harness.main(__name__)
