"""Keeps a home's fronts running: one detached process a home, started by whoever notices that it is missing.

    python -m sendoff.targets.supervisor --home HOME

It holds no state of its own. Fronts go on without it, and the next one takes them over from their records. It imports
the standard library alone, which keeps it small.
"""

from __future__ import annotations

import fcntl
import json
import os
import select
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path

from .. import processes
from . import fronts
from .chores import Chores
from .front_environ import base_environment
from .run_folder import RunFolder, remove_file, sweep, uids, write_json

ROUND = 0.5
"""Seconds between looks for changed records; the end of a front is noticed at once where the system has pidfds."""
IDLE_SECONDS = 300.0
LOG_BYTES, LOG_FILES = 1_000_000, 3

_spawned: dict[Path, processes.Identity] = {}


def folder(home: Path) -> Path:
    """Where the supervisor keeps its lock, its record and its log."""
    return home / "run" / ".supervisor"


def running(home: Path) -> processes.Identity | None:
    """The supervisor of this home, if one lives."""
    try:
        record = json.loads((folder(home) / "supervisor.json").read_bytes())
        process = processes.Identity(int(record["pid"]), str(record["start"]))
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return process if record.get("boot") == processes.boot_id() and processes.alive(process) else None


def needed(home: Path) -> bool:
    """Whether anything is wanted that was wanted, or restored, since the machine started."""
    for uid in uids(home):
        wanted = RunFolder(home, uid).wanted()
        if wanted is not None and (wanted.removing or wanted.boot == processes.boot_id()):
            return True
    return False


def ensure(home: Path, *, module: str = "sendoff.targets.supervisor", needed: Callable[[Path], bool] = needed) -> bool:
    """Start the supervisor if something is wanted and none lives.

    Args:
        home: The home.
        module: What to start; another target's supervisor is one too.
        needed: Tells whether something is wanted.

    Returns:
        Whether one was started. Two callers may both start one: all but one of them end at once.
    """
    if not needed(home) or _lock_held(home):
        return False
    last = _spawned.get(home)
    if last is not None and processes.alive(last):
        return False  # It is about to take its lock.
    place = folder(home)
    place.mkdir(mode=0o700, parents=True, exist_ok=True)
    argv = [sys.executable, "-P", "-m", module, "--home", str(home)]
    environ = base_environment()
    if "PYTHONPATH" in os.environ:
        environ["PYTHONPATH"] = os.environ["PYTHONPATH"]
    pid = processes.spawn(argv, environ=environ, console=place / "console.log")
    identity = processes.identify(pid)
    if identity is not None:
        _spawned[home] = identity
    return True


def stop(home: Path, seconds: float = 5.0) -> None:
    """End the supervisor of this home; what it watched goes on."""
    # One that this process has just started may not have left its record yet.
    found = {process for process in (running(home), _spawned.pop(home, None)) if process is not None}
    asked = [process for process in found if processes.send(process, signal.SIGTERM)]
    for process in processes.wait_ended(asked, seconds):
        processes.send(process, signal.SIGKILL)
    processes.wait_ended(asked, seconds)


def _lock_held(home: Path) -> bool:
    try:
        handle = os.open(folder(home) / "lock", os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return False
    try:
        # Shared, so that two who look do not take each other for a supervisor.
        fcntl.flock(handle, fcntl.LOCK_SH | fcntl.LOCK_NB)
        return os.fstat(handle).st_nlink == 0
    except OSError:
        return True
    finally:
        os.close(handle)


class Watch:
    """What the supervisor knows of a service between two looks."""

    def __init__(self) -> None:
        self.signature: tuple[int, ...] = ()
        self.due = 0.0
        self.handles: dict[int, processes.Identity] = {}
        self.unwatched: list[processes.Identity] = []

    def close(self) -> None:
        for handle in self.handles:
            os.close(handle)
        self.handles = {}
        self.unwatched = []


class Supervisor:
    """The loop: ends when nothing was wanted for ``idle_seconds``, on SIGTERM, or when the home is gone."""

    def __init__(self, home: Path, *, idle_seconds: float | None = IDLE_SECONDS) -> None:
        self.home = home
        self.idle_seconds = idle_seconds
        self._log = _Log(folder(home) / "supervisor.log")
        self._watches: dict[str, Watch] = {}
        self._wanted_at = time.monotonic()
        self._lock = -1
        self._wake, self._waker = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC) if hasattr(os, "pipe2") else os.pipe()
        self._ending = False
        self._chores = Chores(self._whole_home)

    def run(self, *, wait: bool = False) -> None:
        """Supervise until there is nothing left to do.

        Args:
            wait: Wait for another supervisor of this home to end, instead of leaving the home to it.
        """
        place = folder(self.home)
        place.mkdir(mode=0o700, parents=True, exist_ok=True)
        signal.signal(signal.SIGTERM, self._end)
        signal.signal(signal.SIGINT, self._end)
        while not self._ending and self._take_lock(None if wait else 1.0):
            self._log(f"supervisor {os.getpid()} started")
            sweep(self.home)
            while not self._ending and self._lock_is_ours() and not self._idle():
                self._chores.look()
                self._sleep(self._round())
            remove_file(place / "supervisor.json")
            os.close(self._lock)
            # Somebody may have wanted something while the lock still said that a supervisor lives.
            if not self.home.exists() or not self._needed():
                break
        if place.exists():
            self._log(f"supervisor {os.getpid()} ends")

    def restore(self) -> None:
        """Mark everything that was wanted before the machine started as wanted now."""
        for uid in uids(self.home):
            service = RunFolder(self.home, uid)
            with service.lock() as held:
                wanted = service.wanted() if held else None
                if wanted is not None and wanted.boot != processes.boot_id():
                    service.write(wanted._replace(boot=processes.boot_id()))

    def _needed(self) -> bool:
        return needed(self.home)

    @property
    def _whole_home(self) -> Path:
        """The home that chores are looked for in."""
        return self.home

    def _round(self) -> float:
        now = time.monotonic()
        present = uids(self.home)
        for uid in set(self._watches) - set(present):
            self._watches.pop(uid).close()
        for uid in present:
            watch = self._watches.setdefault(uid, Watch())
            if any(not processes.alive(process) for process in watch.unwatched):
                watch.due = 0.0
            if watch.due <= now or watch.signature != RunFolder(self.home, uid).signature():
                self._look(uid, watch)
        soonest = min((watch.due for watch in self._watches.values()), default=now + ROUND)
        return max(0.01, min(ROUND, soonest - time.monotonic()))

    def _look(self, uid: str, watch: Watch) -> None:
        service = RunFolder(self.home, uid)
        try:
            with service.lock(0) as held:
                if not held:
                    watch.due = time.monotonic() + 0.1
                    return
                wanted = service.wanted()
                mine = wanted is not None and (wanted.removing or wanted.boot == processes.boot_id())
                step = fronts.advance(service, self._log) if mine else fronts.Step(None)
                watch.signature = service.signature()
                watch.due = float("inf") if step.again is None else time.monotonic() + step.again
                watch.close()
                for front in service.fronts() if mine else []:
                    handle = processes.watch(front.process)
                    if handle is not None:
                        watch.handles[handle] = front.process
                    elif processes.alive(front.process):
                        watch.unwatched.append(front.process)
                    else:
                        # It ended after the step had looked at it.
                        watch.due = min(watch.due, time.monotonic() + 0.05)
        except Exception as error:
            # Whatever is wrong with one service must not end the supervision of the others.
            self._log(f"{uid}: {type(error).__name__}: {error}")
            watch.due = time.monotonic() + 2.0

    def _sleep(self, seconds: float) -> None:
        poll = select.poll()
        poll.register(self._wake, select.POLLIN)
        owners = {handle: watch for watch in self._watches.values() for handle in watch.handles}
        for handle in owners:
            poll.register(handle, select.POLLIN)
        for handle, _ in poll.poll(seconds * 1000):
            if handle in owners:
                owners[handle].due = 0.0
                owners[handle].handles.pop(handle, None)
                os.close(handle)

    def _idle(self) -> bool:
        now = time.monotonic()
        if self._needed():
            self._wanted_at = now
        return self.idle_seconds is not None and now - self._wanted_at > self.idle_seconds

    def _take_lock(self, seconds: float | None) -> bool:
        place = folder(self.home)
        end = None if seconds is None else time.monotonic() + seconds
        while not self._ending:
            handle = os.open(place / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError:
                os.close(handle)
                if end is not None and time.monotonic() > end:
                    return False
                time.sleep(0.05 if end is not None else 0.5)
                continue
            self._lock = handle
            self._wanted_at = time.monotonic()
            me = processes.identify(os.getpid())
            write_json(
                place / "supervisor.json",
                {"pid": os.getpid(), "start": me.start if me else "", "boot": processes.boot_id()},
            )
            return True
        return False

    def _lock_is_ours(self) -> bool:
        try:
            return (folder(self.home) / "lock").stat().st_ino == os.fstat(self._lock).st_ino
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


def main(argv: list[str]) -> int:
    """``--home HOME [--idle-seconds N] [--restore] [--stay]``; the last two are what a systemd unit gives."""
    import argparse

    parser = argparse.ArgumentParser(prog="python -m sendoff.targets.supervisor", description=__doc__)
    parser.add_argument("--home", type=Path, required=True)
    parser.add_argument("--idle-seconds", type=float, default=IDLE_SECONDS)
    parser.add_argument("--restore", action="store_true", help="start what ran before the machine was restarted")
    parser.add_argument("--stay", action="store_true", help="wait for another supervisor to end, and do not end idle")
    options = parser.parse_args(argv)
    supervisor = Supervisor(options.home.absolute(), idle_seconds=None if options.stay else options.idle_seconds)
    if options.restore:
        supervisor.restore()
    supervisor.run(wait=options.stay)
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
