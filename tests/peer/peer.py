"""An agent of its own, written from docs/wire-format.md: what a partner with another language would write.

    with Peer.of_agent(folder, endpoint) as peer:
        event = peer.event("release.planned", pnc, attributes={...}, items={...})
        peer.plan([event])
        peer.seal(event)
        outcome, = peer.publish([event])
"""
import contextlib
import csv
import hashlib
import hmac
import os
import pathlib
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))

import envelope
import hpke
import wire
from identity import Bundle, Keys
from link import Link, NotLetIn, Silence

PEOPLE = pathlib.Path(__file__).resolve().parents[1] / "data/ppo-list.csv"
PATIENCE = 20  # seconds, if nothing else is said


class ErrorAnswer(Exception):
    """The broker answered with Error."""

    def __init__(self, error):
        super().__init__(f"{error.code}: {error.text}")
        self.code, self.text = error.code, error.text


class Event:
    """An event of our own on its way: core, opening, plan, sections, header."""

    def __init__(self, core, opening, values):
        self.core_bytes = wire.encode("Core", core)
        self.core, self.opening, self.values = wire.decode("Core", self.core_bytes), opening, values
        self.id, self.plan, self.sections = self.core.event, None, {}

    @property
    def header(self):
        return envelope.header_of(self.core_bytes, [self.sections[to] for to in sorted(self.sections)])


class Received:
    """An event that was delivered, verified and opened."""

    def __init__(self, sender, header, section_bytes, counter):
        self.sender, self.header, self.counter = sender, header, counter
        self.core_bytes, self.digests = envelope.split_header(header)
        self.core = wire.decode("Core", self.core_bytes)
        self.section_bytes, self.section = section_bytes, wire.decode("Section", section_bytes)
        self.items = None


class Peer:
    """A member's agent. `keys` may be another's than the bundle says: that is what hostile tests are for."""

    def __init__(self, keys, bundle, endpoint):
        self.keys, self.bundle, self.endpoint = keys, bundle, endpoint
        self.member = keys.member
        self.link, self.unasked, self.requests, self.welcome = None, [], 0, None
        self.ahead = self.last_id_time = 0
        self.patience = PATIENCE
        self.published = []  # every event that was sent, to judge receipts by
        self.known = {}  # pseudonym by PNC id: a person keeps the one under which they were listed

    @classmethod
    @contextlib.contextmanager
    def of_agent(cls, folder, endpoint):
        """Connected and welcomed, with the keys and the bundle of an agent's folder."""
        peer = cls(Keys.of_folder(folder), Bundle.of_folder(folder), endpoint)
        try:
            peer.connect()
            peer.hello()
            yield peer
        finally:
            peer.close()

    # ---- session -------------------------------------------------------------------------------------------

    def connect(self):
        self.close()
        self.link = Link(self.endpoint, self.bundle.broker().transport, self.keys.transport,
                         self.keys.transport_public)

    def close(self):
        if self.link:
            self.link.close()
        self.link = None

    def send(self, verb, body, request=0):
        self.link.send(wire.frame(verb, body, request))

    def receive(self, seconds):
        """The next frame as (verb, body, request); None when none came."""
        data = self.link.receive(seconds)
        return None if data is None else wire.decode_frame(data)

    def ask_raw(self, data, request):
        """Sends bytes as they are and returns (verb, body) of what answers that request number."""
        self.link.send(data)
        return self.answer(request)

    def answer(self, request):
        end = time.monotonic() + self.patience
        while (left := end - time.monotonic()) > 0:
            got = self.receive(left)
            if got and got[2] == request:
                return got[:2]
            if got:
                self.unasked.append(got)
        raise Silence(f"no answer to request {request}")

    def ask(self, verb, body, expect=None):
        """Asks and returns the answer's body; ErrorAnswer when it is an Error. Says hello again if need be: when
        another agent of this member said it since, ours counts no more."""
        for _ in range(5):
            self.requests += 1
            answered, answer = self.ask_raw(wire.frame(verb, body, self.requests), self.requests)
            if answered != "error" or answer.code != "NEED_HELLO" or verb == "hello" or not self.welcome:
                break
            self.hello()
        if answered == "error":
            raise ErrorAnswer(answer)
        if expect and answered != expect:
            raise envelope.Refused(f"{verb} was answered with {answered}")
        return answer

    def hello(self, **changes):
        body = {"member": self.member, "highest_version": 1, "certificate": self.own_certificate().digest,
                "head": self.bundle.signed_head, **changes}
        self.welcome = self.ask("hello", body, "welcome")
        self.ahead = self.welcome.now - time.monotonic_ns() // 1000000
        return self.welcome

    def fetch_bundle(self):
        """The bundle in force at the broker, verified; from now on ours."""
        data, head = b"", None
        while True:
            part = self.ask("bundle_request", {"offset": len(data)}, "bundle_part")
            if head is not None and part.head != head:
                data, head = b"", None
                continue
            if part.offset != len(data):
                raise envelope.Refused("a part of the bundle that was not asked for")
            head, data = part.head, data + part.data
            if len(data) >= part.body_size:
                self.bundle = Bundle(wire.encode("Bundle", {"head": head, "body": data}))
                return self.bundle

    def now(self):
        """The broker's clock, in milliseconds."""
        return self.ahead + time.monotonic_ns() // 1000000

    def own_certificate(self):
        own = [c for c in self.bundle.certificates
               if c.member == self.member and c.signing_bytes == self.keys.signing_public]
        if not own:
            raise envelope.Refused("the bundle has no certificate for our keys")
        return own[-1]

    # ---- sending -------------------------------------------------------------------------------------------

    def new_id(self):
        """UUID version 7; ours ascend."""
        self.last_id_time = max(self.last_id_time + 1, self.now())
        random = bytearray(os.urandom(10))
        random[0], random[2] = random[0] & 0x0F | 0x70, random[2] & 0x3F | 0x80
        return self.last_id_time.to_bytes(6, "big") + bytes(random)

    def pseudonym(self, pnc):
        if pnc not in self.known:
            epoch, key = self.bundle.pseudonym_key(self.keys)
            code = hmac.digest(key, envelope.canonical("pnc", "", pnc), hashlib.sha256)
            self.known[pnc] = wire.uint32(epoch) + code
        return self.known[pnc]

    def in_order(self, labels):
        order = {label: at for at, label in enumerate(self.bundle.labels())}
        return sorted(labels, key=order.__getitem__)

    def event(self, kind, pnc, attributes=None, items=None, **core):
        """An event with fresh salts; `core` overrides fields of the core."""
        items, now = dict(items or {}), self.now()
        attributes = {"held": ",".join(sorted(items)), "juvenile": "no", **(attributes or {})}
        opening = envelope.opening_of([(label, attributes[label]) for label in self.in_order(attributes)])
        core = {"event": core.get("event") or self.new_id(), "type": kind,
                "protocol": self.bundle.body.protocols[0].id, "bundle": self.bundle.digest, "from": self.member,
                "purpose": self.bundle.purposes(self.member)[kind], "officer": "automatic:peer",
                "subject": core.get("subject") or self.pseudonym(pnc), "occurred": now, "created": now,
                "attributes": envelope.commitments_of(opening), **core}
        return Event(core, opening, {**attributes, **items})

    def plan(self, events):
        """Asks who may have what; the plans are kept in the events."""
        answer = self.ask("plan_request", {"items": [{"core": e.core_bytes, "opening": e.opening} for e in events]},
                          "plan_answer")
        for event, plan in zip(events, answer.plans, strict=True):
            if plan.event != event.id:
                raise envelope.Refused("the plans are not in the order of the request")
            event.plan = plan
        return answer.plans

    def seal(self, event, grants=None):
        """Seals a section for each grant of the plan, with exactly the labels granted."""
        event.sections = {}
        for grant in event.plan.grants if grants is None else grants:
            certificate = self.bundle.current(grant["to"])
            sealer = hpke.Sealer(certificate.sealing, envelope.SECTION_INFO)
            items = [(label, event.values[label]) for label in grant["labels"]]
            event.sections[grant["to"]] = envelope.seal_section(sealer, event.core_bytes, grant,
                                                                certificate.sealing_id, items)
        return event

    def sign(self, prefix, items):
        return envelope.sign_batch(prefix, self.bundle.root_digest, self.own_certificate().digest,
                                   self.keys.signing, items)

    def publish_body(self, events):
        """A Publish message, signed; slices in ascending order of recipient."""
        headers = [e.header for e in events]
        slices = []
        for to in sorted({to for e in events for to in e.sections}):
            indexes = [i for i, e in enumerate(events) if to in e.sections]
            slices.append({"to": to, "indexes": indexes, "sections": [events[i].sections[to] for i in indexes]})
        return {"certificate": self.own_certificate().digest, "signature": self.sign(envelope.EVENTS, headers),
                "headers": headers, "slices": slices, "openings": [e.opening for e in events]}

    def publish(self, events):
        """Outcomes in the order of the events."""
        self.published += events
        return self.ask("publish", self.publish_body(events), "publish_answer").outcomes

    def prepare(self, *draft, **more):
        """An event, planned and sealed."""
        event = self.event(*draft, **more)
        self.plan([event])
        return self.seal(event)

    def send_event(self, *draft, **more):
        """Plan, seal, publish: (event, outcome)."""
        event = self.prepare(*draft, **more)
        return event, self.publish([event])[0]

    # ---- receiving -----------------------------------------------------------------------------------------

    def fetch(self, credit, receipts_after=0):
        self.send("fetch", {"credit": credit, "receipts_after": receipts_after}, request=self.requests + 1)
        self.requests += 1

    def await_unasked(self, verb, seconds=PATIENCE):
        """The next frame of this verb that nobody asked for."""
        end = time.monotonic() + seconds
        while True:
            for at, got in enumerate(self.unasked):
                if got[0] == verb:
                    return self.unasked.pop(at)[1]
            got = self.receive(max(0, end - time.monotonic()))
            if got is None:
                raise Silence(f"no {verb} came")
            self.unasked.append(got)

    def verify(self, deliver):
        """The events of a Deliver, everything checked, nothing opened."""
        signer = self.bundle.certificate(deliver.certificate)
        if signer.member != deliver["from"]:
            raise envelope.Refused("signed by another than the sender")
        roots, received = set(), []
        for event in deliver.events:
            roots.add(envelope.root_from_path(event.header, event.index, deliver.count, event.path))
            got = Received(signer.member, event.header, event.section, event.counter)
            if got.core["from"] != signer.member or got.section.to != self.member:
                raise envelope.Refused("an event of another, or for another")
            if envelope.digest(event.section) not in got.digests:
                raise envelope.Refused("a section that the header does not name")
            received.append(got)
        if len(roots) != 1:
            raise envelope.Refused("the paths lead to different roots")
        envelope.verify_root(envelope.EVENTS, self.bundle.root_digest, signer.digest, signer.signing,
                             deliver.count, roots.pop(), deliver.signature)
        return received

    def next_events(self, seconds=PATIENCE):
        """The events of the next Deliver, verified and opened."""
        received = self.verify(self.await_unasked("deliver", seconds))
        for event in received:
            event.items = dict(envelope.open_section(self.keys.sealing, event.core_bytes, event.section))
        return received

    def receipt(self, event, outcome="STORED", **changes):
        return wire.encode("Receipt", {
            "to": self.member, "from": event.sender, "event": event.core.event,
            "header": envelope.digest(event.header), "section": envelope.digest(event.section_bytes),
            "outcome": outcome, "time": self.now(), "counter": event.counter, "bundle": self.bundle.digest,
            **changes})

    def receipts_body(self, receipts):
        return {"certificate": self.own_certificate().digest, "signature": self.sign(envelope.RECEIPTS, receipts),
                "receipts": receipts, "head": self.bundle.signed_head}

    def acknowledge(self, events, outcome="STORED"):
        body = self.receipts_body([self.receipt(e, outcome) for e in events])
        return self.ask("receipts", body, "receipts_stored")

    def accepted_receipts(self, forwarded, events):
        """(event id, recipient, outcome) of each forwarded receipt, verified against what we published."""
        signer = self.bundle.certificate(forwarded.certificate)
        ours = {e.id: e for e in events}
        found, roots = [], set()
        for one in forwarded.receipts:
            roots.add(envelope.root_from_path(one.receipt, one.index, forwarded.count, one.path))
            receipt = wire.decode("Receipt", one.receipt)
            event = ours.get(receipt.event)
            if receipt.to != signer.member or receipt["from"] != self.member or event is None:
                raise envelope.Refused("a receipt that is not about our events, or not by its signer")
            if (receipt.header, receipt.section) != (envelope.digest(event.header),
                                                     envelope.digest(event.sections[receipt.to])):
                raise envelope.Refused("a receipt about other content")
            found.append((receipt.event, receipt.to, receipt.outcome))
        if len(roots) != 1:
            raise envelope.Refused("the paths lead to different roots")
        envelope.verify_root(envelope.RECEIPTS, self.bundle.root_digest, signer.digest, signer.signing,
                             forwarded.count, roots.pop(), forwarded.signature)
        return found

    # ---- for the demo --------------------------------------------------------------------------------------

    def publish_more_than_granted(self, prison_no, extra="crn"):
        """Plans a release notice for a person of the sample list, seals one item more than was granted, and
        returns the broker's sentence."""
        person = sample_person(prison_no)
        items = {"name": person["name"], "dob": person["dob"], "prison_no": prison_no, extra: "X777978"}
        attributes = {"release_date": "2026-12-28", "home_force": person["force"]}
        event = self.event("release.planned", person["pnc"], attributes, items)
        self.plan([event])
        grants = [dict(g, labels=self.in_order([*g.labels, extra]) if at == 0 else g.labels)
                  for at, g in enumerate(event.plan.grants)]
        self.seal(event, grants)
        outcome, = self.publish([event])
        return sentence(outcome)


def sentence(outcome):
    """An outcome in words; the reason is often one of the refusals' texts as well."""
    texts = [outcome.reason, *(r.text for r in outcome.refusals)]
    return f"{outcome.verdict.lower()}: " + " ".join(dict.fromkeys(t for t in texts if t))


def sample_person(prison_no):
    with open(PEOPLE, encoding="utf-8-sig", newline="") as file:
        row = next(r for r in csv.DictReader(file) if r["NOMS No"] == prison_no)
    day, month, year = row["DOB"].split("/")
    return {"pnc": row["PNC ID"], "name": f"{row['Forenames']} {row['Surname']}", "dob": f"{year}-{month}-{day}",
            "prison_no": prison_no, "force": row["Home Force"], "strand": row["Strand"], "area": row["Area"],
            "authority": row["Authority"], "selector": row["Reason"], "review_due": row["Review Due"]}


def stranger(endpoint, agent_folder, seconds=5):
    """A fresh CURVE key that nobody certified says hello in the name of an agent; returns what came of it."""
    keys, bundle = Keys.of_folder(agent_folder), Bundle.of_folder(agent_folder)
    fresh = Keys(keys.member, os.urandom(32), os.urandom(32), os.urandom(32))
    link = Link(endpoint, bundle.broker().transport, fresh.transport, fresh.transport_public)
    try:
        link.send(wire.frame("hello", {"member": keys.member, "highest_version": 1,
                                       "certificate": bundle.current(keys.member).digest,
                                       "head": bundle.signed_head}, request=1))
        data = link.receive(seconds)
        return "no answer" if data is None else f"an answer: {wire.decode_frame(data)[0]}"
    except NotLetIn as refused:
        return str(refused)
    finally:
        link.close()
