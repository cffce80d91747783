#!/usr/bin/env python3
"""Compares every document with the fold of its events, where none has drifted, against a plain libmongoc cursor over them.

Both read with the same batch size. The cursor goes in the order of storage, as the comparison does, and once more in that of
`_id`, as the comparison does where it is throttled or much has drifted. The first reconcile folds the whole log and leaves a
snapshot; the others begin with that.
"""
import statistics
import sys

import harness
from harness import Failed, note

DATABASE = "millrace_bench"
BATCH = 10_000  # as MongoScan's
# Uniform keys, so that about as many documents come of them as are asked for.
EVENTS, KEYS = 1.3, 2.364


def main():
    p = harness.arguments("reconcile", __doc__, rounds=5, events=1_000_000)
    p.add_argument("--cursor", default=harness.ROOT / ".build/release/cursor-bench", help="the cursor to compare with")
    a = p.parse_args()  # --events: of documents

    def body(redis, mongo):
        harness.prepare(redis, mongo, DATABASE)
        file = harness.workload("reconcile", int(a.events * EVENTS), int(a.events * KEYS), 0.0)
        harness.push(redis, file)
        file.unlink()
        env = harness.environment(redis, mongo, DATABASE)
        harness.drain(a.millrace, redis, mongo, DATABASE)
        note("drained")

        def cursor(order):
            return harness.result_of("cursor-bench", harness.run([a.cursor, mongo, DATABASE, "product@1", BATCH, order]))

        def reconcile():
            outcome = harness.run([a.millrace, "reconcile", "--json", "--config", harness.BENCH / "config"], env=env)
            result = harness.result_of("millrace reconcile", outcome)["models"]["product"]
            if result["outcome"] != "clean":
                raise Failed(f"drift was found: {result}")
            return {**result, "process_seconds": outcome[4], "peak_mib": outcome[3].ru_maxrss / 1024, "total": sum(result["seconds"].values())}

        first = reconcile()
        note(f"the first reconcile: {first['total']:.1f} s")
        rounds = []
        for number in range(a.rounds):
            one = {"natural": cursor("natural"), "id": cursor("id"), "reconcile": reconcile()}
            rounds.append(one)
            note(f"round {number + 1} of {a.rounds}: " + ", ".join(f"{name} {seconds(one[name]):.2f} s" for name in one))
        documents = rounds[0]["natural"]["documents"]
        ratios = {order: statistics.median(seconds(r["reconcile"]) / seconds(r[order]) for r in rounds) for order in ("natural", "id")}
        peak = statistics.median(r["reconcile"]["peak_mib"] for r in rounds)
        lines = ["", f"{documents:,} documents without drift, batches of {BATCH:,}, median of {a.rounds}"]
        for name, what in (("natural", "cursor, in the order of storage"), ("id", "cursor, in the order of _id"), ("reconcile", "millrace reconcile")):
            lines.append(f"  {what:<32} {statistics.median(seconds(r[name]) for r in rounds):>6.2f} s")
        lines += [
            f"  ratio to the order of storage {ratios['natural']:.2f}, to that of _id {ratios['id']:.2f}; peak {peak:.0f} MiB",
            f"  the first, which makes the snapshot: {first['total']:.1f} s, peak {first['peak_mib']:.0f} MiB",
        ]
        return {"ratio": ratios["natural"], "ratio_id": ratios["id"], "first": first, "runs": rounds}, lines

    return harness.report(a, body)


def seconds(one):
    return one["seconds"] if isinstance(one["seconds"], float) else one["total"]


if __name__ == "__main__":
    sys.exit(main())
