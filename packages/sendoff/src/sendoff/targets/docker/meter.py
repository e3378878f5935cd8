"""What a container uses, as the kernel counts it, and its limits while it runs."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ...containers.engine import Engine
from ...errors import DeploymentFailed, SendoffError
from ..meter import MIB, Usage
from .containers import inspect, of_service, out_of_memory


class ContainerMeter:
    """A container: the kernel's own counts for all of its processes together."""

    limits_kept = True

    def __init__(self, engine: Engine, home: Path, uid: str) -> None:
        self._engine = engine
        found = [one for one in of_service(engine, home, uid) if one.state == "running"]
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
        state = inspect(self._engine, self._id).get("State") or {}
        return bool(state.get("OOMKilled")) or out_of_memory(self._engine, self._id, 0.0) > 0


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
