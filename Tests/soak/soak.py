#!/usr/bin/env python3
"""Millrace under load for a long time, while somebody writes into its documents and its servers and runners fail.

Two services drain two streams, reconcile every minute and repair. Every minute a few documents are edited, deleted and
invented behind Millrace's back, now and then one service is killed, and MongoDB elects another primary. Each change must
be gone within four minutes. In the end the oracle of Tests/oracle compares documents and log with what was pushed, and a
last reconcile must find nothing.

Prints a JSON report. Exit code 1: it is not as it must be, and the report says what.
"""
import argparse
import datetime
import json
import os
import random
import signal
import statistics
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "bench"))

import harness
from harness import Failed, note

ORACLE = ROOT / "Tests/oracle"
WORK = ROOT / ".local/soak"
DATABASE = "millrace_soak"
STREAMS = ("trace", "trail")  # each with a model of its name
KEYS = 2000
TOUCHED = 3  # documents of each kind of change
BEARABLE = 240  # seconds until a change must be gone: a run every minute, and one or two that a kill or an election ends
JOBS = {
    "drain": "version: 1\njob: drain\npoll: 20ms\nevery: 1m\n",
    "reconcile": "version: 1\njob: reconcile\nevery: 1m\nretries: 2\nrepair: true\nalertAbove: 1000000\n",
}


class Services:
    """Two `millrace run`: the first lives to the end, the second is killed and started again."""

    def __init__(self, millrace, redis, mongo):
        self.millrace, self.env = millrace, {**harness.environment(redis, mongo, DATABASE), "MILLRACE_HEALTH_LISTEN": "off", "MILLRACE_API_LISTEN": "off"}
        self.running, self.kills, self.memory = {}, 0, []
        for name in ("first", "second"):
            self.start(name)

    def start(self, name):
        with open(WORK / f"{name}.log", "ab") as log:
            self.running[name] = subprocess.Popen(
                [self.millrace, "run", "--config", WORK / "config", "--jobs", WORK / "jobs"],
                stdin=subprocess.DEVNULL, stdout=log, stderr=log, env=self.env, start_new_session=True,
            )  # fmt: skip

    def kill_second(self):
        self.running["second"].kill()
        self.running["second"].wait()
        self.kills += 1
        self.start("second")

    def look(self):
        """Note the memory of the first, and that both live."""
        for name, child in self.running.items():
            if child.poll() is not None:
                raise Failed(f"the {name} service ended by itself with {child.returncode}: see {WORK / name}.log")
        status = Path(f"/proc/{self.running['first'].pid}/status").read_text(encoding="ascii")
        resident = next(line for line in status.splitlines() if line.startswith("VmRSS"))
        self.memory.append(int(resident.split()[1]) / 1024)

    def stop(self):
        for child in self.running.values():
            child.terminate()
        codes = {name: child.wait(timeout=60) for name, child in self.running.items()}
        if any(codes.values()):
            raise Failed(f"the services did not end well: {codes}")

    def command(self, *arguments):
        command = [self.millrace, *arguments, "--config", WORK / "config", "--jobs", WORK / "jobs"]
        return harness.run(command, env=self.env)


class Vandal:
    """Changes documents of the build that readers see, and waits for each change to be gone."""

    def __init__(self, mongo, rng):
        import pymongo

        self.client = pymongo.MongoClient(mongo, w="majority", retryWrites=True)
        self.builds = [self.client[DATABASE][f"{stream}@1"] for stream in STREAMS]
        self.rng, self.open, self.gone, self.number = rng, {}, [], 0

    def strike(self):
        from pymongo.errors import PyMongoError

        kinds = {"edited": self.edit, "deleted": self.delete, "invented": self.invent}
        for kind, change in kinds.items():
            for _ in range(TOUCHED):
                self.number += 1
                build = self.rng.choice(self.builds)
                try:
                    key = change(build, self.number)
                except PyMongoError as error:
                    note(f"a change came too late for an election: {error}")
                    continue
                if key is not None:
                    self.open[kind, build, key, self.number] = time.monotonic()

    def some_key(self, build):
        # Not one that the last strike has taken.
        taken = {key for _, _, key, _ in self.open}
        found = [d["_id"] for d in build.aggregate([{"$sample": {"size": 5}}, {"$project": {"_id": 1}}])]
        return next((key for key in found if key not in taken), None)

    def edit(self, build, number):
        key = self.some_key(build)
        if key is None:
            return None
        # Also what later events build upon: a drain that did not notice would count on.
        changed = build.update_one({"_id": key}, {"$set": {"n": -number, "vandal": number}})
        return key if changed.modified_count else None

    def delete(self, build, _):
        key = self.some_key(build)
        return key if key is not None and build.delete_one({"_id": key}).deleted_count else None

    def invent(self, build, number):
        key = f"invented-{number}"
        build.insert_one({"_id": key, "n": number, "vandal": number})
        return key

    def look(self):
        """Note what is gone; raise Failed for what has been there for too long."""
        from pymongo.errors import PyMongoError

        now = time.monotonic()
        for (kind, build, key, number), since in list(self.open.items()):
            try:
                document = build.find_one({"_id": key})
            except PyMongoError:
                return
            is_gone = {
                "edited": document is None or document.get("vandal") != number,
                # One whose events ask for it to be away is right as it is; the oracle knows which.
                "deleted": document is not None,
                "invented": document is None,
            }[kind]
            if is_gone:
                del self.open[kind, build, key, number]
                self.gone.append((kind, now - since))
            elif now - since > BEARABLE and kind != "deleted":
                raise Failed(f"{key}, {kind}, is not put right after {BEARABLE} s")

    def found_by_drain(self):
        """Return how many documents a drain met that were not as it had left them."""
        return sum(checkpoint["totals"].get("drift", 0) for checkpoint in self.client[DATABASE]["millrace.checkpoints"].find())

    def elect(self):
        from pymongo.errors import PyMongoError

        try:
            self.client.admin.command({"replSetStepDown": 10, "secondaryCatchUpPeriodSecs": 5, "force": True})
        except PyMongoError as error:
            note(f"an election: {error}")


def prepare():
    subprocess.run(["rm", "-rf", WORK], check=True)
    (WORK / "config/models").mkdir(parents=True)
    (WORK / "jobs").mkdir()
    (WORK / "config/millrace.yaml").write_text(f"version: 1\nstreams: {{ {', '.join(f'{stream}: {{}}' for stream in STREAMS)} }}\n", encoding="utf-8")
    model = (ROOT / "Tests/Faults/config/models/trace.yaml").read_text(encoding="utf-8")
    for stream in STREAMS:
        text = model.replace("model: trace", f"model: {stream}").replace("stream: trace", f"stream: {stream}")
        (WORK / f"config/models/{stream}.yaml").write_text(text, encoding="utf-8")
    for name, text in JOBS.items():
        (WORK / f"jobs/{name}.yaml").write_text(text, encoding="utf-8")


def wait_for(what, limit, is_met):
    end = time.monotonic() + limit
    while not is_met():
        if time.monotonic() > end:
            raise Failed(f"not within {limit} s: {what}")
        time.sleep(0.5)


def journal(stream):
    return WORK / f"{stream}.ndjson"


def produce(a, redis, number, stream):
    return subprocess.Popen(
        [sys.executable, ORACLE / "producer.py", "--redis", redis, "--list", f"events:{{{stream}}}", "--journal", journal(stream), "--keys", str(KEYS),
         "--rate", str(a.rate / len(STREAMS)), "--seconds", str(a.minutes * 60), "--seed", str(a.seed + number)],
        stdout=subprocess.PIPE, text=True, start_new_session=True,
    )  # fmt: skip


def attack(a, services, vandal, producers):
    """Change documents, kill and elect for as long as events are pushed; return the number of elections."""
    elections, began = 0, time.monotonic()
    next_strike, next_kill, next_election = began + 5, began + a.kill_every, began + a.elect_every
    while any(producer.poll() is None for producer in producers):
        now = time.monotonic()
        if now >= next_strike and now < began + a.minutes * 60 - 10:
            vandal.strike()
            next_strike += 60
        if now >= next_kill:
            services.kill_second()
            next_kill += a.kill_every
        if now >= next_election:
            vandal.elect()
            elections += 1
            next_election += a.elect_every
        services.look()
        vandal.look()
        time.sleep(1)
    return elections


def soak(a, redis, mongo):
    prepare()
    services = Services(a.millrace, redis, mongo)
    producers = []
    try:
        producers = [produce(a, redis, number, stream) for number, stream in enumerate(STREAMS)]
        vandal = Vandal(mongo, random.Random(a.seed))
        wait_for("documents", 60, lambda: all(build.estimated_document_count() > 50 for build in vandal.builds))
        elections = attack(a, services, vandal, producers)
        tallies = [json.loads(producer.communicate()[0]) for producer in producers]
        if any(producer.returncode for producer in producers):
            raise Failed(f"the producers did not end well: {tallies}")
        wait_for("every change is gone", BEARABLE + 10, lambda: vandal.look() or not [kind for kind, *_ in vandal.open if kind != "deleted"])
        wait_for("everything has taken effect", 120, lambda: lag(services) == 0)
        runs = reconciles(services)
        last = harness.result_of("millrace reconcile", clean(services.command("reconcile", "--json")))["models"]
        services.stop()
    finally:
        for child in [*producers, *services.running.values()]:
            if child.poll() is None:
                os.killpg(child.pid, signal.SIGKILL)
                child.wait()
    quarter = max(1, len(services.memory) // 4)
    waits = [seconds for _, seconds in vandal.gone]
    return {
        "minutes": a.minutes, "rate": a.rate, "seed": a.seed,
        "pushed": {name: sum(tally[name] for tally in tallies) for name in ("events", "resent", "acknowledged")},
        "kills": services.kills, "elections": elections,
        "changes": {kind: sum(1 for one, _ in vandal.gone if one == kind) for kind in ("edited", "deleted", "invented")},
        # Documents that the vandal deleted, and their events as well.
        "deletedForGood": len(vandal.open),
        "secondsUntilGone": {"median": round(statistics.median(waits), 1), "max": round(max(waits), 1)},
        "reconciles": runs, "foundByDrain": vandal.found_by_drain(), "lastReconcile": {model: one["outcome"] for model, one in last.items()},
        "residentMiB": {
            "firstQuarter": round(statistics.median(services.memory[:quarter]), 1), "lastQuarter": round(statistics.median(services.memory[-quarter:]), 1),
            "max": round(max(services.memory), 1),
        },
        "oracle": {stream: judge(services, mongo, stream) for stream in STREAMS},
    }  # fmt: skip


def judge(services, mongo, stream):
    """Return what the oracle says of one stream; raise Failed where it finds something."""
    log = WORK / f"{stream}.log.ndjson"
    code, out, err, *_ = services.command("events", stream, "--json")
    if code != 0:
        raise Failed(f"millrace events ended with {code}: {err[-1000:]}")
    log.write_text(out, encoding="utf-8")
    code, out, err, *_ = harness.run(
        [sys.executable, ORACLE / "oracle.py", "--mongo", mongo, "--db", DATABASE, "--model", stream, "--rules", "trace", "--journal", journal(stream),
         "--log", log],
    )  # fmt: skip
    if code != 0:
        raise Failed(f"the oracle of {stream} ended with {code}:\n{out[-3000:]}{err[-1000:]}")
    found = json.loads(out)
    return {name: found[name] for name in ("events", "duplicates", "documents", "lost", "doubled", "reordered", "different")}


def lag(services):
    code, out, *_ = services.command("status", "--json")
    if code not in (0, 1) or not out.strip():
        return None
    status = json.loads(out)
    return sum(model["lag"] for model in status["models"].values()) + sum(s["waiting"] + s["inSegment"] for s in status["streams"].values())


def clean(outcome):
    if outcome[0] != 0:
        raise Failed(f"the last reconcile ended with {outcome[0]}: {outcome[1][-2000:]}{outcome[2][-1000:]}")
    return outcome


def reconciles(services):
    """Return what the receipts of the reconciles add up to."""
    sums, after = {"runs": 0, "good": 0, "documents": 0, "missing": 0, "extra": 0, "different": 0, "repaired": 0}, []
    while True:
        page = harness.result_of("millrace runs", services.command("runs", "list", "--kind", "reconcile", "--limit", "100", "--json", *after))
        for run in page["runs"]:
            sums["runs"] += 1
            sums["good"] += run["outcome"] == "good"
            counts = run.get("sums", {})
            for name in ("documents", "missing", "extra", "different", "repaired"):
                sums[name] += counts.get(name, 0)
        if not page.get("next"):
            return sums
        after = ["--after", page["next"]]


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--minutes", type=float, default=30)
    p.add_argument("--rate", type=float, default=1000, help="events a second (default 1000)")
    p.add_argument("--seed", type=int, default=int(time.time()))
    p.add_argument("--kill-every", type=float, default=100, help="seconds between kills of a service (default 100)")
    p.add_argument("--elect-every", type=float, default=270, help="seconds between elections (default 270)")
    p.add_argument("--json", type=Path, help="write the report there too")
    p.add_argument("--millrace", type=Path, default=ROOT / ".build/release/millrace")
    a = p.parse_args()
    harness.SANDBOX = ROOT / ".local/soak-sandbox"
    # Whatever ends it, nothing is left running.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    note(f"seed {a.seed}")
    began = datetime.datetime.now(datetime.timezone.utc)
    try:
        with harness.sandbox(a.millrace) as (redis, mongo):
            report = soak(a, redis, mongo)
    except Failed as failure:
        print(f"soak: {failure}", file=sys.stderr)
        return 1
    commit = subprocess.run(["git", "rev-parse", "--short", "HEAD"], cwd=ROOT, capture_output=True, text=True, check=False).stdout.strip()
    report = {"began": began.isoformat(timespec="seconds"), "commit": commit, "machine": f"{harness.processor()}, {os.cpu_count()} cores", **report}
    text = json.dumps(report, indent=2) + "\n"
    print(text, end="")
    if a.json:
        a.json.write_text(text, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
