"""A package's two forms: an image in the engine or a registry, or a folder to build one from."""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import TYPE_CHECKING

from .. import files
from ..containers.engine import connect
from ..packaging import image as images
from ..packaging.base_choice import base_registry, logins_of
from ..packaging.image_push import push
from ..progress import Progress
from ..spec.environment import EnvironmentSpec, Lock
from ..spec.package import PackageResult

if TYPE_CHECKING:
    from ..environments import Environments
    from ..store import Store


def build_image(
    store: Store,
    environments: Environments,
    *,
    bundle: Path,
    lock: Lock | None,
    spec: EnvironmentSpec,
    image: str,
    folder: Path,
    progress: Progress,
) -> tuple[PackageResult, list[str]]:
    """Make a bundle's image, in the engine and, where the setting ``image_registry`` names one, in the registry.

    Args:
        store: The home and its settings.
        environments: Knows where packages come from and who we are at registries.
        bundle: The bundle's folder.
        lock: Its environment; None when the user manages it.
        spec: The environment's definition.
        image: ``name:label``.
        folder: Not used by this form.
        progress: Receives plain lines.

    Returns:
        Where it is, and notes.

    Raises:
        SendoffError: As :func:`packaging.image.build` and :func:`packaging.image_push.push`.
    """
    environ = os.environ
    indexes, credentials = environments.indexes(_options(lock)), environments.image_credentials(spec)
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
    made = images.place(store, ready, engine=engine, tags=[name], progress=progress)
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
    environments: Environments,
    *,
    bundle: Path,
    lock: Lock | None,
    spec: EnvironmentSpec,
    image: str,
    folder: Path,
    progress: Progress,
) -> tuple[PackageResult, list[str]]:
    """Write the folder that ``docker build`` makes the image from; no engine is needed. Arguments as above."""
    from ..packaging.dockerfile import write_folder

    indexes = environments.indexes(_options(lock))
    notes = write_folder(
        store, folder, bundle=bundle, lock=lock, spec=spec, indexes=indexes, environ=os.environ, progress=progress
    )
    size = sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
    files.write_json(folder.parent / f"{folder.name}.json", {"image": image})
    registry = base_registry(spec, store.settings)
    return PackageResult(location=folder.as_uri(), size=size, registry=registry), notes


def _options(lock: Lock | None) -> list[str]:
    return lock.pip_options if lock is not None else []
