#!/usr/bin/env python3
"""Measures `millrace drain` against the peers: same servers, same events, in turn.

Every rate is events divided by the seconds that the contender itself reports, from its first read to its last write;
starting up is in nobody's. Nor is it in the CPU of an event: a drain of nothing says what it takes. Figures count only as
ratios within one run: a ratio is taken per round, then its median.
Exit code 1: a contender failed, parked events, or the documents disagree.
"""
import json
import statistics
import sys

import harness
from harness import BENCH, Failed, note, result_of, run

WORKLOADS = {"zipf": 1.0, "uniform": 0.0}  # the exponent of the key distribution
# Each contender and the database in which its documents are.
CONTENDERS = {"millrace": "millrace_bench", "peer_loop": "peer_loop", "peer_folding": "peer_folding", "ceiling": "ceiling"}


def contend(name, millrace, redis, mongo, events_file, count):
    """Prepare the stores, run one contender over the events, return its figures."""
    if name == "millrace":
        harness.prepare(redis, mongo, CONTENDERS[name])
        start = harness.drain(millrace, redis, mongo, CONTENDERS[name])["cpu_seconds"]
    harness.prepare(redis, mongo, CONTENDERS[name], push=None if name == "ceiling" else events_file)
    if name == "millrace":
        figures = harness.drain(millrace, redis, mongo, CONTENDERS[name])
        figures["start_cpu_ms"] = start * 1e3
        figures["cpu_us_per_event"] -= start / count * 1e6
    elif name == "ceiling":
        with open(events_file, "rb") as lines:
            outcome = run([sys.executable, BENCH / "ceiling.py", "--mongo", mongo], stdin=lines)
        figures = harness.measured(result_of(name, outcome), outcome)
    else:
        outcome = run([sys.executable, BENCH / f"{name}.py", "--redis", redis, "--mongo", mongo])
        figures = harness.measured(result_of(name, outcome), outcome)
    if figures["events"] != count:
        raise Failed(f"{name} took {figures['events']} of {count} events")
    return figures


def check_agreement(mongo):
    outcome = run([sys.executable, BENCH / "stores.py", "agree", "--mongo", mongo, *CONTENDERS.values()])
    # Its exit code 1 comes with a finding, unless it crashed.
    found = result_of("stores.py agree", (0 if outcome[1].strip() else outcome[0], *outcome[1:]))
    if found["different"] or not found["documents"]:
        examples = "\n".join(
            f"  {database}.product: {json.dumps(document)}" for example in found["examples"] for database, document in example.items()
        )
        raise Failed(f"{found['different']} of {found['documents']} documents differ between the contenders:\n{examples}")
    return found["documents"]


def measure(workload, a, redis, mongo):
    """Run all rounds of one workload; return [{contender: figures}] and the number of documents."""
    events_file = harness.workload(workload, a.events, a.keys, WORKLOADS[workload])
    rounds, documents, names = [], 0, list(CONTENDERS)
    for number in range(a.rounds):
        # Whoever comes first meets the coldest servers, so everybody does in turn.
        shift = number % len(names)
        figures = {}
        for name in names[shift:] + names[:shift]:
            figures[name] = contend(name, a.millrace, redis, mongo, events_file, a.events)
            note(f"{workload}, round {number + 1} of {a.rounds}: {name} {figures[name]['events_per_second']:,.0f} events/s")
        documents = check_agreement(mongo)
        rounds.append(figures)
    return rounds, documents


def summary(rounds):
    """Return {contender: medians over the rounds}, with the ratio of Millrace to it."""
    result = {}
    for name in CONTENDERS:
        runs = [figures[name] for figures in rounds]
        result[name] = {
            "median_events_per_second": round(statistics.median(r["events_per_second"] for r in runs)),
            "median_process_seconds": round(statistics.median(r["process_seconds"] for r in runs), 3),
        }
        if name == "millrace":
            result[name]["median_cpu_us_per_event"] = round(statistics.median(r["cpu_us_per_event"] for r in runs), 2)
            result[name]["median_start_cpu_ms"] = round(statistics.median(r["start_cpu_ms"] for r in runs), 1)
            result[name]["max_peak_mib"] = round(max(r["peak_mib"] for r in runs), 1)
        else:
            ratios = [figures["millrace"]["events_per_second"] / figures[name]["events_per_second"] for figures in rounds]
            result[name]["millrace_ratio"] = {
                "median": round(statistics.median(ratios), 3), "min": round(min(ratios), 3), "max": round(max(ratios), 3)
            }  # fmt: skip
        result[name]["runs"] = runs
    return result


def table(workload, report, a):
    """Return the lines of one workload's table."""
    contenders = report["contenders"]
    yield f"{workload} (skew {WORKLOADS[workload]:g}): {a.events:,} events over {a.keys:,} keys, {report['documents']:,} documents, median of {a.rounds}"
    yield f"  starting takes {contenders['millrace']['median_start_cpu_ms']:.0f} ms CPU"
    yield f"  {'contender':<14}{'events/s':>10}  {'millrace / contender':<24}{'CPU µs/event':>12}{'peak MiB':>10}{'whole process s':>17}"
    for name, figures in contenders.items():
        ratio = figures.get("millrace_ratio")
        ratio = f"{ratio['median']:.2f} ({ratio['min']:.2f}–{ratio['max']:.2f})" if ratio else ""
        cpu = f"{figures['median_cpu_us_per_event']:.2f}" if name == "millrace" else ""
        peak = f"{figures['max_peak_mib']:.0f}" if name == "millrace" else ""
        yield f"  {name:<14}{figures['median_events_per_second']:>10,}  {ratio:<24}{cpu:>12}{peak:>10}{figures['median_process_seconds']:>17.2f}"


def main():
    p = harness.arguments("drain", __doc__, events=60_000)
    p.add_argument("--keys", type=harness.positive, default=100_000)
    p.add_argument("--only", choices=WORKLOADS, help="one workload instead of both")
    a = p.parse_args()

    def body(redis, mongo):
        workloads, lines = {}, []
        for workload in [a.only] if a.only else WORKLOADS:
            rounds, documents = measure(workload, a, redis, mongo)
            workloads[workload] = {"skew": WORKLOADS[workload], "documents": documents, "contenders": summary(rounds)}
            lines += ["", *table(workload, workloads[workload], a)]
        return {"keys": a.keys, "workloads": workloads}, lines

    return harness.report(a, body)


if __name__ == "__main__":
    sys.exit(main())
