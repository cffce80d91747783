#!/usr/bin/env python3
"""Measures `millrace drain` against the peers: same servers, same events, in turn. Run it as `scripts/bench drain`.

Every rate is events divided by the seconds that the contender itself reports, from its first read to its last write;
starting up is in nobody's. Figures count only as ratios within one run: a ratio is taken per round, then its median.
Exit code 1: a contender failed, parked events, or the documents disagree.
"""
import argparse
import contextlib
import datetime
import json
import os
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
BENCH = ROOT / "bench"
SANDBOX = ROOT / ".local/bench-sandbox"
WORK = ROOT / ".local/bench"
WORKLOADS = {"zipf": 1.0, "uniform": 0.0}  # the exponent of the key distribution
# Each contender and the database in which its documents are.
CONTENDERS = {"millrace": "millrace_bench", "peer_loop": "peer_loop", "peer_folding": "peer_folding", "ceiling": "ceiling"}
LIMIT = 900  # seconds for any one command


class Failed(Exception):
    """The benchmark cannot go on; the text says why."""


def run(command, stdin=None, env=None):
    """Run a command to its end; return (exit code, stdout, stderr, rusage, seconds).

    In a session of its own: Ctrl-C reaches this script alone, which then decides what to stop. The peak memory that
    wait4 reports is never below that of the process that forked, so this script stays small: it loads no driver and
    no documents.
    """
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        start = time.monotonic()
        child = subprocess.Popen(
            [str(part) for part in command],
            stdin=stdin or subprocess.DEVNULL, stdout=out, stderr=err, env=env, cwd=ROOT, start_new_session=True,
        )  # fmt: skip
        limit = threading.Timer(LIMIT, os.killpg, (child.pid, signal.SIGKILL))
        limit.start()
        try:
            _, status, usage = os.wait4(child.pid, 0)
        except BaseException:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(child.pid, signal.SIGKILL)
            child.wait()
            raise
        finally:
            limit.cancel()
        seconds = time.monotonic() - start
        child.returncode = os.waitstatus_to_exitcode(status)
        out.seek(0)
        err.seek(0)
        return child.returncode, out.read().decode(errors="replace"), err.read().decode(errors="replace"), usage, seconds


def result_of(name, outcome):
    """Return the JSON that a command printed, or raise Failed with the end of what it said."""
    code, out, err, *_ = outcome
    with contextlib.suppress(ValueError):
        if code == 0:
            return json.loads(out)
    said = "\n".join(f"  | {line}" for line in (err or out).strip().splitlines()[-15:])
    raise Failed(f"{name} failed (exit code {code})\n{said}")


@contextlib.contextmanager
def sandbox(millrace):
    """Fresh servers for as long as the block runs, whatever ends it."""
    down = [millrace, "sandbox", "down", "--dir", SANDBOX]

    def take_down():
        if SANDBOX.exists():
            # Once begun, it is carried through: servers left behind would disturb every later measurement.
            before = {s: signal.signal(s, signal.SIG_IGN) for s in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)}
            try:
                code, out, err, *_ = run(down)
            finally:
                for number, action in before.items():
                    signal.signal(number, action)
            if code != 0:
                raise Failed(f"the sandbox in {SANDBOX} could not be taken down: {(err or out).strip()}")
            shutil.rmtree(SANDBOX, ignore_errors=True)  # down removes its files; this is for what an older one left

    take_down()  # what an earlier run may have left
    try:
        SANDBOX.parent.mkdir(parents=True, exist_ok=True)
        # Not to be killed half-way, when servers run that it has not written down yet.
        with interrupts_held():
            urls = result_of("sandbox up", run([millrace, "sandbox", "up", "--dir", SANDBOX, "--json"]))
        yield urls["redis"], urls["mongodb"]
    finally:
        take_down()


@contextlib.contextmanager
def interrupts_held():
    """Hold SIGINT and its like back until the block has ended."""
    numbers = {signal.SIGINT, signal.SIGTERM, signal.SIGHUP}
    # Handlers, not a signal mask: the servers that are started would inherit a mask for good.
    arrived, before = [], {number: signal.getsignal(number) for number in numbers}
    for number in numbers:
        signal.signal(number, lambda n, _: arrived.append(n))
    try:
        yield
    finally:
        for number, action in before.items():
            signal.signal(number, action)
        if arrived:
            os.kill(os.getpid(), arrived[0])


def contend(name, millrace, redis, mongo, events_file, count):
    """Prepare the stores, run one contender over the events, return its figures."""
    prepare = [sys.executable, BENCH / "stores.py", "prepare", "--redis", redis, "--mongo", mongo, "--drop", CONTENDERS[name]]
    if name != "ceiling":
        prepare += ["--push", events_file]
    outcome = run(prepare)
    if outcome[0] != 0:
        result_of("stores.py prepare", outcome)
    if name == "millrace":
        connections = {"MILLRACE_REDIS_URL": redis, "MILLRACE_MONGODB_URL": mongo, "MILLRACE_MONGODB_DATABASE": CONTENDERS[name]}
        outcome = run([millrace, "drain", "--once", "--json", "--config", BENCH / "config"], env={**os.environ, **connections})
        result = result_of_drain(outcome)
        done = result["received"]
    elif name == "ceiling":
        with open(events_file, "rb") as lines:
            outcome = run([sys.executable, BENCH / "ceiling.py", "--mongo", mongo], stdin=lines)
        result = result_of(name, outcome)
        done = result["events"]
    else:
        outcome = run([sys.executable, BENCH / f"{name}.py", "--redis", redis, "--mongo", mongo])
        result = result_of(name, outcome)
        done = result["events"]
    if done != count:
        raise Failed(f"{name} took {done} of {count} events")
    usage, seconds = outcome[3:]
    return {
        "events_per_second": done / result["seconds"],
        "seconds": result["seconds"],
        "process_seconds": round(seconds, 3),
        "cpu_us_per_event": (usage.ru_utime + usage.ru_stime) / done * 1e6,
        "peak_mib": usage.ru_maxrss / 1024,
        "result": result,
    }


def result_of_drain(outcome):
    """Return what `drain` printed, or raise Failed; parked events are a failure too."""
    code, out, *rest = outcome
    # Exit code 1 says that the work is done and events were parked; then the receipt says more than the log.
    result = result_of("millrace", (0 if code == 1 and out.strip() else code, out, *rest))
    parked = {model: sums["parked"] for model, sums in result["models"].items() if sums["parked"]}
    if parked:
        raise Failed(f"millrace parked events: {parked}\n  | {json.dumps(result)}")
    if code != 0:
        raise Failed(f"millrace failed (exit code {code})\n  | {json.dumps(result)}")
    return result


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
    events_file = WORK / f"{workload}.ndjson"
    with open(events_file, "wb") as out:
        make = [sys.executable, BENCH / "workload.py", "--events", str(a.events), "--keys", str(a.keys), "--skew", str(WORKLOADS[workload])]
        subprocess.run(make, stdout=out, check=True, start_new_session=True)
    rounds, documents, names = [], 0, list(CONTENDERS)
    for number in range(a.rounds):
        # Whoever comes first meets the coldest servers, so everybody does in turn.
        shift = number % len(names)
        figures = {}
        for name in names[shift:] + names[:shift]:
            figures[name] = contend(name, a.millrace, redis, mongo, events_file, a.events)
            rate = figures[name]["events_per_second"]
            print(f"{workload}, round {number + 1} of {a.rounds}: {name} {rate:,.0f} events/s", file=sys.stderr)
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
    yield f"  {'contender':<14}{'events/s':>10}  {'millrace / contender':<24}{'CPU µs/event':>12}{'peak MiB':>10}{'whole process s':>17}"
    for name, figures in contenders.items():
        ratio = figures.get("millrace_ratio")
        ratio = f"{ratio['median']:.2f} ({ratio['min']:.2f}–{ratio['max']:.2f})" if ratio else ""
        cpu = f"{figures['median_cpu_us_per_event']:.2f}" if name == "millrace" else ""
        peak = f"{figures['max_peak_mib']:.0f}" if name == "millrace" else ""
        yield f"  {name:<14}{figures['median_events_per_second']:>10,}  {ratio:<24}{cpu:>12}{peak:>10}{figures['median_process_seconds']:>17.2f}"


def processor():
    with contextlib.suppress(OSError), open("/proc/cpuinfo") as lines:
        for line in lines:
            if line.startswith("model name"):
                return line.split(":", 1)[1].strip()
    return "unknown"


def positive(text):
    if (value := int(text)) < 1:
        raise argparse.ArgumentTypeError("must be at least 1")
    return value


def main():
    p = argparse.ArgumentParser(prog="scripts/bench drain", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--rounds", type=positive, default=3)
    p.add_argument("--events", type=positive, default=60_000)
    p.add_argument("--keys", type=positive, default=100_000)
    p.add_argument("--only", choices=WORKLOADS, help="one workload instead of both")
    p.add_argument("--json", metavar="FILE", help="write the same, and every run, as JSON")
    p.add_argument("--millrace", type=Path, default=ROOT / ".build/release/millrace", help="the binary to measure")
    a = p.parse_args()
    a.millrace = a.millrace.resolve()

    def end(number, _):
        sys.exit(128 + number)  # an exception like any other, so that the sandbox is taken down

    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, end)

    WORK.mkdir(parents=True, exist_ok=True)
    report = {
        "date": datetime.datetime.now(datetime.timezone.utc).isoformat(timespec="seconds"),
        "cpu": processor(), "cores": len(os.sched_getaffinity(0)),
        "events": a.events, "keys": a.keys, "rounds": a.rounds, "workloads": {},
    }  # fmt: skip
    try:
        with sandbox(a.millrace) as (redis, mongo):
            for workload in [a.only] if a.only else WORKLOADS:
                rounds, documents = measure(workload, a, redis, mongo)
                report["workloads"][workload] = {"skew": WORKLOADS[workload], "documents": documents, "contenders": summary(rounds)}
    except (Failed, OSError, subprocess.CalledProcessError) as error:
        print(f"bench: {error}", file=sys.stderr)
        return 1
    print(f"{report['date']}, {report['cpu']}, {report['cores']} cores")
    for workload, figures in report["workloads"].items():
        print("", *table(workload, figures, a), sep="\n")
    if a.json:
        Path(a.json).write_text(json.dumps(report, indent=2) + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
