"""Canonical frames, after docs/wire-format.md alone.

The schema is read from the page itself, so that what the page says is what goes over the wire. A message is a dict
whose fields can also be read as attributes; an absent optional field is None, an absent repeated one [].
"""
import pathlib
import re
import struct

PAGE = pathlib.Path(__file__).resolve().parents[2] / "docs/wire-format.md"
LARGEST_FRAME = 262144
VARINT, FIXED64, BYTES, FIXED32 = 0, 1, 2, 5
SCALARS = ("uint32", "uint64", "bool", "string", "bytes")


class Malformed(Exception):
    """Bytes that are not what the page allows."""


class Message(dict):
    """Fields by name; `from`, `keys` and `items`, which mean something to Python, in brackets."""

    def __getattr__(self, name):
        try:
            return self[name]
        except KeyError:
            raise AttributeError(name) from None


class Field:
    """One line of the schema."""

    def __init__(self, label, kind, name, number, packed):
        self.label, self.kind, self.name, self.number, self.packed = label, kind, name, int(number), bool(packed)


def read_schema(text):
    """Messages (fields in ascending order of number) and enums (value to name) of the page's proto block."""
    messages, enums = {}, {}
    source = re.sub(r"//[^\n]*", "", re.search(r"```proto\n(.*?)```", text, re.S)[1])
    for name, body in re.findall(r"enum (\w+) \{(.*?)\}", source, re.S):
        enums[name] = {int(number): value for value, number in re.findall(r"(\w+) = (\d+);", body)}
    source = re.sub(r"oneof \w+ \{(.*?)\}", lambda m: re.sub(r"(?m)^(\s*)(\w+ \w+ =)", r"\1optional \2", m[1]),
                    source, flags=re.S)
    line = re.compile(r"(required|optional|repeated) (\w+) (\w+) = (\d+)( \[packed = true\])?;")
    for name, body in re.findall(r"message (\w+) \{(.*?)\}", source, re.S):
        messages[name] = sorted((Field(*f) for f in line.findall(body)), key=lambda f: f.number)
    return messages, enums


MESSAGES, ENUMS = read_schema(PAGE.read_text(encoding="utf-8"))
VERBS = {f.name: f.kind for f in MESSAGES["Frame"] if f.number >= 10}


# ---- writing ---------------------------------------------------------------------------------------------------

def varint(value):
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)


def tag(number, wire_type):
    return varint(number << 3 | wire_type)


def delimited(number, content):
    return tag(number, BYTES) + varint(len(content)) + content


def one(field, value):
    """One occurrence of a field."""
    if field.kind in MESSAGES:
        return delimited(field.number, encode(field.kind, value))
    if field.kind == "string":
        return delimited(field.number, value.encode())
    if field.kind == "bytes":
        return delimited(field.number, bytes(value))
    return tag(field.number, VARINT) + varint(number_of(field, value))


def number_of(field, value):
    if field.kind in ENUMS and isinstance(value, str):
        return next(n for n, name in ENUMS[field.kind].items() if name == value)
    return int(value)


def encode(kind, message):
    """The one encoding of a message."""
    unknown = set(message) - {field.name for field in MESSAGES[kind]}
    if unknown:
        raise KeyError(f"{kind} has no {unknown}")
    out = b""
    for field in MESSAGES[kind]:
        value = message.get(field.name)
        if field.label != "repeated":
            if value is not None:
                out += one(field, value)
            elif field.label == "required":
                raise KeyError(f"{kind}.{field.name}")
        elif field.packed:
            out += delimited(field.number, b"".join(varint(v) for v in value)) if value else b""
        else:
            out += b"".join(one(field, v) for v in value or ())
    return out


def frame(verb, body, request=0, version=1):
    return encode("Frame", {"version": version, "request": request, verb: body})


# ---- reading ---------------------------------------------------------------------------------------------------

class Reader:
    """Takes bytes from the front."""

    def __init__(self, data):
        self.data, self.at = data, 0

    def take(self, size):
        if size > len(self.data) - self.at:
            raise Malformed("ends too early")
        self.at += size
        return self.data[self.at - size:self.at]

    def varint(self):
        value = shift = 0
        while True:
            byte = self.take(1)[0]
            value |= (byte & 0x7F) << shift
            shift += 7
            if byte < 0x80:
                return value
            if shift > 63:
                raise Malformed("a varint too long")

    def done(self):
        return self.at == len(self.data)


def value_of(field, raw):
    if field.kind in MESSAGES:
        return decode(field.kind, raw)
    if field.kind == "string":
        return raw.decode()
    if field.kind in ENUMS:
        return ENUMS[field.kind][raw]
    if field.kind == "bool":
        return bool(raw)
    return raw


def read_field(reader, field, wire_type):
    """All values that this occurrence brings."""
    if wire_type == VARINT and not field.packed and (field.kind in ENUMS or field.kind in SCALARS[:3]):
        return [value_of(field, reader.varint())]
    if wire_type != BYTES:
        raise Malformed(f"{field.name} has another wire type")
    raw = reader.take(reader.varint())
    if not field.packed:
        return [value_of(field, raw)]
    inner, values = Reader(raw), []
    while not inner.done():
        values.append(inner.varint())
    return values


def decode(kind, data):
    """A message from its one encoding; everything else is Malformed."""
    fields = {field.number: field for field in MESSAGES[kind]}
    message = Message((f.name, [] if f.label == "repeated" else None) for f in fields.values())
    reader = Reader(bytes(data))
    try:
        while not reader.done():
            key = reader.varint()
            field = fields[key >> 3]
            values = read_field(reader, field, key & 7)
            message[field.name] = message[field.name] + values if field.label == "repeated" else values[-1]
        if encode(kind, message) != data:
            raise Malformed(f"{kind} is not canonical")
    except (KeyError, UnicodeDecodeError) as problem:
        raise Malformed(f"{kind}: {problem}") from None
    return message


def decode_frame(data):
    """(verb, body, request) of a frame."""
    if len(data) > LARGEST_FRAME:
        raise Malformed("a frame too large")
    message = decode("Frame", data)
    verbs = [verb for verb in VERBS if message[verb] is not None]
    if message.version != 1 or len(verbs) != 1:
        raise Malformed("not one verb of version 1")
    return verbs[0], message[verbs[0]], message.request


def uint32(value):
    return struct.pack(">I", value)
