"""Workspaces, as every room that keeps things in them looks them up."""

from __future__ import annotations

from sqlalchemy import Connection, select

from ..errors import WorkspaceNotFound
from ..spec.parse import did_you_mean
from .tables import workspaces


def require_workspace(connection: Connection, name: str) -> None:
    """Make sure that a workspace exists.

    Raises:
        WorkspaceNotFound: The hint names the nearest that exists.
    """
    if connection.execute(select(workspaces.c.name).where(workspaces.c.name == name)).first() is None:
        known = sorted(connection.execute(select(workspaces.c.name)).scalars())
        hint = did_you_mean(name, known, f"Make it: sendoff workspace create -w {name}")
        raise WorkspaceNotFound(f"workspace {name!r} does not exist", hint=hint, name=name, known=known[:20])
