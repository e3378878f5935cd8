"""Start runners, and take up what a dead one left."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from collections.abc import Sequence
from typing import TYPE_CHECKING

from . import operation_rows
from .lease import Holder
from .places import log_path

if TYPE_CHECKING:
    from ..store import Store


class Launcher:
    """Starts one detached process for an operation.

    Args:
        store: Where operations are.
        command: The runner's command line, before its options.
    """

    def __init__(self, store: Store, command: Sequence[str] | None = None) -> None:
        self._store = store
        # -P: a file in the working directory must not stand in for a module.
        self._command = list(command or (sys.executable, "-P", "-m", "sendoff.programs.runner"))
        self._children: list[subprocess.Popen[bytes]] = []
        self._lock = threading.Lock()

    def launch(self, id_: str, *, old: Holder | None) -> bool:
        """Start a runner unless somebody else has.

        The lease is this process' own until the child takes it over, so that two lookers start one runner and a looker
        that dies in between leaves a dead lease, which the next look takes up.

        Args:
            id_: The operation.
            old: The dead holder of its lease; None for a new operation.
        """
        self.reap()
        me = Holder.me()
        with self._store.begin() as connection:
            if not operation_rows.take_lease(connection, id_, me, old=old, attempt=True):
                return False
        log = log_path(self._store.home, id_)
        log.parent.mkdir(parents=True, exist_ok=True)
        command = [
            *self._command,
            "--home",
            str(self._store.home),
            "--operation",
            id_,
            "--from",
            f"{me.pid}:{me.started!r}",
        ]
        with log.open("ab") as output:
            child = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                cwd=self._store.home,
                start_new_session=True,
                env={**os.environ, "PYTHONUNBUFFERED": "1"},
            )
        with self._lock:
            self._children.append(child)
        runner = Holder.of(child.pid)
        if runner is not None:
            with self._store.begin() as connection:
                operation_rows.take_lease(connection, id_, runner, old=me, attempt=False)
        else:
            # It has ended already: the lease has to go to a process that is seen to be dead.
            with self._store.begin() as connection:
                operation_rows.take_lease(connection, id_, Holder.here(child.pid, -1.0), old=me, attempt=False)
        return True

    def reap(self) -> None:
        """Let go of runners that have ended, so that no zombies stay."""
        with self._lock:
            self._children = [child for child in self._children if child.poll() is None]
