"""Steps of a pipeline: values as given."""

from __future__ import annotations

from typing import Any

from ..unsupported import refuse

_BATCH = "Pipelines are not run: score a file with a deployed service, or call the script's run() yourself."


class PipelineStep:
    """Base of all steps."""

    step_type = "PipelineStep"

    def __init__(self, name: str | None, **given: Any) -> None:
        self.name = name
        self.run_after_steps: list[PipelineStep] = []
        vars(self).update(given)

    def run_after(self, step: PipelineStep) -> None:
        """After that one."""
        self.run_after_steps.append(step)

    def create_node(self, graph: Any, default_datastore: Any, context: Any) -> Any:
        """Not here.

        Raises:
            FeatureNotSupported: Always.
        """
        refuse(f"{type(self).__name__}.create_node", _BATCH)


class PythonScriptStep(PipelineStep):
    """A script as a step."""

    step_type = "PythonScriptStep"

    def __init__(
        self,
        script_name: str,
        name: str | None = None,
        arguments: list[Any] | None = None,
        compute_target: Any = None,
        runconfig: Any = None,
        runconfig_pipeline_params: dict[str, Any] | None = None,
        inputs: list[Any] | None = None,
        outputs: list[Any] | None = None,
        params: dict[str, str] | None = None,
        source_directory: str | None = None,
        allow_reuse: bool = True,
        version: str | None = None,
        hash_paths: list[str] | None = None,
    ) -> None:
        given = {key: value for key, value in locals().items() if key not in ("self", "name", "__class__")}
        super().__init__(name or script_name, **given)


class ParallelRunStep(PipelineStep):
    """A batch step."""

    step_type = "ParallelRunStep"

    def __init__(
        self,
        name: str,
        parallel_run_config: Any,
        inputs: Any,
        output: Any = None,
        side_inputs: Any = None,
        arguments: list[str] | None = None,
        allow_reuse: bool = True,
        **_: Any,
    ) -> None:
        given = {key: value for key, value in locals().items() if key not in ("self", "name", "_", "__class__")}
        super().__init__(name, **given)

    def create_module_def(
        self,
        execution_type: str,
        input_bindings: list[Any],
        output_bindings: list[Any],
        param_defs: list[Any] | None = None,
        create_sequencing_ports: bool = True,
        allow_reuse: bool = True,
        version: str | None = None,
        arguments: list[Any] | None = None,
    ) -> Any:
        """Not here.

        Raises:
            FeatureNotSupported: Always.
        """
        refuse("ParallelRunStep.create_module_def", _BATCH)
