"""Calls about experiments and runs."""

from __future__ import annotations

from collections.abc import Sequence

from ..spec.model import ManifestFile
from ..spec.run import (
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
from .caller import Caller, q


class RunCalls(Caller):
    """Experiments and runs. Methods raise `WorkspaceNotFound`, `ExperimentNotFound` or `RunNotFound`."""

    def experiment(self, workspace: str, name: str) -> Experiment:
        """The experiment of that name, made when there is none."""
        body = CreateExperiment(name=name)
        return self._send(Experiment, "POST", f"/workspaces/{q(workspace)}/experiments", body)

    def experiments(self, workspace: str) -> list[Experiment]:
        """All, newest first."""
        return self._list(Experiment, f"/workspaces/{q(workspace)}/experiments")

    def get_experiment(self, workspace: str, name: str) -> Experiment:
        """One that exists."""
        return self._get(Experiment, f"/workspaces/{q(workspace)}/experiments/{q(name)}")

    def update_experiment(self, workspace: str, name: str, body: UpdateExperiment) -> Experiment:
        """Change tags, archive it or take it back."""
        return self._send(Experiment, "PATCH", f"/workspaces/{q(workspace)}/experiments/{q(name)}", body)

    def delete_experiment(self, workspace: str, name: str) -> None:
        """Delete it. Raises `Conflict` when it has runs."""
        self._send(None, "DELETE", f"/workspaces/{q(workspace)}/experiments/{q(name)}")

    def start_run(self, workspace: str, experiment: str, body: StartRun) -> Run:
        """Begin a run."""
        return self._send(Run, "POST", f"/workspaces/{q(workspace)}/experiments/{q(experiment)}/runs", body)

    def runs(self, workspace: str, *, experiment: str | None = None, parent: str | None = None) -> list[Run]:
        """Runs, newest first."""
        return self._list(Run, f"/workspaces/{q(workspace)}/runs", experiment=experiment, parent=parent)

    def get_run(self, workspace: str, id: str) -> Run:
        """One."""
        return self._get(Run, _run(workspace, id))

    def update_run(self, workspace: str, id: str, body: UpdateRun) -> Run:
        """Change it."""
        return self._send(Run, "PATCH", _run(workspace, id), body)

    def log_metrics(self, workspace: str, id: str, metrics: Sequence[Metric]) -> None:
        """Add what it logs."""
        self._send(None, "POST", f"{_run(workspace, id)}/metrics", LogMetrics(metrics=list(metrics)))

    def run_metrics(self, workspace: str, id: str) -> list[Metric]:
        """What it logged, in its order."""
        return self._list(Metric, f"{_run(workspace, id)}/metrics")

    def add_run_files(self, workspace: str, id: str, files: Sequence[ManifestFile]) -> list[ManifestFile]:
        """Keep files; their blobs are in the store already."""
        return self._send(AddFiles, "POST", f"{_run(workspace, id)}/files", AddFiles(files=list(files))).files

    def run_files(self, workspace: str, id: str) -> list[ManifestFile]:
        """Its files, by path."""
        return self._list(ManifestFile, f"{_run(workspace, id)}/files")


def _run(workspace: str, id: str) -> str:
    return f"/workspaces/{q(workspace)}/runs/{q(id)}"
