"""A head that comes again on a connection is not parsed again; nobody can tell from the answers."""

from __future__ import annotations

import json
import random
import socket
import struct
import sys

import pytest

from sendoff_serving.front.scoring import usual

from .interpreters import environment
from .running import eventually, read_all

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


@pytest.mark.parametrize(
    "options",
    [
        (),
        ("--compatible",),
        ("--cors-origins", "*"),
        ("--log-format", "json"),
        ("--max-batch-rows", 4),
        ("--collect-model-data", "--data-dir", "data"),
    ],
    ids=lambda options: " ".join(map(str, options[:1])),
)
def test_later_requests_of_a_connection_are_answered_logged_and_counted_as_the_first(serve, options) -> None:
    server = serve(ECHO, *options)
    answers = []
    with server.connect() as link:
        for body in (b"1", b"2", b"33", b"4"):
            link.sendall(head(len(body), "Origin: http://a.example") + body)
            answers.append(link.recv(65536).decode())
    # The values differ by the request; which headers there are, and the body, do not.
    shapes = [[line.split(":")[0] for line in answer.split("\r\n")[:-1]] for answer in answers]
    assert shapes == [shapes[0]] * 4 and "x-request-id" in shapes[0] and shapes[0][0] == "HTTP/1.1 200 OK"
    assert [answer.rsplit("\r\n", 1)[1] for answer in answers] == ['"1"', '"2"', '"33"', '"4"']
    if "--compatible" not in options:
        assert 'sendoff_requests_total{code="200",reason="ok"} 4\n' in server.get("/metrics").body.decode()
    server.stop()
    lines = [line for line in server.log.splitlines() if "POST /score 200" in line]
    assert len(lines) == 4
    for line, answer in zip(lines, answers, strict=True):
        name = answer.split("x-request-id: ")[1].split("\r\n")[0]
        assert name in line or "--compatible" in options
        if "json" in options:
            said = json.loads(line)
            assert (said["request_id"], said["status"], said["logger"]) == (name, 200, "sendoff.access")


def test_limits_hold_for_later_requests_of_a_connection(serve) -> None:
    server = serve(ECHO, "--rate-limit-per-second", 0.01, "--rate-limit-burst", 3)
    with server.connect() as link:
        statuses = []
        for _ in range(5):
            link.sendall(head(1) + b"1")
            statuses.append(one(link)[0])
    assert statuses == [200, 200, 200, 429, 429]


def test_what_a_swap_switches_on_holds_for_connections_that_are_open(start, make_bundle, tmp_path) -> None:
    control = tmp_path / "control.sock"
    server = start("--bundle", make_bundle(ECHO), control=control)
    server.wait_state("ready")
    origin = "Origin: http://a.example"
    with server.connect() as link:

        def asked() -> str:
            link.sendall(head(1, origin) + b"1")
            return link.recv(65536).decode()

        def swapped(**serving: object) -> None:
            bundle = make_bundle(ECHO, serving=serving)
            name = bundle.name
            server.ask("POST", "/swap", {"bundle": str(bundle), "python": sys.executable, "revision": name})
            eventually(lambda: (server.status()["serving"] or {}).get("revision") == name)

        assert all("Access-Control" not in asked() for _ in range(3))
        swapped(cors_origins=["http://a.example"])
        assert "Access-Control-Allow-Origin: http://a.example" in asked()
        swapped(rate_limit_per_second=0.001, rate_limit_burst=2)
        answers = [asked() for _ in range(4)]
        assert [answer.split()[1] for answer in answers] == ["200", "200", "429", "429"]
        assert not any("Access-Control" in answer for answer in answers)
        swapped()
        assert [asked().split()[1] for _ in range(4)] == ["200"] * 4


def test_a_client_that_leaves_with_a_later_request_frees_its_place(serve) -> None:
    script = "import time\ndef init(): pass\ndef run(data):\n    time.sleep(float(data))\n    return data\n"
    server = serve(script, "--max-queue", 1)
    with server.connect() as running, server.connect() as waiting:
        for link in (running, waiting):
            link.sendall(head(1) + b"0")
            assert one(link)[0] == 200
        running.sendall(head(1) + b"4")
        eventually(lambda: "sendoff_requests_in_flight 1\n" in server.get("/metrics").body.decode())
        waiting.sendall(head(1) + b"0")
        eventually(lambda: "sendoff_queue_length 1\n" in server.get("/metrics").body.decode())
        assert server.score("0").status == 503
        waiting.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        waiting.close()  # with a reset: after a mere end of sending it might still read
        eventually(lambda: "sendoff_queue_length 0\n" in server.get("/metrics").body.decode())
        assert one(running) == (200, b'"4"')
    text = server.get("/metrics").body.decode()
    assert 'code="499",reason="client_gone"} 1\n' in text and 'code="503",reason="queue_full"} 1\n' in text


def test_each_request_under_one_head_has_its_own_id(serve) -> None:
    server = serve(ECHO)
    with server.connect() as link:
        seen = set()
        for _ in range(250):
            link.sendall(head(1) + b"1")
            data = link.recv(65536)
            seen.add(next(line for line in data.split(b"\r\n") if line.startswith(b"x-request-id")))
    assert len(seen) == 250


SCHEMA = """
import numpy as np
from inference_schema.parameter_types.numpy_parameter_type import NumpyParameterType
from inference_schema.schema_decorators import input_schema

def init():
    pass

@input_schema("data", NumpyParameterType(np.zeros((1, 2))))
def run(data):
    return data.sum(axis=1)
"""


@pytest.mark.slow
def test_later_requests_to_a_schema_script_are_looked_at_as_the_first(start, tmp_path) -> None:
    script = tmp_path / "score.py"
    script.write_text(SCHEMA)
    python = environment("3.13", "inference-schema", "numpy", "pandas")
    server = start("--entry-script", script, "--python", python, cwd=tmp_path)
    json_type, text_type = "Content-Type: application/json", "Content-Type: text/plain"
    good, unfit, broken = b'{"data": [[1, 2]]}', b'{"data": [[1, 2, 3]]}', b'{"data": ['
    with server.connect() as link:
        for kind, body, wanted in [
            (json_type, good, 200), (json_type, good, 200), (json_type, unfit, 400), (json_type, broken, 400),
            (json_type, b"", 400), (json_type, good, 200), (text_type, good, 415), (text_type, good, 415),
            (text_type, good, 415), (json_type, good, 200), (json_type, good, 200),
        ]:  # fmt: skip
            link.sendall(head(len(body), kind) + body)
            status, got = one(link)
            assert (status, kind, body) == (wanted, kind, body), got
            assert wanted != 200 or got == b"[3.0]"


def test_only_scripts_that_are_given_the_body_alone_have_a_short_way() -> None:
    for shape, request, wanted in [
        ("string", False, (usual.TEXT, usual.JSON)), ("schema", False, (usual.JSON,)), ("raw", True, ()),
        ("string", True, ()), ("schema", True, ()), ("described", True, ()),
    ]:  # fmt: skip
        assert usual.heads_of({"shape": shape, "needs_request": request}) == wanted
