#!/usr/bin/env python3
"""Life in somebody else's process: what has broken preload libraries before."""

import glob
import os
import re
import socket
import subprocess
import time

import harness
import programs
from app import groups_of
from harness import Skip


def leak_is_found(t, program, *args, count=1, ready="ready", **options):
    """The program goes through its hazard and leaks afterwards: it is alive, and the library is too."""
    app = t.start(program, *args, **options)
    app.line(ready)
    app.expect("close_wait", "eof_ignored", count)
    return app


def jemalloc():
    found = glob.glob("/usr/lib/*/libjemalloc.so.2")
    if not found:
        raise Skip("libjemalloc2 is not installed")
    return found[0]


def eof_found(t, **options):
    app = t.start("prog_eof", "read", 2, **options)
    port = app.number("port")
    for _ in range(2):
        app.connect(port, b"x").close()
    app.line("ready")
    app.expect("close_wait", "eof_ignored", 2)
    return app


def test_sockets_in_a_constructor_before_ours(t):
    early = programs.compile("lib_early", harness.BUILD)
    eof_found(t, env={"LD_PRELOAD": harness.preload(after=[early])})


def test_sockets_in_a_constructor_after_ours(t):
    early = programs.compile("lib_early", harness.BUILD)
    eof_found(t, env={"LD_PRELOAD": harness.preload(before=[early])})


def test_jemalloc_before(t):
    eof_found(t, env={"LD_PRELOAD": harness.preload(before=[jemalloc()])})


def test_jemalloc_after(t):
    eof_found(t, env={"LD_PRELOAD": harness.preload(after=[jemalloc()])})


def test_looks_take_no_number_of_the_apps(t):
    """Looking for sockets that nobody told of is the sweep's only reading of /proc in a healthy program."""
    app = t.start("prog_numbers", env={"CLOSEGUARD_WARN_AFTER": "40ms", "CLOSEGUARD_INTERVAL": "10ms"})
    t.check(app.number("rounds") > 1000, "the program had no time")
    t.equal(app.number("other"), 0, "numbers that were not the lowest free one")
    t.equal(app.events(), [], "log lines")


def test_signal_storm(t):
    app = t.start("prog_storm", 20 if harness.SANITIZE == "tsan" else 300)  # its runtime puts them together
    app.line("ready")
    app.expect("close_wait", "eof_ignored", 1)
    groups = groups_of(app.dump())
    t.equal([(one["kind"], one["count"]) for one in groups], [("close_wait", 1)], "groups")


def test_handlers_on_a_small_stack(t):
    """A signal stack of 8 KiB, of which the kernel takes 3: no room for an unwinder, or for a new recorder."""
    if harness.SANITIZE:
        raise Skip("a sanitizer needs more of the stack by itself")
    t.equal(t.start("prog_altstack").number("handled"), 0, "ends read where there was no connection")
    app = t.start("prog_altstack", "warm")
    t.equal(app.number("handled"), 40, "ends read")
    app.expect("close_wait", "eof_ignored", 40)


def test_every_call_answers_the_same(t):
    """Values, errno, bytes and descriptor numbers of every wrapped call, in success and failure."""
    bare = t.start("prog_calls", watched=False)
    bare.finish()
    app = t.start("prog_calls")
    app.finish()
    t.check(len(bare.stdout) > 150, f"the program itself went wrong: {bare.stdout}")
    for line, (got, wanted) in enumerate(zip(app.stdout, bare.stdout)):
        t.equal(got, wanted, f"line {line}")
    t.equal(len(app.stdout), len(bare.stdout), "lines")


def test_every_call_is_in_that_program(t):
    """A call that is added to the table has to be added to prog_calls.c too."""
    with open(os.path.join(harness.HERE, "..", "..", "shim", "calls.def"), encoding="utf-8") as table:
        names = set(re.findall(r"^CG_(?:REQUIRED|OPTIONAL)\(\d+, [^,]*, (\w+),", table.read(), re.M))
        table.seek(0)
        names |= set(re.findall(r"^CG_(?:ALIAS|VARIADIC)\((\w+)", table.read(), re.M))
    with open(os.path.join(harness.HERE, "prog_calls.c"), encoding="utf-8") as source:
        used = set(re.findall(r"\w+", source.read()))
    with open(os.path.join(harness.HERE, "..", "e2e", "prog_eof.c"), encoding="utf-8") as source:
        used |= {f"__{how}" for how in re.findall(r"by_(\w+_chk)", source.read())}
    elsewhere = {"daemon", "pthread_exit", "_exit", "_Exit", "quick_exit", "fcloseall", "pidfd_getfd", "preadv64v2",
                 "fcntl64", "freopen64", "_IO_fdopen", "__recvfrom_chk"}
    t.check(len(names) > 60, f"the table was not understood: {names}")
    t.equal(sorted(names - used - elsewhere), [], "calls without a test")


def test_cancelled_threads(t):
    app = t.start("prog_cancel")
    for call in ("recv", "read", "recvmsg", "accept", "send", "close"):
        t.equal(app.line(), f"{call} cancelled cleaned 1", "a thread cancelled inside its call")
    app.line("ready")
    if not harness.BARE:
        app.finding("close_wait", "eof_ignored")


def test_threads_at_full_speed(t):
    """Numbers are reused by other threads at once: the eight that are left are told, and no misuse is imagined."""
    app = t.start("prog_race", 8, 400)
    app.line("ready", 60 * harness.SLOW)
    app.expect("close_wait", "eof_ignored", 8)
    kinds = {one["kind"] for one in groups_of(app.dump())} | {one["kind"] for one in app.events("finding")}
    t.equal(kinds, {"close_wait"}, "kinds of findings")


def test_exceptions_through_c(t):
    library = programs.compile("lib_throw", harness.BUILD)
    app = t.start("prog_throw", library)
    t.equal(app.number("caught"), 200, "exceptions caught, and unwound through C")
    app.line("ready")
    app.expect("close_wait", "eof_ignored", 1)
    if not harness.BARE:
        with open(f"/proc/{app.pid}/maps", encoding="utf-8") as maps:
            t.check("libgcc_s" in maps.read(), "libgcc is not there to throw with")


def test_an_application_with_our_helpers_names(t):
    leak_is_found(t, "prog_names")


def test_an_application_with_our_helpers_names_and_a_policy(t):
    """libconfig is needed then, and must call its own functions."""
    policy = os.path.join(t.dir, "policy.cfg")
    with open(policy, "w", encoding="utf-8") as file:
        file.write('version = 1;\nwarn_after = "1s";\n')
    os.chmod(policy, 0o600)
    leak_is_found(t, "prog_names", env={"CLOSEGUARD_POLICY": policy})


def test_closefrom_and_then_more(t):
    leak_is_found(t, "prog_closeall", "closefrom", count=2)


def test_closing_each_number_and_then_more(t):
    leak_is_found(t, "prog_closeall", "loop", count=2)


def test_dup2_over_every_foreign_number(t):
    """The dups are one connection; the kernel has two sockets in CLOSE_WAIT."""
    app = t.start("prog_closeall", "dup2")
    app.line("ready")
    app.expect_kernel("eof_ignored", 2)
    if not harness.BARE:
        app.finding("close_wait")
        app.wait_for(lambda: sum(one["count"] for one in groups_of(app.dump())) >= 2, "both sockets in a dump")
    t.equal(app.stderr(), "", "stderr")


def test_dlopen_storm(t):
    leak_is_found(t, "prog_dlopen", "storm", programs.compile("lib_plugin", harness.BUILD))


def test_a_leak_of_a_module_that_is_gone(t):
    listening = socket.create_server(("127.0.0.1", 0))
    listening.settimeout(harness.DEADLINE)
    t.cleanups.append(listening.close)
    app = t.start("prog_dlopen", "gone", programs.compile("lib_plugin", harness.BUILD), listening.getsockname()[1])
    listening.accept()[0].close()
    app.line("ready")
    group = app.expect("close_wait", "eof_ignored", 1)
    modules = [frame["module"] for frame in group["opened"]["stack"]]
    t.equal(modules[0], "lib_plugin.so", f"the top module of {modules}")
    t.check(group["opened"]["stack"][0]["build_id"], "its build-id")


def test_a_module_that_is_on_no_stack(t):
    """The one that used a connection last may be in no other place of it."""
    if harness.SANITIZE:
        raise harness.Skip("the sanitizer's own write is what used it last")
    app = t.start("prog_dlopen", "used", programs.compile("lib_plugin", harness.BUILD))
    app.line("ready")
    frame = app.finding("close_wait")["last_use"]["stack"][0]
    t.equal(frame["module"], "lib_plugin.so", f"the module in {frame}")
    t.check(frame["build_id"], "its build-id")


def asan_program():
    try:
        return programs.compile("prog_eof_asan", harness.BUILD, ["-fsanitize=address"], "prog_eof")
    except RuntimeError as why:
        raise Skip(f"no AddressSanitizer here: {str(why)[:80]}") from None


def asan_found(t, ld_preload, options):
    app = t.start(asan_program(), "read", 2, env={"LD_PRELOAD": ld_preload, "ASAN_OPTIONS": options})
    port = app.number("port")
    for _ in range(2):
        app.connect(port, b"x").close()
    app.line("ready")
    group = app.expect("close_wait", "eof_ignored", 2)
    for place in ("opened", "eof"):
        top = group[place]["stack"][0]["module"]
        t.check(top == "prog_eof_asan", f"the top of {place} is the runtime's own wrapper, in {top}")


def test_an_asan_application_behind_plain_preload(t):
    if harness.SANITIZE == "tsan":
        raise Skip("the library needs the other sanitizer, and a program has one")
    asan_found(t, harness.preload(), "detect_leaks=1:verify_asan_link_order=0")


def test_an_asan_application_with_its_runtime_first(t):
    runtime = subprocess.check_output(["gcc", "-print-file-name=libasan.so"], text=True).strip()
    if harness.SANITIZE:
        raise Skip("the library is a sanitized build itself")
    asan_found(t, harness.preload(before=[runtime]), "detect_leaks=1")


def sandbox(t, how):
    """One system call that the program does not make itself would be its death by SIGSYS."""
    app = t.start("prog_seccomp", how)
    app.line("ready")
    time.sleep(harness.QUIET_TIME * harness.SLOW)
    t.check(app.process.poll() is None, f"the sandboxed program died: {app.process.poll()}")


def test_seccomp_by_prctl(t):
    sandbox(t, "prctl")


def test_seccomp_by_syscall(t):
    sandbox(t, "seccomp")


def test_seccomp_for_every_thread(t):
    if harness.SANITIZE == "tsan":
        raise Skip("TSan has a thread of its own, whose system calls the sandbox kills for")
    sandbox(t, "all")


def test_netlink_refused(t):
    """What TCP_INFO tells is told."""
    deny = programs.compile("prog_deny", harness.BUILD)
    app = t.start(deny, "netlink", programs.compile("prog_eof", harness.BUILD), "read", 3)
    port = app.number("port")
    for _ in range(3):
        app.connect(port, b"x").close()
    app.line("ready")
    app.expect("close_wait", "eof_ignored", 3)


def test_netlink_refused_and_data_unread(t):
    deny = programs.compile("prog_deny", harness.BUILD)
    app = t.start(deny, "netlink", programs.compile("prog_unread", harness.BUILD), "some", 2)
    port = app.number("port")
    for _ in range(2):
        app.connect(port, b"hello").close()
    app.line("ready")
    app.expect("close_wait", "data_unread", 2)


def test_threads_refused(t):
    """No thread can be had: the findings come with the dump signal and at exit, and the program runs on."""
    deny = programs.compile("prog_deny", harness.BUILD)
    app = t.start(deny, "threads", programs.compile("prog_eof", harness.BUILD), "read", 3)
    port = app.number("port")
    for _ in range(3):
        app.connect(port, b"x").close()
    app.line("ready")
    time.sleep(1.3)
    t.equal([(one["cause"], one["count"]) for one in groups_of(app.dump())], [("eof_ignored", 3)], "the dump")
    app.finish()
    t.check(app.events("summary"), "nothing was told at exit")


def test_memory_is_refused(t):
    """RLIMIT_AS leaves no room for a recorder or a thread: no crash, no noise on stdout."""
    if harness.SANITIZE:
        raise Skip("a sanitizer's runtime ends a program that gets no memory")
    app = t.start("prog_limits", "memory", stderr_empty=False)
    app.line("ready")
    time.sleep(harness.QUIET_TIME * harness.SLOW)
    t.check(app.process.poll() is None, "the program died")


def test_descriptors_are_scarce(t):
    """Twenty descriptors in all, of which the program needs nine: it gets them, and is watched."""
    bare = t.start("prog_limits", "descriptors", watched=False)
    bare.line("ready")
    app = t.start("prog_limits", "descriptors")
    app.line("ready")
    app.expect("close_wait", "eof_ignored", 3)


def test_files_may_not_grow(t):
    """RLIMIT_FSIZE of 0 makes a write to a file a SIGXFSZ: none may reach the program."""
    app = t.start("prog_limits", "filesize", stderr_empty=False)
    app.line("ready")
    time.sleep(harness.QUIET_TIME * harness.SLOW)
    t.check(app.process.poll() is None, f"the program died: {app.process.poll()}")


def test_mlockall(t):
    """Whatever is mapped is populated then: 200 connections cost less than 24 MiB."""
    used = []
    for watched in (False, True):
        app = t.start("prog_limits", "locked", watched=watched)
        app.line("ready")
        used.append(app.number("rss"))
        if watched:
            app.expect("close_wait", "eof_ignored", 200)
            app.tell()
            used[-1] = app.number("rss")
    t.check(used[1] - used[0] < (24 << 10) * harness.SLOW, f"RSS grew from {used[0]} to {used[1]} KiB")


def test_memory_of_an_ordinary_program(t):
    """Two connections found and told, names and all: less than 16 MiB more than alone."""
    used = []
    for watched in (False, True):
        app = t.start("prog_eof", "read", 2, watched=watched)
        port = app.number("port")
        for _ in range(2):
            app.connect(port, b"x").close()
        app.line("ready")
        if watched:
            app.expect("close_wait", "eof_ignored", 2)
        with open(f"/proc/{app.pid}/status", encoding="utf-8") as status:
            used.append(int(re.search(r"VmRSS:\s+(\d+)", status.read()).group(1)))
    t.check(used[1] - used[0] < (16 << 10) * harness.SLOW, f"RSS grew from {used[0]} to {used[1]} KiB")


def test_a_full_tmpfs(t):
    """CLOSEGUARD_DIR has 64 KiB: a store to a page that it cannot back would be SIGBUS."""
    if subprocess.run(["unshare", "-m", "true"], stderr=subprocess.DEVNULL).returncode:
        raise Skip("no mount namespace may be made here")
    mount = os.path.join(t.dir, "small")
    os.mkdir(mount, 0o700)
    program = programs.compile("prog_eof", harness.BUILD)
    script = (f"mount -t tmpfs -o size=64k,mode=700 none {mount} && "
              f"LD_PRELOAD='{'' if harness.BARE else harness.preload()}' exec {program} read 400")
    app = t.start("/usr/bin/unshare", "-m", "sh", "-c", script, watched=False, env={"CLOSEGUARD_DIR": mount})
    port = app.number("port")
    for _ in range(400):
        app.connect(port, b"x").close()
    app.line("ready")
    app.expect("close_wait", "eof_ignored", 400)


def test_a_tmpfs_that_fills_up_later(t):
    """The recorder is there already when the last page goes."""
    if subprocess.run(["unshare", "-m", "true"], stderr=subprocess.DEVNULL).returncode:
        raise Skip("no mount namespace may be made here")
    mount = os.path.join(t.dir, "small")
    os.mkdir(mount, 0o700)
    program = programs.compile("prog_eof", harness.BUILD)
    script = (f"mount -t tmpfs -o size=1m,mode=700 none {mount} && "
              f"LD_PRELOAD='{'' if harness.BARE else harness.preload()}' exec {program} read 300")
    app = t.start("/usr/bin/unshare", "-m", "sh", "-c", script, watched=False, env={"CLOSEGUARD_DIR": mount})
    port = app.number("port")
    for number in range(300):
        app.connect(port, b"x").close()
        if number == 3:
            with open(f"/proc/{app.pid}/root{mount}/filler", "wb", buffering=0) as filler:
                try:
                    while filler.write(b"x" * 4096):
                        pass
                except OSError:
                    pass
    app.line("ready")
    app.expect("close_wait", "eof_ignored", 300)


def test_many_descriptors(t):
    """A thousand connections, leaked and counted."""
    app = t.start("prog_eof", "read", 1000)
    port = app.number("port")
    for _ in range(1000):
        app.connect(port, b"x").close()
    app.line("ready")
    group = app.expect("close_wait", "eof_ignored", 1000)
    t.check(len(group["sockets"]) <= 16, f"{len(group['sockets'])} sockets are shown")


if __name__ == "__main__":
    harness.main(__name__)
