"""Speaks to a front over its control socket: HTTP/1.1 on a Unix socket, every call bounded in time as a whole.

Written on bare sockets: ``http.client`` bounds each read, not the call, and the supervisor is to stay small.
"""

from __future__ import annotations

import json
import socket
import time
from pathlib import Path
from typing import Any, cast

from ..sockets import runtime_folder


class NoAnswer(Exception):
    """The front did not answer in time, hung up, or is not there; the text is the reason."""


class Refused(Exception):
    """The front answered with an error status."""

    def __init__(self, status: int, body: Any) -> None:
        told = body if isinstance(body, dict) else {}
        super().__init__(str(told.get("message") or f"status {status}: {body}"))
        self.status = status
        self.body = body
        self.code = str(told.get("code", ""))


def socket_path(token: str) -> Path:
    """A path for the control socket of the front with this token, short enough for the system."""
    return runtime_folder() / f"{token}.sock"


def status(path: str, *, seconds: float = 1.0) -> dict[str, Any]:
    """The front's ``/status``, its generations' revisions as integers.

    Raises:
        NoAnswer: Not within ``seconds``, or what came is no status.
    """
    try:
        answer = call(path, "GET", "/status", seconds=seconds)
    except Refused as error:
        raise NoAnswer(f"the control socket answered {error}") from None
    try:
        for generation in (answer["serving"], answer["pending"]):
            if generation is not None:
                # The server passes on what it was given, as text.
                generation["revision"] = int(generation["revision"])
                generation["phase"] = str(generation["phase"])
    except (TypeError, KeyError, ValueError):
        raise NoAnswer("the control socket gave no status that this version of Sendoff understands") from None
    return cast(dict[str, Any], answer)


def metrics(path: str, *, seconds: float = 1.0) -> str | None:
    """What the front counts, in the text format of Prometheus; None when it does not say."""
    try:
        answer = call(path, "GET", "/metrics", seconds=seconds)
    except (NoAnswer, Refused):
        return None
    return answer if isinstance(answer, str) else None


def swap(
    path: str, *, bundle: str, python: str, revision: int, memory_limit_mb: int | None = None, seconds: float = 2.0
) -> None:
    """Ask the front to load a revision beside the one that serves, and to let it take over when it is ready."""
    body: dict[str, Any] = {"bundle": bundle, "python": python, "revision": revision}
    if memory_limit_mb is not None:
        body["memory_limit_mb"] = memory_limit_mb
    call(path, "POST", "/swap", body, seconds=seconds)


def stop(path: str, *, drain_seconds: float, seconds: float = 1.0) -> None:
    """Ask the front to take no more work, finish what it has within ``drain_seconds``, and end."""
    call(path, "POST", "/stop", {"drain_seconds": drain_seconds}, seconds=seconds)


def call(path: str, method: str, target: str, body: Any = None, *, seconds: float) -> Any:
    """One request, its answer parsed as JSON (None when empty).

    Raises:
        NoAnswer: No whole answer within ``seconds``.
        Refused: A status of 400 or more.
    """
    end = time.monotonic() + seconds
    payload = b"" if body is None else json.dumps(body).encode()
    head = f"{method} {target} HTTP/1.1\r\nHost: front\r\nConnection: close\r\nContent-Length: {len(payload)}\r\n"
    if payload:
        head += "Content-Type: application/json\r\n"
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as link:
        try:
            link.settimeout(seconds)
            link.connect(path)
            link.sendall(head.encode() + b"\r\n" + payload)
            code, text = _read(link, end)
        except TimeoutError:
            raise NoAnswer(f"no answer within {seconds:g} s") from None
        except FileNotFoundError:
            raise NoAnswer("its control socket is not there") from None
        except (OSError, ValueError, IndexError) as error:
            raise NoAnswer(str(error) or type(error).__name__) from None
    try:
        answer = json.loads(text) if text.strip() else None
    except ValueError:
        answer = text.decode("utf-8", "replace")
    if code >= 400:
        raise Refused(code, answer)
    return answer


def _read(link: socket.socket, end: float) -> tuple[int, bytes]:
    data = b""
    length: int | None = None
    start = -1
    while True:
        if start < 0 and b"\r\n\r\n" in data:
            start = data.index(b"\r\n\r\n") + 4
            for line in data[:start].split(b"\r\n")[1:]:
                name, _, value = line.partition(b":")
                if name.strip().lower() == b"content-length":
                    length = int(value)
        if start >= 0 and length is not None and len(data) >= start + length:
            break
        left = end - time.monotonic()
        if left <= 0:
            raise TimeoutError
        link.settimeout(left)
        chunk = link.recv(65536)
        if not chunk:
            if start < 0 or (length is not None and len(data) < start + length):
                raise ValueError("the front hung up")
            break
        data += chunk
    return int(data.split(b" ", 2)[1]), data[start : start + length if length is not None else None]
