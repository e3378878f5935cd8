"""Blobs: bytes stored under their own digest. The Protocol that every blob store keeps."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import BinaryIO, NamedTuple, Protocol

from ..errors import InvalidInput

ByteCounter = Callable[[int], None]
"""Called with the number of bytes done since the last call."""

_DIGEST = re.compile(r"sha256:[0-9a-f]{64}\Z")


class BlobFacts(NamedTuple):
    """A stored blob's size in bytes and when it was last put (unix seconds): what garbage collection asks."""

    size: int
    put_time: float


class BlobStore(Protocol):
    """Content-addressed bytes. A digest is ``sha256:`` and 64 hex digits; what is stored never changes.

    Everything that reads bytes out verifies them and raises :class:`~sendoff.errors.CorruptBlob`, naming digest and
    place; reading a digest that is not there raises :class:`~sendoff.errors.NotFound`; a digest that is none raises
    :class:`~sendoff.errors.InvalidInput`; disk trouble raises :class:`~sendoff.errors.StoreError`.
    """

    @property
    def location(self) -> str:
        """URL of the store, for a client that may write to it directly (``file://…``)."""

    def has(self, digest: str) -> bool:
        """Whether the blob is here."""

    def missing(self, digests: Iterable[str]) -> list[str]:
        """Those that are not here, in the order asked, each once."""

    def known_sizes(self, sizes: Iterable[int]) -> list[int]:
        """Those sizes (bytes) that some blob may have. A size that is not named is certainly new."""

    def facts(self, digest: str) -> BlobFacts:
        """Size and time of the last put."""

    def put_file(self, path: Path | str, *, progress: ByteCounter | None = None) -> tuple[str, int]:
        """Store a copy of a regular file (symlinks are followed); a file that is here already costs reading it only.

        Returns:
            Its digest and size in bytes.

        Raises:
            InvalidInput: It is missing, unreadable, no regular file, or changed while it was read.
            StoreError: The store cannot be written; it is as it was.
        """

    def put_bytes(self, data: bytes) -> tuple[str, int]:
        """Store bytes; gives digest and size."""

    def open(self, digest: str) -> BinaryIO:
        """Read from start to end; the read that reaches the end raises when the bytes do not fit the digest."""

    def read_bytes(self, digest: str) -> bytes:
        """The whole blob."""

    def peek(self, digest: str) -> BinaryIO:
        """A seekable reader that verifies nothing: for looking at a file, never for using it."""

    def materialise(
        self, digest: str, dest: Path | str, *, link: bool = True, progress: ByteCounter | None = None
    ) -> None:
        """Put the verified bytes at a path that is free; parents are made.

        With ``link`` the file may share its bytes with the store (reflink, else hard link) and read-only: for bundles.
        Without, it is the caller's own and writable: for downloads.

        Raises:
            AlreadyExists: Something is at ``dest``.
        """

    def verify(self, digest: str) -> None:
        """Read the blob and compare it with its digest."""

    def delete(self, digest: str) -> bool:
        """Remove a blob; False when it was not there."""

    def digests(self) -> Iterator[str]:
        """Every stored digest, in no order."""


def check_digest(digest: str) -> str:
    """The digest itself, or :class:`~sendoff.errors.InvalidInput`."""
    if not isinstance(digest, str) or not _DIGEST.match(digest):
        raise InvalidInput(
            f"digest {digest!r} is not one", hint="A digest is 'sha256:' and 64 hex digits.", field="digest"
        )
    return digest
