"""Brings a service's fronts towards what is wanted, one idempotent step at a time.

``ProcessTarget.apply`` takes such a step at once, so that nobody waits for the supervisor; the supervisor takes
the same step whenever something may have changed. Both hold the folder's lock. Killing either at any point leaves
records from which the next step goes on. Standard library alone: the supervisor imports this.
"""

from __future__ import annotations

import os
import signal
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from ... import processes
from ...errors import InvalidInput, TargetUnavailable
from ...progress import Progress
from .. import front_control, ports, supervisor
from ..run_folder import kept_ports
from . import forking
from .records import Crashes, Front, Good, ProcessFolder, ProcessRecord

FIRST_WAIT, LONGEST_WAIT = 0.2, 30.0
HEALTHY_AFTER = 60.0
"""Seconds a front has to be ready before a crash counts as the first one again."""
ATTEMPTS = 5
"""Starts of a revision on a service that never answered; one that did is restarted for ever (spec/pains.md 4)."""
START_GRACE = 15.0
"""Seconds in which a new front need not answer on its control socket."""
KILL_GRACE = 2.0
"""Seconds beyond its drain that a front may take to end."""
CONSOLE_LIMIT = 1_000_000


def live(folder: ProcessFolder) -> list[Front]:
    """Fronts on record whose processes run, oldest first."""
    boot = processes.boot_id()
    return [front for front in folder.fronts() if front.boot == boot and processes.alive(front.process)]


def current(fronts: Sequence[Front], wanted: ProcessRecord) -> Front | None:
    """The newest front at the wanted address that has not been told to stop."""
    here = [f for f in fronts if (f.host, f.port) == (wanted.host, wanted.port) and f.stopping is None]
    return here[-1] if here else None


def advance(folder: ProcessFolder, log: Progress, *, asked: bool = False) -> float | None:
    """Take the next step; the caller holds the folder's lock.

    Args:
        folder: The service's folder.
        log: Takes one line about whatever is done.
        asked: A user asked for it: do not wait for the back-off, and try a failed revision again.

    Returns:
        Seconds until it is worth looking again; None when all is as wanted.

    Raises:
        PortInUse: ``asked``, and the port was taken.
        InvalidInput: ``asked``, and the front refuses the bundle.
        StoreError: A record cannot be written.
        TargetUnavailable: No process can be started.
    """
    wanted = folder.wanted()
    if wanted is None:
        return None
    # Before anything else: whoever removes may have been killed, and would be waited for by who wants the uid anew.
    if wanted.removing:
        take_down(folder, log, drain_seconds=min(1.0, wanted.drain_seconds))
        return None
    for front in folder.fronts():
        _settle_record(folder, wanted, front, log)
    fronts = live(folder)
    found = current(fronts, wanted)
    # A front keeps its port for life: where another is wanted, a second one starts there and the first serves on.
    if found is None:
        serving = [f for f in fronts if f.stopping is None and f.ready is not None]
        return _start(folder, wanted, log, asked=asked, beside=bool(serving))
    try:
        # Short: the folder is locked meanwhile, and a front that hangs must not hold up who wants to remove it.
        status = front_control.status(found.control, seconds=0.5)
    except front_control.NoAnswer:
        young = time.monotonic() - found.started < START_GRACE
        return 0.02 if young else 2.0
    front = learn(folder, found, status)
    # It takes no swap any more. Its end is a crash like any other, and what is wanted starts anew behind it.
    if status.get("state") == "draining":
        return 0.2
    if _loads_good_first(status, wanted, folder.good()):
        return 0.05
    if not _has(status, wanted, asked=asked):
        log(f"{folder.uid}: revision {wanted.revision} is loaded beside the one that serves")
        folder.mark_start_up()
        try:
            front_control.swap(
                front.control,
                bundle=wanted.bundle,
                python=wanted.python,
                revision=wanted.revision,
                memory_limit_mb=wanted.memory_limit_mb,
                seconds=2.0,
            )
        except (front_control.NoAnswer, front_control.Refused) as error:
            log(f"{folder.uid}: the front does not take revision {wanted.revision}: {error}")
            if asked and isinstance(error, front_control.Refused) and error.code != "draining":
                raise InvalidInput(f"revision {wanted.revision} cannot be loaded: {error}", field="bundle") from None
            return 1.0
        return 0.05
    ending = _retire(folder, wanted, front, fronts, log)
    return 0.1 if ending or not _final(status, wanted) else None


def take_down(folder: ProcessFolder, log: Progress, *, drain_seconds: float) -> None:
    """End every process of the service and delete its folder; the caller holds the lock.

    What runs is asked to drain, then ended: by pid and start time, and by the token that each front's processes carry.
    """
    fronts = folder.fronts()
    running = live(folder)
    # Taken now, while the leader lives: once it is gone its session's number may be another's. Children that have
    # dropped their environment, and with it the token, are found by this alone.
    family = {front.token: processes.session(front.process) for front in running}
    for front in running:
        _ask_to_stop(front, drain_seconds)
    grace = drain_seconds + KILL_GRACE
    # What is suspended hears neither the socket nor SIGTERM: waiting for its drain would only make a removal hang.
    if all(processes.suspended(front.process) for front in running):
        grace = 0.0
    processes.wait_ended([front.process for front in running], grace)
    for front in fronts:
        if front.boot == processes.boot_id():
            _end_family(front, family.get(front.token, []), log)
        folder.forget(front)
    folder.delete()
    log(f"{folder.uid}: removed")


def _start(folder: ProcessFolder, wanted: ProcessRecord, log: Progress, *, asked: bool, beside: bool) -> float | None:
    crashes = folder.crashes()
    good = folder.good()
    # `sendoff gc` or a user may have removed them: then the wanted revision is all there is to start with.
    if good is not None and not (Path(good.bundle).is_dir() and Path(good.python).exists()):
        good = None
    if not asked:
        if good is None and crashes.attempts >= ATTEMPTS:
            return None
        wait = min(crashes.next_start - time.monotonic(), LONGEST_WAIT)
        if wait > 0:
            return wait
    problem = ports.problem(wanted.host, wanted.port)
    # Nobody is told a chosen port before the service has answered: until then another one is as good.
    if problem and wanted.chosen_port and good is None:
        wanted = wanted._replace(port=ports.choose(wanted.host, kept_ports(folder.place, but=folder.uid)))
        folder.write(wanted)
    elif problem:
        error = ports.in_use(wanted.host, wanted.port, problem)
        if asked:
            raise error
        _count_crash(folder, crashes, error.message, log)
        return 0.0
    # After a crash the service goes on with what worked; what was being loaded is loaded beside it, as before.
    own = Good(wanted.revision, wanted.bundle, wanted.python, wanted.memory_limit_mb)
    first = own if good is None or beside else good
    try:
        front = _launch(folder, wanted, first)
    except OSError as error:
        raise TargetUnavailable(
            f"a front for {wanted.name} cannot be started: {error}",
            hint="`sendoff doctor` says what this machine lacks.",
        ) from None
    log(f"{folder.uid}: started front {front.pid} for revision {first.revision} on {wanted.host}:{wanted.port}")
    return 0.02


def _launch(folder: ProcessFolder, wanted: ProcessRecord, first: Good) -> Front:
    """Start a front's process and put it on record."""
    numbers = [front.number for front in folder.fronts()]
    token = os.urandom(8).hex()
    front = Front(
        number=max(numbers, default=0) + 1,
        token=token,
        host=wanted.host,
        port=wanted.port,
        control=str(front_control.socket_path(token)),
        revision=first.revision,
        boot=processes.boot_id(),
        started=time.monotonic(),
    )
    # Written before there is a process: should this end right after the start, the token still finds it.
    folder.write(front)
    if folder.console.exists() and folder.console.stat().st_size > CONSOLE_LIMIT:
        os.truncate(folder.console, 0)
    folder.mark_start_up()
    argv = [
        *("--bundle", first.bundle, "--python", first.python, "--host", wanted.host, "--port", str(wanted.port)),
        *("--control", front.control, "--log-file", str(folder.log), "--revision", str(first.revision)),
        *("--keeper-file", str(supervisor.record(folder.place))),
    ]
    if first.memory_limit_mb is not None:
        argv += ["--memory-limit-mb", str(first.memory_limit_mb)]
    if wanted.auth_file is not None:
        argv += ["--auth-file", wanted.auth_file]
    if wanted.data_folder is not None:
        # Given in any case: whether anything is collected may change with a revision, the front stays.
        argv += ["--data-dir", wanted.data_folder, "--data-scope", wanted.data_scope]
    identity = processes.identify(_process(wanted, argv, token, folder.console))
    if identity is not None:
        front = front._replace(pid=identity.pid, start=identity.start)
        folder.write(front)
    return front


def _process(wanted: ProcessRecord, arguments: list[str], token: str, console: Path) -> int:
    """The pid of a new process of the server, forked where that can be."""
    if wanted.command is None:
        try:
            return forking.fork(arguments, environ=wanted.environ, token=token, console=console)
        except forking.NotForked:
            pass  # a front that is started does the same
    # `-P` keeps the working folder off its path.
    command = wanted.command or [sys.executable, "-P", "-m", "sendoff_serving"]
    return processes.spawn([*command, *arguments], environ={**wanted.environ, processes.MARK: token}, console=console)


def _settle_record(folder: ProcessFolder, wanted: ProcessRecord, front: Front, log: Progress) -> None:
    """Complete a record whose process was never noted; clear one whose process has ended."""
    here = front.boot == processes.boot_id()
    # Whoever started it was killed between the start and the note of its pid: a second front would find the port taken.
    if here and front.pid == 0:
        # Its workers carry the token too; the control socket is on the front's command line alone.
        for process in processes.marked(front.token):
            if front.control in processes.command(process):
                folder.write(front._replace(pid=process.pid, start=process.start))
                log(f"{folder.uid}: took over front {process.pid}")
                return
    elif here and processes.alive(front.process):
        if front.stopping is not None and time.monotonic() > front.stopping + wanted.drain_seconds + KILL_GRACE:
            log(f"{folder.uid}: front {front.pid} did not end after its drain and is killed")
            _end_family(front, processes.session(front.process), log)
        return
    if here:
        _end_family(front, [], log)
        if front.stopping is None and (front.host, front.port) == (wanted.host, wanted.port):
            crashes = folder.crashes()
            lasted = front.ready is not None and time.monotonic() - front.ready > HEALTHY_AFTER
            crashes = Crashes() if lasted else crashes
            _count_crash(folder, crashes, f"the front (process {front.pid}) ended on its own", log)
    folder.forget(front)


def _count_crash(folder: ProcessFolder, crashes: Crashes, reason: str, log: Progress) -> None:
    wait = min(FIRST_WAIT * 2**crashes.attempts, LONGEST_WAIT)
    log(f"{folder.uid}: {reason}; next start in {wait:g} s (attempt {crashes.attempts + 1})")
    folder.write(
        Crashes(
            # Kept small: beyond this the wait does not grow.
            attempts=min(crashes.attempts + 1, 1000),
            next_start=time.monotonic() + wait,
            reason=reason,
            boot=processes.boot_id(),
        )
    )


def learn(folder: ProcessFolder, front: Front, status: dict[str, Any]) -> Front:
    """Note what can only be seen while it lasts: that the front became ready, and with which revision.

    A crash, or a new port, must not lose a revision that answers; the caller holds the folder's lock.
    """
    serving = status.get("serving") or {}
    if serving.get("phase") != "ready":
        return front
    limit = serving.get("memory_limit_mb")
    good = Good(int(serving["revision"]), str(serving["bundle"]), str(serving["python"]), limit)
    if folder.good() != good:
        folder.write(good)
    if front.ready is None:
        front = front._replace(ready=time.monotonic())
        folder.write(front)
    return front


def _has(status: dict[str, Any], wanted: ProcessRecord, *, asked: bool) -> bool:
    """Whether the front serves, loads, or has tried and failed to load the wanted revision."""
    serving, pending = status.get("serving"), status.get("pending")
    if pending and pending["phase"] != "failed":
        return bool(pending["revision"] == wanted.revision)
    if pending and pending["revision"] == wanted.revision:
        return not asked
    if serving and serving["revision"] == wanted.revision:
        return not (asked and serving["phase"] == "failed")
    return False


def _loads_good_first(status: dict[str, Any], wanted: ProcessRecord, good: Good | None) -> bool:
    """Whether a restarted front still loads what worked: a swap now would take its place, and nothing would answer."""
    pending = status.get("pending")
    if status.get("serving") or not pending or pending["phase"] == "failed" or good is None:
        return False
    return bool(pending["revision"] == good.revision != wanted.revision)


def _final(status: dict[str, Any], wanted: ProcessRecord) -> bool:
    """Whether the wanted revision answers or has failed, so that nothing changes by itself."""
    for generation in (status.get("pending"), status.get("serving")):
        if generation and generation["revision"] == wanted.revision:
            return generation["phase"] in ("ready", "failed")
    return False


def _retire(folder: ProcessFolder, wanted: ProcessRecord, front: Front, fronts: Sequence[Front], log: Progress) -> bool:
    """Stop the fronts at earlier addresses: all once the current one answers, else all but the newest that answers.

    Returns:
        Whether any of them is still on its way out.
    """
    others = [other for other in fronts if other.number != front.number]
    # Two quick changes of the port leave two earlier fronts; only the newest of them that answers is the service.
    if front.ready is None:
        answering = [other for other in others if other.ready is not None and other.stopping is None]
        others = [other for other in others if other not in answering[-1:]]
    for other in others:
        if other.stopping is None:
            log(f"{folder.uid}: front {other.pid} at {other.host}:{other.port} is stopped")
            folder.write(other._replace(stopping=time.monotonic()))
            _ask_to_stop(other, wanted.drain_seconds)
    return bool(others)


def _ask_to_stop(front: Front, drain_seconds: float) -> None:
    try:
        front_control.stop(front.control, drain_seconds=drain_seconds)
    except (front_control.NoAnswer, front_control.Refused):
        processes.send(front.process, signal.SIGTERM)


def _end_family(front: Front, known: Sequence[processes.Identity], log: Progress) -> None:
    """End what is left of a front and its descendants; workers of a front that has ended get a moment to notice."""
    family = {*known, *processes.marked(front.token)}
    if front.pid:
        family.add(front.process)
    others = [process for process in family if process != front.process]
    if not processes.alive(front.process):
        others = processes.wait_ended(others, 0.5)
    for process in [front.process, *others]:
        if process.pid and processes.send(process, signal.SIGKILL):
            log(f"killed process {process.pid}")
    processes.wait_ended([front.process, *others], 2.0)
