"""Starts what should run and does not (`sendoff up`)."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from ..errors import DeploymentFailed, TargetUnavailable
from ..operations import operation_rows
from ..operations.operation_rows import AnyRow
from ..spec.operation import FINAL
from ..targets.base import observe_one
from . import revision_rows, service_rows
from .wanted import wanted_service

if TYPE_CHECKING:
    from ..rooms import Rooms
    from .plan import Plan


def start_again(rooms: Rooms, make_anew: Callable[[str, str], object]) -> list[str]:
    """Start every service that should run and does not, with its last good revision.

    Args:
        rooms: What to work with.
        make_anew: Called with workspace and service where bundle, environment or image are gone from this machine.

    Returns:
        ``workspace/service`` of each that was started.

    Raises:
        TargetUnavailable: A target's engine does not answer; what others can run was started.
    """
    candidates = []
    with rooms.store.read() as connection:
        for row in service_rows.list_services(connection):
            newest = operation_rows.newest_operation(connection, row.uid)
            number = revision_rows.serving_revision(connection, row.uid)
            if number is not None and not row.deleting and (newest is None or newest.state in FINAL):
                candidates.append((row, number, revision_rows.get_plan(connection, row.uid, number)))
    started = []
    away: TargetUnavailable | None = None
    for row, number, plan in candidates:
        try:
            # After a reboot a target may hold the service's folder and say unhealthy: asking again does no harm.
            if plan is None or observe_one(rooms.target(row.target), row.uid).phase in ("ready", "starting", "init"):
                continue
            if not _apply(rooms, row, number, plan):
                make_anew(row.workspace, row.name)
            started.append(f"{row.workspace}/{row.name}")
        except TargetUnavailable as error:
            # Another target's services do not wait for this one's engine.
            away = error
    if away is not None:
        raise away
    return started


def _apply(rooms: Rooms, row: AnyRow, number: int, plan: Plan) -> bool:
    wanted = wanted_service(rooms, row, number, plan)
    if wanted is None:
        return False
    try:
        rooms.target(row.target).apply(wanted)
    except DeploymentFailed as error:
        if error.context.get("reported_code") != "image_missing":
            raise
        return False
    return True
