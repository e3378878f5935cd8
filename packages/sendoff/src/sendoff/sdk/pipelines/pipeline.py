"""The pipeline: it can be described; submitting and publishing are refused (spec/surface.md sec. 2.16)."""

from __future__ import annotations

import builtins
from typing import TYPE_CHECKING, Any

from ..runs.run import Run
from ..unsupported import refusing

if TYPE_CHECKING:
    from ..workspace import Workspace

_INSTEAD = "Run the steps' scripts yourself: Experiment.submit(ScriptRunConfig(…)) runs one on this machine."
_NONE = "No pipeline is kept, so none can be looked up. " + _INSTEAD


@refusing(
    "Pipeline",
    {
        _INSTEAD: """
            graph
            load_yaml(workspace, filename) -> Pipeline
            submit(self, experiment_name, pipeline_parameters=None, continue_on_step_failure=False,
                regenerate_outputs=False, parent_run_id=None, credential_passthrough=None, **_) -> PipelineRun
            publish(self, name=None, description=None, version=None,
                continue_on_step_failure=None) -> PublishedPipeline
            service_endpoint(self)
        """,
    },
)
class Pipeline:
    """Steps in their order.

    Args:
        workspace: Where it would run.
        steps: The steps.
        description: Free text.
        default_datastore: Where its data would be.
        default_source_directory: Folder of its scripts.
        resolve_closure: Not used.
    """

    def __init__(
        self,
        workspace: Workspace,
        steps: builtins.list[Any],
        description: str | None = None,
        default_datastore: Any = None,
        default_source_directory: str | None = None,
        resolve_closure: bool = True,
        **_: Any,
    ) -> None:
        self.workspace = workspace
        self.steps = steps
        self.description = description
        self.default_datastore = default_datastore
        self.default_source_directory = default_source_directory

    def validate(self) -> builtins.list[Any]:
        """Problems that could be told without running: none are looked for."""
        return []


class _PartRun(Run):
    """Where runs of pipelines and of their steps are called otherwise than plain runs."""

    def complete(self) -> None:  # type: ignore[override]
        """It has done its work."""
        super().complete()

    def fail(self) -> None:  # type: ignore[override]
        """It has failed."""
        super().fail()

    def wait_for_completion(  # type: ignore[override]
        self, show_output: bool = True, timeout_seconds: int = 9223372036854775807, raise_on_error: bool = True
    ) -> str:
        """Wait until it has ended; its state."""
        super().wait_for_completion(show_output, raise_on_error=raise_on_error)
        return self.get_status()


@refusing(
    "PipelineRun",
    {
        _NONE: """
            get_graph(self)
            get_pipeline_output(self, pipeline_output_name)
            publish_pipeline(self, name, description, version, continue_on_step_failure=None,
                **_) -> PublishedPipeline
            save(self, path=None)
        """,
    },
)
class PipelineRun(_PartRun):
    """A run of a pipeline: none is made here, so that what a plain run cannot answer is refused."""

    def __init__(self, experiment: Any, run_id: str, **kwargs: Any) -> None:
        super().__init__(experiment, run_id, **kwargs)

    @staticmethod
    def get(workspace: Workspace, run_id: str) -> Run:
        """The run of that id, as a plain run.

        Raises:
            ExperimentExecutionException: There is none.
        """
        return Run.get(workspace, run_id)

    @staticmethod
    def get_pipeline_runs(workspace: Workspace, pipeline_id: str) -> builtins.list[PipelineRun]:
        """None."""
        return []

    def find_step_run(self, name: str) -> builtins.list[StepRun]:
        """None."""
        return []

    def get_steps(self) -> builtins.list[StepRun]:
        """None."""
        return []


@refusing(
    "StepRun",
    {
        _NONE: """
            get_output(self, name)
            get_output_data(self, name)
        """,
    },
)
class StepRun(_PartRun):
    """A run of a step: none is made here."""

    def __init__(self, experiment: Any, step_run_id: str, pipeline_run_id: str, node_id: str, **_: Any) -> None:
        super().__init__(experiment, step_run_id)
        self._pipeline_run_id = pipeline_run_id
        self.node_id = node_id

    @property
    def pipeline_run_id(self) -> str:
        """What it was a part of."""
        return self._pipeline_run_id

    def get_job_log(self) -> str:
        """What it printed."""
        return self.get_stdout_log()

    def get_stdout_log(self) -> str:
        """What it printed."""
        from ..runs.submission import LOG

        return "".join(self._text(file) for file in self._files() if file.path == LOG)

    def get_stderr_log(self) -> str:
        """What it printed: both streams are one."""
        return self.get_stdout_log()

    def get_outputs(self) -> dict[str, Any]:
        """None."""
        return {}


@refusing(
    "PublishedPipeline",
    {
        _NONE: """
            __init__(self, name: str, graph_id: str, description: str, version: str, published_pipeline_id: str,
                status: str, endpoint: str, total_run_steps: int, workspace: Workspace,
                continue_on_step_failure: bool | None = None, **_: Any) -> None
            get(workspace, id) -> PublishedPipeline
            submit(self, workspace, experiment_name, pipeline_parameters=None, parent_run_id=None,
                continue_on_step_failure=None) -> PipelineRun
            disable(self)
            enable(self)
            get_graph(self)
            save(self, path=None)
        """,
    },
)
class PublishedPipeline:
    """A published pipeline: none is kept here."""

    workspace: Workspace
    name: str
    graph_id: str
    description: str
    version: str
    id: str
    status: str
    endpoint: str
    total_run_steps: int
    continue_on_step_failure: bool | None

    @staticmethod
    def get_all(workspace: Workspace, active_only: bool = True) -> builtins.list[PublishedPipeline]:
        """None."""
        return []

    @staticmethod
    def list(workspace: Workspace, active_only: bool = True) -> builtins.list[PublishedPipeline]:
        """None."""
        return []

    def get_step_names(self) -> builtins.list[str]:
        """None."""
        return []
