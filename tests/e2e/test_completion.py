#!/usr/bin/env python3
"""Shell completion offers what the command's help says, no more and no less, in bash and in zsh."""

import os
import re
import subprocess

import harness
from screen import Screen

COMMAND = os.path.join(harness.BUILD, "closeguard")
HERE = os.path.join(harness.HERE, "..", "..")
FOLDER = os.path.abspath(os.path.join(HERE, "completion"))
SCRIPT = r"""
source "$1"
command=$2
shift 2
COMP_WORDS=("$@")
COMP_CWORD=$(($# - 1))
_closeguard "$command" "${COMP_WORDS[COMP_CWORD]}" "${COMP_WORDS[COMP_CWORD - 1]}"
[ "${#COMPREPLY[@]}" = 0 ] || printf '%s\n' "${COMPREPLY[@]}"
"""


def bash(t, *words, **settings):
    """What bash offers for the last of the words."""
    source = os.path.join(FOLDER, "closeguard.bash")
    done = subprocess.run([harness.need("bash"), "--norc", "-c", SCRIPT, "bash", source, COMMAND, "closeguard", *words],
                          env=t.environment(LD_PRELOAD=None, **settings), cwd=t.dir,
                          stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=60)
    t.equal(done.stderr.decode(), "", f"stderr for {words}")
    return done.stdout.decode().splitlines()


def help_of(verb):
    return subprocess.run([COMMAND, verb, "--help"], stdout=subprocess.PIPE, text=True, check=True).stdout


def verbs():
    text = subprocess.run([COMMAND, "help"], stdout=subprocess.PIPE, text=True, check=True).stdout
    return re.findall(r"^  ([a-z]+)  ", text, re.M)


def options(verb):
    """Those that begin a line of the help, and whatever follows them up to the meaning."""
    heads = [re.split(r" {2,}", line.strip())[0] for line in help_of(verb).splitlines() if re.match(r" +-", line)]
    return sorted({option for head in heads for option in re.findall(r"(?:^|[ ,])(--?[\w-]+)", head)})


def recorders(t, *pids):
    folder = os.path.join(t.dir, "recorders")
    os.makedirs(folder, exist_ok=True)
    for pid in pids:
        with open(os.path.join(folder, f"{pid}.a1.rec"), "wb"):
            pass


def test_verbs(t):
    t.check({"run", "report", "top", "help"} <= set(verbs()), f"verbs {verbs()}")
    t.equal(sorted(bash(t, "")), sorted([*verbs(), "--help", "--version"]), "offered")
    t.equal(sorted(bash(t, "re")), sorted(verb for verb in verbs() if verb.startswith("re")), "offered for re")
    t.equal(bash(t, "help", "to"), ["top"], "offered to help")


def test_options_are_those_of_the_help(t):
    """The help's, and the other way round: each is accepted by the verb."""
    for verb in verbs():
        if verb == "help":
            continue
        offered = bash(t, verb, "-")
        t.equal(sorted(offered), options(verb), f"options of {verb}")
        t.check("--help" in offered, f"{verb} without --help")
        t.equal(sorted(bash(t, verb, "--")), [one for one in options(verb) if one.startswith("--")], f"of {verb}, long")
        for option in offered:
            said = subprocess.run([COMMAND, verb, option, "no-such-value", "--help"], stdin=subprocess.DEVNULL,
                                  stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=60).stdout
            t.check("is no option" not in said, f"{verb} does not know {option}: {said}")


def test_no_option_is_missing_in_the_help(t):
    """What getopt_long knows of each verb stands in its help, and so in the completion."""
    strings = subprocess.run(["grep", "-hoE", r'\{"[a-z-]+", (no|required|optional)_argument', "-r",
                              os.path.join(HERE, "cli"), "--include=top*.c"], stdout=subprocess.PIPE, text=True).stdout
    known = sorted("--" + re.match(r'\{"([a-z-]+)"', line).group(1) for line in strings.splitlines())
    t.check(len(known) > 5, f"found {known}")
    t.equal([one for one in options("top") if one.startswith("--")], known, "options of top")


def test_values(t):
    t.check({"text", "json"} <= set(bash(t, "report", "--format", "")), "formats")
    t.equal(bash(t, "report", "--format", "=", "js"), ["json"], "after an equals sign")
    t.check({"text", "json"} <= set(bash(t, "report", "--format", "=")), "right after an equals sign")
    t.equal(sorted(bash(t, "run", "--stacks", "")), ["fp", "full", "off"], "stacks")
    with open(os.path.join(t.dir, "my.cfg"), "wb"):
        pass
    t.equal(bash(t, "run", "--policy", "my"), ["my.cfg"], "a file")


def test_arguments(t):
    recorders(t, 4711, 4712, 99)
    for verb in ("top", "report"):
        t.equal(sorted(bash(t, verb, "47")), ["4711", "4712"], f"processes for {verb}")
    t.check("report" not in bash(t, "top", ""), "a verb where none is")
    t.check("sleep" in bash(t, "run", "slee"), "a command to run")
    t.check("sleep" in bash(t, "run", "--stacks", "fp", "--", "slee"), "a command behind options")
    t.equal(bash(t, "run", "sleep", "--"), [], "options of the program, which are not ours")
    t.equal(bash(t, "explain", "close_"), ["close_wait"], "a kind")
    t.check("--once" in bash(t, "top", "-i", "1s", "--o"), "an option behind another's value")


def test_kinds_are_the_sources(t):
    with open(os.path.join(HERE, "shim", "detect_names.c"), encoding="utf-8") as source:
        table = re.search(r"\bkinds\[.*?\};", source.read(), re.S).group(0)
    kinds = sorted(re.findall(r'= "(\w+)"', table))
    t.check(len(kinds) >= 8, f"kinds {kinds}")
    t.equal(sorted(set(bash(t, "explain", "")) & set(kinds)), kinds, "in bash")
    with open(os.path.join(FOLDER, "_closeguard"), encoding="utf-8") as source:
        text = re.search(r"kind of finding' - (.*?)\n}", source.read(), re.S).group(1)
    t.equal(sorted(re.findall(r"\w+", text)), kinds, "in zsh")


def zsh(t):
    """An interactive zsh with our completion."""
    harness.need("zsh")
    folder = os.path.dirname(COMMAND)
    with open(os.path.join(t.dir, ".zshrc"), "w", encoding="utf-8") as rc:
        rc.write(f"path=({folder} $path)\nfpath=({FOLDER} $fpath)\nautoload -Uz compinit\ncompinit -u -D\n"
                 "LISTMAX=10000\nPS1='ready> '\nunsetopt beep\n")
    return Screen(t, ["zsh", "-i"], 160, 100, ZDOTDIR=t.dir, LD_PRELOAD=None, LC_ALL="C.UTF-8", TERM="screen",
                  CLOSEGUARD_DIR=os.path.join(t.dir, "recorders"))


def test_zsh(t):
    recorders(t, 4711, 4712, 99)
    shell = zsh(t)
    shell.shows("ready>")
    def offers(line, wanted, others=()):
        shell.keys("C-u", "C-l")
        shell.wait(lambda text: text.strip().endswith("ready>"), "an empty line")
        shell.keys(line, "Tab")
        whole = lambda text, word: re.search(rf"(?<![\w-]){re.escape(word)}(?![\w-])", text.split("\n", 1)[1])
        text = shell.wait(lambda text: all(whole(text, word) for word in wanted), f"{wanted} for {line!r}")
        t.check(not [word for word in others if whole(text, word)], f"{others} among:\n{text}")
    offers("closeguard ", [*verbs(), "--version"])
    for verb in verbs():
        if verb != "help":
            offers(f"closeguard {verb} -", options(verb), ["--no-such"])
    offers("closeguard top ", ["4711", "4712", "99"], ["top", "report"])
    offers("closeguard report --format ", ["text", "json"], ["4711"])
    offers("closeguard run --stacks ", ["full", "fp", "off"])
    shell.keys("C-u", "C-l", "closeguard report --format=js", "Tab")
    shell.shows("--format=json")


if __name__ == "__main__":
    harness.main(__name__)
