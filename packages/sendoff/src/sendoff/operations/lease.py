"""Who works on an operation: a process' id with its start time, since ids come back and the pair does not."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Holder:
    """One process of this machine; ``started`` is only compared, its unit depends on the system."""

    pid: int
    started: float

    @classmethod
    def me(cls) -> Holder:
        """This process."""
        return cls.of(os.getpid()) or cls(os.getpid(), 0.0)

    @classmethod
    def of(cls, pid: int) -> Holder | None:
        """The process with that id; None when it has ended (a zombie has)."""
        started = _started(pid)
        return None if started is None else cls(pid, started)

    @property
    def alive(self) -> bool:
        """Whether this very process still runs."""
        return Holder.of(self.pid) == self


def _started(pid: int) -> float | None:
    stat = Path(f"/proc/{pid}/stat")
    if Path("/proc/self/stat").exists():
        try:
            text = stat.read_text(errors="replace")
        except OSError:
            return None
        # The name in parentheses may hold blanks; what follows it is split by blanks (man 5 proc).
        fields = text[text.rindex(")") + 2 :].split()
        return None if fields[0] in "ZXx" else float(fields[19])
    import psutil  # only where there is no /proc

    try:
        process = psutil.Process(pid)
        if process.status() == psutil.STATUS_ZOMBIE:
            return None
        return float(process.create_time())
    except psutil.Error:
        return None
