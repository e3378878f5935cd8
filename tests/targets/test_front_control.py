"""Talking to a front that answers, talks nonsense, hangs up, or says nothing."""

from __future__ import annotations

import os
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from sendoff import sockets
from sendoff.targets import front_control


@contextmanager
def answering(path: Path, *pieces: bytes, hang: bool = False) -> Iterator[str]:
    """A socket that sends these bytes to one client, whatever it asks."""
    server = socket.socket(socket.AF_UNIX)
    server.bind(str(path))
    server.listen()
    done = threading.Event()

    def serve() -> None:
        link, _ = server.accept()
        link.recv(65536)
        for piece in pieces:
            link.sendall(piece)
        if hang:
            done.wait(10)
        link.close()

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    yield str(path)
    done.set()
    server.close()


@pytest.fixture
def path(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    # pytest's own folders may be too long for a socket's path.
    found = front_control.socket_path(f"test{os.urandom(6).hex()}")
    yield found
    found.unlink(missing_ok=True)


def test_an_answer_in_pieces_is_put_together(path: Path) -> None:
    with answering(path, b"HTTP/1.1 200 OK\r\nContent-", b"Length: 9\r\n\r\n", b'{"pid"', b":1}", hang=True) as control:
        assert front_control.call(control, "GET", "/status", seconds=5) == {"pid": 1}


def test_an_answer_without_a_length_ends_with_the_connection(path: Path) -> None:
    with answering(path, b'HTTP/1.1 200 OK\r\n\r\n{"pid":1}') as control:
        assert front_control.call(control, "GET", "/status", seconds=5) == {"pid": 1}


def test_revisions_are_numbers_however_they_are_written(path: Path) -> None:
    body = b'{"serving": {"revision": "3", "phase": "ready"}, "pending": null}'
    with answering(path, b"HTTP/1.1 200 OK\r\n\r\n" + body) as control:
        assert front_control.status(control)["serving"]["revision"] == 3


def test_a_refusal_carries_status_and_body(path: Path) -> None:
    with answering(path, b"HTTP/1.1 409 Conflict\r\nContent-Length: 2\r\n\r\n{}") as control:
        with pytest.raises(front_control.Refused) as caught:
            front_control.stop(control, drain_seconds=1.0)
    assert (caught.value.status, caught.value.body) == (409, {})


@pytest.mark.parametrize(
    "pieces",
    [
        (),
        (b"HTTP/1.1 200 OK\r\n",),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\n{}",),
        (b"nonsense\r\n\r\n",),
        (b"HTTP/1.1 200 OK\r\nContent-Length: x\r\n\r\n",),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n[]",),
    ],
)
def test_nonsense_is_no_answer(path: Path, pieces: tuple[bytes, ...]) -> None:
    with answering(path, *pieces) as control:
        with pytest.raises(front_control.NoAnswer):
            front_control.status(control)


def test_silence_is_no_answer_within_the_time(path: Path) -> None:
    with answering(path, b"HTTP/1.1 200 OK\r\n", hang=True) as control:
        with pytest.raises(front_control.NoAnswer, match="within"):
            front_control.status(control, seconds=0.2)


def test_no_socket_is_no_answer(path: Path) -> None:
    with pytest.raises(front_control.NoAnswer, match="not there"):
        front_control.status(str(path))


def test_a_runtime_folder_that_is_anothers_link_is_not_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (tmp_path / f"sendoff-{os.getuid()}").symlink_to(elsewhere)
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    assert tmp_path not in front_control.socket_path("a" * 16).parents


def test_a_long_temporary_folder_is_passed_over(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TMPDIR", str(tmp_path / ("x" * 120)))
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path / ("y" * 120)))
    assert len(str(front_control.socket_path("a" * 16))) < sockets.MAX_SOCKET_PATH
