"""A request head that a client has sent before on the same connection.

Clients that keep a connection send the same head again and again, but for the length of the body. A head that the
parser has taken once needs no parser the second time: the same bytes mean the same.
"""

from __future__ import annotations

import re

from .exchange import Exchange

_LENGTH = re.compile(rb"\r\ncontent-length:[ \t]*([0-9]{1,9})[ \t]*\r\n", re.IGNORECASE)
_NAME = b"content-length"
# Heads above this are not kept: idle connections would hold the memory.
_MOST = 4096


class RepeatedHead:
    """A head that was taken, cut at the digits of its Content-Length.

    Attributes:
        exchange: what the parser made of it.
        usual: what the application says it is usual for, so that nothing in it is looked at again; "" for nothing.
    """

    __slots__ = ("_after", "_before", "_digits", "_length", "_whole", "exchange", "usual")

    def __init__(self, exchange: Exchange, before: bytes, digits: bytes, after: bytes) -> None:
        self.exchange = exchange
        self._before = before
        self._digits = digits
        self._after = after
        self._whole = before + digits + after
        self._length = int(digits)
        self.usual = ""

    @classmethod
    def of(cls, exchange: Exchange, data: bytes) -> RepeatedHead | None:
        """Return the head of a request that came alone and whole; None for one that is not worth or safe to keep.

        Args:
            exchange: what the parser made of the request.
            data: all bytes of it.
        """
        size = len(data) - exchange.size
        known = exchange.known
        if (
            size > _MOST
            or data.find(b"\r\n\r\n") + 4 != size  # before a line break of its own or after one, it is not the usual
            or not exchange.keep_alive
            or exchange.http_1_0
            or exchange.refusal is not None
            or b"transfer-encoding" in known
            or b"expect" in known
            or b"upgrade" in data[:size].lower()
        ):
            return None
        found = _LENGTH.search(data, 0, size)
        if found is None or found.group(1) != known.get(_NAME):
            return None
        return cls(exchange, data[: found.start(1)], found.group(1), data[found.end(1) : size])

    def body_of(self, data: bytes) -> bytes | None:
        """Return the body if the bytes are one whole request with this head, whatever its length."""
        if data.startswith(self._whole):  # with a body of the same length
            body = data[len(self._whole) :]
            return body if len(body) == self._length else None
        if not data.startswith(self._before):
            return None
        start = len(self._before)
        end = data.find(b"\r", start, start + 10)
        digits = data[start:end]
        if end < 0 or not digits.isdigit() or not data.startswith(self._after, end):
            return None
        head = end + len(self._after)
        if len(data) - head != int(digits):
            return None
        if digits != self._digits:
            self._digits = digits
            self._length = int(digits)
            self._whole = data[:head]
            template = self.exchange
            known = dict(template.known)
            known[_NAME] = digits
            headers = [(name, digits if name.lower() == _NAME else value) for name, value in template.headers]
            self.exchange = Exchange(
                template.connection, template.method, template.target, headers, known, True, template.http_1_0
            )
        return data[head:]
