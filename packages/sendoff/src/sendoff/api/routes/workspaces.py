"""Workspaces."""

from __future__ import annotations

from ...spec.workspace import CreateWorkspace, UpdateWorkspace, Workspace
from ..noun import Noun, room

workspaces = Noun("workspaces", Workspace, "/workspaces", "/workspaces/{ws}")

ROUTES = (
    workspaces.create(room(lambda core: core.registry.create_workspace), "Make a workspace", CreateWorkspace),
    workspaces.list(room(lambda core: core.registry.workspaces), "All workspaces"),
    workspaces.get(room(lambda core: core.registry.workspace), "One workspace"),
    workspaces.update(
        room(lambda core: core.registry.update_workspace),
        "Change a workspace's name for people, or its tags",
        UpdateWorkspace,
    ),
    workspaces.delete(room(lambda core: core.registry.delete_workspace), "Delete an empty workspace"),
)
