"""A package's two forms: an image in the engine or a registry, or a folder to build one from."""

from __future__ import annotations

import time
from pathlib import Path

from .. import files
from ..containers.engine import connect
from ..packaging import image as images
from ..packaging.base_choice import base_registry
from ..packaging.image_push import push
from ..packaging.image_request import ImageRequest
from ..spec.package import PackageResult


def build_image(request: ImageRequest, image: str, folder: Path) -> tuple[PackageResult, list[str]]:
    """Make a bundle's image, in the engine and, where the setting ``image_registry`` names one, in the registry.

    Args:
        request: What it is made of.
        image: ``name:label``.
        folder: Not used by this form.

    Returns:
        Where it is, and notes.

    Raises:
        SendoffError: As :func:`packaging.image.build` and :func:`packaging.image_push.push`.
    """
    began = time.monotonic()
    engine = connect(request.supply.environ)
    registry = (request.store.settings.image_registry or "").rstrip("/")
    name = f"{registry}/{image}" if registry else image
    ready = images.prepare(request, engine)
    made = images.place(request, ready, engine, [name])
    digest = None
    if registry:
        source = request.source(engine)
        digest = push(source, ready.base, ready.parts, ready.config, name, home=request.store.home)
    request.supply.progress(f"{name}: {made.size / 1e6:,.1f} MB in {time.monotonic() - began:.1f} s")
    result = PackageResult(
        location=name, image_id=made.id, manifest_digest=digest, size=made.size, registry=registry or None
    )
    return result, ready.notes


def write_context(request: ImageRequest, image: str, folder: Path) -> tuple[PackageResult, list[str]]:
    """Write the folder that ``docker build`` makes the image from; no engine is needed. Arguments as above."""
    from ..packaging.dockerfile import write_folder

    notes = write_folder(request, folder)
    size = sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
    files.write_json(folder.parent / f"{folder.name}.json", {"image": image})
    registry = base_registry(request.spec, request.store.settings)
    return PackageResult(location=folder.as_uri(), size=size, registry=registry), notes
