"""Cores, items, sections, headers and batches, after docs/wire-format.md alone."""
import hashlib
import os

from cryptography.exceptions import InvalidSignature

import hpke
import wire

SECTION_INFO = b"concordat/section/v1"
EVENTS, RECEIPTS, REPORTS, BUNDLE = (f"concordat/{word}/v1".encode() for word in
                                     ("events", "receipts", "reports", "bundle"))


class Refused(Exception):
    """What came is not what it should be; says why."""


def digest(data):
    return hashlib.sha256(data).digest()


def _bytes(value):
    return value.encode() if isinstance(value, str) else bytes(value)


def canonical(*values):
    return b"".join(wire.uint32(len(_bytes(v))) + _bytes(v) for v in values)


def listed(values):
    return wire.uint32(len(values)) + canonical(*values)


# ---- one event -------------------------------------------------------------------------------------------------

def commitment(attribute, value, salt):
    return digest(salt + canonical(attribute, value))


def opening_of(attributes, salts=None):
    """An Opening message of (id, value) pairs in catalogue order."""
    salts = salts or {}
    return {"attributes": [{"id": i, "value": v, "salt": salts.get(i) or os.urandom(16)} for i, v in attributes]}


def commitments_of(opening):
    return [{"id": a["id"], "commitment": commitment(a["id"], a["value"], a["salt"])} for a in opening["attributes"]]


def items_plaintext(items):
    """items: (label, value) pairs in catalogue order."""
    content = wire.uint32(len(items)) + b"".join(canonical(label, value) for label, value in items)
    content = wire.uint32(len(content)) + content
    return content + bytes(-len(content) % 256)


def read_items(plaintext):
    reader = wire.Reader(plaintext)
    size = int.from_bytes(reader.take(4), "big")
    inner = wire.Reader(reader.take(size))
    count = int.from_bytes(inner.take(4), "big")
    flat = [inner.take(int.from_bytes(inner.take(4), "big")).decode() for _ in range(2 * count)]
    if not inner.done() or any(plaintext[4 + size:]) or len(plaintext) != 4 + size + -(4 + size) % 256:
        raise Refused("items are not padded as they should be")
    return list(zip(flat[::2], flat[1::2]))


def section_aad(core, to, rule, key, labels):
    return digest(core) + canonical(to, rule, key) + listed(labels)


def seal_section(sealer, core, grant, key, items, labels=None):
    """An encoded Section; labels differ from those of the items only in hands that mean harm."""
    labels = [label for label, _ in items] if labels is None else labels
    aad = section_aad(core, grant["to"], grant["rule"], key, labels)
    sequence, sealed = sealer.seal(aad, items_plaintext(items))
    return wire.encode("Section", {"to": grant["to"], "rule": grant["rule"], "key": key, "labels": labels,
                                   "enc": sealer.enc, "sequence": sequence, "sealed": sealed})


def open_section(private, core, section):
    """(label, value) pairs; Refused when they are not those of the section's labels."""
    aad = section_aad(core, section.to, section.rule, section.key, section.labels)
    items = read_items(hpke.open_sealed(private, section.enc, SECTION_INFO, aad, section.sequence, section.sealed))
    if [label for label, _ in items] != section.labels:
        raise Refused("the content is not what its labels say")
    return items


def header_of(core, sections):
    """sections: encoded, in ascending order of `to`."""
    return wire.uint32(len(core)) + core + b"".join(map(digest, sections))


def split_header(header):
    """(core bytes, digests of sections)"""
    reader = wire.Reader(header)
    core = reader.take(int.from_bytes(reader.take(4), "big"))
    rest = header[reader.at:]
    if len(rest) % 32:
        raise Refused("a header has half a digest")
    return core, [rest[i:i + 32] for i in range(0, len(rest), 32)]


# ---- batches ---------------------------------------------------------------------------------------------------

def leaf(item):
    return digest(b"\0" + item)


def node(left, right):
    return digest(b"\1" + left + right)


def _split(count):
    return 1 << (count - 1).bit_length() - 1


def tree_root(leaves):
    if len(leaves) == 1:
        return leaves[0]
    k = _split(len(leaves))
    return node(tree_root(leaves[:k]), tree_root(leaves[k:]))


def tree_path(leaves, index):
    """RFC 6962 §2.1.1, the leaf's sibling first."""
    if len(leaves) == 1:
        return []
    k = _split(len(leaves))
    if index < k:
        return tree_path(leaves[:k], index) + [tree_root(leaves[k:])]
    return tree_path(leaves[k:], index - k) + [tree_root(leaves[:k])]


def root_from_path(item, index, count, path):
    """The root that (item, index, count, path) leads to; Refused unless the path's length fits."""
    def up(position, size, hashes):
        if size == 1:
            if hashes:
                raise Refused("a path is too long")
            return leaf(item)
        if not hashes:
            raise Refused("a path is too short")
        k = _split(size)
        if position < k:
            return node(up(position, k, hashes[:-1]), hashes[-1])
        return node(hashes[-1], up(position - k, size - k, hashes[:-1]))
    if not 0 <= index < count <= 256:
        raise Refused("an index lies outside of its batch")
    return up(index, count, list(path))


def signed_bytes(prefix, root_certificate, certificate, count, root):
    return prefix + b"\0" + root_certificate + certificate + wire.uint32(count) + root


def sign_batch(prefix, root_certificate, certificate, signing, items):
    root = tree_root([leaf(item) for item in items])
    return signing.sign(signed_bytes(prefix, root_certificate, certificate, len(items), root))


def verify_root(prefix, root_certificate, certificate, public, count, root, signature):
    try:
        public.verify(signature, signed_bytes(prefix, root_certificate, certificate, count, root))
    except InvalidSignature:
        raise Refused("a signature does not verify") from None
