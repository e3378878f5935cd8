"""Which base image an environment means, and who we are at the registry that it comes from."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING

from ..containers.engine import Engine
from ..containers.registries import Credentials, Logins, host_of, split_reference
from ..errors import InvalidInput
from ..spec.environment import VENDORS_IMAGES, EnvironmentSpec
from ..spec.settings import Settings
from . import base_image
from .base_image import BaseImage
from .image_steps import last_base, with_steps

if TYPE_CHECKING:
    from .image_request import ImageRequest


def find_base(request: ImageRequest, engine: Engine) -> tuple[BaseImage, list[str]]:
    """The image to build upon, with the user's own Docker steps done, and notes on it.

    Raises:
        InvalidInput: It does not exist or cannot be pulled; or the definition names two.
        EnvironmentFailed: A Docker step failed.
    """
    reference, notes = base_reference(request.spec, request.store.settings)
    docker, home, source = request.spec.docker, request.store.home, request.source(engine)
    if docker.base_dockerfile is None and docker.extra_steps is None:
        return base_image.inspect(source, reference, home=home), notes
    text = docker.base_dockerfile if docker.base_dockerfile is not None else f"FROM {reference}\n"
    return with_steps(source, text, docker.extra_steps or "", home=home, supply=request.supply), notes


def base_reference(spec: EnvironmentSpec, settings: Settings) -> tuple[str, list[str]]:
    """The base image's name: the environment's own, else the setting's.

    Raises:
        InvalidInput: The environment has both ``baseImage`` and ``baseDockerfile``.
    """
    docker = spec.docker
    if docker.base_image is None:
        return settings.base_image, []
    if docker.base_image.startswith(VENDORS_IMAGES):
        note = (
            f"the vendor's base image {docker.base_image} brings nothing that is needed: {settings.base_image} is used"
        )
        return settings.base_image, [note]
    if docker.base_dockerfile is not None:
        raise InvalidInput(
            "the environment has both docker.baseImage and docker.baseDockerfile",
            hint="Set one of them to null.",
            field="base_dockerfile",
        )
    address = re.sub(r"\A\w+://", "", docker.base_image_registry.get("address") or "").rstrip("/")
    if address and not docker.base_image.startswith(f"{address}/"):
        return f"{address}/{docker.base_image}", []
    return docker.base_image, []


def base_registry(spec: EnvironmentSpec, settings: Settings) -> str | None:
    """The registry that the base image comes from: ``host[:port]``, ``docker.io`` for names that have none."""
    dockerfile = spec.docker.base_dockerfile
    reference = base_reference(spec, settings)[0] if dockerfile is None else last_base(dockerfile)
    return None if reference is None else split_reference(reference)[0]


def logins_of(
    spec: EnvironmentSpec, settings: Settings, environ: Mapping[str, str], credentials: tuple[str, str] | None = None
) -> Logins:
    """Who we are at registries while an environment's image is made.

    Args:
        spec: The environment; ``baseImageRegistry`` names the registry that the credentials are for.
        settings: ``image_registry`` is where images go.
        environ: As ``os.environ``.
        credentials: User and password that the environment was given with.
    """
    given: dict[str, Credentials] = {}
    if credentials is not None:
        address = spec.docker.base_image_registry.get("address")
        host = host_of(address) if address else split_reference(spec.docker.base_image or "")[0]
        given[host] = Credentials(username=credentials[0], password=credentials[1])
    return Logins(environ, own=settings.image_registry, given=given)
