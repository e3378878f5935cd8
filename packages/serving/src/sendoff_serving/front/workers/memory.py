"""Resident memory of a process with its children, from /proc."""

from __future__ import annotations

import os
from pathlib import Path

_PAGE = os.sysconf("SC_PAGE_SIZE") if hasattr(os, "sysconf") else 4096


def _children(pid: int) -> list[int]:
    found: list[int] = []
    try:
        for task in Path(f"/proc/{pid}/task").iterdir():
            found += [int(child) for child in (task / "children").read_text().split()]
    except (OSError, ValueError):
        pass  # it has just ended, or the kernel does not list children
    return found


def resident_mb(pid: int) -> float | None:
    """Return the resident memory of a process and everything below it, in MB; None where it cannot be read."""
    try:
        pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    except (OSError, ValueError, IndexError):
        return None
    total = pages * _PAGE / 1e6
    for child in _children(pid):
        total += resident_mb(child) or 0.0
    return total
