#!/usr/bin/python3
"""The demonstration that a stranger runs, and what it must have shown."""
import os
import pathlib
import shlex
import signal
import subprocess
import sys
import tempfile
import time

from harness import BIN, MEMBERS, SOURCE, check, story, until

EXPECTED = (
    "police.staffordshire received 7 release notices",
    "probation.staffordshire received 10 release notices",
    "drugs.stoke received 2 release notices",
    "not drugs.stoke",
    "the item 'crn' is not granted",
    "handshake refused",
    "consent 'share_with_ppo_team' is",
    "log verified:",
    "(4 of 5 must, 1 may be dishonest)",
)


DEMO = [sys.executable, str(SOURCE / "tests/demo/demo.py"), "--bin", str(BIN)]


def tell():
    """The demonstration as `./dev demo` runs it."""
    started = time.monotonic()
    done = subprocess.run(DEMO, capture_output=True, text=True, timeout=300, check=False)
    check(done.returncode == 0, f"exit {done.returncode}\n{done.stdout[-2000:]}{done.stderr}")
    check(time.monotonic() - started < 120, "the demo takes under two minutes, also with sanitizers")
    return done.stdout


def alive(pid):
    """Whether it runs: a child of nobody that has ended may stay as a zombie where no init reaps it."""
    try:
        return pathlib.Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rsplit(")", 1)[1].split()[0] != "Z"
    except FileNotFoundError:
        return False


def kept(folder):
    """--keep leaves what it says, running, and every command that it prints works as printed."""
    done = subprocess.run([*DEMO, "--keep", str(folder)], capture_output=True, text=True, timeout=300, check=False,
                          cwd=SOURCE)
    check(done.returncode == 0, f"exit {done.returncode}\n{done.stdout[-2000:]}{done.stderr}")
    pids = {path.stem: int(path.read_text(encoding="ascii")) for path in (folder / "pids").glob("*.pid")}
    try:
        check(set(pids) == {"broker", *MEMBERS}, f"pids/ names {sorted(pids)}")
        check(all(alive(pid) for pid in pids.values()), "everything is left running")
        for place in ("authority", "broker", *(f"agents/{member}" for member in MEMBERS)):
            check((folder / place).is_dir(), f"{place} is missing")
        lines = done.stdout.split("To try:\n", 1)[1].splitlines()
        commands = [line.strip() for line in lines if line.startswith("  ")]
        check(len(commands) >= 5, f"only {len(commands)} commands are printed")
        for line in commands:
            tried = subprocess.run(shlex.split(line), capture_output=True, text=True, timeout=60, check=False, cwd=SOURCE)
            check(tried.returncode == 0 and tried.stdout.strip(), f"{line}\nexit {tried.returncode}\n{tried.stderr}")
        again = subprocess.run([*DEMO, "--keep", str(folder)], capture_output=True, text=True, timeout=60, check=False)
        check(again.returncode == 2 and "not empty" in again.stderr, "a second demo in the folder is refused")
        subprocess.run(["/bin/sh", "-c", lines[-1].split(": ", 1)[1]], check=True, timeout=60)
        until(lambda: not any(alive(pid) for pid in pids.values()), "the printed kill stops everything")
    finally:
        for pid in pids.values():
            if alive(pid):
                os.kill(pid, signal.SIGKILL)
    return done.stdout


@story
def the_demo_tells_its_story():
    with tempfile.TemporaryDirectory(prefix="concordat-kept-") as folder:
        told = [tell(), kept(pathlib.Path(folder))]
    for line in EXPECTED:
        for text in told:
            check(line in text, f"the demo does not say: {line}\n{text}")
