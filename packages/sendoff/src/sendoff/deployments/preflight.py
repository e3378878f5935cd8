"""Everything that can be known to fail before anything starts (issue 2, point 5)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ..code.checked_code import check_interpreter, content
from ..code.script_grammar import check_grammar
from ..code.without_code import cpu_of, sized
from ..errors import ComputeNotFound, Conflict, PortInUse, SendoffError
from ..operations.operation_rows import AnyRow
from ..spec.deployment import AKS, DeploymentSpec
from ..spec.deployment import check as check_deployment
from ..spec.environment import asked_image
from ..spec.inference import Code, InferenceSpec
from ..spec.names import check_service
from ..targets.base import INTERPRETER, PUSHED_IMAGE, Target, repository
from . import access, revision_rows, service_rows, telemetry
from .choose_target import Choice, choose_target, unhonoured
from .plan import Plan
from .wanted import probe

if TYPE_CHECKING:
    from ..rooms import Rooms


@dataclass(frozen=True, kw_only=True)
class CheckedRequest:
    """A request that passed: everything in it is pinned to versions."""

    plan: Plan
    choice: Choice
    given: access.Given
    notes: list[str]
    details: list[str]


def check_request(
    rooms: Rooms,
    workspace: str,
    name: str,
    *,
    models: list[str],
    inference: InferenceSpec | None,
    deployment: DeploymentSpec,
    service: AnyRow | None,
) -> CheckedRequest:
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
    pinned, code, notes = content(rooms, workspace, models, inference, cpu=cpu_of(deployment))
    choice = Choice(service.target) if service is not None else choose(rooms, workspace, deployment, code)
    if service is not None:
        _same_namespace(service, deployment)
    target = rooms.target(choice.target)
    able = target.capabilities()
    if able.artefact != INTERPRETER:
        uid = service.uid if service is not None else ""
        target.check(probe(name, workspace, uid=uid, deployment=deployment))
    else:
        check_interpreter(code.environment)
        if image := asked_image(code.environment):
            notes.append(f"Not used: {image}, which the environment names; the service runs as processes.")
    if able.artefact == PUSHED_IMAGE:
        from ..artefacts import pushed_image

        pushed_image.check(rooms.store, rooms.environments, code.environment, repository=repository(workspace, name))
    notes += check_grammar(rooms, code, images=able.artefact != INTERPRETER)
    notes = [*choice.notes, *unhonoured(deployment, able), *notes]
    if able.telemetry:
        notes += telemetry.notes(rooms.store, deployment, able, service)
    deployment, given = access.without_secrets(deployment)
    deployment, said = access.settled(rooms.store, deployment, given, able, service)
    if deployment.port is not None:
        _check_port(rooms, target, workspace, name, deployment.port, service)
    return CheckedRequest(
        plan=Plan(models=pinned, inference=code, deployment=deployment),
        choice=choice,
        given=given,
        notes=[*notes, *said],
        details=choice.details,
    )


def choose(rooms: Rooms, workspace: str, deployment: DeploymentSpec, code: Code) -> Choice:
    """Where a service of this configuration would run, and why."""
    settings = rooms.store.settings

    def problem(name: str) -> str:
        # Only where a container is thought of.
        from ..artefacts.images_here import base_problem, bound_to_this_machine

        environment = code.environment
        if bound := bound_to_this_machine(environment):
            return bound
        try:
            rooms.target(name).check(probe("any", "any"))
            return base_problem(rooms.store, rooms.environments, environment)
        except SendoffError as error:
            return f"{error.message} ({error.hint.rstrip('.')})" if error.hint else error.message

    return choose_target(
        deployment,
        kinds=rooms.targets.kinds(),
        local_target=settings.local_target,
        aci_target=settings.aci_target,
        problem=problem,
        cluster=_cluster(rooms, workspace, deployment),
        reached=_reached(rooms, workspace, deployment),
        image=asked_image(code.environment),
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


def _reached(rooms: Rooms, workspace: str, deployment: DeploymentSpec) -> str:
    """The target of the attached cluster that a configuration names; empty for none."""
    if not deployment.compute_target_name or deployment.compute_type not in (AKS, None):
        return ""
    from ..computes.places import Places

    found = Places(rooms.store).reference(workspace, deployment.compute_target_name, deployment.namespace)
    kind = next((name for name, kind in rooms.targets.kinds().items() if kind.places), "")
    return f"{kind}:{found}" if found and kind else ""


def _same_namespace(service: AnyRow, deployment: DeploymentSpec) -> None:
    """Refuse another namespace than that in which a service on a cluster was made."""
    _, reached, reference = service.target.partition(":")
    now = reference.rpartition("/")[2]
    if reached and deployment.namespace not in (None, now):
        raise Conflict(
            f"service {service.name!r} is in namespace {now}, and cannot go to {deployment.namespace}",
            hint="Deploy it under another name there, or delete it and deploy it anew.",
            field="namespace",
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
    target.check(probe(name, workspace, uid=uid, port=port))
