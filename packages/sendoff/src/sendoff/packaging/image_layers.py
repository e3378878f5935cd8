"""An image's layer as a tar archive whose bytes depend on its files alone: sorted, no owners, no times."""

from __future__ import annotations

import os
import stat
import tarfile
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from .. import files
from ..containers.hashing import Hashing
from ..errors import StoreError
from ..spec.parse import Spec, replace

MTIME = 946_684_800
"""Of every file in our layers: 2000-01-01, UTC. Nothing may depend on when an image was made."""
_CHUNK = 1 << 20
BIGGEST = 10
"""So many of the largest files are remembered."""


class Layer(Spec):
    """A layer: ``diff_id`` is its tar archive's digest, ``size`` that in bytes, ``path`` the archive if it was kept.

    ``diff_id`` is empty for as long as nobody has read the layer through. ``files`` and ``content`` say how many files
    and bytes are in it, ``biggest`` the largest of them.
    """

    name: str
    diff_id: str
    size: int
    path: str | None = None
    files: int = 0
    content: int = 0
    biggest: list[tuple[str, int]] = []


class Entry(Spec):
    """One name in a layer: a file's content on disk (``source``) or in memory (``data``), a link, or a folder."""

    source: str | None = None
    data: bytes | None = None
    link: str | None = None
    executable: bool = False

    @property
    def folder(self) -> bool:
        """Whether this is a folder."""
        return self.source is None and self.data is None and self.link is None

    @property
    def content(self) -> bytes:
        """A file's bytes."""
        return self.data if self.data is not None else Path(str(self.source)).read_bytes()


Entries = dict[str, Entry]
"""Absolute paths in the image, without the leading ``/``, to what is there."""


def tree(folder: Path, at: str, *, skip: Iterable[str] = ()) -> Entries:
    """Everything below a folder, as it should lie below ``at`` in the image.

    Args:
        folder: A folder on this machine.
        at: Where in the image, without the leading ``/``.
        skip: Paths relative to ``folder`` that are left out with all below them.
    """
    left_out = set(skip)
    found: Entries = {at: Entry()}
    pending = [""]
    while pending:
        inner = pending.pop()
        with os.scandir(folder / inner) as listed:
            for one in listed:
                path = f"{inner}/{one.name}" if inner else one.name
                if path in left_out:
                    continue
                if one.is_symlink():
                    found[f"{at}/{path}"] = Entry(link=os.readlink(one.path))  # noqa: PTH115 - as it is written
                elif one.is_dir():
                    found[f"{at}/{path}"] = Entry()
                    pending.append(path)
                elif one.is_file():
                    executable = bool(one.stat().st_mode & stat.S_IXUSR)
                    found[f"{at}/{path}"] = Entry(source=one.path, executable=executable)
    return found


def pieces(entries: Mapping[str, Entry]) -> Iterator[bytes]:
    """A layer's tar archive, piece by piece; equal entries give equal bytes.

    Raises:
        StoreError: A file cannot be read, or changed its size meanwhile.
    """
    for info, entry in _headers(entries):
        yield info.tobuf(tarfile.PAX_FORMAT)
        if entry.data is not None:
            yield entry.data
        elif entry.source is not None:
            yield from _read(entry.source, info.size)
        yield bytes(-info.size % tarfile.BLOCKSIZE)
    yield bytes(2 * tarfile.BLOCKSIZE)


def archived_size(entries: Mapping[str, Entry]) -> int:
    """How many bytes :func:`pieces` would give, from the files' sizes alone."""
    blocks = sum(
        len(info.tobuf(tarfile.PAX_FORMAT)) + -(-info.size // tarfile.BLOCKSIZE) * tarfile.BLOCKSIZE
        for info, _ in _headers(entries)
    )
    return blocks + 2 * tarfile.BLOCKSIZE


def _headers(entries: Mapping[str, Entry]) -> Iterator[tuple[tarfile.TarInfo, Entry]]:
    for name in sorted(_with_parents(entries)):
        entry = entries.get(name, _FOLDER)
        info = tarfile.TarInfo(name)
        info.mtime = MTIME
        if entry.link is not None:
            info.type, info.linkname, info.mode = tarfile.SYMTYPE, entry.link, 0o777
        elif entry.folder:
            info.type, info.mode = tarfile.DIRTYPE, 0o755
        else:
            info.mode = 0o755 if entry.executable else 0o644
            info.size = len(entry.data) if entry.data is not None else Path(str(entry.source)).stat().st_size
        yield info, entry


def _read(source: str, size: int) -> Iterator[bytes]:
    left = size
    try:
        with open(source, "rb", buffering=0) as file:  # noqa: PTH123 - thousands of them
            while left > 0 and (data := file.read(min(_CHUNK, left))):
                yield data
                left -= len(data)
            if left or file.read(1):
                raise StoreError(f"{source} changed while it was read", hint="Try again.")
    except OSError as error:
        raise StoreError(f"{source} cannot be read: {error.strerror or error}") from None


def unread(name: str, entries: Mapping[str, Entry]) -> Layer:
    """What is known of a layer from its files' names and sizes alone."""
    files = [
        (f"/{path}", len(one.data) if one.data is not None else Path(str(one.source)).stat().st_size)
        for path, one in entries.items()
        if one.data is not None or one.source is not None
    ]
    return Layer(
        name=name,
        diff_id="",
        size=archived_size(entries),
        files=len(files),
        content=sum(size for _, size in files),
        biggest=sorted(files, key=lambda file: (-file[1], file[0]))[:BIGGEST],
    )


def save(name: str, entries: Mapping[str, Entry], path: Path) -> Layer:
    """Write a layer's archive to a file, put in place when it is whole.

    Raises:
        StoreError: The file cannot be written, or a source not be read.
    """
    with files.staged(path, folder=0o777) as staged, staged.open("wb") as file:
        hashing = Hashing(file)
        for piece in pieces(entries):
            hashing.write(piece)
    return replace(unread(name, entries), diff_id=hashing.digest, size=hashing.size, path=str(path))


def digest(entries: Mapping[str, Entry]) -> tuple[str, int]:
    """The digest and size of the archive that :func:`pieces` would make."""
    hashing = Hashing(None)
    for piece in pieces(entries):
        hashing.write(piece)
    return hashing.digest, hashing.size


_FOLDER = Entry()


def _with_parents(entries: Mapping[str, Entry]) -> Iterator[str]:
    seen: set[str] = set()
    for name in entries:
        parts = name.split("/")
        for count in range(1, len(parts) + 1):
            path = "/".join(parts[:count])
            if path not in seen:
                seen.add(path)
                yield path
