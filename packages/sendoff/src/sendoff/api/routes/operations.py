"""Operations, and the two that act on everything: up and gc."""

from __future__ import annotations

from ...core import Core
from ...spec.bodies import CollectGarbage, Facts
from ...spec.operation import Operation
from ...spec.page import Listed, Page
from ...spec.parse import to_builtins
from ..route import Call, Query, Route


def list_(core: Core, call: Call) -> Listed[Operation]:
    """A workspace's."""
    service, state = call.query["service"], call.query["state"]
    return core.operations.list(call.path["ws"], service=service, state=state, window=call.window)


def get(core: Core, call: Call) -> Operation:
    """One by id."""
    return core.operations.get(call.path["id"])


def cancel(core: Core, call: Call) -> Operation:
    """Ask it to stop."""
    return core.operations.cancel(call.path["id"])


def up(core: Core, call: Call) -> Facts:
    """Start what should run."""
    return _facts("started", core.deployments.up())


def gc(core: Core, call: Call) -> Facts:
    """Remove what nothing refers to."""
    return _facts("removed", core.garbage.collect(dry_run=call.body.dry_run))


def _facts(name: str, value: object) -> Facts:
    plain = to_builtins(value)
    return Facts(facts=plain if isinstance(plain, dict) else {name: plain})


ROUTES = (
    Route(
        method="GET",
        path="/workspaces/{ws}/operations",
        handler=list_,
        summary="Operations of a workspace",
        query=(
            Query(name="service", summary="Only those of this service."),
            Query(name="state", summary="Only those in this state."),
        ),
        answers={200: Page[Operation]},
        paged=True,
    ),
    Route(
        method="GET",
        path="/operations/{id}",
        handler=get,
        summary="One operation with its steps as they are now",
        answers={200: Operation},
    ),
    Route(
        method="POST",
        path="/operations/{id}/cancel",
        handler=cancel,
        summary="Ask a running operation to stop",
        answers={200: Operation},
    ),
    Route(
        method="POST",
        path="/up",
        handler=up,
        summary="Start again what should run and does not",
        answers={200: Facts},
    ),
    Route(
        method="POST",
        path="/gc",
        handler=gc,
        summary="Remove what nothing refers to",
        body=CollectGarbage,
        body_required=False,
        answers={200: Facts},
    ),
)
