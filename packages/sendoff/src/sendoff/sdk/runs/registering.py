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
def register_from_run(
    run: Run,
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
) -> Model:
    """The next version of a model from a run's file or folder; see `Run.register_model`.

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
        registration(
            model_name,
            files,
            tags,
            properties,
            description,
            model_framework,
            model_framework_version,
            resource_configuration,
            datasets,
            sample_input_dataset,
            sample_output_dataset,
            experiment_name=run._view.experiment,
            run_id=run.id,
        ),
    )
    return Model._of(run.workspace, view)
