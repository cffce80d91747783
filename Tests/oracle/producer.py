#!/usr/bin/env python3
"""Keeps pushing trace events onto a Redis list, and keeps a journal of them, for tests that kill things.

  producer.py --redis redis://127.0.0.1:6379 --list 'events:{trace}' --journal FILE --keys 500 --rate 2000
              --seconds 30 --seed 1 [--resend 0.02]

The events are a function of --seed and --keys. Every element is in the journal before it is sent, and once more each
time it is sent again. Stops after --seconds or on SIGTERM, when Redis has acknowledged everything, and prints a JSON
tally. Exit code 1: something was still unacknowledged --patience seconds after the end, so that the journal may hold
events that never reached Redis. Standard library only.
"""
import argparse
import collections
import json
import random
import signal
import socket
import sys
import time
import urllib.parse
import uuid

MAX_BATCH = 50  # elements in one RPUSH: small, so that kills fall between many of them
TICK = 0.005  # seconds between looks at the clock
REPLY_TIMEOUT = 5.0  # seconds; a frozen or dead server is given up on
FIRST_BACKOFF, LAST_BACKOFF = 0.02, 1.0  # seconds
RECENT = 1000  # elements that may be sent again; far inside every dedupe window


class RedisError(Exception):
    """Redis refused the command (out of memory, loading, read-only): it has had no effect."""


class Connection:
    """One connection that can RPUSH. After any error it must be thrown away."""

    def __init__(self, url):
        parts = urllib.parse.urlsplit(url)
        if parts.scheme != "redis" or parts.username or parts.password or parts.path.strip("/0"):
            sys.exit("producer: --redis must be redis://host:port, without password or database")
        self.socket = socket.create_connection((parts.hostname, parts.port or 6379), timeout=REPLY_TIMEOUT)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.replies = self.socket.makefile("rb")

    def close(self):
        self.replies.close()
        self.socket.close()

    def rpush(self, name, elements):
        """Append the elements in one command, all or none, and wait for the reply."""
        arguments = [b"RPUSH", name.encode(), *elements]
        command = [b"*%d\r\n" % len(arguments)]
        command += (b"$%d\r\n%s\r\n" % (len(argument), argument) for argument in arguments)
        self.socket.sendall(b"".join(command))
        reply = self.replies.readline()
        if not reply.endswith(b"\r\n"):
            raise ConnectionError("the connection ended before the reply")
        if not reply.startswith(b":"):
            raise RedisError(reply.decode(errors="replace").strip())


def trace_events(seed, keys):
    """Yield elements without end: mostly `counted`, now and then `removed`."""
    rng = random.Random(seed)
    for index in range(sys.maxsize):
        kind = "removed" if rng.random() < 0.01 else "counted"
        roll = rng.random()
        if roll < 0.80:
            amount = rng.randint(-5, 20)
        elif roll < 0.85:
            amount = rng.choice([-1, 1]) * rng.randint(2**31, 2**40)  # sums must widen to int64
        else:
            amount = round(rng.uniform(-100, 100), 2)  # and to double, where the order of additions shows
        at = f"2026-11-20T{index // 3_600_000 % 24:02d}:{index // 60_000 % 60:02d}:{index // 1000 % 60:02d}.{index % 1000:03d}Z"
        event = {
            "eventId": str(uuid.UUID(int=rng.getrandbits(128), version=4)),
            "eventType": kind,
            "key": f"k-{rng.randrange(keys)}",
            "occurredAt": at,
            "data": {"amount": amount, "seq": index, "tag": rng.choice(["red", "green", "blue", "gold"])},
        }
        yield json.dumps(event, separators=(",", ":")).encode()


class Producer:
    """Sends one batch at a time and does not go on before Redis has acknowledged it.

    With two RPUSH under way, Redis could refuse the first (out of memory) and take the second: the events of a key would
    then stand in the list in another order than in the journal.
    """

    def __init__(self, url, name, journal):
        self.url, self.name, self.journal = url, name, journal
        self.connection = None
        self.tally = collections.Counter(events=0, resent=0, retried=0, acknowledged=0, unacknowledged=0, errors=0)

    def send(self, elements, keep_trying):
        """Send until acknowledged, or until `keep_trying()` says no. Returns whether it was acknowledged."""
        backoff = FIRST_BACKOFF
        attempts = 0
        while True:
            try:
                if self.connection is None:
                    self.connection = Connection(self.url)
                # Only what is really sent enters the journal again; a server that cannot be reached has had nothing.
                self.write_journal(elements)
                attempts += 1
                if attempts > 1:
                    self.tally["retried"] += len(elements)
                self.connection.rpush(self.name, elements)
                self.tally["acknowledged"] += len(elements)
                return True
            except (OSError, RedisError) as error:
                self.tally["errors"] += 1
                self.last_error = str(error)
                if self.connection is not None:
                    self.connection.close()
                    self.connection = None
            if not keep_trying():
                self.tally["unacknowledged"] += len(elements)
                return False
            time.sleep(random.uniform(backoff / 2, backoff))
            backoff = min(backoff * 2, LAST_BACKOFF)

    def write_journal(self, elements):
        self.journal.write(b"".join(element + b"\n" for element in elements))
        self.journal.flush()


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--redis", required=True)
    p.add_argument("--list", required=True)
    p.add_argument("--journal", required=True)
    p.add_argument("--keys", type=int, default=500)
    p.add_argument("--rate", type=float, required=True, help="events a second; what an outage held up is caught up")
    p.add_argument("--seconds", type=float, required=True)
    p.add_argument("--seed", type=int, required=True)
    p.add_argument("--resend", type=float, default=0.02, help="share of elements that are sent once more later")
    p.add_argument("--patience", type=float, default=60, help="seconds to wait at the end for the last acknowledgement")
    a = p.parse_args()

    start = time.monotonic()
    end = start + a.seconds

    def stop(*_):
        nonlocal end
        end = min(end, time.monotonic())

    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGINT, stop)

    # A random source of its own, so that the events do not depend on what is sent again.
    events, chance = trace_events(a.seed, a.keys), random.Random(a.seed + 1)
    recent = collections.deque(maxlen=RECENT)
    with open(a.journal, "ab") as journal:
        producer = Producer(a.redis, a.list, journal)
        tally = producer.tally
        while (now := time.monotonic()) < end and not tally["unacknowledged"]:
            due = min(int((now - start) * a.rate) - tally["events"], MAX_BATCH)
            if due <= 0:
                time.sleep(TICK)
                continue
            batch = []
            for _ in range(due):
                batch.append(next(events))
                recent.append(batch[-1])
                tally["events"] += 1
                if chance.random() < a.resend:
                    batch.append(chance.choice(recent))
                    tally["resent"] += 1
            producer.send(batch, keep_trying=lambda: time.monotonic() < end + a.patience)
    if tally["unacknowledged"]:
        print(f"producer: gave up: {producer.last_error}", file=sys.stderr)
    print(json.dumps({**tally, "seconds": round(time.monotonic() - start, 3)}))
    return 1 if tally["unacknowledged"] else 0


if __name__ == "__main__":
    sys.exit(main())
