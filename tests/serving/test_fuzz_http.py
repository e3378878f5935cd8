"""Streams of bytes that are almost HTTP, thrown at a real server: it always answers or closes, and goes on."""

from __future__ import annotations

import json
import socket
import time

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from .running import Server, read_all, write_script

pieces = st.sampled_from(
    [
        b"GET ",
        b"POST ",
        b"/score",
        b"/",
        b" HTTP/1.1\r\n",
        b" HTTP/1.0\r\n",
        b"Host: a\r\n",
        b"Content-Length: 3\r\n",
        b"Content-Length: 0\r\n",
        b"Content-Length: +3\r\n",
        b"Transfer-Encoding: chunked\r\n",
        b"Connection: close\r\n",
        b"Connection: keep-alive, Upgrade\r\nUpgrade: h2c\r\n",
        b"Expect: 100-continue\r\n",
        b"\r\n",
        b"\n",
        b"abc",
        b"3\r\nabc\r\n",
        b"0\r\n\r\n",
        b"ffffffffffffffff\r\n",
        b"x-request-id: \xff\xfe\r\n",
        b"\0",
        b"GET / HTTP/1.1\r\nHost: a\r\n\r\n",
        b"POST /score HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc",
    ]
)
streams = st.lists(pieces | st.binary(max_size=12), min_size=1, max_size=14)


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    folder = tmp_path_factory.mktemp("fuzz")
    script = write_script(folder, "def init(): pass\ndef run(data): return data\n")
    arguments = ["--entry-script", script, "--head-seconds", 1, "--body-seconds", 1, "--idle-seconds", 1]
    running = Server(*arguments, cwd=folder).wait_listening()
    yield running
    assert running.process.poll() is None
    running.stop()
    assert "Traceback" not in running.log, running.log


def answers(stream: bytes) -> list[int]:
    """Parse answers strictly: status lines, lengths, nothing between or after."""
    found = []
    while stream:
        head, end, rest = stream.partition(b"\r\n\r\n")
        assert end, stream
        lines = head.split(b"\r\n")
        version, status, _ = lines[0].split(b" ", 2)
        assert version == b"HTTP/1.1"
        found.append(int(status))
        if status == b"100":
            stream = rest
            continue
        headers = {name.lower(): value.strip() for name, _, value in (line.partition(b":") for line in lines[1:])}
        length = int(headers[b"content-length"])
        assert len(rest) >= length
        if int(status) >= 400:
            json.loads(rest[:length])
        stream = rest[length:]
    return found


@settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
@given(streams)
def test_any_stream_is_answered_or_closed(server: Server, stream: list[bytes]) -> None:
    with server.connect(10) as link:
        start = time.monotonic()
        try:
            for piece in stream:
                link.sendall(piece)
            link.shutdown(socket.SHUT_WR)
        except OSError:
            pass  # it has been refused already
        got = read_all(link)
        assert time.monotonic() - start < 9, stream
    if got:
        assert all(status in (100, 200, 400, 404, 405, 408, 413, 414, 417, 431, 500) for status in answers(got))


def test_the_server_still_scores(server: Server) -> None:
    assert server.score("abc").json == "abc"
