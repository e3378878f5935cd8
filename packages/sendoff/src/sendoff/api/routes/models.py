"""Models: immutable versions, each a manifest of files."""

from __future__ import annotations

from ...core import Core
from ...spec.model import Model, ModelSummary, RegisterModel, UpdateModel
from ...spec.page import Listed, Page
from ..filters import PROPERTY, TAG, pairs
from ..route import Call, Query, Route


def register(core: Core, call: Call) -> Model:
    """Make the next version."""
    return core.registry.register(call.path["ws"], call.body)


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
        latest=bool(query["latest"]),
        window=call.window,
    )


def get(core: Core, call: Call) -> Model:
    """One version."""
    return core.registry.get(call.path["ws"], call.path["id"])


def update(core: Core, call: Call) -> Model:
    """Change what may change."""
    return core.registry.update(call.path["ws"], call.path["id"], call.body)


def delete(core: Core, call: Call) -> None:
    """Delete one version unless a service uses it."""
    workspace = call.path["ws"]
    core.registry.delete(workspace, call.path["id"], lambda model: core.deployments.model_users(workspace, model.id))


ROUTES = (
    Route(
        method="POST",
        path="/workspaces/{ws}/models",
        handler=register,
        summary="Register the next version of a model; its blobs are stored already",
        body=RegisterModel,
        answers={201: Model},
    ),
    Route(
        method="GET",
        path="/workspaces/{ws}/models",
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
    Route(
        method="GET",
        path="/workspaces/{ws}/models/{id}",
        handler=get,
        summary="One version by name:version, or the newest by name",
        answers={200: Model},
    ),
    Route(
        method="PATCH",
        path="/workspaces/{ws}/models/{id}",
        handler=update,
        summary="Change tags, description and resources; add properties",
        body=UpdateModel,
        answers={200: Model},
    ),
    Route(
        method="DELETE",
        path="/workspaces/{ws}/models/{id}",
        handler=delete,
        summary="Delete one version; refused while a service uses it",
        answers={204: None},
    ),
)
