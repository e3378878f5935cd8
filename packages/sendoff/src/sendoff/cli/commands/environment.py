"""``sendoff environment``: make, register, build and look at environments."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click

from ...spec.parse import Spec
from .. import options, records
from ..command import Group, option
from ..records import Record
from ..session import Session

_folder = option(
    "--directory", "-d", required=True, metavar="DIR", help="Folder to write into; made when it is not there."
)
_version = option(
    "--environment-version", "--version", "-v", "version", default=None, metavar="VERSION", help="Else the newest."
)


@click.group(cls=Group)
def environment() -> None:
    """Make, register, build and look at environments."""


@environment.command("scaffold", example="sendoff environment scaffold -n demo -d environment")
@options.name("Its name.")
@_folder
@options.metadata_out
def scaffold(session: Session, name: str, directory: str) -> Record:
    """Write a folder with azureml_environment.json and conda_dependencies.yml to begin from."""
    from ...spec.environment import DEFAULT_VARIABLES, EnvironmentSpec, PythonSpec
    from ...spec.environment_files import save_to_directory
    from ...spec.names import check_environment

    check_environment(name)
    spec = EnvironmentSpec(
        name=name,
        python=PythonSpec(channels=["conda-forge"], conda_packages=["python=3.11"], pip_packages=["azureml-defaults"]),
        environment_variables=dict(DEFAULT_VARIABLES),
    )
    files = save_to_directory(spec, directory)
    session.say(f"Wrote {directory}. Edit its files, then: sendoff environment register -d {directory}")
    return {"name": name, "directory": directory, "files": [str(file) for file in files]}


@environment.command("register", columns=records.ENVIRONMENTS, example="sendoff environment register -d environment")
@option("--directory", "-d", required=True, metavar="DIR|FILE",
        help="Folder that scaffold made, or a conda YAML, pip requirements or JSON environment file.")  # fmt: skip
@option("--name", "-n", default=None, metavar="NAME", help="Its name, in place of the file's.")
@options.reading
@options.metadata_out
def register(session: Session, directory: str, name: str | None, **flags: Any) -> Spec:
    """Register an environment. An equal definition keeps its version; a changed one gets the next."""
    from ...client import Transfer
    from ...spec.environment_files import load

    notes: list[str] = []
    spec = options.as_read(load(directory, name=name, notes=notes), flags)
    for note in notes:
        session.say(f"note: {note}")
    spec = Transfer(session.client, session.say).put_environment(spec)
    view = session.client.register_environment(session.workspace, spec)
    session.say(f"Registered environment {view.name}:{view.version}.")
    return view


@environment.command("list", columns=records.ENVIRONMENTS, example='sendoff environment list --query "[].name" -o tsv')
@options.metadata_out
def list_(session: Session) -> Sequence[Spec]:
    """List the newest version of each environment."""
    found = session.client.environments(session.workspace)
    if not found:
        session.nothing_here("sendoff environment list", session.client.environments)
    return found


@environment.command(
    "show", columns=records.ENVIRONMENT, example="sendoff environment show -n demo --version 1 -o json"
)
@options.name("Its name.")
@_version
@options.metadata_out
def show(session: Session, name: str, version: str | None) -> Spec:
    """Show one environment version in the form of azureml_environment.json, with its digests."""
    return session.client.environment(session.workspace, name, version)


@environment.command("download", example="sendoff environment download -n demo -d environment --overwrite")
@options.name("Its name.")
@_folder
@_version
@option("--overwrite", is_flag=True, help="Replace files that are there.")
@options.metadata_out
def download(session: Session, name: str, directory: str, version: str | None, overwrite: bool) -> Record:
    """Write an environment's folder form, which `environment register` and `--ed` read."""
    from ...spec.environment_files import save_to_directory
    from ...spec.parse import replace

    view = session.client.environment(session.workspace, name, version)
    spec = replace(view.spec, name=view.name, version=view.version)
    files = save_to_directory(spec, Path(directory), overwrite=overwrite)
    return {"name": view.name, "version": view.version, "directory": directory, "files": [str(file) for file in files]}


@environment.command("build", example="sendoff environment build -n demo")
@options.name("Its name.")
@_version
def build(session: Session, name: str, version: str | None) -> Spec:
    """Resolve an environment to a lock and build it, so that the first deploy has not to wait for it."""
    built = session.client.build_environment(session.workspace, name, version, session.say)
    session.say(f"Environment {built.name}:{built.version} is ready.")
    return built
