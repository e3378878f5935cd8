"""Where a service runs, why, and what of its configuration that place cannot keep (settled.md, first table)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from ..errors import InvalidInput, NotSupported
from ..spec.deployment import ACI, AKS, LOCAL, DeploymentSpec
from ..spec.parse import did_you_mean
from ..targets.base import Capabilities, Kind

AUTO = "auto"


@dataclass(frozen=True)
class Choice:
    """A target's name with the sentences that say why: notes where another place was asked for, else details."""

    target: str
    notes: list[str] = field(default_factory=list)
    details: list[str] = field(default_factory=list)


def choose_target(
    deployment: DeploymentSpec,
    *,
    kinds: Mapping[str, Kind],
    local_target: str | None,
    aci_target: str,
    problem: Callable[[str], str],
    cluster: str = "",
    reached: str = "",
    image: str = "",
) -> Choice:
    """The target for a new service; it is fixed from then on.

    Args:
        deployment: The configuration; its compute type decides.
        kinds: The targets that there are, the one for everything first.
        local_target: The setting of that name: where a local service runs.
        aci_target: The setting of that name: where everything else runs; ``auto`` looks for one with containers.
        problem: Says why a target cannot be had on this machine now; empty when it can.
        cluster: What is known of the compute target that the configuration names, as a sentence; empty for nothing.
        reached: The target of the cluster that is attached under that name; empty for none.
        image: What of the environment asks for a container, as part of a sentence; empty for nothing.

    Raises:
        InvalidInput: A setting names no target.
        NotSupported: The environment asks for a container, and there can be none.
    """
    first = next(iter(kinds))
    if reached:
        return Choice(reached, details=[cluster])
    if deployment.compute_type == LOCAL:
        return Choice(first if local_target is None else _known(kinds, local_target, "local_target"))
    if deployment.compute_type == ACI:
        what = "Container instance"
    elif deployment.compute_type == AKS and cluster:
        what = f"AKS: {cluster.rstrip('.')}"
    elif deployment.compute_type == AKS:
        named = f" {deployment.compute_target_name!r}" if deployment.compute_target_name else ""
        what = f"AKS: no cluster{named} is attached"
    else:
        what = "No deployment configuration"
    if aci_target != AUTO:
        name = _known(kinds, aci_target, "aci_target")
        how = "as a container" if kinds[name].containers else "as processes"
        return _chosen(deployment, name, f"{what}: runs {how} on this machine, as the setting aci_target says.")
    why = "as nothing here runs containers"
    for name in (name for name, kind in kinds.items() if kind.containers):
        lacking = problem(name)
        if not lacking:
            return _chosen(deployment, name, f"{what}: runs as a container of this machine's Docker engine.")
        why = f"for {lacking}"
    if image:
        raise NotSupported(
            f"the environment asks for a container, with {image}, and there is none to be had {why}",
            hint="Start Docker's engine (`sendoff doctor` says what it finds); or take that out of the environment, "
            "and the service runs as processes. The setting aci_target=process runs it so in any case.",
            field="base_image",
        )
    return _chosen(deployment, first, f"{what}: runs as processes on this machine, {why}.")


def _chosen(deployment: DeploymentSpec, target: str, why: str) -> Choice:
    return Choice(target, [why]) if deployment.compute_type else Choice(target, details=[why])


def _known(kinds: Mapping[str, Kind], name: str, setting: str) -> str:
    usable = [one for one, kind in kinds.items() if not kind.places]
    if name in usable:
        return name
    raise InvalidInput(
        f"the setting {setting} names no target: {name!r}",
        hint=did_you_mean(name, usable, f"Targets: {', '.join(usable)}."),
        field=setting,
        got=name,
    )


# Fields by what they need of a target (a field of Capabilities), with what is said where it has not.
_NEEDS: dict[str, tuple[str, tuple[str, ...]]] = {
    "cpu_limit": ("CPU is not limited", ("cpu_cores", "cpu_cores_limit")),
    "memory_limit": ("memory is not limited", ("memory_gb", "memory_gb_limit", "memory_limit_mb")),
    "gpu": ("the machine's GPUs are visible as they are", ("gpu_cores",)),
    "replicas": ("one front with its workers serves all requests", ("num_replicas", "autoscaler")),
    "auth": (
        "the service listens on this machine alone, without keys or tokens",
        ("auth_enabled", "token_auth_enabled", "primary_key", "secondary_key"),
    ),
    "tls": (
        "the service listens on this machine alone, in plain HTTP",
        ("ssl_enabled", "ssl_cert_pem_file", "ssl_key_pem_file", "ssl_cname"),
    ),
    "telemetry": ("nothing is sent anywhere", ("enable_app_insights",)),
    # What no target of this version has.
    "probe": ("workers are watched directly", ("liveness_probe",)),
    "namespaces": ("there is no cluster", ("namespace", "kubernetes")),
    "locations": ("it runs here", ("location",)),
    "dns": ("it has no DNS name", ("dns_name_label",)),
    "networks": ("it is in no virtual network", ("vnet_name",)),
    "subnets": ("it is in no virtual network", ("subnet_name",)),
}
# What asks for nothing is no request: an AKS service of one replica, a probe of any kind on no cluster.
_NOTHING: dict[str, object] = {"num_replicas": 1}


def unhonoured(deployment: DeploymentSpec, able: Capabilities) -> list[str]:
    """One sentence for each thing asked for that the target cannot keep.

    A local service has no stand-in to excuse it: there the same is an error.

    Raises:
        NotSupported: The compute type is LOCAL and the target lacks something; context lists ``fields``.
    """
    lacking: list[tuple[list[str], str]] = []
    for need, (meaning, names) in _NEEDS.items():
        asked = [name for name in names if (value := getattr(deployment, name)) and value != _NOTHING.get(name)]
        if asked and not getattr(able, need, False):
            lacking.append((asked, meaning))
    if lacking and deployment.compute_type == LOCAL:
        fields = sorted(name for names, _ in lacking for name in names)
        raise NotSupported(
            f"a local service on the {able.name} target cannot keep {', '.join(fields)}",
            hint="Leave them out, or use a container instance or AKS configuration.",
            fields=fields,
        )
    ignored = ", ".join(deployment.ignored)
    found = [f"Ignored: {ignored} (nothing here has a use for them)."] if ignored else []
    return found + [f"Not kept on {able.name}: {', '.join(names)} ({meaning})." for names, meaning in lacking]


def wants_keys(deployment: DeploymentSpec) -> bool:
    """Whether key authentication is on; AKS has it on when nothing is said (spec/behaviour.md sec. 7.3)."""
    if deployment.auth_enabled is None:
        return deployment.compute_type == AKS and not deployment.token_auth_enabled
    return deployment.auth_enabled
