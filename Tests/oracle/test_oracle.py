#!/usr/bin/env python3
"""Proves, without a server, that the oracle sees what it is there to see.

  python3 -m unittest discover -s Tests/oracle
"""
import base64
import copy
import datetime
import json
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

import oracle  # before the others: it puts .local/python on the path
from bson.int64 import Int64

import rules
import samples
import tally
from elements import Event, Refused, decode, partition, read_journal, understand
from rows import Rows

WHEN = datetime.datetime(2026, 11, 20, 10)


def element(event_id, key="k-1", kind="counted", **data):
    return json.dumps({"eventId": event_id, "eventType": kind, "key": key, "data": data}).encode()


def counted(event_id, key="k-1", amount=1, seq=0, tag="red"):
    return element(event_id, key, amount=amount, seq=seq, tag=tag)


def trace(elements):
    """Return (events, {key: fields}) of trace elements."""
    events = understand(elements).events
    return events, rules.fold(events, rules.TRACE)


def store(expected):
    """Return the documents as a right worker would have stored them, free to be spoiled."""
    return {
        key: {"_id": key, "_position": {"p": 0, "o": Int64(offset), "t": WHEN}, **copy.deepcopy(fields)}
        for offset, (key, fields) in enumerate(expected.items())
    }


class Decoding(unittest.TestCase):
    def test_what_is_not_an_event_is_refused(self):
        good = {"eventId": "a", "eventType": "counted", "key": "k"}
        invalid = {
            "empty": b"",
            "cut off": b'{"eventId":"a","eventType":"cou',
            "not UTF-8": b'{"eventId":"\xff","eventType":"t","key":"k"}',
            "array": b"[1,2]",
            "100,000 levels": b'{"a":' * 100_000,
            "no id": json.dumps({**good, "eventId": ""}).encode(),
            "id is a number": json.dumps({**good, "eventId": 7}).encode(),
            "no type": b'{"eventId":"a","key":"k"}',
            "no key": b'{"eventId":"a","eventType":"t"}',
            "key is null": json.dumps({**good, "key": None}).encode(),
            "key is true": json.dumps({**good, "key": True}).encode(),
            "key is a double": json.dumps({**good, "key": 1.0}).encode(),
            "key is empty": json.dumps({**good, "key": ""}).encode(),
            "key is too long": json.dumps({**good, "key": "ä" * 257}).encode(),
            "key has NUL": json.dumps({**good, "key": "a\0b"}).encode(),
            "member twice": b'{"eventId":"a","eventType":"t","key":"k","key":"k"}',
            "member twice inside": b'{"eventId":"a","eventType":"t","key":"k","data":[{"x":1,"\\u0078":2}]}',
            "beyond int64": b'{"eventId":"a","eventType":"t","key":"k","data":9223372036854775808}',
            "beyond double": b'{"eventId":"a","eventType":"t","key":"k","data":1e999}',
            "NaN": b'{"eventId":"a","eventType":"t","key":"k","data":NaN}',
            "half a character": b'{"eventId":"a","eventType":"t","key":"k","data":[["\\ud800"]]}',
            "half a character in a name": b'{"eventId":"a","eventType":"t","key":"k","\\udc00":1}',
            "too large": json.dumps({**good, "data": "x" * (1 << 20)}).encode(),
        }
        for name, raw in invalid.items():
            with self.subTest(name), self.assertRaises(Refused):
                decode(raw)

    def test_valid_corner_cases(self):
        self.assertEqual(decode(element("a", key="ä" * 256)).key, "ä" * 256)
        self.assertEqual(decode(element("a", key=-17)).key, "-17")
        body = decode(b' {"eventId":"a","eventType":"t","key":"k","data":[1,2147483648,1.0,1E2,"\\ud83d\\ude00"]}\r').body
        self.assertEqual([type(v) for v in body["data"]], [int, Int64, float, float, str])

    def test_partition_is_the_crc16_of_redis_cluster(self):
        self.assertEqual(partition("123456789", 1 << 16), 0x31C3)

    def test_duplicates_and_reused_ids_have_no_effect(self):
        again = b'{ "eventId": "a", "eventType": "counted", "key": "k-1", "data": {"amount": 1, "seq": 0, "tag": "red"} }'
        journal = understand([counted("a"), again, counted("a", amount=2), counted("a", amount=1.0), b"{"])
        self.assertEqual((len(journal.events), journal.duplicates, journal.refused), (1, 1, 3))

    def test_an_id_counts_per_partition(self):
        keys = ["k-1", next(k for k in map(str, range(99)) if partition(k, 2) != partition("k-1", 2))]
        self.assertEqual(len(understand([counted("a", key) for key in keys], partitions=2).events), 2)

    def test_a_journal_gives_bytes_as_they_were_pushed(self):
        with tempfile.TemporaryDirectory() as directory:
            plain, coded = Path(directory, "a.ndjson"), Path(directory, "b.b64.ndjson")
            wrapped = json.dumps({"raw_base64": base64.b64encode(b"\xff\n").decode()}).encode()
            plain.write_bytes(b"{}\n\n" + wrapped + b"\n")
            coded.write_bytes(b"{}\n" + wrapped + b"\n")
            self.assertEqual(list(read_journal(plain)), [b"{}", b"", wrapped])
            self.assertEqual(list(read_journal(coded)), [b"{}", b"\xff\n"])


class RowEvents(unittest.TestCase):
    @staticmethod
    def message(op, key=7, lsn=1, before=None, after=None):
        value = {"before": before, "after": after, "op": op, "source": {"table": "items", "lsn": lsn, "txId": 1}}
        return json.dumps({"key": json.dumps({"id": key}), "value": json.dumps(value)}).encode()

    def test_a_message_is_known_by_its_position_and_its_content(self):
        row = {"id": 7, "amount": 1, "mark": "a", "shop": "s"}
        one, again, other = (self.message("c", lsn=lsn, after=row) for lsn in (1, 1, 2))
        journal = understand([one, again, other], decode=Rows({}).decode)
        self.assertEqual([(event.type, event.key) for event in journal.events], [("items.c", "7")] * 2)
        self.assertEqual(journal.duplicates, 1)
        self.assertEqual(rules.fold(journal.events, rules.ROWS)["7"]["n"], 2)
        self.assertEqual(Rows({"items": "shop"}).decode(one).key, "s")
        logged = Rows({}).logged({"key": {"id": 7}, "value": json.loads(json.loads(one)["value"])})
        self.assertEqual(logged.id, journal.events[0].id)

    def test_what_the_sink_writes_for_nothing_is_a_tombstone(self):
        gone = json.dumps({"key": '{"id":7}', "value": "default"}).encode()
        self.assertEqual(Rows({}).decode(gone).type, "tombstone")
        for refused in ({"key": "default", "value": "default"}, {"key": '{"id":7}', "value": '{"op"'}, {"key": "{}", "value": "default"}):
            with self.assertRaises(Refused):
                Rows({}).decode(json.dumps(refused).encode())


class Folding(unittest.TestCase):
    def test_numbers_widen_as_in_mongodb(self):
        for a, b, want in [
            (1, 2, 3),
            (2**31 - 1, 1, Int64(2**31)),
            (Int64(2**31), -(2**31), Int64(0)),  # never back to int32
            (1, 0.5, 1.5),
        ]:
            self.assertIsNone(oracle.difference(want, rules.add(a, b), True))
        with self.assertRaises(rules.Parked):
            rules.add(Int64(2**63 - 1), 1)

    def test_trace_document(self):
        _, documents = trace([counted("a", amount=5, seq=1), counted("b", amount=2.5, seq=2, tag="blue"), counted("c", amount=2**31, seq=3)])
        want = {
            "n": 3, "sum": 7.5 + 2**31, "ids": ["a", "b", "c"], "last": 3,
            "highest": Int64(2**31), "lowest": 2.5, "tags": ["red", "blue"],
        }  # fmt: skip
        self.assertIsNone(oracle.difference(want, documents["k-1"], True))

    def test_only_the_last_50_ids_are_kept(self):
        _, documents = trace([counted(str(i)) for i in range(60)])
        self.assertEqual(documents["k-1"]["ids"], [str(i) for i in range(10, 60)])

    def test_a_removed_document_begins_anew(self):
        _, documents = trace([counted("a"), element("b", kind="removed"), element("b2", key="k-9", kind="removed"), counted("c")])
        self.assertEqual(documents["k-1"]["ids"], ["c"])
        self.assertEqual(list(documents), ["k-1"])

    def test_an_event_that_cannot_take_effect_leaves_no_trace(self):
        bad = [element("b", amount=1, seq=1), element("c", amount="1", seq=1, tag="x"), element("d", kind="other"), counted("e", amount=None)]
        self.assertEqual(trace([counted("a"), *bad])[1], trace([counted("a")])[1])
        self.assertEqual(trace(bad)[1], {})

    def test_commerce_document(self):
        raw = [
            element("a", kind="stockAdjusted", delta=5), element("b", kind="stockAdjusted", delta=-2),
            element("c", kind="priceChanged", amount=1.5, currency="USD"), element("d", kind="priceChanged", amount=2.5),
            element("e", kind="productRenamed", name="N"), element("f", kind="productRenamed"),
            element("g", kind="tagAdded", tag="new"), element("h", kind="tagAdded", tag="new"),
            element("i", kind="reviewPosted", rating=4), element("j", kind="reviewPosted", rating=5),
        ]  # fmt: skip
        documents = rules.fold(understand(raw).events, rules.COMMERCE)
        want = {"stock": 3, "price": {"amount": 2.5}, "name": "N", "tags": ["new"], "reviews": 2, "ratingSum": 9}
        self.assertIsNone(oracle.difference(want, documents["k-1"], True))


class Comparing(unittest.TestCase):
    """Each test spoils right documents in one way and says what the oracle must count."""

    def setUp(self):
        raw = [counted(f"{key}/{i}", key, amount=i, seq=i, tag=f"t{i}") for i in range(3) for key in ("k-1", "k-2")]
        _, self.expected = trace(raw)
        self.stored = store(self.expected)

    def check(self, **counts):
        findings = oracle.Findings()
        oracle.compare_documents(self.expected, self.stored.values(), True, 1, findings)
        found = {kind: getattr(findings, kind) for kind in ("lost", "doubled", "reordered", "different")}
        self.assertEqual(found, {"lost": 0, "doubled": 0, "reordered": 0, "different": 0, **counts}, findings.examples)
        self.assertEqual(findings.good, not counts)

    def replay(self, key, ids):
        """Store what the events of these numbers, in this order, would have made of the key."""
        elements = [counted(f"{key}/{i}", key, amount=i, seq=i, tag=f"t{i}") for i in ids]
        fields = {}
        for event in (decode(e) for e in elements):
            rules.TRACE[event.type](fields, event)
        self.stored[key] = {name: self.stored[key][name] for name in ("_id", "_position")} | fields

    def test_right_documents(self):
        self.check()

    def test_lost_event(self):
        self.replay("k-1", [0, 2])
        self.check(lost=1)

    def test_lost_document(self):
        del self.stored["k-2"]
        self.check(lost=3)

    def test_doubled_event(self):
        self.replay("k-1", [0, 1, 1, 2])
        self.check(doubled=1)

    def test_document_that_should_have_been_removed(self):
        del self.expected["k-1"]
        self.check(doubled=3)

    def test_beyond_the_ids_that_are_kept_the_counter_tells(self):
        _, self.expected = trace([counted(str(i)) for i in range(60)])
        for n, counts in [(59, {"lost": 1}), (62, {"doubled": 2})]:
            with self.subTest(n=n):
                self.stored = store(self.expected)
                self.stored["k-1"]["n"] = n
                self.check(**counts)

    def test_one_lost_and_another_doubled(self):
        self.replay("k-1", [0, 0, 2])
        self.check(lost=1, doubled=1)

    def test_reordered(self):
        self.replay("k-1", [1, 0, 2])
        self.check(reordered=1)

    def test_wrong_types(self):
        for field, value in [("n", Int64(3)), ("n", 3.0), ("n", "3"), ("sum", Int64(3)), ("last", 2.0), ("lowest", False)]:
            with self.subTest(field=field, value=value):
                self.stored = store(self.expected)
                self.stored["k-1"][field] = value
                self.check(different=1)

    def test_the_sign_of_zero(self):
        self.expected["k-1"]["lowest"], self.stored["k-1"]["lowest"] = 0.0, -0.0
        self.check(different=1)

    def test_misordered_fields(self):
        self.stored["k-1"]["n"] = self.stored["k-1"].pop("n")
        self.check(different=1)

    def test_position_is_the_second_field(self):
        self.stored["k-1"]["_position"] = self.stored["k-1"].pop("_position")
        self.check(different=1)

    def test_misordered_fields_inside(self):
        self.expected["k-1"]["last"], self.stored["k-1"]["last"] = {"a": 1, "b": 2}, {"b": 2, "a": 1}
        self.check(different=1)

    def test_field_missing_and_field_too_many(self):
        del self.stored["k-1"]["lowest"]
        self.stored["k-2"]["more"] = 1
        self.check(different=2)

    def test_document_of_nobody(self):
        self.stored["k-3"] = {"_id": "k-3", "_position": {"p": 0, "o": Int64(9), "t": WHEN}, "x": 1}
        self.check(different=1)

    def test_wrong_positions(self):
        right = self.stored["k-1"]["_position"]
        for wrong in [
            None,
            {"p": 0, "o": Int64(0)},
            {**right, "o": 0},
            {**right, "p": Int64(0)},
            {**right, "t": "2026-11-20T10:00:00.000Z"},
            {**right, "p": 1},
            {**right, "o": Int64(-1)},
            self.stored["k-2"]["_position"],
        ]:
            with self.subTest(wrong=wrong):
                self.stored["k-1"]["_position"] = wrong
                self.check(different=1)

    def test_order_of_fields_does_not_count_without_order(self):
        self.assertIsNone(oracle.difference({"a": 1, "b": {"c": 1, "d": 2}}, {"b": {"d": 2, "c": 1}, "a": 1}, False))
        self.assertIsNotNone(oracle.difference({"a": [1, 2]}, {"a": [2, 1]}, False))


class ComparingTheLog(unittest.TestCase):
    def setUp(self):
        self.events = understand([counted(f"{key}/{i}", key) for i in range(3) for key in ("k-1", "k-2")]).events
        self.entries = [
            {"partition": 0, "offset": offset, "kind": "event", "eventId": e.id, "key": e.key} for offset, e in enumerate(self.events)
        ]

    def check(self, **counts):
        findings = oracle.Findings()
        kinds = oracle.compare_log(self.events, self.entries, 1, findings)
        found = {kind: getattr(findings, kind) for kind in ("lost", "doubled", "reordered", "different")}
        self.assertEqual(found, {"lost": 0, "doubled": 0, "reordered": 0, "different": 0, **counts}, findings.examples)
        return kinds

    def renumber(self):
        for offset, entry in enumerate(self.entries):
            entry["offset"] = offset

    def test_right_log(self):
        first = self.entries[0]
        self.entries += [{**first, "offset": 6, "kind": "duplicate"}, {"partition": 0, "offset": 7, "kind": "refused"}]
        self.assertEqual(self.check(), {"event": 6, "duplicate": 1, "refused": 1})

    def test_lost(self):
        del self.entries[3]
        self.renumber()
        self.check(lost=1)

    def test_doubled(self):
        self.entries.append(dict(self.entries[0]))
        self.renumber()
        self.check(doubled=1)

    def test_reordered(self):
        self.entries[0], self.entries[2] = self.entries[2], self.entries[0]
        self.renumber()
        self.check(reordered=1)

    def test_other_keys_between_do_not_matter(self):
        self.entries.sort(key=lambda entry: entry["key"])
        self.renumber()
        self.check()

    def test_gap_and_offset_used_twice(self):
        self.entries[5]["offset"] = 6
        self.check(different=1)
        self.entries[5]["offset"] = 4
        self.check(different=1)

    def test_event_of_nobody(self):
        self.entries.append({"partition": 0, "offset": 6, "kind": "event", "eventId": "?", "key": "k-1"})
        self.check(different=1)



class Shop(unittest.TestCase):
    def test_rows_go_with_their_product_though_nothing_more_is_said_of_them(self):
        rows = [
            ("products.c", {"id": 1, "name": "Oats", "category": "food"}), ("products.c", {"id": 2, "name": "Milk", "category": "food"}),
            ("prices.c", {"id": 3, "product_id": 1, "currency": "EUR", "cents": 200}), ("reviews.c", {"id": 4, "product_id": 1, "score": 5}),
            ("reviews.c", {"id": 5, "product_id": 2, "score": 4}), ("products.d", {"id": 1, "name": "Oats", "category": "food"}),
        ]  # fmt: skip
        documents = samples.shop([Event(str(number), kind, "", {"row": row}) for number, (kind, row) in enumerate(rows)])
        self.assertEqual(list(documents), ["2"])
        self.assertEqual(documents["2"]["reviews"], {"count": 1, "total": 4, "average": 4})


class Tally(unittest.TestCase):
    @staticmethod
    def line(fault="worker-killed", **more):
        return {"fault": fault, "round": 1, "seed": 7, "events": 10, "lost": 0, "doubled": 0, "reordered": 0, "different": 0, "stall": 0.5, **more}

    def test_a_good_run_in_one_line(self):
        lines = [self.line(), self.line(stall=2.25), self.line("redis-killed"), self.line("redis-killed"), self.line("a + b", stall=None)]
        self.assertEqual(
            tally.report(lines),
            "2 faults × 2 rounds, 1 random pairs, 50 events, 0 lost, 0 doubled, 0 reordered, longest stall 2.2 s",
        )

    def test_what_went_wrong_is_said(self):
        lines = [self.line(lost=1), self.line(different=2), self.line(failure="it stood still", stall=None)]
        text = tally.report(lines)
        self.assertIn("1 faults × 3 rounds", text)
        self.assertIn("1 lost", text)
        self.assertIn("2 documents different", text)
        self.assertIn("1 of 3 rounds failed", text)

    def test_the_exit_code_says_whether_all_was_well(self):
        for lines, code in [([self.line()], 0), ([self.line(doubled=1)], 1), ([self.line(failure="x")], 1), ([], 65)]:
            with tempfile.NamedTemporaryFile("w", suffix=".ndjson") as file:
                file.write("".join(json.dumps(line) + "\n" for line in lines))
                file.flush()
                ended = subprocess.run([sys.executable, Path(__file__).parent / "tally.py", file.name], capture_output=True, check=False)
                self.assertEqual(ended.returncode, code, ended.stderr)


if __name__ == "__main__":
    unittest.main()
