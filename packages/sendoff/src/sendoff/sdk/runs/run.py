"""The run: what one execution of a script logged and kept (spec/surface.md sec. 2.15)."""

from __future__ import annotations

import builtins
import os
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any

from ...spec import run as spec
from ...spec.run import model_files
from ..exceptions import (
    ActivityFailedException,
    ExperimentExecutionException,
    UserErrorException,
    WebserviceException,
    as_sdk_errors,
)
from ..given import texts
from ..model_payload import registration
from ..saying import say
from . import run_process
from .facts import Facts, fits
from .files import RunFiles
from .offline import _OfflineRun, outside
from .recording import Recording, collected

if TYPE_CHECKING:
    from ..model import Model
    from ..workspace import Workspace
    from .experiment import Experiment

_POLL = 0.2


class Run(Facts, RunFiles, Recording):
    """A recorded run: of `Experiment.start_logging` or `Experiment.submit`, or an earlier one by its id.

    Args:
        experiment: What it belongs to.
        run_id: Its id.
        outputs: A folder whose files are kept when the run ends.

    Raises:
        ExperimentExecutionException: There is no run of that id.
    """

    def __init__(self, experiment: Experiment, run_id: str, outputs: str | None = None, **_: Any) -> None:
        self._workspace = experiment.workspace
        self._outputs = outputs
        with as_sdk_errors(ExperimentExecutionException):
            self._view = self._workspace._client.get_run(self._workspace.name, run_id)
        self._run_id = self._view.id
        self._experiment: Experiment | None = experiment

    @classmethod
    def _of(cls, workspace: Workspace, view: spec.Run, outputs: str | None = None) -> Run:
        made = cls.__new__(cls)
        made._workspace, made._view, made._outputs = workspace, view, outputs
        made._run_id, made._experiment = view.id, None
        return made

    @staticmethod
    @as_sdk_errors(ExperimentExecutionException)
    def get(workspace: Workspace, run_id: str) -> Run:
        """The run of that id.

        Raises:
            ExperimentExecutionException: There is none.
        """
        return Run._of(workspace, workspace._client.get_run(workspace.name, run_id))

    @classmethod
    def get_context(cls, allow_offline: bool = True, used_for_context_manager: bool = False, **_: Any) -> Any:
        """The run that this script is part of; outside of one, a stand-in that prints.

        Args:
            allow_offline: False asks for a recorded run.
            used_for_context_manager: Not used.

        Raises:
            RunEnvironmentException: There is no run and ``allow_offline`` is False.
        """
        run_id, workspace_name = os.environ.get("AZUREML_RUN_ID"), os.environ.get("AZUREML_ARM_WORKSPACE_NAME")
        if not run_id or not workspace_name or run_id.startswith("OfflineRun_"):
            if not allow_offline:
                raise outside()
            return _OfflineRun()
        from ... import Workspace  # by its public name: this begins with nothing, as a user's script does

        workspace = Workspace(
            os.environ.get("AZUREML_ARM_SUBSCRIPTION", ""),
            os.environ.get("AZUREML_ARM_RESOURCEGROUP", ""),
            workspace_name,
        )
        return Run.get(workspace, run_id)

    @classmethod
    def get_submitted_run(cls, **_: Any) -> Any:
        """The old name of `get_context`."""
        return cls.get_context()

    @staticmethod
    def list(
        experiment: Experiment,
        type: str | None = None,
        tags: Any = None,
        properties: Any = None,
        status: str | None = None,
        include_children: bool = False,
    ) -> builtins.list[Run]:
        """Runs of an experiment that match, newest first."""
        workspace = experiment.workspace
        with as_sdk_errors(ExperimentExecutionException):
            views = workspace._client.runs(workspace.name, experiment=experiment.name)
        return [
            Run._of(workspace, view)
            for view in views
            if (include_children or view.parent is None) and _matches(view, type, tags, properties, status)
        ]

    @staticmethod
    def list_by_compute(
        compute: Any, type: str | None = None, tags: Any = None, properties: Any = None, status: str | None = None
    ) -> Iterator[Run]:
        """Runs that were submitted to a compute target."""
        workspace = compute.workspace
        for view in workspace._client.runs(workspace.name):
            if view.details.get("target") == compute.name and _matches(view, type, tags, properties, status):
                yield Run._of(workspace, view)

    @staticmethod
    def add_type_provider(runtype: str, run_factory: Any) -> None:
        """Not used here: a run is a `Run`."""

    @property
    def experiment(self) -> Experiment:
        """What it belongs to."""
        if self._experiment is None:
            self._experiment = self._workspace._experiment(self._view.experiment)
        return self._experiment

    @property
    def workspace(self) -> Workspace:
        """Where it is."""
        return self._workspace

    @property
    def parent(self) -> Run | None:
        """The run that it is a part of; None when it is none's."""
        return Run.get(self._workspace, self._view.parent) if self._view.parent else None

    def get_details(self) -> dict[str, Any]:
        """Its facts, under SDK v1's keys."""
        self._read()
        view = self._view
        return {
            "runId": view.id,
            "target": view.details.get("target", "local"),
            "status": view.status,
            "startTimeUtc": _iso(view.start_time),
            "endTimeUtc": _iso(view.end_time),
            "properties": dict(view.properties),
            "inputDatasets": [],
            "outputDatasets": [],
            "runDefinition": {
                key: view.details[key] for key in ("script", "arguments", "target") if key in view.details
            },
            "logFiles": {name: name for name in self.get_file_names() if name.startswith("azureml-logs/")},
            **({"error": view.error} if view.error else {}),
        }

    def get_details_with_logs(self) -> dict[str, Any]:
        """The facts with the text of each log."""
        details = self.get_details()
        store = {file.path: file for file in self._files()}
        for name in details["logFiles"]:
            details["logFiles"][name] = self._text(store[name])
        return details

    def get_metrics(
        self, name: str | None = None, recursive: bool = False, run_type: str | None = None, populate: bool = False
    ) -> dict[str, Any]:
        """What it logged, by name: a value, or a list of them when the name was logged more than once.

        Args:
            name: Only this name.
            recursive: Those of its children too.
            run_type: Only children of this type.
            populate: Not used.
        """
        with as_sdk_errors(ExperimentExecutionException):
            found = collected(self._workspace._client.run_metrics(self._workspace.name, self._run_id))
        if recursive:
            for child in self.get_children(recursive=True, type=run_type):
                found = {**child.get_metrics(), **found}
        return found if name is None else {key: value for key, value in found.items() if key == name}

    def get_children(
        self,
        recursive: bool = False,
        tags: Any = None,
        properties: Any = None,
        type: str | None = None,
        status: str | None = None,
        **_: Any,
    ) -> Iterator[Run]:
        """Its children that match, newest first."""
        with as_sdk_errors(ExperimentExecutionException):
            views = self._workspace._client.runs(self._workspace.name, parent=self._run_id)
        for view in views:
            child = Run._of(self._workspace, view)
            if _matches(view, type, tags, properties, status):
                yield child
            if recursive:
                yield from child.get_children(True, tags, properties, type, status)

    # What it does

    def _record(self, metric: spec.Metric) -> None:
        with as_sdk_errors(ExperimentExecutionException):
            self._workspace._client.log_metrics(self._workspace.name, self._run_id, [metric])

    def tag(self, key: str, value: str | None = None) -> None:
        """Add one tag."""
        self._change(add_tags={key: "" if value is None else str(value)})

    def set_tags(self, tags: dict[str, str]) -> None:
        """Add tags, or change their values."""
        self._change(add_tags=texts(tags))

    def remove_tags(self, tags: builtins.list[str]) -> None:
        """Remove tags by key."""
        self._change(remove_tags=[*tags])

    def add_properties(self, properties: dict[str, str]) -> None:
        """Add properties.

        Raises:
            ExperimentExecutionException: A property is set already to another value.
        """
        self._change(add_properties=texts(properties))

    def child_run(self, name: str | None = None, run_id: str | None = None, outputs: str | None = None) -> Run:
        """Begin a run that is a part of this one."""
        body = spec.StartRun(id=run_id, display_name=name or "", parent=self._run_id)
        with as_sdk_errors(ExperimentExecutionException):
            view = self._workspace._client.start_run(self._workspace.name, self._view.experiment, body)
        return Run._of(self._workspace, view, outputs)

    def create_children(
        self, count: int | None = None, tag_key: str | None = None, tag_values: builtins.list[str] | None = None
    ) -> builtins.list[Run]:
        """Begin several children: so many, or one for each value of a tag."""
        if (count is None) == (tag_values is None):
            raise UserErrorException("create_children needs either count, or tag_key and tag_values")
        children = [self.child_run() for _ in range(count if count is not None else len(tag_values or ()))]
        for child, value in zip(children, tag_values or (), strict=False):
            child.tag(str(tag_key), value)
        return children

    def submit_child(self, config: Any, tags: dict[str, str] | None = None, **_: Any) -> Run:
        """Run a script as a part of this run."""
        from .submission import submit

        return submit(self.experiment, config, tags, parent=self._run_id)

    def start(self) -> None:
        """It runs."""
        self._change(status=spec.RUNNING)

    def complete(self, _set_status: bool = True, **_: Any) -> None:
        """It has done its work; files of its ``outputs`` folder are kept."""
        self._keep_outputs()
        self._change(status=spec.COMPLETED)

    def fail(self, error_details: Any = None, error_code: str | None = None, **_: Any) -> None:
        """It has failed.

        Args:
            error_details: Text or an exception.
            error_code: A word for it.
        """
        self._keep_outputs()
        error = {"code": error_code or "UserError", "message": str(error_details or "")}
        self._change(status=spec.FAILED, error={"error": error})

    def cancel(self) -> None:
        """End it; a submitted script is ended with its process."""
        self._read()
        if self._view.status in spec.FINAL:
            return
        self._change(status=spec.CANCELED)
        run_process.end(self._view.details)

    def flush(self, timeout_seconds: int = 300) -> None:
        """Nothing waits: what is logged is kept at once."""

    def clean(self) -> builtins.list[str]:
        """Nothing is left to be removed."""
        return []

    def wait_for_completion(
        self, show_output: bool = False, wait_post_processing: bool = False, raise_on_error: bool = True, **_: Any
    ) -> dict[str, Any]:
        """Wait until it has ended.

        Args:
            show_output: Print what its script prints.
            wait_post_processing: Not used.
            raise_on_error: Raise when it failed.

        Raises:
            ActivityFailedException: It failed; the text has the end of its output.
        """
        from .submission import Output

        output = Output(self) if show_output else None
        if show_output:
            say(f"RunId: {self._run_id}")
        while True:
            status = self.get_status()
            if output is not None:
                output.show()
            if status in spec.FINAL:
                break
            time.sleep(_POLL)
        if status == spec.FAILED and raise_on_error:
            error = (self._view.error or {}).get("error", {})
            raise ActivityFailedException(
                f"ActivityFailedException: run {self._run_id} failed: {error.get('message', '')}",
                details=self._view.error,
            )
        return self.get_details()

    @as_sdk_errors(WebserviceException)
    def register_model(
        self,
        model_name: str,
        model_path: str | None = None,
        tags: dict[str, str] | None = None,
        properties: dict[str, str] | None = None,
        model_framework: str | None = None,
        model_framework_version: str | None = None,
        description: str | None = None,
        datasets: Any = None,
        sample_input_dataset: Any = None,
        sample_output_dataset: Any = None,
        resource_configuration: Any = None,
        **kwargs: Any,
    ) -> Model:
        """Register a file or folder that the run keeps as the next version of a model.

        Args:
            model_name: 1 to 255 letters, digits, ``-``, ``_``, ``.``.
            model_path: Its path within the run, for example ``outputs/model.pkl``; None takes the model's name.
            tags: Changeable later.
            properties: Can only be added to later.
            model_framework: One of `Model.Framework`.
            model_framework_version: As text.
            description: Free text.
            datasets: ``(scenario, data set)`` pairs.
            sample_input_dataset: A data set or its id.
            sample_output_dataset: A data set or its id.
            resource_configuration: What a no-code deployment takes.
            **kwargs: Not used.

        Raises:
            WebserviceException: The run keeps nothing under that path, or a value is not allowed.
        """
        given = {k: v for k, v in locals().items() if k not in ("self", "kwargs", "model_name", "model_path")}
        from ..model import Model

        path = model_path or model_name
        # No file is moved: the version names the run's own blobs.
        files = model_files(self._files(), path)
        last = path.rstrip("/").rpartition("/")[2]
        say(f"Registering model {model_name} from run {self.id}: {last} ({len(files)} file{'s' * (len(files) > 1)})")
        body = registration(model_name, files, **given, experiment_name=self._view.experiment, run_id=self.id)
        return Model._of(self._workspace, self._workspace._client.register_model(self._workspace.name, body))

    def _keep_outputs(self) -> None:
        if self._outputs and Path(self._outputs).is_dir():
            self.upload_folder("outputs", self._outputs)

    def _text(self, file: Any) -> str:
        import tempfile

        with tempfile.TemporaryDirectory() as folder:
            target = Path(folder) / "log"
            self._fetch([(file, target)])
            return target.read_text(encoding="utf-8", errors="replace")

    def __enter__(self) -> Run:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, where: TracebackType | None
    ) -> None:
        if self.get_status() in spec.FINAL:
            return
        self.complete() if error is None else self.fail(error)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Run) and other._run_id == self._run_id

    def __hash__(self) -> int:
        return hash(self._run_id)

    def __repr__(self) -> str:
        return (
            f"Run(Experiment: {self._view.experiment},\nId: {self._run_id},\nType: {self._view.type},\n"
            f"Status: {self._view.status})"
        )


def get_run(experiment: Experiment, run_id: str, rehydrate: bool = True, clean_up: bool = True) -> Run:
    """The run of that id, as SDK v1's function of that name gave it."""
    return Run(experiment, run_id)


def _matches(view: spec.Run, kind: str | None, tags: Any, properties: Any, status: str | None) -> bool:
    return (
        (kind is None or view.type == kind)
        and (status is None or view.status == status)
        and fits(view.tags, tags)
        and fits(view.properties, properties)
    )


def _iso(when: float | None) -> str | None:
    return None if when is None else datetime.fromtimestamp(when, UTC).isoformat().replace("+00:00", "Z")
