"""Progress of long work, as whoever waits for it is told."""

from __future__ import annotations

from collections.abc import Callable

Progress = Callable[[str], None]
"""Takes one plain line at a time: what is being done, or waited for."""


def silent(line: str) -> None:
    """Where nobody waits for it."""
