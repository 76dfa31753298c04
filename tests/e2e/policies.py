"""A program that makes calls when told to (prog_policy.c) under a policy, and what its log says that the policy did."""

import collections
import os
import socket
import time

import harness
import programs

Answer = collections.namedtuple("Answer", "result error seconds more")
UNTOUCHED = 7777  # errno before each call of prog_policy
ENFORCE = 'version = 1; mode = "enforce";'
OBSERVE = 'version = 1; mode = "observe";'


def write_policy(t, text, name="policy.cfg"):
    """Puts the file there in one step, as an editor or a deployment would."""
    if harness.BARE:
        raise harness.Skip("ran bare, where no policy is read")
    path = os.path.join(t.dir, name)
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path + ".new", "w", encoding="utf-8") as file:
        file.write(text)
    os.rename(path + ".new", path)
    return path


def rules(*bodies, mode=ENFORCE, more=""):
    """The text of a policy with these rules, each the inside of a group."""
    return f"{mode} {more}\nrules = ( {', '.join('{ ' + body + ' }' for body in bodies)} );\n"


class Program:
    """prog_policy under the library."""

    def __init__(self, t, policy=None, watched=True, denied=None, under=(), program="prog_policy", **settings):
        """`denied`: what the kernel is to refuse it, see prog_deny.c. `under`: a command that runs it."""
        self.t, self.peers = t, []
        if policy:
            settings.setdefault("CLOSEGUARD_POLICY", write_policy(t, policy))
        options = {key: settings.pop(key) for key in ("status", "stderr_empty", "stderr") if key in settings}
        words = [program]
        if under:
            words = [*under, program if "/" in program else programs.compile(program, harness.BUILD)]
        if denied:
            words = [*(programs.compile(name, harness.BUILD) for name in ("prog_deny", "prog_policy"))]
            words.insert(1, denied)
        self.app = t.start(*words, env=settings, watched=watched, **options)
        self.pid = self.app.number("ready")

    def do(self, *words, timeout=None):
        """Makes the call and returns its answer."""
        self.start(*words)
        return self.answer("= ", timeout)

    def start(self, *words):
        self.app.tell(" ".join(map(str, words)))

    def answer(self, prefix="async =", timeout=None):
        words = self.app.line(prefix, timeout).split()
        return Answer(int(words[0]), int(words[1]), int(words[2]) / 1e6, words[3:])

    def fine(self, *words, timeout=None):
        """The call succeeds and leaves errno as it was. Returns its result."""
        answer = self.do(*words, timeout=timeout)
        if answer.result < 0 or answer.error != UNTOUCHED:
            raise harness.Failure(f"{words}: {answer}")
        return answer.result

    def listen(self, family="4"):
        """(descriptor, port)"""
        answer = self.do("listen", family)
        return answer.result, int(answer.more[0])

    def accepted(self, listener, port, *how, call="accept", host="127.0.0.1"):
        """(peer's socket, descriptor) of a connection that the program has accepted."""
        peer = socket.create_connection((host, port), timeout=harness.DEADLINE)
        self.app.others.append(peer)
        return peer, self.fine(call, listener, *how)

    def option(self, fd, level, name):
        return [int(word) for word in self.do("getopt", fd, level, name).more]

    def actions(self, action, **wanted):
        """The log's lines about such an action that have these members."""
        lines = [one for one in self.app.events("action") if one["action"] == action]
        return [one for one in lines if all(one.get(key) == value for key, value in wanted.items())]

    def action(self, action, **wanted):
        """The first such line, waited for."""
        if harness.BARE:
            raise harness.Skip("ran bare; the programs and the kernel agreed")
        told = lambda: f"no action {action} {wanted}; there is {[brief(one) for one in self.app.events('action')]}"
        return self.app.wait_for(lambda: self.actions(action, **wanted), told)[0]

    def total(self, action, **wanted):
        """How many of them a summary counts, as of now."""
        found = self.app.dump().get("actions", [])
        return sum(one["total"] for one in found if one["action"] == action and
                   all(one.get(key) == value for key, value in wanted.items()))

    def no_action(self):
        """Not a word of any policy's deed, after time enough for two looks."""
        time.sleep(1.0 * harness.SLOW)
        found = [brief(one) for one in self.app.events("action")]
        if found:
            raise harness.Failure(f"actions were told: {found}")


def caller(place):
    """The function at the top of a place's stack; a sanitizer's wrapper may stand above it."""
    functions = [frame.get("function", "") for frame in place["stack"]]
    return next((name for name in functions if not name.startswith("__interceptor")), "")


def brief(one):
    words = [one["action"], "at", one["at"], one["result"], one.get("reason", ""), f"x{one['count']}", one["rule"]]
    return " ".join(filter(None, words))


def pair(t, program, *how):
    """A listener of the program's, one connection to it: (peer, descriptor, port)."""
    listener, port = program.listen()
    peer, fd = program.accepted(listener, port, *how)
    return peer, fd, port


