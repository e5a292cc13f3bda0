#!/usr/bin/python3
"""What is shipped is hardened: builds one program as the release preset does and looks into the file itself.

Usage: check_hardening.py SOURCE   (exit 77 where the compiler is not GCC: the flags are GCC's)
"""
import json
import pathlib
import re
import subprocess
import sys
import tempfile

PROGRAM = "concordat-protocol"
COMPILE = ("-O2", "-D_FORTIFY_SOURCE=3", "-fstack-protector-strong", "-fstack-clash-protection",
           "-fcf-protection=full", "-ftrivial-auto-var-init=zero", "-fPIE", "-Werror")


def output(*command):
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


def troubles_of_flags(commands):
    for entry in commands:
        if entry["file"].endswith(".c"):
            words = entry["command"].split()
            for flag in COMPILE:
                if flag not in words and not (flag == "-Werror" and "/generated/" in entry["file"]):
                    yield f"{entry['file']} is compiled without {flag}"
            if "-DCONCORDAT_CRASH_POINTS" in words:
                yield f"{entry['file']} is compiled with crash points"


def troubles_of_binary(program):
    header, segments = output("readelf", "-hW", program), output("readelf", "-lW", program)
    dynamic, symbols = output("readelf", "-dW", program), output("readelf", "--dyn-syms", "-W", program)
    if not re.search(r"Type:\s+DYN", header):
        yield "it is not position independent"
    if "GNU_RELRO" not in segments:
        yield "it has no RELRO segment"
    if not re.search(r"BIND_NOW|FLAGS_1.*NOW", dynamic):
        yield "it binds lazily"
    stack = re.search(r"GNU_STACK.*", segments)
    if not stack or "RWE" in stack.group():
        yield "its stack is executable"
    if "__stack_chk_fail" not in symbols:
        yield "it has no stack protector"
    if not re.search(r"__(memcpy|snprintf|vsnprintf|fprintf|read)_chk", symbols):
        yield "nothing in it is fortified"
    if re.search(r"RUNPATH|RPATH", dynamic):
        yield "it names a library path"


def main():
    source = pathlib.Path(sys.argv[1])
    with tempfile.TemporaryDirectory(prefix="concordat-hardened-") as build:
        configured = subprocess.run(["cmake", "--preset", "release", "-B", build], cwd=source, capture_output=True,
                                    text=True, check=False)
        if configured.returncode:
            print(configured.stderr, file=sys.stderr)
            return 1
        cache = (pathlib.Path(build) / "CMakeCache.txt").read_text(encoding="utf-8")
        if "Free Software Foundation" not in output(re.search(r"CMAKE_C_COMPILER:\w+=(.*)", cache).group(1), "--version"):
            return 77
        commands = json.loads((pathlib.Path(build) / "compile_commands.json").read_text(encoding="utf-8"))
        troubles = list(troubles_of_flags(commands))
        subprocess.run(["cmake", "--build", build, "--target", PROGRAM], check=True, stdout=subprocess.DEVNULL)
        troubles += [f"{PROGRAM}: {text}" for text in troubles_of_binary(f"{build}/bin/{PROGRAM}")]
    for text in troubles[:20]:
        print(text, file=sys.stderr)
    print(f"{len(commands)} compilations and {PROGRAM}: {len(troubles)} troubles")
    return 1 if troubles else 0


sys.exit(main())
