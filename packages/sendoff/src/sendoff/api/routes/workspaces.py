"""Workspaces."""

from __future__ import annotations

from ...core import Core
from ...spec.page import Listed, Page
from ...spec.workspace import CreateWorkspace, UpdateWorkspace, Workspace
from ..route import Call, Route


def create(core: Core, call: Call) -> Workspace:
    """Make one."""
    return core.registry.create_workspace(call.body)


def list_(core: Core, call: Call) -> Listed[Workspace]:
    """All of them."""
    return core.registry.workspaces(window=call.window)


def get(core: Core, call: Call) -> Workspace:
    """One by name."""
    return core.registry.workspace(call.path["ws"])


def update(core: Core, call: Call) -> Workspace:
    """Change it."""
    return core.registry.update_workspace(call.path["ws"], call.body)


def delete(core: Core, call: Call) -> None:
    """Delete an empty one."""
    core.registry.delete_workspace(call.path["ws"])


ROUTES = (
    Route(
        method="POST",
        path="/workspaces",
        handler=create,
        summary="Make a workspace",
        body=CreateWorkspace,
        answers={201: Workspace},
    ),
    Route(
        method="GET",
        path="/workspaces",
        handler=list_,
        summary="All workspaces",
        answers={200: Page[Workspace]},
        paged=True,
    ),
    Route(method="GET", path="/workspaces/{ws}", handler=get, summary="One workspace", answers={200: Workspace}),
    Route(
        method="PATCH",
        path="/workspaces/{ws}",
        handler=update,
        summary="Change a workspace's name for people, or its tags",
        body=UpdateWorkspace,
        answers={200: Workspace},
    ),
    Route(
        method="DELETE",
        path="/workspaces/{ws}",
        handler=delete,
        summary="Delete an empty workspace",
        answers={204: None},
    ),
)
