"""Layers that were made once, in ``home/images``: found again by what they were made from."""

from __future__ import annotations

import contextlib
import hashlib
import os
import shutil
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any

from .. import files
from ..errors import InvalidInput, StoreError
from ..spec.parse import decode, encode
from .image_layers import Entries, Layer, save

_RULE = 3
"""Part of every key: raised when the same inputs give other files."""


class LayerStore:
    """Layers of a home.

    Args:
        home: Sendoff's home.
    """

    def __init__(self, home: Path) -> None:
        self._home = home
        self.folder = home / "images" / "layers"

    def kept(self, name: str, made_from: Any, make: Callable[[Path], Entries]) -> Layer:
        """The layer of these inputs: as it was made before, or made now by whoever comes first.

        Args:
            name: What it is called.
            made_from: JSON values that decide its content.
            make: Gives its files; gets an empty folder, removed afterwards.

        Raises:
            StoreError: The home cannot be written.
        """
        key = hashlib.sha256(encode([_RULE, name, made_from])).hexdigest()[:40]
        facts = self.folder / f"{key}.json"
        found = _read(facts)
        if found is not None:
            return found
        try:
            self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            with files.locked(self.folder / f".{key}.lock"):
                found = _read(facts)
                if found is not None:
                    return found
                staging = self._home / "staging" / f"layer-{uuid.uuid4().hex}"
                staging.mkdir(parents=True)
                try:
                    layer = save(name, make(staging), self.folder / f"{key}.tar")
                finally:
                    shutil.rmtree(staging, ignore_errors=True)
                files.write(facts, encode(layer))
                return layer
        except OSError as error:
            raise StoreError(f"{self.folder} cannot be written: {error.strerror}", path=str(self.folder)) from None

    def fact(self, name: str, made_from: Any) -> Layer | None:
        """What is known of a layer whose archive is not kept."""
        return _read(self._fact_file(name, made_from), archive=False)

    def remember(self, made_from: Any, layer: Layer) -> None:
        """Keep what is known of a layer, without its archive."""
        with contextlib.suppress(StoreError):  # it is only a short cut
            files.write(self._fact_file(layer.name, made_from), encode(layer), folder=0o700)

    def _fact_file(self, name: str, made_from: Any) -> Path:
        return self.folder / f"{hashlib.sha256(encode([_RULE, name, made_from])).hexdigest()[:40]}.fact.json"


def _read(facts: Path, *, archive: bool = True) -> Layer | None:
    try:
        layer = decode(facts.read_bytes(), Layer, where=str(facts))
        if archive and (layer.path is None or Path(layer.path).stat().st_size != layer.size):
            return None
        os.utime(facts)
    except (OSError, InvalidInput):
        return None
    return layer
