"""``sendoff workspace``: owners of models, environments and services."""

from __future__ import annotations

import click

from . import options, records
from .command import Command, Group, option, pass_session
from .records import Record
from .session import Session


@click.group(cls=Group)
def workspace() -> None:
    """Make, list and delete workspaces."""


@workspace.command(
    "create", cls=Command, columns=records.WORKSPACES, example="sendoff workspace create -w demo --exist-ok"
)
@option("--workspace-name", "-w", "--name", "-n", "workspace_name", required=True, metavar="NAME", help="Its name.")
@option("--location", "-l", default="local", metavar="TEXT", help="Kept and shown; nothing depends on it.")
@option("--friendly-name", "-f", default="", metavar="TEXT", help="A name for people.")
@option("--sku", default="basic", metavar="TEXT", help="Kept and shown; nothing depends on it.")
@option("--tags", "-t", "tags", multiple=True, metavar="KEY=VALUE", help="Tag to put on it; repeat for more.")
@option("--exist-ok", is_flag=True, help="It is no error when the workspace exists.")
@option("--yes", "-y", is_flag=True, help="Taken for scripts' sake; nothing is asked.")
@pass_session
def create(
    session: Session,
    workspace_name: str,
    location: str,
    friendly_name: str,
    sku: str,
    tags: tuple[str, ...],
    exist_ok: bool,
    yes: bool,
) -> Record:
    """Make a workspace.

    None is needed to begin: commands that name no workspace use 'default'.
    """
    from ..spec.workspace import CreateWorkspace

    body = CreateWorkspace(
        name=workspace_name,
        subscription_id=session.subscription_id or "",
        resource_group=session.resource_group or "",
        location=location,
        sku=sku,
        friendly_name=friendly_name,
        tags=options.pairs(tags, "--tags"),
        exist_ok=exist_ok,
    )
    return records.workspace(session.client.create_workspace(body))


@workspace.command(
    "list", cls=Command, columns=records.WORKSPACES, example='sendoff workspace list --query "[].name" -o tsv'
)
@pass_session
def list_(session: Session) -> list[Record]:
    """List all workspaces of this store or server."""
    return [records.workspace(view) for view in session.client.workspaces()]


@workspace.command("show", cls=Command, columns=records.WORKSPACES, example="sendoff workspace show -w demo")
@options.metadata_out
@pass_session
def show(session: Session, output_metadata_file: str | None) -> Record:
    """Show one workspace: that of -w, of the nearest config file, or 'default'."""
    record = records.workspace(session.client.workspace(session.workspace))
    options.write_metadata(output_metadata_file, record)
    return record


@workspace.command("delete", cls=Command, example="sendoff workspace delete -w demo")
@option("--all-resources", is_flag=True, help="Taken for scripts' sake; a workspace has to be empty.")
@option("--no-wait", is_flag=True, help="Taken for scripts' sake; deleting takes no time.")
@option("--yes", "-y", is_flag=True, help="Taken for scripts' sake; nothing is asked.")
@options.metadata_out
@pass_session
def delete(session: Session, all_resources: bool, no_wait: bool, yes: bool, output_metadata_file: str | None) -> None:
    """Delete an empty workspace, which has to be named with -w."""
    if not session.workspace_name:
        raise click.UsageError("deleting needs the workspace's name: -w NAME", ctx=click.get_current_context())
    session.client.delete_workspace(session.workspace_name)
    session.say(f"Deleted workspace {session.workspace_name!r}.")


@workspace.command(
    "share", cls=Command, example="sendoff workspace share -w demo --user ann@example.org --role contributor"
)
@option("--user", required=True, metavar="MAIL", help="Whom to let in.")
@option("--role", required=True, metavar="ROLE", help="What they may do.")
@options.metadata_out
@pass_session
def share(session: Session, user: str, role: str, output_metadata_file: str | None) -> None:
    """Share a workspace with another user: not there yet."""
    from ..errors import NotSupported

    raise NotSupported(
        "workspaces cannot be shared yet: who can read this machine's store, or has a server's token, has all of it",
        hint="sendoff server puts the API on a port with one token for everybody.",
    )
