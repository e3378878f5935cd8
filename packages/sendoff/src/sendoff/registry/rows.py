"""Rows of the store into views."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection, RowMapping, select

from ..spec.model import Model, ModelSummary, RegisterModel
from ..spec.parse import decode, to_builtins
from ..spec.workspace import Workspace
from ..store.in_use import Dropped, References
from ..store.tables import models


def workspace_of(row: RowMapping) -> Workspace:
    """A row of ``workspaces``."""
    values = _plain(row)
    values["created_time"] = values.pop("created")
    return decode(values, Workspace, where="the store")


SUMMARY = tuple(column for column in models.c if column.name != "files")
"""What a list shows of a version: a manifest may have a hundred thousand files."""


def model_of(row: RowMapping) -> Model:
    """A row of ``models``."""
    return decode(_fields(row), Model, where="the store")


def summary_of(row: RowMapping) -> ModelSummary:
    """A row of ``models`` without its manifest."""
    return decode(_fields(row), ModelSummary, where="the store")


def _fields(row: RowMapping) -> dict[str, Any]:
    values = _plain(row)
    del values["workspace"]
    values["id"] = f"{values['name']}:{values['version']}"
    values["created_time"] = values.pop("created")
    values["modified_time"] = values.pop("modified")
    values["resource_configuration"] = values.pop("resources")
    return values


def columns_of(body: RegisterModel) -> dict[str, Any]:
    """A registration as columns of ``models``: all but what the registry itself adds."""
    values: dict[str, Any] = to_builtins(body)
    values["resources"] = values.pop("resource_configuration")
    del values["python_version"]  # a fact of its own only where the file states none
    return values


def _plain(row: RowMapping) -> dict[str, Any]:
    # SQLAlchemy's column names are a subclass of str, which msgspec does not take for a key.
    return {str(name): value for name, value in row.items()}


def in_use(connection: Connection, dropped: Dropped) -> References:
    """Blobs of every model version."""
    return References(blobs={file["digest"] for files in connection.scalars(select(models.c.files)) for file in files})
