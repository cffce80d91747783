"""Readers that look documents up without rest, for the tests of the read API.

    readers.py PORT MODEL READERS [COUNT]   prints "reading" when MODEL can be read, looks its documents up until COUNT are read or
                                            SIGTERM comes, and prints what became of it as a line of JSON: reads, answers by code,
                                            failures of connections, how often a document went back, the slowest in seconds, and the
                                            first answer that was no document

A document goes back where its answer has an earlier position than one that somebody was given before this one was asked for.
"""

import asyncio
import json
import random
import re
import signal
import sys
import time

LIMIT = 30  # seconds for an answer
TAG = re.compile(rb'etag: "(\d+)\.(\d+)\.\d+\.(\d+)\.', re.I)
LENGTH = re.compile(rb"content-length: (\d+)", re.I)


class Readers:
    def __init__(self, port, model, count):
        self.port, self.model, self.count = port, model, count
        self.stopped = False
        self.newest = {}  # by id, (build, generation, offset) of the newest answer
        self.result = {"reads": 0, "codes": {}, "broken": 0, "back": 0, "slowest": 0.0, "first": None}

    def stop(self):
        self.stopped = True

    async def known(self):
        """Ids of documents, once the service has begun."""
        while not self.stopped:
            reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
            code, _, body = await ask(reader, writer, f"/v1/{self.model}?limit=500&fields=_id")
            writer.close()
            if code == "200":
                return [document["_id"] for document in json.loads(body)["documents"]]
            await asyncio.sleep(0.1)
        sys.exit("it was stopped before the service had begun")

    async def read(self, ids, number):
        rng, connection, result = random.Random(number), None, self.result
        while not self.stopped:
            key = rng.choice(ids)
            before = self.newest.get(key)
            began = time.monotonic()
            try:
                connection = connection or await asyncio.open_connection("127.0.0.1", self.port)
                code, head, body = await asyncio.wait_for(ask(*connection, f"/v1/{self.model}/{key}"), LIMIT)
                result["codes"][code] = result["codes"].get(code, 0) + 1
            except (OSError, asyncio.IncompleteReadError, asyncio.TimeoutError) as error:
                code, head, body, connection = None, b"", repr(error).encode(), None
                result["broken"] += 1
            result["reads"] += 1
            result["slowest"] = max(result["slowest"], time.monotonic() - began)
            if code not in ("200", "404") and result["first"] is None:
                result["first"] = body.decode(errors="replace")
            if tag := TAG.search(head):
                found = tuple(map(int, tag.groups()))
                if before and found < before:
                    result["back"] += 1
                self.newest[key] = max(found, self.newest.get(key, found))
            if self.count and result["reads"] >= self.count:
                self.stop()


async def ask(reader, writer, path):
    """Return the code, the head and the body of what a GET gets."""
    writer.write(f"GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
    head = await reader.readuntil(b"\r\n\r\n")
    length = LENGTH.search(head)
    body = await reader.readexactly(int(length[1])) if length else b""
    return head.split(b" ", 2)[1].decode(), head, body


async def main():
    port, model, number = int(sys.argv[1]), sys.argv[2], int(sys.argv[3])
    readers = Readers(port, model, int(sys.argv[4]) if len(sys.argv) > 4 else None)
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, readers.stop)
    ids = await readers.known()
    print("reading", flush=True)
    await asyncio.gather(*(readers.read(ids, each) for each in range(number)))
    print(json.dumps(readers.result))


if __name__ == "__main__":
    asyncio.run(main())
