#!/usr/bin/env python3
"""Measures how much memory `millrace run` takes for a small and for a ten times larger backlog.

Dedupe window and document cache are filled beforehand, as they are in a service that has run for a while: it first drains a
backlog as large as the window. Then it gets the small backlog, all at once, and then the large one. The peak is the
kernel's own, begun anew before each.
"""
import os
import statistics
import sys
import time
from pathlib import Path

import harness
from harness import Failed, note

DATABASE = "millrace_bench"
SMALL, LARGE, KEYS = 200_000, 2_000_000, 100_000


def main():
    a = harness.arguments("memory", __doc__, rounds=1, events=LARGE).parse_args()
    sizes = {"before": a.events, "small": max(1, a.events * SMALL // LARGE), "large": a.events}

    def body(redis, mongo):
        rounds = []
        for number in range(a.rounds):
            harness.prepare(redis, mongo, DATABASE)
            figures, total = {}, 0
            with harness.service(a.millrace, redis, mongo, DATABASE) as pid:
                for place, (name, count) in enumerate(sizes.items()):
                    # Each backlog has ids of its own.
                    file = harness.workload("memory", count, KEYS, 1.0, "--seed", str(1 + place + 3 * number))
                    total += count
                    figures[name] = drained(a, redis, mongo, pid, file, total)
                    file.unlink()
                    note(f"round {number + 1} of {a.rounds}: {name}, {count:,} events: peak {figures[name]['peak_mib']:.0f} MiB")
            rounds.append(figures)
        ratio = statistics.median(r["large"]["peak_mib"] / r["small"]["peak_mib"] for r in rounds)
        lines = ["", f"peak memory of a service, {KEYS:,} keys, window and cache filled beforehand, median of {a.rounds}"]
        for name in ("small", "large"):
            peak, cpu = (statistics.median(r[name][figure] for r in rounds) for figure in ("peak_mib", "cpu_us_per_event"))
            lines.append(f"  {sizes[name]:>9,} events waiting: {peak:>5.0f} MiB, {cpu:.2f} µs CPU/event")
        return {"ratio": ratio, "runs": rounds}, lines + [f"  ratio {ratio:.2f}"]

    return harness.report(a, body)


def drained(a, redis, mongo, pid, file, total):
    """Push a file's events and wait until `total` have been applied; return what that took."""
    process = Path(f"/proc/{pid}")
    (process / "clear_refs").write_text("5")
    before, began = cpu_seconds(process), time.monotonic()
    with open(file, "rb") as lines:
        count = sum(1 for _ in lines)
    harness.push(redis, file)
    while (applied := harness.status(a.millrace, redis, mongo, DATABASE)["models"].get("product", {}).get("applied", 0)) < total:
        if time.monotonic() - began > harness.LIMIT:
            raise Failed(f"{applied:,} of {total:,} events are applied after {harness.LIMIT} s")
        time.sleep(0.5)
    peak = next(line for line in (process / "status").read_text().splitlines() if line.startswith("VmHWM:"))
    return {"events": count, "peak_mib": int(peak.split()[1]) / 1024, "cpu_us_per_event": (cpu_seconds(process) - before) / count * 1e6}


def cpu_seconds(process):
    """Return the processor time that a process has taken."""
    # The fields are counted from behind the name, which may hold anything.
    user, system = (process / "stat").read_text().rpartition(")")[2].split()[11:13]
    return (int(user) + int(system)) / os.sysconf("SC_CLK_TCK")


if __name__ == "__main__":
    sys.exit(main())
