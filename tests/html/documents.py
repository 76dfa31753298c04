"""Report documents to make pages of: none, one, a realistic few, hostile ones and very many findings.

All are made by a seeded generator, so a page looks the same each time. As a program: documents.py NAME prints one.
"""

import json
import random
import sys

TIME = "2026-03-14T09:41:30.655Z"
BOUNDS = [2**i for i in range(19)] + [None]
ADVICE = {
    "eof_ignored": "close the socket where read returned 0: the path at `EOF seen` returns without close()",
    "data_unread": "the code at `last used` stopped reading before the end and kept the socket: read on to the end, or "
    "close the socket where the reading is given up",
    "fin_unread": "an idle pool or cache keeps it: set an idle timeout below the peer's, or close it "
    "before the peer does",
    "late_close": "overload, not a bug: the socket was closed in the end; look for what kept the thread busy between "
    "`EOF seen` and the close",
    "shared": "close the copies too: look for a dup or a child that keeps the descriptor",
}


def at(minutes):
    """A time so many minutes before the report, in RFC 3339."""
    seconds = 9 * 3600 + 41 * 60 + 30 - round(minutes * 60)
    day = 14 + seconds // 86400
    seconds %= 86400
    return "2026-03-%02dT%02d:%02d:%02d.000Z" % (day, seconds // 3600, seconds // 60 % 60, seconds % 60)


def frame(module, function, file=None, line=None, offset=0x1000, **more):
    build_id = "%040x" % (sum(map(ord, module)) * 0x9E3779B97F4A7C15F39CC0605CEDC835)
    made = {"module": module, "build_id": build_id[:40], "offset": hex(offset)}
    if function:
        made["function"] = function
    if file:
        made.update(file=file, line=line)
    return {**made, **more}


LIBC = [
    frame("libc.so.6", "__libc_start_call_main", "../sysdeps/nptl/libc_start_call_main.h", 58, 0x27249),
    frame("libc.so.6", "__libc_start_main_impl", "../csu/libc-start.c", 360, 0x27304),
]
THREAD = [
    frame("libc.so.6", "start_thread", "./nptl/pthread_create.c", 442, 0x89134),
    frame("libc.so.6", "clone3", "../sysdeps/unix/sysv/linux/x86_64/clone3.S", 81, 0x1094AC),
]


def program(name, source):
    """Makes frames of one program: f(function, line)."""

    def make(function, line, **more):
        return frame(name, function, "/usr/src/%s/%s" % (name, source), line, 0x1200 + line * 16, **more)

    return make


def place(call, thread, age, stack):
    return {"call": call, "thread": thread, "age_s": age, "stack": stack}


def history(in_time=0, late=0, never=0, mode=3):
    """Delays in a hill around the bucket `mode`; late ones from 8 s up."""
    delays = [0] * len(BOUNDS)
    for i, share in ((mode - 1, 0.2), (mode, 0.5), (mode + 1, 0.2), (mode + 3, 0.1)):
        delays[max(0, i)] += int(in_time * share)
    delays[mode] += in_time - sum(delays)
    for i, share in ((14, 0.3), (15, 0.5), (17, 0.2)):
        delays[i] += int(late * share)
    return {
        "opened": in_time + late + never,
        "closed": in_time + late,
        "closed_in_time": in_time,
        "closed_late": late,
        "never_closed": never,
        "delays_ms": [[bound, n] for bound, n in zip(BOUNDS, delays)],
    }


def socket(n, age, local="10.1.0.7:8443", peer="10.1.4.%d:%d", host="web-1", pid=4242, unread=0, **more):
    return {
        "fd": 14 + n,
        "state": "CLOSE_WAIT",
        "local": local,
        "peer": peer % (n % 250 + 2, 40000 + n * 7 % 20000),
        "age_s": age,
        "age_max_s": None,
        "age_source": "eof",
        "unread_bytes": unread,
        "unsent_bytes": 0,
        "inode": 5550000 + n,
        "polled_by": None,
        "shared_with": [],
        "host": host,
        "pid": pid,
        **more,
    }


def finding(kind, cause, verdict, confidence, count, age, places, processes, growth=None, **more):
    opened, eof, last_use = places
    first = processes[0]
    made = {
        "kind": kind,
        "cause": cause,
        "verdict": verdict,
        "confidence": confidence,
        "count": count,
        "oldest_age_s": age,
        "growth_per_min": growth,
        "advice": ADVICE.get(cause, "close the socket"),
        "origin": "seen",
        "opened": opened,
        "eof": eof,
        "last_use": last_use,
        "sockets": [
            socket(n, round(age * (1 - n / 20), 3), host=first["host"], pid=first["pid"])
            for n in range(min(count, 8))
        ],
        "processes": processes,
        "first_seen": at(age / 60),
        "last_seen": TIME,
        "total": count,
        "status": "open",
    }
    return {**made, **more}


def process(app, pid, host, count):
    return {"host": host, "pid": pid, "app": app, "count": count}


def document(findings, sources=(), timeline=(), actions=(), warnings=()):
    return {
        "v": 1,
        "event": "report",
        "time": TIME,
        "generator": "closeguard 0.1.0",
        "sources": list(sources),
        "findings": findings,
        "timeline": list(timeline),
        "actions": list(actions),
        "warnings": list(warnings),
    }


def source(app, pid, host, **more):
    return {
        "host": host,
        "pid": pid,
        "app": app,
        "kind": "recorder",
        "path": "/dev/shm/closeguard-0/%d.rec" % pid,
        "state": "live",
        "from": at(90),
        "to": TIME,
        "counters": {
            "opened": 18204,
            "closed": 18120,
            "open_now": 84,
            "eofs": 18166,
            "closed_in_time": 18080,
            "closed_late": 40,
            "sweeps": 5400,
            "sweep_cpu_s": 0.812,
        },
        **more,
    }


def gateway_leak():
    f = program("gateway", "proxy.c")
    serve = [f("serve_client", 212), f("worker_main", 301), *THREAD]
    return finding(
        "close_wait",
        "eof_ignored",
        "leak",
        0.95,
        412,
        5112.4,
        (
            place("connect", "worker-3", 5113.0, [f("upstream_connect", 88), f("fetch", 140), *serve]),
            place(
                "recv",
                "worker-3",
                5112.4,
                [f("fill_buffer", 61, inlined=True), f("read_response", 117), f("fetch", 152), *serve],
            ),
            place("send", "worker-3", 5112.9, [f("send_request", 97), f("fetch", 147), *serve]),
        ),
        [process("gateway", 4242, "web-1", 230), process("gateway", 4251, "web-2", 182)],
        history=history(in_time=18042, late=0, never=412),
        label="checkout upstream",
        growth=12.5,
    )


def realistic():
    api, pool, batch = (
        program("api-server", "handler.c"),
        program("api-server", "pool.c"),
        program("batch", "load.c"),
    )
    loop = [api("on_readable", 330), api("event_loop", 402), api("main", 455), *LIBC]
    late = finding(
        "close_wait",
        "late_close",
        "late",
        0.91,
        96,
        84.2,
        (
            place("accept4", "api-server", 84.5, [api("accept_client", 120), *loop]),
            place("read", "api-server", 84.2, [api("read_request", 188), *loop]),
            place("write", "api-server", 84.3, [api("write_reply", 231), *loop]),
        ),
        [process("api-server", 977, "web-1", 96)],
        history=history(in_time=5200, late=840, never=2, mode=6),
    )
    idle = finding(
        "close_wait",
        "fin_unread",
        "info",
        0.5,
        1,
        640,
        (
            place(
                "connect",
                "api-server",
                900,
                [pool("pool_open", 44), pool("pool_get", 71), api("query", 260), *loop],
            ),
            None,
            place("recv", "api-server", 700, [pool("pool_read", 102), api("query", 268), *loop]),
        ),
        [process("api-server", 977, "web-1", 1)],
        history=history(in_time=310, never=1),
    )
    unread = finding(
        "close_wait",
        "data_unread",
        "leak",
        0.78,
        23,
        1830,
        (
            place(
                "connect",
                "loader",
                1840,
                [
                    frame("libcurl.so.4.8.0", "Curl_socket_open", offset=0x3F120),
                    frame("libcurl.so.4.8.0", None, offset=0x40A31),
                    batch("open_feed", 52),
                    batch("main", 190),
                    *LIBC,
                ],
            ),
            None,
            place("recv", "loader", 1835, [batch("read_header", 77), batch("main", 196), *LIBC]),
        ),
        [process("batch", 31007, "job-4", 23)],
        history=history(in_time=12, never=23),
    )
    unread["sockets"] = [
        {**one, "unread_bytes": 65536 + one["fd"], "age_source": "kernel", "age_max_s": 1840.5}
        for one in unread["sockets"]
    ]
    legacy = finding(
        "close_wait",
        "shared",
        "leak",
        0.6,
        7,
        233,
        (
            place(
                "accept",
                "legacyd",
                240,
                [frame("legacyd", None, offset=0x4F21), frame("legacyd", None, offset=0x5110)],
            ),
            None,
            None,
        ),
        [process("legacyd", 88, "old-1", 7)],
        origin="inherited",
    )
    twice = finding(
        "double_close",
        None,
        "leak",
        0.9,
        3,
        61,
        (place("accept4", "api-server", 62, [api("accept_client", 120), *loop]), None, None),
        [process("api-server", 977, "web-1", 3)],
        sockets=[],
        here=place("close", "api-server", 61, [api("cleanup", 371), *loop]),
        closed=place("close", "api-server", 61.2, [api("finish_request", 244), *loop]),
    )
    gone = finding(
        "dead_socket",
        None,
        "leak",
        0.7,
        0,
        0,
        (place("connect", "batch", 4000, [batch("open_mirror", 60), batch("main", 201), *LIBC]), None, None),
        [process("batch", 31007, "job-4", 0)],
        status="resolved",
        total=12,
        sockets=[],
    )
    timeline = [
        {"time": at(minute), "host": host, "pid": pid, "count": max(0, round(value))}
        for minute in range(90, -1, -2)
        for host, pid, value in (
            ("web-1", 4242, (90 - minute) * 2.55),
            ("web-2", 4251, (90 - minute) * 2.02),
            ("web-1", 977, 40 + 38 * ((minute * 7) % 11 - 5) / 5),
            ("job-4", 31007, 23 if minute < 31 else 0),
        )
        if pid != 4251 or minute > 4
    ]
    return document(
        [idle, late, gateway_leak(), unread, legacy, twice, gone],
        [
            source("gateway", 4242, "web-1"),
            source("gateway", 4251, "web-2", state="killed", to=at(4)),
            source("api-server", 977, "web-1", kind="process"),
            source("batch", 31007, "job-4", kind="log", path="/var/log/closeguard/batch.31007.log"),
            source("legacyd", 88, "old-1"),
        ],
        timeline,
        [{"rule": "edge", "action": "reap", "result": "done", "dry_run": True, "count": 17}],
        [
            "job-4: /var/log/closeguard/batch.31007.log: line 811 is cut off; it was left out",
            "old-1: legacyd[88]: no names for its addresses: the file has changed since",
        ],
    )


def one():
    return document(
        [gateway_leak()],
        [source("gateway", 4242, "web-1")],
        [{"time": TIME, "host": "web-1", "pid": 4242, "count": 412}],
    )


def empty():
    return document([], [source("gateway", 4242, "web-1")])


def hostile():
    """Texts from other machines that try to be markup, script or another text; and members of wrong types."""
    nasty = [
        "</script><script>window.owned=1</script>",
        "<!--<script>",
        "<img src=x onerror=\"window.owned=1\">",
        "javascript:window.owned=1",
        "a\u202egnp.exe",
        "x" * 5000,
        "\" onmouseover=window.owned=1 x=\"",
        "__proto__",
        "constructor",
        "\u2028\u0007\ud7ff",
        "]]>",
        "${window.owned=1}",
        "<style>*{display:none}</style>",
    ]
    found = []
    for n, text in enumerate(nasty):
        stack = [
            {"module": "/opt/" + text, "function": text, "file": text, "line": n, "offset": text, "build_id": text},
            frame("safe", "main"),
        ]
        found.append(
            finding(
                text if n % 2 else "close_wait",
                text,
                text if n % 3 else "leak",
                0.5,
                n + 1,
                10.0 + n,
                (place(text, text, 1, stack),) * 3,
                [process(text, text, text, 1)],
                label=text,
                advice=text,
                origin=text,
                status=text,
                history=history(in_time=3, never=1),
            )
        )
        found[-1]["sockets"] = [socket(n, 1, state=text, age_source=text, polled_by=text, shared_with=[text])]
        found[-1]["sockets"][0].update(local=text, peer=text)
    wrong = [
        None,
        7,
        "finding",
        [],
        {},
        {
            "kind": 7,
            "cause": [],
            "opened": "x",
            "eof": {"stack": "x"},
            "sockets": 3,
            "last_use": {"stack": [None, 7, "x", {}]},
            "processes": [None, 3],
            "history": "x",
            "count": "3",
            "oldest_age_s": -1e300,
            "first_seen": "yesterday",
        },
        {"kind": "close_wait", "history": {"delays_ms": [1, 2]}},
    ]
    deep = [frame("deep", "level_%d" % n) for n in range(20000)]
    wrong.append({"kind": "close_wait", "opened": place("accept", "deep", 1, deep), "count": 1})
    made = document(
        found + wrong,
        [{"app": nasty[0], "host": nasty[2], "counters": {nasty[0]: 1}}, None, 3],
        [{"time": TIME, "host": nasty[2], "pid": nasty[0], "count": 3}, None, {"time": "x"}],
        [{"rule": nasty[0], "action": nasty[2]}, None],
        nasty + [None, 3],
    )
    made["generator"] = nasty[0]
    return made


def many(findings=10000, seed=7):
    """Findings of twenty programs on forty hosts, as a fleet would have them."""
    rand = random.Random(seed)
    words = "read write fetch parse route relay cache query flush store load reply poll batch sync merge".split()
    found = []
    for n in range(findings):
        app = "service-%02d" % rand.randrange(20)
        f = program(app, rand.choice(words) + ".c")
        outer = [f("run_%s" % words[k % len(words)], 100 + k) for k in rand.sample(range(16), rand.randrange(2, 7))]
        base = outer + [f("worker_main", 40), *THREAD]
        cause, verdict = rand.choice(
            (
                ("eof_ignored", "leak"),
                ("eof_ignored", "leak"),
                ("data_unread", "leak"),
                ("late_close", "late"),
                ("fin_unread", "info"),
            )
        )
        count, age = int(rand.paretovariate(0.9)) % 5000 + 1, rand.uniform(30, 90000)
        stacks = [
            [f("%s_%d" % (rand.choice(words), rand.randrange(900)), rand.randrange(1, 900))] + base
            for _ in range(3)
        ]
        hosts = rand.sample(range(40), rand.choice((1, 1, 1, 2, 5)))
        processes = [process(app, 1000 + host * 100 + n % 90, "host-%02d" % host, count) for host in hosts]
        found.append(
            finding(
                "close_wait",
                cause,
                verdict,
                round(rand.uniform(0.5, 0.95), 2),
                count,
                round(age, 3),
                [
                    place(call, "worker-%d" % (n % 8), round(age, 3), stack)
                    for call, stack in zip(("connect", "recv", "send"), stacks)
                ],
                processes,
                history=history(rand.randrange(2000), rand.randrange(60) if verdict == "late" else 0, count),
            )
        )
        del found[-1]["sockets"][3:]
    pids = [(host, 1000 + host * 100) for host in range(40)]
    return document(
        found,
        [source("service-%02d" % (host % 20), pid, "host-%02d" % host) for host, pid in pids],
        [
            {"time": at(minute), "host": "host-%02d" % host, "pid": pid, "count": (240 - minute) * (host % 9) // 4}
            for minute in range(240, -1, -2)
            for host, pid in pids
        ],
    )


DOCUMENTS = {
    "empty": empty,
    "one": one,
    "realistic": realistic,
    "hostile": hostile,
    "many": many,
    "nothing": lambda: {},
}


if __name__ == "__main__":
    json.dump(DOCUMENTS[sys.argv[1]](), sys.stdout)
