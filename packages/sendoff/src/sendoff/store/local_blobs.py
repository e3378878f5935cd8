"""Blobs in a local folder: ``blobs/sha256/ab/cdef…``, staged beside them, then linked into place."""

from __future__ import annotations

import errno
import hashlib
import os
import secrets
import stat
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO
from urllib.parse import unquote, urlsplit

from .. import files
from ..errors import AlreadyExists, InvalidInput, NotFound, StoreError
from .blobs import BlobFacts, BlobStore, ByteCounter, check_digest
from .copying import CHUNK, copy_hashing, hash_descriptor, reflink
from .seals import Seals, same_content
from .verified import VerifiedReader, corrupt

_READ_ONLY, _OWN = 0o444, 0o644


class LocalBlobs:
    """A :class:`~sendoff.store.blobs.BlobStore` in a folder of this machine; any number of processes may share it."""

    def __init__(self, root: Path, staging: Path | None = None) -> None:
        """``root`` is a home's ``blobs`` folder; both folders are on one file system and made when needed."""
        self.root = root
        self.staging = root.parent / "staging" if staging is None else staging
        self._seals = Seals(root / "sealed")

    def __repr__(self) -> str:
        return f"LocalBlobs({str(self.root)!r})"

    @property
    def location(self) -> str:
        """``file://`` and the blobs' folder."""
        return self.root.absolute().as_uri()

    def has(self, digest: str) -> bool:
        return self._path(digest).is_file()

    def missing(self, digests: Iterable[str]) -> list[str]:
        return [digest for digest in dict.fromkeys(digests) if not self.has(digest)]

    def known_sizes(self, sizes: Iterable[int]) -> list[int]:
        return [size for size in dict.fromkeys(sizes) if self._size_mark(size).exists()]

    def facts(self, digest: str) -> BlobFacts:
        try:
            found = self._path(digest).stat()
        except FileNotFoundError:
            raise _absent(digest) from None
        return BlobFacts(found.st_size, found.st_mtime)

    def put_file(self, path: Path | str, *, progress: ByteCounter | None = None) -> tuple[str, int]:
        path = Path(path)
        source = _open_regular(path)
        try:
            before = os.fstat(source)
            size = before.st_size
            if self._size_mark(size).exists():
                # Probably here already: reading alone is cheaper than copying and throwing away.
                digest, seen = hash_descriptor(source, progress, most=size)
                _check_unchanged(path, before, os.fstat(source), seen)
                if self._is_here(digest, size):
                    return digest, size
                os.lseek(source, 0, os.SEEK_SET)
                progress = None  # these bytes were counted once
            with self._staged() as (target, staged):
                if reflink(target, source):
                    digest, seen = hash_descriptor(target, progress)
                else:
                    digest, seen = copy_hashing(source, target, progress, path, most=size)
                _check_unchanged(path, before, os.fstat(source), seen)
                self._keep(target, staged, digest, size)
            return digest, size
        finally:
            os.close(source)

    def put_bytes(self, data: bytes) -> tuple[str, int]:
        digest = "sha256:" + hashlib.sha256(data).hexdigest()
        if self._is_here(digest, len(data)):
            return digest, len(data)
        with self._staged() as (target, staged):
            rest = memoryview(data)
            while rest:
                rest = rest[os.write(target, rest) :]
            self._keep(target, staged, digest, len(data))
        return digest, len(data)

    def open(self, digest: str) -> BinaryIO:
        path = self._path(digest)
        return VerifiedReader.buffered(self._open(digest), digest, path)

    def read_bytes(self, digest: str) -> bytes:
        with self.open(digest) as reader:
            return reader.read()

    def peek(self, digest: str) -> BinaryIO:
        return os.fdopen(self._open(digest), "rb", buffering=CHUNK)

    def materialise(
        self, digest: str, dest: Path | str, *, link: bool = True, progress: ByteCounter | None = None
    ) -> None:
        dest = Path(dest)
        source = self._open(digest)
        try:
            dest.parent.mkdir(parents=True, exist_ok=True)
            temporary = dest.parent / f".{secrets.token_hex(8)}.part"
            try:
                hashed, before = self._lay(digest, source, temporary, link, progress)
                os.link(temporary, dest)
            finally:
                temporary.unlink(missing_ok=True)
            self._seals.set(digest, source, hashed=hashed, before=before)
        except FileExistsError:
            raise AlreadyExists(f"{dest} exists already", hint="Remove it, or choose another place.") from None
        except OSError as error:
            raise StoreError(f"{dest} cannot be written: {error.strerror}", path=str(dest)) from error
        finally:
            os.close(source)

    def verify(self, digest: str) -> None:
        source = self._open(digest)
        try:
            self._check(digest, hash_descriptor(source, None)[0])
        finally:
            os.close(source)

    def delete(self, digest: str) -> bool:
        try:
            self._path(digest).unlink()
        except FileNotFoundError:
            return False
        self._seals.drop(digest)
        return True

    def digests(self) -> Iterator[str]:
        for folder in (self.root / "sha256").glob("[0-9a-f][0-9a-f]"):
            for entry in os.scandir(folder):
                yield f"sha256:{folder.name}{entry.name}"

    def sweep(self, *, older_than_seconds: float = 86_400) -> list[Path]:
        """Remove what writers that died have left in the staging folder; gives what was removed."""
        limit = time.time() - older_than_seconds
        removed = []
        for path in self.staging.glob("blob-*"):
            try:
                if path.stat().st_mtime < limit:
                    path.unlink()
                    removed.append(path)
            except FileNotFoundError:
                pass
        return removed

    def _path(self, digest: str) -> Path:
        hexadecimal = check_digest(digest).removeprefix("sha256:")
        return self.root / "sha256" / hexadecimal[:2] / hexadecimal[2:]

    def _size_mark(self, size: int) -> Path:
        # An empty file for every size ever stored: the only index needed, and stale ones cost a second reading only.
        return self.root / "sizes" / str(size)

    def _open(self, digest: str) -> int:
        path = self._path(digest)
        try:
            return os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        except FileNotFoundError:
            raise _absent(digest) from None
        except OSError as error:
            raise StoreError(f"blob {path} cannot be read: {error.strerror}", path=str(path)) from error

    def _is_here(self, digest: str, size: int) -> bool:
        """Whether a blob that is put again is stored, with these very bytes; it then counts as new.

        It is read, unless it was lately and nothing has touched it: who puts a file again may do so because the stored
        one cannot be read, and has its bytes at hand.
        """
        try:
            stored = os.open(self._path(digest), os.O_RDONLY | os.O_CLOEXEC)
        except OSError:
            return False
        try:
            found = os.fstat(stored)
            if found.st_size != size:
                return False
            hashed = self._seals.hashed_at(digest, stored)
            if hashed is None:
                hashed = time.time()
                if hash_descriptor(stored, None, most=size)[0] != digest or not same_content(found, os.fstat(stored)):
                    return False
            self._touch(digest)
            self._seals.set(digest, stored, hashed=hashed, before=os.fstat(stored))
        except OSError:  # the disk cannot read it: put it there anew
            return False
        finally:
            os.close(stored)
        return True

    def _touch(self, digest: str) -> None:
        # Garbage collection spares what was put lately; a blob that is put again counts as new.
        try:
            os.utime(self._path(digest))
        except OSError:
            pass

    @contextmanager
    def _staged(self) -> Iterator[tuple[int, Path]]:
        staged = self.staging / f"blob-{os.getpid()}-{secrets.token_hex(8)}"
        try:
            self.staging.mkdir(mode=0o700, parents=True, exist_ok=True)
            target = os.open(staged, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
            try:
                yield target, staged
            finally:
                os.close(target)
                staged.unlink(missing_ok=True)
        except OSError as error:
            raise StoreError(
                f"the blob store {self.root} cannot be written: {error.strerror}",
                hint="Check the disk's free space and who owns the folder; the store is as it was.",
                path=str(self.root),
            ) from error

    def _keep(self, target: int, staged: Path, digest: str, size: int) -> None:
        hashed, written = time.time(), os.fstat(target)
        os.fchmod(target, _READ_ONLY)
        os.fsync(target)
        final = self._path(digest)
        mark = self._size_mark(size)
        for folder in (final.parent, mark.parent):
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        mark.touch()
        try:
            # Not renamed over: bundles hold links to the file that was there first.
            os.link(staged, final)
        except FileExistsError:
            if not self._is_here(digest, size):
                staged.rename(final)  # cut off or changed outside Sendoff: mend it
        files.sync_folder(final.parent)
        staged.unlink(missing_ok=True)
        if os.fstat(target).st_nlink:  # else a file with this name was there first, and we have not read that one
            self._seals.set(digest, target, hashed=hashed, before=written)

    def _lay(
        self, digest: str, source: int, temporary: Path, link: bool, progress: ByteCounter | None
    ) -> tuple[float, os.stat_result]:
        """Lay a blob's bytes at a path; gives when they were last hashed, and what the file was like then."""
        hashed, before = time.time(), os.fstat(source)
        sealed = self._seals.hashed_at(digest, source) if link else None
        target = os.open(temporary, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        try:
            cloned = reflink(target, source)
            if cloned or (link and self._link(digest, temporary)):
                if sealed is not None and same_content(before, os.fstat(source)):
                    found, hashed = digest, sealed
                    if progress is not None:
                        progress(before.st_size)
                else:
                    found = hash_descriptor(target if cloned else source, progress)[0]
            else:
                size = os.fstat(source).st_size
                found = copy_hashing(source, target, progress, self._path(digest), most=size)[0]
                os.fchmod(target, _READ_ONLY if link else _OWN)
            self._check(digest, found)
        finally:
            os.close(target)
        if temporary.stat().st_nlink == 1:
            temporary.chmod(_READ_ONLY if link else _OWN)
        return hashed, before

    def _link(self, digest: str, temporary: Path) -> bool:
        extra = temporary.with_suffix(".link")
        try:
            os.link(self._path(digest), extra)
        except OSError:  # another file system, or one without links
            return False
        extra.rename(temporary)
        return True

    def _check(self, digest: str, found: str) -> None:
        if found != digest:
            raise corrupt(digest, self._path(digest))


def open_blobs(location: str) -> BlobStore:
    """The blob store at a location that :attr:`BlobStore.location` gave.

    Raises:
        InvalidInput: The scheme is none that this version knows.
    """
    parts = urlsplit(location)
    if parts.scheme != "file" or not parts.path:
        raise InvalidInput(f"blob location {location!r} is not known", hint="Known: file:///folder.", where=location)
    return LocalBlobs(Path(unquote(parts.path)))


def _absent(digest: str) -> NotFound:
    return NotFound(f"blob {digest} is not in the store", digest=digest)


def _open_regular(path: Path) -> int:
    try:
        # Without O_NONBLOCK a pipe that nobody writes to would hold the caller for ever.
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError as error:
        raise _unreadable(path, error) from None
    if not stat.S_ISREG(mode := os.fstat(descriptor).st_mode):
        os.close(descriptor)
        kind = "a folder" if stat.S_ISDIR(mode) else "a pipe, socket or device"
        raise InvalidInput(f"{path} is {kind}; a regular file is needed", where=str(path))
    return descriptor


def _unreadable(path: Path, error: OSError) -> InvalidInput:
    if isinstance(error, FileNotFoundError):
        what = "is a symbolic link to something that does not exist" if path.is_symlink() else "does not exist"
        return InvalidInput(f"file {path} {what}", hint=f"Looked in {Path.cwd()}.", where=str(path))
    if error.errno == errno.ENXIO:
        return InvalidInput(f"{path} is a pipe, socket or device; a regular file is needed", where=str(path))
    return InvalidInput(f"file {path} cannot be read: {error.strerror}", where=str(path))


def _check_unchanged(path: Path, before: os.stat_result, after: os.stat_result, seen: int) -> None:
    same = (before.st_size, before.st_mtime_ns) == (after.st_size, after.st_mtime_ns) and seen == before.st_size
    if not same:
        raise InvalidInput(
            f"file {path} changed while it was read",
            hint="Wait until whatever writes it has ended, then try again.",
            where=str(path),
        )
