"""Rows by their names, and as views: most fields are columns, times under names of their own."""

from __future__ import annotations

from typing import Any, TypeVar

from sqlalchemy import Connection, Row, Table, select

from ..spec.parse import Spec, decode

S = TypeVar("S", bound=Spec)
_COLUMNS = {
    "created_time": "created",
    "modified_time": "modified",
    "updated_time": "updated",
    "archived_time": "archived",
    "start_time": "started",
    "end_time": "ended",
}


def fields_of(row: Row[Any], type_: type[S]) -> dict[str, Any]:
    """Those fields of a view that a row has a column for."""
    values, names = row._mapping, type_.__struct_fields__  # type: ignore[attr-defined]
    return {field: values[column] for field in names if (column := _COLUMNS.get(field, field)) in values}


def view(row: Row[Any], type_: type[S], **more: Any) -> S:
    """A row as a view.

    Args:
        row: Of a table, or of some of its columns.
        type_: The view's class.
        more: Fields that are no column, or not as the column has them; plain values.
    """
    return decode({**fields_of(row, type_), **more}, type_, where="the store")


def named(connection: Connection, table: Table, workspace: str, name: str) -> Row[Any] | None:
    """The row of a name in a workspace."""
    return connection.execute(select(table).where(table.c.workspace == workspace, table.c.name == name)).first()


def names(connection: Connection, table: Table, workspace: str) -> list[str]:
    """Names in a workspace, sorted, for a hint: a thousand at most."""
    query = select(table.c.name).where(table.c.workspace == workspace, table.c.name.is_not(None)).distinct()
    return sorted(connection.scalars(query.limit(1000)))
