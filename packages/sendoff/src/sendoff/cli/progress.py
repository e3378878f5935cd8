"""Waiting for an operation: a live timeline on a terminal, one plain line per step change elsewhere, all on stderr."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Protocol

from ..errors import Cancelled, DeploymentFailed, SendoffError, Timeout, from_payload
from ..spec import operation as spec
from ..spec.operation import Operation, Step, pause_after
from .session import Session
from .terminal import visible

if TYPE_CHECKING:
    from rich.live import Live
    from rich.table import Table

    from ..spec.service import Service

_MARKS = {spec.STEP_PENDING: "·", spec.STEP_DONE: "✓", spec.STEP_FAILED: "✗", spec.STEP_SKIPPED: "-"}


def wait(session: Session, operation: Operation) -> Operation:
    """Follow an operation to its end.

    Returns:
        The operation, Succeeded.

    Raises:
        SendoffError: What ended it, with ``service`` and ``workspace`` in its context; `Cancelled`; `Timeout`.
        KeyboardInterrupt: Ctrl-C, after it was said how to look at the operation and how to cancel it.
    """
    began = time.monotonic()
    try:
        with _display(session) as display:
            display.show(operation)
            while operation.state not in spec.FINAL:
                time.sleep(pause_after(time.monotonic() - began))
                operation = session.client.operation(operation.id)
                display.show(operation)
    except KeyboardInterrupt:
        session.say(going_on(operation))
        raise
    for note in operation.notes:
        session.say(f"note: {note}")
    if session.verbose:
        for step in operation.steps:
            for detail in step.details:
                session.say(f"{step.name}: {detail}")
    if operation.state == spec.SUCCEEDED:
        return operation
    raise failure(operation)


def awaited(session: Session, operation: Operation, no_wait: bool) -> bool:
    """Follow an operation to its end, as :func:`wait` does; False where nobody waits, and it was said how to look."""
    if no_wait:
        session.say(going_on(operation))
    else:
        wait(session, operation)
    return not no_wait


def settled(session: Session, name: str, answer: Operation | Service, no_wait: bool) -> Operation | Service:
    """What comes of changing a service: the service as it is at the end, or the operation where nobody waits for it."""
    if isinstance(answer, Operation) and awaited(session, answer, no_wait):
        return session.client.service(session.workspace, name)
    return answer


def going_on(operation: Operation) -> str:
    """How to look at, and how to cancel, an operation that nobody waits for."""
    return (
        f"The {operation.type.lower()} of {operation.service} goes on as operation {operation.id}.\n"
        f"look:   sendoff operation show {operation.id}\n"
        f"cancel: sendoff operation cancel {operation.id}"
    )


def failure(operation: Operation) -> SendoffError:
    """The error of an operation that did not succeed."""
    if operation.error:
        error = from_payload(operation.error)
    elif operation.state == spec.CANCELLED:
        error = Cancelled(f"operation {operation.id} was cancelled")
    elif operation.state == spec.TIMED_OUT:
        error = Timeout(f"operation {operation.id} took too long")
    else:
        error = DeploymentFailed(f"operation {operation.id} ended in {operation.state}")
    error.context.setdefault("service", operation.service)
    error.context.setdefault("workspace", operation.workspace)
    error.context.setdefault("operation", operation.id)
    error.context["operation_type"] = operation.type
    return error


class _Display(Protocol):
    def show(self, operation: Operation) -> None: ...


@contextmanager
def _display(session: Session) -> Iterator[_Display]:
    if not session.rich_stderr:
        yield Lines(session)
        return
    from rich.console import Console
    from rich.live import Live

    with Live(console=Console(stderr=True), refresh_per_second=8, transient=False) as live:
        yield _Timeline(live)


class Lines:
    """One line each time a step's state, reason or message changes."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._said: dict[str, tuple[str, str]] = {}
        self._begun = False

    def show(self, operation: Operation) -> None:
        """Say what is new since the last look."""
        if not self._begun:
            self._begun = True
            revision = f" revision {operation.revision}" if operation.revision is not None else ""
            self._session.say(f"{operation.type} {operation.service}{revision}, operation {operation.id}")
        for step in operation.steps:
            # "waiting for init(), 3 s" counts on: that is no change worth a line.
            now = (step.state, re.sub(r"\d+", "", step.message))
            if step.state != spec.STEP_PENDING and self._said.get(step.name) != now:
                self._said[step.name] = now
                self._session.say(line(step))


def line(step: Step) -> str:
    """A step as one plain line: name, state, seconds, sentence."""
    seconds = f"{step.end - step.start:6.1f} s" if step.start is not None and step.end is not None else " " * 8
    return f"  {step.name:<12} {step.state:<8} {seconds}  {_words(step)}".rstrip()


def _words(step: Step) -> str:
    return " ".join(step.message.split()) or step.reason


class _Timeline:
    """The steps as a small table that is redrawn in place."""

    def __init__(self, live: Live) -> None:
        self._live = live

    def show(self, operation: Operation) -> None:
        self._live.update(_drawn(operation))


def _drawn(operation: Operation) -> Table:
    from rich.spinner import Spinner
    from rich.table import Table
    from rich.text import Text

    colours = {spec.STEP_DONE: "green", spec.STEP_FAILED: "red", spec.STEP_RUNNING: "cyan"}
    table = Table.grid(padding=(0, 1))
    for step in operation.steps:
        colour = colours.get(step.state, "dim")
        running = step.state == spec.STEP_RUNNING
        mark = Spinner("dots", style=colour) if running else Text(_MARKS.get(step.state, "?"), style=colour)
        end = step.end if step.end is not None else time.time()
        seconds = Text(
            f"{max(0.0, end - step.start):.1f} s" if step.start is not None else "", style="dim", justify="right"
        )
        words = _words(step)
        if running and step.log and not step.message:
            words = step.log[-1]
        table.add_row(mark, Text(step.name, style=colour), seconds, Text(visible(words), overflow="fold"))
    return table
