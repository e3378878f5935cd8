"""Where services tell of their requests and output (``enable_app_insights``), and how their servers learn of it.

Whether is a fact of a revision; where comes from the settings or the environment of whoever asks, so that no model,
code or image changes with it. What was named last holds on for a service, and is a secret: it may have a key in it.
"""

from __future__ import annotations

import importlib.util
import json
import os
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from ..spec.deployment import DeploymentSpec
from ..spec.settings import is_collector
from ..targets.base import INTERPRETER, Capabilities

if TYPE_CHECKING:
    from ..operations.operation_rows import AnyRow
    from ..spec.settings import Settings
    from ..store import Store

INSTALL = "pip install 'sendoff-ml[otel]'"
ENDPOINT = "OTEL_EXPORTER_OTLP_ENDPOINT"
_ENDPOINTS = (ENDPOINT, "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "OTEL_EXPORTER_OTLP_LOGS_ENDPOINT")
_CARRIED = ("OTEL_EXPORTER_OTLP_", "OTEL_TRACES_", "OTEL_LOGS_", "OTEL_BSP_", "OTEL_BLRP_")
_LOOPBACK = ("localhost", "127.0.0.1", "::1")


def variables(settings: Settings, environ: Mapping[str, str]) -> dict[str, str]:
    """What the server's sender is given: where and how to send as the environment says, and the settings above it.

    What names the process that deploys (``OTEL_SERVICE_NAME``, ``OTEL_RESOURCE_ATTRIBUTES``), or turns off its own
    telemetry, is not the service's.
    """
    found = {name: value for name, value in environ.items() if name.startswith(_CARRIED) and value}
    if settings.otel_endpoint:
        found = {name: value for name, value in found.items() if name not in _ENDPOINTS}
        found[ENDPOINT] = settings.otel_endpoint
    if settings.otel_headers:
        found["OTEL_EXPORTER_OTLP_HEADERS"] = ",".join(settings.otel_headers)
    return found


def notes(store: Store, deployment: DeploymentSpec, able: Capabilities, service: AnyRow | None) -> list[str]:
    """What the timeline says of telemetry: where it goes, or in one line what to set so that it goes anywhere.

    Args:
        store: The home's store.
        deployment: The configuration.
        able: What the target can do.
        service: The service, when it is there already: what was named for it holds on.
    """
    if not deployment.enable_app_insights:
        return []
    found = variables(store.settings, os.environ)
    if service is not None and not _named(found):
        found = _before(store, service.uid)
    named = _named(found)
    if not named:
        return [
            "Telemetry is on and goes nowhere: set otel_endpoint in settings.toml (SENDOFF_OTEL_ENDPOINT) or "
            f"{ENDPOINT} to a collector, then update the service."
        ]
    wrong = [name for name in _ENDPOINTS if found.get(name) and not is_collector(found[name])]
    if wrong:
        return [f"Telemetry is on and goes nowhere: {wrong[0]} is {found[wrong[0]]!r}, which is no http address."]
    if able.artefact == INTERPRETER and not _installed():
        return [f"Telemetry is on and goes nowhere: its packages are not installed here; type: {INSTALL}"]
    where = _seen_from(able, found)[named]
    seen = f" (in containers {where})" if where != found[named] else ""
    return [f"Telemetry goes to {found[named]}{seen}."]


def document(
    store: Store, service: AnyRow, deployments: Mapping[int, DeploymentSpec], able: Capabilities
) -> dict[str, Any] | None:
    """What the server is told of what it sends and where to; None where nothing ever was.

    Args:
        store: The home's store.
        service: The service's row.
        deployments: Configurations by revision: the ones that answer or are about to, the one that counts last.
        able: What the target can do.
    """
    enabled = {str(number): bool(deployment.enable_app_insights) for number, deployment in deployments.items()}
    before = _before(store, service.uid)
    if not any(enabled.values()) and not before:
        return None
    found = variables(store.settings, os.environ)
    if not _named(found):
        found = before
    elif found != before:
        store.secrets.set(_secret(service.uid), json.dumps(found))
    found = _seen_from(able, found)
    if any(found.get(name) and not is_collector(found[name]) for name in _ENDPOINTS):
        found = {}
    return {
        "schema_version": 1,
        "enabled": list(enabled.values())[-1],
        "revisions": enabled,
        "environment": found,
        "attributes": {
            "service.namespace": service.workspace,
            "sendoff.workspace": service.workspace,
            "sendoff.target": service.target.partition(":")[0],
            "sendoff.uid": service.uid,
        },
    }


def _named(found: Mapping[str, str]) -> str | None:
    """The variable that names a collector, the general one first."""
    return next((name for name in _ENDPOINTS if found.get(name)), None)


def _secret(uid: str) -> str:
    return f"service/{uid}/telemetry"


def _before(store: Store, uid: str) -> dict[str, str]:
    """What was named before: a shell that lacks a variable does not turn a service's telemetry off."""
    try:
        content: Any = json.loads(store.secrets.get(_secret(uid)) or "{}")
        return {str(name): str(value) for name, value in content.items()}
    except (ValueError, AttributeError):
        return {}


def _seen_from(able: Capabilities, found: Mapping[str, str]) -> dict[str, str]:
    """The same with addresses of this machine as the target's servers reach it."""
    if able.this_machine in _LOOPBACK:
        return dict(found)
    return {
        name: _elsewhere(value, able.this_machine) if name in _ENDPOINTS else value for name, value in found.items()
    }


def _elsewhere(url: str, host: str) -> str:
    try:
        parts = urlsplit(url)
        if parts.hostname not in _LOOPBACK:
            return url
        port = f":{parts.port}" if parts.port else ""
    except ValueError:
        return url
    return parts._replace(netloc=f"{host}{port}").geturl()


def _installed() -> bool:
    try:
        return importlib.util.find_spec("opentelemetry.exporter.otlp.proto.http") is not None
    except ModuleNotFoundError:
        return False
