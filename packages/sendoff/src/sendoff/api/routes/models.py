"""Models: immutable versions, each a manifest of files."""

from __future__ import annotations

from ...core import Core
from ...spec.model import Model, ModelSummary, RegisterModel, UpdateModel
from ...spec.page import Listed, Page
from ..noun import Noun, room
from ..route import PROPERTY, TAG, Call, Query, Route, pairs

models = Noun("models", Model, "/workspaces/{ws}/models", "/workspaces/{ws}/models/{id}")


def list_(core: Core, call: Call) -> Listed[ModelSummary]:
    """Those that match."""
    query = call.query
    return core.registry.list(
        call.path["ws"],
        name=query["name"],
        tags=pairs(query["tag"], "tag"),
        properties=pairs(query["property"], "property"),
        run_id=query["run_id"],
        framework=query["framework"],
        latest=query["latest"],
        window=call.window,
    )


def delete(core: Core, call: Call) -> None:
    """Delete one version unless a service uses it."""
    workspace = call.path["ws"]
    core.registry.delete(workspace, call.path["id"], lambda model: core.deployments.model_users(workspace, model.id))


ROUTES = (
    models.create(
        room(lambda core: core.registry.register),
        "Register the next version of a model; its blobs are stored already",
        RegisterModel,
        action="register",
    ),
    Route(
        method="GET",
        path=models.all,
        handler=list_,
        summary="Model versions that match all filters",
        query=(
            Query(name="name", summary="Only this model's versions."),
            TAG,
            PROPERTY,
            Query(name="run_id", summary="Only models of this run."),
            Query(name="framework", summary="Only models of this framework."),
            Query(name="latest", type=bool, summary="Only the newest version of each name."),
        ),
        answers={200: Page[ModelSummary]},
        paged=True,
    ),
    models.get(room(lambda core: core.registry.get), "One version by name:version, or the newest by name"),
    models.update(
        room(lambda core: core.registry.update), "Change tags, description and resources; add properties", UpdateModel
    ),
    models.delete(delete, "Delete one version; refused while a service uses it"),
)
