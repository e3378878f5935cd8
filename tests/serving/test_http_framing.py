"""Which requests are taken, where they end, and that no answer is taken for two (RFC 9110, RFC 9112)."""

from __future__ import annotations

import json
import socket
import time
from collections.abc import Iterator

import pytest

from .running import Server, eventually, read_all, write_script
from .test_http import ECHO, POST, statuses

CLOSE = b"Connection: close\r\n"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    folder = tmp_path_factory.mktemp("framing")
    running = Server("--entry-script", write_script(folder, ECHO), cwd=folder).wait_listening()
    yield running
    running.stop()


def code_of(answer: bytes) -> str:
    code: str = json.loads(answer.rpartition(b"\r\n\r\n")[2])["code"]
    return code


@pytest.mark.parametrize(
    "line", [b"GET / HTTP/2.0", b"GET / HTTP/0.9", b"GET /", b"GET / HTTP/2.0\r\nConnection: keep-alive"]
)
def test_other_versions_of_http_are_refused_and_the_connection_ends(server: Server, line: bytes) -> None:
    answer = server.raw(line + b"\r\nHost: a\r\n\r\n" + b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
    assert statuses(answer) == [400] and CLOSE in answer and code_of(answer) == "bad_request"


@pytest.mark.parametrize(
    "host",
    [b"bad host", b"a@b", b"a/b", b"a,b c", b"a:b", b"a:1:2", b"[::1", b"::1", b'"a"', b"a?b", b"\xc3\xa4.example"],
)
def test_a_host_header_that_is_no_host_is_refused(server: Server, host: bytes) -> None:
    answer = server.raw(b"GET / HTTP/1.1\r\nHost: " + host + b"\r\n" + CLOSE + b"\r\n")
    assert statuses(answer) == [400] and b"Host header" in answer


@pytest.mark.parametrize(
    "head",
    [b"POST /score HTTP/1.1\r\n", b"POST http:/// HTTP/1.1\r\nHost: a\r\n", b"POST /score HTTP/2.0\r\nHost: a\r\n"],
)
def test_a_malformed_head_is_answered_before_its_body_comes(server: Server, head: bytes) -> None:
    answer = server.raw(head + b"Content-Length: 5\r\n\r\n")
    assert statuses(answer) == [400] and CLOSE in answer


@pytest.mark.parametrize(
    "host",
    [
        b"a",
        b"a:80",
        b"a:",
        b"",
        b"127.0.0.1:5001",
        b"[::1]:80",
        b"[fe80::1%25eth0]",
        b"my_service.ns.svc:1",
        b"a%20b",
        b"A.",
    ],
)
def test_a_host_in_any_of_its_forms_is_taken(server: Server, host: bytes) -> None:
    assert statuses(server.raw(b"GET / HTTP/1.1\r\nHost:" + host + b"\r\n" + CLOSE + b"\r\n")) == [200]


@pytest.mark.parametrize(
    ("head", "status"),
    [
        (b"POST /score HTTP/1.0\r\nConnection: keep-alive\r\nTransfer-Encoding: chunked\r\n", 400),
        (POST + b"Transfer-Encoding: nonsense\r\n", 400),
        (POST + b"Transfer-Encoding: xchunked\r\n", 400),
        (POST + b"Transfer-Encoding: \xa0chunked\r\n", 400),
        (POST + b"Transfer-Encoding: chunked, identity\r\n", 400),
        (POST + b"Transfer-Encoding: gzip, chunked\r\n", 501),
        (POST + b"Transfer-Encoding: gzip\r\nTransfer-Encoding: chunked\r\n", 501),
        (POST + b"Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n", 400),
        # The way that the body ends is looked at before the route: what is behind it is never taken for a request.
        (b"POST /nowhere HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked, gzip\r\n", 400),
    ],
)
def test_a_body_in_another_coding_than_chunked_is_refused(server: Server, head: bytes, status: int) -> None:
    answer = server.raw(head + b"\r\n3\r\nabc\r\n0\r\n\r\n" + b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
    assert statuses(answer) == [status] and CLOSE in answer
    assert code_of(answer) == {400: "bad_request", 501: "transfer_coding_unsupported"}[status]


@pytest.mark.parametrize("coding", [b"chunked", b"Chunked", b"\tCHUNKED ", b"chunked "])
def test_chunked_is_taken_in_any_case(server: Server, coding: bytes) -> None:
    head = POST + b"Transfer-Encoding:" + coding + b"\r\n" + CLOSE + b"\r\n"
    assert server.raw(head + b"3\r\nabc\r\n0\r\n\r\n").endswith(b'"abc"')


@pytest.mark.parametrize("method", [b"BREW", b"get", b"X-Y", b"A_1", b"-blargh"])
def test_an_unknown_method_is_not_allowed_and_what_is_none_is_malformed(server: Server, method: bytes) -> None:
    assert statuses(server.raw(method + b" /score HTTP/1.1\r\nHost: a\r\n\r\n")) == [405]
    assert statuses(server.raw(b"\r\n" + method + b" /score HTTP/1.1\r\nHost: a\r\n\r\n")) == [405]
    good = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"
    for bad in (b"\0 / HTTP/1.1\r\n\r\n", b"G(T / HTTP/1.1\r\nHost: a\r\n\r\n", b"PROXY TCP4 1.2.3.4 1.2.3.4 5 6\r\n"):
        assert statuses(server.raw(bad)) == [400]
        assert statuses(server.raw(good + bad)) == [200, 400]


@pytest.mark.parametrize("head", [b"POST /score HTTP/1.0\r\n", POST + CLOSE])
def test_bytes_after_the_last_request_do_not_cost_the_client_its_answer(server: Server, head: bytes) -> None:
    with server.connect() as link:
        link.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        link.sendall(head + b"Content-Length: 2\r\n\r\nok")
        first = link.recv(1)
        for _ in range(3):  # as old clients end a body with a line break, and others pipeline on
            time.sleep(0.05)
            link.sendall(b"\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n")  # a connection that was reset would raise here
        answer = first
        while data := link.recv(65536):
            answer += data
    assert statuses(answer) == [200] and answer.endswith(b'"ok"')


def test_a_client_that_leaves_a_closed_connection_open_is_left(serve) -> None:
    server = serve(ECHO, "--linger-seconds", 1)
    with server.connect() as link:
        link.sendall(POST + CLOSE + b"Content-Length: 2\r\n\r\nok")
        assert read_all(link).endswith(b'"ok"')
        eventually(lambda: b"sendoff_connections 1\n" in server.get("/metrics").body)


STATUSES = """
    from azureml.contrib.services.aml_request import rawhttp
    from azureml.contrib.services.aml_response import AMLResponse

    def init():
        pass

    @rawhttp
    def run(request):
        pieces = (b"piece %d" % n for n in range(int(request.args["pieces"]))) if "pieces" in request.args else "text"
        return AMLResponse(pieces, int(request.args["status"]), {"X-Odd": request.args.get("odd", "")})
"""


def test_answers_without_content_have_none_whatever_the_script_gives(serve) -> None:
    server = serve(STATUSES)
    for status in (204, 205, 304):
        for more in ("", "&pieces=0", "&pieces=3"):
            get = f"GET /score?status={status}{more} HTTP/1.1\r\nHost: a\r\n\r\n".encode()
            answer = server.raw(get + b"GET / HTTP/1.1\r\nHost: a\r\n" + CLOSE + b"\r\n")
            head, _, rest = answer.partition(b"\r\n\r\n")
            assert head.startswith(b"HTTP/1.1 %d " % status) and rest.startswith(b"HTTP/1.1 200 OK\r\n"), answer
            assert b"transfer-encoding" not in head.lower()
            assert (b"content-length: 0" in head.lower()) == (status == 205)
    answer = server.get("/score?status=201&pieces=3")
    assert (answer.status, answer.body) == (201, b"piece 0piece 1piece 2")


def test_a_scripts_header_with_a_control_character_is_left_out_and_said(serve) -> None:
    server = serve(STATUSES)
    for character in ("%0b", "%01", "%7f", "%00", "%0d%0aX-Other:1"):
        answer = server.get(f"/score?status=200&odd=a{character}b")
        assert answer.status == 200 and answer.headers["X-Odd"] is None and answer.headers["X-Other"] is None
    assert server.get("/score?status=200&odd=a%09b").headers["X-Odd"] == "a\tb"
    eventually(lambda: "The response header 'X-Odd' is not sent" in server.log)


TARGETS = """
    from azureml.contrib.services.aml_request import rawhttp

    def init():
        pass

    @rawhttp
    def run(request):
        return [request.path, request.full_path, request.url, request.headers["Host"]]
"""


def test_an_absolute_target_is_its_path_and_its_host_stands_over_the_header(serve) -> None:
    server = serve(TARGETS)

    def ask(target: bytes, host: bytes = b"Host: a\r\n", version: bytes = b"1.1") -> bytes:
        return server.raw(b"GET " + target + b" HTTP/" + version + b"\r\n" + host + CLOSE + b"\r\n")

    path, full, url, host = json.loads(ask(b"http://b:8/score?x=1").rpartition(b"\r\n\r\n")[2])
    assert (path, full, url, host) == ("/score", "/score?x=1", "http://b:8/score?x=1", "b:8")
    assert json.loads(ask(b"HTTPS://[::1]/score", b"", b"1.0").rpartition(b"\r\n\r\n")[2])[3] == "[::1]"
    for target in (b"http://b", b"http://b?x=1", b"http://b/"):
        assert ask(target).endswith(b"Healthy")
    for target in (b"http:///score", b"http://:80/score", b"http://u@b/score", b"ftp://b/score", b"*", b"score"):
        assert statuses(ask(target)) == [400]


def test_the_server_as_a_whole_tells_its_methods(server: Server) -> None:
    answer = server.raw(b"OPTIONS * HTTP/1.1\r\nHost: a\r\n" + CLOSE + b"\r\n")
    assert statuses(answer) == [200] and b"Allow: GET, HEAD, OPTIONS, POST\r\n" in answer


@pytest.mark.parametrize("path", ["/%73core", "//score", "/sc%6Fre?a=b"])
def test_paths_that_mean_the_same_reach_the_same_route(server: Server, path: str) -> None:
    assert server.request("POST", path, b"x").body == b'"x"'
    assert server.request("POST", "/%2573core", b"x").status == 404  # decoded once


CHUNKED = b"POST /score HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"


@pytest.mark.parametrize(
    ("before", "again"),
    [
        (b"2\r\nab\r\n0\r\n" + b"a: ", b"x" * 65536),  # one field of a trailer that does not end
        (b"2\r\nab\r\n0\r\n", b"a: b\r\n" * 8192),
        (b"2;", b"e" * 65536),
        (b'2;a="', b"e" * 65536),
        (b"", b"1;" + b"e" * 4000 + b"\r\nx\r\n"),
        (b"0;", b"e" * 65536),
    ],
    ids=["trailer field", "trailer fields", "extension", "quoted extension", "many extensions", "last extension"],
)
def test_what_a_chunked_body_says_beside_its_content_is_bounded_as_a_head_is(shared, before, again) -> None:
    server = shared("def init(): pass\ndef run(data): return len(data)\n")
    with server.connect() as link:
        link.sendall(CHUNKED + before)
        sent, got = 0, b""
        link.settimeout(0.2)
        while not got and sent < 1 << 23:
            try:
                sent += link.send(again)
                got = link.recv(65536) if sent > 65536 and sent % (1 << 18) < len(again) else b""
            except TimeoutError:
                continue
            except OSError:
                break
        got = got or read_all(link)
        assert got.startswith(b"HTTP/1.1 431 ") and b"close" in got.lower(), (sent, got)
    assert server.get("/health/live").status == 200


def test_small_chunks_short_extensions_and_trailers_are_taken(shared) -> None:
    server = shared("def init(): pass\ndef run(data): return len(data)\n")
    body = b"1\r\nx\r\n" * 20_000 + b"2;name=value\r\nab\r\n" + b"0;last\r\nX-Sum: 1\r\nX-More: 2\r\n\r\n"
    with server.connect() as link:
        link.sendall(CHUNKED + body)
        link.settimeout(1)
        got = read_all(link)
    assert got.startswith(b"HTTP/1.1 200 ") and got.endswith(b"20002")
