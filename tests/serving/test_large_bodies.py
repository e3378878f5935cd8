"""Bodies that are large: past the HTTP parser, in pieces through the frame decoder, and back."""

from __future__ import annotations

import random
import socket
import zlib
from collections.abc import Iterator
from unittest.mock import patch

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sendoff_serving import protocol
from sendoff_serving.front.http import request_head
from sendoff_serving.protocol import LARGE, Decoder, Frame, Kind, ProtocolError, encode

from .running import Server, eventually, read_all

SUMS = """
    import zlib
    from azureml.contrib.services.aml_request import rawhttp
    from azureml.contrib.services.aml_response import AMLResponse

    def init():
        pass

    @rawhttp
    def run(request):
        body = request.get_data()
        if request.args.get("echo"):
            return AMLResponse(body, 200)
        return [len(body), zlib.crc32(body)]
"""
EDGE = request_head._PAST_PARSER


def body_of(size: int) -> bytes:
    return random.Random(size).randbytes(size)


def expected(body: bytes) -> bytes:
    return b"[%d, %d]" % (len(body), zlib.crc32(body))


def post(body: bytes, more: bytes = b"", path: bytes = b"/score") -> bytes:
    return b"POST %b HTTP/1.1\r\nHost: a\r\nContent-Length: %d\r\n%b\r\n" % (path, len(body), more) + body


def bodies_in(stream: bytes) -> list[bytes]:
    found = []
    while stream:
        head, _, rest = stream.partition(b"\r\n\r\n")
        assert head.startswith(b"HTTP/1.1 200 OK\r\n"), head
        size = int(head.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0])
        found.append(rest[:size])
        stream = rest[size:]
    return found


# The frame decoder. Its bound for large frames is made small, so that every way through it is short.


@settings(deadline=None)
@given(
    st.lists(st.lists(st.sampled_from([0, 1, 7, 30, 90, 400]), max_size=4), min_size=1, max_size=6),
    st.randoms(use_true_random=False),
)
def test_large_frames_come_back_however_the_stream_is_cut(shapes: list[list[int]], chance: random.Random) -> None:
    sent = [
        Frame(Kind.RUN, number, number, 1.0, [chance.randbytes(size) for size in sizes])
        for number, sizes in enumerate(shapes)
    ]
    stream = b"".join(encode(frame.kind, frame.bodies, frame.code, frame.id, frame.clock) for frame in sent)
    with patch.object(protocol, "LARGE", 50):
        decoder = Decoder()
        got: list[Frame] = []
        while stream:
            size = chance.choice([1, 3, 20, 64, 500, len(stream)])
            got += decoder.feed(stream[:size])
            stream = stream[size:]
    assert got == sent
    assert decoder.pending == 0


@pytest.mark.parametrize("size", [LARGE - 100, LARGE - 1, LARGE, LARGE + 1, 3 * LARGE])
@pytest.mark.parametrize("cut", [1, 24, 27, 28, 36, 1000, -1])
def test_a_large_frame_may_be_followed_by_anything(size: int, cut: int) -> None:
    large = Frame(Kind.RUN, 1, 7, 2.0, [body_of(size), b"", b"tail"])
    small = Frame(Kind.RUN, 0, 8, 0.0, [b"x"])
    stream = b"".join(encode(f.kind, f.bodies, f.code, f.id, f.clock) for f in (large, small, large))
    decoder = Decoder()
    got = decoder.feed(stream[:cut])
    half = len(stream) // 2
    got += decoder.feed(stream[cut:half] if cut > 0 else b"") + decoder.feed(stream[half:] if cut > 0 else stream[cut:])
    assert got == [large, small, large]
    with pytest.raises(ProtocolError):
        decoder.feed(b"rubbish")


def test_rubbish_behind_a_large_frame_is_told() -> None:
    decoder = Decoder()
    stream = encode(Kind.RUN, [body_of(2 * LARGE)], 0, 1, 0.0)
    assert decoder.feed(stream[: LARGE + 100]) == []
    with pytest.raises(ProtocolError):
        decoder.feed(stream[LARGE + 100 :] + b"rubbish")


# Bodies that come past the HTTP parser.


@pytest.fixture
def server(serve) -> Iterator[Server]:
    yield serve(
        SUMS, "--max-body-bytes", 8_000_000, "--held-bytes", 9_000_000, "--body-seconds", 1.5, "--body-rate", 10_000_000
    )


def test_bodies_of_every_size_around_the_border_are_whole(server: Server) -> None:
    sizes = [EDGE - 1, EDGE, EDGE + 1, 2 * EDGE, 2 * EDGE + 1, 1_000_003, 7_999_999]
    bodies = [body_of(size) for size in sizes]
    for body in bodies:
        assert server.request("POST", "/score", body).body == expected(body)
        assert server.request("POST", "/score?echo=1", body).body == body
    with server.connect() as link:  # the same on one connection, each answered before the next
        for body in bodies[:-1]:
            link.sendall(post(body))
            assert bodies_in(link.recv(65536)) == [expected(body)]
        link.sendall(post(b"", b"Connection: close\r\n"))
        assert bodies_in(read_all(link)) == [expected(b"")]


def test_what_follows_a_large_body_in_the_same_piece_is_the_next_request(server: Server) -> None:
    bodies = [body_of(300_000), b"", body_of(200_001), b"x" * 10, body_of(EDGE + 1)]
    stream = b"".join(post(body) for body in bodies) + post(b"end", b"Connection: close\r\n")
    wanted = [expected(body) for body in [*bodies, b"end"]]
    assert bodies_in(server.raw(stream)) == wanted
    chance = random.Random(4)
    with server.connect() as link:
        link.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        while stream:
            size = chance.choice([1, 100, 4096, 65536, 250_000])
            link.sendall(stream[:size])
            stream = stream[size:]
        assert bodies_in(read_all(link)) == wanted


def test_rubbish_behind_a_large_body_is_a_400_of_its_own(server: Server) -> None:
    body = body_of(400_000)
    answer = server.raw(post(body) + b"\x00\x01 no request\r\n\r\n")
    assert answer.count(b"HTTP/1.1 200 OK") == 1 and answer.count(b"HTTP/1.1 400 ") == 1
    assert expected(body) in answer


def test_large_bodies_that_stop_are_408_and_those_that_are_left_are_forgotten(server: Server) -> None:
    head = post(b"")[:-2].replace(b"Content-Length: 0", b"Content-Length: 3000000") + b"\r\n"
    with server.connect() as link:
        link.sendall(head + b"x" * 1_000_000)
        assert read_all(link).startswith(b"HTTP/1.1 408 ")
    for _ in range(12):  # more than all bodies together may hold
        with server.connect() as link:
            link.sendall(head + b"x" * 2_000_000)
    body = body_of(7_000_000)
    eventually(lambda: server.request("POST", "/score", body).body == expected(body))


def test_bodies_of_all_clients_together_have_a_bound(server: Server) -> None:
    head = post(b"")[:-2].replace(b"Content-Length: 0", b"Content-Length: 4000000") + b"\r\n"
    links = [server.connect() for _ in range(3)]
    for link in links:
        link.sendall(head + b"x" * 3_500_000)
    answers = [read_all(link)[:13] for link in links]
    assert b"HTTP/1.1 503 " in answers  # the one that went over the bound; the others ran out of time
    assert set(answers) <= {b"HTTP/1.1 503 ", b"HTTP/1.1 408 "}
    for link in links:
        link.close()
    assert server.request("POST", "/score", b"x").body == expected(b"x")
