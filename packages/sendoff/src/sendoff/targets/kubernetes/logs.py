"""What a service's pods wrote, merged by time; of containers that have ended, too."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Any

from ...clusters.api import Api, ApiError
from ...errors import SendoffError
from ..service_log import READY
from .kinds import POD
from .reasons import forbidden
from .render import PORT


def lines_of(
    api: Api, namespace: str, pods: Sequence[Mapping[str, Any]], count: int, *, init: bool = False
) -> list[str]:
    """The newest lines of all pods, oldest first; each with its pod's name where there are several.

    Args:
        api: The cluster.
        namespace: Theirs.
        pods: The pods.
        count: At most so many lines.
        init: The newest pod's start-up alone.
    """
    chosen = sorted(pods, key=lambda pod: str(pod["metadata"].get("creationTimestamp", "")))
    if init:
        chosen = chosen[-1:]
    found: list[tuple[str, str]] = []
    for pod in chosen:
        name = str(pod["metadata"]["name"])
        mark = f"{name.rpartition('-')[2]} | " if len(chosen) > 1 else ""
        status: Mapping[str, Any] = next(iter((pod.get("status") or {}).get("containerStatuses") or []), {})
        for previous in ([True] if int(status.get("restartCount") or 0) else []) + [False]:
            for line in _log(api, namespace, name, 5000 if init else count, previous=previous):
                when, _, text = line.partition(" ")
                found.append((when, mark + text))
    lines = [text for _, text in sorted(found, key=lambda pair: pair[0])]
    if init:
        end = next((number for number, line in enumerate(lines, 1) if READY.search(line)), len(lines))
        lines = lines[:end]
    return lines[-count:]


def _log(api: Api, namespace: str, pod: str, count: int, *, previous: bool) -> list[str]:
    try:
        said = api.text(
            f"{POD.path(namespace, pod)}/log",
            tailLines=str(count),
            timestamps="true",
            container="server",
            previous="true" if previous else None,
        )
    except ApiError as error:
        if error.status == 403:
            raise forbidden(error, f"the log of pod {pod}") from None
        return []  # it has no container yet, or not any more
    return said.splitlines()


def server_of(pod: Mapping[str, Any], namespace: str, scheme: str) -> str:
    """The path through the API server to a pod's own server."""
    name = pod["metadata"]["name"]
    return f"{POD.path(namespace, f'https:{name}:{PORT}' if scheme == 'https' else f'{name}:{PORT}')}/proxy"


def metrics_of(api: Api, namespace: str, pods: Sequence[Mapping[str, Any]], scheme: str) -> list[str]:
    """What the servers of pods count, asked through the API server; of those that do not say, nothing."""
    found = []
    for pod in pods:
        with suppress(SendoffError):
            found.append(api.text(f"{server_of(pod, namespace, scheme)}/metrics", seconds=3.0))
    return found
