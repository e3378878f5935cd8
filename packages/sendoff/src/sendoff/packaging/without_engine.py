"""Whether an image can be made and pushed without a container engine, and upon which base: known before it is built."""

from __future__ import annotations

from ..containers.engine import answers
from ..errors import ImageNeedsEngine, InvalidInput, Unauthorized, Unreachable
from .base_choice import base_reference
from .base_in_registry import RegistryBase, inspect
from .image import ImagePlan
from .image_request import ImageRequest

_HINT = "Start a container engine here (Docker or Podman), or "


def registry_base(request: ImageRequest) -> tuple[RegistryBase, list[str]] | None:
    """The base image in its registry, with notes; None where an engine has to help, and one answers.

    Without a lock nothing is said of the environment's packages. The bundle is not looked at.

    Raises:
        ImageNeedsEngine: A step can be done in a container alone, and no engine answers.
        InvalidInput: There is no such base image.
        Unauthorized: Its registry does not let us in.
        Unreachable: Its registry does not answer.
        EnvironmentFailed: No Python fits, or conda packages want a newer C library than the base has.
    """
    try:
        return _without(request)
    except (ImageNeedsEngine, InvalidInput, Unauthorized, Unreachable) as error:
        # What an engine has needs no registry; and it can run what cannot be told.
        if answers(request.supply.environ):
            return None
        if error.context.get("field") == "image":
            error.context |= {"field": "base_image", "reported_code": "image_missing"}
            error.hint = "Choose another base image: docker.baseImage, or the setting base_image."
        raise


def _without(request: ImageRequest) -> tuple[RegistryBase, list[str]]:
    docker, spec = request.spec.docker, request.spec
    if docker.base_dockerfile is not None or docker.extra_steps is not None:
        what = "docker.baseDockerfile" if docker.base_dockerfile is not None else "extra Docker steps"
        raise ImageNeedsEngine(
            f"the environment {spec.name!r} has {what}, which only a container engine can do, and none answers here",
            hint=f"{_HINT}push an image in which they are done and name it: docker.baseImage.",
            field="base_dockerfile" if docker.base_dockerfile is not None else "extra_steps",
        )
    reference, notes = base_reference(spec, request.store.settings)
    base = inspect(request.registries, reference, home=request.store.home)
    if what := ImagePlan(request, base.image).inside():
        raise ImageNeedsEngine(
            f"the image upon {reference} needs a container engine, and none answers here: {what}",
            hint=f"{_HINT}choose another base image (docker.baseImage, or the setting base_image), or make images on a "
            "machine that fits it.",
            base_image=reference,
        )
    return base, notes
