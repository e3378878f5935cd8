"""Turns what a service's fronts say at this moment into an Observation; nothing is remembered between looks."""

from __future__ import annotations

import time
from typing import Any, Final

from ... import processes
from ...spec.names import service_flags
from ...spec.parse import replace
from ...spec.service import Worker
from .. import front_control, ports
from ..base import Observation
from . import fronts
from .records import Front, ProcessFolder, ProcessRecord

ABSENT: Final = "absent"
STARTING: Final = "starting"
INIT: Final = "init"
READY: Final = "ready"
UNHEALTHY: Final = "unhealthy"
FAILED: Final = "failed"

# A hung front may cost this much; a second one is asked only while a service changes its port.
STATUS_SECONDS = 1.0
_ABLE = frozenset({"idle", "busy", "ready"})
"""States of a worker that can take a request now, or as soon as it has answered the one it has."""


def observe(folder: ProcessFolder, *, metrics: bool = False) -> Observation:
    """What runs of a service now. Takes about two seconds at most, also when its processes hang.

    Args:
        folder: The service's folder.
        metrics: Ask the front that serves for its counts too.
    """
    seen = replace(_observe(folder), seen=time.time())
    if not metrics or seen.port is None or seen.phase in (ABSENT, STARTING):
        return seen
    there = [front for front in fronts.live(folder) if front.port == seen.port and front.stopping is None]
    return replace(seen, metrics=front_control.metrics(there[-1].control)) if there else seen


def _observe(folder: ProcessFolder) -> Observation:
    wanted = folder.wanted()
    if wanted is None:
        return Observation(phase=ABSENT)
    if wanted.removing:
        error = _error("removing", "the service is being removed", "Delete it again to wait for the end.")
        return Observation(phase=UNHEALTHY, revision=wanted.revision, error=error, port=wanted.port)
    running = [front for front in fronts.live(folder) if front.stopping is None]
    newest = fronts.current(running, wanted)
    earlier = [front for front in running if front is not newest and front.ready is not None]
    if newest is None and not earlier:
        return _not_running(folder, wanted)
    seen = _look(folder, wanted, newest) if newest is not None else None
    if seen is not None and (seen.phase == READY or not earlier):
        return seen
    # A new port: until the front there is ready, the one at the earlier address is the service.
    if seen is None:
        seen = _not_running(folder, wanted)
    return replace(
        _look(folder, wanted, earlier[-1]),
        pending_revision=wanted.revision,
        pending_phase=seen.phase,
        pending_error=seen.error,
    )


def _look(folder: ProcessFolder, wanted: ProcessRecord, front: Front) -> Observation:
    try:
        status = front_control.status(front.control, seconds=STATUS_SECONDS)
    except front_control.NoAnswer as error:
        if not processes.alive(front.process):
            return _not_running(folder, wanted)
        suspended = processes.suspended(front.process)
        young = front.ready is None and time.monotonic() - front.started < fronts.START_GRACE
        if young and not suspended:
            return _at(front, phase=STARTING, revision=front.revision)
        stopped = " (it is suspended, by SIGSTOP or a debugger)" if suspended else ""
        return _at(
            front,
            phase=UNHEALTHY,
            revision=front.revision,
            error=_error(
                "front_unreachable",
                f"the front, process {front.pid}, runs but does not answer: {error}{stopped}",
                f"`kill -CONT {front.pid}` lets it go on." if stopped else f"`kill {front.pid}` lets it be restarted.",
            ),
        )
    return _from_status(front, status, wanted)


def _from_status(front: Front, status: dict[str, Any], wanted: ProcessRecord) -> Observation:
    serving, pending = status.get("serving"), status.get("pending")
    if serving is None or (serving["phase"] == FAILED and pending and pending["phase"] != FAILED):
        serving, pending = pending, None
    if serving is None:
        return _at(front, phase=STARTING, revision=front.revision)
    if pending is not None and pending["phase"] == FAILED and pending["revision"] != wanted.revision:
        # Nobody wants it any more: the service has gone back to an earlier revision.
        pending = None
    workers = [_worker(entry) for entry in serving.get("workers") or []]
    phase, error = serving["phase"], serving.get("error")
    if phase == "draining" or status.get("state") == "draining":
        phase, error = UNHEALTHY, _error("draining", "the front is ending and takes no more requests")
    elif phase == READY and workers and not any(worker.state in _ABLE for worker in workers):
        restarts = sum(worker.restarts for worker in workers)
        message = f"no worker is ready: they have ended and are being started again ({restarts} restarts so far)"
        phase, error = UNHEALTHY, error or _error("no_worker", message)
    elif phase == READY and status.get("state") == FAILED:
        phase = UNHEALTHY
    elif phase not in (STARTING, INIT, READY, FAILED):
        phase = STARTING
    scheme = str(status.get("scheme") or "http")
    observation = _at(front, scheme, phase=phase, revision=serving["revision"], error=error, workers=workers)
    if pending is not None:
        told = {"revision": pending["revision"], "phase": pending["phase"], "error": pending.get("error")}
    elif serving["revision"] != wanted.revision:
        # It has been asked for and the front will hear of it within a moment.
        told = {"revision": wanted.revision, "phase": STARTING, "error": None}
    else:
        return observation
    return replace(observation, **{f"pending_{name}": value for name, value in told.items()})


def _not_running(folder: ProcessFolder, wanted: ProcessRecord) -> Observation:
    if wanted.boot != processes.boot_id():
        error = _error(
            "not_running_since_reboot",
            "the machine was restarted and the service was not",
            "`sendoff up` starts everything that ran before.",
        )
        return Observation(phase=ABSENT, error=error, port=wanted.port)
    crashes = folder.crashes()
    good = folder.good()
    if crashes.attempts == 0 and not folder.fronts():
        return Observation(
            phase=STARTING,
            revision=wanted.revision,
            port=wanted.port,
            base_url=ports.base_url(wanted.host, wanted.port),
        )
    last = _console_tail(folder)
    reason = crashes.reason or "the front ended on its own"
    said = f"; it said: {last[-1]}" if last else ""
    if good is None and crashes.attempts >= fronts.ATTEMPTS:
        message = f"{reason}, {crashes.attempts} times, and is not started again{said}"
        named = service_flags(wanted.name, wanted.workspace)
        error = _error("front_ended", message, f"See `sendoff service get-logs {named}`, then deploy again.")
        error["log"] = last
        return Observation(phase=FAILED, revision=wanted.revision, error=error, port=wanted.port)
    attempt = crashes.attempts + 1 if crashes.attempts else 1
    of = f" of {fronts.ATTEMPTS}" if good is None else ""
    wait = max(0.0, crashes.next_start - time.monotonic())
    error = _error("front_ended", f"{reason}; it is being restarted in {wait:.1f} s, attempt {attempt}{of}{said}")
    error["attempts"] = crashes.attempts
    error["log"] = last
    return Observation(
        phase=UNHEALTHY,
        revision=(good.revision if good else wanted.revision),
        error=error,
        port=wanted.port,
        base_url=ports.base_url(wanted.host, wanted.port),
    )


def _console_tail(folder: ProcessFolder) -> list[str]:
    try:
        with folder.console.open("rb") as file:
            file.seek(max(0, folder.console.stat().st_size - 8000))
            lines = file.read().decode("utf-8", "replace").splitlines()
    except OSError:
        return []
    return [line for line in lines if line.strip()][-20:]


def _worker(entry: dict[str, Any]) -> Worker:
    return Worker(
        pid=int(entry.get("pid") or 0),
        state=str(entry.get("state", "")),
        restarts=int(entry.get("restarts") or 0),
        requests=int(entry.get("requests") or 0),
        rss_mb=float(entry.get("rss_mb") or 0.0),
    )


def _at(front: Front, scheme: str = "http", **facts: Any) -> Observation:
    base = ports.base_url(front.host, front.port, scheme)
    endpoints = [base.partition("://")[2]] if facts["phase"] == READY else []
    return Observation(port=front.port, base_url=base, endpoints=endpoints, **facts)


def _error(code: str, message: str, hint: str = "") -> dict[str, Any]:
    return {"code": code, "message": message, "hint": hint}
