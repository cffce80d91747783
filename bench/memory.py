#!/usr/bin/env python3
"""Measures how much memory `millrace drain` takes for a small and for a ten times larger backlog.

The dedupe window and the document cache are filled beforehand, as they are in a service that has run for a while: first a
backlog as large as the window is drained, and every later drain reads the window from the log.
"""
import statistics
import sys

import harness
from harness import note

DATABASE = "millrace_bench"
SMALL, LARGE, KEYS = 200_000, 2_000_000, 100_000


def main():
    a = harness.arguments("memory", __doc__, rounds=1, events=LARGE).parse_args()
    sizes = {"small": max(1, a.events * SMALL // LARGE), "large": a.events}

    def body(redis, mongo):
        files, rounds = {}, []
        for number in range(a.rounds):
            harness.prepare(redis, mongo, DATABASE)
            figures = {}
            for place, name in enumerate(["before", "small", "large"]):
                # Each backlog has ids of its own.
                seed = str(1 + place + 3 * number)
                count = sizes["large" if name == "before" else name]
                files[name] = harness.workload(f"memory-{name}", count, KEYS, 1.0, "--seed", seed)
                harness.push(redis, files[name])
                figures[name] = harness.drain(a.millrace, redis, mongo, DATABASE)
                files[name].unlink()
                note(f"round {number + 1} of {a.rounds}: {name}, {count:,} events: peak {figures[name]['peak_mib']:.0f} MiB")
            rounds.append(figures)
        ratio = statistics.median(r["large"]["peak_mib"] / r["small"]["peak_mib"] for r in rounds)
        lines = ["", f"peak memory, {KEYS:,} keys, window and cache filled beforehand, median of {a.rounds}"]
        for name, count in sizes.items():
            runs = [r[name] for r in rounds]
            lines.append(
                f"  {count:>9,} events waiting: {statistics.median(r['peak_mib'] for r in runs):>5.0f} MiB, "
                f"{statistics.median(r['events_per_second'] for r in runs):,.0f} events/s, {statistics.median(r['cpu_us_per_event'] for r in runs):.2f} µs CPU/event"
            )
        return {"ratio": ratio, "runs": rounds}, lines + [f"  ratio {ratio:.2f}"]

    return harness.report(a, body)


if __name__ == "__main__":
    sys.exit(main())
