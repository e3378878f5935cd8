"""The environment: what has to be installed for an entry script to run (spec/behaviour.md sec. 3)."""

from __future__ import annotations

from typing import Any

from .parse import Spec

DEFAULT_VARIABLES = {"EXAMPLE_ENV_VAR": "EXAMPLE_VALUE"}


class PythonSpec(Spec):
    """The Python part: conda packages, channels and pip lines, or an interpreter that the user manages."""

    user_managed_dependencies: bool = False
    interpreter_path: str = "python"
    conda_name: str = "project_environment"
    channels: list[str] = []
    conda_packages: list[str] = []
    """conda match specs, ``python=3.6.2`` among them."""
    pip_packages: list[str] = []
    """requirement lines and pip options, in the file's order."""
    base_conda_environment: str | None = None


class DockerSpec(Spec):
    """The image part; only targets that build images read it."""

    enabled: bool = False
    base_image: str | None = None
    base_dockerfile: str | None = None
    base_image_registry: dict[str, str | None] = {}
    arguments: list[str] = []
    shared_volumes: bool = True
    shm_size: str | None = "2g"
    gpu_support: bool = False
    extra_steps: str | None = None


class EnvironmentSpec(Spec):
    """An environment's whole definition. Equal definitions have equal digests, whatever their names."""

    name: str
    version: str | None = None
    python: PythonSpec = PythonSpec()
    docker: DockerSpec = DockerSpec()
    environment_variables: dict[str, str] = {}
    inferencing_stack_version: str | None = None
    spark: dict[str, Any] = {}
    databricks: dict[str, Any] = {}
    r: dict[str, Any] | None = None


class Environment(Spec):
    """A registered environment version as the API shows it."""

    name: str
    version: str
    digest: str
    spec: EnvironmentSpec
    created_time: float
    lock_digest: str | None = None
