from __future__ import annotations

import threading
from collections.abc import Sequence
from types import SimpleNamespace
from typing import Any

import pytest

from sendoff.deployments.views import observed, service_state
from sendoff.errors import Unreachable
from sendoff.targets.base import Observation

BUSY, DONE, BROKEN, STOPPED = "Running", "Succeeded", "Failed", "Cancelled"

TABLE = [
    # phase, pending phase, operation, has served, state
    ("absent", None, "NotStarted", False, "Transitioning"),
    ("absent", None, BUSY, False, "Transitioning"),
    ("init", None, BUSY, False, "Transitioning"),
    ("ready", "init", BUSY, True, "Transitioning"),
    ("ready", None, BUSY, True, "Transitioning"),
    ("failed", None, BUSY, False, "Transitioning"),
    ("unschedulable", None, BUSY, False, "Unschedulable"),
    ("ready", "unschedulable", BUSY, True, "Unschedulable"),
    ("ready", None, DONE, True, "Healthy"),
    ("ready", None, None, True, "Healthy"),
    ("ready", None, BROKEN, True, "Healthy"),
    ("ready", None, STOPPED, True, "Healthy"),
    ("unhealthy", None, DONE, True, "Unhealthy"),
    ("unhealthy", None, BROKEN, True, "Unhealthy"),
    ("unhealthy", None, BROKEN, False, "Failed"),
    ("absent", None, DONE, True, "Unhealthy"),
    ("absent", None, BROKEN, True, "Unhealthy"),
    ("absent", None, BROKEN, False, "Failed"),
    ("absent", None, STOPPED, False, "Failed"),
    ("absent", None, "TimedOut", False, "Failed"),
    ("starting", None, DONE, True, "Transitioning"),
    ("init", None, DONE, True, "Transitioning"),
    ("starting", None, BROKEN, False, "Failed"),
    ("failed", None, DONE, True, "Failed"),
    ("failed", None, BROKEN, False, "Failed"),
    ("unschedulable", None, DONE, True, "Unschedulable"),
]


@pytest.mark.parametrize(("phase", "pending", "operation", "served", "state"), TABLE)
def test_the_truth_table(phase: str, pending: str | None, operation: str | None, served: bool, state: str) -> None:
    observed = Observation(phase=phase, pending_phase=pending)
    assert service_state(observed, operation_state=operation, has_served=served) == state


class Meeting:
    """Targets of which each answers when all three are being asked."""

    def __init__(self) -> None:
        self.barrier = threading.Barrier(3)
        self.asked: list[list[str]] = []

    def target(self, name: str) -> Any:
        def observe(uids: Sequence[str]) -> dict[str, Observation]:
            self.asked.append(list(uids))
            self.barrier.wait(timeout=30)
            if name == "gone":
                raise Unreachable("no engine answers", hint="Start one.")
            return {uid: Observation(phase="ready") for uid in uids}

        return SimpleNamespace(observe=observe)


def test_all_targets_are_asked_at_once_and_one_that_is_gone_takes_no_other_with_it() -> None:
    rooms: Any = Meeting()
    rows: list[Any] = [
        SimpleNamespace(target=target, uid=f"{target}-{number}") for number in range(3) for target in ("a", "b", "gone")
    ]
    seen = observed(rooms, rows)
    assert len(rooms.asked) == 3
    assert set(seen) == {row.uid for row in rows}
    assert {seen[row.uid].phase for row in rows if row.target != "gone"} == {"ready"}
    for row in rows:
        if row.target == "gone":
            error = seen[row.uid].error
            assert error is not None
            assert error["message"] == "no engine answers"


def test_no_service_asks_no_target() -> None:
    rooms: Any = Meeting()
    assert observed(rooms, []) == {}
