#!/usr/bin/env python3
"""Measures what decoding and folding cost on one core, in memory: no server, no log, no duplicates.

The workload's events go through Millrace's fold and through Python (orjson and a dict) in turn, and the documents must agree.
Then each class of expression is measured by a model that does nothing else, against one that sets a field to a value of the
event. All times are of the processor, so that others on the same core do not count.
"""
import itertools
import json
import random
import shutil
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

import harness
from harness import BENCH, ROOT, WORK, Failed, note

KEYS = 100_000
SEED = 1
BASE = "a field of the event"
# What one event does to its document, by class. An event of these has data: a and b (integers), s and t (texts), list (eight
# integers), items (three objects), at (RFC 3339) and month (a text).
EXPRESSIONS = {
    BASE: "{ $set: { x: $data.a } }",
    "arithmetic": "{ $set: { x: { $add: [ { $multiply: [ $data.a, 3 ] }, $data.b ] } } }",
    "of the document": "{ $set: { x: { $add: [ { $ifNull: [ $$doc.x, 0 ] }, $data.a ] } } }",
    "comparison, condition": "{ $set: { x: { $cond: [ { $gt: [ $data.a, $data.b ] }, $data.a, $data.b ] } } }",
    "switch of three": """{ $set: { x: { $switch: { branches: [ { case: { $lt: [ $data.a, 10 ] }, then: low },
        { case: { $lt: [ $data.a, 50 ] }, then: middle }, { case: { $lt: [ $data.a, 90 ] }, then: high } ], default: top } } } }""",
    "texts": "{ $set: { x: { $concat: [ $data.s, '-', { $toUpper: $data.t } ] } } }",
    "text split": "{ $set: { x: { $arrayElemAt: [ { $split: [ $data.s, ' ' ] }, 1 ] } } }",
    "conversion": "{ $set: { x: { $toString: $data.a } } }",
    "date from text, truncated": "{ $set: { x: { $dateTrunc: { date: { $toDate: $data.at }, unit: day } } } }",
    "date as text, in a time zone": "{ $set: { x: { $dateToString: { date: $occurredAt, format: '%Y-%m', timezone: Europe/Berlin } } } }",
    "list of eight mapped": "{ $set: { x: { $map: { input: $data.list, in: { $multiply: [ $$this, 2 ] } } } } }",
    "list of eight filtered": "{ $set: { x: { $filter: { input: $data.list, cond: { $gt: [ $$this, 50 ] } } } } }",
    "list of eight reduced": "{ $set: { x: { $reduce: { input: $data.list, initialValue: 0, in: { $add: [ $$value, $$this ] } } } } }",
    "list of eight summed": "{ $set: { x: { $sum: $data.list } } }",
    "sets": "{ $set: { x: { $setUnion: [ $data.list, [ 1, 2, 3 ] ] } } }",
    "objects merged": "{ $set: { x: { $mergeObjects: [ { $arrayElemAt: [ $data.items, 0 ] }, { b: $data.b } ] } } }",
    "let": "{ let: { double: { $multiply: [ $data.a, 2 ] } }, $set: { x: $$double } }",
    "when": "{ when: { $gt: [ $data.a, -1 ] }, $set: { x: $data.a } }",
    "computed name": '{ $inc: { "months.${$data.month}": $data.a } }',
    "$push, last 10": "{ $push: { x: { $each: [ $data.a ], $slice: -10 } } }",
    "$addToSet, of 12": "{ $addToSet: { x: $data.month } }",
    "$upsert, of 12": "{ $upsert: { x: { where: { month: $data.month }, set: { a: $data.a } } } }",
    "$contribute, of 12": "{ $contribute: { x: { by: $data.month, count: true, total: $data.a } } }",
}


def texts(count):
    """Yield events for the expressions."""
    rng = random.Random(SEED)
    for number in range(count):
        data = {
            "a": rng.randrange(100), "b": rng.randrange(100), "s": f"oat drink {number}", "t": "shop", "list": [rng.randrange(100) for _ in range(8)],
            "items": [{"id": n, "label": f"item {n}"} for n in range(3)], "at": f"2026-{1 + number % 12:02}-20T10:00:00.000Z",
            "month": f"2026-{1 + rng.randrange(12):02}",
        }  # fmt: skip
        at = f"2026-11-20T10:{number // 60000 % 60:02d}:{number // 1000 % 60:02d}.{number % 1000:03d}Z"
        yield {"eventId": f"e-{number}", "eventType": "changed", "key": f"product-{rng.randrange(1000)}", "occurredAt": at, "data": data}


def configuration(directory, effect):
    """Write a model with one effect, and return where."""
    (directory / "models").mkdir(parents=True, exist_ok=True)
    (directory / "millrace.yaml").write_text("version: 1\nstreams: { product: {} }\n")
    (directory / "models/product.yaml").write_text(f"version: 1\nmodel: product\nstream: product\nfold:\n  changed: {effect}\n")
    return directory


def fold(a, config, stream, file, *more):
    """Return what folding a file in memory came to."""
    result = harness.result_of("fold-bench", harness.run([a.fold_bench, config, stream, file, *more]))
    if result["parked"]:
        raise Failed(f"{result['parked']} events were parked")
    return result


def documents(file):
    with open(file, "rb") as lines:
        return {document["_id"]: document for document in map(json.loads, lines)}


def against_python(a):
    """Return the figures of both, round by round, over the same events."""
    file = harness.workload("fold", a.events, KEYS, 1.0)
    outs = {"millrace": WORK / "fold.millrace", "python": WORK / "fold.python"}
    runs = {"millrace": [], "python": []}
    for number in range(a.rounds):
        runs["millrace"].append(fold(a, BENCH / "config", "product", file, outs["millrace"]))
        runs["python"].append(harness.result_of("peer_fold.py", harness.run([sys.executable, BENCH / "peer_fold.py", file, outs["python"]])))
        if number == 0 and documents(outs["millrace"]) != documents(outs["python"]):
            raise Failed("the documents of Millrace and of Python differ")
        note(f"workload, round {number + 1} of {a.rounds}: " + ", ".join(f"{name} {rate(result[-1]):,.0f} events/s" for name, result in runs.items()))
    for out in (file, *outs.values()):
        out.unlink()
    return runs


def shop(a):
    """Return the figures of the shop sample: row events, which have no peer."""
    file = WORK / "fold-shop.ndjson"
    folder = ROOT / "config/samples/shop"
    with open(file, "wb") as out:
        subprocess.run([folder / "generate.py", "--events", str(a.events), "--seed", str(SEED)], stdout=out, check=True, start_new_session=True)
    runs = []
    for number in range(a.rounds):
        runs.append(fold(a, folder, "shop", file))
        note(f"shop, round {number + 1} of {a.rounds}: {rate(runs[-1]):,.0f} events/s")
    file.unlink()
    return runs


def rate(run):
    return run["events"] / run["seconds"]


def expressions(a):
    """Return the figures of each class, round by round: all classes in turn, so that none has a better hour."""
    runs = {name: [] for name in EXPRESSIONS}
    file = WORK / "fold-expressions.ndjson"
    with open(file, "w", encoding="utf-8") as out:
        out.writelines(json.dumps(event, separators=(",", ":")) + "\n" for event in texts(a.events // 2))
    directory = Path(tempfile.mkdtemp(dir=WORK))
    try:
        for number, (name, effect) in itertools.product(range(a.rounds), EXPRESSIONS.items()):
            runs[name].append(fold(a, configuration(directory, effect), "product", file))
            if name == BASE:
                note(f"expressions, round {number + 1} of {a.rounds}")
    finally:
        shutil.rmtree(directory)
        file.unlink()
    return runs


def main():
    p = harness.arguments("fold", __doc__, events=200_000, rounds=5)
    p.add_argument("--fold-bench", type=lambda text: Path(text).resolve(), default=ROOT / ".build/release/fold-bench", help="the program that folds")
    a = p.parse_args()

    def body():
        workload, rows, classes = against_python(a), shop(a), expressions(a)
        ratios = sorted(rate(ours) / rate(theirs) for ours, theirs in zip(workload["millrace"], workload["python"]))
        rates = {name: statistics.median(map(rate, runs)) for name, runs in workload.items()}
        lines = [
            "",
            f"{a.events:,} commerce events, Zipf 1.0 over {KEYS:,} keys, decoded and folded on one core, median of {a.rounds}",
            f"  {'Millrace':<12}{rates['millrace']:>12,.0f} events/s",
            f"  {'Python':<12}{rates['python']:>12,.0f} events/s   Millrace {statistics.median(ratios):.1f} times ({ratios[0]:.1f}–{ratios[-1]:.1f})",
            f"  {'shop sample':<12}{statistics.median(map(rate, rows)):>12,.0f} events/s",
            "",
            f"  {'an effect that sets':<32}{'events/s':>12}{'µs more':>10}",
        ]
        for name, runs in classes.items():
            # Against the base of the same round.
            more = statistics.median((run["seconds"] - base["seconds"]) / run["events"] * 1e6 for run, base in zip(runs, classes[BASE]))
            lines.append(f"  {name:<32}{statistics.median(map(rate, runs)):>12,.0f}" + ("" if name == BASE else f"{more:>10.2f}"))
        return {"workload": workload, "shop": rows, "expressions": classes}, lines

    return harness.report(a, body, servers=False)


if __name__ == "__main__":
    sys.exit(main())
