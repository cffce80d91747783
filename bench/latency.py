#!/usr/bin/env python3
"""Measures the time from the push of an event to the moment at which its document can be read, on an idle system.

`millrace run` is idle; an event is pushed, and a secondary is asked for its document until it is there. The next one is
pushed after a random pause, so that pushes fall anywhere between two looks at the list.
"""
import json
import random
import sys
import time

import harness
from harness import note

DATABASE = "millrace_bench"


def main():
    p = harness.arguments("latency", __doc__, rounds=1, events=500)
    p.add_argument("--measure", nargs=2, metavar=("REDIS", "MONGO"), help="only push and read: for a service that runs")
    a = p.parse_args()
    if a.measure:
        return measure(a, *a.measure)

    def body(redis, mongo):
        harness.prepare(redis, mongo, DATABASE)
        rounds = []
        for number in range(a.rounds):
            with harness.service(a.millrace, redis, mongo, DATABASE):
                # In a process of its own: this one loads no drivers.
                outcome = harness.run([sys.executable, __file__, "--events", str(a.events), "--measure", redis, mongo])
                times = harness.result_of("latency.py", outcome)["milliseconds"]
            rounds.append(sorted(times))
            note(f"round {number + 1} of {a.rounds}: {line(rounds[-1])}")
        times = sorted(time for round in rounds for time in round)
        return {"milliseconds": rounds}, ["", f"pushed → readable on a secondary, idle, {len(times)} events: {line(times)}"]

    return harness.report(a, body)


def line(times):
    def at(share):
        return times[min(len(times) - 1, int(len(times) * share))]

    return f"p50 {at(0.5):.0f} ms, p99 {at(0.99):.0f} ms, longest {times[-1]:.0f} ms"


def measure(a, redis_url, mongo_url):
    import pymongo
    import redis
    from pymongo.read_concern import ReadConcern

    pushes = redis.Redis.from_url(redis_url)
    database = pymongo.MongoClient(mongo_url, readPreference="secondary")[DATABASE]
    documents = database.get_collection("product@1", read_concern=ReadConcern("majority"))
    rng, times = random.Random(1), []
    # The first few are not counted: connections are opened, and the service may still be starting.
    for number in range(-5, a.events):
        time.sleep(rng.uniform(0.02, 0.08))
        key = f"latency-{time.time_ns()}"
        event = {"eventId": key, "eventType": "stockAdjusted", "key": key, "data": {"delta": 1}}
        began = time.monotonic()
        pushes.rpush("events:{product}", json.dumps(event))
        while not documents.find_one({"_id": key}, {"_id": 1}):
            if time.monotonic() - began > 60:
                sys.exit(f"the document of {key} cannot be read after a minute")
        if number >= 0:
            times.append((time.monotonic() - began) * 1000)
    print(json.dumps({"milliseconds": times}))
    return 0


if __name__ == "__main__":
    sys.exit(main())
