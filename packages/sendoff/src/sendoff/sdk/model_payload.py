"""A model as the JSON that SDK v1 made of it, and what scripts give as JSON (spec/surface.md sec. 2.4)."""

from __future__ import annotations

import platform
from typing import TYPE_CHECKING, Any

from ..client.service_link import user
from ..spec import model as spec
from .given import texts

if TYPE_CHECKING:
    from .model import Model
    from .resource_configuration import ResourceConfiguration


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


def registration(
    name: str,
    files: list[spec.ManifestFile],
    *,
    tags: dict[str, Any] | None = None,
    properties: dict[str, Any] | None = None,
    description: str | None = None,
    model_framework: str | None = None,
    model_framework_version: str | None = None,
    resource_configuration: ResourceConfiguration | None = None,
    datasets: Any = None,
    sample_input_dataset: Any = None,
    sample_output_dataset: Any = None,
    **from_where: str | None,
) -> spec.RegisterModel:
    """What `Model.register` and `Run.register_model` ask for; ``from_where``: what only one of them knows."""
    return spec.RegisterModel(
        name=name,
        files=files,
        tags=texts(tags),
        properties=texts(properties),
        description=description or "",
        framework=model_framework,
        framework_version=model_framework_version,
        resource_configuration=resource_configuration._spec() if resource_configuration else None,
        datasets=[spec.DatasetReference(scenario=one, id=id_of(data)) for one, data in datasets or ()],
        sample_input_dataset_id=id_of(sample_input_dataset) if sample_input_dataset else None,
        sample_output_dataset_id=id_of(sample_output_dataset) if sample_output_dataset else None,
        created_by=user(),
        python_version=platform.python_version(),
        **from_where,
    )


def id_of(dataset: Any) -> str:
    """A data set's id, also where a script gives the id itself."""
    return str(getattr(dataset, "id", dataset))
