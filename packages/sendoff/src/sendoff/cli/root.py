"""The ``sendoff`` command: every group and command by name, loaded when used."""

from __future__ import annotations

from typing import Any

import click

from .command import Group

LAZY = {
    "completion": ("completion:completion", "Print the completion script of a shell."),
    "computetarget": ("computetarget:computetarget", "Name compute targets, and list them."),
    "dataset": ("dataset:dataset", "Register, find and look into datasets."),
    "datastore": ("datastore:datastore", "Put files into datastores and fetch them."),
    "doctor": ("doctor:doctor", "Say what this machine can do, and how to mend what it cannot."),
    "drift": ("drift:drift", "Watch whether the rows that services are sent drift away from a baseline."),
    "endpoint": ("cloud:endpoint", "Several versions behind one address: not here yet."),
    "environment": ("environment:environment", "Make, register, build and look at environments."),
    "experiment": ("runs:experiment", "List experiments."),
    "folder": ("folder:folder", "Tie a folder to a workspace."),
    "gc": ("upkeep:gc", "Remove what nothing refers to: blobs, bundles, environments, layers."),
    "image": ("image:image", "Look into container images."),
    "migrate": ("migrate:migrate", "Say what of a folder of SDK v1 code runs here."),
    "model": ("model:model", "Register, find, download and deploy models."),
    "operation": ("operation:operation", "Look at long jobs and cancel them."),
    "pipeline": ("cloud:pipeline", "Pipelines: not here."),
    "profile": ("profile:profiles", "Look at what models were measured to need."),
    "run": ("runs:run", "Look at runs, what they logged and the files they keep."),
    "serve": ("serve:serve", "Serve an entry script in the foreground, with no store and no registration."),
    "server": ("server:server", "Put the API on a port of this machine, guarded by a token."),
    "service": ("service:service", "Look at services, call, update and delete them."),
    "up": ("upkeep:up", "Start again every service that should run and does not."),
    "version": ("version:version", "Print the versions of Sendoff and of the Python that runs it."),
    "workspace": ("workspace:workspace", "Make, list and delete workspaces."),
}


# What people type who know other tools, or who forget the noun.
SHORT = {
    "deploy": "model deploy",
    "download": "model download",
    "register": "model register",
    **dict.fromkeys(("package", "build"), "model package"),
    **dict.fromkeys(("models", "ls"), "model list"),
    **dict.fromkeys(("ps", "services", "status", "list"), "service list"),
    **dict.fromkeys(("log", "logs", "get-logs", "tail"), "service get-logs"),
    **dict.fromkeys(("score", "predict", "invoke", "call", "test"), "service run"),
    **dict.fromkeys(("delete", "rm", "remove", "stop", "down", "undeploy"), "service delete"),
    **dict.fromkeys(("describe", "inspect", "show"), "service show"),
    **dict.fromkeys(("restart", "reload"), "service reload"),
    **{word: f"service {word}" for word in ("keys", "metrics", "revisions", "rollback", "top", "update")},
    "keys": "service get-keys",
    **dict.fromkeys(("env", "envs", "environments"), "environment list"),
    **dict.fromkeys(("init", "login", "attach"), "folder attach"),
    **dict.fromkeys(("info", "check"), "doctor"),
    **dict.fromkeys(("start", "run-server"), "up"),
    "help": "--help",
}


def _version(ctx: click.Context, param: click.Parameter, value: bool) -> None:
    if value:
        from .commands.version import versions

        click.echo(f"sendoff {versions()['sendoff']}")
        ctx.exit()


@click.group(cls=Group, lazy=LAZY, short=SHORT, invoke_without_command=True)
@click.option(
    "--version", is_flag=True, is_eager=True, expose_value=False, callback=_version, help="Print the version."
)
@click.pass_context
def root(ctx: click.Context) -> Any:
    """From a trained model's file to an answered request, on your own machines.

    Commands read like `az ml` ones and take their flags. `sendoff COMMAND --help` shows all flags and an example;
    docs/cli.md has them on one page.
    """
    if ctx.invoked_subcommand is None:
        click.echo(ctx.get_help())
