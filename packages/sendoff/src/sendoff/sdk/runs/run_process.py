"""The process of a submitted run, as the run's record names it, so that only that very process is ever ended."""

from __future__ import annotations

import signal
from collections.abc import Mapping
from typing import Any

from ... import processes

KEY = "process"
"""The member of a run's details."""


def recorded(pid: int) -> dict[str, Any]:
    """What a run's record says of a process that has just been started: its number, when it began, in which boot."""
    found = processes.identify(pid)
    return {"pid": pid, "start": found.start if found else "", "boot": processes.boot_id()}


def end(details: Mapping[str, Any]) -> bool:
    """End the process that a run's details name, with all that it started.

    Args:
        details: of the run; see ``recorded``.

    Returns:
        False when there is nothing to end: the process is gone, its number is another's by now, it belongs to another
        machine, or the run was not submitted.
    """
    named = details.get(KEY)
    if not isinstance(named, Mapping) or named.get("boot") != processes.boot_id():
        return False
    leader = processes.Identity(int(named["pid"]), str(named["start"]))
    ended = [processes.send(process, signal.SIGTERM) for process in processes.session(leader)]
    return any(ended)
