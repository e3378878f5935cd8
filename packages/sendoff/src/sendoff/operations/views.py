"""What the API answers about operations."""

from __future__ import annotations

from ..spec.operation import NOT_STARTED, RUNNING, Operation
from ..store.rows import view
from .operation_rows import AnyRow


def operation_view(row: AnyRow) -> Operation:
    """The operation as the API shows it."""
    # Between the request and the runner's first write somebody already works on it.
    state = RUNNING if row.state == NOT_STARTED and row.attempts > 0 and row.lease_pid is not None else row.state
    return view(row, Operation, state=state)
