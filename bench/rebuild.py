"""Rebuild a model from a log of a million events, against replaying the same events through peer_folding.py.

A drain puts the events into the log; then each round rebuilds the model with `--keep 0s`, and the peer folds the same
events, pushed anew, into an empty collection. Few documents with many events each, then many with few.
"""
import statistics
import sys

import harness
from harness import BENCH, Failed, environment, note, prepare, result_of, run, workload

DATABASE = "bench_rebuild"


def rebuild(a, redis, mongo):
    """Run `millrace rebuild`; return what its last line says, with the CPU and the memory that it took."""
    command = [a.millrace, "rebuild", "product", "--keep", "0s", "--json", "--config", BENCH / "config"]
    code, out, err, usage, seconds = run(command, env=environment(redis, mongo, DATABASE))
    lines = out.strip().splitlines()
    done = result_of("millrace rebuild", (code, lines[-1] if lines else "", err, usage, seconds))
    folding = sum(stage["seconds"] for stage in done["stages"] if stage["stage"] == "folding")
    return {
        "events_per_second": done["events"] / folding, "folding": folding, "whole": done["seconds"],
        "switching": sum(stage["seconds"] for stage in done["stages"] if stage["stage"] == "switching"),
        "cpu_us_per_event": (usage.ru_utime + usage.ru_stime) / done["events"] * 1e6, "peak_mib": usage.ru_maxrss / 1024, "result": done,
    }  # fmt: skip


def replay(redis, mongo, file):
    """Fold the same events with the peer; return its rate."""
    prepare(redis, mongo, "bench_peer", file)
    done = result_of("peer_folding", run([sys.executable, BENCH / "peer_folding.py", "--redis", redis, "--mongo", mongo, "--db", "bench_peer"]))
    return {"events_per_second": done["events"] / done["seconds"], "seconds": done["seconds"]}


def measure(a, redis, mongo, keys, skew):
    note(f"{a.events} events onto at most {keys} documents")
    file = workload(f"rebuild-{keys}", a.events, keys, skew)
    prepare(redis, mongo, DATABASE, file)
    harness.drain(a.millrace, redis, mongo, DATABASE)
    rounds = []
    for number in range(a.rounds):
        rounds.append({"rebuild": rebuild(a, redis, mongo)})
        if number < a.peers:
            rounds[-1]["peer"] = replay(redis, mongo, file)
        note(f"  round {number + 1}: {rounds[-1]['rebuild']['events_per_second']:,.0f} events/s")
    return rounds


def median(rounds, who, what):
    values = [one[who][what] for one in rounds if who in one]
    return statistics.median(values) if values else float("nan")


def main():
    p = harness.arguments("rebuild", __doc__, rounds=3, events=1_000_000)
    p.add_argument("--peers", type=int, default=1, help="rounds in which the peer replays the events too (default 1)")
    a = p.parse_args()

    def body(redis, mongo):
        figures = {}
        lines = ["", "| documents | rebuild, events/s | folding, s | all, s | switch, s | CPU, µs/event | peak, MiB | peer_folding, events/s | ratio |",
                 "|---|---|---|---|---|---|---|---|---|"]  # fmt: skip
        for keys, skew in [(10_000, 1.0), (500_000, 0.0)]:
            rounds = figures[str(keys)] = measure(a, redis, mongo, keys, skew)
            if not rounds:
                raise Failed("no round was run")
            ours, peer = median(rounds, "rebuild", "events_per_second"), median(rounds, "peer", "events_per_second")
            lines.append(
                f"| {rounds[0]['rebuild']['result']['documents']:,} | {ours:,.0f} | {median(rounds, 'rebuild', 'folding'):.2f} "
                f"| {median(rounds, 'rebuild', 'whole'):.2f} | {median(rounds, 'rebuild', 'switching'):.3f} "
                f"| {median(rounds, 'rebuild', 'cpu_us_per_event'):.2f} | {median(rounds, 'rebuild', 'peak_mib'):.0f} | {peer:,.0f} | {ours / peer:.1f} |"
            )
        return {"rounds_by_documents": figures}, lines

    return harness.report(a, body)


if __name__ == "__main__":
    sys.exit(main())
