"""A service as the JSON object of SDK v1 (spec/surface.md sec. 2.9, 2.10)."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from ...spec.deployment import ACI, AKS, DEFAULT, LOCAL
from ...spec.service import Service
from . import values


def service_json(view: Service) -> dict[str, Any]:
    """The keys of `AciWebservice.serialize` or `AksWebservice.serialize`; a local service has the shared ones."""
    size = view.deployment
    made: dict[str, Any] = {
        "name": view.name,
        "description": view.description,
        "tags": dict(view.tags),
        "properties": dict(view.properties),
        "state": view.state,
        "createdTime": _time(view.created_time),
        "updatedTime": _time(view.updated_time),
        "createdBy": None,
        "error": view.error,
        "computeType": ACI if view.compute_type == DEFAULT else view.compute_type,
        "workspaceName": view.workspace,
        "imageId": None,
        "imageDigest": None,
        "imageDetails": None,
        "scoringUri": view.scoring_uri,
        "swaggerUri": view.swagger_uri,
        "authEnabled": view.auth_enabled,
        "environmentDetails": view.environment,
        "modelDetails": list(view.models),
    }
    if view.compute_type == LOCAL:
        return {**made, "port": view.port}
    made["appInsightsEnabled"] = size.enable_app_insights
    made["containerResourceRequirements"] = values.resources(size).serialize()
    if view.compute_type == AKS:
        return {**made, **_scaled(view)}
    vnet = values.VnetConfiguration(size.vnet_name, size.subnet_name).serialize() if size.vnet_name else None
    return {
        **made,
        "cname": size.ssl_cname,
        "encryptionProperties": None,
        "location": size.location,
        "publicFqdn": None,
        "publicIp": None,
        "sslCertificate": size.ssl_cert_pem_file,
        "sslEnabled": size.ssl_enabled,
        "sslKey": size.ssl_key_pem_file,
        "vnetConfiguration": vnet,
    }


def _scaled(view: Service) -> dict[str, Any]:
    size = view.deployment
    scaler, probe = values.scaler(size), values.probe(size)
    return {
        "aadAuthEnabled": view.token_auth_enabled,
        "autoScaler": scaler and scaler.serialize(),
        "computeName": size.compute_target_name,
        "dataCollection": values.DataCollection(False, bool(size.collect_model_data)).serialize(),
        "deploymentStatus": None,
        "isDefault": None,
        "livenessProbeRequirements": probe and probe.serialize(),
        "maxConcurrentRequestsPerContainer": size.replica_max_concurrent_requests,
        "maxQueueWaitMs": size.max_request_wait_time,
        "numReplicas": size.num_replicas,
        "scoringTimeoutMs": size.scoring_timeout_ms,
        "trafficPercentile": None,
        "versionType": None,
    }


def _time(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat()
