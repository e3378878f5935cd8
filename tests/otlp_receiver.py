"""A collector for tests: takes OTLP over HTTP, decodes it with the published message types, keeps what it got."""

from __future__ import annotations

import gzip
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest


def value_of(value: Any) -> Any:
    """An OTLP value as a Python value."""
    kind = value.WhichOneof("value")
    if kind == "array_value":
        return [value_of(inner) for inner in value.array_value.values]
    if kind == "kvlist_value":
        return attributes_of(value.kvlist_value.values)
    return None if kind is None else getattr(value, kind)


def attributes_of(pairs: Any) -> dict[str, Any]:
    """OTLP attributes as a dictionary."""
    return {pair.key: value_of(pair.value) for pair in pairs}


@dataclass
class Span:
    """A span as it came."""

    name: str
    trace_id: str
    span_id: str
    parent: str
    state: str
    kind: int
    status: int
    start: int
    end: int
    attributes: dict[str, Any]
    events: list[tuple[str, dict[str, Any]]]
    resource: dict[str, Any]


@dataclass
class Record:
    """A log record as it came."""

    body: Any
    severity: str
    trace_id: str
    span_id: str
    attributes: dict[str, Any]
    resource: dict[str, Any]


@dataclass
class Collector:
    """A collector on a free port.

    Attributes:
        delay: seconds before it answers.
        status: with which it answers.
        arrived: the path of each request, known before it is answered.
    """

    host: str = "127.0.0.1"
    port: int = 0
    delay: float = 0.0
    status: int = 200
    spans: list[Span] = field(default_factory=list)
    records: list[Record] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)
    requests: int = 0
    arrived: list[str] = field(default_factory=list)

    def __enter__(self) -> Collector:
        collector = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                collector.requests += 1
                collector.arrived.append(self.path)
                time.sleep(collector.delay)
                if collector.status == 200:
                    collector.headers.append({name.lower(): value for name, value in self.headers.items()})
                    collector._take(self.path, body, self.headers.get("Content-Encoding"))
                try:
                    self.send_response(collector.status)
                    self.send_header("Content-Length", "0")
                    self.end_headers()
                except OSError:
                    pass  # the sender was ended while it waited

            def log_message(self, *_: Any) -> None:
                pass

        self._server = ThreadingHTTPServer((self.host, self.port), Handler)
        self._server.daemon_threads = True
        self.port = self._server.server_port
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_: Any) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(5)

    @property
    def url(self) -> str:
        """For ``OTEL_EXPORTER_OTLP_ENDPOINT``."""
        return f"http://{self.host}:{self.port}"

    def span(self, condition: Callable[[Span], bool], seconds: float = 20.0) -> Span:
        """Wait for a span."""
        return _first(self.spans, condition, seconds)

    def record(self, condition: Callable[[Record], bool], seconds: float = 20.0) -> Record:
        """Wait for a log record."""
        return _first(self.records, condition, seconds)

    def _take(self, path: str, body: bytes, encoding: str | None) -> None:
        body = gzip.decompress(body) if encoding == "gzip" else body
        if path == "/v1/traces":
            for group in ExportTraceServiceRequest.FromString(body).resource_spans:
                resource = attributes_of(group.resource.attributes)
                for scope in group.scope_spans:
                    self.spans += [_span(span, resource) for span in scope.spans]
        elif path == "/v1/logs":
            for logs in ExportLogsServiceRequest.FromString(body).resource_logs:
                resource = attributes_of(logs.resource.attributes)
                for part in logs.scope_logs:
                    self.records += [_record(record, resource) for record in part.log_records]
        else:
            raise AssertionError(path)


def _first(found: list[Any], condition: Callable[[Any], bool], seconds: float) -> Any:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        for one in list(found):
            if condition(one):
                return one
        time.sleep(0.02)
    raise AssertionError(f"nothing of the kind came; there are {found}")


def _span(span: Any, resource: dict[str, Any]) -> Span:
    return Span(
        name=span.name,
        trace_id=span.trace_id.hex(),
        span_id=span.span_id.hex(),
        parent=span.parent_span_id.hex(),
        state=span.trace_state,
        kind=span.kind,
        status=span.status.code,
        start=span.start_time_unix_nano,
        end=span.end_time_unix_nano,
        attributes=attributes_of(span.attributes),
        events=[(event.name, attributes_of(event.attributes)) for event in span.events],
        resource=resource,
    )


def _record(record: Any, resource: dict[str, Any]) -> Record:
    return Record(
        body=value_of(record.body),
        severity=record.severity_text,
        trace_id=record.trace_id.hex(),
        span_id=record.span_id.hex(),
        attributes=attributes_of(record.attributes),
        resource=resource,
    )
