"""Experiments, their runs, and what those log and keep."""

from __future__ import annotations

from ...core import Core
from ...spec.model import ManifestFile
from ...spec.page import Listed, Page
from ...spec.run import (
    AddFiles,
    CreateExperiment,
    Experiment,
    LogMetrics,
    Metric,
    Run,
    StartRun,
    UpdateExperiment,
    UpdateRun,
)
from ..route import Call, Query, Route

RUN = "/workspaces/{ws}/runs/{id}"


def experiment(core: Core, call: Call) -> Experiment:
    """The one of that name."""
    return core.runs.experiment(call.path["ws"], call.body)


def experiments(core: Core, call: Call) -> Listed[Experiment]:
    """A workspace's."""
    return core.runs.experiments(call.path["ws"], window=call.window)


def get_experiment(core: Core, call: Call) -> Experiment:
    """One."""
    return core.runs.get_experiment(call.path["ws"], call.path["name"])


def update_experiment(core: Core, call: Call) -> Experiment:
    """Change it."""
    return core.runs.update_experiment(call.path["ws"], call.path["name"], call.body)


def delete_experiment(core: Core, call: Call) -> None:
    """Delete it."""
    core.runs.delete_experiment(call.path["ws"], call.path["name"])


def start(core: Core, call: Call) -> Run:
    """Begin a run."""
    return core.runs.start(call.path["ws"], call.path["name"], call.body)


def list_(core: Core, call: Call) -> Listed[Run]:
    """Runs."""
    experiment, parent = call.query["experiment"], call.query["parent"]
    return core.runs.list(call.path["ws"], experiment=experiment, parent=parent, window=call.window)


def get(core: Core, call: Call) -> Run:
    """One run."""
    return core.runs.get(call.path["ws"], call.path["id"])


def update(core: Core, call: Call) -> Run:
    """Change it."""
    return core.runs.update(call.path["ws"], call.path["id"], call.body)


def log(core: Core, call: Call) -> None:
    """Add what it logs."""
    core.runs.log(call.path["ws"], call.path["id"], call.body.metrics)


def metrics(core: Core, call: Call) -> Listed[Metric]:
    """What it logged."""
    return core.runs.metrics(call.path["ws"], call.path["id"], window=call.window)


def add_files(core: Core, call: Call) -> AddFiles:
    """Keep files."""
    return AddFiles(files=core.runs.add_files(call.path["ws"], call.path["id"], call.body.files))


def files(core: Core, call: Call) -> Listed[ManifestFile]:
    """Its files."""
    return core.runs.files(call.path["ws"], call.path["id"], window=call.window)


ROUTES = (
    Route(
        method="POST",
        path="/workspaces/{ws}/experiments",
        handler=experiment,
        summary="The experiment of that name, made when there is none",
        body=CreateExperiment,
        answers={200: Experiment},
    ),
    Route(
        method="GET",
        path="/workspaces/{ws}/experiments",
        handler=experiments,
        summary="Experiments, newest first",
        answers={200: Page[Experiment]},
        paged=True,
    ),
    Route(
        method="GET",
        path="/workspaces/{ws}/experiments/{name}",
        handler=get_experiment,
        summary="One experiment",
        answers={200: Experiment},
    ),
    Route(
        method="PATCH",
        path="/workspaces/{ws}/experiments/{name}",
        handler=update_experiment,
        summary="Change an experiment's tags, archive it or take it back",
        body=UpdateExperiment,
        answers={200: Experiment},
    ),
    Route(
        method="DELETE",
        path="/workspaces/{ws}/experiments/{name}",
        handler=delete_experiment,
        summary="Delete an experiment that has no runs",
        answers={204: None},
    ),
    Route(
        method="POST",
        path="/workspaces/{ws}/experiments/{name}/runs",
        handler=start,
        summary="Begin a run",
        body=StartRun,
        answers={201: Run},
    ),
    Route(
        method="GET",
        path="/workspaces/{ws}/runs",
        handler=list_,
        summary="Runs, newest first",
        query=(
            Query(name="experiment", summary="Only of this experiment."),
            Query(name="parent", summary="Only the children of this run."),
        ),
        answers={200: Page[Run]},
        paged=True,
    ),
    Route(method="GET", path=RUN, handler=get, summary="One run", answers={200: Run}),
    Route(
        method="PATCH",
        path=RUN,
        handler=update,
        summary="Change a run: its state, names, tags; properties can only be added",
        body=UpdateRun,
        answers={200: Run},
    ),
    Route(
        method="POST", path=f"{RUN}/metrics", handler=log, summary="Log values", body=LogMetrics, answers={204: None}
    ),
    Route(
        method="GET",
        path=f"{RUN}/metrics",
        handler=metrics,
        summary="What a run logged, in its order",
        answers={200: Page[Metric]},
        paged=True,
    ),
    Route(
        method="POST",
        path=f"{RUN}/files",
        handler=add_files,
        summary="Keep files of a run; their blobs are in the store already",
        body=AddFiles,
        answers={200: AddFiles},
    ),
    Route(
        method="GET",
        path=f"{RUN}/files",
        handler=files,
        summary="A run's files by path",
        answers={200: Page[ManifestFile]},
        paged=True,
    ),
)
