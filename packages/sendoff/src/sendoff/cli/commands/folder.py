"""``sendoff folder``: which workspace a folder's commands and scripts belong to."""

from __future__ import annotations

import json
from pathlib import Path

import click

from ... import files
from ...errors import InvalidInput
from .. import options
from ..command import Group, option
from ..records import Record
from ..session import DEFAULT_WORKSPACE, Session


@click.group(cls=Group)
def folder() -> None:
    """Tie a folder to a workspace."""


@folder.command("attach", example="sendoff folder attach -w demo --path .")
@option("--experiment-name", "-e", default=None, metavar="NAME", help="Kept in the file.")
@options.metadata_out
def attach(session: Session, experiment_name: str | None) -> Record:
    """Write .azureml/config.json, so that commands and Workspace.from_config() in this folder need no -w.

    The workspace is made when it is not there yet.
    """
    from ...spec.workspace import CreateWorkspace

    root = Path(session.path or ".")
    if not root.is_dir():
        raise InvalidInput(f"--path {root} is not a folder", hint="Make it first, or leave --path away.")
    name = session.workspace_name or DEFAULT_WORKSPACE
    view = session.client.create_workspace(
        CreateWorkspace(
            name=name,
            subscription_id=session.subscription_id or "",
            resource_group=session.resource_group or "",
            exist_ok=True,
        )
    )
    config = {
        "subscription_id": view.subscription_id,
        "resource_group": view.resource_group,
        "workspace_name": view.name,
    }
    file = root / ".azureml" / "config.json"
    text = json.dumps(config, indent=2) + "\n"
    files.write(file, text, mode=files.PUBLIC, folder=0o777, failure=InvalidInput)
    session.say(f"{file} now names workspace {view.name!r}.")
    return {**config, "path": str(file), "experiment_name": experiment_name}
