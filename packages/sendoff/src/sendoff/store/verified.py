"""A reader that compares what it read with the digest before it says that the end is reached."""

from __future__ import annotations

import hashlib
import io
import os
from pathlib import Path
from typing import Any, BinaryIO, cast

from ..errors import CorruptBlob


class VerifiedReader(io.RawIOBase):
    """Reads a blob from start to end. The read that brings the last byte raises when the digest does not fit."""

    def __init__(self, descriptor: int, digest: str, path: Path) -> None:
        self._descriptor = descriptor
        self._digest = digest
        self._path = path
        self._hasher = hashlib.sha256()
        self._left = os.fstat(descriptor).st_size

    @classmethod
    def buffered(cls, descriptor: int, digest: str, path: Path) -> BinaryIO:
        """The reader with a buffer round it."""
        return cast(BinaryIO, io.BufferedReader(cls(descriptor, digest, path), buffer_size=1 << 18))

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        count = os.readv(self._descriptor, [buffer])
        self._hasher.update(memoryview(buffer)[:count])
        self._left -= count
        ended = self._left <= 0 or (count == 0 and len(buffer) > 0)
        if ended and "sha256:" + self._hasher.hexdigest() != self._digest:
            raise corrupt(self._digest, self._path)
        return count

    def close(self) -> None:
        if not self.closed:
            os.close(self._descriptor)
        super().close()


def corrupt(digest: str, path: Path) -> CorruptBlob:
    """The error for bytes that do not fit their digest."""
    return CorruptBlob(
        f"stored file {path} does not match its digest {digest}: it was changed or cut off outside Sendoff",
        hint="Register the same files again: they replace it.",
        digest=digest,
        path=str(path),
    )
