#!/usr/bin/env python3
"""What the benchmarks need of the stores, in processes of its own: see `run` in harness.py for the reason.

  stores.py prepare --redis URL --mongo URL --drop DB [--push FILE --list L]
      empties Redis, drops the database, pushes the lines of a file onto a list
  stores.py push --redis URL --push FILE [--list L]
      only pushes
  stores.py history --mongo URL --seconds N
      has every member of the replica set keep so many seconds of what documents were
  stores.py agree --mongo URL DB DB…
      compares the documents of `product` in these databases, field order and `_position` aside
"""
import argparse
import itertools
import json
import sys

PUSH = 1000  # elements in one RPUSH
MAX_EXAMPLES = 5


def prepare(a):
    import pymongo
    import redis

    pymongo.MongoClient(a.mongo, w="majority").drop_database(a.drop)
    redis.Redis.from_url(a.redis).flushall()
    return push(a) if a.push else 0


def push(a):
    import redis

    r = redis.Redis.from_url(a.redis)
    # Beside the list, so that whoever drains it finds all of them waiting at once.
    aside = f"{a.list}:aside"
    with open(a.push, "rb") as lines:
        while batch := [line.rstrip(b"\n") for line in itertools.islice(lines, PUSH)]:
            r.rpush(aside, *batch)
    print(json.dumps({"pushed": r.llen(aside)}))
    if not r.renamenx(aside, a.list):
        sys.exit(f"{a.list} is not empty")
    return 0


def history(a):
    import pymongo

    client = pymongo.MongoClient(a.mongo)
    for member in client.admin.command("hello")["hosts"]:
        pymongo.MongoClient(f"mongodb://{member}/?directConnection=true").admin.command("setParameter", 1, minSnapshotHistoryWindowInSeconds=a.seconds)
    return 0


def same(a, b):
    """Whether two values are equal: numbers by value, objects whatever the order of their fields."""
    if isinstance(a, bool) or isinstance(b, bool):
        return a is b
    if isinstance(a, dict) and isinstance(b, dict):
        return a.keys() == b.keys() and all(same(a[name], b[name]) for name in a)
    if isinstance(a, list) and isinstance(b, list):
        return len(a) == len(b) and all(map(same, a, b))
    return a == b


def agree(a):
    import pymongo
    from pymongo.read_concern import ReadConcern

    client = pymongo.MongoClient(a.mongo)
    collections = (client[name].get_collection("product", read_concern=ReadConcern("majority")) for name in a.databases)
    # All of them in the order of _id, so that no more than one document of each is in memory.
    cursors = [collection.find({}, {"_position": 0}).sort("_id", 1) for collection in collections]
    heads = [next(cursor, None) for cursor in cursors]
    documents, different, examples = 0, 0, []
    while any(heads):
        key = min(head["_id"] for head in heads if head)
        current = [head if head and head["_id"] == key else None for head in heads]
        heads = [next(cursor, None) if now else head for cursor, now, head in zip(cursors, current, heads)]
        documents += 1
        if not all(now and same(now, current[0]) for now in current):
            different += 1
            if len(examples) < MAX_EXAMPLES:
                examples.append({name: now for name, now in zip(a.databases, current)})
    print(json.dumps({"documents": documents, "different": different, "examples": examples}, default=str))
    return 0 if documents and not different else 1


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = p.add_subparsers(required=True)
    c = commands.add_parser("prepare")
    c.set_defaults(run=prepare)
    c.add_argument("--redis", required=True)
    c.add_argument("--mongo", required=True)
    c.add_argument("--drop", required=True)
    c.add_argument("--push")
    c.add_argument("--list", default="events:{product}")
    c = commands.add_parser("push")
    c.set_defaults(run=push)
    c.add_argument("--redis", required=True)
    c.add_argument("--push", required=True)
    c.add_argument("--list", default="events:{product}")
    c = commands.add_parser("history")
    c.set_defaults(run=history)
    c.add_argument("--mongo", required=True)
    c.add_argument("--seconds", type=int, required=True)
    c = commands.add_parser("agree")
    c.set_defaults(run=agree)
    c.add_argument("--mongo", required=True)
    c.add_argument("databases", nargs="+")
    a = p.parse_args()
    return a.run(a)


if __name__ == "__main__":
    sys.exit(main())
