"""The process target: a front and its workers as supervised processes on this machine, with no engine needed.

A front outlives this process, the command that started it and the supervisor. What it needs is in the service's run
folder; how it goes on is in ``docs/process-target.md``.
"""

from __future__ import annotations

import importlib.util
import os
from collections.abc import Sequence
from pathlib import Path

from ... import processes
from ...environ import base_environment
from ...errors import InvalidInput, SendoffError, ServiceNotFound, TargetUnavailable
from ...spec.names import service_flags
from .. import front_control, ports
from .. import supervisor as supervisors
from ..base import Capabilities, Observation, WantedService
from ..run_folder import kept_ports, sweep, uids
from ..service_log import newest, start_up
from . import fronts, supervisor
from .observing import observe
from .records import ProcessFolder, ProcessRecord


class ProcessTarget:
    """Runs services as processes of this user. Safe to use from several processes and threads at once.

    Making one starts the home's supervisor when it is missing although something is wanted, as do all of its methods.

    Args:
        home: The home folder; everything is under ``home/run``.
        front: Command that replaces ``python -m sendoff_serving``, for tests.
    """

    def __init__(self, home: Path, *, front: Sequence[str] | None = None) -> None:
        self.home = Path(home).absolute()
        self._front = list(front) if front is not None else None
        self._supervise()

    def capabilities(self) -> Capabilities:
        """What this target can do: limits on memory are kept by the front for each worker."""
        return Capabilities(name="process", auth=True, tls=True, memory_limit=True, reload=True, telemetry=True)

    def check(self, wanted: WantedService) -> None:
        """Say what would keep the service from starting; ``bundle`` and ``python`` may be empty when not known yet.

        Raises:
            PortInUse: The port is taken by a process, or kept by another service of this home.
            InvalidInput: The bundle or the interpreter is not there.
            TargetUnavailable: The scoring server is not installed beside Sendoff.
        """
        folder = ProcessFolder(self.home, wanted.uid)
        self._check_files(wanted)
        self._check_port(folder, wanted, folder.wanted())

    def apply(self, wanted: WantedService) -> None:
        """Start the service, or let its front load the wanted revision beside the one that serves; return at once.

        Nothing happens when the wanted revision serves or is being loaded; one that failed to load is tried again.
        With another port a second front is started there, and the first ends when the second is ready.

        Raises:
            PortInUse, InvalidInput, TargetUnavailable: As :meth:`check`; nothing was changed then.
            StoreError: The run folder cannot be written.
        """
        folder = ProcessFolder(self.home, wanted.uid)
        self._finish_removal(folder)
        self.check(wanted)
        with folder.lock(create=True):
            before = folder.wanted()
            try:
                self._check_port(folder, wanted, before)
                self._keep_good(folder)
                folder.write(self._record(wanted, before))
                folder.forget_crashes()
                fronts.advance(folder, _silent, asked=True)
            except SendoffError:
                if before is None:
                    folder.delete()
                else:
                    folder.write(before)
                raise
        self._supervise()

    def observe(self, uid: str, *, metrics: bool = False) -> Observation:
        """What runs now, asked of the front itself; takes about two seconds at most, also when it hangs."""
        self._supervise()
        return observe(ProcessFolder(self.home, uid), metrics=metrics)

    def logs(self, uid: str, num_lines: int, *, init: bool = False) -> str:
        """The newest lines across rotated files, oldest first; ``init`` gives those of the newest start-up alone."""
        self._supervise()
        folder = ProcessFolder(self.home, uid)
        observe(folder)  # a front that is asked for its state writes the lines that it still holds
        return "\n".join(start_up(folder, num_lines) if init else newest(folder, num_lines))

    def reload(self, uid: str) -> None:
        """Load the running revision anew beside itself; a service that does not run is started.

        Raises:
            ServiceNotFound: Nothing of that uid is here.
            TargetUnavailable: The front runs and does not answer.
        """
        folder = ProcessFolder(self.home, uid)
        with folder.lock() as held:
            wanted = folder.wanted() if held else None
            if wanted is None or wanted.removing:
                raise ServiceNotFound(f"the process target has no service {uid}", uid=uid)
            front = fronts.current(fronts.live(folder), wanted)
            if front is None:
                folder.write(wanted._replace(boot=processes.boot_id()))
                folder.forget_crashes()
                fronts.advance(folder, _silent, asked=True)
            else:
                folder.mark_start_up()
                try:
                    front_control.reload(front.control)
                except (front_control.NoAnswer, front_control.Refused) as error:
                    raise TargetUnavailable(
                        f"the front of {wanted.name}, process {front.pid}, cannot reload: {error}",
                        hint=f"`sendoff service show {service_flags(wanted.name, wanted.workspace)}` says what state "
                        "it is in.",
                        pid=front.pid,
                    ) from None
        self._supervise()

    def remove(self, uid: str) -> None:
        """Drain, end every process of the service, delete its folder; returns when all are gone."""
        folder = ProcessFolder(self.home, uid)
        with folder.lock(seconds=60.0) as held:
            if held:
                wanted = folder.wanted()
                if wanted is not None:
                    # From here on nobody starts it again, and the supervisor finishes this if we are killed.
                    folder.write(wanted._replace(removing=True))
                fronts.take_down(folder, _silent, drain_seconds=wanted.drain_seconds if wanted else 0.0)
        sweep(self.home)

    def present(self) -> Sequence[str]:
        """Uids of all services that have a run folder."""
        self._supervise()
        return uids(self.home)

    def restore(self) -> list[str]:
        """Start everything that is wanted and does not run, as after a reboot (`sendoff up`).

        Returns:
            Uids of the services that were started. One whose port is taken by now is left as it is; its observation
            says why.
        """
        started = []
        for uid in uids(self.home):
            folder = ProcessFolder(self.home, uid)
            with folder.lock() as held:
                wanted = folder.wanted() if held else None
                if wanted is None or wanted.removing or fronts.current(fronts.live(folder), wanted) is not None:
                    continue
                folder.write(wanted._replace(boot=processes.boot_id(), environ=base_environment()))
                folder.forget_crashes()
                fronts.advance(folder, _silent)
                started.append(uid)
        self._supervise()
        return started

    def bundles(self) -> set[str]:
        """Bundle folders and interpreters that running or restartable services need: `gc` leaves them alone."""
        needed: set[str] = set()
        for uid in uids(self.home):
            folder = ProcessFolder(self.home, uid)
            for record in (folder.wanted(), folder.good()):
                if record is not None:
                    needed |= {record.bundle, record.python}
        return needed

    def _supervise(self) -> None:
        try:
            supervisors.ensure(self.home, self.home, module=supervisor.__name__, needed=supervisor.needed)
        except OSError:
            # A home that cannot be written: what was asked will say so itself, if it needs to write.
            pass

    def _finish_removal(self, folder: ProcessFolder) -> None:
        """A removal that was killed half-way is finished before the same uid is used again."""
        before = folder.wanted()
        if before is not None and before.removing:
            with folder.lock() as held:
                before = folder.wanted() if held else None
                if before is not None and before.removing:
                    fronts.take_down(folder, _silent, drain_seconds=0.0)

    def _check_files(self, wanted: WantedService) -> None:
        if wanted.bundle and not (Path(wanted.bundle) / "bundle.json").is_file():
            raise InvalidInput(f"{wanted.bundle} is not a bundle: it has no bundle.json", field="bundle")
        if wanted.python and not os.access(wanted.python, os.X_OK):
            raise InvalidInput(f"{wanted.python} is not an interpreter that can be run", field="python")
        if self._front is None and importlib.util.find_spec("sendoff_serving") is None:
            raise TargetUnavailable(
                "the scoring server is not installed beside Sendoff", hint="pip install sendoff-serving"
            )

    def _check_port(self, folder: ProcessFolder, wanted: WantedService, before: ProcessRecord | None) -> None:
        if wanted.port == 0:
            return
        if not 0 < wanted.port < 65536:
            raise InvalidInput(f"port {wanted.port} is not between 1 and 65535", field="port", got=wanted.port)
        other = kept_ports(self.home, but=folder.uid).get(wanted.port)
        if other is not None:
            raise ports.in_use(wanted.host, wanted.port, f"the service {other} keeps it")
        ours = [(front.host, front.port) for front in fronts.live(folder)]
        if before is not None and (wanted.host, wanted.port) in ours:
            return
        problem = ports.problem(wanted.host, wanted.port)
        if problem:
            raise ports.in_use(wanted.host, wanted.port, problem)

    def _record(self, wanted: WantedService, before: ProcessRecord | None) -> ProcessRecord:
        port = wanted.port
        # Its own chosen port, handed back to it, is still one that may be chosen anew before it was ever used.
        chosen = port == 0 or (before is not None and before.chosen_port and before.port == port)
        if port == 0:
            kept = before is not None and before.chosen_port and before.host == wanted.host
            port = (
                before.port
                if before is not None and kept
                else ports.choose(wanted.host, kept_ports(self.home, but=wanted.uid))
            )
        return ProcessRecord(
            uid=wanted.uid,
            name=wanted.name,
            workspace=wanted.workspace,
            revision=wanted.revision,
            bundle=str(Path(wanted.bundle).absolute()),
            python=str(Path(wanted.python).absolute()),
            host=wanted.host,
            port=port,
            chosen_port=chosen,
            drain_seconds=wanted.drain_seconds,
            boot=processes.boot_id(),
            environ=base_environment(),
            command=self._front,
            auth_file=wanted.auth_file,
            data_folder=wanted.data_folder,
            data_scope=wanted.data_scope,
        )

    def _keep_good(self, folder: ProcessFolder) -> None:
        """Note what answers now, before a newer revision is asked for."""
        for front in fronts.live(folder):
            try:
                fronts.learn(folder, front, front_control.status(front.control, seconds=1.0))
            except front_control.NoAnswer:
                continue


def _silent(line: str) -> None:
    """A target's own steps are told in the operation's timeline; the supervisor logs its own."""
