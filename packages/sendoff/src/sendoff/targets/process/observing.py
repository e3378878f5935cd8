"""Turns what a service's fronts say at this moment into an Observation; nothing is remembered between looks."""

from __future__ import annotations

import time
from typing import Any

from ... import processes
from ...spec.names import service_flags
from ...spec.parse import replace
from .. import front_control, ports
from ..base import Observation
from ..front_status import being_removed, facts_of
from ..front_status import error as _error
from ..service_log import tail
from . import fronts
from .records import Front, ProcessFolder, ProcessRecord

# A hung front may cost this much; a second one is asked only while a service changes its port.
STATUS_SECONDS = 1.0


def observe(folder: ProcessFolder, *, metrics: bool = False) -> Observation:
    """What runs of a service now. Takes about two seconds at most, also when its processes hang.

    Args:
        folder: The service's folder.
        metrics: Ask the front that serves for its counts too.
    """
    seen = replace(_observe(folder), seen=time.time())
    if not metrics or seen.port is None or seen.phase in ("absent", "starting"):
        return seen
    there = [front for front in fronts.live(folder) if front.port == seen.port and front.stopping is None]
    return replace(seen, metrics=front_control.metrics(there[-1].control)) if there else seen


def _observe(folder: ProcessFolder) -> Observation:
    wanted = folder.wanted()
    if wanted is None:
        return Observation(phase="absent")
    if wanted.removing:
        return being_removed(wanted.revision, wanted.port)
    running = [front for front in fronts.live(folder) if front.stopping is None]
    newest = fronts.current(running, wanted)
    earlier = [front for front in running if front is not newest and front.ready is not None]
    if newest is None and not earlier:
        return _not_running(folder, wanted)
    seen = _look(folder, wanted, newest) if newest is not None else None
    if seen is not None and (seen.phase == "ready" or not earlier):
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
            return _at(front, phase="starting", revision=front.revision)
        stopped = " (it is suspended, by SIGSTOP or a debugger)" if suspended else ""
        return _at(
            front,
            phase="unhealthy",
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
    if serving is None or (serving["phase"] == "failed" and pending and pending["phase"] != "failed"):
        serving, pending = pending, None
    if serving is None:
        return _at(front, phase="starting", revision=front.revision)
    if pending is not None and pending["phase"] == "failed" and pending["revision"] != wanted.revision:
        # Nobody wants it any more: the service has gone back to an earlier revision.
        pending = None
    facts = facts_of(status, serving, "front")
    if facts["phase"] == "ready" and status.get("state") == "failed":
        facts["phase"] = "unhealthy"
    observation = _at(front, str(status.get("scheme") or "http"), revision=serving["revision"], **facts)
    if pending is not None:
        told = {"revision": pending["revision"], "phase": pending["phase"], "error": pending.get("error")}
    elif serving["revision"] != wanted.revision:
        # It has been asked for and the front will hear of it within a moment.
        told = {"revision": wanted.revision, "phase": "starting", "error": None}
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
        return Observation(phase="absent", error=error, port=wanted.port)
    crashes = folder.crashes()
    good = folder.good()
    base_url = ports.base_url(wanted.host, wanted.port)
    if crashes.attempts == 0 and not folder.fronts():
        return Observation(phase="starting", revision=wanted.revision, port=wanted.port, base_url=base_url)
    last = [line for line in tail(folder.console, 20) if line.strip()]
    reason = crashes.reason or "the front ended on its own"
    said = f"; it said: {last[-1]}" if last else ""
    if good is None and crashes.attempts >= fronts.ATTEMPTS:
        message = f"{reason}, {crashes.attempts} times, and is not started again{said}"
        named = service_flags(wanted.name, wanted.workspace)
        error = _error("front_ended", message, f"See `sendoff service get-logs {named}`, then deploy again.")
        error["log"] = last
        return Observation(phase="failed", revision=wanted.revision, error=error, port=wanted.port)
    attempt = crashes.attempts + 1 if crashes.attempts else 1
    of = f" of {fronts.ATTEMPTS}" if good is None else ""
    wait = max(0.0, crashes.next_start - time.monotonic())
    error = _error("front_ended", f"{reason}; it is being restarted in {wait:.1f} s, attempt {attempt}{of}{said}")
    error["attempts"] = crashes.attempts
    error["log"] = last
    revision = good.revision if good else wanted.revision
    return Observation(phase="unhealthy", revision=revision, error=error, port=wanted.port, base_url=base_url)


def _at(front: Front, scheme: str = "http", **facts: Any) -> Observation:
    base = ports.base_url(front.host, front.port, scheme)
    endpoints = [base.partition("://")[2]] if facts["phase"] == "ready" else []
    return Observation(port=front.port, base_url=base, endpoints=endpoints, **facts)
