"""Brings a service's containers towards what is wanted, one idempotent step at a time.

``DockerTarget.apply`` takes such a step at once; the keeper takes the same step whenever something may have changed.
Both hold the folder's lock. Standard library alone: the keeper imports this.
"""

from __future__ import annotations

import socket
import time
from typing import Any, NamedTuple

from ...containers.engine import Engine
from ...errors import SendoffError
from ...gateway.base import Route
from ...gateway.gateway import Gateway
from ...progress import Progress
from .. import front_control, ports
from . import containers
from .containers import Container
from .records import ContainerRecord, ServiceFolder

ATTEMPTS = 5
"""Starts of a container that never answered; one that did is restarted for ever, by the engine's policy."""
SETTLE = 0.3
"""Seconds between the gateway's having left a container and its being told to stop: Envoy's threads hear apart."""
KILL_GRACE = 2.0
START_GRACE = 20.0
"""Seconds in which the server of a new container need not answer."""
STATUS_SECONDS = 0.5


class Seen(NamedTuple):
    """A container with what its front says; ``status`` is None when it does not answer."""

    container: Container
    status: dict[str, Any] | None

    @property
    def ready(self) -> bool:
        """Whether it can answer requests."""
        serving = (self.status or {}).get("serving") or {}
        return serving.get("phase") == "ready" and (self.status or {}).get("state") != "draining"


def look(engine: Engine, folder: ServiceFolder, listed: list[Container] | None = None) -> list[Seen]:
    """The service's containers that are not on their way out, the oldest first; ``listed`` where they are known."""
    found = []
    for container in containers.of_service(engine, folder.home, folder.uid) if listed is None else listed:
        if folder.stopping(container.serial) is not None:
            continue
        told = None
        if container.state == "running":
            try:
                told = containers.status(folder, container.serial, seconds=STATUS_SECONDS)
            except front_control.NoAnswer:
                pass
        found.append(Seen(container, told))
    return found


def serving(seen: list[Seen], wanted: ContainerRecord) -> Seen | None:
    """Which of them requests go to: the wanted one once it is ready, until then the newest that is."""
    newest = next((one for one in seen if one.container.serial == wanted.serial), None)
    ready = [one for one in seen if one.ready]
    if newest is not None and newest.ready:
        return newest
    return ready[-1] if ready else newest


def failed(one: Seen) -> bool:
    """Whether a container's server has failed to load, or the container has ended."""
    generation = (one.status or {}).get("serving") or (one.status or {}).get("pending") or {}
    return generation.get("phase") == "failed" or one.container.state in ("exited", "dead")


def wait_closed(route: Route, seconds: float = 5.0) -> None:
    """Wait until nobody listens at a route's address any more."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        with socket.socket(socket.AF_INET6 if ":" in route.host else socket.AF_INET) as probe:
            probe.settimeout(1.0)
            if probe.connect_ex((route.host, route.port)) != 0:
                return
        time.sleep(0.02)


def advance(
    folder: ServiceFolder, engine: Engine, gateway: Gateway, log: Progress, *, asked: bool = False
) -> float | None:
    """Take the next step; the caller holds the folder's lock.

    Returns:
        Seconds until it is worth looking again; None when all is as wanted.

    Raises:
        SendoffError: ``asked``, and what is wanted cannot be started.
        TargetUnavailable: The engine does not answer, or Envoy cannot be started.
    """
    wanted = folder.wanted()
    if wanted is None:
        return None
    if wanted.removing:
        take_down(folder, engine, gateway, log, drain_seconds=min(1.0, wanted.drain_seconds))
        return None
    seen = look(engine, folder)
    # By serial, not by revision: a retry of a revision that failed is another container of the same one.
    if not any(one.container.serial == wanted.serial for one in seen):
        try:
            containers.create(engine, folder, wanted)
        except SendoffError as error:
            if asked:
                raise
            # The keeper goes on trying: the engine's disk or network may be mended, and nobody would ask again.
            log(f"{folder.uid}: container {wanted.serial} cannot be started: {error.message}")
            return 5.0
        log(f"{folder.uid}: started container {wanted.serial} for revision {wanted.revision}")
        _direct(gateway, wanted, serving(look(engine, folder), wanted))
        return 0.05
    _revive_good(folder, engine, seen, wanted, log)
    changing = False
    for one in seen:
        if one.container.state in ("exited", "created") and not _gave_up(engine, folder, one.container):
            # The engine restarts what ends by itself; this one was stopped by somebody, or never started.
            containers.start(engine, one.container.id)
            changing = True
        elif one.container.state == "dead":
            containers.remove(engine, one.container.id)
            changing = True
        elif one.container.state == "restarting" and _give_up(engine, folder, one.container):
            log(f"{folder.uid}: container {one.container.serial} ended {ATTEMPTS} times before it answered")
    chosen = serving(seen, wanted)
    # Each time, since an engine that restarts a container may give it another address.
    route = _direct(gateway, wanted, chosen)
    newest = next(one for one in seen if one.container.serial == wanted.serial)
    # What made way first would leave a moment in which Envoy still sends requests to a container that is ending.
    if chosen is not None and chosen.ready and route is not None and gateway.serves(route):
        if chosen is newest:
            folder.learn(wanted)
        for one in seen:
            # A newer one that is still loading, or has failed to and is what is wanted, stays beside it.
            if one is not chosen and one is not newest:
                folder.note_stopping(one.container.serial)
                log(f"{folder.uid}: container {one.container.serial} makes way")
    leaving = _see_off(folder, engine, wanted, log)
    if leaving or changing:
        return 0.1
    if newest.ready and chosen is newest:
        if route is None or gateway.serves(route):
            return None
        if not gateway.problem(folder.uid):
            return 0.1
        # Envoy does not try a listener again by itself; while the port is still taken, asking would only fill its log.
        if not ports.problem(route.host, route.port):
            gateway.again()
        return 1.0
    if failed(newest):
        return None
    return 0.05 if newest.status is None else 0.1


def take_down(folder: ServiceFolder, engine: Engine, gateway: Gateway, log: Progress, *, drain_seconds: float) -> None:
    """Drain and remove every container of the service, its route and its folder; the caller holds the lock."""
    found = containers.of_service(engine, folder.home, folder.uid)
    for container in found:
        # First: the engine would start again what ends, as its policy says.
        containers.no_restart(engine, container.id)
        if container.state == "running" and not containers.ask_to_stop(folder, container.serial, drain_seconds):
            containers.kill(engine, container.id)
    end = time.monotonic() + drain_seconds + KILL_GRACE
    while time.monotonic() < end:
        left = containers.of_service(engine, folder.home, folder.uid)
        if not any(container.state in ("running", "restarting") for container in left):
            break
        time.sleep(0.05)
    for container in found:
        containers.remove(engine, container.id)
    # Last: until here clients get the front's own answers of a server that is draining, not a refused connection.
    gateway.drop(folder.uid)
    gateway.sync()
    folder.delete()
    log(f"{folder.uid}: removed")


def _direct(gateway: Gateway, wanted: ContainerRecord, chosen: Seen | None) -> Route | None:
    """Send the service's requests to the chosen container; its own front says what it is not ready for."""
    endpoint = chosen.container.endpoint if chosen is not None else ""
    before = gateway.route(wanted.uid)
    host, port, certificate = wanted.host, wanted.port, wanted.certificate
    if before is not None and chosen is not None and chosen.container.serial != wanted.serial:
        # The address and its certificate move together with the traffic, when the new container is ready.
        host, port, certificate = before.host, before.port, before.certificate
    route = Route(wanted.uid, host, port, (endpoint,) if endpoint else (), certificate)
    gateway.set(route)
    gateway.sync()
    return route


def _revive_good(
    folder: ServiceFolder, engine: Engine, seen: list[Seen], wanted: ContainerRecord, log: Progress
) -> None:
    """What answers must come back, also when its container was removed while a newer one is being loaded."""
    good = folder.good()
    if good is None or good.serial == wanted.serial or any(one.ready for one in seen):
        return
    if any(one.container.serial == good.serial for one in seen):
        return
    if folder.stopping(good.serial) is not None:
        return
    try:
        containers.create(engine, folder, good)
        log(f"{folder.uid}: made container {good.serial} for revision {good.revision} anew")
    except SendoffError as error:
        log(f"{folder.uid}: container {good.serial} cannot be made anew: {error.message}")


def _see_off(folder: ServiceFolder, engine: Engine, wanted: ContainerRecord, log: Progress) -> bool:
    """Bring those that make way to their end; whether any is left."""
    left = False
    # `asked` is a file, so that a keeper that comes in between does not ask, and start the drain's clock, once more.
    for container in containers.of_service(engine, folder.home, folder.uid):
        since = folder.stopping(container.serial)
        if since is None:
            continue
        left = True
        if since < SETTLE:
            continue
        asked = folder.container_folder(container.serial) / "asked"
        if container.state == "running" and since < SETTLE + wanted.drain_seconds + KILL_GRACE:
            if not asked.exists():
                containers.no_restart(engine, container.id)
                containers.ask_to_stop(folder, container.serial, wanted.drain_seconds)
                asked.touch()
            continue
        folder.keep_log(containers.log_lines(engine, container.id, 2000))
        containers.remove(engine, container.id)
        folder.forget_container(container.serial)
        log(f"{folder.uid}: container {container.serial} is gone")
        left = False
    return left


def _gave_up(engine: Engine, folder: ServiceFolder, container: Container) -> bool:
    good = folder.good()
    if good is not None and good.serial == container.serial:
        return False
    return int(containers.inspect(engine, container.id).get("RestartCount") or 0) >= ATTEMPTS


def _give_up(engine: Engine, folder: ServiceFolder, container: Container) -> bool:
    if not _gave_up(engine, folder, container):
        return False
    containers.no_restart(engine, container.id)
    containers.kill(engine, container.id)
    return True
