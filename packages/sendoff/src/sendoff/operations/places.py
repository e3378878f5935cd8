"""Where operations keep files in a home."""

from __future__ import annotations

from pathlib import Path


def log_path(home: Path, id_: str) -> Path:
    """The log of an operation's runner."""
    return home / "operations" / f"{id_}.log"


def service_log_path(home: Path, id_: str) -> Path:
    """What a service had logged when its failed start was taken down."""
    return home / "operations" / f"{id_}.service.log"


def work_lock(home: Path) -> Path:
    """The lock that whoever works on an operation shares, and who removes garbage holds alone."""
    return home / "staging" / "work.lock"
