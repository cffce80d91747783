#!/usr/bin/env python3
"""Makes events of flights whose prices are raised and lowered, one a line.

  generate.py --events 10000 --seed 1
"""
import argparse
import datetime
import json
import random

AIRPORTS = ["BER", "CDG", "FRA", "JFK", "LHR", "LIS", "MUC", "NRT", "OSL", "ZRH"]
START = datetime.datetime(2026, 11, 1)


def events(count, seed):
    rng = random.Random(seed)
    prices = {}
    for number in range(count):
        # A few flights change all the time, most of them now and then.
        flight = f"LH-{int(rng.paretovariate(0.8)) % 400}"
        if flight not in prices:
            prices[flight] = rng.randrange(50_00, 900_00)
            kind = "flightOffered"
            data = {"from": rng.choice(AIRPORTS), "to": rng.choice(AIRPORTS), "currency": "EUR", "price": prices[flight]}
        elif rng.random() < 0.005:
            del prices[flight]
            kind, data = "flightCancelled", {}
        else:
            by = rng.randrange(1, 60_00)
            raised = rng.random() < 0.5 or by >= prices[flight]
            prices[flight] += by if raised else -by
            kind, data = "priceRaised" if raised else "priceLowered", {"by": by}
        at = START + datetime.timedelta(milliseconds=number * 431)
        yield {
            "eventId": f"flight-{seed}-{number}", "eventType": kind, "key": flight,
            "occurredAt": at.isoformat(timespec="milliseconds") + "Z", "data": data,
        }  # fmt: skip


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--events", type=int, default=10_000)
    p.add_argument("--seed", type=int, default=1)
    a = p.parse_args()
    for event in events(a.events, a.seed):
        print(json.dumps(event, separators=(",", ":")))


if __name__ == "__main__":
    main()
