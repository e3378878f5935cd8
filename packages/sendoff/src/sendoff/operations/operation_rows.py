"""Operations as rows: the only file of this room that knows the table's columns."""

from __future__ import annotations

import time
import uuid
from collections.abc import Sequence
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, and_, func, insert, select, update

from ..errors import OperationInProgress, OperationNotFound
from ..spec.operation import FINAL, NOT_STARTED, RUNNING, STEP_PENDING, Operation, Step
from ..spec.parse import replace, to_builtins
from ..store import clock
from ..store.in_use import Dropped, References
from ..store.rows import view
from ..store.tables import operations
from . import lease
from .kinds import KINDS
from .lease import Holder

MAX_ATTEMPTS = 3

AnyRow = Row[Any]
NEWEST_FIRST = (operations.c.created.desc(), operations.c.id.desc())
"""The order of lists of operations."""


def add_operation(
    connection: Connection,
    type_: str,
    *,
    uid: str,
    workspace: str,
    subject: str,
    artefact: str,
    revision: int | None = None,
    notes: Sequence[str] = (),
    details: Sequence[str] = (),
    request: dict[str, Any] | None = None,
    id_: str | None = None,
) -> str:
    """Insert an operation in NotStarted; its id.

    Args:
        connection: A write transaction.
        type_: A type of ``kinds.KINDS``.
        uid: What is worked on; one operation at a time works on it.
        workspace: The workspace's name.
        subject: What is worked on, for people: the service's name, the package's image.
        artefact: What the target runs; the steps follow from it.
        revision: The revision that it brings about.
        notes: What its timeline begins with.
        details: What its first step has to say beside them.
        request: What its work has to know beyond that.
        id_: Its id, where one was given out already.

    Raises:
        OperationInProgress: Another one is not over yet.
    """
    refuse_if_busy(connection, uid, subject)
    id_ = id_ or uuid.uuid4().hex
    first, *others = [Step(name=step, state=STEP_PENDING) for step in KINDS[type_].steps_for(artefact)]
    steps = [replace(first, details=list(details)), *others]
    connection.execute(
        insert(operations).values(
            id=id_,
            uid=uid,
            workspace=workspace,
            service=subject,
            type=type_,
            revision=revision,
            state=NOT_STARTED,
            steps=to_builtins(steps),
            error=None,
            notes=list(notes),
            request=request or {},
            attempts=0,
            cancel_requested=False,
            created=time.time(),
            ended=None,
        )
    )
    return id_


def refuse_if_busy(connection: Connection, uid: str, name: str) -> None:
    """One operation per service at a time (spec/behaviour.md sec. 8.4)."""
    busy = connection.execute(
        select(operations.c.id, operations.c.type).where(operations.c.uid == uid, operations.c.state.not_in(FINAL))
    ).first()
    if busy is not None:
        raise OperationInProgress(
            f"service {name!r} is busy: its operation {busy.type} {busy.id} is not over",
            hint=f"Wait for it, or run 'sendoff operation cancel {busy.id}'.",
            operation=busy.id,
        )


def get_operation(connection: Connection, id_: str) -> AnyRow:
    """An operation's row."""
    row = connection.execute(select(operations).where(operations.c.id == id_)).first()
    if row is None:
        raise OperationNotFound(f"there is no operation {id_!r}", hint="List them with 'sendoff operation list'.")
    return row


def list_operations(connection: Connection, **equal: str) -> list[AnyRow]:
    """Rows of operations, newest first; those whose columns have the given values."""
    return list(connection.execute(select(operations).filter_by(**equal).order_by(operations.c.created.desc())))


def newest_operation(connection: Connection, uid: str) -> AnyRow | None:
    """The newest operation on a service."""
    return connection.execute(
        select(operations).where(operations.c.uid == uid).order_by(operations.c.created.desc()).limit(1)
    ).first()


def unfinished_operations(connection: Connection) -> list[AnyRow]:
    """Every operation that is not over."""
    return list(connection.execute(select(operations).where(operations.c.state.not_in(FINAL))))


def take_lease(connection: Connection, id_: str, new: Holder, *, old: Holder | None, attempt: bool) -> bool:
    """Give an operation's lease to a process if ``old`` still holds it (or nobody, for None).

    Args:
        connection: A write transaction.
        id_: The operation.
        new: Who gets it.
        old: Who has to hold it now; on another host, no longer than until now.
        attempt: Whether this counts as one more attempt.
    """
    time_ = clock.now(connection)
    held = operations.c.lease_pid.is_(None) if old is None else _held_by(old)
    if old is not None and old.host != new.host:
        held = and_(held, operations.c.lease_until <= time_)
    values: dict[str, Any] = {
        "lease_host": new.host,
        "lease_boot": new.boot,
        "lease_pid": new.pid,
        "lease_started": new.started,
        "lease_until": time_ + lease.SECONDS,
    }
    if attempt:
        values["attempts"] = operations.c.attempts + 1
    changed = connection.execute(
        update(operations).where(operations.c.id == id_, operations.c.state.not_in(FINAL), held).values(**values)
    )
    return changed.rowcount == 1


def renew_lease(connection: Connection, id_: str, holder: Holder) -> bool:
    """Put off the end of a lease; False when another has it."""
    until = clock.now(connection) + lease.SECONDS
    changed = connection.execute(
        update(operations).where(operations.c.id == id_, _held_by(holder)).values(lease_until=until)
    )
    return changed.rowcount == 1


def holder_of(row: AnyRow) -> Holder | None:
    """Who holds an operation's lease, dead or alive."""
    if row.lease_pid is None:
        return None
    started = float(row.lease_started or 0.0)
    if row.lease_host is None:  # an older Sendoff wrote it, which knew of one machine
        return Holder.here(int(row.lease_pid), started)
    return Holder(row.lease_host, row.lease_boot, int(row.lease_pid), started)


def is_worked_on(connection: Connection, row: AnyRow) -> bool:
    """Whether somebody holds an operation's lease and may still be at work."""
    holder = holder_of(row)
    return holder is not None and holder.may_work(until=row.lease_until, now=clock.now(connection))


def change_operation(connection: Connection, id_: str, holder: Holder, **columns: Any) -> bool:
    """Set columns of an operation that ``holder`` holds; False when it does not (any more)."""
    changed = connection.execute(
        update(operations)
        .where(operations.c.id == id_, _held_by(holder), operations.c.state.not_in(FINAL))
        .values(**columns)
    )
    return changed.rowcount == 1


def _held_by(holder: Holder) -> ColumnElement[bool]:
    here = Holder.here(0, 0.0)
    return and_(
        func.coalesce(operations.c.lease_host, here.host) == holder.host,
        func.coalesce(operations.c.lease_boot, here.boot) == holder.boot,
        operations.c.lease_pid == holder.pid,
        operations.c.lease_started == holder.started,
    )


def request_cancel(connection: Connection, id_: str) -> None:
    """Flag an operation; its runner looks at the flag between and during its steps."""
    connection.execute(
        update(operations).where(operations.c.id == id_, operations.c.state.not_in(FINAL)).values(cancel_requested=True)
    )


def cancel_requested(connection: Connection, id_: str) -> bool:
    """Whether a user asked for the operation's end."""
    return bool(connection.scalar(select(operations.c.cancel_requested).where(operations.c.id == id_)))


def operation_view(row: AnyRow) -> Operation:
    """The operation as the API shows it."""
    # Between the request and the runner's first write somebody already works on it.
    state = RUNNING if row.state == NOT_STARTED and row.attempts > 0 and row.lease_pid is not None else row.state
    return view(row, Operation, state=state)


def in_use(connection: Connection, dropped: Dropped) -> References:
    """What operations that are not over work on."""
    return References(services={row.uid for row in unfinished_operations(connection)})
