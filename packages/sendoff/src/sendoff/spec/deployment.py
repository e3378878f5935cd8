"""The deployment configuration: one kind for each compute type (spec/behaviour.md sec. 7).

The file forms are read by ``spec.deployment_files``.
"""

from __future__ import annotations

import math
import re

from . import data_collection, kubernetes
from .data_collection import DataCollection
from .kubernetes import KubernetesOptions
from .parse import Spec, broken, check_rules

# Scheme, host and port alone, as browsers send it (RFC 6454).
_ORIGIN = re.compile(r"\*|null|[a-z][a-z0-9+.-]*://[^\s/?#,\"]+")
LOCAL, ACI, AKS = "LOCAL", "ACI", "AKS"
COMPUTE_TYPES = (LOCAL, ACI, AKS)
DEFAULT = "default"
"""How a service is shown whose configuration names no compute type: it is placed as for ACI."""
_NAMESPACE = re.compile(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\Z")


class AutoScaler(Spec):
    """Scaling between bounds; utilisation in percent, refresh in seconds."""

    autoscale_enabled: bool | None = None
    min_replicas: int = 1
    max_replicas: int = 10
    refresh_seconds: int = 1
    target_utilization: int = 70


class LivenessProbe(Spec):
    """Probe settings, in seconds and counts (spec/behaviour.md sec. 7.3)."""

    period_seconds: int = 10
    initial_delay_seconds: int = 310
    timeout_seconds: int = 2
    success_threshold: int = 1
    failure_threshold: int = 3


class DeploymentSpec(Spec):
    """Where and how large a service runs. ``compute_type`` is LOCAL, ACI, AKS or None (as for ACI, sizes unlimited).

    Memory in GB, CPU in cores, times in milliseconds. A field that the chosen target cannot honour is reported in the
    timeline's `validate` step.
    """

    compute_type: str | None = None
    port: int | None = None
    workers: int | None = None
    """Worker processes; None is 1."""
    memory_limit_mb: int | None = None
    cpu_cores: float | None = None
    memory_gb: float | None = None
    cpu_cores_limit: float | None = None
    memory_gb_limit: float | None = None
    gpu_cores: int | None = None
    num_replicas: int | None = None
    autoscaler: AutoScaler | None = None
    auth_enabled: bool | None = None
    token_auth_enabled: bool | None = None
    primary_key: str | None = None
    secondary_key: str | None = None
    ssl_enabled: bool | None = None
    ssl_cert_pem_file: str | None = None
    ssl_key_pem_file: str | None = None
    ssl_cname: str | None = None
    ssl_cert_pem: str | None = None
    """The text of the certificate's file; public."""
    ssl_key_pem: str | None = None
    """The text of the key's file; goes to the secrets and is never shown."""
    protected_paths: list[str] | None = None
    """What needs the key or token too, of ``health``, ``metrics`` and ``docs``, which are open to all."""
    cors_origins: list[str] | None = None
    """Origins whose pages may call it from a browser, such as ``https://app.example``; ``*`` is any."""
    enable_app_insights: bool | None = None
    collect_model_data: bool | None = None
    """Store inputs and predictions, and what the script's collectors are given."""
    data_collection: DataCollection | None = None
    """How; None is every default."""
    scoring_timeout_ms: int | None = None
    replica_max_concurrent_requests: int | None = None
    max_request_wait_time: int | None = None
    liveness_probe: LivenessProbe | None = None
    namespace: str | None = None
    compute_target_name: str | None = None
    location: str | None = None
    dns_name_label: str | None = None
    vnet_name: str | None = None
    subnet_name: str | None = None
    kubernetes: KubernetesOptions | None = None
    """What only a cluster has a use for."""
    preload: bool | None = None
    """Start further workers by forking one whose init() has run; None is no."""
    ignored: list[str] = []
    """Parameters of SDK v1 that were given and that no target here has a use for; the timeline names them."""
    description: str = ""
    tags: dict[str, str] = {}
    properties: dict[str, str] = {}

    def __repr__(self) -> str:
        shown = (
            f"{name}={'redacted' if name in SECRET_FIELDS else repr(value)}"
            for name in self.__struct_fields__  # type: ignore[attr-defined]
            if (value := getattr(self, name)) not in (None, "", {})
        )
        return f"DeploymentSpec({', '.join(shown)})"


SECRET_FIELDS = ("primary_key", "secondary_key", "ssl_key_pem")
"""Fields that are taken in and never given out."""
PROTECTABLE = ("health", "metrics", "docs")

# field -> (least, most, unit); the field's name is the one of the spec and of the SDK.
_RANGES: dict[str, tuple[float, float, str]] = {
    "port": (1, 65_535, ""),
    "workers": (1, 1_024, "workers"),
    "memory_limit_mb": (16, math.inf, "MB"),
    "gpu_cores": (0, math.inf, "GPUs"),
    "num_replicas": (0, math.inf, "replicas"),
    "scoring_timeout_ms": (1, 86_400_000, "ms"),
    "replica_max_concurrent_requests": (1, math.inf, "requests"),
    "max_request_wait_time": (0, 86_400_000, "ms"),
}
_SIZES = ("cpu_cores", "memory_gb", "cpu_cores_limit", "memory_gb_limit")
_SCALER_RANGES: dict[str, tuple[float, float, str]] = {
    "min_replicas": (1, math.inf, "replicas"),
    "max_replicas": (1, math.inf, "replicas"),
    "refresh_seconds": (1, math.inf, "seconds"),
    "target_utilization": (1, 100, "percent"),
}
_PROBE_RANGES: dict[str, tuple[float, float, str]] = {
    "period_seconds": (1, math.inf, "seconds"),
    "initial_delay_seconds": (0, math.inf, "seconds"),
    "timeout_seconds": (1, math.inf, "seconds"),
    "success_threshold": (1, math.inf, ""),
    "failure_threshold": (1, math.inf, ""),
}


def check(spec: DeploymentSpec, *, where: str) -> DeploymentSpec:
    """The spec itself when every value is in its range (spec/behaviour.md sec. 7).

    Args:
        spec: A deployment configuration of any origin.
        where: What it is called in an error: a file's path, "request body".

    Raises:
        InvalidInput: Names the field, its range and what was given.
    """
    both = bool(spec.auth_enabled and spec.token_auth_enabled)
    named = spec.namespace is None or bool(_NAMESPACE.match(spec.namespace))
    rules = [
        ("compute_type", spec.compute_type in (None, *COMPUTE_TYPES), f"is {', '.join(COMPUTE_TYPES)} or absent"),
        ("token_auth_enabled", not both, "cannot be true together with auth_enabled: keys or tokens"),
        ("namespace", named, "is 1 to 63 of a-z, 0-9 and '-', without '-' at either end"),
    ]
    check_rules(spec, rules, where=where)
    _check_ranges(spec, _RANGES, where, "")
    for field in _SIZES:
        value = getattr(spec, field)
        if value is not None and not (math.isfinite(value) and value > 0):
            raise broken(where, field, "has to be more than 0", value)
    for field in ("cpu_cores", "memory_gb"):
        least, most = getattr(spec, field), getattr(spec, f"{field}_limit")
        if least is not None and most is not None and most < least:
            raise broken(where, f"{field}_limit", f"has to be at least {field} ({least})", most)
    if spec.autoscaler is not None:
        _check_ranges(spec.autoscaler, _SCALER_RANGES, where, "autoscaler.")
        if spec.autoscaler.max_replicas < spec.autoscaler.min_replicas:
            least_replicas = f"has to be at least min_replicas ({spec.autoscaler.min_replicas})"
            raise broken(where, "autoscaler.max_replicas", least_replicas, spec.autoscaler.max_replicas)
        if spec.autoscaler.autoscale_enabled and spec.num_replicas:
            raise broken(where, "num_replicas", "cannot be set while autoscaling is on", spec.num_replicas)
    if spec.liveness_probe is not None:
        _check_ranges(spec.liveness_probe, _PROBE_RANGES, where, "liveness_probe.")
    if spec.kubernetes is not None:
        kubernetes.check(spec.kubernetes, where=where)
    if spec.data_collection is not None:
        data_collection.check(spec.data_collection, where=where)
    unknown = [name for name in spec.protected_paths or [] if name not in PROTECTABLE]
    if unknown:
        raise broken(where, "protected_paths", f"has some of {', '.join(PROTECTABLE)}", unknown[0])
    wrong = [one for one in spec.cors_origins or [] if not _ORIGIN.fullmatch(one)]
    if wrong:
        raise broken(where, "cors_origins", "has origins such as https://app.example, or *", wrong[0])
    if (spec.ssl_cert_pem_file is None) != (spec.ssl_key_pem_file is None):
        lone = "ssl_cert_pem_file" if spec.ssl_key_pem_file is None else "ssl_key_pem_file"
        raise broken(where, lone, "needs the other of certificate and key beside it", getattr(spec, lone))
    return spec


def _check_ranges(spec: Spec, ranges: dict[str, tuple[float, float, str]], where: str, prefix: str) -> None:
    for field, (least, most, unit) in ranges.items():
        value = getattr(spec, field)
        if value is None or least <= value <= most:
            continue
        bounds = f"at least {least}" if most == math.inf else f"between {least} and {most}"
        raise broken(where, prefix + field, f"has to be {bounds}{' ' + unit if unit else ''}", value)
