"""Experiments, their runs, and what those log and keep."""

from __future__ import annotations

from ...core import Core
from ...spec import run as spec
from ...spec.model import ManifestFile
from ..noun import Noun, room
from ..route import Call, Query

experiments = Noun("runs", spec.Experiment, "/workspaces/{ws}/experiments", "/workspaces/{ws}/experiments/{name}")
runs = Noun("runs", spec.Run, "/workspaces/{ws}/runs", "/workspaces/{ws}/runs/{id}")


def log(core: Core, call: Call) -> None:
    """Add what it logs."""
    core.runs.log(call.path["ws"], call.path["id"], call.body.metrics)


def add_files(core: Core, call: Call) -> spec.AddFiles:
    """Keep files."""
    return spec.AddFiles(files=core.runs.add_files(call.path["ws"], call.path["id"], call.body.files))


ROUTES = (
    experiments.create(
        room(lambda core: core.runs.experiment),
        "The experiment of that name, made when there is none",
        spec.CreateExperiment,
        status=200,
        action="experiment",
    ),
    experiments.list(room(lambda core: core.runs.experiments), "Experiments, newest first", action="experiments"),
    experiments.get(room(lambda core: core.runs.get_experiment), "One experiment", action="get_experiment"),
    experiments.update(
        room(lambda core: core.runs.update_experiment),
        "Change an experiment's tags, archive it or take it back",
        spec.UpdateExperiment,
        action="update_experiment",
    ),
    experiments.delete(
        room(lambda core: core.runs.delete_experiment),
        "Delete an experiment that has no runs",
        action="delete_experiment",
    ),
    experiments.act(
        "runs", room(lambda core: core.runs.start), "Begin a run", spec.Run, spec.StartRun, status=201, action="start"
    ),
    runs.list(
        room(lambda core: core.runs.list),
        "Runs, newest first",
        Query(name="experiment", summary="Only of this experiment."),
        Query(name="parent", summary="Only the children of this run."),
    ),
    runs.get(room(lambda core: core.runs.get), "One run"),
    runs.update(
        room(lambda core: core.runs.update),
        "Change a run: its state, names, tags; properties can only be added",
        spec.UpdateRun,
    ),
    runs.act("metrics", log, "Log values", None, spec.LogMetrics, action="log"),
    runs.parts("metrics", room(lambda core: core.runs.metrics), "What a run logged, in its order", spec.Metric),
    runs.act(
        "files",
        add_files,
        "Keep files of a run; their blobs are in the store already",
        spec.AddFiles,
        spec.AddFiles,
        action="add_files",
    ),
    runs.parts("files", room(lambda core: core.runs.files), "A run's files by path", ManifestFile),
)
