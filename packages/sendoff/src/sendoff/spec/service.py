"""The service: one scoring address (spec/behaviour.md sec. 8 and 15)."""

from __future__ import annotations

from typing import Any

from .deployment import DeploymentSpec
from .inference import InferenceSpec
from .operation import Operation
from .parse import Spec

TRANSITIONING, HEALTHY, UNHEALTHY = "Transitioning", "Healthy", "Unhealthy"
UNSCHEDULABLE, FAILED = "Unschedulable", "Failed"


class DeployService(Spec):
    """Body of ``POST /v1/workspaces/{ws}/services``. ``models`` are ids (``name:version``, or ``name`` for newest)."""

    name: str
    models: list[str] = []
    inference: InferenceSpec | None = None
    deployment: DeploymentSpec = DeploymentSpec()
    overwrite: bool = False
    check: bool = False
    """True runs the pre-flight alone: nothing is created; answers a :class:`CheckReport`."""


class UpdateService(Spec):
    """Body of ``PATCH …/services/{name}``: what is absent stays; tags are replaced, properties added."""

    models: list[str] | None = None
    inference: InferenceSpec | None = None
    deployment: DeploymentSpec | None = None
    tags: dict[str, str] | None = None
    add_tags: dict[str, str] = {}
    remove_tags: list[str] = []
    add_properties: dict[str, str] = {}
    description: str | None = None


class CheckReport(Spec):
    """What a pre-flight found: ``notes`` are for reading, ``details`` for who asks why; a problem would be raised."""

    target: str
    notes: list[str]
    models: list[str]
    details: list[str] = []


class Revision(Spec):
    """One immutable wanted state of a service."""

    number: int
    models: list[str]
    environment: str
    entry_script: str
    source_digest: str
    created_time: float
    running: bool
    outcome: str
    """Succeeded, Failed, Cancelled or Running: how its operation ended."""


class Worker(Spec):
    """One worker process as its front reports it; RSS in MiB."""

    pid: int
    state: str
    restarts: int = 0
    requests: int = 0
    rss_mb: float = 0.0


class Service(Spec):
    """A service as the API shows it; ``state`` is computed from what runs at this moment."""

    name: str
    workspace: str
    state: str
    compute_type: str
    target: str
    scoring_uri: str | None
    swagger_uri: str | None
    port: int | None
    auth_enabled: bool
    token_auth_enabled: bool
    description: str
    tags: dict[str, str]
    properties: dict[str, str]
    created_time: float
    updated_time: float
    models: list[str]
    environment: str
    entry_script: str
    revision: int | None
    """The revision that answers requests now."""
    wanted_revision: int
    error: dict[str, Any] | None
    workers: list[Worker]
    deployment: DeploymentSpec
    operation: Operation | None
    """The newest operation on it."""
