"""The settable parts of an environment (spec/surface.md sec. 2.13)."""

from __future__ import annotations

from typing import Any

from ...spec.environment import AUTO, DockerSpec, PythonSpec, check_as_of
from ...spec.environment_files import read_conda_file
from ...spec.parse import replace
from ...spec.values import camel
from .conda_dependencies import CondaDependencies

DEFAULT_CPU_IMAGE = "mcr.microsoft.com/azureml/openmpi4.1.0-ubuntu20.04"
DEFAULT_GPU_IMAGE = "mcr.microsoft.com/azureml/openmpi4.1.0-cuda11.1-cudnn8-ubuntu20.04"
"""Names that scripts read; no target of Sendoff pulls them."""


_AS_GIVEN = "enabled base_image base_dockerfile shared_volumes gpu_support shm_size"
"""What an image's section and its spec have in common."""


class ContainerRegistry:
    """Where a private base image is."""

    def __init__(self) -> None:
        self.address: str | None = None
        self.username: str | None = None
        self.password: str | None = None
        self.registry_identity: object = None


class PythonSection:
    """Packages, or the interpreter that the user manages.

    ``as_of`` says which day's packages are looked at: ``"2021-03-31"``, ``"auto"``, ``"never"``; None is as the conda
    dependencies say, and ``auto`` where they say nothing (docs/environments.md).
    """

    def __init__(self) -> None:
        self.user_managed_dependencies = False
        self.interpreter_path = "python"
        self.conda_dependencies: CondaDependencies | None = CondaDependencies()
        self.conda_dependencies_file: str | None = None
        self.base_conda_environment: str | None = None
        self.as_of: str | None = None

    def _spec(self) -> PythonSpec:
        if self.conda_dependencies_file:
            python = read_conda_file(self.conda_dependencies_file).python
        else:
            python = self.conda_dependencies._python if self.conda_dependencies is not None else PythonSpec()
        return replace(
            python,
            user_managed_dependencies=self.user_managed_dependencies,
            interpreter_path=self.interpreter_path,
            base_conda_environment=self.base_conda_environment,
            as_of=python.as_of if self.as_of is None else check_as_of(self.as_of, where="Environment.python"),
        )

    @classmethod
    def _of(cls, spec: PythonSpec) -> PythonSection:
        made = cls()
        made.user_managed_dependencies = spec.user_managed_dependencies
        made.interpreter_path = spec.interpreter_path
        made.base_conda_environment = spec.base_conda_environment
        made.as_of = None if spec.as_of == AUTO else spec.as_of
        plain = replace(spec, user_managed_dependencies=False, interpreter_path="python", base_conda_environment=None)
        made.conda_dependencies = CondaDependencies._of(plain)
        return made


class DockerImagePlatform:
    """The image's system and processor."""

    def __init__(self, os: str = "Linux", architecture: str = "amd64") -> None:
        self.os = os
        self.architecture = architecture


class DockerSection:
    """The image; only targets that build images read it."""

    def __init__(self) -> None:
        default = DockerSpec()
        self.enabled = default.enabled
        self.base_image: str | None = default.base_image
        self.base_dockerfile: str | None = default.base_dockerfile
        self.base_image_registry = ContainerRegistry()
        self.build_context: object = None
        self.platform = DockerImagePlatform()
        self.shared_volumes = default.shared_volumes
        self.gpu_support = default.gpu_support
        self.arguments: list[str] = []
        self.shm_size: str | None = default.shm_size
        self._extra_steps: str | None = None

    def _spec(self) -> DockerSpec:
        registry = self.base_image_registry
        given = {"address": registry.address, "username": registry.username, "password": registry.password}
        return DockerSpec(
            base_image_registry={key: value for key, value in given.items() if value is not None},
            arguments=list(self.arguments),
            extra_steps=self._extra_steps,
            **{name: getattr(self, name) for name in _AS_GIVEN.split()},
        )

    @classmethod
    def _of(cls, spec: DockerSpec) -> DockerSection:
        made = cls()
        for name in _AS_GIVEN.split():
            setattr(made, name, getattr(spec, name))
        made.arguments, made._extra_steps = list(spec.arguments), spec.extra_steps
        for key, value in spec.base_image_registry.items():
            setattr(made.base_image_registry, key, value)
        return made


class _Fields:
    """Named lists that are kept and given back under their file's names, which are theirs in camelCase."""

    _names = ""

    def __init__(self, content: dict[str, Any] | None = None) -> None:
        self._content = dict(content or {})
        for name in self._names.split():
            setattr(self, name, self._content.get(camel(name), []))

    def _value(self) -> dict[str, Any]:
        set_ = {camel(name): getattr(self, name) for name in self._names.split() if getattr(self, name)}
        return {**self._content, **set_}


class SparkSection(_Fields):
    """Kept for the file form; no target runs Spark."""

    _names = "repositories packages precache_packages"


class DatabricksSection(_Fields):
    """Kept for the file form."""

    _names = "maven_libraries pypi_libraries rcran_libraries jar_libraries egg_libraries"


class RSection(_Fields):
    """Kept for the file form."""

    _names = """
        r_version user_managed rscript_path snapshot_date cran_packages github_packages custom_url_packages
        bioconductor_packages
    """
