"""An operation's steps as its runner writes them; every write needs the lease."""

from __future__ import annotations

import sys
import time
from typing import TYPE_CHECKING, Any

import msgspec

from ..errors import Cancelled
from ..progress import Progress
from ..spec.operation import (
    RUNNING,
    STEP_DONE,
    STEP_FAILED,
    STEP_PENDING,
    STEP_RUNNING,
    STEP_SKIPPED,
    Step,
)
from ..spec.parse import replace, to_builtins
from . import operation_rows
from .lease import Holder, LeaseLost

if TYPE_CHECKING:
    from ..store import Store

LOG_LINES = 40


def say(line: str) -> None:
    """One line of the operation's own log."""
    sys.stdout.write(f"{time.strftime('%Y-%m-%dT%H:%M:%S%z')} {line}\n")
    sys.stdout.flush()


class Timeline:
    """The steps of one operation.

    Args:
        store: Where it is written.
        row: The operation's row, read after its lease was taken.
        holder: Who holds the lease.
    """

    def __init__(self, store: Store, row: operation_rows.AnyRow, holder: Holder) -> None:
        self._store = store
        self._holder = holder
        self.id: str = row.id
        self.steps = msgspec.convert(row.steps, list[Step])
        self.notes: list[str] = list(row.notes)
        self.error: dict[str, Any] | None = row.error
        self._told = 0.0

    def state_of(self, name: str) -> str:
        """The state of a step."""
        return self._step(name).state

    def begin(self, name: str, reason: str = "", message: str = "") -> None:
        """A step starts; one that an earlier runner left half done keeps its start."""
        step = self._step(name)
        start = step.start if step.state == STEP_RUNNING and step.start is not None else time.time()
        self._set(replace(step, state=STEP_RUNNING, start=start, end=None, reason=reason, message=message))

    def tell(self, name: str, reason: str, message: str, *, every: float = 1.0) -> None:
        """Say what a running step waits for; at most once in ``every`` seconds unless the reason changes."""
        step, now = self._step(name), time.monotonic()
        if step.reason == reason and now - self._told < every:
            return
        self._told = now
        self._set(replace(step, reason=reason, message=message))

    def done(self, name: str, reason: str, message: str, *, log: list[str] | None = None) -> None:
        """A step is complete."""
        self._set(
            replace(
                self._step(name),
                state=STEP_DONE,
                end=time.time(),
                reason=reason,
                message=message,
                log=(log or [])[-LOG_LINES:],
            )
        )

    def failed(self, name: str, reason: str, error: dict[str, Any], *, log: list[str]) -> None:
        """A step failed: the error is written with it, so that a next runner only cleans up."""
        now = time.time()
        self.error = error
        changed = []
        for step in self.steps:
            if step.name == name:
                step = replace(
                    step,
                    state=STEP_FAILED,
                    start=step.start or now,
                    end=now,
                    reason=reason,
                    message=str(error.get("message", "")),
                    log=log[-LOG_LINES:],
                )
            elif step.state in (STEP_PENDING, STEP_RUNNING):
                step = replace(step, state=STEP_SKIPPED)
            changed.append(step)
        self.steps = changed
        self._write(steps=to_builtins(self.steps), error=error)

    def note(self, lines: list[str]) -> None:
        """Add notes that are not there yet."""
        fresh = [line for line in dict.fromkeys(lines) if line not in self.notes]
        if fresh:
            self.notes += fresh
            self._write(notes=self.notes)

    def detail(self, name: str, lines: list[str]) -> None:
        """Say of a step what asks nobody for an act, and what an earlier operation has told."""
        self._set(replace(self._step(name), details=list(lines)))

    def progress(self, step: str, reason: str, said: list[str]) -> Progress:
        """What long work calls with each line: it is kept, logged and told, and Cancelled is raised when asked for.

        Args:
            step: The running step.
            reason: Its reason code while it goes on.
            said: Where the lines are kept.
        """

        def progress(line: str) -> None:
            said.append(line)
            say(f"{step}: {line}")
            self.tell(step, reason, line, every=0.3)
            self.stop_if_cancelled()

        return progress

    def stop_if_cancelled(self) -> None:
        """Raise Cancelled when a user has asked for the operation's end."""
        with self._store.read() as connection:
            if operation_rows.cancel_requested(connection, self.id):
                raise Cancelled("the operation was cancelled")

    def _step(self, name: str) -> Step:
        return next(step for step in self.steps if step.name == name)

    def _set(self, changed: Step) -> None:
        self.steps = [changed if step.name == changed.name else step for step in self.steps]
        self._write(steps=to_builtins(self.steps), state=RUNNING)

    def _write(self, **columns: Any) -> None:
        with self._store.begin() as connection:
            if not operation_rows.change_operation(connection, self.id, self._holder, **columns):
                raise LeaseLost(self.id)
