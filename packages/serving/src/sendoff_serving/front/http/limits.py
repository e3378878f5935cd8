"""Bounds on what one client may cost the server, in bytes and seconds."""

from __future__ import annotations

from dataclasses import dataclass

from ...errors import Refusal

TOO_MANY = Refusal("queue_full", "Too many connections are open", "close idle connections, or serve with more replicas")
NO_MEMORY = Refusal("queue_full", "The server's memory for request bodies is in use", "send the request later")


@dataclass(frozen=True, kw_only=True, slots=True)
class Limits:
    """Bounds of one listening address.

    Attributes:
        target_bytes: longest request target; beyond it 414.
        head_bytes: size of all headers of a request; beyond it 431.
        head_fields: number of headers of a request; beyond it 431.
        head_seconds: time a request's head may take from its first byte; beyond it 408.
        body_seconds: time a body may take before it must have come at ``body_rate``; beyond it 408.
        body_rate: least average rate of a body after ``body_seconds``, bytes per second.
        idle_seconds: how long a connection may stay open with nothing to do.
        write_seconds: how long a client may leave an answer unread.
        linger_seconds: how long input is still thrown away after a refusal, so that the client can read it.
        pipeline: requests of one connection that are read ahead of their answers.
        connections: connections open at once; further ones are answered 503 and closed.
        held_bytes: memory for request bodies of all connections together; beyond it 503.
        stream_bytes: unread bytes of answers after which their client is given up, when it asks for more.
    """

    target_bytes: int = 16 * 1024
    head_bytes: int = 64 * 1024
    head_fields: int = 100
    head_seconds: float = 15.0
    body_seconds: float = 30.0
    body_rate: int = 1024
    idle_seconds: float = 75.0
    write_seconds: float = 60.0
    linger_seconds: float = 3.0
    pipeline: int = 16
    connections: int = 10_000
    held_bytes: int = 1 << 30
    stream_bytes: int = 64 * 1024 * 1024
