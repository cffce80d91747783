#!/usr/bin/env python3
"""Measures what an event costs `millrace drain` as documents and keys grow.

Every document is there beforehand, and each event changes one: `stock` and `price` beside a `note` that fills the document
up to its size. Keys are uniform, so that nearly every event is a write.
"""
import json
import random
import statistics
import sys
import uuid

import harness
from harness import WORK, note

DATABASE = "millrace_bench"
# Bytes of a document and number of keys: one grows at a time.
DOCUMENTS = [(300, 2_000), (3_000, 2_000), (30_000, 2_000)]
KEYS = [(300, 1_000), (300, 10_000), (300, 100_000), (300, 1_000_000)]
SEED = 1


def write(file, count, make):
    with open(file, "w", encoding="utf-8") as out:
        for number in range(count):
            out.write(json.dumps(make(number), separators=(",", ":")) + "\n")
    return file


def event(rng, kind, key, data):
    return {"eventId": str(uuid.UUID(int=rng.getrandbits(128), version=4)), "eventType": kind, "key": f"product-{key}", "data": data}


def measure(a, redis, mongo, size, keys):
    """Return the figures of each round, for documents of so many bytes under so many keys."""
    rng = random.Random(SEED)
    filler = "x" * max(0, size - 150)  # what else a document holds: key, position, stock, price
    harness.prepare(redis, mongo, DATABASE)
    harness.push(redis, write(WORK / "growth.ndjson", keys, lambda number: event(rng, "productRenamed", number, {"name": filler})))
    harness.drain(a.millrace, redis, mongo, DATABASE)
    rounds = []
    for number in range(a.rounds):
        def change(_):
            key = rng.randrange(keys)
            if rng.random() < 0.5:
                return event(rng, "stockAdjusted", key, {"delta": rng.randint(1, 9)})
            return event(rng, "priceChanged", key, {"amount": round(rng.uniform(1, 500), 2), "currency": "USD"})

        harness.push(redis, write(WORK / "growth.ndjson", a.events, change))
        rounds.append(harness.drain(a.millrace, redis, mongo, DATABASE))
        note(f"{size:,} bytes, {keys:,} keys, round {number + 1} of {a.rounds}: {rounds[-1]['events_per_second']:,.0f} events/s")
    return rounds


def main():
    a = harness.arguments("growth", __doc__, events=60_000).parse_args()

    def body(redis, mongo):
        figures, lines = {}, []
        for title, cases in {"documents grow": DOCUMENTS, "keys grow": KEYS}.items():
            lines += ["", f"{title}: {a.events:,} events, median of {a.rounds}", f"  {'document':>9}{'keys':>11}{'events/s':>10}{'CPU µs/event':>14}{'peak MiB':>10}"]
            for size, keys in cases:
                runs = measure(a, redis, mongo, size, keys)
                figures[f"{size} bytes, {keys} keys"] = runs
                rate, cpu, peak = (statistics.median(r[name] for r in runs) for name in ("events_per_second", "cpu_us_per_event", "peak_mib"))
                lines.append(f"  {size / 1000:>6.1f} KB{keys:>11,}{rate:>10,.0f}{cpu:>14.2f}{peak:>10.0f}")
        (WORK / "growth.ndjson").unlink()
        return {"cases": figures}, lines

    return harness.report(a, body)


if __name__ == "__main__":
    sys.exit(main())
