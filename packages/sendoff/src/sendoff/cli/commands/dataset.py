"""``sendoff dataset``: register, find and look into datasets."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ...errors import InvalidInput
from ...spec.parse import Spec
from .. import options, records
from ..command import Group, option, together
from ..records import Record
from ..session import Session

if TYPE_CHECKING:
    from ...spec.dataset import DataSource


@click.group(cls=Group)
def dataset() -> None:
    """Register, find and look into datasets."""


_EXAMPLE = """\
sendoff dataset register -n samples -p requests.txt --separator '\\n' --header NO_HEADERS --create-new-version
sendoff dataset register --show-template > dataset.json
sendoff dataset register -f dataset.json"""
_id = option("--id", "-i", "id_", default=None, metavar="ID", help="Its id.")
_id_or_name = together(_id, option("--name", "-n", default=None, metavar="NAME", help="Its name; all its versions."))
_one = together(
    _id,
    option("--name", "-n", default=None, metavar="NAME", help="Its name."),
    option("--version", "-v", "version", default=None, metavar="VERSION", help="With --name; else the newest."),
)


@dataset.command("register", columns=records.DATASETS, example=_EXAMPLE)
@option("--file", "-f", default=None, metavar="FILE", help="JSON or YAML file that describes it.")
@option("--show-template", is_flag=True, help="Print such a file and do nothing else.")
@option("--skip-validation", is_flag=True, help="Do not ask that its data is there now.")
@option("--name", "-n", default=None, metavar="NAME", help="Without -f: its name.")
@option(
    "--dataset-path", "-p", "paths", multiple=True, metavar="PATH",
    help="Without -f: DATASTORE:PATH, a local file, folder or pattern, or an https:// address; repeat for more.",
)  # fmt: skip
@option("--kind", type=click.Choice(["tabular", "file"]), default="tabular", help="Rows, or files as they are.")
@option(
    "--source-type", type=click.Choice(["delimited", "json_lines", "parquet"]), default="delimited",
    help="With tabular: how rows are written.",
)  # fmt: skip
@option("--separator", default=",", metavar="CHAR", help=r"With delimited: \n takes each line as one column.")
@option("--header", default="ALL_FILES_HAVE_SAME_HEADERS", metavar="BEHAVIOR",
        help="With delimited: NO_HEADERS, ONLY_FIRST_FILE_HAS_HEADERS, COMBINE_ALL_FILES_HEADERS or "
        "ALL_FILES_HAVE_SAME_HEADERS.")  # fmt: skip
@option("--description", default="", metavar="TEXT", help="What it is.")
@options.tag()
@option("--create-new-version", is_flag=True, help="Make the next version when the name is taken.")
@options.metadata_out
def register(session: Session, file: str | None, show_template: bool, kind: str, **flags: Any) -> Spec | Record:
    """Register a dataset, or the next version of one.

    What is in a datastore is looked up whenever the dataset is read; local files and addresses are copied in now.
    """
    from ...spec import dataset as spec
    from ...spec import dataset_files

    if show_template:
        session.metadata_file = None
        return dataset_files.TEMPLATES[kind]
    if file is not None:
        from ...spec.parse import read_file

        said = dataset_files.parse_dataset_file(read_file(file, "dataset file"), file)
        folder = Path(file).parent
    else:
        if flags["name"] is None or not flags["paths"]:
            raise InvalidInput(
                "--name and --dataset-path are missing, or --file",
                hint="sendoff dataset register -n NAME -p PATH; --show-template prints a file to begin from.",
            )
        stores = {one.name for one in session.client.datastores(session.workspace)}
        reading = spec.Reading(
            form=flags["source_type"],
            separator=dataset_files.separator_of(flags["separator"]),
            header=dataset_files.header_of(flags["header"], "--header"),
        )
        said = dataset_files.DatasetFile(
            name=flags["name"],
            kind=kind,
            paths=[_split(path, stores) for path in flags["paths"]],
            reading=reading if kind == spec.TABULAR else None,
            description=flags["description"],
            tags=options.pairs(flags["tags"], "--tag"),
            create_new_version=flags["create_new_version"],
        )
        folder = Path()
    spec.check_dataset_name(said.name)
    definition = spec.DatasetDefinition(
        kind=said.kind, reading=said.reading, sources=[_source(session, path, folder) for path in said.paths]
    )
    body = spec.RegisterDataset(
        name=said.name,
        definition=definition,
        description=said.description,
        tags=said.tags,
        create_new_version=said.create_new_version,
        validate=not flags["skip_validation"],
    )
    view = session.client.register_dataset(session.workspace, body)
    session.say(f"Registered dataset {view.name}:{view.version}, id {view.id}.")
    return view


@dataset.command("list", columns=records.DATASETS, example='sendoff dataset list --query "[].name" -o tsv')
@option("--name", "-n", default=None, metavar="NAME", help="Only this dataset.")
@option("--all-versions", is_flag=True, help="All versions, archived ones too; else the newest of each.")
@options.metadata_out
def list_(session: Session, name: str | None, all_versions: bool) -> Sequence[Spec]:
    """List datasets, the newest version of each."""
    return session.client.datasets(session.workspace, name=name, versions=all_versions)


@dataset.command("show", columns=records.DATASETS, example="sendoff dataset show -n samples --version 2")
@_one
@options.metadata_out
def show(session: Session, id_: str | None, name: str | None, version: str | None) -> Spec:
    """Show one dataset version with how it is read."""
    return session.client.dataset(session.workspace, _key(id_, name, version))


@dataset.command("preview", example="sendoff dataset preview -n samples --count 3 -o table")
@_one
@option("--count", "-c", type=click.IntRange(min=1), default=5, help="Rows, or files.")
def preview(session: Session, id_: str | None, name: str | None, version: str | None, count: int) -> Any:
    """Print the first rows of a tabular dataset, or the first paths of one of files."""
    from ...client import Transfer
    from ...spec.dataset import FILE, TAKE, Change
    from ...spec.parse import replace
    from ...tabular import DataFile, read_table

    view = session.client.dataset(session.workspace, _key(id_, name, version))
    files = session.client.dataset_files(session.workspace, view.id)
    if view.kind == FILE:
        return files[:count]
    changes = [*view.definition.changes, Change(action=TAKE, count=count)]
    open_ = Transfer(session.client).reader()
    table = read_table(
        replace(view.definition, changes=changes),
        [DataFile(file.path, lambda digest=file.digest: open_(digest)) for file in files],  # type: ignore[misc]
    )
    rows = [dict(zip(table.columns, row, strict=True)) for row in table.rows]
    plain: list[Record] = json.loads(json.dumps(rows, default=str))
    return plain


@dataset.command("archive", columns=records.DATASETS, example="sendoff dataset archive -n samples")
@_id_or_name
@options.metadata_out
def archive(session: Session, id_: str | None, name: str | None) -> Spec:
    """Leave a dataset out of lists; it can still be read by name and id."""
    return _state(session, _key(id_, name, None), "archived")


@dataset.command("reactivate", columns=records.DATASETS, example="sendoff dataset reactivate -n samples")
@_id_or_name
@options.metadata_out
def reactivate(session: Session, id_: str | None, name: str | None) -> Spec:
    """Undo archive or deprecate."""
    return _state(session, _key(id_, name, None), "active")


@dataset.command("deprecate", columns=records.DATASETS, example="sendoff dataset deprecate -n old -d ID")
@_id
@option("--name", "-n", default=None, metavar="NAME", help="Its name.")
@option("--deprecate-by-id", "-d", required=True, metavar="ID", help="The dataset that takes its place.")
@options.metadata_out
def deprecate(session: Session, id_: str | None, name: str | None, deprecate_by_id: str) -> Spec:
    """Say that another dataset takes this one's place."""
    return _state(session, _key(id_, name, None), "deprecated", by=deprecate_by_id)


@dataset.command("unregister", example="sendoff dataset unregister -n samples")
@options.name("Its name; all its versions go.")
@options.metadata_out
def unregister(session: Session, name: str) -> Record:
    """Forget all versions of a dataset; the data in datastores stays."""
    session.client.unregister_dataset(session.workspace, name)
    session.say(f"Unregistered dataset {name}.")
    return {"name": name}


def _state(session: Session, key: str, state: str, by: str | None = None) -> Spec:
    from ...spec.dataset import UpdateDataset

    client, ws = session.client, session.workspace
    view = client.dataset(ws, key)
    versions = [view] if key == view.id or view.name is None else client.datasets(ws, name=view.name, versions=True)
    for one in versions:
        client.update_dataset(ws, one.id, UpdateDataset(state=state, deprecated_by=by))
    return client.dataset(ws, view.id)


def _key(id_: str | None, name: str | None, version: str | None) -> str:
    if (id_ is None) == (name is None):
        raise InvalidInput("one of --id and --name is needed", hint="sendoff dataset list shows both.")
    if id_ is not None:
        return id_
    return f"{name}:{version}" if version is not None else str(name)


def _split(path: str, stores: set[str]) -> DataSource:
    from ...spec.dataset import DataSource

    store, colon, inner = path.partition(":")
    return DataSource(path=inner, datastore=store) if colon and store in stores else DataSource(path=path)


def _source(session: Session, said: DataSource, folder: Path) -> DataSource:
    from ...client.sources import copied_in
    from ...spec.dataset import check_store_path
    from ...spec.parse import replace

    if said.datastore is not None:
        return replace(said, path=check_store_path(said.path, "path"))
    return copied_in(session.client, said.path if "://" in said.path else str(folder / said.path), session.say)
