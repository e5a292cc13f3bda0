#!/usr/bin/python3
"""Files and functions stay small enough to be read: style, held to.

Usage: check_sizes.py SOURCE
"""
import pathlib
import sys

FOLDERS = ("base", "proto", "certs", "policy", "broker", "agent", "audit")
FILE_LINES, FUNCTION_LINES = 600, 50


def functions(lines):
    """Name and length of each body that begins and ends with a brace in the first column, as clang-format leaves them."""
    start = None
    for number, line in enumerate(lines):
        if line == "{":
            start = number
        elif line == "}" and start is not None:
            yield lines[start - 1].strip(), number - start - 1
            start = None


def troubles(source):
    for folder in FOLDERS:
        for path in sorted((source / folder).rglob("*.[ch]")):
            lines = path.read_text(encoding="utf-8").splitlines()
            name = path.relative_to(source)
            if len(lines) > FILE_LINES:
                yield f"{name}: {len(lines)} lines, more than {FILE_LINES}: split it"
            for function, length in functions(lines):
                if length > FUNCTION_LINES:
                    yield f"{name}: {length} lines, more than {FUNCTION_LINES}, in {function}"


def main():
    found = list(troubles(pathlib.Path(sys.argv[1])))
    for text in found:
        print(text)
    print(f"{len(found)} files or functions are too long")
    return 1 if found else 0


sys.exit(main())
