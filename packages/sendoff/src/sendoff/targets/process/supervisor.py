"""Keeps a home's fronts running: one detached process a home, started by whoever notices that it is missing.

    python -m sendoff.targets.process.supervisor --home HOME

Fronts go on without it, and the next one takes them over from their records.
"""

from __future__ import annotations

import os
import select
import sys
from pathlib import Path

from ... import processes
from ..run_folder import uids
from ..supervisor import IDLE_SECONDS, Supervisor, Watch
from . import fronts
from .records import ProcessFolder


def needed(home: Path) -> bool:
    """Whether anything is wanted that was wanted, or restored, since the machine started."""
    for uid in uids(home):
        wanted = ProcessFolder(home, uid).wanted()
        if wanted is not None and (wanted.removing or wanted.boot == processes.boot_id()):
            return True
    return False


class FrontWatch(Watch):
    """A service's fronts: those that wake the supervisor when they end, and those that the system cannot watch."""

    def __init__(self) -> None:
        super().__init__()
        self.handles: dict[int, processes.Identity] = {}
        self.unwatched: list[processes.Identity] = []

    def missed(self) -> bool:
        """Whether a front has ended that the system could not watch."""
        return any(not processes.alive(process) for process in self.unwatched)

    def close(self) -> None:
        """Watch nothing any more."""
        for handle in self.handles:
            os.close(handle)
        self.handles = {}
        self.unwatched = []


class FrontSupervisor(Supervisor[FrontWatch]):
    """Restarts fronts that end, takes each service step by step towards what is wanted, finishes removals."""

    def __init__(self, home: Path, *, idle_seconds: float | None = IDLE_SECONDS) -> None:
        super().__init__(home, home, FrontWatch, needed, idle_seconds=idle_seconds)

    def restore(self) -> None:
        """Mark everything that was wanted before the machine started as wanted now."""
        for uid in uids(self.home):
            service = ProcessFolder(self.home, uid)
            with service.lock() as held:
                wanted = service.wanted() if held else None
                if wanted is not None and wanted.boot != processes.boot_id():
                    service.write(wanted._replace(boot=processes.boot_id()))

    def _step(self, uid: str, watch: FrontWatch) -> float:
        service = ProcessFolder(self.home, uid)
        wanted = service.wanted()
        mine = wanted is not None and (wanted.removing or wanted.boot == processes.boot_id())
        again = fronts.advance(service, self._log) if mine else None
        watch.close()
        for front in service.fronts() if mine else []:
            handle = processes.watch(front.process)
            if handle is not None:
                watch.handles[handle] = front.process
            elif processes.alive(front.process):
                watch.unwatched.append(front.process)
            else:
                # It ended after the step had looked at it.
                again = 0.05 if again is None else min(again, 0.05)
        return float("inf") if again is None else again

    def _sleep(self, seconds: float) -> None:
        poll = select.poll()
        poll.register(self._wake, select.POLLIN)
        owners = {handle: watch for watch in self._watches.values() for handle in watch.handles}
        for handle in owners:
            poll.register(handle, select.POLLIN)
        for handle, _ in poll.poll(seconds * 1000):
            if handle in owners:
                owners[handle].due = 0.0
                owners[handle].handles.pop(handle, None)
                os.close(handle)


def main(argv: list[str]) -> int:
    """``--home HOME [--idle-seconds N] [--restore] [--stay]``; the last two are what a systemd unit gives."""
    import argparse

    parser = argparse.ArgumentParser(prog="python -m sendoff.targets.process.supervisor", description=__doc__)
    parser.add_argument("--home", type=Path, required=True)
    parser.add_argument("--idle-seconds", type=float, default=IDLE_SECONDS)
    parser.add_argument("--restore", action="store_true", help="start what ran before the machine was restarted")
    parser.add_argument("--stay", action="store_true", help="wait for another supervisor to end, and do not end idle")
    options = parser.parse_args(argv)
    supervisor = FrontSupervisor(options.home.absolute(), idle_seconds=None if options.stay else options.idle_seconds)
    if options.restore:
        supervisor.restore()
    supervisor.run(wait=options.stay)
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
