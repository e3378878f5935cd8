"""The digest of what is written, learnt on its way."""

from __future__ import annotations

import hashlib
from typing import Protocol


class Writable(Protocol):
    """What a layer is written to."""

    def write(self, data: bytes, /) -> object:
        """Take some bytes."""


class Hashing:
    """A file object that passes on what is written, and knows its digest and size."""

    def __init__(self, out: Writable | None) -> None:
        self._out = out
        self._hash = hashlib.sha256()
        self.size = 0

    def write(self, data: bytes) -> int:
        """Take some bytes."""
        self._hash.update(data)
        self.size += len(data)
        if self._out is not None:
            self._out.write(data)
        return len(data)

    def flush(self) -> None:
        """Nothing is held back."""

    @property
    def digest(self) -> str:
        """``sha256:<hex>`` of everything so far."""
        return f"sha256:{self._hash.hexdigest()}"
