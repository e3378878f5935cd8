"""The deployment configuration: one kind for each compute type (spec/behaviour.md sec. 7).

The file forms (``deploymentconfig.json``: camelCase, any case of ``computeType``, JSON or YAML) are parsed here too.
"""

from __future__ import annotations

from .parse import Spec

LOCAL, ACI, AKS = "LOCAL", "ACI", "AKS"


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
    workers: int = 1
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
    enable_app_insights: bool | None = None
    collect_model_data: bool | None = None
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
    preload: bool = False
    description: str = ""
    tags: dict[str, str] = {}
    properties: dict[str, str] = {}
