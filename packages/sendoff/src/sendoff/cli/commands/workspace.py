"""``sendoff workspace``: owners of models, environments and services."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from .. import options, records
from ..command import Decorator, Group, option, together
from ..records import Record
from ..session import Session
from .cloud import refused

if TYPE_CHECKING:
    from ...spec.workspace import Workspace


@click.group(cls=Group)
def workspace() -> None:
    """Make, list and delete workspaces."""


_CLOUD = (
    *("adb-workspace", "application-insights", "cmk-keyvault", "container-registry", "keyvault", "storage-account"),
    *("pe-auto-approval", "pe-name", "pe-resource-group", "pe-subnet-name", "pe-subscription-id", "pe-vnet-name"),
    *("primary-user-assigned-identity", "resource-cmk-uri", "user-assigned-identity-for-cmk-encryption"),
    *("system_datastores_auth_mode", "v1-legacy-mode", "hbi-workspace"),
)


def _unused(name: str, **attributes: Any) -> Decorator:
    """A flag of the cloud's own resources: taken, so that scripts run, and hidden."""
    return options.ignored(f"--{name}", hidden=True, help="Taken and not used.", **attributes)


@workspace.command("create", columns=records.WORKSPACES, example="sendoff workspace create -w demo --exist-ok")
@option("--workspace-name", "-w", "--name", "-n", "workspace_name", required=True, metavar="NAME", help="Its name.")
@option("--location", "-l", default="local", metavar="TEXT", help="Kept and shown; nothing depends on it.")
@option("--friendly-name", "-f", default="", metavar="TEXT", help="A name for people.")
@option("--sku", default="basic", metavar="TEXT", help="Kept and shown; nothing depends on it.")
@option("--tags", "-t", "tags", multiple=True, metavar="KEY=VALUE", help="Tag to put on it; repeat for more.")
@option("--exist-ok", is_flag=True, help="It is no error when the workspace exists.")
@options.yes
@together(*(_unused(name, is_flag=False, flag_value="true") for name in _CLOUD))
def create(session: Session, workspace_name: str, tags: tuple[str, ...], **given: Any) -> Workspace:
    """Make a workspace.

    None is needed to begin: commands that name no workspace use 'default'.
    """
    from ...spec.workspace import CreateWorkspace

    body = CreateWorkspace(
        name=workspace_name,
        subscription_id=session.subscription_id or "",
        resource_group=session.resource_group or "",
        tags=options.pairs(tags, "--tags"),
        **given,
    )
    return session.client.create_workspace(body)


@workspace.command("list", columns=records.WORKSPACES, example='sendoff workspace list --query "[].name" -o tsv')
def list_(session: Session) -> list[Workspace]:
    """List all workspaces of this store or server."""
    return session.client.workspaces()


@workspace.command("show", columns=records.WORKSPACES, example="sendoff workspace show -w demo")
@options.metadata_out
def show(session: Session) -> Workspace:
    """Show one workspace: that of -w, of the nearest config file, or 'default'."""
    return session.client.workspace(session.workspace)


@workspace.command("delete", example="sendoff workspace delete -w demo")
@options.ignored("--all-resources", is_flag=True, help="Taken for scripts' sake; a workspace has to be empty.")
@options.ignored("--no-wait", is_flag=True, help="Taken for scripts' sake; deleting takes no time.")
@options.yes
@options.metadata_out
def delete(session: Session) -> None:
    """Delete an empty workspace, which has to be named with -w."""
    if not session.workspace_name:
        raise click.UsageError("deleting needs the workspace's name: -w NAME", ctx=click.get_current_context())
    session.client.delete_workspace(session.workspace_name)
    session.say(f"Deleted workspace {session.workspace_name!r}.")


@workspace.command("share", example="sendoff workspace share -w demo --user ann@example.org --role contributor")
@option("--user", required=True, metavar="MAIL", help="Whom to let in.")
@option("--role", required=True, metavar="ROLE", help="What they may do.")
@options.metadata_out
def share(session: Session, user: str, role: str) -> None:
    """Share a workspace with another user: not there yet."""
    from ...errors import NotSupported

    raise NotSupported(
        "workspaces cannot be shared yet: who can read this machine's store, or has a server's token, has all of it",
        hint="sendoff server puts the API on a port with one token for everybody.",
    )


@workspace.command("update", columns=records.WORKSPACES, example="sendoff workspace update -w demo -f Demo")
@option("--friendly-name", "-f", default=None, metavar="TEXT", help="A name for people.")
@options.ignored("--description", "-d", metavar="TEXT", help="Taken and not kept.")
@option("--tags", multiple=True, metavar="KEY=VALUE", help="All its tags from now on; repeat for more.")
@_unused("image-build-compute")
@_unused("primary-user-assigned-identity")
@_unused("allow-public-access")
@_unused("v1-legacy-mode")
@options.metadata_out
def update(session: Session, friendly_name: str | None, tags: tuple[str, ...]) -> Workspace:
    """Change a workspace's name for people, or its tags."""
    from ...spec.workspace import UpdateWorkspace

    body = UpdateWorkspace(friendly_name=friendly_name, tags=options.pairs(tags, "--tags") if tags else None)
    return session.client.update_workspace(session.workspace, body)


@workspace.command("list-keys", example="sendoff workspace list-keys")
@options.metadata_out
def list_keys(session: Session) -> Record:
    """Keys of the cloud's stores: there are none, files are in the store's folder."""
    return {"userStorageKey": None, "containerRegistryCredentials": None}


@workspace.command("sync-keys", example="sendoff workspace sync-keys")
@options.metadata_out
def sync_keys(session: Session) -> None:
    """Nothing to do: there are no keys of the cloud's stores."""
    session.metadata = {}


_LOOPBACK = "The API listens on loopback, or where `sendoff server` is told to."
workspace.add_command(refused("workspace diagnose", "Examine cloud resources", "sendoff doctor examines this machine."))
workspace.add_command(
    refused("workspace update-dependencies", "Attach a registry", "Name it in settings.toml, or with --image-name.")
)
_private = Group("private-endpoint", help="Private endpoints: not here.")
for _verb in ("add", "delete", "list"):
    _private.add_command(refused(f"workspace private-endpoint {_verb}", "Private endpoints", _LOOPBACK))
workspace.add_command(_private)
