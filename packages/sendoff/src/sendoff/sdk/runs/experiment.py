"""The experiment: a name that runs are kept under (spec/surface.md sec. 2.15)."""

from __future__ import annotations

import builtins
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from ...spec import run as spec
from ..exceptions import ExperimentExecutionException, UserErrorException, as_sdk_errors
from ..given import texts
from .facts import fits

if TYPE_CHECKING:
    from ..workspace import Workspace
    from .run import Run


class Experiment:
    """An experiment of a workspace, made when there is none of that name.

    Args:
        workspace: Where it is.
        name: 1 to 255 letters, digits, ``-``, ``_`` or ``.``.

    Raises:
        UserErrorException: No name for an experiment.
    """

    def __init__(self, workspace: Workspace, name: str, **_: Any) -> None:
        self._workspace = workspace
        with as_sdk_errors(UserErrorException):
            self._view = workspace._client.experiment(workspace.name, name)

    @classmethod
    def _of(cls, workspace: Workspace, view: spec.Experiment) -> Experiment:
        made = cls.__new__(cls)
        made._workspace, made._view = workspace, view
        return made

    @property
    def name(self) -> str:
        """Its name."""
        return self._view.name

    @property
    def id(self) -> str:
        """Its id."""
        return self._view.id

    @property
    def workspace(self) -> Workspace:
        """Where it is."""
        return self._workspace

    @property
    def workspace_object(self) -> Workspace:
        """The old name of `workspace`."""
        return self._workspace

    @property
    def tags(self) -> dict[str, str]:
        """Its tags."""
        return dict(self._view.tags)

    @property
    def archived_time(self) -> str | None:
        """When it was archived; None while it is active."""
        when = self._view.archived_time
        return None if when is None else datetime.fromtimestamp(when, UTC).isoformat()

    @staticmethod
    @as_sdk_errors(UserErrorException)
    def list(
        workspace: Workspace, experiment_name: str | None = None, view_type: Any = "ActiveOnly", tags: Any = None
    ) -> builtins.list[Experiment]:
        """Experiments, newest first.

        Args:
            workspace: Where to look.
            experiment_name: Only this name.
            view_type: ActiveOnly, ArchivedOnly or All.
            tags: A key, or a dict of keys and values; all must match.
        """
        wanted = str(getattr(view_type, "value", view_type)).lower()
        return [
            Experiment._of(workspace, view)
            for view in workspace._client.experiments(workspace.name)
            if (experiment_name is None or view.name == experiment_name)
            and fits(view.tags, tags)
            and (wanted == "all" or (view.archived_time is not None) == (wanted == "archivedonly"))
        ]

    @staticmethod
    @as_sdk_errors(UserErrorException)
    def delete(workspace: Workspace, experiment_id: str) -> None:
        """Delete an experiment without runs.

        Raises:
            UserErrorException: There is none of that id, or it has runs.
        """
        for view in workspace._client.experiments(workspace.name):
            if view.id == experiment_id:
                workspace._client.delete_experiment(workspace.name, view.name)
                return
        raise UserErrorException(
            f"no experiment with id {experiment_id!r}", hint="Experiment.list shows those there are."
        )

    @staticmethod
    def from_directory(path: str, auth: object = None) -> Experiment:
        """The experiment named after the folder whose configuration file names the workspace."""
        from pathlib import Path

        from ... import Workspace  # by its public name: this begins with nothing, as a user's script does

        return Experiment(Workspace.from_config(path, auth), Path(path).resolve().name)

    def start_logging(self, *args: Any, **kwargs: Any) -> Run:
        """Begin a run in this process; use it as a context manager, or `Run.complete` it.

        Args:
            *args: Not used.
            **kwargs: ``outputs`` names a folder whose files are kept when the run ends; ``display_name``; ``run_id``;
                ``snapshot_directory`` is taken and not kept.
        """
        from .run import Run

        body = spec.StartRun(id=kwargs.get("run_id"), display_name=kwargs.get("display_name") or "")
        with as_sdk_errors(ExperimentExecutionException):
            view = self._workspace._client.start_run(self._workspace.name, self.name, body)
        return Run._of(self._workspace, view, outputs=kwargs.get("outputs"))

    def submit(self, config: Any, tags: dict[str, str] | None = None, **kwargs: Any) -> Run:
        """Run a script on this machine, with this interpreter, and return at once; `Run.wait_for_completion` waits.

        Args:
            config: A `ScriptRunConfig`, or an estimator with a script.
            tags: Tags of the run.
            **kwargs: Not used.

        Raises:
            ExperimentExecutionException: The script is not there.
            FeatureNotSupported: Pipelines, AutoML and hyperparameter searches.
        """
        from .submission import submit

        return submit(self, config, tags)

    def get_runs(
        self, type: str | None = None, tags: Any = None, properties: Any = None, include_children: bool = False
    ) -> Iterator[Run]:
        """Its runs that match, newest first."""
        from .run import Run

        return iter(Run.list(self, type=type, tags=tags, properties=properties, include_children=include_children))

    def set_tags(self, tags: dict[str, str]) -> None:
        """Add tags, or change their values."""
        self._change(add_tags=texts(tags))

    def tag(self, key: str, value: str | None = None) -> None:
        """Add one tag."""
        self._change(add_tags={key: "" if value is None else str(value)})

    def remove_tags(self, tags: builtins.list[str]) -> None:
        """Remove tags by key."""
        self._change(remove_tags=[*tags])

    def archive(self) -> None:
        """Hide it from lists; its runs stay."""
        self._change(archived=True)

    def reactivate(self, new_name: str | None = None) -> None:
        """Show it again. A new name is not given: runs name their experiment."""
        self._change(archived=False)

    @as_sdk_errors(UserErrorException)
    def refresh(self) -> None:
        """Read it anew."""
        self._view = self._workspace._client.get_experiment(self._workspace.name, self.name)

    @as_sdk_errors(UserErrorException)
    def _change(self, **changes: Any) -> None:
        body = spec.UpdateExperiment(**changes)
        self._view = self._workspace._client.update_experiment(self._workspace.name, self.name, body)

    def get_portal_url(self) -> str:
        """Where its runs are kept: there is no portal, so the store is named."""
        return f"{self._workspace._client.where} (experiment {self.name})"

    def __repr__(self) -> str:
        return f"Experiment(Name: {self.name},\nWorkspace: {self._workspace.name})"
