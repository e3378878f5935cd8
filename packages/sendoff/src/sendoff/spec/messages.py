"""Requests and responses as plain values: what a transport carries and `Application.handle` understands."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

PREFIX = "/v1"
JSON = "application/json"
NDJSON = "application/x-ndjson"
USER, TOKEN = "user", "token"
"""Who asks: the user whose process embeds the API, or whoever has the server's token."""


@dataclass(frozen=True, kw_only=True)
class Request:
    """One call. ``path`` is still percent-encoded and starts with ``/v1``; header names are lower-case."""

    method: str
    path: str
    query: Mapping[str, list[str]] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""
    caller: str = USER


@dataclass(frozen=True, kw_only=True)
class Response:
    """The answer. A response with ``stream`` sends its chunks one by one and has an empty ``body``."""

    status: int
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""
    stream: Iterator[bytes] | None = None
