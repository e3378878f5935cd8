"""What a request names, pinned to versions: its models, its code and its environment."""

from __future__ import annotations

from typing import NamedTuple

from ..spec.inference import InferenceSpec
from ..spec.parse import replace
from . import records
from .model_versions import version_notes
from .preflight import Rooms, check_code
from .without_code import without_code


class Content(NamedTuple):
    """What is to be deployed, packaged or measured; nothing was changed for it.

    Args:
        models: Ids with versions, each once.
        inference: Code, with the environment's definition filled in.
        notes: What the user should know.
    """

    models: list[str]
    inference: InferenceSpec
    notes: list[str]


def content(
    rooms: Rooms, workspace: str, models: list[str], inference: InferenceSpec | None, *, cpu: float | None = None
) -> Content:
    """Look up and check what a request names.

    Args:
        rooms: What to look into.
        workspace: The workspace's name.
        models: Ids; a bare name means its newest version, from now on that one.
        inference: Code and environment; hooks or nothing where the model can be served without code.
        cpu: Cores that a service without code may use; None when nobody said.

    Raises:
        SendoffError: Whatever would surely fail later.
    """
    with rooms.store.read() as connection:
        records.require_workspace(connection, workspace)
    pinned = list(dict.fromkeys(rooms.registry.get(workspace, model).id for model in models))
    inference, said = without_code(rooms, workspace, pinned, inference, cpu=cpu)
    inference, notes = check_code(rooms, workspace, inference)
    spec = inference.environment
    assert spec is not None
    versions = version_notes([rooms.registry.get(workspace, model) for model in pinned], spec)
    return Content(pinned, inference, [*said, *notes, *versions])


def environment(rooms: Rooms, workspace: str, inference: InferenceSpec) -> tuple[str, InferenceSpec]:
    """Give the environment a registered version, where it has none yet; its passwords become secrets.

    Apart from `content`, since it writes: call it when nothing of the request can be refused any more.

    Args:
        rooms: Where environments are.
        workspace: The workspace's name.
        inference: Checked code and environment.

    Returns:
        ``name:version``, and the configuration with the definition as it was registered (spec/behaviour.md sec. 3.2).
    """
    reference, spec = inference.environment_ref, inference.environment
    if reference is not None:
        return f"{reference.name}:{reference.version}", inference
    assert spec is not None
    found = rooms.environments.register(workspace, spec)
    return f"{found.name}:{found.version}", replace(inference, environment=found.spec)
