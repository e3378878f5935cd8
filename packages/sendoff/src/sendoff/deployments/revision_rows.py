"""Revisions as rows: what each wants, and which of them have served."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import ColumnElement, Connection, and_, case, delete, func, insert, or_, select, tuple_, update

from ..errors import ServiceNotFound
from ..operations.operation_rows import AnyRow, newest_operation
from ..spec.operation import FINAL, SUCCEEDED
from ..spec.parse import replace, to_builtins
from ..store.in_use import Dropped, References
from ..store.tables import operations, revisions, services
from .plan import Plan, plan_from
from .service_rows import change_service, list_services

_AT_ONCE = 400
"""Services that one statement asks for: databases take only so many values."""


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
        _write(connection, uid, number, plan)
    return plan


def _write(connection: Connection, uid: str, number: int, plan: Plan) -> None:
    where = and_(revisions.c.uid == uid, revisions.c.number == number)
    connection.execute(update(revisions).where(where).values(wanted=to_builtins(plan)))


def unpin(connection: Connection, uid: str, number: int, *names: str) -> Plan:
    """Take back facts that a revision's first run has found, since others turned out to be needed."""
    plan = get_plan(connection, uid, number)
    if plan is None:
        raise ServiceNotFound("the service was deleted while it was being deployed")
    plan = replace(plan, pinned=replace(plan.pinned, **dict.fromkeys(names)))
    _write(connection, uid, number, plan)
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


def old_revisions(connection: Connection, kept: int) -> list[tuple[AnyRow, list[int]]]:
    """Services with their revisions beyond the newest ones that neither run nor are wanted.

    Args:
        connection: A transaction.
        kept: How many of the newest do not count as old.
    """
    found = []
    for service in list_services(connection):
        numbers = [row.number for row in list_revisions(connection, service.uid)]
        needed = {*numbers[-kept:], service.wanted_revision, serving_revision(connection, service.uid)}
        old = [number for number in numbers if number not in needed]
        if old:
            found.append((service, old))
    return found


def in_use(connection: Connection, dropped: Dropped) -> References:
    """What revisions refer to, and every service there is."""
    plans = {
        (service.uid, row.number): plan_from(row.wanted)
        for service in list_services(connection)
        for row in list_revisions(connection, service.uid)
    }
    counted = [plan for revision, plan in plans.items() if revision not in dropped]
    return References(
        blobs={file.digest for plan in counted for file in plan.inference.source.files},
        bundles={plan.pinned.bundle for plan in counted if plan.pinned.bundle},
        environments={plan.pinned.environment_key for plan in counted if plan.pinned.environment_key},
        images={plan.pinned.image for plan in counted if plan.pinned.image},
        services={service.uid for service in list_services(connection)},
    )


@dataclass(frozen=True, kw_only=True)
class Shown:
    """Of one service: its newest operation, the revision that should be running, and the plan that is shown."""

    newest: AnyRow | None
    serving: int | None
    plan: Plan | None


# Of a row of ``services``, in SQL: the state of its newest operation, and the newest revision that ever became ready.
_MINE = operations.c.uid == services.c.uid
_NEWEST_STATE = (
    select(operations.c.state)
    .where(_MINE)
    .order_by(operations.c.created.desc())
    .limit(1)
    .correlate(services)
    .scalar_subquery()
)
# The state stands outside of WHERE: SQLite would look up its index, in which nearly all operations are alike.
_SERVING = (
    select(func.max(case((operations.c.state == SUCCEEDED, operations.c.revision))))
    .where(_MINE)
    .correlate(services)
    .scalar_subquery()
)


def shows_model(model_id: str | None, model_name: str | None) -> ColumnElement[bool]:
    """That a row of ``services`` is shown with a model version, and with any version of a model; in SQL."""
    wanted = services.c.wanted_revision
    busy = _NEWEST_STATE.not_in(FINAL)
    number = case((busy, wanted), else_=func.coalesce(_SERVING, wanted))
    return _any_revision(revisions.c.number == number, *_has_models(model_id, model_name))


def depends_on_model(model_id: str) -> ColumnElement[bool]:
    """That the present or the wanted revision of a row of ``services`` uses a model version; in SQL."""
    present = or_(revisions.c.number == services.c.wanted_revision, revisions.c.number == _SERVING)
    return _any_revision(present, *_has_models(model_id, None))


def _any_revision(*conditions: ColumnElement[bool]) -> ColumnElement[bool]:
    mine = revisions.c.uid == services.c.uid
    return select(revisions.c.uid).where(mine, *conditions).correlate(services).exists()


def _has_models(model_id: str | None, model_name: str | None) -> list[ColumnElement[bool]]:
    # A list's text is the same on every database but for spaces; LIKE would take no heed of case on SQLite.
    models = revisions.c.wanted["models"].as_string()
    parts = [] if model_id is None else [json.dumps(model_id)]
    parts += [] if model_name is None else [json.dumps(f"{model_name}:")[:-1]]
    return [func.replace(models, part, "") != models for part in parts]


def shown(connection: Connection, rows: Sequence[AnyRow]) -> Mapping[str, Shown]:
    """Of each service's row, by uid: three statements for all, where one after another a long list took a second."""
    found: dict[str, Shown] = {}
    for start in range(0, len(rows), _AT_ONCE):
        found |= _some(connection, rows[start : start + _AT_ONCE])
    return found


def _some(connection: Connection, rows: Sequence[AnyRow]) -> dict[str, Shown]:
    mine = operations.c.uid.in_([row.uid for row in rows])
    newer = operations.alias("newer")
    later = select(newer.c.id).where(newer.c.uid == operations.c.uid, newer.c.created > operations.c.created)
    newest = {row.uid: row for row in connection.execute(select(operations).where(mine, ~later.exists()))}
    # The newest that ever became ready.
    ready = select(operations.c.uid, func.max(operations.c.revision)).where(mine, operations.c.state == SUCCEEDED)
    done = connection.execute(ready.where(operations.c.revision.is_not(None)).group_by(operations.c.uid))
    serving = {uid: int(number) for uid, number in done}

    def number_of(row: AnyRow) -> int:
        busy = row.uid in newest and newest[row.uid].state not in FINAL
        return int(row.wanted_revision) if busy else serving.get(row.uid, row.wanted_revision)

    pairs = [(row.uid, number_of(row)) for row in rows]
    wanted = select(revisions.c.uid, revisions.c.wanted).where(tuple_(revisions.c.uid, revisions.c.number).in_(pairs))
    plans = {uid: plan_from(plan) for uid, plan in connection.execute(wanted)}
    return {
        row.uid: Shown(newest=newest.get(row.uid), serving=serving.get(row.uid), plan=plans.get(row.uid))
        for row in rows
    }
