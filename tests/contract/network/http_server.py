#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""http_server.py [CERT KEY]: the server of the HTTP contract, on a free loopback port.

Says on stdout: "port N", then "connection" and "request METHOD PATH" as they come.
Ends when its stdin does.
"""
import os
import socket
import ssl
import sys
import threading

BIG = b"x" * 1_000_000


def say(text):
    os.write(1, (text + "\n").encode())


def read_request(stream):
    line = stream.readline()
    if not line:
        return None
    method, path, _ = line.decode().split(" ", 2)
    headers = {}
    while (line := stream.readline().strip()):
        name, value = line.decode().split(":", 1)
        headers[name.strip().lower()] = value.strip()
    body = stream.read(int(headers.get("content-length", "0")))
    say(f"request {method} {path}")
    return method, path, headers, body


def answer(out, status, body=b"", headers=()):
    lines = [f"HTTP/1.1 {status}", f"Content-Length: {len(body)}", *headers, "", ""]
    out.write("\r\n".join(lines).encode() + body)
    out.flush()


def serve_one(out, request):
    """False: the connection ends."""
    method, path, headers, body = request
    if path == "/ok":
        answer(out, "200 OK")
    elif path == "/echo":
        text = f"{method}|{headers.get('content-type', '-')}|{headers.get('expect', '-')}|".encode()
        answer(out, "200 OK", text + body, ["X-Answer: Yes"])
    elif path == "/moved":
        answer(out, "301 Moved Permanently", b"", ["Location: /ok"])
    elif path == "/busy":
        answer(out, "503 Service Unavailable", b"<html>full</html>", ["Retry-After: 7"])
    elif path == "/big":
        answer(out, "200 OK", BIG)
    elif path == "/thousand":
        answer(out, "200 OK", b"y" * 1000)
    elif path == "/half":
        out.write(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nten bytes!")
        out.flush()
        return False
    elif path == "/half-headers":
        out.write(b"HTTP/1.1 200 OK\r\nContent-Le")
        out.flush()
        return False
    elif path == "/nothing":
        return None
    else:  # /cut
        return False
    return True


def serve(connection):
    try:
        with connection, connection.makefile("rb") as stream, connection.makefile("wb") as out:
            while (request := read_request(stream)) is not None:
                goes_on = serve_one(out, request)
                if goes_on is None:
                    stream.read()  # until the client has had enough
                    return
                if not goes_on:
                    connection.shutdown(socket.SHUT_RDWR)
                    return
    except (OSError, ValueError):
        pass


def take(connection, context):
    say("connection")
    if context is not None:
        try:
            connection = context.wrap_socket(connection, server_side=True)
        except OSError:
            return
    serve(connection)


def listen(context):
    listener = socket.socket()
    listener.bind(("127.0.0.1", 0))
    listener.listen(128)
    say(f"port {listener.getsockname()[1]}")
    while True:
        connection, _ = listener.accept()
        threading.Thread(target=take, args=(connection, context), daemon=True).start()


tls = None
if len(sys.argv) > 2:
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(sys.argv[1], sys.argv[2])
    if len(sys.argv) > 3:
        tls.load_verify_locations(sys.argv[3])
        tls.verify_mode = ssl.CERT_REQUIRED
threading.Thread(target=listen, args=(tls,), daemon=True).start()
sys.stdin.buffer.read()
