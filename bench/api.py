#!/usr/bin/env python3
"""Measures lookups over HTTP: of Millrace, of the peer, and of a server that answers nothing.

The documents of --events events over --keys keys are looked up by `wrk` with one thread, one contender after the other, with each
number of connections and each distribution of keys; figures are ratios within one round, medians of several.
"""
import contextlib
import json
import os
import shutil
import socket
import statistics
import subprocess
import sys
import time

import harness
from harness import BENCH, ROOT, WORK, Failed, note

DATABASE = "millrace_bench"
CONNECTIONS = (1, 64, 256)
# None of their requests may fail. The peer has been seen to leave some of 256 connections without an answer for two seconds.
OURS = ("millrace", "cached")
SECONDS = 5
PAUSE = 1


def main():
    p = harness.arguments("api", __doc__, rounds=3, events=100_000)
    p.add_argument("--keys", type=harness.positive, default=20_000)
    p.add_argument("--seconds", type=harness.positive, default=SECONDS, help="of each measurement")
    a = p.parse_args()
    return harness.report(a, lambda redis, mongo: measure(a, redis, mongo))


def measure(a, redis, mongo):
    harness.prepare(redis, mongo, DATABASE, harness.workload("api", a.events, a.keys, 0))
    harness.drain(a.millrace, redis, mongo, DATABASE)
    figures = []
    with serving(a, redis, mongo) as contenders:
        for number in range(a.rounds):
            for keys in ("uniform", "zipf"):
                for connections in CONNECTIONS:
                    row = {"round": number, "keys": keys, "connections": connections}
                    for name, (port, path, pid) in contenders.items():
                        row[name] = wrk(a, port, path, keys, connections, pid)
                        if (failed := row[name]["errors"]) and name in OURS:
                            raise Failed(f"{name}: {failed} requests failed, of {connections} connections and {row[name]['requests']} requests")
                        time.sleep(PAUSE)
                    figures.append(row)
                    note(f"round {number + 1} of {a.rounds}, {keys}, {connections}: " + ", ".join(f"{n} {row[n]['rate']:.0f}/s" for n in contenders))
    return {"figures": figures}, table(figures)


@contextlib.contextmanager
def serving(a, redis, mongo):
    """Start the contenders; yield their port, path and process by name."""
    ports = {name: free_port() for name in ("millrace", "cached", "peer", "empty")}
    environment = {**harness.environment(redis, mongo, DATABASE), "MILLRACE_API_LISTEN": f"127.0.0.1:{ports['millrace']}", "MILLRACE_HEALTH_LISTEN": "off"}
    # The peer reads the build itself, as Millrace does: through the view it would be slower.
    peer = {**environment, "MONGO": mongo, "DB": DATABASE, "SUFFIX": "@1", "PYTHONPATH": f"{ROOT / '.local/python-api'}:{ROOT / '.local/python'}"}
    commands = {
        "millrace": ([a.millrace, "serve", "--config", BENCH / "config"], environment, "/v1/product/product-"),
        "cached": (
            [a.millrace, "serve", "--config", cached()], {**environment, "MILLRACE_API_LISTEN": f"127.0.0.1:{ports['cached']}"}, "/v1/product/product-",
        ),
        "peer": (
            [sys.executable, "-m", "uvicorn", "--app-dir", BENCH, "peer_api:app", "--port", ports["peer"], "--log-level", "warning", "--no-access-log"],
            peer, "/v1/product/product-",
        ),
        "empty": ([ROOT / ".build/release/bare-bench", ports["empty"]], environment, "/"),
    }  # fmt: skip
    children = []
    try:
        contenders = {}
        for name, (command, env, path) in commands.items():
            log = open(WORK / f"api-{name}.log", "wb")
            child = subprocess.Popen([str(part) for part in command], stdin=subprocess.DEVNULL, stdout=log, stderr=log, env=env, start_new_session=True)
            children.append(child)
            contenders[name] = (ports[name], path, child.pid)
            wait_for(ports[name], name, child)
        yield contenders
    finally:
        for child in children:
            child.terminate()
        for child in children:
            child.wait(timeout=30)


def cached():
    """A configuration that keeps whole documents in memory."""
    config = WORK / "cached-config"
    shutil.rmtree(config, ignore_errors=True)
    shutil.copytree(BENCH / "config", config)
    with open(config / "models/product.yaml", "a") as model:
        model.write("cache: { maxBytes: 256MiB }\n")
    return config


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def wait_for(port, name, child, token=None):
    """Wait until a server takes connections, and answers."""
    end = time.monotonic() + 60
    who = f"Authorization: Bearer {token}\r\n" if token else ""
    while time.monotonic() < end:
        if child.poll() is not None:
            break
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=5) as s:
            s.sendall(f"GET /v1/product/product-1 HTTP/1.1\r\nHost: localhost\r\n{who}Connection: close\r\n\r\n".encode())
            if s.recv(64).split(b" ")[1:2] in ([b"200"], [b"404"]):
                return
        time.sleep(0.1)
    raise Failed(f"{name} does not serve:\n" + (WORK / f"api-{name}.log").read_text(errors="replace")[-2000:])


def wrk(a, port, path, keys, connections, pid):
    """One measurement; returns requests a second, latencies in milliseconds and the server's CPU a request."""
    command = ["wrk", "-t1", f"-c{connections}", f"-d{a.seconds}s", "-s", BENCH / "lookups.lua", f"http://127.0.0.1:{port}", "--", a.keys, keys, path]
    before = cpu(pid)
    outcome = harness.run([str(part) for part in command])
    used = cpu(pid) - before
    if outcome[0] != 0:
        raise Failed(f"wrk failed: {outcome[2]}")
    found = json.loads(outcome[1].strip().splitlines()[-1])
    return {
        "requests": found["requests"], "errors": found["errors"],
        "rate": found["requests"] / found["seconds"], "p50": found["p50"], "p99": found["p99"], "bad": found["bad"],
        "cpu_us": used / max(1, found["requests"]) * 1e6,
    }  # fmt: skip


def cpu(pid):
    """Seconds of CPU that a process has used."""
    fields = open(f"/proc/{pid}/stat").read().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def table(figures):
    lines = ["", "| keys | connections | Millrace | p50 / p99 ms | CPU | peer | times | empty | part of it | cached | CPU |", "|---|---|---|---|---|---|---|---|---|---|---|"]
    for keys in ("uniform", "zipf"):
        for connections in CONNECTIONS:
            rows = [row for row in figures if row["keys"] == keys and row["connections"] == connections]

            def median(of, rows=rows):
                return statistics.median(of(row) for row in rows)

            lines.append(
                f"| {keys} | {connections} | {median(lambda r: r['millrace']['rate']):,.0f}/s"
                f" | {median(lambda r: r['millrace']['p50']):.1f} / {median(lambda r: r['millrace']['p99']):.1f}"
                f" | {median(lambda r: r['millrace']['cpu_us']):.0f} µs | {median(lambda r: r['peer']['rate']):,.0f}/s"
                f" | {median(lambda r: r['millrace']['rate'] / r['peer']['rate']):.1f} | {median(lambda r: r['empty']['rate']):,.0f}/s"
                f" | {median(lambda r: r['millrace']['rate'] / r['empty']['rate']):.2f}"
                f" | {median(lambda r: r['cached']['rate']):,.0f}/s | {median(lambda r: r['cached']['cpu_us']):.0f} µs |"
            )
    return lines


if __name__ == "__main__":
    sys.exit(main())
