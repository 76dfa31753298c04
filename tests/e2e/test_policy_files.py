#!/usr/bin/env python3
"""Where policies come from, what they set, and how they are read again: seen in what the kernel says of connections."""

import glob
import os
import socket
import time

import harness
from policies import ENFORCE, Program, caller, pair, rules, write_policy
from wire import Net

USER_TIMEOUT = socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT
RELOAD = 3.0 * harness.SLOW  # "at once" on a loaded machine


def timeout(seconds, more=""):
    """A policy by which one can tell which file was read: new connections get this TCP_USER_TIMEOUT."""
    return rules(f'open = {{ user_timeout = "{seconds}s"; }};', more=more)


class Asked:
    """A program with a listener: which policy is in force?"""

    def __init__(self, t, policy=None, **settings):
        self.program = Program(t, policy, **settings)
        self.listener, self.port = self.program.listen()

    def seconds(self):
        with socket.create_connection(("127.0.0.1", self.port), harness.DEADLINE):
            fd = self.program.fine("accept", self.listener)
            value = self.program.option(fd, *USER_TIMEOUT)[0]
            self.program.fine("close", fd)
            return value // 1000

    def becomes(self, seconds):
        """Waits until this policy is in force; returns how long that took."""
        start = time.monotonic()
        while self.seconds() != seconds:
            if time.monotonic() - start > harness.DEADLINE:
                raise harness.Failure(f"{seconds} s never came into force; it is {self.seconds()}")
            time.sleep(0.05)
        return time.monotonic() - start

    def warnings(self):
        return [one["message"] for one in self.program.app.events("warning")]

    def warned(self, *words):
        """Waits for one warning that has all these words."""
        found = lambda: [one for one in self.warnings() if all(word in one for word in words)]
        self.program.app.wait_for(found, lambda: f"no warning has {words}: {self.warnings()}")
        return found()


# Reading again.

def test_a_good_file_replaces_the_rules(t):
    Net(t)
    asked = Asked(t, timeout(5))
    t.equal(asked.seconds(), 5, "at first")
    write_policy(t, timeout(6))
    took = asked.becomes(6)
    t.check(took < RELOAD, f"it took {took:.1f} s")
    t.equal(asked.warnings(), [], "warnings")


def test_a_patient_program_reloads_as_quickly(t):
    """With the standard times, and one connection that nothing happens on, a look may be many seconds away."""
    Net(t)
    asked = Asked(t, rules(), CLOSEGUARD_WARN_AFTER=None, CLOSEGUARD_INTERVAL=None)
    held = socket.create_connection(("127.0.0.1", asked.port))
    fd = asked.program.fine("accept", asked.listener)
    time.sleep(8)
    write_policy(t, rules('setsockopt = { SO_LINGER = "deny"; };'))
    start = time.monotonic()
    linger = socket.SOL_SOCKET, socket.SO_LINGER
    def denied():
        values = []
        for value in (0, 1):
            asked.program.fine("setopt", fd, *linger, value, 9)
            values.append(asked.program.option(fd, *linger)[0])
        return values[0] == values[1]
    asked.program.app.wait_for(denied, "the new rules never came into force")
    t.check(time.monotonic() - start < RELOAD, f"it took {time.monotonic() - start:.1f} s")
    held.close()


def test_a_bad_file_keeps_the_old_rules(t):
    """It is told once, with file, line and key, however often it is read; the next good one is taken."""
    Net(t)
    asked = Asked(t, timeout(5))
    path = write_policy(t, ENFORCE + '\nrules = (\n  { opne = { user_timeout = "9s"; }; }\n);\n')
    asked.warned(f"{path}:3:", "opne")
    asked.warned("the rules read before stay in force")
    os.utime(path)
    time.sleep(2.5)
    t.equal(asked.seconds(), 5, "the rules")
    t.equal(len([one for one in asked.warnings() if "opne" in one]), 2, "told, once for each change of the file")
    write_policy(t, timeout(7))
    asked.becomes(7)


def test_half_a_file_is_not_used(t):
    """An editor that writes in place: the half is told of, the whole is taken."""
    Net(t)
    asked = Asked(t, timeout(5))
    path = os.path.join(t.dir, "policy.cfg")
    text = timeout(6)
    with open(path, "w", encoding="utf-8") as file:
        file.write(text[:len(text) // 2])
        file.flush()
        asked.warned(path, "the policy is not used")
        t.equal(asked.seconds(), 5, "meanwhile")
        file.write(text[len(text) // 2:])
    asked.becomes(6)


def test_an_included_file_that_changes(t):
    Net(t)
    write_policy(t, 'open = { user_timeout = "5s"; };\n', "open.cfg")
    asked = Asked(t, ENFORCE + '\nrules = ( {\n@include "open.cfg"\n} );\n')
    t.equal(asked.seconds(), 5, "at first")
    write_policy(t, 'open = { user_timeout = "8s"; };\n', "open.cfg")
    asked.becomes(8)
    write_policy(t, 'open = { user_timeout = 8; };\n', "open.cfg")
    asked.warned("open.cfg:1:", "user_timeout")
    t.equal(asked.seconds(), 8, "after a bad one")
    write_policy(t, 'open = { user_timeout = "9s"; };\n', "open.cfg")
    asked.becomes(9)


def test_a_file_that_others_may_write(t):
    """Refused at the start and afterwards, and used when that has been mended."""
    Net(t)
    asked = Asked(t, timeout(5))
    path = os.path.join(t.dir, "policy.cfg")
    write_policy(t, timeout(6))
    asked.becomes(6)
    os.chmod(path, 0o666)
    asked.warned(path, "writ")
    with open(path, "w", encoding="utf-8") as file:
        file.write(timeout(7))
    time.sleep(2.5)
    t.equal(asked.seconds(), 6, "the rules")
    os.chmod(path, 0o600)
    asked.becomes(7)
    bad = write_policy(t, timeout(5), "bad.cfg")
    os.chmod(bad, 0o606)
    other = Asked(t, CLOSEGUARD_POLICY=bad, CLOSEGUARD_LOG=os.path.join(t.dir, "other"))
    other.warned(bad, "writ")
    t.equal(other.seconds(), 0, "of a file that was refused at the start")


def test_a_file_that_is_removed(t):
    """The rules stay, and it is said."""
    Net(t)
    asked = Asked(t, timeout(5))
    os.unlink(os.path.join(t.dir, "policy.cfg"))
    asked.warned("policy.cfg", "the rules read before stay in force")
    t.equal(asked.seconds(), 5, "the rules")
    write_policy(t, timeout(6))
    asked.becomes(6)


# Finding it.

def test_found_by_the_programs_name(t):
    """The program's own file before default.cfg, XDG_CONFIG_HOME before HOME; CLOSEGUARD_APP is the name."""
    Net(t)
    xdg, home = os.path.join(t.dir, "xdg"), os.path.join(t.dir, "home")
    write_policy(t, timeout(1), "xdg/closeguard/prog_policy.cfg")
    write_policy(t, timeout(2), "xdg/closeguard/default.cfg")
    write_policy(t, timeout(3), "home/.config/closeguard/prog_policy.cfg")
    write_policy(t, timeout(4), "xdg/closeguard/other.cfg")
    named = write_policy(t, timeout(5))
    def took(**settings):
        return Asked(t, HOME=home, CLOSEGUARD_LOG=os.path.join(t.dir, "logs.%p"), **settings).seconds()
    t.equal(took(XDG_CONFIG_HOME=xdg), 1, "the program's own")
    t.equal(took(XDG_CONFIG_HOME=xdg, CLOSEGUARD_APP="nameless"), 2, "default.cfg")
    t.equal(took(XDG_CONFIG_HOME=xdg, CLOSEGUARD_APP="other"), 4, "by another name")
    t.equal(took(XDG_CONFIG_HOME=None), 3, "in ~/.config")
    t.equal(took(XDG_CONFIG_HOME=xdg, CLOSEGUARD_POLICY=named), 5, "CLOSEGUARD_POLICY")


def test_for_another_program(t):
    """A file whose `app` is another program's sets nothing and says nothing."""
    Net(t)
    asked = Asked(t, timeout(5, 'app = "nginx*";'))
    t.equal((asked.seconds(), asked.warnings()), (0, []), "timeout, warnings")
    write_policy(t, timeout(6, 'app = "prog_*";'))
    asked.becomes(6)


def leak(asked):
    peer, fd = asked.program.accepted(asked.listener, asked.port)
    peer.close()
    if asked.program.do("read", fd, 10).result != 0:
        raise harness.Failure("no end was read")


def test_settings_of_the_file(t):
    """log, format, warn_after, interval and stacks; the environment wins over each."""
    Net(t)
    log = os.path.join(t.dir, "%e.%p.log")
    text = rules(more=f'log = "{log}"; format = "text"; warn_after = "700ms"; interval = "100ms"; stacks = "off";')
    unset = {"CLOSEGUARD_" + name: None for name in ("LOG", "FORMAT", "WARN_AFTER", "INTERVAL", "STACKS")}
    asked = Asked(t, text, **unset)
    leak(asked)
    path = os.path.join(t.dir, f"prog_policy.{asked.program.pid}.log")
    told = asked.program.app.wait_for(lambda: asked.program.app.log(path), f"nothing in {path}")
    t.check("LEAK 1 socket in CLOSE_WAIT" in told, f"the log: {told!r}")
    t.check("accept_plainly" not in told, f"a stack was taken: {told!r}")
    other = Asked(t, text, CLOSEGUARD_STACKS="full", CLOSEGUARD_LOG=os.path.join(t.dir, "other"))
    leak(other)
    found = other.program.app.finding("close_wait", "eof_ignored")
    t.equal(caller(found["opened"]), "accept_plainly", "a stack, as the environment says")


def test_a_bad_file_at_the_start(t):
    """A line for each error and one that says what follows from it; the program runs, and is observed."""
    Net(t)
    asked = Asked(t, 'version = 1;\nmode = "force";\nwarn_after = 5;\nrules = ( { close = { lingr = "off"; }; } );\n')
    path = os.path.join(t.dir, "policy.cfg")
    for place, word in (("2:", "mode"), ("3:", "warn_after"), ("4:", "lingr")):
        t.equal(len(asked.warned(f"{path}:{place}", word)), 1, f"lines about {word}")
    asked.warned("3 errors", "the program is only observed")
    t.equal(len(asked.warnings()), 4, f"lines: {asked.warnings()}")
    leak(asked)
    asked.program.app.finding("close_wait", "eof_ignored")
    write_policy(t, timeout(5))
    asked.becomes(5)


def test_errors_on_stderr_are_for_people(t):
    Net(t)
    asked = Asked(t, 'version = 1;\nrulse = ();\n', CLOSEGUARD_LOG=None, CLOSEGUARD_FORMAT=None, stderr_empty=False)
    lines = asked.program.app.stderr().splitlines()
    t.equal(len(lines), 2, f"lines: {lines}")
    t.check("policy.cfg:2:" in lines[0] and "rulse" in lines[0] and "rules" in lines[0], f"the error: {lines[0]}")


# Together with what the program brings along.

def test_functions_called_as_libconfigs(t):
    """The program's own config_init is not called, and the policy is read."""
    app = t.start("prog_policy_names", env={"CLOSEGUARD_POLICY": write_policy(t, timeout(5))})
    app.connect(app.number("port"))
    t.equal(app.number("timeout"), 5000, "the policy's")


def test_a_libconfig_of_its_own(t):
    """Two of them, each with its own state."""
    app = t.start("prog_policy_libconfig", env={"CLOSEGUARD_POLICY": write_policy(t, timeout(5))})
    t.equal(app.number("number"), 42, "the program's setting")
    app.connect(app.number("port"))
    t.equal((app.number("timeout"), app.number("number")), (5000, 42), "the policy's, and the program's again")
    maps = app.maps()
    copies = {line.split()[0] for line in maps.splitlines() if "/libconfig.so" in line and " r-xp " in line}
    t.equal(len(copies), 2, "copies of libconfig")


def test_jemalloc_before_and_after(t):
    found = glob.glob("/usr/lib/*/libjemalloc.so.2") + glob.glob("/usr/lib*/libjemalloc.so.2")
    if not found:
        raise harness.Skip("libjemalloc is not installed")
    if harness.SANITIZE:
        raise harness.Skip("a sanitizer has an allocator of its own")
    Net(t)
    for preload in (harness.preload(before=found[:1]), harness.preload(after=found[:1])):
        asked = Asked(t, timeout(5), LD_PRELOAD=preload)
        t.equal(asked.seconds(), 5, f"with {preload}")
        write_policy(t, timeout(6))
        asked.becomes(6)


if __name__ == "__main__":
    harness.main(__name__)
