"""What processes take and are granted: resident memory, from /proc, and processor time, from control groups."""

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


def processors_granted(root: Path = Path("/")) -> float:
    """Return how many processors' time the process is given, infinity where that is not rationed.

    Containers and systemd ration it (``docker run --cpus``, ``CPUQuota=``) through control groups, whose files are
    read: ``cpu.max`` of the group and those above it, or ``cpu.cfs_quota_us`` of the older kind.
    """
    most = float("inf")
    try:
        lines = (root / "proc/self/cgroup").read_text().splitlines()
    except OSError:
        return most
    for line in lines:
        _, names, path = line.split(":", 2)
        if names and "cpu" not in names.split(","):
            continue
        top = root / "sys/fs/cgroup" / names
        group = top / path.lstrip("/")
        for folder in (group, *group.parents):
            quota = _quota(folder)
            if quota is not None:
                most = min(most, quota)
            if folder == top:
                break
    return most


def _quota(folder: Path) -> float | None:
    """The ration of one control group in processors; None without one."""
    try:
        if (folder / "cpu.max").exists():
            quota, period = (folder / "cpu.max").read_text().split()
        else:
            quota, period = (folder / "cpu.cfs_quota_us").read_text(), (folder / "cpu.cfs_period_us").read_text()
        return int(quota) / int(period) if int(quota) > 0 else None
    except (OSError, ValueError, ZeroDivisionError):
        return None  # "max", or no such file
