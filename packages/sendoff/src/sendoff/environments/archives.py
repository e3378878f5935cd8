"""Archives that a definition brought along, from the store to where an installer finds them under their own names."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from ..errors import AlreadyExists, EnvironmentFailed, SendoffError
from ..spec.environment_archives import FIND_LINKS, in_place, stored_archives

if TYPE_CHECKING:
    from ..store.blobs import BlobStore

_IN_LOCK = "file:///sendoff-archives/"
"""Stands in locks for the folder, which is another one in each home: the same archive gives the same lock."""


def folder_of(home: Path) -> Path:
    """Where archives lie, each in a folder that is called as its digest."""
    return home / "cache" / "archives"


def lay(line: str, blobs: BlobStore, home: Path) -> str:
    """A requirement line with its archive laid out in the home, and named there.

    Raises:
        EnvironmentFailed: The store does not have it any more.
    """
    return in_place(line, lambda name, digest: _laid(blobs, digest, folder_of(home) / digest[7:] / name))


def lay_links(options: Iterable[str], blobs: BlobStore, home: Path) -> dict[str, str]:
    """What ``--find-links`` options name of the store, to the folder in which all of it is laid out.

    Raises:
        EnvironmentFailed: As :func:`lay`.
    """
    values = [line.removeprefix(FIND_LINKS) for line in options if line.startswith(FIND_LINKS)]
    archives = {value: stored_archives(value) for value in values}
    all_of_them = [one for found in archives.values() for one in found]
    folder = folder_of(home) / f"links-{hashlib.sha256(repr(sorted(all_of_them)).encode()).hexdigest()[:32]}"
    for name, digest in all_of_them:
        _laid(blobs, digest, folder / name)
    return {value: str(folder) for value, found in archives.items() if found}


def for_lock(text: str, home: Path) -> str:
    """Requirements without the home's path."""
    return text.replace(f"{folder_of(home).resolve().as_uri()}/", _IN_LOCK)


def for_installing(text: str, home: Path) -> str:
    """A lock's requirements, with the paths of this home."""
    return text.replace(_IN_LOCK, f"{folder_of(home).resolve().as_uri()}/")


def lay_locked(text: str, blobs: BlobStore, home: Path) -> None:
    """Make sure that what a lock's requirements name lies in the home; as :func:`lay`."""
    for line in text.splitlines():
        _, found, rest = line.partition(_IN_LOCK)
        if found:
            digest, _, name = rest.split()[0].partition("/")
            lay(f"{folder_of(home).as_uri()}/{digest}/{name}#sha256={digest}", blobs, home)


def _laid(blobs: BlobStore, digest: str, path: Path) -> Path:
    if not path.exists():
        try:
            blobs.materialise(digest, path)
        except AlreadyExists:
            pass  # another process was faster
        except SendoffError as error:
            raise EnvironmentFailed(
                f"{path.name}, which the environment brought along, is not in the store: {error.message}",
                hint="Register the environment again where the file is.",
                reason="missing",
            ) from None
    return path.resolve()
