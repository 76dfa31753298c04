#!/usr/bin/env python3
"""The forms of a report: text as wide as its terminal, JSON, folded stacks, a page; into a file whole or not at all."""

import fcntl
import html.parser
import json
import os
import pty
import re
import signal
import struct
import subprocess
import termios
import threading
import time

import harness
from reports import COMMAND, as_json, finding, frame, log, report, without_answer


def test_the_text(t):
    one, other = log(t, "one", finding(3), finding(7, 5, pid=101)), log(t, "other", finding(5, 2, host="web2", pid=77))
    text = without_answer(report(t, one, other).expect(1).text)
    lines = text.splitlines()
    t.equal([line.split(";")[0] for line in lines[:3]],
            ["closeguard: app[100]: summary (log): 1 finding outstanding",
             "closeguard: app[101]: summary (log): 1 finding outstanding",
             "closeguard: app[77]: summary (log): 1 finding outstanding"], "the processes")
    t.equal(lines[3], "closeguard: app: LEAK 15 sockets in CLOSE_WAIT, oldest 31s: read() returned 0 and they "
                      "were not closed "
                      "(eof_ignored, confidence 0.95) at more more.c:30, in 3 processes on 2 hosts", "the headline")
    t.equal(lines[4], "  in app[101] on web1 7, app[77] on web2 5, app[100] on web1 3", "the processes of the finding")
    t.equal(text.count("LEAK"), 1, "headlines")
    for wanted in ("  opened by accept4() 31s ago in thread \"main\":\n    #0 serve  /src/app/serve.c:20\n",
                   "  EOF seen by read()",
                   "  last used by write()", "  this place: 30 opened, 18 closed in time, 3 late, 15 never\n",
                   "  ... and 11 more\n", "  do: close it\n"):
        t.check(wanted in text, f"no {wanted!r} in {text}")


def test_one_process(t):
    text = without_answer(report(t, log(t, "log", finding(3))).expect(1).text)
    t.check(text.startswith("closeguard: app[100]: summary (log): 1 finding outstanding\n"), text)
    t.check("\ncloseguard: app[100]: LEAK 3 sockets" in text, text)
    t.check(" on web1" not in text, f"the host again and again: {text}")


def test_it_fits(t):
    """At every width no line is longer, and no word of a report is lost but in the answer, which is a table."""
    long = (frame(0x1100, "a_function_with_a_name_that_is_longer_than_any_terminal_is_wide_" * 2),
            frame(0x1200, "main"))
    path = log(t, "log", finding(3, opened=long), finding(2, pid=7))
    words = lambda text: re.sub(r"\s+", "", text)
    whole = report(t, path).text
    for width in (20, 40, 72, 100, 200):
        text = report(t, "--width", width, path).text
        t.check(max(map(len, text.splitlines())) <= width, f"a line is wider than {width}")
        t.equal(words(without_answer(text)), words(without_answer(whole)), f"the words at {width}")
    t.check(max(map(len, whole.splitlines())) > 200, "without a terminal lines are as long as they are")
    for wrong in ("19", "x", "-5", "10001", "9" * 30):
        report(t, "--width", wrong).expect(2, f"closeguard: report: --width: '{wrong}' is not understood; it takes a "
                                              "number from 20 to 10000\n")


def test_characters_of_the_place(t):
    """A terminal that knows only ASCII gets only ASCII; what moves a cursor nobody gets."""
    path = log(t, "log", finding(1, opened=(frame(0x1100, "größe_\u4f60\u597d"), frame(0x1200, "x\x1b[2J\u009b\n"))))
    utf8, ascii_only = report(t, path), report(t, path, LC_ALL="C")
    t.check("größe_\u4f60\u597d" in utf8.text, "the name in UTF-8")
    t.check(ascii_only.text.isascii() and "gr??e_??" in ascii_only.text, "the name in ASCII")
    for text in (utf8.text, ascii_only.text):
        t.check(all(c == "\n" or c.isprintable() for c in text), "a control character")
    narrow = report(t, "--width", 40, log(t, "wide", finding(1, opened=(frame(0x1100, "\u4f60" * 60),)))).text
    columns = lambda line: sum(2 if c == "\u4f60" else 1 for c in line)
    t.check(max(map(columns, narrow.splitlines())) <= 40, "wide characters take two columns")


def on_a_terminal(t, *arguments, columns=70, given=None, **settings):
    """What a terminal of that width gets, standard error too."""
    if harness.BARE:
        raise harness.Skip("ran bare")
    master, slave = pty.openpty()
    fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
    env = t.environment(**{"LD_PRELOAD": None, "TERM": "xterm", "LC_ALL": "C.UTF-8", "NO_COLOR": None, "COLUMNS": None,
                           **settings})
    process = subprocess.Popen([COMMAND, "report", *arguments], cwd=t.dir, env=env, stdin=given or subprocess.DEVNULL,
                               stdout=slave, stderr=slave)
    os.close(slave)
    text = b""
    while True:
        try:
            piece = os.read(master, 65536)
        except OSError:  # EIO: nobody holds the other side any more
            break
        if not piece:
            break
        text += piece
    os.close(master)
    return process.wait(harness.DEADLINE), text.decode().replace("\r\n", "\n")


def test_colour_and_width_of_a_terminal(t):
    path = log(t, "log", finding(3))
    status, text = on_a_terminal(t, path)
    t.equal(status, 1, "status")
    plain = re.sub("\x1b\\[[0-9;]*m", "", text)
    t.check("\x1b[1;31mcloseguard: app[100]: LEAK" in text, f"no colour in {text!r}")
    t.check(max(map(len, plain.splitlines())) <= 70, "the terminal's width")
    for settings, arguments in (({"NO_COLOR": "1"}, ()), ({"TERM": "dumb"}, ()), ({}, ("--color", "never"))):
        t.check("\x1b" not in on_a_terminal(t, *arguments, path, **settings)[1], f"colour with {settings} {arguments}")
    t.check("\x1b" not in report(t, path).text, "colour without a terminal")
    t.check("\x1b[1;31m" in report(t, "--color=always", path, NO_COLOR="1").text, "no colour where it is asked for")
    report(t, "--color", "blue").expect(2, "closeguard: report: --color: 'blue' is not understood; it takes auto, "
                                           "always or never\n")


def test_progress(t):
    """What takes long says what it does, on a terminal, and takes it back."""
    line = json.dumps(finding(3)).encode() + b"\n"
    out, inn = os.pipe()

    def trickle():
        for _ in range(12):
            os.write(inn, line * 50)
            time.sleep(0.1)
        os.close(inn)

    writer = threading.Thread(target=trickle)
    writer.start()
    status, text = on_a_terminal(t, "--format", "folded", "-", given=out)
    writer.join()
    os.close(out)
    t.equal(status, 1, "status")
    t.check("\r\x1b[Kreading standard input, " in text, f"no progress in {text!r}")
    shown = text.split("\n")[0].split("\x1b[K")[-1]
    t.equal(shown, "app;main;serve 3", "what stays on the line")


def test_folded(t):
    inlined = (frame(0x1500, "take", inlined=True), frame(0x1500, "serve;x"),
               {"module": "app", "build_id": None, "offset": "0x12"})
    unseen = {**finding(5, pid=9, cause="fin_unread"), "opened": None}
    gone = {**finding(0, 9, cause="shared", pid=8), "opened": None}
    path = log(t, "log", finding(3), finding(4, cause="data_unread"),
               finding(2, opened=inlined, pid=7, app="other app"),
               {**gone, "count": 1}, {**gone, "event": "resolved"}, unseen)
    answer = report(t, "--format", "folded", path).expect(1)
    t.equal(sorted(answer.text.splitlines()), ["app;[unknown] 5", "app;main;serve 7",
                                               "other app;app+0x12;serve:x;take 2"], "the lines")
    t.equal(report(t, "--format=folded", "--stack=eof", log(t, "one", finding(3))).text, "app;main;serve;more 3\n",
            "another stack")
    t.equal(report(t, "--format=folded", "--stack=last_use", os.path.join(t.dir, "one")).text, "app;answer 3\n",
            "the last use")
    report(t, "--stack", "here").expect(2, "closeguard: report: --stack: 'here' is not understood; it takes opened, "
                                           "eof or last_use\n")
    t.check("4 lines" in report(t, "--format=folded", log(t, "odd", finding(3), *"abcd")).errors,
            "warnings go to standard error")


class Page(html.parser.HTMLParser):
    """The data of a page, and what it would load from elsewhere."""

    def __init__(self, text):
        super().__init__()
        self.data, self.outside, self.inside = "", [], False
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.inside = tag == "script" and ("type", "application/json") in attrs
        self.outside += [value for name, value in attrs if name in ("src",
                                                                    "href") and not (value or "").startswith(("#",
                                                                                                              "data:"))]

    def handle_data(self, data):
        if self.inside:
            self.data += data

    def handle_endtag(self, tag):
        self.inside = False


def test_a_page(t):
    path = log(t, "log", finding(3, opened=(frame(0x1100, "</script><b>&amp;\"<!--"), frame(0x1200, "main"))))
    page = Page(report(t, "--format", "html", path).expect(1).text)
    data = json.loads(page.data)  # how the page packs the document is its own affair
    for told in ("</script><b>&amp;\"<!--", "close it", "web1"):
        t.check(json.dumps(told) in json.dumps(data), f"no {told!r} in the page's data")
    t.equal(page.outside, [], "what it loads")


def test_a_file_whole_or_not_at_all(t):
    path, out = log(t, "log", finding(3)), os.path.join(t.dir, "out")
    report(t, path, "-o", out).expect(1)
    with open(out, encoding="utf-8") as file:
        t.equal(file.read(), report(t, path).text, "the file")
    t.equal(os.stat(out).st_mode & 0o777, 0o666 & ~current_umask(), "its mode")
    os.symlink("out", os.path.join(t.dir, "link"))
    report(t, "--format", "json", path, "-o", "link").expect(1)
    t.check(os.path.islink(os.path.join(t.dir, "link")) and json.load(open(out, encoding="utf-8")), "through a link")
    before = open(out, "rb").read()
    t.equal(report(t, "nothing", "-o", out).status, 3, "status where there is nothing to write")
    t.equal(open(out, "rb").read(), before, "the file after that")
    for where, why in (("no/where", "No such file or directory"), (t.dir, "Is a directory")):
        report(t, path, "-o", where).expect(3, f"closeguard: report: {where} could not be written: {why}\n")
    t.equal(sorted(os.listdir(t.dir)), ["link", "log", "out", "recorders"], "what is left behind")
    t.check("LEAK" in report(t, path, "--output", "/dev/stdout").text, "a file that is none")


def current_umask():
    mask = os.umask(0)
    os.umask(mask)
    return mask


def test_a_full_disk(t):
    """Nothing of the new file, all of the old."""
    path = log(t, "log", *[finding(3, pid=pid) for pid in range(400)])
    if harness.BARE:
        raise harness.Skip("ran bare")
    report(t, "--format=json", path, "-o", "out").expect(1)
    old = open(os.path.join(t.dir, "out"), "rb").read()
    done = subprocess.run(["bash", "-c", f"ulimit -f 8; trap '' XFSZ; {COMMAND} report --format=json log -o out"],
                          cwd=t.dir,
                          env=t.environment(LD_PRELOAD=None), stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    t.equal((done.returncode, done.stderr), (3, b"closeguard: report: out could not be written: File too large\n"),
            "status and line")
    t.equal(open(os.path.join(t.dir, "out"), "rb").read(), old, "the old file")
    t.equal(sorted(os.listdir(t.dir)), ["log", "out", "recorders"], "what is left behind")
    full = subprocess.run(f"{COMMAND} report --format=json log > /dev/full", shell=True, cwd=t.dir,
                          stderr=subprocess.PIPE,
                          env=t.environment(LD_PRELOAD=None))
    why = b"closeguard: report: the report could not be written: No space left on device\n"
    t.equal((full.returncode, full.stderr), (3, why), "/dev/full")


if __name__ == "__main__":
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    harness.main(__name__)
