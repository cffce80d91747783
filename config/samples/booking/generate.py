#!/usr/bin/env python3
"""Makes events of bookings, one a line: what the services of a saga tell, in any order of arrival.

  generate.py --events 10000 --seed 1
"""
import argparse
import datetime
import json
import random

STEPS = ["car", "flight", "hotel", "insurance", "visa"]
START = datetime.datetime(2026, 11, 1)


def booking(number, rng):
    """Return what happens to one booking, in the order in which it happens."""
    steps = rng.sample(STEPS, rng.randrange(1, len(STEPS) + 1))
    told = [("bookingRequested", {"traveller": f"traveller {rng.randrange(1000)}", "steps": steps})]
    done = []
    for step in steps:
        if rng.random() < 0.12:
            told.append(("stepFailed", {"step": step, "reason": rng.choice(["sold out", "no answer", "card refused"])}))
            told += [("stepCompensated", {"step": name}) for name in reversed(done)]
            break
        told.append(("stepCompleted", {"step": step, "reference": f"{step}-{number}"}))
        done.append(step)
    # Some are still under way.
    return told[: rng.randrange(1, len(told) + 1)] if rng.random() < 0.1 else told


def events(count, seed):
    rng = random.Random(seed)
    waiting, number, made = [], 0, 0
    while made < count:
        # A few dozen bookings are under way at any time, and what is told of them arrives in any order.
        while len(waiting) < 100:
            waiting += [(number, happened, *event) for happened, event in enumerate(booking(number, rng))]
            number += 1
        which, happened, kind, data = waiting.pop(rng.randrange(len(waiting)))
        at = START + datetime.timedelta(milliseconds=which * 1931 + happened * 250)
        yield {
            "eventId": f"booking-{seed}-{made}", "eventType": kind, "key": f"booking-{which}",
            "occurredAt": at.isoformat(timespec="milliseconds") + "Z", "data": data,
        }  # fmt: skip
        made += 1


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--events", type=int, default=10_000)
    p.add_argument("--seed", type=int, default=1)
    a = p.parse_args()
    for event in events(a.events, a.seed):
        print(json.dumps(event, separators=(",", ":")))


if __name__ == "__main__":
    main()
