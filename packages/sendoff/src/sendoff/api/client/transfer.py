"""Moving files between this machine and the blob store that the API points at. Files never travel through the API."""

from __future__ import annotations

import hashlib
import os
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path, PurePosixPath
from typing import IO, TYPE_CHECKING
from urllib.parse import unquote, urlsplit

from ...errors import CorruptBlob, InvalidInput, NotSupported
from ...spec.environment import EnvironmentSpec
from ...spec.inference import SourceSpec
from ...spec.model import ManifestFile
from .calls import Client

if TYPE_CHECKING:
    from ...store.blobs import BlobStore

Progress = Callable[[str], None]
_SAY_FROM = 64 * 1024 * 1024
"""Bytes from which a transfer is worth a line of progress."""


class Transfer:
    """Puts local files into the blob store and takes models out of it.

    Args:
        client: Says which blobs are missing and where the store is.
        progress: Takes one plain line at a time; nothing is said about small transfers.
    """

    def __init__(self, client: Client, progress: Progress | None = None) -> None:
        self._client = client
        self._progress = progress

    def put_model(self, path: Path | str, child_paths: Sequence[str] | None = None) -> list[ManifestFile]:
        """Store a model's file or folder; a folder keeps its own name as first segment.

        Args:
            path: Local file or folder.
            child_paths: With a folder: only these files or subfolders of it.

        Raises:
            InvalidInput: Nothing there, an empty folder, a child outside the folder, a link that leads out of it.
        """
        root = Path(path)
        if not root.exists():
            raise InvalidInput(
                f"model path {str(path)!r} does not exist", hint=f"Looked in {Path.cwd()}.", where=str(path)
            )
        if root.is_file():
            if child_paths:
                raise InvalidInput(
                    f"child_paths need a folder, and {str(path)!r} is a file",
                    hint="Leave child_paths away.",
                    where=str(path),
                )
            return self._put([(root.name, root)])
        name = root.resolve().name
        wanted = [root] if not child_paths else [_child(root, child) for child in child_paths]
        files = {}
        for start in wanted:
            for file in _walk(start, root):
                files[str(PurePosixPath(name, *file.relative_to(root).parts))] = file
        if not files:
            raise InvalidInput(f"model folder {str(path)!r} holds no file", where=str(path))
        return self._put(sorted(files.items()))

    def put_source(
        self,
        entry_script: str | Path,
        source_directory: Path | str | None = None,
        environment: EnvironmentSpec | None = None,
    ) -> SourceSpec:
        """Store the scoring code: the entry script alone, or a whole folder that holds it.

        Args:
            entry_script: Path of the script; relative to ``source_directory`` when that is given, else to the
                current folder.
            source_directory: Folder whose files all go along, but for what ``.amlignore`` or ``.gitignore`` names.
            environment: Tells which Python will run the script, so that it can be checked.

        Raises:
            InvalidInput: The script or the folder is missing, or the script surely cannot be served.
        """
        from ...packaging.check_script import python_of
        from ...packaging.collect_source import collect_source

        python = python_of(environment) if environment is not None else None
        found = collect_source(entry_script, source_directory, python=python)
        for note in found.notes:
            self._say(note)
        stored = {file.path: (file.digest, file.size) for file in self._put(sorted(found.files.items()))}
        return found.spec(stored)

    def get(self, files: Iterable[ManifestFile], target: Path | str, *, exist_ok: bool = False) -> Path:
        """Write a manifest's files below ``target``, verified, and return the path of their common first segment.

        Raises:
            InvalidInput: A file is there already and ``exist_ok`` is False; nothing has been written then.
            CorruptBlob: The stored bytes are not those that were registered.
        """
        target = Path(target)
        wanted = [(file, target.joinpath(*_safe_parts(file.path))) for file in files]
        taken = [dest for _, dest in wanted if dest.exists() or dest.is_symlink()]
        if taken and not exist_ok:
            raise InvalidInput(
                f"{taken[0]} exists already",
                hint="Give exist_ok=True (command line: --overwrite) to replace it, or another folder.",
                where=str(taken[0]),
            )
        blobs = self._store(self._client.missing_blobs([]).location)
        for file, dest in wanted:
            dest.parent.mkdir(parents=True, exist_ok=True)
            staged = dest.with_name(f".{dest.name}.{os.getpid()}.part")
            staged.unlink(missing_ok=True)
            try:
                # A plain, writable copy: a download is the user's, and the store's file must not change with it.
                with blobs.open(file.digest) as source, staged.open("wb") as out:
                    _copy_verified(source, out, file)
                staged.replace(dest)
            finally:
                staged.unlink(missing_ok=True)
        tops = {PurePosixPath(file.path).parts[0] for file, _ in wanted}
        return target / tops.pop() if len(tops) == 1 else target

    def _put(self, named: Sequence[tuple[str, Path]]) -> list[ManifestFile]:
        sizes = {path: path.stat().st_size for _, path in named}
        total = sum(sizes.values())
        answer = self._client.known_sizes(sorted(set(sizes.values())))
        blobs = self._store(answer.location)
        # Files of a size nobody has stored, and of which there is one here, cannot be known: hash while copying.
        alike = Counter(sizes.values())
        known = set(answer.known)
        fresh = {path for _, path in named if sizes[path] not in known and alike[sizes[path]] == 1}
        if total >= _SAY_FROM:
            self._say(f"Storing {len(named)} file{'s' * (len(named) != 1)}, {_human(total)}")
        done: dict[Path, tuple[str, int]] = {}
        with ThreadPoolExecutor(max_workers=min(4, os.cpu_count() or 1)) as pool:
            rest = [path for _, path in named if path not in fresh]
            hashed = pool.map(_digest, rest)
            for path, result in zip(fresh, pool.map(blobs.put_file, fresh), strict=True):
                done[path] = result
                self._stored(path, sizes[path], "stored")
            for path, result in zip(rest, hashed, strict=True):
                done[path] = result
            if rest:
                missing = set(self._client.missing_blobs(sorted({done[path][0] for path in rest})).missing)
                first: dict[str, Path] = {}
                for path in rest:
                    if done[path][0] in missing:
                        first.setdefault(done[path][0], path)
                for path, result in zip(first.values(), pool.map(blobs.put_file, first.values()), strict=True):
                    done[path] = result
                    self._stored(path, sizes[path], "stored")
                for path in rest:
                    if done[path][0] not in missing:
                        self._stored(path, sizes[path], "is stored already")
        return [ManifestFile(path=name, digest=done[path][0], size=done[path][1]) for name, path in named]

    def _store(self, location: str) -> BlobStore:
        from ...store.blobs import BlobStore  # only where files move

        parts = urlsplit(location)
        root = Path(unquote(parts.path))
        if parts.scheme != "file" or not root.is_dir():
            raise NotSupported(
                f"the server keeps its files at {location}, which this machine cannot reach",
                hint="Run this on the server's machine: remote blob stores come with full server mode.",
                location=location,
            )
        return BlobStore(root)

    def _stored(self, path: Path, size: int, what: str) -> None:
        if size >= _SAY_FROM:
            self._say(f"{path.name} ({_human(size)}) {what}")

    def _say(self, line: str) -> None:
        if self._progress is not None:
            self._progress(line)


def _child(root: Path, child: str) -> Path:
    found = root / child
    try:
        found.resolve().relative_to(root.resolve())
    except ValueError:
        raise InvalidInput(f"child path {child!r} leads out of the model folder {str(root)!r}", where=child) from None
    if not found.exists():
        raise InvalidInput(
            f"child path {child!r} does not exist in the model folder {str(root)!r}",
            hint="Child paths are relative to model_path.",
            where=child,
        )
    return root / found.resolve().relative_to(root.resolve())


def _walk(start: Path, root: Path) -> Iterable[Path]:
    """Regular files below ``start``; links to folders are not followed, links out of ``root`` are refused."""
    if start.is_file():
        yield start
        return
    inside = root.resolve()
    for folder, names, files in os.walk(start):
        names.sort()
        for name in sorted(files):
            path = Path(folder, name)
            if path.is_symlink() and not path.resolve().is_relative_to(inside):
                raise InvalidInput(
                    f"{path} is a link that leads out of {root}",
                    hint="Copy the file in, or remove the link.",
                    where=str(path),
                )
            if not path.is_file():
                raise InvalidInput(f"{path} is no regular file", hint="Remove it from the folder.", where=str(path))
            yield path


def _digest(path: Path) -> tuple[str, int]:
    with path.open("rb") as file:
        found = hashlib.file_digest(file, "sha256").hexdigest()
        return f"sha256:{found}", file.tell()


def _copy_verified(source: IO[bytes], out: IO[bytes], file: ManifestFile) -> None:
    digest = hashlib.sha256()
    while chunk := source.read(1 << 20):
        digest.update(chunk)
        out.write(chunk)
    if f"sha256:{digest.hexdigest()}" != file.digest:
        raise CorruptBlob(
            f"the stored bytes of {file.path} are not those that were registered",
            hint="Register the file again; 'sendoff doctor' checks the whole store.",
            digest=file.digest,
        )


def _safe_parts(path: str) -> tuple[str, ...]:
    parts = PurePosixPath(path).parts
    if not parts or ".." in parts or PurePosixPath(path).is_absolute():
        raise InvalidInput(f"the manifest's path {path!r} leads out of the target folder", where=path)
    return parts


def _human(size: float) -> str:
    for unit in ("bytes", "KiB", "MiB"):
        if size < 1024:
            return f"{size:.0f} {unit}"
        size /= 1024
    return f"{size:.1f} GiB"
