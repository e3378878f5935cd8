"""A revision as a target wants to hear of it: values alone, no path of this machine."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from ..modeldata import place
from ..operations.operation_rows import AnyRow
from ..targets.base import IMAGE, INTERPRETER, Artefact, Limits, Listen, Wanted
from . import access
from .plan import Plan, memory_mb

if TYPE_CHECKING:
    from ..rooms import Rooms


def wanted_service(rooms: Rooms, service: AnyRow, number: int, plan: Plan) -> Wanted | None:
    """What a target has to run for a revision; None when its bundle or interpreter is not on this machine.

    What requests are checked by is part of it: nothing runs unguarded.
    """
    pinned, store = plan.pinned, rooms.store
    if pinned.bundle is None or pinned.python is None:
        return None
    if not (store.home / "bundles" / pinned.bundle).is_dir():
        return None
    if pinned.image is not None:
        artefact = Artefact(kind=IMAGE, reference=pinned.image, python=pinned.python)
    elif Path(pinned.python).exists():
        artefact = Artefact(kind=INTERPRETER, reference=pinned.environment_key or "", python=pinned.python)
    else:
        return None
    guard, telemetry = access.material(rooms, service, number)
    deployment = plan.deployment
    return Wanted(
        uid=service.uid,
        name=service.name,
        workspace=service.workspace,
        revision=number,
        bundle=pinned.bundle,
        artefact=artefact,
        limits=Limits(cpus=deployment.cpu_cores_limit or deployment.cpu_cores, memory_mb=memory_mb(deployment)),
        access=guard,
        telemetry=telemetry,
        collects=bool(deployment.collect_model_data),
        data_scope=place.scope(store, service.workspace, service.name),
        listen=Listen(port=deployment.port or 0),
    )


def probe(name: str, workspace: str, *, uid: str = "", port: int = 0) -> Wanted:
    """What asks a target whether it could run a service that is not made yet."""
    return Wanted(uid=uid or f"check-{name}", name=name, workspace=workspace, revision=0, listen=Listen(port=port))
