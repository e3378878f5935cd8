"""``sendoff datastore``: put files into datastores and fetch them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import click

from ...errors import InvalidInput
from ...spec.parse import Spec
from .. import options, records
from ..command import Group, option, together
from ..records import Record
from ..session import Session
from .cloud import refused


@click.group(cls=Group)
def datastore() -> None:
    """Put files into datastores and fetch them."""


_secret = options.ignored("--include-secret", is_flag=True, help="Taken for scripts' sake: there are none.")
_name = options.name("The datastore; else the default.", required=False)
_prefix = option("--prefix", "-p", default="", metavar="PATH", help="Only this path, this folder, or this pattern.")
_copying = together(
    option("--overwrite", is_flag=True, help="Replace files that are there."),
    option("--hide-progress", is_flag=True, help="Say nothing on the way."),
    options.metadata_out,
)


@datastore.command("list", columns=records.DATASTORES, example="sendoff datastore list -o table")
@_secret
@options.metadata_out
def list_(session: Session) -> Sequence[Spec]:
    """List datastores; their files lie in the blob store."""
    return session.client.datastores(session.workspace)


@datastore.command("show", columns=records.DATASTORES, example="sendoff datastore show -n workspaceblobstore")
@options.name("Its name.")
@_secret
@options.metadata_out
def show(session: Session, name: str) -> Spec:
    """Show one datastore and how much is in it."""
    return session.client.datastore(session.workspace, name)


@datastore.command("show-default", columns=records.DATASTORES, example="sendoff datastore show-default")
@_secret
@options.metadata_out
def show_default(session: Session) -> Spec:
    """Show the workspace's default datastore."""
    return session.client.datastore(session.workspace, _chosen(session, None))


@datastore.command(
    "set-default", columns=records.DATASTORES, example="sendoff datastore set-default -n workspacefilestore"
)
@options.name("Its name.")
@options.metadata_out
def set_default(session: Session, name: str) -> Spec:
    """Choose the workspace's default datastore."""
    return session.client.set_default_datastore(session.workspace, name)


@datastore.command("list-files", example="sendoff datastore list-files -p 'images/**'",
                   columns=(("Path", "path"), ("Size", "size"), ("Modified", "modifiedTime")))  # fmt: skip
@_name
@_prefix
def list_files(session: Session, name: str | None, prefix: str) -> Sequence[Spec]:
    """List files of a datastore."""
    return session.client.datastore_files(session.workspace, _chosen(session, name), prefix)


@datastore.command("upload", example="sendoff datastore upload -n workspaceblobstore -p data -u samples")
@_name
@option("--src-path", "-p", required=True, metavar="PATH", help="File or folder on this machine.")
@option("--target-path", "-u", default="", metavar="DIR", help="Folder in the datastore; else its root.")
@_copying
def upload(
    session: Session, name: str | None, src_path: str, target_path: str, overwrite: bool, hide_progress: bool
) -> Spec:
    """Copy a file or a folder's files into a datastore."""
    from ...client import Transfer
    from ...client.sources import local_files
    from ...spec.dataset import PutFiles, check_store_path

    root = check_store_path(target_path, "--target-path")
    named = [(f"{root}/{inner}" if root else inner, path) for inner, path in local_files(src_path)]
    say = (lambda _: None) if hide_progress else session.say
    stored = Transfer(session.client, say).put_files(named)
    done = session.client.put_datastore_files(
        session.workspace, _chosen(session, name), PutFiles(files=stored, overwrite=overwrite)
    )
    for path in done.skipped:
        say(f"note: {path} is there already; --overwrite replaces it.")
    say(f"Uploaded {len(done.changed)} files.")
    return done


@datastore.command("download", example="sendoff datastore download -p samples -d local")
@_name
@option("--target-path", "-d", required=True, metavar="DIR", help="Folder to write into; made when it is not there.")
@_prefix
@_copying
def download(
    session: Session, name: str | None, target_path: str, prefix: str, overwrite: bool, hide_progress: bool
) -> Record:
    """Copy files of a datastore to this machine; every byte is checked against its digest."""
    from ...client import Transfer
    from ...spec.model import ManifestFile

    chosen = _chosen(session, name)
    found = session.client.datastore_files(session.workspace, chosen, prefix)
    if not found:
        raise InvalidInput(f"datastore {chosen!r} has no file at {prefix!r}", hint="sendoff datastore list-files")
    files = [ManifestFile(path=file.path, digest=file.digest, size=file.size) for file in found]
    Path(target_path).mkdir(parents=True, exist_ok=True)
    Transfer(session.client, None if hide_progress else session.say).get(files, target_path, exist_ok=overwrite)
    return {"files": [str(Path(target_path) / file.path) for file in files]}


@datastore.command("remove-files", example="sendoff datastore remove-files -p samples/old.txt")
@_name
@option("--prefix", "-p", required=True, metavar="PATH", help="A path, a folder, or a pattern.")
def remove_files(session: Session, name: str | None, prefix: str) -> Spec:
    """Forget files of a datastore; `sendoff gc` then frees their space."""
    done = session.client.remove_datastore_files(session.workspace, _chosen(session, name), prefix)
    session.say(f"Removed {len(done.changed)} files.")
    return done


_ACCOUNTS = "Datastores lie in Sendoff's blob store. Copy the data in: sendoff datastore upload -p FOLDER"
for _kind in ("adls", "adls-gen2", "blob", "dbfs", "file", "mysqldb", "psqldb", "sqldb"):
    datastore.add_command(refused(f"datastore attach-{_kind}", "A datastore of a cloud account", _ACCOUNTS))
datastore.add_command(refused("datastore detach", "Forget a datastore", "Both datastores belong to every workspace."))


def _chosen(session: Session, name: str | None) -> str:
    if name is not None:
        return name
    return next(one.name for one in session.client.datastores(session.workspace) if one.is_default)
