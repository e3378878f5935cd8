"""A head that comes again on a connection is not parsed again; nobody can tell from the answers."""

from __future__ import annotations

import random
import socket

from .running import read_all

RAW = """
    from azureml.contrib.services.aml_request import AMLRequest, rawhttp
    from azureml.contrib.services.aml_response import AMLResponse

    def init():
        pass

    @rawhttp
    def run(request):
        names = ",".join(sorted(name.lower() for name, _ in request.headers.items()))
        length = request.headers["Content-Length"]
        body = request.get_data()
        return AMLResponse(names.encode() + b" " + length.encode() + b" " + body, 200)
"""
ECHO = "def init(): pass\ndef run(data): return data\n"


def head(length: int, *lines: str, path: str = "/score") -> bytes:
    text = "\r\n".join([f"POST {path} HTTP/1.1", "Host: a", *lines, f"Content-Length: {length}", "X-Last: 1"])
    return text.encode() + b"\r\n\r\n"


def one(link: socket.socket) -> tuple[int, bytes]:
    """Read one answer."""
    got = b""
    while b"\r\n\r\n" not in got:
        data = link.recv(65536)
        assert data, got
        got += data
    top, _, body = got.partition(b"\r\n\r\n")
    length = next(int(line.split(b":")[1]) for line in top.split(b"\r\n") if line.lower().startswith(b"content-length"))
    while len(body) < length:
        data = link.recv(65536)
        assert data, got
        body += data
    assert len(body) == length, body
    return int(top.split()[1]), body


def test_bodies_of_other_lengths_under_the_same_head(serve) -> None:
    server = serve(RAW)
    with server.connect() as link:
        for size in (3, 3, 5, 0, 12345, 3, 100, 99, 1, 70_000, 3):
            body = bytes(random.Random(size).randbytes(size))
            link.sendall(head(size) + body)
            status, got = one(link)
            assert (status, got) == (200, b"content-length,host,x-last %d " % size + body)


def test_requests_however_they_are_cut_after_one_that_came_whole(serve) -> None:
    server = serve(ECHO)
    rng = random.Random(1)
    stream = b"".join(head(len(text)) + text for text in (b"%d" % 7**n for n in range(60)))
    with server.connect() as link:
        link.sendall(head(1) + b"1")
        assert one(link) == (200, b'"1"')
        got, sent = b"", 0
        while sent < len(stream):
            size = rng.choice((1, 7, 60, 200, 1000))
            link.sendall(stream[sent : sent + size])
            sent += size
        link.shutdown(socket.SHUT_WR)
        got = read_all(link)
    assert [line for line in got.split(b"\r\n") if line.startswith(b'"')] or got.count(b" 200 OK") == 60
    assert got.count(b" 200 OK") == 60
    for n in range(60):
        assert b'\r\n\r\n"%d"' % 7**n in got


def test_what_follows_a_known_head_is_still_looked_at(serve) -> None:
    server = serve(ECHO, "--max-body-bytes", 50)
    good = head(1) + b"1"
    for bad, status in (
        (head(51) + b"x" * 51, b" 413 "),
        (head(1).replace(b"POST", b"DELETE") + b"1", b" 405 "),
        (head(1, path="/none") + b"1", b" 404 "),
        (head(1).replace(b"Content-Length: 1", b"Content-Length: 1x") + b"1", b" 400 "),
        (head(1).replace(b"Content-Length: 1", b"Content-Length: +1") + b"1", b" 400 "),
        (head(1).replace(b"Content-Length: 1\r\n", b"Content-Length: 1\r\nContent-Length: 1\r\n") + b"1", b" 400 "),
        (head(1).replace(b"Host: a\r\n", b"") + b"1", b" 400 "),
        (head(1, "Connection: close") + b"1", b" 200 "),
    ):
        with server.connect(5) as link:
            for _ in range(3):
                link.sendall(good)
                assert one(link)[0] == 200
            link.sendall(bad)
            link.shutdown(socket.SHUT_WR)
            assert status in read_all(link), bad


def test_each_request_under_one_head_has_its_own_id(serve) -> None:
    server = serve(ECHO)
    with server.connect() as link:
        seen = set()
        for _ in range(250):
            link.sendall(head(1) + b"1")
            data = link.recv(65536)
            seen.add(next(line for line in data.split(b"\r\n") if line.startswith(b"x-request-id")))
    assert len(seen) == 250
