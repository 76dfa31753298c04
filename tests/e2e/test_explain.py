#!/usr/bin/env python3
"""`closeguard explain`: every kind and cause is explained by code that compiles, and every reason is a real one."""

import ast
import json
import os
import re
import shutil
import struct
import subprocess
import sys

import harness
import programs
from harness import Skip, need

COMMAND = os.path.join(harness.BUILD, "closeguard")
SHIM = os.path.join(harness.HERE, "..", "..", "shim")
LANGUAGES = ["c", "python", "java", "node"]
NOBODY = 65534


def explain(t, *arguments, status=0, command=COMMAND, env=None, **options):
    settings = dict({"LD_PRELOAD": None, "CLOSEGUARD": None}, **(env or {}))
    done = subprocess.run([command, "explain", *map(str, arguments)], env=t.environment(**settings), cwd=t.dir,
                          stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                          timeout=harness.DEADLINE, **options)
    t.equal(done.returncode, status, f"status of explain {arguments}; it said {done.stdout!r} {done.stderr!r}")
    return done


def verdict(t, *arguments, answer, **options):
    found = json.loads(explain(t, "--json", *arguments, status=1 if answer == "no" else 0, **options).stdout)
    t.equal(found["watched"], answer, f"the answer of {found}")
    return found


def says(t, found, part, where="reasons"):
    t.check(any(re.search(part, text) for text in found[where]), f"{part!r} is not in the {where} of {found}")


def topics(t):
    """name -> explanation."""
    names = json.loads(explain(t, "--json").stdout)
    return {name: json.loads(explain(t, "--json", name).stdout) for name in names}


# Kinds and causes.

def names_in_the_library():
    """What findings can be called, from the tables that they are printed from: {name: kinds or causes}."""
    with open(os.path.join(SHIM, "detect_names.c"), encoding="utf-8") as file:
        return dict((name, table) for table, name in re.findall(r'\[CG_(KIND|CAUSE)_\w+\] = "(\w+)"', file.read()))


def test_everything_is_explained(t):
    known = names_in_the_library()
    with open(os.path.join(SHIM, "detect.h"), encoding="utf-8") as header:
        values = re.findall(r"^\tCG_(?:KIND|CAUSE)_(?!NONE|COUNT)\w+", header.read(), re.M)
    t.equal(len(known), len(values), f"names of {values}")
    told = topics(t)
    t.equal(sorted(told), sorted(known), "what is explained")
    for name, topic in told.items():
        t.equal(topic["of"] is None, known[name] == "KIND", f"whether {name} is a kind")
        t.check(topic["of"] is None or known.get(topic["of"]) == "KIND", f"{name} is a cause of {topic['of']}")
        t.check(len(topic["meaning"]) > 80 and topic["meaning"].endswith("."), f"{name} means {topic['meaning']!r}")
        t.check(any(re.match(r"(ss|nstat) ", line) or "ss -" in line for line in topic["confirm"]),
                f"{name}: no ss in {topic['confirm']}")
        t.equal(sorted(topic["mend"]), sorted(LANGUAGES), f"languages of {name}")
        t.check(all(len(code) > 20 for code in topic["mend"].values()), f"{name}: {topic['mend']}")


def test_list(t):
    text = explain(t).stdout
    for name in names_in_the_library():
        t.check(re.search(rf"^ *{name} +\S", text, re.M), f"{name} is not in the list")


def test_what_is_planned(t):
    """What no finding tells of yet is said to be so, with what tells of it until then; the rest is not."""
    planned = {name for name, topic in topics(t).items() if topic["planned"]}
    t.equal(planned, {"fin_wait1", "reset_on_close", "unread_data", "linger_zero"}, "planned kinds and causes")
    listed = {line.split()[0] for line in explain(t).stdout.splitlines() if line.endswith(" (planned)")}
    t.equal(listed, planned, "planned ones in the list")
    t.check("no finding tells of it yet; `closeguard scan --state fin_wait1` does" in explain(t, "fin_wait1").stdout,
            "the text of fin_wait1")


def test_text_of_a_kind(t):
    text = explain(t, "eof_ignored").stdout
    for part in ("a read returned 0", "a cause   of close_wait", "ss -tnp state close-wait", "in C:", "in Python:",
                 "in Java:", "in Node:", "close(fd);"):
        t.check(part in text, f"{part!r} is not in {text!r}")
    for spelling in ("eof-ignored", "EOF_IGNORED", "eofignored"):
        t.equal(explain(t, spelling).stdout, text, spelling)


def test_commands_run(t):
    """Each command that confirms a finding is one that the tools understand."""
    need("ss")
    seen = set()
    for name, topic in topics(t).items():
        for line in topic["confirm"]:
            command = line.split("#")[0].split("|")[0].strip()
            if command in seen or not command.startswith("ss "):
                continue
            seen.add(command)
            done = subprocess.run(["sh", "-c", command], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
            t.equal((done.returncode, done.stderr), (0, b""), f"{name}: {command}")
    t.check(len(seen) >= 6, f"commands that were tried: {seen}")


C_FRAME = """
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>
void write_statistics(void);
void mend(int fd, int listener, int spare);
void mend(int fd, int listener, int spare)
{
	char buffer[4096];
	ssize_t n;
	(void)buffer, (void)n, (void)fd, (void)listener, (void)spare;
	{
%s
	}
}
"""


def test_c_compiles(t):
    compiler = os.environ.get("CC", "cc")
    for name, topic in topics(t).items():
        path = os.path.join(t.dir, name + ".c")
        with open(path, "w", encoding="utf-8") as file:
            file.write(C_FRAME % topic["mend"]["c"])
        done = subprocess.run([compiler, "-D_GNU_SOURCE", "-std=gnu11", "-Wall", "-Wextra", "-Wno-shadow", "-Werror",
                               "-fsyntax-only", path], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        t.equal(done.returncode, 0, f"{name}: {done.stdout}")


def test_python_compiles(t):
    for name, topic in topics(t).items():
        try:
            ast.parse(topic["mend"]["python"])
        except SyntaxError as why:
            raise harness.Failure(f"{name}: {why}: {topic['mend']['python']}") from None


def test_node_compiles(t):
    node = need("node")
    for name, topic in topics(t).items():
        path = os.path.join(t.dir, name + ".js")
        with open(path, "w", encoding="utf-8") as file:
            file.write("async function mend() {\n" + topic["mend"]["node"] + "}\n")
        done = subprocess.run([node, "--check", path], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        t.equal(done.returncode, 0, f"{name}: {done.stdout}")


JAVA_FRAME = """
import java.io.*;
import java.net.*;
import java.util.concurrent.*;
class Mend {
    static ServerSocket server;
    static ExecutorService executor;
    static ScheduledExecutorService scheduler;
    static HttpURLConnection connection;
    static Semaphore permits;
    static void handle(byte[] buffer, int n) { }
    static void serve(Socket socket) { }
    static void pass() throws IOException { }
    static void log(Exception e) { }
    static void writeStatistics() { }
%s
}
"""


def test_java_compiles(t):
    javac = need("javac")
    methods = []
    for name, topic in topics(t).items():
        code = topic["mend"]["java"]
        code = code.replace("serve(socket);", "pass(); serve(socket);") if "catch (IOException" in code else code
        given = "Socket socket, " if "Socket socket =" not in code else ""
        given += "byte[] buffer, " if "byte[] buffer" not in code else ""
        given += "int n" if "int n" not in code else "int unused"
        methods.append(f"static void {name}({given}) throws Exception {{\n{code}}}\n")
    path = os.path.join(t.dir, "Mend.java")
    with open(path, "w", encoding="utf-8") as file:
        file.write(JAVA_FRAME % "\n".join(methods))
    done = subprocess.run([javac, "-proc:none", "-d", t.dir, path], stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          text=True)
    t.equal(done.returncode, 0, done.stdout)


def test_near_misses(t):
    for word, name in (("close_wat", "close_wait"), ("eof_ignord", "eof_ignored"), ("doubleclosed", "double_close"),
                       ("never_acepted", "never_accepted")):
        done = explain(t, word, status=3)
        t.check(f"did you mean {name}?" in done.stderr and done.stderr.count("\n") == 1, f"{word}: {done.stderr!r}")


def test_kind_before_command(t):
    folder = os.path.join(t.dir, "bin")
    os.mkdir(folder)
    path = write(t, "bin/shared", b"#!/bin/sh\n")
    done = explain(t, "shared", env={"PATH": f"{folder}:/usr/bin:/bin"})
    t.check(done.stdout.startswith("shared: "), f"it explained {done.stdout[:60]!r}")
    t.check(f"this is the kind; the program of that name is {path}" in done.stderr, f"it said {done.stderr!r}")
    t.equal(explain(t, "shared", env={"PATH": "/usr/bin:/bin"}).stderr, "", "where there is no such program")
    verdict(t, path, answer="yes")


# Commands.

def write(t, name, content, mode=0o755):
    path = os.path.join(t.dir, name)
    with open(path, "wb") as file:
        file.write(content)
    os.chmod(path, mode)
    return path


def build(t, name, *flags, source="int main(void) { return 0; }\n"):
    path = os.path.join(t.dir, name)
    write(t, name + ".c", source.encode(), 0o644)
    done = subprocess.run([os.environ.get("CC", "cc"), "-o", path, path + ".c", *flags], stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True)
    if done.returncode:
        raise Skip(f"{name} cannot be built with {flags}: {done.stdout.splitlines()[-1]}")
    return path


def copy_of(t, program, name):
    path = os.path.join(t.dir, name)
    harness.copy_program(shutil.which(program), path)
    os.chmod(path, 0o755)
    return path


def need_root():
    if os.geteuid() != 0:
        raise Skip("needs root")


GO_NOTE = """
struct { int name, description, type; char owner[4], id[4]; } const note
    __attribute__((section(".note.go.buildid"), used, aligned(4))) = {4, 4, 4, "Go", "abc"};
int main(void) { return 0; }
"""


def test_watched_command(t):
    found = verdict(t, "true", answer="yes")
    says(t, found, "program /", "facts")
    says(t, found, r"library .*libcloseguard\.so", "facts")
    says(t, found, "closeguard run true", "advice")
    text = explain(t, "true").stdout
    t.check(text.startswith("true: yes, it would be watched\n"), f"the text begins with {text[:60]!r}")


def test_static_commands(t):
    for name, flags in (("static", "-static"), ("static-pie", "-static-pie")):
        found = verdict(t, build(t, name, flags), answer="no")
        says(t, found, "statically linked")
        says(t, found, "closeguard scan", "advice")
    says(t, verdict(t, build(t, "gostatic", "-static", source=GO_NOTE), answer="no"), "static Go program")


def test_dynamic_go_command(t):
    found = verdict(t, build(t, "go", source=GO_NOTE), answer="partly")
    says(t, found, "Go calls the kernel without libc")


def test_real_go(t):
    found = json.loads(explain(t, "--json", need("go"), status=1).stdout) if is_static(need("go")) else \
        verdict(t, need("go"), answer="partly")
    says(t, found, "Go program")


def is_static(program):
    with open(os.path.realpath(program), "rb") as file:
        return b"/ld-linux" not in file.read(4096)


def test_privileged_commands(t):
    program = copy_of(t, "true", "privileged")
    for mode, name in ((0o4755, "setuid"), (0o2755, "setgid")):
        os.chmod(program, mode)
        says(t, verdict(t, program, answer="no"), f"is {name}, so the loader ignores LD_PRELOAD")
    need_root()
    os.chmod(program, 0o755)
    try:
        os.setxattr(program, "security.capability", struct.pack("<5I", 0x02000000, 1 << 10, 0, 0, 0))
    except OSError as why:
        raise Skip(f"no file capabilities here: {why}") from None
    says(t, verdict(t, program, answer="no"), "has file capabilities")


def test_foreign_commands(t):
    with open(shutil.which("true"), "rb") as file:
        content = bytearray(file.read())
    loader = re.search(rb"/lib(64)?/ld-linux-[a-z0-9_-]+\.so\.[12]\0", content)
    narrow = content[:]
    narrow[4:5] = b"\1"
    says(t, verdict(t, write(t, "narrow", bytes(narrow)), answer="no"), "is built for 32-bit")
    foreign = content[:]
    foreign[18:20] = struct.pack("=H", 243)
    says(t, verdict(t, write(t, "foreign", bytes(foreign)), answer="no"), "64-bit riscv")
    if not loader:
        raise Skip("the system's programs have another loader")
    musl = bytes(content).replace(loader[0], b"/lib/ld-musl.so.1\0".ljust(len(loader[0]), b"\0"))
    says(t, verdict(t, write(t, "musl", musl), answer="no"), "built for musl")


def test_scripts(t):
    found = verdict(t, write(t, "script", b"#!/bin/sh\n"), answer="yes")
    says(t, found, "is a script; what counts is its interpreter, /bin/sh", "facts")
    static = build(t, "static", "-static")
    says(t, verdict(t, write(t, "bad", f"#!{static}\n".encode()), answer="no"), "its interpreter .* statically linked")


def test_wrappers(t):
    for name, reason, advice in (("sudo", "drops the environment", "sudo closeguard run"),
                                 ("su", "new environment", "su - USER -c 'closeguard run"),
                                 ("systemctl", "service manager", r"Environment=LD_PRELOAD="),
                                 ("systemd-run", "by a daemon", "--setenv=LD_PRELOAD="),
                                 ("docker", "in a container", "-e LD_PRELOAD="), ("ssh", "another host", "ssh HOST")):
        found = verdict(t, copy_of(t, "true", name), "some", "--words", answer="no")
        says(t, found, reason)
        says(t, found, advice, "advice")


def test_runtimes(t):
    for name, part in (("php8.2", "RTLD_DEEPBIND"), ("apache2", "RTLD_DEEPBIND"), ("node", "raw system calls")):
        says(t, verdict(t, copy_of(t, "true", name), answer="partly"), part)
    says(t, verdict(t, copy_of(t, "true", "java"), answer="yes"), "2 or 3 frames", "facts")


def test_switched_off(t):
    says(t, verdict(t, "true", answer="no", env={"CLOSEGUARD": "off"}), "CLOSEGUARD=off is set")


def test_no_such_thing(t):
    for word, part in (("no-such-program-here", "was not found in PATH"), (t.dir, "is a directory"),
                       ("", "name is empty"), ("./nowhere", "was not found"),
                       (write(t, "plain", b"x", 0o644), "is not executable")):
        done = explain(t, word, status=3)
        t.check(part in done.stderr and done.stderr.count("\n") == 1, f"{word}: {done.stderr!r}")
    with subprocess.Popen(["true"]) as gone:
        pass
    t.check(f"there is no process {gone.pid}" in explain(t, gone.pid, status=3).stderr, "a process that has ended")
    t.check("is no process id" in explain(t, "99999999999", status=2).stderr, "too large a number")
    t.check("--nope is no option" in explain(t, "--nope", status=2).stderr, "an option")


def test_help(t):
    text = explain(t, "--help").stdout
    for part in ("usage: closeguard explain", "--json", "-h, --help", "A name that is both", "It exits with 0"):
        t.check(part in text, f"{part!r} is not in the help")


# Processes.

def test_watched_process(t):
    app = t.start("prog_states")
    app.number("child")
    if harness.BARE:
        raise Skip("ran bare")
    env = {"CLOSEGUARD_DIR": app.recorders}
    app.wait_for(lambda: "sweeps was" in explain(t, app.pid, env=env).stdout, "no sweep is told")
    found = verdict(t, app.pid, answer="yes", env=env)
    for part in (r"program .*/prog_states", r"library .*/libcloseguard\.so", f"recorder {app.recorders}/{app.pid}",
                 "sweeps was", "TCP descriptors opened"):
        says(t, found, part, "facts")
    t.equal(found["reasons"], [], "reasons")
    t.check(explain(t, app.pid, env=env).stdout.startswith(f"{app.pid}: yes, it is watched"), "the text")


def test_process_without_thread(t):
    app = t.start("prog_states", env={"CLOSEGUARD_THREAD": "off"})
    app.number("child")
    if harness.BARE:
        raise Skip("ran bare")
    says(t, verdict(t, app.pid, answer="partly"), "CLOSEGUARD_THREAD=off")


def test_process_switched_off(t):
    app = t.start("prog_states", env={"CLOSEGUARD": "off"})
    app.number("child")
    if harness.BARE:
        raise Skip("ran bare")
    says(t, verdict(t, app.pid, answer="no"), "started with CLOSEGUARD=off")


def test_process_without_a_socket(t):
    app = t.start(need("cat"))
    if harness.BARE:
        raise Skip("ran bare")
    app.wait_for(lambda: harness.LIBRARY in app.maps(), "the library is not loaded")
    says(t, verdict(t, app.pid, answer="yes"), "had no TCP socket yet", "facts")


def test_sealed_process(t):
    if harness.SANITIZE:
        raise Skip("a sanitizer makes system calls of its own, which the sandbox kills for")
    app = t.start("prog_seccomp", "prctl")
    app.line("ready")
    if harness.BARE:
        raise Skip("ran bare")
    found = verdict(t, app.pid, answer="partly")
    says(t, found, "seccomp sandbox")
    says(t, found, f"closeguard scan {app.pid}", "advice")


def unwatched(t, *argv, env=None, **options):
    app = t.start(*argv, env=dict({"LD_PRELOAD": None}, **(env or {})), stderr_empty=False, **options)
    exe = os.path.realpath(argv[0])
    app.wait_for(lambda: os.readlink(f"/proc/{app.pid}/exe") == exe, f"{exe} is not started")
    return app


def test_process_without_preload(t):
    app = unwatched(t, need("cat"))
    found = verdict(t, app.pid, answer="no")
    says(t, found, "started without LD_PRELOAD")
    for part in ("closeguard run", "Environment=LD_PRELOAD=", f"closeguard scan {app.pid}"):
        says(t, found, part, "advice")


def test_process_with_another_preload(t):
    other = build(t, "libother.so", "-shared", "-fPIC", source="int other;\n")
    app = unwatched(t, need("cat"), env={"LD_PRELOAD": other})
    says(t, verdict(t, app.pid, answer="no"), f"LD_PRELOAD={re.escape(other)}, without the library")


def test_process_whose_library_is_missing(t):
    app = unwatched(t, need("cat"), env={"LD_PRELOAD": "/nowhere/libcloseguard.so"})
    says(t, verdict(t, app.pid, answer="no"), "/nowhere/libcloseguard.so, which the process cannot see")


def test_process_whose_library_is_refused(t):
    broken = write(t, "libcloseguard.so", b"no library at all")
    app = unwatched(t, need("cat"), env={"LD_PRELOAD": broken})
    found = verdict(t, app.pid, answer="no")
    says(t, found, "the loader did not take it")
    says(t, found, r"its glibc is 2\.\d+, which is enough", "facts")


def test_static_process(t):
    path = programs.compile("prog_states_static", harness.BUILD, ["-static"], source="prog_states")
    app = unwatched(t, path)
    says(t, verdict(t, app.pid, answer="no"), "statically linked")


def test_secure_process(t):
    """A setuid program that is started by somebody else runs with AT_SECURE, though LD_PRELOAD was set."""
    need_root()
    os.chmod(t.dir, 0o755)
    program = copy_of(t, "cat", "privileged")
    os.chmod(program, 0o4755)
    if os.statvfs(t.dir).f_flag & os.ST_NOSUID:
        raise Skip("the temporary folder is mounted nosuid")

    def become_nobody():
        os.setgroups([])
        os.setresgid(NOBODY, NOBODY, NOBODY)
        os.setresuid(NOBODY, NOBODY, NOBODY)
    app = t.start(program, preexec=become_nobody, stderr_empty=False)
    app.wait_for(lambda: os.readlink(f"/proc/{app.pid}/exe") == program, "it is not started")
    found = verdict(t, app.pid, answer="no")
    says(t, found, "AT_SECURE")
    says(t, found, "sudo closeguard run", "advice")


def test_process_in_another_root(t):
    need_root()
    root = os.path.join(t.dir, "root")
    path = build(t, "static", "-static", source="#include <unistd.h>\nint main(void) { char c; read(0, &c, 1); }\n")
    os.mkdir(root)
    harness.copy_program(path, os.path.join(root, "static"))
    dynamic = harness.copy_program(need("cat"), os.path.join(root, "cat"))
    for library in sorted(set(re.findall(r"(/\S+) \(0x", subprocess.check_output(["ldd", dynamic], text=True)))):
        os.makedirs(root + os.path.dirname(library), exist_ok=True)
        shutil.copy(library, root + library)
    app = t.start(need("chroot"), root, "/cat", env={"LD_PRELOAD": None}, watched=False, stderr_empty=False)
    app.finish()
    app = t.start(need("chroot"), root, "/cat", stderr_empty=False)
    app.wait_for(lambda: os.readlink(f"/proc/{app.pid}/exe") == dynamic, "it is not started")
    if harness.BARE:
        raise Skip("ran bare")
    says(t, verdict(t, app.pid, answer="no"), "which the process cannot see .*another root")


def test_process_of_another_user(t):
    need_root()
    os.chmod(t.dir, 0o755)
    command = harness.copy_program(COMMAND, t.dir)
    app = unwatched(t, need("cat"))
    done = explain(t, app.pid, status=3, command=command, user=NOBODY, group=NOBODY, extra_groups=[])
    t.check("CAP_SYS_PTRACE" in done.stderr, f"it said {done.stderr!r}")


if __name__ == "__main__":
    if not os.path.exists(COMMAND):
        sys.exit(f"not ok explain: {COMMAND} is missing: build it first")
    harness.main(__name__)
