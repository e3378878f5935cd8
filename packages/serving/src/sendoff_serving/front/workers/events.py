"""What the owner of a worker is told, and who counts what workers do."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Protocol

from ...protocol import Frame

if TYPE_CHECKING:
    from .process import WorkerProcess


class WorkerEvents(Protocol):
    """What the owner of a worker is told."""

    def worker_described(self, worker: WorkerProcess, description: dict[str, Any]) -> None:
        """The script is loaded and init() is about to be called."""

    def worker_ready(self, worker: WorkerProcess, description: dict[str, Any]) -> None:
        """init() has returned."""

    def worker_failed(self, worker: WorkerProcess, error: dict[str, Any]) -> None:
        """The script cannot be served; the process is ending."""

    def worker_answered(self, worker: WorkerProcess, frames: list[Frame]) -> None:
        """Frames that belong to requests, in the order in which they came."""

    def worker_said(self, worker: WorkerProcess, stream: str, text: str, request_id: int) -> None:
        """Lines that the script wrote."""

    def worker_noted(self, worker: WorkerProcess, note: dict[str, Any]) -> None:
        """Something to count."""

    def worker_collected(self, worker: WorkerProcess, frame: Frame) -> None:
        """Rows of a data collector of the script."""

    def child_ended(self, template: WorkerProcess, pid: int, returncode: int) -> None:
        """A worker forked from a template has ended."""

    def worker_died(self, worker: WorkerProcess, reason: str) -> None:
        """The process has ended, or is as good as ended."""


class WorkerCounter(Protocol):
    """Counts what workers do, over the life of each."""

    def count(self, worker: WorkerProcess) -> None:
        """Count what a worker does from now on."""

    def uncount(self, worker: WorkerProcess) -> None:
        """Keep the counts of a worker that ends."""

    def replaced(self) -> None:
        """Count a worker that died or was ended, and is replaced."""

    def model_noted(self, worker: WorkerProcess, note: Mapping[str, object]) -> None:
        """Count a model that a worker has loaded or unloaded by name."""
