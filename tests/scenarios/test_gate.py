"""The broker as the engineer meets it: making it, giving it its bundle, running, asking, stopping, mistakes."""
import json
import os
import pathlib
import signal
import socket
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import harness

SAMPLE = harness.SAMPLE_DAY


def expect(condition, what):
    if not condition:
        raise harness.Failed(what)


def broker(*arguments, code=0):
    return harness.run("concordat-broker", *arguments, expect=code)


class Story:
    """An authority and one broker, which nobody is connected to."""

    def __init__(self, root, demo=True):
        self.root = pathlib.Path(root)
        self.root.mkdir()
        self.demo = demo
        self.authority, self.folder = self.root / "authority", self.root / "broker"
        self.endpoint = f"tcp://127.0.0.1:{harness.free_port()}"
        self.now = ("--now", SAMPLE) if demo else ()
        self.daemon = None

    def make(self):
        harness.run("concordat-authority", "init", "--dir", self.authority, "--name", "Test",
                    *(("--demo",) if self.demo else ()), *self.now)
        said = broker("init", "--dir", self.folder, "--member", "broker.test", "--listen", self.endpoint).out
        expect(str(self.folder / "broker.test.csr") in said and "authority" in said, f"init says what is next: {said}")
        expect(os.stat(self.folder).st_mode & 0o777 == 0o700, "the folder is private")
        self.enrol()
        self.bundle, self.fingerprint = self.new_bundle("first")
        return self

    def enrol(self, *options):
        harness.run("concordat-authority", "enrol", "--dir", self.authority, "--csr",
                    self.folder / "broker.test.csr", "--out", self.root / "broker.pem", *options, *self.now)

    def new_bundle(self, name):
        path = self.root / f"{name}.bundle"
        said = harness.run("concordat-authority", "bundle", "--dir", self.authority, "--protocol", harness.PROTOCOL,
                           "--catalogue", harness.CATALOGUE, "--out", path, *self.now).out
        return path, said.split("fingerprint: ")[1].split()[0]

    def load(self, bundle, *options, code=0):
        return broker("load", "--dir", self.folder, "--bundle", bundle, *options, code=code)

    def start(self):
        self.daemon = harness.Daemon("broker", ["concordat-broker", "run", "--dir", self.folder, *self.now],
                                     self.root / "broker.log").start()
        harness.until(lambda: self.status() is not None or not self.daemon.alive(), "the broker answers")
        expect(self.daemon.alive(), self.daemon.tail())
        return self.daemon

    def status(self):
        ran = broker("status", "--dir", self.folder, "--json", code=None)
        return ran.json() if ran.code == 0 else None

    def ask(self, request):
        """One request on the local socket; all replies."""
        with socket.socket(socket.AF_UNIX) as line:
            line.settimeout(20)
            line.connect(str(self.folder / "control.sock"))
            body = json.dumps(request).encode()
            line.sendall(len(body).to_bytes(4, "big") + body)
            replies, last = [], False
            stream = line.makefile("rb")
            while not last:
                reply = json.loads(stream.read(int.from_bytes(stream.read(4), "big")))
                last = reply["last"]
                replies.append(reply["reply"])
            return replies


def first_steps(root):
    story = Story(root / "steps").make()
    broker("run", "--dir", story.folder, *story.now, code=3)  # no bundle yet
    expect("--fingerprint" in story.load(story.bundle, *story.now, code=1).err, "the first bundle needs a fingerprint")
    story.load(story.bundle, "--fingerprint", "00" * 32, *story.now, code=1)
    story.load(story.bundle, "--fingerprint", "12", *story.now, code=2)
    story.load(story.bundle, "--fingerprint", story.fingerprint, *story.now)
    expect("already" in story.load(story.bundle, *story.now).out, "the same bundle again changes nothing")
    ran = broker("run", "--dir", story.folder, code=1)
    expect("demo authority" in ran.err, f"a demo bundle is refused in production: {ran.err}")
    broker("status", "--dir", story.folder, code=1)

    story.start()
    status = story.status()
    expect(status["bundle"]["serial"] == 1 and status["connected"] == 0, status)
    expect(status["time"].startswith("2026-12-01T08:"), "the clock runs on from --now")
    ran = broker("run", "--dir", story.folder, *story.now, code=3)
    expect("another broker" in ran.err and str(story.daemon.process.pid) in ran.err, ran.err)
    expect("broker.test listens on" in broker("status", "--dir", story.folder).out, "status for people")

    second, _ = story.new_bundle("second")
    expect("bundle 2 is loaded" in story.load(second).out, "a running broker takes the next bundle")
    expect(story.status()["bundle"]["serial"] == 2, "and it is in force")
    expect("bundle 2 is held already" in story.load(story.bundle, code=1).err, "never an older one")
    searches(story)
    story.daemon.stop()
    expect("<5>" in story.daemon.tail() and "stopping" in story.daemon.tail(), story.daemon.tail())

    story.start()
    expect(story.status()["bundle"]["serial"] == 2, "it starts with the newest")
    expect(story.ask({"do": "stop"}) == [{"stopping": True}], "stop is answered")
    expect(story.daemon.process.wait(timeout=20) == 0, "and obeyed")


def searches(story):
    """Whoever looks leaves a trace, and finds the traces of those before."""
    rows = story.ask({"do": "search"})
    expect(rows[-1] == {"found": len(rows) - 1}, rows[-1])
    kinds = [row["kind"] for row in rows[:-1]]
    expect("bundle-loaded" in kinds and "audit-query" in kinds, kinds)
    again = story.ask({"do": "search"})
    expect(again[-1]["found"] == rows[-1]["found"] + 1, "each look is one more entry")
    looks = story.ask({"do": "search", "outcome": "audit-query", "limit": 2})
    expect(looks[-1] == {"found": 2}, looks)
    expect("error" in story.ask({"do": "search", "subject": "nobody"})[0], "a bad search is refused")


def renewal(root):
    story = Story(root / "renewal").make()
    story.load(story.bundle, "--fingerprint", story.fingerprint, *story.now)
    story.start()
    broker("renew", "--dir", story.folder)
    story.enrol("--renew")
    renewed, _ = story.new_bundle("renewed")
    expect("restart" in story.load(renewed).out, "renewed keys come into use at a restart")
    story.daemon.stop()
    story.start()
    story.daemon.stop()
    expect(not (story.folder / "keys/next.key").exists(), "they are in use")


def killed(root):
    story = Story(root / "killed").make()
    story.load(story.bundle, "--fingerprint", story.fingerprint, *story.now)
    for _ in range(3):
        story.start()
        story.daemon.process.send_signal(signal.SIGKILL)
        story.daemon.process.wait()
    story.start()
    story.daemon.stop(signal.SIGINT)


def production(root):
    story = Story(root / "production", demo=False).make()
    story.load(story.bundle, "--fingerprint", story.fingerprint, "--now", SAMPLE, code=1)
    story.load(story.bundle, "--fingerprint", story.fingerprint)
    expect("--demo" in broker("run", "--dir", story.folder, "--now", SAMPLE, code=1).err, "--now is for demonstrations")
    story.start()
    story.daemon.stop()


def mistakes(root):
    folder = root / "mistakes"
    broker("init", "--dir", folder, "--member", "Broker", code=2)
    broker("init", "--dir", folder, "--member", "broker.x", "--listen", "5570", code=2)
    broker("init", "--dir", folder, code=2)
    broker("init", "--dir", root / "no/such", "--member", "broker.x", code=3)
    broker("dance", code=2)
    broker("run", "--dir", folder, "--colour", "red", code=2)
    broker("run", "--dir", folder, code=3)
    broker("load", "--dir", folder, "--bundle", "x", code=3)
    broker("renew", "--dir", folder, code=3)
    broker("status", "--dir", folder, code=1)
    broker("init", "--dir", folder, "--member", "broker.x")
    expect("already" in broker("init", "--dir", folder, "--member", "broker.x", code=1).err, "never twice")
    expect("not found" in broker("load", "--dir", folder, "--bundle", root / "none", "--fingerprint", "00" * 32,
                                 code=3).err, "a missing file is named")
    (root / "junk").write_bytes(b"junk")
    broker("load", "--dir", folder, "--bundle", root / "junk", "--fingerprint", "00" * 32, code=1)
    (folder / "broker.json").write_text('{"member": "broker.x", "listen": "tcp://h:1", "speed": 1}')
    expect("speed" in broker("run", "--dir", folder, code=1).err, "an unknown setting is named")
    for ran in (broker("run", "--dir", folder, code=1), broker("init", "--dir", folder, "--member", "a.b", code=1)):
        expect(ran.err.count("\n") == 1 and ran.err.startswith("concordat-broker "), f"one line: {ran.err}")


def endpoint_taken(root):
    story = Story(root / "taken").make()
    story.load(story.bundle, "--fingerprint", story.fingerprint, *story.now)
    with socket.socket() as other:
        host, port = story.endpoint.removeprefix("tcp://").split(":")
        other.bind((host, int(port)))
        other.listen()
        ran = broker("run", "--dir", story.folder, *story.now, code=3)
        expect(story.endpoint in ran.err, ran.err)


def main():
    with tempfile.TemporaryDirectory() as root:
        for part in (first_steps, renewal, killed, production, mistakes, endpoint_taken):
            print(part.__name__, flush=True)
            part(pathlib.Path(root))


if __name__ == "__main__":
    main()
