"""Datasets: versions of a description of rows or files."""

from __future__ import annotations

from ...core import Core
from ...spec.dataset import Dataset, RegisterDataset, UpdateDataset
from ...spec.model import ManifestFile
from ...spec.page import Listed
from ..noun import Noun, room
from ..route import Call, Query

datasets = Noun("datasets", Dataset, "/workspaces/{ws}/datasets", "/workspaces/{ws}/datasets/{id}")


def files(core: Core, call: Call) -> Listed[ManifestFile]:
    """What it speaks of at this moment."""
    workspace = call.path["ws"]
    found = core.datasets.get(workspace, call.path["id"])
    return core.datasets.files(workspace, found.definition, window=call.window)


ROUTES = (
    datasets.create(
        room(lambda core: core.datasets.register),
        "Register a dataset, or the next version of one; without a name it is kept for a job",
        RegisterDataset,
        action="register",
    ),
    datasets.list(
        room(lambda core: core.datasets.list),
        "The newest version of each dataset",
        Query(name="name", summary="Only this dataset."),
        Query(name="versions", type=bool, summary="All versions."),
    ),
    datasets.get(room(lambda core: core.datasets.get), "One version by id or name:version, or the newest by name"),
    datasets.parts("files", files, "The files that a version speaks of at this moment, in order", ManifestFile),
    datasets.update(
        room(lambda core: core.datasets.update), "Change description, tags or state of a version", UpdateDataset
    ),
    datasets.delete(
        room(lambda core: core.datasets.unregister),
        "Forget all versions of a dataset; its data stays",
        action="unregister",
    ),
)
