"""Turns telemetry on and off while requests go on: by the command's settings, or by the file that a target keeps."""

from __future__ import annotations

import asyncio
import os
import socket
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any

from ...errors import ServingError
from ...log import ServerLog
from ...telemetry_settings import INSTALL, TelemetryFile, TelemetrySettings, available, load
from .spans import Counts, Telemetry

Make = Callable[[TelemetrySettings, dict[str, Any], Counts], Telemetry]


class TelemetrySwitch:
    """Holds the telemetry that is on now, if any.

    Args:
        settings: those of the command; None where it asks for nothing.
        file: the target's file, which may come and change later; it stands over the command's settings.
        log: the server's log.
        make: makes the telemetry for settings, resource attributes and counts.
        changed: takes what is on now.
    """

    def __init__(
        self,
        settings: TelemetrySettings | None,
        file: Path | None,
        log: ServerLog,
        make: Make,
        changed: Callable[[Telemetry | None], None],
    ) -> None:
        self.counts = Counts()
        self.current: Telemetry | None = None
        self._settings = settings
        self._file = file
        self._log = log
        self._make = make
        self._changed = changed
        self._stamp: tuple[int, int] | None = None
        self._told: TelemetryFile | None = None
        self._revision: str | None = None
        self._name = ""
        self._instance = str(uuid.uuid4())
        self._said_missing = False
        self._closing: set[asyncio.Task[None]] = set()

    @property
    def ever(self) -> bool:
        """Whether telemetry has been on: its counts are worth showing."""
        return self.current is not None or bool(sum(self.counts.delivered.values()) or self.counts.dropped)

    def follow(self, revision: str | None, name: str) -> None:
        """Go by the settings of the revision that serves.

        Args:
            revision: its name.
            name: the service's name.
        """
        self._revision, self._name = revision, name
        self._read()
        self._apply()

    def refresh(self) -> None:
        """Read the file again if it has changed; called about once a second."""
        if self._file is not None and self._read():
            self._apply()

    def _read(self) -> bool:
        if self._file is None:
            return False
        try:
            facts = self._file.stat()
            stamp = (facts.st_mtime_ns, facts.st_ino)
        except OSError:
            stamp = None
        if stamp == self._stamp:
            return False
        self._stamp = stamp
        try:
            self._told = None if stamp is None else load(self._file)
        except ServingError as error:
            self._log.error(error.message)
            return False
        return True

    def _wanted(self) -> TelemetrySettings | None:
        if self._told is None:
            return self._settings
        if not self._told.on(self._revision) or self._told.settings is None:
            return None
        if not available():
            if not self._said_missing:
                self._said_missing = True
                self._log.warning(f"Telemetry is on and the packages for it are not installed; type: {INSTALL}")
            return None
        return self._told.settings

    def _apply(self) -> None:
        wanted = self._wanted()
        before = self.current
        if wanted == (None if before is None else before.settings):
            return
        self.current = None if wanted is None else self._make(wanted, self._attributes(), self.counts)
        self._changed(self.current)
        if wanted is None:
            self._log.info("Telemetry is off")
        else:
            signals = " and ".join(name for name, on in (("traces", wanted.traces), ("logs", wanted.logs)) if on)
            self._log.info(f"Telemetry is on: {signals or 'nothing'} to an OpenTelemetry collector")
        if before is not None:
            task = asyncio.get_running_loop().create_task(before.close())
            self._closing.add(task)
            task.add_done_callback(self._closing.discard)

    def _attributes(self) -> dict[str, Any]:
        return {
            "service.name": self._name,
            "service.instance.id": self._instance,
            "host.name": socket.gethostname(),
            "process.pid": os.getpid(),
            "sendoff.service": self._name,
        }

    async def close(self) -> None:
        """Deliver what is left, for a bounded time."""
        if self.current is not None:
            await self.current.close()
        if self._closing:
            await asyncio.wait(self._closing, timeout=1.0)
