#!/usr/bin/env python3
"""Functions and lines are those of `addr2line -i`, wherever the debug information is, and whoever has to find it."""

import http.server
import json
import os
import re
import shutil
import signal
import subprocess
import threading

import harness
from reports import as_json, log, without_names
import programs

PLACES = ("opened", "eof", "last_use")


def need_names():
    if harness.BARE:
        raise harness.Skip("ran bare")
    if not os.path.exists(os.path.join(harness.BUILD, "libcloseguard-dw.so")):
        raise harness.Skip("this build has no annex for names")


def killed(t, program, count=2, **env):
    """A program that leaked and was killed: its recorder is left."""
    need_names()
    app = t.start(program, count, status=-signal.SIGKILL, env=env)
    port = app.number("port")
    for _ in range(count):
        app.connect(port, b"question").shutdown(1)
    app.line("ready")
    app.finding("close_wait", "eof_ignored", pid=app.pid)
    os.kill(app.pid, signal.SIGKILL)
    app.process.wait()
    return app


def run(*command):
    return subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout


def addr2line(program, offset):
    """The lines of one address, the innermost inlined function first."""
    lines = run(harness.need("addr2line"), "-i", "-e", program, offset).splitlines()
    return [re.sub(r" \(discriminator.*", "", line) for line in lines]


def addresses(stack, module):
    """(offset, [file:line, …]) of each address in a module, in the order of the stack."""
    found, begins = [], True
    for one in stack:
        if begins:
            found.append((one["module"], one["offset"], []))
        found[-1][2].append(f"{one['file']}:{one['line']}" if one.get("file") else "??:0")
        begins = not one.get("inlined")
    return [(offset, lines) for name, offset, lines in found if name == module]


def same_place(one, other):
    file, _, line = one.rpartition(":")
    other_file, _, other_line = other.rpartition(":")
    same_line = (line, other_line) in ((other_line, line), ("0", "?")) if file == "??" else line == other_line
    return same_line and (file == other_file or os.path.realpath(file) == os.path.realpath(other_file))


def equal_to_addr2line(t, merged, program, module=None):
    """Returns how many addresses there were, and how many inlined functions among them."""
    checked, inlined = 0, 0
    for name in PLACES:
        for offset, lines in addresses(merged[name]["stack"], module or os.path.basename(program)):
            wanted = addr2line(program, offset)
            ok = len(lines) == len(wanted) and all(map(same_place, lines, wanted))
            t.check(ok, f"{name}, {offset}: {lines}, addr2line says {wanted}")
            checked, inlined = checked + 1, inlined + len(lines) - 1
    return checked, inlined


def test_c(t):
    app = killed(t, "prog_lines")
    checked, inlined = equal_to_addr2line(t, as_json(t, app.pid).expect(1).only(), app.argv[0])
    t.check(checked >= 5 and inlined >= 2, f"{checked} addresses, {inlined} inlined functions")


def test_cpp(t):
    app = killed(t, "prog_lines_cpp")
    merged = as_json(t, app.pid).expect(1).only()
    checked, inlined = equal_to_addr2line(t, merged, app.argv[0])
    t.check(checked >= 5 and inlined >= 4, f"{checked} addresses, {inlined} inlined functions")
    names = [one.get("function", "") for one in merged["opened"]["stack"]]
    t.check(any("take" in name for name in names) and any("serve<16" in name for name in names), f"names {names}")


def split(t, link):
    """A stripped program and its debug file, of prog_lines."""
    whole = programs.compile("prog_lines", harness.BUILD)
    objcopy = harness.need("objcopy")
    os.makedirs(os.path.join(t.dir, "bin"), exist_ok=True)
    stripped, debug = os.path.join(t.dir, "bin", "stripped"), os.path.join(t.dir, "stripped.debug")
    run(objcopy, "--only-keep-debug", whole, debug)
    if link:
        debug = shutil.move(debug, os.path.join(t.dir, "bin", "stripped.debug"))
        run(objcopy, "--strip-all", f"--add-gnu-debuglink={debug}", whole, stripped)
    else:
        run(objcopy, "--strip-all", whole, stripped)
    return whole, stripped, debug


def test_a_separate_debug_file(t):
    need_names()
    whole, stripped, _ = split(t, link=True)
    app = killed(t, stripped)
    merged = as_json(t, app.pid).expect(1).only()
    checked, inlined = equal_to_addr2line(t, merged, whole, "stripped")
    t.check(checked >= 5 and inlined >= 2, f"{checked} addresses, {inlined} inlined functions")
    t.equal(equal_to_addr2line(t, merged, stripped), (checked, inlined), "by the stripped file and its link")
    t.equal(merged["opened"]["stack"][0]["function"], "take", "the inlined function")


def bare_log(t, app):
    """What a process writes that had no time for names."""
    line = [one for one in app.events("finding") if one["pid"] == app.pid][-1]
    return without_names(line)


def test_a_log_without_names(t):
    """The module is found by name and build-id: in a folder, by a recorder that knows its path, or in a process."""
    need_names()
    lonely = os.path.join(t.dir, "bin", "lonely")  # others may run the original just now
    os.makedirs(os.path.dirname(lonely))
    shutil.copy(programs.compile("prog_lines", harness.BUILD), lonely)
    app = killed(t, lonely)
    path = log(t, "bare.log", {**bare_log(t, app), "host": "elsewhere"})
    nobody = as_json(t, path, PATH="/nowhere").expect(1).only()
    t.check("function" not in nobody["opened"]["stack"][0], f"names from nowhere: {nobody['opened']}")
    merged = as_json(t, path, PATH=f"/nowhere:{os.path.dirname(lonely)}").expect(1).only()
    t.check(equal_to_addr2line(t, merged, lonely)[0] >= 5, "by a folder")
    merged = as_json(t, path, app.pid, PATH="/nowhere").expect(1).only()
    t.equal(len(merged["processes"]), 2, "merged with the recorder")
    t.check(equal_to_addr2line(t, merged, lonely)[0] >= 5, "by a recorder")
    running = t.start(lonely, 0, watched=False)
    running.line("ready")
    merged = as_json(t, path, PATH="/nowhere").expect(1).only()
    t.check(equal_to_addr2line(t, merged, lonely)[0] >= 5, "by a running process")


def test_another_build_is_not_believed(t):
    """A file of that name whose build-id differs names nothing."""
    app = killed(t, "prog_lines")
    line = json.loads(json.dumps(bare_log(t, app)).replace(app_id(bare_log(t, app)), "77" * 20))
    folder = os.path.dirname(app.argv[0])
    merged = as_json(t, log(t, "other.log", line), PATH=folder).expect(1).only()
    own = [one for one in merged["opened"]["stack"] if one["module"] == "prog_lines"]
    t.check(own and not any("function" in one for one in own), f"names for {own}")


def app_id(line):
    return [one["build_id"] for one in line["opened"]["stack"] if one["module"] == "prog_lines"][0]


class Server(http.server.BaseHTTPRequestHandler):
    """A debuginfod."""

    files, asked = {}, []

    def do_GET(self):
        self.asked.append(self.path)
        data = self.files.get(self.path)
        self.send_response(200 if data else 404)
        self.send_header("Content-Length", str(len(data or b"")))
        self.end_headers()
        self.wfile.write(data or b"")

    def log_message(self, *_):
        pass


def test_debuginfod(t):
    """A stripped program without a link: the server that the user named has its debug information."""
    need_names()
    if "libdebuginfod.so.1" not in run("sh", "-c", "PATH=$PATH:/sbin:/usr/sbin; ldconfig -p"):
        raise harness.Skip("libdebuginfod.so.1 is not installed")
    whole, stripped, debug = split(t, link=False)
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Server)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    t.cleanups += [server.server_close, server.shutdown]
    settings = {"DEBUGINFOD_URLS": f"http://127.0.0.1:{server.server_port}",
                "DEBUGINFOD_CACHE_PATH": os.path.join(t.dir, "cache"),
                "no_proxy": "127.0.0.1", "HOME": t.dir}
    app = killed(t, stripped, **settings)
    t.equal(Server.asked, [], "what the watched process asked the server")
    merged = as_json(t, app.pid).expect(1).only()
    top = merged["opened"]["stack"][0]
    t.check("file" not in top, f"a line from nowhere: {top}")
    with open(debug, "rb") as file:
        Server.files[f"/buildid/{top['build_id']}/debuginfo"] = file.read()
    merged = as_json(t, app.pid, **settings).expect(1).only()
    checked, inlined = equal_to_addr2line(t, merged, whole, "stripped")
    t.check(checked >= 5 and inlined >= 2, f"{checked} addresses, {inlined} inlined functions")
    t.equal(len([path for path in Server.asked if top["build_id"] in path]), 1,
            "how often it was asked for the program")
    server.shutdown()
    server.server_close()
    again = as_json(t, log(t, "bare.log", bare_log(t, app)), **settings).expect(1).only()
    t.equal(equal_to_addr2line(t, again, whole, "stripped"), (checked, inlined), "from its cache, for a log")
    shutil.rmtree(settings["DEBUGINFOD_CACHE_PATH"])
    deaf = as_json(t, app.pid, **settings).expect(1)
    t.check("no debuginfod server of DEBUGINFOD_URLS answers: " in deaf.warnings(), f"warnings {deaf.warnings()!r}")


if __name__ == "__main__":
    harness.main(__name__)
