#!/usr/bin/python3
"""The demonstration that a stranger runs, and what it must have shown."""
import subprocess
import sys
import time

from harness import BIN, SOURCE, check, story

EXPECTED = (
    "police.staffordshire received 7 release notices",
    "probation.staffordshire received 10 release notices",
    "drugs.stoke received 2 release notices",
    "not drugs.stoke",
    "the item 'crn' is not granted",
    "handshake refused",
    "consent 'share_with_ppo_team' is",
    "log verified:",
)


@story
def the_demo_tells_its_story():
    started = time.monotonic()
    done = subprocess.run([sys.executable, str(SOURCE / "tests/demo/demo.py"), "--bin", str(BIN)], capture_output=True,
                          text=True, timeout=300, check=False)
    check(done.returncode == 0, f"exit {done.returncode}\n{done.stdout[-2000:]}{done.stderr}")
    for line in EXPECTED:
        check(line in done.stdout, f"the demo does not say: {line}\n{done.stdout}")
    check(time.monotonic() - started < 120, "the demo takes under two minutes, also with sanitizers")
