"""What the static tests share: the list of sources and the one line that each rule prints."""
import os
import shutil
import subprocess
import sys

TOP = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..")
failed = []


def sources():
    """The files of the project: what git knows or would add, else (a tarball) all but build directories."""
    os.chdir(TOP)
    if shutil.which("git"):
        listed = subprocess.run(["git", "ls-files", "-co", "--exclude-standard"], stdout=subprocess.PIPE,
                                stderr=subprocess.DEVNULL, text=True)
        if listed.returncode == 0 and listed.stdout:
            return sorted(path for path in listed.stdout.splitlines() if os.path.isfile(path))
    found = []
    for folder, folders, names in os.walk("."):
        folders[:] = [name for name in folders if name not in (".git", "__pycache__") and not name.startswith("build")]
        found += [os.path.relpath(os.path.join(folder, name)) for name in names]
    return sorted(found)


def lines_of(path):
    with open(path, encoding="utf-8", errors="replace") as file:
        return file.read().split("\n")


def judge(name, complaints):
    """One result line; each complaint also on a line of its own below it."""
    if not complaints:
        print("ok " + name)
        return
    failed.append(name)
    print("not ok %s: %s%s" % (name, complaints[0], " and %d more" % (len(complaints) - 1) if complaints[1:] else ""))
    for complaint in complaints[1:]:
        print("  " + complaint)


def finish():
    sys.exit(1 if failed else 0)
