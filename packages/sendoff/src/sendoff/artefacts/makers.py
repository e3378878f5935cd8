"""Makes artefacts for targets (``targets.base.Makers``)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from ..containers.labels import HOME, home_id
from ..errors import InvalidInput
from ..progress import Progress
from ..spec.parse import replace
from ..targets.base import IMAGE, INTERPRETER, Artefact, Preparation

if TYPE_CHECKING:
    from ..containers.engine import Engine
    from ..environments.service import Environments
    from ..store import Store


class Makers:
    """The makers of a home.

    Args:
        store: The home, its settings and bundles.
        environments: Builds interpreters, and knows where packages come from.
    """

    def __init__(self, store: Store, environments: Environments) -> None:
        self._store, self._environments = store, environments

    def interpreter(self, preparation: Preparation, progress: Progress) -> Artefact:
        """The environment, built on this machine.

        Raises:
            SendoffError: As :meth:`Environments.ensure`.
        """
        from ..environments.imports import import_all

        built = self._environments.ensure(preparation.lock, progress)
        python = str(built.python)
        return Artefact(
            kind=INTERPRETER,
            reference=built.key,
            python=python,
            notes=list(built.notes),
            summary=f"{python}, {built.how}" if built.how else python,
            again=built.again,
            not_imported=import_all(
                built.python, preparation.imports, preparation.environment.environment_variables, progress
            ),
        )

    def image(self, preparation: Preparation, engine: Engine, progress: Progress, *, tag: str) -> Artefact:
        """An image on an engine, for code and models that are mounted over it; one that fits is taken again.

        Raises:
            SendoffError: As :func:`packaging.image.build`; ``reported_code`` says when it is for the base image.
        """
        # Imported here: services of processes have no use for it.
        from ..packaging.image import build
        from ..packaging.image_request import ImageRequest
        from . import image_again

        spec, lock = preparation.environment, preparation.lock
        bundle = self._store.home / "bundles" / preparation.bundle
        key = image_again.key_of(self._store, engine, bundle, lock, spec)
        made = None if key is None else image_again.find(self._store, engine, key)
        if made is not None:
            return self._tried(made, preparation, engine, progress)
        request = ImageRequest(
            store=self._store,
            bundle=bundle,
            lock=lock,
            spec=spec,
            supply=self._environments.supply(lock, progress),
            models="mounted",
            labels={HOME: home_id(self._store.home)},
            credentials=self._environments.image_credentials(spec),
        )
        try:
            image = build(request, engine, tags=[tag])
        except InvalidInput as error:
            if error.context.get("field") == "base_image":
                error.context["reported_code"] = "image_missing"
            raise
        if key is not None:
            image_again.remember(self._store, key, image)
        artefact = Artefact(
            kind=IMAGE,
            reference=image.id,
            python=image.python,
            notes=list(image.notes),
            summary=f"{image_again.short(image.id)}, {image.size / 1e6:.0f} MB",
        )
        return self._tried(artefact, preparation, engine, progress)

    def pushed_image(
        self,
        preparation: Preparation,
        progress: Progress,
        *,
        repository: str,
        models: Literal["baked", "mounted"] = "baked",
    ) -> Artefact:
        """An image with its code in the registry of the setting ``image_registry``, named by digest.

        Raises:
            SendoffError: As :func:`artefacts.pushed_image.make`.
        """
        from . import pushed_image

        return pushed_image.make(
            self._store, self._environments, preparation, progress, repository=repository, models=models
        )

    def _tried(self, made: Artefact, preparation: Preparation, engine: Engine, progress: Progress) -> Artefact:
        """An image, with which of the service's imports fail in it."""
        from .imports_inside import import_inside

        variables = preparation.environment.environment_variables
        failed = import_inside(
            engine,
            made.reference,
            made.python,
            preparation.imports,
            variables,
            home=self._store.home,
            progress=progress,
        )
        return replace(made, not_imported=failed)
