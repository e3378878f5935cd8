"""Deployment configurations: kind and size of a service (spec/surface.md sec. 2.8.1, 2.9, 2.10, 2.11.1)."""

from __future__ import annotations

import re
from dataclasses import KW_ONLY, dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from ...spec import deployment as spec
from ...spec.data_collection import DataCollection
from ...spec.kubernetes import read_options
from ...spec.parse import decode, replace
from ..exceptions import WebserviceException
from ..given import texts, together
from ..saying import say

if TYPE_CHECKING:
    from .webservice import Webservice

# Fields of the spec that are what a script gives under their name.
_AS_GIVEN = frozenset(spec.DeploymentSpec.__struct_fields__) - {  # type: ignore[attr-defined]
    *("description", "tags", "properties", "collect_model_data", "data_collection", "kubernetes"),
}
_NAMESPACE = re.compile(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\Z")


class WebserviceDeploymentConfiguration:
    """What all kinds share. Made by ``deploy_configuration`` of the three service classes."""

    compute_type: str | None = None
    webservice_type: type[Webservice] | None = None
    location: str | None = None
    collect_model_data: bool | None = None
    data_collection: dict[str, Any] | None = None
    _ignored: ClassVar[tuple[str, ...]] = ()
    """Parameters that no target has a use for."""

    def __init__(
        self,
        type: type[Webservice] | None = None,
        description: str | None = None,
        tags: dict[str, str] | None = None,
        properties: dict[str, str] | None = None,
        primary_key: str | None = None,
        secondary_key: str | None = None,
        location: str | None = None,
    ) -> None:
        self.webservice_type = type
        self.description = description
        self.tags = tags
        self.properties = properties
        self.primary_key = primary_key
        self.secondary_key = secondary_key
        self.location = location

    def __post_init__(self) -> None:
        self.validate_configuration()

    def validate_configuration(self) -> None:
        """Check every value.

        Raises:
            WebserviceException: Joins all that is wrong.
        """
        problems = self._problems()
        if problems:
            raise WebserviceException("Invalid configuration: " + "; ".join(problems), hint="Correct the values named.")

    @classmethod
    def validate_image(cls, image: object) -> None:
        """Images are not used: nothing to check."""

    def print_deploy_configuration(self) -> None:
        """Print the values that are set."""
        for name, value in sorted(vars(self).items()):
            if value is not None and name not in ("webservice_type", "primary_key", "secondary_key"):
                say(f"{name}: {value}")

    def _problems(self) -> list[str]:
        found = []
        for name in ("tags", "properties"):
            value = getattr(self, name)
            if value is not None and not isinstance(value, dict):
                found.append(f"{name} has to be a dict of texts, not {value!r}")
        return found

    def _fields(self) -> dict[str, Any]:
        """The spec's fields; a kind adds those that it does not have under the spec's names."""
        return {
            **as_given(vars(self)),
            **collection(self.collect_model_data, self.data_collection),
            "compute_type": self.compute_type,
            "description": self.description or "",
            "tags": texts(self.tags),
            "properties": texts(self.properties),
            "ignored": [name for name in self._ignored if getattr(self, name) is not None],
        }

    def _spec(self) -> spec.DeploymentSpec:
        self.validate_configuration()
        return spec.check(spec.DeploymentSpec(**self._fields()), where="deployment configuration")


@dataclass(eq=False, repr=False)
class LocalWebserviceDeploymentConfiguration(WebserviceDeploymentConfiguration):
    """A service on this machine; without a port a free one is taken and kept.

    Args:
        port: 1 to 65535.
        workers: Processes that run the script.
        memory_limit_mb: Of each worker, in MB.
        preload: Run ``init()`` once and share its memory between workers.
        auth_enabled: Ask for a key with each request; excludes token_auth_enabled.
        token_auth_enabled: Ask for a token with each request.
        primary_key: Made when None, like secondary_key.
        ssl_enabled: HTTPS with ssl_cert_pem_file, ssl_key_pem_file and, where it is not this machine's, ssl_cname.
        protected_paths: Ask for key or token there too: ``health``, ``metrics``, ``docs``.
        cors_origins: Origins whose pages may call it from a browser, such as ``https://app.example``; ``*`` is any.
        collect_model_data: Store inputs and predictions, and what the script's collectors are given.
        data_collection: How: ``capture``, ``sample``, ``redact`` and so on (docs/data-collection.md).
    """

    compute_type = spec.LOCAL

    port: int | None = None
    _: KW_ONLY
    workers: int = 1
    memory_limit_mb: int | None = None
    preload: bool = False
    tags: dict[str, str] | None = None
    properties: dict[str, str] | None = None
    description: str | None = None
    auth_enabled: bool | None = None
    token_auth_enabled: bool | None = None
    primary_key: str | None = None
    secondary_key: str | None = None
    ssl_enabled: bool | None = None
    ssl_cert_pem_file: str | None = None
    ssl_key_pem_file: str | None = None
    ssl_cname: str | None = None
    protected_paths: list[str] | None = None
    cors_origins: list[str] | None = None
    enable_app_insights: bool | None = None
    collect_model_data: bool | None = None
    data_collection: dict[str, Any] | None = None

    def __post_init__(self) -> None:
        self.port = self.port or None
        self.validate_configuration()

    def _problems(self) -> list[str]:
        found = super()._problems()
        port = self.port
        if port is not None and (not isinstance(port, int) or isinstance(port, bool) or not 1 <= port <= 65_535):
            found.append(f"port has to be a whole number from 1 to 65535, not {port!r}")
        if self.ssl_enabled and not (self.ssl_cert_pem_file and self.ssl_key_pem_file):
            found.append("ssl_enabled needs ssl_cert_pem_file and ssl_key_pem_file")
        return found


@dataclass(eq=False, repr=False)
class AciServiceDeploymentConfiguration(WebserviceDeploymentConfiguration):
    """A single container; here the target that the timeline names. Parameters: `AciWebservice.deploy_configuration`."""

    compute_type = spec.ACI
    _ignored = ("cmk_vault_base_url", "cmk_key_name", "cmk_key_version")

    cpu_cores: float | None = None
    memory_gb: float | None = None
    tags: dict[str, str] | None = None
    properties: dict[str, str] | None = None
    description: str | None = None
    location: str | None = None
    auth_enabled: bool | None = None
    ssl_enabled: bool | None = None
    enable_app_insights: bool | None = None
    ssl_cert_pem_file: str | None = None
    ssl_key_pem_file: str | None = None
    ssl_cname: str | None = None
    dns_name_label: str | None = None
    primary_key: str | None = None
    secondary_key: str | None = None
    collect_model_data: bool | None = None
    cmk_vault_base_url: str | None = None
    cmk_key_name: str | None = None
    cmk_key_version: str | None = None
    vnet_name: str | None = None
    subnet_name: str | None = None
    token_auth_enabled: bool | None = None
    data_collection: dict[str, Any] | None = None

    def _problems(self) -> list[str]:
        found = super()._problems()
        found += _positive(self, "cpu_cores", "memory_gb")
        if self.ssl_enabled and not (self.ssl_cert_pem_file and self.ssl_key_pem_file and self.ssl_cname):
            found.append("ssl_enabled needs ssl_cert_pem_file, ssl_key_pem_file and ssl_cname together")
        found += together(self, *self._ignored)
        found += together(self, "vnet_name", "subnet_name")
        return found


@dataclass(eq=False, repr=False)
class AksServiceDeploymentConfiguration(WebserviceDeploymentConfiguration):
    """A scaled service; here the target that the timeline names. Parameters: `AksWebservice.deploy_configuration`."""

    compute_type = spec.AKS
    _ignored = ("blobfuse_enabled",)

    autoscale_enabled: bool | None = None
    autoscale_min_replicas: int | None = None
    autoscale_max_replicas: int | None = None
    autoscale_refresh_seconds: int | None = None
    autoscale_target_utilization: int | None = None
    collect_model_data: bool | None = None
    auth_enabled: bool | None = None
    cpu_cores: float | None = None
    memory_gb: float | None = None
    enable_app_insights: bool | None = None
    scoring_timeout_ms: int | None = None
    replica_max_concurrent_requests: int | None = None
    max_request_wait_time: int | None = None
    num_replicas: int | None = None
    primary_key: str | None = None
    secondary_key: str | None = None
    tags: dict[str, str] | None = None
    properties: dict[str, str] | None = None
    description: str | None = None
    gpu_cores: int | None = None
    period_seconds: int | None = None
    initial_delay_seconds: int | None = None
    timeout_seconds: int | None = None
    success_threshold: int | None = None
    failure_threshold: int | None = None
    namespace: str | None = None
    token_auth_enabled: bool | None = None
    compute_target_name: str | None = None
    cpu_cores_limit: float | None = None
    memory_gb_limit: float | None = None
    blobfuse_enabled: bool | None = None
    data_collection: dict[str, Any] | None = None
    kubernetes: dict[str, Any] | None = None

    def _problems(self) -> list[str]:
        found = super()._problems()
        found += _positive(self, "cpu_cores", "memory_gb", "cpu_cores_limit", "memory_gb_limit", "scoring_timeout_ms")
        found += _positive(self, "max_request_wait_time", "num_replicas", "replica_max_concurrent_requests")
        found += _positive(self, *_SCALER, *_PROBE)
        if self.gpu_cores is not None and self.gpu_cores < 0:
            found.append(f"gpu_cores has to be at least 0, not {self.gpu_cores!r}")
        if self.autoscale_enabled and self.num_replicas:
            found.append("num_replicas cannot be given while autoscaling is on")
        if self.autoscale_enabled is False and not self.num_replicas:
            found.append("num_replicas has to be given when autoscaling is off")
        if not self.autoscale_enabled and any(getattr(self, name) for name in _SCALER):
            found.append("autoscale_* values need autoscale_enabled=True")
        low, high = self.autoscale_min_replicas, self.autoscale_max_replicas
        if low and high and low > high:
            found.append(f"autoscale_min_replicas ({low}) is more than autoscale_max_replicas ({high})")
        for name in ("cpu_cores", "memory_gb"):
            least, most = getattr(self, name), getattr(self, f"{name}_limit")
            if least is not None and most is not None and most < least:
                found.append(f"{name}_limit ({most}) is less than {name} ({least})")
        if self.auth_enabled and self.token_auth_enabled:
            found.append("auth_enabled and token_auth_enabled cannot both be True")
        if self.namespace is not None and not _NAMESPACE.match(self.namespace):
            found.append(f"namespace {self.namespace!r} is not 1 to 63 of a-z, 0-9 and '-' without '-' at the ends")
        return found

    def _fields(self) -> dict[str, Any]:
        return {
            **super()._fields(),
            "num_replicas": self.num_replicas or None,
            "autoscaler": autoscaler(vars(self), None),
            "liveness_probe": liveness_probe(vars(self), None),
            "kubernetes": None if self.kubernetes is None else read_options(self.kubernetes, where="kubernetes"),
        }


_SCALER = {
    "autoscale_min_replicas": "min_replicas",
    "autoscale_max_replicas": "max_replicas",
    "autoscale_refresh_seconds": "refresh_seconds",
    "autoscale_target_utilization": "target_utilization",
}
_PROBE = ("period_seconds", "initial_delay_seconds", "timeout_seconds", "success_threshold", "failure_threshold")


def autoscaler(given: dict[str, Any], before: spec.AutoScaler | None) -> spec.AutoScaler | None:
    """The scaler with what is given under SDK v1's names; None when nothing is said about it at all."""
    changes = {field: given[name] for name, field in _SCALER.items() if given.get(name)}
    if given.get("autoscale_enabled") is not None:
        changes["autoscale_enabled"] = given["autoscale_enabled"]
    return replace(before or spec.AutoScaler(), **changes) if changes else before


def liveness_probe(given: dict[str, Any], before: spec.LivenessProbe | None) -> spec.LivenessProbe | None:
    """The probe with what is given; None when nothing is said about it at all."""
    changes = {name: given[name] for name in _PROBE if given.get(name) is not None}
    return replace(before or spec.LivenessProbe(), **changes) if changes else before


def as_given(values: dict[str, Any]) -> dict[str, Any]:
    """The values that a deployment spec takes as scripts give them, under the same name."""
    return {name: value for name, value in values.items() if name in _AS_GIVEN}


def collection(switch: bool | None, settings: dict[str, Any] | None) -> dict[str, Any]:
    """The two fields about collecting; settings alone turn it on, unless it is turned off expressly."""
    if settings is None:
        return {"collect_model_data": switch}
    made = decode(settings, DataCollection, where="data_collection")
    return {"collect_model_data": True if switch is None else switch, "data_collection": made}


def _positive(config: object, *names: str) -> list[str]:
    found = []
    for name in names:
        value = getattr(config, name)
        if value is not None and (isinstance(value, bool) or not isinstance(value, int | float) or value <= 0):
            found.append(f"{name} has to be a number above 0, not {value!r}")
    return found
