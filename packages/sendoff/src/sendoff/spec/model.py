"""The model: a named, versioned manifest of files (spec/behaviour.md sec. 2)."""

from __future__ import annotations

import re
from collections.abc import Sequence
from unicodedata import normalize

from ..errors import InvalidInput
from .parse import Spec, not_known

FRAMEWORKS = (
    "Custom",
    "LightGBM",
    "MLflow",
    "Multi",
    "Onnx",
    "PyTorch",
    "ScikitLearn",
    "TensorFlow",
    "TfKeras",
    "XGBoost",
)
"""Those of SDK v1, and three more that are served without code too."""
SCENARIOS = ("training", "validation", "inferencing")
"""What a data set was to a model (spec/behaviour.md sec. 2.1)."""


_DIGEST = re.compile(r"sha256:[0-9a-f]{64}\Z")


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
    framework: str | None = None
    """None for what the files are, where that is certain, else Custom."""
    framework_version: str | None = None
    resource_configuration: ResourceConfiguration | None = None
    datasets: list[DatasetReference] = []
    sample_input_dataset_id: str | None = None
    sample_output_dataset_id: str | None = None
    experiment_name: str | None = None
    run_id: str | None = None
    created_by: str = ""
    python_version: str | None = None
    """Of the Python that registers it, which most often is the one that trained it."""


class UpdateModel(Spec):
    """Body of ``PATCH /v1/workspaces/{ws}/models/{id}``: what is absent stays.

    ``tags`` replaces all tags; ``add_tags``/``remove_tags`` change some. Properties can only be added.
    """

    description: str | None = None
    framework: str | None = None
    framework_version: str | None = None
    """With ``framework`` alone the version is what the files state."""
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


class ModelSummary(Spec):
    """A model version as lists show it, without its files; times are unix seconds, ``id`` is ``name:version``."""

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
    size: int
    scan: ScanReport
    detected: dict[str, str]
    """Framework versions that the file itself states, for example ``{"scikit-learn": "0.20.0"}``; under ``python``
    the Python that the file states, else the one that registered it."""


class Model(ModelSummary):
    """A model version as the API shows it."""

    files: list[ManifestFile]


def check_manifest(files: Sequence[ManifestFile], where: str = "files") -> None:
    """Refuse a manifest that could leave its folder or that some file system cannot hold.

    Paths are relative, with ``/`` between segments, no empty, ``.`` or ``..`` segment, no backslash, no control
    character. No path occurs twice or is both a file and a folder, also where letters' case is not told apart.

    Raises:
        InvalidInput: Names ``where`` and the path; also for no files at all, a digest that is none, a size below 0.
    """
    if not files:
        raise InvalidInput(f"{where}: at least one file is needed", where=where, field="files")
    seen: dict[str, str] = {}
    for file in files:
        check_manifest_path(file.path, where)
        if not _DIGEST.match(file.digest):
            raise _refused(where, file.path, f"digest {file.digest!r} is not 'sha256:' and 64 hex digits")
        if file.size < 0:
            raise _refused(where, file.path, "size is below 0")
        folded = _folded(file.path)
        if (other := seen.get(folded)) is not None:
            same = other == file.path
            raise _refused(
                where,
                file.path,
                "occurs twice" if same else f"differs from {other!r} only in case, or in its form of Unicode",
            )
        seen[folded] = file.path
    for file in files:
        parts = _folded(file.path).split("/")
        for count in range(1, len(parts)):
            if (above := seen.get("/".join(parts[:count]))) is not None:
                raise _refused(where, file.path, f"lies below {above!r}, which is a file")


def _folded(path: str) -> str:
    """A path as file systems compare it that tell neither case nor forms of Unicode apart."""
    return normalize("NFC", path).casefold()


def check_manifest_path(path: str, where: str) -> str:
    """One manifest path, or :class:`~sendoff.errors.InvalidInput`."""
    try:
        encoded = path.encode()
    except UnicodeEncodeError:
        raise _refused(where, path, "is not valid UTF-8") from None
    segments = path.split("/")
    if path.startswith("/"):
        problem = "is absolute"
    elif ".." in segments:
        problem = "leaves its folder ('..')"
    elif "" in segments or "." in segments:
        problem = "has an empty or '.' segment"
    elif "\\" in path or re.search(r"[\x00-\x1f\x7f]", path):
        problem = "has a backslash or a control character"
    elif len(encoded) > 4000 or max(len(segment.encode()) for segment in segments) > 255:
        problem = "is too long (255 bytes a segment, 4000 in all)"
    else:
        return path
    raise _refused(where, path, problem)


def check_framework(name: str) -> str:
    """The framework's name as SDK v1 spells it, whatever the case it comes in."""
    known = {framework.lower(): framework for framework in FRAMEWORKS}
    found = known.get(name.lower())
    if found is None:
        raise not_known(name, FRAMEWORKS, "framework", field="framework")
    return found


def _refused(where: str, path: str, problem: str) -> InvalidInput:
    return InvalidInput(
        f"{where}: path {path!r}: {problem}",
        hint="Paths are relative to the model's folder, with '/' between their parts.",
        where=where,
        field="files",
        path=path.encode("utf-8", "replace").decode(),
    )
