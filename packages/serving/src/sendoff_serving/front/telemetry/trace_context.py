"""W3C Trace Context (https://www.w3.org/TR/trace-context/): what a request says of its trace, and what is given on."""

from __future__ import annotations

import random
import re
from collections.abc import Mapping

_PARENT = re.compile(rb"([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-.*)?", re.DOTALL)
# Longest tracestate that is given on; the recommendation asks for at least 512 characters.
_LONGEST_STATE = 4096

_bits = random.Random().getrandbits  # seeded by the system; ids are names, not secrets


class Trace:
    """A request's place in a trace.

    Attributes:
        trace_id: 32 hex digits. span_id: 16, of the request's own span. run_id: 16, of run() within it.
        parent: the caller's span, "" for none. state: the caller's tracestate.
        sampled: whether its spans are sent.
        revision: the revision that the request was given to.
        scored: when it was admitted and handed over (monotonic seconds, 0 for never), seconds in run(), reason.
        events: exceptions: time in nanoseconds of the Unix epoch, attributes.
        response: text of the answer, where that is asked for.
    """

    __slots__ = (
        "events",
        "parent",
        "response",
        "revision",
        "run_id",
        "sampled",
        "scored",
        "span_id",
        "state",
        "trace_id",
    )

    def __init__(self, trace_id: str, parent: str, state: str, sampled: bool) -> None:
        self.trace_id = trace_id
        self.span_id = f"{_bits(64) or 1:016x}"
        self.run_id = f"{_bits(64) or 1:016x}"
        self.parent = parent
        self.state = state
        self.sampled = sampled
        self.revision: str | None = None
        self.scored: tuple[float, float, float | None, str] | None = None
        self.events: list[tuple[int, dict[str, object]]] = []
        self.response: str | None = None

    @property
    def traceparent(self) -> str:
        """The header that makes whatever run() calls a part of the trace."""
        return f"00-{self.trace_id}-{self.run_id}-{'01' if self.sampled else '00'}"


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

    def begin(self, known: Mapping[bytes, bytes]) -> Trace:
        """The trace of a request, the caller's where its header names a valid one.

        Args:
            known: the request's headers by lower-case name.
        """
        given = known.get(b"traceparent")
        found = None if given is None else _parse(given)
        if found is None:
            trace_id = f"{_bits(128) or 1:032x}"
            return Trace(trace_id, "", "", int(trace_id[16:], 16) < self._bound)
        trace_id, parent, flagged = found
        sampled = flagged if self._parent_based else int(trace_id[16:], 16) < self._bound
        state = known.get(b"tracestate", b"")
        return Trace(trace_id, parent, state.decode("latin-1") if len(state) <= _LONGEST_STATE else "", sampled)


def _parse(header: bytes) -> tuple[str, str, bool] | None:
    match = _PARENT.fullmatch(header.strip())
    if match is None:
        return None
    version, trace_id, parent, flags, more = match.groups()
    if version == b"ff" or (version == b"00" and more) or not int(trace_id, 16) or not int(parent, 16):
        return None
    return trace_id.decode("ascii"), parent.decode("ascii"), bool(int(flags, 16) & 1)
