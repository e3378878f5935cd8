"""What a service has collected, as the API shows it (docs/data-collection.md)."""

from __future__ import annotations

from .parse import Spec

JOINED = "joined"
"""In place of a designation: inputs, predictions and what collectors stored, side by side by request and row."""


class DataCounts(Spec):
    """Records of one source over all servers: ``offered`` is ``stored`` and ``dropped`` together, exactly."""

    offered: int = 0
    stored: int = 0
    dropped: dict[str, int] = {}
    """By reason."""


class DataFile(Spec):
    """One file of collected rows; ``day`` is ``YYYY-MM-DD``, in UTC. ``where`` is ``local`` or the store's address."""

    path: str
    model: str
    version: str
    designation: str
    day: str
    size: int
    modified: float
    where: str = "local"


class ServiceData(Spec):
    """All that a service has collected, also before it was deleted."""

    workspace: str
    service: str
    folder: str
    """On the API's machine."""
    store: str | None
    """Where files are copied to; None for nowhere else."""
    files: list[DataFile]
    capture: DataCounts = DataCounts()
    collector: DataCounts = DataCounts()
    last_write: float | None = None
    """When rows were written last, Unix seconds."""
    error: str | None = None
    """Why the newest server could not write, or why the store of copies cannot be asked."""


class DataRows(Spec):
    """Rows of one day as texts; ``next`` is the offset of those that follow, None at the end."""

    columns: list[str]
    rows: list[list[str]]
    next: int | None = None


class DeletedData(Spec):
    """What deleting removed."""

    files: int
    size: int
