"""Services: deploy, update, look, delete."""

from __future__ import annotations

from typing import Any

from ...core import Core
from ...spec.bodies import Logs, Rollback
from ...spec.inference import InferenceSpec
from ...spec.metrics import ServiceMetrics
from ...spec.operation import Operation
from ...spec.page import Listed, Page, cut
from ...spec.service import CheckReport, DeployService, Revision, Service, UpdateService
from ..filters import PROPERTY, TAG, pairs
from ..route import Answer, Call, Query, Route


def deploy(core: Core, call: Call) -> Any:
    """Start a deployment, or only check it."""
    result = core.deployments.deploy(call.path["ws"], call.body)
    return Answer(status=200, value=result) if isinstance(result, CheckReport) else result


def list_(core: Core, call: Call) -> Listed[Service]:
    """Those that match."""
    query = call.query
    return core.deployments.list(
        call.path["ws"],
        compute_type=query["compute_type"],
        model_name=query["model_name"],
        model_id=query["model_id"],
        tags=dict(pairs(query["tag"], "tag")),
        properties=dict(pairs(query["property"], "property")),
        window=call.window,
    )


def get(core: Core, call: Call) -> Service:
    """One by name."""
    return core.deployments.get(call.path["ws"], call.path["name"])


def update(core: Core, call: Call) -> Any:
    """A new revision, or changed words only."""
    result = core.deployments.update(call.path["ws"], call.path["name"], call.body)
    return result if isinstance(result, Operation) else Answer(status=200, value=result)


def delete(core: Core, call: Call) -> Any:
    """Stop and remove it."""
    operation = core.deployments.delete(call.path["ws"], call.path["name"])
    return Answer(status=204) if operation is None else operation


def logs(core: Core, call: Call) -> Logs:
    """Its newest log lines."""
    lines = 5000 if call.query["lines"] is None else call.query["lines"]
    return Logs(text=core.deployments.logs(call.path["ws"], call.path["name"], lines, bool(call.query["init"])))


def metrics(core: Core, call: Call) -> ServiceMetrics:
    """What its server counts."""
    return core.deployments.metrics(call.path["ws"], call.path["name"])


def revisions(core: Core, call: Call) -> Listed[Revision]:
    """Its history."""
    return cut(core.deployments.revisions(call.path["ws"], call.path["name"]), call.window, "number")


def rollback(core: Core, call: Call) -> Operation:
    """Return to an earlier revision."""
    return core.deployments.rollback(call.path["ws"], call.path["name"], call.body.revision)


def reload(core: Core, call: Call) -> Operation:
    """The same again, in fresh workers."""
    return core.deployments.reload(call.path["ws"], call.path["name"])


def inference(core: Core, call: Call) -> InferenceSpec:
    """Code and environment of the revision that answers, else of the newest."""
    return core.deployments.inference(call.path["ws"], call.path["name"])


ROUTES = (
    Route(
        method="POST",
        path="/workspaces/{ws}/services",
        handler=deploy,
        summary="Deploy models as a service; with `check` only the pre-flight runs",
        body=DeployService,
        answers={202: Operation, 200: CheckReport},
    ),
    Route(
        method="GET",
        path="/workspaces/{ws}/services",
        handler=list_,
        summary="Services that match all filters, with their state of this moment",
        query=(
            Query(name="compute_type", summary="LOCAL, ACI or AKS, in any case."),
            Query(name="model_name", summary="Only services with a version of this model."),
            Query(name="model_id", summary="Only services with this model version."),
            TAG,
            PROPERTY,
        ),
        answers={200: Page[Service]},
        paged=True,
    ),
    Route(
        method="GET",
        path="/workspaces/{ws}/services/{name}",
        handler=get,
        summary="One service with its state of this moment",
        answers={200: Service},
    ),
    Route(
        method="PATCH",
        path="/workspaces/{ws}/services/{name}",
        handler=update,
        summary="Update a service: 202 with an operation when a new revision is needed",
        body=UpdateService,
        answers={202: Operation, 200: Service},
    ),
    Route(
        method="DELETE",
        path="/workspaces/{ws}/services/{name}",
        handler=delete,
        summary="Stop and remove a service; 204 when nothing is left to wait for",
        answers={202: Operation, 204: None},
    ),
    Route(
        method="GET",
        path="/workspaces/{ws}/services/{name}/logs",
        handler=logs,
        summary="The newest log lines, also of a service that failed",
        query=(
            Query(name="lines", type=int, summary="How many; 5000 when absent."),
            Query(name="init", type=bool, summary="The log of the start instead."),
        ),
        answers={200: Logs},
    ),
    Route(
        method="GET",
        path="/workspaces/{ws}/services/{name}/metrics",
        handler=metrics,
        summary="Requests, latencies, errors, queue and workers, since the service's server was started",
        answers={200: ServiceMetrics},
    ),
    Route(
        method="GET",
        path="/workspaces/{ws}/services/{name}/revisions",
        handler=revisions,
        summary="A service's revisions",
        answers={200: Page[Revision]},
        paged=True,
    ),
    Route(
        method="POST",
        path="/workspaces/{ws}/services/{name}/rollback",
        handler=rollback,
        summary="Return to an earlier revision",
        body=Rollback,
        body_required=False,
        answers={202: Operation},
    ),
    Route(
        method="POST",
        path="/workspaces/{ws}/services/{name}/reload",
        handler=reload,
        summary="Start the present revision anew, with the same files, without dropping a request",
        answers={202: Operation},
    ),
    Route(
        method="GET",
        path="/workspaces/{ws}/services/{name}/inference",
        handler=inference,
        summary="Entry script, source files and environment that a service runs",
        answers={200: InferenceSpec},
    ),
)
