"""Workspaces, as every room that keeps things in them looks them up."""

from __future__ import annotations

from sqlalchemy import Connection, select

from ..errors import WorkspaceNotFound
from ..spec.parse import nearest
from .tables import workspaces


def require_workspace(connection: Connection, workspace: str) -> None:
    """Raise unless the workspace exists."""
    if connection.execute(select(workspaces.c.name).where(workspaces.c.name == workspace)).first() is None:
        known = [str(name) for name in connection.scalars(select(workspaces.c.name).order_by(workspaces.c.name))]
        close = nearest(workspace, known)
        raise WorkspaceNotFound(
            f"there is no workspace {workspace!r}",
            hint=f"Did you mean {close!r}?" if close else f"Workspaces: {', '.join(known) or 'none yet'}.",
        )
