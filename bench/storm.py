#!/usr/bin/env python3
"""Measures what a storm of lookups does to a drain: five times as many as the read API admits, a fifth of them with bad tokens.

Undisturbed is the same load on a server that answers nothing; as a drain reads the ids of those before it, each is a bit slower than
the last, and the undisturbed one is measured before the storm and after it. While events are drained under either load, single lookups
are made and timed; and once more with as many lookups offered as half of what is admitted, which is the normal load. Ratios are within
one round, figures medians of several.
"""
import contextlib
import http.client
import json
import os
import shutil
import statistics
import subprocess
import sys
import threading
import time
from pathlib import Path

import harness
from api import DATABASE, cpu, free_port, wait_for
from harness import BENCH, ROOT, WORK, Failed, note

CONNECTIONS = 256
TIMES = 5  # of what is admitted
BAD = 5  # one of so many has a bad token
PROBE = 0.02  # seconds between two single lookups
SETTLE = 1.5  # seconds of load before the drain begins
ESTABLISHED, LISTENING = "01", "0A"  # as the kernel writes them


def main():
    p = harness.arguments("storm", __doc__, rounds=3, events=300_000)
    p.add_argument("--keys", type=harness.positive, default=20_000)
    p.add_argument("--rate", type=harness.positive, default=1000, help="lookups a second that are admitted")
    a = p.parse_args()
    return harness.report(a, lambda redis, mongo: measure(a, redis, mongo))


def measure(a, redis, mongo):
    config = WORK / "storm-config"
    shutil.rmtree(config, ignore_errors=True)
    shutil.copytree(BENCH / "config", config)
    with open(config / "millrace.yaml", "a") as settings:
        settings.write(f"api: {{ rate: {a.rate} }}\n")
    harness.prepare(redis, mongo, DATABASE, harness.workload("storm", 100_000, a.keys, 0))
    harness.drain(a.millrace, redis, mongo, DATABASE, config)
    environment = harness.environment(redis, mongo, DATABASE)
    good, bad = (token_command(a, config, environment, "create", name) for name in ("good", "bad"))
    token_command(a, config, environment, "revoke", bad["id"])
    tokens = (good["token"], bad["token"])
    ports = [free_port(), free_port()]
    millrace = [a.millrace, "serve", "--config", config]
    environment |= {"MILLRACE_API_LISTEN": f"127.0.0.1:{ports[0]}", "MILLRACE_HEALTH_LISTEN": "off"}
    children = []
    try:
        for command in (millrace, [ROOT / ".build/release/bare-bench", ports[1]]):
            log = open(WORK / f"storm-{len(children)}.log", "wb")
            children.append(
                subprocess.Popen([str(part) for part in command], stdin=subprocess.DEVNULL, stdout=log, stderr=log, env=environment, start_new_session=True)
            )
        wait_for(ports[0], "millrace", children[0], tokens[0])
        wait_for(ports[1], "empty", children[1])
        rounds = []
        for number in range(a.rounds):
            row = {}
            undisturbed = ("undisturbed", ports[1], "/", a.rate * TIMES)
            storm = ("storm", ports[0], "/v1/product/product-", a.rate * TIMES)
            normal = ("normal", ports[0], "/v1/product/product-", a.rate / 2)
            for place, (name, port, path, rate) in enumerate((undisturbed, storm, undisturbed, normal)):
                events = harness.workload("storm", a.events, a.keys, 1, "--seed", str(2 + 4 * number + place))
                found = under_load(a, redis, mongo, config, port, path, rate, tokens, events, children[0].pid)
                row.setdefault(name, []).append(found)
                note(f"round {number + 1} of {a.rounds}, {name}: {found}")
            rounds.append(row)
    finally:
        for child in children:
            child.terminate()
        for child in children:
            child.wait(timeout=30)
    return {"rounds": rounds}, table(a, rounds)


def token_command(a, config, environment, *words):
    """What a subcommand of `millrace token` prints."""
    return harness.result_of("millrace token", harness.run([a.millrace, "token", *words, "--json", "--config", config], env=environment))


def under_load(a, redis, mongo, config, port, path, rate, tokens, events, pid):
    """Drain while lookups are offered; returns what both did."""
    harness.push(redis, events)
    pause = CONNECTIONS / rate * 1000
    command = ["wrk", "-t1", f"-c{CONNECTIONS}", "-d600s", "-s", BENCH / "storm.lua", f"http://127.0.0.1:{port}", "--"]
    command += [a.keys, path, pause, *tokens, BAD]
    before = memory(pid)
    load = subprocess.Popen([str(part) for part in command], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    probes, stop = [], threading.Event()
    prober = threading.Thread(target=probe, args=(port, path, tokens, probes, stop))
    try:
        time.sleep(SETTLE)
        prober.start()
        used = cpu(pid)
        found = harness.drain(a.millrace, redis, mongo, DATABASE, config)
        used = cpu(pid) - used
        connections = opened_connections(pid)
    finally:
        stop.set()
        load.send_signal(2)
        out, err = load.communicate(timeout=60)
    prober.join()
    if load.returncode != 0:
        raise Failed(f"wrk failed: {err.decode()}")
    offered = json.loads(out.decode().strip().splitlines()[-1])
    return {
        "drain": found["events_per_second"], "drain_seconds": found["seconds"], "offered": offered["requests"] / offered["seconds"],
        "refused": offered["bad"] / max(1, offered["requests"]), "errors": offered["errors"], "memory": (before, memory(pid)),
        "connections": connections, "cpu": used / found["process_seconds"], "admitted": times(probes, 200), "refusals": times(probes, 429, 401, 503),
    }  # fmt: skip


def probe(port, path, tokens, probes, stop):
    """Single lookups, one after the other."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    number = 0
    while not stop.wait(PROBE):
        number += 1
        began = time.monotonic()
        connection.request("GET", f"{path}{number}", headers={"Authorization": f"Bearer {tokens[number % BAD == 0]}"})
        answer = connection.getresponse()
        answer.read()
        probes.append((answer.status, (time.monotonic() - began) * 1000))


def times(probes, *codes):
    """How many had one of these codes, and half and 99 of 100 of them took so many milliseconds at most."""
    found = sorted(time for code, time in probes if code in codes)
    if not found:
        return {"count": 0, "p50": 0, "p99": 0}
    return {"count": len(found), "p50": found[len(found) // 2], "p99": found[min(len(found) - 1, int(len(found) * 0.99))]}


def memory(pid):
    """MiB that a process has in memory."""
    with open(f"/proc/{pid}/status") as lines:
        return next(int(line.split()[1]) // 1024 for line in lines if line.startswith("VmRSS"))


def opened_connections(pid):
    """Connections that a process has opened to others: those whose own port nobody listens at."""
    own = set()
    for name in os.listdir(f"/proc/{pid}/fd"):
        with contextlib.suppress(OSError):
            own.add(os.readlink(f"/proc/{pid}/fd/{name}"))
    rows = [line.split() for line in Path("/proc/net/tcp").read_text().splitlines()[1:]]
    ports = {row[1].split(":")[1] for row in rows if row[3] == LISTENING}
    return sum(f"socket:[{row[9]}]" in own and row[3] == ESTABLISHED and row[1].split(":")[1] not in ports for row in rows)


def table(a, rounds):
    lines = ["", "| | undisturbed | normal | storm |", "|---|---|---|---|"]

    def line(name, form, of):
        cells = [format(statistics.median(of(found) for row in rounds for found in row[kind]), form) for kind in ("undisturbed", "normal", "storm")]
        lines.append(f"| {name} | {' | '.join(cells)} |")

    line("drain, events/s", ",.0f", lambda r: r["drain"])
    line("lookups offered a second", ",.0f", lambda r: r["offered"])
    line("part of them refused", ".2f", lambda r: r["refused"])
    line("admitted, p50 ms", ".1f", lambda r: r["admitted"]["p50"])
    line("admitted, p99 ms", ".1f", lambda r: r["admitted"]["p99"])
    line("refused, p99 ms", ".1f", lambda r: r["refusals"]["p99"])
    line("memory of the server, MiB", ".0f", lambda r: r["memory"][1])
    line("its connections to MongoDB and Redis", ".0f", lambda r: r["connections"])
    ratio = statistics.median(row["storm"][0]["drain"] / statistics.mean(found["drain"] for found in row["undisturbed"]) for row in rounds)
    slower = statistics.median(row["storm"][0]["admitted"]["p99"] / row["normal"][0]["admitted"]["p99"] for row in rounds)
    return lines + ["", f"drain under the storm, of undisturbed: {ratio:.2f}; p99 of admitted, of normal: {slower:.1f}"]


if __name__ == "__main__":
    sys.exit(main())
