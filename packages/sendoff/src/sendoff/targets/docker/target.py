"""The docker target: a container a revision, behind a gateway that keeps the service's port (docs/docker-target.md)."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from ...containers.engine import Engine, connect
from ...containers.images import problem as image_problem
from ...errors import InvalidInput, SendoffError, ServiceNotFound, TargetUnavailable
from ...gateway import gateway as gateways
from ...gateway.gateway import Gateway
from .. import ports, supervisor
from ..base import Capabilities, Observation, WantedService
from ..run_folder import kept_ports, sweep, uids
from ..service_log import newest
from . import containers, keeper, service_containers
from .observing import observe
from .records import ContainerRecord, ServiceFolder, place

_READY_MARK = "sendoff - Worker with pid "


class DockerTarget:
    """Runs services as containers. Safe to use from several processes and threads at once.

    Args:
        home: The home folder; everything is under ``home/docker`` and ``home/gateway``.
        network: The engine's network that containers are in; the home's own when it is None.
    """

    def __init__(self, home: Path, *, network: str | None = None) -> None:
        self.home = Path(home).absolute()
        self._network = network if network is not None else _setting(self.home)
        self._gateway = Gateway(self.home)
        self._supervise()

    def capabilities(self) -> Capabilities:
        """What this target can do: the kernel keeps the limits, for all processes of a container together."""
        return Capabilities(
            name="docker",
            auth=True,
            tls=True,
            cpu_limit=True,
            memory_limit=True,
            reload=True,
            telemetry=True,
            images=True,
        )

    def check(self, wanted: WantedService) -> None:
        """Say what would keep the service from starting; ``bundle`` and ``image`` may be empty when not known yet.

        Without a bundle, ``image`` is the base image that one would be made from.

        Raises:
            TargetUnavailable: The engine does not answer, or cannot have the base image; the hint is what mends it.
            NotSupported: The engine is on another machine.
            MissingExtra: Envoy is not installed.
            PortInUse: The port is taken, or kept by another service of this home.
            InvalidInput: The bundle is not there.
        """
        gateways.binary()
        engine = self._engine(wanted.uid)
        engine.version()
        looked = wanted.image and not wanted.bundle
        if looked and (problem := image_problem(engine, wanted.image, wanted.image_login)):
            raise TargetUnavailable(problem, hint="The setting base_image names another one.", reason="base_image")
        if wanted.bundle and not (Path(wanted.bundle) / "bundle.json").is_file():
            raise InvalidInput(f"{wanted.bundle} is not a bundle: it has no bundle.json", field="bundle")
        self._check_port(wanted)

    def apply(self, wanted: WantedService) -> None:
        """Start the wanted container beside the one that serves, and return at once.

        Nothing happens when the wanted revision serves or is being loaded; one that failed to load is tried again.

        Raises:
            SendoffError: As :meth:`check`, or the container cannot be started; what ran before goes on.
        """
        folder = ServiceFolder(self.home, wanted.uid)
        self._finish_removal(folder)
        self.check(wanted)
        if not wanted.image:
            raise InvalidInput("the docker target needs an image", field="image")
        engine = self._engine(wanted.uid)
        with folder.run.lock(create=True):
            before = folder.wanted()
            try:
                self._check_port(wanted)
                record = self._record(engine, folder, wanted, before)
                folder.write(record)
                service_containers.advance(folder, engine, self._gateway, _silent, asked=True)
                self._check_listener(record)
            except SendoffError:
                if before is None:
                    service_containers.take_down(folder, engine, self._gateway, _silent, drain_seconds=0.0)
                    self._tidy(engine)
                else:
                    folder.write(before)
                raise
        self._supervise()

    def observe(self, uid: str, *, metrics: bool = False) -> Observation:
        """What runs now, asked of the engine, the gateway and the container's own server.

        Raises:
            TargetUnavailable: The engine does not answer.
        """
        self._supervise()
        folder = ServiceFolder(self.home, uid)
        if folder.wanted() is None:
            return Observation(phase="absent")
        return observe(folder, self._engine(uid), self._gateway, metrics=metrics)

    def logs(self, uid: str, num_lines: int, *, init: bool = False) -> str:
        """The newest lines, those of containers that are gone first; ``init`` gives the newest start-up alone."""
        folder = ServiceFolder(self.home, uid)
        wanted = folder.wanted()
        if wanted is None or num_lines <= 0:
            return ""
        engine = self._engine(uid)
        found = containers.of_service(engine, self.home, uid)
        if init:
            here = [container for container in found if container.serial == wanted.serial]
            lines = containers.log_lines(engine, here[-1].id, 5000) if here else []
            for number, line in enumerate(lines):
                if _READY_MARK in line and " ready after " in line:
                    lines = lines[: number + 1]
                    break
            return "\n".join(lines[-num_lines:])
        lines = newest(folder.run, num_lines)
        for container in found:
            lines += containers.log_lines(engine, container.id, num_lines)
        return "\n".join(lines[-num_lines:])

    def reload(self, uid: str) -> None:
        """Start another container of the same image and files beside the one that runs, and let it take over.

        Raises:
            ServiceNotFound: Nothing of that uid is here.
            SendoffError: It cannot be started.
        """
        folder = ServiceFolder(self.home, uid)
        with folder.run.lock() as held:
            wanted = folder.wanted() if held else None
            if wanted is None or wanted.removing:
                raise ServiceNotFound(f"the docker target has no service {uid}", uid=uid)
            engine = self._engine(uid)
            taken = [container.serial for container in containers.of_service(engine, self.home, uid)]
            folder.write(wanted._replace(serial=folder.next_serial(taken)))
            try:
                service_containers.advance(folder, engine, self._gateway, _silent, asked=True)
            except SendoffError:
                folder.write(wanted)
                raise
        self._supervise()

    def remove(self, uid: str) -> None:
        """Drain and remove every container of the service, its route and its folder; returns when all are gone.

        Raises:
            TargetUnavailable: The engine does not answer; the keeper removes the rest when it does.
        """
        folder = ServiceFolder(self.home, uid)
        route = self._gateway.route(uid)
        with folder.run.lock(seconds=60.0) as held:
            if held:
                wanted = folder.wanted()
                if wanted is not None:
                    # From here on nobody starts it again, and the keeper finishes this if we are killed.
                    folder.write(wanted._replace(removing=True))
                drain = wanted.drain_seconds if wanted is not None else 0.0
                service_containers.take_down(folder, self._engine(uid), self._gateway, _silent, drain_seconds=drain)
            else:
                self._remove_strays(uid)
        sweep(place(self.home))
        if route is not None:
            service_containers.wait_closed(route)
        self._tidy(None)

    def present(self) -> Sequence[str]:
        """Uids of all services that have a folder here, or a container on the engine."""
        self._supervise()
        found = set(uids(place(self.home)))
        try:
            found |= {uid for uid, _ in containers.listed(self._engine(""), self.home)}
        except SendoffError:
            pass  # Without an engine the folders are what there is.
        return sorted(found)

    def restore(self) -> list[str]:
        """Start the keeper, which brings back what is wanted (`sendoff up`); containers the engine starts by itself."""
        self._supervise()
        return []

    def images(self) -> set[str]:
        """Images and bundles that services need: `gc` leaves them alone."""
        needed: set[str] = set()
        for uid in uids(place(self.home)):
            folder = ServiceFolder(self.home, uid)
            for record in (folder.wanted(), folder.good()):
                if record is not None:
                    needed |= {record.image, record.bundle}
        return needed

    def _engine(self, uid: str) -> Engine:
        """The engine that a service was made on, else the one that this user means now."""
        record = ServiceFolder(self.home, uid).wanted() if uid else None
        return Engine(record.engine) if record is not None else connect(local=True)

    def _supervise(self) -> None:
        try:
            supervisor.ensure(self.home, place(self.home), module=keeper.__name__, needed=keeper.needed)
        except OSError:
            # A home that cannot be written: what was asked will say so itself, if it needs to write.
            pass

    def _finish_removal(self, folder: ServiceFolder) -> None:
        before = folder.wanted()
        if before is not None and before.removing:
            self.remove(folder.uid)

    def _remove_strays(self, uid: str) -> None:
        """Containers whose folder is gone."""
        try:
            found = self._engine(uid)
            strays = containers.of_service(found, self.home, uid)
        except (TargetUnavailable, SendoffError):
            return
        for container in strays:
            containers.remove(found, container.id)

    def _tidy(self, used: Engine | None) -> None:
        """Without any service neither gateway nor network is left."""
        if uids(place(self.home)):
            return
        try:
            containers.remove_network(used or self._engine(""), self.home)
        except SendoffError:
            pass

    def _check_port(self, wanted: WantedService) -> None:
        if wanted.port == 0:
            return
        if not 0 < wanted.port < 65536:
            raise InvalidInput(f"port {wanted.port} is not between 1 and 65535", field="port", got=wanted.port)
        for route in self._gateway.routes():
            if route.port == wanted.port and route.name != wanted.uid:
                other = ServiceFolder(self.home, route.name).wanted()
                raise ports.in_use(
                    wanted.host, wanted.port, f"the service {other.name if other else route.name} keeps it"
                )
        own = self._gateway.route(wanted.uid)
        if own is not None and (own.host, own.port) == (wanted.host, wanted.port) and self._gateway.running():
            return
        problem = ports.problem(wanted.host, wanted.port)
        if problem:
            raise ports.in_use(wanted.host, wanted.port, problem)

    def _check_listener(self, record: ContainerRecord) -> None:
        """The port was free a moment ago; that Envoy has it now is seen, not assumed."""
        route = self._gateway.route(record.uid)
        if route is None or route.port != record.port or self._gateway.wait(route, 3.0):
            return
        problem = self._gateway.problem(record.uid)
        if problem:
            raise ports.in_use(route.host, route.port, ports.problem(route.host, route.port) or problem)

    def _record(
        self, engine: Engine, folder: ServiceFolder, wanted: WantedService, before: ContainerRecord | None
    ) -> ContainerRecord:
        port = wanted.port
        chosen = port == 0 or (before is not None and before.chosen_port and before.port == port)
        if port == 0 and before is not None and before.chosen_port and before.host == wanted.host:
            port = before.port
        elif port == 0:
            taken = {route.port for route in self._gateway.routes()} | set(kept_ports(self.home))
            port = ports.choose(wanted.host, taken)
        record = ContainerRecord(
            uid=wanted.uid,
            name=wanted.name,
            workspace=wanted.workspace,
            revision=wanted.revision,
            bundle=str(Path(wanted.bundle).absolute()),
            image=wanted.image,
            python=wanted.python,
            host=wanted.host,
            port=port,
            chosen_port=chosen,
            drain_seconds=wanted.drain_seconds,
            engine=engine.path,
            network=self._network or containers.network_name(self.home),
            serial=0,
            cpus=wanted.cpus,
            memory_mb=wanted.memory_mb,
            auth_file=wanted.auth_file,
            certificate=wanted.certificate,
            data_folder=wanted.data_folder if wanted.collects else None,
            data_scope=wanted.data_scope,
        )
        seen = service_containers.look(engine, folder)
        for known in (before, folder.good()):
            # What runs for it already is taken, unless it has failed.
            if known is None or not known.same_run(record):
                continue
            run = next((one for one in seen if one.container.serial == known.serial), None)
            if run is None and known is before:
                return record._replace(serial=known.serial)
            if run is not None and not service_containers.failed(run):
                return record._replace(serial=known.serial)
        return record._replace(serial=folder.next_serial([one.container.serial for one in seen]))


def _silent(line: str) -> None:
    """A target's own steps are told in the operation's timeline; the keeper logs its own."""


def _setting(home: Path) -> str | None:
    from ...spec.settings import load_settings

    return load_settings(home, os.environ).docker_network
