#!/usr/bin/env python3
"""Every test that docs/threat-model.md names is there, under that name."""
import os
import re

from static import finish, judge, lines_of, sources

DOCUMENT = "docs/threat-model.md"


def defined_tests():
    """As the document writes them: test_x/name of a unit test, x/test_name of an end-to-end test."""
    found = set()
    for path in sources():
        stem = os.path.basename(path).split(".")[0]
        text = "\n".join(lines_of(path))
        if path.startswith("tests/unit/test_") and path.endswith(".c"):
            found |= {stem + "/" + re.sub("^test_", "", name) for name in re.findall(r"START_TEST\((\w+)\)", text)}
        elif path.startswith("tests/e2e/test_") and path.endswith(".py"):
            found |= {stem[len("test_"):] + "/" + name for name in re.findall(r"^def (test_\w+)\(", text, re.M)}
    return found


def main():
    files, tests = set(sources()), defined_tests()
    text = "\n".join(lines_of(DOCUMENT))
    named = set(re.findall(r"`(test_\w+/\w+|\w+/test_\w+)`", text))
    paths = set(re.findall(r"`(tests/\w+/\w+\.\w+)`", text))
    judge("threat_model_names_tests", [] if len(named) > 25 else ["only %d tests were found in it" % len(named)])
    judge("threat_model_tests_exist", ["%s names %s, which is nowhere" % (DOCUMENT, name)
                                       for name in sorted((named - tests) | (paths - files))])
    finish()


main()
