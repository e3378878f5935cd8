"""What a collector is told of requests and of the script, gathered beside the requests and never waited for.

On a request's way only tuples are put into lists. They go in batches to a process of its own
(``front/telemetry/sender.py``), which alone holds the OpenTelemetry SDK and speaks to the collector: a collector
that is slow or gone costs no request time, and memory is bounded by counts and bytes. What does not fit is dropped,
counted and said.
"""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from ...exposition import family
from ...log import NO_REQUEST, ServerLog
from ...telemetry_settings import TelemetrySettings
from .sender_process import SenderProcess
from .trace_context import Sampler, Trace

if TYPE_CHECKING:
    from ..http.exchange import Exchange

# Bytes of text that may wait for the collector.
MOST_BYTES = 16 << 20
LONGEST_RESPONSE = 64 * 1024
_SPAN_BYTES, _RECORD_BYTES = 700, 300  # about what the fields of fixed length take
_SEVERITY = {"D": 5, "I": 9, "W": 13, "E": 17, "C": 21}
_NAMES = {"D": "DEBUG", "I": "INFO", "W": "WARNING", "E": "ERROR", "C": "CRITICAL"}
# Lines of the frames; what comes after the last of them is the exception itself, which may have several lines.
_FRAMES = re.compile(r"^(?:  .*|Traceback .*)\n", re.MULTILINE)
_TRACEBACK = "Traceback (most recent call last):"
SIGNALS = ("spans", "logs")


class Counts:
    """What became of spans and log records; goes on over changes of the settings."""

    def __init__(self) -> None:
        self.delivered = dict.fromkeys(SIGNALS, 0)
        self.dropped: dict[tuple[str, str], int] = {}

    def drop(self, signal: str, number: int, reason: str) -> None:
        """Count what no collector has."""
        if number:
            self.dropped[signal, reason] = self.dropped.get((signal, reason), 0) + number

    def lines(self) -> list[str]:
        """Lines of the exposition."""
        taken = [({"signal": signal}, count) for signal, count in self.delivered.items()]
        lost = [
            ({"signal": signal, "reason": reason}, self.dropped.get((signal, reason), 0))
            for signal in SIGNALS
            for reason in ("queue_full", "not_delivered", "stopped")
        ]
        return [
            *family(
                "telemetry_delivered_total", "counter", "Spans and log records that the collector has taken.", taken
            ),
            *family("telemetry_dropped_total", "counter", "Spans and log records that no collector has.", lost),
        ]


class Telemetry:
    """Tells one collector, as long as it is switched on.

    Args:
        settings: what is sent, and the bounds.
        attributes: of the resource: the service's name and what is known of its process.
        counts: where deliveries and drops are counted.
        log: the server's log.
        exchange_of: the request that a frame's id belongs to.
        quiet: routes that are not told of: probes and scrapes.
    """

    def __init__(
        self,
        settings: TelemetrySettings,
        attributes: dict[str, Any],
        counts: Counts,
        *,
        log: ServerLog,
        exchange_of: Callable[[int], Exchange | None],
        quiet: frozenset[str],
    ) -> None:
        self.settings = settings
        self.counts = counts
        self._exchange_of = exchange_of
        self._quiet = quiet
        self._sampler = Sampler(settings.sampler, settings.parent_based, settings.ratio)
        self._most = {"spans": settings.most_spans, "logs": settings.most_logs}
        self._items: dict[str, list[tuple[Any, ...]]] = {signal: [] for signal in SIGNALS}
        self._waiting = dict.fromkeys(SIGNALS, 0)  # here and with the sender
        self._bytes = 0
        self._timer: asyncio.TimerHandle | None = None
        self._closed = False
        config = {"attributes": {**attributes, **settings.attributes}, "traces": settings.traces, "logs": settings.logs}
        self._sender = SenderProcess(config, settings.environment, log, self._answered)

    # Requests

    def begin(self, exchange: Exchange, revision: str | None) -> Trace:
        """Take a request's place in its trace, before it is given to a worker."""
        trace = exchange.trace = self._sampler.begin(exchange.known, exchange.headers)
        trace.revision = revision
        return trace

    def answered(self, exchange: Exchange, revision: str | None) -> None:
        """Tell of an answered request."""
        if exchange.route in self._quiet or not self.settings.traces:
            return
        trace = exchange.trace or self.begin(exchange, revision)
        if not trace.sampled:
            return
        number = 1
        if trace.scored is not None and trace.scored[1]:
            number += 1 if trace.scored[2] is None else 2
        if not self._has_room("spans", number, _SPAN_BYTES):
            return
        now, wall = time.monotonic(), time.time_ns()
        start = wall - round((now - exchange.arrived) * 1e9)
        path, _, query = exchange.target.partition("?")
        status = exchange.status
        attributes: dict[str, Any] = {
            "http.request.method": exchange.method,
            "url.path": path,
            "url.scheme": exchange.connection.scheme,
            "http.response.status_code": status,
            "client.address": exchange.remote_addr,
            "http.request.body.size": exchange.size,
            "http.response.body.size": exchange.sent,
        }
        name = exchange.method
        if exchange.route is not None:
            attributes["http.route"] = exchange.route
            name = f"{exchange.method} {exchange.route}"
        if query:
            attributes["url.query"] = query
        if exchange.request_id:
            attributes["sendoff.request_id"] = exchange.request_id
        client = exchange.known.get(b"x-ms-client-request-id")
        if client:
            attributes["sendoff.client_request_id"] = client.decode("latin-1")
        if trace.revision is not None:
            attributes["sendoff.revision"] = trace.revision
        children: list[tuple[str, str, int, int]] = []
        if trace.scored is not None:
            children = self._scored(trace, attributes, now, wall)
        if status >= 500 and "error.type" not in attributes:
            attributes["error.type"] = str(status)
        if trace.response is not None:
            attributes["sendoff.response"] = trace.response[:LONGEST_RESPONSE]
            if len(trace.response) > LONGEST_RESPONSE:
                attributes["sendoff.response.cut"] = True
        item = (
            *(trace.trace_id, trace.span_id, trace.parent, trace.state, name, start, wall),
            *(status >= 500, attributes, trace.events, children),
        )
        size = _SPAN_BYTES + len(exchange.target) + len(trace.response or "") + sum(map(_size_of, trace.events))
        self._add("spans", item, number, size)

    def _scored(
        self, trace: Trace, attributes: dict[str, Any], now: float, wall: int
    ) -> list[tuple[str, str, int, int]]:
        assert trace.scored is not None
        admitted, started, run, reason = trace.scored
        attributes["sendoff.reason"] = reason
        if reason != "ok":
            attributes["error.type"] = reason
        if not started:
            return []

        def at(moment: float) -> int:
            return wall - round((now - moment) * 1e9)

        attributes["sendoff.queue_ms"] = round((started - admitted) * 1000, 3)
        children = [("", "queue", at(admitted), at(started))]
        if run is not None:
            attributes["sendoff.run_ms"] = round(run * 1000, 3)
            # A worker holds several requests and answers them together: the answer may be later than the end of run().
            children.append((trace.run_id, "run", at(started), at(min(started + run, now))))
        return children

    def responded(self, exchange: Exchange, body: bytes) -> None:
        """Keep the text of an answer for its span, where that is asked for."""
        if self.settings.responses and exchange.trace is not None:
            kept = bytes(body[: LONGEST_RESPONSE + 1])
            exchange.trace.response = kept.decode("utf-8", "replace")

    # The script

    def said(self, revision: str | None, level: str, stream: str, text: str, pid: int, frame_id: int) -> None:
        """Tell what the script printed or logged.

        Args:
            revision: the revision of the script.
            level: first letter of the level.
            stream: "stdout", "stderr", or "log:" and a letter for records of ``logging``.
            text: whole lines; a record's lines belong together.
            pid: process of the worker.
            frame_id: the request that ran, 0 for none.
        """
        trace, attributes = self._of(revision, pid, frame_id)
        if stream.startswith("log:"):
            logger, _, message = text.partition(": ")
            attributes["logger.name"] = logger
            if _TRACEBACK in message:
                attributes.update(_exception(message[message.index(_TRACEBACK) :]))
            self._record(level, message, attributes, trace)
            return
        attributes["log.iostream"] = stream
        for line in text.split("\n"):
            if line.strip():
                self._record(level, line, attributes, trace)

    def raised(self, exchange: Exchange, content: dict[str, object]) -> None:
        """Tell what run() raised: an event of the request's span, and a log record.

        Args:
            exchange: the request.
            content: "message" and "traceback", as the worker gives them.
        """
        trace = exchange.trace
        attributes = _exception(str(content.get("traceback") or content["message"]))
        if trace is not None:
            trace.events.append((time.time_ns(), dict(attributes)))
        attributes["sendoff.request_id"] = exchange.request_id
        if trace is not None and trace.revision is not None:
            attributes["sendoff.revision"] = trace.revision
        self._record("E", str(content["message"]), attributes, trace)

    def not_loaded(self, revision: str | None, error: dict[str, Any], pid: int) -> None:
        """Tell at once why a script could not be loaded: the server may be about to end."""
        _, attributes = self._of(revision, pid, 0)
        attributes.update(_exception(str(error.get("traceback") or error["message"])))
        self._record("E", str(error["message"]), attributes, None)
        self.flush()

    def note(self, revision: str | None, level: str, text: str, pid: int) -> None:
        """Tell what the server has to say of a worker."""
        _, attributes = self._of(revision, pid, 0)
        self._record(level, text, attributes, None)

    def _of(self, revision: str | None, pid: int, frame_id: int) -> tuple[Trace | None, dict[str, Any]]:
        exchange = self._exchange_of(frame_id) if frame_id else None
        name = NO_REQUEST if exchange is None else exchange.request_id
        attributes: dict[str, Any] = {"sendoff.request_id": name, "process.pid": pid}
        if revision is not None:
            attributes["sendoff.revision"] = revision
        return None if exchange is None else exchange.trace, attributes

    def _record(self, level: str, text: str, attributes: dict[str, Any], trace: Trace | None) -> None:
        if not self.settings.logs:
            return
        ids = ("", "", False) if trace is None else (trace.trace_id, trace.span_id, trace.sampled)
        item = (time.time_ns(), _SEVERITY.get(level, 9), _NAMES.get(level, level), text, attributes, *ids)
        size = _RECORD_BYTES + 2 * len(text)  # an exception's text is in its attributes too
        if self._has_room("logs", 1, size):
            self._add("logs", item, 1, size)

    # On their way

    def _has_room(self, signal: str, number: int, size: int) -> bool:
        """Whether items may wait for the collector; those that may not are counted."""
        if self._closed or self._waiting[signal] + number > self._most[signal] or self._bytes + size > MOST_BYTES:
            self.counts.drop(signal, number, "stopped" if self._closed else "queue_full")
            return False
        return True

    def _add(self, signal: str, item: tuple[Any, ...], number: int, size: int) -> None:
        self._waiting[signal] += number
        self._bytes += size
        items = self._items[signal]
        items.append((number, size, item))
        if len(items) >= self.settings.batch:
            self.flush()
        elif self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(self.settings.delay, self.flush)

    def flush(self) -> None:
        """Hand what was gathered to the sender."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        for signal in SIGNALS:
            items, self._items[signal] = self._items[signal], []
            if items:
                number = sum(item[0] for item in items)
                size = sum(item[1] for item in items)
                self._sender.send(signal, [item[2] for item in items], number, size)

    def _answered(self, signal: str, number: int, size: int, delivered: bool, stopped: bool) -> None:
        """Take the news of what became of a batch."""
        self._waiting[signal] -= number
        self._bytes -= size
        if delivered:
            self.counts.delivered[signal] += number
        else:
            self.counts.drop(signal, number, "stopped" if stopped else "not_delivered")

    async def close(self) -> None:
        """Deliver what is left, for a bounded time."""
        self.flush()
        self._closed = True
        await self._sender.close(self.settings.flush_seconds)


def _size_of(event: tuple[int, dict[str, object]]) -> int:
    return sum(len(str(value)) for value in event[1].values())


def _exception(trace: str) -> dict[str, Any]:
    """The attributes that the semantic conventions give an exception, from what Python prints of it."""
    last = _FRAMES.split(trace.strip())[-1].strip()
    kind, _, text = last.partition(": ")
    attributes: dict[str, Any] = {"exception.stacktrace": trace}
    if kind.replace(".", "").replace("_", "").isalnum():
        attributes["exception.type"] = kind
        attributes["exception.message"] = text
    else:
        attributes["exception.message"] = last
    return attributes
