"""The short way of a usual request, which nearly all are.

A request is usual when its head came before on the same connection, names ``POST /score`` and gives no ids of its own,
and when the script is given the body alone. What its head settles was settled the first time, so nothing is looked at
again: it costs half of the Python of any other request. Whatever is switched on for a service that needs more than that
(keys, rate limits, telemetry, CORS, recording) leads back to the way of all others, in ``ScoringApplication``.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from ...protocol import Frame, Kind
from ..http.exchange import OK_JSON, Exchange, date
from . import charset
from .identifiers import GIVEN, new_guid
from .score_job import ScoreJob

if TYPE_CHECKING:
    from .application import ScoringApplication
    from .generation import ScoredGeneration

# What a head is usual for: any script that is given the body, or also one that only takes JSON.
TEXT, JSON = "text", "json"
_UNUSUAL = GIVEN | {b"content-encoding"}


def usual_of(exchange: Exchange, is_json: bool) -> str:
    """Return what the head of a request is usual for, "" for one that is not usual."""
    if exchange.method != "POST" or exchange.path != "/score" or not _UNUSUAL.isdisjoint(exchange.known):
        return ""
    content_type = exchange.known.get(b"content-type", b"")
    if b"=" in content_type and not charset.is_usual(content_type):
        return ""
    return JSON if is_json else TEXT


def heads_of(description: Mapping[str, Any]) -> tuple[str, ...]:
    """Return what heads are usual for a script, by its description."""
    if description.get("needs_request"):
        return ()
    return {"string": (TEXT, JSON), "schema": (JSON,)}.get(str(description.get("shape")), ())


class UsualJob(ScoreJob):
    """A usual request."""

    __slots__ = ()

    def __init__(self, application: ScoringApplication, exchange: Exchange, generation: ScoredGeneration) -> None:
        # What the classes above set, without their calls.
        self.chunks = exchange.chunks
        self.size = exchange.size
        self.request = self._ids = None
        self.handed = self.started = 0.0
        self.attempts = 0
        self.half_closed = self.gone = False
        self._application = application
        self.exchange = exchange
        self.arrived = exchange.arrived
        exchange.route = "/score"
        exchange.request_id = new_guid()
        exchange.watcher = self
        self.generation = generation

    def answered(self, frame: Frame, now: float) -> None:
        exchange = self.exchange
        if frame.code != 200 or frame.kind != Kind.RESULT or self.gone or not exchange.keep_alive:
            super().answered(frame, now)
            return
        application = self._application
        if application.jobs.pop(self.id, None) is None:
            return
        seconds, body, name = frame.clock, frame.bodies[0], exchange.request_id
        queued, total = self.started - self.admitted, now - self.arrived
        size = exchange.sent = len(body)
        exchange.status = 200
        if seconds != application.usual_seconds:  # requests that ran together share their time
            application.usual_seconds, application.usual_run = seconds, f"{seconds * 1000:.3f}"
        run = application.usual_run
        head = (
            f"{OK_JSON}{size}\r\n{date.line(now)}x-request-id: {name}\r\nx-ms-request-id: {name}\r\n"
            f"{application.usual_lines}{run}\r\nServer-Timing: queue;dur={queued * 1000:.3f}, run;dur={run}\r\n\r\n"
        )
        exchange.connection.answer(exchange, head.encode("latin-1"), body, now)
        # Behind the answer: the client has it sooner, and cannot ask for the counters before we have come to them.
        application.metrics.scored(queued, seconds, total)
        application.log.access(exchange.method, exchange.target, 200, total, size, name, now)
