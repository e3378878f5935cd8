"""What a client may do to a server before and beside asking it for something."""

from __future__ import annotations

import json
import socket
import time
from collections.abc import Iterator
from urllib.parse import urlsplit

import pytest

from sendoff.api import connection
from sendoff.api.server import MAX_BODY_BYTES
from sendoff.client import connect
from sendoff.spec.workspace import CreateWorkspace

from .running import server


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator:
    with server(tmp_path_factory.mktemp("bounds") / "home") as found:
        with connect(server=found.url, token=found.token) as client:
            client.create_workspace(CreateWorkspace(name="default"))
        yield found


def opened(running) -> socket.socket:
    parts = urlsplit(running.url)
    return socket.create_connection((parts.hostname, parts.port), timeout=30)


def answer(link: socket.socket) -> tuple[int, bytes]:
    """Status and rest of what comes until the other side closes."""
    said = b""
    while part := link.recv(65536):
        said += part
    return int(said.split(b" ", 2)[1]), said


def asked(running, text: str, *more: bytes) -> tuple[int, bytes]:
    with opened(running) as link:
        head = text.replace("TOKEN", running.token).replace("\n", "\r\n")
        link.sendall(head.encode())
        for part in more:
            link.sendall(part)
        return answer(link)


GOOD = "GET /v1/workspaces HTTP/1.1\nHost: x\nAuthorization: Bearer TOKEN\nConnection: close\n"


def test_a_head_without_end_is_431(running) -> None:
    for endless in (b"x: " + b"y" * 1000 + b"\r\n", b"z" * 1000):
        with opened(running) as link:
            link.sendall(b"GET /v1/health HTTP/1.1\r\nHost: x\r\n")
            sent = 0
            with pytest.raises(OSError):
                while sent < 64 << 20:
                    sent += link.send(endless)
            assert sent < 8 << 20
    with opened(running) as link:
        link.sendall(b"GET /v1/health HTTP/1.1\r\nHost: x\r\nlong: " + b"y" * (connection.HEAD_BYTES + 10))
        assert answer(link)[0] == 431


def test_a_head_of_a_usual_size_is_taken(running) -> None:
    assert asked(running, GOOD + "x: " + "y" * 32000 + "\n\n")[0] == 200


def test_a_connection_that_asks_nothing_and_an_unfinished_head_are_closed_with_408(running) -> None:
    began = time.monotonic()
    with opened(running) as idle, opened(running) as slow:
        slow.sendall(b"GET /v1/health HT")
        assert answer(idle)[0] == answer(slow)[0] == 408
    assert 10 < time.monotonic() - began < 30


def test_a_second_request_has_its_own_time_and_one_that_is_answered_is_left_alone(running) -> None:
    with opened(running) as link:
        link.sendall(
            f"GET /v1/workspaces HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {running.token}\r\n\r\n".encode()
        )
        assert link.recv(65536).startswith(b"HTTP/1.1 200")
        link.sendall(b"GET /v1/health HT")
        assert answer(link)[0] == 408


def test_more_connections_than_there_may_be_are_503_and_the_others_still_served(running) -> None:
    most = connection.most_connections()
    held = []
    try:
        refused = None
        for _ in range(most + 20):
            held.append(opened(running))
        refused = [answer(link)[0] for link in held[-20:]]
        assert set(refused) == {503}
        held[0].sendall(b"GET /v1/health HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        assert answer(held[0])[0] == 200
    finally:
        for link in held:
            link.close()
    assert asked(running, GOOD + "\n")[0] == 200


def test_a_chunked_body_that_is_too_large_is_413(running) -> None:
    chunk = b"10000\r\n" + b"x" * 65536 + b"\r\n"
    head = GOOD.replace("GET", "POST") + "Transfer-Encoding: chunked\n\n"
    status, said = asked(running, head, chunk * (MAX_BODY_BYTES // 65536 + 16), b"0\r\n\r\n")
    assert status == 413
    assert b"larger than 16 MiB" in said


@pytest.mark.parametrize(
    ("text", "status", "says"),
    [
        (GOOD + "Authorization: Bearer TOKEN\n\n", 400, b"several Authorization"),
        (GOOD.replace("GET", "TRACE") + "\n", 405, b"not_supported"),
        (GOOD.replace("/workspaces", f"/workspaces/default/models/m:{1 << 63}") + "\n", 404, b"model_not_found"),
        (GOOD.replace("/workspaces", f"/workspaces/default/models/m:{'9' * 5000}") + "\n", 404, b"model_not_found"),
        (GOOD.replace("/workspaces", f"/workspaces/default/datasets/d:{1 << 64}") + "\n", 404, b"not_found"),
        (GOOD.replace("/workspaces", f"/workspaces/default/services/s/revisions/{1 << 64}") + "\n", 404, b"not_found"),
    ],
    ids=["two authorizations", "trace", "large version", "endless version", "large dataset version", "large revision"],
)
def test_what_is_wrong_gets_its_own_status(running, text: str, status: int, says: bytes) -> None:
    found, said = asked(running, text)
    assert (found, says in said) == (status, True), said


@pytest.mark.parametrize(
    ("body", "says"),
    [
        (b'{"name": "a1", "name": "b1"}', "'name' is there twice"),
        (b'{"name": "a1", "tags": {"t": "1", "t": "2"}}', "'t' is there twice"),
        (
            json.dumps({f"n{n}": 1 for n in range(200_000)})[:-1].encode() + b', "last": 1, "last": 2}',
            "'last' is there twice",
        ),
        (b"[" * 200_000, "nested too deep"),
        (b'{"name": ', "not valid JSON"),
        (b'{"name": "\xff"}', "not valid JSON"),
    ],
    ids=["name", "tag", "among 200,000 names", "deep", "cut off", "no UTF-8"],
)
def test_a_body_that_each_would_read_otherwise_is_refused(running, body: bytes, says: str) -> None:
    head = GOOD.replace("GET", "POST") + f"Content-Length: {len(body)}\n\n"
    status, said = asked(running, head, body)
    error = json.loads(said.partition(b"\r\n\r\n")[2])["error"]
    assert (status, error["code"]) == (400, "invalid_input")
    assert says in error["message"]
