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
                # What the front shares with other services' fronts it would need alone, too.
                share = proportional_mb(process.pid, anonymous=process is root)
                memory += share or process.memory_info().rss / MIB
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


def proportional_mb(pid: int, *, anonymous: bool = False) -> float | None:
    """A process' share of the memory that it maps, MiB; None where the system does not say.

    Args:
        pid: The process.
        anonymous: Count what is no file's as if nobody shared it.
    """
    try:
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()[1:]
        facts = {name: int(value.split()[0]) for name, _, value in (line.partition(":") for line in lines)}
        if anonymous and "Pss_Anon" in facts:
            return (facts["Pss"] - facts["Pss_Anon"] + facts["Anonymous"]) / 1024
        return facts["Pss"] / 1024
    except (OSError, KeyError, ValueError):
        return None
