"""Rows of the store into views."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection, Row, select

from ..spec.model import Model, ModelSummary, RegisterModel
from ..spec.parse import to_builtins
from ..store.in_use import Dropped, References
from ..store.rows import view
from ..store.tables import models

SUMMARY = tuple(column for column in models.c if column.name != "files")
"""What a list shows of a version: a manifest may have a hundred thousand files."""


def model_of(row: Row[Any]) -> Model:
    """A row of ``models``."""
    return view(row, Model, id=f"{row.name}:{row.version}", resource_configuration=row.resources)


def summary_of(row: Row[Any]) -> ModelSummary:
    """A row of ``models`` without its manifest."""
    return view(row, ModelSummary, id=f"{row.name}:{row.version}", resource_configuration=row.resources)


def columns_of(body: RegisterModel) -> dict[str, Any]:
    """A registration as columns of ``models``: all but what the registry itself adds."""
    values: dict[str, Any] = to_builtins(body)
    values["resources"] = values.pop("resource_configuration")
    del values["python_version"]  # a fact of its own only where the file states none
    return values


def in_use(connection: Connection, dropped: Dropped) -> References:
    """Blobs of every model version."""
    return References(blobs={file["digest"] for files in connection.scalars(select(models.c.files)) for file in files})
