#!/usr/bin/env python3
"""Measures what MongoDB's history of documents costs drains that follow one another, each onto the same documents.

MongoDB keeps what documents were for the last `minSnapshotHistoryWindowInSeconds`, for reads of the past: 300 by default. The same
drains are made with that and with 5; a round is one drain under each.
"""
import statistics
import sys

import harness
from harness import note

KEYS = 20_000
DEFAULT, ADVISED = 300, 5  # seconds of history


def main():
    a = harness.arguments("history", __doc__, rounds=12, events=200_000).parse_args()
    return harness.report(a, lambda redis, mongo: measure(a, redis, mongo))


def measure(a, redis, mongo):
    rates = {}
    for seconds in (DEFAULT, ADVISED):
        harness.keep_history(mongo, seconds)
        database = f"millrace_bench_{seconds}"
        harness.prepare(redis, mongo, database)
        rates[seconds] = []
        for number in range(a.rounds):
            harness.push(redis, harness.workload("history", a.events, KEYS, 0, "--seed", str(number + 1)))
            rates[seconds].append(harness.drain(a.millrace, redis, mongo, database)["events_per_second"])
            note(f"{seconds} s of history, drain {number + 1} of {a.rounds}: {rates[seconds][-1]:,.0f} events/s")
    part = max(1, a.rounds // 3)
    rows = [
        (f"the first {part}", [found[:part] for found in rates.values()]),
        (f"the last {part}", [found[-part:] for found in rates.values()]),
    ]
    lines = ["", f"| drains of {a.events:,} events, one after the other | {DEFAULT} s of history | {ADVISED} s | times |", "|---|---|---|---|"]
    for name, found in rows:
        default, advised = (statistics.median(some) for some in found)
        lines.append(f"| {name} | {default:,.0f} events/s | {advised:,.0f} events/s | {advised / default:.2f} |")
    return {"rates": rates}, lines


if __name__ == "__main__":
    sys.exit(main())
