"""Copy and hash files: one pass where that is possible, shared extents where the file system has them."""

from __future__ import annotations

import fcntl
import hashlib
import os
from pathlib import Path

from ..errors import InvalidInput
from .blobs import ByteCounter

CHUNK = 1 << 20
_FICLONE = 0x40049409  # linux/fs.h


def reflink(target: int, source: int) -> bool:
    """Let ``target`` share the bytes of ``source`` (Btrfs, XFS…); False where the file system cannot."""
    try:
        fcntl.ioctl(target, _FICLONE, source)
    except OSError:
        return False
    return True


def hash_descriptor(descriptor: int, progress: ByteCounter | None, *, most: int | None = None) -> tuple[str, int]:
    """Digest and number of bytes of an open file, from its start; ends early beyond ``most`` bytes."""
    os.lseek(descriptor, 0, os.SEEK_SET)
    hasher = hashlib.sha256()
    buffer = bytearray(CHUNK)
    view = memoryview(buffer)
    total = 0
    while count := os.readv(descriptor, [buffer]):
        hasher.update(view[:count])
        total += count
        if progress is not None:
            progress(count)
        if most is not None and total > most:
            break
    return "sha256:" + hasher.hexdigest(), total


def copy_hashing(source: int, target: int, progress: ByteCounter | None, path: Path, *, most: int) -> tuple[str, int]:
    """Copy an open file to another in one pass; gives digest and number of bytes.

    Ends early beyond ``most`` bytes: a file that grows as fast as it is read has no end.

    Raises:
        InvalidInput: The source cannot be read.
        OSError: The target cannot be written.
    """
    hasher = hashlib.sha256()
    buffer = bytearray(CHUNK)
    view = memoryview(buffer)
    total = 0
    while True:
        try:
            count = os.readv(source, [buffer])
        except OSError as error:
            raise InvalidInput(f"file {path} cannot be read: {error.strerror}", where=str(path)) from None
        if not count or total > most:
            return "sha256:" + hasher.hexdigest(), total
        hasher.update(view[:count])
        rest = view[:count]
        while rest:
            rest = rest[os.write(target, rest) :]
        total += count
        if progress is not None:
            progress(count)
