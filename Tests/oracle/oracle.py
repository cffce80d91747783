#!/usr/bin/env python3
"""Compares stored documents, and the log, with what the pushed events must have made.

  oracle.py --mongo URL --db DB --model NAME --rules NAME --journal FILE [--journal FILE…]
            [--log FILE] [--partitions N] [--max-event-bytes N]

A journal is NDJSON, one element per line exactly as it was pushed, in the order of pushing; several are read one after
the other. In a file named *.b64.ndjson a line may be {"raw_base64": "…"}, for bytes that are not text. --log is what
`millrace events STREAM --json` prints, one object per line. The journal of rules for row events holds messages (rows.py).

Prints one JSON document. Exit code 0: nothing lost, doubled, reordered or different; 1: something is; 65: the
log cannot be read; 69: the server cannot be reached. Needs pymongo, which it finds in .local/python (scripts/setup).
"""
import argparse
import datetime
import json
import math
import sys
from collections import Counter, defaultdict
from functools import partial
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / ".local/python"))

from bson.int64 import Int64

import rules as models
import samples
from elements import MAX_EVENT_BYTES, decode, partition, read_journal, understand
from rows import Rows

MAX_EXAMPLES = 10
# What makes {key: fields} of the events.
RULES = {
    "commerce": partial(models.fold, rules=models.COMMERCE),
    "trace": partial(models.fold, rules=models.TRACE),
    "rows": partial(models.fold, rules=models.ROWS),
    "flight": samples.flight,
    "booking": samples.booking,
    "ledger": samples.ledger,
    "shop": samples.shop,
}
# Rules for row events, and how those are read.
ROWS = {"rows": Rows({}), "shop": Rows(samples.SHOP_KEYS)}
# What Millrace itself keeps in a document.
HIDDEN = {"_id", "_position", "_contributions"}
# Whose documents count their events: n, ids and the order of fields are looked at one by one.
TRACES = {"trace", "rows"}


class Findings:
    """Counts what is wrong and keeps the first examples."""

    def __init__(self):
        self.lost = self.doubled = self.reordered = self.different = 0
        self.examples = []

    def add(self, kind, count, example):
        setattr(self, kind, getattr(self, kind) + count)
        if len(self.examples) < MAX_EXAMPLES:
            self.examples.append(f"{kind}: {example}")

    @property
    def good(self):
        return self.lost == self.doubled == self.reordered == self.different == 0


def difference(expected, found, ordered, path=""):
    """Return where and how `found` differs in value, type or (if `ordered`) order of fields; None if it does not."""
    at = path or "document"
    if type(expected) is not type(found):
        return f"{at}: {found!r} ({type(found).__name__}) should be {expected!r} ({type(expected).__name__})"
    if isinstance(expected, dict):
        if expected.keys() != found.keys():
            absent, extra = sorted(expected.keys() - found.keys()), sorted(found.keys() - expected.keys())
            return f"{at}: fields missing {absent}, too many {extra}"
        if ordered and list(expected) != list(found):
            return f"{at}: fields {list(found)} should be in the order {list(expected)}"
        pairs = ((name, expected[name], found[name]) for name in expected)
    elif isinstance(expected, list):
        if len(expected) != len(found):
            return f"{at}: {len(found)} elements should be {len(expected)}"
        pairs = ((index, expected[index], found[index]) for index in range(len(expected)))
    else:
        # Only as text does a double show the sign of zero.
        same = expected.hex() == found.hex() if isinstance(expected, float) else expected == found
        return None if same else f"{at}: {found!r} should be {expected!r}"
    for name, a, b in pairs:
        if problem := difference(a, b, ordered, f"{path}.{name}" if path else str(name)):
            return problem
    return None


def compare_trace(key, expected, found, findings):
    """Find lost, doubled and reordered events of one key by the counter and the ids that the trace model keeps.

    A document that is not there counts as one with n = 0. Returns False if something was found.
    """
    want, have = (expected or {}).get("n", 0), (found or {}).get("n", 0)
    if not models.is_number(have):
        return True  # not a number at all: the comparison of fields says so
    if have < want:
        findings.add("lost", math.ceil(want - have), f"{key}: n is {have}, should be {want}")
    elif have > want:
        findings.add("doubled", math.ceil(have - want), f"{key}: n is {have}, should be {want}")
    else:
        want_ids, have_ids = (expected or {}).get("ids", []), (found or {}).get("ids", [])
        if want_ids == have_ids or not isinstance(have_ids, list):
            return True
        absent = list((Counter(want_ids) - Counter(map(str, have_ids))).elements())
        extra = list((Counter(map(str, have_ids)) - Counter(want_ids)).elements())
        # The right number of events, but not the right ones: as many lost as doubled.
        if absent:
            findings.add("lost", len(absent), f"{key}: ids lack {absent[:3]}")
        if extra:
            findings.add("doubled", len(extra), f"{key}: ids have {extra[:3]} too often")
        if not absent and not extra:
            first = next(i for i, (a, b) in enumerate(zip(want_ids, have_ids)) if a != b)
            findings.add("reordered", 1, f"{key}: ids[{first}] is {have_ids[first]}, should be {want_ids[first]}")
    return False


def position_problem(key, document, partitions, taken):
    """Return what is wrong with the `_position` of a document; None if nothing. `taken` maps (p, o) to its key."""
    position = document.get("_position")
    if not isinstance(position, dict) or list(position) != ["p", "o", "t"]:
        return f"_position is {position!r}, should have p, o and t"
    for name, kind in (("p", int), ("o", Int64), ("t", datetime.datetime)):
        if type(position[name]) is not kind:
            return f"_position.{name}: {position[name]!r} ({type(position[name]).__name__}) should be {kind.__name__}"
    if position["p"] != partition(key, partitions) or position["o"] < 0:
        return f"_position is {position['p']}@{position['o']}, the key's partition is {partition(key, partitions)}"
    other = taken.setdefault((position["p"], position["o"]), key)
    return None if other == key else f"_position {position['p']}@{position['o']} is also that of {other}"


def compare_documents(expected, found, trace, partitions, findings):
    """Compare {key: fields} with the stored documents, whole, in any order. Returns how many were stored."""
    stored, taken = {}, {}
    for document in found:
        key = document.get("_id")
        if not isinstance(key, str):
            findings.add("different", 1, f"{key!r}: _id is not a string")
        elif key in stored:
            findings.add("different", 1, f"{key}: read twice")
        else:
            stored[key] = document
    for key in sorted(expected.keys() | stored.keys()):
        want, have = expected.get(key), stored.get(key)
        if trace and not compare_trace(key, want, have, findings):
            continue
        if want is None or have is None:
            findings.add("different", 1, f"{key}: {'should not exist' if want is None else 'is missing'}")
            continue
        fields = {name: value for name, value in have.items() if name not in HIDDEN}
        problem = difference(want, fields, ordered=trace) or position_problem(key, have, partitions, taken)
        if not problem and trace and list(have)[:2] != ["_id", "_position"]:
            problem = f"begins with {list(have)[:2]}, should begin with _id and _position"
        if problem:
            findings.add("different", 1, f"{key}: {problem}")
    return len(stored)


def compare_log(events, entries, partitions, findings):
    """Compare the log with the journal's events: dense offsets, every id once, the order of every key.

    Returns how many entries of each kind there are.
    """
    entries = sorted(entries, key=lambda entry: (entry["partition"], entry["offset"]))
    next_offset, where, per_key = Counter(), defaultdict(list), defaultdict(list)
    for entry in entries:
        p, offset = entry["partition"], entry["offset"]
        if offset != next_offset[p]:
            findings.add("different", 1, f"log {p}@{offset}: should be offset {next_offset[p]}")
        next_offset[p] = offset + 1
        if entry["kind"] == "event":
            where[p, entry["eventId"]].append(offset)
            per_key[p, entry.get("key")].append(entry["eventId"])
    journal_keys = defaultdict(list)
    for event in events:
        p = partition(event.key, partitions)
        journal_keys[p, event.key].append(event.id)
        offsets = where.pop((p, event.id), [])
        if not offsets:
            findings.add("lost", 1, f"log: {event.id} of {event.key} is not there")
        elif len(offsets) > 1:
            findings.add("doubled", len(offsets) - 1, f"log: {event.id} of {event.key} is at {p}@{offsets}")
    for (p, event_id), offsets in where.items():
        findings.add("different", 1, f"log {p}@{offsets[0]}: nobody pushed {event_id} there")
    for place, pushed in journal_keys.items():
        # Only what both have, and each id where it first stands: the rest has been found above.
        logged, known = list(dict.fromkeys(per_key[place])), set(pushed)
        logged = [event_id for event_id in logged if event_id in known]
        present = set(logged)
        if logged != [event_id for event_id in pushed if event_id in present]:
            findings.add("reordered", 1, f"log: the events of {place[1]} are in another order")
    return Counter(entry["kind"] for entry in entries)


def read_log(path, rows=None):
    """Return the entries of a log file; anything else ends the oracle, for a half-read log proves nothing.

    Row events, whose ids only Sources know how to make, get the ids by which the oracle knows them.
    """
    entries = []
    with open(path, encoding="utf-8") as lines:
        for number, line in enumerate(lines, 1):
            try:
                entry = json.loads(line)
            except ValueError:
                entry = None
            if rows and isinstance(entry, dict) and entry.get("kind") == "event":
                entry["eventId"] = rows.logged(entry["event"]).id
            needed = {"partition", "offset", "kind"}
            if not isinstance(entry, dict) or not needed <= entry.keys() or (entry["kind"] == "event" and "eventId" not in entry):
                print(f"oracle: {path}:{number}: not an entry of the log: {line[:80]!r}", file=sys.stderr)
                sys.exit(65)
            entries.append(entry)
    return entries


def stored_documents(url, database, model):
    """Yield the documents of a model as a client would read them: from the primary, majority."""
    import pymongo
    from bson.codec_options import CodecOptions, DatetimeConversion
    from pymongo.read_concern import ReadConcern

    client = pymongo.MongoClient(url, serverSelectionTimeoutMS=10_000)
    # Event times may lie outside what Python's dates can hold; those must not stop the comparison.
    options = CodecOptions(datetime_conversion=DatetimeConversion.DATETIME_CLAMP)
    collection = client[database].get_collection(
        model, codec_options=options, read_preference=pymongo.ReadPreference.PRIMARY, read_concern=ReadConcern("majority")
    )
    yield from collection.find()


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--mongo", required=True)
    p.add_argument("--db", required=True)
    p.add_argument("--model", required=True)
    p.add_argument("--rules", required=True, choices=sorted(RULES))
    p.add_argument("--journal", required=True, action="append")
    p.add_argument("--log")
    p.add_argument("--partitions", type=int, default=1)
    p.add_argument("--max-event-bytes", type=int, default=MAX_EVENT_BYTES)
    a = p.parse_args()

    elements = (element for path in a.journal for element in read_journal(path))
    rows = ROWS.get(a.rules)
    journal = understand(elements, a.partitions, a.max_event_bytes, rows.decode if rows else decode)
    trace = a.rules in TRACES
    expected = RULES[a.rules](journal.events)
    findings = Findings()
    result = {"events": len(journal.events), "duplicates": journal.duplicates, "refused": journal.refused}

    from pymongo.errors import PyMongoError

    try:
        found = stored_documents(a.mongo, a.db, a.model)
        result["documents"] = compare_documents(expected, found, trace, a.partitions, findings)
    except PyMongoError as error:
        print(f"oracle: MongoDB: {error}", file=sys.stderr)
        return 69
    if a.log:
        result["log"] = compare_log(journal.events, read_log(a.log, rows), a.partitions, findings)
    for kind in ("lost", "doubled", "reordered", "different", "examples"):
        result[kind] = getattr(findings, kind)
    print(json.dumps(result))
    return 0 if findings.good else 1


if __name__ == "__main__":
    sys.exit(main())
