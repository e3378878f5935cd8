"""A connection of the server: uvicorn's own, with bounds on what a client may hold before it has asked for anything."""

from __future__ import annotations

import asyncio
import http
import resource
from typing import Any

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol

HEAD_BYTES = 64 << 10
"""Of a request's line and headers together."""
HEAD_SECONDS = 15.0
"""From a connection's beginning, or the first byte of a later request, to the end of the head."""


def most_connections() -> int:
    """How many may be open: half of the files that this process may have open, at most 1,000."""
    soft = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
    return 1000 if soft == resource.RLIM_INFINITY else max(16, min(1000, soft // 2))


class Connection(H11Protocol):
    """Closes what does not become a request: 408 for a slow head, 431 for a long one, 503 where there are too many."""

    most = most_connections()
    _late: asyncio.TimerHandle | None = None

    def connection_made(self, transport: Any) -> None:
        super().connection_made(transport)
        if len(self.connections) > self.most:
            self._refuse(503, "this server has too many connections")
        else:
            self._watch()

    def connection_lost(self, exc: Exception | None) -> None:
        super().connection_lost(exc)
        self._unwatch()

    def data_received(self, data: bytes) -> None:
        if self.transport.is_closing():
            return
        super().data_received(data)
        if self.conn.their_state is not h11.IDLE:
            self._unwatch()
        elif self._late is None and not self.transport.is_closing() and self.conn.trailing_data[0]:
            self._watch()

    def send_400_response(self, msg: str) -> None:
        """What uvicorn sends for anything that is no request; a head beyond the bound has a status of its own."""
        if len(self.conn.trailing_data[0]) > HEAD_BYTES:
            self._refuse(431, f"the request's head is larger than {HEAD_BYTES >> 10} KiB")
        else:
            super().send_400_response(msg)

    def _watch(self) -> None:
        self._late = self.loop.call_later(HEAD_SECONDS, self._too_late)

    def _unwatch(self) -> None:
        if self._late is not None:
            self._late.cancel()
            self._late = None

    def _too_late(self) -> None:
        self._late = None
        if self.conn.their_state is h11.IDLE:
            self._refuse(408, f"no request came within {HEAD_SECONDS:g} s")

    def _refuse(self, status: int, why: str) -> None:
        """Answer without h11, whose side of the connection may have failed, and close."""
        if self.transport.is_closing():
            return
        body = why.encode() + b"\n"
        head = (
            f"HTTP/1.1 {status} {http.HTTPStatus(status).phrase}\r\nContent-Type: text/plain; charset=utf-8\r\n"
            f"Content-Length: {len(body)}\r\nConnection: close\r\n\r\n"
        )
        self.transport.write(head.encode() + body)
        self.transport.close()
