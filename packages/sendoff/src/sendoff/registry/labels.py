"""Labels of model versions: one row for each thing that a list can be filtered by, and the query that does so."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from typing import Any

from sqlalchemy import ColumnElement, Connection, Select, and_, delete, insert, select

from ..spec.model import ModelSummary
from ..store.tables import model_labels, models


def label(*parts: str) -> str:
    """What stands for a fact in the table: of one length, however long a tag's value is."""
    return hashlib.blake2b("\0".join(parts).encode(), digest_size=16).hexdigest()


LATEST = label("latest")
"""Of the newest version of each name."""


def labels_of(model: ModelSummary) -> set[str]:
    """All labels of a version but :data:`LATEST`."""
    found = {label("framework", model.framework)} | ({label("run", model.run_id)} if model.run_id else set())
    for kind, pairs in (("tag", model.tags), ("property", model.properties)):
        found |= {label(kind, key) for key in pairs} | {label(kind, key, value) for key, value in pairs.items()}
    return found


def keep(connection: Connection, workspace: str, model: ModelSummary) -> None:
    """Label a version that was just made: it is the newest of its name."""
    mine = (model_labels.c.workspace == workspace, model_labels.c.name == model.name)
    connection.execute(delete(model_labels).where(*mine, model_labels.c.label == LATEST))
    _add(connection, workspace, model.name, model.version, model.created_time, labels_of(model) | {LATEST})


def change(connection: Connection, workspace: str, old: ModelSummary, new: ModelSummary) -> None:
    """Label a version anew that has changed."""
    before, after = labels_of(old), labels_of(new)
    _remove(connection, workspace, new, before - after)
    _add(connection, workspace, new.name, new.version, new.created_time, after - before)


def forget(connection: Connection, workspace: str, model: ModelSummary) -> None:
    """Forget a version that was just deleted; the newest that is left becomes the latest."""
    _remove(connection, workspace, model, labels_of(model) | {LATEST})
    left = select(models.c.version, models.c.created).where(
        models.c.workspace == workspace, models.c.name == model.name
    )
    newest = connection.execute(left.order_by(models.c.version.desc()).limit(1)).first()
    if newest is not None and newest.version < model.version:
        _add(connection, workspace, model.name, newest.version, newest.created, {LATEST})


def _add(
    connection: Connection, workspace: str, name: str, version: int, created: float, labels: Iterable[str]
) -> None:
    row = {"workspace": workspace, "name": name, "version": version, "created": created}
    rows = [{**row, "label": one} for one in labels]
    if rows:
        connection.execute(insert(model_labels), rows)


def _remove(connection: Connection, workspace: str, model: ModelSummary, labels: Iterable[str]) -> None:
    mine = (model_labels.c.workspace == workspace, model_labels.c.name == model.name)
    fitting = (model_labels.c.version == model.version, model_labels.c.label.in_(list(labels)))
    connection.execute(delete(model_labels).where(*mine, *fitting))


def wanted(
    *,
    run_id: str | None,
    framework: str | None,
    tags: Sequence[tuple[str, str | None]],
    properties: Sequence[tuple[str, str | None]],
) -> list[str]:
    """The labels that filters ask for, those that fewer versions have, as a rule, first."""
    found = [] if run_id is None else [label("run", run_id)]
    pairs = [("tag", *pair) for pair in tags] + [("property", *pair) for pair in properties]
    found += [label(kind, key, value) for kind, key, value in pairs if value is not None]
    found += [label(kind, key) for kind, key, value in pairs if value is None]
    return found if framework is None else [*found, label("framework", framework)]


def matching(
    columns: Iterable[ColumnElement[Any]], workspace: str, labels: Sequence[str], *, name: str | None, latest: bool
) -> tuple[Select[Any], list[ColumnElement[Any]]]:
    """The query for versions that have all labels, newest first, and its order.

    Args:
        columns: What of ``models`` is wanted.
        workspace: Where to look.
        labels: What they have; the first is looked up, so the rarest should be it.
        name: Only versions of this name; the order is then that of the versions.
        latest: Of each name only the newest version that matches. Not together with ``name``: it is the first row.
    """
    query = select(*columns)
    newest_of_all = latest and not labels
    if newest_of_all:
        labels = [LATEST]
    if labels:
        at: Any = model_labels.alias("first")
        query = query.select_from(at.join(models, _same(at, models)))
        query = query.where(at.c.label == labels[0], *_has(at, labels[1:], "also"))
    else:
        at = models
    query = query.where(at.c.workspace == workspace)
    if name is not None:
        return query.where(at.c.name == name), [at.c.version.desc()]
    if latest and not newest_of_all:
        newer = model_labels.alias("newer")
        mine = (newer.c.workspace == at.c.workspace, newer.c.label == labels[0], newer.c.name == at.c.name)
        later = select(newer.c.version).where(*mine, newer.c.version > at.c.version)
        query = query.where(~later.where(*_has(newer, labels[1:], "newer_also")).exists())
    return query, [at.c.created.desc(), at.c.name.desc(), at.c.version.desc()]


def _same(one: Any, other: Any) -> ColumnElement[bool]:
    return and_(*(one.c[part] == other.c[part] for part in ("workspace", "name", "version")))


def _has(row: Any, labels: Sequence[str], name: str) -> list[ColumnElement[bool]]:
    """That the version of a row has more labels."""
    others = [(model_labels.alias(f"{name}_{number}"), one) for number, one in enumerate(labels)]
    return [select(other.c.version).where(_same(other, row), other.c.label == one).exists() for other, one in others]
