"""A report's page in the one browser that all tests of a file share."""

import atexit
import itertools
import json
import os
import shutil
import subprocess
import tempfile
import threading
import time

import harness
from webdriver import Browser

MAKE_PAGE = os.path.join(harness.BUILD, "tests", "html", "make_page")
VIEWS = ("findings", "stacks", "flame", "sandwich", "timeline", "delays", "sources")

BROWSER_LOCK = threading.Lock()  # one test at a time has the browser
STARTED = {}
LOADS = itertools.count(1)  # of all pages: two of one test have the same path


def make(t, document, name="report"):
    """The path of a document's page."""
    if harness.BARE:
        raise harness.Skip("ran bare")
    path = os.path.join(t.dir, name + ".html")
    with open(path, "wb") as page:
        done = subprocess.run(
            [MAKE_PAGE],
            input=json.dumps(document).encode(),
            stdout=page,
            stderr=subprocess.PIPE,
            timeout=6 * harness.DEADLINE,
        )
    t.equal((done.returncode, done.stderr), (0, b""), "make_page's status and stderr")
    return path


class Page:
    """A page in the browser. While it is open, no other test has the browser."""

    def __init__(self, t, document, fragment="", width=1440):
        self.t, self.path = t, make(t, document)
        self.fragment, self.width = fragment, width

    def __enter__(self):
        BROWSER_LOCK.acquire()
        try:
            self.browser = browser()
            self.browser.size(self.width)
            self.browser.scheme("light")
            self.browser.log()
            self.browser.log("performance")
            self.show(self.fragment)
        except BaseException:
            BROWSER_LOCK.release()
            raise
        return self

    def __exit__(self, kind, *_):
        try:
            if kind is None:
                said = [entry["message"] for entry in self.browser.log()]
                self.t.equal(said, [], "the browser's console")
        finally:
            BROWSER_LOCK.release()

    def show(self, fragment):
        """Loads it anew: another query is another address, where another fragment alone would not be."""
        self.browser.open("file://%s?%d%s" % (self.path, next(LOADS), fragment and "#" + fragment))
        self.t.equal(self.browser.run("return document.documentElement.dataset.ready"), "", "the page is drawn")

    def texts(self, selector):
        return self.browser.run(
            "return [...document.querySelectorAll(arguments[0])].filter((one) => "
            "one.checkVisibility()).map((one) => (one.innerText ?? one.textContent).trim())",
            selector,
        )

    def text(self, selector):
        return "\n".join(self.texts(selector))

    def number(self, selector):
        return len(self.texts(selector))

    def value(self, expression):
        return self.browser.run("return " + expression)

    def click(self, selector):
        self.browser.click(selector)

    def view(self, name):
        self.click("#tab-" + name)
        self.t.equal(
            self.value(
                "[...document.querySelectorAll('[role=tabpanel]')].filter((one) => !one.hidden)"
                ".map((one) => one.id)"
            ),
            ["panel-" + name],
            "the panels that are shown",
        )

    def choose(self, name, value):
        self.click(f'[data-filter="{name}"] option[value="{value}"]')

    def filter(self, text):
        self.browser.run(
            "const q = document.getElementById('q'); q.value = arguments[0]; q.form.requestSubmit()", text
        )

    def sites(self):
        return self.texts("tr.finding td.site .strong")

    def until(self, happened, what):
        """Waits for what the browser does in its own time."""
        deadline = time.monotonic() + harness.DEADLINE
        while not happened():
            self.t.check(time.monotonic() < deadline, what)
            time.sleep(0.05)

    def overflow(self):
        return self.value("document.documentElement.scrollWidth - innerWidth")


def browser():
    if "browser" not in STARTED:
        driver = harness.need("chromedriver")
        chromium = shutil.which("chromium") or shutil.which("chromium-browser")
        if not chromium:
            raise harness.Skip("chromium is not installed")
        folder = tempfile.mkdtemp(prefix="closeguard-browser.")
        atexit.register(shutil.rmtree, folder, ignore_errors=True)
        STARTED["browser"] = Browser(driver, chromium, folder)
        atexit.register(STARTED["browser"].close)
    return STARTED["browser"]
