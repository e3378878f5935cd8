"""The value objects of SDK v1's services (spec/surface.md sec. 2.11.1): a configuration's parts, to be read."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from ...spec.deployment import DeploymentSpec


class _Value:
    _keys: dict[str, str] = {}

    def serialize(self) -> dict[str, Any]:
        """The value as a JSON object with SDK v1's keys."""
        return {key: getattr(self, name) for name, key in self._keys.items()}

    @classmethod
    def deserialize(cls, payload_obj: dict[str, Any] | None) -> Any:
        """The value from such an object; None from None."""
        if payload_obj is None:
            return None
        return cls(**{name: payload_obj.get(key) for name, key in cls._keys.items()})

    def __repr__(self) -> str:
        return f"{type(self).__name__}({', '.join(f'{name}={getattr(self, name)!r}' for name in self._keys)})"


@dataclass(eq=False, repr=False)
class ContainerResourceRequirements(_Value):
    """Cores and GB of a container."""

    _keys = {
        "cpu": "cpu",
        "memory_in_gb": "memoryInGB",
        "gpu": "gpu",
        "cpu_limit": "cpuLimit",
        "memory_in_gb_limit": "memoryInGBLimit",
    }

    cpu: float | None
    memory_in_gb: float | None
    gpu: int | None = None
    cpu_limit: float | None = None
    memory_in_gb_limit: float | None = None


@dataclass(eq=False, repr=False)
class AutoScaler(_Value):
    """Bounds of scaling; SDK v1 names the maximum first."""

    _keys = {
        "autoscale_enabled": "autoscaleEnabled",
        "max_replicas": "maxReplicas",
        "min_replicas": "minReplicas",
        "refresh_period_seconds": "refreshPeriodInSeconds",
        "target_utilization": "targetUtilization",
    }

    autoscale_enabled: bool | None
    max_replicas: int | None
    min_replicas: int | None
    refresh_period_seconds: int | None
    target_utilization: int | None


@dataclass(eq=False, repr=False)
class LivenessProbeRequirements(_Value):
    """A probe, in seconds and counts."""

    _keys = {
        "period_seconds": "periodSeconds",
        "initial_delay_seconds": "initialDelaySeconds",
        "timeout_seconds": "timeoutSeconds",
        "success_threshold": "successThreshold",
        "failure_threshold": "failureThreshold",
    }

    period_seconds: int | None
    initial_delay_seconds: int | None
    timeout_seconds: int | None
    success_threshold: int | None
    failure_threshold: int | None


@dataclass(eq=False, repr=False)
class DataCollection(_Value):
    """Whether collected data is kept."""

    _keys = {"event_hub_enabled": "eventHubEnabled", "storage_enabled": "storageEnabled"}

    event_hub_enabled: bool | None
    storage_enabled: bool | None


@dataclass(eq=False, repr=False)
class EncryptionProperties(_Value):
    """A customer's key; taken and not used."""

    _keys = {"cmk_vault_base_url": "vaultBaseUrl", "cmk_key_name": "keyName", "cmk_key_version": "keyVersion"}

    cmk_vault_base_url: str | None
    cmk_key_name: str | None
    cmk_key_version: str | None


@dataclass(eq=False, repr=False)
class VnetConfiguration(_Value):
    """A virtual network; taken and not used."""

    _keys = {"vnet_name": "vnetName", "subnet_name": "subnetName"}

    vnet_name: str | None
    subnet_name: str | None


def resources(size: DeploymentSpec) -> ContainerResourceRequirements:
    """A configuration's cores and GB."""
    return ContainerResourceRequirements(
        size.cpu_cores, size.memory_gb, size.gpu_cores, size.cpu_cores_limit, size.memory_gb_limit
    )


def scaler(size: DeploymentSpec) -> AutoScaler | None:
    """A configuration's bounds of scaling."""
    one = size.autoscaler
    if one is None:
        return None
    return AutoScaler(
        one.autoscale_enabled, one.max_replicas, one.min_replicas, one.refresh_seconds, one.target_utilization
    )


def probe(size: DeploymentSpec) -> LivenessProbeRequirements | None:
    """A configuration's probe."""
    one = size.liveness_probe
    if one is None:
        return None
    return LivenessProbeRequirements(
        one.period_seconds, one.initial_delay_seconds, one.timeout_seconds, one.success_threshold, one.failure_threshold
    )
