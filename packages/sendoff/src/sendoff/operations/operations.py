"""Start, look at, wait for and cancel operations: the room's front."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import TYPE_CHECKING

from sqlalchemy import select

from ..errors import Conflict, Timeout
from ..spec.operation import FINAL, Operation
from ..spec.page import ALL, Listed, Window
from ..store.pages import select_page
from ..store.tables import operations
from ..store.workspaces import require_workspace
from . import operation_rows
from .execute import give_up
from .launch import Launcher
from .operation_rows import NEWEST_FIRST, operation_view

if TYPE_CHECKING:
    from ..rooms import Rooms


class Operations:
    """Operations of a home.

    Args:
        rooms: What to work with.
        runner_command: Private, for tests: what to start instead of ``python -m sendoff.programs.runner``.
    """

    def __init__(self, rooms: Rooms, *, runner_command: Sequence[str] | None = None) -> None:
        self._rooms = rooms
        self._store = rooms.store
        self._launcher = Launcher(rooms.store, runner_command)

    def start(self, id: str) -> Operation:
        """Start the work of an operation that was just inserted."""
        self._launcher.launch(id, old=None)
        with self._store.read() as connection:
            return operation_view(operation_rows.get_operation(connection, id))

    def get(self, id: str) -> Operation:
        """An operation with its steps as they are now."""
        self.revive()
        with self._store.read() as connection:
            return operation_view(operation_rows.get_operation(connection, id))

    def list(
        self, ws: str, *, service: str | None = None, state: str | None = None, window: Window = ALL
    ) -> Listed[Operation]:
        """Operations of a workspace, newest first; of a service, in a state."""
        self.revive()
        query = select(operations).where(operations.c.workspace == ws)
        if service is not None:
            query = query.where(operations.c.service == service)
        # The state that is shown is not always the one that is stored.
        keep = None if state is None else lambda row: operation_view(row).state.lower() == state.lower()
        with self._store.read() as connection:
            require_workspace(connection, ws)
            return select_page(connection, query, NEWEST_FIRST, window, operation_view, keep=keep)

    def wait(self, id: str, *, seconds: float | None = None) -> Operation:
        """Wait until an operation is over.

        Raises:
            Timeout: It is not over after ``seconds``; it goes on.
        """
        end = None if seconds is None else time.monotonic() + seconds
        pause = 0.02
        while True:
            found = self.get(id)
            if found.state in FINAL:
                self._launcher.reap()
                return found
            if end is not None and time.monotonic() > end:
                raise Timeout(
                    f"operation {id} is not over after {seconds} seconds", hint="It goes on; look again later."
                )
            time.sleep(pause)
            pause = min(pause * 1.3, 0.25)

    def cancel(self, id: str) -> Operation:
        """Ask an operation to stop; it does at the next step's boundary or while it waits, and cleans up.

        Raises:
            Conflict: It is over already.
        """
        with self._store.begin() as connection:
            row = operation_rows.get_operation(connection, id)
            if row.state in FINAL:
                raise Conflict(f"operation {id} is over: {row.state}")
            operation_rows.request_cancel(connection, id)
        return self.get(id)

    def revive(self) -> None:
        """Take up operations whose runner has died; after the third attempt they end in Failed."""
        self._launcher.reap()
        with self._store.read() as connection:
            left = [
                row
                for row in operation_rows.unfinished_operations(connection)
                if not operation_rows.is_worked_on(connection, row)
            ]
        for row in left:
            holder = operation_rows.holder_of(row)
            if row.attempts >= operation_rows.MAX_ATTEMPTS:
                give_up(self._rooms, row.id, holder)
            else:
                self._launcher.launch(row.id, old=holder)
