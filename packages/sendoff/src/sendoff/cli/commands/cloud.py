"""Commands of ``az ml`` for what Sendoff has not: any flags are read, and the error says what to use instead."""

from __future__ import annotations

from typing import NoReturn

import click

from ...errors import NotSupported
from ..command import Command, Group
from ..session import Session


def refused(words: str, what: str, instead: str) -> Command:
    """A command that takes whatever it is given and says what to use instead.

    Args:
        words: Its whole path, as it is typed after ``sendoff``.
        what: What it would do, as a phrase for the help page.
        instead: What to do, as a sentence or a command.
    """

    def refuse(_: Session, given: tuple[str, ...]) -> NoReturn:
        raise NotSupported(f"{click.get_current_context().command_path} is not supported", hint=instead)

    return Command(
        words.split()[-1],
        params=[click.Argument(["given"], nargs=-1, type=click.UNPROCESSED)],
        callback=refuse,
        help=f"{what}: not here. {instead}",
        short_help=f"{what}: not here.",
        context_settings={"ignore_unknown_options": True, "allow_extra_args": True},
        example=f"sendoff {words} --help",
        absent=True,
    )


_STEPS = "Run the steps' scripts yourself; Experiment.submit(ScriptRunConfig(…)) runs one on this machine."
_VERSIONS = "Deploy each version as a service of its own: sendoff model deploy -n NAME-v2 ..., sendoff service list."
_PIPELINE = {
    "clone": "Copy a run into a draft",
    "clone-draft": "Copy a draft",
    "create": "Make a pipeline from YAML",
    "create-draft": "Make a draft from YAML",
    "create-schedule": "Make a schedule",
    "delete-draft": "Delete a draft",
    "disable": "Disable a pipeline",
    "disable-schedule": "Disable a schedule",
    "enable": "Enable a pipeline",
    "enable-schedule": "Enable a schedule",
    "get": "Write a run's YAML",
    "last-pipeline-run": "The last run of a schedule",
    "list": "List pipelines",
    "list-drafts": "List drafts",
    "list-steps": "List the steps of a run",
    "pipeline-runs-list": "List the runs of a schedule",
    "publish-draft": "Publish a draft",
    "show": "Show a pipeline",
    "show-draft": "Show a draft",
    "show-schedule": "Show a schedule",
    "submit-draft": "Submit a draft",
    "update-draft": "Change a draft",
    "update-schedule": "Change a schedule",
}
_REALTIME = {
    "create-version": "Add a version",
    "delete": "Delete an endpoint",
    "delete-version": "Delete a version",
    "get-access-token": "A token",
    "get-keys": "Both keys",
    "get-logs": "The log",
    "list": "List endpoints",
    "regen-key": "Replace a key",
    "run": "Send a request",
    "show": "Show an endpoint",
    "update": "Change an endpoint",
    "update-version": "Change a version",
}


def _group(words: str, help: str, commands: dict[str, str], instead: str) -> Group:
    made = Group(words.split()[-1], help=help)
    for one, what in commands.items():
        made.add_command(refused(f"{words} {one}", what, instead))
    return made


pipeline = _group("pipeline", "Pipelines: not here.", _PIPELINE, _STEPS)
realtime = _group("endpoint realtime", "Several versions behind one address: not here yet.", _REALTIME, _VERSIONS)
endpoint = Group("endpoint", help="Several versions behind one address: not here yet.")
endpoint.add_command(realtime)
