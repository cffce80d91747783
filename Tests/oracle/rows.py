"""Row events: messages of Debezium, as the Redis sink of Debezium Server writes them, and what each of them is.

Written from Debezium's manual and docs/formats.md alone: it must not share a line, or a mistake, with Sources.

A journal holds one message a line: {"key": TEXT, "value": TEXT}, the texts that were added to a Redis stream, or the element
that was pushed, {"key": …, "value": …}.
"""
import json

from elements import Event, Refused, decode_json, key_text

NOTHING = "default"  # what the sink writes for no key and for no value
OPERATIONS = {"c", "u", "d", "r"}


class Rows:
    """Reads messages. `keys` says which column is the key of a table's rows; of the others it is the message's own."""

    def __init__(self, keys):
        self.keys = keys

    def decode(self, line, _max_bytes=None):
        """Return the Event of a line of the journal, or raise Refused with the reason."""
        message = decode_json(line)
        return self.event(*(self.part(message[name]) for name in ("key", "value")))

    @staticmethod
    def part(written):
        if not isinstance(written, str):
            return written
        return None if written == NOTHING else decode_json(written.encode())

    def logged(self, element):
        """Return the Event of an element of the log, {"key": …, "value": …}."""
        return self.event(element["key"], element["value"])

    def event(self, key, value):
        if value is None:
            if key is None:
                raise Refused("a tombstone without a key")
            own = self.own_key(key)
            return Event(f"tombstone {own}", "tombstone", own, {})
        if not isinstance(value, dict) or value.get("op") not in OPERATIONS:
            raise Refused("no operation")
        source, op = value["source"], value["op"]
        table, row = source["table"], value["after"] if value["after"] is not None else value["before"]
        column = self.keys.get(table)
        found = self.own_key(key) if column is None else key_text(row.get(column))
        # The same change that is sent again has the same position and says the same.
        same = [source["lsn"], source["txId"], table, op, key, value["before"], value["after"]]
        body = {"op": op, "row": row, "before": value["before"], "after": value["after"]}
        return Event(json.dumps(same, sort_keys=True), f"{table}.{op}", found, body)

    @staticmethod
    def own_key(key):
        if not isinstance(key, dict) or len(key) != 1:
            raise Refused("the message's key is not one column")
        return key_text(next(iter(key.values())))
