"""Runs one operation: ``python -m sendoff.deployments.runner --home HOME --operation ID``."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from .. import files
from . import records
from .execute import run, say
from .garbage import work_lock
from .lease import Holder
from .preflight import Rooms
from .timeline import LeaseLost

if TYPE_CHECKING:
    from ..store import Store


def take_lease(store: Store, id_: str, launcher: Holder | None) -> Holder | None:
    """This process as the lease's holder; None when another runner is at work."""
    me = Holder.me()
    with store.begin() as connection:
        row = records.get_operation(connection, id_)
        old = records.holder_of(row)
        if old == me:
            return me
        if old is not None and old == launcher:
            return me if records.take_lease(connection, id_, me, old=old, attempt=False) else None
        if old is not None and old.alive:
            return None
        return me if records.take_lease(connection, id_, me, old=old, attempt=True) else None


def make_rooms(store: Store) -> Rooms:
    """The rooms that a runner works with, opened for this process."""
    from ..environments import Environments
    from ..registry import Registry
    from ..targets import table

    return Rooms(store=store, registry=Registry(store), environments=Environments(store), targets=table)


def main(argv: list[str] | None = None) -> int:
    """Entry point; 0 when the operation was run to an end, whichever, or is another runner's."""
    parser = argparse.ArgumentParser(prog="python -m sendoff.deployments.runner", description=__doc__)
    parser.add_argument("--home", required=True, type=Path, help="Sendoff's folder")
    parser.add_argument("--operation", required=True, help="the operation's id")
    parser.add_argument("--from", dest="launcher", help="PID:START of the process that hands over its lease")
    options = parser.parse_args(argv)

    from ..store import open_store

    launcher = None
    if options.launcher:
        pid, _, started = options.launcher.partition(":")
        launcher = Holder(int(pid), float(started))
    with open_store(options.home) as store:
        holder = take_lease(store, options.operation, launcher)
        if holder is None:
            return 0
        try:
            # While anybody works, nothing is taken for garbage.
            with files.locked(work_lock(options.home), shared=True):
                say(f"operation {options.operation}: {run(make_rooms(store), options.operation, holder)}")
        except LeaseLost:
            say("another runner has taken this operation")
    return 0


if __name__ == "__main__":
    sys.exit(main())
