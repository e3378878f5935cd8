"""What commands print of the API's views: records with the key names that ``az ml`` printed, times as ISO 8601.

Scripts written for ``az ml`` pick ``id``, ``name``, ``version``, ``createdTime``, ``scoringUri`` and the like.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import msgspec

from ..spec.values import camel

if TYPE_CHECKING:
    from ..spec.dataset import Dataset
    from ..spec.environment import Environment
    from ..spec.model import Model
    from ..spec.operation import Operation
    from ..spec.service import Service
    from ..spec.workspace import Workspace

Record = dict[str, Any]

_TIMES = frozenset(
    {
        *("created_time", "modified_time", "updated_time", "start_time", "end_time", "archived_time", "start", "end"),
        *("last_write", "next_run"),
    }
)
_RENAMED = {
    "resource_configuration": "resourceRequirements",
    "ssl_cert_pem_file": "sslCertificate",
    "ssl_key_pem_file": "sslKey",
    "memory_in_gb": "memoryInGB",
    "memory_gb": "memoryInGB",
    "cpu_cores": "cpu",
}

WORKSPACES = (
    ("Name", "name"),
    ("Location", "location"),
    ("Resource group", "resourceGroup"),
    ("Created", "createdTime"),
)
MODELS = (
    ("Id", "id"),
    ("Framework", "framework"),
    ("Size", "size"),
    ("Scan", "scan.verdict"),
    ("Created", "createdTime"),
    ("Tags", "tags"),
)
ENVIRONMENTS = (("Name", "name"), ("Version", "version"), ("Digest", "digest"), ("Created", "createdTime"))
ENVIRONMENT = (*ENVIRONMENTS, ("Packages as of", "lockAsOf"), ("Why", "lockAsOfReason"))
SERVICES = (
    ("Name", "name"),
    ("State", "state"),
    ("Compute type", "computeType"),
    ("Target", "target"),
    ("Revision", "revision"),
    ("Models", "models"),
    ("Scoring URI", "scoringUri"),
)
SERVICE = (*SERVICES, ("Swagger URI", "swaggerUri"), ("Environment", "environmentName"),
           ("Entry script", "entryScript"),
           ("Error", "error.message"), ("Tags", "tags"), ("Properties", "properties"))  # fmt: skip
DATASETS = (
    ("Name", "name"),
    ("Version", "version"),
    ("Kind", "kind"),
    ("State", "state"),
    ("Id", "id"),
    ("Source", "source"),
    ("Created", "createdTime"),
)
DATASTORES = (
    ("Name", "name"),
    ("Type", "type"),
    ("Default", "isDefault"),
    ("Files", "files"),
    ("Size", "size"),
)
REVISIONS = (
    ("Revision", "number"),
    ("Running", "running"),
    ("Outcome", "outcome"),
    ("Models", "models"),
    ("Environment", "environment"),
    ("Entry script", "entryScript"),
    ("Created", "createdTime"),
)
OPERATIONS = (
    ("Id", "id"),
    ("Type", "operationType"),
    ("Service", "service"),
    ("Revision", "revision"),
    ("State", "state"),
    ("Created", "createdTime"),
    ("Ended", "endTime"),
)


def shown(result: Any) -> Any:
    """What is printed of a command's result: the record of a view, those of a list; JSON values as they are."""
    if isinstance(result, list):
        return [shown(one) for one in result]
    return _RECORDS.get(type(result).__name__, plain)(result)


def plain(view: Any) -> Any:
    """A view as JSON values: camelCase field names, the keys of users' own mappings as they are."""
    if isinstance(view, msgspec.Struct):
        out = {}
        for name in view.__struct_fields__:
            value = getattr(view, name)
            out[_key(name)] = _iso(value) if name in _TIMES else plain(value)
        return out
    if isinstance(view, dict):
        return {str(key): plain(value) for key, value in view.items()}
    if isinstance(view, list | tuple):
        return [plain(value) for value in view]
    return view


def _key(name: str) -> str:
    return _RENAMED.get(name) or camel(name)


def _iso(seconds: float | None) -> str | None:
    return None if seconds is None else datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds")


def workspace(view: Workspace) -> Record:
    """A workspace; ``workspaceName`` repeats its name, since ``az ml workspace list`` printed that."""
    return {**plain(view), "workspaceName": view.name}


def environment(view: Environment) -> Record:
    """An environment version: its definition's own keys, as ``azureml_environment.json`` has them, and its digests."""
    from ..spec.environment_files import environment_to_value

    return {
        **environment_to_value(view.spec),
        "name": view.name,
        "version": view.version,
        "digest": view.digest,
        "lockDigest": view.lock_digest,
        "lockAsOf": view.lock_as_of,
        "lockAsOfReason": view.lock_as_of_reason or None,
        "createdTime": _iso(view.created_time),
    }


def service(view: Service) -> Record:
    """A service. ``environmentName`` is what the view calls environment; ``operation`` has no steps."""
    record: Record = plain(view)
    record["environmentName"] = record.pop("environment")
    record["operation"] = operation(view.operation) if view.operation else None
    if record["operation"]:
        del record["operation"]["steps"]
    # The certificate's text is long and of no use to people; secrets are never told, get-keys gives the keys.
    for name in ("sslCertPem", "sslKeyPem", "primaryKey", "secondaryKey"):
        record["deployment"].pop(name, None)
    record["operationId"] = view.operation.id if view.operation else None
    return record


def dataset(view: Dataset) -> Record:
    """A dataset version; ``source`` says where its data is in few words."""
    record: Record = plain(view)
    paths = [
        f"{source.datastore}:{source.path or '/'}" if source.datastore else source.path
        for source in view.definition.sources
    ]
    return {**record, "source": ", ".join(paths)}


def operation(view: Operation) -> Record:
    """An operation; ``operationType`` as the wire of SDK v1 called it."""
    record: Record = plain(view)
    record["operationType"] = record.pop("type")
    return record


def model_metadata(view: Model, workspace: str, resource_group: str) -> Record:
    """What ``model register -t FILE`` writes and ``-f FILE`` reads (spec/surface.md sec. 6)."""
    return {"modelId": view.id, "workspaceName": workspace, "resourceGroupName": resource_group}


# By class name, since a command loads the views of its own noun alone.
_RECORDS: dict[str, Callable[[Any], Any]] = {
    "Workspace": workspace,
    "Environment": environment,
    "Service": service,
    "Dataset": dataset,
    "Operation": operation,
}
