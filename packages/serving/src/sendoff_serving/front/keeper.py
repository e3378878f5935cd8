"""Starts whoever keeps this server running, when that was killed: of the two, the one that is left starts the other."""

from __future__ import annotations

import fcntl
import json
import os
import subprocess
from pathlib import Path

from ..log import ServerLog

_EVERY = 3
"""Looks of which one is taken; they come about once a second."""


class Keeper:
    """Looks after the process that restarts this server.

    It holds the lock of the file ``lock`` beside its record while it lives, and removes the record when it ends of its
    own accord: a record whose lock nobody holds is that of one that was killed.

    Args:
        record: its record, a JSON file with ``command`` and ``environ``, with which it is started.
        log: the server's log.
    """

    def __init__(self, record: Path, log: ServerLog) -> None:
        self._record = record
        self._log = log
        self._looks = 0
        self._started: subprocess.Popen[bytes] | None = None

    def look(self) -> None:
        """Start it where it was killed; called about once a second."""
        self._looks += 1
        if self._looks % _EVERY:
            return
        if self._started is not None and self._started.poll() is None:
            return  # one that finds another at work ends at once, and is reaped by this
        try:
            record = json.loads(self._record.read_bytes())
            command, environ = [str(word) for word in record["command"]], dict(record["environ"])
            if not self._is_free():
                return
            with self._record.with_name("console.log").open("ab") as console:
                self._started = subprocess.Popen(
                    command,
                    stdin=subprocess.DEVNULL,
                    stdout=console,
                    stderr=subprocess.STDOUT,
                    cwd="/",
                    env=environ,
                    start_new_session=True,
                )
        except (OSError, ValueError, KeyError, TypeError):
            return  # it ended as it should, or its folder is gone: nothing is to be kept
        self._log.warning(f"The process that keeps this server running was killed; pid {self._started.pid} takes over")

    def _is_free(self) -> bool:
        descriptor = os.open(self._record.with_name("lock"), os.O_RDONLY | os.O_CLOEXEC)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except OSError:
            return False
        finally:
            os.close(descriptor)
        return True
