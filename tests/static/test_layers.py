#!/usr/bin/env python3
"""Who may include whom: layers.txt for shim/, nothing of shim/ in policy/, third-party headers in one room each."""
import os
import re

from static import finish, judge, lines_of, sources

INCLUDE = re.compile(r'[ \t]*#[ \t]*include[ \t]*([<"])([^>"]+)')
THIRD_PARTY = {  # header: the only files that may know it
    r"libunwind": r"shim/unwind",
    r"libconfig": r"policy/parse",
    r"elfutils/|dwarf\.h|libelf|gelf": r"shim/annex",
}
USES_POLICY = re.compile(r"shim/(act|sweep|shim)")  # of shim/, only these ask the policy


class Module:
    """A line of the table: a layer and the files of one module."""

    def __init__(self, line):
        layer, self.name, *rest = line.split()
        self.layer = int(layer)
        self.for_cli = rest == ["cli"]
        self.pattern = re.compile(re.escape(self.name).replace(r"\*", ".*") + "$")


TABLE_LINES = [line for line in lines_of(os.path.join(os.path.dirname(os.path.abspath(__file__)), "layers.txt"))
               if line and not line.startswith("#")]
TABLE = [Module(line) for line in TABLE_LINES]


def module_of(path):
    stem = os.path.basename(path).split(".")[0]
    fitting = [module for module in TABLE if module.pattern.match(stem)]
    return fitting[0] if len(fitting) == 1 else None


def includes(paths):
    """(file, "<" or a quote, target) for every include."""
    for path in paths:
        for line in lines_of(path):
            match = INCLUDE.match(line)
            if match:
                yield path, match[1], match[2]


def circle_in(edges):
    """A list of nodes that lead back to the first, or nothing."""
    done = set()

    def visit(node, trail):
        if node in trail:
            return trail[trail.index(node):] + [node]
        if node in done:
            return []
        done.add(node)
        for following in sorted(edges.get(node, ())):
            circle = visit(following, trail + [node])
            if circle:
                return circle
        return []

    for start in sorted(edges):
        circle = visit(start, [])
        if circle:
            return circle
    return []


def main():
    paths = [path for path in sources() if re.match(r"(shim|policy|cli)/.*\.([chS]|def|in)$", path)]
    here = set(paths)
    complaints = {rule: [] for rule in ("known", "plain_names", "downward", "third_party", "policy_from_shim",
                                        "shim_from_policy", "shim_from_cli", "policy_from_cli")}
    modules, headers = {}, {}
    ordered = sorted(TABLE_LINES, key=lambda line: (int(line.split()[0]), line.split()[1]))
    judge("layers/table_is_sorted", ["%s should come before %s" % (want, got)
                                     for want, got in zip(ordered, TABLE_LINES) if want != got])
    for path in paths:
        if path.startswith("shim/") and path.endswith((".c", ".h", ".S")) and not module_of(path):
            complaints["known"].append(path + " is in no line of layers.txt, or in several")

    for path, kind, target in includes(paths):
        says = "%s includes %s" % (path, target)
        folder = path.split("/")[0]
        if kind == "<":
            rooms = [room for header, room in THIRD_PARTY.items() if re.match(header, target)]
            if rooms and not re.match(rooms[0], path):
                complaints["third_party"].append(says)
            continue
        if "/" in target:
            complaints["plain_names"].append(says)
        if folder + "/" + target in here and folder != "shim":
            continue
        if "shim/" + target in here:
            of, user = module_of(target), module_of(path)
            if folder == "policy":
                complaints["shim_from_policy"].append(says)
            elif folder == "cli" and of and not of.for_cli:
                complaints["shim_from_cli"].append(says)
            elif folder == "shim" and of and user:
                if of.layer > user.layer:
                    complaints["downward"].append("%s (layer %d from %d)" % (says, of.layer, user.layer))
                if of is not user:
                    modules.setdefault(user.name, set()).add(of.name)
                if path.endswith(".h"):
                    headers.setdefault(path, set()).add("shim/" + target)
        elif "policy/" + target in here:
            if folder == "shim" and not (target == "policy.h" and USES_POLICY.match(path)):
                complaints["policy_from_shim"].append(says)
            elif folder == "cli" and target != "policy.h":
                complaints["policy_from_cli"].append(says)

    for rule, found in complaints.items():
        judge("layers/" + rule, found)
    for rule, edges in (("no_circle_of_modules", modules), ("no_circle_of_headers", headers)):
        circle = circle_in(edges)
        judge("layers/" + rule, [" includes ".join(circle)] if circle else [])
    finish()


if __name__ == "__main__":
    main()
