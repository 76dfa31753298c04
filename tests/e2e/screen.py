"""A program on a real terminal, by tmux: its keys, its screen, its size."""

import os
import shlex
import subprocess
import time

import harness


class Screen:
    """One tmux server with one window, in which one command runs; it is gone with the test."""

    def __init__(self, t, argv, columns=80, lines=24, **env):
        harness.need("tmux")
        self.t, self.socket = t, os.path.join(t.dir, f"tmux.{len(t.cleanups)}")
        self.after = os.path.join(t.dir, f"after.{len(t.cleanups)}")
        t.cleanups.append(self.close)
        # What is left of the terminal is looked at by a shell that the command gives it back to.
        given = " ".join(f"{key}={shlex.quote(value)}" for key, value in env.items() if value is not None)
        gone = " ".join(f"-u {key}" for key, value in env.items() if value is None)
        script = (f"trap : INT; stty -a > {self.after}.before; env {gone} {given} {shlex.join(map(str, argv))}; "
                  f"echo status $? ; stty -a > {self.after}; echo gave it back; sleep 1000")
        self.tmux("new-session", "-d", "-x", str(columns), "-y", str(lines), "sh", "-c", script)

    def tmux(self, *arguments):
        env = {key: value for key, value in os.environ.items() if not key.startswith(("TMUX", "LD_PRELOAD"))}
        env.update(LC_ALL="C.UTF-8")
        done = subprocess.run(["tmux", "-S", self.socket, "-f", "/dev/null", *arguments], env=env,
                              stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=20)
        return done.stdout.decode(errors="replace")

    def close(self):
        self.tmux("kill-server")

    def keys(self, *keys):
        for key in keys:
            self.tmux("send-keys", "-t", "0", key)

    def resize(self, columns, lines):
        self.tmux("resize-window", "-t", "0", "-x", str(columns), "-y", str(lines))

    def text(self, escapes=False):
        return self.tmux("capture-pane", "-p", *(["-e"] if escapes else []), "-t", "0")

    def lines(self):
        return self.text().rstrip("\n").split("\n")

    def pid(self, name):
        """The process of that name in the window."""
        pane = self.tmux("display-message", "-p", "-t", "0", "#{pane_pid}").strip()
        found = subprocess.run(["pgrep", "-P", pane, "-x", name], stdout=subprocess.PIPE, text=True).stdout.split()
        return int(found[0]) if found else None

    def wait(self, condition, what):
        """Waits until the condition holds for the screen's text, and returns that."""
        deadline = time.monotonic() + harness.DEADLINE
        while True:
            text = self.text()
            if condition(text):
                return text
            if time.monotonic() > deadline:
                raise harness.Failure(f"{what}: the screen shows:\n{text}")
            time.sleep(0.1)

    def shows(self, word):
        return self.wait(lambda text: word in text, f"no {word!r}")

    def gave_back(self):
        """The shell has the terminal again, as it was."""
        text = self.shows("gave it back")
        with open(self.after + ".before", encoding="utf-8") as before, open(self.after, encoding="utf-8") as after:
            self.t.equal(after.read(), before.read(), "the terminal's settings")
        modes = self.tmux("display-message", "-p", "-t", "0", "#{alternate_on} #{cursor_flag} #{keypad_cursor_flag}")
        self.t.equal(modes.split(), ["0", "1", "0"], "alternate screen, cursor, keypad")
        return text
