"""``deploymentconfig.json`` as ``az ml`` reads it: camelCase, any case, JSON or YAML (spec/behaviour.md sec. 7)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from ..errors import InvalidInput
from .data_collection import DataCollection
from .deployment import ACI, AKS, LOCAL, AutoScaler, DeploymentSpec, LivenessProbe, check
from .parse import did_you_mean, not_a_mapping, read_file, shown
from .values import as_bool, as_float, as_int, as_kubernetes, as_secret, as_text, as_text_map, as_texts, fold

Reader = Callable[[Any, str, str], Any]
Field = tuple[str, Reader]


class Group(NamedTuple):
    """A mapping within the file: its keys set fields of the specification, or of the struct in one of them."""

    fields: dict[str, Field]
    struct: type[Any] | None = None
    field: str = ""


_EVERY: dict[str, Field] = {
    "description": ("description", as_text),
    "tags": ("tags", as_text_map),
    "properties": ("properties", as_text_map),
}
_RESOURCES: dict[str, Field] = {
    "cpu": ("cpu_cores", as_float),
    "memoryInGB": ("memory_gb", as_float),
    "cpuLimit": ("cpu_cores_limit", as_float),
    "memoryInGBLimit": ("memory_gb_limit", as_float),
    "gpu": ("gpu_cores", as_int),
}
_DATA_COLLECTION: dict[str, Field] = {
    "storageEnabled": ("collect_model_data", as_bool),
    "eventHubEnabled": ("event_hub", as_bool),
    "capture": ("capture", as_text),
    "sample": ("sample", as_float),
    "maxBodyBytes": ("max_body_bytes", as_int),
    "redact": ("redact", as_texts),
    "maxStoreMb": ("max_store_mb", as_int),
    "maxFileMb": ("max_file_mb", as_int),
}
_KEYS: dict[str, Field] = {"primaryKey": ("primary_key", as_secret), "secondaryKey": ("secondary_key", as_secret)}
_AUTO_SCALER: dict[str, Field] = {
    "autoscaleEnabled": ("autoscale_enabled", as_bool),
    "minReplicas": ("min_replicas", as_int),
    "maxReplicas": ("max_replicas", as_int),
    "refreshPeriodInSeconds": ("refresh_seconds", as_int),
    "targetUtilization": ("target_utilization", as_int),
}
_PROBE: dict[str, Field] = {
    "periodSeconds": ("period_seconds", as_int),
    "initialDelaySeconds": ("initial_delay_seconds", as_int),
    "timeoutSeconds": ("timeout_seconds", as_int),
    "successThreshold": ("success_threshold", as_int),
    "failureThreshold": ("failure_threshold", as_int),
}
_ACCESS: dict[str, Field] = {
    "authEnabled": ("auth_enabled", as_bool),
    "tokenAuthEnabled": ("token_auth_enabled", as_bool),
    "primaryKey": ("primary_key", as_secret),
    "secondaryKey": ("secondary_key", as_secret),
    "sslEnabled": ("ssl_enabled", as_bool),
    "sslCertificate": ("ssl_cert_pem_file", as_text),
    "sslKey": ("ssl_key_pem_file", as_text),
    "cname": ("ssl_cname", as_text),
    "protectedPaths": ("protected_paths", as_texts),
    "corsOrigins": ("cors_origins", as_texts),
    "collectModelData": ("collect_model_data", as_bool),
}
_SHARED: dict[str, Field] = {
    **_EVERY,
    **_ACCESS,
    "appInsightsEnabled": ("enable_app_insights", as_bool),
    "enableAppInsights": ("enable_app_insights", as_bool),
    "location": ("location", as_text),
    "cpuCores": ("cpu_cores", as_float),
    "memoryGB": ("memory_gb", as_float),
    "gpuCores": ("gpu_cores", as_int),
}

_INNER = {"keys": Group(_KEYS), "dataCollection": Group(_DATA_COLLECTION)}
_REQUIREMENTS = {"containerResourceRequirements": Group(_RESOURCES)}

# key of the file -> (field of DeploymentSpec, reader), or a group of such; per compute type.
_KINDS: dict[str, dict[str, Field | Group]] = {
    LOCAL: {
        **_EVERY,
        **_ACCESS,
        "port": ("port", as_int),
        "workers": ("workers", as_int),
        "memoryLimitMb": ("memory_limit_mb", as_int),
        "preload": ("preload", as_bool),
        **_INNER,
    },
    ACI: {
        **_SHARED,
        "dnsNameLabel": ("dns_name_label", as_text),
        "vnetName": ("vnet_name", as_text),
        "subnetName": ("subnet_name", as_text),
        **_REQUIREMENTS,
        **_INNER,
    },
    AKS: {
        **_SHARED,
        "numReplicas": ("num_replicas", as_int),
        "scoringTimeoutMs": ("scoring_timeout_ms", as_int),
        "maxConcurrentRequestsPerContainer": ("replica_max_concurrent_requests", as_int),
        "maxQueueWaitMs": ("max_request_wait_time", as_int),
        "namespace": ("namespace", as_text),
        "computeTarget": ("compute_target_name", as_text),
        "computeTargetName": ("compute_target_name", as_text),
        **_REQUIREMENTS,
        **_INNER,
        "autoScaler": Group(_AUTO_SCALER, AutoScaler, "autoscaler"),
        "livenessProbeRequirements": Group(_PROBE, LivenessProbe, "liveness_probe"),
        "kubernetes": ("kubernetes", as_kubernetes),
    },
}


def load_deployment(path: Path | str) -> DeploymentSpec:
    """Read a deployment configuration file.

    Args:
        path: A JSON or YAML file with ``computeType`` local, aci or aks, in any case.

    Raises:
        InvalidInput: The file cannot be read, has an unknown key (the nearest known one is named), a value of a wrong
            type or one out of its range.
    """
    return parse_deployment(read_file(path, "deployment configuration"), where=str(path))


def parse_deployment(data: Any, *, where: str) -> DeploymentSpec:
    """Turn the parsed content of a deployment configuration file into a spec; see :func:`load_deployment`."""
    if not isinstance(data, Mapping):
        raise not_a_mapping(
            data,
            where=where,
            expected="a mapping with 'computeType'",
            hint='The least is {"computeType": "local"}: a service on this machine.',
        )
    compute_type = _compute_type(data, where)
    found: dict[str, Any] = {"compute_type": compute_type}
    seen: dict[str, str] = {}
    for key, value in data.items():
        name = _known(key, compute_type, where)
        if name == "computeType" or value is None:
            continue
        _take(name, key, value, compute_type, where, found, seen)
    _join_collection(found)
    return check(DeploymentSpec(**found), where=where)


def _join_collection(found: dict[str, Any]) -> None:
    """Make one struct of what ``dataCollection`` says beyond its switch; an event hub is accepted and not there."""
    found.pop("event_hub", None)
    names = DataCollection.__struct_fields__  # type: ignore[attr-defined]
    given = {name: found.pop(name) for name in names if name in found}
    if given:
        found["data_collection"] = DataCollection(**given)
        # Who says how it is stored wants it stored.
        found.setdefault("collect_model_data", True)


def _compute_type(data: Mapping[Any, Any], where: str) -> str:
    given = [value for key, value in data.items() if fold(key) == "computetype"]
    text = str(given[0]).strip().upper() if given and given[0] is not None else ""
    if text not in _KINDS:
        got = f", not {shown(given[0])}" if given else " and is missing"
        raise InvalidInput(
            f"{where}: computeType has to be local, aci or aks{got}",
            hint='Write "computeType": "local" to run on this machine.',
            where=where,
            field="computeType",
        )
    return text


def _known(key: Any, compute_type: str, where: str) -> str:
    known = ["computeType", *_KINDS[compute_type]]
    by_fold = {fold(name): name for name in known}
    if fold(key) in by_fold:
        return by_fold[fold(key)]
    elsewhere = [kind for kind, names in _KINDS.items() if fold(key) in map(fold, names)]
    if elsewhere:
        hint = f"{key!r} belongs to computeType {' and '.join(kind.lower() for kind in elsewhere)}."
    else:
        hint = did_you_mean(str(key), known, f"Known keys: {', '.join(sorted(known))}.")
    raise InvalidInput(
        f"{where}: unknown key {key!r} for computeType {compute_type.lower()}", hint=hint, where=where, field=str(key)
    )


def _take(
    name: str, key: str, value: Any, compute_type: str, where: str, found: dict[str, Any], seen: dict[str, str]
) -> None:
    known = _KINDS[compute_type][name]
    if not isinstance(known, Group):
        field, reader = known
        _put(field, reader(value, where, key), key, where, found, seen)
        return
    given = _group(value, known.fields, key, where)
    if known.struct is not None:
        made = known.struct(**{field: inner for field, (inner, _) in given.items()})
        given = {known.field: (made, key)}
    for field, (inner, path) in given.items():
        _put(field, inner, path, where, found, seen)


def _group(value: Any, fields: dict[str, Field], key: str, where: str) -> dict[str, tuple[Any, str]]:
    if not isinstance(value, Mapping):
        raise not_a_mapping(value, where=where, at=key, hint=f"Its keys: {', '.join(fields)}.")
    by_fold = {fold(name): pair for name, pair in fields.items()}
    out: dict[str, tuple[Any, str]] = {}
    for inner, content in value.items():
        path = f"{key}.{inner}"
        if fold(inner) not in by_fold:
            hint = did_you_mean(str(inner), list(fields), f"Known keys: {', '.join(fields)}.")
            raise InvalidInput(f"{where}: unknown key {inner!r} in {key}", hint=hint, where=where, field=path)
        if content is not None:
            field, reader = by_fold[fold(inner)]
            out[field] = (reader(content, where, path), path)
    return out


def _put(field: str, value: Any, key: str, where: str, found: dict[str, Any], seen: dict[str, str]) -> None:
    if field in seen and found[field] != value:
        raise InvalidInput(f"{where}: {key!r} and {seen[field]!r} say different things", where=where, field=key)
    found[field] = value
    seen[field] = key
