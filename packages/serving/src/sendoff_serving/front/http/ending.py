"""How connections end when the server does: what was asked is answered, and the last answer says that it is so."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .connection import HttpConnection
    from .connections import Connections

# A connection that was answered or opened so many seconds ago may have a request on its way; so long it is waited for.
_BUSY = 1.0
_GRACE = 0.2


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


async def end_all(connections: Connections, seconds: float) -> None:
    """End all connections as above, and return when no request of theirs is still coming.

    Args:
        connections: the open ones.
        seconds: longest wait for requests whose head has come and whose body has not.
    """
    began = now = time.monotonic()
    quiet_since = began - _BUSY
    while True:
        for connection in list(connections.open):
            end_when_answered(connection, quiet_since)
        if now - began >= seconds or not any(map(_awaited, connections.open)):
            return
        await asyncio.sleep(0.01)
        now = time.monotonic()
        if now - began >= min(_GRACE, seconds):
            quiet_since = now
