"""The open connections of a server, looked after together."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from .ending import end_all, end_when_answered

if TYPE_CHECKING:
    from .connection import HttpConnection


class Connections:
    """The open connections of one server, with the memory their request bodies take."""

    def __init__(self) -> None:
        self.open: set[HttpConnection] = set()
        self.held_bytes = 0

    def sweep(self) -> None:
        """Close what has been idle or slow for too long; called about once a second."""
        now = time.monotonic()
        for connection in list(self.open):
            connection.check_time(now)

    def end_other(self, scheme: str) -> None:
        """End those of the other of http and https when they are answered; Unix sockets are neither."""
        now = time.monotonic()
        for connection in list(self.open):
            if connection.remote_addr and connection.scheme != scheme:
                end_when_answered(connection, now)

    async def end(self, seconds: float) -> None:
        """End all of them when they are answered; returns when no request is still coming, or after some seconds."""
        await end_all(self, seconds)
