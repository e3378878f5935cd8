"""Staying awake for a moment after an answer, while a client that waits for each answer asks again at once.

A processor without work falls asleep, and waking it costs more, on virtual machines above all, than the front needs for
a request: with one client that was a fifth of the time (docs/decisions/0004-where-the-time-goes.md). So when the last
request is answered and the ones before came soon after each other, the event loop looks for the next one without
sleeping, for at most ``LONGEST`` seconds. Nothing is running then, so nobody's turn is taken but that of other
programs; and where nothing came in that time, it takes twice as many such requests until it is tried again.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from pathlib import Path

# How long the loop stays awake, and how soon after an answer a request has to come to count, in seconds.
LONGEST = 0.0001
_SOON = 0.0002
# Requests in a row that have to come so soon: at first, and after it was in vain many times.
_FEWEST = 8
_MOST = 4096


class Awake:
    """Keeps the running event loop awake between requests that follow each other.

    Args:
        clock: monotonic time.

    Attributes:
        allowed: False where it would cost what the process has too little of: processor time that is rationed.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self.allowed = processors_granted() >= 1.0
        self._rested = 0.0
        self._until = 0.0
        self._turning = False
        self._in_a_row = 0
        self._wanted = _FEWEST

    def begin(self, now: float) -> None:
        """Note that there is a request again; now is monotonic time."""
        if self._until:
            self._until = 0.0
            self._wanted = _FEWEST
        elif now - self._rested < _SOON:
            self._in_a_row += 1
        else:
            self._in_a_row = 0

    def rest(self, now: float) -> None:
        """Note that nothing is left to do."""
        self._rested = now
        if self._in_a_row >= self._wanted and self.allowed:
            self._until = now + LONGEST
            if not self._turning:
                self._turning = True
                asyncio.get_running_loop().call_soon(self._turn)

    def _turn(self) -> None:
        if not self._until:
            self._turning = False
        elif self._clock() < self._until:
            asyncio.get_running_loop().call_soon(self._turn)  # what has something to call soon does not sleep
        else:
            self._turning = False
            self._until = 0.0
            self._in_a_row = 0
            self._wanted = min(self._wanted * 2, _MOST)


def processors_granted(root: Path = Path("/"), pid: str = "self") -> float:
    """Return how many processors' time the process is given, infinity where that is not rationed.

    Containers and systemd ration it (``docker run --cpus``, ``CPUQuota=``) through control groups, whose files are
    read: ``cpu.max`` of the group and those above it, or ``cpu.cfs_quota_us`` of the older kind.
    """
    most = float("inf")
    try:
        lines = (root / "proc" / pid / "cgroup").read_text().splitlines()
    except OSError:
        return most
    for line in lines:
        _, names, path = line.split(":", 2)
        if names and "cpu" not in names.split(","):
            continue
        top = root / "sys/fs/cgroup" / names
        group = top / path.lstrip("/")
        for folder in (group, *group.parents):
            quota = _quota(folder)
            if quota is not None:
                most = min(most, quota)
            if folder == top:
                break
    return most


def _quota(folder: Path) -> float | None:
    """The ration of one control group in processors; None without one."""
    try:
        if (folder / "cpu.max").exists():
            quota, period = (folder / "cpu.max").read_text().split()
        else:
            quota, period = (folder / "cpu.cfs_quota_us").read_text(), (folder / "cpu.cfs_period_us").read_text()
        return int(quota) / int(period) if int(quota) > 0 else None
    except (OSError, ValueError, ZeroDivisionError):
        return None  # "max", or no such file
