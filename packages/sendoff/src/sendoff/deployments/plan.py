"""What one revision wants: immutable, apart from facts that its first run pins once."""

from __future__ import annotations

import hashlib
from typing import Any

import msgspec

from ..errors import Conflict, InvalidInput
from ..spec.bundle import ServingSettings
from ..spec.data_collection import DataCollection
from ..spec.deployment import ACI, AKS, DEFAULT, DeploymentSpec
from ..spec.inference import Code, EnvironmentReference, InferenceSpec
from ..spec.parse import Spec, encode, replace
from ..spec.service import UpdateService

# Defaults of a production service, where its configuration is silent (settled.md, "Deadline and queue").
AKS_TIMEOUT_MS, AKS_WAIT_MS = 60_000, 500


class Pinned(Spec):
    """Facts found by the first run of a revision; a restart, a rollback and `up` use the same ones."""

    environment: str | None = None
    """``name:version`` of the registered environment."""
    lock_digest: str | None = None
    environment_key: str | None = None
    python: str | None = None
    bundle: str | None = None
    """The bundle folder's name."""
    image: str | None = None
    """The image's id, where the target runs images; ``python`` is a path in it then."""


class Plan(Spec):
    """The wanted state of one revision, as ``revisions.wanted`` holds it.

    ``models`` are ids with versions.
    """

    models: list[str]
    inference: Code
    deployment: DeploymentSpec
    restores: int | None = None
    pinned: Pinned = Pinned()

    @property
    def environment(self) -> str:
        """Name, and version once registered, of the environment."""
        return self.pinned.environment or self.inference.environment.name


def plan_from(row: Any) -> Plan:
    """A plan from the store's JSON."""
    return msgspec.convert(row, Plan)


def source_digest(plan: Plan) -> str:
    """A digest of the scoring code: equal for equal files, wherever they came from."""
    source = replace(plan.inference.source, origin=None, followed=[])
    return "sha256:" + hashlib.sha256(encode(source)).hexdigest()


def serving_settings(deployment: DeploymentSpec) -> ServingSettings:
    """Settings of the scoring server for a deployment; limits are the target's, and in no bundle."""
    production = deployment.compute_type == AKS
    wait = deployment.max_request_wait_time
    return ServingSettings(
        # N requests at once are N workers, each with one.
        workers=deployment.workers or deployment.replica_max_concurrent_requests or 1,
        scoring_timeout_ms=deployment.scoring_timeout_ms or AKS_TIMEOUT_MS,
        max_request_wait_ms=AKS_WAIT_MS if wait is None and production else wait,
        cors_origins=deployment.cors_origins or [],
        preload=bool(deployment.preload),
        collect=(deployment.data_collection or DataCollection()) if deployment.collect_model_data else None,
    )


def memory_mb(deployment: DeploymentSpec) -> int | None:
    """The memory that a service may use, in MB; None is no limit."""
    gigabytes = deployment.memory_gb_limit or deployment.memory_gb
    if deployment.memory_limit_mb is None and gigabytes is not None:
        return int(gigabytes * 1024)
    return deployment.memory_limit_mb


def merge_deployment(last: DeploymentSpec, change: DeploymentSpec | None) -> DeploymentSpec:
    """The last configuration with what a change names; the parts of autoscaler and probe come whole.

    Raises:
        Conflict: The change names another compute type: that is fixed when a service is made.
    """
    if change is None:
        return last
    now = ACI if last.compute_type in (None, DEFAULT) else last.compute_type
    if change.compute_type not in (None, now):
        raise Conflict(
            f"the compute type of a service is fixed: it is {now}, not {change.compute_type}",
            hint="Deploy under another name, or delete the service and deploy it anew.",
            field="compute_type",
        )
    given = {
        field: value
        for field in change.__struct_fields__  # type: ignore[attr-defined]
        if field not in ("description", "tags", "properties") and (value := getattr(change, field)) is not None
    }
    # Keys or tokens: turning one on turns the other off, unless both are asked for, which is an error.
    for one, other in (("auth_enabled", "token_auth_enabled"), ("token_auth_enabled", "auth_enabled")):
        if given.get(one) and other not in given:
            given[other] = False
    if change.ssl_cert_pem_file is not None and change.ssl_cert_pem is None:
        raise InvalidInput(
            f"the certificate {change.ssl_cert_pem_file} was not sent",
            hint="Over the HTTP API, its text goes into ssl_cert_pem, that of its key into ssl_key_pem.",
            field="ssl_cert_pem",
        )
    return replace(last, **given)


def merge_tags(old: dict[str, str], change: UpdateService) -> dict[str, str]:
    """Tags after an update: replaced whole, then some added or removed (spec/behaviour.md sec. 15.2)."""
    tags = dict(old) if change.tags is None else dict(change.tags)
    if change.deployment is not None and change.tags is None and change.deployment.tags:
        tags = dict(change.deployment.tags)
    tags.update(change.add_tags)
    for name in change.remove_tags:
        if name not in tags:
            raise InvalidInput(
                f"there is no tag {name!r} to remove", hint=f"Tags: {', '.join(sorted(tags)) or 'none'}."
            )
        del tags[name]
    return tags


def merge_properties(old: dict[str, str], change: UpdateService) -> dict[str, str]:
    """Properties after an update: they are only ever added.

    Raises:
        Conflict: One would change its value.
    """
    added = {**(change.deployment.properties if change.deployment is not None else {}), **change.add_properties}
    for name, value in added.items():
        if name in old and old[name] != value:
            raise Conflict(
                f"property {name!r} is {old[name]!r} and cannot be changed",
                hint="Properties are only ever added; use a tag for what changes.",
                field=name,
            )
    return {**old, **added}


def request_of(inference: Code, pinned: Pinned) -> InferenceSpec | None:
    """What a revision's configuration was made from: another model without code gets files of its own."""
    return as_registered(inference, pinned).asked_for()


def as_registered(inference: Code, pinned: Pinned) -> InferenceSpec:
    """A revision's inference configuration as a request: its environment is the registered version."""
    name, _, version = (pinned.environment or "").partition(":")
    return InferenceSpec(
        source=inference.source,
        environment_ref=EnvironmentReference(name=name, version=version),
        description=inference.description,
        no_code=inference.no_code,
    )
