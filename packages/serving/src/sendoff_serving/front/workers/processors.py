"""How much processor time this process may have, from its control groups."""

from __future__ import annotations

from pathlib import Path


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
