#!/usr/bin/env python3
"""The page of `closeguard report --format html`: what it is made of, and what a person sees and does in a browser."""

import base64
import hashlib
import http.server
import json
import os
import re
import subprocess
import sys
import threading

import harness

sys.path.insert(0, os.path.join(harness.HERE, "..", "html"))
import documents
from page import MAKE_PAGE, VIEWS, Page, make

SVG_NAMESPACE = "http://www.w3.org/2000/svg"
LOAD_BUDGET_S, STEP_BUDGET_MS = 15, 1500  # five times what a busy machine of two cores needs


def text_of(path):
    with open(path, encoding="utf-8", newline="") as page:
        return page.read()


def data_of(page):
    return json.loads(re.search(r'<script type="application/json" id="data">(.*?)</script>', page, re.S)[1])


def whole(data):
    """The document again: stacks are indices into the list of frames."""
    findings = data["report"].get("findings")
    for finding in findings if isinstance(findings, list) else []:
        for place in finding.values() if isinstance(finding, dict) else ():
            if isinstance(place, dict) and isinstance(place.get("stack"), list):
                place["stack"] = [data["frames"][at] for at in place["stack"]]
    return data["report"]


def hash_of(text):
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()


def test_self_contained(t):
    """One file: it names nothing elsewhere, and what it runs is what its policy allows by hash."""
    page = text_of(make(t, documents.empty()))
    t.equal(set(re.findall(r"""\b(?:https?|ftp|wss?):[^\s"'`)]*""", page)), {SVG_NAMESPACE}, "addresses")
    for pattern in (
        r"\ssrc\s*=",
        r"url\(",
        r"@import",
        r"\bimport\b.*\bfrom\b",
        r"innerHTML",
        r"\beval\(",
        r"fetch\(",
        r"XMLHttpRequest",
        r"\son\w+=",
    ):
        t.equal(re.findall(pattern, page), [], f"what matches {pattern}")
    t.equal(re.findall(r"<link[^>]*>", page), ['<link rel="icon" href="data:,">'], "links")
    policy = re.search(r'http-equiv="Content-Security-Policy" content="([^"]*)"', page)[1].split("; ")
    scripts, styles = re.findall(r"<script>(.*?)</script>", page, re.S), re.findall(
        r"<style>(.*?)</style>", page, re.S
    )
    t.equal(len(scripts) + len(styles), 2, "scripts and style sheets")
    for wanted in (
        "default-src 'none'",
        "script-src '%s'" % hash_of(scripts[0]),
        "style-src '%s'" % hash_of(styles[0]),
        "require-trusted-types-for 'script'",
    ):
        t.check(wanted in policy, f"{wanted} is not in {policy}")


def test_round_trip(t):
    """The document comes out of the page as it went in, and no text of it ends the element it stands in."""
    odd = {
        "findings": [
            {
                "opened": {"stack": [1, None, "x", [2], {"module": "m"}, 1, 0.1, 12345678901234567]},
                "eof": {"stack": 3},
                "last_use": [{"stack": []}],
            }
        ],
        "x": [0.1, 1.031, 1e300, -1.5e-9, 123456.789, True, "é\u2028\U0001f600"],
    }
    for name, document in (
        ("realistic", documents.realistic()),
        ("hostile", documents.hostile()),
        ("many", documents.many(200)),
        ("odd", odd),
        ("object", {"findings": {"a": 1}}),
        ("none", {}),
    ):
        page = text_of(make(t, document, name))
        t.equal(whole(data_of(page)), document, f"the document of {name}")
        t.equal(
            (page.lower().count("</script"), page.lower().count("<!--")), (2, 0), f"ends and comments in {name}"
        )


def test_frames_once(t):
    """What repeats is in the page once: it has to be opened by a browser, too."""
    data = data_of(text_of(make(t, documents.many(300))))
    once = {
        json.dumps(frame)
        for finding in documents.many(300)["findings"]
        for key in ("opened", "eof", "last_use")
        for frame in finding[key]["stack"]
    }
    t.equal((len(data["frames"]), {json.dumps(frame) for frame in data["frames"]}), (len(once), once), "frames")


def test_disk_full(t):
    if not os.path.exists("/dev/full"):
        raise harness.Skip("there is no /dev/full")
    with open("/dev/full", "wb") as full:
        done = subprocess.run(
            [MAKE_PAGE], input=b"{}", stdout=full, stderr=subprocess.PIPE, timeout=harness.DEADLINE
        )
    t.equal((done.returncode, done.stderr), (1, b"make_page: No space left on device\n"), "status and stderr")


def test_summary(t):
    with Page(t, documents.realistic()) as page:
        t.equal(
            page.text("#answer span:last-child"),
            "442 sockets are leaked at 3 places of the code, with 1 other mistake, in 5 processes on 4 hosts.",
            "answer",
        )
        tiles = dict(zip(page.texts(".tile dt"), page.texts(".tile dd:not(.note)")))
        t.equal(tiles, {"Leaked sockets": "442", "Findings": "7", "Processes": "5", "Period": "1h 30m"}, "figures")
        t.check("line 811 is cut off" in page.text("#warnings"), "the warning is not shown")
        t.equal(
            page.value("document.title"), "closeguard: " + page.text("#answer span:last-child").rstrip("."), "title"
        )


def test_site(t):
    """The one that the report names; where it names none, the innermost frame of the program's own, and where a virtual
    machine's code begins, the library's that it called. Where the end was read comes before where it was opened."""
    library = {"module": "libnio.so", "offset": "0x10", "function": "Java_net_accept"}
    generated, machine = {"module": "[jit]", "offset": "0x7f0000001000"}, {"module": "java", "offset": "0x20"}
    own = {"module": "server", "offset": "0x30", "function": "accept_client"}
    document = documents.realistic()
    template = {**document["findings"][0], "here": None, "eof": None, "last_use": None}
    document["findings"] = [
        {**template, "opened": {**template["opened"], "stack": stack}}
        for stack in ([library, generated, machine], [library, own, machine], [own, library])
    ]
    read = {"call": "read", "stack": [library, {**own, "function": "read_client"}]}
    document["findings"].append({**document["findings"][1], "eof": read})
    document["findings"].append({**document["findings"][1], "eof": read, "site": {**own, "function": "named"}})
    with Page(t, document) as page:
        wanted = ["Java_net_accept", "accept_client", "accept_client", "named", "read_client"]
        t.equal(sorted(page.sites()), wanted, "sites")


def test_nothing_found(t):
    for document, wanted in (
        (documents.empty(), "1 process"),
        ({}, "nothing was looked at"),
        ({"findings": None}, "no process"),
    ):
        with Page(t, document) as page:
            t.check(
                "Nothing found" in page.text("#nothing") and wanted in page.text("#nothing"), page.text("#nothing")
            )
            for name in VIEWS:
                page.view(name)
    with Page(t, {**documents.empty(), "warnings": ["a recorder could not be read"]}) as page:
        t.check("Mind the warnings" in page.text("#nothing"), "an incomplete report looks complete")


def test_sort(t):
    with Page(t, documents.realistic()) as page:
        heading = 'th[data-column="%s"]'
        t.equal(
            page.value("document.querySelector('th[aria-sort=descending]').dataset.column"),
            "verdict",
            "first order",
        )
        t.equal(page.texts("tr.finding td.verdict .badge")[0], "▲ leak", "the worst comes first")
        t.check("resolved" in page.texts("tr.finding td.verdict")[-1], "what is resolved does not come last")
        for clicks, state, order in ((1, "descending", True), (2, "ascending", False)):
            page.click(heading % "count" + " button")
            t.equal(
                page.value(f"document.querySelector('{heading % 'count'}').ariaSort"),
                state,
                f"aria-sort after {clicks}",
            )
            counts = [int(text.split()[0]) for text in page.texts("tr.finding td.count")]
            t.equal(counts, sorted(counts, reverse=order), f"counts after {clicks}")
            t.equal(page.number("th[aria-sort=descending], th[aria-sort=ascending]"), 1, "sorted columns")
        page.click(heading % "site" + " button")
        t.equal(page.sites(), sorted(page.sites()), "sites")
        page.click(heading % "rate" + " button")
        rates = page.texts("tr.finding td.rate")
        t.equal((rates[0], rates[1], rates[-1]), ("+13/min", "–", "–"), "what grows is first, the unknown last")


def test_filter(t):
    with Page(t, documents.realistic()) as page:
        page.browser.keys("/")
        page.browser.keys(*"read_request")
        page.browser.keys("enter")
        t.equal(page.sites(), ["read_request"], "what has read_request in any stack")
        t.equal(page.text("#shown"), "1 of 7 findings, 0 leaked sockets", "what is said")
        for text, sites in (
            ("LIBCURL open_feed", ["read_header"]),
            ("job-4", ["read_header", "open_mirror"]),
            ("checkout", ["fill_buffer"]),
            ("10.1.4.2", None),
            ("proxy.c", ["fill_buffer"]),
            ("connect no-such-word", []),
        ):
            page.filter(text)
            t.check(
                page.sites() == sites if sites is not None else len(page.sites()) == 5, f"{text}: {page.sites()}"
            )
        t.check("No finding matches" in page.text("#no-match"), "it is not said that nothing matches")
        page.click("#clear")
        for name, value, number in (
            ("verdict", "late", 1),
            ("kind", "double_close", 1),
            ("cause", "shared", 1),
            ("process", "app:api-server", 3),
            ("process", "host:job-4", 2),
            ("status", "resolved", 1),
        ):
            page.choose(name, value)
            t.equal(page.number("tr.finding"), number, f"findings with {name} {value}")
            page.click("#clear")
            t.equal(page.number("tr.finding"), 7, "findings without filters")


def test_detail(t):
    with Page(t, documents.realistic()) as page:
        page.click("tr.finding")
        t.equal(
            [text.split("\n")[0] for text in page.texts(".stack")], ["Opened", "EOF seen", "Last used"], "stacks"
        )
        lefts = page.value(
            "[...document.querySelectorAll('.stack')].map((one) => one.getBoundingClientRect().left)"
        )
        t.equal(lefts, sorted(set(lefts)), "side by side")
        opened = page.text('[data-stack="opened"]')
        for word in (
            "connect()",
            "worker-3",
            "upstream_connect",
            "proxy.c:88",
            "serve_client",
            "the same callers",
            "libc.so.6",
        ):
            t.check(word in opened, f"{word} is not in {opened}")
        t.check("What to do: close the socket where read returned 0" in page.text(".advice"), "advice")
        t.check("412 sockets in CLOSE_WAIT, oldest 1h 25m" in page.text(".detail h3"), page.text(".detail h3"))
        t.check("This looks like a bug" in page.text(".detail .judged"), page.text(".detail .judged"))
        t.check(
            "10.1.4.2:40000" in page.text(".detail") and "4251@web-2" in page.text(".detail"),
            "sockets and processes",
        )
        page.browser.run(
            "Object.defineProperty(navigator, 'clipboard', {value: {writeText: async (text) => "
            "{ window.copied = text; }}})"
        )
        page.click('[data-stack="eof"] .copy')
        copied = page.value("window.copied")
        t.equal(
            copied.split("\n")[:3],
            [
                "EOF seen: recv() in thread worker-3, 1h 25m ago",
                "  #0 fill_buffer at " "/usr/src/gateway/proxy.c:61 (gateway+0x15d0) [inlined]",
                "  #1 read_response at /usr/src/gateway/proxy.c:117" " (gateway+0x1950)",
            ],
            "what was copied",
        )
        page.filter("legacyd")
        page.click("tr.finding")
        t.check("legacyd+0x4f21" in page.text('[data-stack="opened"]'), "no address where there is no name")
        t.check("No read" in page.text('[data-stack="eof"]'), "a stack that is not there is not explained")
        page.filter("double")
        page.click("tr.finding")
        t.equal(page.number(".stack"), 5, "stacks of a double close")


def test_keyboard(t):
    """Without a mouse: move among rows, open, close; tabs by arrows."""
    with Page(t, documents.realistic()) as page:
        page.browser.run("document.querySelector('tr.finding').focus()")
        page.browser.keys("down", "enter")
        focused = "document.activeElement.dataset.id"
        second = page.value("document.querySelectorAll('tr.finding')[1].dataset.id")
        t.equal((page.value(focused), page.number(".detail")), (second, 1), "after Down and Enter")
        t.equal(page.value("document.activeElement.ariaExpanded"), "true", "aria-expanded")
        t.check(
            page.value("getComputedStyle(document.activeElement).outlineStyle") == "solid", "the focus is not seen"
        )
        page.browser.keys("escape")
        t.equal((page.value(focused), page.number(".detail")), (second, 0), "after Escape")
        t.equal(
            page.value("[...document.querySelectorAll('tr.finding')].filter((one) => one.tabIndex === 0).length"),
            1,
            "rows that Tab reaches",
        )
        page.browser.run("document.getElementById('tab-findings').focus()")
        page.browser.keys("right")
        t.equal(page.value("document.activeElement.id"), "tab-stacks", "the tab after Right")


def test_address(t):
    """A link shows the same: filters, order, view and open finding, and again in a report made anew."""
    with Page(t, documents.realistic()) as page:
        page.filter("loader")
        page.click('th[data-column="count"] button')
        page.click("tr.finding")
        fragment = page.value("location.hash").lstrip("#")
        page.path = make(t, {**documents.realistic(), "findings": documents.realistic()["findings"][::-1]}, "anew")
        page.show(fragment)
        t.equal(
            (page.sites(), page.number(".detail"), page.value("document.getElementById('q').value")),
            (["read_header"], 1, "loader"),
            "sites, details and the filter",
        )
        page.view("flame")
        page.browser.run("history.back()")
        page.until(lambda: page.number("#panel-findings") == 1, "going back does not show the view of before")
        page.show(
            "view=constructor&sort=__proto__&size=7&page=-5&stack=x&finding=%3Cb%3E&spread=y&verdict=toString"
        )
        t.equal(page.number("#no-match"), 1, "what an address without sense shows")


def test_tree(t):
    with Page(t, documents.realistic(), "view=stacks") as page:
        first = page.texts(".tree > li")[0].split("\n")
        t.equal((first[0], first[-1]), ("412", "connect()"), "the largest branch")
        t.check(
            "serve_client" in page.text(".tree") and "accept_client" in page.text(".tree"), "both branches are open"
        )
        page.click('[data-unfold="none"]')
        t.equal(page.number(".tree li"), 3, "items after folding")
        page.browser.run("document.querySelectorAll('.tree > li')[0].focus()")
        page.browser.keys("down", "right")
        t.check(page.number(".tree li") > 3, "Right does not unfold")
        page.browser.keys("left")
        t.equal(page.number(".tree li"), 3, "items after Left")
        page.click('[data-unfold="all"]')
        t.equal(page.number(".tree li"), 8, "items after unfolding all")
        page.click('[data-choice="stack"][data-value="eof"]')
        t.check(
            "fill_buffer" in page.text(".tree") and "upstream_connect" not in page.text(".tree"),
            "the stacks of EOF",
        )
        t.check("findings have no stack of “EOF seen”" in page.text("#panel-stacks"), "what is missing is not said")


def test_flame(t):
    with Page(t, documents.realistic(), "view=flame") as page:
        width = "document.querySelector('.f[aria-label^=%s]').getBoundingClientRect().width"
        whole_width = page.value("document.querySelector('.flame').clientWidth")
        before = page.value(width % "event_loop")
        t.check(before < whole_width / 3, "a fifth of the sockets has more than a third of the width")
        page.click(".f[aria-label^=event_loop]")
        t.check(page.value(width % "event_loop") >= whole_width - 2, "a click does not zoom")
        t.check("Zoomed to event_loop" in page.text(".flame-status"), page.text(".flame-status"))
        page.click('[data-flame="reset"]')
        t.equal(page.value(width % "event_loop"), before, "the width after the reset")
        page.browser.keys("/")  # is for the filter, not for the highlight
        page.browser.keys("escape")
        page.browser.type("[aria-label='Highlight functions']", "fetch")
        t.equal(page.number(".f.hit"), 1, "highlighted frames")
        t.check("“fetch” is in 74% of what is shown" in page.text(".flame-status"), page.text(".flame-status"))
        page.browser.run("document.querySelector('.f').focus()")
        page.browser.keys("down", "right", "enter")
        t.check(
            "Zoomed to __libc_start_main_impl" in page.text(".flame-status"),
            "by keyboard: " + page.text(".flame-status"),
        )
        page.browser.keys("escape")
        t.equal(page.value(width % "event_loop"), before, "the width after Escape")
        page.click(".as-text summary")
        folded = "clone3;start_thread;worker_main;serve_client;fetch;upstream_connect;connect 412"
        page.until(lambda: folded in page.text(".as-text pre"), "the text does not say the same")
        page.click('[data-choice="stack"][data-value="last_use"]')
        t.equal(page.number(".f[aria-label^=send_request]"), 1, "frames of the last use")


def test_timeline(t):
    with Page(t, documents.realistic(), "view=timeline") as page:
        t.equal(page.number(".timeline .area"), 4, "processes")
        t.equal(page.texts(".keys-of-chart li")[0].split(), ["gateway", "4242@web-1", "229"], "the largest")
        t.equal(page.texts(".keys-of-chart li")[1].split()[-1], "0", "what the killed process holds in the end")
        page.browser.run("document.querySelector('.timeline').focus()")
        page.browser.keys("left")
        t.check("2026-03-14 09:39:30: " in page.text("#tip"), page.text("#tip"))
        page.click('[data-choice="spread"][data-value="total"]')
        t.equal(page.number(".timeline .area"), 1, "areas of the total")
        page.choose("process", "app:gateway")
        page.click(".as-text summary")
        t.equal(page.texts(".as-text tbody tr")[0].split(), ["2026-03-14", "09:41:30", "229"], "the last row")
    with Page(t, documents.one(), "view=timeline") as page:
        t.equal(
            (page.number(".dot"), page.text(".timeline .value")),
            (1, "2026-03-14 09:41:30: 412 sockets"),
            "one point",
        )


def test_delays(t):
    with Page(t, documents.realistic(), "view=delays") as page:
        cards = {text.split("\n")[0]: text for text in page.texts(".delay-card")}
        for site, words in (
            ("accept_client", "This looks like overload: 2 connections never closed, 840 closed late"),
            ("upstream_connect", "This looks like a bug: 412 connections never closed, 0 closed late"),
            ("pool_open", "Neither a bug nor overload so far"),
        ):
            t.check(words in cards.get(site, ""), f"{site}: {cards.get(site)}")
        late = page.value(
            "[...document.querySelectorAll('.delay-card')].map((card) => [card.querySelectorAll('.late .fill')"
            ".length, card.querySelectorAll('.never .fill').length])"
        )
        t.equal(late[:2], [[3, 1], [0, 1]], "bars of late and of missing closes, of overload and of a bug")
        page.click(".delay-card button")
        t.equal((page.number("#panel-findings"), page.number(".detail")), (1, 1), "the finding is shown")


def test_sources(t):
    with Page(t, documents.realistic(), "view=sources") as page:
        text = page.text("#panel-sources")
        for word in ("4251@web-2", "killed", "/dev/shm/closeguard-0/88.rec", "closed late 40", "no: would have"):
            t.check(word in text, f"{word} is not in {text}")


CONTRAST = """
const style = getComputedStyle(document.documentElement);
const channel = (v) => (v /= 255) <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4;
const hex = (name, at) => parseInt(style.getPropertyValue(name).trim().slice(at, at + 2), 16);
const light = (name) => [1, 3, 5].map((at) => channel(hex(name, at)))
    .reduce((sum, v, i) => sum + v * [0.2126, 0.7152, 0.0722][i], 0);
return arguments[0].map(([one, other]) => { const [a, b] = [light(one), light(other)].sort((x, y) => y - x);
    return (a + 0.05) / (b + 0.05); });
"""
PAIRS = (
    [
        ("--text", "--page"),
        ("--text", "--surface"),
        ("--muted", "--page"),
        ("--muted", "--surface"),
        ("--muted", "--sunken"),
        ("--muted", "--accent-soft"),
        ("--accent", "--accent-soft"),
        ("--accent", "--surface"),
        ("--text", "--accent-soft"),
    ]
    + [("--" + tone, "--%s-soft" % tone) for tone in ("leak", "late", "info", "good")]
    + [("--f-text", "--f%d" % n) for n in range(6)]
    + [("--f-text", "--f-library"), ("--f-text", "--f-call")]
)


def test_themes(t):
    """The system's, until a person chooses; the choice is kept. Text is readable in both."""
    with Page(t, documents.one()) as page:
        ground = "getComputedStyle(document.body).backgroundColor"
        seen = {}
        page.browser.run("localStorage.clear()")
        for scheme in ("light", "dark"):
            page.browser.scheme(scheme)
            seen[scheme] = page.value(ground)
            for pair, contrast in zip(PAIRS, page.browser.run(CONTRAST, PAIRS)):
                t.check(contrast >= 4.5, f"{scheme}: the contrast of {pair} is {contrast:.2f}")
        t.check(seen["light"] != seen["dark"], "dark is not dark")
        page.click("#theme")
        t.equal(
            (page.value(ground), page.text("#theme")),
            (seen["light"], "Theme: light"),
            "light by choice on a dark system",
        )
        page.browser.scheme("light")
        page.click("#theme")
        t.equal(
            (page.value(ground), page.text("#theme")),
            (seen["dark"], "Theme: dark"),
            "dark by choice on a light system",
        )
        page.show("")
        t.equal(page.text("#theme"), "Theme: dark", "the choice after a reload")
        page.click("#theme")
        t.equal(page.value(ground), seen["light"], "back to the system's")


def test_widths(t):
    """At 390 and 1440 pixels nothing sticks out of the page, whatever the texts are."""
    for name in ("realistic", "hostile"):
        with Page(t, documents.DOCUMENTS[name]()) as page:
            for width in (390, 1440):
                page.browser.size(width)
                page.view("findings")
                for row in range(0, page.number("tr.finding"), 7):
                    page.browser.run("document.querySelectorAll('tr.finding')[arguments[0]].click()", row)
                    t.equal(page.overflow(), 0, f"{name}, {width} pixels: what the detail of row {row} sticks out")
                for view in VIEWS[1:]:
                    page.view(view)
                    t.equal(page.overflow(), 0, f"{name}, {width} pixels: what the view {view} sticks out")
    with Page(t, documents.realistic(), width=390) as page:
        t.equal(page.number("thead th"), 0, "headings of cards")
        page.click("#more-filters")
        page.choose("verdict", "late")
        t.equal(page.sites(), ["read_request"], "what the filter leaves")


def test_hostile(t):
    """Texts of other machines are text: shown as they are, and nothing of them runs."""
    document = documents.hostile()
    with Page(t, document) as page:
        for view in VIEWS:
            page.view(view)
            if view == "findings":
                for row in range(page.number("tr.finding")):
                    page.browser.run("document.querySelectorAll('tr.finding')[arguments[0]].click()", row)
        t.equal(page.value("window.owned ?? null"), None, "what a text has set")
        t.equal(
            page.value(
                "document.querySelectorAll('main img, main script, main style, main [onmouseover], main a').length"
            ),
            0,
            "elements made of texts",
        )
        page.view("findings")
        t.check(
            set(document["warnings"][:3]) <= set(page.texts("#warnings li")), "warnings are not shown as they are"
        )
        t.check('<img src=x onerror="window.owned=1">' in page.sites(), "function names are not shown as they are")
        t.check(
            "a\\u202egnp.exe" in page.sites(), "a character that turns the direction of writing is not made visible"
        )


class Listener(http.server.BaseHTTPRequestHandler):
    asked = []

    def do_GET(self):
        self.asked.append(self.path)
        self.send_response(204)
        self.end_headers()

    def log_message(self, *_):
        pass


def test_no_network(t):
    """The page asks for nothing, and what is smuggled into it is not let out either."""
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Listener)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    t.cleanups += [server.server_close, server.shutdown]
    with Page(t, documents.realistic()) as page:
        for view in VIEWS:
            page.view(view)
        requests = [json.loads(entry["message"])["message"] for entry in page.browser.log("performance")]
        asked = {
            event["params"]["request"]["url"].split("?")[0]
            for event in requests
            if event["method"] == "Network.requestWillBeSent"
        }
        t.equal(
            {url for url in asked if not url.startswith(("data:", "about:"))}, {"file://" + page.path}, "requests"
        )
        address = "http://127.0.0.1:%d/" % server.server_port
        refused = page.browser.run(
            """
            const done = [fetch(arguments[0] + "fetch").then(() => "fetched", () => "refused")];
            done.push(new Promise((tell) => Object.assign(new Image(), {onload: () => tell("loaded"),
                onerror: () => tell("refused"), src: arguments[0] + "image"})));
            try { document.body.innerHTML = "<b>x</b>"; done.push("made"); } catch { done.push("refused"); }
            return Promise.all(done);""",
            address,
        )
        t.equal(refused, ["refused"] * 3, "a request, a picture and markup")
        page.until(page.browser.log, "the refusals are not in the console")
        page.until(lambda: not page.browser.log(), "there are more of them")
    t.equal(Listener.asked, [], "what the server was asked")


def test_save(t):
    """Save JSON gives the document that the report was made of."""
    document = documents.realistic()
    with Page(t, document) as page:
        page.browser.run(
            "URL.createObjectURL = (blob) => { window.saved = blob.text(); return 'data:,'; };"
            "HTMLAnchorElement.prototype.click = function () { window.name = this.download; }"
        )
        page.click("#save")
        t.equal(json.loads(page.browser.run("return window.saved")), document, "what is saved")
        t.equal(page.value("window.name"), "closeguard-report.json", "its name")


def test_print(t):
    """On paper, all views are there."""
    with Page(t, documents.realistic()) as page:
        page.browser.run("dispatchEvent(new Event('beforeprint'))")
        t.equal(page.number("[role=tabpanel]"), len(VIEWS), "panels while printing")
        page.browser.run("dispatchEvent(new Event('afterprint'))")
        t.equal(page.number("[role=tabpanel]"), 1, "panels afterwards")


STEP = """
const from = performance.now();
const step = {
    filter: () => { const q = document.getElementById("q"); q.value = arguments[1]; q.form.requestSubmit(); },
    click: () => document.querySelector(arguments[1]).click(),
}[arguments[0]];
step();
document.body.offsetHeight;
return performance.now() - from;
"""


def test_many(t):
    """10,000 findings: usable, within generous bounds."""
    with Page(t, documents.many()) as page:
        ready = page.value("performance.getEntriesByType('navigation')[0].domContentLoadedEventEnd") / 1000
        t.check(ready < LOAD_BUDGET_S, f"drawn after {ready:.1f} s")
        t.equal((page.number("tr.finding"), page.text(".pager .range")), (50, "1–50 of 10,000"), "the first page")
        took = {}
        for kind, what in (
            ("filter", "relay"),
            ("filter", "relay worker-3"),
            ("filter", ""),
            ("click", 'th[data-column="site"] button'),
            ("click", "#tab-stacks"),
            ("click", "#tab-flame"),
            ("click", "#tab-timeline"),
            ("click", "#tab-delays"),
            ("click", "#tab-findings"),
            ("click", "tr.finding"),
            ("click", '[data-page="last"]'),
        ):
            took[what or "no filter"] = page.browser.run(STEP, kind, what)
        print(
            "note: 10,000 findings: drawn after %.1f s; %s"
            % (ready, ", ".join("%s %.0f ms" % one for one in took.items()))
        )
        for what, ms in took.items():
            t.check(ms < STEP_BUDGET_MS, f"{what} took {ms:.0f} ms")
        t.equal(page.text(".pager .range"), "9,951–10,000 of 10,000", "the last page")


if __name__ == "__main__":
    harness.main(__name__)
