"""The same message in bytes that mean the same to a lax reader, and must not to ours."""
import random

import wire


def fields(data):
    """(number, wire type, content) of each field; content is an int or bytes."""
    reader, found = wire.Reader(data), []
    while not reader.done():
        key = reader.varint()
        content = reader.varint() if key & 7 == wire.VARINT else reader.take(reader.varint())
        found.append((key >> 3, key & 7, content))
    return found


def join(found):
    return b"".join(wire.tag(n, t) + (wire.varint(c) if t == wire.VARINT else wire.varint(len(c)) + c)
                    for n, t, c in found)


def long_varint(value, extra=1):
    """A varint with `extra` bytes more than it needs."""
    short = wire.varint(value)
    return short[:-1] + bytes([short[-1] | 0x80]) + b"\x80" * (extra - 1) + b"\0"


def flipped(data, bit):
    out = bytearray(data)
    out[bit // 8] ^= 1 << bit % 8
    return bytes(out)


def flips(data, count, seed):
    """`count` copies of data with one bit altered, at seeded places."""
    bits = random.Random(seed).sample(range(8 * len(data)), min(count, 8 * len(data)))
    return [(bit, flipped(data, bit)) for bit in sorted(bits)]


def spellings(frame, verb):
    """(what, bytes) of each way in which this frame, whose verb holds a message, can be spelt wrongly."""
    version, request, (number, kind, body) = fields(frame)
    head = join([version, request])
    inner = fields(body)
    deep = b"".join(wire.tag(2047, 3) for _ in range(2000))
    nested = b""
    for _ in range(400):
        nested = wire.delimited(1, nested)

    def whole(content):
        return head + wire.delimited(number, content)
    yield "a field that nobody knows", frame + wire.delimited(99, b"x")
    yield "a field that nobody knows, inside", whole(body + wire.delimited(999, b"x"))
    yield "an unknown number", frame + wire.tag(98, wire.VARINT) + wire.varint(1)
    yield "messages nested in an unknown field", frame + wire.delimited(98, nested)
    yield "messages nested in a known field", whole(join(inner[:-1]) + wire.delimited(inner[-1][0], nested))
    yield "groups nested 2,000 deep", frame + deep
    yield "fields of fixed size", whole(body + wire.tag(98, wire.FIXED64) + bytes(8))
    yield "a wire type that does not exist", whole(body + wire.tag(1, 7))
    yield "a long varint as version", wire.tag(1, 0) + long_varint(1) + join([request, (number, kind, body)])
    yield "a long varint as request", join([version]) + wire.tag(2, 0) + long_varint(request[2]) + \
        wire.delimited(number, body)
    yield "a long varint as tag", head + long_varint(number << 3 | kind) + wire.varint(len(body)) + body
    yield "a long varint as length", head + wire.tag(number, kind) + long_varint(len(body)) + body
    yield "a varint of eleven bytes", head + wire.tag(number, kind) + long_varint(len(body), 9) + body
    yield "the verb before the request", join([version, (number, kind, body), request])
    yield "the request before the version", join([request, version, (number, kind, body)])
    yield "the fields inside in another order", whole(join(inner[1:] + inner[:1]))
    yield "the request twice", join([version, request, request, (number, kind, body)])
    yield "the version twice", join([version, version, request, (number, kind, body)])
    yield "a singular field twice", whole(join(inner[:1] + inner))
    yield "the verb twice", frame + wire.delimited(number, body)
    yield "two verbs", frame + wire.frame("log_request", {"first_counter": 0, "count": 1, "as_sender": False},
                                          request[2])[len(head):]
    yield "no verb", head
    yield "no request", join([version, (number, kind, body)])
    yield "no version", join([request, (number, kind, body)])
    yield "a required field left out", whole(join(inner[1:]))
    yield "a verb that nobody knows", head + wire.delimited(77, body)
    yield "an end that is missing", frame[:-1]
    yield "a byte too many", frame + b"\0"
    yield "version 2", wire.tag(1, 0) + b"\2" + join([request, (number, kind, body)])
    yield "nothing", b""
    yield "noise", random.Random(verb).randbytes(300)
