"""From a local file or folder to a manifest: walk, check, store."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from ..errors import InvalidInput
from ..spec.local_links import leads_out, refused
from ..spec.model import ManifestFile, check_manifest, check_manifest_path
from ..store.blobs import BlobStore, ByteCounter

_THREADS = 4
_DEEPEST, _MOST_FOLDERS = 100, 100_000
"""Beyond what models have: a maze of links, or a mistake."""


def find_files(
    path: Path | str, child_paths: Sequence[str] | None = None, *, outside: list[str] | None = None
) -> list[tuple[str, Path]]:
    """The files of a model and their manifest paths, sorted.

    A file keeps its own name; a folder's own name is the first segment of each path (spec/behaviour.md sec. 2.1).
    Symbolic links are followed within the folder.

    Args:
        path: A file or a folder.
        child_paths: Only these files and folders, relative to the folder ``path``.
        outside: Takes the names of links that lead out of the folder, which are then followed; None refuses them.

    Raises:
        InvalidInput: Something is missing, empty, no regular file, leads out of the folder, or goes round in circles.
    """
    path = Path(path)
    if not path.exists():
        what = "is a symbolic link to something that does not exist" if path.is_symlink() else "does not exist"
        raise InvalidInput(f"model path {path} {what}", hint=f"Looked in {Path.cwd()}.", where=str(path))
    if not path.is_dir():
        if child_paths:
            raise InvalidInput(f"child_paths need a folder; model path {path} is a file", where=str(path))
        return list(_walk(path.name, path, (), [], _Links(path.resolve().parent, [])))
    top = Path(os.path.abspath(path)).name  # noqa: PTH100  '.' and 'x/..' get their name, a link keeps its own
    if not top:
        raise InvalidInput(f"model path {path} has no name of its own", where=str(path))
    starts = [(top, path)] if child_paths is None else [_child(path, top, child) for child in child_paths]
    found: dict[str, Path] = {}
    walked: list[Path] = []
    links = _Links(path.resolve(), outside)
    for name, start in starts:
        if child_paths is not None:
            links.check(name, start)
        found.update(_walk(name, start, (), walked, links))
    if not found:
        raise InvalidInput(f"model path {path} holds no files", where=str(path))
    return sorted(found.items())


def collect(
    path: Path | str,
    blobs: BlobStore,
    *,
    child_paths: Sequence[str] | None = None,
    outside: list[str] | None = None,
    progress: ByteCounter | None = None,
) -> list[ManifestFile]:
    """Store a model's files as blobs and give their manifest. What is stored already is only read.

    Args:
        path: A file or a folder.
        blobs: Where to.
        child_paths: Only these, relative to the folder ``path``.
        outside: As for :func:`find_files`.
        progress: Called with the bytes done since its last call, from several threads.

    Raises:
        InvalidInput: As :func:`find_files`, and for a file that changes while it is read.
        StoreError: The blob store cannot be written.
    """
    found = find_files(path, child_paths, outside=outside)
    with ThreadPoolExecutor(_THREADS) as pool:
        # In submission order, so that an error names the first file that fails.
        stored = [pool.submit(blobs.put_file, file, progress=progress) for _, file in found]
        try:
            results = [future.result() for future in stored]
        except BaseException:
            pool.shutdown(wait=True, cancel_futures=True)
            raise
    files = [
        ManifestFile(path=name, digest=digest, size=size)
        for (name, _), (digest, size) in zip(found, results, strict=True)
    ]
    check_manifest(files, str(path))
    return files


def _child(folder: Path, top: str, child: str) -> tuple[str, Path]:
    name = check_manifest_path(child.removeprefix("./").rstrip("/"), f"child_paths of {folder}")
    if not (folder / name).exists():
        raise InvalidInput(
            f"child path {child!r} does not exist in {folder}",
            hint="Child paths are relative to the folder.",
            where=child,
        )
    return f"{top}/{name}", folder / name


class _Links:
    """Links that lead out of a folder: refused, or kept where they are to be followed."""

    def __init__(self, top: Path, outside: list[str] | None) -> None:
        self._top = top
        self._outside = outside

    def check(self, name: str, path: Path) -> None:
        if leads_out(path, self._top):
            if self._outside is None:
                raise refused(path, self._top, "model_path")
            self._outside.append(name)


def _walk(
    name: str, path: Path, above: tuple[tuple[int, int], ...], walked: list[Path], links: _Links
) -> Iterator[tuple[str, Path]]:
    try:
        facts = path.stat()
        if not stat.S_ISDIR(facts.st_mode):
            if not stat.S_ISREG(facts.st_mode):
                raise InvalidInput(f"{path} is a pipe, socket or device; a regular file is needed", where=str(path))
            yield check_manifest_path(name, str(path.parent)), path
            return
        here = (facts.st_dev, facts.st_ino)
        if here in above:
            raise InvalidInput(f"{path} leads back to a folder that it lies in", where=str(path))
        walked.append(path)
        if len(above) >= _DEEPEST or len(walked) > _MOST_FOLDERS:
            raise InvalidInput(
                f"{name[:60]}… lies more than {_DEEPEST} folders deep, or beside more than {_MOST_FOLDERS:,} others",
                hint="Links to folders that hold links make them many: register the folder that they lead to.",
                where=str(path),
            )
        entries = sorted(entry.name for entry in path.iterdir())
    except FileNotFoundError:
        raise InvalidInput(f"{path} is a symbolic link to something that does not exist", where=str(path)) from None
    except OSError as error:
        raise InvalidInput(f"{path} cannot be read: {error.strerror}", where=str(path)) from None
    for entry in entries:
        links.check(f"{name}/{entry}", path / entry)
        yield from _walk(f"{name}/{entry}", path / entry, (*above, here), walked, links)
