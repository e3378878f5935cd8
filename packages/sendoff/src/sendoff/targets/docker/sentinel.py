"""Starts the keeper again when it was killed: nothing else on this machine would, for what it watches is in containers.

A shell that sleeps on the keeper's own lock, by `flock` of util-linux: about 1 MB, no clock, no process id to mistake.
A keeper that ends in order has removed its record by then, and the shell ends too.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

from .. import supervisor

_AGAIN_SECONDS = 5.0
# lock, record, the keeper's pid, then its command. `true` takes any words: they are for whoever reads `ps`.
# Another keeper's record is that one's sentinel's.
_SCRIPT = """\
flock -s "$1" true waits for the keeper
grep -q "\\"pid\\": $3," "$2" 2>/dev/null || exit 0
shift 3
exec "$@"
"""


class Sentinel:
    """The sentinel of this process, a keeper that holds its lock.

    Args:
        home: The home.
        place: The target's folder in it.
        module: The keeper's module.
    """

    def __init__(self, home: Path, place: Path, module: str) -> None:
        lock, record = supervisor.folder(place) / "lock", supervisor.record(place)
        command = [sys.executable, "-P", "-m", module, "--home", str(home)]
        self._argv = ["/bin/sh", "-c", _SCRIPT, "sentinel", str(lock), str(record), str(os.getpid()), *command]
        self._log = supervisor.folder(place) / "console.log"
        self._process: subprocess.Popen[bytes] | None = None
        self._due = 0.0

    def keep(self) -> None:
        """Start it where it does not run; on a system without `flock` there is none."""
        if self._process is not None and self._process.poll() is None:
            return
        now = time.monotonic()
        if now < self._due or shutil.which("flock") is None:
            return
        self._due = now + _AGAIN_SECONDS
        with self._log.open("ab") as out:
            self._process = subprocess.Popen(
                self._argv, stdin=subprocess.DEVNULL, stdout=out, stderr=out, cwd="/", start_new_session=True
            )
