"""Turns what the engine, the gateway and the fronts in containers say into an Observation; nothing is remembered."""

from __future__ import annotations

import datetime
import time
from pathlib import Path
from typing import Any

from ...containers.engine import Engine
from ...gateway.gateway import Gateway
from ...spec.names import service_flags
from ...spec.parse import replace
from .. import ports
from ..base import SCRIPT_CODES, Observation
from ..front_status import being_removed, facts_of
from ..front_status import error as _error
from . import containers, service_containers
from .containers import Container
from .records import ContainerRecord, ServiceFolder
from .service_containers import Seen

_LOG_LINES = 20


def observe(
    folder: ServiceFolder,
    engine: Engine,
    gateway: Gateway,
    *,
    metrics: bool = False,
    listed: list[Container] | None = None,
) -> Observation:
    """What runs of a service now.

    Args:
        folder: The service's.
        engine: Where it runs.
        gateway: What listens for it.
        metrics: Ask the container that serves what it counts, too.
        listed: Its containers, where they are known.
    """
    return replace(_observe(folder, engine, gateway, metrics, listed), seen=time.time())


def _observe(
    folder: ServiceFolder, engine: Engine, gateway: Gateway, metrics: bool, listed: list[Container] | None
) -> Observation:
    wanted = folder.wanted()
    if wanted is None:
        return Observation(phase="absent")
    if wanted.removing:
        return being_removed(wanted.revision, wanted.port)
    seen = service_containers.look(engine, folder, listed)
    chosen = service_containers.serving(seen, wanted)
    newest = next((one for one in seen if one.container.serial == wanted.serial), None)
    if chosen is None:
        return _at(wanted, Observation(phase="starting", revision=wanted.revision))
    told = _of(engine, wanted, chosen)
    if told.phase == "ready":
        told = _behind(gateway, wanted, chosen, told)
    route = gateway.route(wanted.uid)
    if route is not None:
        wanted = wanted._replace(host=route.host, port=route.port, certificate=route.certificate)
    told = _at(wanted, told)
    if chosen.ready:
        told = replace(told, endpoints=[chosen.container.endpoint])
    if metrics and chosen.status is not None:
        told = replace(told, metrics=containers.metrics(folder, chosen.container.serial))
    if chosen is newest:
        return told
    other = _of(engine, wanted, newest) if newest is not None else Observation(phase="starting")
    reloads = chosen.container.revision == wanted.revision and other.phase != "failed"
    if reloads:
        return told
    phase = "init" if other.phase == "ready" else other.phase
    return replace(told, pending_revision=wanted.revision, pending_phase=phase, pending_error=other.error)


def _of(engine: Engine, wanted: ContainerRecord, seen: Seen) -> Observation:
    """One container."""
    container, status = seen.container, seen.status
    if status is None:
        return _silent(engine, wanted, seen)
    serving, pending = status.get("serving"), status.get("pending")
    generation = serving or pending
    if generation is None:
        return Observation(phase="starting", revision=container.revision)
    facts = facts_of(status, generation, "container", _host_pids(engine, container.id))
    if facts["phase"] in ("failed", "unhealthy") and (facts["error"] or {}).get("code") not in SCRIPT_CODES:
        known = containers.inspect(engine, container.id)
        facts["error"] = _memory(engine, container.id, known) or facts["error"]
    return Observation(revision=container.revision, **facts)


def _silent(engine: Engine, wanted: ContainerRecord, seen: Seen) -> Observation:
    """A container whose front does not answer: why, as the engine knows it."""
    container = seen.container
    facts = containers.inspect(engine, container.id)
    state = facts.get("State") or {}
    restarts = int(facts.get("RestartCount") or 0)
    revision = container.revision
    short = container.name or container.id[:12]
    if container.state == "paused":
        hint = f"`docker unpause {short}` lets it go on."
        error = _error("container_paused", f"the container {short} is paused", hint)
        return Observation(phase="unhealthy", revision=revision, error=error)
    if container.state in ("running", "created") and restarts == 0:
        age = _age(state.get("StartedAt", ""))
        if age < service_containers.START_GRACE:
            return Observation(phase="starting", revision=revision)
        error = _error("front_unreachable", f"the container {short} runs and its server does not answer")
        return Observation(phase="unhealthy", revision=revision, error=error)
    error = _memory(engine, container.id, facts) or _ended(state, short, restarts, wanted)
    error["log"] = containers.log_lines(engine, container.id, _LOG_LINES)
    over = container.state in ("exited", "dead") and restarts >= service_containers.ATTEMPTS
    if error["log"] and error["code"] == "container_ended":
        error["message"] += f"; it said: {error['log'][-1]}"
    return Observation(phase="failed" if over else "unhealthy", revision=revision, error=error)


def _ended(state: dict[str, Any], name: str, restarts: int, wanted: ContainerRecord) -> dict[str, Any]:
    code = state.get("ExitCode")
    why = str(state.get("Error") or "") or f"with exit code {code}"
    times = f", {restarts} times so far" if restarts else ""
    again = " and is being restarted" if state.get("Restarting") or state.get("Running") else ""
    hint = f"See `sendoff service get-logs {service_flags(wanted.name, wanted.workspace)}`."
    return _error("container_ended", f"the container {name} ended {why}{times}{again}", hint)


def _memory(engine: Engine, id_: str, facts: dict[str, Any]) -> dict[str, Any] | None:
    """The error for a container out of memory, if it was."""
    limit = int((facts.get("HostConfig") or {}).get("Memory") or 0)
    made = _unix(str(facts.get("Created", "")))
    killed = (facts.get("State") or {}).get("OOMKilled")
    if not killed and not (limit and made and containers.out_of_memory(engine, id_, made)):
        return None
    bound = f"its memory limit of {limit / 1024**2:.0f} MB" if limit else "the machine's memory"
    return _error(
        "out_of_memory",
        f"the container reached {bound}, and the kernel ended a process of it",
        "Give it more (memory_gb, for a local service memory_limit_mb), fewer workers, or a smaller model.",
    )


def _behind(gateway: Gateway, wanted: ContainerRecord, chosen: Seen, told: Observation) -> Observation:
    """A container that is ready is a service only when the gateway sends requests to it."""
    route = gateway.route(wanted.uid)
    if route is not None and chosen.container.endpoint in route.endpoints and gateway.serves(route):
        return told
    problem = gateway.problem(wanted.uid)
    if problem:
        error = _error("port_in_use", f"the gateway cannot listen: {problem}", "End what listens there.")
        return replace(told, phase="unhealthy", error=error)
    return replace(told, phase="init")


def _at(wanted: ContainerRecord, told: Observation) -> Observation:
    scheme = "http" if wanted.certificate is None else "https"
    return replace(told, port=wanted.port, base_url=ports.base_url(wanted.host, wanted.port, scheme))


def _host_pids(engine: Engine, id_: str) -> dict[int, int]:
    """Pids within a container to those on this machine, which are what a user can look at or end."""
    facts = containers.inspect(engine, id_)
    first = int((facts.get("State") or {}).get("Pid") or 0)
    found: dict[int, int] = {}
    for pid in _in_cgroup(first):
        try:
            for line in Path(f"/proc/{pid}/status").read_text().splitlines():
                if line.startswith("NSpid:"):
                    numbers = [int(part) for part in line.split()[1:]]
                    found[numbers[-1]] = pid
        except (OSError, ValueError):
            continue
    return found


def _in_cgroup(first: int) -> list[int]:
    try:
        lines = Path(f"/proc/{first}/cgroup").read_text().splitlines() if first else []
    except OSError:
        return []
    for line in lines:
        _, kinds, path = line.split(":", 2)
        # Version 2 has one unnamed hierarchy, version 1 one for each kind.
        base = Path("/sys/fs/cgroup") / (kinds.split(",")[-1] if kinds else "")
        for root in (base, Path("/sys/fs/cgroup") / kinds):
            try:
                pids = [int(text) for text in (root / path.lstrip("/") / "cgroup.procs").read_text().split()]
            except (OSError, ValueError):
                continue
            if first in pids:
                return pids
    return []


def _unix(text: str) -> float:
    """The engine's time (RFC 3339, nanoseconds) as unix seconds; 0 for none."""
    try:
        return datetime.datetime.fromisoformat(text[:19] + "+00:00").timestamp()
    except ValueError:
        return 0.0


def _age(text: str) -> float:
    started = _unix(text)
    return datetime.datetime.now(datetime.UTC).timestamp() - started if started > 0 else 0.0
