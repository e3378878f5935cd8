"""The program that speaks to an OpenTelemetry collector, in a process of its own beside the front.

It alone imports the SDK: the front keeps its memory, its start and its interpreter lock to itself. Frames come over
standard input (length, ``marshal``): first a configuration, then batches; each is answered by one JSON line. It ends
when its input does, after what it has read is delivered. Started by ``sender_process.py`` as a plain file.
"""

from __future__ import annotations

import json
import logging
import marshal
import os
import struct
import sys
from collections.abc import Callable
from typing import Any, BinaryIO

_LENGTH = struct.Struct("<I")
_LEAST, _MOST = -(1 << 63), (1 << 63) - 1
_OFTEN_NESTED = 32

Deliver = Callable[[list[Any]], str | None]


def main() -> int:
    """Deliver until the input ends."""
    answers = os.fdopen(os.dup(1), "w", buffering=1)
    os.dup2(2, 1)  # nothing else may write between the answers
    try:
        os.nice(10)  # requests come first
    except OSError:
        pass
    source = sys.stdin.buffer
    try:
        config = _read(source)
        if config is None:
            return 0
        deliver = _exporters(config)
    except Exception as error:
        print(json.dumps({"fatal": f"the sender cannot start: {error}"}), file=answers)
        return 1
    while (frame := _read(source)) is not None:
        signal, items = frame
        try:
            problem = deliver[signal](items)
        except Exception as error:
            problem = f"{type(error).__name__}: {error}"
        print(json.dumps({"delivered": problem is None, "error": problem}), file=answers)
    return 0


def _read(source: BinaryIO) -> Any:
    head = source.read(_LENGTH.size)
    if len(head) < _LENGTH.size:
        return None
    length = _LENGTH.unpack(head)[0]
    data = source.read(length)
    return marshal.loads(data) if len(data) == length else None


class _Reasons(logging.Handler):
    """Keeps what the SDK last complained about: its exporters answer yes or no alone."""

    def __init__(self) -> None:
        super().__init__()
        self.last = ""

    def emit(self, record: logging.LogRecord) -> None:
        self.last = record.getMessage()


def _exporters(config: dict[str, Any]) -> dict[str, Deliver]:
    from opentelemetry.sdk.resources import OTELResourceDetector, Resource
    from opentelemetry.sdk.util.instrumentation import InstrumentationScope

    reasons = _Reasons()
    logger = logging.getLogger("opentelemetry")
    logger.addHandler(reasons)
    logger.propagate = False
    # What the owner says in OTEL_SERVICE_NAME and OTEL_RESOURCE_ATTRIBUTES stands over what the server knows.
    resource = Resource.create().merge(Resource(config["attributes"])).merge(OTELResourceDetector().detect())
    scope = InstrumentationScope("sendoff_serving", config["version"])
    made: dict[str, Deliver] = {}
    if config["traces"]:
        made["spans"] = _spans(resource, scope, reasons)
    if config["logs"]:
        made["logs"] = _logs(resource, scope, reasons)
    return made


def _spans(resource: Any, scope: Any, reasons: _Reasons) -> Deliver:
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
    from opentelemetry.sdk.trace import Event, ReadableSpan
    from opentelemetry.trace import SpanContext, SpanKind, TraceFlags, TraceState
    from opentelemetry.trace.status import Status, StatusCode

    exporter = OTLPSpanExporter()
    sampled = TraceFlags(TraceFlags.SAMPLED)
    unset, failed = Status(StatusCode.UNSET), Status(StatusCode.ERROR)

    def spans_of(item: Any) -> list[ReadableSpan]:
        trace_id, span_id, parent_id, state, name, start, end, wrong, attributes, events, children = item
        number = int(trace_id, 16)
        states = TraceState.from_header([state]) if state else TraceState()
        context = SpanContext(number, int(span_id, 16), False, sampled, states)
        parent = SpanContext(number, int(parent_id, 16), True, sampled, states) if parent_id else None
        common: dict[str, Any] = {"resource": resource, "instrumentation_scope": scope}
        found = [
            ReadableSpan(
                name,
                context=context,
                parent=parent,
                attributes=attributes,
                events=[Event("exception", facts, at) for at, facts in events],
                kind=SpanKind.SERVER,
                status=failed if wrong else unset,
                start_time=start,
                end_time=end,
                **common,
            )
        ]
        for child_id, child_name, began, ended in children:
            own = int(child_id, 16) if child_id else int.from_bytes(os.urandom(8), "big") or 1
            found.append(
                ReadableSpan(
                    child_name,
                    context=SpanContext(number, own, False, sampled, states),
                    parent=context,
                    attributes={},
                    start_time=began,
                    end_time=ended,
                    **common,
                )
            )
        return found

    return _delivering(exporter, lambda items: [span for item in items for span in spans_of(item)], reasons)


def _logs(resource: Any, scope: Any, reasons: _Reasons) -> Deliver:
    from opentelemetry._logs import LogRecord, SeverityNumber
    from opentelemetry.exporter.otlp.proto.http._log_exporter import OTLPLogExporter
    from opentelemetry.sdk._logs import ReadableLogRecord
    from opentelemetry.trace import (
        INVALID_SPAN_CONTEXT,
        NonRecordingSpan,
        SpanContext,
        TraceFlags,
        set_span_in_context,
    )

    exporter = OTLPLogExporter()

    def record_of(item: Any) -> ReadableLogRecord:
        at, severity, name, text, attributes, trace_id, span_id, sampled = item
        context = INVALID_SPAN_CONTEXT
        if trace_id:
            context = SpanContext(int(trace_id, 16), int(span_id, 16), False, TraceFlags(int(sampled)))
        record = LogRecord(
            timestamp=at,
            observed_timestamp=at,
            context=set_span_in_context(NonRecordingSpan(context)),
            severity_number=SeverityNumber(severity),
            severity_text=name,
            body=body_of(text),
            attributes=attributes,
        )
        return ReadableLogRecord(record, resource, scope)

    return _delivering(exporter, lambda items: [record_of(item) for item in items], reasons)


def _delivering(exporter: Any, made_of: Callable[[list[Any]], list[Any]], reasons: _Reasons) -> Deliver:
    """Return what gives items to an exporter of the SDK, and says why it has not taken them, None where it has."""

    def deliver(items: list[Any]) -> str | None:
        reasons.last = ""
        result = exporter.export(made_of(items))
        return None if result.name == "SUCCESS" else reasons.last or "the collector did not take them"

    return deliver


def body_of(text: str) -> Any:
    """The body of a record: JSON objects and lists as structures (spec/behaviour.md sec. 17.1), all else as text."""
    if text[:1] not in "{[" or not text:
        return text
    try:
        found = json.loads(text)
        return _plain(found, 0)
    except (ValueError, RecursionError):
        return text


def _plain(value: Any, depth: int) -> Any:
    """A JSON value without what OTLP's values cannot hold.

    Raises:
        ValueError: It is nested deeper than collectors take.
    """
    if depth > _OFTEN_NESTED:
        raise ValueError("nested too deeply")
    if isinstance(value, dict):
        return {name: _plain(inner, depth + 1) for name, inner in value.items()}
    if isinstance(value, list):
        return [_plain(inner, depth + 1) for inner in value]
    if isinstance(value, int) and not isinstance(value, bool) and not _LEAST <= value <= _MOST:
        return str(value)
    return value


if __name__ == "__main__":
    sys.exit(main())
