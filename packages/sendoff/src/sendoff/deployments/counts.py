"""What services count, asked of their targets."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from ..errors import Conflict
from ..operations import operation_rows
from ..spec.metrics import ServiceMetrics, read
from ..spec.names import service_flags
from ..targets.base import observe_one
from . import revision_rows, service_rows
from .states import service_state

if TYPE_CHECKING:
    from ..rooms import Rooms


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
