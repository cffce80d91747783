"""Clients that no HTTP library wants to be, for the tests of the read API.

    client.py PORT send            sends what is on standard input, and prints what comes back until the server closes or falls silent
    client.py PORT last            the same, and says that nothing more will come
    client.py PORT slowly SECONDS  sends what is on standard input, a byte every SECONDS, and prints after how many seconds it was left
    client.py PORT hold COUNT      keeps COUNT connections open that say nothing, prints what a request on one more gets, and then
                                   what one on each of them gets
    client.py PORT leave COUNT     sends what is on standard input COUNT times, and goes each time before an answer can come
    client.py PORT leave2 COUNT    the same of a request of HTTP/2
"""

import resource
import select
import socket
import ssl
import struct
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


def send(port, is_last):
    connection = connect(port)
    connection.sendall(sys.stdin.buffer.read())
    if is_last:
        connection.shutdown(socket.SHUT_WR)
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


def leave(port, count):
    text = sys.stdin.buffer.read()
    for _ in range(count):
        connection = connect(port)
        connection.sendall(text)
        # What is closed then is reset.
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        connection.close()


def frame(kind, flags, stream, payload=b""):
    """RFC 9113, 4.1."""
    return struct.pack(">I", len(payload))[1:] + struct.pack(">BBI", kind, flags, stream) + payload


def leave2(port, count):
    path, host = b"/v1/product/a", b"127.0.0.1"
    # RFC 7541, B: GET, https, and a path and an authority that are not indexed.
    head = b"\x82\x87\x04" + bytes([len(path)]) + path + b"\x01" + bytes([len(host)]) + host
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    context.set_alpn_protocols(["h2"])
    for _ in range(count):
        connection = context.wrap_socket(connect(port))
        cancel = frame(3, 0, 1, struct.pack(">I", 8))
        connection.sendall(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + frame(4, 0, 0) + frame(1, 5, 1, head) + cancel)
        # What it has to say first, so that it has read all.
        connection.recv(65536)
        connection.close()


if __name__ == "__main__":
    port, what, rest = int(sys.argv[1]), sys.argv[2], sys.argv[3:]
    if what in ("send", "last"):
        send(port, what == "last")
    elif what == "slowly":
        slowly(port, float(rest[0]))
    elif what == "hold":
        hold(port, int(rest[0]))
    elif what == "leave":
        leave(port, int(rest[0]))
    else:
        leave2(port, int(rest[0]))
