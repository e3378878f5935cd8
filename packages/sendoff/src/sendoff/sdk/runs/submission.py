"""Running a training script as a run: a process of its own on this machine, with the interpreter that submits it.

Training is not what Sendoff is for; this is as much of it as a notebook needs that trains a small model and deploys it.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ...spec import run as spec
from ..exceptions import ExperimentExecutionException, as_sdk_errors
from ..given import texts
from ..saying import say
from ..unsupported import refuse
from . import run_process

if TYPE_CHECKING:
    from .experiment import Experiment
    from .run import Run

LOG = "azureml-logs/70_driver_log.txt"
_IGNORED = (".git", ".azureml", "__pycache__", ".ipynb_checkpoints", "outputs", "logs")


def submit(experiment: Experiment, config: Any, tags: dict[str, str] | None = None, parent: str | None = None) -> Run:
    """Start a configuration's script in a copy of its folder; see `Experiment.submit`."""
    script = getattr(config, "script", None) or getattr(config, "entry_script", None)
    command = getattr(config, "command", None)
    if not script and not command:
        refuse(
            f"Experiment.submit of a {type(config).__name__}",
            "Run the training script itself, then Model.register or Run.register_model what it wrote.",
        )
    folder = Path(getattr(config, "source_directory", None) or ".").resolve()
    if script and not (folder / str(script)).is_file():
        raise ExperimentExecutionException(
            f"script {script!r} is not in {folder}", hint="source_directory is the folder, script the path within it."
        )
    arguments = [str(getattr(one, "_as_argument", lambda one=one: one)()) for one in config.arguments or ()]
    target = getattr(config, "_target_name", "local")
    body = spec.StartRun(
        type="azureml.scriptrun",
        status=spec.NOT_STARTED,
        parent=parent,
        tags=texts(tags),
        details={"script": str(script or ""), "arguments": arguments, "target": target},
    )
    workspace = experiment.workspace
    with as_sdk_errors(ExperimentExecutionException):
        view = workspace._client.start_run(workspace.name, experiment.name, body)
    work = Path(tempfile.mkdtemp(prefix="sendoff-run-"))
    shutil.copytree(folder, work / "source", ignore=shutil.ignore_patterns(*_IGNORED), symlinks=True)
    line = [sys.executable, "-u", str(script), *arguments] if script else [str(part) for part in command or ()]
    note = {
        "workspace": workspace.name,
        "run": view.id,
        "command": line if len(line) > 1 else ["/bin/sh", "-c", line[0]],
        "environment": {**_environment(experiment, view), **getattr(config, "_environment_variables", dict)()},
    }
    (work / "run.json").write_text(json.dumps(note))
    log = (work / "log").open("wb")
    process = subprocess.Popen(
        [sys.executable, "-m", "sendoff.sdk.runs.execute", str(work)],
        stdin=subprocess.DEVNULL,
        stdout=log,
        stderr=subprocess.STDOUT,
        start_new_session=True,
    )
    log.close()
    details = {run_process.KEY: run_process.recorded(process.pid), "folder": str(work)}
    with as_sdk_errors(ExperimentExecutionException):
        view = workspace._client.update_run(workspace.name, view.id, spec.UpdateRun(details=details))
    if target != "local":
        say(f"Run {view.id}: compute target {target!r} stands for this machine; the script runs here.")
    return workspace._run(view)


def _environment(experiment: Experiment, view: spec.Run) -> dict[str, str]:
    workspace = experiment.workspace
    return {
        "AZUREML_RUN_ID": view.id,
        "AZUREML_EXPERIMENT_ID": experiment.id,
        "AZUREML_ARM_PROJECT_NAME": experiment.name,
        "AZUREML_ARM_WORKSPACE_NAME": workspace.name,
        "AZUREML_ARM_SUBSCRIPTION": workspace.subscription_id,
        "AZUREML_ARM_RESOURCEGROUP": workspace.resource_group,
        "AZUREML_OUTPUT_DIRECTORY": "outputs",
    }


class Output:
    """Prints what a run's script has printed since the last look."""

    def __init__(self, run: Run) -> None:
        self._file = Path(str(run._view.details.get("folder", ""))) / "log"
        self._run = run
        self._at = 0

    def show(self) -> None:
        """The new lines; nothing when they are not on this machine."""
        try:
            with self._file.open("rb") as log:
                log.seek(self._at)
                new = log.read()
        except OSError:
            new = b""
            if self._at == 0 and self._run._view.status in spec.FINAL:
                kept = [file for file in self._run._files() if file.path == LOG]
                new = self._run._text(kept[0]).encode() if kept else b""
        self._at += len(new)
        if new:
            say(new.decode("utf-8", "replace").rstrip("\n"))
