"""Which blob store is at a location."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import unquote, urlsplit

from ..errors import InvalidInput
from .blobs import BlobStore
from .local_blobs import LocalBlobs


def open_blobs(location: str) -> BlobStore:
    """The blob store at a location that :attr:`BlobStore.location` gave.

    Raises:
        InvalidInput: The scheme is none that this version knows.
    """
    parts = urlsplit(location)
    if parts.scheme != "file" or not parts.path:
        raise InvalidInput(f"blob location {location!r} is not known", hint="Known: file:///folder.", where=location)
    return LocalBlobs(Path(unquote(parts.path)))
