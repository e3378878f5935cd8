"""Files that are whole or not there, and locks that the kernel gives up when their holder dies.

Whatever Sendoff writes is staged beside its name and renamed: a reader sees the old file or the new one, also when the
writer is killed or the disk is full. What a killed writer leaves is hidden, ends in ``.part`` and is read by nobody.
The standard library alone, since the supervisor imports this.
"""

from __future__ import annotations

import fcntl
import json
import os
import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from .errors import SendoffError, StoreError

OWN = 0o600
"""For the user of this home alone."""
PUBLIC = 0o666
"""For whoever the umask lets read: files that users asked for."""

_LONGEST_NAME = 230  # bytes of a name that still has room for the dot, the token and the ending (255 in all)


def write(
    path: Path,
    content: str | bytes,
    *,
    mode: int = OWN,
    lasting: bool = False,
    owner: int | None = None,
    folder: int | None = None,
    failure: type[SendoffError] | None = StoreError,
) -> None:
    """Write a file so that it is whole or as it was.

    Args:
        path: The file; a symbolic link is replaced, not followed.
        content: Bytes, or text that becomes UTF-8.
        mode: Its permissions, less the umask.
        lasting: Wait until it is on the disk: it survives a power cut, and costs some milliseconds.
        owner: User and group id that it gets; this process' own by default.
        folder: Permissions of the folders above it that are made when they are missing; None makes none.
        failure: The error to raise; None leaves the ``OSError``.

    Raises:
        StoreError: It cannot be written, for example because the disk is full (or ``failure`` instead).
    """
    data = content.encode() if isinstance(content, str) else content
    with staged(path, lasting=lasting, folder=folder, failure=failure) as place:
        descriptor = os.open(place, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, mode)
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)
            if owner is not None:
                os.fchown(descriptor, owner, owner)


def write_json(path: Path, value: Any, *, indent: int | None = None, **how: Any) -> None:
    """Write a value as JSON; ``how`` as for :func:`write`, which also says what is raised."""
    write(path, json.dumps(value, indent=indent), **how)


def write_changed(path: Path, content: str | bytes, **how: Any) -> bool:
    """As :func:`write`, unless the file holds that already: whoever watches it wakes for a change alone.

    Returns:
        Whether it was written.
    """
    data = content.encode() if isinstance(content, str) else content
    try:
        if path.read_bytes() == data:
            return False
    except OSError:
        pass
    write(path, data, **how)
    return True


@contextmanager
def staged(
    path: Path,
    *,
    lasting: bool = False,
    folder: int | None = None,
    failure: type[SendoffError] | None = StoreError,
) -> Iterator[Path]:
    """A path to write a file to, which takes the place of ``path`` when the block ends, and goes when it fails.

    Args:
        path: The file.
        lasting: As for :func:`write`.
        folder: As for :func:`write`.
        failure: What an ``OSError`` in the block becomes; None leaves it.

    Yields:
        A name in the same folder that nothing has.
    """
    place = beside(path)
    try:
        if folder is not None:
            path.parent.mkdir(mode=folder, parents=True, exist_ok=True)
        yield place
        if lasting:
            _sync(place, os.O_RDONLY)
        place.replace(path)
        if lasting:  # the new name is the folder's content, and lasts only when that is on the disk too
            sync_folder(path.parent)
    except OSError as error:
        remove(place)
        if failure is None:
            raise
        raise failure(
            f"{path} cannot be written: {error.strerror or error}",
            hint="Look at the disk's free space and at who owns the folder; what was there is as it was.",
            path=str(path),
        ) from error
    except BaseException:
        remove(place)
        raise


def beside(path: Path) -> Path:
    """A free, hidden name in a file's folder, on the same file system; it does not match the pattern of any reader."""
    name = path.name if len(os.fsencode(path.name)) <= _LONGEST_NAME else ""
    return path.with_name(f".{name}.{os.urandom(6).hex()}.part")


def sync_folder(folder: Path) -> None:
    """Wait until the names in a folder are on the disk."""
    _sync(folder, os.O_RDONLY | os.O_DIRECTORY)


def remove(path: Path) -> None:
    """Remove a file if it is there and may be removed."""
    try:
        path.unlink()
    except OSError:
        pass


def drop(folder: Path, grave: Path) -> bool:
    """Remove a folder so that nobody finds it half empty: renamed first, then emptied.

    Args:
        folder: The folder.
        grave: A free name on the same file system; what stays there when this is interrupted is the caller's to sweep.

    Returns:
        False when there was none.
    """
    try:
        folder.rename(grave)
    except FileNotFoundError:
        return False
    shutil.rmtree(grave, ignore_errors=True)
    return True


def acquire(
    path: Path,
    *,
    shared: bool = False,
    seconds: float | None = None,
    waiting: Callable[[float], None] | None = None,
) -> int | None:
    """Take the lock of a file, which is made when it is missing, and stays.

    Args:
        path: The file.
        shared: Whether others may hold it at the same time, if they share it too.
        seconds: How long to wait for whoever holds it; 0 tries once, None waits as long as it takes.
        waiting: Called again and again while somebody else holds it, with the seconds waited so far.

    Returns:
        A descriptor that holds it until it is closed, here and in every child that inherited it; None when somebody
        else held it all the time.
    """
    began = time.monotonic()
    patient = seconds is None and waiting is None
    kind = (fcntl.LOCK_SH if shared else fcntl.LOCK_EX) | (0 if patient else fcntl.LOCK_NB)
    while True:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(descriptor, kind)
            # The file may have been removed, and made anew by another, between opening and locking.
            if _is_at(descriptor, path):
                return descriptor
        except BlockingIOError:
            pass
        except BaseException:
            os.close(descriptor)
            raise
        os.close(descriptor)
        waited = time.monotonic() - began
        if seconds is not None and waited >= seconds:
            return None
        if waiting is not None:
            waiting(waited)
        if not patient:
            time.sleep(min(0.01 + waited / 20, 0.1))


@contextmanager
def locked(path: Path, *, shared: bool = False) -> Iterator[None]:
    """Hold the lock of a file for a block; waits as long as it takes. ``shared`` as for :func:`acquire`."""
    descriptor = acquire(path, shared=shared)
    assert descriptor is not None
    try:
        yield
    finally:
        os.close(descriptor)


@contextmanager
def locked_within(path: Path, seconds: float) -> Iterator[bool]:
    """As :func:`locked`, alone, but waits only so long; says whether it is held."""
    descriptor = acquire(path, seconds=seconds)
    try:
        yield descriptor is not None
    finally:
        if descriptor is not None:
            os.close(descriptor)


def is_locked(path: Path) -> bool:
    """Whether somebody holds the lock of a file alone; the file is not made. One that was removed counts as held."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return False
    try:
        # Shared, so that two who look do not take each other for the holder.
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
        return os.fstat(descriptor).st_nlink == 0
    except OSError:
        return True
    finally:
        os.close(descriptor)


def _is_at(descriptor: int, path: Path) -> bool:
    try:
        return os.path.samestat(os.fstat(descriptor), path.stat())
    except OSError:
        return False


def _sync(path: Path, flags: int) -> None:
    descriptor = os.open(path, flags | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
