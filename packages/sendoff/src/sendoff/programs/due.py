"""``python -m sendoff.programs.due --home HOME``: what is due by the clock: drift runs, copies of collected data.

The supervisors start it when ``chores`` says that it is time. Two at once do no harm: a run is taken by moving its time
on in a transaction, and the second finds a lock.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from .. import files
from ..core import Core
from ..errors import SendoffError
from ..modeldata import place
from ..modeldata.remote import Remote, copy
from ..schedule.chores import note


def drift_runs(core: Core, now: float) -> Iterator[str]:
    """Compare what drift detectors have to compare by now."""
    for run in core.drift.run_due(now):
        found = run.error if run.coefficient is None else f"coefficient {run.coefficient:.3f}"
        yield f"drift {run.detector} of {run.service}, {run.first_day} to {run.last_day}: {found}"
    note(core.home, core.drift.next_due())


def copies(core: Core, _now: float) -> Iterator[str]:
    """Copy what services have collected to the store of the settings."""
    store = core.store
    remote = Remote.of(store.settings)
    if remote is None:
        return
    root = store.home / place.ROOT
    for folder in sorted(root.glob("*/*/*/*")):
        if not folder.is_dir():
            continue
        count, size = copy(folder, str(folder.relative_to(root)), remote)
        if count:
            yield f"copied {count} files, {size} bytes, of {folder.name} to {remote.address}"


KINDS: dict[str, Callable[[Core, float], Iterator[str]]] = {"drift": drift_runs, "copies": copies}
"""What may be due: each does what is, one line about each thing when it was done: a later failure takes none back."""


def main(argv: list[str]) -> int:
    """``--home HOME``."""
    parser = argparse.ArgumentParser(prog="python -m sendoff.programs.due", description=__doc__)
    parser.add_argument("--home", type=Path, required=True)
    core = Core(parser.parse_args(argv).home)
    try:
        # Another that is at it does all there is: whoever looks often should not leave a queue behind.
        with files.locked_within(core.store.home / "staging" / "due.lock", 0) as held:
            for line in (line for work in KINDS.values() for line in work(core, time.time()) if held):
                print(time.strftime("%Y-%m-%dT%H:%M:%S%z"), line, flush=True)  # noqa: T201 - this is its log
    except SendoffError as error:
        print(time.strftime("%Y-%m-%dT%H:%M:%S%z"), error.message, flush=True)  # noqa: T201
        return 1
    finally:
        core.close()
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
