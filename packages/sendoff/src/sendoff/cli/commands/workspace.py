"""``sendoff workspace``: owners of models, environments and services."""

from __future__ import annotations

from typing import Any

import click

from .. import options, records
from ..command import Command, Group, option, pass_session
from ..records import Record
from ..session import Session
from .cloud import refused


@click.group(cls=Group)
def workspace() -> None:
    """Make, list and delete workspaces."""


_CLOUD = (
    *("adb-workspace", "application-insights", "cmk-keyvault", "container-registry", "keyvault", "storage-account"),
    *("pe-auto-approval", "pe-name", "pe-resource-group", "pe-subnet-name", "pe-subscription-id", "pe-vnet-name"),
    *("primary-user-assigned-identity", "resource-cmk-uri", "user-assigned-identity-for-cmk-encryption"),
    *("system_datastores_auth_mode", "v1-legacy-mode", "hbi-workspace"),
)


def _cloud(function: Any) -> Any:
    """Flags of the cloud's own resources: taken, so that scripts run, and hidden."""
    for name in _CLOUD:
        function = option(
            f"--{name}", is_flag=False, flag_value="true", default=None, hidden=True, help="Taken and not used."
        )(function)
    return function


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
@_cloud
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
    **_: str | None,
) -> Record:
    """Make a workspace.

    None is needed to begin: commands that name no workspace use 'default'.
    """
    from ...spec.workspace import CreateWorkspace

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
    from ...errors import NotSupported

    raise NotSupported(
        "workspaces cannot be shared yet: who can read this machine's store, or has a server's token, has all of it",
        hint="sendoff server puts the API on a port with one token for everybody.",
    )


@workspace.command(
    "update", cls=Command, columns=records.WORKSPACES, example="sendoff workspace update -w demo -f Demo"
)
@option("--friendly-name", "-f", default=None, metavar="TEXT", help="A name for people.")
@option("--description", "-d", default=None, metavar="TEXT", help="Taken and not kept.")
@option("--tags", multiple=True, metavar="KEY=VALUE", help="All its tags from now on; repeat for more.")
@option("--image-build-compute", default=None, hidden=True, help="Taken and not used.")
@option("--primary-user-assigned-identity", default=None, hidden=True, help="Taken and not used.")
@option("--allow-public-access", default=None, hidden=True, help="Taken and not used.")
@option("--v1-legacy-mode", "legacy", default=None, hidden=True, help="Taken and not used.")
@options.metadata_out
@pass_session
def update(
    session: Session,
    friendly_name: str | None,
    description: str | None,
    tags: tuple[str, ...],
    output_metadata_file: str | None,
    **_: str | None,
) -> Record:
    """Change a workspace's name for people, or its tags."""
    from ...spec.workspace import UpdateWorkspace

    body = UpdateWorkspace(friendly_name=friendly_name, tags=options.pairs(tags, "--tags") if tags else None)
    record = records.workspace(session.client.update_workspace(session.workspace, body))
    options.write_metadata(output_metadata_file, record)
    return record


@workspace.command("list-keys", cls=Command, example="sendoff workspace list-keys")
@options.metadata_out
@pass_session
def list_keys(session: Session, output_metadata_file: str | None) -> Record:
    """Keys of the cloud's stores: there are none, files are in the store's folder."""
    record: Record = {"userStorageKey": None, "containerRegistryCredentials": None}
    options.write_metadata(output_metadata_file, record)
    return record


@workspace.command("sync-keys", cls=Command, example="sendoff workspace sync-keys")
@options.metadata_out
@pass_session
def sync_keys(session: Session, output_metadata_file: str | None) -> None:
    """Nothing to do: there are no keys of the cloud's stores."""
    options.write_metadata(output_metadata_file, {})


_LOOPBACK = "The API listens on loopback, or where `sendoff server` is told to."
workspace.add_command(refused("workspace diagnose", "Examine cloud resources", "sendoff doctor examines this machine."))
workspace.add_command(
    refused("workspace update-dependencies", "Attach a registry", "Name it in settings.toml, or with --image-name.")
)
_private = Group("private-endpoint", help="Private endpoints: not here.")
for _verb in ("add", "delete", "list"):
    _private.add_command(refused(f"workspace private-endpoint {_verb}", "Private endpoints", _LOOPBACK))
workspace.add_command(_private)
