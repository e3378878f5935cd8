"""The folder that the process target keeps for a service, ``home/run/<uid>/``.

``wanted.json`` says what has to run, ``front-<n>.json`` which fronts were started for it, ``good.json`` the revision
that last answered, ``crashes.json`` how often a front has ended on its own. All are written whole or not at all.
Whoever changes anything holds the folder's lock; looking needs none. Standard library alone: the supervisor reads it.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import shutil
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

from ..errors import InvalidInput, StoreError, TargetUnavailable
from ..processes import Identity, boot_id

SCHEMA = 1

R = TypeVar("R", "Wanted", "Front", "Good", "Crashes")


class Good(NamedTuple):
    """A revision that has answered: what a crashed front is restarted with, even when a newer one failed to load."""

    revision: int
    bundle: str
    python: str


class Wanted(NamedTuple):
    """What has to run. ``boot``: the boot in which it was asked for; ``command`` replaces the server in tests."""

    uid: str
    name: str
    workspace: str
    revision: int
    bundle: str
    python: str
    host: str
    port: int
    chosen_port: bool
    drain_seconds: float
    boot: str
    environ: dict[str, str]
    command: list[str] | None = None
    removing: bool = False
    auth_file: str | None = None
    data_folder: str | None = None
    data_scope: str = ""


class Front(NamedTuple):
    """A front that was started. ``pid`` 0: about to be; ``token`` finds its processes. Times are monotonic."""

    number: int
    token: str
    host: str
    port: int
    control: str
    revision: int
    boot: str
    started: float
    pid: int = 0
    start: str = ""
    ready: float | None = None
    stopping: float | None = None

    @property
    def process(self) -> Identity:
        """The front's process."""
        return Identity(self.pid, self.start)


class Crashes(NamedTuple):
    """Fronts in a row that ended on their own; the next is started at ``next_start`` (monotonic)."""

    attempts: int = 0
    next_start: float = 0.0
    reason: str = ""
    boot: str = ""


class RunFolder:
    """A service's folder. It may not exist."""

    def __init__(self, home: Path, uid: str) -> None:
        if not uid or uid.startswith(".") or "/" in uid or "\0" in uid or len(os.fsencode(uid)) > 200:
            raise InvalidInput(f"{uid!r} cannot name a service's folder", field="uid", got=uid)
        self.home = home
        self.uid = uid
        self.path = home / "run" / uid
        self.log = self.path / "service.log"
        self.console = self.path / "console.log"
        """What a front's process wrote by itself: the reason when it ended before it could log."""

    @property
    def exists(self) -> bool:
        """Whether anything is kept for this service."""
        return self.path.is_dir()

    def wanted(self) -> Wanted | None:
        """What has to run, if anything."""
        return _load(self.path / "wanted.json", Wanted)

    def fronts(self) -> list[Front]:
        """Every front on record, oldest first; their processes may be gone."""
        try:
            files = [path for path in self.path.iterdir() if path.match("front-*.json")]
        except (FileNotFoundError, NotADirectoryError):
            return []
        found = [_load(path, Front) for path in files]
        return sorted(front for front in found if front is not None)

    def good(self) -> Good | None:
        """The revision that last answered."""
        return _load(self.path / "good.json", Good)

    def crashes(self) -> Crashes:
        """The row of crashes; empty when it belongs to an earlier boot."""
        found = _load(self.path / "crashes.json", Crashes)
        return found if found and found.boot == boot_id() else Crashes()

    def write(self, record: Wanted | Front | Good | Crashes) -> None:
        """Write one record so that a reader sees the old or the new one, also after a crash."""
        names = {Wanted: "wanted.json", Good: "good.json", Crashes: "crashes.json"}
        name = f"front-{record.number}.json" if isinstance(record, Front) else names[type(record)]
        # Fronts and crashes mean nothing after a power cut; what was wanted must survive it.
        lasting = isinstance(record, Wanted | Good)
        write_json(self.path / name, {"schema": SCHEMA, **record._asdict()}, lasting=lasting)

    def forget(self, front: Front) -> None:
        """Drop a front's record and its socket."""
        remove_file(Path(front.control))
        remove_file(self.path / f"front-{front.number}.json")

    def forget_crashes(self) -> None:
        """Start counting anew."""
        remove_file(self.path / "crashes.json")

    def mark_start_up(self) -> None:
        """Note where the log ends now: what follows is the newest start-up."""
        try:
            facts = self.log.stat()
            mark = {"inode": facts.st_ino, "offset": facts.st_size}
        except OSError:
            mark = {"inode": 0, "offset": 0}
        write_json(self.path / "start-up.json", mark)

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
        while True:
            if create:
                try:
                    self.path.mkdir(mode=0o700, parents=True, exist_ok=True)
                except OSError as error:
                    raise StoreError(f"{self.path} cannot be made: {error.strerror}", path=str(self.path)) from None
            try:
                handle = os.open(self.path / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
            except (FileNotFoundError, NotADirectoryError):
                if create and time.monotonic() < end:
                    continue
                yield False
                return
            except OSError as error:
                raise StoreError(f"{self.path} cannot be locked: {error.strerror}", path=str(self.path)) from None
            try:
                if self._try(handle):
                    yield True
                    return
            finally:
                os.close(handle)
            if seconds <= 0:
                yield False
                return
            if time.monotonic() > end:
                raise TargetUnavailable(
                    f"another process has been changing the service for {seconds:g} s",
                    hint="Wait for it, or look at it with `sendoff operation list`.",
                    path=str(self.path),
                )
            time.sleep(0.01)

    def _try(self, handle: int) -> bool:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            # The folder may have been removed, and made anew, between opening and locking.
            return os.fstat(handle).st_ino == (self.path / "lock").stat().st_ino
        except OSError:
            return False

    def delete(self) -> None:
        """Remove the folder, at once and whole, also when this is interrupted; the caller holds the lock."""
        grave = self.home / "run" / f".removed-{self.uid}-{os.urandom(4).hex()}"
        try:
            self.path.replace(grave)
        except FileNotFoundError:
            return
        shutil.rmtree(grave, ignore_errors=True)


def uids(home: Path) -> list[str]:
    """Every service that has a folder, whatever state it is in."""
    try:
        with os.scandir(home / "run") as entries:
            return sorted(entry.name for entry in entries if not entry.name.startswith(".") and entry.is_dir())
    except (FileNotFoundError, NotADirectoryError):
        return []


def sweep(home: Path) -> None:
    """Finish removals that were interrupted after the folder had left its name."""
    try:
        graves = [path for path in (home / "run").iterdir() if path.name.startswith(".removed-")]
    except (FileNotFoundError, NotADirectoryError):
        return
    for grave in graves:
        shutil.rmtree(grave, ignore_errors=True)


def write_json(path: Path, value: dict[str, Any], *, lasting: bool = False) -> None:
    """Write a JSON file, 0600, staged beside its name and renamed; ``lasting`` waits until it is on the disk.

    Raises:
        StoreError: It cannot be written, for example because the disk is full; the old file is as it was.
    """
    staged = path.with_name(f".{path.name}.{os.getpid()}.{os.urandom(3).hex()}")
    try:
        with open(staged, "w", encoding="utf-8", opener=lambda name, flags: os.open(name, flags, 0o600)) as file:
            json.dump(value, file)
            if lasting:
                file.flush()
                os.fsync(file.fileno())
        staged.replace(path)
    except OSError as error:
        remove_file(staged)
        raise StoreError(f"{path} cannot be written: {error.strerror}", path=str(path)) from None


def remove_file(path: Path) -> None:
    """Remove a file if it is there."""
    try:
        path.unlink()
    except OSError:
        pass


def _load(path: Path, kind: type[R]) -> R | None:
    try:
        values = json.loads(path.read_bytes())
        if values.pop("schema") != SCHEMA:
            return None
        return kind(**values)
    except (OSError, ValueError, TypeError, KeyError, AttributeError):
        return None
