"""One HTTP request and its answer, as the connection gives it to an application."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import TYPE_CHECKING, Protocol

from ...errors import Refusal

if TYPE_CHECKING:
    from ..telemetry.trace_context import Trace
    from .connection import HttpConnection

REASONS: dict[int, str] = {status.value: status.phrase for status in HTTPStatus}
# Answers that have no content (RFC 9110 sec. 15.3.5, 15.3.6, 15.4.5); a 205 still says that its length is 0.
_EMPTY = frozenset({204, 205, 304})

JSON_TYPE = "application/json"
OK_JSON = f"HTTP/1.1 200 OK\r\nContent-Type: {JSON_TYPE}\r\nContent-Length: "
# Head and body up to this size are one piece of bytes.
TOGETHER = 65536


class Application(Protocol):
    """What serves the requests of a listening address."""

    def accept(self, exchange: Exchange) -> Refusal | None:
        """Look at a request whose head has come; a refusal is answered without reading the body."""

    def handle(self, exchange: Exchange) -> None:
        """Answer a request that is complete, now or later."""

    def refuse(self, exchange: Exchange, refusal: Refusal) -> None:
        """Answer a request with an error."""

    def fault(self, error: Exception) -> None:
        """Take note of a fault of the application itself."""

    def usual_of(self, exchange: Exchange) -> str:
        """Say what the head of a request is usual for; "" where ``again`` must not be asked."""
        return ""

    def again(self, exchange: Exchange, usual: str) -> bool:
        """Take a complete request with a usual head; False if it must be looked at as others are."""
        return False


class Watcher(Protocol):
    """Who is told of a client that goes before it has its answer."""

    def client_gone(self) -> None:
        """The connection is lost."""

    def client_half_closed(self) -> None:
        """The client has closed its sending side; it may be gone."""


_DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


class _Date:
    """The Date header, made once a second; by hand, for `email.utils` costs a server 1.4 MB."""

    def __init__(self) -> None:
        self._until = 0.0
        self._line = ""

    def line(self, now: float) -> str:
        """Return the header line; ``now`` is monotonic time."""
        if now >= self._until:
            clock = time.time()
            self._until = now + 1.0 - clock % 1.0
            year, month, number, hour, minute, second, weekday, *_ = time.gmtime(clock)
            day = f"{_DAYS[weekday]}, {number:02} {_MONTHS[month - 1]} {year}"
            self._line = f"Date: {day} {hour:02}:{minute:02}:{second:02} GMT\r\n"
        return self._line


date = _Date()


def _no_length(status: int) -> str:
    return "Content-Length: 0\r\n" if status == 205 else ""


@dataclass(slots=True, eq=False)
class Exchange:
    """One request and its answer.

    Attributes:
        method: upper-case method.
        target: path and query as sent.
        headers: names and values as sent.
        known: values of the headers the server itself looks at, by lower-case name.
        chunks: pieces of the body; size: their length together.
        arrived: monotonic time at which the head was complete.
        route: the route that the application has found.
        request_id: what the log calls the request.
        trace: its place in a trace, where telemetry is on.
        watcher: told when the client goes before the answer is complete.
    """

    connection: HttpConnection
    method: str
    target: str
    headers: list[tuple[bytes, bytes]]
    known: dict[bytes, bytes]
    keep_alive: bool
    http_1_0: bool
    arrived: float = field(default_factory=time.monotonic)
    chunks: list[bytes] = field(default_factory=list)
    size: int = 0
    expects_continue: bool = False
    refusal: Refusal | None = None
    status: int = 0
    sent: int = 0
    streaming: bool = False
    request_id: str | None = None
    route: str | None = None
    trace: Trace | None = None
    watcher: Watcher | None = None

    @property
    def path(self) -> str:
        """The path as sent, without the query."""
        return self.target.partition("?")[0]

    @property
    def body(self) -> bytes:
        """The whole body."""
        return b"".join(self.chunks)

    @property
    def remote_addr(self) -> str:
        """The client's address, "" for a Unix socket."""
        return self.connection.remote_addr

    def respond(self, status: int, body: bytes, content_type: str | None = JSON_TYPE, headers: str = "") -> None:
        """Send the whole answer.

        Args:
            status: HTTP status.
            body: the body; not sent for HEAD and for statuses that have none.
            content_type: its type; None where ``headers`` has it.
            headers: further header lines, each ended with CR LF.
        """
        self.status = status
        size = self.sent = len(body)
        if status == 200 and content_type is JSON_TYPE and size <= TOGETHER and self.method != "HEAD":
            # The way of nearly every answer, without the questions.
            again = self._persistence() if not self.keep_alive or self.http_1_0 else ""
            head = f"{OK_JSON}{size}\r\n{date.line(time.monotonic())}{headers}{again}\r\n"
            self.connection.write(head.encode("latin-1") + body)
            self.connection.finished(self)
            return
        if status in _EMPTY:
            self.sent = 0
            length = _no_length(status)
        elif content_type is None:
            length = f"Content-Length: {size}\r\n"
        else:
            length = f"Content-Type: {content_type}\r\nContent-Length: {size}\r\n"
        data = self._head(status, length + headers)
        if self.method == "HEAD" or status in _EMPTY:
            self.connection.write(data)
        elif size > TOGETHER:
            self.connection.write_many([data, body])
        else:
            self.connection.write(data + body)
        self.connection.finished(self)

    def start_stream(self, status: int, headers: str) -> None:
        """Send the head of an answer whose length is not known; pieces follow."""
        self.status = status
        self.streaming = True
        if self.http_1_0:
            self.keep_alive = False
        coding = "" if self.http_1_0 else "Transfer-Encoding: chunked\r\n"
        if status in _EMPTY:  # a client would take the pieces for its next answer
            coding = _no_length(status)
        self.connection.write(self._head(status, coding + headers))

    def send_piece(self, piece: bytes) -> None:
        """Send one piece of a streamed answer."""
        if self.status in _EMPTY:
            return
        self.sent += len(piece)
        if self.http_1_0:
            self.connection.write(piece)
        else:
            self.connection.write(b"%x\r\n%b\r\n" % (len(piece), piece))

    def end_stream(self, complete: bool = True) -> None:
        """End a streamed answer; an incomplete one is cut off, so that the client can tell."""
        if not complete:
            self.connection.abort()
            return
        if not self.http_1_0 and self.status not in _EMPTY:
            self.connection.write(b"0\r\n\r\n")
        self.connection.finished(self)

    def _head(self, status: int, lines: str) -> bytes:
        first = f"HTTP/1.1 {status} {REASONS.get(status, 'Unknown')}\r\n{date.line(time.monotonic())}"
        return f"{first}{lines}{self._persistence()}\r\n".encode("latin-1")

    def _persistence(self) -> str:
        if not self.keep_alive:
            return "Connection: close\r\n"
        return "Connection: keep-alive\r\n" if self.http_1_0 else ""
