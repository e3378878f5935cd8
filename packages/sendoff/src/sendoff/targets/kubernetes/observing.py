"""Turns what the cluster says of a service into an Observation; nothing is remembered."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from typing import Any

from ...spec.kubernetes import quantity
from ...spec.service import Worker
from ..base import Observation, Phase
from ..front_status import error as _error
from . import reasons
from .reasons import Seen
from .render import REVISION, path_prefix

_MIB = 1024 * 1024
_ORDER: tuple[Phase, ...] = ("failed", "unschedulable", "init", "starting", "ready")
"""Of several pods of a revision, the first of these that one is in is told."""


def observed(
    deployment: Mapping[str, Any] | None,
    pods: Sequence[Mapping[str, Any]],
    events: Sequence[Mapping[str, Any]] = (),
    *,
    base_url: str | None = None,
) -> Observation:
    """What runs of a service now: the revision that answers, and beside it one that is on its way or was and failed.

    Args:
        deployment: Its Deployment; None where there is none.
        pods: Its pods.
        events: Events of them, where they may be read.
        base_url: Its address.
    """
    now = time.time()
    if deployment is None:
        return Observation(phase="absent", seen=now)
    wanted = int(deployment["spec"]["template"]["metadata"]["labels"].get(REVISION, 0))
    limit = _limit(deployment)
    seen: dict[int, list[tuple[Mapping[str, Any], Seen]]] = {}
    for pod in pods:
        if pod["metadata"].get("deletionTimestamp"):
            continue
        number = int(pod["metadata"]["labels"].get(REVISION, 0))
        own = [one for one in events if one.get("involvedObject", {}).get("uid") == pod["metadata"].get("uid")]
        seen.setdefault(number, []).append((pod, reasons.of_pod(pod, limit_mb=limit, events=own)))
    newest = _phase(deployment, seen.get(wanted, []))
    answering = [number for number, found in seen.items() if number != wanted and any(one.ready for _, one in found)]
    facts: dict[str, Any] = {"seen": now, "base_url": base_url, "endpoints": _endpoints(seen)}
    if newest.phase != "ready" and answering:
        old = max(answering)
        return Observation(
            phase="ready",
            revision=old,
            workers=_workers(seen[old]),
            pending_revision=wanted,
            pending_phase=newest.phase,
            pending_error=newest.error,
            **facts,
        )
    if newest.phase != "ready" and any(one.ready for _, one in seen.get(wanted, [])):
        # It answers, with fewer replicas than are wanted.
        failed = newest.phase in ("failed", "unschedulable")
        return Observation(
            phase="unhealthy" if failed else "init",
            revision=wanted,
            error=newest.error,
            workers=_workers(seen[wanted]),
            **facts,
        )
    return Observation(
        phase=newest.phase, revision=wanted, error=newest.error, workers=_workers(seen.get(wanted, [])), **facts
    )


def _phase(deployment: Mapping[str, Any], pods: Sequence[tuple[Mapping[str, Any], Seen]]) -> Seen:
    status, replicas = deployment.get("status") or {}, int(deployment["spec"].get("replicas") or 0)
    if not replicas:
        return Seen("absent", _error("no_replica", "the service has 0 replicas: nothing answers"))
    whole = (
        int(status.get("observedGeneration") or 0) >= int(deployment["metadata"].get("generation") or 0)
        and int(status.get("updatedReplicas") or 0) >= replicas
        and int(status.get("availableReplicas") or 0) >= replicas
        and int(status.get("replicas") or 0) <= replicas  # the old ones have left
    )
    if whole and sum(one.ready for _, one in pods) >= replicas:
        return Seen("ready", ready=True)
    none = reasons.of_rollout(deployment)
    if none is not None and len(pods) < replicas:
        return Seen("failed", none)
    for phase in _ORDER[:-1]:
        for _, one in pods:
            if one.phase == phase:
                done = sum(found.ready for _, found in pods)
                return one if one.error or replicas == 1 else Seen(phase, _error(phase, f"{done} of {replicas} ready"))
    for condition in status.get("conditions") or []:
        if condition.get("type") == "Progressing" and condition.get("reason") == "ProgressDeadlineExceeded":
            return Seen("failed", _error("timed_out", f"the cluster gave up: {condition.get('message', '')}"))
    done = sum(found.ready for _, found in pods)
    return Seen("starting", _error("starting", f"{done} of {replicas} ready") if replicas > 1 else None)


def _workers(pods: Sequence[tuple[Mapping[str, Any], Seen]]) -> list[Worker]:
    """A line for each pod: pods are to a cluster what workers are to a machine."""
    found = []
    for pod, one in sorted(pods, key=lambda pair: str(pair[0]["metadata"]["name"])):
        statuses = (pod.get("status") or {}).get("containerStatuses") or [{}]
        state = "ready" if one.ready else one.phase
        found.append(Worker(pid=0, state=state, restarts=int(statuses[0].get("restartCount") or 0)))
    return found


def _endpoints(seen: Mapping[int, Sequence[tuple[Mapping[str, Any], Seen]]]) -> list[str]:
    addresses = [
        str((pod.get("status") or {}).get("podIP")) for pods in seen.values() for pod, one in pods if one.ready
    ]
    return [f"{address}:5001" for address in sorted(addresses)]


def _limit(deployment: Mapping[str, Any]) -> int | None:
    container = deployment["spec"]["template"]["spec"]["containers"][0]
    memory = (container.get("resources") or {}).get("limits", {}).get("memory")
    return None if memory is None else int(quantity(memory) / _MIB)


def address(service: Mapping[str, Any] | None, *, name: str, host: str, scheme: str) -> tuple[str | None, str]:
    """Where a service is reached from outside, and how that was found, as a sentence.

    Args:
        service: Its Service object.
        name: The service's own name, which is part of its path.
        host: A name or address of a node, or of the API server where nodes may not be read.
        scheme: ``http`` or ``https``.
    """
    if service is None:
        return None, ""
    spec = service.get("spec") or {}
    port: Mapping[str, Any] = next(iter(spec.get("ports") or []), {})
    prefix = path_prefix(name)
    balancers = ((service.get("status") or {}).get("loadBalancer") or {}).get("ingress") or []
    if balancers:
        given = str(balancers[0].get("hostname") or balancers[0].get("ip"))
        number = int(port.get("port", 80))
        tail = "" if number == {"http": 80, "https": 443}[scheme] else f":{number}"
        return f"{scheme}://{_bracketed(given)}{tail}{prefix}", f"Its address is the load balancer's, {given}."
    if port.get("nodePort"):
        base = f"{scheme}://{_bracketed(host)}:{port['nodePort']}{prefix}"
        what = "No load balancer gives it an address: it" if spec.get("type") == "LoadBalancer" else "It"
        return base, f"{what} is reached at port {port['nodePort']} of each node; {host} is one."
    namespace, inside = service["metadata"].get("namespace", ""), service["metadata"]["name"]
    return f"{scheme}://{inside}.{namespace}.svc{prefix}", "It is reached from inside of the cluster alone (clusterip)."


def _bracketed(host: str) -> str:
    return f"[{host}]" if ":" in host else host
