"""The docker target: a container a revision, behind a gateway that keeps the service's port (docs/docker-target.md)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from functools import partial
from pathlib import Path

from ...containers.engine import Engine, connect
from ...errors import InvalidInput, SendoffError
from ...gateway import gateway as gateways
from ...gateway.gateway import Gateway
from ...progress import Progress, silent
from .. import access_folder, ports, supervisor
from ..base import (
    IMAGE,
    SERVICE,
    UNHEARD,
    Artefact,
    Capabilities,
    Leftover,
    Makers,
    Observation,
    Place,
    Preparation,
    Surroundings,
    Used,
    Wanted,
    observe_each,
    repository,
)
from ..meter import Meter
from ..run_folder import kept_ports, sweep, uids
from ..service_log import READY, newest
from . import containers, garbage, keeper, service_containers
from .containers import Container
from .meter import ContainerMeter
from .observing import observe
from .records import ContainerRecord, ServiceFolder, place

NETWORK = "network"
"""What a :class:`Place` may set: the engine's network that containers are in."""


class DockerTarget:
    """Runs services as containers. Safe to use from several processes and threads at once.

    Args:
        place: Which target is meant; without a network of its own, containers are in that of the settings, else in the
            home's own.
        surroundings: The home; everything is under ``home/docker`` and ``home/gateway``.
    """

    def __init__(self, place: Place, surroundings: Surroundings) -> None:
        self.home = surroundings.home.absolute()
        self._surroundings = surroundings
        self._network = place.settings.get(NETWORK) or surroundings.settings.docker_network
        self._gateway = Gateway(self.home)
        self._supervise()

    def capabilities(self) -> Capabilities:
        """What this target can do: the kernel keeps the limits, for all processes of a container together."""
        return Capabilities(
            name="docker",
            artefact=IMAGE,
            gateway="envoy",
            auth=True,
            tls=True,
            cpu_limit=True,
            memory_limit=True,
            telemetry=True,
            measures=True,
            this_machine="host.docker.internal",
        )

    def check(self, wanted: Wanted) -> None:
        """Say what would keep the service from starting.

        Raises:
            TargetUnavailable: The engine does not answer; the hint is what mends it.
            NotSupported: The engine is on another machine.
            MissingExtra: Envoy is not installed.
            PortInUse: The port is taken, or kept by another service of this home.
            InvalidInput: The bundle is not there.
        """
        gateways.binary()
        self._engine(wanted.uid).version()
        bundle = self._surroundings.bundle(wanted.bundle)
        if wanted.bundle and not (bundle / "bundle.json").is_file():
            raise InvalidInput(f"{bundle} is not a bundle: it has no bundle.json", field="bundle")
        self._check_port(wanted)

    def prepare(self, preparation: Preparation, makers: Makers, progress: Progress) -> Artefact:
        """An image on the engine that the service is recorded on, which need not be the one that is meant now."""
        tag = f"{repository(preparation.workspace, preparation.name)}:{preparation.bundle[:12]}"
        return makers.image(preparation, self._engine(preparation.uid), progress, tag=tag)

    def apply(self, wanted: Wanted) -> None:
        """Start the wanted container beside the one that serves, and return at once.

        Nothing more happens when the wanted revision serves or is being loaded; one that failed to load is tried again.

        Raises:
            SendoffError: As :meth:`check`, or the container cannot be started; what ran before goes on.
        """
        folder = ServiceFolder(self.home, wanted.uid)
        if not wanted.start:
            with folder.lock() as held:
                if held and folder.wanted() is not None:
                    self._guard(folder, wanted)
            return
        self._finish_removal(folder)
        self.check(wanted)
        if wanted.artefact is None or wanted.artefact.kind != IMAGE:
            raise InvalidInput("the docker target needs an image", field="image")
        engine = self._engine(wanted.uid)
        with folder.lock(create=True):
            before = folder.wanted()
            try:
                self._check_port(wanted)
                # Before the record: nothing runs unguarded, also when this ends between the two.
                auth_file = self._guard(folder, wanted)
                record = self._record(engine, folder, wanted, wanted.artefact, before, auth_file)
                folder.write(record)
                service_containers.advance(folder, engine, self._gateway, silent, asked=True)
                self._check_listener(record)
            except SendoffError:
                if before is None:
                    service_containers.take_down(folder, engine, self._gateway, silent, drain_seconds=0.0)
                    self._tidy(engine)
                else:
                    folder.write(before)
                raise
        self._supervise()

    def observe(self, uids: Sequence[str], *, metrics: bool = False) -> Mapping[str, Observation]:
        """What runs now, asked of the engines, each once, of the gateway and of the containers' own servers."""
        self._supervise()
        records = {uid: ServiceFolder(self.home, uid).wanted() for uid in uids}
        paths = {record.engine for record in records.values() if record is not None}
        engines = {path: self._listed(Engine(path), uids) for path in paths}

        def look(uid: str) -> Observation:
            record = records[uid]
            if record is None:
                return Observation(phase="absent")
            found = engines[record.engine]
            if isinstance(found, SendoffError):
                return Observation(phase=UNHEARD, error=found.payload())
            folder, engine = ServiceFolder(self.home, uid), Engine(record.engine)
            try:
                return observe(folder, engine, self._gateway, metrics=metrics, listed=found.get(uid, []))
            except SendoffError as error:
                return Observation(phase=UNHEARD, error=error.payload())

        return observe_each(uids, look)

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
            end = next((number for number, line in enumerate(lines, 1) if READY.search(line)), len(lines))
            lines = lines[:end]
            return "\n".join(lines[-num_lines:])
        lines = newest(folder, num_lines)
        for container in found:
            lines += containers.log_lines(engine, container.id, num_lines)
        return "\n".join(lines[-num_lines:])

    def remove(self, uid: str) -> None:
        """Drain and remove every container of the service, its route and its folder; returns when all are gone.

        Raises:
            TargetUnavailable: The engine does not answer; the keeper removes the rest when it does.
        """
        folder = ServiceFolder(self.home, uid)
        route = self._gateway.route(uid)
        with folder.lock(seconds=60.0) as held:
            if held:
                wanted = folder.wanted()
                if wanted is not None:
                    # From here on nobody starts it again, and the keeper finishes this if we are killed.
                    folder.write(wanted._replace(removing=True))
                drain = wanted.drain_seconds if wanted is not None else 0.0
                service_containers.take_down(folder, self._engine(uid), self._gateway, silent, drain_seconds=drain)
            else:
                self._remove_strays(uid)
        sweep(place(self.home))
        if route is not None:
            service_containers.wait_closed(route)
        self._tidy(None)

    def held(self, used: Used) -> list[Leftover]:
        """Folders and containers of services that do not exist, images that nobody needs, an unused network.

        What an engine has that does not answer cannot be seen. A home that never made an image or container holds none.
        """
        self._supervise()
        dead = set(uids(place(self.home))) - set(used.services)
        found = garbage.find(self.home, used)
        dead |= found.strangers
        mine = [Leftover(kind=SERVICE, id=uid, name=uid, remove=partial(self.remove, uid)) for uid in sorted(dead)]
        return [*mine, *found.leftovers]

    def meter(self, uid: str) -> Meter:
        """Measures, and limits, the container of a service that runs."""
        return ContainerMeter(self._engine(uid), self.home, uid)

    def _engine(self, uid: str) -> Engine:
        """The engine that a service was made on, else the one that this user means now."""
        record = ServiceFolder(self.home, uid).wanted() if uid else None
        return Engine(record.engine) if record is not None else connect(local=True)

    def _listed(self, engine: Engine, uids: Sequence[str]) -> dict[str, list[Container]] | SendoffError:
        """This home's containers on an engine by service, or why they cannot be told."""
        found: dict[str, list[Container]] = {}
        try:
            for uid, container in containers.listed(engine, self.home, uids[0] if len(uids) == 1 else None):
                found.setdefault(uid, []).append(container)
        except SendoffError as error:
            return error
        return found

    def _guard(self, folder: ServiceFolder, wanted: Wanted) -> Path | None:
        """The files that requests are checked by, for whoever runs in the containers; certificates are Envoy's."""
        return access_folder.write(
            folder, wanted.access, wanted.telemetry, gateway=True, owner=containers.stranger() or None
        )

    def _supervise(self) -> None:
        supervisor.ensure(self.home, place(self.home), module=keeper.__name__, needed=keeper.needed)

    def _finish_removal(self, folder: ServiceFolder) -> None:
        before = folder.wanted()
        if before is not None and before.removing:
            self.remove(folder.uid)

    def _remove_strays(self, uid: str) -> None:
        """Containers whose folder is gone."""
        try:
            found = self._engine(uid)
            strays = containers.of_service(found, self.home, uid)
        except SendoffError:
            return
        for container in strays:
            containers.remove(found, container.id)

    def _tidy(self, used: Engine | None) -> None:
        """Without any service neither gateway nor network is left."""
        if uids(place(self.home)):
            return
        with suppress(SendoffError):
            containers.remove_network(used or self._engine(""), self.home)

    def _check_port(self, wanted: Wanted) -> None:
        host, port = wanted.listen.host, wanted.listen.port
        if port == 0:
            return
        if not 0 < port < 65536:
            raise InvalidInput(f"port {port} is not between 1 and 65535", field="port", got=port)
        for route in self._gateway.routes():
            if route.port == port and route.name != wanted.uid:
                other = ServiceFolder(self.home, route.name).wanted()
                raise ports.in_use(host, port, f"the service {other.name if other else route.name} keeps it")
        own = self._gateway.route(wanted.uid)
        if own is not None and (own.host, own.port) == (host, port) and self._gateway.running():
            return
        problem = ports.problem(host, port)
        if problem:
            raise ports.in_use(host, port, problem)

    def _check_listener(self, record: ContainerRecord) -> None:
        """The port was free a moment ago; that Envoy has it now is seen, not assumed."""
        route = self._gateway.route(record.uid)
        if route is None or route.port != record.port or self._gateway.wait(route, 3.0):
            return
        problem = self._gateway.problem(record.uid)
        if problem:
            raise ports.in_use(route.host, route.port, ports.problem(route.host, route.port) or problem)

    def _record(
        self,
        engine: Engine,
        folder: ServiceFolder,
        wanted: Wanted,
        image: Artefact,
        before: ContainerRecord | None,
        auth_file: Path | None,
    ) -> ContainerRecord:
        host, port = wanted.listen.host, wanted.listen.port
        chosen = port == 0 or (before is not None and before.chosen_port and before.port == port)
        if port == 0 and before is not None and before.chosen_port and before.host == host:
            port = before.port
        elif port == 0:
            taken = {route.port for route in self._gateway.routes()} | set(kept_ports(self.home))
            port = ports.choose(host, taken)
        certificate = access_folder.certificate_file(folder, wanted.access)
        record = ContainerRecord(
            uid=wanted.uid,
            name=wanted.name,
            workspace=wanted.workspace,
            revision=wanted.revision,
            bundle=str(self._surroundings.bundle(wanted.bundle).absolute()),
            image=image.reference,
            python=image.python,
            host=host,
            port=port,
            chosen_port=chosen,
            drain_seconds=wanted.drain_seconds,
            engine=engine.path,
            network=self._network or containers.network_name(self.home),
            serial=0,
            cpus=wanted.limits.cpus,
            memory_mb=wanted.limits.memory_mb,
            auth_file=None if auth_file is None else str(auth_file),
            certificate=None if certificate is None else str(certificate),
            data_folder=str(self._surroundings.collected(wanted.data_scope)) if wanted.collects else None,
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
