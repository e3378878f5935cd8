"""Output of a worker process that did not come in frames."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable

_RETURNS = re.compile(r"\n?\r+\n?")
# A line longer than this is passed on in parts.
_LONGEST = 65536


class Lines(asyncio.Protocol):
    """Output of the process that did not come in frames: C code, child processes, what Python says at its end.

    Args:
        say: told the lines as they come.
    """

    def __init__(self, say: Callable[[str], None]) -> None:
        self._say = say
        self._partial = b""

    def data_received(self, data: bytes) -> None:
        lines, newline, self._partial = (self._partial + data).rpartition(b"\n")
        if newline:
            self._pass_on(lines)
        elif len(self._partial) > _LONGEST:
            whole, self._partial = self._partial, b""
            self._pass_on(whole)

    def connection_lost(self, error: Exception | None) -> None:
        if self._partial:
            self._pass_on(self._partial)

    def _pass_on(self, lines: bytes) -> None:
        self._say(lines.decode("utf-8", "replace"))


def lines_of(text: str) -> str:
    """Return what a terminal shows one over the other, such as a progress bar, as lines of its own.

    A carriage return within a line of the log would hide where it comes from and whose it is.
    """
    return _RETURNS.sub("\n", text).strip("\n")
