"""Journals: the elements that were pushed, and what each of them is.

Written from design.md and models.md alone: it must not share a line, or a mistake, with Sources.
"""
import base64
import binascii
import json
import math
from dataclasses import dataclass

from bson.int64 import Int64

INT32 = range(-(2**31), 2**31)
INT64 = range(-(2**63), 2**63)
MAX_KEY_BYTES = 512
MAX_EVENT_BYTES = 1 << 20


@dataclass(frozen=True)
class Event:
    id: str
    type: str
    key: str
    body: dict  # the whole decoded element, members in their order


class Refused(ValueError):
    """The element is not a valid event; it has no effect on any document."""


def integer(value):
    """Return `value` as the type that BSON gives it: int for int32, else Int64, which is how pymongo reads them back."""
    if value in INT32:
        return int(value)
    if value in INT64:
        return Int64(value)
    raise Refused(f"the integer {value} is beyond int64")


def _double(text):
    value = float(text)
    if math.isinf(value):
        raise Refused(f"the number {text} is beyond double")
    return value


def _constant(text):
    raise Refused(f"{text} is not JSON")


def _object(pairs):
    members = dict(pairs)
    if len(members) != len(pairs):
        raise Refused("an object has two members of the same name")
    for name, value in pairs:
        _check_text(name)
        _check_strings(value)
    return members


def _check_strings(value):
    # Objects have been looked at when they were made; arrays and strings have no hook of their own.
    if isinstance(value, str):
        _check_text(value)
    elif isinstance(value, list):
        for item in value:
            _check_strings(item)


def _check_text(text):
    # Python keeps \ud800 as half a character; only encoding it shows that the other half is missing.
    try:
        text.encode()
    except UnicodeEncodeError:
        raise Refused("a string has an unpaired surrogate") from None


_decoder = json.JSONDecoder(
    object_pairs_hook=_object, parse_int=lambda text: integer(int(text)), parse_float=_double, parse_constant=_constant
)


def decode(element, max_bytes=MAX_EVENT_BYTES):
    """Return the Event that the bytes of an element are, or raise Refused with the reason."""
    if len(element) > max_bytes:
        raise Refused(f"{len(element)} bytes are more than {max_bytes}")
    body = decode_json(element)
    if not isinstance(body, dict):
        raise Refused("not an object")
    for name in ("eventId", "eventType"):
        if not isinstance(body.get(name), str) or not body[name]:
            raise Refused(f"{name} is not a string, or is empty")
    return Event(body["eventId"], body["eventType"], key_text(body.get("key")), body)


def decode_json(text):
    """Return the value that the bytes hold, with numbers as BSON has them, or raise Refused."""
    try:
        return _decoder.decode(text.decode())
    except Refused:
        raise
    except (ValueError, RecursionError) as error:  # not UTF-8, not JSON, or nested without end
        raise Refused(str(error)) from None


def key_text(value):
    """Return the text of a key, or raise Refused."""
    if isinstance(value, int) and not isinstance(value, bool):
        return str(int(value))
    if isinstance(value, str) and 1 <= len(value.encode()) <= MAX_KEY_BYTES and "\0" not in value:
        return value
    raise Refused("key is neither an integer nor a string of 1 to 512 bytes without NUL")


def partition(key, count):
    """Return the partition of a key: the CRC16 (XMODEM) of Redis Cluster over all its bytes, modulo the count."""
    return binascii.crc_hqx(key.encode(), 0) % count


def read_journal(path):
    """Yield the elements of a journal, one per line. In a `.b64.ndjson` file, a line may be {"raw_base64": "…"}."""
    with open(path, "rb") as lines:
        for line in lines:
            line = line.removesuffix(b"\n")
            yield _raw(line) if str(path).endswith(".b64.ndjson") else line


def _raw(line):
    try:
        wrapped = json.loads(line)
    except ValueError:
        return line
    if isinstance(wrapped, dict) and list(wrapped) == ["raw_base64"]:
        return base64.b64decode(wrapped["raw_base64"], validate=True)
    return line


def identical(a, b):
    """Whether two decoded values are the same in value, in type and in the order of members."""
    if type(a) is not type(b):
        return False
    if isinstance(a, dict):
        return list(a) == list(b) and all(identical(a[name], b[name]) for name in a)
    if isinstance(a, list):
        return len(a) == len(b) and all(map(identical, a, b))
    if isinstance(a, float):
        return a.hex() == b.hex()  # tells 0.0 from -0.0
    return a == b


@dataclass
class Journal:
    """What a list of elements amounts to: the events that take effect, in order, and how many do not."""

    events: list
    duplicates: int = 0
    refused: int = 0


def understand(elements, partitions=1, max_bytes=MAX_EVENT_BYTES, decode=decode):
    """Sort elements into events, duplicates and refused ones. An id counts per partition, as the dedupe window does."""
    journal, seen = Journal([]), {}
    for element in elements:
        try:
            event = decode(element, max_bytes)
        except Refused:
            journal.refused += 1
            continue
        place = (partition(event.key, partitions), event.id)
        first = seen.setdefault(place, event)
        if first is event:
            journal.events.append(event)
        elif identical(first.body, event.body):
            journal.duplicates += 1
        else:
            journal.refused += 1  # id-reused: parked
    return journal
