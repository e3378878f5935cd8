"""The inference configuration (spec/surface.md sec. 2.5)."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ...client import Transfer
from ...errors import InvalidInput, NotSupported
from ...progress import Progress
from ...spec.environment import EnvironmentSpec
from ...spec.inference import EnvironmentReference, InferenceSpec
from ...spec.parse import replace
from ..exceptions import WebserviceException, as_sdk_errors
from ..unsupported import refusing

if TYPE_CHECKING:
    from ..environments.environment import Environment
    from ..environments.sections import ContainerRegistry
    from ..workspace import Workspace

_RUNTIMES = ("python", "spark-py", "python-slim")
_CUDA = ("9.0", "9.1", "10.0")


@refusing(
    "InferenceConfig",
    {
        "Use Model.profile.": """
            build_profile_payload(self, profile_name, input_data=None, workspace=None, models=None, dataset_id=None,
                container_resource_requirements=None, description=None)
        """,
    },
)
@dataclass(eq=False, repr=False)
class InferenceConfig:
    """Entry script and environment of a deployment.

    Args:
        entry_script: Script with ``init()`` and ``run()``; relative to ``source_directory`` when given, else to the
            current folder.
        runtime: The old form: ``python``.
        conda_file: The old form: conda YAML, relative to ``source_directory`` when given.
        extra_docker_file_steps: The old form: file with Docker steps; only targets that build images read it.
        source_directory: Folder whose files all go along.
        enable_gpu: The old form of the environment's GPU flag.
        description: Free text.
        base_image: The old form of the environment's base image.
        base_image_registry: Where that image is.
        cuda_version: 9.0, 9.1 or 10.0.
        environment: The environment; excludes ``runtime`` and ``conda_file``.
        follow_links: Take what links in ``source_directory`` lead to that lead out of it; they are refused otherwise.

    Raises:
        WebserviceException: Something is missing or does not go together.
    """

    entry_script: str
    runtime: str | None = None
    conda_file: str | None = None
    extra_docker_file_steps: str | None = None
    source_directory: str | None = None
    enable_gpu: bool | None = None
    description: str | None = None
    base_image: str | None = None
    base_image_registry: ContainerRegistry | None = None
    cuda_version: str | None = None
    environment: Environment | None = None
    follow_links: bool = field(default=False, kw_only=True)

    def __post_init__(self) -> None:
        self.validate_configuration()

    @as_sdk_errors(WebserviceException)
    def validate_configuration(self) -> None:
        """Check what can be told without deploying.

        Raises:
            WebserviceException: Names the argument and what it has to be.
        """

        def wrong(field: str, how: str, hint: str) -> InvalidInput:
            return InvalidInput(f"{field} {how}", hint=hint, field=field)

        base = Path(self.source_directory) if self.source_directory else Path.cwd()
        here = f"Looked in {base.absolute()}."
        if self.source_directory and not base.is_dir():
            raise wrong("source_directory", f"{self.source_directory!r} is no folder", f"Looked in {Path.cwd()}.")
        if not self.entry_script:
            raise wrong("entry_script", "is missing", "Name a .py file.")
        script = base / self.entry_script
        if script.suffix != ".py":
            is_r = script.suffix.lower() == ".r"
            hint = "R scripts are out of scope: write init() and run() in Python." if is_r else "Name a .py file."
            raise wrong("entry_script", f"{self.entry_script!r} is not a .py file", hint)
        if not script.is_file():
            raise wrong("entry_script", f"{self.entry_script!r} does not exist", here)
        if self.environment is not None and (self.runtime or self.conda_file):
            raise wrong("environment", "excludes runtime and conda_file", "Leave the old two away.")
        if self.runtime is not None and self.runtime.lower() not in _RUNTIMES:
            raise wrong("runtime", f"{self.runtime!r} is not known", "Use 'python'.")
        if self.cuda_version is not None and self.cuda_version not in _CUDA:
            raise wrong("cuda_version", f"{self.cuda_version!r} is not known", f"Known: {', '.join(_CUDA)}.")
        for name in ("conda_file", "extra_docker_file_steps"):
            given = getattr(self, name)
            if given and not (base / given).is_file():
                raise wrong(name, f"{given!r} does not exist", here)

    @as_sdk_errors(WebserviceException)
    def validation_script_content(self) -> None:
        """Check that the entry script parses.

        Raises:
            WebserviceException: Names the line.
        """
        script = Path(self.source_directory or ".", self.entry_script)
        try:
            compile(script.read_bytes(), str(script), "exec", dont_inherit=True)
        except SyntaxError as error:
            raise InvalidInput(f"entry script {script}, line {error.lineno}: {error.msg}", where=str(script)) from None

    def _spec(self, workspace: Workspace, progress: Progress | None = None) -> InferenceSpec:
        """Check again, store the source, and say which environment; within `as_sdk_errors`."""
        self.validate_configuration()
        reference, environment = None, None
        if not self._hooks_alone():
            reference, environment = self._environment()
        transfer = Transfer(workspace._client, progress)
        environment = environment and transfer.put_environment(environment)
        source = transfer.put_source(
            self.entry_script, self.source_directory, environment, follow_links=self.follow_links
        )
        return InferenceSpec(
            source=source,
            environment=None if reference else environment,
            environment_ref=reference,
            description=self.description or "",
        )

    def _hooks_alone(self) -> bool:
        """Whether the script only adds to a model that is served without code, and no environment is named."""
        if self.environment or self.runtime or self.conda_file or self.base_image:
            return False
        return Transfer.has_hooks_alone(self.entry_script, self.source_directory)

    def _environment(self) -> tuple[EnvironmentReference | None, EnvironmentSpec]:
        from ..environments.environment import Environment

        if self.environment is not None:
            found = self.environment._spec()
            if self.environment._registered == found:  # as it was fetched: that very version
                return EnvironmentReference(name=found.name, version=found.version), found
            return None, replace(found, version=None)
        if self.runtime is None and self.conda_file is None and self.base_image is None:
            raise InvalidInput(
                "the inference configuration names no environment",
                hint="InferenceConfig(entry_script=…, environment=Environment.from_conda_specification(…))",
                field="environment",
            )
        if self.runtime is not None and self.runtime.lower() == "spark-py":
            raise NotSupported("runtime 'spark-py' cannot be served", hint="Use runtime='python'.")
        base = Path(self.source_directory or ".")
        name = f"{Path(self.entry_script).stem}-environment"
        made = (
            Environment.from_conda_specification(name, str(base / self.conda_file))
            if self.conda_file
            else Environment(name)
        )
        made.docker.base_image = self.base_image
        made.docker.gpu_support = bool(self.enable_gpu)
        if self.base_image_registry is not None:
            made.docker.base_image_registry = self.base_image_registry
        if self.extra_docker_file_steps:
            made.docker._extra_steps = (base / self.extra_docker_file_steps).read_text(encoding="utf-8")
        return None, made._spec()

    def build_create_payload(self, workspace: Workspace, name: str, model_ids: list[str]) -> dict[str, Any]:
        """The deployment's request body, as the API takes it; stores the source."""
        from ...spec.parse import to_builtins
        from ...spec.service import DeployService

        body = DeployService(name=name, models=list(model_ids), inference=self._spec(workspace))
        made: dict[str, Any] = to_builtins(body)
        return made

    def __repr__(self) -> str:
        return (
            f"InferenceConfig(entry_script={self.entry_script!r}, source_directory={self.source_directory!r}, "
            f"environment={self.environment!r})"
        )
