#!/usr/bin/env python3
"""`closeguard check`: what it says of good policies, of bad ones, and of a connection; and what is said about policies
elsewhere: the samples, the manual, the names that the annex exports."""

import glob
import os
import re
import subprocess
import sys

import harness

COMMAND = os.path.join(harness.BUILD, "closeguard")
ANNEX = os.path.join(harness.BUILD, "libcloseguard-config.so")
TOP = os.path.join(harness.HERE, "..", "..")
BAD = os.path.join(TOP, "tests", "policy", "bad")
SAMPLES = ("haproxy", "jvm-service", "libcurl-client", "nginx-behind-lb", "python-service", "redis")

EDGE = """version = 1;
app = "nginx*";
mode = "enforce";
rules = (
  { name = "edge";
    match = { role = "accepted"; local = "0.0.0.0/0:8443"; peer = "10.0.0.0/8"; site = "http_accept*"; };
    open = { keepalive = { idle = "60s"; interval = "10s"; count = 3; }; user_timeout = "20s"; };
    eof = { warn_after = "10s"; reap_after = "5m"; };
    close = { drain = { timeout = "1500ms"; bytes = "64K"; };
              fin_timeout = "10s"; user_timeout = "5s"; rto_max = "2s"; };
    shutdown = { fin_wait2_after = "30s"; };
    setsockopt = { SO_LINGER = "deny"; TCP_NODELAY = "log"; };
  },
  { name = "six"; match = { family = 6; }; close = { linger = "off"; }; },
  { name = "out"; match = { role = "connected"; }; }
);
suppress = ( { kind = "close_wait"; stack = [ "Curl_conncache*" ]; max = 8; reason = "the connection cache"; } );
pass_over = [ "net_*", "libshop.so*" ];
"""


def run(t, *arguments):
    env = {key: value for key, value in os.environ.items() if not key.startswith(("CLOSEGUARD", "LD_PRELOAD"))}
    return subprocess.run([COMMAND, *arguments], cwd=t.dir, env=env, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, timeout=harness.DEADLINE, text=True)


def check(t, *arguments, code=0):
    done = run(t, "check", *arguments)
    t.equal(done.returncode, code, f"status of check {arguments}; it said {done.stdout!r} {done.stderr!r}")
    return done


def write(t, name, content, mode=0o600):
    path = os.path.join(t.dir, name)
    os.makedirs(os.path.dirname(path), mode=0o700, exist_ok=True)
    with open(path, "w", encoding="utf-8") as file:
        file.write(content)
    os.chmod(path, mode)
    return name


def says(t, text, *wanted):
    for one in wanted:
        t.check(one in text, f"{one!r} is not in {text!r}")


def copy_of(t, source, name):
    """The checkout may be writable by a group, which policies must not be."""
    with open(source, encoding="utf-8") as file:
        return write(t, name, file.read())


def test_valid(t):
    write(t, "p.cfg", EDGE)
    done = check(t, "p.cfg")
    t.equal(done.stderr, "", "stderr")
    says(t, done.stdout, "p.cfg: valid; for programs called nginx*; enforces", 'rule 1, "edge" (line 5)',
         "accepted connections", "local is any IPv4 address, port 8443", "peer is 10.0.0.0/8", "http_accept*",
         "a first probe after 1m without data, then one every 10s, given up after 3", "unacknowledged for 20s",
         "not closed after 10s", "reaped when not closed after 5m", "for 1500ms and 65536 bytes at most",
         "at most 10s in FIN_WAIT2", "acknowledged for 5s", "at most 2s between retransmissions",
         "half-closed in FIN_WAIT2 for 30s", "SO_LINGER is denied", "TCP_NODELAY is logged", "of IPv6",
         "SO_LINGER is turned off", 'rule 3, "out"', "suppressed: close_wait",
         "Curl_conncache*, up to 8 sockets: the connection",
         "passed over where a place is named: net_*", "libshop.so*")


def test_observe_is_said(t):
    write(t, "p.cfg", "version = 1;\n")
    says(t, check(t, "p.cfg").stdout, "for every program; observes")


def test_warnings(t):
    write(t, "p.cfg", 'version = 1;\nrules = ( { close = { linger = "5s"; }; } );\n')
    done = check(t, "p.cfg")
    wanted = r"warning: p\.cfg:2: rules\.close\.linger: [^\n]*non-blocking[^\n]*\n"
    t.check(re.fullmatch(wanted, done.stderr), done.stderr)


def test_several_files(t):
    write(t, "good.cfg", "version = 1;\n")
    write(t, "bad.cfg", "version = 1;\nmode = 1;\nfoo = 2;\n")
    done = check(t, "bad.cfg", "good.cfg", code=1)
    says(t, done.stdout, "good.cfg: valid")
    places = [line.split(": ")[0] for line in done.stderr.splitlines()]
    t.equal(places, ["bad.cfg:2", "bad.cfg:3"], "places of the errors")
    done = check(t, "none.cfg", "bad.cfg", code=3)
    says(t, done.stderr, "none.cfg: No such file", "bad.cfg:2: ")


def test_more_errors_than_room(t):
    write(t, "p.cfg", "version = 1;\n" + "".join(f"k{i} = 1;\n" for i in range(250)))
    lines = check(t, "p.cfg", code=1).stderr.splitlines()
    t.equal(len(lines), 201, "lines")
    t.equal(lines[-1], "p.cfg: and 50 more", "the last line")


def test_app(t):
    write(t, "p.cfg", EDGE)
    says(t, check(t, "--app", "nginx-debug", "p.cfg").stdout, "p.cfg: valid")
    says(t, check(t, "--app", "apache2", "p.cfg", code=1).stdout, 'not for apache2: app is "nginx*"')
    check(t, "--app", "apache2", "--explain", "role=accepted", "p.cfg", code=1)


def explain(t, facts, code=0):
    write(t, "p.cfg", EDGE)
    done = check(t, "--explain", facts, "p.cfg", code=code)
    return done.stdout if code == 0 else done.stderr


def test_explain_match(t):
    told = explain(t, "role=accepted local=10.0.0.1:8443 peer=10.0.2.7:51000 site=main site=http_accept4")
    says(t, told, 'p.cfg: rule 1, "edge" (line 5), applies; the mode is enforce', "at open:", "at EOF:", "at close:",
         "at shutdown:", "setsockopt:", "for 1500ms")
    t.check("does not match" not in told, told)


def test_explain_misses(t):
    for facts, rule, why in (
            ("role=connected local=[::1]:8443 peer=[::1]:5", "six", "role is connected, and it asks for accepted"),
            ("role=connected local=10.0.0.1:8443 peer=10.0.0.2:5", "out", "it asks for IPv6"),
            ("role=accepted local=10.0.0.1:80 peer=10.0.0.2:5", None,
             "local is 10.0.0.1, port 80, and it asks for any IPv4"),
            ("role=accepted local=10.0.0.1:8443 peer=192.0.2.7:5", None,
             "peer is 192.0.2.7, port 5, and it asks for 10.0.0"),
            ("role=accepted local=10.0.0.1:8443 peer=10.0.0.2:5 site=x", None, "no site given matches http_accept*"),
            ("local=10.0.0.1:8443 peer=10.0.0.2:5 site=http_accept", None,
             "role is not given, and it asks for accepted")):
        told = explain(t, facts)
        says(t, told, f'"{rule}" (line' if rule else "no rule applies; the connection is left alone", why)


def test_explain_undecided(t):
    says(t, explain(t, "role=accepted local=10.0.0.1:8443 peer=10.0.2.7:51000"),
         'it depends on rule 1, "edge"',
         "give site=", "nothing is done")
    says(t, explain(t, "role=accepted site=http_accept"), 'it depends on rule 1, "edge"', "give local= and peer=")
    says(t, explain(t, "role=accepted site=other"), 'it depends on rule 2, "six"', "the family: give local= and peer=")
    says(t, explain(t, ""), 'depends on rule 2, "six"', "role is not given")


def test_explain_nothing_to_do(t):
    told = explain(t, "role=connected local=10.0.0.1:80 peer=10.0.0.2:5")
    t.equal(len(re.findall(r"(at open|at EOF|at close|at shutdown|setsockopt): +nothing\n", told)), 5, told)


def test_explain_one_end(t):
    says(t, explain(t, "role=accepted peer=10.0.0.2:5", code=2), "local= is needed too", "edge")
    write(t, "q.cfg", 'version = 1;\nrules = ( { name = "p"; match = { peer = "10.0.0.0/8"; family = 4; }; } );\n')
    says(t, check(t, "--explain", "peer=10.1.2.3:4", "q.cfg").stdout, '"p" (line 2), applies')
    says(t, check(t, "--explain", "local=10.1.2.3:4", "q.cfg", code=2).stderr, "peer= is needed too")


def test_explain_bad_text(t):
    for facts, wanted in (("role=server", "'server' is not understood; it takes accepted or connected"),
                          ("peer=10.0.0.1", "peer='10.0.0.1'"), ("peer=[::1:80", "peer='[::1:80'"),
                          ("local=::1:80", "local='::1:80'"), ("local=10.0.0.1:0", "local='10.0.0.1:0'"),
                          ("local=10.0.0.1:65536", "[::1]:8443"), ("fd=3", "'fd=3'"), ("nonsense", "'nonsense'"),
                          ("site=", "'site='"), ("peer=10.0.0.1:80 local=[::1]:80", "different families"),
                          ("local=" + "1" * 500 + ":80", "is not understood")):
        told = explain(t, facts, code=2)
        says(t, told, wanted)
        t.check(re.fullmatch(r"closeguard: check: --explain: [^\n]*\n", told), f"not one line: {told!r}")


def test_usage(t):
    done = check(t, "--help")
    says(t, done.stdout, "--app", "--explain", "role=", "site=")
    t.equal(done.stderr, "", "stderr")
    says(t, check(t, code=2).stderr, "usage: closeguard check")
    says(t, check(t, "--nope", "x", code=2).stderr, "--nope is no option")
    says(t, check(t, "--app", code=2).stderr, "--app needs a value")


def expected_of(path):
    """The comment at the beginning: "expected: " and a line, which may go on in the comment lines below."""
    lines = []
    with open(path, encoding="utf-8") as file:
        for line in file:
            if line.startswith("# expected: "):
                lines.append(line[len("# expected: "):].rstrip("\n"))
            elif line.startswith("#   ") and lines:
                lines[-1] += " " + line[len("#   "):].rstrip("\n")
            else:
                break
    return lines


def test_bad_files(t):
    paths = sorted(glob.glob(os.path.join(BAD, "*.cfg")))
    t.check(len(paths) > 20, f"only {len(paths)} files in {BAD}")
    for part in glob.glob(os.path.join(BAD, "parts", "*")):
        copy_of(t, part, "parts/" + os.path.basename(part))
    wrong = []
    for path in paths:
        name, wanted = copy_of(t, path, os.path.basename(path)), expected_of(path)
        t.check(wanted, f"{name} expects nothing")
        told = check(t, name, code=1).stderr.replace(os.path.realpath(t.dir) + "/", "").splitlines()
        told = [line for line in told if not line.startswith("warning: ")]
        wrong += [f"{name}: got {got!r}, expected {want!r}" for got, want in
                  zip(told + [None] * len(wanted), wanted + [None] * len(told)) if got != want]
    t.check(not wrong, "\n".join(wrong))


def test_writable_by_others(t):
    write(t, "p.cfg", "version = 1;\n", mode=0o666)
    says(t, check(t, "p.cfg", code=1).stderr, "p.cfg:1: file: ", "may be written by others")


def test_samples(t):
    found = sorted(os.path.basename(path)[:-len(".cfg")] for path in glob.glob(os.path.join(TOP, "policy", "*.cfg")))
    t.equal(tuple(found), SAMPLES, "samples")
    for name in SAMPLES:
        done = check(t, copy_of(t, os.path.join(TOP, "policy", name + ".cfg"), name + ".cfg"))
        says(t, done.stdout, "valid", "observes")
        t.equal(done.stderr, "", f"warnings of {name}")


def keys():
    """The keys in the parser's tables."""
    found = set()
    for path in glob.glob(os.path.join(TOP, "policy", "parse*.c")):
        with open(path, encoding="utf-8") as file:
            for table in re.findall(r"struct cg_config_key \w+_keys\[\] = \{\n(.*?)^\};", file.read(), re.S | re.M):
                found |= set(re.findall(r'^    \{"(\w+)"', table, re.M))
    return found


def manual(t):
    page = os.path.join(TOP, "man", "closeguard.conf.5")
    t.check(os.path.exists(page), "man/closeguard.conf.5 is missing")
    with open(page, encoding="utf-8") as file:
        return re.sub(r"\\f[BIRP]|\\&", "", file.read().replace("\\-", "-").replace("\\e", "\\"))


def test_manual_has_every_key(t):
    known, page = keys(), manual(t)
    t.check(len(known) > 30, f"only {sorted(known)} were found")
    described = set(re.findall(r'^\.TP\n\.BR? "?(\w+)', page, re.M))
    t.equal(sorted(known - described), [], "keys that the page does not describe")
    t.equal(sorted(described - known), [], "keys that the page describes and no policy takes")


def test_manual_has_every_option(t):
    page = manual(t)
    with open(os.path.join(TOP, "policy", "option_names.c"), encoding="utf-8") as file:
        names = re.findall(r'^    (?:\w+\(|\{")((?:SO|TCP|IP|IPV6)_\w+)', file.read(), re.M)
    t.check(len(names) > 50, f"only {names}")
    t.equal([name for name in names if not re.search(rf"\b{name}\b", page)], [], "options that the page does not name")


def test_manual_example(t):
    """The example between .EX and .EE is a valid policy."""
    examples = re.findall(r"^\.EX\n(version.*?)^\.EE", manual(t), re.S | re.M)
    t.equal(len(examples), 1, "complete examples")
    write(t, "example.cfg", examples[0])
    t.equal(check(t, "example.cfg").stderr, "", "what is said of the example")
    unused = [key for key in keys() if not re.search(rf"\b{key} *=", examples[0])]
    t.equal(sorted(unused), [], "keys that the example does not use")


def test_annex_exports(t):
    nm = harness.need("nm")
    listed = subprocess.run([nm, "-D", "--defined-only", ANNEX], stdout=subprocess.PIPE, text=True).stdout
    names = sorted(line.split()[2] for line in listed.splitlines() if line.split()[1] in "TWi")
    if harness.SANITIZE:
        names = [name for name in names if not name.startswith(("__asan", "__tsan", "__odr"))]
    t.equal(names, ["cg_policy_build", "cg_policy_load"], "functions that the annex exports")


def test_names_are_unique(t):
    """The command links the core, an archive, behind the parser: of two of one name, one would silently win."""
    nm = harness.need("nm")
    source = os.path.join(harness.HERE, "..", "..")
    objects = [path for folder in ("shim", "policy", "cli")
               for path in glob.glob(os.path.join(harness.BUILD, "obj", folder, "*.o"))
               if os.path.exists(os.path.join(source, folder, os.path.basename(path)[:-2]))]  # not a renamed one's
    t.check(objects, "no objects were found")
    listed = subprocess.run([nm, "-g", "--defined-only", *objects], stdout=subprocess.PIPE, text=True).stdout
    names = [line.split()[2] for line in listed.splitlines() if len(line.split()) == 3 and line.split()[1] in "TDBR"]
    t.equal(sorted({name for name in names if names.count(name) > 1}), [], "names that stand twice")


if __name__ == "__main__":
    if not os.path.exists(COMMAND):
        sys.exit(f"not ok policy_check: {COMMAND} is missing: build it first")
    harness.main(__name__)
