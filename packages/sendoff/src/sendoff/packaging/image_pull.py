"""Bringing an image into the engine: the engine pulls it; where its way to the registry is barred, we do by ours."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..connections import Way
from ..containers import images
from ..containers.engine import CHUNK, Engine, EngineError
from ..containers.registries import Logins, split_reference
from ..containers.registry_client import RegistryClient
from ..errors import InvalidInput, SendoffError, TargetUnavailable
from ..progress import Progress


@dataclass(frozen=True)
class ImageSource:
    """An engine, and how it gets the images that it has not got.

    The engine has a network of its own: the settings ``ca_bundle`` and ``proxy`` are not its. Where it cannot reach the
    registry and those settings lead there, the layers are fetched here and handed over.

    Args:
        engine: The engine.
        logins: Who we are at registries.
        way: How connections are opened here.
        progress: Receives plain lines.
    """

    engine: Engine
    logins: Logins
    way: Way
    progress: Progress

    def find(self, reference: str) -> dict[str, Any]:
        """What the engine knows of a base image, pulled when it is not there; errors as those of :meth:`pull`."""
        there = images.find(self.engine, reference)
        return there if there is not None else self.pull(reference, field="base_image")

    def pull(self, reference: str, *, field: str) -> dict[str, Any]:
        """Pull an image; what the engine knows of it.

        Args:
            reference: A name with a tag or digest; ``latest`` where it has none.
            field: Which field named the image, for the error.

        Raises:
            InvalidInput: There is no such image, or no permission to pull it.
            TargetUnavailable: The engine does not answer.
        """
        registry = split_reference(reference)[0]
        self.progress(f"pulling {reference}")
        said = "its registry gave another image"
        try:
            images.pull(self.engine, reference, self.logins.of(registry))
            there = images.find(self.engine, reference)
            if there is not None:
                return there
        except EngineError as error:
            said = error.words
        if self.way.own(registry):
            self.progress(f"the engine cannot pull it ({said}): fetching it by the settings proxy and ca_bundle")
            try:
                return self._fetch(reference)
            except SendoffError as error:
                said = f"{said}; by the settings proxy and ca_bundle: {error.message}"
        raise InvalidInput(
            f"the image {reference} is not in the engine and cannot be pulled: {said}",
            hint="Check its name. For a private registry run `docker login`, or give baseImageRegistry with username "
            "and password. The setting base_image names the one for environments that name none.",
            field=field,
        )

    def _fetch(self, reference: str) -> dict[str, Any]:
        registry, repository, tag = split_reference(reference)
        remote = RegistryClient(registry, repository, credentials=self.logins.of(registry), way=self.way)
        kind = str(self.engine.version().get("Arch") or "amd64")
        manifest, _ = remote.manifest(tag, architecture=kind)
        config = remote.blob(manifest["config"]["digest"])
        with tempfile.TemporaryDirectory(prefix="sendoff-pull-") as folder:
            layers: dict[str, Path] = {}
            for layer in manifest["layers"]:
                digest = str(layer["digest"])
                if digest not in layers:
                    self.progress(f"fetching {digest[7:19]} ({int(layer.get('size') or 0) / 1e6:,.1f} MB)")
                    layers[digest] = Path(folder) / digest.removeprefix("sha256:")
                    remote.blob_to(digest, layers[digest])
            names = [f"{layer['digest'].removeprefix('sha256:')}.tar" for layer in manifest["layers"]]
            id_ = str(manifest["config"]["digest"])
            tags = None if tag.startswith("sha256:") else [f"{reference.removesuffix(f':{tag}')}:{tag}"]
            name = f"{id_.removeprefix('sha256:')}.json"
            listed = json.dumps([{"Config": name, "RepoTags": tags, "Layers": names}]).encode()
            files: list[images.File] = [
                ("manifest.json", len(listed), [listed]),
                (name, len(config), [config]),
                *((f"{path.name}.tar", path.stat().st_size, _read(path)) for path in layers.values()),
            ]
            images.load(self.engine, files)
        there = images.find(self.engine, id_)
        if there is None:
            raise TargetUnavailable("the engine took the image and does not have it", hint="Is its disk full?")
        return there


def available(reference: str, *, logins: Logins, way: Way) -> bool:
    """Whether an image that the engine cannot pull could be fetched by the settings ``proxy`` and ``ca_bundle``.

    Args:
        reference: Its name.
        logins: Who we are at registries.
        way: How connections are opened here.
    """
    registry, repository, tag = split_reference(reference)
    if not way.own(registry):
        return False
    try:
        RegistryClient(registry, repository, credentials=logins.of(registry), way=way).manifest(tag)
    except SendoffError:
        return False
    return True


def _read(path: Path) -> Iterator[bytes]:
    """A layer, as the registry has it: the engine takes compressed ones."""
    with path.open("rb") as file:
        while data := file.read(CHUNK):
            yield data
