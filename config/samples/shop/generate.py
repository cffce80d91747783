#!/usr/bin/env python3
"""Makes change events of a shop's four tables, one a line, as Debezium sends them from PostgreSQL: a snapshot of what is
there, and then what happens.

  generate.py --events 10000 --seed 1
"""
import argparse
import json
import random

CHILDREN = ["details", "prices", "reviews"]
STEP = 56  # bytes of the log between two changes


class Shop:
    """The tables, and the events of their changes."""

    def __init__(self, seed):
        self.rng = random.Random(seed)
        self.tables = {name: {} for name in [*CHILDREN, "products"]}
        self.next_id = 1
        self.position = 24_000_000

    def message(self, table, op, before, after):
        self.position += STEP
        row = after or before
        key = {"id": row["id"]} if table == "products" else {"product_id": row["product_id"], "id": row["id"]}
        source = {
            "connector": "postgresql", "name": "shop", "db": "shop", "schema": "public", "table": table,
            "txId": self.position // 1000, "lsn": self.position, "ts_ms": 1_793_000_000_000 + self.position // 10,
        }  # fmt: skip
        return {"key": key, "value": {"before": before, "after": after, "source": source, "op": op, "ts_ms": source["ts_ms"] + 412}}

    def make(self, table):
        """Return a new row of a product that is there."""
        rng, row = self.rng, {"id": self.next_id}
        self.next_id += 1
        if table == "products":
            return {**row, "name": f"Product {rng.randrange(10**6)}", "category": rng.choice(["books", "food", "toys"])}
        row["product_id"] = rng.choice(list(self.tables["products"]))
        if table == "prices":
            return {**row, "currency": rng.choice(["EUR", "USD"]), "cents": rng.randrange(1_00, 500_00)}
        if table == "details":
            return {**row, "name": rng.choice(["colour", "weight", "origin"]), "value": f"value {rng.randrange(100)}"}
        return {**row, "score": rng.randint(1, 5)}

    def enter(self, table, row):
        before = self.tables[table].get(row["id"])
        self.tables[table][row["id"]] = row
        return before

    def create(self, table):
        row = self.make(table)
        self.enter(table, row)
        yield self.message(table, "c", None, row)

    def change(self, table, row):
        after = {**row, **{name: value for name, value in self.make(table).items() if name not in ("id", "product_id")}}
        yield self.message(table, "u", self.enter(table, after), after)

    def remove(self, table, row):
        del self.tables[table][row["id"]]
        yield self.message(table, "d", row, None)
        if table == "products":
            for child in CHILDREN:
                for orphan in [r for r in self.tables[child].values() if r["product_id"] == row["id"]]:
                    yield from self.remove(child, orphan)

    def move(self, table, row):
        """The row's key changes: Debezium says that it was removed, and that it was created."""
        after = {**row, "product_id": self.rng.choice(list(self.tables["products"]))}
        if after["product_id"] == row["product_id"]:
            return
        self.enter(table, after)
        yield self.message(table, "d", row, None)
        yield self.message(table, "c", None, after)

    def snapshot(self, products):
        """Tables are read one after the other, by their names: rows come before the product that they belong to."""
        for table, count in [("products", products), *((child, products * 2) for child in CHILDREN)]:
            for _ in range(count):
                self.enter(table, self.make(table))
        for table in sorted(self.tables):
            for row in self.tables[table].values():
                yield self.message(table, "r", None, row)

    def messages(self, count):
        rng = self.rng
        yield from self.snapshot(max(2, count // 50))
        last = None
        while True:
            if last and rng.random() < 0.03:
                yield last  # sent again
                continue
            table = rng.choices([*CHILDREN, "products"], [2, 3, 6, 1])[0]
            row = rng.choice(list(self.tables[table].values())) if self.tables[table] else None
            roll = rng.random()
            if row is None or roll < 0.45:
                happens = self.create(table)
            elif roll < 0.70:
                happens = self.change(table, row)
            elif roll < 0.80:
                happens = iter([self.message(table, "r", None, row)])  # an incremental snapshot reads it again
            elif roll < 0.90 and table != "products":
                happens = self.move(table, row)
            elif table != "products" or len(self.tables["products"]) > 2:
                happens = self.remove(table, row)
            else:
                continue
            for last in happens:
                yield last


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--events", type=int, default=10_000)
    p.add_argument("--seed", type=int, default=1)
    a = p.parse_args()
    for _, message in zip(range(a.events), Shop(a.seed).messages(a.events)):
        print(json.dumps(message, separators=(",", ":")))


if __name__ == "__main__":
    main()
