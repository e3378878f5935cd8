"""The open connections of a server, looked after together."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

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

    def close_other(self, scheme: str) -> None:
        """As ``close_idle``, for clients of the other of http and https; Unix sockets are neither."""
        for connection in list(self.open):
            if connection.remote_addr and connection.scheme != scheme:
                connection.close_when_idle()

    def close_idle(self) -> None:
        """Close connections that wait for a next request, and the others once they are answered."""
        for connection in list(self.open):
            connection.close_when_idle()
