"""Moving files between this machine and the blob store that the API points at. Files never travel through the API."""

from __future__ import annotations

import shutil
import threading
import time
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO
from urllib.parse import unquote, urlsplit

from ..errors import AlreadyExists, InvalidInput, NotSupported
from ..files import staged
from ..progress import Progress
from ..spec.environment import EnvironmentSpec
from ..spec.inference import SourceSpec
from ..spec.local_links import followed
from ..spec.model import ManifestFile, check_manifest_path
from ..spec.operation import Operation
from ..spec.parse import replace
from ..spec.service import Service, UpdateService
from .calls import Client

if TYPE_CHECKING:
    from ..packaging.collect_source import CollectedSource
    from ..store.blobs import BlobStore

_SAY_AFTER = 2.0
"""Seconds between two lines of progress; shorter transfers say nothing."""


class Transfer:
    """Puts local files into the blob store and takes models out of it. What is stored already is read and not copied.

    Args:
        client: Says where the store is.
        progress: Takes one plain line at a time.
    """

    def __init__(self, client: Client, progress: Progress | None = None) -> None:
        self._client = client
        self._progress = progress

    def put_model(
        self, path: Path | str, child_paths: Sequence[str] | None = None, *, follow_links: bool = False
    ) -> list[ManifestFile]:
        """Store a model's file or folder; a folder keeps its own name as first segment.

        Args:
            path: Local file or folder.
            child_paths: With a folder: only these files or subfolders of it.
            follow_links: Take what links lead to that lead out of the folder; they are refused otherwise.

        Raises:
            InvalidInput: Nothing there, an empty folder, a child outside the folder, a file that changes meanwhile.
            NotSupported: The server's blob store cannot be reached from here.
        """
        from ..registry.collect import collect

        outside: list[str] | None = [] if follow_links else None
        meter = _Meter("Storing", self._progress)
        files = collect(path, self._store(), child_paths=child_paths, outside=outside, progress=meter)
        if outside and self._progress is not None:
            self._progress(followed(outside))
        return files

    def put_files(self, files: Sequence[tuple[str, Path]]) -> list[ManifestFile]:
        """Store local files, each under the name that it gets in a manifest.

        Raises:
            InvalidInput: A file is missing, unreadable or no regular file.
            NotSupported: The server's blob store cannot be reached from here.
        """
        stored = self._stored([path for _, path in files])
        return [
            ManifestFile(path=name, digest=digest, size=size)
            for (name, _), (digest, size) in zip(files, stored, strict=True)
        ]

    def put_bytes(self, name: str, data: bytes) -> ManifestFile:
        """Store bytes under the name that they get in a manifest."""
        digest, size = self._store().put_bytes(data)
        return ManifestFile(path=name, digest=digest, size=size)

    def reader(self) -> Callable[[str], BinaryIO]:
        """What opens a stored digest for reading; the bytes are verified while they are read."""
        return self._store().open

    def put_environment(self, environment: EnvironmentSpec) -> EnvironmentSpec:
        """Store the wheels, source archives and ``--find-links`` folders of this machine that an environment names.

        Returns:
            The definition with the digest of each: it counts, and what is installed is what lay there now.

        Raises:
            InvalidInput: A file is not there.
            NotSupported: The server's blob store cannot be reached from here.
        """
        from ..spec.environment_archives import with_digests
        from ..spec.environment_elsewhere import for_here

        environment = for_here(environment)
        python = environment.python
        if not any("file:" in line or line.startswith("--find-links") for line in python.pip_packages):
            return environment
        lines = with_digests(python.pip_packages, lambda path: self._stored([path])[0][0])
        return replace(environment, python=replace(python, pip_packages=lines))

    def put_source(
        self,
        entry_script: str | Path,
        source_directory: Path | str | None = None,
        environment: EnvironmentSpec | None = None,
        *,
        follow_links: bool = False,
    ) -> SourceSpec:
        """Store the scoring code: the entry script alone, or a whole folder that holds it.

        Args:
            entry_script: Path of the script; relative to ``source_directory`` when that is given, else to the
                current folder.
            source_directory: Folder whose files all go along, but for what ``.amlignore`` or ``.gitignore`` names.
            environment: Tells which Python will run the script, so that it can be checked.
            follow_links: Take what links lead to that lead out of the folder; they are refused otherwise.

        Raises:
            InvalidInput: The script or the folder is missing, or the script surely cannot be served.
            NotSupported: The server's blob store cannot be reached from here.
        """
        from ..packaging.check_script import python_of
        from ..packaging.collect_source import collect_source

        python = python_of(environment) if environment is not None else None
        found = collect_source(entry_script, source_directory, python=python, follow_links=follow_links)
        for note in found.notes:
            if self._progress is not None:
                self._progress(note)
        return self._put(found)

    @staticmethod
    def has_hooks_alone(entry_script: str | Path, source_directory: Path | str | None = None) -> bool:
        """Whether a local script only adds to a model that is served without code: it then needs no environment."""
        from ..packaging.check_script import has_hooks_alone

        script = Path(source_directory or ".", entry_script)
        return script.is_file() and has_hooks_alone(script.read_bytes())

    def reload(self, workspace: str, name: str) -> Operation | Service:
        """Bring a service to its script's files as they are now on this machine; workers start anew in any case.

        Raises:
            ServiceNotFound: There is none.
            InvalidInput: The folder that the files came from is not on this machine.
        """
        from ..packaging.collect_source import collect_again

        present = self._client.service_inference(workspace, name).asked_for()
        if present is None:
            return self._client.reload(workspace, name)
        source = self._put(collect_again(present.source))
        if source.files == present.source.files:
            return self._client.reload(workspace, name)
        by_reference = present.environment_ref is not None
        fresh = replace(present, source=source, environment=None if by_reference else present.environment)
        return self._client.update_service(workspace, name, UpdateService(inference=fresh))

    def get(self, files: Iterable[ManifestFile], target: Path | str, *, exist_ok: bool = False) -> Path:
        """Write a manifest's files below ``target``, verified, and give the path of their common first segment.

        Raises:
            AlreadyExists: A file is there already and ``exist_ok`` is False; nothing has been written then.
            InvalidInput: A folder stands where a file should go.
            CorruptBlob: The stored bytes are not those that were registered.
        """
        target = Path(target)
        wanted = [(file, target / check_manifest_path(file.path, "the manifest")) for file in files]
        for _, dest in wanted:
            if dest.is_dir():
                raise InvalidInput(f"{dest} is a folder; a file has to go there", hint="Use another target folder.")
            if not exist_ok and (dest.exists() or dest.is_symlink()):
                raise AlreadyExists(
                    f"{dest} exists already",
                    hint="Give exist_ok=True (command line: --overwrite) to replace it, or another folder.",
                    path=str(dest),
                )
        store, meter = self._store(), _Meter("Fetching", self._progress)
        for file, dest in wanted:
            with staged(dest) as place:
                store.materialise(file.digest, place, link=False, progress=meter)
        tops = {dest.relative_to(target).parts[0] for _, dest in wanted}
        return target / tops.pop() if len(tops) == 1 else target

    def get_folder(self, location: str, target: Path | str) -> Path:
        """Copy a package's folder (``file://…``) to ``target``.

        Raises:
            NotSupported: It is on a machine that this one cannot reach.
            AlreadyExists: ``target`` has files in it.
        """
        parts = urlsplit(location)
        source, target = Path(unquote(parts.path)), Path(target)
        if parts.scheme != "file" or not source.is_dir():
            raise NotSupported(
                f"the package's folder {location} is not on this machine",
                hint="Run this on the server's machine, or package it again.",
                location=location,
            )
        if target.is_dir() and any(target.iterdir()):
            raise AlreadyExists(f"{target} has files in it", hint="Give another folder, or empty it.", path=str(target))
        shutil.copytree(source, target, symlinks=True, dirs_exist_ok=True)
        return target

    def _put(self, found: CollectedSource) -> SourceSpec:
        stored = dict(zip(found.files, self._stored(found.files.values()), strict=True))
        store = self._store() if found.texts else None
        for path, content in found.texts.items():
            assert store is not None
            stored[path] = store.put_bytes(content)
        return found.spec(stored)

    def _stored(self, paths: Iterable[Path]) -> list[tuple[str, int]]:
        store, meter = self._store(), _Meter("Storing", self._progress)
        with ThreadPoolExecutor(4) as pool:
            return list(pool.map(lambda path: store.put_file(path, progress=meter), paths))

    def _store(self) -> BlobStore:
        from ..store.local_blobs import open_blobs  # only where files move

        location = self._client.missing_blobs([]).location
        parts = urlsplit(location)
        if parts.scheme == "file" and not Path(unquote(parts.path)).is_dir():
            raise NotSupported(
                f"the server keeps its files at {location}, which this machine cannot reach",
                hint="Run this on the server's machine: remote blob stores come with full server mode.",
                location=location,
            )
        return open_blobs(location)


class _Meter:
    """Counts bytes from several threads and says now and then how far it is."""

    def __init__(self, verb: str, say: Progress | None) -> None:
        self._verb, self._say = verb, say
        self._done = 0
        self._next = time.monotonic() + _SAY_AFTER
        self._lock = threading.Lock()

    def __call__(self, count: int) -> None:
        with self._lock:
            self._done += count
            if self._say is None or time.monotonic() < self._next:
                return
            self._next = time.monotonic() + _SAY_AFTER
            line = f"{self._verb} files: {self._done / 2**20:,.0f} MiB so far"
        self._say(line)
