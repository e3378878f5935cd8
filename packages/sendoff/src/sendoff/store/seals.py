"""Seals: which large blobs were hashed a while ago and have not been touched since, by what the file system says.

A blob that is linked into a bundle is the file that was hashed when it was stored. Reading 500 MB again a second later
takes longer than everything else in an update, and reads the same pages of memory. Decision 6 says what is trusted.
"""

from __future__ import annotations

import os
import time
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import NamedTuple

from .. import files
from ..errors import StoreError

SEALED_FROM = 16 << 20
"""Bytes from which on a blob is sealed: a smaller one is read in the time that a seal takes."""
TRUSTED_SECONDS = 86_400.0
"""How long after its bytes were last hashed a seal counts."""
TICK_NS = 20_000_000
"""File times advance in steps of up to 10 ms: within the same step a change would leave no trace."""


class _Seal(NamedTuple):
    """What the file system said of a blob when its bytes were known, and when they were last hashed (unix seconds)."""

    inode: int
    size: int
    mtime_ns: int
    ctime_ns: int
    hashed: float
    boot: str

    @property
    def file(self) -> tuple[int, int, int, int]:
        return self.inode, self.size, self.mtime_ns, self.ctime_ns


class Seals:
    """One small file a sealed blob, in a folder beside the blobs. One that is lost or wrong costs one more reading."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def hashed_at(self, digest: str, descriptor: int) -> float | None:
        """When an open blob's bytes were last hashed, if nothing has touched the file since; else None."""
        try:
            inode, size, mtime_ns, ctime_ns, hashed, boot = self._place(digest).read_text().split()
            seal = _Seal(int(inode), int(size), int(mtime_ns), int(ctime_ns), float(hashed), boot)
        except (OSError, ValueError):
            return None
        found = os.fstat(descriptor)
        untouched = seal.file == (found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns)
        age = time.time() - seal.hashed
        return seal.hashed if untouched and seal.boot == _boot() and 0 <= age < TRUSTED_SECONDS else None

    def set(self, digest: str, descriptor: int, *, hashed: float, before: os.stat_result) -> None:
        """Seal an open blob whose bytes are known to fit.

        Args:
            digest: The blob.
            descriptor: Its open file, after whatever links of ours have changed its times.
            hashed: When its bytes were read, unix seconds.
            before: What the file system said while they were known: a file that was written to since is not sealed.
        """
        if before.st_size < SEALED_FROM or not _boot():
            return
        found = os.fstat(descriptor)
        wait = found.st_ctime_ns + TICK_NS - time.time_ns()
        if wait > TICK_NS:  # the clock was set back
            return
        if wait > 0:
            time.sleep(wait / 1e9)
        later = os.fstat(descriptor)
        if not same_content(before, found) or _times(found) != _times(later):
            return
        seal = _Seal(found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns, hashed, _boot())
        with suppress(StoreError):  # an unsealed blob is read again, no more
            files.write(self._place(digest), " ".join(str(field) for field in seal), folder=0o700)

    def drop(self, digest: str) -> None:
        """Forget a seal."""
        self._place(digest).unlink(missing_ok=True)

    def _place(self, digest: str) -> Path:
        return self._folder / digest.removeprefix("sha256:")


def same_content(one: os.stat_result, other: os.stat_result) -> bool:
    """Whether a file was not written to between two looks; links change the time of its inode (ctime) alone."""
    return (one.st_ino, one.st_size, one.st_mtime_ns) == (other.st_ino, other.st_size, other.st_mtime_ns)


def _times(found: os.stat_result) -> tuple[int, int]:
    return found.st_mtime_ns, found.st_ctime_ns


@cache
def _boot() -> str:
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    except OSError:
        return ""
