"""One request to /score: a job for the workers, and the answer made of their frames."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

from ... import __version__
from ...errors import STATUS, Refusal
from ...protocol import Frame, Kind, ResultFlag
from ..http.exchange import JSON_TYPE, Exchange
from ..workers.jobs import Job
from .existing_answers import existing_code
from .identifiers import Identifiers

if TYPE_CHECKING:
    from .application import ScoringApplication
    from .generation import ScoredGeneration

VERSION_LINE = f"x-ms-server-version: sendoff-serving/{__version__}\r\n"
_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_UNSAFE = re.compile(r"[\0-\x08\n-\x1f\x7f]")
# Headers that the connection sets; a script's own would break the framing.
_RESERVED = frozenset({"content-length", "transfer-encoding", "connection", "keep-alive", "upgrade", "trailer", "te"})
_SHARED = frozenset({"x-request-id", "x-ms-request-id", "x-ms-client-request-id", "date", "server-timing"})
SCRIPT_ERROR = "An unexpected error occurred in scoring script. Check the logs for more info."


class ScoreJob(Job):
    """One request to /score."""

    __slots__ = ("_application", "_ids", "arrived", "exchange", "generation")

    def __init__(self, application: ScoringApplication, exchange: Exchange, ids: Identifiers | None) -> None:
        super().__init__(exchange.chunks, exchange.size, None)
        self._application = application
        self.exchange = exchange
        self.arrived = exchange.arrived
        self._ids = ids
        self.generation: ScoredGeneration | None = None

    @property
    def ids(self) -> Identifiers:
        """The request's ids."""
        if self._ids is None:
            self._ids = Identifiers.of(str(self.exchange.request_id))
        return self._ids

    def lines(self, failed: bool) -> str:
        """Return the header lines that every answer of /score has."""
        cors = self._application.server.cors
        return (
            f"{self.ids.lines}{self._application.version_line}x-ms-run-function-failed: {failed}\r\n"
            f"{cors.lines(self.exchange.known) if cors.enabled else ''}"
        )

    def _timing(self, seconds: float) -> str:
        queued = max(self.started - self.admitted, 0.0) * 1000
        run = seconds * 1000
        return f"x-ms-run-fn-exec-ms: {run:.3f}\r\nServer-Timing: queue;dur={queued:.3f}, run;dur={run:.3f}\r\n"

    def answered(self, frame: Frame, now: float) -> None:
        application = self._application
        if frame.kind == Kind.ERROR:
            application_error(self, frame)
            return
        code = frame.code
        if code & ResultFlag.STREAM:
            self._start_stream(frame)
            return
        application.ended(self, code & ResultFlag.STATUS_MASK, "ok", frame.clock)
        if self.gone:
            return
        if code & ResultFlag.NON_FINITE:
            application.non_finite(self)
        status = code & ResultFlag.STATUS_MASK
        body = frame.bodies[0]
        if application.telemetry is not None or (self.generation is not None and self.generation.records is not None):
            body = bytes(body)  # may be kept for longer than the place in shared memory that it lies in
        if application.telemetry is not None:
            application.telemetry.responded(self.exchange, body)
        if not code & ResultFlag.HEADERS:
            self.exchange.respond(status, body, JSON_TYPE, self.lines(False) + self._timing(frame.clock))
        else:
            self.exchange.respond(status, body, None, self._lines_of(frame))
        application.access(self.exchange)
        if status < 400:
            self._record(body)

    def _record(self, answer: bytes | None) -> None:
        """Hand an answered request on to be stored; None for an answer that was streamed."""
        generation = self.generation
        if generation is None or generation.records is None or (recording := generation.recording) is None:
            return
        if answer is None:
            recording.streamed()
        else:
            recording.answered(self, generation.records, answer)

    def _lines_of(self, frame: Frame) -> str:
        """Return the header lines of an answer of which the script says more than its body."""
        status = frame.code & ResultFlag.STATUS_MASK
        own = self._script_lines(frame.bodies[1]) if frame.code & ResultFlag.HEADERS else ""
        lines = self.lines(bool(frame.code & ResultFlag.FAILED) or status >= 500)
        return self._without_own_cors(own, lines) + self._timing(frame.clock) + own

    def _script_lines(self, encoded: bytes) -> str:
        lines, dropped = script_lines(encoded)
        if dropped:
            text = (
                f"The response header {', '.join(ascii(name) for name in dropped)} is not sent: its name or value "
                "holds characters that a header cannot have, such as a line break"
            )
            self._application.log.write("W", "sendoff", text, request_id=self.ids.request_id)
        return lines

    def _without_own_cors(self, own: str, lines: str) -> str:
        if "access-control-allow-origin:" not in own.lower():
            return lines
        kept = [line for line in lines.split("\r\n") if not line.startswith("Access-Control-Allow-Origin:")]
        return "\r\n".join(kept)

    def _start_stream(self, frame: Frame) -> None:
        if not self.gone:
            self.exchange.start_stream(frame.code & ResultFlag.STATUS_MASK, self._lines_of(frame))

    def streamed(self, frame: Frame) -> None:
        if frame.kind == Kind.CHUNK:
            if not self.gone:
                self.exchange.send_piece(frame.bodies[0])
            return
        self._application.ended(self, self.exchange.status, "stream_failed" if frame.code else "ok", frame.clock)
        if not self.gone:
            self.exchange.end_stream(complete=not frame.code)
            self._application.access(self.exchange)
            if not frame.code:
                self._record(None)

    def refused(self, refusal: Refusal) -> None:
        self._application.ended(self, refusal.http_status, refusal.code)
        if self.gone:
            return
        if self.exchange.streaming:
            self.exchange.end_stream(complete=False)
            self._application.access(self.exchange)
            return
        failed = refusal.code in ("run_failed", "scoring_timeout")
        self._application.send_refusal(self.exchange, refusal, self.lines(failed))

    def broken(self, error: Exception) -> None:
        self._application.fault(error)
        if not self.gone:
            self.exchange.connection.abort()

    def client_gone(self) -> None:
        """The connection is lost: nobody reads the answer, and a place in the queue is free again."""
        self.gone = True
        self.exchange.status = 499
        if self.generation is not None:
            self.generation.dispatcher.forget(self)
        self._application.ended(self, 499, "client_gone")
        self._application.access(self.exchange)
        if not self.handed:
            self.chunks = []

    def client_half_closed(self) -> None:
        """The client sends no more; it may be gone."""
        if self.generation is not None:
            self.generation.dispatcher.doubt(self)


def application_error(job: ScoreJob, frame: Frame) -> None:
    """Answer with what the worker says of a request that has no result."""
    content = json.loads(frame.bodies[0])
    code = str(content["code"])
    message, hint = str(content["message"]), content.get("hint")
    failed = code == "run_failed"
    status = frame.code
    if job._application.compatible:
        code = existing_code(code, None if job.generation is None else job.generation.description.get("shape"))
        failed = code == "run_failed"
        status = STATUS.get(code, status) if code != content["code"] else status
    if failed or status >= 500 or code == "value_not_convertible":
        script_failed(job, content)
    if failed:
        # What the script raised may hold private data: it is in the log, not in the answer.
        message, hint = SCRIPT_ERROR, hint or f"look for {job.ids.request_id} in the service's log"
        status = job._application.script_error_status if status == 500 else status
    application = job._application
    application.ended(job, status, code, frame.clock if failed else None)
    if job.gone:
        return
    refusal = Refusal(code, message, hint, status=status, details=content.get("details"))
    lines = job.lines(failed)
    if failed and not application.compatible:
        lines += job._timing(frame.clock)
    application.send_refusal(job.exchange, refusal, lines)


def script_failed(job: ScoreJob, content: dict[str, object]) -> None:
    """Log what the script raised, or which value its schema could not convert."""
    application = job._application
    text = str(content.get("traceback") or content["message"])
    unfit = content.get("code") == "value_not_convertible"
    if unfit:
        details = content.get("details")
        found = details if isinstance(details, dict) else {}
        text = f"{text} (expected {found.get('expected')}, got {found.get('got')})"
    level = "W" if unfit and not application.compatible else "E"
    said = text if level == "W" else f"Encountered Exception: {text}"
    application.log.write(level, "sendoff", said, request_id=job.ids.request_id)
    if application.telemetry is not None and not unfit:
        application.telemetry.raised(job.exchange, content)
    if content.get("hint"):
        application.log.write("E", "sendoff", f"Hint: {content['hint']}", request_id=job.ids.request_id)


def script_lines(encoded: bytes) -> tuple[str, list[str]]:
    """Return a script's response headers as lines, without those that would break the answer's framing.

    Returns:
        The lines, and the names of headers that no answer can have as they are given.
    """
    lines, dropped = [], []
    for name, given in json.loads(encoded):
        value = str(given)
        lower = name.lower()
        if lower in _RESERVED or lower in _SHARED:
            continue
        if not _NAME.fullmatch(name) or _UNSAFE.search(value):
            dropped.append(name)
            continue
        try:
            value.encode("latin-1")
        except UnicodeEncodeError:
            value = value.encode("utf-8").decode("latin-1")
        lines.append(f"{name}: {value}\r\n")
    return "".join(lines), dropped
