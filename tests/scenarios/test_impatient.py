#!/usr/bin/python3
"""People in a hurry: whatever is wrong with a command, one line says which, where and what to do, with its exit code.

0 done, 1 refused or found something, 2 usage, 3 the machine.
"""
import os
import pathlib
import signal
import subprocess
import time

from harness import BIN, CATALOGUE, DATA, PROTOCOL, Failed, check, partnership, run, story, until

POLICE, PRISON = "police.staffordshire", "prison.dovegate"
PNC = "2003/9391423N"
PROGRAMS = ("concordat", "concordat-agent", "concordat-broker", "concordat-authority", "concordat-audit",
            "concordat-protocol")
NO_EVENT = "01938000-0000-7000-8000-000000000000"
ZEROS = "00" * 32


class Desk:
    """Where the wrong things lie."""

    def __init__(self, scheme):
        self.scheme, root = scheme, scheme.root
        self.authority, self.broker = scheme.authority, scheme.broker_folder
        self.agent, self.prison = scheme.agent_folder(POLICE), scheme.agent_folder(PRISON)
        self.nowhere, self.root = root / "nowhere", root
        self.empty = root / "empty"
        self.empty.write_bytes(b"")
        self.garbage = root / "garbage"
        self.garbage.write_bytes(bytes(range(256)) * 20)
        self.folder = root / "a-folder"
        self.folder.mkdir()


def told(said, code, *words):
    """One line on stderr, nothing on stdout, the exit code, and the words."""
    lines = said.err.strip().splitlines()
    check(said.code == code, f"exit {said.code}, expected {code}: {said.err}{said.out}")
    check(len(lines) == 1 and not said.out, f"one line: {said.err!r} {said.out!r}")
    missing = [str(word) for word in words if str(word) not in lines[0]]
    check(not missing, f"it says {missing}: {lines[0]}")


def wrong(code, words, program, *arguments):
    words = words if isinstance(words, tuple) else (words,)
    try:
        told(run(program, *arguments, expect=None), code, *words)
    except Failed as failure:
        raise Failed(f"{program} {' '.join(map(str, arguments))}: {failure}") from None


def every_program():
    for program in PROGRAMS:
        for option in ("frobnicate", "--frob"):
            wrong(2, (option, f"{program} --help"), program, option)
        shown = run(program, expect=2)
        check("usage:" in shown.err, f"{program} without a command shows how it is used")
        check("usage:" in run(program, "--help").out, f"{program} --help is asked for, so it is no failure")


def authority(desk):
    program, there = "concordat-authority", ("--dir", desk.authority)
    now = ("--now", desk.scheme.now)
    request = desk.agent / f"{POLICE}.csr"
    wrong(2, "--dir DIR is missing", program, "init")
    wrong(2, "--name lacks its value", program, "init", "--dir", desk.root / "a", "--name")
    wrong(2, "--frob", program, "init", "--dir", desk.root / "a", "--name", "x", "--frob")
    wrong(1, ("authority", "choose another folder"), program, "init", *there, "--name", "Again")
    wrong(3, ("empty", "where a folder should be"), program, "init", "--dir", desk.empty, "--name", "x")
    wrong(3, ("its parent folder", "make that first"), program, "init", "--dir", desk.nowhere / "a", "--name", "x")
    wrong(3, ("nowhere", "make one with init"), program, "show", "--dir", desk.nowhere)
    wrong(3, ("nowhere", "not found"), program, "enrol", *there, "--csr", desk.nowhere, "--out", desk.root / "o")
    wrong(3, ("a-folder", "where a file should be"), program, "enrol", *there, "--csr", desk.folder, "--out",
          desk.root / "o")
    for path in (desk.empty, desk.garbage):
        wrong(1, (path, "not a PEM certificate request"), program, "enrol", *there, "--csr", path, "--out",
              desk.root / "o")
    wrong(2, ("--role", "king"), program, "enrol", *there, "--csr", request, "--out", desk.root / "o", "--role", "king")
    wrong(2, "exclude each other", program, "enrol", *there, "--csr", request, "--out", desk.root / "o", "--renew",
          "--replace")
    wrong(1, "--renew", program, "enrol", *there, "--csr", request, "--out", desk.root / "o")
    wrong(1, "never enrolled", program, "revoke", *there, "--member", "nobody.here")
    bundle = (program, "bundle", *there, *now)
    wrong(2, "--protocol FILE is missing", *bundle, "--out", desk.root / "b")
    for path, code, words in ((desk.nowhere, 3, "not found"), (desk.folder, 3, "where a file should be"),
                              (desk.empty, 1, ":1:1: the file is empty"), (desk.garbage, 1, ":1:1:")):
        wrong(code, (path, words), *bundle, "--protocol", path, "--catalogue", CATALOGUE, "--out", desk.root / "b")
    wrong(3, (desk.nowhere, "not found"), *bundle, "--protocol", PROTOCOL, "--catalogue", desk.nowhere, "--out",
          desk.root / "b")
    wrong(3, (desk.nowhere / "b", "cannot be written"), *bundle, "--protocol", PROTOCOL, "--catalogue", CATALOGUE,
          "--out", desk.nowhere / "b")
    wrong(3, (desk.folder, "cannot be written"), *bundle, "--protocol", PROTOCOL, "--catalogue", CATALOGUE, "--out",
          desk.folder)


def broker(desk):
    program, there, scheme = "concordat-broker", ("--dir", desk.broker), desk.scheme
    wrong(2, ("--member", "class.place"), program, "init", "--dir", desk.root / "b2", "--member", "UPPER x")
    wrong(2, ("--listen", "tcp://HOST:PORT"), program, "init", "--dir", desk.root / "b2", "--member", "broker.x",
          "--listen", "http://x")
    wrong(1, (desk.broker, "take another folder"), program, "init", *there, "--member", "broker.sample")
    wrong(3, ("empty", "where a folder should be"), program, "init", "--dir", desk.empty, "--member", "broker.x")
    for folder in (desk.nowhere, desk.agent):
        wrong(3, (folder, "make one with concordat-broker init"), program, "run", "--dir", folder)
        wrong(3, (folder, "make one with concordat-broker init"), program, "load", "--dir", folder, "--bundle",
              scheme.bundle)
    wrong(3, (desk.nowhere, "not found"), program, "load", *there, "--bundle", desk.nowhere)
    wrong(3, (desk.folder, "where a file should be"), program, "load", *there, "--bundle", desk.folder)
    for path in (desk.empty, desk.garbage):
        wrong(1, (path, "not a bundle"), program, "load", *there, "--bundle", path)
    wrong(2, ("--fingerprint", "64 hexadecimal digits"), program, "load", *there, "--bundle", scheme.bundle,
          "--fingerprint", "zz")
    wrong(1, "does not have this fingerprint", program, "load", *there, "--bundle", scheme.bundle, "--fingerprint",
          ZEROS)
    wrong(2, "yesterday", program, "run", *there, "--now", "yesterday")
    wrong(3, (desk.broker, "stop it first"), program, "run", *there, "--now", scheme.now)
    wrong(1, (desk.nowhere, "not running"), program, "status", "--dir", desk.nowhere)
    wrong(3, (desk.agent, "no broker"), program, "status", "--dir", desk.agent)


def agent(desk):
    program, there, scheme = "concordat-agent", ("--dir", desk.agent), desk.scheme
    wrong(2, "class.place", program, "init", "--dir", desk.root / "d", "--member", "x y", "--broker", scheme.endpoint)
    wrong(2, "tcp://HOST:PORT", program, "init", "--dir", desk.root / "d", "--member", "police.x", "--broker", "nonsense")
    wrong(1, (desk.agent, "has its agent"), program, "init", *there, "--member", POLICE, "--broker", scheme.endpoint)
    join = ("--fingerprint", scheme.fingerprint)
    for folder in (desk.nowhere, desk.broker):
        for more in (("run",), ("renew",), ("join", "--bundle", scheme.bundle, *join)):
            wrong(3, (folder, "make one with concordat-agent init"), program, more[0], "--dir", folder, *more[1:])
    wrong(3, (desk.nowhere, "not found"), program, "join", *there, "--bundle", desk.nowhere, *join)
    wrong(3, (desk.folder, "where a file should be"), program, "join", *there, "--bundle", desk.folder, *join)
    for path in (desk.empty, desk.garbage):
        wrong(1, (path, "not a bundle"), program, "join", *there, "--bundle", path, *join)
    wrong(1, "does not have this fingerprint", program, "join", *there, "--bundle", scheme.bundle, "--fingerprint", ZEROS)
    wrong(2, "64 hexadecimal digits", program, "join", *there, "--bundle", scheme.bundle, "--fingerprint", "00")
    wrong(2, "yesterday", program, "run", *there, "--now", "yesterday")
    wrong(3, (desk.agent, "stop it first"), program, "run", *there, "--now", scheme.now)


def officer(desk):
    def ask(code, words, *arguments):
        wrong(code, words, "concordat", "--agent", desk.agent, *arguments)
    about = ("--subject", PNC)
    wrong(3, (desk.nowhere, "start it with concordat-agent run"), "concordat", "--agent", desk.nowhere, "inbox")
    wrong(3, (desk.empty, "where a folder should be"), "concordat", "--agent", desk.empty, "inbox")
    wrong(2, "--agent DIR is missing", "concordat", "inbox")
    for what in (("status",), ("subject", PNC), ("publish", "arrest.made", *about)):
        wrong(3, (desk.broker, "no agent"), "concordat", "--agent", desk.broker, *what)
    ask(2, "TYPE", "publish")
    ask(2, "about whom", "publish", "arrest.made")
    ask(2, "about whom", "publish", "arrest.made", "--re", NO_EVENT, *about)
    ask(1, "no.such", "publish", "no.such", *about)
    ask(1, "YYYY/NNNNNNNL", "publish", "arrest.made", "--subject", "nonsense")
    ask(1, "should be N", "publish", "arrest.made", "--subject", "2003/9391423X")
    ask(1, "nosuch", "publish", "arrest.made", *about, "--item", "nosuch=1")
    ask(1, "nosuch", "publish", "arrest.made", *about, "--attr", "nosuch=1")
    ask(2, ("nosuch", "LABEL=VALUE"), "publish", "arrest.made", *about, "--attr", "nosuch")
    ask(1, ("station", "empty"), "publish", "arrest.made", *about, "--item", "station=")
    ask(1, ("station", "twice"), "publish", "arrest.made", *about, "--item", "station=a", "--item", "station=b")
    ask(1, ("arrested_at", "YYYY-MM-DD"), "publish", "arrest.made", *about, "--item", "arrested_at=yesterday")
    ask(1, ("nonsense", "not an event id"), "publish", "arrest.made", "--re", "nonsense")
    ask(1, (NO_EVENT, "held here"), "publish", "arrest.made", "--re", NO_EVENT)
    ask(1, ("nosuch", "concordat status"), "publish", "arrest.made", *about, "--protocol", "nosuch")
    ask(1, ("zz", "not an event id"), "publish", "arrest.made", *about, "--supersedes", "zz")
    ask(1, ("zz", "not an event id"), "show", "zz")
    ask(1, (NO_EVENT, "held here"), "show", NO_EVENT)
    ask(2, "ID", "show")
    ask(2, "one argument too many", "show", "a", "b")
    ask(2, "--frob", "status", "--frob")
    ask(1, "YYYY/NNNNNNNL", "subject", "zz")
    ask(2, "FEED FILE", "import", "ppo-list")
    ask(1, "nosuch", "import", "nosuch", DATA / "ppo-list.csv")
    ask(3, (desk.nowhere, "not found"), "import", "ppo-list", desk.nowhere)
    ask(3, (desk.folder, "where a file should be"), "import", "ppo-list", desk.folder)
    ask(1, ("line 1", "feed.yaml"), "import", "ppo-list", desk.garbage)
    ask(1, ("column", "feed.yaml"), "import", "ppo-list", DATA / "release-extract.csv")
    wrong(1, "until the police have sent one", "concordat", "--agent", desk.prison, "import", "release-extract",
          DATA / "release-extract.csv")


def protocol(desk):
    program, catalogue = "concordat-protocol", ("--catalogue", CATALOGUE)
    wrong(2, "--catalogue FILE is missing", program, "check", PROTOCOL)
    wrong(2, "argument is missing", program, "check", *catalogue)
    wrong(3, (desk.nowhere, "not found"), program, "check", desk.nowhere, *catalogue)
    wrong(3, (desk.folder, "where a file should be"), program, "check", desk.folder, *catalogue)
    wrong(1, f"{desk.empty}:1:1: the file is empty", program, "check", desk.empty, *catalogue)
    wrong(1, f"{desk.garbage}:1:1:", program, "check", desk.garbage, *catalogue)
    wrong(3, (desk.folder, "where a file should be"), program, "check", PROTOCOL, "--catalogue", desk.folder)
    wrong(1, f"{desk.empty}:1:1: the file is empty", program, "check", PROTOCOL, "--catalogue", desk.empty)
    explain = (program, "explain", PROTOCOL, *catalogue)
    wrong(2, "--event TYPE is missing", *explain)
    wrong(2, "no.such", *explain, "--event", "no.such", "--from", POLICE, "--to", PRISON)
    wrong(2, "nobody.x", *explain, "--event", "arrest.made", "--from", "nobody.x", "--to", PRISON)


def auditor(desk):
    program, log = "concordat-audit", ("--broker", desk.broker)
    wrong(2, "--broker B", program, "verify")
    for folder in (desk.nowhere, desk.agent):
        wrong(3, (folder, "is this a broker's folder?"), program, "verify", "--broker", folder)
        wrong(3, (folder, "is this a broker's folder?"), program, "export", "--broker", folder, "--out", desk.root / "x")
    wrong(2, "--key VKEY", program, "verify", "--export", desk.nowhere)
    wrong(2, ("--key", "zz"), program, "verify", "--export", desk.nowhere, "--key", "zz")
    wrong(3, desk.empty, program, "export", *log, "--out", desk.empty)
    wrong(3, desk.nowhere / "x", program, "export", *log, "--out", desk.nowhere / "x")
    wrong(2, ("--since", "yesterday"), program, "search", *log, "--since", "yesterday")
    wrong(2, "--subject", program, "search", *log, "--subject", "zz")
    wrong(2, ("--member", "class.place"), program, "search", *log, "--member", "Not One")
    wrong(3, (desk.nowhere, "not running"), program, "search", "--broker", desk.nowhere)


def without_rights(desk):
    """A folder that is somebody else's; root may do everything, so root asks as nobody."""
    locked = desk.root / "locked"
    locked.mkdir(mode=0o700)
    desk.root.chmod(0o755)
    locked.chmod(0 if os.getuid() else 0o700)
    who = {"user": 65534, "group": 65534, "extra_groups": []} if os.getuid() == 0 else {}
    inside = locked / "x"
    for command in (("concordat-agent", "run", "--dir", inside), ("concordat-broker", "run", "--dir", inside),
                    ("concordat-authority", "show", "--dir", inside), ("concordat", "--agent", inside, "status"),
                    ("concordat-audit", "verify", "--broker", inside),
                    ("concordat-agent", "init", "--dir", inside, "--member", "police.x", "--broker", "tcp://h:1"),
                    ("concordat-authority", "init", "--dir", inside, "--name", "x"),
                    ("concordat-broker", "init", "--dir", inside, "--member", "broker.x"),
                    ("concordat-protocol", "check", inside, "--catalogue", CATALOGUE)):
        done = subprocess.run([str(BIN / command[0]), *map(str, command[1:])], capture_output=True, text=True,
                              timeout=60, check=False, **who)
        lines = done.stderr.strip().splitlines()
        check(done.returncode == 3 and len(lines) == 1 and str(inside) in lines[0] and "permission" in lines[0].lower(),
              f"{command[:2]}: exit {done.returncode}, {done.stderr!r}")
    locked.chmod(0o700)


def interrupted(desk):
    """Ctrl-C: daemons end cleanly; a command that waits for one ends at once, and the daemon finishes its work."""
    scheme = desk.scheme
    big = desk.root / "big.csv"
    rows = DATA.joinpath("ppo-list.csv").read_text(encoding="utf-8").splitlines()
    big.write_text("\n".join([rows[0]] + rows[1:] * 400) + "\n", encoding="utf-8")
    asking = subprocess.Popen([str(BIN / "concordat"), "--agent", str(desk.agent), "import", "ppo-list", str(big)],
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    time.sleep(0.3)
    asking.send_signal(signal.SIGINT)
    asking.communicate(timeout=20)
    check(asking.returncode in (-signal.SIGINT, 0, 1), f"Ctrl-C ends an import at once: {asking.returncode}")
    until(lambda: scheme.command(POLICE, "status", "--json", expect=None).code == 0, "the agent goes on", 120)
    for member in (POLICE, PRISON):
        scheme.daemons[member].stop(signal.SIGINT)
        check(scheme.daemons[member].process.returncode == 0, f"Ctrl-C is a clean stop of {member}")
    verifying = subprocess.Popen([str(BIN / "concordat-audit"), "verify", "--broker", str(desk.broker)],
                                 stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    verifying.send_signal(signal.SIGINT)
    verifying.communicate(timeout=20)
    check("log verified" in scheme.verify().out, "a verification that was broken off harms nothing")
    scheme.daemons["broker"].stop(signal.SIGINT)
    check(scheme.daemons["broker"].process.returncode == 0, "Ctrl-C is a clean stop of the broker")


def nobody_runs(desk):
    wrong(1, (desk.broker, "not running"), "concordat-broker", "status", "--dir", desk.broker)
    wrong(3, (desk.broker, "not running", "start it"), "concordat-audit", "search", "--broker", desk.broker)
    wrong(3, (desk.agent, "start it with concordat-agent run"), "concordat", "--agent", desk.agent, "status")
    desk.scheme.start_broker()
    for member in (POLICE, PRISON):
        desk.scheme.start_agent(member)


@story
def impatient_people():
    every_program()
    with partnership(members=(POLICE, PRISON)) as scheme:
        desk = Desk(scheme)
        for chapter in (authority, broker, agent, officer, protocol, auditor, without_rights, interrupted, nobody_runs):
            chapter(desk)
