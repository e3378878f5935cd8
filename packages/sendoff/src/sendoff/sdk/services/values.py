"""The value objects of SDK v1's services (spec/surface.md sec. 2.11.1): a configuration's parts, and tokens."""

from __future__ import annotations

from dataclasses import dataclass, fields
from datetime import UTC, datetime
from typing import Any, ClassVar

from ...spec.deployment import DeploymentSpec
from ...spec.values import camel


@dataclass(eq=False)
class _Value:
    _odd: ClassVar[dict[str, str]] = {}
    """Keys that are not their field's name in camelCase."""

    @classmethod
    def _keys(cls) -> dict[str, str]:
        return {one.name: cls._odd.get(one.name) or camel(one.name) for one in fields(cls)}

    def serialize(self) -> dict[str, Any]:
        """The value as a JSON object with SDK v1's keys."""
        return {key: getattr(self, name) for name, key in self._keys().items()}

    @classmethod
    def deserialize(cls, payload_obj: dict[str, Any] | None) -> Any:
        """The value from such an object; None from None."""
        if payload_obj is None:
            return None
        return cls(**{name: payload_obj.get(key) for name, key in cls._keys().items()})


@dataclass(eq=False)
class ContainerResourceRequirements(_Value):
    """Cores and GB of a container."""

    _odd = {"memory_in_gb": "memoryInGB", "memory_in_gb_limit": "memoryInGBLimit"}

    cpu: float | None
    memory_in_gb: float | None
    gpu: int | None = None
    cpu_limit: float | None = None
    memory_in_gb_limit: float | None = None


@dataclass(eq=False)
class AutoScaler(_Value):
    """Bounds of scaling; SDK v1 names the maximum first."""

    _odd = {"refresh_period_seconds": "refreshPeriodInSeconds"}

    autoscale_enabled: bool | None
    max_replicas: int | None
    min_replicas: int | None
    refresh_period_seconds: int | None
    target_utilization: int | None


@dataclass(eq=False)
class LivenessProbeRequirements(_Value):
    """A probe, in seconds and counts."""

    period_seconds: int | None
    initial_delay_seconds: int | None
    timeout_seconds: int | None
    success_threshold: int | None
    failure_threshold: int | None


@dataclass(eq=False)
class DataCollection(_Value):
    """Whether collected data is kept."""

    event_hub_enabled: bool | None
    storage_enabled: bool | None


@dataclass(eq=False)
class EncryptionProperties(_Value):
    """A customer's key; taken and not used."""

    _odd = {"cmk_vault_base_url": "vaultBaseUrl", "cmk_key_name": "keyName", "cmk_key_version": "keyVersion"}

    cmk_vault_base_url: str | None
    cmk_key_name: str | None
    cmk_key_version: str | None


@dataclass(eq=False)
class VnetConfiguration(_Value):
    """A virtual network; taken and not used."""

    vnet_name: str | None
    subnet_name: str | None


class AksServiceAccessToken:
    """A token for one service.

    Args:
        access_token: Goes into the header ``Authorization: Bearer …``.
        token_type: ``Bearer``.
        refresh_after: Unix seconds; the attribute is a datetime (UTC). Ask for a new token once it has passed.
        expiry_on: As ``refresh_after``; no use afterwards.
    """

    def __init__(self, access_token: str, token_type: str, refresh_after: float, expiry_on: float) -> None:
        self.access_token = access_token
        self.token_type = token_type
        self.refresh_after = datetime.fromtimestamp(refresh_after, UTC)
        self.expiry_on = datetime.fromtimestamp(expiry_on, UTC)

    def serialize(self) -> dict[str, Any]:
        """As JSON, with SDK v1's keys and Unix seconds."""
        return {
            "accessToken": self.access_token,
            "tokenType": self.token_type,
            "refreshAfter": int(self.refresh_after.timestamp()),
            "expiryOn": int(self.expiry_on.timestamp()),
        }

    @classmethod
    def deserialize(cls, payload_obj: dict[str, Any]) -> AksServiceAccessToken:
        """The token that `serialize` gave."""
        return cls(*(payload_obj[key] for key in ("accessToken", "tokenType", "refreshAfter", "expiryOn")))

    def __repr__(self) -> str:
        return f"AksServiceAccessToken(expiry_on={self.expiry_on:%Y-%m-%d %H:%M:%S} UTC)"


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
