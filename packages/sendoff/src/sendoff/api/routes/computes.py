"""Compute targets."""

from __future__ import annotations

from ...core import Core
from ...spec.compute import Compute, CreateCompute, UpdateCompute
from ...spec.page import Listed, Page
from ..route import Call, Route


def create(core: Core, call: Call) -> Compute:
    """Keep one."""
    return core.computes.create(call.path["ws"], call.body)


def list_(core: Core, call: Call) -> Listed[Compute]:
    """A workspace's."""
    return core.computes.list(call.path["ws"], window=call.window)


def get(core: Core, call: Call) -> Compute:
    """One."""
    return core.computes.get(call.path["ws"], call.path["name"])


def update(core: Core, call: Call) -> Compute:
    """Change it."""
    return core.computes.update(call.path["ws"], call.path["name"], call.body)


def delete(core: Core, call: Call) -> None:
    """Forget it."""
    core.computes.delete(call.path["ws"], call.path["name"])


ROUTES = (
    Route(
        method="POST",
        path="/workspaces/{ws}/computes",
        handler=create,
        summary="Keep a compute target: one that is asked for here, or a cluster that exists elsewhere",
        body=CreateCompute,
        answers={201: Compute},
    ),
    Route(
        method="GET",
        path="/workspaces/{ws}/computes",
        handler=list_,
        summary="Compute targets by name",
        answers={200: Page[Compute]},
        paged=True,
    ),
    Route(
        method="GET",
        path="/workspaces/{ws}/computes/{name}",
        handler=get,
        summary="One compute target",
        answers={200: Compute},
    ),
    Route(
        method="PATCH",
        path="/workspaces/{ws}/computes/{name}",
        handler=update,
        summary="Change a compute target's description, tags or properties",
        body=UpdateCompute,
        answers={200: Compute},
    ),
    Route(
        method="DELETE",
        path="/workspaces/{ws}/computes/{name}",
        handler=delete,
        summary="Forget a compute target; services that were deployed to it go on",
        answers={204: None},
    ),
)
