"""What the API answers about services and revisions, computed at every look."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from ..errors import Conflict, SendoffError
from ..operations import operation_rows
from ..operations.operation_rows import AnyRow, operation_view
from ..spec.deployment import DeploymentSpec
from ..spec.metrics import ServiceMetrics, read
from ..spec.names import service_flags
from ..spec.operation import FAILED as OPERATION_FAILED
from ..spec.operation import FINAL, SUCCEEDED, TIMED_OUT
from ..spec.parse import replace
from ..spec.service import FAILED, HEALTHY, TRANSITIONING, UNHEALTHY, UNSCHEDULABLE, Revision, Service
from ..store.rows import fields_of
from ..targets.base import UNHEARD, Observation, observe_one
from . import revision_rows, service_rows
from .plan import plan_from, source_digest
from .revision_rows import Shown

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from ..rooms import Rooms


def observed(rooms: Rooms, rows: Sequence[AnyRow]) -> Mapping[str, Observation]:
    """What the targets see of services now, by uid: all targets at once, each for all of its own."""
    own: dict[str, list[str]] = {}
    for row in rows:
        own.setdefault(row.target, []).append(row.uid)

    def ask(name: str) -> Mapping[str, Observation]:
        try:
            return rooms.target(name).observe(own[name])
        except SendoffError as error:
            # The target cannot be had at all: that is what there is to say of its services.
            return {uid: Observation(phase=UNHEARD, error=error.payload()) for uid in own[name]}

    if len(own) < 2:
        return next(map(ask, own), {})
    from concurrent.futures import ThreadPoolExecutor  # most homes have one target

    with ThreadPoolExecutor(len(own)) as threads:
        return {uid: seen for answer in threads.map(ask, own) for uid, seen in answer.items()}


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
    if observed.phase in ("unhealthy", "absent", UNHEARD) and has_served:
        return UNHEALTHY
    return FAILED


def service_view(observed: Observation, stored: Shown, row: AnyRow) -> Service:
    """A service with its state of this moment."""
    newest, plan = stored.newest, stored.plan
    state = service_state(
        observed, operation_state=None if newest is None else newest.state, has_served=stored.serving is not None
    )
    answering = observed.revision if observed.phase == "ready" else None
    error = None
    if state != HEALTHY:
        error = observed.error
        if newest is not None and newest.state in (OPERATION_FAILED, TIMED_OUT) and (state == FAILED or error is None):
            error = newest.error or error
    deployment = plan.deployment if plan is not None else DeploymentSpec()
    base = _address(observed, deployment)
    known = {**fields_of(row, Service), "port": observed.port or row.port, "target": row.target.partition(":")[0]}
    known["compute_type"] = deployment.compute_type or row.compute_type
    return Service(
        **known,
        state=state,
        scoring_uri=f"{base.rstrip('/')}/score" if base else None,
        swagger_uri=f"{base.rstrip('/')}/swagger.json" if base else None,
        models=plan.models if plan is not None else [],
        environment=plan.environment if plan is not None else "",
        entry_script=plan.inference.source.entry_script if plan is not None else "",
        revision=answering,
        error=error,
        workers=observed.workers,
        deployment=replace(deployment, description=row.description, tags=row.tags, properties=row.properties),
        operation=None if newest is None else operation_view(newest),
    )


def _address(observed: Observation, deployment: DeploymentSpec) -> str | None:
    """The address with the name that the certificate is for; whether it is TLS, a server that answers knows best."""
    base = observed.base_url
    if base is None:
        return None
    scheme, _, host = base.partition("://")
    if observed.phase != "ready" and deployment.ssl_enabled:
        scheme = "https"
    if scheme == "https" and deployment.ssl_cname:
        host = f"{deployment.ssl_cname}:{host.rpartition(':')[2]}"
    return f"{scheme}://{host}"


def revision_views(observed: Observation, connection: Connection, row: AnyRow) -> list[Revision]:
    """A service's revisions, oldest first."""
    answering = observed.revision if observed.phase == "ready" else None
    outcomes = {
        operation.revision: operation.state
        for operation in reversed(operation_rows.list_operations(connection, uid=row.uid))
        if operation.revision is not None
    }
    views = []
    for found in revision_rows.list_revisions(connection, row.uid):
        plan = plan_from(found.wanted)
        state = outcomes.get(found.number, SUCCEEDED)
        views.append(
            Revision(
                number=found.number,
                models=plan.models,
                environment=plan.environment,
                entry_script=plan.inference.source.entry_script,
                source_digest=source_digest(plan),
                created_time=found.created,
                running=found.number == answering,
                outcome=state if state in FINAL else "Running",
            )
        )
    return views


def matches(have: dict[str, str], wanted: Any) -> bool:
    """Whether tags or properties pass a filter: names, or names with values (None is any value)."""
    if not wanted:
        return True
    pairs = wanted.items() if hasattr(wanted, "items") else [(name, None) for name in wanted]
    return all(name in have and value in (None, have[name]) for name, value in pairs)


def service_metrics(rooms: Rooms, ws: str, name: str) -> ServiceMetrics:
    """Counts of a service since its server was started.

    Raises:
        Conflict: No server of it answers now; context has its ``state``.
        SendoffError: The target cannot be asked.
    """
    with rooms.store.read() as connection:
        row = service_rows.get_service(connection, ws, name)
        newest = operation_rows.newest_operation(connection, row.uid)
        serving = revision_rows.serving_revision(connection, row.uid)
    seen = observe_one(rooms.target(row.target), row.uid, metrics=True)
    state = service_state(
        seen, operation_state=None if newest is None else newest.state, has_served=serving is not None
    )
    if seen.metrics is None:
        raise Conflict(
            f"service {row.name!r} counts nothing now: it is {state}",
            hint=f"`sendoff service show {service_flags(row.name, ws)}` says why.",
            state=state,
        )
    return read(seen.metrics, service=row.name, workspace=ws, state=state, revision=seen.revision, now=time.time())
