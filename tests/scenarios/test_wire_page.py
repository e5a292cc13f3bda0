"""docs/wire-format.md's worked example, made again from its constants by code that knows nothing but the page."""
import pathlib
import re
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "peer"))

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
import envelope
import harness
import hpke
import wire

POLICE, PROBATION = "police.staffordshire", "probation.staffordshire"
ROOT, SENDER, RECIPIENT, BUNDLE = (bytes([b]) * 32 for b in (0xA0, 0xC1, 0xC2, 0xB0))
SALTS = {name: bytes([0x60 + i]) * 16 for i, name in enumerate(("held", "home_force", "release_date"))}
ITEMS = [("name", "Samuel Example"), ("prison_no", "A1234BC")]
PRIVATE = {to: X25519PrivateKey.from_private_bytes(bytes([b]) * 32) for to, b in ((POLICE, 0x12), (PROBATION, 0x13))}
EPHEMERAL = {POLICE: bytes([0x21]) * 32, PROBATION: bytes([0x22]) * 32}


def blocks():
    page = wire.PAGE.read_text(encoding="utf-8")
    return {name: bytes.fromhex(text) for name, text in re.findall(r"```hex ([\w-]+)\n(.*?)```", page, re.S)}


class Example:
    """Both events of the example. What its prose leaves open (ids, times) is read from the frame it shows."""

    def __init__(self, page):
        self.publish = wire.decode_frame(page["publish"])[1]
        self.sealers = {to: hpke.Sealer(hpke.public_bytes(PRIVATE[to]), envelope.SECTION_INFO,
                                        hpke.derive_key_pair(EPHEMERAL[to])) for to in PRIVATE}
        self.openings, self.cores, self.sections = [], [], []
        for number, to in enumerate(((POLICE, PROBATION), (POLICE,))):
            self.add(number, f"2026-12-{14 + number}", to)
        self.headers = [envelope.header_of(c, s.values()) for c, s in zip(self.cores, self.sections)]
        self.signature = envelope.sign_batch(envelope.EVENTS, ROOT, SENDER,
                                             Ed25519PrivateKey.from_private_bytes(b"\1" * 32), self.headers)

    def add(self, number, date, recipients):
        shown = wire.decode("Core", envelope.split_header(self.publish.headers[number])[0])
        opening = envelope.opening_of([("held", "name,prison_no"), ("home_force", POLICE), ("release_date", date)],
                                      SALTS)
        core = wire.encode("Core", {**shown, "bundle": BUNDLE, "from": "prison.dovegate", "effective": date,
                                    "attributes": envelope.commitments_of(opening)})
        self.openings.append(opening)
        self.cores.append(core)
        self.sections.append({to: self.seal(core, to) for to in recipients})

    def seal(self, core, to):
        key = envelope.digest(hpke.public_bytes(PRIVATE[to]))[:16]
        return envelope.seal_section(self.sealers[to], core, {"to": to, "rule": "release-notice"}, key, ITEMS)

    def publish_frame(self):
        slices = []
        for to in (POLICE, PROBATION):
            indexes = [i for i, s in enumerate(self.sections) if to in s]
            slices.append({"to": to, "indexes": indexes, "sections": [self.sections[i][to] for i in indexes]})
        return wire.frame("publish", {"certificate": SENDER, "signature": self.signature, "headers": self.headers,
                                      "slices": slices, "openings": self.openings}, request=7)

    def deliver_frame(self):
        leaves = [envelope.leaf(h) for h in self.headers]
        return wire.frame("deliver", {
            "from": "prison.dovegate", "certificate": SENDER, "signature": self.signature, "count": 2,
            "events": [{"index": i, "header": h, "path": envelope.tree_path(leaves, i),
                        "section": self.sections[i][POLICE], "counter": i + 1}
                       for i, h in enumerate(self.headers)]})

    def receipt(self, index):
        core = wire.decode("Core", self.cores[index])
        return wire.encode("Receipt", {
            "to": POLICE, "from": "prison.dovegate", "event": core.event,
            "header": envelope.digest(self.headers[index]),
            "section": envelope.digest(self.sections[index][POLICE]), "outcome": "STORED",
            "time": core.created + 1000, "counter": index + 1, "bundle": BUNDLE})

    def receipts_frame(self, shown):
        receipts = [self.receipt(0), self.receipt(1)]
        signature = envelope.sign_batch(envelope.RECEIPTS, ROOT, RECIPIENT,
                                        Ed25519PrivateKey.from_private_bytes(b"\2" * 32), receipts)
        return wire.frame("receipts", {"certificate": RECIPIENT, "signature": signature, "receipts": receipts,
                                       "head": shown.head}, request=9)


def the_worked_example_comes_out_again():
    page = blocks()
    example = Example(page)
    root = envelope.tree_root([envelope.leaf(h) for h in example.headers])
    section = wire.decode("Section", example.sections[0][POLICE])
    made = {
        "core": example.cores[0],
        "opening": wire.encode("Opening", example.openings[0]),
        "items": envelope.items_plaintext(ITEMS),
        "aad": envelope.section_aad(example.cores[0], POLICE, "release-notice", section.key, section.labels),
        "section-police": example.sections[0][POLICE],
        "section-probation": example.sections[0][PROBATION],
        "header": example.headers[0],
        "header-digest": envelope.digest(example.headers[0]),
        "leaf": envelope.leaf(example.headers[0]),
        "path": envelope.leaf(example.headers[1]),
        "root": root,
        "signed": envelope.signed_bytes(envelope.EVENTS, ROOT, SENDER, 2, root),
        "signature": example.signature,
        "publish": example.publish_frame(),
        "deliver": example.deliver_frame(),
        "receipt": example.receipt(0),
        "receipts": example.receipts_frame(wire.decode_frame(page["receipts"])[1]),
    }
    harness.equal(sorted(page), sorted(made), "the blocks of the page are those made here")
    for name, content in made.items():
        harness.equal(content.hex(), page[name].hex(), f"block {name}")


def what_was_sealed_opens():
    example = Example(blocks())
    for core, sections in zip(example.cores, example.sections):
        for to, encoded in sections.items():
            harness.equal(envelope.open_section(PRIVATE[to], core, wire.decode("Section", encoded)), ITEMS,
                          f"what {to} reads")


def paths_lead_to_the_root():
    for count in (1, 2, 3, 5, 8, 13, 255, 256):
        items = [bytes([i % 251, i // 251]) for i in range(count)]
        leaves = [envelope.leaf(i) for i in items]
        for index in {0, count // 2, count - 1}:
            path = envelope.tree_path(leaves, index)
            harness.equal(envelope.root_from_path(items[index], index, count, path), envelope.tree_root(leaves),
                          f"the root from leaf {index} of {count}")


def every_refusal_code_has_a_meaning():
    """The page's tables are held to the words that the code sends."""
    page = wire.PAGE.read_text(encoding="utf-8")
    section = re.search(r"^## Refusal codes\n(.*?)^## ", page, re.S | re.M)[1]
    told = re.findall(r"^\| `([a-z-]+)` \| \S.*\|$", section, re.M)
    header = (harness.SOURCE / "policy/decide.h").read_text(encoding="utf-8")
    sent = re.findall(r'^    X\([A-Z_]+, "([a-z-]+)"\)', header, re.M)
    harness.equal(len(sent) > 30, True, "the header's list was found")
    harness.equal(sorted(told), sorted(code for code in sent if code != "none"), "the page's codes are those of the code")


if __name__ == "__main__":
    harness.story(every_refusal_code_has_a_meaning)
    harness.story(the_worked_example_comes_out_again)
    harness.story(what_was_sealed_opens)
    harness.story(paths_lead_to_the_root)
