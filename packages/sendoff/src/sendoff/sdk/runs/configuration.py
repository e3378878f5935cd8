"""How a training script is run, in SDK v1's forms (spec/surface.md sec. 1): values that `Experiment.submit` reads."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from ..environments.environment import Environment
from ..environments.sections import (
    ContainerRegistry,
    DockerSection,
    PythonSection,
    SparkSection,
)
from ..given import texts
from ..unsupported import refusing


@dataclass(eq=False, repr=False)
class DockerConfiguration:
    """Container settings; a script runs without a container here."""

    use_docker: bool = False
    shared_volumes: bool = True
    arguments: Sequence[str] | None = None
    shm_size: str | None = None

    def __post_init__(self) -> None:
        self.arguments = list(self.arguments or ())


@dataclass(eq=False, repr=False)
class MpiConfiguration:
    """Settings of distributed training; a script runs as one process here."""

    process_count_per_node: int = 1
    node_count: int = 1


class DataReferenceConfiguration:
    """A data reference, as given."""

    def __init__(self, datastore_name: str | None = None, mode: str = "mount", **given: Any) -> None:
        self.datastore_name = datastore_name
        self.mode = mode
        vars(self).update(given)


@refusing(
    "RunConfiguration",
    {
        "Make a ScriptRunConfig in the script.": "load(path: str, name: str | None = None) -> RunConfiguration",
    },
)
class RunConfiguration:
    """Script, arguments, target and environment of a run.

    Args:
        script: A .py file.
        arguments: Its arguments.
        framework: Python.
        communicator: Not used.
        conda_dependencies: Packages; kept, not installed: the script runs in the interpreter that submits it.
        _history_enabled: Not used.
        _path: Not used.
        _name: Not used.
        command: A command instead of a script.
    """

    def __init__(
        self,
        script: str | None = None,
        arguments: Sequence[Any] | None = None,
        framework: str | None = None,
        communicator: str | None = None,
        conda_dependencies: Any = None,
        _history_enabled: bool | None = None,
        _path: str | None = None,
        _name: str | None = None,
        command: Any = None,
    ) -> None:
        self.script = script
        self.arguments = list(arguments or ())
        self.framework = framework or "Python"
        self.communicator = communicator
        self.command = command
        self.target: Any = "local"
        self.environment = Environment("run-environment")
        if conda_dependencies is not None:
            self.environment.python.conda_dependencies = conda_dependencies
        self.docker = DockerConfiguration()
        self.mpi = MpiConfiguration()
        self.node_count = 1
        self.max_run_duration_seconds: int | None = None
        self.data: dict[str, Any] = {}
        self.data_references: dict[str, Any] = {}
        self.output_data: dict[str, Any] = {}
        self.source_directory_data_store: str | None = None
        self.environment_variables: dict[str, str] = {}

    @property
    def auto_prepare_environment(self) -> bool:
        """Nothing is prepared."""
        return False


class ScriptRunConfig:
    """A script with its folder, arguments and settings.

    Args:
        source_directory: The script's folder; it is copied before the script runs.
        script: The script's path within it.
        arguments: Its arguments.
        run_config: Settings.
        _telemetry_values: Not used.
        compute_target: A target or its name; the script runs on this machine whichever it is.
        environment: Kept, not built: the script runs in the interpreter that submits it.
        distributed_job_config: Not used.
        resume_from: Not used.
        max_run_duration_seconds: Not used.
        command: A command instead of a script.
        docker_runtime_config: Not used.
    """

    def __init__(
        self,
        source_directory: str | None = None,
        script: str | None = None,
        arguments: Sequence[Any] | None = None,
        run_config: RunConfiguration | None = None,
        _telemetry_values: Any = None,
        compute_target: Any = None,
        environment: Environment | None = None,
        distributed_job_config: Any = None,
        resume_from: Any = None,
        max_run_duration_seconds: int | None = None,
        command: Any = None,
        docker_runtime_config: Any = None,
    ) -> None:
        self.source_directory = source_directory or "."
        self.run_config = run_config or RunConfiguration()
        self.script = script or self.run_config.script
        self.arguments = list(arguments or self.run_config.arguments)
        self.command = [command] if isinstance(command, str) else command
        if environment is not None:
            self.run_config.environment = environment
        if compute_target is not None:
            self.run_config.target = compute_target
        self.resume_from = resume_from

    @property
    def _target_name(self) -> str:
        target = self.run_config.target
        return str(getattr(target, "name", target) or "local")

    def _environment_variables(self) -> dict[str, str]:
        given = {**self.run_config.environment.environment_variables, **self.run_config.environment_variables}
        return texts(given)


class Estimator(ScriptRunConfig):
    """A script with its arguments as a dict; SDK v1's framework estimators are the same here.

    Args:
        source_directory: The script's folder.
        compute_target: A target or its name; the script runs on this machine whichever it is.
        entry_script: The script's path within it.
        script_params: Names and values of its arguments.
        environment_definition: Kept, not built.
        **given: Packages and other settings, kept as they are.
    """

    def __init__(
        self,
        source_directory: str,
        *,
        compute_target: Any = None,
        entry_script: str | None = None,
        script_params: dict[str, Any] | None = None,
        environment_definition: Environment | None = None,
        **given: Any,
    ) -> None:
        arguments: list[Any] = []
        for key, value in (script_params or {}).items():
            arguments += [key] if value in ("", None) else [key, value]
        super().__init__(
            source_directory,
            entry_script,
            arguments,
            compute_target=compute_target,
            environment=environment_definition,
        )
        self.entry_script = entry_script
        self.given = given


# Names of 2018 and 2019 for the same things.
EnvironmentDefinition = Environment
PythonEnvironment = PythonSection
DockerEnvironment = DockerSection
SparkEnvironment = SparkSection
AzureContainerRegistry = ContainerRegistry
