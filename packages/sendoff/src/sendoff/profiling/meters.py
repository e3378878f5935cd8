"""What a running service uses, and limits for it while it runs: one meter a target."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any, NamedTuple, Protocol

from ..errors import DeploymentFailed, SendoffError

MIB = 1024.0 * 1024.0


class Usage(NamedTuple):
    """CPU seconds since its start, MiB held now, seconds in which its CPU limit held it back (None: not known)."""

    cpu_seconds: float
    memory_mb: float
    throttled_seconds: float | None = None


class Meter(Protocol):
    """Measures one service, and bounds it where its target can."""

    limits_kept: bool

    def usage(self) -> Usage:
        """What it uses now."""

    def limit(self, cpus: float | None, memory_mb: float | None) -> None:
        """Bound it from now on: cores' worth of time, MiB."""

    def out_of_memory(self) -> bool:
        """Whether the kernel ended one of its processes because of its limit."""


def meter_of(target: str, home: Path, uid: str) -> Meter:
    """The meter of a service that runs.

    Raises:
        DeploymentFailed: It does not run.
    """
    return ContainerMeter(home, uid) if target == "docker" else ProcessMeter(home, uid)


class ProcessMeter:
    """A front and its workers as processes; nothing is limited."""

    limits_kept = False

    def __init__(self, home: Path, uid: str) -> None:
        from ..targets.process.records import ProcessFolder

        self._folder = ProcessFolder(home, uid)
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


class ContainerMeter:
    """A container: the kernel's own counts for all of its processes together."""

    limits_kept = True

    def __init__(self, home: Path, uid: str) -> None:
        from ..containers.engine import connect
        from ..targets.docker.containers import inspect, of_service

        self._engine = connect(local=True)
        found = [one for one in of_service(self._engine, home, uid) if one.state == "running"]
        if not found:
            raise DeploymentFailed("the container that was being measured does not run any more")
        self._id = found[-1].id
        state = inspect(self._engine, self._id).get("State") or {}
        self._place = _control_groups(int(state.get("Pid") or 0))

    def usage(self) -> Usage:
        """As the limits count: without what the page cache could give back."""
        if self._place is not None:
            try:
                return _group_usage(self._place)
            except (OSError, KeyError, ValueError):
                self._place = None
        stats = self._engine.call(
            "GET", f"/containers/{self._id}/stats", query={"stream": "false", "one-shot": "true"}, seconds=10.0
        )
        memory = stats.get("memory_stats") or {}
        idle = (memory.get("stats") or {}).get("inactive_file") or 0
        cpu = (stats.get("cpu_stats") or {}).get("cpu_usage") or {}
        return Usage(float(cpu.get("total_usage") or 0) / 1e9, (float(memory.get("usage") or 0) - idle) / MIB)

    def limit(self, cpus: float | None, memory_mb: float | None) -> None:
        """Change the running container's limits; memory that it holds already cannot be taken away.

        Raises:
            DeploymentFailed: The engine refuses.
        """
        memory = int((memory_mb or 0) * MIB)
        body: dict[str, Any] = {"NanoCpus": int((cpus or 0) * 1e9)}
        if memory:
            # Equal: no swap, as in a deployment.
            body |= {"Memory": memory, "MemorySwap": memory}
        try:
            self._engine.call("POST", f"/containers/{self._id}/update", body=body, seconds=30.0)
        except SendoffError as error:
            raise DeploymentFailed(f"the engine does not set the limits: {error.message}", hint=error.hint) from None

    def out_of_memory(self) -> bool:
        """Whether a process in it was ended for want of memory."""
        from ..targets.docker.containers import inspect, out_of_memory

        state = inspect(self._engine, self._id).get("State") or {}
        return bool(state.get("OOMKilled")) or out_of_memory(self._engine, self._id, 0.0) > 0


def proportional_mb(pid: int) -> float | None:
    """A process' share of the memory that it maps, MiB; None where the system does not say."""
    try:
        for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
            if line.startswith("Pss:"):
                return float(line.split()[1]) / 1024
    except OSError:
        pass
    return None


def _control_groups(pid: int) -> dict[str, Path] | None:
    """Folders of a process' control groups on this machine; None in a virtual machine's engine, say."""
    try:
        lines = Path(f"/proc/{pid}/cgroup").read_text().splitlines() if pid else []
    except OSError:
        return None
    found: dict[str, Path] = {}
    for line in lines:
        _, names, path = line.split(":", 2)
        if not names:
            found[""] = Path("/sys/fs/cgroup") / path.lstrip("/")
        for name in names.split(","):
            if name in ("memory", "cpuacct", "cpu"):
                found[name] = Path("/sys/fs/cgroup") / name / path.lstrip("/")
    for place in (found, {"": found.get("", Path("/nonexistent"))}):
        try:
            _group_usage(place)
            return place
        except (OSError, KeyError, ValueError):
            continue
    return None


def _group_usage(place: dict[str, Path]) -> Usage:
    if "memory" in place and "cpuacct" in place:  # version 1
        stat = _numbers(place["memory"] / "memory.stat")
        held = int((place["memory"] / "memory.usage_in_bytes").read_text()) - stat["total_inactive_file"]
        held_back = _numbers(place["cpu"] / "cpu.stat")["throttled_time"] / 1e9 if "cpu" in place else None
        return Usage(int((place["cpuacct"] / "cpuacct.usage").read_text()) / 1e9, held / MIB, held_back)
    stat = _numbers(place[""] / "memory.stat")
    held = int((place[""] / "memory.current").read_text()) - stat["inactive_file"]
    cpu = _numbers(place[""] / "cpu.stat")
    return Usage(cpu["usage_usec"] / 1e6, held / MIB, cpu.get("throttled_usec", 0) / 1e6)


def _numbers(path: Path) -> dict[str, int]:
    return {name: int(value) for name, _, value in (line.partition(" ") for line in path.read_text().splitlines())}


def host_cores() -> list[int]:
    """Numbers of the cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return sorted(os.sched_getaffinity(0))
    return list(range(os.cpu_count() or 1))
