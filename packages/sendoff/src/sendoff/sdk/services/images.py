"""SDK v1's oldest form: an image configuration, before inference configurations (spec/surface.md sec. 2.17).

No image is built for it: the configuration becomes an inference configuration, and deploying goes its usual way.
"""

from __future__ import annotations

import builtins
import os
import shutil
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..exceptions import WebserviceException
from ..saying import say
from ..signatures import making
from ..unsupported import refuse, refusing
from .deploying import deploy, listed, registered
from .inference_config import InferenceConfig

if TYPE_CHECKING:
    from ..environments.sections import ContainerRegistry
    from ..workspace import Workspace
    from .webservice import Webservice

_KEPT = "Images of the oldest form live as long as the script that made them; deploy from it in the same script."


@dataclass(eq=False, repr=False)
class ContainerImageConfig:
    """What `ContainerImage.image_configuration` gives.

    Raises:
        WebserviceException: The script or another file is not there.
    """

    execution_script: str
    runtime: str
    conda_file: str | None = None
    docker_file: str | None = None
    schema_file: str | None = None
    dependencies: list[str] | None = None
    enable_gpu: bool | None = None
    tags: dict[str, str] | None = None
    properties: dict[str, str] | None = None
    description: str | None = None
    base_image: str | None = None
    base_image_registry: ContainerRegistry | None = None
    cuda_version: str | None = None

    def __post_init__(self) -> None:
        for name in ("execution_script", "runtime"):
            if not getattr(self, name):
                raise WebserviceException(
                    f"{name} is needed", hint="ContainerImage.image_configuration(execution_script=…)"
                )
        for name in ("execution_script", "conda_file", "docker_file", "schema_file"):
            value = getattr(self, name)
            if value and not Path(value).is_file():
                raise WebserviceException(f"{name} {value!r} does not exist", hint=f"Looked in {Path.cwd()}.")
        self.dependencies = list(self.dependencies or ())
        for one in self.dependencies:
            if not Path(one).exists():
                raise WebserviceException(f"dependency {one!r} does not exist", hint=f"Looked in {Path.cwd()}.")

    def inference_config(self) -> InferenceConfig:
        """The same as an inference configuration; script, dependencies and files are copied into one folder."""
        folder = Path(tempfile.mkdtemp(prefix="sendoff-image-"))
        script = Path(self.execution_script)
        shutil.copy2(script, folder / script.name)
        for one in self.dependencies or ():
            # A dependency keeps its path, as long as that lies below the current folder.
            path = Path(os.path.relpath(one))
            target = folder / (path.name if path.is_absolute() or ".." in path.parts else path)
            target.parent.mkdir(parents=True, exist_ok=True)
            if Path(one).is_dir():
                shutil.copytree(one, target, dirs_exist_ok=True)
            else:
                shutil.copy2(one, target)
        for file in (self.conda_file, self.docker_file):
            if file:
                shutil.copy2(file, folder / Path(file).name)
        if self.schema_file:
            say(f"schema_file {self.schema_file} is not used: the document is made from the script's decorators")
        return InferenceConfig(
            entry_script=script.name,
            runtime=self.runtime,
            source_directory=str(folder),
            conda_file=Path(self.conda_file).name if self.conda_file else None,
            extra_docker_file_steps=Path(self.docker_file).name if self.docker_file else None,
            enable_gpu=self.enable_gpu,
            base_image=self.base_image,
            base_image_registry=self.base_image_registry,
            cuda_version=self.cuda_version,
            description=self.description,
        )


@refusing(
    "Image",
    {
        "Use ContainerImage.image_configuration, or an InferenceConfig.": "image_configuration()",
        _KEPT: "deserialize(cls, workspace, image_payload) -> Image",
    },
)
class Image:
    """Models with an image configuration, as `Image.create` gives them. None is kept: it lives with the script.

    Args:
        workspace: Where it would be.
        name: Its name.
        id: Its id.
        tags: Not used.
        properties: Not used.
        version: Not used.

    Raises:
        FeatureNotSupported: Always; images cannot be looked up.
    """

    _config: ContainerImageConfig

    def __init__(
        self,
        workspace: Workspace,
        name: str | None = None,
        id: str | None = None,
        tags: builtins.list[Any] | None = None,
        properties: builtins.list[Any] | None = None,
        version: str | None = None,
    ) -> None:
        refuse("Looking up an image", _KEPT)

    def _fill(self, workspace: Workspace, name: str, models: builtins.list[str], config: ContainerImageConfig) -> None:
        self.workspace = workspace
        self.name = name
        self.version = 1
        self.id = f"{name}:1"
        self.created_time = datetime.now(UTC)
        self.creation_state = "Succeeded"
        self.description = config.description
        self.image_build_log_uri: str | None = None
        self.generated_dockerfile_uri: str | None = None
        self.image_flavor = "WebApiContainer"
        self.image_location: str | None = None
        self.image_type = "Docker"
        self.model_ids = models
        self.tags = dict(config.tags or {})
        self.properties = dict(config.properties or {})
        self.assets: builtins.list[Any] = []
        self.driver_program = Path(config.execution_script).name
        self.target_runtime = config.runtime
        self._config = config

    @property
    def models(self) -> builtins.list[Any]:
        """Its models."""
        return [self.workspace._model(id=one) for one in self.model_ids]

    @staticmethod
    def create(workspace: Workspace, name: str, models: Sequence[Any], image_config: ContainerImageConfig) -> Image:
        """Models with a configuration, for `Webservice.deploy_from_image`; nothing is built before that.

        Raises:
            WebserviceException: A model is not registered.
        """
        made = object.__new__(ContainerImage)
        made._fill(workspace, name, [registered(workspace, one) for one in listed(models)], image_config)
        return made

    @staticmethod
    def list(
        workspace: Workspace,
        image_name: str | None = None,
        model_name: str | None = None,
        model_id: str | None = None,
        tags: builtins.list[Any] | None = None,
        properties: builtins.list[Any] | None = None,
    ) -> builtins.list[Image]:
        """None are kept."""
        return []

    def wait_for_creation(self, show_output: bool = False) -> None:
        """Nothing to wait for: what it needs is made when it is deployed."""
        if show_output:
            say(f"Image {self.id}: Succeeded; its environment is made when it is deployed")

    def update_creation_state(self) -> None:
        """Nothing changes."""

    def add_tags(self, tags: dict[str, str]) -> None:
        """Add tags, or change their values."""
        self.tags.update(tags)

    def remove_tags(self, tags: builtins.list[str]) -> None:
        """Remove tags by key."""
        for key in tags:
            self.tags.pop(key, None)

    def add_properties(self, properties: dict[str, str]) -> None:
        """Add properties."""
        self.properties.update(properties)

    def update(self, tags: dict[str, str]) -> None:
        """Other tags."""
        self.tags = dict(tags)

    def delete(self) -> None:
        """Nothing is kept, so nothing is removed."""

    def serialize(self) -> dict[str, Any]:
        """The image as a JSON object with SDK v1's keys."""
        return {
            "id": self.id,
            "name": self.name,
            "version": self.version,
            "creationState": self.creation_state,
            "createdTime": self.created_time.isoformat(),
            "imageType": self.image_type,
            "imageFlavor": self.image_flavor,
            "imageLocation": self.image_location,
            "modelIds": self.model_ids,
            "driverProgram": self.driver_program,
            "targetRuntime": {"runtimeType": self.target_runtime},
            "tags": self.tags,
            "properties": self.properties,
            "description": self.description,
        }


@refusing(
    "ContainerImage",
    {
        "Deploy it and use Webservice.run, or try the script with 'sendoff serve'.": "run(self, input_data)",
    },
)
class ContainerImage(Image):
    """An image of a script with its models."""

    @staticmethod
    @making(ContainerImageConfig)
    def image_configuration() -> None:
        """Script and packages, in the form before `InferenceConfig`.

        Args:
            execution_script: A .py file with ``init()`` and ``run()``.
            runtime: ``python``.
            conda_file: Conda YAML.
            docker_file: Extra Docker steps; only targets that build images read them.
            schema_file: Not used: the document is made from the script's decorators.
            dependencies: Files and folders that the script needs beside it.
            enable_gpu: The environment's GPU flag.
            tags: Tags.
            properties: Properties.
            description: Free text.
            base_image: Base image of targets that build images.
            base_image_registry: Where that is.
            cuda_version: 9.0, 9.1 or 10.0.

        Raises:
            WebserviceException: A file is not there.
        """


def deploy_image_form(
    workspace: Workspace, name: str, models: Sequence[Any], image_config: Any, *how: Any
) -> Webservice:
    """`Model.deploy` for the image forms; ``how``: its parameters from ``deployment_config`` on.

    Raises:
        WebserviceException: The configuration is none of an image.
    """
    if not isinstance(image_config, ContainerImageConfig):
        raise WebserviceException(
            f"image_config is a {type(image_config).__name__}, not what ContainerImage.image_configuration gives",
            hint="Use Model.deploy with an InferenceConfig.",
        )
    return deploy(workspace, name, models, image_config.inference_config(), *how)
