"""Real processes on loopback: an authority, a broker and agents in one folder, driven as people would.

A scenario reads like a story: start, do, expect, kill, expect. Nothing here knows formats; it only runs programs.
"""
import contextlib
import json
import os
import pathlib
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time

SOURCE = pathlib.Path(os.environ.get("CONCORDAT_SOURCE", pathlib.Path(__file__).resolve().parents[2]))
BIN = pathlib.Path(os.environ.get("CONCORDAT_BIN", SOURCE / "build/dev/bin"))
DATA = SOURCE / "tests/data"
CATALOGUE = SOURCE / "policy/catalogue.yaml"
PROTOCOL = SOURCE / "policy/staffordshire-ppo.yaml"
SAMPLE_DAY = "2026-12-01T08:00:00Z"
MEMBERS = ("police.staffordshire", "prison.dovegate", "prison.stafford", "probation.staffordshire", "drugs.stoke")


class Failed(Exception):
    """A program ended with another exit code than expected, or something did not happen in time."""


class Ran:
    """What a finished program said."""

    def __init__(self, code, out, err):
        self.code, self.out, self.err = code, out, err

    def json(self):
        return json.loads(self.out)


def run(program, *arguments, expect=0, timeout=120, environment=None):
    """Runs one of our programs to its end; expect=None accepts every exit code."""
    command = [str(BIN / program), *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=timeout, check=False,
                          env={**os.environ, **(environment or {})})
    if expect is not None and done.returncode != expect:
        raise Failed(f"{' '.join(command)}\nexit {done.returncode}, expected {expect}\n{done.stdout}{done.stderr}")
    return Ran(done.returncode, done.stdout, done.stderr)


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def until(condition, what, seconds=30):
    """Waits until condition() is true and returns its value; `what` says what was waited for."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        value = condition()
        if value:
            return value
        time.sleep(0.05)
    raise Failed(f"not within {seconds} s: {what}")


class Daemon:
    """One long-running program, its log kept in a file."""

    def __init__(self, name, arguments, log, environment=None):
        self.name, self.arguments, self.log = name, arguments, log
        self.environment = environment or {}
        self.process = None

    def start(self):
        with open(self.log, "ab") as log:
            self.process = subprocess.Popen(
                [str(BIN / self.arguments[0]), *map(str, self.arguments[1:])], stdout=log, stderr=log,
                stdin=subprocess.DEVNULL, env={**os.environ, **self.environment})
        return self

    def alive(self):
        return self.process is not None and self.process.poll() is None

    def stop(self, how=signal.SIGTERM, expect=0):
        """Ends the program; a clean stop must give exit code `expect`."""
        if not self.alive():
            return
        self.process.send_signal(how)
        try:
            code = self.process.wait(timeout=20)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            raise Failed(f"{self.name} did not stop within 20 s\n{self.tail()}") from None
        if how == signal.SIGTERM and code != expect:
            raise Failed(f"{self.name} ended with {code}\n{self.tail()}")

    def kill(self):
        self.stop(signal.SIGKILL)

    def tail(self, lines=40):
        text = pathlib.Path(self.log).read_text(encoding="utf-8", errors="replace") if os.path.exists(self.log) else ""
        return "\n".join(text.splitlines()[-lines:])


class Partnership:
    """An authority, a broker and agents below one folder."""

    def __init__(self, root, members=MEMBERS, now=SAMPLE_DAY, protocols=(PROTOCOL,), catalogue=CATALOGUE,
                 founded=None, witnesses=(), dishonest=0, settings=None):
        self.root = pathlib.Path(root)
        self.members, self.now = list(members), now
        self.founded = founded or now  # when the authority was made
        self.witnesses, self.dishonest = list(witnesses), dishonest  # of the log; settings: more for broker.json
        self.settings = settings or {}
        self.protocols, self.catalogue = list(protocols), catalogue
        self.authority, self.broker_folder = self.root / "authority", self.root / "broker"
        self.endpoint = f"tcp://127.0.0.1:{free_port()}"
        self.daemons = {}

    # ---- setting up ----------------------------------------------------------------------------------------

    def agent_folder(self, member):
        return self.root / "agents" / member

    def make(self):
        (self.root / "agents").mkdir(parents=True, exist_ok=True)
        (self.root / "logs").mkdir(exist_ok=True)
        (self.root / "pids").mkdir(exist_ok=True)
        run("concordat-authority", "init", "--dir", self.authority, "--name", "Sample partnership", "--demo",
            *(("--now", self.founded) if self.founded else ()))
        run("concordat-broker", "init", "--dir", self.broker_folder, "--member", "broker.sample", "--listen",
            self.endpoint)
        self.enrol(self.broker_folder, "broker.sample")
        for member in self.members:
            run("concordat-agent", "init", "--dir", self.agent_folder(member), "--member", member, "--broker",
                self.endpoint)
            self.enrol(self.agent_folder(member), member)
        self.new_bundle(*self.name_witnesses())
        if self.settings:
            path = self.broker_folder / "broker.json"
            path.write_text(json.dumps({**json.loads(path.read_text()), **self.settings}), encoding="utf-8")
        run("concordat-broker", "load", "--dir", self.broker_folder, "--bundle", self.bundle, "--fingerprint",
            self.fingerprint, *self._clock())
        for member in self.members:
            self.join(member)
        return self

    def _clock(self):
        return ("--now", self.now) if self.now else ()

    def name_witnesses(self):
        """Options of the bundle that name them, with the key that each agent prints."""
        keys = {m: run("concordat-agent", "witness", "--dir", self.agent_folder(m)).out.strip() for m in self.witnesses}
        options = [x for member, key in keys.items() for x in ("--witness", f"{member}={key}")]
        return options + (["--witness-dishonest", str(self.dishonest)] if self.dishonest else [])

    def enrol(self, folder, member, *options, expect=0):
        return run("concordat-authority", "enrol", "--dir", self.authority, "--csr", folder / f"{member}.csr",
                   "--out", folder / f"{member}.pem", *options, *self._clock(), expect=expect)

    def new_bundle(self, *options):
        self.bundle = self.root / "partnership.bundle"
        said = run("concordat-authority", "bundle", "--dir", self.authority,
                   *(x for p in self.protocols for x in ("--protocol", p)), "--catalogue", self.catalogue,
                   "--out", self.bundle, *options, *self._clock()).out
        self.fingerprint = re.search(r"fingerprint: ([0-9a-f]{64})", said)[1]
        return self.bundle

    def join(self, member, expect=0):
        return run("concordat-agent", "join", "--dir", self.agent_folder(member), "--bundle", self.bundle,
                   "--fingerprint", self.fingerprint, *self._clock(), expect=expect)

    # ---- running -------------------------------------------------------------------------------------------

    def start_broker(self, **environment):
        return self._start("broker", ["concordat-broker", "run", "--dir", self.broker_folder, *self._clock()],
                           environment, self.broker_up)

    def start_agent(self, member, **environment):
        return self._start(member, ["concordat-agent", "run", "--dir", self.agent_folder(member), *self._clock()],
                           environment, lambda: self.agent_up(member))

    def _start(self, name, arguments, environment, ready):
        daemon = Daemon(name, arguments, self.root / "logs" / f"{name}.log", environment).start()
        self.daemons[name] = daemon
        (self.root / "pids" / f"{name}.pid").write_text(f"{daemon.process.pid}\n", encoding="ascii")

        def ready_or_dead():
            if not daemon.alive():
                raise Failed(f"{name} did not start\n{daemon.tail()}")
            return ready()
        until(ready_or_dead, f"{name} is up")
        return daemon

    def broker_up(self):
        host, port = self.endpoint.removeprefix("tcp://").split(":")
        with contextlib.suppress(OSError), socket.create_connection((host, int(port)), timeout=1):
            return True
        return False

    def agent_up(self, member):
        return self.command(member, "status", "--json", expect=None).code == 0

    def start(self):
        self.start_broker()
        for member in self.members:
            self.start_agent(member)
        for member in self.members:
            until(lambda m=member: self.status(m)["connected"], f"{member} is connected")
        return self

    def stop(self):
        for name in [n for n in self.daemons if n != "broker"] + ["broker"]:
            if name in self.daemons:
                self.daemons[name].stop()

    # ---- doing ---------------------------------------------------------------------------------------------

    def command(self, member, *arguments, expect=0):
        return run("concordat", "--agent", self.agent_folder(member), *arguments, expect=expect)

    def status(self, member):
        return self.command(member, "status", "--json").json()

    def publish(self, member, event_type, *arguments, expect=0):
        """Publishes and returns the event id, or with expect=1 the sentence of refusal."""
        ran = self.command(member, "publish", event_type, *arguments, expect=expect)
        return ran.out.strip() if expect == 0 else ran.err.strip()

    def inbox(self, member):
        return self.command(member, "inbox", "--json").json()["events"]

    def show(self, member, event):
        return self.command(member, "show", event, "--json").json()

    def drop(self, member, feed, path):
        """Puts a file where the feed looks for it, as a system of the agency would: written apart, then renamed."""
        target = self.agent_folder(member) / "feeds" / feed / "in"
        part = target.parent / "arriving"
        shutil.copy(path, part)
        part.rename(target / pathlib.Path(path).name)

    def settled(self, member, event, seconds=30):
        """Waits until an event of this member has its final state, and returns it as `show` does."""
        def final():
            shown = self.show(member, event)
            return shown if shown["state"] in ("delivered", "refused") else None
        return until(final, f"{member}'s event {event} is delivered or refused", seconds)

    def quiet(self, member, seconds=60):
        """Waits until nothing waits in this member's outbox."""
        def empty():
            outbox = self.status(member)["outbox"]
            return outbox["queued"] == 0 and outbox["sealed"] == 0 and outbox["accepted"] == 0
        return until(empty, f"{member}'s outbox is empty", seconds)

    def log_state(self):
        """How the broker says that its log stands."""
        return run("concordat-broker", "status", "--dir", self.broker_folder, "--json").json()["pipeline"]

    def until_final(self, seconds=60):
        """Waits until the witnesses have cosigned all that is signed, and all is signed; returns the size."""
        def final():
            state = self.log_state()
            return state["entries"] if state["final"] == state["signed"] == state["entries"] else None
        return until(final, "the whole log is final", seconds)

    def verify(self, expect=0):
        return run("concordat-audit", "verify", "--broker", self.broker_folder, expect=expect)

    def search(self, *arguments):
        said = run("concordat-audit", "search", "--broker", self.broker_folder, *arguments, "--json").out
        return [json.loads(line) for line in said.splitlines() if line.strip()]


@contextlib.contextmanager
def partnership(**options):
    """A partnership in a temporary folder, made and started; on failure the daemons' last words are shown."""
    root = tempfile.mkdtemp(prefix="concordat-")
    scheme = Partnership(root, **options)
    try:
        yield scheme.make().start()
        scheme.stop()
    except BaseException:
        for daemon in scheme.daemons.values():
            print(f"--- {daemon.name}\n{daemon.tail()}", file=sys.stderr)
        raise
    finally:
        for daemon in scheme.daemons.values():
            with contextlib.suppress(Failed):
                daemon.kill()
        shutil.rmtree(root, ignore_errors=True)


def check(condition, what):
    """An expectation; `what` is the sentence that failed."""
    if not condition:
        raise Failed(what)


def equal(got, expected, what):
    if got != expected:
        raise Failed(f"{what}\n  got      {got!r}\n  expected {expected!r}")


def story(function):
    """Runs a scenario as a program: prints one line, exits 0 or 1."""
    started = time.monotonic()
    try:
        function()
    except Failed as failure:
        print(f"FAILED {function.__name__}: {failure}", file=sys.stderr)
        sys.exit(1)
    print(f"ok {function.__name__} ({time.monotonic() - started:.1f} s)")
