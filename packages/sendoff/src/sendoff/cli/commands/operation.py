"""``sendoff operation``: long jobs, their steps and how they end."""

from __future__ import annotations

import click

from ...spec.operation import Operation
from .. import progress, records
from ..command import Group, option
from ..session import Session

_STATES = ("NotStarted", "Running", "Cancelled", "Succeeded", "Failed", "TimedOut")


@click.group(cls=Group)
def operation() -> None:
    """Look at long jobs and cancel them."""


@operation.command("list", columns=records.OPERATIONS, example="sendoff operation list --state Running -o table")
@option("--service", "-n", "--name", "service", default=None, metavar="NAME", help="Only those of this service.")
@option("--state", type=click.Choice(_STATES, case_sensitive=False), default=None, help="Only those in this state.")
def list_(session: Session, service: str | None, state: str | None) -> list[Operation]:
    """List operations of the workspace, newest first."""
    return session.client.operations(session.workspace, service=service, state=state)


@operation.command("show", columns=records.OPERATIONS, example="sendoff operation show 3f2a --wait")
@click.argument("operation_id", metavar="ID")
@option("--wait", is_flag=True, help="Follow it to its end; the exit code is then that of the deploy itself.")
def show(session: Session, operation_id: str, wait: bool) -> Operation:
    """Show an operation: on stdout its record, on stderr a line for each step that has begun.

    ID is what `--no-wait` and Ctrl-C print.
    """
    view = session.client.operation(operation_id)
    if wait:
        return progress.wait(session, view)
    progress.Lines(session).show(view)
    return view


@operation.command("cancel", columns=records.OPERATIONS, example="sendoff operation cancel 3f2a")
@click.argument("operation_id", metavar="ID")
def cancel(session: Session, operation_id: str) -> Operation:
    """Ask a running operation to stop. What answered requests before goes on doing so."""
    return session.client.cancel_operation(operation_id)
