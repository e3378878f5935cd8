"""Datasets: versions of a description of rows or files."""

from __future__ import annotations

from ...core import Core
from ...spec.dataset import Dataset, RegisterDataset, UpdateDataset
from ...spec.model import ManifestFile
from ...spec.page import Listed, Page
from ..route import Call, Query, Route


def register(core: Core, call: Call) -> Dataset:
    """Make the next version."""
    return core.datasets.register(call.path["ws"], call.body)


def list_(core: Core, call: Call) -> Listed[Dataset]:
    """Those that match."""
    query = call.query
    name, versions = query["name"], bool(query["versions"])
    return core.datasets.list(call.path["ws"], name=name, versions=versions, window=call.window)


def get(core: Core, call: Call) -> Dataset:
    """One version."""
    return core.datasets.get(call.path["ws"], call.path["id"])


def files(core: Core, call: Call) -> Listed[ManifestFile]:
    """What it speaks of at this moment."""
    return core.datasets.files(call.path["ws"], get(core, call).definition, window=call.window)


def update(core: Core, call: Call) -> Dataset:
    """Change what may change."""
    return core.datasets.update(call.path["ws"], call.path["id"], call.body)


def unregister(core: Core, call: Call) -> None:
    """Forget all versions of it."""
    core.datasets.unregister(call.path["ws"], call.path["id"])


ROUTES = (
    Route(
        method="POST",
        path="/workspaces/{ws}/datasets",
        handler=register,
        summary="Register a dataset, or the next version of one; without a name it is kept for a job",
        body=RegisterDataset,
        answers={201: Dataset},
    ),
    Route(
        method="GET",
        path="/workspaces/{ws}/datasets",
        handler=list_,
        summary="The newest version of each dataset",
        query=(
            Query(name="name", summary="Only this dataset."),
            Query(name="versions", type=bool, summary="All versions."),
        ),
        answers={200: Page[Dataset]},
        paged=True,
    ),
    Route(
        method="GET",
        path="/workspaces/{ws}/datasets/{id}",
        handler=get,
        summary="One version by id or name:version, or the newest by name",
        answers={200: Dataset},
    ),
    Route(
        method="GET",
        path="/workspaces/{ws}/datasets/{id}/files",
        handler=files,
        summary="The files that a version speaks of at this moment, in order",
        answers={200: Page[ManifestFile]},
        paged=True,
    ),
    Route(
        method="PATCH",
        path="/workspaces/{ws}/datasets/{id}",
        handler=update,
        summary="Change description, tags or state of a version",
        body=UpdateDataset,
        answers={200: Dataset},
    ),
    Route(
        method="DELETE",
        path="/workspaces/{ws}/datasets/{id}",
        handler=unregister,
        summary="Forget all versions of a dataset; its data stays",
        answers={204: None},
    ),
)
