"""docs/dpo-guide.md, run: each command of the page against a fresh demonstration, and what it says compared."""
import os
import pathlib
import re
import shlex
import signal
import subprocess
import sys
import tempfile
import time

from harness import BIN, SOURCE, check, story

PAGE = SOURCE / "docs" / "dpo-guide.md"
PERSON = "2003/9391423N"
ELIDED = "…"
WITNESSES = re.compile(r"cosigned")  # who has by now, and for how many entries, is a matter of seconds


def blocks():
    """(command, lines of output) of each command on the page."""
    for block in re.findall(r"```console\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.S):
        for part in re.split(r"^\$ ", block, flags=re.M)[1:]:
            command, _, output = part.partition("\n")
            yield command, output.splitlines()


def normal(line):
    """What may differ from one run to the next: times, pseudonyms, keys, digests, ids, indexes of entries, users."""
    line = re.sub(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\dZ", "TIME", line)
    line = re.sub(r"1-[0-9a-f]{12,64}", "PERSON", line)
    line = re.sub(r"\b1-[0-9a-f]{10}\.\.\.", "PERSON", line)
    line = re.sub(r"\b[0-9a-f]{32,64}\b", "HEX", line)
    line = re.sub(r"unix:\d+", "unix:N", line)
    line = re.sub(r"^\s*\d+\s+(TIME|from)", r"N \1", line)
    line = re.sub(r"\b(Entry|entries|entry|register:|arrived:|broker\.sample/log\+)[ \d,]*\d", r"\1 N", line)
    line = re.sub(r"^key: .*", "key", line)
    line = re.sub(r"\b\d+ entries\b", "N entries", line)
    return re.sub(r"\s+", " ", line).strip()


def compare(command, expected, said):
    wanted = [normal(line) for line in expected if line.strip() and line.strip() != ELIDED and not WITNESSES.search(line)]
    got = [normal(line) for line in said.splitlines() if line.strip() and not WITNESSES.search(line)]
    for line in wanted:
        check(line in got, f"$ {command}\ndoes not say:\n  {line}\nbut:\n{said}")
        got.remove(line)
    elided = any(line.strip() == ELIDED for line in expected)
    check(elided or not got, f"$ {command}\nsays more than the page:\n" + "\n".join(got))


class Demonstration:
    """A fresh one, left running."""

    def __init__(self, folder):
        self.folder = folder
        self.broker = folder / "demo" / "broker"
        self.agent = folder / "demo" / "agents" / "police.staffordshire"

    def start(self):
        done = subprocess.run([sys.executable, str(SOURCE / "tests/demo/demo.py"), "--bin", str(BIN), "--keep",
                               str(self.folder / "demo")], capture_output=True, text=True, timeout=300, check=False)
        check(done.returncode == 0, f"the demo: {done.stdout[-2000:]}{done.stderr}")
        time.sleep(1)  # until what came last is signed

    def stop(self):
        for file in (self.folder / "demo" / "pids").glob("*.pid"):
            try:
                os.kill(int(file.read_text()), signal.SIGTERM)
            except ProcessLookupError:
                pass

    def run(self, command):
        words = [self.word(w) for w in shlex.split(command)]
        return subprocess.run([str(BIN / words[0]), *words[1:]], capture_output=True, text=True, timeout=120,
                              cwd=self.folder, check=False)

    def word(self, word):
        if word == "REF":
            return self.run(f"concordat --agent A subject {PERSON}").stdout.strip()
        return {"A": str(self.agent), "B": str(self.broker)}.get(word, word)

    def here(self, command, expected):
        """The page's command with the index that the entry it explains has in this run."""
        if not command.startswith("concordat-audit explain "):
            return command
        refused = any("was refused" in line for line in expected)
        entry = self.find("--kind", "refused", "--type", "treatment.started") if refused else self.find(
            "--kind", "disclosed", "--type", "release.planned", "--to", "police.staffordshire")
        return re.sub(r"explain \d+", f"explain {entry}", command)

    def find(self, *arguments):
        """The index of the person's entry that these find."""
        said = self.run(shlex.join(["concordat-audit", "search", "--broker", "B", "--subject", "REF", *arguments]))
        return said.stdout.split()[0]


@story
def the_guide_says_what_the_commands_say():
    with tempfile.TemporaryDirectory(prefix="concordat-guide-") as name:
        demonstration = Demonstration(pathlib.Path(name))
        try:
            demonstration.start()
            commands = list(blocks())
            check(len(commands) > 20, "the page has its commands")
            for command, expected in commands:
                done = demonstration.run(demonstration.here(command, expected))
                check(done.returncode == 0, f"$ {command}\nexit {done.returncode}: {done.stderr}")
                compare(command, expected, done.stdout)
            for report in ("disclosures", "digest --month 2026-12", "executive"):
                page = demonstration.run(f"concordat-audit report {report} --broker B --form html").stdout
                check(page.startswith("<!DOCTYPE html>") and page.endswith("</html>\n"), f"{report} as a page")
            said = demonstration.run("concordat-audit search --broker B --csv --limit 3").stdout
            check(len(said.splitlines()) == 4, "a heading and three records")
        finally:
            demonstration.stop()
