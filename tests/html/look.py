#!/usr/bin/env python3
"""Takes pictures of a report's page, for a person to look at: look.py PAGE FOLDER [FRAGMENT...]

A fragment is what stands behind the # of the page's address (view=flame). Each is taken at 390 and 1440 pixels, light
and dark.
"""

import os
import shutil
import sys
import tempfile

from webdriver import Browser


def main():
    page, folder, *fragments = sys.argv[1:]
    os.makedirs(folder, exist_ok=True)
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile:
        browser = Browser(
            shutil.which("chromedriver"), shutil.which("chromium") or shutil.which("chromium-browser"), profile
        )
        try:
            for number, fragment in enumerate(fragments or [""]):
                for width in (390, 1440):
                    for scheme in ("light", "dark"):
                        browser.size(width, 900)
                        browser.scheme(scheme)
                        browser.open("about:blank")
                        browser.open("file://%s#%s" % (os.path.abspath(page), fragment))
                        browser.screenshot(
                            os.path.join(folder, "%d-%d-%s.png" % (number, width, scheme)), whole=True
                        )
            for entry in browser.log():
                print(entry["level"], entry["message"])
        finally:
            browser.close()


if __name__ == "__main__":
    main()
