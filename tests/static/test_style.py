#!/usr/bin/env python3
"""Sizes, widths and words: what STYLE asks for and a program can see."""
import re

from static import finish, judge, lines_of, sources

CODE = re.compile(r".*\.(c|cc|h|S)$")
TEXT = re.compile(r".*\.(c|cc|h|S|def|in|mk|py|sh|md|txt|cfg|[1-8])$|(.*/)?(Makefile|run)$")
WIDE_BY_DESIGN = re.compile(r".*\.(def|md|txt|[1-8])$|tests/cases/")  # tables, prose, and cases kept as they came

WARN_LINES, MAX_LINES = 300, 400  # the models keep files to 100 to 300 lines
MAX_FUNCTION = 60
MAX_WRAPPER = 25  # wrappers only translate
MAX_COLUMNS = 120
TAB = 8

# Paths of one machine have no place here. In pieces, so that this file does not contain them itself.
FORBIDDEN = re.compile("|".join([r"(?<![\w.])/wo" + r"rk/", r"/\.libr" + r"ary\b", r"\bfa" + r"rm-\w"]))


def functions_of(path):
    """(name, is_static, number of the first line, number of lines) of every function: braces in column 0."""
    lines = lines_of(path)
    head, start = "", None
    for number, line in enumerate(lines, 1):
        if line == "{" and start is None:
            start = number
        elif line.startswith("}"):
            if start is not None and line == "}":
                names = re.findall(r"(\w+)\s*\(", re.sub(r"__attribute__\s*\(\(.*?\)\)", "", head))
                if names:  # none: a namespace
                    yield names[0], "static" in head.split(), start, number - start + 1
            head, start = "", None
        elif start is None and line and line[0] not in "\t #/*":
            head = line if head == "" or head.rstrip().endswith((";", "*/")) else head + " " + line
            if line.endswith((";", ":")):
                head = ""


def main():
    texts = [path for path in sources() if TEXT.match(path)]
    code = [path for path in texts if CODE.match(path)]
    long_files, long_functions, long_wrappers, wide, blanks, words = [], [], [], [], [], []
    for path in texts:
        lines = lines_of(path)
        size = len(lines) - 1
        if path in code and size > MAX_LINES:
            long_files.append("%s has %d lines; split it where there are two subjects" % (path, size))
        elif path in code and size > WARN_LINES:
            print("note: %s has %d lines, more than %d" % (path, size, WARN_LINES))
        for number, line in enumerate(lines, 1):
            if len(line.expandtabs(TAB)) > MAX_COLUMNS and not WIDE_BY_DESIGN.match(path):
                wide.append("%s:%d has %d columns" % (path, number, len(line.expandtabs(TAB))))
            if line != line.rstrip():
                blanks.append("%s:%d" % (path, number))
            if FORBIDDEN.search(line):
                words.append("%s:%d: %s" % (path, number, FORBIDDEN.search(line)[0]))
    for path in code:
        for name, is_static, start, size in functions_of(path):
            if size > MAX_FUNCTION:
                long_functions.append("%s:%d: %s has %d lines" % (path, start, name, size))
            if re.match(r"shim/wrap_.*\.c$", path) and not is_static and size > MAX_WRAPPER:
                long_wrappers.append("%s:%d: %s has %d lines" % (path, start, name, size))
    judge("style/files_up_to_%d_lines" % MAX_LINES, long_files)
    judge("style/functions_up_to_%d_lines" % MAX_FUNCTION, long_functions)
    judge("style/wrappers_up_to_%d_lines" % MAX_WRAPPER, long_wrappers)
    judge("style/lines_up_to_%d_columns" % MAX_COLUMNS, wide)
    judge("style/no_trailing_blanks", blanks)
    judge("style/no_machine_paths", words)
    finish()


if __name__ == "__main__":
    main()
