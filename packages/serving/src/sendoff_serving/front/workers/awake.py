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

from .resources import processors_granted

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
