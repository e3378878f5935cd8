"""The process target: a front and its workers as supervised processes on this machine, with no engine needed.

A front outlives this process, the command that started it and the supervisor. What it needs is in the service's run
folder; how it goes on is in ``docs/process-target.md``.
"""

from __future__ import annotations

import importlib.util
import os
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path

from ... import processes
from ...environ import base_environment
from ...errors import InvalidInput, SendoffError, TargetUnavailable
from ...progress import Progress, silent
from .. import access_folder, front_control, ports
from .. import supervisor as supervisors
from ..base import (
    INTERPRETER,
    SERVICE,
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
)
from ..meter import Meter
from ..run_folder import kept_ports, sweep, uids
from ..service_log import newest, start_up
from . import fronts, supervisor
from .meter import ProcessMeter
from .observing import observe
from .records import ProcessFolder, ProcessRecord


class ProcessTarget:
    """Runs services as processes of this user. Safe to use from several processes and threads at once.

    Making one starts the home's supervisor when it is missing although something is wanted, as do all of its methods.

    Args:
        place: Which target is meant: there is one a home.
        surroundings: The home; everything is under ``home/run``.
        front: Command that replaces ``python -m sendoff_serving``, for tests.
    """

    def __init__(self, place: Place, surroundings: Surroundings, *, front: Sequence[str] | None = None) -> None:
        self.home = surroundings.home.absolute()
        self._surroundings = surroundings
        self._front = list(front) if front is not None else None
        self._supervise()

    def capabilities(self) -> Capabilities:
        """What this target can do: limits on memory are kept by the front for each worker."""
        return Capabilities(
            name="process",
            artefact=INTERPRETER,
            gateway="own",
            auth=True,
            tls=True,
            memory_limit=True,
            telemetry=True,
            measures=True,
        )

    def check(self, wanted: Wanted) -> None:
        """Say what would keep the service from starting.

        Raises:
            PortInUse: The port is taken by a process, or kept by another service of this home.
            InvalidInput: The bundle or the interpreter is not there.
            TargetUnavailable: The scoring server is not installed beside Sendoff.
        """
        folder = ProcessFolder(self.home, wanted.uid)
        self._check_files(wanted)
        self._check_port(folder, wanted, folder.wanted())

    def prepare(self, preparation: Preparation, makers: Makers, progress: Progress) -> Artefact:
        """The environment on this machine."""
        return makers.interpreter(preparation, progress)

    def apply(self, wanted: Wanted) -> None:
        """Start the service, or let its front load the wanted revision beside the one that serves; return at once.

        Nothing more happens when the wanted revision serves or is being loaded; one that failed to load is tried again.
        With another port a second front is started there, and the first ends when the second is ready.

        Raises:
            PortInUse, InvalidInput, TargetUnavailable: As :meth:`check`; nothing was changed then.
            StoreError: The run folder cannot be written.
        """
        folder = ProcessFolder(self.home, wanted.uid)
        if not wanted.start:
            with folder.lock() as held:
                if held and folder.wanted() is not None:
                    access_folder.write(folder, wanted.access, wanted.telemetry)
            return
        self._finish_removal(folder)
        self.check(wanted)
        with folder.lock(create=True):
            before = folder.wanted()
            try:
                self._check_port(folder, wanted, before)
                self._keep_good(folder)
                # Before the record: nothing runs unguarded, also when this ends between the two.
                auth_file = access_folder.write(folder, wanted.access, wanted.telemetry)
                folder.write(self._record(wanted, before, auth_file))
                folder.forget_crashes()
                fronts.advance(folder, silent, asked=True)
            except SendoffError:
                if before is None:
                    folder.delete()
                else:
                    folder.write(before)
                raise
        self._supervise()

    def observe(self, uids: Sequence[str], *, metrics: bool = False) -> Mapping[str, Observation]:
        """What runs now, asked of the fronts themselves; takes about two seconds at most, also when some hang."""
        self._supervise()
        return observe_each(uids, lambda uid: observe(ProcessFolder(self.home, uid), metrics=metrics))

    def logs(self, uid: str, num_lines: int, *, init: bool = False) -> str:
        """The newest lines across rotated files, oldest first; ``init`` gives those of the newest start-up alone."""
        self._supervise()
        folder = ProcessFolder(self.home, uid)
        observe(folder)  # a front that is asked for its state writes the lines that it still holds
        return "\n".join(start_up(folder, num_lines) if init else newest(folder, num_lines))

    def remove(self, uid: str) -> None:
        """Drain, end every process of the service, delete its folder; returns when all are gone."""
        folder = ProcessFolder(self.home, uid)
        with folder.lock(seconds=60.0) as held:
            if held:
                wanted = folder.wanted()
                if wanted is not None:
                    # From here on nobody starts it again, and the supervisor finishes this if we are killed.
                    folder.write(wanted._replace(removing=True))
                fronts.take_down(folder, silent, drain_seconds=wanted.drain_seconds if wanted else 0.0)
        sweep(self.home)

    def held(self, used: Used) -> list[Leftover]:
        """Run folders, with whatever runs for them, of services that do not exist."""
        self._supervise()
        dead = [uid for uid in uids(self.home) if uid not in used.services]
        return [Leftover(kind=SERVICE, id=uid, name=uid, remove=partial(self.remove, uid)) for uid in dead]

    def meter(self, uid: str) -> Meter:
        """Measures a service that runs: its front and workers, which nothing limits."""
        return ProcessMeter(ProcessFolder(self.home, uid))

    def _supervise(self) -> None:
        supervisors.ensure(self.home, self.home, module=supervisor.__name__, needed=supervisor.needed)

    def _finish_removal(self, folder: ProcessFolder) -> None:
        """A removal that was killed half-way is finished before the same uid is used again."""
        before = folder.wanted()
        if before is not None and before.removing:
            with folder.lock() as held:
                before = folder.wanted() if held else None
                if before is not None and before.removing:
                    fronts.take_down(folder, silent, drain_seconds=0.0)

    def _check_files(self, wanted: Wanted) -> None:
        bundle = self._surroundings.bundle(wanted.bundle)
        if wanted.bundle and not (bundle / "bundle.json").is_file():
            raise InvalidInput(f"{bundle} is not a bundle: it has no bundle.json", field="bundle")
        python = wanted.artefact.python if wanted.artefact is not None else ""
        if python and not os.access(python, os.X_OK):
            raise InvalidInput(f"{python} is not an interpreter that can be run", field="python")
        if self._front is None and importlib.util.find_spec("sendoff_serving") is None:
            raise TargetUnavailable(
                "the scoring server is not installed beside Sendoff", hint="pip install sendoff-serving"
            )

    def _check_port(self, folder: ProcessFolder, wanted: Wanted, before: ProcessRecord | None) -> None:
        host, port = wanted.listen.host, wanted.listen.port
        if port == 0:
            return
        if not 0 < port < 65536:
            raise InvalidInput(f"port {port} is not between 1 and 65535", field="port", got=port)
        other = kept_ports(self.home, but=folder.uid).get(port)
        if other is not None:
            raise ports.in_use(host, port, f"the service {other} keeps it")
        ours = [(front.host, front.port) for front in fronts.live(folder)]
        if before is not None and (host, port) in ours:
            return
        problem = ports.problem(host, port)
        if problem:
            raise ports.in_use(host, port, problem)

    def _record(self, wanted: Wanted, before: ProcessRecord | None, auth_file: Path | None) -> ProcessRecord:
        host, port = wanted.listen.host, wanted.listen.port
        # Its own chosen port, handed back to it, is still one that may be chosen anew before it was ever used.
        chosen = port == 0 or (before is not None and before.chosen_port and before.port == port)
        if port == 0:
            kept = before is not None and before.chosen_port and before.host == host
            port = (
                before.port
                if before is not None and kept
                else ports.choose(host, kept_ports(self.home, but=wanted.uid))
            )
        python = wanted.artefact.python if wanted.artefact is not None else ""
        return ProcessRecord(
            uid=wanted.uid,
            name=wanted.name,
            workspace=wanted.workspace,
            revision=wanted.revision,
            bundle=str(self._surroundings.bundle(wanted.bundle).absolute()),
            python=str(Path(python).absolute()),
            memory_limit_mb=wanted.limits.memory_mb,
            host=host,
            port=port,
            chosen_port=chosen,
            drain_seconds=wanted.drain_seconds,
            boot=processes.boot_id(),
            environ=base_environment(),
            command=self._front,
            auth_file=None if auth_file is None else str(auth_file),
            data_folder=str(self._surroundings.collected(wanted.data_scope)) if wanted.data_scope else None,
            data_scope=wanted.data_scope,
        )

    def _keep_good(self, folder: ProcessFolder) -> None:
        """Note what answers now, before a newer revision is asked for."""
        for front in fronts.live(folder):
            try:
                fronts.learn(folder, front, front_control.status(front.control, seconds=1.0))
            except front_control.NoAnswer:
                continue
