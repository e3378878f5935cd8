"""What an image is made of: a bundle and its locked environment, with packages and a base image from where."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from ..containers.engine import Engine
from ..containers.registries import Logins
from ..environments.indexes import Supply
from ..spec.environment import EnvironmentSpec, Lock
from .base_choice import logins_of
from .base_in_registry import Registries
from .image_pull import ImageSource

if TYPE_CHECKING:
    from ..store import Store


@dataclass(frozen=True, kw_only=True)
class ImageRequest:
    """An image, or a folder to build one from, that is asked for.

    Args:
        store: The home and its settings.
        bundle: The bundle's folder.
        lock: Its environment; None when the user manages it (``userManagedDependencies``).
        spec: The environment's definition: base image, Docker steps, variables.
        supply: Where packages come from, and who is told what is done.
        models: ``mounted`` leaves ``/var/azureml-app/azureml-models`` empty, for a read-only mount of the bundle's own
            ``app/azureml-models``.
        labels: Further labels.
        credentials: User and password of the base image's registry; else as the ``docker`` command has them.
    """

    store: Store
    bundle: Path
    lock: Lock | None
    spec: EnvironmentSpec
    supply: Supply
    models: Literal["baked", "mounted"] = "baked"
    labels: Mapping[str, str] = field(default_factory=dict)
    credentials: tuple[str, str] | None = field(default=None, repr=False)

    @property
    def logins(self) -> Logins:
        """Who we are at registries while it is made."""
        return logins_of(self.spec, self.store.settings, self.supply.environ, self.credentials)

    @property
    def registries(self) -> Registries:
        """How images are read and written without an engine."""
        return Registries(self.logins, self.supply.way, self.supply.progress)

    def source(self, engine: Engine) -> ImageSource:
        """How an engine gets the images that this one is built upon."""
        return ImageSource(engine, self.logins, self.supply.way, self.supply.progress)
