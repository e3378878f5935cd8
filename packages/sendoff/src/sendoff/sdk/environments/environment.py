"""The environment (spec/surface.md sec. 2.13)."""

from __future__ import annotations

import builtins
import shutil
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ...client import Transfer
from ...errors import AlreadyExists, InvalidInput, NotSupported
from ...spec import environment as spec
from ...spec import environment_files as files
from ...spec.environment_conda import conda_from_value
from ...spec.environment_elsewhere import for_here
from ...spec.parse import replace
from ..exceptions import UserErrorException, as_sdk_errors, raised_as
from ..given import texts
from ..saying import say
from ..unsupported import refusing
from .sections import (
    ContainerRegistry,
    DatabricksSection,
    DockerSection,
    PythonSection,
    RSection,
    SparkSection,
)

if TYPE_CHECKING:
    from ..workspace import Workspace


@refusing(
    "Environment",
    {
        "Name the version: Environment.get(workspace, name, version).": """
            label(workspace, name, version, labels)
        """,
        "Use Environment.from_dockerfile.": """
            from_docker_build_context(name: str, docker_build_context: object) -> Environment
        """,
        "There is no image: an environment is built as packages, by Environment.build.": """
            get_image_details(self, workspace: Workspace)
        """,
    },
)
class Environment:
    """What an entry script needs to run. Change its sections freely; `register` and deploying take it as it is then.

    Args:
        name: Letters, digits, blanks, ``-``, ``_``, ``.``; ``AzureML…`` and ``Microsoft…`` cannot be registered.
    """

    def __init__(self, name: str, **_: Any) -> None:
        self.name = name
        self.version: str | None = None
        self.python = PythonSection()
        self.docker = DockerSection()
        self.spark = SparkSection()
        self.databricks = DatabricksSection()
        self.r: RSection | None = None
        self.inferencing_stack_version: str | None = None
        self.asset_id: str | None = None
        self.environment_variables: dict[str, str] = dict(spec.DEFAULT_VARIABLES)
        self._registered: spec.EnvironmentSpec | None = None

    @classmethod
    def _of(cls, found: spec.EnvironmentSpec) -> Environment:
        made = cls(found.name)
        made.version = found.version
        made.python = PythonSection._of(found.python)
        made.docker = DockerSection._of(found.docker)
        made.spark, made.databricks = SparkSection(found.spark), DatabricksSection(found.databricks)
        made.r = RSection(found.r) if found.r is not None else None
        made.inferencing_stack_version = found.inferencing_stack_version
        made.environment_variables = dict(found.environment_variables)
        return made

    @classmethod
    def _of_view(cls, view: spec.Environment) -> Environment:
        made = cls._of(replace(view.spec, name=view.name, version=view.version))
        made._registered = made._spec()
        return made

    def _spec(self) -> spec.EnvironmentSpec:
        return spec.EnvironmentSpec(
            name=self.name,
            version=self.version,
            python=self.python._spec(),
            docker=self.docker._spec(),
            environment_variables=texts(self.environment_variables),
            inferencing_stack_version=self.inferencing_stack_version,
            spark=self.spark._value(),
            databricks=self.databricks._value(),
            r=self.r._value() if self.r is not None else None,
        )

    @staticmethod
    @as_sdk_errors(UserErrorException)
    def from_conda_specification(
        name: str,
        file_path: str,
        as_of: str | None = None,
        ignore_local: bool = False,
        ignore_windows: bool = False,
    ) -> Environment:
        """From a conda YAML file.

        Args:
            name: Its name.
            file_path: The file.
            as_of: Which day's packages are looked at, ``"2021-03-31"``, ``"auto"`` or ``"never"``; None is as the
                file says.
            ignore_local: Of lines that pip freeze wrote inside conda (``six @ file:///…/work``), take the names.
            ignore_windows: Leave out packages that are for Windows alone.

        Raises:
            UserErrorException: The file is missing or wrong; the message names the place in it.
        """
        notes: list[str] = []
        found = files.read_conda_file(file_path, name=name, notes=notes)
        made = Environment._of(for_here(found, ignore_local=ignore_local, ignore_windows=ignore_windows))
        made.python.as_of = as_of or made.python.as_of
        _say_all(notes)
        return made

    @staticmethod
    @as_sdk_errors(UserErrorException)
    def from_pip_requirements(
        name: str,
        file_path: str,
        pip_version: str | None = None,
        as_of: str | None = None,
        ignore_local: bool = False,
        ignore_windows: bool = False,
    ) -> Environment:
        """From a requirements file; ``-r`` and ``-c`` are followed. The Python is the running one's version.

        Args:
            name: Its name.
            file_path: The file.
            pip_version: Not installed: a listed pip is not needed to run a script.
            as_of: As for `from_conda_specification`, and so are the others.
            ignore_local: See there.
            ignore_windows: See there.

        Raises:
            UserErrorException: The file is missing or wrong; the message names the line.
        """
        from .conda_dependencies import RUNNING_PYTHON

        notes: list[str] = []
        found = files.read_requirements_file(file_path, name=name, notes=notes)
        found = for_here(found, ignore_local=ignore_local, ignore_windows=ignore_windows)
        _say_all(notes)
        packages = [f"python={RUNNING_PYTHON}", *([f"pip={pip_version}"] if pip_version else [])]
        made = Environment._of(replace(found, python=replace(found.python, conda_packages=packages)))
        made.python.as_of = as_of or made.python.as_of
        return made

    @staticmethod
    @as_sdk_errors(UserErrorException)
    def from_existing_conda_environment(name: str, conda_environment_name: str) -> Environment | None:
        """From a conda environment on this machine; None when there is none of that name.

        Raises:
            UserErrorException: No conda is here.
        """
        tool = next((path for one in ("conda", "mamba", "micromamba") if (path := shutil.which(one))), None)
        if tool is None:
            raise InvalidInput(
                "no conda, mamba or micromamba is on this machine",
                hint="Export the environment where it is ('conda env export') and use from_conda_specification.",
            )
        done = subprocess.run(
            [tool, "env", "export", "--no-builds", "-n", conda_environment_name],
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode != 0:
            say(f"Could not export conda environment {conda_environment_name!r}: {done.stderr.strip()}")
            return None
        from ...spec.parse import parse_text

        value = parse_text(done.stdout, f"conda environment {conda_environment_name}")
        python, variables = conda_from_value(value, where=f"conda environment {conda_environment_name}")
        return Environment._of(spec.EnvironmentSpec(name=name, python=python, environment_variables=variables))

    @staticmethod
    @as_sdk_errors(UserErrorException)
    def from_docker_image(
        name: str,
        image: str,
        container_registry: ContainerRegistry | None = None,
        conda_specification: str | None = None,
        pip_requirements: str | None = None,
    ) -> Environment:
        """On a base image; with neither file the image's own Python is used as it is."""
        made = _from_files(name, conda_specification, pip_requirements)
        made.docker.enabled, made.docker.base_image = True, image
        if container_registry is not None:
            made.docker.base_image_registry = container_registry
        return made

    @staticmethod
    @as_sdk_errors(UserErrorException)
    def from_dockerfile(
        name: str, dockerfile: str, conda_specification: str | None = None, pip_requirements: str | None = None
    ) -> Environment:
        """On a Dockerfile: its path, or its text."""
        made = _from_files(name, conda_specification, pip_requirements)
        made.docker.enabled, made.docker.base_image = True, None
        is_path = "\n" not in dockerfile and Path(dockerfile).is_file()
        made.docker.base_dockerfile = Path(dockerfile).read_text(encoding="utf-8") if is_path else dockerfile
        return made

    @staticmethod
    @as_sdk_errors(UserErrorException)
    def get(workspace: Workspace, name: str, version: str | None = None, label: str | None = None) -> Environment:
        """A registered environment; no version means the newest.

        Raises:
            UserErrorException: There is none, or ``label`` is another than ``latest``.
        """
        if label not in (None, "latest"):
            raise NotSupported(f"label {label!r} is not known", hint="Known: 'latest'; or give version.")
        asked = None if version is None else str(version)
        return Environment._of_view(workspace._client.environment(workspace.name, name, asked))

    @staticmethod
    @as_sdk_errors(UserErrorException)
    def list(workspace: Workspace) -> dict[str, Environment]:
        """The newest version of each registered environment, by name."""
        return {view.name: Environment._of_view(view) for view in workspace._client.environments(workspace.name)}

    @as_sdk_errors(UserErrorException)
    def register(self, workspace: Workspace) -> Environment:
        """Store it as the next version; an equal definition keeps its version.

        Raises:
            UserErrorException: The name is reserved or not allowed, or a package line is wrong.
        """
        body = Transfer(workspace._client).put_environment(replace(self._spec(), version=None))
        return Environment._of_view(workspace._client.register_environment(workspace.name, body))

    @as_sdk_errors(UserErrorException)
    def clone(self, new_name: str) -> Environment:
        """A copy under a new name, without version."""
        return Environment._of(replace(self._spec(), name=new_name, version=None))

    def save_to_directory(self, path: str, overwrite: bool = False) -> None:
        """Write ``azureml_environment.json``, ``conda_dependencies.yml`` and perhaps ``BaseDockerfile``.

        Raises:
            FileExistsError: One of them is there and ``overwrite`` is False (it is a UserErrorException, too).
        """
        with as_sdk_errors(UserErrorException):
            try:
                files.save_to_directory(self._spec(), path, overwrite=overwrite)
            except AlreadyExists as error:
                raise raised_as(UserErrorException, error, FileExistsError) from None

    @staticmethod
    @as_sdk_errors(UserErrorException)
    def load_from_directory(path: str) -> Environment:
        """Read what `save_to_directory`, or SDK v1, wrote.

        Raises:
            UserErrorException: A file is missing or wrong.
        """
        return Environment._of(files.load_from_directory(path))

    @as_sdk_errors(UserErrorException)
    def build(self, workspace: Workspace, image_build_compute: str | None = None) -> ImageBuildDetails:
        """Register, resolve and build it where the API runs, and wait for the end.

        Raises:
            UserErrorException: It cannot be resolved or built; the message has the tool's last lines.
        """
        lines: builtins.list[str] = []
        view = self.register(workspace)
        built = workspace._client.build_environment(workspace.name, view.name, view.version, lines.append)
        return ImageBuildDetails(built.python, lines)

    @as_sdk_errors(UserErrorException)
    def build_local(self, workspace: Workspace, platform: str | None = None, **_: Any) -> str:
        """As `build`, saying its progress; gives the path of the built interpreter."""
        view = self.register(workspace)
        return workspace._client.build_environment(workspace.name, view.name, view.version, say).python

    @staticmethod
    @as_sdk_errors(UserErrorException)
    def add_private_pip_wheel(workspace: Workspace, file_path: str, exist_ok: bool = False) -> str:
        """A line for `CondaDependencies.add_pip_package` that installs a wheel of this machine.

        Args:
            workspace: Its store keeps the wheel: what is installed is this one, whatever lies there later.
            file_path: The wheel.
            exist_ok: Not used: the same wheel is kept once, and another one of its name beside it.

        Raises:
            UserErrorException: There is no such file.
        """
        wheel = Path(file_path)
        if not wheel.is_file():
            raise UserErrorException(f"{wheel} is not a file", hint="Give the path of a wheel.")
        (kept,) = Transfer(workspace._client).put_files([(wheel.name, wheel)])
        return f"{wheel.resolve().as_uri()}#{kept.digest.replace(':', '=')}"

    def __repr__(self) -> str:
        return f"Environment(name={self.name!r}, version={self.version!r})"


class ImageBuildDetails:
    """A finished build."""

    def __init__(self, python: str, lines: builtins.list[str]) -> None:
        self.python = python
        self.status = "Succeeded"
        self._lines = lines

    def wait_for_completion(self, show_output: bool = True) -> ImageBuildDetails:
        """It is complete; ``show_output`` prints what happened."""
        if show_output:
            _say_all(self._lines)
        return self

    def get_log(self) -> str:
        """What happened, as text."""
        return "\n".join(self._lines)


def _from_files(name: str, conda_specification: str | None, pip_requirements: str | None) -> Environment:
    if conda_specification and pip_requirements:
        raise InvalidInput("conda_specification and pip_requirements exclude each other", hint="Give one of the two.")
    if conda_specification:
        return Environment.from_conda_specification(name, conda_specification)
    if pip_requirements:
        return Environment.from_pip_requirements(name, pip_requirements)
    made = Environment(name)
    made.python.user_managed_dependencies = True
    return made


def _say_all(lines: builtins.list[str]) -> None:
    for line in lines:
        say(line)
