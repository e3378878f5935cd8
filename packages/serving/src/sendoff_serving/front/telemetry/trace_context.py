"""W3C Trace Context (https://www.w3.org/TR/trace-context/): what a request says of its trace, and what is given on."""

from __future__ import annotations

import random
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

_PARENT = re.compile(rb"([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-.*)?", re.DOTALL)
# Longest tracestate that is given on; the recommendation asks for at least 512 characters.
_LONGEST_STATE = 4096
_MOST_MEMBERS = 32
_MEMBER = re.compile(rb"[0-9a-z][-_0-9a-z*/@]{0,255}=[\x20-\x2b\x2d-\x3c\x3e-\x7e]{0,255}[\x21-\x2b\x2d-\x3c\x3e-\x7e]")

_bits = random.Random().getrandbits  # seeded by the system; ids are names, not secrets


def _span_id() -> str:
    return f"{_bits(64) or 1:016x}"


@dataclass(slots=True, eq=False)
class Trace:
    """A request's place in a trace.

    Attributes:
        trace_id: 32 hex digits. span_id: 16, of the request's own span. run_id: 16, of run() within it.
        parent: the caller's span, "" for none. state: the caller's tracestate, "" for none that is valid.
        sampled: whether its spans are sent.
        random: whether the caller says that its trace's id is random (level 2 of the standard).
        revision: the revision that the request was given to.
        scored: when it was admitted and its run began (monotonic seconds, 0 for never), seconds in run(), reason.
        events: exceptions: time in nanoseconds of the Unix epoch, attributes.
        response: text of the answer, where that is asked for.
    """

    trace_id: str
    parent: str
    state: str
    sampled: bool
    random: bool = False
    span_id: str = field(default_factory=_span_id)
    run_id: str = field(default_factory=_span_id)
    revision: str | None = None
    scored: tuple[float, float, float | None, str] | None = None
    events: list[tuple[int, dict[str, object]]] = field(default_factory=list)
    response: str | None = None

    @property
    def traceparent(self) -> str:
        """The header that makes whatever run() calls a part of the trace."""
        return f"00-{self.trace_id}-{self.run_id}-{self.sampled + 2 * self.random:02x}"

    @property
    def headers(self) -> list[tuple[str, str]]:
        """What stands in place of the caller's headers of its trace."""
        given = [("traceparent", self.traceparent)]
        return [*given, ("tracestate", self.state)] if self.state else given


class Sampler:
    """Decides which traces are sent.

    Args:
        name: "always_on", "always_off" or "traceidratio".
        parent_based: follow the caller where there is one.
        ratio: share for "traceidratio"; by the trace's id, so that services of one ratio agree.
    """

    def __init__(self, name: str, parent_based: bool, ratio: float) -> None:
        self._parent_based = parent_based
        share = {"always_on": 1.0, "always_off": 0.0}.get(name, ratio)
        self._bound = round(share * (1 << 64))

    def begin(self, known: Mapping[bytes, bytes], headers: Sequence[tuple[bytes, bytes]]) -> Trace:
        """The trace of a request, the caller's where its header names a valid one.

        Args:
            known: the request's headers by lower-case name.
            headers: all of them, as they came: a header may be there more than once.
        """
        given = known.get(b"traceparent")
        found = None if given is None or len(_values(headers, b"traceparent")) > 1 else _parse(given)
        if found is None:
            trace_id = f"{_bits(128) or 1:032x}"
            return Trace(trace_id, "", "", int(trace_id[16:], 16) < self._bound)
        trace_id, parent, flags = found
        sampled = bool(flags & 1) if self._parent_based else int(trace_id[16:], 16) < self._bound
        state = _state(_values(headers, b"tracestate")) if b"tracestate" in known else ""
        return Trace(trace_id, parent, state, sampled, bool(flags & 2))


def _values(headers: Sequence[tuple[bytes, bytes]], wanted: bytes) -> list[bytes]:
    return [value for name, value in headers if name.lower() == wanted]


def _state(values: list[bytes]) -> str:
    """Join the lists of all tracestate headers; one that is not valid is given up whole, as the standard says."""
    members = [member for value in values for part in value.split(b",") if (member := part.strip(b" \t"))]
    state = b",".join(members)
    good = len(members) <= _MOST_MEMBERS and len(state) <= _LONGEST_STATE and all(map(_MEMBER.fullmatch, members))
    return state.decode("ascii") if good else ""


def _parse(header: bytes) -> tuple[str, str, int] | None:
    match = _PARENT.fullmatch(header.strip())
    if match is None:
        return None
    version, trace_id, parent, flags, more = match.groups()
    if version == b"ff" or (version == b"00" and more) or not int(trace_id, 16) or not int(parent, 16):
        return None
    return trace_id.decode("ascii"), parent.decode("ascii"), int(flags, 16)
