"""What a supervisor starts by the clock: drift runs, copies of collected data. Standard library alone."""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path

from .. import files, processes
from ..environ import base_environment

LOOK_SECONDS = 10.0
COPY_SECONDS = 300.0
FOLDER = "drift"
"""Folder of a home in which is written down what the clock has to know."""
NEXT = "next-run"
"""File there: when the next drift run is due, Unix seconds."""
COPIED = "last-copy"
"""File there: its time is when a copy was started last."""
_LOG_BYTES = 1_000_000


def note(home: Path, when: float | None) -> None:
    """Write down when the next drift run is due, for the supervisors, which have no database."""
    file = home / FOLDER / NEXT
    if when is None:
        file.unlink(missing_ok=True)
        return
    files.write(file, f"{when:.3f}", folder=0o700)


class Chores:
    """Starts the program of what is due for a home when something is due; never two at once.

    When files were copied last is the time of a file, so that supervisors that come and go neither skip a copy nor
    repeat it.

    Args:
        home: The home; not a target's folder in it.
    """

    def __init__(self, home: Path) -> None:
        self._home = home
        self._looked = -LOOK_SECONDS
        self._running: processes.Identity | None = None

    def look(self) -> bool:
        """Start what is due; whether anything was started."""
        now = time.monotonic()
        if now - self._looked < LOOK_SECONDS:
            return False
        self._looked = now
        if self._running is not None and processes.alive(self._running):
            return False
        copies = self._copies()
        if not copies and not self._due():
            return False
        log = self._home / FOLDER / "due.log"
        try:
            log.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            if log.exists() and log.stat().st_size > _LOG_BYTES:
                os.truncate(log, 0)
            if copies:
                (log.parent / COPIED).touch(mode=0o600)
            argv = [sys.executable, "-P", "-m", "sendoff.programs.due", "--home", str(self._home)]
            environ = base_environment()
            if "PYTHONPATH" in os.environ:
                environ["PYTHONPATH"] = os.environ["PYTHONPATH"]
            self._running = processes.identify(processes.spawn(argv, environ=environ, console=log))
        except OSError:
            return False  # tried again at the next look
        return True

    def _due(self) -> bool:
        try:
            return float((self._home / FOLDER / NEXT).read_text()) <= time.time()
        except (OSError, ValueError):
            return False

    def _copies(self) -> bool:
        try:
            if abs(time.time() - (self._home / FOLDER / COPIED).stat().st_mtime) < COPY_SECONDS:
                return False
        except OSError:
            pass  # never yet
        try:
            return b"data_store" in (self._home / "settings.toml").read_bytes() and (self._home / "modeldata").is_dir()
        except OSError:
            return False
