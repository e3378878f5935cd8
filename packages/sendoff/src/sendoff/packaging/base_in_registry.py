"""A base image as its registry has it: what is in it, told without an engine, and its layers for another registry."""

from __future__ import annotations

import gzip
import io
import json
import platform
import tarfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from ..connections import Way
from ..containers.registries import Logins, split_reference
from ..containers.registry_client import RegistryClient
from ..errors import InvalidInput
from ..progress import Progress
from ..spec.parse import Spec, replace
from . import base_files, base_image
from .base_image import BaseImage
from .layer_tree import LayerTree

_MACHINES = {"x86_64": "amd64", "amd64": "amd64", "aarch64": "arm64", "arm64": "arm64"}
GZIP_LAYER = "application/vnd.oci.image.layer.v1.tar+gzip"
_LARGEST_CONFIG = 16_000_000


class Blob(Spec):
    """A compressed layer: what a registry calls it."""

    digest: str
    size: int
    media_type: str = GZIP_LAYER


@dataclass(frozen=True)
class Registries:
    """How images are read and written without an engine.

    Args:
        logins: Who we are at registries.
        way: How connections are opened here.
        progress: Receives plain lines.
    """

    logins: Logins
    way: Way
    progress: Progress

    def client(
        self, registry: str, repository: str, *, push: bool = False, beside: str | None = None
    ) -> RegistryClient:
        """One repository; arguments as those of :class:`RegistryClient`."""
        credentials = self.logins.of(registry)
        return RegistryClient(registry, repository, credentials=credentials, way=self.way, push=push, beside=beside)


@dataclass(frozen=True, kw_only=True)
class RegistryBase:
    """A base image in its registry: what it has, and its layers from below."""

    image: BaseImage
    remote: RegistryClient
    layers: list[Blob]


def inspect(registries: Registries, reference: str, *, home: Path) -> RegistryBase:
    """Look what a base image has without running it; the answer is kept by the image's id.

    Its layers are read once, as they come from the registry; nothing of them is kept but names and a few facts.

    Args:
        registries: How it is read.
        reference: Its name, with a tag or digest.
        home: Sendoff's home, for what was found.

    Raises:
        InvalidInput: The registry has no such image, or none for this machine's kind.
        Unauthorized: It does not let us in.
        Unreachable: It does not answer.
        ImageNeedsEngine: What is in it cannot be told without running it.
    """
    registry, repository, tag = split_reference(reference)
    remote = registries.client(registry, repository)
    architecture = _MACHINES.get(platform.machine().lower(), platform.machine())
    manifest, _, named = remote.resolve(tag, architecture=architecture)
    try:
        config, listed = manifest["config"], manifest["layers"]
        id_, size = str(config["digest"]), int(config["size"])
        layers = [Blob(digest=str(one["digest"]), size=int(one["size"]), media_type=_kind(one)) for one in listed]
    except (KeyError, TypeError, ValueError):
        raise base_files.unusual(reference, "its manifest is of an old kind") from None
    if size > _LARGEST_CONFIG:
        raise base_files.unusual(reference, f"its configuration has {size:,} bytes")
    found = base_image.known(home, id_)
    if found is None:
        document = json.loads(remote.blob(id_))
        if (document.get("os") or "linux", document.get("architecture")) != ("linux", architecture):
            raise InvalidInput(
                f"the base image {reference} is for {document.get('os')}/{document.get('architecture')}, and this "
                f"machine makes images for linux/{architecture}",
                hint="Choose another base image: docker.baseImage, or the setting base_image.",
                field="base_image",
            )
        total = sum(layer.size for layer in layers)
        registries.progress(f"looking into {reference} ({total / 1e6:,.1f} MB to read, once)")
        found = _look(remote, reference, id_, document, layers)
        base_image.remember(home, found)
    repository_name = f"{registry}/{repository}"
    image = replace(found, reference=reference, digests=[f"{repository_name}@{named}"])
    return RegistryBase(image=image, remote=remote, layers=layers)


def _look(remote: RegistryClient, reference: str, id_: str, document: dict[str, Any], layers: list[Blob]) -> BaseImage:
    settings = document.get("config") or {}
    diff_ids = list((document.get("rootfs") or {}).get("diff_ids") or [])
    if len(diff_ids) != len(layers):
        raise base_files.unusual(reference, "its configuration names other layers than its manifest")
    tree = LayerTree()
    for layer in layers:
        stream = _Stream(remote.pieces(layer.digest))
        try:
            with tarfile.open(fileobj=_unpacked(stream), mode="r|") as archive:
                tree.add(archive, base_files.read)
        except (tarfile.TarError, EOFError, OSError, zlib.error) as error:
            raise base_files.unusual(reference, f"its layer {layer.digest[7:19]} cannot be read ({error})") from None
        stream.drain()
    variables = dict(line.partition("=")[::2] for line in settings.get("Env") or [])
    return BaseImage(
        reference=reference,
        id=id_,
        config=settings,
        diff_ids=diff_ids,
        architecture=document.get("architecture") or "amd64",
        os=document.get("os") or "linux",
        **base_files.facts(tree, variables, reference),
    )


def _kind(layer: dict[str, Any]) -> str:
    """A layer's media type as OCI manifests have it; Docker's own name the same bytes."""
    kind = str(layer.get("mediaType") or GZIP_LAYER)
    return kind.replace("vnd.docker.image.rootfs.diff.tar.gzip", "vnd.oci.image.layer.v1.tar+gzip")


class _Stream(io.RawIOBase):
    """Pieces as a file that is read once, from its beginning."""

    def __init__(self, pieces: Iterator[bytes]) -> None:
        self._pieces, self._held = pieces, memoryview(b"")

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        if not self._held:
            self._held = memoryview(next(self._pieces, b""))
        size = min(len(buffer), len(self._held))
        buffer[:size], self._held = self._held[:size], self._held[size:]
        return size

    def drain(self) -> None:
        """Read to the end, where bytes are compared with their digest."""
        for _ in self._pieces:
            pass


def _unpacked(stream: _Stream) -> IO[bytes]:
    """A layer's tar archive, whether it is compressed or not. tarfile's own way of a stream copies too much."""
    buffered = io.BufferedReader(stream, 1 << 18)
    magic = buffered.peek(2)[:2]
    return gzip.GzipFile(fileobj=buffered) if magic == b"\x1f\x8b" else buffered  # type: ignore[return-value]
