"""What the processes of a service use."""

from __future__ import annotations

from pathlib import Path

from ...errors import DeploymentFailed
from ..meter import MIB, Usage
from .records import ProcessFolder


class ProcessMeter:
    """A front and its workers as processes; nothing is limited."""

    limits_kept = False

    def __init__(self, folder: ProcessFolder) -> None:
        self._folder = folder
        self._ended = 0.0
        self._known: dict[int, float] = {}

    def usage(self) -> Usage:
        """CPU of front and workers, ended ones included; memory with shared pages counted once (PSS)."""
        import psutil

        front = next((front for front in reversed(self._folder.fronts()) if front.pid), None)
        if front is None:
            raise DeploymentFailed("the service that was being measured does not run any more")
        seen: dict[int, float] = {}
        memory = 0.0
        try:
            root = psutil.Process(front.pid)
            tree: list[psutil.Process] = [root, *root.children(recursive=True)]
        except psutil.Error:
            tree = []
        for process in tree:
            try:
                times = process.cpu_times()
                seen[process.pid] = times.user + times.system
                memory += proportional_mb(process.pid) or process.memory_info().rss / MIB
            except psutil.Error:
                continue
        self._ended += sum(seconds for pid, seconds in self._known.items() if pid not in seen)
        self._known = seen
        return Usage(self._ended + sum(seen.values()), memory)

    def limit(self, cpus: float | None, memory_mb: float | None) -> None:
        """Nothing: processes of this user share the machine as they are."""

    def out_of_memory(self) -> bool:
        """Never: no limit is set."""
        return False


def proportional_mb(pid: int) -> float | None:
    """A process' share of the memory that it maps, MiB; None where the system does not say."""
    try:
        for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
            if line.startswith("Pss:"):
                return float(line.split()[1]) / 1024
    except OSError:
        pass
    return None
