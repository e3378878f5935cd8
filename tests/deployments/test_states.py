from __future__ import annotations

import pytest

from sendoff.deployments.views import service_state
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
