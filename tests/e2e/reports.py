"""Runs `closeguard report`, and makes logs for it that no program had to be run for."""

import copy
import json
import os
import subprocess

import harness

COMMAND = os.path.join(harness.BUILD, "closeguard")
BUILD_ID = "5f" * 20


class Answer:
    """What the command said."""

    def __init__(self, t, done):
        self.t, self.status = t, done.returncode
        self.text, self.errors = done.stdout.decode(), done.stderr.decode(errors="backslashreplace")

    def document(self):
        return json.loads(self.text)

    def findings(self):
        return self.document()["findings"]

    def warnings(self):
        return " | ".join(self.document()["warnings"])

    def only(self):
        """The one finding that there is."""
        self.t.equal(len(self.findings()), 1, f"findings in {self.text[:2000]}")
        return self.findings()[0]

    def expect(self, status, errors=""):
        self.t.equal((self.status, self.errors), (status, errors), "status and stderr")
        return self


def report(t, *arguments, given=b"", **settings):
    """Runs the command without a terminal; `given` is its standard input."""
    if harness.BARE:
        raise harness.Skip("ran bare")
    env = t.environment(**{"LD_PRELOAD": None, "LC_ALL": "C.UTF-8", "DEBUGINFOD_URLS": None, **settings})
    return Answer(t, subprocess.run([COMMAND, "report", *map(str, arguments)], env=env, cwd=t.dir, input=given,
                                    stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=3 * harness.DEADLINE))


def as_json(t, *arguments, **settings):
    return report(t, "--format", "json", *arguments, **settings)


def without_answer(text):
    """What comes after the table of the heaviest findings, which ends with an empty line."""
    return text.split("\n\n", 1)[1]


def frame(offset, function=None, line=0, module="app", build_id=BUILD_ID, inlined=False):
    made = {"module": module, "build_id": build_id, "offset": hex(offset)}
    if function:
        made.update(function=function, file=f"/src/{module}/{function}.c", line=line or 10)
    if inlined:
        made["inlined"] = True
    return made


def place(call, *frames):
    return {"call": call, "thread": "main", "age_s": 31.5, "stack": list(frames)}


def socket(fd, age=31.5):
    return {"fd": fd, "state": "CLOSE_WAIT", "local": "127.0.0.1:80", "peer": f"127.0.0.1:{40000 + fd}", "age_s": age,
            "age_max_s": age + 1, "age_source": "eof", "unread_bytes": 0, "unsent_bytes": 0, "inode": 1000 + fd,
            "polled_by": None, "shared_with": []}


def time(second):
    return f"2026-03-01T12:{second // 60:02}:{second % 60:02}.000Z"


OPENED = (frame(0x1100, "serve", 20), frame(0x1200, "main", 5))


def finding(count=3, second=0, opened=OPENED, **changes):
    """A line of a log, as INTERFACE has it."""
    line = {"v": 1, "event": "finding", "time": time(second), "host": "web1", "pid": 100, "app": "app",
            "kind": "close_wait", "cause": "eof_ignored", "verdict": "leak", "confidence": 0.95, "count": count,
            "oldest_age_s": 31.5, "advice": "close it", "origin": "seen", "opened": place("accept4", *opened),
            "eof": place("read", frame(0x1300, "more", 30), *opened),
            "last_use": place("write", frame(0x1400, "answer", 40)),
            "sockets": [socket(fd) for fd in range(4, 4 + min(count, 16))],
            "history": {"opened": 10, "closed": 7, "closed_in_time": 6, "closed_late": 1, "never_closed": count,
                        "delays_ms": [0, 2] + [0] * 16 + [1, 4]}}
    line.update(changes)
    return line


def summary(*groups, second=0, reason="signal", **changes):
    groups = [{key: value for key, value in one.items() if key not in ("v", "event", "time", "host", "pid", "app")}
              for one in groups]
    return {"v": 1, "event": "summary", "time": time(second), "host": "web1", "pid": 100, "app": "app",
            "reason": reason, "opened": 12, "closed": 7, "open_now": 5, "eofs": 9, "sweeps": 60, "uptime_s": 60.5,
            "groups": groups, **changes}


def log(t, name, *lines):
    """Writes a log of lines, which are objects, text or bytes."""
    path = os.path.join(t.dir, name)
    with open(path, "wb") as file:
        for line in lines:
            text = line if isinstance(line, (str, bytes)) else json.dumps(line, separators=(",", ":"))
            file.write(text if isinstance(text, bytes) else text.encode() + b"\n")
    return path


def without_names(line):
    """As a process writes it that had no time for names, or no debug information."""
    bare = copy.deepcopy(line)
    for name in ("opened", "eof", "last_use"):
        if bare.get(name):
            seen = dict.fromkeys((one["module"], one["build_id"], one["offset"]) for one in bare[name]["stack"])
            bare[name]["stack"] = [dict(zip(("module", "build_id", "offset"), one)) for one in seen]
    return bare
