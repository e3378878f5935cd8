"""What a request names, pinned to versions: its models, its code and its environment."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from ..errors import InvalidInput
from ..packaging.assemble import check_source
from ..packaging.check_script import check_script, python_of
from ..spec.environment import EnvironmentSpec
from ..spec.inference import EnvironmentReference, InferenceSpec
from ..spec.names import check_environment
from ..spec.parse import replace
from ..store.workspaces import require_workspace
from .model_versions import version_notes
from .source_files import check_blobs
from .without_code import without_code

if TYPE_CHECKING:
    from ..rooms import Rooms


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
        require_workspace(connection, workspace)
    pinned = list(dict.fromkeys(rooms.registry.get(workspace, model).id for model in models))
    inference, said = without_code(rooms, workspace, pinned, inference, cpu=cpu)
    inference, notes = check_code(rooms, workspace, inference)
    spec = inference.environment
    assert spec is not None
    versions = version_notes([rooms.registry.get(workspace, model) for model in pinned], spec)
    return Content(pinned, inference, [*said, *notes, *versions])


def register_environment(rooms: Rooms, workspace: str, inference: InferenceSpec) -> tuple[str, InferenceSpec]:
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


def check_code(rooms: Rooms, workspace: str, inference: InferenceSpec) -> tuple[InferenceSpec, list[str]]:
    """Check code and environment; the environment's definition is filled in where it was named.

    Args:
        rooms: What to look into.
        workspace: The workspace's name.
        inference: Code and environment.

    Returns:
        The configuration with the environment's definition, and notes.

    Raises:
        SendoffError: Whatever would surely fail later.
    """
    if (inference.environment is None) == (inference.environment_ref is None):
        given = "both" if inference.environment is not None else "neither is given"
        raise InvalidInput(
            f"exactly one of environment and environment_ref is needed; {given}",
            hint="Name a registered environment, or give its definition.",
            field="environment",
        )
    if inference.environment_ref is not None:
        reference = inference.environment_ref
        found = rooms.environments.get(workspace, reference.name, reference.version)
        pinned = EnvironmentReference(name=found.name, version=found.version)
        inference = replace(inference, environment=found.spec, environment_ref=pinned)
    spec = inference.environment
    assert spec is not None
    if inference.environment_ref is None:
        check_environment(spec.name)
    source = inference.source
    check_source(source)
    check_blobs(rooms, source)
    script = next(file for file in source.files if file.path == source.entry_script)
    content = rooms.store.blobs.read_bytes(script.digest)
    return inference, check_script(source.entry_script, content, python=python_of(spec))


def check_interpreter(spec: EnvironmentSpec) -> None:
    """Make sure that an interpreter that the user manages is on this machine; in an image it is not.

    Raises:
        InvalidInput: It does not exist.
    """
    path = spec.python.interpreter_path
    if spec.python.user_managed_dependencies and Path(path).is_absolute() and not Path(path).exists():
        raise InvalidInput(
            f"environment {spec.name!r}: the interpreter {path} does not exist",
            hint="Correct python.interpreterPath, or let Sendoff build the environment.",
            field="interpreter_path",
        )
