"""The open connections of a server, looked after together, and how they end when the server does.

What was asked is answered, and the last answer says that it is so.
"""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING

from .time_limits import apply_time_limits

if TYPE_CHECKING:
    from .connection import HttpConnection

# A connection that was answered or opened so many seconds ago may have a request on its way; so long it is waited for.
_BUSY = 1.0
_GRACE = 0.2


class Connections:
    """The open connections of one server, with the memory their request bodies take."""

    def __init__(self) -> None:
        self.open: set[HttpConnection] = set()
        self.held_bytes = 0

    def sweep(self) -> None:
        """Close what has been idle or slow for too long; called about once a second."""
        now = time.monotonic()
        for connection in list(self.open):
            apply_time_limits(connection, now)

    def end_other(self, scheme: str) -> None:
        """End those of the other of http and https when they are answered; Unix sockets are neither."""
        now = time.monotonic()
        for connection in list(self.open):
            if connection.remote_addr and connection.scheme != scheme:
                end_when_answered(connection, now)

    async def end(self, seconds: float) -> None:
        """End all of them when they are answered, and return when no request of theirs is still coming.

        Args:
            seconds: longest wait for requests whose head has come and whose body has not.
        """
        began = now = time.monotonic()
        quiet_since = began - _BUSY
        while True:
            for connection in list(self.open):
                end_when_answered(connection, quiet_since)
            if now - began >= seconds or not any(map(_awaited, self.open)):
                return
            await asyncio.sleep(0.01)
            now = time.monotonic()
            if now - began >= min(_GRACE, seconds):
                quiet_since = now


def end_when_answered(connection: HttpConnection, quiet_since: float) -> None:
    """Take no request after those that have come, and close when they are answered.

    A client that is told nothing may send the next request just when the connection is closed, and then does not know
    whether it was run.

    Args:
        connection: the connection.
        quiet_since: where nothing has come, it is closed at once if it was answered before this (monotonic time).
    """
    connection._closing = True
    # The last that is answered says Connection: close; its head may not be written yet, and those behind it never come.
    last = connection._current or (connection._line[-1] if connection._line else connection._active)
    if last is not None:
        last.keep_alive = False
        connection._stopped = last is not connection._current
    elif not connection._lingering_since and connection._idle_since <= quiet_since:
        connection._transport.close()


def _awaited(connection: HttpConnection) -> bool:
    """Whether the body of a request, or a request of a connection that was busy a moment ago, is still coming."""
    if connection._current is not None:
        return True
    nothing = connection._active is None and not connection._line and not connection._stopped
    return nothing and not connection._transport.is_closing()
