#!/usr/bin/env python3
"""Measures two workers on two partitions against one worker on one, over the same events.

The workers are two processes that start at once, and each takes what the other does not hold. The rate is all events
divided by the seconds of the slower one.
"""
import statistics
import sys
from concurrent.futures import ThreadPoolExecutor

import harness
from harness import BENCH, WORK, Failed, note

DATABASE = "millrace_bench"
KEYS = 100_000


def configuration(partitions):
    """Write a configuration with so many partitions, and return its folder."""
    folder = WORK / f"config-{partitions}"
    (folder / "models").mkdir(parents=True, exist_ok=True)
    (folder / "models/product.yaml").write_bytes((BENCH / "config/models/product.yaml").read_bytes())
    (folder / "millrace.yaml").write_text(f"version: 1\nstreams: {{ product: {{ partitions: {partitions} }} }}\n", encoding="utf-8")
    return folder


def contend(a, redis, mongo, file, workers):
    """Drain the file with so many workers on so many partitions; return events a second."""
    config = configuration(workers)
    harness.prepare(redis, mongo, DATABASE)
    push = harness.run([a.millrace, "push", "product", file, "--config", config, "--json"], env=harness.environment(redis, mongo, DATABASE))
    harness.result_of("millrace push", push)
    with ThreadPoolExecutor(workers) as pool:
        runs = list(pool.map(lambda _: harness.drain(a.millrace, redis, mongo, DATABASE, config), range(workers)))
    status = harness.run([a.millrace, "status", "--config", config, "--json"], env=harness.environment(redis, mongo, DATABASE))
    model = harness.result_of("millrace status", status)["models"]["product"]
    if model["applied"] != a.events or model["lag"]:
        raise Failed(f"{workers} workers left {model} of {a.events} events")
    return a.events / max(run["seconds"] for run in runs)


def main():
    a = harness.arguments("partitions", __doc__, events=200_000).parse_args()

    def body(redis, mongo):
        file = harness.workload("partitions", a.events, KEYS, 1.0)
        rounds = []
        for number in range(a.rounds):
            rounds.append({workers: contend(a, redis, mongo, file, workers) for workers in (1, 2)})
            note(f"round {number + 1} of {a.rounds}: " + ", ".join(f"{n}: {rate:,.0f} events/s" for n, rate in rounds[-1].items()))
        ratio = statistics.median(r[2] / r[1] for r in rounds)
        lines = ["", f"workers and partitions, {a.events:,} events over {KEYS:,} keys (Zipf 1.0), median of {a.rounds}"]
        lines += [f"  {n} on {n}: {statistics.median(r[n] for r in rounds):,.0f} events/s" for n in (1, 2)]
        return {"ratio": ratio, "runs": rounds}, lines + [f"  ratio {ratio:.2f}"]

    return harness.report(a, body)


if __name__ == "__main__":
    sys.exit(main())
