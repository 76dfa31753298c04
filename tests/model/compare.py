"""Compares closeguard's findings and slots with the kernel's word."""

import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "e2e"))
import kernel  # noqa: E402

# A socket whose end was read may be taken for a legitimate half-close: both are the same class to the kernel.
CLASSES = {
    ("close_wait", "eof_ignored"): "told", ("close_wait", "half_close"): "told",
    ("close_wait", "fin_unread"): "fin_unread", ("close_wait", "data_unread"): "data_unread",
    ("close_wait", "shared"): "shared", ("close_wait", "never_accepted"): "never_accepted",
    ("dead_socket", None): "dead_socket", ("dead_socket", "connect_failed"): "connect_failed",
}
NEVER_DONE = ("double_close", "use_after_close", "fd_exhaustion")  # the model does nothing of the kind


class Truth:
    """The kernel's view of a process and of its children that live, at one moment."""

    def __init__(self, pid, children):
        sockets = kernel.dump(2) + kernel.dump(10)
        self.by_inode = {one.inode: one for one in sockets if one.inode}
        self.held = self.tcp_held(pid)
        self.children = {}
        for child in children:
            for inode, fds in kernel.sockets_by_inode(child).items():
                self.children.setdefault(inode, {})[child] = fds
        listeners = [one for one in sockets if one.state == "LISTEN"]
        self.own_ports = {one.sport for one in listeners if one.inode in self.held}
        self.shared_ports = {one.sport for one in listeners if one.inode in self.children}
        self.backlog = [one for one in sockets if one.inode == 0 and one.state == "CLOSE_WAIT"]

    def tcp_held(self, pid):
        """inode -> (state, descriptors) of the TCP sockets that the process holds."""
        held = {}
        for inode, fds in kernel.sockets_by_inode(pid).items():
            if inode in self.by_inode:
                held[inode] = (self.by_inode[inode].state, fds)
                continue
            try:
                held[inode] = (kernel.state_of_fd(pid, fds[0]), fds)
            except OSError:
                pass  # not TCP
        return held

    def descriptors(self):
        return {fd: inode for inode, (_, fds) in self.held.items() for fd in fds}

    def expected(self, was_connected, refused):
        """class -> inodes that belong into findings."""
        wanted = {name: set() for name in CLASSES.values()}
        for inode, (state, fds) in self.held.items():
            if state == "CLOSE_WAIT":
                rqueue = self.by_inode[inode].rqueue
                wanted["told" if rqueue == 0 else "fin_unread" if rqueue == 1 else "data_unread"].add(inode)
            elif state == "CLOSE" and any(was_connected.get(fd) for fd in fds):
                wanted["dead_socket"].add(inode)
            elif state == "CLOSE" and any(refused.get(fd) for fd in fds):
                wanted["connect_failed"].add(inode)
        for inode in self.children:
            one = self.by_inode.get(inode)
            if one and one.state == "CLOSE_WAIT" and inode not in self.held:
                wanted["shared"].add(inode)
        return wanted

    def describe(self, inode):
        if inode in self.held and inode not in self.by_inode:
            state, fds = self.held[inode]
            return f"inode {inode} fds {fds} {state}"
        one = self.by_inode.get(inode)
        if not one:
            return f"inode {inode}: the kernel has no such socket"
        fds = self.held.get(inode, ("", []))[1]
        return f"inode {inode} fds {fds} {one.state} rqueue={one.rqueue} children={self.children.get(inode, {})}"


class Score:
    def __init__(self):
        self.right = self.wrong = self.missed = 0
        self.differences = []

    def differ(self, text):
        self.differences.append(text)

    def add(self, other):
        self.right += other.right
        self.wrong += other.wrong
        self.missed += other.missed

    def text(self):
        told, wanted = self.right + self.wrong, self.right + self.missed
        precision = self.right / told if told else 1
        recall = self.right / wanted if wanted else 1
        return f"precision {precision:.5f}, recall {recall:.5f} of {wanted} sockets"


def class_of(group):
    return CLASSES.get((group["kind"], group["cause"]))


def brief(group):
    return f"{group['kind']}/{group['cause']} {group['verdict']} x{group['count']}"


def compare_findings(summary, truth, model, score):
    """Every socket that the kernel calls closable is in one finding of its class, and nothing else is called a leak."""
    listed, hidden = {}, {}
    backlog = 0
    for group in summary["groups"]:
        if "kind" not in group:
            score.differ(f"the summary is cut short: {group}")
            continue
        name = class_of(group)
        if name == "never_accepted":
            backlog += group["count"]
        elif name:
            hidden[name] = hidden.get(name, 0) + group["count"] - len(group["sockets"])
            for socket in group["sockets"]:
                listed.setdefault(socket.get("inode"), []).append((name, group, socket))
        elif group["verdict"] == "leak" or group["kind"] in NEVER_DONE:
            score.wrong += group["count"]
            score.differ(f"told without reason: {brief(group)}")
    wanted = truth.expected(model.was_connected, model.refused)
    listed = {inode: [(told_as(entry[0], inode, wanted, model), *entry[1:]) for entry in entries]
              for inode, entries in listed.items()}
    for inode, entries in listed.items():
        judge_entries(inode, entries, wanted, truth, model, score)
    for name, inodes in wanted.items():
        missing = [inode for inode in inodes if not any(entry[0] == name for entry in listed.get(inode, []))]
        judge_missing(name, missing, hidden.get(name, 0), truth, model, score)
    judge_backlog(backlog, truth, score)


def told_as(name, inode, wanted, model):
    """A FIN that came with the last data leaves the queue with it: where no read returned 0, nobody looked for it."""
    return "told" if name == "fin_unread" and inode in wanted["told"] and not model.saw_eof(inode) else name


def judge_entries(inode, entries, wanted, truth, model, score):
    for name, group, socket in entries:
        if inode in wanted[name]:
            score.right += 1
        elif name == "connect_failed" and socket["fd"] in model.unseen_fds:
            continue  # put under a number, past every wrapper, whose connect had failed a moment before
        else:
            score.wrong += 1
            score.differ(f"told {brief(group)} for fd {socket['fd']} ({socket.get('state')}, age "
                         f"{socket.get('age_s')}), the kernel says {truth.describe(inode)}")
    if len(entries) > 1:
        fds = truth.held.get(inode, ("", []))[1]
        groups = [f"{brief(group)} fd {socket['fd']}" for _, group, socket in entries]
        score.differ(f"told {len(entries)} times: {truth.describe(inode)} {groups} {model.slots_text(inode, fds)}")


def judge_missing(name, missing, hidden, truth, model, score):
    """A group names sixteen sockets at most and counts the rest."""
    score.right += min(hidden, len(missing))
    if hidden > len(missing):
        score.wrong += hidden - len(missing)
        score.differ(f"{name}: {hidden - len(missing)} sockets counted that the kernel does not have")
    for inode in missing[hidden:]:
        if name == "shared" and model.unseen:
            continue  # what was opened past every wrapper and closed so, too, left no trace here
        if name == "connect_failed" and not model.saw_refusal(inode):
            continue  # connected under a number that is closed: what came of it is known to no other
        score.missed += 1
        fds = truth.held.get(inode, ("", []))[1]
        score.differ(f"not told: {name}: {truth.describe(inode)} {model.slots_text(inode, fds)}")


def judge_backlog(told, truth, score):
    """Of the processes that share a listener one reports the backlog, which may be a child."""
    most = [one for one in truth.backlog if one.sport in truth.own_ports]
    least = [one for one in most if one.sport not in truth.shared_ports]
    score.right += min(told, len(most))
    if told > len(most):
        score.wrong += told - len(most)
        score.differ(f"told never_accepted x{told}, the kernel has {most}")
    elif told < len(least):
        score.missed += len(least) - told
        score.differ(f"told never_accepted x{told}, the kernel has {least}")


def compare_slots(model, truth, score):
    """The slots are the open TCP descriptors, and the same sockets."""
    held = truth.descriptors()
    for fd, slot in model.slots.items():
        if slot.kind not in ("conn", "listener") or fd in model.unseen_fds:
            continue
        if fd not in held:
            score.differ(f"slot {slot.text}: the process has no TCP socket there")
        elif slot.inode and slot.inode != held[fd]:
            score.differ(f"slot {slot.text}: the descriptor is {truth.describe(held[fd])}")
    for fd, inode in held.items():
        slot = model.slots.get(fd)
        if fd not in model.unseen_fds and (not slot or slot.kind not in ("conn", "listener")):
            score.differ(f"no slot for fd {fd}, {truth.describe(inode)}; it has {slot.text if slot else 'nothing'}")


def compare_bookkeeping(model, truth, score):
    """The model's own list is the kernel's: else the test is wrong, and not the library."""
    held = set(truth.descriptors())
    if held != set(model.was_connected):
        score.differ(f"the model's own list is wrong: it holds {sorted(set(model.was_connected) - held)} that are not, "
                     f"lacks {sorted(held - set(model.was_connected))}")
