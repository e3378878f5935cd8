"""A revision as a target wants to hear of it: values alone, no path of this machine."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..modeldata import place
from ..operations.operation_rows import AnyRow
from ..spec.deployment import DeploymentSpec
from ..spec.kubernetes import KubernetesOptions
from ..targets.base import IMAGE, INTERPRETER, PUSHED_IMAGE, Artefact, Limits, Listen, Resources, Wanted
from . import access
from .plan import Plan, memory_mb, serving_settings

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
        kind = PUSHED_IMAGE if "@" in pinned.image else IMAGE
        artefact = Artefact(kind=kind, reference=pinned.image, python=pinned.python)
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
        access=guard,
        telemetry=telemetry,
        collects=bool(deployment.collect_model_data),
        data_scope=place.scope(store, service.workspace, service.name),
        listen=Listen(port=deployment.port or 0),
        **_sizes(deployment),
    )


def probe(
    name: str, workspace: str, *, uid: str = "", port: int = 0, deployment: DeploymentSpec | None = None
) -> Wanted:
    """What asks a target whether it could run a service that is not made yet."""
    return Wanted(
        uid=uid or f"check-{name}",
        name=name,
        workspace=workspace,
        revision=0,
        listen=Listen(port=port),
        **({} if deployment is None else _sizes(deployment)),
    )


def _sizes(deployment: DeploymentSpec) -> dict[str, Any]:
    """The parts of a configuration that say how large and how many; 1 GB is 1024 MiB."""
    gigabytes, serving, scaler = deployment.memory_gb, serving_settings(deployment), deployment.autoscaler
    return {
        "limits": Limits(cpus=deployment.cpu_cores_limit or deployment.cpu_cores, memory_mb=memory_mb(deployment)),
        "replicas": deployment.num_replicas or 1,
        "resources": Resources(
            cpus=deployment.cpu_cores,
            cpus_limit=deployment.cpu_cores_limit,
            memory_mb=None if gigabytes is None else int(gigabytes * 1024),
            gpus=deployment.gpu_cores or 0,
        ),
        "workers": serving.workers,
        "autoscaler": scaler if scaler is not None and scaler.autoscale_enabled else None,
        "probe": deployment.liveness_probe,
        "options": deployment.kubernetes or KubernetesOptions(),
        "deadline_seconds": serving.scoring_timeout_ms / 1000,
    }
