"""Keeps the home's Envoy running and tells it which services there are.

A service's ``route.json`` says where it listens and what is behind it. Whoever changes one calls :meth:`Gateway.sync`,
which writes Envoy's documents from all of them, each staged and renamed: Envoy watches their folder. Envoy outlives
commands, the keeper and every container. Standard library alone: the keeper imports this.
"""

from __future__ import annotations

import base64
import contextlib
import http.client
import importlib.util
import json
import os
import shutil
import signal
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from .. import files, processes, sockets
from ..containers.link import UnixConnection
from ..environ import base_environment
from ..errors import MissingExtra, TargetUnavailable
from . import config
from .base import Route

INSTALL = "pip install 'sendoff-ml[gateway]'"
START_SECONDS = 15.0


class Running(NamedTuple):
    """An Envoy that was started; ``token`` is in its environment."""

    pid: int
    start: str
    boot: str
    token: str
    admin: str
    binary: str = ""

    @property
    def process(self) -> processes.Identity:
        """Its process."""
        return processes.Identity(self.pid, self.start)


def binary() -> Path:
    """Envoy's executable.

    Raises:
        MissingExtra: It is not installed.
    """
    found = importlib.util.find_spec("envoy")
    for folder in (found.submodule_search_locations or []) if found is not None else []:
        path = Path(folder) / "_bin" / "envoy"
        if path.is_file():
            return path
    raise MissingExtra("the gateway needs Envoy, which is not installed", hint=INSTALL, extra="gateway")


class Gateway:
    """The gateway of a home.

    Args:
        home: The home folder; everything is under ``home/gateway``.
    """

    def __init__(self, home: Path) -> None:
        self.folder = home / "gateway"
        self._routes = self.folder / "routes"

    # What is wanted

    def routes(self) -> list[Route]:
        """Every service's route, by name."""
        found = [_read_route(path) for path in sorted(self._routes.glob("*.json"))]
        return [route for route in found if route is not None]

    def route(self, name: str) -> Route | None:
        """One service's route."""
        return _read_route(self._routes / f"{name}.json")

    def set(self, route: Route) -> None:
        """Want this route. :meth:`sync` tells Envoy."""
        if self.route(route.name) != route:
            self._make()
            files.write_json(self._routes / f"{route.name}.json", route._asdict(), lasting=True)

    def drop(self, name: str) -> None:
        """Want no such route any more."""
        files.remove(self._routes / f"{name}.json")

    # Envoy

    def running(self) -> Running | None:
        """Envoy, if it lives."""
        last = self._last()
        return last if last is not None and processes.alive(last.process) else None

    def sync(self) -> None:
        """Bring Envoy's documents to the routes, start it when it is missing, end it when there is no route.

        Raises:
            MissingExtra: Envoy is needed and not installed.
            TargetUnavailable: It does not start.
        """
        with self._lock() as held:
            if not held:
                return
            routes = self.routes()
            if not routes:
                self._end()
                return
            self._write(routes)
            if self.running() is None:
                self._start()

    def again(self) -> None:
        """Let Envoy try once more what it has refused: a port may be free again."""
        with self._lock() as held:
            listeners = self.folder / "listeners.json"
            if held and listeners.exists():
                files.write_json(listeners, config.listeners(self.routes(), str(self.folder)))

    def serves(self, route: Route) -> bool:
        """Whether Envoy listens for the route, over TLS or not as it says, and has exactly its endpoints."""
        envoy = self.running()
        if envoy is None:
            return False
        told, heard = _ask(envoy.admin, "/clusters?format=json"), _ask(envoy.admin, "/listeners?format=json")
        if _endpoints_of(told, route.name) != set(route.endpoints) or not _listens(heard, route):
            return False
        active = _ask(envoy.admin, "/config_dump?resource=dynamic_listeners")
        if _speaks_tls(active, route.name) != (route.certificate is not None):
            return False
        if route.certificate is None:
            return True
        return _has_certificate(_ask(envoy.admin, "/config_dump?resource=dynamic_active_secrets"), route)

    def wait(self, route: Route, seconds: float = 5.0) -> bool:
        """Wait until :meth:`serves`."""
        end = time.monotonic() + seconds
        while not self.serves(route):
            if time.monotonic() > end:
                return False
            time.sleep(0.02)
        return True

    def problem(self, name: str) -> str:
        """Why Envoy could not take a service's listener, in its own words; empty when it could."""
        envoy = self.running()
        if envoy is None:
            return ""
        told = _named(_ask(envoy.admin, "/config_dump?resource=dynamic_listeners"), "configs", name)
        return str(told["error_state"].get("details", "the listener was refused")) if told.get("error_state") else ""

    # Inside

    def _make(self) -> None:
        for folder in (self.folder, self._routes, self.folder / "endpoints", self.folder / "secrets"):
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)

    def _write(self, routes: list[Route]) -> None:
        self._make()
        place = str(self.folder)
        # What is named before what names it: endpoints, clusters, certificates, listeners.
        kept = {f"{route.name}.json" for route in routes}
        secure = [route for route in routes if route.certificate is not None]
        for route in routes:
            files.write_changed(self.folder / "endpoints" / f"{route.name}.json", json.dumps(config.endpoints(route)))
        files.write_changed(self.folder / "clusters.json", json.dumps(config.clusters(routes, place)))
        for route in secure:
            files.write_changed(self.folder / "secrets" / f"{route.name}.json", json.dumps(config.certificate(route)))
        files.write_changed(self.folder / "listeners.json", json.dumps(config.listeners(routes, place)))
        for path in (self.folder / "endpoints").glob("*.json"):
            if path.name not in kept:
                files.remove(path)
        for path in (self.folder / "secrets").glob("*.json"):
            if path.stem not in {route.name for route in secure}:
                files.remove(path)

    def _start(self) -> None:
        executable = binary()
        before = self.folder / "envoy.json"
        files.remove(before)
        token = os.urandom(8).hex()
        admin = str(sockets.runtime_folder() / f"{token}.sock")
        files.write_json(self.folder / "bootstrap.json", config.bootstrap(str(self.folder), admin, f"sendoff-{token}"))
        console = self.folder / "envoy.log"
        if console.exists() and console.stat().st_size > 1_000_000:
            os.truncate(console, 0)
        argv = [
            *(str(executable), "--config-path", str(self.folder / "bootstrap.json")),
            *("--concurrency", str(min(4, os.cpu_count() or 1)), "--log-level", "warning", "--disable-hot-restart"),
            *("--drain-time-s", "1", "--drain-strategy", "immediate"),
        ]
        # Written before there is a process: should this end right after the start, the token still finds it.
        record = Running(0, "", processes.boot_id(), token, admin, str(executable))
        files.write_json(before, record._asdict())
        try:
            pid = processes.spawn(argv, environ={**base_environment(), processes.MARK: token}, console=console)
        except OSError as error:
            raise TargetUnavailable(f"Envoy cannot be started: {error}", hint=f"{INSTALL} --force-reinstall") from None
        identity = processes.identify(pid)
        if identity is not None:
            files.write_json(before, record._replace(pid=identity.pid, start=identity.start)._asdict())
        end = time.monotonic() + START_SECONDS
        while time.monotonic() < end:
            if identity is None or not processes.alive(identity):
                break
            if _ask(admin, "/server_info").get("state") == "LIVE":
                return
            time.sleep(0.02)
        raise TargetUnavailable(
            f"Envoy does not start; it said: {_tail(console)}",
            hint=f"Its log: {console}.",
            reason="gateway_failed",
        )

    def _last(self) -> Running | None:
        """The Envoy that was started last since the machine was."""
        try:
            found = Running(**json.loads((self.folder / "envoy.json").read_bytes()))
        except (OSError, ValueError, TypeError):
            return None
        return found if found.boot == processes.boot_id() else None

    def _end(self) -> None:
        last = self._last()
        if last is not None:
            ours = {*([last.process] if last.pid else []), *processes.marked(last.token)}
            for process in ours:
                processes.send(process, signal.SIGTERM)
            for process in processes.wait_ended(ours, 5.0):
                processes.send(process, signal.SIGKILL)
            processes.wait_ended(ours, 2.0)
            files.remove(Path(last.admin))
        for path in ("envoy.json", "bootstrap.json", "listeners.json", "clusters.json", "envoy.log"):
            files.remove(self.folder / path)
        for folder in ("endpoints", "secrets"):
            shutil.rmtree(self.folder / folder, ignore_errors=True)
        with contextlib.suppress(OSError):
            self._routes.rmdir()

    @contextlib.contextmanager
    def _lock(self) -> Iterator[bool]:
        if not self.folder.is_dir():
            yield False  # No route was ever wanted.
            return
        with files.locked(self.folder / "lock"):
            yield True


def _read_route(path: Path) -> Route | None:
    try:
        values = json.loads(path.read_bytes())
        endpoints = tuple(values["endpoints"])
        return Route(values["name"], values["host"], int(values["port"]), endpoints, values.get("certificate"))
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _ask(admin: str, target: str) -> dict[str, Any]:
    """What Envoy says of itself; empty when it does not."""
    link = UnixConnection(admin, 1.0)
    try:
        link.request("GET", target)
        answer = link.getresponse()
        found: dict[str, Any] = json.loads(answer.read()) if answer.status == 200 else {}
        return found
    except (OSError, ValueError, http.client.HTTPException):
        return {}
    finally:
        link.close()


def _named(told: dict[str, Any], listed: str, name: str) -> dict[str, Any]:
    """The entry of a name in what Envoy says; empty when there is none."""
    return next((one for one in told.get(listed, []) if one.get("name") == name), {})


def _endpoints_of(told: dict[str, Any], name: str) -> set[str]:
    hosts = _named(told, "cluster_statuses", name).get("host_statuses", [])
    found = [host["address"]["socket_address"] for host in hosts]
    return {f"{address['address']}:{address['port_value']}" for address in found}


def _listens(heard: dict[str, Any], route: Route) -> bool:
    address = _named(heard, "listener_statuses", route.name).get("local_address", {}).get("socket_address", {})
    return bool(address.get("port_value") == route.port)


def _speaks_tls(told: dict[str, Any], name: str) -> bool:
    listener = _named(told, "configs", name).get("active_state", {}).get("listener", {})
    return any("transport_socket" in chain for chain in listener.get("filter_chains", []))


def _has_certificate(told: dict[str, Any], route: Route) -> bool:
    secret = _named(told, "configs", route.name).get("secret", {})
    chain = secret.get("tls_certificate", {}).get("certificate_chain", {}).get("inline_bytes")
    try:
        return chain is not None and base64.b64decode(chain) == Path(str(route.certificate)).read_bytes()
    except (OSError, ValueError):
        return False


def _tail(path: Path) -> str:
    try:
        lines = [line for line in path.read_text("utf-8", "replace").splitlines() if line.strip()]
    except OSError:
        return ""
    return lines[-1] if lines else "nothing"
