"""The disclosure log as a member sees it, after docs/log-format.md alone: records, proofs, and a log of one's own."""
import base64
import hashlib
import hmac
import os
import struct

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

ACCEPTED, DISCLOSED, REFUSED, COUNT = 1, 2, 3, 23
ACCOUNT = ("time", "from", "to", "type", "purpose", "gateway", "rule", "labels", "outcome", "reason", "deadline",
           "flags", "key", "protocol", "from_counter", "to_counter", "details")
PERSONAL = ("subject", "officer", "event", "header", "grounds")
LISTS, BYTES = ("labels", "details", "grounds"), ("key", "protocol", "subject", "event", "header", "details")
NUMBERS = {"time": 8, "deadline": 8, "flags": 1, "from_counter": 8, "to_counter": 8, "grounds": 8}


class Wrong(Exception):
    """What the broker says about the log does not hold."""


def sha(data):
    return hashlib.sha256(data).digest()


# ---- records ----------------------------------------------------------------------------------------------------


class _Reader:
    def __init__(self, data):
        self.data, self.at = data, 0

    def take(self, size):
        if self.at + size > len(self.data):
            raise Wrong("a record's part is too short")
        self.at += size
        return self.data[self.at - size:self.at]

    def number(self):
        return struct.unpack(">I", self.take(4))[0]

    def string(self):
        return self.take(self.number())


def _value(name, raw):
    if name in NUMBERS:
        return int.from_bytes(raw, "big")
    return raw if name in BYTES else raw.decode()


def _raw(name, value):
    if name in NUMBERS:
        return int(value).to_bytes(NUMBERS[name], "big")
    return value if isinstance(value, bytes) else value.encode()


def decode(names, part):
    """A record's part as a dictionary."""
    reader, found = _Reader(part), {}
    for name in names:
        if name in LISTS:
            found[name] = [_value(name, reader.string()) for _ in range(reader.number())]
        else:
            found[name] = _value(name, reader.string())
    if reader.at != len(part):
        raise Wrong("a record's part is too long")
    return found


def encode(names, values):
    out = b""
    for name in names:
        several = [_raw(name, v) for v in values[name]] if name in LISTS else [_raw(name, values[name])]
        out += struct.pack(">I", len(several)) if name in LISTS else b""
        out += b"".join(struct.pack(">I", len(v)) + v for v in several)
    return out


def commitment(salt, part):
    return hmac.new(salt, part, hashlib.sha256).digest()


class Record:
    """One entry with its parts and salts."""

    def __init__(self, kind, account, personal, account_salt=None, personal_salt=None):
        self.kind, self.account, self.personal = kind, account, personal
        self.account_salt, self.personal_salt = account_salt or os.urandom(32), personal_salt or os.urandom(32)

    @property
    def parts(self):
        return encode(ACCOUNT, self.account), encode(PERSONAL, self.personal)

    @property
    def entry(self):
        account, personal = self.parts
        return bytes([1, self.kind]) + commitment(self.account_salt, account) + commitment(self.personal_salt, personal)


def opened(entry):
    """The record of a LogEntry, held against the entry's commitments."""
    if entry.entry[0] != 1 or entry.entry[2:34] != commitment(entry.account_salt, entry.account):
        raise Wrong("the account part is not what the entry commits to")
    personal = dict.fromkeys(PERSONAL)
    if entry.personal_salt is not None:
        if entry.entry[34:] != commitment(entry.personal_salt, entry.personal):
            raise Wrong("the personal part is not what the entry commits to")
        personal = decode(PERSONAL, entry.personal)
    return Record(entry.entry[1], decode(ACCOUNT, entry.account), personal, entry.account_salt, entry.personal_salt)


# ---- the tree ---------------------------------------------------------------------------------------------------


def leaf_hash(entry):
    return sha(b"\0" + entry)


def node_hash(left, right):
    return sha(b"\1" + left + right)


def split(count):
    """The largest power of two below count."""
    return 1 << (count - 1).bit_length() - 1


def root_of(leaves):
    if not leaves:
        return sha(b"")
    if len(leaves) == 1:
        return leaves[0]
    at = split(len(leaves))
    return node_hash(root_of(leaves[:at]), root_of(leaves[at:]))


def path_of(leaves, index):
    """RFC 6962 section 2.1.1."""
    if len(leaves) == 1:
        return []
    at = split(len(leaves))
    if index < at:
        return path_of(leaves[:at], index) + [root_of(leaves[at:])]
    return path_of(leaves[at:], index - at) + [root_of(leaves[:at])]


def root_by_path(leaf, index, size, path):
    """RFC 9162 section 2.1.3.2."""
    node, last, hashed = index, size - 1, leaf
    for sibling in path:
        if last == 0:
            raise Wrong("the path is too long")
        if node & 1 or node == last:
            hashed = node_hash(sibling, hashed)
            while not node & 1 and node:
                node, last = node >> 1, last >> 1
        else:
            hashed = node_hash(hashed, sibling)
        node, last = node >> 1, last >> 1
    if last:
        raise Wrong("the path is too short")
    return hashed


# ---- notes and proofs -------------------------------------------------------------------------------------------


class LogKey:
    """The log's private key, as a dishonest operator would use it."""

    def __init__(self, broker_folder):
        lines = (broker_folder / "keys/log.key").read_text(encoding="ascii").splitlines()
        words = dict(line.split(" ", 1) for line in lines[1:])
        self.name, self.private = words["name"], Ed25519PrivateKey.from_private_bytes(bytes.fromhex(words["seed"]))
        self.public = self.private.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)

    def checkpoint(self, size, root):
        text = f"{self.name}\n{size}\n{base64.b64encode(root).decode()}\n"
        name = sha(self.name.encode() + b"\n\x01" + self.public)[:4]
        line = base64.b64encode(name + self.private.sign(text.encode())).decode()
        return f"{text}\n\u2014 {self.name} {line}\n".encode()


def proof_text(index, path, checkpoint, extra=None):
    lines = ["c2sp.org/tlog-proof@v1"] + ([f"extra {base64.b64encode(extra).decode()}"] if extra else [])
    lines += [f"index {index}", *(base64.b64encode(h).decode() for h in path), ""]
    return ("\n".join(lines) + "\n").encode() + checkpoint


def verify_proof(text, entry, public):
    """(index, size) of a log proof of this entry, verified under the log's public key."""
    head, note = text.split(b"\n\n", 1)
    lines = head.decode().split("\n")
    if lines[0] != "c2sp.org/tlog-proof@v1" or not lines[1].startswith("index "):
        raise Wrong("no log proof")
    index, path = int(lines[1][6:]), [base64.b64decode(h, validate=True) for h in lines[2:]]
    body, signatures = note.split(b"\n\n", 1)
    body += b"\n"
    name, size, root = body.decode().split("\n")[:3]
    signature = next(s for s in signatures.decode().split("\n") if s.startswith(f"\u2014 {name} "))
    try:
        Ed25519PublicKey.from_public_bytes(public).verify(base64.b64decode(signature.rsplit(" ", 1)[1])[4:], body)
    except InvalidSignature:
        raise Wrong("the checkpoint's signature does not verify") from None
    if root_by_path(leaf_hash(entry), index, int(size), path) != base64.b64decode(root):
        raise Wrong("the path does not lead to the root")
    return index, int(size)


class OwnLog:
    """A log that a dishonest operator makes up: its records, proofs of them, checkpoints under the real key."""

    def __init__(self, key):
        self.key, self.records = key, []

    def proof(self, index):
        leaves = [leaf_hash(r.entry) for r in self.records]
        return proof_text(index, path_of(leaves, index), self.key.checkpoint(len(leaves), root_of(leaves)))

    def log_entry(self, index):
        """As a LogEntry message."""
        record = self.records[index]
        account, personal = record.parts
        return {"index": index, "entry": record.entry, "account_salt": record.account_salt, "account": account,
                "personal_salt": record.personal_salt, "personal": personal, "proof": self.proof(index)}
