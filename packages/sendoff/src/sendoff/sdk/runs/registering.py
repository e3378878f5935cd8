"""Registering a model from what a run keeps: no file is moved, the version names the run's own blobs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ...spec.run import model_files
from ..exceptions import WebserviceException, as_sdk_errors
from ..model_payload import registration
from ..saying import say

if TYPE_CHECKING:
    from ..model import Model
    from .run import Run


@as_sdk_errors(WebserviceException)
def register_from_run(run: Run, model_name: str, model_path: str | None = None, **given: Any) -> Model:
    """The next version of a model from a run's file or folder; `Run.register_model` says what may be given.

    Raises:
        WebserviceException: The run keeps nothing under that path.
    """
    from ..model import Model

    path = model_path or model_name
    files = model_files(run._files(), path)
    last = path.rstrip("/").rpartition("/")[2]
    say(f"Registering model {model_name} from run {run.id}: {last} ({len(files)} file{'s' * (len(files) > 1)})")
    view = run.workspace._client.register_model(
        run.workspace.name,
        registration(model_name, files, **given, experiment_name=run._view.experiment, run_id=run.id),
    )
    return Model._of(run.workspace, view)
