"""Everything that can be known to fail before anything starts (issue 2, point 5)."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from ..errors import ComputeNotFound, Conflict, InvalidInput, PortInUse, SendoffError
from ..packaging.assemble import check_source
from ..packaging.check_script import check_script, python_of
from ..spec.deployment import DeploymentSpec
from ..spec.deployment import check as check_deployment
from ..spec.environment import EnvironmentSpec
from ..spec.inference import EnvironmentReference, InferenceSpec, SourceSpec
from ..spec.names import check_environment, check_service
from ..spec.parse import replace
from ..targets.base import Target, WantedService
from . import access, records, telemetry
from .choose_target import DOCKER, Choice, choose_target, unhonoured
from .plan import Plan
from .script_grammar import check_grammar

if TYPE_CHECKING:
    from ..environments import Environments
    from ..registry import Registry
    from ..store import Store


class Targets(Protocol):
    """Gives targets by name: ``sendoff.targets.table`` is one."""

    def load(self, name: str, home: Path) -> Target:
        """The target of that name.

        Raises:
            NotSupported: There is none of that name in this version.
        """


@dataclass(frozen=True, kw_only=True)
class Rooms:
    """What deployments work with."""

    store: Store
    registry: Registry
    environments: Environments
    targets: Targets

    def target(self, name: str) -> Target:
        """A target of this home."""
        return self.targets.load(name, self.store.home)


@dataclass(frozen=True, kw_only=True)
class Ready:
    """A request that passed: everything in it is pinned to versions."""

    plan: Plan
    choice: Choice
    given: access.Given
    notes: list[str]


def check_request(
    rooms: Rooms,
    workspace: str,
    name: str,
    *,
    models: list[str],
    inference: InferenceSpec | None,
    deployment: DeploymentSpec,
    service: records.AnyRow | None,
) -> Ready:
    """Check a deployment or the merged whole of an update.

    Args:
        rooms: What to look into.
        workspace: The workspace's name.
        name: The service's name.
        models: Ids; a bare name means its newest version, from now on that one.
        inference: Code and environment.
        deployment: The whole configuration.
        service: The row of the service that is there already.

    Raises:
        SendoffError: Whatever would surely fail later; nothing was changed.
    """
    check_service(name)
    check_deployment(deployment, where="deployment configuration")
    from .requested import content  # both need what is below
    from .without_code import cpu_of, sized

    if inference is None and models:
        deployment = sized(deployment, rooms.registry.get(workspace, models[0]))
    pinned, inference, notes = content(rooms, workspace, models, inference, cpu=cpu_of(deployment))
    spec = inference.environment
    assert spec is not None
    choice = Choice(service.target) if service is not None else choose(rooms, workspace, deployment, inference)
    target = rooms.target(choice.target)
    able = target.capabilities()
    if able.images:
        target.check(_probe(name, workspace))
    else:
        check_interpreter(spec)
    notes += check_grammar(rooms, inference, images=able.images)
    notes = [*choice.notes, *unhonoured(deployment, able), *notes]
    if able.telemetry:
        notes += telemetry.notes(rooms.store, deployment, choice.target, service)
    deployment, given = access.without_secrets(deployment)
    deployment, said = access.settled(rooms.store, deployment, given, able, service)
    if deployment.port is not None:
        _check_port(rooms, target, workspace, name, deployment.port, service)
    return Ready(
        plan=Plan(models=pinned, inference=inference, deployment=deployment),
        choice=choice,
        given=given,
        notes=[*notes, *said],
    )


def choose(rooms: Rooms, workspace: str, deployment: DeploymentSpec, inference: InferenceSpec) -> Choice:
    """Where a service of this configuration would run, and why."""
    settings = rooms.store.settings

    def docker_problem() -> str:
        # Only where a container is thought of.
        from ..containers.registries import split_reference
        from ..packaging.base_choice import base_reference, logins_of
        from ..packaging.image_pull import available
        from ..packaging.way import Way

        environment = inference.environment
        assert environment is not None
        docker, python = environment.docker, environment.python
        base, login = "", None
        own_image = docker.base_image or docker.base_dockerfile or docker.extra_steps
        if python.user_managed_dependencies and not own_image and Path(python.interpreter_path).is_absolute():
            return f"the environment's interpreter {python.interpreter_path} is of this machine, and no image is named"
        way = Way(rooms.environments.indexes([]), os.environ)
        logins = logins_of(environment, settings, os.environ, rooms.environments.image_credentials(environment))
        try:
            if not docker.base_dockerfile:
                base = base_reference(environment, settings)[0]
                login = logins.of(split_reference(base)[0])
            rooms.target(DOCKER).check(replace(_probe("any", "any"), image=base, image_login=login))
        except SendoffError as error:
            if error.context.get("reason") == "base_image" and available(base, logins=logins, way=way):
                return ""
            return f"{error.message} ({error.hint.rstrip('.')})" if error.hint else error.message
        return ""

    return choose_target(
        deployment,
        local_target=settings.local_target,
        aci_target=settings.aci_target,
        docker_problem=docker_problem,
        cluster=_cluster(rooms, workspace, deployment),
    )


def _cluster(rooms: Rooms, workspace: str, deployment: DeploymentSpec) -> str:
    """What is known of the compute target that a configuration names; nothing when there is no record of it."""
    if not deployment.compute_target_name:
        return ""
    from ..computes import Computes

    try:
        return Computes(rooms.store, rooms.registry).get(workspace, deployment.compute_target_name).note
    except ComputeNotFound:
        return ""


def _probe(name: str, workspace: str, *, uid: str = "", port: int = 0) -> WantedService:
    """What asks a target whether it could run a service that is not made yet."""
    return WantedService(
        uid=uid or f"check-{name}", name=name, workspace=workspace, revision=0, bundle="", python="", port=port
    )


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


def check_blobs(rooms: Rooms, source: SourceSpec) -> None:
    """Raise unless every source file is in the store."""
    missing = set(rooms.store.blobs.missing([file.digest for file in source.files]))
    if missing:
        lost = sorted(file.path for file in source.files if file.digest in missing)
        raise Conflict(
            f"{len(lost)} source files are not in the store, {lost[0]} among them",
            hint="Upload the blobs that POST /v1/blobs/missing names, then deploy.",
            missing=sorted(missing),
        )


def _check_port(
    rooms: Rooms, target: Target, workspace: str, name: str, port: int, service: records.AnyRow | None
) -> None:
    uid = service.uid if service is not None else ""
    with rooms.store.read() as connection:
        for other in records.list_services(connection):
            if other.uid != uid and other.port == port and records.should_run(connection, other):
                raise PortInUse(
                    f"port {port} belongs to service {other.name!r} of workspace {other.workspace!r}",
                    hint="Choose another port, or none: then a free one is taken.",
                    port=port,
                )
    target.check(_probe(name, workspace, uid=uid, port=port))
