"""The HTTP layer against clients that are odd, slow or hostile (RFC 9112)."""

from __future__ import annotations

import json
import re
import socket
import time

import pytest

from .running import Server, eventually, read_all

ECHO = """
    import time

    def init():
        pass

    def run(data):
        if data.startswith("sleep"):
            time.sleep(float(data.split()[1]))
        return data
"""
POST = b"POST /score HTTP/1.1\r\nHost: a\r\n"


@pytest.fixture
def server(shared) -> Server:
    return shared(
        ECHO,
        *("--max-body-bytes", 1000, "--head-seconds", 1.5, "--body-seconds", 1.5, "--idle-seconds", 3),
        *("--linger-seconds", 1, "--workers", 2),
    )


def statuses(stream: bytes) -> list[int]:
    return [int(part.split(b" ", 1)[0]) for part in stream.split(b"HTTP/1.1 ")[1:]]


def test_a_connection_is_kept_and_closed_as_the_client_asks(server: Server) -> None:
    with server.connect() as link:
        for _ in range(3):
            link.sendall(POST + b'Content-Length: 2\r\n\r\n"a')
            answer = link.recv(65536)
            assert answer.startswith(b"HTTP/1.1 200 OK\r\n") and b"connection" not in answer.lower()
        link.sendall(POST + b"Connection: close\r\nContent-Length: 0\r\n\r\n")
        answer = read_all(link)
    assert statuses(answer) == [200] and b"Connection: close\r\n" in answer


def test_http_1_0_closes_unless_asked_to_keep(server: Server) -> None:
    answer = server.raw(b"POST /score HTTP/1.0\r\nContent-Length: 1\r\n\r\nx")
    assert statuses(answer) == [200] and b"Connection: close\r\n" in answer
    with server.connect() as link:
        link.sendall(b"GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n")
        assert b"Connection: keep-alive\r\n" in link.recv(65536)
        link.sendall(b"GET / HTTP/1.0\r\n\r\n")
        assert statuses(read_all(link)) == [200]


def test_pipelined_requests_are_answered_in_order(server: Server) -> None:
    bodies = [b"sleep 0.3", b"b", b"c", b"", b"e"]
    stream = b"".join(POST + b"Content-Length: %d\r\n\r\n%b" % (len(body), body) for body in bodies)
    stream += b"GET / HTTP/1.1\r\nHost: a\r\n\r\nGET /nowhere HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"
    answer = server.raw(stream)
    assert statuses(answer) == [200] * 6 + [404]
    order = [answer.index(piece) for piece in (b'"sleep 0.3"', b'"b"', b'"c"', b'""', b'"e"', b"Healthy")]
    assert order == sorted(order)


def test_a_thousand_pipelined_requests_are_all_answered(server: Server) -> None:
    stream = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n" * 999 + b"GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"
    assert statuses(server.raw(stream)) == [200] * 1000


def test_what_follows_a_closing_request_is_not_looked_at(server: Server) -> None:
    answer = server.raw(POST + b"Connection: close\r\nContent-Length: 1\r\n\r\naGET / HTTP/1.1\r\nHost: a\r\n\r\n")
    assert statuses(answer) == [200]


def test_chunked_bodies_with_extensions_and_trailers(server: Server) -> None:
    body = b"2;x=y\r\nab\r\n1\r\nc\r\n0\r\nX-Trailer: t\r\n\r\n"
    answer = server.raw(POST + b"Transfer-Encoding: chunked\r\nConnection: close\r\n\r\n" + body)
    assert statuses(answer) == [200] and answer.endswith(b'"abc"')


def test_requests_cut_at_every_byte_are_read(server: Server) -> None:
    stream = POST + b"Transfer-Encoding: chunked\r\nConnection: close\r\n\r\n2\r\nab\r\n0\r\n\r\n"
    with server.connect() as link:
        link.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for at in range(len(stream)):
            link.sendall(stream[at : at + 1])
        assert read_all(link).endswith(b'"ab"')


@pytest.mark.parametrize(
    ("stream", "status"),
    [
        (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n", 400),  # TLS spoken to a plain port
        (b"hello\r\n\r\n", 400),
        (b"GET /\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\n\r\n", 400),  # no Host
        (b"GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\nHost: a\r\nBad Header: b\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\nHost: a\r\nX: 1\r\n folded\r\n\r\n", 400),
        (b"GET / HTTP/3.7\r\nHost: a\r\n\r\n", 400),
        (POST + b"Content-Length: -1\r\n\r\n", 400),
        (POST + b"Content-Length: 1\r\nContent-Length: 2\r\n\r\nab", 400),
        (POST + b"Content-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400),
        (POST + b"Transfer-Encoding: gzip\r\n\r\n", 400),
        (POST + b"Transfer-Encoding: chunked\r\n\r\nzz\r\n", 400),
        (POST + b"Content-Length: 99999999999999999999999999\r\n\r\n", 400),
        (POST + b"Content-Length: 1001\r\n\r\n", 413),
        (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 400),
        (b"CONNECT a:80 HTTP/1.1\r\nHost: a\r\n\r\n", 404),
        (b"BREW /score HTTP/1.1\r\nHost: a\r\n\r\n", 405),
        (b"GET /" + b"x" * 20_000 + b" HTTP/1.1\r\nHost: a\r\n\r\n", 414),
        (b"GET / HTTP/1.1\r\nHost: a\r\nX: " + b"y" * 70_000 + b"\r\n\r\n", 431),
        (b"GET / HTTP/1.1\r\nHost: a\r\n" + b"X: y\r\n" * 200 + b"\r\n", 431),
        (POST + b"Expect: a-miracle\r\nContent-Length: 1\r\n\r\n", 417),
    ],
)
def test_malformed_requests_get_an_error_and_the_connection_ends(server: Server, stream: bytes, status: int) -> None:
    answer = server.raw(stream)
    assert statuses(answer) == [status]
    body = json.loads(answer.partition(b"\r\n\r\n")[2])
    assert body["status_code"] == status and body["message"]
    assert server.get("/").status == 200


def test_methods_and_paths(server: Server) -> None:
    assert server.get("/").body == b"Healthy"
    head = server.request("HEAD", "/")
    assert (head.status, head.body, head.headers["Content-Length"]) == (200, b"", "7")
    assert server.request("HEAD", "/score").status == 405
    for method in ("PUT", "DELETE", "PATCH"):
        answer = server.request(method, "/score", b"x")
        assert (answer.status, answer.headers["Allow"]) == (405, "GET, OPTIONS, POST")
        assert answer.json["message"] == "The method is not allowed for the requested URL."
        assert answer.headers["x-request-id"] is None
    assert server.request("POST", "/", b"x").status == 405
    assert server.get("/favicon.ico").status == 404
    assert server.get("/score/").status == 404
    assert server.get("/..%2fscore").status == 404


def test_a_refused_request_with_a_small_body_keeps_its_connection(server: Server) -> None:
    with server.connect() as link:
        link.sendall(b"POST /nowhere HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nabcde")
        assert statuses(link.recv(65536)) == [404]
        link.sendall(POST + b"Connection: close\r\nContent-Length: 1\r\n\r\nx")
        assert read_all(link).endswith(b'"x"')


def test_expect_100_continue_is_answered_before_the_body(server: Server) -> None:
    with server.connect() as link:
        link.sendall(POST + b"Expect: 100-continue\r\nConnection: close\r\nContent-Length: 3\r\n\r\n")
        assert link.recv(65536) == b"HTTP/1.1 100 Continue\r\n\r\n"
        link.sendall(b"abc")
        assert read_all(link).endswith(b'"abc"')
    answer = server.raw(POST + b"Expect: 100-continue\r\nContent-Length: 1001\r\n\r\n")
    assert statuses(answer) == [413]


@pytest.mark.parametrize("before", [0, 3], ids=["first", "later"])
def test_expect_100_continue_behind_a_request_that_runs_is_answered_after_it(server: Server, before: int) -> None:
    with server.connect() as link:
        for _ in range(before):
            link.sendall(POST + b"Content-Length: 1\r\n\r\nx")
            assert link.recv(65536).endswith(b'"x"')
        link.sendall(POST + b"Content-Length: 9\r\n\r\nsleep 0.5")
        time.sleep(0.1)
        link.sendall(POST + b"Expect: 100-continue\r\nConnection: close\r\nContent-Length: 3\r\n\r\n")
        got = b""
        while not got.endswith(b"HTTP/1.1 100 Continue\r\n\r\n"):
            piece = link.recv(65536)
            assert piece and b" 408 " not in piece, got + piece
            got += piece
        link.sendall(b"abc")
        assert statuses(got + read_all(link)) == [200, 100, 200]


def test_a_client_that_asks_on_and_reads_none_of_its_large_answers_is_given_up(serve) -> None:
    server = serve("X = 'x' * 1_000_000\ndef init(): pass\ndef run(data): return X\n")

    def answered() -> int:
        found = re.search(r'requests_total\{code="200",reason="ok"\} (\d+)\n', server.get("/metrics").body.decode())
        return int(found.group(1)) if found else 0

    def answered_when_it_stops() -> int:
        before = answered()
        time.sleep(0.5)
        return before if before > 60 and answered() == before else 0

    with server.connect() as link:
        link.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        link.sendall((POST + b"Content-Length: 1\r\n\r\nx") * 150)
        assert eventually(answered_when_it_stops, 30) < 100  # the limit is 64 MiB


def test_a_body_over_the_limit_is_refused_by_its_length_and_while_it_comes(server: Server) -> None:
    answer = server.raw(POST + b"Content-Length: 100000000\r\n\r\n" + b"x" * 100)
    assert statuses(answer) == [413]
    body = json.loads(answer.partition(b"\r\n\r\n")[2])
    assert body["code"] == "body_too_large" and "max_body_bytes" in body["hint"] and "1000" in body["message"]
    chunk = b"1f4\r\n" + b"x" * 500 + b"\r\n"
    assert statuses(server.raw(POST + b"Transfer-Encoding: chunked\r\n\r\n" + chunk * 3)) == [413]


def test_a_client_that_sends_its_large_body_all_the_same_can_read_the_refusal(server: Server) -> None:
    answer = server.request("POST", "/score", b"x" * 5_000_000)
    assert answer.status == 413


def test_a_hundred_megabytes_are_refused_without_being_kept(serve) -> None:
    server = serve(ECHO, "--max-body-bytes", 1_000_000)
    before = rss_mb(server.process.pid)
    with server.connect(30) as link:
        link.sendall(POST + b"Transfer-Encoding: chunked\r\n\r\n")
        try:
            for _ in range(100):
                link.sendall(b"100000\r\n" + b"x" * 1_048_576 + b"\r\n")
        except OSError:
            pass
    assert rss_mb(server.process.pid) - before < 20
    assert server.score("x").status == 200


def rss_mb(pid: int) -> float:
    with open(f"/proc/{pid}/statm") as file:
        return int(file.read().split()[1]) * 4096 / 1e6


def test_upgrades_are_ignored_also_with_a_body(server: Server) -> None:
    upgrade = b"Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQ\r\n"
    stream = POST + upgrade + b"Content-Length: 3\r\n\r\nabc"
    stream += b"GET / HTTP/1.1\r\nHost: a\r\n" + upgrade + b"\r\n"
    stream += POST + b"Connection: close\r\nContent-Length: 1\r\n\r\nz"
    answer = server.raw(stream)
    assert statuses(answer) == [200, 200, 200]
    assert b'"abc"' in answer and answer.endswith(b'"z"')


def test_a_client_that_closes_its_sending_side_still_gets_its_answer(server: Server) -> None:
    with server.connect() as link:
        link.sendall(POST + b"Content-Length: 9\r\n\r\nsleep 0.3")
        link.shutdown(socket.SHUT_WR)
        assert read_all(link).endswith(b'"sleep 0.3"')


def test_a_head_that_does_not_come_is_answered_408(server: Server) -> None:
    with server.connect() as link:
        start = time.monotonic()
        link.sendall(b"POST /score HT")
        assert statuses(read_all(link)) == [408]
        assert time.monotonic() - start < 8


def test_a_head_that_trickles_is_answered_408(server: Server) -> None:
    with server.connect() as link:
        link.sendall(POST)
        answer = b""
        link.settimeout(0.2)
        for _ in range(60):
            try:
                link.sendall(b"X: y\r\n")
                answer += link.recv(65536)
            except TimeoutError:
                continue
            except OSError:
                break
            if answer:
                break
        assert statuses(answer) == [408]


def test_a_body_that_does_not_come_is_answered_408_and_holds_no_worker(server: Server) -> None:
    links = [server.connect() for _ in range(20)]
    for link in links:
        link.sendall(POST + b"Content-Length: 500\r\n\r\nabc")
    start = time.monotonic()
    assert server.score("x").status == 200
    assert time.monotonic() - start < 1.0
    assert [statuses(read_all(link)) for link in links] == [[408]] * 20
    for link in links:
        link.close()


def test_idle_connections_are_closed(server: Server) -> None:
    with server.connect() as link:
        assert link.recv(1) == b""


def test_a_client_that_does_not_read_does_not_hold_a_worker(serve) -> None:
    server = serve("def init(): pass\ndef run(data): return 'x' * 20_000_000\n", "--write-seconds", 2)
    links = []
    for _ in range(3):
        link = socket.socket()
        link.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        link.connect(("127.0.0.1", server.port))
        link.sendall(POST + b"Content-Length: 0\r\n\r\n")
        links.append(link)
    assert server.score("", timeout=20).status == 200
    # The unread answers are given up: only the connection that asks is left.
    eventually(lambda: b"sendoff_connections 1\n" in server.get("/metrics").body)
    assert all(len(read_all(link)) < 20_000_000 for link in links)
    for link in links:
        link.close()


def test_absolute_targets_and_prefixes_reach_the_routes(serve) -> None:
    server = serve(ECHO, "--path-prefix", "/api/v1/service/echo/")
    assert server.score("x").status == 200
    assert server.request("POST", "/api/v1/service/echo/score", b"y").body == b'"y"'
    assert server.get("/api/v1/service/echo/").body == b"Healthy"
    answer = server.raw(b"GET http://a/ HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
    assert statuses(answer) == [200]
    assert "/api/v1/service/echo/score" in server.get("/swagger.json").json["paths"]


def test_a_connection_too_many_is_told_so_and_does_not_stay(serve) -> None:
    server = serve(ECHO, "--connections", 2)
    with server.connect() as one, server.connect() as two:

        def metrics() -> bytes:
            one.sendall(b"GET /metrics HTTP/1.1\r\nHost: a\r\n\r\n")
            return one.recv(65536)

        two.sendall(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
        assert statuses(two.recv(65536)) == [200]
        with server.connect() as refused:
            answer = read_all(refused)
            assert statuses(answer) == [503] and b"Connection: close\r\n" in answer
            assert b"Too many connections" in answer
            # It is not one of the many, although its client keeps its side open.
            eventually(lambda: b"sendoff_connections 2\n" in metrics())
    eventually(lambda: server.score("x").status == 200)
