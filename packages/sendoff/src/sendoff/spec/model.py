"""The model: a named, versioned manifest of files (spec/behaviour.md sec. 2)."""

from __future__ import annotations

from .parse import Spec


class ManifestFile(Spec):
    """One file of a model version.

    ``path`` is relative to the version's folder, with ``/`` between segments; a registered folder keeps its own
    name as first segment. ``digest`` is ``sha256:<hex>``, ``size`` in bytes.
    """

    path: str
    digest: str
    size: int


class ResourceConfiguration(Spec):
    """Default resources of a no-code deployment: cores, GiB, whole GPUs."""

    cpu: float | None = None
    memory_in_gb: float | None = None
    gpu: int | None = None


class DatasetReference(Spec):
    """A data set that a model was made with: its scenario (training, validation, inferencing) and id."""

    scenario: str
    id: str


class RegisterModel(Spec):
    """Body of ``POST /v1/workspaces/{ws}/models``; the blobs named in ``files`` are in the store already."""

    name: str
    files: list[ManifestFile]
    tags: dict[str, str] = {}
    properties: dict[str, str] = {}
    description: str = ""
    framework: str = "Custom"
    framework_version: str | None = None
    resource_configuration: ResourceConfiguration | None = None
    datasets: list[DatasetReference] = []
    sample_input_dataset_id: str | None = None
    sample_output_dataset_id: str | None = None
    experiment_name: str | None = None
    run_id: str | None = None
    created_by: str = ""


class UpdateModel(Spec):
    """Body of ``PATCH /v1/workspaces/{ws}/models/{id}``: what is absent stays.

    ``tags`` replaces all tags; ``add_tags``/``remove_tags`` change some. Properties can only be added.
    """

    description: str | None = None
    tags: dict[str, str] | None = None
    add_tags: dict[str, str] = {}
    remove_tags: list[str] = []
    add_properties: dict[str, str] = {}
    resource_configuration: ResourceConfiguration | None = None
    sample_input_dataset_id: str | None = None
    sample_output_dataset_id: str | None = None


class PickleFinding(Spec):
    """What the scan of a pickle found: ``import`` is ``module.name``, ``verdict`` safe, unknown or dangerous."""

    path: str
    imported: str
    verdict: str


class ScanReport(Spec):
    """Result of the scan at registration: verdict none (no pickle), safe, unknown, dangerous or unreadable."""

    verdict: str
    findings: list[PickleFinding] = []
    detail: str = ""


class Model(Spec):
    """A model version as the API shows it; times are unix seconds, ``id`` is ``name:version``."""

    id: str
    name: str
    version: int
    description: str
    tags: dict[str, str]
    properties: dict[str, str]
    framework: str
    framework_version: str | None
    resource_configuration: ResourceConfiguration | None
    datasets: list[DatasetReference]
    sample_input_dataset_id: str | None
    sample_output_dataset_id: str | None
    experiment_name: str | None
    run_id: str | None
    created_by: str
    created_time: float
    modified_time: float
    files: list[ManifestFile]
    size: int
    scan: ScanReport
    detected: dict[str, str] = {}
    """Framework versions that the file itself states, for example ``{"scikit-learn": "0.20.0"}``."""
