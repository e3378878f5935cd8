"""What keeps a target's services running: one detached process a home and target, started by whoever misses it.

It holds no state of its own. What it keeps goes on without it, and the next one takes that over from the records. Each
target on this machine derives its own. Standard library alone, which keeps it small.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import time
from abc import ABC, abstractmethod
from collections.abc import Callable
from pathlib import Path
from typing import Any, Generic, TypeVar

from .. import files, processes
from ..environ import base_environment
from ..schedule.chores import Chores
from .run_folder import RunFolder, sweep, uids

ROUND = 0.5
"""Seconds between looks for changed records; the end of a front is noticed at once where the system has pidfds."""
IDLE_SECONDS = 300.0
LOG_BYTES, LOG_FILES = 1_000_000, 3

_spawned: dict[Path, processes.Identity] = {}


def folder(place: Path) -> Path:
    """Where the supervisor keeps its lock, its record and its log."""
    return place / "run" / ".supervisor"


def record(place: Path) -> Path:
    """The file that says which process it is and how another is started; it is gone once one has ended in order."""
    return folder(place) / "supervisor.json"


def killed(home: Path) -> list[Path]:
    """Places of a home, of all its targets, whose supervisor has ended without being asked to."""
    places = [home, *(path for path in sorted(home.glob("*")) if path.is_dir())] if home.is_dir() else []
    return [place for place in places if record(place).is_file() and not files.is_locked(folder(place) / "lock")]


def running(place: Path) -> processes.Identity | None:
    """The supervisor of this place, if one lives."""
    try:
        found = json.loads(record(place).read_bytes())
        process = processes.Identity(int(found["pid"]), str(found["start"]))
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return process if found.get("boot") == processes.boot_id() and processes.alive(process) else None


def ensure(home: Path, place: Path, *, module: str, needed: Callable[[Path], bool]) -> bool:
    """Start the supervisor if something is wanted and none lives.

    Args:
        home: The home.
        place: The target's folder in it, or the home itself: ``run/`` is below it.
        module: What to start, with ``--home``.
        needed: Tells of a home whether something is wanted.

    Returns:
        Whether one was started. Two callers may both start one: all but one of them end at once.
    """
    own = folder(place)
    argv = [sys.executable, "-P", "-m", module, "--home", str(home)]
    environ = base_environment()
    if "PYTHONPATH" in os.environ:
        environ["PYTHONPATH"] = os.environ["PYTHONPATH"]
    try:
        if not needed(home) or files.is_locked(own / "lock"):
            return False
        last = _spawned.get(place)
        if last is not None and processes.alive(last):
            return False  # It is about to take its lock.
        own.mkdir(mode=0o700, parents=True, exist_ok=True)
        pid = processes.spawn(argv, environ=environ, console=own / "console.log")
    except OSError:
        return False  # A home that cannot be written: what was asked will say so itself, if it needs to write.
    identity = processes.identify(pid)
    if identity is not None:
        _spawned[place] = identity
    return True


def stop(place: Path, seconds: float = 5.0) -> None:
    """End the supervisor of this place; what it watched goes on."""
    # One that this process has just started may not have left its record yet.
    found = {process for process in (running(place), _spawned.pop(place, None)) if process is not None}
    asked = [process for process in found if processes.send(process, signal.SIGTERM)]
    for process in processes.wait_ended(asked, seconds):
        processes.send(process, signal.SIGKILL)
    processes.wait_ended(asked, seconds)


class Watch:
    """What a supervisor knows of a service between two looks; one that waits for more derives its own."""

    def __init__(self) -> None:
        self.signature: tuple[int, ...] = ()
        self.due = 0.0

    def missed(self) -> bool:
        """Whether something happened of which nothing wakes the supervisor."""
        return False

    def close(self) -> None:
        """Give back what it holds of the system."""


W = TypeVar("W", bound=Watch)


class Supervisor(ABC, Generic[W]):
    """The loop: ends when nothing was wanted for ``idle_seconds``, on SIGTERM, or when the home is gone.

    Args:
        home: The home: its chores are done here too.
        place: The target's folder in it: ``run/`` is below it.
        watch: What is kept of a service between two looks.
        needed: Tells of a home whether any service is wanted.
        idle_seconds: None never ends for want of work.
    """

    def __init__(
        self,
        home: Path,
        place: Path,
        watch: type[W],
        needed: Callable[[Path], bool],
        *,
        idle_seconds: float | None = IDLE_SECONDS,
    ) -> None:
        self.home = home
        self.place = place
        self._needed = needed
        self.idle_seconds = idle_seconds
        self._log = _Log(folder(place) / "supervisor.log")
        self._watch = watch
        self._watches: dict[str, W] = {}
        self._wanted_at = time.monotonic()
        self._lock = -1
        self._wake, self._waker = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC) if hasattr(os, "pipe2") else os.pipe()
        self._ending = False
        self._chores = Chores(home)

    @abstractmethod
    def _step(self, uid: str, watch: W) -> float:
        """Bring a service a step towards what is wanted; seconds until it is worth looking again."""

    @abstractmethod
    def _sleep(self, seconds: float) -> None:
        """Wait so long, or until something has happened to what is watched."""

    def run(self, *, wait: bool = False) -> None:
        """Supervise until there is nothing left to do.

        Args:
            wait: Wait for another supervisor of this home to end, instead of leaving the home to it.
        """
        place = folder(self.place)
        place.mkdir(mode=0o700, parents=True, exist_ok=True)
        signal.signal(signal.SIGTERM, self._end)
        signal.signal(signal.SIGINT, self._end)
        while not self._ending and self._take_lock(None if wait else 1.0):
            self._log(f"supervisor {os.getpid()} started")
            sweep(self.place)
            while not self._ending and self._lock_is_ours() and not self._idle():
                self._chores.look()
                self._sleep(self._round())
            files.remove(record(self.place))
            os.close(self._lock)
            # Somebody may have wanted something while the lock still said that a supervisor lives.
            if not self.home.exists() or not self._needed(self.home):
                break
        if place.exists():
            self._log(f"supervisor {os.getpid()} ends")

    def _round(self) -> float:
        now = time.monotonic()
        present = uids(self.place)
        for uid in set(self._watches) - set(present):
            self._watches.pop(uid).close()
        for uid in present:
            watch = self._watches.setdefault(uid, self._watch())
            if watch.due <= now or watch.missed() or watch.signature != RunFolder(self.place, uid).signature():
                self._look(uid, watch)
        soonest = min((watch.due for watch in self._watches.values()), default=now + ROUND)
        return max(0.01, min(ROUND, soonest - time.monotonic()))

    def _look(self, uid: str, watch: W) -> None:
        service = RunFolder(self.place, uid)
        try:
            with service.lock(0) as held:
                again = self._step(uid, watch) if held else 0.1
                if held:
                    watch.signature = service.signature()
        except Exception as error:
            # Whatever is wrong with one service must not end the care for the others.
            self._log(f"{uid}: {type(error).__name__}: {error}")
            again = 2.0
        watch.due = time.monotonic() + again

    def _idle(self) -> bool:
        now = time.monotonic()
        if self._needed(self.home):
            self._wanted_at = now
        return self.idle_seconds is not None and now - self._wanted_at > self.idle_seconds

    def _take_lock(self, seconds: float | None) -> bool:
        place = folder(self.place)
        end = None if seconds is None else time.monotonic() + seconds
        while not self._ending:
            handle = files.acquire(place / "lock", seconds=0)
            if handle is None:
                if end is not None and time.monotonic() > end:
                    return False
                time.sleep(0.05 if end is not None else 0.5)
                continue
            self._lock = handle
            self._wanted_at = time.monotonic()
            me = processes.identify(os.getpid())
            # With what starts another: whoever it watches does that when this one is killed.
            module: Any = sys.modules[type(self).__module__]
            files.write_json(
                record(self.place),
                {
                    "pid": os.getpid(),
                    "start": me.start if me else "",
                    "boot": processes.boot_id(),
                    "command": [sys.executable, "-P", "-m", module.__spec__.name, "--home", str(self.home)],
                    "environ": dict(os.environ),
                },
            )
            return True
        return False

    def _lock_is_ours(self) -> bool:
        try:
            return (folder(self.place) / "lock").stat().st_ino == os.fstat(self._lock).st_ino
        except OSError:
            return False

    def _end(self, *_: object) -> None:
        self._ending = True
        try:
            os.write(self._waker, b".")
        except OSError:
            pass


class _Log:
    """Appends lines and rotates; ``logging`` alone would cost the supervisor a fifth of its memory."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __call__(self, line: str) -> None:
        try:
            if self.path.exists() and self.path.stat().st_size > LOG_BYTES:
                for number in range(LOG_FILES - 1, 0, -1):
                    older = self.path.with_name(f"{self.path.name}.{number}")
                    newer = self.path if number == 1 else self.path.with_name(f"{self.path.name}.{number - 1}")
                    if newer.exists():
                        newer.replace(older)
            with self.path.open("a", encoding="utf-8") as file:
                file.write(f"{time.strftime('%Y-%m-%dT%H:%M:%S%z')} {line}\n")
        except OSError:
            pass
