"""Runs one operation: ``python -m sendoff.programs.runner --home HOME --operation ID``."""

from __future__ import annotations

import argparse
import sys
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

from .. import files
from ..core import Core
from ..operations import operation_rows
from ..operations.execute import run
from ..operations.heartbeat import Heartbeat
from ..operations.lease import Holder, LeaseLost
from ..operations.places import work_lock
from ..operations.timeline import say

if TYPE_CHECKING:
    from ..store import Store


def take_lease(store: Store, id_: str, launcher: Holder | None) -> Holder | None:
    """This process as the lease's holder; None when another runner is at work."""
    me = Holder.me()
    with store.begin() as connection:
        row = operation_rows.get_operation(connection, id_)
        old = operation_rows.holder_of(row)
        if old == me:
            return me
        if old is not None and old == launcher:
            return me if operation_rows.take_lease(connection, id_, me, old=old, attempt=False) else None
        if operation_rows.is_worked_on(connection, row):
            return None
        return me if operation_rows.take_lease(connection, id_, me, old=old, attempt=True) else None


def main(argv: list[str] | None = None, core: type[Core] = Core) -> int:
    """Entry point; 0 when the operation was run to an end, whichever, or is another runner's."""
    parser = argparse.ArgumentParser(prog="python -m sendoff.programs.runner", description=__doc__)
    parser.add_argument("--home", required=True, type=Path, help="Sendoff's folder")
    parser.add_argument("--operation", required=True, help="the operation's id")
    parser.add_argument("--from", dest="launcher", help="PID:START of the process that hands over its lease")
    options = parser.parse_args(argv)

    launcher = None
    if options.launcher:
        pid, _, started = options.launcher.partition(":")
        launcher = Holder.here(int(pid), float(started))
    with closing(core(options.home)) as opened:
        holder = take_lease(opened.store, options.operation, launcher)
        if holder is None:
            return 0
        try:
            # While anybody works, nothing is taken for garbage.
            with (
                Heartbeat(opened.store, options.operation, holder),
                files.locked(work_lock(options.home), shared=True),
            ):
                say(f"operation {options.operation}: {run(opened.rooms, options.operation, holder)}")
        except LeaseLost:
            say("another runner has taken this operation")
    return 0


if __name__ == "__main__":
    sys.exit(main())
