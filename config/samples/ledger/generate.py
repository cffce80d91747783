#!/usr/bin/env python3
"""Makes bookings of accounts over a year, one a line, some of them corrected later.

  generate.py --events 10000 --seed 1
"""
import argparse
import datetime
import json
import random
from decimal import Decimal

START = datetime.datetime(2026, 1, 1)
YEAR = datetime.timedelta(days=365)


def money(cents):
    return f"{round(cents) * Decimal('0.01'):.2f}"


def events(count, seed):
    rng = random.Random(seed)
    mistakes = []
    for number in range(count):
        account = f"account-{rng.randrange(max(1, count // 50))}"
        kind, data = "booked", {"amount": money(rng.gauss(1_00, 400_00)), "text": rng.choice(["rent", "salary", "groceries", "refund"])}
        # So large that a double would not keep the cents of the balance.
        if rng.random() < 0.01:
            data["amount"] = money(rng.gauss(0, 10**22))
        if mistakes and rng.random() < 0.04:
            account, of, amount = mistakes.pop(rng.randrange(len(mistakes)))
            kind, data = "counterBooked", {"of": of, "amount": amount}
        elif rng.random() < 0.05:
            mistakes.append((account, f"ledger-{seed}-{number}", data["amount"]))
        at = START + YEAR * number / count
        yield {
            "eventId": f"ledger-{seed}-{number}", "eventType": kind, "key": account,
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
