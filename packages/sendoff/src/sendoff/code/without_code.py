"""Requests without an entry script, or with hooks alone: a configuration is made from the model (``frameworks``)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..packaging.assemble import check_source
from ..packaging.check_script import has_hooks_alone
from ..spec.deployment import DeploymentSpec
from ..spec.inference import InferenceSpec
from ..spec.model import Model
from ..spec.parse import replace
from .source_files import check_blobs, entry_script

if TYPE_CHECKING:
    from ..rooms import Rooms


def without_code(
    rooms: Rooms, workspace: str, models: list[str], inference: InferenceSpec | None, *, cpu: float | None = None
) -> tuple[InferenceSpec, list[str]]:
    """The configuration itself where its script scores; else one made from the model and its framework.

    That is where there is none, or where its entry script has hooks alone (``frameworks.compose``).

    Args:
        rooms: What to look into.
        workspace: The workspace's name.
        models: Ids with versions.
        inference: Code and environment, hooks, or nothing.
        cpu: Cores that the deployment asks for.

    Returns:
        The configuration, and notes.

    Raises:
        SendoffError: The model is none that can be served without code.
    """
    hooks = inference.source if inference is not None and _has_hooks_alone(rooms, inference) else None
    if inference is not None and hooks is None:
        return inference, []
    from ..frameworks.compose import compose

    environment = inference.environment if inference is not None else None
    if inference is not None and inference.environment_ref is not None:
        reference = inference.environment_ref
        environment = rooms.environments.get(workspace, reference.name, reference.version).spec
    return compose(
        [rooms.registry.get(workspace, model) for model in models],
        blobs=rooms.store.blobs,
        settings=rooms.store.settings,
        pythons=lambda: [one.version for one in rooms.environments.interpreters() if not one.problem],
        hooks=hooks,
        environment=environment,
        cpu=cpu,
    )


def _has_hooks_alone(rooms: Rooms, inference: InferenceSpec) -> bool:
    if inference.no_code is not None:
        return False
    source = inference.source
    check_source(source)
    check_blobs(rooms, source)
    return has_hooks_alone(entry_script(rooms, source))


def sized(deployment: DeploymentSpec, model: Model) -> DeploymentSpec:
    """The deployment with the model's own default resources where it names none (spec/behaviour.md sec. 2.2)."""
    sizes = model.resource_configuration
    if sizes is None:
        return deployment
    given: dict[str, Any] = {}
    if deployment.cpu_cores is None and deployment.cpu_cores_limit is None:
        given["cpu_cores"] = sizes.cpu
    if deployment.memory_gb is None and deployment.memory_gb_limit is None and deployment.memory_limit_mb is None:
        given["memory_gb"] = sizes.memory_in_gb
    if deployment.gpu_cores is None:
        given["gpu_cores"] = sizes.gpu
    return replace(deployment, **{name: value for name, value in given.items() if value is not None})


def cpu_of(deployment: DeploymentSpec) -> float | None:
    """Cores that a deployment asks for."""
    return deployment.cpu_cores_limit or deployment.cpu_cores
