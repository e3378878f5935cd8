"""``sendoff operation``: long jobs, their steps and how they end."""

from __future__ import annotations

import click

from .. import progress, records
from ..command import Command, Group, option, pass_session
from ..records import Record
from ..session import Session

_STATES = ("NotStarted", "Running", "Cancelled", "Succeeded", "Failed", "TimedOut")


@click.group(cls=Group)
def operation() -> None:
    """Look at long jobs and cancel them."""


@operation.command(
    "list", cls=Command, columns=records.OPERATIONS, example="sendoff operation list --state Running -o table"
)
@option("--service", "-n", "--name", "service", default=None, metavar="NAME", help="Only those of this service.")
@option("--state", type=click.Choice(_STATES, case_sensitive=False), default=None, help="Only those in this state.")
@pass_session
def list_(session: Session, service: str | None, state: str | None) -> list[Record]:
    """List operations of the workspace, newest first."""
    found = session.client.operations(session.workspace, service=service, state=state)
    return [records.operation(view) for view in found]


@operation.command("show", cls=Command, columns=records.OPERATIONS, example="sendoff operation show 3f2a --wait")
@click.argument("operation_id", metavar="ID")
@option("--wait", is_flag=True, help="Follow it to its end; the exit code is then that of the deploy itself.")
@pass_session
def show(session: Session, operation_id: str, wait: bool) -> Record:
    """Show an operation: on stdout its record, on stderr a line for each step that has begun.

    ID is what `--no-wait` and Ctrl-C print.
    """
    view = session.client.operation(operation_id)
    if wait:
        view = progress.wait(session, view)
    else:
        progress.Lines(session).show(view)
    return records.operation(view)


@operation.command("cancel", cls=Command, columns=records.OPERATIONS, example="sendoff operation cancel 3f2a")
@click.argument("operation_id", metavar="ID")
@pass_session
def cancel(session: Session, operation_id: str) -> Record:
    """Ask a running operation to stop. What answered requests before goes on doing so."""
    return records.operation(session.client.cancel_operation(operation_id))
