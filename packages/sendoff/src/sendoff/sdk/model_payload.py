"""A model as the JSON that SDK v1 made of it, and what scripts give as JSON (spec/surface.md sec. 2.4)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .model import Model


def to_payload(model: Model) -> dict[str, Any]:
    """SDK v1's keys, in camelCase; the time as ISO 8601 text."""
    return {
        "id": model.id,
        "name": model.name,
        "version": model.version,
        "framework": model.model_framework,
        "frameworkVersion": model.model_framework_version,
        "description": model.description,
        "tags": dict(model.tags),
        "properties": dict(model.properties),
        "url": model.url,
        "mimeType": model.mime_type,
        "unpack": model.unpack,
        "createdBy": model.created_by,
        "createdTime": model.created_time.isoformat() if model.created_time else None,
        "experimentName": model.experiment_name,
        "runId": model.run_id,
        "runDetails": None,
        "datasets": {scenario: [*ids] for scenario, ids in model.datasets.items()},
        "sampleInputDatasetId": model.sample_input_dataset,
        "sampleOutputDatasetId": model.sample_output_dataset,
        "resourceConfiguration": model.resource_configuration.serialize() if model.resource_configuration else None,
    }


def texts(pairs: dict[str, Any] | None) -> dict[str, str]:
    """Tags and properties as text: scripts give numbers too."""
    return {str(key): value if isinstance(value, str) else str(value) for key, value in (pairs or {}).items()}


def id_of(dataset: Any) -> str:
    """A data set's id, also where a script gives the id itself."""
    return str(getattr(dataset, "id", dataset))
