"""A service's state, computed from what its target reports and its newest operation (spec/behaviour.md sec. 8.2)."""

from __future__ import annotations

from ..spec.operation import FINAL
from ..spec.service import FAILED, HEALTHY, TRANSITIONING, UNHEALTHY, UNSCHEDULABLE
from ..targets.base import Observation


def service_state(observed: Observation, *, operation_state: str | None, has_served: bool) -> str:
    """The state to show now.

    Args:
        observed: What the target reports at this moment.
        operation_state: State of the newest operation on the service; None when there is none.
        has_served: Whether any revision of the service ever became ready, and so should be running.
    """
    if operation_state is not None and operation_state not in FINAL:
        waiting = observed.pending_phase or observed.phase
        return UNSCHEDULABLE if waiting == "unschedulable" else TRANSITIONING
    if observed.phase == "ready":
        return HEALTHY
    if observed.phase == "unschedulable":
        return UNSCHEDULABLE
    if observed.phase in ("starting", "init") and has_served:
        return TRANSITIONING
    if observed.phase in ("unhealthy", "absent", "unheard") and has_served:
        return UNHEALTHY
    return FAILED
