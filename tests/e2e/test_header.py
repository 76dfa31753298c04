#!/usr/bin/env python3
"""closeguard.h: the same program with and without the library, as C and as C++, by two compilers."""

import json
import os
import subprocess

import harness

SHIM = os.path.join(harness.HERE, "..", "..", "shim")
SOURCE = os.path.join(harness.HERE, "prog_header.c")
STRICT = ["-Wall", "-Wextra", "-Wshadow", "-Wconversion", "-Werror", "-pedantic"]
ABSENT = {"present": 0, "label": -1, "label_bad": -1, "ignore_bad": -1, "check_open": 0, "check_young": 0,
          "check_older": 0, "check_leaked": 0, "check_older_now": 0, "ignore": -1, "check_ignored": 0}
PRESENT = {"present": 1, "label": 0, "label_bad": -1, "ignore_bad": -1, "check_open": 0, "check_young": 1,
           "check_older": 0, "check_leaked": 1, "check_older_now": 1, "ignore": 0, "check_ignored": 0}


def build(t, compiler, *flags):
    harness.need(compiler)
    target = os.path.join(t.dir, "header-" + compiler)
    command = [compiler, *flags, *STRICT, "-D_GNU_SOURCE=1", "-I" + SHIM, "-o", target, SOURCE]
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    t.equal(done.stdout, "", " ".join(command[:-1]))
    return target


def answers(t, program, **settings):
    done = subprocess.run([program, "1500"], env=t.environment(**settings), stdin=subprocess.DEVNULL,
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, timeout=harness.DEADLINE)
    t.equal(done.returncode, 0, f"status ({done.stderr})")
    return {name: int(value) for name, value in (line.split() for line in done.stdout.splitlines())}


def both_ways(t, program):
    t.equal(answers(t, program, LD_PRELOAD=None), ABSENT, "without the library")
    t.equal(answers(t, program), PRESENT, "with the library")


def test_c(t):
    both_ways(t, build(t, "gcc", "-std=c99"))


def test_cxx(t):
    both_ways(t, build(t, "g++", "-x", "c++", "-std=c++11"))


def test_clang(t):
    both_ways(t, build(t, "clang", "-std=c11", "-fPIE", "-pie"))


def test_not_position_independent(t):
    both_ways(t, build(t, "gcc", "-std=c99", "-fno-pie", "-no-pie"))


def test_static(t):
    """Nothing can be preloaded; it links and says so."""
    t.equal(answers(t, build(t, "gcc", "-std=c99", "-static"), LD_PRELOAD=None), ABSENT, "static")


def test_switched_off(t):
    program = build(t, "gcc", "-std=c99")
    t.equal(answers(t, program, CLOSEGUARD="off")["present"], 0, "present with CLOSEGUARD=off")


def test_label_is_reported(t):
    program = build(t, "gcc", "-std=c99")
    answers(t, program)
    with open(os.path.join(t.dir, "log"), encoding="utf-8") as log:
        t.check("the orders pool" in log.read(), "the report does not show the label")


LABELS = """
#include "prog.h"
#include "closeguard.h"
int main(void)
{
	int from = listener(9, false);
	for (int i = 0; i < 6; i++) {
		int peer = connect_to(port_of(from)), fd = accept_from(from);
		closeguard_label(fd, i < 2 ? "customer A" : "customer B");
		close(peer);
		read_to_end(fd);
	}
	say("ready");
	stay();
	return 0;
}
"""


def test_labels_are_part_of_what_a_finding_is(t):
    """Connections of one place with two labels are two findings: in the log, the recorder's report and a merged one."""
    source = os.path.join(t.dir, "labels.c")
    with open(source, "w", encoding="utf-8") as file:
        file.write(LABELS)
    program = os.path.join(t.dir, "labels")
    subprocess.run(["gcc", "-g", "-pthread", "-D_GNU_SOURCE", "-I" + SHIM, "-I" + harness.HERE, "-o", program, source],
                   check=True)
    app = t.start(program)
    app.line("ready")
    want = {("customer A", 2), ("customer B", 4)}
    app.wait_for(lambda: len(app.events("finding")) == 2, "two findings")
    t.equal({(one["label"], one["count"]) for one in app.events("finding")}, want, "by the log")
    for one in app.events("finding"):
        t.equal({view["label"] for view in one["sockets"]}, {one["label"]}, "the sockets' labels")
    for source in (str(app.pid), os.path.join(t.dir, "log")):
        done = subprocess.run([os.path.join(harness.BUILD, "closeguard"), "report", "--format", "json", source],
                              env=t.environment(LD_PRELOAD=None), stdout=subprocess.PIPE, text=True)
        t.equal({(one["label"], one["count"]) for one in json.loads(done.stdout)["findings"]}, want, source)


def test_checks_of_several_threads(t):
    """Each gets an answer to its own question, not that of one which was under way."""
    app = t.start("prog_checks", 200, env={"CLOSEGUARD_WARN_AFTER": "1ms", "CLOSEGUARD_LOG": "none"})
    t.equal(app.number("stale"), 0, "answers older than the question")


if __name__ == "__main__":
    harness.main(__name__)
