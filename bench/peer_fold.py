#!/usr/bin/env python3
"""The same work in Python: each element decoded by orjson and folded into a dict, in memory.

No duplicates are looked for, no types are widened, and what does not fit raises.
  peer_fold.py FILE [DOCUMENTS]
"""
import json
import sys
import time

import orjson


def fold(lines):
    """Return {key: document} of the workload's events, in order."""
    documents = {}
    for line in lines:
        event = orjson.loads(line)
        data, kind = event["data"], event["eventType"]
        document = documents.get(event["key"])
        if document is None:
            document = documents[event["key"]] = {}
        if kind == "stockAdjusted":
            document["stock"] = document.get("stock", 0) + data["delta"]
        elif kind == "priceChanged":
            document["price"] = {"amount": data["amount"], "currency": data["currency"]}
        elif kind == "productRenamed":
            document["name"] = data["name"]
        elif kind == "tagAdded":
            tags = document.setdefault("tags", [])
            if data["tag"] not in tags:
                tags.append(data["tag"])
        elif kind == "reviewPosted":
            document["reviews"] = document.get("reviews", 0) + 1
            document["ratingSum"] = document.get("ratingSum", 0) + data["rating"]
    return documents


def main():
    with open(sys.argv[1], "rb") as file:
        lines = file.read().splitlines()
    start = time.process_time()
    documents = fold(lines)
    seconds = time.process_time() - start
    if len(sys.argv) > 2:
        with open(sys.argv[2], "wb") as out:
            for key, fields in documents.items():
                out.write(orjson.dumps({"_id": key, **fields}) + b"\n")
    print(json.dumps({"peer": "fold", "events": len(lines), "documents": len(documents), "seconds": seconds}))


if __name__ == "__main__":
    main()
