"""The run of a script that nobody submitted: what it logs is printed, what it keeps stays in the folder."""

from __future__ import annotations

import shutil
import uuid
from pathlib import Path
from types import TracebackType
from typing import Any

from ...spec.run import Metric
from ..exceptions import RunEnvironmentException
from ..given import texts
from ..saying import say
from .recording import Recording


class _OfflineRun(Recording):
    """What `Run.get_context` gives outside a run. It has no experiment and no workspace, as in SDK v1."""

    def __init__(self, parent: _OfflineRun | None = None, run_id: str | None = None) -> None:
        self._run_id = run_id or f"OfflineRun_{uuid.uuid4()}"
        self._tags: dict[str, str] = {}
        self._properties: dict[str, str] = {}
        self._status = "Running"
        self.parent = parent

    @property
    def id(self) -> str:
        """``OfflineRun_`` and a unique part."""
        return self._run_id

    @property
    def name(self) -> str:
        """The same as `id`."""
        return self._run_id

    @property
    def experiment(self) -> Any:
        """None: scripts tell an offline run by this.

        Raises:
            AttributeError: Always.
        """
        raise AttributeError(
            "an offline run has no experiment: this script was not started by Experiment.submit. "
            "Make one with Experiment(workspace, name).start_logging(), or test run.id for 'OfflineRun'."
        )

    def _record(self, metric: Metric) -> None:
        say(f"Attempted to log {metric.kind} metric {metric.name}:\n{metric.value}")

    def _keep_bytes(self, name: str, data: bytes) -> None:
        say(f"Attempted to keep file {name} ({len(data)} bytes); an offline run keeps nothing")

    def upload_file(self, name: str, path_or_stream: Any, datastore_name: str | None = None) -> None:
        """Say which file would be kept."""
        say(f"Attempted to upload file {name} from {path_or_stream}")

    def upload_files(
        self,
        names: list[str],
        paths: list[str],
        return_artifacts: bool = False,
        timeout_seconds: int | None = None,
        datastore_name: str | None = None,
    ) -> None:
        """Say which files would be kept."""
        for name, path in zip(names, paths, strict=True):
            self.upload_file(name, path)

    def upload_folder(self, name: str, path: str, datastore_name: str | None = None) -> None:
        """Say which folder would be kept."""
        say(f"Attempted to upload folder {name} from {path}")

    def download_file(self, name: str, output_file_path: str | None = None, **_: Any) -> None:
        """Copy a file of the current folder, which is where an offline run's files are.

        Raises:
            FileNotFoundError: It is not there.
        """
        target = Path(output_file_path or Path(name).name)
        target.parent.mkdir(parents=True, exist_ok=True)
        if target.resolve() != Path(name).resolve():
            shutil.copyfile(name, target)

    def get_context(self, allow_offline: bool = True, **_: Any) -> _OfflineRun:
        """Itself.

        Raises:
            RunEnvironmentException: ``allow_offline`` is False.
        """
        if not allow_offline:
            raise outside()
        return self

    def tag(self, key: str, value: str | None = None) -> None:
        """Keep a tag as long as the object lives."""
        self._tags[key] = "" if value is None else str(value)

    def set_tags(self, tags: dict[str, str]) -> None:
        """Keep tags as long as the object lives."""
        self._tags.update(texts(tags))

    def remove_tags(self, tags: list[str]) -> None:
        """Drop tags."""
        for key in tags:
            self._tags.pop(key, None)

    def get_tags(self) -> dict[str, str]:
        """Its tags."""
        return dict(self._tags)

    @property
    def tags(self) -> dict[str, str]:
        """Its tags."""
        return dict(self._tags)

    def add_properties(self, properties: dict[str, str]) -> None:
        """Keep properties as long as the object lives."""
        self._properties.update(texts(properties))

    def get_properties(self) -> dict[str, str]:
        """Its properties."""
        return dict(self._properties)

    @property
    def properties(self) -> dict[str, str]:
        """Its properties."""
        return dict(self._properties)

    def get_metrics(self, *_: Any, **__: Any) -> dict[str, Any]:
        """Nothing: what was logged was printed."""
        return {}

    def get_file_names(self) -> list[str]:
        """Nothing is kept."""
        return []

    def get_status(self) -> str:
        """Running, until it is completed or failed."""
        return self._status

    def get_details(self) -> dict[str, Any]:
        """Its id and state."""
        return {"runId": self._run_id, "status": self._status, "target": "local"}

    def child_run(self, name: str | None = None, run_id: str | None = None, outputs: str | None = None) -> _OfflineRun:
        """Another offline run."""
        return _OfflineRun(self, run_id)

    def create_children(
        self, count: int | None = None, tag_key: str | None = None, tag_values: list[str] | None = None
    ) -> list[_OfflineRun]:
        """Several offline runs."""
        return [_OfflineRun(self) for _ in range(count if count is not None else len(tag_values or ()))]

    def start(self) -> None:
        """Nothing to do."""

    def complete(self, **_: Any) -> None:
        """It is completed."""
        self._status = "Completed"

    def fail(self, error_details: Any = None, error_code: str | None = None, **_: Any) -> None:
        """It has failed."""
        self._status = "Failed"

    def cancel(self) -> None:
        """It is cancelled."""
        self._status = "Canceled"

    def flush(self, timeout_seconds: int = 300) -> None:
        """Nothing waits."""

    def wait_for_completion(self, *_: Any, **__: Any) -> dict[str, Any]:
        """Nothing to wait for."""
        return self.get_details()

    def __enter__(self) -> _OfflineRun:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, where: TracebackType | None
    ) -> None:
        self.complete() if error is None else self.fail(error)

    def __repr__(self) -> str:
        return f"Run(Id: {self._run_id}, offline)"


def outside() -> RunEnvironmentException:
    """The error of a script that asks for its run and has none."""
    return RunEnvironmentException(
        "this script is not part of a run: AZUREML_RUN_ID is not set",
        hint="Start it with Experiment.submit, or take the offline run: Run.get_context().",
    )
