#!/usr/bin/env python3
"""`closeguard report`: a recorder tells what the log told, whatever became of its process and of the file."""

import json
import os
import random
import re
import shutil
import signal
import socket
import struct
import subprocess
import time

import harness
from app import frame_of, groups_of

COMMAND = os.path.join(harness.BUILD, "closeguard")
CHUNK = 16384
SLOTS = 6389760  # where the slots begin, 128 bytes each
VERSION_AT = 8
PLACES = ("opened", "eof", "last_use", "connected", "closed", "here")
SUMMARY = {"v", "event", "time", "host", "pid", "app", "reason", "opened", "closed", "open_now", "eofs",
           "closed_in_time", "closed_late", "sweeps", "uptime_s", "groups", "process"}
GROUP = {"kind", "cause", "verdict", "confidence", "count", "oldest_age_s", "advice", "opened", "eof", "last_use",
         "sockets", "origin", "history"}
IDENTITY = ("host", "pid", "app")
SOCKET = {"fd", "state", "local", "peer", "age_s", "age_max_s", "age_source", "unread_bytes", "unsent_bytes", "inode",
          "polled_by", "shared_with"}


class Report:
    """What the command said: its status, its lines."""

    def __init__(self, t, *arguments, **settings):
        if harness.BARE:
            raise harness.Skip("ran bare")
        env = t.environment(**{"LD_PRELOAD": None, **settings})
        done = subprocess.run([COMMAND, "report", *map(str, arguments)], env=env, cwd=t.dir, stdin=subprocess.DEVNULL,
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=3 * harness.DEADLINE)
        self.t, self.status, self.arguments = t, done.returncode, arguments
        self.text, self.errors = done.stdout.decode(), done.stderr.decode(errors="backslashreplace")

    def document(self):
        return json.loads(self.text)

    def json(self, event="summary"):
        """What the merged document says of each process, as its own summary would; or its warnings."""
        if event == "warning":
            return [{"message": one} for one in self.document()["warnings"]]
        return [summary_of(self.document(), source) for source in self.document()["sources"]]

    def refused(self, pattern, status=3):
        """Nothing but one line."""
        self.t.equal((self.status, self.text), (status, ""), f"status and output; it said {self.errors!r}")
        self.t.check(re.fullmatch(r"closeguard: report: [^\n]*\n", self.errors), f"not one line: {self.errors!r}")
        self.t.check(re.search(pattern, self.errors), f"{self.errors!r} does not say {pattern!r}")


def summary_of(document, source):
    groups = []
    for finding in document["findings"]:
        groups += [{**finding, "count": one["count"]} for one in finding["processes"]
                   if [one[name] for name in IDENTITY] == [source[name] for name in IDENTITY] and one["count"]]
    return {"v": document["v"], "event": "summary", "time": source["to"], "reason": "recorder", "groups": groups,
            "process": source["process"], **{name: source[name] for name in IDENTITY}, **source["counters"]}


def one_report(t, argument, status):
    report = Report(t, "--format", "json", argument)
    t.equal((report.status, report.errors), (status, ""), "status and stderr")
    t.equal(len(report.json()), 1, f"summaries in {report.text!r}")
    return report.json()[0]


def leak(t, count=3, **options):
    """A program with so many forgotten connections, of which it has told."""
    app = t.start("prog_lines", count, **options)
    port = app.number("port")
    for _ in range(count):
        app.connect(port, b"question").shutdown(socket.SHUT_WR)
    app.line("ready")
    return app


def last_told(app, kind, cause=None, pid=None):
    """Waits until it is told and settled, and answers the last word of the log on it."""
    app.finding(kind, cause, pid=pid)
    time.sleep(0.6 * harness.SLOW)
    return [one for one in app.events("finding", pid=pid) if one["kind"] == kind and one["cause"] == cause][-1]


def places(stack):
    """The addresses of a stack. The library's time for names is bounded, the command's is not."""
    return list(dict.fromkeys((frame["module"], frame["offset"]) for frame in stack))


def names(stack):
    return [(frame["offset"], frame["function"], frame["line"]) for frame in stack if frame.get("line")]


def same_stack(t, told, retold, what):
    t.equal(places(retold), places(told), f"the addresses of {what}")
    missing = [one for one in names(told) if one not in names(retold)]
    t.check(harness.SANITIZE or not missing, f"{what}: the log has {missing}, the report {names(retold)}")


def same(t, told, retold):
    """The report's group says what the log's finding says, as far as it does not change with time."""
    for name in ("kind", "cause", "verdict", "count", "confidence", "advice", "origin"):
        t.equal(retold[name], told[name], name)
    for place in PLACES:
        t.equal(place in retold, place in told, f"is there {place}")
        if not told.get(place):
            t.equal(retold.get(place), told.get(place), place)
            continue
        t.equal(retold[place]["call"], told[place]["call"], f"the call of {place}")
        same_stack(t, told[place]["stack"], retold[place]["stack"], place)
    shown = [{(view["fd"], view["inode"]) for view in one["sockets"]} for one in (told, retold)]
    t.equal(shown[1], shown[0], "descriptors and inodes")


def group_of(t, summary, kind, cause):
    groups = [one for one in groups_of(summary) if (one["kind"], one["cause"]) == (kind, cause)]
    t.equal(len(groups), 1, f"groups {kind}/{cause} in {[(one['kind'], one['cause']) for one in groups_of(summary)]}")
    return groups[0]


def test_killed(t):
    """kill -9: nothing of the process is left but its recorder."""
    app = leak(t, status=-signal.SIGKILL)
    told = last_told(app, "close_wait", "eof_ignored")
    os.kill(app.pid, signal.SIGKILL)
    app.process.wait()
    summary = one_report(t, app.pid, 1)
    t.equal((summary["pid"], summary["app"], summary["host"]), (app.pid, "prog_lines", socket.gethostname()), "who")
    t.equal(summary["process"]["state"], "killed", "its state")
    group = group_of(t, summary, "close_wait", "eof_ignored")
    t.equal(group["count"], 3, "count")
    same(t, told, group)
    t.equal({(view["state"], view["local"], view["unread_bytes"]) for view in group["sockets"]}, {(None, None, None)},
            "what nobody knows any more")
    for place, function in (("opened", "take"), ("eof", "more")):
        top = group[place]["stack"][0]
        if os.path.exists(os.path.join(harness.BUILD, "libcloseguard-dw.so")) and not harness.SANITIZE:
            t.equal((top["function"], os.path.basename(top["file"])), (function, "prog_lines.c"), f"the top of {place}")
        t.equal(places([frame_of(told[place]["stack"])]), places([top]), f"the top of {place}")


def test_killed_in_words(t):
    app = leak(t, status=-signal.SIGKILL)
    last_told(app, "close_wait", "eof_ignored")
    os.kill(app.pid, signal.SIGKILL)
    app.process.wait()
    report = Report(t, app.pid)
    t.equal((report.status, report.errors), (1, ""), "status and stderr")
    t.check(f"\n\ncloseguard: prog_lines[{app.pid}]: summary (recorder): 1 finding outstanding\n" in report.text,
            f"the summary in {report.text!r}")
    t.check("LEAK 3 sockets in CLOSE_WAIT" in report.text, f"no headline in {report.text!r}")
    t.check(re.search(r"process .*killed or crashed; ages are as of its last sweep, 20\d\d-", report.text),
            f"no state in {report.text!r}")


def test_the_course(t):
    """A recorder knows how it came to be so many, also of a process that was killed; a log of it adds no more."""
    app = t.start("prog_lines", 6, status=-signal.SIGKILL)
    port = app.number("port")
    def points():
        timeline = Report(t, "--format", "json", app.pid).document()["timeline"]
        t.equal([one["time"] for one in timeline], sorted(one["time"] for one in timeline), "the order")
        return [one["count"] for one in timeline]
    for count in range(1, 4):
        app.connect(port, b"question").shutdown(socket.SHUT_WR)
        app.wait_for(lambda n=count: points()[-1] == n, lambda n=count: f"{points()} does not end with {n}")
        time.sleep(1.1)
    course = points()
    os.kill(app.pid, signal.SIGKILL)
    app.process.wait()
    for told in (course, points()):
        t.check(told[0] == 0 and told == sorted(told) and {0, 1, 2, 3} == set(told), f"the course {told}")


def test_the_fields(t):
    app = leak(t)
    last_told(app, "close_wait", "eof_ignored")
    summary = one_report(t, app.pid, 1)
    t.equal(SUMMARY - set(summary), set(), "missing fields")
    t.equal((summary["v"], summary["event"], summary["reason"]), (1, "summary", "recorder"), "what it is")
    group = group_of(t, summary, "close_wait", "eof_ignored")
    t.equal(GROUP - set(group), set(), "missing fields of the group")
    t.equal(len(group["sockets"]), 3, "sockets")
    for view in group["sockets"]:
        t.equal(SOCKET - set(view), set(), "missing fields of a socket")
        t.equal(os.readlink(f"/proc/{app.pid}/fd/{view['fd']}"), f"socket:[{view['inode']}]", "the descriptor")
        t.check(1 <= view["age_s"] <= 60 * harness.SLOW and view["age_source"] == "eof", f"age of {view}")
    t.check(1 <= group["oldest_age_s"] <= 60 * harness.SLOW, f"oldest_age_s {group['oldest_age_s']}")
    t.equal(os.path.dirname(summary["process"]["recorder"]), app.recorders, "the recorder's directory")


def test_a_living_process(t):
    """The counters are those that the process gives itself, and it runs on."""
    app = leak(t)
    told = last_told(app, "close_wait", "eof_ignored")
    own = app.dump()
    summary = one_report(t, app.pid, 1)
    t.equal(summary["process"]["state"], "running", "its state")
    same(t, told, group_of(t, summary, "close_wait", "eof_ignored"))
    for name in ("opened", "closed", "open_now", "eofs", "closed_in_time", "closed_late", "findings", "adopted"):
        t.equal(summary[name], own[name], name)
    said = ("state", "local", "peer", "unread_bytes", "unsent_bytes")
    views = lambda group: {view["fd"]: [view[name] for name in said] for view in group["sockets"]}
    t.equal(views(group_of(t, summary, "close_wait", "eof_ignored")), views(told), "the kernel's word of the sockets")
    t.equal(group_of(t, summary, "close_wait", "eof_ignored")["opened"]["thread"], "prog_lines", "the thread's name")


def test_a_stopped_process_is_not_touched(t):
    app = leak(t)
    told = last_told(app, "close_wait", "eof_ignored")
    os.kill(app.pid, signal.SIGSTOP)
    t.cleanups.append(lambda: app.process.poll() is None and os.kill(app.pid, signal.SIGCONT))
    def status():
        with open(f"/proc/{app.pid}/status", encoding="utf-8") as text:
            return re.search(r"^State:\s*(.)", text.read(), re.M).group(1)
    app.wait_for(lambda: status() == "T", "it does not stop")
    summary = one_report(t, app.pid, 1)
    t.equal(status(), "T", "the process's state afterwards")
    t.equal(summary["process"]["state"], "running", "its state")
    same(t, told, group_of(t, summary, "close_wait", "eof_ignored"))
    os.kill(app.pid, signal.SIGCONT)


def test_other_ends(t):
    """abort, exit and exec: each leaves its recorder, which says how it ended."""
    for how, status, state in (("abort", -signal.SIGABRT, "killed"), ("exit", 0, "exited"), ("_exit", 0, "exited"),
                               ("exec", 0, "execed")):
        app = t.start("prog_end", how, status=status)
        app.line("ready")
        told = last_told(app, "close_wait", "eof_ignored", app.pid)
        app.tell()
        t.equal(app.process.wait(harness.DEADLINE), status, f"the status after {how}")
        summary = one_report(t, app.pid, 1)
        t.equal(summary["process"]["state"], state, f"the state after {how}")
        same(t, told, group_of(t, summary, "close_wait", "eof_ignored"))


def test_mistakes_are_retold(t):
    """A double close and a use after close are events: no socket is left of them."""
    listening = socket.create_server(("127.0.0.1", 0))
    t.cleanups.append(listening.close)
    for how, kind in (("double", "double_close"), ("read", "use_after_close")):
        app = t.start("prog_misuse", how, listening.getsockname()[1])
        app.line("result")
        told = last_told(app, kind, pid=app.pid)
        summary = one_report(t, app.pid, 0)
        same(t, told, group_of(t, summary, kind, None))
        t.equal(group_of(t, summary, kind, None).get("errno"), told.get("errno"), "errno")


def test_late_closes_are_retold(t):
    """They were told as leaked before they were closed: the report's answer is no, as the log's readers know."""
    app = t.start("prog_late", 3, 2500)
    port = app.number("port")
    for _ in range(3):
        app.connect(port).close()
    app.line("ready")
    app.finding("close_wait", "late_close")
    time.sleep(0.6 * harness.SLOW)
    own = group_of(t, app.dump(), "close_wait", "late_close")
    retold = group_of(t, one_report(t, app.pid, 1), "close_wait", "late_close")
    for name in ("verdict", "count"):
        t.equal(retold[name], own[name], name)
    for place in ("opened", "eof"):
        t.equal(places(retold[place]["stack"]), places(own[place]["stack"]), f"the stack of {place}")
    t.equal(retold["eof"]["call"], "read", "the call that returned 0")


def test_a_backlog_is_retold(t):
    """Connections that were never accepted have no descriptor; the listener's opening is told."""
    app = t.start("prog_backlog")
    port = app.number("port")
    peers = [app.connect(port) for _ in range(4)]
    app.line("ready")
    for peer in peers[1:]:
        peer.close()
    told = last_told(app, "close_wait", "never_accepted")
    group = group_of(t, one_report(t, app.pid, 1), "close_wait", "never_accepted")
    t.equal((group["count"], group["verdict"]), (told["count"], told["verdict"]), "count and verdict")
    for name in ("call", "thread"):
        t.equal(group["opened"][name], told["opened"][name], f"{name} of the listener's opening")
    t.equal(places(group["opened"]["stack"]), places(told["opened"]["stack"]), "stack of the listener's opening")


HEALTHY = r"""
import socket, sys
listening = socket.create_server(("127.0.0.1", 0))
print("port", listening.getsockname()[1], flush=True)
kept = listening.accept()[0]
print("ready", flush=True)
sys.stdin.read()
"""


def test_a_healthy_process(t):
    app = t.start("/usr/bin/python3", "-c", HEALTHY)
    app.connect(app.number("port"))
    app.line("ready")
    app.wait_for(lambda: harness.BARE or os.listdir(app.recorders), "no recorder")
    time.sleep(0.5 * harness.SLOW)
    summary = one_report(t, app.pid, 0)
    t.equal(groups_of(summary), [], "groups")
    t.check("nothing outstanding" in Report(t, app.pid).text, "the words of a healthy process")


def test_all_of_a_directory(t):
    """Without arguments: every process, the newest first."""
    t.equal((lambda report: (report.status, report.text))(Report(t)), (0, ""), "an empty directory")
    apps = []
    for _ in range(3):
        apps.append(leak(t, 1))
        apps[-1].wait_for(lambda: harness.BARE or len(os.listdir(apps[-1].recorders)) == len(apps), "no recorder")
        time.sleep(0.05)
    for app in apps:
        app.finding("close_wait", "eof_ignored", pid=app.pid)
    report = Report(t, "--format", "json")
    t.equal((report.status, report.errors), (1, ""), "status and stderr")
    t.equal([one["pid"] for one in report.json()], [app.pid for app in reversed(apps)], "the processes")
    both = Report(t, apps[0].pid, apps[2].pid, "--format=json")
    t.equal([one["pid"] for one in both.json()], [apps[0].pid, apps[2].pid], "two of them")
    nowhere = Report(t, CLOSEGUARD_DIR=os.path.join(t.dir, "nothing"))
    t.equal((nowhere.status, nowhere.text), (0, ""), "no directory")


def test_wrong_usage(t):
    for pattern, *arguments in (("text, json, folded or html", "--format", "xml"), ("no option", "--colour"),
                                ("no process id", "0"),
                                ("needs a value", "--format"), ("no process id", "99999999999999999999999")):
        Report(t, *arguments).refused(pattern, 2)
    shown = Report(t, "--help")
    t.check(shown.status == 0 and "--format" in shown.text, f"the help: {shown.text!r}")


def test_an_unknown_process(t):
    with open("/proc/sys/kernel/pid_max", encoding="ascii") as limit:
        pid = int(limit.read())  # numbers end below it
    Report(t, pid).refused(f"has no recorder of a process {pid};")
    Report(t, os.getpid()).refused(f"has no recorder of the process {os.getpid()};")


def a_recorder(t, count=2):
    """The recorder of a killed process that leaked, outside of its directory."""
    app = leak(t, count, status=-signal.SIGKILL)
    last_told(app, "close_wait", "eof_ignored")
    os.kill(app.pid, signal.SIGKILL)
    app.process.wait()
    name = [name for name in os.listdir(app.recorders) if name.startswith(f"{app.pid}.")][0]
    path = os.path.join(t.dir, "kept.rec")
    shutil.copyfile(os.path.join(app.recorders, name), path)
    return path


class Image:
    """A recorder's bytes, which are mostly zeros: copies of it are sparse."""

    def __init__(self, path):
        self.chunks = {}
        with open(path, "rb") as file:
            self.size = os.fstat(file.fileno()).st_size
            for at in range(0, self.size, CHUNK):
                chunk = file.read(CHUNK)
                if chunk.strip(b"\0"):
                    self.chunks[at] = chunk
        # Regions lie apart: the first chunk of each run is where its elements begin.
        self.starts = [at for at in self.chunks if at - CHUNK not in self.chunks] + [0]

    def write(self, path, size=None, changes=()):
        size = self.size if size is None else size
        with open(path, "wb") as file:
            for at, chunk in self.chunks.items():
                if at < size:
                    file.seek(at)
                    file.write(chunk[:size - at])
            for at, change in changes:
                if at < size:
                    file.seek(at)
                    file.write(change[:size - at])
            file.truncate(size)
        return path


def all_answered(t, paths, form, what):
    """Each file is a report or one line, the status is one of those of the manual, and nothing reaches a terminal."""
    report = Report(t, "--format", form, *paths)
    t.check(report.status in (0, 1, 3), f"{what}: status {report.status}: {report.errors[-800:]!r}")
    lines = report.errors.splitlines()
    if form == "json":
        told = len(report.json())
    else:
        told = len(re.findall(r"^closeguard: .*\[-?\d+\]: summary \(recorder\): ", report.text, re.M))
    t.equal(told + len(lines), len(paths), f"{what}: reports and lines ({report.errors!r})")
    for line in lines:
        t.check(line.startswith("closeguard: report: ") and t.dir in line, f"{what}: {line!r}")
    ugly = re.search(r"[^\n\x20-\U0010ffff]" if form == "json" else r"[^\n\x20-\x7e\u00a0-\U0010ffff]", report.text)
    t.check(not ugly, f"{what}: {ugly and ugly.group()!r} in the output")
    return report


def test_truncated_at_many_lengths(t):
    image = Image(a_recorder(t))
    edges = sorted({0, image.size} | set(image.chunks) | {at + CHUNK for at in image.chunks})
    lengths = {edge + by for edge in edges for by in (-1, 0, 1)}
    lengths |= {1, 7, 8, 9, 11, 12, 13, 16, 100, 400, 800, 1000, 4096}
    lengths |= set(random.Random(1).sample(range(image.size), 40))
    paths = [image.write(os.path.join(t.dir, f"cut.{length}.rec"), length) for length in sorted(lengths)
             if 0 <= length < image.size]
    for at in range(0, len(paths), 30):
        all_answered(t, paths[at:at + 30], ("json", "text")[at // 30 % 2], f"lengths from {paths[at]}")
    short = [path for path in paths if os.path.getsize(path) < 400]
    t.equal(Report(t, *short).text, "", "what is told of less than a header")
    Report(t, image.write(os.path.join(t.dir, "header.rec"), 400)).refused("ends after 400 bytes, .* header has")
    slots = max(image.chunks)
    cut = Report(t, "--format", "json", image.write(os.path.join(t.dir, "slots.rec"), slots))
    t.equal(cut.status, 1, "status without the slots")
    t.equal(group_of(t, cut.json()[0], "close_wait", "eof_ignored")["count"], 2, "count without the slots")
    t.check(any("ends after" in one["message"] for one in cut.json("warning")), f"no warning in {cut.text}")


def test_lost_findings_are_no_good_news(t):
    """The header still knows that something was leaked."""
    image = Image(a_recorder(t))
    close_wait_eof_ignored = struct.pack("=II", 1, 1)
    at = [at for at, chunk in image.chunks.items() if chunk[4:12] == close_wait_eof_ignored]
    t.equal(len(at), 1, "the chunk of the findings")
    report = Report(t, "--format=json", image.write(os.path.join(t.dir, "lost.rec"), None, [(at[0] + 4, b"\xff")]))
    t.equal((report.status, groups_of(report.json()[0])), (1, []), "status and groups")
    warnings = " ".join(one["message"] for one in report.json("warning"))
    t.check("findings damaged and left out: 1" in warnings and "2 sockets are leaked, and 0" in warnings, warnings)


def test_what_a_newer_version_noted_is_unknown(t):
    """A leak of a cause, or of a kind, that this version has no name for is a leak; so is one with unknown calls."""
    image = Image(a_recorder(t))
    findings = next(at for at, chunk in image.chunks.items() if chunk[4:12] == struct.pack("=II", 1, 1))
    known = Report(t, "--format=json", image.write(os.path.join(t.dir, "known.rec"))).json()[0]["groups"][0]
    for field, at in (("cause", 8), ("kind", 4)):
        path = image.write(os.path.join(t.dir, field + ".rec"), None, [(findings + at, struct.pack("=I", 40))])
        report = Report(t, "--format=json", path)
        groups = report.json()[0]["groups"]
        t.equal([(one[field], one["verdict"], one["count"]) for one in groups], [("unknown", "leak", known["count"])],
                f"groups with another {field}")
        warnings = " ".join(one["message"] for one in report.json("warning"))
        t.check("shown as unknown: 1" in warnings and "damaged" not in warnings, warnings)
        t.equal(report.status, 1, "status")
        t.equal(Report(t, path).status, 1, "status of the text")
    calls = image.write(os.path.join(t.dir, "calls.rec"), None,
                        [(at + offset + field, b"\xfa") for at, chunk in image.chunks.items() if at >= SLOTS
                         for offset in range(0, CHUNK, 128) if chunk[offset + 4] == 1 and chunk[offset + 24] & 1
                         for field in (7, 126)])
    report = Report(t, "--format=json", calls)
    group, = report.json()[0]["groups"]
    t.equal((group["count"], group["opened"]["call"], group["eof"]["call"]), (known["count"], "?", "?"), "the calls")
    t.check(any("does not know: 2;" in one["message"] for one in report.json("warning")), report.json("warning"))
    t.check("an unknown call" in Report(t, calls).text, "an unknown call in the text")


def test_corrupted_in_many_ways(t):
    image = Image(a_recorder(t))
    for batch in range(20):
        chance, paths = random.Random(batch), []
        for number in range(25):
            changes = []
            for _ in range(chance.choice((1, 1, 3, 20, 200))):
                start = chance.choice(image.starts + list(image.chunks))
                at = start + chance.choice((chance.randrange(64), chance.randrange(1024), chance.randrange(CHUNK)))
                # The magic number and the version are tried by themselves, and would hide the rest.
                at = at + 12 if at < 12 else at
                value = chance.choice((b"\0" * 8, b"\xff" * 8, b"\x01", chance.randbytes(1), chance.randbytes(4),
                                       chance.randbytes(8), chance.randbytes(60)))
                changes.append((at, value))
            paths.append(image.write(os.path.join(t.dir, f"bad.{batch}.{number}.rec"), None, changes))
        all_answered(t, paths, ("json", "text")[batch % 2], f"batch {batch}")
        for path in paths:
            os.remove(path)


def test_hostile_names(t):
    """What another process wrote moves nobody's cursor, and forges no line."""
    image = Image(a_recorder(t))
    at = image.chunks[0].index(b"prog_lines\0")
    bad = image.write(os.path.join(t.dir, "bad.rec"), None, [(at, b"\x1b[2Jx\nclo\xff")])
    report = all_answered(t, [bad], "text", "a name")
    t.check("?[2Jx?clo?" in report.text, f"the name in {report.text[:200]!r}")
    all_answered(t, [bad], "json", "a name")
    endless = image.write(os.path.join(t.dir, "endless.rec"), None, [(at, b"A" * 384)])
    t.check("A" * 63 + "[" in all_answered(t, [endless], "text", "texts without an end").text, "the name's end")


def test_other_versions(t):
    image = Image(a_recorder(t))
    for version in (0, 1, 7, 1 << 24, 0xffffffff):
        path = image.write(os.path.join(t.dir, "other.rec"), None, [(VERSION_AT, struct.pack("=I", version))])
        Report(t, path).refused(rf"other\.rec is a recorder of version {version}, this command reads version \d+;")
    Report(t, image.write(path, None, [(0, b"\0" * 8)])).refused("begins with zeros")
    Report(t, image.write(path, None, [(0, b"X")])).refused("is no recorder: .* \"CLOSEGD\"")


def test_what_is_no_file(t):
    path = a_recorder(t)
    place = lambda name: os.path.join(t.dir, name)
    os.symlink(path, place("link.rec"))
    os.mkfifo(place("fifo.rec"))
    with open(place("log.rec"), "w", encoding="utf-8") as log:
        log.write('{"v":1,"event":"finding"}\n' * 100)
    Report(t, place("link.rec")).refused("link.rec is a symbolic link")
    Report(t, place("fifo.rec")).refused("fifo.rec is no regular file")
    Report(t, "/dev/zero").refused("/dev/zero is no regular file")
    Report(t, t.dir).refused("is a directory")
    Report(t, place("log.rec")).refused("is no recorder")
    Report(t, place("nothing.rec")).refused("cannot be read: No such file")
    both = Report(t, place("nothing.rec"), path, "--format=json")
    t.equal((both.status, len(both.json())), (3, 1), "one that is there beside one that is not")


def test_another_host(t):
    """A pid of another host is not looked for on this one."""
    image = Image(a_recorder(t))
    at = image.chunks[0].index(socket.gethostname().encode() + b"\0", image.chunks[0].index(b"prog_lines\0") + 10)
    path = image.write(os.path.join(t.dir, "far.rec"), None, [(at, b"elsewhere\0")])
    summary = one_report(t, path, 1)
    t.equal((summary["host"], summary["process"]["state"]), ("elsewhere", "unknown"), "host and state")


if __name__ == "__main__":
    harness.main(__name__)
