"""Clients that no HTTP library wants to be, for the tests of the read API.

    client.py PORT send            sends what is on standard input, and prints what comes back until the server closes or falls silent
    client.py PORT slowly SECONDS  sends what is on standard input, a byte every SECONDS, and prints after how many seconds it was left
    client.py PORT hold COUNT      keeps COUNT connections open that say nothing, prints what a request on one more gets, and then
                                   what one on each of them gets
"""

import resource
import select
import socket
import sys
import time

SILENCE = 3
REQUEST = b"GET /v1 HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"


def connect(port):
    return socket.create_connection(("127.0.0.1", port), timeout=60)


def says(connection, seconds):
    """Whether something comes in this time. Not by `select`, which knows no more than 1,024 files."""
    poll = select.poll()
    poll.register(connection, select.POLLIN)
    return bool(poll.poll(seconds * 1000))


def answer(connection):
    """What comes until the server closes, or says nothing for a while; and whether it closed."""
    found = b""
    while says(connection, SILENCE):
        try:
            part = connection.recv(65536)
        except ConnectionResetError:
            part = b""
        if not part:
            return found, True
        found += part
    return found, False


def send(port):
    connection = connect(port)
    connection.sendall(sys.stdin.buffer.read())
    found, is_closed = answer(connection)
    sys.stdout.buffer.write(found + (b"\nclosed" if is_closed else b"\nopen"))


def slowly(port, pause):
    connection = connect(port)
    began = time.monotonic()
    for byte in sys.stdin.buffer.read():
        try:
            connection.sendall(bytes([byte]))
        except (BrokenPipeError, ConnectionResetError):
            break
        if says(connection, pause):
            break
    print(time.monotonic() - began)


def hold(port, count):
    most = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    connections = [connect(port) for _ in range(count)]
    one_more = connect(port)
    one_more.sendall(REQUEST)
    print(answer(one_more)[0].split(b"\r\n")[0].decode() or "nothing")
    good = 0
    for connection in connections:
        connection.sendall(REQUEST)
    for connection in connections:
        good += connection.recv(65536).startswith(b"HTTP/1.1 200")
        connection.close()
    print(good)
    print(answer(one_more)[0].split(b"\r\n")[0].decode() or "nothing")


if __name__ == "__main__":
    port, what, rest = int(sys.argv[1]), sys.argv[2], sys.argv[3:]
    if what == "send":
        send(port)
    elif what == "slowly":
        slowly(port, float(rest[0]))
    else:
        hold(port, int(rest[0]))
