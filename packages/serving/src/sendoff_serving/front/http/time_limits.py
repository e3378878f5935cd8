"""What a client that is slow, or does nothing, is given up after."""

from __future__ import annotations

import asyncio
import fcntl
import struct
import termios
from typing import TYPE_CHECKING

from ...errors import Refusal

if TYPE_CHECKING:
    from .connection import HttpConnection


def apply_time_limits(connection: HttpConnection, now: float) -> None:
    """End a connection, or refuse what comes on it, where its time is over.

    Args:
        connection: the connection.
        now: monotonic time.
    """
    limits, transport = connection._limits, connection._transport
    if transport.is_closing():
        if now - connection._idle_since > limits.idle_seconds + limits.write_seconds:
            transport.abort()  # the last answer was never read
    elif connection._lingering_since:
        if now - connection._lingering_since > limits.linger_seconds and (
            not transport.get_write_buffer_size() or now - connection._lingering_since > limits.write_seconds
        ):
            transport.abort()
    elif connection._unwritten_since and now - connection._unwritten_since > limits.write_seconds:
        transport.abort()
    elif connection._active is not None or connection._line or connection._stopped:
        return
    elif connection._in_head and connection._head_since:
        if now - connection._head_since > limits.head_seconds:
            connection._refuse_unparsed(Refusal("request_timeout", "The request's head did not arrive in time"))
    elif connection._current is not None:
        allowed = limits.body_seconds + connection._current.size / limits.body_rate
        if now - connection._current.arrived > allowed:
            connection._refuse_unparsed(Refusal("request_timeout", "The request's body did not arrive in time"))
    elif now - connection._idle_since > limits.idle_seconds:
        transport.close()
    elif connection.scheme == "https" and now - connection._idle_since > limits.write_seconds and _unsent(transport):
        transport.abort()


def _unsent(transport: asyncio.Transport) -> bool:
    """Whether the kernel holds bytes that the client has not taken; asyncio does not tell for an answer over TLS."""
    descriptor = transport.get_extra_info("socket").fileno()
    if descriptor < 0:
        return False
    (waiting,) = struct.unpack("i", fcntl.ioctl(descriptor, termios.TIOCOUTQ, bytes(4)))
    return bool(waiting)
