"""What every benchmark needs: servers of its own, programs run to their end and measured, one way to report."""
import argparse
import contextlib
import datetime
import json
import os
import shutil
import signal
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


def environment(redis, mongo, database):
    """Return the environment in which `millrace` works on these servers."""
    return {**os.environ, "MILLRACE_REDIS_URL": redis, "MILLRACE_MONGODB_URL": mongo, "MILLRACE_MONGODB_DATABASE": database}


def prepare(redis, mongo, database, push=None):
    """Empty Redis, drop the database, and push the lines of a file."""
    command = [sys.executable, BENCH / "stores.py", "prepare", "--redis", redis, "--mongo", mongo, "--drop", database]
    outcome = run(command + (["--push", push] if push else []))
    if outcome[0] != 0:
        result_of("stores.py prepare", outcome)


def push(redis, file):
    """Push the lines of a file onto the empty list, all at once."""
    outcome = run([sys.executable, BENCH / "stores.py", "push", "--redis", redis, "--push", file])
    if outcome[0] != 0:
        result_of("stores.py push", outcome)


def keep_history(mongo, seconds):
    """Have every member keep so many seconds of what documents were."""
    outcome = run([sys.executable, BENCH / "stores.py", "history", "--mongo", mongo, "--seconds", str(seconds)])
    if outcome[0] != 0:
        result_of("stores.py history", outcome)


def workload(name, events, keys, skew, *more):
    """Make a file of events, and return its path."""
    file = WORK / f"{name}.ndjson"
    with open(file, "wb") as out:
        make = [sys.executable, BENCH / "workload.py", "--events", str(events), "--keys", str(keys), "--skew", str(skew), *more]
        subprocess.run(make, stdout=out, check=True, start_new_session=True)
    return file


def drain(millrace, redis, mongo, database, config=BENCH / "config"):
    """Run `millrace drain --once`; return its receipt and what it cost."""
    outcome = run([millrace, "drain", "--once", "--json", "--config", config], env=environment(redis, mongo, database))
    return measured(result_of_drain(outcome), outcome)


@contextlib.contextmanager
def service(millrace, redis, mongo, database):
    """`millrace run` for as long as the block runs; yields its process number."""
    with open(WORK / "run.log", "wb") as log:
        child = subprocess.Popen(
            [millrace, "run", "--config", BENCH / "config", "--jobs", ROOT / "jobs"],
            stdin=subprocess.DEVNULL, stdout=log, stderr=log, env=environment(redis, mongo, database), start_new_session=True,
        )  # fmt: skip
    try:
        yield child.pid
    finally:
        child.terminate()
        if child.wait(timeout=60) != 0:
            raise Failed("millrace run did not end well:\n" + (WORK / "run.log").read_text(errors="replace")[-2000:])


def status(millrace, redis, mongo, database):
    """Return what `millrace status` says."""
    return result_of("millrace status", run([millrace, "status", "--json", "--config", BENCH / "config"], env=environment(redis, mongo, database)))


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


def measured(result, outcome):
    """Return the figures of one run: `result` says how many events in how many seconds."""
    done = result["received"] if "received" in result else result["events"]
    usage, seconds = outcome[3:]
    cpu_seconds = usage.ru_utime + usage.ru_stime
    return {
        "events": done,
        "events_per_second": done / result["seconds"] if result["seconds"] else 0,
        "seconds": result["seconds"],
        "process_seconds": round(seconds, 3),
        "cpu_seconds": cpu_seconds,
        "cpu_us_per_event": cpu_seconds / done * 1e6 if done else 0,
        "peak_mib": usage.ru_maxrss / 1024,
        "result": result,
    }


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


def arguments(name, doc, **defaults):
    """Return a parser with the options that every benchmark has; `defaults` are those of --rounds and --events."""
    p = argparse.ArgumentParser(prog=f"scripts/bench {name}", description=doc, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--rounds", type=positive, default=defaults.get("rounds", 3))
    p.add_argument("--events", type=positive, default=defaults["events"])
    p.add_argument("--json", metavar="FILE", help="write the same, and every run, as JSON")
    p.add_argument("--millrace", type=lambda text: Path(text).resolve(), default=ROOT / ".build/release/millrace", help="the binary to measure")
    return p


def report(a, body, servers=True):
    """Run `body(redis, mongo)` on fresh servers, or `body()` without any; print the lines, and return the exit code.

    `body` returns (figures, lines).
    """

    def end(number, _):
        sys.exit(128 + number)  # an exception like any other, so that the sandbox is taken down

    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, end)
    WORK.mkdir(parents=True, exist_ok=True)
    head = {
        "date": datetime.datetime.now(datetime.timezone.utc).isoformat(timespec="seconds"),
        "cpu": processor(), "cores": len(os.sched_getaffinity(0)), "rounds": a.rounds, "events": a.events,
    }  # fmt: skip
    try:
        with sandbox(a.millrace) if servers else contextlib.nullcontext(()) as urls:
            figures, lines = body(*urls)
    except (Failed, OSError, subprocess.CalledProcessError) as error:
        print(f"bench: {error}", file=sys.stderr)
        return 1
    print(f"{head['date']}, {head['cpu']}, {head['cores']} cores", *lines, sep="\n")
    if a.json:
        Path(a.json).write_text(json.dumps({**head, **figures}, indent=2) + "\n", encoding="utf-8")
    return 0


def note(text):
    """Say how far it has come, where nobody mistakes it for a result."""
    print(text, file=sys.stderr)
