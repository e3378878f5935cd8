"""The files of a request's source, as the store has them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..errors import Conflict
from ..spec.inference import SourceSpec

if TYPE_CHECKING:
    from ..rooms import Rooms


def entry_script(rooms: Rooms, source: SourceSpec) -> bytes:
    """The content of the file that is run."""
    script = next(file for file in source.files if file.path == source.entry_script)
    return rooms.store.blobs.read_bytes(script.digest)


def check_blobs(rooms: Rooms, source: SourceSpec) -> None:
    """Raise unless every source file is in the store."""
    missing = set(rooms.store.blobs.missing([file.digest for file in source.files]))
    if missing:
        lost = sorted(file.path for file in source.files if file.digest in missing)
        raise Conflict(
            f"{len(lost)} source files are not in the store, {lost[0]} among them",
            hint="Upload the blobs that POST /v1/blobs/missing names, then deploy.",
            missing=sorted(missing),
        )
