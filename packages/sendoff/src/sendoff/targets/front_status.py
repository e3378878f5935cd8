"""What a front says of itself, as the facts of an observation."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..spec.service import Worker
from .base import Observation

_ABLE = frozenset({"idle", "busy", "ready"})
"""States of a worker that can take a request now, or as soon as it has answered the one it has."""


def error(code: str, message: str, hint: str = "") -> dict[str, Any]:
    """An error as observations have it."""
    return {"code": code, "message": message, "hint": hint}


def being_removed(revision: int, port: int) -> Observation:
    """A service whose removal has begun."""
    why = error("removing", "the service is being removed", "Delete it again to wait for the end.")
    return Observation(phase="unhealthy", revision=revision, error=why, port=port)


def facts_of(
    status: Mapping[str, Any], generation: Mapping[str, Any], what: str, pids: Mapping[int, int] | None = None
) -> dict[str, Any]:
    """Phase, error and workers of a revision that a front serves or loads.

    Args:
        status: What the front says.
        generation: The part of it that is of this revision.
        what: What the front is to users: ``front``, or what it runs in.
        pids: Its workers' pids as users see them, where it sees others.
    """
    workers = [_worker(entry, pids or {}) for entry in generation.get("workers") or []]
    phase, why = generation["phase"], generation.get("error")
    if phase == "draining" or status.get("state") == "draining":
        phase, why = "unhealthy", error("draining", f"the {what} is ending and takes no more requests")
    elif phase == "ready" and workers and not any(worker.state in _ABLE for worker in workers):
        restarts = sum(worker.restarts for worker in workers)
        message = f"no worker is ready: they have ended and are being started again ({restarts} restarts so far)"
        phase, why = "unhealthy", why or error("no_worker", message)
    elif phase not in ("starting", "init", "ready", "failed"):
        phase = "starting"
    return {"phase": phase, "error": why, "workers": workers}


def _worker(entry: Mapping[str, Any], pids: Mapping[int, int]) -> Worker:
    pid = int(entry.get("pid") or 0)
    return Worker(
        pid=pids.get(pid, pid),
        state=str(entry.get("state", "")),
        restarts=int(entry.get("restarts") or 0),
        requests=int(entry.get("requests") or 0),
        rss_mb=float(entry.get("rss_mb") or 0.0),
    )
