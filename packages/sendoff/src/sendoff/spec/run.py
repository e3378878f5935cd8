"""The experiment and its runs: what registering a model from a run needs (spec/surface.md sec. 2.15)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ..errors import InvalidInput
from .model import ManifestFile
from .parse import Spec, replace

NOT_STARTED, RUNNING, COMPLETED, FAILED, CANCELED = "NotStarted", "Running", "Completed", "Failed", "Canceled"
STATES = (NOT_STARTED, RUNNING, COMPLETED, FAILED, CANCELED)
FINAL = frozenset({COMPLETED, FAILED, CANCELED})


class Experiment(Spec):
    """An experiment as the API shows it; ``archived_time`` is None while it is active."""

    id: str
    name: str
    tags: dict[str, str]
    created_time: float
    archived_time: float | None


class CreateExperiment(Spec):
    """Body of ``POST /v1/workspaces/{ws}/experiments``: the one of that name, made when there is none."""

    name: str


class UpdateExperiment(Spec):
    """Body of ``PATCH …/experiments/{name}``: what is absent stays."""

    add_tags: dict[str, str] = {}
    remove_tags: list[str] = []
    archived: bool | None = None


class StartRun(Spec):
    """Body of ``POST …/experiments/{name}/runs``; an ``id`` that exists is the caller's mistake."""

    id: str | None = None
    display_name: str = ""
    type: str = "sdk"
    parent: str | None = None
    status: str = RUNNING
    tags: dict[str, str] = {}
    properties: dict[str, str] = {}
    details: dict[str, Any] = {}
    """What it was started with: script, arguments, target, process."""


class UpdateRun(Spec):
    """Body of ``PATCH …/runs/{id}``: what is absent stays; properties can only be added."""

    status: str | None = None
    error: dict[str, Any] | None = None
    display_name: str | None = None
    description: str | None = None
    add_tags: dict[str, str] = {}
    remove_tags: list[str] = []
    add_properties: dict[str, str] = {}
    details: dict[str, Any] = {}


class Metric(Spec):
    """One logged value: ``kind`` is scalar, list, row, table, image, or one of SDK v1's charts."""

    name: str
    kind: str
    value: Any
    step: int | None = None
    description: str = ""


class LogMetrics(Spec):
    """Body of ``POST …/runs/{id}/metrics``."""

    metrics: list[Metric]


class AddFiles(Spec):
    """Body of ``POST …/runs/{id}/files``: blobs that are in the store; a path that is there is replaced."""

    files: list[ManifestFile]


class Run(Spec):
    """A run as the API shows it; times are unix seconds, ``number`` counts within its experiment."""

    id: str
    experiment: str
    number: int
    parent: str | None
    display_name: str
    description: str
    type: str
    status: str
    tags: dict[str, str]
    properties: dict[str, str]
    details: dict[str, Any]
    error: dict[str, Any] | None
    created_time: float
    start_time: float | None
    end_time: float | None


def model_files(kept: Sequence[ManifestFile], path: str) -> list[ManifestFile]:
    """A run's file or folder as the files of a model: a file by its own name, a folder's with the folder's name before.

    Args:
        kept: Every file of the run.
        path: As SDK v1's ``model_path`` and ``az ml``'s ``--asset-path`` name it: ``outputs/model.pkl``, ``./outputs``.

    Raises:
        InvalidInput: The run keeps nothing there; the message lists what it keeps.
    """
    wanted = path.replace("\\", "/").strip("/")
    while wanted.startswith("./"):
        wanted = wanted[2:]
    cut = len(wanted) - len(wanted.rpartition("/")[2])
    files = [
        replace(file, path=file.path[cut:])
        for file in kept
        if file.path == wanted or file.path.startswith(f"{wanted}/")
    ]
    if not files:
        names = ", ".join(file.path for file in kept[:20]) or "nothing"
        raise InvalidInput(
            f"Could not locate the provided model_path {wanted} in the set of files uploaded to the run: {names}",
            hint="Give a path that Run.get_file_names() or `sendoff run show` lists, or a folder of such.",
            field="model_path",
        )
    return files
