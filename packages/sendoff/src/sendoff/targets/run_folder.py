"""The folder that a target on this machine keeps for a service, ``<place>/run/<uid>/``.

Records in it are written whole or not at all. Whoever changes anything holds the folder's lock; looking needs none.
Standard library alone: supervisors read it.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import time
from collections.abc import Iterator
from pathlib import Path

from .. import files
from ..errors import InvalidInput, StoreError, TargetUnavailable


class RunFolder:
    """A service's folder. It may not exist.

    Args:
        place: The target's own folder: ``run/`` is below it.
        uid: The service.
    """

    def __init__(self, place: Path, uid: str) -> None:
        if not uid or uid.startswith(".") or "/" in uid or "\0" in uid or len(os.fsencode(uid)) > 200:
            raise InvalidInput(f"{uid!r} cannot name a service's folder", field="uid", got=uid)
        self.place = place
        self.uid = uid
        self.path = place / "run" / uid
        self.log = self.path / "service.log"
        self.console = self.path / "console.log"
        """What a front's process wrote by itself: the reason when it ended before it could log."""

    @property
    def exists(self) -> bool:
        """Whether anything is kept for this service."""
        return self.path.is_dir()

    def mark_start_up(self) -> None:
        """Note where the log ends now: what follows is the newest start-up."""
        try:
            facts = self.log.stat()
            mark = {"inode": facts.st_ino, "offset": facts.st_size}
        except OSError:
            mark = {"inode": 0, "offset": 0}
        files.write_json(self.path / "start-up.json", mark)

    def start_up_mark(self) -> tuple[int, int]:
        """Inode of the log and offset in it where the newest start-up began; (0, 0) for all there is."""
        try:
            mark = json.loads((self.path / "start-up.json").read_bytes())
            return int(mark["inode"]), int(mark["offset"])
        except (OSError, ValueError, KeyError, TypeError):
            return 0, 0

    def signature(self) -> tuple[int, ...]:
        """Changes whenever a record does."""
        marks = []
        try:
            with os.scandir(self.path) as entries:
                for entry in entries:
                    if entry.name.endswith(".json"):
                        facts = entry.stat()
                        marks.append((facts.st_mtime_ns, facts.st_ino))
        except (FileNotFoundError, NotADirectoryError):
            return ()
        return tuple(number for mark in sorted(marks) for number in mark)

    @contextlib.contextmanager
    def lock(self, seconds: float = 30.0, *, create: bool = False) -> Iterator[bool]:
        """Hold the folder alone.

        Args:
            seconds: How long to wait for whoever holds it; 0 tries once.
            create: Make the folder when it is missing.

        Yields:
            True when held; False when the folder does not exist, or when ``seconds`` is 0 and somebody holds it.

        Raises:
            TargetUnavailable: Somebody held it all the time.
            StoreError: The folder cannot be made.
        """
        end = time.monotonic() + seconds
        handle = None
        while handle is None:
            if create:
                try:
                    self.path.mkdir(mode=0o700, parents=True, exist_ok=True)
                except OSError as error:
                    raise StoreError(f"{self.path} cannot be made: {error.strerror}", path=str(self.path)) from None
            try:
                handle = files.acquire(self.path / "lock", seconds=max(0.0, end - time.monotonic()))
            except (FileNotFoundError, NotADirectoryError):
                if create and time.monotonic() < end:
                    continue  # somebody removed the folder meanwhile
                yield False
                return
            except OSError as error:
                raise StoreError(f"{self.path} cannot be locked: {error.strerror}", path=str(self.path)) from None
            if handle is None and seconds <= 0:
                yield False
                return
            if handle is None:
                raise TargetUnavailable(
                    f"another process has been changing the service for {seconds:g} s",
                    hint="Wait for it, or look at it with `sendoff operation list`.",
                    path=str(self.path),
                )
        try:
            yield True
        finally:
            os.close(handle)

    def delete(self) -> None:
        """Remove the folder, at once and whole, also when this is interrupted; the caller holds the lock."""
        grave = self.place / "run" / f".removed-{self.uid}-{os.urandom(4).hex()}"
        files.drop(self.path, grave)


def uids(place: Path) -> list[str]:
    """Every service that has a folder, whatever state it is in."""
    try:
        with os.scandir(place / "run") as entries:
            return sorted(entry.name for entry in entries if not entry.name.startswith(".") and entry.is_dir())
    except (FileNotFoundError, NotADirectoryError):
        return []


def kept_ports(place: Path, *, but: str = "") -> dict[int, str]:
    """Ports that the services of a place keep, running or not, and the services' names; ``but`` is one not to count."""
    found = {}
    for uid in uids(place):
        try:
            wanted = json.loads((place / "run" / uid / "wanted.json").read_bytes())
            if uid != but:
                found[int(wanted["port"])] = str(wanted["name"])
        except (OSError, ValueError, KeyError, TypeError):
            continue
    return found


def sweep(place: Path) -> None:
    """Finish removals that were interrupted after the folder had left its name."""
    try:
        graves = [path for path in (place / "run").iterdir() if path.name.startswith(".removed-")]
    except (FileNotFoundError, NotADirectoryError):
        return
    for grave in graves:
        shutil.rmtree(grave, ignore_errors=True)
