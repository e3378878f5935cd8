"""``sendoff environment``: make, register, build and look at environments."""

from __future__ import annotations

from pathlib import Path

import click

from .. import options, records
from ..command import Command, Group, option, pass_session
from ..records import Record
from ..session import Session


@click.group(cls=Group)
def environment() -> None:
    """Make, register, build and look at environments."""


@environment.command("scaffold", cls=Command, example="sendoff environment scaffold -n demo -d environment")
@options.name("Its name.")
@option("--directory", "-d", required=True, metavar="DIR", help="Folder to write into; made when it is not there.")
@options.metadata_out
@pass_session
def scaffold(session: Session, name: str, directory: str, output_metadata_file: str | None) -> Record:
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
    record: Record = {"name": name, "directory": directory, "files": [str(file) for file in files]}
    options.write_metadata(output_metadata_file, record)
    session.say(f"Wrote {directory}. Edit its files, then: sendoff environment register -d {directory}")
    return record


@environment.command(
    "register", cls=Command, columns=records.ENVIRONMENTS, example="sendoff environment register -d environment"
)
@option("--directory", "-d", required=True, metavar="DIR|FILE",
        help="Folder that scaffold made, or a conda YAML, pip requirements or JSON environment file.")  # fmt: skip
@option("--name", "-n", default=None, metavar="NAME", help="Its name, in place of the file's.")
@options.metadata_out
@pass_session
def register(session: Session, directory: str, name: str | None, output_metadata_file: str | None) -> Record:
    """Register an environment. An equal definition keeps its version; a changed one gets the next."""
    from ...spec.environment_files import load

    notes: list[str] = []
    spec = load(directory, name=name, notes=notes)
    for note in notes:
        session.say(f"note: {note}")
    record = records.environment(session.client.register_environment(session.workspace, spec))
    options.write_metadata(output_metadata_file, record)
    session.say(f"Registered environment {record['name']}:{record['version']}.")
    return record


@environment.command(
    "list", cls=Command, columns=records.ENVIRONMENTS, example='sendoff environment list --query "[].name" -o tsv'
)
@options.metadata_out
@pass_session
def list_(session: Session, output_metadata_file: str | None) -> list[Record]:
    """List the newest version of each environment."""
    found = [records.environment(view) for view in session.client.environments(session.workspace)]
    options.write_metadata(output_metadata_file, found)
    return found


_version = option(
    "--environment-version", "--version", "-v", "version", default=None, metavar="VERSION", help="Else the newest."
)


@environment.command(
    "show", cls=Command, columns=records.ENVIRONMENTS, example="sendoff environment show -n demo --version 1 -o json"
)
@options.name("Its name.")
@_version
@options.metadata_out
@pass_session
def show(session: Session, name: str, version: str | None, output_metadata_file: str | None) -> Record:
    """Show one environment version in the form of azureml_environment.json, with its digests."""
    record = records.environment(session.client.environment(session.workspace, name, version))
    options.write_metadata(output_metadata_file, record)
    return record


@environment.command("download", cls=Command, example="sendoff environment download -n demo -d environment --overwrite")
@options.name("Its name.")
@option("--directory", "-d", required=True, metavar="DIR", help="Folder to write into; made when it is not there.")
@_version
@option("--overwrite", is_flag=True, help="Replace files that are there.")
@options.metadata_out
@pass_session
def download(
    session: Session, name: str, directory: str, version: str | None, overwrite: bool, output_metadata_file: str | None
) -> Record:
    """Write an environment's folder form, which `environment register` and `--ed` read."""
    from ...spec.environment_files import save_to_directory
    from ...spec.parse import replace

    view = session.client.environment(session.workspace, name, version)
    spec = replace(view.spec, name=view.name, version=view.version)
    files = save_to_directory(spec, Path(directory), overwrite=overwrite)
    record: Record = {
        "name": view.name,
        "version": view.version,
        "directory": directory,
        "files": [str(file) for file in files],
    }
    options.write_metadata(output_metadata_file, record)
    return record


@environment.command("build", cls=Command, example="sendoff environment build -n demo")
@options.name("Its name.")
@_version
@pass_session
def build(session: Session, name: str, version: str | None) -> Record:
    """Resolve an environment to a lock and build it, so that the first deploy has not to wait for it."""
    built = session.client.build_environment(session.workspace, name, version, session.say)
    session.say(f"Environment {built.name}:{built.version} is ready.")
    return dict(records.plain(built))
