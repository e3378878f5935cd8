"""A package's two forms: an image in the engine or a registry, or a folder to build one from."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

from .. import files
from ..containers.engine import answers
from ..packaging import image as images
from ..packaging.base_choice import base_registry
from ..packaging.image_engine import image_id
from ..packaging.image_request import ImageRequest
from ..spec.imports import Import, NotImported
from ..spec.package import PackageResult
from .imports_inside import import_inside
from .pushed_image import find_upon, on_engine, push_to, tried


class Packaged(NamedTuple):
    """A package: where it is, notes, and which of the imports fail in it, where that could be asked.

    ``push`` is to be called once the imports are found good enough; it gives the digest that the registry then has.
    """

    result: PackageResult
    notes: list[str]
    not_imported: list[NotImported]
    push: Callable[[], str] | None = None


def build_image(request: ImageRequest, image: str, folder: Path, imports: Sequence[Import]) -> Packaged:
    """Make a bundle's image, in the engine and, where the setting ``image_registry`` names one, for the registry.

    With such a setting no engine is needed, unless a step needs one.

    Args:
        request: What it is made of.
        image: ``name:label``.
        folder: Not used by this form.
        imports: What the service imports.

    Raises:
        ImageNeedsEngine: A step needs a container engine, and none answers.
        SendoffError: As :func:`packaging.image.build`; and :func:`packaging.image_push.push`, when it is pushed.
    """
    began = time.monotonic()
    registry = (request.store.settings.image_registry or "").rstrip("/")
    name = f"{registry}/{image}" if registry else image
    alone = bool(registry) and not answers(request.supply.environ)
    upon = find_upon(request) if alone else on_engine(request)
    ready = images.prepare_upon(request, upon.image, upon.notes, engine=upon.engine)
    if upon.engine is None:
        id_, size = image_id(ready.config), upon.image.content + sum(part.layer.size for part in ready.parts)
        failed, untried = tried(request, upon, ready, imports)
    else:
        made = images.place(request, ready, upon.engine, [name])
        id_, size, untried = made.id, made.size, list[str]()
        failed = import_inside(
            upon.engine, made.id, made.python, imports, request.spec.environment_variables,
            home=request.store.home, progress=request.supply.progress,
        )  # fmt: skip
    request.supply.progress(f"{name}: {size / 1e6:,.1f} MB in {time.monotonic() - began:.1f} s")
    result = PackageResult(location=name, image_id=id_, size=size, registry=registry or None)
    push = (lambda: push_to(request, upon, ready, name)) if registry else None
    return Packaged(result, [*ready.notes, *untried], failed, push)


def write_context(request: ImageRequest, image: str, folder: Path, imports: Sequence[Import]) -> Packaged:
    """Write the folder that ``docker build`` makes the image from; no engine is needed. Arguments as above."""
    from ..packaging.dockerfile import write_folder

    notes = write_folder(request, folder)
    size = sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
    files.write_json(folder.parent / f"{folder.name}.json", {"image": image})
    registry = base_registry(request.spec, request.store.settings)
    return Packaged(PackageResult(location=folder.as_uri(), size=size, registry=registry), notes, [])
