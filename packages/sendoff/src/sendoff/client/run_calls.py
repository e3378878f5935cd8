"""Calls about experiments and runs."""

from __future__ import annotations

from collections.abc import Sequence

from ..spec import run as spec
from ..spec.model import ManifestFile
from .caller import Caller, of


class RunCalls(Caller):
    """Experiments and runs. Methods raise `WorkspaceNotFound`, `ExperimentNotFound` or `RunNotFound`."""

    def experiment(self, workspace: str, name: str) -> spec.Experiment:
        """The experiment of that name, made when there is none."""
        body = spec.CreateExperiment(name=name)
        return self._send(spec.Experiment, "POST", of(workspace, "experiments"), body)

    def experiments(self, workspace: str) -> list[spec.Experiment]:
        """All, newest first."""
        return self._list(spec.Experiment, of(workspace, "experiments"))

    def get_experiment(self, workspace: str, name: str) -> spec.Experiment:
        """One that exists."""
        return self._get(spec.Experiment, of(workspace, "experiments", name))

    def update_experiment(self, workspace: str, name: str, body: spec.UpdateExperiment) -> spec.Experiment:
        """Change tags, archive it or take it back."""
        return self._send(spec.Experiment, "PATCH", of(workspace, "experiments", name), body)

    def delete_experiment(self, workspace: str, name: str) -> None:
        """Delete it. Raises `Conflict` when it has runs."""
        self._send(None, "DELETE", of(workspace, "experiments", name))

    def start_run(self, workspace: str, experiment: str, body: spec.StartRun) -> spec.Run:
        """Begin a run."""
        return self._send(spec.Run, "POST", of(workspace, "experiments", experiment, "runs"), body)

    def runs(self, workspace: str, *, experiment: str | None = None, parent: str | None = None) -> list[spec.Run]:
        """Runs, newest first."""
        return self._list(spec.Run, of(workspace, "runs"), experiment=experiment, parent=parent)

    def get_run(self, workspace: str, id: str) -> spec.Run:
        """One."""
        return self._get(spec.Run, of(workspace, "runs", id))

    def update_run(self, workspace: str, id: str, body: spec.UpdateRun) -> spec.Run:
        """Change it."""
        return self._send(spec.Run, "PATCH", of(workspace, "runs", id), body)

    def log_metrics(self, workspace: str, id: str, metrics: Sequence[spec.Metric]) -> None:
        """Add what it logs."""
        self._send(None, "POST", of(workspace, "runs", id, "metrics"), spec.LogMetrics(metrics=list(metrics)))

    def run_metrics(self, workspace: str, id: str) -> list[spec.Metric]:
        """What it logged, in its order."""
        return self._list(spec.Metric, of(workspace, "runs", id, "metrics"))

    def add_run_files(self, workspace: str, id: str, files: Sequence[ManifestFile]) -> list[ManifestFile]:
        """Keep files; their blobs are in the store already."""
        body = spec.AddFiles(files=list(files))
        return self._send(spec.AddFiles, "POST", of(workspace, "runs", id, "files"), body).files

    def run_files(self, workspace: str, id: str) -> list[ManifestFile]:
        """Its files, by path."""
        return self._list(ManifestFile, of(workspace, "runs", id, "files"))
