"""What the API answers about operations."""

from __future__ import annotations

from ..spec.operation import NOT_STARTED, RUNNING, Operation
from .operation_rows import AnyRow, steps_of


def operation_view(row: AnyRow) -> Operation:
    """The operation as the API shows it."""
    # Between the request and the runner's first write somebody already works on it.
    state = RUNNING if row.state == NOT_STARTED and row.attempts > 0 and row.lease_pid is not None else row.state
    return Operation(
        id=row.id,
        type=row.type,
        service=row.service,
        workspace=row.workspace,
        revision=row.revision,
        state=state,
        steps=steps_of(row),
        error=row.error,
        created_time=row.created,
        end_time=row.ended,
        attempts=row.attempts,
        notes=list(row.notes),
    )
