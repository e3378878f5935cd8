"""The operation: a long job with steps; its steps are a deployment's timeline (spec/behaviour.md sec. 8.3)."""

from __future__ import annotations

from typing import Any

from .parse import Spec

NOT_STARTED, RUNNING, CANCELLED = "NotStarted", "Running", "Cancelled"
SUCCEEDED, FAILED, TIMED_OUT = "Succeeded", "Failed", "TimedOut"
FINAL = frozenset({CANCELLED, SUCCEEDED, FAILED, TIMED_OUT})

STEP_PENDING, STEP_RUNNING, STEP_DONE, STEP_FAILED, STEP_SKIPPED = "pending", "running", "done", "failed", "skipped"


class Step(Spec):
    """One step of the timeline: unix seconds, a stable reason code, a sentence, the last log lines."""

    name: str
    state: str
    start: float | None = None
    end: float | None = None
    reason: str = ""
    message: str = ""
    log: list[str] = []
    details: list[str] = []
    """What was done as it always is, or was told before: shown to who asks for more than the notes."""


class Operation(Spec):
    """An operation as the API shows it; ``state`` is one of the wire's six, ``error`` an error's payload."""

    id: str
    type: str
    service: str
    workspace: str
    revision: int | None
    state: str
    steps: list[Step]
    error: dict[str, Any] | None
    created_time: float
    end_time: float | None
    attempts: int = 0
    notes: list[str] = []
    """Things the user should know and that are no failure: what was mapped, dropped or not honoured."""


def pause_after(seconds: float) -> float:
    """Seconds until the next look at an operation that has been followed for so long.

    A twentieth of the time that has passed: a short one is seen to end at once, a long one costs little.
    """
    return min(max(0.04, seconds / 20), 0.5)
