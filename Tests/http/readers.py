"""Readers that look documents up without rest, for the tests of the read API.

    readers.py PORT MODEL [COUNT]   prints "reading" when MODEL can be read, looks its documents up until COUNT are read or SIGTERM
                                    comes, and prints what became of it as a line of JSON: reads, answers by code, failures of connections, how often a document went back, the slowest
                                    in seconds, and the first that failed

A document goes back where its answer has an earlier position than one that somebody was given before this one was asked for.
"""

import http.client
import json
import random
import signal
import sys
import threading
import time

READERS = 8
LIMIT = 30  # seconds for an answer

stop = threading.Event()
lock = threading.Lock()
newest = {}  # by id, (build, generation, offset) of the newest answer
result = {"reads": 0, "codes": {}, "broken": 0, "back": 0, "slowest": 0.0, "first": None}


def version(tag):
    """What an ETag says of a document: build, generation and offset."""
    build, generation, _, offset = tag.strip('"').split(".")[:4]
    return int(build), int(generation), int(offset)


def read(port, model, ids, count, number):
    rng = random.Random(number)
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=LIMIT)
    while not stop.is_set():
        key = rng.choice(ids)
        with lock:
            before = newest.get(key)
        began = time.monotonic()
        try:
            connection.request("GET", f"/v1/{model}/{key}")
            answer = connection.getresponse()
            text = answer.read()
            code, tag = answer.status, answer.headers.get("ETag")
        except (OSError, http.client.HTTPException) as error:
            connection.close()
            code, tag, text = None, None, repr(error).encode()
        seconds = time.monotonic() - began
        with lock:
            result["reads"] += 1
            result["slowest"] = max(result["slowest"], seconds)
            if code is None:
                result["broken"] += 1
            else:
                result["codes"][str(code)] = result["codes"].get(str(code), 0) + 1
            if code not in (200, 404) and result["first"] is None:
                result["first"] = text.decode(errors="replace")
            if tag:
                found = version(tag)
                if before and found < before:
                    result["back"] += 1
                newest[key] = max(found, newest.get(key, found))
            if count and result["reads"] >= count:
                stop.set()


def known(port, model):
    """Ids of documents, once the service has begun."""
    while not stop.wait(0.1):
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=LIMIT)
        connection.request("GET", f"/v1/{model}?limit=500&fields=_id")
        answer = connection.getresponse()
        if answer.status == 200:
            return [document["_id"] for document in json.load(answer)["documents"]]
    sys.exit("it was stopped before the service had begun")


def main():
    port, model = int(sys.argv[1]), sys.argv[2]
    count = int(sys.argv[3]) if len(sys.argv) > 3 else None
    signal.signal(signal.SIGTERM, lambda *_: stop.set())
    ids = known(port, model)
    print("reading", flush=True)
    threads = [threading.Thread(target=read, args=(port, model, ids, count, number)) for number in range(READERS)]
    for thread in threads:
        thread.start()
    while not stop.wait(0.1):
        pass
    for thread in threads:
        thread.join()
    print(json.dumps(result))


if __name__ == "__main__":
    main()
