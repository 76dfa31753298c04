"""A headless Chromium, driven by chromedriver's plain HTTP protocol: no package but Python's own is needed."""

import base64
import json
import os
import re
import subprocess
import urllib.error
import urllib.request

ELEMENT = "element-6066-11e4-a52e-4f735466cecf"
KEYS = {
    "enter": "\ue007",
    "escape": "\ue00c",
    "left": "\ue012",
    "up": "\ue013",
    "right": "\ue014",
    "down": "\ue015",
    "tab": "\ue004",
}
PATIENCE_S = 60


class BrowserError(Exception):
    """The browser, or the page in it, did not do what it was told."""


class Browser:
    """One browser window, its profile in `folder`. Close it, or it stays."""

    def __init__(self, driver, chromium, folder):
        env = {**os.environ, "HOME": folder, "XDG_CONFIG_HOME": folder, "XDG_CACHE_HOME": folder, "TMPDIR": folder}
        self.process = subprocess.Popen(
            [driver, "--port=0"],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            stdin=subprocess.DEVNULL,
            env=env,
            text=True,
        )
        self.session = ""
        try:
            self.base = "http://127.0.0.1:%s" % self.find_port()
            self.begin(chromium, folder)
        except BaseException:
            self.close()
            raise

    def find_port(self):
        for line in self.process.stdout:
            found = re.search(r"started successfully on port (\d+)", line)
            if found:
                return found[1]
        raise BrowserError("chromedriver did not start")

    def begin(self, chromium, folder):
        arguments = [
            "--headless=new",
            "--no-sandbox",
            "--disable-gpu",
            "--disable-dev-shm-usage",
            "--no-first-run",
            "--disable-extensions",
            "--disable-background-networking",
            "--disable-component-update",
            "--disable-sync",
            "--hide-scrollbars",
            "--user-data-dir=" + os.path.join(folder, "profile"),
        ]
        chrome = {"binary": chromium, "args": arguments}
        made = self.call(
            "POST",
            "/session",
            {
                "capabilities": {
                    "alwaysMatch": {
                        "browserName": "chrome",
                        "goog:chromeOptions": chrome,
                        "goog:loggingPrefs": {"browser": "ALL", "performance": "ALL"},
                    }
                }
            },
        )
        self.session = "/session/" + made["sessionId"]

    def call(self, method, path, body=None):
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(
            self.base + path, data, {"Content-Type": "application/json"}, method=method
        )
        try:
            with urllib.request.urlopen(request, timeout=PATIENCE_S) as answer:
                return json.load(answer)["value"]
        except urllib.error.HTTPError as refused:
            why = json.load(refused)["value"]
            raise BrowserError("%s: %s" % (why["error"], why["message"].splitlines()[0])) from None

    def tell(self, path, body=None):
        return self.call("POST", self.session + path, body or {})

    def close(self):
        try:
            if self.session:
                self.call("DELETE", self.session)
        except (BrowserError, OSError):
            pass
        self.process.terminate()
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.process.stdout.close()

    def devtools(self, command, **parameters):
        return self.tell("/goog/cdp/execute", {"cmd": command, "params": parameters})

    def size(self, width, height=900):
        self.devtools(
            "Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=False
        )

    def scheme(self, name):
        """light or dark, as the system would have it."""
        self.devtools("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": name}])

    def open(self, url):
        self.tell("/url", {"url": url})

    def run(self, script, *arguments):
        """The value of a function body in the page."""
        return self.tell("/execute/sync", {"script": script, "args": list(arguments)})

    def find(self, selector):
        return self.tell("/element", {"using": "css selector", "value": selector})[ELEMENT]

    def click(self, selector):
        self.tell("/element/%s/click" % self.find(selector))

    def type(self, selector, text):
        self.tell("/element/%s/value" % self.find(selector), {"text": text})

    def keys(self, *names):
        """Presses keys where the focus is."""
        presses = [{"type": kind, "value": KEYS.get(name, name)} for name in names for kind in ("keyDown", "keyUp")]
        self.tell("/actions", {"actions": [{"type": "key", "id": "keyboard", "actions": presses}]})

    def log(self, kind="browser"):
        """What was logged since the last call."""
        return self.tell("/se/log", {"type": kind})

    def screenshot(self, path, whole=False):
        picture = self.devtools("Page.captureScreenshot", captureBeyondViewport=whole)
        with open(path, "wb") as file:
            file.write(base64.b64decode(picture["data"]))
