"""One HTTP/1.1 connection: parsing, order of pipelined answers, limits, and how it ends.

Rules come from RFC 9112. Requests of one connection are given to the application one after the other, so a
client that pipelines gets no more of the workers than one that does not.
"""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Callable
from typing import cast

import httptools

from ...errors import Refusal
from . import request_head
from .connections import Connections
from .exchange import TOGETHER, Application, Exchange
from .limits import NO_MEMORY, TOO_MANY, Limits
from .repeated_head import RepeatedHead
from .request_head import KNOWN

# A client that was refused may have this much under way and still gets to read why; who sends more is cut off.
_DISCARD = 256 * 1024 * 1024
# What the framing of one chunk takes: its size and two ends of lines. More than that is extensions.
_CHUNK_FRAMING = 32
_CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"


class HttpConnection(asyncio.Protocol):
    """The protocol of one client.

    Args:
        application: serves the requests.
        limits: bounds for this client.
        connections: the server's open connections.
        max_body: returns the largest body allowed now, in bytes.
    """

    def __init__(
        self,
        application: Application,
        limits: Limits,
        connections: Connections,
        max_body: Callable[[], int],
    ) -> None:
        self._application = application
        self._limits = limits
        self._connections = connections
        self._max_body = max_body
        self._transport: asyncio.Transport = cast(asyncio.Transport, None)
        self._parser = httptools.HttpRequestParser(self)
        self._active: Exchange | None = None
        self._line: deque[Exchange] = deque()
        self._current: Exchange | None = None
        self._last: Exchange | None = None  # the last whose body is complete
        self._known_head: RepeatedHead | None = None
        self._reset_head()
        self._in_head = False
        self._idle_since = time.monotonic()
        self._head_since = self._unwritten_since = self._lingering_since = 0.0
        self._stopped = False  # no further request is parsed
        self._discarded = 0
        self._body_left = 0  # bytes of a body that do not go through the parser
        self._framing = 0  # bytes of a chunked body that are neither its content nor the framing of its chunks
        self._eof = self._closing = self._paused = self._pumping = self._replaying = False
        self._upgrade_method = b""
        self.remote_addr = ""
        self.scheme = "http"

    # asyncio.Protocol

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        peer = transport.get_extra_info("peername")
        if isinstance(peer, tuple):
            self.remote_addr = str(peer[0])
        if transport.get_extra_info("ssl_object") is not None:
            self.scheme = "https"
        self._connections.open.add(self)
        if len(self._connections.open) > self._limits.connections:
            exchange = self._active = Exchange(self, "GET", "/", [], {}, False, False)
            self._stopped = self._eof = True  # closed at once, or it would be one of the many for longer
            self._application.refuse(exchange, TOO_MANY)

    def connection_lost(self, error: Exception | None) -> None:
        self._connections.open.discard(self)
        self._last = self._known_head = None  # they point back here: no work for the collector
        self._stopped = True
        self._closing = True
        self._drop_current()
        waiting = [self._active, *self._line] if self._active is not None else list(self._line)
        self._active = None
        self._line.clear()
        for exchange in waiting:
            self._release(exchange)
            if exchange.watcher is not None:
                exchange.watcher.client_gone()

    def data_received(self, data: bytes) -> None:
        if self._stopped:
            if self._lingering_since:
                self._discarded += len(data)
                if self._discarded > _DISCARD:
                    self._transport.abort()
            return
        was_in_head = self._in_head
        # A head that came before is told by its bytes, so they have to begin with one; and an answer must not be still
        # to come, for answers keep the order of requests.
        clean = not was_in_head and self._current is None
        if clean and self._known_head is not None and self._active is None:
            body = self._known_head.body_of(data)
            if body is not None:
                self._again(self._known_head, body)
                return
        if self._body_left:
            data = self._take_body(data)
        self._forget_last()  # what is complete below came in these very bytes, which its head is cut from
        if data and not self._stopped:
            before = self._current
            size = 0 if before is None else before.size
            self._feed(data)
            if before is not None and self._current is before and b"transfer-encoding" in before.known:
                self._count_framing(len(data) - (before.size - size))
        current = self._current
        if clean and self._last is not None and current is None and not self._in_head and not self._line:
            head = self._known_head = RepeatedHead.of(self._last, data)
            if head is not None:
                head.usual = self._application.usual_of(self._last)
        if current is not None and not self._body_left:
            self._body_left = request_head.left_past_parser(current)
        if self._in_head and not self._stopped:
            if not was_in_head or not self._head_since:
                self._head_since = time.monotonic()
                self._partial_head = 0
            else:
                # The parser gives a field once it is whole: what does not end is in no other count.
                self._partial_head += len(data)
                if self._partial_head > self._limits.head_bytes + self._limits.target_bytes:
                    self._refuse_unparsed(request_head.headers_too_large(self._limits))
        if len(self._line) >= self._limits.pipeline and not self._paused:
            self._paused = True  # what it pipelines beyond waits in the client, not in our memory
            self._transport.pause_reading()

    def eof_received(self) -> bool:
        self._eof = True
        self._stopped = True
        self._drop_current()
        if self._lingering_since or (self._active is None and not self._line):
            return False
        # The client has closed its sending side and may still read: what it asked for is answered.
        if self._active is not None and self._active.watcher is not None:
            self._active.watcher.client_half_closed()
        return self.scheme == "http"  # asyncio ends a TLS connection all the same, and complains of True

    def pause_writing(self) -> None:
        self._unwritten_since = time.monotonic()

    def resume_writing(self) -> None:
        self._unwritten_since = 0.0

    # httptools callbacks

    def _reset_head(self) -> None:
        self._url = b""
        self._headers: list[tuple[bytes, bytes]] = []
        self._known: dict[bytes, bytes] = {}
        self._head_size = self._partial_head = self._hosts = 0

    def on_message_begin(self) -> None:
        if not self._replaying:
            self._reset_head()
        self._in_head = True

    def on_url(self, url: bytes) -> None:
        if not self._replaying and len(self._url) <= self._limits.target_bytes:
            self._url += url

    def on_header(self, name: bytes, value: bytes) -> None:
        if not self._in_head or self._replaying:
            return  # a trailer, or the head of an upgrade that we have already
        self._head_size += len(name) + len(value) + 4
        if self._head_size > self._limits.head_bytes or len(self._headers) > self._limits.head_fields:
            return
        self._headers.append((name, value))
        lower = name.lower()
        if lower in KNOWN:
            if lower == b"host":
                self._hosts += 1
            self._known[lower] = value

    def on_chunk_header(self) -> None:
        self._framing -= _CHUNK_FRAMING

    def _count_framing(self, more: int) -> None:
        """Refuse a chunked body whose extensions or trailer are more than a head may be.

        The parser keeps a field of a trailer until it is whole, and joins it anew with each piece.
        """
        self._framing = max(self._framing + more, 0)
        if self._framing > self._limits.head_bytes and not self._stopped:
            self._refuse_unparsed(request_head.headers_too_large(self._limits))

    def on_headers_complete(self) -> None:
        self._framing = 0
        if self._stopped:
            return
        parser = self._parser
        method = parser.get_method()
        if parser.should_upgrade() and method != b"CONNECT":
            self._upgrade_method = method
            return  # answered as if it had not asked for the upgrade, once the parser has let go (_feed)
        self._in_head = False
        self._replaying = False
        self._head_since = 0.0
        version = parser.get_http_version()
        exchange = Exchange(
            self,
            method.decode("ascii"),
            self._url.decode("latin-1"),
            self._headers,
            self._known,
            parser.should_keep_alive() and not self._closing and method != b"CONNECT",
            version == "1.0",
        )
        refusal = request_head.refusal_of_head(
            exchange, version, len(self._url), self._head_size, self._hosts, self._limits, self._max_body()
        )
        if refusal is None:
            refusal = self._accept(exchange)
        if refusal is not None:
            self._refuse_head(exchange, refusal)
            return
        self._current = exchange
        self._idle_since = exchange.arrived
        # Behind others _pump tells it to go on: before their answers this one would be taken for one of them.
        if exchange.expects_continue and self._active is None and not self._line:
            self._transport.write(_CONTINUE)
            exchange.expects_continue = False

    def on_body(self, body: bytes) -> None:
        exchange = self._current
        if exchange is None:
            return
        size = exchange.size = exchange.size + len(body)
        if exchange.refusal is not None:
            return
        exchange.chunks.append(body)
        self._connections.held_bytes += len(body)
        if size > self._max_body():
            self._refuse_body(exchange, request_head.body_too_large(self._max_body()))
        elif self._connections.held_bytes > self._limits.held_bytes:
            self._refuse_body(exchange, NO_MEMORY)

    def on_message_complete(self) -> None:
        exchange = self._current
        if exchange is None:
            return
        self._current = None
        if not exchange.keep_alive:
            self._stopped = True
        self._last = exchange
        self._line.append(exchange)
        self._pump()

    # Parsing

    def _forget_last(self) -> None:
        self._last = None

    def _again(self, head: RepeatedHead, body: bytes) -> None:
        """Take a whole request whose head has come before on this connection."""
        template, size, keep_alive, now = head.exchange, len(body), not self._closing, time.monotonic()
        method, target, headers, known = template.method, template.target, template.headers, template.known
        self._head_since = 0.0
        self._idle_since = now
        held = self._connections.held_bytes + size
        if head.usual and 0 < size <= self._max_body() and held <= self._limits.held_bytes:
            self._connections.held_bytes = held
            exchange = Exchange(self, method, target, headers, known, keep_alive, False, now, [body], size)
            self._active = exchange  # before it is asked: a full queue is answered before again() returns
            try:
                if self._application.again(exchange, head.usual):
                    return
            except Exception as error:
                self._broken(exchange, error)
                return
            self._active = None
            self._release(exchange)
        exchange = self._current = Exchange(self, method, target, headers, known, keep_alive, False, now)
        exchange.refusal = self._accept(exchange)
        if body:
            self.on_body(body)
        if self._current is exchange:  # else it was refused for its size
            self.on_message_complete()

    def _accept(self, exchange: Exchange) -> Refusal | None:
        try:
            return self._application.accept(exchange)
        except Exception as error:
            self._application.fault(error)
            return Refusal("internal_error", "An unexpected internal error occurred")

    def _take_body(self, data: bytes) -> bytes:
        """Take the bytes of a body that comes past the parser; return what follows it."""
        left = self._body_left
        if len(data) < left:
            self._body_left = left - len(data)
            self.on_body(data)
            return b""
        self._body_left = 0
        self._parser = httptools.HttpRequestParser(self)  # the one before still expects the body
        self.on_body(data[:left])
        self.on_message_complete()
        return data[left:]

    def _feed(self, data: bytes) -> None:
        while True:
            try:
                self._parser.feed_data(data)
                return
            except httptools.HttpParserUpgrade as upgrade:
                if self._stopped:
                    return
                # We speak nothing to upgrade to. The parser takes what follows for the other protocol, so a
                # new one is given the same head without the upgrade, and then the body.
                rest = data[int(upgrade.args[0]) :]
                self._parser = httptools.HttpRequestParser(self)
                self._replaying = True
                data = request_head.without_upgrade(self._upgrade_method, self._headers) + rest
            except httptools.HttpParserError as error:
                # After a request that ends the connection, anything more is not looked at.
                if not self._stopped:
                    self._refuse_unparsed(request_head.refusal_of_bytes(data, error))
                return

    # Refusals

    def _refuse_head(self, exchange: Exchange, refusal: Refusal) -> None:
        """Answer a request by its head; its body is dropped when it is small, else the connection ends."""
        if request_head.drops_body(exchange, refusal):
            exchange.refusal = refusal
            self._current = exchange
        else:
            self._refuse_body(exchange, refusal)

    def _refuse_body(self, exchange: Exchange, refusal: Refusal) -> None:
        self._release(exchange)
        exchange.refusal = refusal
        exchange.keep_alive = False
        self._current = None
        self._stopped = True
        self._line.append(exchange)
        self._pump()

    def _refuse_unparsed(self, refusal: Refusal) -> None:
        exchange = self._current or Exchange(self, "GET", self._url.decode("latin-1"), [], {}, False, False)
        self._in_head = False
        self._refuse_body(exchange, refusal)

    # Answers, in the order of their requests

    def _pump(self) -> None:
        # An answer that is given at once comes back here by finished(): the loop below goes on then, or every pipelined
        # request would be some calls deeper.
        if self._pumping:
            return
        self._pumping = True
        try:
            while self._active is None and self._line:
                exchange = self._active = self._line.popleft()
                try:
                    if exchange.refusal is not None:
                        self._application.refuse(exchange, exchange.refusal)
                    else:
                        self._application.handle(exchange)
                except Exception as error:
                    self._broken(exchange, error)
        finally:
            self._pumping = False
        if self._active is not None:
            if self._eof and self._active.watcher is not None:
                self._active.watcher.client_half_closed()  # eof_received knew the one before
            return
        current = self._current
        if current is not None and current.expects_continue and not self._stopped:
            current.expects_continue = False
            self._transport.write(_CONTINUE)

    def _broken(self, exchange: Exchange, error: Exception) -> None:
        """Answer for a fault of ours: this request fails, the connection ends, the service goes on."""
        self._application.fault(error)
        if self._active is exchange and not exchange.status:
            exchange.keep_alive = False
            exchange.respond(500, b'{"status_code": 500, "message": "internal error", "code": "internal_error"}')
        elif self._active is exchange:
            self._transport.abort()

    def write(self, data: bytes) -> None:
        """Write bytes of an answer; dropped when the client has gone or leaves too much unread."""
        transport = self._transport
        if transport.is_closing():
            return
        transport.write(data)
        # _unwritten_since first, for every piece: the size is only worth asking for once the transport has complained.
        if self._unwritten_since and transport.get_write_buffer_size() > self._limits.stream_bytes:
            transport.abort()

    def write_many(self, pieces: list[bytes]) -> None:
        """Write several pieces of bytes without joining them first; they may be any size, what came before may not."""
        transport = self._transport
        if self._unwritten_since and transport.get_write_buffer_size() > self._limits.stream_bytes:
            transport.abort()
        elif not transport.is_closing():
            transport.writelines(pieces)

    def answer(self, exchange: Exchange, head: bytes, body: bytes, now: float) -> None:
        """Send the whole answer of a usual request and go on; the same as ``write`` and ``finished``."""
        transport = self._transport
        if len(body) > TOGETHER:
            self.write_many([head, body])
        elif not transport.is_closing():
            transport.write(head + body)
            if self._unwritten_since and transport.get_write_buffer_size() > self._limits.stream_bytes:
                transport.abort()
        # Only where nothing follows: pipelined requests, a half-closed client, an ending server are finished()'s.
        more = self._line or self._current is not None
        if more or self._eof or self._closing or self._paused or self._active is not exchange:
            self.finished(exchange)
            return
        self._active = exchange.watcher = None
        self._idle_since = now
        self._connections.held_bytes -= exchange.size
        exchange.chunks = []

    def finished(self, exchange: Exchange) -> None:
        """Go on after an answer is complete: close, or take the next request."""
        self._release(exchange)
        exchange.watcher = None  # it points back here: no work for the collector
        if self._active is not exchange:
            return  # the client was lost while it ran; what it held was given back then
        self._active = None
        self._idle_since = time.monotonic()
        if not exchange.keep_alive or (self._closing and not self._line and self._current is None):
            self._close()
            return
        if self._line or self._current is not None:  # whose body may wait for our 100 Continue
            self._pump()
        elif self._eof:
            self._close()
        # Half of them, or each answer would switch reading on and off again.
        if self._paused and len(self._line) < self._limits.pipeline // 2 and not self._transport.is_closing():
            self._paused = False
            self._transport.resume_reading()

    def _release(self, exchange: Exchange) -> None:
        if exchange.chunks:
            self._connections.held_bytes -= sum(map(len, exchange.chunks))
            exchange.chunks = []

    def _drop_current(self) -> None:
        """Give up a request whose body will not come."""
        if self._current is not None:
            self._release(self._current)
            self._current = None

    # Ends

    def _close(self) -> None:
        """Close after what is written. A client that may still send is listened to for a while (RFC 9112 sec. 9.6).

        Closing with unread input makes the kernel reset the connection, and the client may then never see
        its last answer.
        """
        self._stopped = True
        self._line.clear()
        transport = self._transport
        if transport.is_closing():
            return
        if self._eof or not transport.can_write_eof():
            transport.close()
            return
        if self._paused:
            self._paused = False
            transport.resume_reading()
        self._lingering_since = time.monotonic()
        transport.write_eof()

    def abort(self) -> None:
        """Cut the connection off."""
        self._transport.abort()
