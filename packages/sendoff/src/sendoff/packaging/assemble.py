"""The bundle: one folder that every target runs (spec.bundle, design.md sec. 4)."""

from __future__ import annotations

import errno
import hashlib
import shutil
import uuid
from collections.abc import Iterable, Iterator
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

from ..errors import InvalidInput
from ..spec.bundle import (
    SCHEMA_VERSION,
    Bundle,
    BundleEnvironment,
    BundleModel,
    BundleService,
    ServingSettings,
)
from ..spec.inference import SourceSpec
from ..spec.model import ManifestFile, Model
from ..spec.parse import encode

if TYPE_CHECKING:
    from ..store import Store

APP_ROOT = "app"
MANIFEST = "bundle.json"
MODELS_FOLDER = "azureml-models"


def assemble(
    store: Store,
    *,
    service: BundleService,
    models: Iterable[Model],
    source: SourceSpec,
    environment: BundleEnvironment,
    serving: ServingSettings,
) -> Path:
    """Make the bundle's folder, or find it made: ``home/bundles/<digest>``.

    Equal inputs have equal digests. The folder appears whole or not at all; two callers at once both get it.

    Args:
        store: Where the blobs are and the bundle goes.
        service: Names for the Swagger document.
        models: Model versions, each below ``app/azureml-models/<name>/<version>/``.
        source: Scoring code, relative to ``app/``.
        environment: The locked environment that the bundle is for.
        serving: Settings of the scoring server.

    Raises:
        InvalidInput: A path leaves its folder, or two files want the same place.
        CorruptBlob: A blob's content does not match its digest.
    """
    listed = sorted(models, key=lambda model: (model.name, model.version))
    manifest = _manifest(service, listed, source, environment, serving)
    files = dict(_files(listed, source))
    _check_places(files)
    content = encode(manifest)
    folder = store.home / "bundles" / _digest(content, files)
    if _complete(folder, files):
        return folder
    staged = store.home / "staging" / f"bundle-{uuid.uuid4().hex}"
    try:
        made: set[Path] = set()
        for path, file in files.items():
            place = staged / APP_ROOT / path
            if place.parent not in made:
                place.parent.mkdir(parents=True, exist_ok=True)
                made.add(place.parent)
            store.blobs.materialise(file.digest, place)
        (staged / APP_ROOT).mkdir(parents=True, exist_ok=True)
        (staged / MANIFEST).write_bytes(content)
        _publish(staged, folder, files)
    finally:
        shutil.rmtree(staged, ignore_errors=True)
    return folder


def check_source(source: SourceSpec) -> None:
    """Refuse a source whose paths leave the application root or that lacks its own entry script.

    Raises:
        InvalidInput: Names the path.
    """
    files = dict(_files([], source))
    _check_places(files)
    if source.entry_script not in files:
        raise InvalidInput(
            f"the entry script {source.entry_script!r} is not among the source files",
            hint="Send it along, or correct its path.",
            field="entry_script",
        )
    clash = [path for path in files if PurePosixPath(path).parts[0] == MODELS_FOLDER]
    if clash:
        raise InvalidInput(f"source file {clash[0]!r}: the name {MODELS_FOLDER!r} is taken by the models")


def _manifest(
    service: BundleService,
    models: list[Model],
    source: SourceSpec,
    environment: BundleEnvironment,
    serving: ServingSettings,
) -> Bundle:
    listed = [
        BundleModel(name=model.name, version=model.version, path=f"{MODELS_FOLDER}/{model.name}/{model.version}")
        for model in models
    ]
    model_dir = None if not listed else listed[0].path if len(listed) == 1 else MODELS_FOLDER
    return Bundle(
        schema_version=SCHEMA_VERSION,
        service=service,
        app_root=APP_ROOT,
        entry_script=source.entry_script,
        source_directory=source.source_directory,
        models=listed,
        model_dir=model_dir,
        environment=environment,
        serving=serving,
    )


def _files(models: Iterable[Model], source: SourceSpec) -> Iterator[tuple[str, ManifestFile]]:
    """Every file of the bundle by its path under the application root."""
    seen: set[str] = set()
    for prefix, files in [
        ("", source.files),
        *((f"{MODELS_FOLDER}/{model.name}/{model.version}/", model.files) for model in models),
    ]:
        for file in files:
            _check_path(file.path)
            path = prefix + file.path
            if path in seen:
                raise InvalidInput(f"two files want the same place {path!r} in the bundle", path=path)
            seen.add(path)
            yield path, file


def _check_path(path: str) -> None:
    parts = path.split("/")
    if not path or "\\" in path or "\0" in path or any(part in ("", ".", "..") for part in parts):
        raise InvalidInput(
            f"the path {path!r} is not allowed",
            hint="Paths are relative, with '/' between names, and stay within their folder.",
            path=path,
        )


def _check_places(files: dict[str, ManifestFile]) -> None:
    for path in files:
        for parent in list(PurePosixPath(path).parents)[:-1]:
            if str(parent) in files:
                raise InvalidInput(f"{str(parent)!r} is both a file and a folder of {path!r}", path=path)


def _digest(manifest: bytes, files: dict[str, ManifestFile]) -> str:
    digest = hashlib.sha256(manifest)
    for path in sorted(files):
        digest.update(f"\0{path}\0{files[path].digest}".encode())
    return digest.hexdigest()


def _complete(folder: Path, files: dict[str, ManifestFile]) -> bool:
    """Whether a bundle made earlier still has all its files, each of its size."""
    if not (folder / MANIFEST).is_file():
        return False
    for path, file in files.items():
        try:
            if (folder / APP_ROOT / path).stat().st_size != file.size:
                return False
        except OSError:
            return False
    return True


def _publish(staged: Path, folder: Path, files: dict[str, ManifestFile]) -> None:
    folder.parent.mkdir(parents=True, exist_ok=True)
    for _ in range(3):
        try:
            staged.rename(folder)
            return
        except OSError as error:
            if error.errno not in (errno.EEXIST, errno.ENOTEMPTY):
                raise
        if _complete(folder, files):
            return
        # A damaged bundle makes way; workers that still run from it keep their open files.
        aside = staged.with_name(f"{staged.name}-aside-{uuid.uuid4().hex}")
        try:
            folder.rename(aside)
        except FileNotFoundError:
            continue
        shutil.rmtree(aside, ignore_errors=True)
    raise InvalidInput(f"the bundle {folder} cannot be put in place: another process keeps changing it")
