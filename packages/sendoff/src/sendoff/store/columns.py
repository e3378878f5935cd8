"""Columns by their type, several at once, for tables and for the migrations that made them.

Migrations are history: what these make never changes.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import JSON, Column, ForeignKey, String
from sqlalchemy.types import TypeEngine

Document = JSON(none_as_null=True)
"""What ``spec.parse.to_builtins`` gives; ``None`` is SQL's NULL."""


def columns(type_: TypeEngine[Any] | type[TypeEngine[Any]], *names: str, null: bool = False) -> list[Column[Any]]:
    """Columns of one type that each row has a value of, or may have with ``null``."""
    return [Column(name, type_, nullable=null) for name in names]


def keys(type_: TypeEngine[Any] | type[TypeEngine[Any]], *names: str) -> list[Column[Any]]:
    """Columns of one type that are, or are part of, the primary key; no number is given out for them."""
    return [Column(name, type_, primary_key=True, autoincrement=False, nullable=False) for name in names]


def workspace(*, primary_key: bool = False) -> Column[str]:
    """The workspace that a row is of."""
    return Column("workspace", String(260), ForeignKey("workspaces.name"), primary_key=primary_key, nullable=False)
