"""Operations, and the two that act on everything: up and gc."""

from __future__ import annotations

from ...core import Core
from ...spec.bodies import CollectGarbage, Facts
from ...spec.operation import Operation
from ...spec.parse import to_builtins
from ..noun import Noun, room
from ..route import Call, Query, Route

operations = Noun("operations", Operation, "/workspaces/{ws}/operations", "/operations/{id}")


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
    operations.list(
        room(lambda core: core.operations.list),
        "Operations of a workspace",
        Query(name="service", summary="Only those of this service."),
        Query(name="state", summary="Only those in this state."),
    ),
    operations.get(room(lambda core: core.operations.get), "One operation with its steps as they are now"),
    operations.act("cancel", room(lambda core: core.operations.cancel), "Ask a running operation to stop", Operation),
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
