"""A package's two forms: an image in the engine or a registry, or a folder to build one from."""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from .. import files
from ..containers.engine import connect
from ..packaging import image as images
from ..packaging.base_choice import base_registry
from ..packaging.image_push import push
from ..packaging.image_request import ImageRequest
from ..spec.imports import Import, NotImported
from ..spec.package import PackageResult
from .imports_inside import import_inside


class Packaged(NamedTuple):
    """A package: where it is, notes, and which of the imports fail in it, where that could be asked."""

    result: PackageResult
    notes: list[str]
    not_imported: list[NotImported]


def build_image(request: ImageRequest, image: str, folder: Path, imports: Sequence[Import]) -> Packaged:
    """Make a bundle's image, in the engine and, where the setting ``image_registry`` names one, in the registry.

    Args:
        request: What it is made of.
        image: ``name:label``.
        folder: Not used by this form.
        imports: What the service imports. Nothing is pushed where some of it fails.

    Raises:
        SendoffError: As :func:`packaging.image.build` and :func:`packaging.image_push.push`.
    """
    began = time.monotonic()
    engine = connect(request.supply.environ)
    registry = (request.store.settings.image_registry or "").rstrip("/")
    name = f"{registry}/{image}" if registry else image
    ready = images.prepare(request, engine)
    made = images.place(request, ready, engine, [name])
    failed = import_inside(
        engine, made.id, made.python, imports, request.spec.environment_variables,
        home=request.store.home, progress=request.supply.progress,
    )  # fmt: skip
    digest = None
    if registry and not failed:
        source = request.source(engine)
        digest = push(source, ready.base, ready.parts, ready.config, name, home=request.store.home)
    request.supply.progress(f"{name}: {made.size / 1e6:,.1f} MB in {time.monotonic() - began:.1f} s")
    result = PackageResult(
        location=name, image_id=made.id, manifest_digest=digest, size=made.size, registry=registry or None
    )
    return Packaged(result, ready.notes, failed)


def write_context(request: ImageRequest, image: str, folder: Path, imports: Sequence[Import]) -> Packaged:
    """Write the folder that ``docker build`` makes the image from; no engine is needed. Arguments as above."""
    from ..packaging.dockerfile import write_folder

    notes = write_folder(request, folder)
    size = sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
    files.write_json(folder.parent / f"{folder.name}.json", {"image": image})
    registry = base_registry(request.spec, request.store.settings)
    return Packaged(PackageResult(location=folder.as_uri(), size=size, registry=registry), notes, [])
