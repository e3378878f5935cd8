"""Everything that can be known to fail before anything starts (issue 2, point 5)."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from ..code.checked_code import check_interpreter, content
from ..code.script_grammar import check_grammar
from ..code.without_code import cpu_of, sized
from ..errors import ComputeNotFound, PortInUse, SendoffError
from ..operations.operation_rows import AnyRow
from ..spec.deployment import DeploymentSpec
from ..spec.deployment import check as check_deployment
from ..spec.inference import InferenceSpec
from ..spec.names import check_service
from ..spec.parse import replace
from ..targets.base import Target, WantedService
from . import access, revision_rows, service_rows, telemetry
from .choose_target import DOCKER, Choice, choose_target, unhonoured
from .plan import Plan

if TYPE_CHECKING:
    from ..rooms import Rooms


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
    service: AnyRow | None,
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

        environment = inference.environment
        assert environment is not None
        docker, python = environment.docker, environment.python
        base, login = "", None
        own_image = docker.base_image or docker.base_dockerfile or docker.extra_steps
        if python.user_managed_dependencies and not own_image and Path(python.interpreter_path).is_absolute():
            return f"the environment's interpreter {python.interpreter_path} is of this machine, and no image is named"
        way = rooms.environments.indexes([]).way(os.environ)
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


def _check_port(rooms: Rooms, target: Target, workspace: str, name: str, port: int, service: AnyRow | None) -> None:
    uid = service.uid if service is not None else ""
    with rooms.store.read() as connection:
        for other in service_rows.list_services(connection):
            if other.uid != uid and other.port == port and revision_rows.should_run(connection, other):
                raise PortInUse(
                    f"port {port} belongs to service {other.name!r} of workspace {other.workspace!r}",
                    hint="Choose another port, or none: then a free one is taken.",
                    port=port,
                )
    target.check(_probe(name, workspace, uid=uid, port=port))
