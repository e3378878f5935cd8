"""One flag for each key of a deployment configuration; a flag overrides the file's value (spec/surface.md sec. 7)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

import click

from ..errors import InvalidInput, NotSupported
from .command import Decorator, option, together
from .options import toggle

if TYPE_CHECKING:
    from ..spec.deployment import DeploymentSpec


class Flag(NamedTuple):
    """A flag, the field of :class:`DeploymentSpec` that it sets (``part.field`` for an inner one), its type."""

    names: tuple[str, ...]
    field: str
    kind: Any
    help: str


def names(text: str) -> list[str]:
    """Names, by commas."""
    return [name.strip() for name in text.split(",") if name.strip()]


FLAGS = (
    Flag(("--compute-type", "--cp"), "compute_type", click.Choice(["local", "aci", "aks"], case_sensitive=False),
         "Kind of service. Else the file's, else as for aci without limits."),
    Flag(("--compute-target", "--ct"), "compute_target_name", str, "Attached cluster to run on; implies aks."),
    Flag(("--port", "--po"), "port", int, "Port of a local service; else a free one."),
    Flag(("--workers",), "workers", int, "Worker processes; each loads the model."),
    Flag(("--memory-limit-mb",), "memory_limit_mb", int, "Memory limit of the service in MB, local."),
    Flag(("--preload",), "preload", bool, "Load the model once and fork the workers from it."),
    Flag(("--cpu-cores", "--cc"), "cpu_cores", float, "CPU cores, 0.1 and up."),
    Flag(("--cpu-cores-limit", "--ccl"), "cpu_cores_limit", float, "Most CPU cores it may use."),
    Flag(("--memory-gb", "--gb"), "memory_gb", float, "Memory in GB."),
    Flag(("--memory-gb-limit", "--gbl"), "memory_gb_limit", float, "Most memory in GB it may use."),
    Flag(("--gpu-cores", "--gc"), "gpu_cores", int, "Whole GPUs."),
    Flag(("--num-replicas", "--nr"), "num_replicas", int, "Fixed number of replicas; not with autoscaling."),
    Flag(("--autoscale-enabled", "--as"), "autoscaler.autoscale_enabled", bool, "Scale by load."),
    Flag(("--autoscale-min-replicas", "--mi"), "autoscaler.min_replicas", int, "Fewest replicas; 1 if not given."),
    Flag(("--autoscale-max-replicas", "--ma"), "autoscaler.max_replicas", int, "Most replicas; 10 if not given."),
    Flag(("--autoscale-refresh-seconds", "--ar"), "autoscaler.refresh_seconds", int, "Seconds between decisions; 1."),
    Flag(("--autoscale-target-utilization", "--at"), "autoscaler.target_utilization", int, "Percent of use; 70."),
    Flag(("--auth-enabled", "--ae"), "auth_enabled", bool, "Requests need a key."),
    Flag(("--token-auth-enabled",), "token_auth_enabled", bool, "Requests need a token; not with keys."),
    Flag(("--primary-key", "--kp"), "primary_key", str, "First key; else one is made."),
    Flag(("--secondary-key", "--ks"), "secondary_key", str, "Second key; else one is made."),
    Flag(("--ssl-enabled", "--se"), "ssl_enabled", bool, "Serve over TLS."),
    Flag(("--ssl-cert-pem-file", "--sp"), "ssl_cert_pem_file", str, "Certificate, PEM file."),
    Flag(("--ssl-key-pem-file", "--sk"), "ssl_key_pem_file", str, "Its key, PEM file."),
    Flag(("--ssl-cname", "--sc"), "ssl_cname", str, "Host name of the certificate."),
    Flag(("--protected-paths",), "protected_paths", names,
         "What needs the key or token too, by commas: health, metrics, docs. Open to all if not given."),
    Flag(("--cors-origins",), "cors_origins", names,
         "Origins whose pages may call it from a browser, by commas, or *. None if not given."),
    Flag(("--enable-app-insights", "--ai"), "enable_app_insights", bool, "Send traces and output to a collector."),
    Flag(("--collect-model-data", "--md"), "collect_model_data", bool, "Store inputs and predictions."),
    Flag(("--capture",), "data_collection.capture", click.Choice(["auto", "on", "off"]),
         "Inputs and predictions without code; auto: unless the script has collectors."),
    Flag(("--capture-sample",), "data_collection.sample", float, "Share of requests that is stored; 1."),
    Flag(("--capture-redact",), "data_collection.redact", names,
         "Names, or paths such as $.data[*].ssn, of values that are not stored, by commas."),
    Flag(("--capture-max-body-bytes",), "data_collection.max_body_bytes", int, "Largest body that is stored; 65536."),
    Flag(("--max-store-mb",), "data_collection.max_store_mb", int, "Most that is stored in MB; 1024."),
    Flag(("--max-file-mb",), "data_collection.max_file_mb", int, "Size in MB from which the next file is begun; 64."),
    Flag(("--scoring-timeout-ms", "--tm"), "scoring_timeout_ms", int, "Milliseconds that one request may take; 60000."),
    Flag(("--replica-max-concurrent-requests", "--rm"), "replica_max_concurrent_requests", int,
         "Requests that one replica works on at a time; 1."),
    Flag(("--max-request-wait-time", "--mr"), "max_request_wait_time", int,
         "Milliseconds that a request may wait in the queue before 503; 500 on aks."),
    Flag(("--initial-delay-seconds", "--id"), "liveness_probe.initial_delay_seconds", int,
         "Seconds before the first probe; 310."),
    Flag(("--period-seconds", "--ps"), "liveness_probe.period_seconds", int, "Seconds between probes; 10."),
    Flag(("--timeout-seconds", "--ts"), "liveness_probe.timeout_seconds", int, "Seconds a probe may take; 2."),
    Flag(("--success-threshold", "--st"), "liveness_probe.success_threshold", int, "Good probes that mend it; 1."),
    Flag(("--failure-threshold", "--ft"), "liveness_probe.failure_threshold", int, "Bad probes that break it; 3."),
    Flag(("--namespace",), "namespace", str, "Kubernetes namespace."),
    Flag(("--location", "--lo"), "location", str, "Kept and shown; nothing depends on it."),
    Flag(("--dns-name-label", "--dn"), "dns_name_label", str, "Label of its host name, aci."),
    Flag(("--vnet-name",), "vnet_name", str, "Virtual network, aci."),
    Flag(("--subnet-name",), "subnet_name", str, "Subnet of it, aci."),
)  # fmt: skip

# A flag that cannot be honoured: under which name click hands it over, why not, and what to do.
_REFUSED = (
    (("--version-name", "--vn"), "version_name", "Deploy each version as a service of its own name."),
    (("--traffic-percentile", "--tp"), "traffic_percentile", "Deploy each version as a service."),
)
_WHY = "endpoints with versions are not there yet"
_IGNORED = ("key_name", "key_version", "vault_base_url", "is_migration")


def _flag_of(name: str) -> str:
    return "--" + name.replace("_", "-")


def parameter(field: str) -> str:
    """The name under which click hands over the flag of a field."""
    return "dc_" + field.replace(".", "__")


def _option_of(flag: Flag) -> Decorator:
    target = parameter(flag.field)
    if flag.kind is bool:
        return toggle(*flag.names, target, help=flag.help)
    return option(*flag.names, target, type=flag.kind, default=None, help=flag.help)


flags = together(
    option("--deploy-config-file", "--dc", default=None, metavar="FILE",
           help="Deployment configuration, JSON or YAML."),
    option("--profile-input", "--pi", default=None, metavar="FILE",
           help="What `model profile -t` wrote: its CPU, memory and workers, unless a flag says otherwise."),
    *map(_option_of, FLAGS),
    *(option(_flag_of(name), default=None, metavar="VALUE", help="Taken for scripts' sake; the timeline names it.")
      for name in _IGNORED),
    *(option(*names, default=None, metavar="VALUE", help=f"Not there yet: {_WHY}.") for names, _, _ in _REFUSED),
)  # fmt: skip
"""All flags of a deployment configuration, and ``--dc``."""


def given(values: Mapping[str, Any]) -> dict[str, Any]:
    """The fields that were set by flags, by their dotted names.

    Raises:
        NotSupported: A flag was given whose feature is not there yet.
    """
    for names, name, hint in _REFUSED:
        if values.get(name) is not None:
            raise NotSupported(f"{names[0]}: {_WHY}", hint=hint)
    return {
        flag.field: values[parameter(flag.field)] for flag in FLAGS if values.get(parameter(flag.field)) is not None
    }


def _local(base: DeploymentSpec, found: Mapping[str, Any]) -> bool:
    return str(found.get("compute_type", base.compute_type)).upper() == "LOCAL"


def overridden(base: DeploymentSpec, values: Mapping[str, Any]) -> DeploymentSpec:
    """A configuration with the given flags' values in place of its own.

    Raises:
        InvalidInput: A value is out of its range.
        NotSupported: A flag was given whose feature is not there yet.
    """
    from ..spec.data_collection import DataCollection
    from ..spec.deployment import AKS, AutoScaler, LivenessProbe, check
    from ..spec.parse import replace

    found = given(values)
    if values.get("profile_input"):
        from .commands.profile import recommended

        found = {**recommended(values["profile_input"], local=_local(base, found)), **found}
    changes: dict[str, Any] = {field: value for field, value in found.items() if "." not in field}
    ignored = [_flag_of(name) for name in _IGNORED if values.get(name) is not None]
    if ignored:
        changes["ignored"] = [*base.ignored, *ignored]
    parts = {"autoscaler": AutoScaler(), "liveness_probe": LivenessProbe(), "data_collection": DataCollection()}
    for part, empty in parts.items():
        inner = {field.split(".")[1]: value for field, value in found.items() if field.startswith(part + ".")}
        if inner:
            changes[part] = replace(getattr(base, part) or empty, **inner)
    if "data_collection" in changes and base.collect_model_data is None:
        # Who says how it is stored wants it stored.
        changes.setdefault("collect_model_data", True)
    if "compute_type" in changes:
        changes["compute_type"] = changes["compute_type"].upper()
        if "compute_target_name" in changes and changes["compute_type"] != AKS:
            raise InvalidInput(
                f"--compute-target names a cluster, and --compute-type {changes['compute_type'].lower()} is none",
                hint="Give --cp aks with --ct, or leave one of them away.",
                field="compute-target",
            )
    elif "compute_target_name" in changes and base.compute_type is None:
        changes["compute_type"] = AKS
    return check(replace(base, **changes), where="flags")
