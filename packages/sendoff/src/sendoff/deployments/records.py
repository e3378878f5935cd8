"""Services, revisions and operations as rows: the only file of this room that knows the tables' columns."""

from __future__ import annotations

import time
import uuid
from typing import Any

import msgspec
from sqlalchemy import Connection, Row, and_, delete, func, insert, select, update

from ..errors import AlreadyExists, OperationInProgress, OperationNotFound, ServiceNotFound, WorkspaceNotFound
from ..spec.deployment import DeploymentSpec
from ..spec.environment import Lock
from ..spec.names import service_flags
from ..spec.operation import FINAL, NOT_STARTED, RUNNING, STEP_PENDING, SUCCEEDED, Operation, Step
from ..spec.parse import nearest, replace, to_builtins
from ..store.tables import locks, operations, revisions, services, workspaces
from .lease import Holder
from .plan import Plan, plan_from

DEPLOY, UPDATE, ROLLBACK, RELOAD, DELETE = "Deploy", "Update", "Rollback", "Reload", "Delete"
DEPLOY_STEPS = ("validate", "register", "environment", "bundle", "start", "init", "healthy")
IMAGE_STEPS = ("validate", "register", "environment", "bundle", "image", "start", "init", "healthy")
DELETE_STEPS = ("drain", "remove")
MAX_ATTEMPTS = 3

AnyRow = Row[Any]


def require_workspace(connection: Connection, workspace: str) -> None:
    """Raise unless the workspace exists."""
    if connection.execute(select(workspaces.c.name).where(workspaces.c.name == workspace)).first() is None:
        known = [str(name) for name in connection.scalars(select(workspaces.c.name).order_by(workspaces.c.name))]
        close = nearest(workspace, known)
        raise WorkspaceNotFound(
            f"there is no workspace {workspace!r}",
            hint=f"Did you mean {close!r}?" if close else f"Workspaces: {', '.join(known) or 'none yet'}.",
        )


def find_service(connection: Connection, workspace: str, name: str) -> AnyRow | None:
    """The service's row."""
    return connection.execute(
        select(services).where(services.c.workspace == workspace, services.c.name == name)
    ).first()


def get_service(connection: Connection, workspace: str, name: str) -> AnyRow:
    """The service's row, or ServiceNotFound with the nearest name."""
    row = find_service(connection, workspace, name)
    if row is not None:
        return row
    require_workspace(connection, workspace)
    known = [
        str(found)
        for found in connection.scalars(select(services.c.name).where(services.c.workspace == workspace).limit(1000))
    ]
    close = nearest(name, known)
    raise ServiceNotFound(
        f"there is no service {name!r} in workspace {workspace!r}",
        hint=f"Did you mean {close!r}?" if close else f"Services: {', '.join(sorted(known)) or 'none yet'}.",
    )


def list_services(connection: Connection, workspace: str | None = None) -> list[AnyRow]:
    """Rows of all services of a workspace, or of every workspace, by name."""
    query = select(services).order_by(services.c.workspace, services.c.name)
    if workspace is not None:
        query = query.where(services.c.workspace == workspace)
    return list(connection.execute(query))


def add_service(
    connection: Connection,
    *,
    workspace: str,
    name: str,
    target: str,
    deployment: DeploymentSpec,
) -> AnyRow:
    """Insert a service without revisions.

    Raises:
        AlreadyExists: The name is taken.
    """
    if find_service(connection, workspace, name) is not None:
        raise name_taken(name, workspace)
    now = time.time()
    uid = f"{name[:12].rstrip('-')}-{uuid.uuid4().hex[:12]}"
    connection.execute(
        insert(services).values(
            uid=uid,
            workspace=workspace,
            name=name,
            compute_type=deployment.compute_type or "ACI",
            target=target,
            description=deployment.description,
            tags=deployment.tags,
            properties=deployment.properties,
            auth_enabled=bool(deployment.auth_enabled),
            token_auth_enabled=bool(deployment.token_auth_enabled),
            port=deployment.port,
            wanted_revision=0,
            created=now,
            updated=now,
            deleting=False,
        )
    )
    return get_service(connection, workspace, name)


def name_taken(name: str, workspace: str) -> AlreadyExists:
    """The error for a name that a service has already, also one whose first deployment failed."""
    return AlreadyExists(
        f"service {name!r} exists in workspace {workspace!r}",
        hint="Deploy with --overwrite (overwrite=True), run 'sendoff service update "
        f"{service_flags(name, workspace)}', or delete it first.",
        name=name,
    )


def change_service(connection: Connection, uid: str, **columns: Any) -> None:
    """Set columns of a service's row."""
    connection.execute(update(services).where(services.c.uid == uid).values(updated=time.time(), **columns))


def forget_service(connection: Connection, uid: str) -> None:
    """Delete a service's row and its revisions; its operations stay as history."""
    connection.execute(delete(revisions).where(revisions.c.uid == uid))
    connection.execute(delete(services).where(services.c.uid == uid))


def add_revision(connection: Connection, uid: str, plan: Plan) -> int:
    """Insert the next revision and want it; its number."""
    last = connection.scalar(select(func.max(revisions.c.number)).where(revisions.c.uid == uid)) or 0
    used = connection.scalar(select(func.max(operations.c.revision)).where(operations.c.uid == uid)) or 0
    number = max(int(last), int(used)) + 1
    connection.execute(insert(revisions).values(uid=uid, number=number, wanted=to_builtins(plan), created=time.time()))
    change_service(connection, uid, wanted_revision=number)
    return number


def get_plan(connection: Connection, uid: str, number: int) -> Plan | None:
    """What a revision wants."""
    wanted = connection.scalar(select(revisions.c.wanted).where(revisions.c.uid == uid, revisions.c.number == number))
    return None if wanted is None else plan_from(wanted)


def pin(connection: Connection, uid: str, number: int, **facts: str) -> Plan:
    """Write facts that a revision's first run has found; those that are there already stay."""
    plan = get_plan(connection, uid, number)
    if plan is None:
        raise ServiceNotFound("the service was deleted while it was being deployed")
    fresh = {name: value for name, value in facts.items() if getattr(plan.pinned, name) is None}
    if fresh:
        plan = replace(plan, pinned=replace(plan.pinned, **fresh))
        where = and_(revisions.c.uid == uid, revisions.c.number == number)
        connection.execute(update(revisions).where(where).values(wanted=to_builtins(plan)))
    return plan


def list_revisions(connection: Connection, uid: str) -> list[AnyRow]:
    """Rows of a service's revisions, oldest first."""
    return list(connection.execute(select(revisions).where(revisions.c.uid == uid).order_by(revisions.c.number)))


def forget_revisions(connection: Connection, uid: str, numbers: list[int]) -> None:
    """Delete some revisions."""
    connection.execute(delete(revisions).where(revisions.c.uid == uid, revisions.c.number.in_(numbers)))


def succeeded_revisions(connection: Connection, uid: str) -> list[int]:
    """Numbers of revisions that became ready, newest first: the first one is what should be running."""
    query = (
        select(operations.c.revision)
        .where(operations.c.uid == uid, operations.c.state == SUCCEEDED, operations.c.revision.is_not(None))
        .order_by(operations.c.revision.desc())
    )
    return list(dict.fromkeys(int(number) for number in connection.scalars(query) if number is not None))


def serving_revision(connection: Connection, uid: str) -> int | None:
    """The revision that should be running: the newest that ever became ready."""
    return next(iter(succeeded_revisions(connection, uid)), None)


def should_run(connection: Connection, service: AnyRow) -> bool:
    """Whether a service has, or is getting, a running revision."""
    if serving_revision(connection, service.uid) is not None:
        return True
    newest = newest_operation(connection, service.uid)
    return newest is not None and newest.state not in FINAL


def add_operation(
    connection: Connection,
    service: AnyRow,
    type_: str,
    *,
    revision: int | None,
    notes: list[str],
    request: dict[str, Any] | None = None,
    images: bool = False,
) -> str:
    """Insert an operation in NotStarted; its id. ``images``: its target runs images, so one is built.

    Raises:
        OperationInProgress: Another one is not over yet.
    """
    refuse_if_busy(connection, service.uid, service.name)
    id_ = uuid.uuid4().hex
    steps = DELETE_STEPS if type_ == DELETE else IMAGE_STEPS if images else DEPLOY_STEPS
    connection.execute(
        insert(operations).values(
            id=id_,
            uid=service.uid,
            workspace=service.workspace,
            service=service.name,
            type=type_,
            revision=revision,
            state=NOT_STARTED,
            steps=to_builtins([Step(name=step, state=STEP_PENDING) for step in steps]),
            error=None,
            notes=notes,
            request=request or {},
            lease_pid=None,
            lease_started=None,
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


def list_operations(
    connection: Connection,
    workspace: str | None = None,
    *,
    uid: str | None = None,
    service: str | None = None,
    state: str | None = None,
) -> list[AnyRow]:
    """Rows of operations, newest first."""
    query = select(operations).order_by(operations.c.created.desc())
    for column, value in (
        (operations.c.workspace, workspace),
        (operations.c.uid, uid),
        (operations.c.service, service),
        (operations.c.state, state),
    ):
        if value is not None:
            query = query.where(column == value)
    return list(connection.execute(query))


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
        old: Who has to hold it now.
        attempt: Whether this counts as one more attempt.
    """
    held = (
        operations.c.lease_pid.is_(None)
        if old is None
        else and_(operations.c.lease_pid == old.pid, operations.c.lease_started == old.started)
    )
    values: dict[str, Any] = {"lease_pid": new.pid, "lease_started": new.started}
    if attempt:
        values["attempts"] = operations.c.attempts + 1
    changed = connection.execute(
        update(operations).where(operations.c.id == id_, operations.c.state.not_in(FINAL), held).values(**values)
    )
    return changed.rowcount == 1


def holder_of(row: AnyRow) -> Holder | None:
    """Who holds an operation's lease, dead or alive."""
    return None if row.lease_pid is None else Holder(int(row.lease_pid), float(row.lease_started or 0.0))


def change_operation(connection: Connection, id_: str, holder: Holder, **columns: Any) -> bool:
    """Set columns of an operation that ``holder`` holds; False when it does not (any more)."""
    changed = connection.execute(
        update(operations)
        .where(
            operations.c.id == id_,
            operations.c.lease_pid == holder.pid,
            operations.c.lease_started == holder.started,
            operations.c.state.not_in(FINAL),
        )
        .values(**columns)
    )
    return changed.rowcount == 1


def request_cancel(connection: Connection, id_: str) -> None:
    """Flag an operation; its runner looks at the flag between and during its steps."""
    connection.execute(
        update(operations).where(operations.c.id == id_, operations.c.state.not_in(FINAL)).values(cancel_requested=True)
    )


def cancel_requested(connection: Connection, id_: str) -> bool:
    """Whether a user asked for the operation's end."""
    return bool(connection.scalar(select(operations.c.cancel_requested).where(operations.c.id == id_)))


def steps_of(row: AnyRow) -> list[Step]:
    """The operation's steps."""
    return msgspec.convert(row.steps, list[Step])


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


def find_lock(connection: Connection, digest: str) -> Lock | None:
    """The lock with that digest, whatever it was resolved from."""
    document = connection.scalar(select(locks.c.document).where(locks.c.digest == digest).limit(1))
    return None if document is None else msgspec.convert(document, Lock)
