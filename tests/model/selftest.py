"""Whether the comparison can fail at all: a report that is right, and the same report with one fault each."""

import copy

import compare


class Socket:
    def __init__(self, state, rqueue, inode, sport=0):
        self.state, self.rqueue, self.inode, self.sport = state, rqueue, inode, sport


class Model:
    unseen = False
    unseen_fds = ()
    was_connected = {4: True, 5: True, 6: True, 7: True, 8: False, 9: False, 10: False}
    refused = {10: True}

    def __init__(self):
        self.slots = {fd: Slot(fd, 100 + fd) for fd in self.was_connected}

    def saw_eof(self, inode):
        return True

    def saw_refusal(self, inode):
        return self.refused.get(inode - 100)

    def slots_text(self, inode, fds):
        return f"{inode} {fds}"


class Slot:
    kind = "conn"

    def __init__(self, fd, inode):
        self.inode, self.text = inode, f"{fd} conn {inode}"


def truth():
    """Five descriptors and a listener; a child holds a sixth socket; one connection waits in the backlog."""
    made = compare.Truth.__new__(compare.Truth)
    sockets = [Socket("CLOSE_WAIT", 0, 104), Socket("CLOSE_WAIT", 1, 105), Socket("CLOSE_WAIT", 9, 106),
               Socket("LISTEN", 0, 108, 80), Socket("CLOSE_WAIT", 0, 200)]
    made.by_inode = {one.inode: one for one in sockets}
    made.held = {104: ("CLOSE_WAIT", [4]), 105: ("CLOSE_WAIT", [5]), 106: ("CLOSE_WAIT", [6]), 107: ("CLOSE", [7]),
                 108: ("LISTEN", [8]), 109: ("CLOSE", [9]), 110: ("CLOSE", [10])}
    made.children = {200: {4711: [3]}}
    made.own_ports, made.shared_ports = {80}, set()
    made.backlog = [Socket("CLOSE_WAIT", 1, 0, 80)]
    return made


def group(kind, cause, *inodes):
    return {"kind": kind, "cause": cause, "verdict": "leak", "count": len(inodes),
            "sockets": [{"inode": inode, "fd": inode - 100} for inode in inodes]}


def report():
    return [group("close_wait", "eof_ignored", 104), group("close_wait", "fin_unread", 105),
            group("close_wait", "data_unread", 106), group("dead_socket", None, 107),
            group("dead_socket", "connect_failed", 110),
            group("close_wait", "shared", 200), group("close_wait", "never_accepted", 0)]


def differences(groups=None, change=None):
    score, model, kernel = compare.Score(), Model(), truth()
    if change:
        change(model, kernel)
    compare.compare_bookkeeping(model, kernel, score)
    compare.compare_slots(model, kernel, score)
    compare.compare_findings({"groups": report() if groups is None else groups}, kernel, model, score)
    return score.differences


def faults():
    """name -> differences; each must have some."""
    for number, one in enumerate(report()):
        rest = [group for at, group in enumerate(report()) if at != number]
        yield f"without {compare.brief(one)}", differences(rest)
        more = copy.deepcopy(report())
        more[number]["count"] += 1
        yield f"one too many of {compare.brief(one)}", differences(more)
    yield "the wrong cause", differences([group("close_wait", "fin_unread", 104, 105), *report()[2:]])
    yield "told twice", differences([*report(), group("close_wait", "half_close", 104)])
    yield "a healthy socket", differences([*report(), group("dead_socket", None, 109)])
    yield "another kind of leak", differences([*report(), group("fin_wait2", "half_closed", 109)])
    yield "a misuse", differences([*report(), group("double_close", None)])
    yield "a missing slot", differences(change=lambda model, _: model.slots.pop(4))
    yield "a slot too many", differences(change=lambda model, _: model.slots.update({30: Slot(30, 130)}))
    yield "a slot of another socket", differences(change=lambda model, _: model.slots.update({4: Slot(4, 999)}))
    yield "a lost descriptor", differences(change=lambda _, kernel: kernel.held.pop(109))


def run():
    """Prints a result line; true when the comparison is fit for use."""
    blind = [name for name, found in faults() if not found]
    false = differences()
    if blind or false:
        print(f"not ok model/selftest: does not see {blind}; sees in a right report {false}")
        return False
    print("ok model/selftest")
    return True
