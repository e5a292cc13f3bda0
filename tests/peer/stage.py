"""A real broker with agents of both kinds on it, for the stories in which somebody means harm."""
import contextlib
import json
import pathlib
import shutil
import sys
import tempfile
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "scenarios"))

import harness
import wire
from fake_broker import FakeBroker, redirect
from identity import Bundle, Keys
from peer import ErrorAnswer, Peer, sample_person

POLICE, DOVEGATE, STAFFORD = "police.staffordshire", "prison.dovegate", "prison.stafford"
PROBATION, DRUGS = "probation.staffordshire", "drugs.stoke"
JOHNSON, HUGHES_PARRY = "A9863ZW", "A7629RT"


def listing(prison_no):
    """Draft of the event that puts a person of the sample list on the scheme."""
    person = sample_person(prison_no)
    attributes = {"strand": person["strand"], "area": person["area"], "authority": person["authority"],
                  "selector": person["selector"], "review_due": person["review_due"], "home_force": person["force"]}
    items = {"name": person["name"], "dob": person["dob"], "pnc_id": person["pnc"], "prison_no": prison_no}
    return "ppo.added", person["pnc"], attributes, items


def notice(prison_no, date="2026-12-28"):
    """Draft of a release notice."""
    person = sample_person(prison_no)
    items = {"name": person["name"], "dob": person["dob"], "pnc_id": person["pnc"], "prison_no": prison_no,
             "date_type": "CRD", "home_district": "Newcastle-under-Lyme"}
    return "release.planned", person["pnc"], {"release_date": date, "home_force": person["force"]}, items


def consent(prison_no, scope="throughcare"):
    return "consent.given", sample_person(prison_no)["pnc"], {"scope": scope, "form_version": "2",
                                                              "expires": "2027-05-31"}, {}


def command_line(draft):
    """The same draft as arguments of `concordat publish`."""
    kind, pnc, attributes, items = draft
    return (kind, "--subject", pnc, *(w for k, v in attributes.items() for w in ("--attr", f"{k}={v}")),
            *(w for k, v in items.items() for w in ("--item", f"{k}={v}")))


def impatient(scheme, members=None, seconds=1):
    """Agents that ask for owed log proofs so often, instead of every half minute."""
    for member in members or scheme.members:
        path = scheme.agent_folder(member) / "agent.json"
        settings = json.loads(path.read_text(encoding="utf-8"))
        path.write_text(json.dumps({**settings, "proof_seconds": seconds}), encoding="utf-8")


def adopt(keys, now=None):
    """Has the authority certify a member whose keys and request were made by other software; for `prepare`."""
    def prepare(scene):
        scheme = scene.scheme
        folder = scheme.root / "other"
        folder.mkdir()
        (folder / f"{keys.member}.csr").write_bytes(keys.request())
        harness.run("concordat-authority", "enrol", "--dir", scheme.authority, "--csr", folder / f"{keys.member}.csr",
                    "--out", folder / f"{keys.member}.pem", "--now", now or scheme.now)
        scheme.new_bundle()
        scene.load()
        for member in scheme.members:
            scheme.join(member)
    return prepare


class Stage:
    """A partnership with a running broker. Members in `agents` run our agent, the others are peers."""

    def __init__(self, root, members, agents, **options):
        self.scheme = harness.Partnership(root, members=members, **options)
        self.agents, self.peers, self.brokers = agents, [], []

    def start(self):
        self.scheme.start_broker()
        for member in self.agents:
            self.start_agent(member)
        return self

    def close(self):
        for peer in self.peers:
            peer.close()
        for broker in self.brokers:
            broker.stop()

    def peer(self, member, hello=True, keys_of=None):
        """The independent agent under this member's keys and bundle, connected."""
        folder = self.scheme.agent_folder(member)
        peer = Peer(Keys.of_folder(keys_of or folder), self.bundle(member), self.scheme.endpoint)
        self.peers.append(peer)
        peer.connect()
        if hello:
            peer.hello()
        return peer

    def between(self, member, change):
        """Puts a broker that cannot be trusted between this member's agent and the real one."""
        listen = f"tcp://127.0.0.1:{harness.free_port()}"
        broker = FakeBroker(self.scheme.broker_folder, self.scheme.agent_folder(member), self.scheme.endpoint, listen,
                            change)
        redirect(self.scheme.agent_folder(member), listen)
        broker.start()
        self.brokers.append(broker)
        return broker

    def start_agent(self, member):
        self.scheme.start_agent(member)
        harness.until(lambda: self.scheme.status(member)["connected"], f"{member} is connected")

    def bundle(self, member):
        return Bundle.of_folder(self.scheme.agent_folder(member))

    def list_person(self, police, prison_no=JOHNSON):
        """Puts a person on the scheme, said by the police's peer."""
        event, outcome = police.send_event(*listing(prison_no))
        harness.equal(outcome.verdict, "ACCEPTED", f"the listing of {prison_no}: {outcome.reason}")
        return event

    def load(self, expect=0):
        """Gives the newest bundle to the running broker."""
        return harness.run("concordat-broker", "load", "--dir", self.scheme.broker_folder, "--bundle",
                           self.scheme.bundle, *self.scheme._clock(), expect=expect)

    def still_serves(self, prison, prison_no=JOHNSON):
        """A good event still goes through."""
        event, outcome = prison.send_event(*notice(prison_no))
        harness.equal(outcome.verdict, "ACCEPTED", f"a good notice afterwards: {outcome.reason}")
        return event

    def log_kinds(self, **match):
        """Entries of the disclosure log, as the audit's search shows them."""
        return [e for e in self.scheme.search() if all(e.get(k) == v for k, v in match.items())]

    def await_log(self, count, **match):
        """Waits until at least so many entries can be found; the index follows the log."""
        return harness.until(lambda: len(self.log_kinds(**match)) >= count, f"{count} entries of {match}")


@contextlib.contextmanager
def stage(members=(POLICE, DOVEGATE, PROBATION, DRUGS), agents=(), prepare=None, **options):
    """A stage in a temporary folder. At the end everything stops cleanly and the log verifies."""
    root = tempfile.mkdtemp(prefix="concordat-")
    scene = Stage(root, members, agents, **options)
    try:
        scene.scheme.make()
        if prepare:
            prepare(scene)
        yield scene.start()
        scene.close()
        scene.scheme.verify()
        scene.scheme.stop()
        scene.scheme.verify()
    except BaseException:
        for daemon in scene.scheme.daemons.values():
            print(f"--- {daemon.name}\n{daemon.tail()}", file=sys.stderr)
        raise
    finally:
        with contextlib.suppress(Exception):
            scene.close()
        for daemon in scene.scheme.daemons.values():
            with contextlib.suppress(harness.Failed):
                daemon.kill()
        shutil.rmtree(root, ignore_errors=True)


def error_of(peer, verb, body):
    """The Error that this message is answered with."""
    try:
        answer = peer.ask(verb, body)
    except ErrorAnswer as error:
        return error
    raise harness.Failed(f"{verb} was answered with {answer}")


def raw_answer(peer, data, request, seconds=10):
    """What these bytes are answered with; an Error counts whatever its request number."""
    peer.link.send(data)
    end = time.monotonic() + seconds
    while (left := end - time.monotonic()) > 0:
        got = peer.receive(left)
        if got and (got[2] == request or got[0] == "error"):
            return got[:2]
    raise harness.Failed(f"no answer to {data[:60].hex()}… of {len(data)} bytes")


def next_request(peer):
    peer.requests += 1
    return peer.requests


def publish_frame(peer, body):
    """(bytes, request number) of a Publish."""
    request = next_request(peer)
    return wire.frame("publish", body, request), request
