"""An assembled image straight into a registry: layers that it has not got, compressed the same way each time."""

from __future__ import annotations

import gzip
import hashlib
import json
import tempfile
from collections.abc import Sequence
from pathlib import Path

from .. import files
from ..containers.hashing import Hashing
from ..containers.registries import split_reference
from ..containers.registry_client import MANIFEST_TYPE, RegistryClient
from ..errors import InvalidInput, StoreError
from ..progress import Progress
from ..spec.parse import decode, encode
from .base_image import BaseImage
from .base_in_registry import Blob, Registries, RegistryBase
from .image_engine import Part, saved_layers
from .image_layers import Layer
from .image_pull import ImageSource

_LEVEL = 1
"""Layers are mostly shared objects: a higher level costs minutes and saves little."""


def push(
    source: ImageSource, base: BaseImage, parts: Sequence[Part], config: bytes, reference: str, *, home: Path
) -> str:
    """Push an image whose base is in an engine; the digest of its manifest, equal for equal inputs.

    Args:
        source: The engine that has the base image, and the way to registries.
        base: What it is built upon.
        parts: Our layers, from below.
        config: The image's configuration.
        reference: ``registry/name:tag``; without a tag it gets one of the digest's.
        home: Sendoff's home; compressed layers are kept there.

    Raises:
        Unreachable: The registry does not answer.
        Unauthorized: It does not let us in.
        StoreError: The home cannot be written.
    """
    registry, repository, _ = split_reference(reference)
    registries = Registries(source.logins, source.way, source.progress)
    remote = registries.client(registry, repository, push=True)
    store = _Compressed(home / "images" / "blobs")
    blobs: list[Blob] = []
    known = [store.known(diff_id) for diff_id in base.diff_ids]
    with tempfile.TemporaryDirectory(prefix="sendoff-push-") as folder:
        saved: list[Path] = []
        for number, (diff_id, blob) in enumerate(zip(base.diff_ids, known, strict=True)):
            if blob is None or not (store.path(blob).exists() or remote.has(blob.digest)):
                if not saved:
                    source.progress(f"reading {base.reference} from the engine")
                    saved = saved_layers(source.engine, base.id, Path(folder))
                layer = Layer(name="base", diff_id=diff_id, size=0, path=str(saved[number]))
                blob = store.make(diff_id, Part(layer=layer, made_by=""))
            blobs.append(blob)
    for blob in blobs:
        _put(remote, blob, base.reference, store, source.progress)
    return _finish(remote, blobs, parts, config, _tag(reference), store, source.progress)


def push_upon(
    registries: Registries, base: RegistryBase, parts: Sequence[Part], config: bytes, reference: str, *, home: Path
) -> str:
    """Push an image whose base is in a registry: its layers are mounted in the same one, else pass through memory.

    Arguments, result and errors as those of :func:`push`.
    """
    registry, repository, _ = split_reference(reference)
    source = base.remote
    beside = source.repository if source.registry == registry and source.repository != repository else None
    remote = registries.client(registry, repository, push=True, beside=beside)
    for blob in base.layers:
        if remote.has(blob.digest) or (beside is not None and remote.mount(blob.digest, beside)):
            continue
        registries.progress(f"pushing {base.image.reference} ({blob.size / 1e6:,.1f} MB)")
        remote.put_stream(blob.digest, lambda digest=blob.digest: source.pieces(digest), blob.size)  # type: ignore[misc]
    store = _Compressed(home / "images" / "blobs")
    return _finish(remote, base.layers, parts, config, _tag(reference), store, registries.progress)


def _finish(
    remote: RegistryClient,
    below: Sequence[Blob],
    parts: Sequence[Part],
    config: bytes,
    tag: str | None,
    store: _Compressed,
    progress: Progress,
) -> str:
    """Push our layers and the manifest upon a base whose layers are there."""
    blobs = list(below)
    for part in parts:
        blob = store.known(part.layer.diff_id)
        if blob is None or not (store.path(blob).exists() or remote.has(blob.digest)):
            blob = store.make(part.layer.diff_id, part)
        _put(remote, blob, part.layer.name, store, progress)
        blobs.append(blob)
    document = {
        "schemaVersion": 2,
        "mediaType": MANIFEST_TYPE,
        "config": {
            "mediaType": "application/vnd.oci.image.config.v1+json",
            "digest": remote.put_bytes(config),
            "size": len(config),
        },
        "layers": [{"mediaType": blob.media_type, "digest": blob.digest, "size": blob.size} for blob in blobs],
    }
    manifest = json.dumps(document, sort_keys=True, separators=(",", ":")).encode()
    # One without any tag is what registries clean away first.
    return remote.put_manifest(manifest, tag or hashlib.sha256(manifest).hexdigest()[:16])


def _tag(reference: str) -> str | None:
    tag = split_reference(reference)[2]
    return tag if reference.endswith(f":{tag}") else None


def _put(remote: RegistryClient, blob: Blob, name: str, store: _Compressed, progress: Progress) -> None:
    if not remote.has(blob.digest):
        progress(f"pushing {name} ({blob.size / 1e6:,.1f} MB)")
        remote.put_blob(blob.digest, store.path(blob))


class _Compressed:
    """Compressed layers of a home, found by the digest of what is in them."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def known(self, diff_id: str) -> Blob | None:
        try:
            file = self._fact(diff_id)
            return decode(file.read_bytes(), Blob, where=str(file))
        except (OSError, InvalidInput):
            return None

    def path(self, blob: Blob) -> Path:
        return self._folder / blob.digest.removeprefix("sha256:")

    def make(self, diff_id: str, part: Part) -> Blob:
        # Its name is the digest of what is written, known at the end.
        staged = files.beside(self._folder / diff_id[-16:])
        try:
            self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            with staged.open("wb") as file:
                hashing = Hashing(file)
                read = hashlib.sha256()
                with gzip.GzipFile(filename="", mode="wb", compresslevel=_LEVEL, fileobj=hashing, mtime=0) as packed:
                    for data in part.pieces():
                        read.update(data)
                        packed.write(data)
            if f"sha256:{read.hexdigest()}" != diff_id:
                raise StoreError(f"the layer {part.layer.name} is not what it was when the image was made")
            blob = Blob(digest=hashing.digest, size=hashing.size)
            staged.replace(self.path(blob))
            files.write(self._fact(diff_id), encode(blob))
            return blob
        except OSError as error:
            raise StoreError(f"{self._folder} cannot be written: {error.strerror}", path=str(self._folder)) from None
        finally:
            files.remove(staged)

    def _fact(self, diff_id: str) -> Path:
        return self._folder / f"{diff_id.removeprefix('sha256:')}.json"
