"""The documents of `config/samples`, made of the events' whole history and not by folding: lists of what happened, sets of
facts, and tables of rows that are joined at the end.
"""
import datetime
from collections import defaultdict
from decimal import Decimal
from functools import reduce
from itertools import accumulate
from operator import add
from zoneinfo import ZoneInfo

from bson.decimal128 import Decimal128

SHOP_KEYS = {"products": "id", "prices": "product_id", "details": "product_id", "reviews": "product_id"}


def when(event):
    return datetime.datetime.fromisoformat(event.body["occurredAt"].removesuffix("Z"))


def by_key(events):
    """Return {key: its events, in order}."""
    keys = defaultdict(list)
    for event in events:
        keys[event.key].append(event)
    return keys


def flight(events):
    documents = {}
    for key, history in by_key(events).items():
        cancelled = [place for place, event in enumerate(history) if event.type == "flightCancelled"]
        history = history[cancelled[-1] + 1 :] if cancelled else history
        if not history:
            continue
        offer = history[0].body["data"]
        signs = {"priceRaised": 1, "priceLowered": -1}
        prices = list(accumulate((signs[e.type] * e.body["data"]["by"] for e in history[1:]), initial=offer["price"]))
        documents[key] = {
            **{name: offer[name] for name in ("from", "to", "currency")},
            "price": prices[-1], "lowest": min(prices), "highest": max(prices),
            "prices": [{"price": price, "at": when(e)} for price, e in zip(prices, history)][-50:],
        }  # fmt: skip
    return documents


def booking(events):
    documents = {}
    for key, history in by_key(events).items():
        facts = {(event.type, event.body["data"].get("step")): event for event in history}
        request = facts.get(("bookingRequested", None))
        steps = []
        for name in sorted({step for _, step in facts if step}):
            done, failed, undone = (facts.get((kind, name)) for kind in ("stepCompleted", "stepFailed", "stepCompensated"))
            step = {"name": name}
            if done:
                step |= {"reference": done.body["data"]["reference"], "completedAt": when(done)}
            if failed:
                step |= {"reason": failed.body["data"]["reason"], "failedAt": when(failed)}
            if undone:
                step["compensatedAt"] = when(undone)
            steps.append(step)
        completed = {step["name"] for step in steps if "completedAt" in step}
        document = {"steps": steps}
        if any("failedAt" in step for step in steps):
            undone = {step["name"] for step in steps if "compensatedAt" in step}
            document["outcome"] = "failed" if completed <= undone else "compensating"
        else:
            document["outcome"] = "confirmed" if request and set(request.body["data"]["steps"]) <= completed else "pending"
        if not request:
            continue  # an orphan, which readers do not see
        data = request.body["data"]
        documents[key] = {**document, "traveller": data["traveller"], "wanted": data["steps"], "requestedAt": when(request)}
    return documents


def total(amounts):
    # Without a zero to begin with: it has no digits, and would take the sign of a zero away.
    return Decimal128(reduce(add, amounts))


def ledger(events):
    documents = {}
    for key, history in by_key(events).items():
        signs = {"booked": 1, "counterBooked": -1}
        amounts = [signs[event.type] * Decimal(event.body["data"]["amount"]) for event in history]
        months = defaultdict(list)
        for event, amount in zip(history, amounts):
            local = when(event).replace(tzinfo=datetime.timezone.utc).astimezone(ZoneInfo("Europe/Berlin"))
            months[f"{local:%Y-%m}"].append(amount)
        corrections = sum(event.type == "counterBooked" for event in history)
        documents[key] = {
            "balance": total(amounts), "bookings": len(history), "months": {month: total(parts) for month, parts in months.items()},
            "lowest": Decimal128(min(accumulate(amounts))), **({"corrections": corrections} if corrections else {}),
        }  # fmt: skip
    return documents


def shop(events):
    tables = {name: {} for name in SHOP_KEYS}
    for event in events:
        table, op = event.type.split(".")
        row = event.body["row"]
        if op != "d":
            tables[table][row["id"]] = row
        elif tables[table].get(row["id"], {}).get(SHOP_KEYS[table]) == row[SHOP_KEYS[table]]:
            del tables[table][row["id"]]  # and not the row that has gone to another product meanwhile
            if table == "products":  # its other rows go with it, also where the journal ends before it says so
                for name in tables.keys() - {"products"}:
                    tables[name] = {number: one for number, one in tables[name].items() if one["product_id"] != row["id"]}
    documents = {
        str(row["id"]): {"name": row["name"], "category": row["category"], "prices": [], "details": [], "scores": []}
        for row in tables["products"].values()
    }
    for table, fields in (("prices", ["id", "currency", "cents"]), ("details", ["id", "name", "value"])):
        for row in sorted(tables[table].values(), key=lambda row: row["id"]):
            documents[str(row["product_id"])][table].append({name: row[name] for name in fields})
    for row in tables["reviews"].values():
        documents[str(row["product_id"])]["scores"].append(row["score"])
    for document in documents.values():
        scores = document.pop("scores")
        average = sum(scores) / len(scores) if scores else None
        document["reviews"] = {"count": len(scores), "total": sum(scores), "average": average}
    return documents
