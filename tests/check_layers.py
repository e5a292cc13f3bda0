#!/usr/bin/python3
"""Rejects an upward include, and a source longer than the style allows.

Layers: base <- proto <- certs <- policy <- {broker, agent, audit}. broker, agent and audit never see one another.
Usage: check_layers.py SOURCE_ROOT
"""
import pathlib
import re
import sys

ORDER = {"base": 0, "proto": 1, "certs": 2, "policy": 3, "broker": 4, "agent": 4, "audit": 4}
INCLUDE = re.compile(r'^\s*#\s*include\s+"(\w+)/([^"]+)"')
LONGEST_FILE = 700


def complaints(root):
    for layer, level in ORDER.items():
        for path in sorted((root / layer).rglob("*.[ch]")):
            lines = path.read_text(encoding="utf-8").splitlines()
            if len(lines) > LONGEST_FILE:
                yield f"{path.relative_to(root)}: {len(lines)} lines; a file over {LONGEST_FILE} has two jobs"
            for number, line in enumerate(lines, 1):
                match = INCLUDE.match(line)
                if not match or match[1] == layer:
                    continue
                if match[1] not in ORDER or ORDER[match[1]] >= level:
                    yield f"{path.relative_to(root)}:{number}: {layer}/ must not include {match[1]}/{match[2]}"


def main():
    found = list(complaints(pathlib.Path(sys.argv[1])))
    print("\n".join(found) if found else "layers point one way")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
