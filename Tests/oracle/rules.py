"""The documents that events make, by hand: one function per event type of the models.

`bench/config/models/product.yaml` is COMMERCE, `trace.yaml` and `row.yaml` of `Tests/Faults/config/models` are TRACE and ROWS.
"""
from bson.int64 import Int64

from elements import INT64, integer

MISSING = object()


class Parked(ValueError):
    """The event cannot take effect; the document stays as it was."""


def read(value, *names):
    """Follow a path as MongoDB's aggregation does: through objects by name, through arrays element by element."""
    for position, name in enumerate(names):
        if isinstance(value, list):
            found = (read(item, *names[position:]) for item in value if isinstance(item, dict))
            return [item for item in found if item is not MISSING]
        if not isinstance(value, dict) or name not in value:
            return MISSING
        value = value[name]
    return value


def need(event, name, member="data"):
    """Return `$data.<name>` of the event, or of another member, or park it."""
    value = read(event.body, member, name)
    if value is MISSING:
        raise Parked("missing-value")
    return value


def is_number(value):
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def add(a, b):
    """Return a + b with the type that `$inc` gives it: int32 widens to int64 and never goes back, double wins."""
    if isinstance(a, float) or isinstance(b, float):
        return float(a) + float(b)
    total = int(a) + int(b)
    if total not in INT64:
        raise Parked("beyond int64")
    return Int64(total) if isinstance(a, Int64) or isinstance(b, Int64) else integer(total)


def equal(a, b):
    """Whether MongoDB takes two values for the same element of a set: numbers by value, members in order."""
    if is_number(a) and is_number(b):
        return a == b
    if type(a) is not type(b):
        return False
    if isinstance(a, dict):
        return list(a) == list(b) and all(equal(a[name], b[name]) for name in a)
    if isinstance(a, list):
        return len(a) == len(b) and all(map(equal, a, b))
    return a == b


def increase(document, name, by):
    if not is_number(by):
        raise Parked("not a number")
    document[name] = add(document[name], by) if name in document else by


def include(document, name, value):
    values = document.get(name, [])
    document[name] = values if any(equal(value, old) for old in values) else values + [value]


def stock_adjusted(document, event):
    increase(document, "stock", need(event, "delta"))


def price_changed(document, event):
    # Inside an object literal, a missing value leaves its member out.
    fields = {name: read(event.body, "data", name) for name in ("amount", "currency")}
    document["price"] = {name: value for name, value in fields.items() if value is not MISSING}


def product_renamed(document, event):
    document["name"] = need(event, "name")


def tag_added(document, event):
    include(document, "tags", need(event, "tag"))


def review_posted(document, event):
    increase(document, "reviews", 1)
    increase(document, "ratingSum", need(event, "rating"))


def counted(document, event):
    amount = need(event, "amount")
    increase(document, "n", 1)
    increase(document, "sum", amount)
    document["ids"] = (document.get("ids", []) + [event.id])[-50:]
    document["last"] = need(event, "seq")
    if "highest" not in document or amount > document["highest"]:
        document["highest"] = amount
    if "lowest" not in document or amount < document["lowest"]:
        document["lowest"] = amount
    include(document, "tags", need(event, "tag"))


def row_counted(document, event):
    amount, mark = need(event, "amount", "row"), need(event, "mark", "row")
    increase(document, "n", 1)
    increase(document, "sum", amount)
    document["ids"] = (document.get("ids", []) + [mark])[-50:]
    document["last"] = mark


COMMERCE = {
    "stockAdjusted": stock_adjusted,
    "priceChanged": price_changed,
    "productRenamed": product_renamed,
    "tagAdded": tag_added,
    "reviewPosted": review_posted,
}
DELETE = None
TRACE = {"counted": counted, "removed": DELETE}
ROWS = {"items.c": row_counted, "items.u": row_counted, "items.d": DELETE}


def fold(events, rules):
    """Return {key: fields} after the events, in order. Other event types are ignored; an error leaves no trace."""
    documents = {}
    for event in events:
        if event.type not in rules:
            continue
        if rules[event.type] is DELETE:
            documents.pop(event.key, None)
            continue
        fields = dict(documents.get(event.key, {}))
        try:
            rules[event.type](fields, event)
        except Parked:
            continue
        documents[event.key] = fields
    return documents
