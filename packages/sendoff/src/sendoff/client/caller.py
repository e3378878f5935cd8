"""How a call of the API is made: the paths, the pages of lists, streams, and errors as the other side raised them."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Self, TypeVar
from urllib.parse import quote

from ..errors import InvalidInput, SendoffError, Unreachable, from_payload
from ..progress import Progress
from ..spec.messages import JSON, PREFIX, Request, Response
from ..spec.page import Page
from ..spec.parse import decode, encode
from .transport import Transport

if TYPE_CHECKING:
    from ..connections import Way

T = TypeVar("T")
Pairs = Mapping[str, str | None] | Sequence[str | Sequence[str]] | None
"""A filter on tags or properties: ``{"k": "v", "k2": None}``, or SDK v1's ``["k", ["k", "v"]]``; all must match."""

SECONDS = 120.0
LONG_SECONDS = 3600.0
PAGE = 1000
"""Entries of a list that are asked for at once: neither side then holds a long list as one text."""


class Caller:
    """What the calls of every noun are made with."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    @property
    def embedded(self) -> bool:
        """True when the API runs in this process."""
        return self._transport.embedded

    @property
    def where(self) -> str:
        """The embedded store's folder, or the server's address."""
        return self._transport.where

    def close(self) -> None:
        """Close connections, or the embedded store. The client stays usable."""
        self._transport.close()

    @property
    def way(self) -> Way:
        """How this machine opens connections: to the server, to services, to addresses of data."""
        return self._transport.way

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"{type(self).__name__}({'embedded in' if self.embedded else 'of'} {self.where})"

    def _get(self, answer: type[T], path: str, /, **query: Any) -> T:
        return answer_of(answer, self._request("GET", path, query=query))

    def _send(self, answer: type[T] | None, method: str, path: str, body: Any = None, timeout: float = SECONDS) -> T:
        response = self._request(method, path, body, timeout=timeout)
        if answer is None:
            return None  # type: ignore[return-value]
        return answer_of(answer, response)

    def _list(self, item: type[T], path: str, /, **query: Any) -> list[T]:
        found: list[T] = []
        after: str | None = None
        while True:
            page: Page[T] = self._get(Page[item], path, **query, limit=PAGE, after=after)  # type: ignore[valid-type]
            found += page.value
            after = page.next
            if after is None:
                return found

    def _stream(self, answer: type[T], path: str, progress: Progress | None, **query: Any) -> T:
        response = self._request("POST", path, query=query, timeout=LONG_SECONDS)
        if response.stream is None:
            return answer_of(answer, response)
        for line in _lines(response.stream):
            event = json.loads(line)
            if "progress" in event and progress is not None:
                progress(event["progress"])
            elif "error" in event:
                raise from_payload(event["error"])
            elif "result" in event:
                return decode(event["result"], answer, where="the server's answer")
        raise Unreachable(f"the answer of {self.where} ended too early", hint="Try again; see the server's log.")

    def _request(
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        query: Mapping[str, Any] | None = None,
        timeout: float = SECONDS,
    ) -> Response:
        request = Request(
            method=method,
            path=PREFIX + path,
            query={name: _texts(value) for name, value in (query or {}).items() if value not in (None, [])},
            headers={"content-type": JSON} if body is not None else {},
            body=encode(body) if body is not None else b"",
        )
        response = self._transport.send(request, timeout)
        if response.status >= 400:
            raise _error(response, self.where)
        return response


def q(segment: str) -> str:
    """One segment of a path.

    Raises:
        InvalidInput: It is empty: a variable that was never set, as a rule.
    """
    if not segment:
        raise InvalidInput("a name is empty where one is needed", hint="Name the workspace, model or service.")
    return quote(segment, safe="")


def of(workspace: str, *segments: str) -> str:
    """The path of something in a workspace."""
    return "/workspaces/" + "/".join(map(q, (workspace, *segments)))


def _texts(value: Any) -> list[str]:
    if isinstance(value, bool):
        return ["true" if value else "false"]
    return [str(v) for v in value] if isinstance(value, list) else [str(value)]


def pairs(wanted: Pairs) -> list[str]:
    """A filter as query values, ``k`` or ``k=v``."""
    if not wanted:
        return []
    if isinstance(wanted, Mapping):
        return [key if value is None else f"{key}={value}" for key, value in wanted.items()]
    if isinstance(wanted, str):
        return [wanted]
    return [item if isinstance(item, str) else "=".join(map(str, item)) for item in wanted]


def _lines(chunks: Iterator[bytes]) -> Iterator[bytes]:
    rest = b""
    for chunk in chunks:
        *whole, rest = (rest + chunk).split(b"\n")
        yield from (line for line in whole if line)
    if rest:
        yield rest


def answer_of(answer: type[T], response: Response) -> T:
    """The answer's body as its struct."""
    return decode(response.body, answer, where="the server's answer")


def _error(response: Response, where: str) -> SendoffError:
    try:
        payload = json.loads(response.body)["error"]
        return from_payload(dict(payload))
    except (ValueError, KeyError, TypeError):
        text = response.body[:200].decode("utf-8", "replace")
        return Unreachable(
            f"{where} answered {response.status} and not as a Sendoff server does: {text!r}",
            hint="Check SENDOFF_SERVER: another program may listen there.",
            status=response.status,
        )
