"""An image in a registry, named by its manifest's digest: for targets whose servers pull what they run."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from ..containers.engine import connect
from ..containers.labels import HOME, home_id
from ..errors import InvalidInput
from ..packaging import image as images
from ..packaging.image_push import push
from ..packaging.image_request import ImageRequest
from ..progress import Progress
from ..targets.base import PUSHED_IMAGE, Artefact, Preparation

if TYPE_CHECKING:
    from ..environments.service import Environments
    from ..store import Store


def make(
    store: Store,
    environments: Environments,
    preparation: Preparation,
    progress: Progress,
    *,
    repository: str,
    models: Literal["baked", "mounted"],
) -> Artefact:
    """Make a service's image and push it.

    Raises:
        InvalidInput: The setting ``image_registry`` names no registry, or the base image does not exist.
        Unauthorized: A registry does not let us in.
        Unreachable: A registry does not answer.
        EnvironmentFailed: Packages cannot be fetched or built, or no Python fits.
    """
    name = f"{registry_of(store)}/{repository}"
    spec, lock = preparation.environment, preparation.lock
    request = ImageRequest(
        store=store,
        bundle=store.home / "bundles" / preparation.bundle,
        lock=lock,
        spec=spec,
        supply=environments.supply(lock, progress),
        models=models,
        labels={HOME: home_id(store.home)},
        credentials=environments.image_credentials(spec),
    )
    engine = connect(request.supply.environ)
    ready = images.prepare(request, engine)
    digest = push(
        request.source(engine), ready.base, ready.parts, ready.config, f"{name}:{preparation.bundle[:16]}",
        home=store.home,
    )  # fmt: skip
    return Artefact(
        kind=PUSHED_IMAGE,
        reference=f"{name}@{digest}",
        python=ready.python,
        notes=ready.notes,
        summary=f"{name}@{digest[:19]}",
    )


def registry_of(store: Store) -> str:
    """The registry that images go to, ``host[:port][/path]``.

    Raises:
        InvalidInput: No setting names one.
    """
    registry = (store.settings.image_registry or "").rstrip("/")
    if not registry:
        raise InvalidInput(
            "the setting image_registry names no registry for this service's image",
            hint='Type: export SENDOFF_IMAGE_REGISTRY=HOST[:PORT]/PATH; or write image_registry = "HOST[:PORT]/PATH" '
            f"in {store.home / 'settings.toml'}.",
            field="image_registry",
        )
    return registry
