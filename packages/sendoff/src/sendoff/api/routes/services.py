"""Services: deploy, update, look, delete."""

from __future__ import annotations

from typing import Any

from ...core import Core
from ...spec.bodies import Logs, Rollback
from ...spec.inference import InferenceSpec
from ...spec.metrics import ServiceMetrics
from ...spec.operation import Operation
from ...spec.page import Listed, cut
from ...spec.service import CheckReport, DeployService, Revision, Service, UpdateService
from ..noun import Noun, room
from ..route import PROPERTY, TAG, Answer, Call, Query, Route, pairs

services = Noun("services", Service, "/workspaces/{ws}/services", "/workspaces/{ws}/services/{name}")


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
    return Logs(text=core.deployments.logs(call.path["ws"], call.path["name"], lines, call.query["init"]))


def revisions(core: Core, call: Call) -> Listed[Revision]:
    """Its history."""
    return cut(core.deployments.revisions(call.path["ws"], call.path["name"]), call.window, "number")


def rollback(core: Core, call: Call) -> Operation:
    """Return to an earlier revision."""
    return core.deployments.rollback(call.path["ws"], call.path["name"], call.body.revision)


ROUTES = (
    Route(
        method="POST",
        path=services.all,
        handler=deploy,
        summary="Deploy models as a service; with `check` only the pre-flight runs",
        body=DeployService,
        answers={202: Operation, 200: CheckReport},
    ),
    services.list(
        list_,
        "Services that match all filters, with their state of this moment",
        Query(name="compute_type", summary="LOCAL, ACI, AKS or default, in any case."),
        Query(name="model_name", summary="Only services with a version of this model."),
        Query(name="model_id", summary="Only services with this model version."),
        TAG,
        PROPERTY,
    ),
    services.get(room(lambda core: core.deployments.get), "One service with its state of this moment"),
    Route(
        method="PATCH",
        path=services.one,
        handler=update,
        summary="Update a service: 202 with an operation when a new revision is needed",
        body=UpdateService,
        answers={202: Operation, 200: Service},
    ),
    Route(
        method="DELETE",
        path=services.one,
        handler=delete,
        summary="Stop and remove a service; 204 when nothing is left to wait for",
        answers={202: Operation, 204: None},
    ),
    services.part(
        "logs",
        logs,
        "The newest log lines, also of a service that failed",
        Logs,
        Query(name="lines", type=int, summary="How many; 5000 when absent."),
        Query(name="init", type=bool, summary="The log of the start instead."),
    ),
    services.part(
        "metrics",
        room(lambda core: core.deployments.metrics),
        "Requests, latencies, errors, queue and workers, since the service's server was started",
        ServiceMetrics,
    ),
    services.parts("revisions", revisions, "A service's revisions", Revision),
    services.act(
        "rollback",
        rollback,
        "Return to an earlier revision",
        Operation,
        Rollback,
        body_required=False,
        status=202,
    ),
    services.act(
        "reload",
        room(lambda core: core.deployments.reload),
        "Start the present revision anew, with the same files, without dropping a request",
        Operation,
        status=202,
    ),
    services.part(
        "inference",
        room(lambda core: core.deployments.inference),
        "Entry script, source files and environment that a service runs",
        InferenceSpec,
    ),
)
