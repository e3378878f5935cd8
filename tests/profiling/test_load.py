"""The load generator against a real server that knows what it was sent."""

from __future__ import annotations

import http.server
import threading
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from sendoff.errors import Cancelled, DeploymentFailed
from sendoff.profiling.generator import Generator, write_bodies


class Server(http.server.ThreadingHTTPServer):
    """Counts bodies; the body decides how it is answered."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.seen: Counter[tuple[bytes, str]] = Counter()
        self.at_once = self.most_at_once = 0
        self.lock = threading.Lock()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/score"


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Server

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        with self.server.lock:
            self.server.seen[body, self.headers["Content-Type"]] += 1
            self.server.at_once += 1
            self.server.most_at_once = max(self.server.at_once, self.server.most_at_once)
        time.sleep(0.005)
        with self.server.lock:
            self.server.at_once -= 1
        if body == b"bad":
            self.send_response(500)
            self.send_header("Content-Length", "2")
            self.end_headers()
            self.wfile.write(b"no")
        elif body == b"chunked":
            self.send_response(200)
            self.send_header("Transfer-Encoding", "chunked")
            self.end_headers()
            self.wfile.write(b"3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n")
        else:
            self.send_response(200)
            self.send_header("Server-Timing", "queue;dur=1.500, run;dur=3.250")
            self.send_header("Content-Length", "2")
            self.end_headers()
            self.wfile.write(b"ok")

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def server() -> Iterator[Server]:
    made = Server()
    threading.Thread(target=made.serve_forever, daemon=True).start()
    yield made
    made.shutdown()
    made.server_close()


def bodies(tmp_path: Path, *given: tuple[bytes, str]) -> Path:
    write_bodies(tmp_path / "bodies", given)
    return tmp_path / "bodies"


def test_every_body_is_sent_as_it_is_so_many_at_once_and_queue_and_run_are_told_apart(server, tmp_path):
    binary = bytes(range(256)) * 10
    file = bodies(tmp_path, (binary, "image/jpeg"), (b'{"a": "\xc3\xbc\\n"}', "application/json"))
    with Generator(server.url, file) as generator:
        level = generator.hold(3, 0.5, lambda: None)
    assert set(server.seen) == {(binary, "image/jpeg"), (b'{"a": "\xc3\xbc\\n"}', "application/json")}
    assert server.most_at_once == 3
    assert level.errors == 0
    assert level.requests >= 20
    assert (level.queue.p50, level.run.p99) == (1.5, 3.25)
    assert level.total.p50 >= 5.0
    assert level.rps == pytest.approx(level.requests / level.seconds, rel=0.01)


def test_errors_are_counted_by_status_and_streams_are_read_to_their_end(server, tmp_path):
    with Generator(server.url, bodies(tmp_path, (b"bad", "text/plain"), (b"chunked", "text/plain"))) as generator:
        level = generator.hold(1, 0.3, lambda: None)
        one = generator.one(0)
        stream = generator.one(1)
    assert level.errors == level.statuses["500"] > 0
    assert level.statuses["200"] == level.requests - level.errors > 0
    assert (one["status"], one["body"]) == (500, "no")
    assert stream["body"] == "abcde"


def test_a_load_that_is_called_off_ends_its_process(server, tmp_path):
    calls = []

    def stop() -> None:
        calls.append(1)
        if len(calls) > 2:
            raise Cancelled("enough")

    with Generator(server.url, bodies(tmp_path, (b"x", "text/plain"))) as generator:
        with pytest.raises(Cancelled):
            generator.hold(2, 60.0, stop)
        assert generator._process.wait(10) is not None


def test_nobody_at_the_address_is_counted_and_said(tmp_path):
    with Generator("http://127.0.0.1:9/score", bodies(tmp_path, (b"x", "text/plain"))) as generator:
        level = generator.hold(1, 0.1, lambda: None)
        assert level.requests == level.errors > 0
        with pytest.raises(DeploymentFailed, match="could not send requests: ConnectionRefusedError"):
            generator.one(0)
