"""Steps of a pipeline: values as given."""

from __future__ import annotations

from typing import Any

from ..unsupported import refusing

_BATCH = "Pipelines are not run: score a file with a deployed service, or call the script's run() yourself."


@refusing("", {_BATCH: "create_node(self, graph, default_datastore, context)"})
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


@refusing(
    "ParallelRunStep",
    {
        _BATCH: """
            create_module_def(self, execution_type, input_bindings, output_bindings, param_defs=None,
                create_sequencing_ports=True, allow_reuse=True, version=None, arguments=None)
        """,
    },
)
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


class _Given(PipelineStep):
    """A step of which only the name is known."""

    def __init__(self, *args: Any, **given: Any) -> None:
        super().__init__(given.pop("name", args[0] if args and isinstance(args[0], str) else None), **given)


_NAMES = """
    AdlaStep AutoMLStep AzureBatchStep CommandStep DataTransferStep DatabricksStep EstimatorStep HyperDriveStep
    HyperDriveStepRun ModuleStep MpiStep RScriptStep SynapseSparkStep
"""
for _name in _NAMES.split():
    _members = {"__doc__": "SDK v1's step of that name.", "__module__": __name__, "step_type": _name}
    globals()[_name] = type(_name, (_Given,), _members)
