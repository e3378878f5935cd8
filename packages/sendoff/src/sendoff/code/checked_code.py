"""What a request names, pinned to versions: its models, its code and its environment."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from ..errors import InvalidInput
from ..packaging.assemble import check_source
from ..packaging.check_script import check_script, python_of
from ..spec.environment import EnvironmentSpec, check_variables
from ..spec.environment_elsewhere import for_here
from ..spec.inference import Code, EnvironmentReference, InferenceSpec
from ..spec.local_links import followed
from ..spec.names import check_environment
from ..spec.parse import replace
from ..store.workspaces import require_workspace
from .model_versions import version_notes
from .pickled_names import main_notes
from .source_files import check_blobs, entry_script
from .without_code import without_code

if TYPE_CHECKING:
    from ..rooms import Rooms


class Content(NamedTuple):
    """What is to be deployed, packaged or measured; nothing was changed for it.

    Args:
        models: Ids with versions, each once.
        code: Script and environment.
        notes: What the user should know.
    """

    models: list[str]
    code: Code
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
    code, notes = check_code(rooms, workspace, inference)
    found = [rooms.registry.get(workspace, model) for model in pinned]
    source = code.no_code.hooks if code.no_code is not None else code.source
    classes = [] if source is None else main_notes(found, source.entry_script, entry_script(rooms, source))
    return Content(pinned, code, [*said, *notes, *version_notes(found, code.environment), *classes])


def register_environment(rooms: Rooms, workspace: str, code: Code) -> tuple[str, Code]:
    """Give the environment a registered version, where it has none yet; its passwords become secrets.

    Apart from `content`, since it writes: call it when nothing of the request can be refused any more.

    Args:
        rooms: Where environments are.
        workspace: The workspace's name.
        code: Checked.

    Returns:
        ``name:version``, and the code with the definition as it was registered (spec/behaviour.md sec. 3.2).
    """
    reference = code.environment_ref
    if reference is not None:
        return f"{reference.name}:{reference.version}", code
    found = rooms.environments.register(workspace, code.environment)
    return f"{found.name}:{found.version}", replace(code, environment=found.spec)


def check_code(rooms: Rooms, workspace: str, inference: InferenceSpec) -> tuple[Code, list[str]]:
    """Check code and environment; the environment's definition is filled in where it was named.

    Args:
        rooms: What to look into.
        workspace: The workspace's name.
        inference: Code and environment.

    Returns:
        The code with the environment's definition, and notes.

    Raises:
        SendoffError: Whatever would surely fail later.
    """
    spec, reference = inference.environment, inference.environment_ref
    if reference is not None and spec is None:
        found = rooms.environments.get(workspace, reference.name, reference.version)
        spec, reference = found.spec, EnvironmentReference(name=found.name, version=found.version)
    elif spec is not None and reference is None:
        check_environment(spec.name)
        check_variables(spec.environment_variables, where=f"environment {spec.name}")
        for_here(spec)
    else:
        given = "both" if spec is not None else "neither is given"
        raise InvalidInput(
            f"exactly one of environment and environment_ref is needed; {given}",
            hint="Name a registered environment, or give its definition.",
            field="environment",
        )
    source = inference.source
    check_source(source)
    check_blobs(rooms, source)
    code = Code(
        source=source,
        environment=spec,
        environment_ref=reference,
        description=inference.description,
        no_code=inference.no_code,
    )
    said = [followed(source.followed)] if source.followed else []
    return code, said + check_script(source.entry_script, entry_script(rooms, source), python=python_of(spec))


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
