"""The service's own routes: health, /score, /swagger.json; requests into jobs, frames into answers."""

from __future__ import annotations

import json
import re
import time
import traceback
from typing import TYPE_CHECKING
from urllib.parse import parse_qs, unquote

from ...errors import RETRY_AFTER, Refusal
from ...exposition import CONTENT_TYPE
from ...log import NO_REQUEST
from ..http.exchange import JSON_TYPE, Exchange
from . import charset as charsets
from . import content_encoding
from . import inference_protocol as v2
from .auth import Gate, challenge
from .docs_page import page
from .existing_answers import LEGACY_ID, as_existing_server
from .identifiers import Identifiers
from .score_job import VERSION_LINE, ScoreJob
from .usual import UsualJob, usual_of

if TYPE_CHECKING:
    from ..server import Server
    from ..telemetry.spans import Telemetry
    from .generation import ScoredGeneration

_TEXT = "text/html; charset=utf-8"
_JSON_CONTENT = re.compile(rb"\s*application/(?:json|[\w.+-]+\+json)\s*(?:;.*)?$", re.IGNORECASE | re.DOTALL)

_SLASHES = re.compile("//+")

_ROUTES = frozenset(
    {"/score", "/", "/swagger.json", "/docs", "/metrics", "/health/live", "/health/ready", "/health/startup"}
)
# All that the existing server has; in compatibility mode anything else is 404 (spec/scoring-server.md sec. 4).
_EXISTING_ROUTES = frozenset({"/score", "/", "/swagger.json"})
# Probes and scrapes would flood the access log (pain 34).
QUIET = frozenset({"/", "/metrics", "/health/live", "/health/ready", "/health/startup"}) | v2.QUIET
_SCORES = frozenset({"/score", v2.INFER})
_METHODS = {"/score": ("GET", "OPTIONS", "POST"), v2.INFER: ("POST",)}
_READING = ("GET", "HEAD", "OPTIONS")

# The existing server says it of every answer but those of "/" and of OPTIONS, and of refusals there too.
NOT_FAILED = "x-ms-run-function-failed: False\r\n"

_NOT_FOUND = (
    "The requested URL was not found on the server. If you entered the URL manually please check your spelling "
    "and try again."
)
_NOT_ALLOWED = "The method is not allowed for the requested URL."


class ScoringApplication:
    """Answers the requests of a service's address.

    Args:
        server: what serves, why nothing does, and the rules that are in force now.
        gate: lets callers in; None where anybody may score.
        compatible: answer as the existing server does (settled.md, "Compatibility mode").
        version_header: whether answers name the server and its version.

    Attributes:
        script_error_status: status of a request whose run() raised.
        jobs: requests to /score that are not answered, by the id of their frames.
    """

    def __init__(self, server: Server, gate: Gate | None, compatible: bool, version_header: bool) -> None:
        self.version_line = VERSION_LINE if version_header else ""
        # What a usual answer says behind its ids, up to the time that run() took.
        self.usual_lines = f"{self.version_line}x-ms-run-function-failed: False\r\nx-ms-run-fn-exec-ms: "
        self.usual_seconds, self.usual_run = -1.0, ""  # time in run() of the last usual answer, as number and text
        self.server = server
        self.log = server.log
        self.metrics = server.metrics
        self.gate = gate
        self.compatible = compatible
        self.script_error_status = 500
        self._routes = _EXISTING_ROUTES if compatible else _ROUTES
        self.jobs: dict[int, ScoreJob] = {}
        self._last_id = 0
        self._said_legacy = False
        self._said_non_finite = False
        self.started = False
        # The readiness probes fail, so that balancers look away, and requests are served all the same.
        self.leaving = False
        self.telemetry: Telemetry | None = None

    # Application

    def accept(self, exchange: Exchange) -> Refusal | None:
        """Refuse what needs no body to be refused."""
        route = exchange.route = self._route(exchange)
        if route is None:
            return Refusal("not_found", _NOT_FOUND)
        method = exchange.method
        if (self.gate is not None or self.server.rate is not None) and not (
            method == "OPTIONS" and self.server.cors.is_preflight(method, exchange.known)
        ):
            refusal = self._gate_refusal(exchange, route)
            if refusal is not None:
                return refusal
        asks_first = route == v2.INFER and self.server.cors.is_preflight(method, exchange.known)
        if method not in _METHODS.get(route, _READING) and not asks_first:
            return Refusal("method_not_allowed", _NOT_ALLOWED)
        if content_encoding.HEADER in exchange.known and not self.compatible:
            return content_encoding.refusal_of(exchange, self.server.answering)
        return None

    def _gate_refusal(self, exchange: Exchange, route: str) -> Refusal | None:
        """Refuse callers without a key, and callers that ask too often; browsers' preflights come before."""
        caller = ""
        if self.gate is not None:
            found = self.gate.admit(route, exchange.known, exchange.remote_addr)
            if isinstance(found, Refusal):
                return found
            caller = found
        rate = self.server.rate
        return rate.admit(caller or exchange.remote_addr) if rate is not None and route in _SCORES else None

    def handle(self, exchange: Exchange) -> None:
        """Answer a complete request."""
        route = exchange.route
        if exchange.method == "OPTIONS" and self.server.cors.is_preflight(exchange.method, exchange.known):
            exchange.respond(200, b"", _TEXT, self.server.cors.preflight_lines(exchange.known))
            self.access(exchange)
        elif route == "/score" or route == v2.INFER:
            self._score(exchange)
        elif route == "/":
            self._health(exchange)
        elif route == "/swagger.json":
            self._swagger(exchange)
        elif exchange.method == "OPTIONS":
            exchange.respond(200, b"", _TEXT, self.server.cors.lines(exchange.known) + "Allow: GET, HEAD, OPTIONS\r\n")
        elif route == "/metrics":
            exchange.respond(200, self.exposition(), CONTENT_TYPE, self.server.cors.lines(exchange.known))
        elif route == "/docs":
            exchange.respond(200, page(self.server.path_prefix), _TEXT, self.server.cors.lines(exchange.known))
            self.access(exchange)
        elif route in v2.ROUTES:
            self._inference_metadata(exchange, str(route))
        else:
            self._probe(exchange, str(route))

    def exposition(self) -> bytes:
        """Return what /metrics answers."""
        generation = self.server.answering
        workers = [] if generation is None else generation.status()["workers"]
        return self.metrics.text(self.server.gauges(), workers)

    def refuse(self, exchange: Exchange, refusal: Refusal) -> None:
        """Answer with an error; unrouted requests carry no ids (spec/scoring-server.md sec. 4)."""
        lines = self.server.cors.lines(exchange.known)
        unrouted = refusal.code in ("not_found", "method_not_allowed")
        if self.compatible and unrouted:
            lines += NOT_FAILED
        if not unrouted or (self.compatible and exchange.method == "HEAD" and exchange.route == "/score"):
            ids = Identifiers(exchange.known)
            refused = ids.refusal(exchange.known)
            exchange.request_id = ids.request_id
            lines += ids.lines if refused is None else ""
            lines += self.version_line
        if refusal.code == "method_not_allowed":
            lines += f"Allow: {', '.join(_METHODS.get(exchange.route or '', _READING))}\r\n"
        if refusal.code == "unauthorized":
            lines += f"WWW-Authenticate: {challenge(refusal)}\r\n"
        if exchange.route in _SCORES:
            self.metrics.answered(refusal.http_status, refusal.code, None, None, time.monotonic() - exchange.arrived)
        self.send_refusal(exchange, refusal, lines)

    def send_refusal(self, exchange: Exchange, refusal: Refusal, lines: str) -> None:
        """Send an error body with given header lines."""
        retry = refusal.retry_after or RETRY_AFTER.get(refusal.code)
        if retry is not None:
            lines += f"Retry-After: {retry}\r\n"
        if self.compatible:
            refusal = as_existing_server(refusal)
        if exchange.route in v2.ROUTES or (v2.is_below(exchange.path) and not self.compatible):
            body = v2.error_body(refusal)
        else:
            body = json.dumps(refusal.body(self.compatible)).encode("ascii")
        exchange.respond(refusal.http_status, body, JSON_TYPE, lines)
        self.access(exchange)

    def fault(self, error: BaseException) -> None:
        """Log a fault of the server's own."""
        self.log.error(f"Internal error: {''.join(traceback.format_exception(error)).rstrip()}")

    # Routes

    def _route(self, exchange: Exchange) -> str | None:
        path = exchange.path
        if path in self._routes:
            return path
        if path == "*" and not self.compatible:  # OPTIONS of the server as a whole
            return "/"
        prefix = self.server.path_prefix
        if prefix and (path == f"/{prefix}" or path.startswith(f"/{prefix}/")):
            path = path[len(prefix) + 1 :] or "/"
        plain = _SLASHES.sub("/", unquote(path))
        if plain in self._routes:
            return plain
        return None if self.compatible else v2.route_of(path) or self._own_route(path)

    def _own_route(self, path: str) -> str | None:
        """Return /score for the further paths that a script answers (``worker/described.py``)."""
        generation = self.server.answering
        routes = generation.description.get("routes") if generation is not None else None
        return "/score" if routes and path.startswith(tuple(routes)) else None

    def _common(self, exchange: Exchange) -> str | None:
        """Return the header lines of a routed answer; None when the request was refused for its ids."""
        ids = Identifiers(exchange.known)
        refused = ids.refusal(exchange.known)
        exchange.request_id = ids.request_id
        lines = ids.lines + self.version_line + self.server.cors.lines(exchange.known)
        if refused is not None:
            self.send_refusal(exchange, refused, lines + NOT_FAILED if self.compatible else lines)
            return None
        return lines

    def _health(self, exchange: Exchange) -> None:
        lines = self._common(exchange)
        if lines is None:
            return
        generation = self.server.answering
        if exchange.method == "OPTIONS":
            more = ", POST" if exchange.path == "*" else ""
            exchange.respond(200, b"", _TEXT, lines + f"Allow: GET, HEAD, OPTIONS{more}\r\n")
        elif generation is not None and generation.phase == "ready" and not self.leaving:
            exchange.respond(200, b"Healthy", _TEXT, lines)
        else:
            self.send_refusal(exchange, self.server.why_not(), lines)

    def _probe(self, exchange: Exchange, route: str) -> None:
        """Answer /health/live, /health/ready, /health/startup, which differ as orchestrators need (pain 43).

        Live: the front answers. Startup: a script has been loaded once. Ready: a worker can take a request now.
        """
        generation = self.server.answering
        if generation is not None:
            self.started = True
        good = (
            route == "/health/live"
            or (route == "/health/startup" and self.started)
            or (generation is not None and self._can_score(generation))
        )
        lines = self.version_line + self.server.cors.lines(exchange.known)
        if good:
            exchange.respond(200, b"Healthy", _TEXT, lines)
        else:
            self.send_refusal(exchange, self.server.why_not(), lines)

    def _can_score(self, generation: ScoredGeneration) -> bool:
        return generation.phase == "ready" and generation.has_worker and not self.leaving

    def _inference_metadata(self, exchange: Exchange, route: str) -> None:
        """Answer what the Open Inference Protocol asks of server and models, other than to infer."""
        lines = self._common(exchange)
        if lines is None:
            return
        generation = self.server.answering
        found: bytes | Refusal
        if route in (v2.LIVE, v2.SERVER):
            found = v2.ANSWERS[route]
        elif generation is None or (route != v2.MODEL and not self._can_score(generation)):
            found = self.server.why_not()
        elif route == v2.READY:
            found = v2.ANSWERS[route]
        else:
            target = v2.target_of(exchange, generation)
            if isinstance(target, Refusal):
                found = target
            else:
                found = v2.model_ready(target) if route == v2.MODEL_READY else v2.model_metadata(target, generation)
        self._give(exchange, found, lines)

    def _give(self, exchange: Exchange, found: bytes | Refusal, lines: str) -> None:
        """Answer with a JSON document, or with why there is none."""
        if isinstance(found, Refusal):
            self.send_refusal(exchange, found, lines)
        else:
            exchange.respond(200, found, JSON_TYPE, lines)
            self.access(exchange)

    def _swagger(self, exchange: Exchange) -> None:
        lines = self._common(exchange)
        if lines is None:
            return
        if self.compatible and exchange.method != "OPTIONS":
            lines += NOT_FAILED
        if exchange.method == "OPTIONS":
            exchange.respond(200, b"", _TEXT, lines + "Allow: GET, HEAD, OPTIONS\r\n")
            self.access(exchange)
            return
        generation = self.server.answering
        wanted = parse_qs(exchange.target.partition("?")[2], keep_blank_values=True).get("version", [""])[0]
        found = self.server.why_not() if generation is None else generation.documents.find(wanted)
        self._give(exchange, found, lines)

    def _score(self, exchange: Exchange) -> None:
        known = exchange.known
        ids = Identifiers(known)
        refusal = ids.refusal(known)
        exchange.request_id = ids.request_id
        generation = self.server.answering
        if ids.legacy and not self._said_legacy:
            self._said_legacy = True
            said = "x-ms-request-id in requests is deprecated; use x-request-id or x-ms-client-request-id"
            self.log.warning(LEGACY_ID if self.compatible else said)
        if refusal is None and generation is None:
            refusal = self.server.why_not()
        if self.telemetry is not None:
            self.telemetry.begin(exchange, None if generation is None else generation.revision)
        job = ScoreJob(self, exchange, ids)
        if refusal is None and generation is not None:
            shape = generation.description.get("shape")
            if exchange.method == "OPTIONS" and shape != "raw":
                exchange.respond(200, b"", _TEXT, job.lines(False) + "Allow: GET, OPTIONS, POST\r\n")
                self.access(exchange)
                return
            inference: dict[str, object] | None = None
            if exchange.route == v2.INFER:
                found = v2.inference_of(exchange, generation)
                if isinstance(found, Refusal):
                    refusal = found
                else:
                    inference = found
            elif shape == "schema":
                refusal = self._content_refusal(exchange)
            charset: str | None = None
            if refusal is None and shape != "raw" and exchange.route == "/score":
                try:
                    charset = charsets.of(exchange.known.get(b"content-type", b""))
                except LookupError as error:
                    text = f"The charset {str(error)!r} of the Content-Type is not known"
                    refusal = Refusal("charset_unknown", text, "send UTF-8")
            if refusal is None:
                packed: dict[str, object] | None = None
                if content_encoding.HEADER in exchange.known and not self.compatible:
                    packed = content_encoding.packed(exchange, generation)
                needed = (
                    generation.description.get("needs_request")
                    or inference is not None
                    or packed is not None
                    or charset
                )
                if needed or exchange.method != "POST":
                    job.request = self._request_json(exchange, inference, packed, charset)
                self._last_id = job.id = self._last_id + 1
                self.jobs[job.id] = job
                job.generation = generation
                exchange.watcher = job
                generation.dispatcher.submit(job)
                return
        assert refusal is not None
        job.refused(refusal)

    def usual_of(self, exchange: Exchange) -> str:
        return usual_of(exchange, bool(_JSON_CONTENT.match(exchange.known.get(b"content-type", b""))))

    def again(self, exchange: Exchange, usual: str) -> bool:
        generation = self.server.answering
        if (
            generation is None
            or usual not in generation.usual
            or generation.records is not None
            or self.gate is not None
            or self.telemetry is not None
            or self.server.rate is not None
            or self.server.cors.enabled
        ):
            return False
        job = UsualJob(self, exchange, generation)
        number = self._last_id = job.id = self._last_id + 1
        self.jobs[number] = job
        generation.dispatcher.submit(job)
        return True

    def _content_refusal(self, exchange: Exchange) -> Refusal | None:
        if exchange.method != "POST":
            return None
        content_type = exchange.known.get(b"content-type", b"")
        if not _JSON_CONTENT.match(content_type):
            return Refusal("content_type_not_json", "Expects Content-Type to be application/json")
        if not exchange.size:
            return Refusal("body_empty", "POST body is empty. Expecting a JSON dictionary.")
        return None

    def _request_json(
        self,
        exchange: Exchange,
        inference: dict[str, object] | None,
        packed: dict[str, object] | None,
        charset: str | None,
    ) -> bytes:
        headers = [(name.decode("latin-1"), value.decode("latin-1")) for name, value in exchange.headers]
        if self.gate is not None and self.gate.guarded:
            # The key is the front's business: scripts print what they are given.
            headers = [pair for pair in headers if pair[0].lower() != "authorization"]
        if exchange.trace is not None:
            headers = [pair for pair in headers if pair[0].lower() not in ("traceparent", "tracestate")]
            headers += exchange.trace.headers
        request: dict[str, object] = {
            "method": exchange.method,
            "target": exchange.target,
            "headers": headers,
            "remote_addr": exchange.remote_addr,
            "scheme": exchange.connection.scheme,
        }
        if inference is not None:
            request["inference"] = inference
        if packed is not None:
            request["packed"] = packed
        if charset is not None:
            request["charset"] = charset
        return json.dumps(request).encode("ascii")

    # What jobs need

    def exchange_of(self, frame_id: int) -> Exchange | None:
        """Return the request that the id of a frame belongs to, while it is not answered."""
        job = self.jobs.get(frame_id)
        return None if job is None else job.exchange

    def request_name(self, frame_id: int) -> str:
        """Return the request id that users know for the id of a frame."""
        job = self.jobs.get(frame_id)
        return NO_REQUEST if job is None else job.ids.request_id

    def ended(self, job: ScoreJob, status: int, reason: str, run: float | None = None) -> None:
        """Forget a job that has its answer, and count it."""
        if job.id and self.jobs.pop(job.id, None) is None:
            return  # its client had left before
        now = time.monotonic()
        started = job.started or job.handed
        queued = started - job.admitted if started else None
        if job.exchange.trace is not None:
            job.exchange.trace.scored = (job.admitted, started, run, reason)
        self.metrics.answered(status, reason, queued, run, now - job.arrived)

    def non_finite(self, job: ScoreJob) -> None:
        """Count a result with NaN or infinity, and say so once."""
        self.metrics.non_finite += 1
        if not self._said_non_finite:
            self._said_non_finite = True
            text = (
                "The result holds NaN or infinity, which is not valid JSON; it is sent as Python writes it. "
                "The setting nan (null, string, error) changes that. Said once"
            )
            self.log.write("W", "sendoff", text, request_id=job.ids.request_id)

    def access(self, exchange: Exchange) -> None:
        """Write the access line of an answered request."""
        if self.telemetry is not None:
            if exchange.route is None:  # refused before it was routed, as large bodies are
                exchange.route = self._route(exchange)
            generation = self.server.answering
            self.telemetry.answered(exchange, None if generation is None else generation.revision)
        if exchange.path in QUIET and exchange.status < 400:
            return
        seconds = time.monotonic() - exchange.arrived
        self.log.access(exchange.method, exchange.target, exchange.status, seconds, exchange.sent, exchange.request_id)
