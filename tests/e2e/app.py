"""One program under test: its lines, its log, and what the library says of it against the kernel's word."""

import json
import os
import queue
import signal
import socket
import subprocess
import threading
import time

import harness
import kernel
import summaries

KERNEL_CAUSES = ("eof_ignored", "fin_unread", "data_unread", "never_accepted")


class App:
    """A program that writes lines on stdout, obeys lines on stdin and ends at stdin's end."""

    def __init__(self, test, argv, environment, status=0, stderr_empty=True, cwd=None, stdin=subprocess.PIPE,
                 preexec=None, stderr=None, pass_fds=()):
        self.test, self.argv, self.status, self.stderr_empty = test, argv, status, stderr_empty
        self.errors = os.path.join(test.dir, f"stderr.{len(test.apps)}")
        self.log_path = environment.get("CLOSEGUARD_LOG", "")
        self.recorders = environment.get("CLOSEGUARD_DIR", "")
        self.lines, self.stdout, self.others = queue.Queue(), [], []
        with open(self.errors, "wb") as errors:
            self.process = subprocess.Popen(argv, stdin=stdin, stdout=subprocess.PIPE, stderr=stderr or errors,
                                            env=environment, cwd=cwd or test.dir, start_new_session=True,
                                            preexec_fn=preexec, pass_fds=pass_fds)
        self.pid = self.process.pid
        self.reader = threading.Thread(target=self.read_lines, daemon=True)
        self.reader.start()

    def read_lines(self):
        for line in self.process.stdout:
            text = line.decode(errors="replace").rstrip("\n")
            self.stdout.append(text)
            self.lines.put(text)
        self.lines.put(None)

    def line(self, prefix="", timeout=None):
        """The program's next line that begins with prefix, without it."""
        deadline = time.monotonic() + (timeout or harness.DEADLINE)
        while True:
            try:
                text = self.lines.get(timeout=max(0.01, deadline - time.monotonic()))
            except queue.Empty:
                raise harness.Failure(f"the program did not say {prefix!r} in time; it said {self.stdout}") from None
            if text is None:
                raise harness.Failure(f"the program ended ({self.process.wait()}) before it said {prefix!r}; "
                                      f"it said {self.stdout}")
            if text.startswith(prefix):
                return text[len(prefix):].strip()

    def number(self, prefix):
        return int(self.line(prefix))

    def tell(self, text="go"):
        self.process.stdin.write(text.encode() + b"\n")
        self.process.stdin.flush()

    def connect(self, port, send=b""):
        """A peer, unwatched: it lives in the test itself."""
        peer = socket.create_connection(("127.0.0.1", port), timeout=harness.DEADLINE)
        self.others.append(peer)
        if send:
            peer.sendall(send)
        return peer

    def stderr(self):
        with open(self.errors, encoding="utf-8", errors="replace") as errors:
            return errors.read()

    def log(self, path=None):
        try:
            with open(path or self.log_path, encoding="utf-8") as log:
                return log.read()
        except OSError:
            return ""

    def events(self, event=None, path=None, pid=None):
        """The complete lines of the log, in order."""
        text = self.log(path)
        lines = text[:text.rfind("\n") + 1].splitlines()
        try:
            found = summaries.joined([json.loads(line) for line in lines])
        except ValueError:
            raise harness.Failure(f"a line of the log is not JSON: {lines}") from None
        return [one for one in found if (not event or one["event"] == event) and (not pid or one["pid"] == pid)]

    def wait_for(self, condition, what, timeout=None):
        """Waits until condition() is true and returns its value."""
        deadline = time.monotonic() + (timeout or harness.DEADLINE)
        while True:
            value = condition()
            if value:
                return value
            if time.monotonic() > deadline:
                raise harness.Failure(f"timed out: {what() if callable(what) else what}")
            time.sleep(0.05)

    def dump(self, pid=None):
        """Asks for a summary by the dump signal and returns it."""
        if harness.BARE:
            raise harness.Skip("ran bare; the programs and the kernel agreed")
        before = len(self.events("summary", pid=pid))  # other processes may write theirs to the same log
        os.kill(pid or self.pid, signal.SIGUSR2)
        held_back = harness.SANITIZE == "tsan"
        try:
            return self.wait_for(lambda: self.events("summary", pid=pid)[before:], "the dump signal brought no summary",
                                 20 if held_back else None)[0]
        except harness.Failure:
            if held_back and os.path.exists(f"/proc/{pid or self.pid}"):
                raise harness.Skip("TSan keeps a signal back while the program waits inside a call") from None
            raise

    def finding(self, kind, cause=None, timeout=None, pid=None):
        """The first finding of the kind and cause."""
        if harness.BARE:
            raise harness.Skip("ran bare; the programs and the kernel agreed")
        def look():
            return [one for one in self.events("finding", pid=pid) if matches(one, kind, cause)]
        told = lambda: f"no finding {kind} {cause}; there is {[brief(one) for one in self.events('finding')]}"
        return self.wait_for(look, told, timeout)[0]

    def expect(self, kind, cause, count, pid=None):
        """A finding is told by itself; a dump at this moment counts what the kernel counts. Returns the group."""
        if kind == "close_wait" and cause in KERNEL_CAUSES:
            self.expect_kernel(cause, count, pid or self.pid)
        self.finding(kind, cause, pid=pid)
        patience = time.monotonic() + 15 * harness.SLOW
        while True:  # the first of a long burst are old enough before the last
            groups = [one for one in groups_of(self.dump(pid)) if matches(one, kind, cause)]
            found = sum(one["count"] for one in groups)
            if found >= count or time.monotonic() > patience:
                break
            time.sleep(0.3)
        if found != count:
            raise harness.Failure(f"{kind}/{cause}: {found} sockets told, the kernel has {count}")
        for group in groups:
            self.check_sockets(group, pid or self.pid)
        if kind == "close_wait" and cause in KERNEL_CAUSES:
            self.expect_kernel(cause, count, pid or self.pid)
        return groups[0]

    def expect_kernel(self, cause, count, pid=None):
        """So many sockets in CLOSE_WAIT, for this cause, are what the kernel has."""
        def look():
            return [one for one in kernel.close_waits(pid or self.pid) if one.cause() == cause]
        self.wait_for(lambda: len(look()) == count,
                      lambda: f"the program itself: {kernel.tcp_of(pid or self.pid)}, wanted {count} {cause}")

    def check_sockets(self, group, pid):
        """Each socket of the finding is the kernel's: descriptor, inode, state, addresses, unread bytes."""
        by_inode = {tcp.inode: tcp for tcp in kernel.tcp_of(pid) if tcp.inode}
        for view in group["sockets"]:
            if view["fd"] is None or view["fd"] < 0:
                continue
            link = os.readlink(f"/proc/{pid}/fd/{view['fd']}")
            if link != f"socket:[{view['inode']}]":
                raise harness.Failure(f"fd {view['fd']} is {link}, the finding says inode {view['inode']}")
            tcp = by_inode.get(view["inode"])
            if not tcp:
                continue  # CLOSE: sock_diag does not list it
            said = (view["state"], view["local"], view["peer"])
            if said != (tcp.state, tcp.local, tcp.peer):
                raise harness.Failure(f"fd {view['fd']}: {said}, the kernel says {tcp}")
            if tcp.state == "CLOSE_WAIT" and view.get("unread_bytes") not in (None, max(0, tcp.rqueue - 1)):
                raise harness.Failure(f"fd {view['fd']}: {view['unread_bytes']} unread, the kernel says {tcp}")

    def silent(self, opened=None, seconds=None):
        """Nothing is told in the time in which a leak would have been; where asked, the record shows that it looked."""
        time.sleep(seconds or harness.QUIET_TIME * harness.SLOW)
        if not harness.BARE and harness.LIBRARY not in self.maps():
            raise harness.Failure("the library is not loaded, so its silence means nothing")
        if self.log() or (self.stderr_empty and self.stderr()):
            raise harness.Failure(f"something was told: {self.log()}{self.stderr()}")
        if opened is not None:
            summary = self.dump()
            told = [brief(one) for one in groups_of(summary) if one["verdict"] != "info"]
            if told:
                raise harness.Failure(f"the summary has {told}")
            if counter(summary, "opened") < opened:
                raise harness.Failure(f"{opened} connections were opened, the summary counted {summary}")

    def maps(self):
        with open(f"/proc/{self.pid}/maps", encoding="utf-8") as maps:
            return maps.read()

    def finish(self):
        """Ends the program by closing its stdin; it has to end by itself with the status that was expected."""
        if self.process.stdin and not self.process.stdin.closed:
            try:
                self.process.stdin.close()
            except BrokenPipeError:
                pass
        try:
            status = self.process.wait(harness.DEADLINE)
        except subprocess.TimeoutExpired:
            raise harness.Failure("the program did not end") from None
        if self.status is not None and status != self.status:
            raise harness.Failure(f"the program ended with {status}, expected {self.status}")
        ours = [line for line in self.stdout if "closeguard" in line.lower() or line.startswith('{"v"')]
        if ours:
            raise harness.Failure(f"on the program's stdout: {ours}")
        if self.stderr_empty and self.stderr():
            raise harness.Failure(f"on the program's stderr: {self.stderr()}")

    def kill_session(self):
        """Kills the session that was made for it: children that a test left behind belong to it."""
        try:
            os.killpg(self.pid, signal.SIGKILL)
        except (ProcessLookupError, PermissionError):
            pass

    def kill(self):
        self.kill_session()
        self.process.wait()
        for peer in self.others:
            peer.close()


def matches(one, kind, cause=None):
    return one["kind"] == kind and (cause is None or one["cause"] == cause)


def brief(one):
    return f"{one['kind']}/{one['cause']} x{one['count']} {one['verdict']}"


def groups_of(summary):
    return summary.get("groups", [])


def counter(summary, name):
    return summary.get("counters", summary).get(name, 0)


def frame_of(stack, function=None):
    """The top frame of a place, or the first frame of that function."""
    for frame in stack:
        if function is None or frame.get("function") == function:
            return frame
    return {}
