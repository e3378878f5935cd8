"""A package's two forms: an image in the engine or a registry, or a folder to build one from."""

from __future__ import annotations

import time
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from .. import files
from ..containers.engine import connect
from ..environments.indexes import Indexes
from ..progress import Progress
from ..spec.environment import EnvironmentSpec, Lock
from ..spec.package import PackageResult
from . import image as images
from .base_choice import base_registry, logins_of
from .image_engine import load
from .image_push import push

if TYPE_CHECKING:
    from ..store import Store


def build_image(
    store: Store,
    *,
    bundle: Path,
    lock: Lock | None,
    spec: EnvironmentSpec,
    image: str,
    folder: Path,
    credentials: tuple[str, str] | None,
    indexes: Indexes,
    environ: Mapping[str, str],
    progress: Progress,
) -> tuple[PackageResult, list[str]]:
    """Make a bundle's image, in the engine and, where the setting ``image_registry`` names one, in the registry.

    Args:
        store: The home and its settings.
        bundle: The bundle's folder.
        lock: Its environment; None when the user manages it.
        spec: The environment's definition.
        image: ``name:label``.
        folder: Not used by this form.
        credentials: Of the base image's registry.
        indexes: Where packages come from.
        environ: As ``os.environ``.
        progress: Receives plain lines.

    Returns:
        Where it is, and notes.

    Raises:
        SendoffError: As :func:`image.build` and :func:`image_push.push`.
    """
    began = time.monotonic()
    engine = connect(environ)
    registry = (store.settings.image_registry or "").rstrip("/")
    name = f"{registry}/{image}" if registry else image
    ready = images.prepare(
        store,
        bundle=bundle,
        lock=lock,
        spec=spec,
        engine=engine,
        indexes=indexes,
        environ=environ,
        credentials=credentials,
        progress=progress,
    )
    memory = store.home / "images" / "loaded.json"
    made = load(engine, ready.base, ready.parts, ready.settings, tags=[name], memory=memory, progress=progress)
    digest = None
    if registry:
        digest = push(
            engine,
            ready.base,
            ready.parts,
            ready.config,
            name,
            home=store.home,
            logins=logins_of(spec, store.settings, environ, credentials),
            way=indexes.way(environ),
            progress=progress,
        )
    progress(f"{name}: {made.size / 1e6:,.1f} MB in {time.monotonic() - began:.1f} s")
    result = PackageResult(
        location=name, image_id=made.id, manifest_digest=digest, size=made.size, registry=registry or None
    )
    return result, ready.notes


def write_context(
    store: Store,
    *,
    bundle: Path,
    lock: Lock | None,
    spec: EnvironmentSpec,
    image: str,
    folder: Path,
    credentials: tuple[str, str] | None,
    indexes: Indexes,
    environ: Mapping[str, str],
    progress: Progress,
) -> tuple[PackageResult, list[str]]:
    """Write the folder that ``docker build`` makes the image from; no engine is needed. Arguments as above."""
    from .dockerfile import write_folder

    notes = write_folder(
        store, folder, bundle=bundle, lock=lock, spec=spec, indexes=indexes, environ=environ, progress=progress
    )
    size = sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
    files.write_json(folder.parent / f"{folder.name}.json", {"image": image})
    registry = base_registry(spec, store.settings)
    return PackageResult(location=folder.as_uri(), size=size, registry=registry), notes
