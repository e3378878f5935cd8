"""The datastore (spec/surface.md sec. 2.14)."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ...client import Transfer
from ...errors import InvalidInput
from ...spec.dataset import PutFiles
from ..exceptions import UserErrorException, as_sdk_errors
from ..saying import say
from . import absent
from .reference import DataReference

if TYPE_CHECKING:
    from ...spec.dataset import Datastore as View
    from ..workspace import Workspace


@absent.datastore
class Datastore:
    """A place for files, kept in the blob store. Every workspace has ``workspaceblobstore``, its default.

    Args:
        workspace: Whose it is.
        name: Its name; None is the default.

    Raises:
        UserErrorException: There is none of that name.
    """

    # What SDK v1's storage accounts had; files lie in Sendoff's own blob store.
    blob_service: Any = None
    workspace_msi_has_access = False
    service_data_access_auth_identity: str | None = None
    subscription_id: str | None = None
    resource_group: str | None = None
    container_name: str | None = None
    account_name: str | None = None
    sas_token: str | None = None
    account_key: str | None = None
    credential_type: str | None = None
    protocol: str | None = None
    endpoint: str | None = None
    is_sas = False

    @as_sdk_errors(UserErrorException)
    def __init__(self, workspace: Workspace, name: str | None = None, **_: Any) -> None:
        self.workspace = workspace
        client = workspace._client
        if name is None:
            found = next(one for one in client.datastores(workspace.name) if one.is_default)
        else:
            found = client.datastore(workspace.name, name)
        self.name: str = found.name
        self.datastore_type: str = found.type

    @classmethod
    def _of(cls, workspace: Workspace, view: View) -> Datastore:
        made = cls.__new__(cls)
        made.workspace, made.name, made.datastore_type = workspace, view.name, view.type
        return made

    @staticmethod
    def get(workspace: Workspace, datastore_name: str) -> Datastore:
        """The datastore of that name.

        Raises:
            UserErrorException: There is none.
        """
        return Datastore(workspace, datastore_name)

    @staticmethod
    def get_default(workspace: Workspace) -> Datastore:
        """The workspace's default."""
        return Datastore(workspace)

    @as_sdk_errors(UserErrorException)
    def set_as_default(self) -> None:
        """Make it the workspace's default."""
        self.workspace._client.set_default_datastore(self.workspace.name, self.name)

    @as_sdk_errors(UserErrorException)
    def upload(
        self, src_dir: str, target_path: str | None = None, overwrite: bool = False, show_progress: bool = True
    ) -> DataReference:
        """Copy a folder's files into the datastore.

        Args:
            src_dir: Local folder; its files keep their paths below it.
            target_path: Folder in the datastore; None is its root.
            overwrite: Replace what is there; otherwise files that are there are left alone.
            show_progress: Say what is copied.

        Returns:
            The place of the files.

        Raises:
            UserErrorException: No such folder, or a path is not allowed.
        """
        folder = Path(src_dir)
        if not folder.is_dir():
            raise InvalidInput(f"{src_dir} is no folder", hint=f"Looked in {Path.cwd()}.", field="src_dir")
        files = [(path.relative_to(folder).as_posix(), path) for path in sorted(folder.rglob("*")) if path.is_file()]
        if not files:
            raise InvalidInput(f"folder {src_dir} holds no files", field="src_dir")
        return self._put(files, target_path, overwrite, show_progress)

    @as_sdk_errors(UserErrorException)
    def upload_files(
        self,
        files: Sequence[str],
        relative_root: str | None = None,
        target_path: str | None = None,
        overwrite: bool = False,
        show_progress: bool = True,
    ) -> DataReference:
        """Copy listed files into the datastore.

        Args:
            files: Local paths.
            relative_root: Files keep their paths below this folder; None keeps their names alone.
            target_path: Folder in the datastore; None is its root.
            overwrite: Replace what is there; otherwise files that are there are left alone.
            show_progress: Say what is copied.

        Returns:
            The place of the files.

        Raises:
            UserErrorException: A file is missing, lies outside ``relative_root``, or two have one name.
        """
        listed = [files] if isinstance(files, str | os.PathLike) else list(files)
        if not listed:
            raise InvalidInput("no files to upload", field="files")
        named = [(_name(Path(one), relative_root), Path(one)) for one in listed]
        return self._put(named, target_path, overwrite, show_progress)

    def _put(self, files: Sequence[tuple[str, Path]], target: str | None, overwrite: bool, show: bool) -> DataReference:
        root = (target or "").removeprefix("./").strip("/")
        names = [(f"{root}/{name}" if root else name, path) for name, path in files]
        if show:
            say(f"Uploading an estimated of {len(names)} files")
        client = self.workspace._client
        stored = Transfer(client, say if show else None).put_files(names)
        body = PutFiles(files=stored, overwrite=overwrite)
        done = client.put_datastore_files(self.workspace.name, self.name, body)
        if show:
            for path in done.skipped:
                say(f"Target already exists. Skipping upload for {path}")
            say(f"Uploaded {len(done.changed)} files")
        return DataReference(self, path_on_datastore=root or None)

    @as_sdk_errors(UserErrorException)
    def download(
        self, target_path: str, prefix: str | None = None, overwrite: bool = False, show_progress: bool = True
    ) -> int:
        """Copy files out of the datastore, verified; each keeps its whole path below ``target_path``.

        Args:
            target_path: Local folder; made when it does not exist.
            prefix: Only this path, this folder, or what matches this pattern.
            overwrite: Replace files that are there; otherwise they are left alone.
            show_progress: Say how many there were.

        Returns:
            How many files were written.
        """
        client = self.workspace._client
        found = client.datastore_files(self.workspace.name, self.name, prefix or "")
        fresh = [file for file in found if overwrite or not (Path(target_path) / file.path).exists()]
        from ...spec.model import ManifestFile

        files = [ManifestFile(path=file.path, digest=file.digest, size=file.size) for file in fresh]
        Path(target_path).mkdir(parents=True, exist_ok=True)
        if files:
            Transfer(client, say if show_progress else None).get(files, target_path, exist_ok=overwrite)
        if show_progress:
            say(f"Downloaded {len(files)} files out of {len(found)}")
        return len(files)

    def path(self, path: str | None = None, data_reference_name: str | None = None) -> DataReference:
        """A path in it, for a dataset."""
        return DataReference(self, data_reference_name, path)

    def as_mount(self) -> DataReference:
        """Its root, as an argument of a training script."""
        return self.path().as_mount()

    def as_download(self, path_on_compute: str | None = None) -> DataReference:
        """Its root, as an argument of a training script."""
        return self.path().as_mount()

    def as_upload(self, path_on_compute: str | None = None) -> DataReference:
        """Its root, as an argument of a training script."""
        return self.path().as_mount()

    def __repr__(self) -> str:
        return f"Datastore(workspace={self.workspace.name!r}, name={self.name!r}, type={self.datastore_type!r})"


AzureBlobDatastore = Datastore


def _name(path: Path, root: str | None) -> str:
    if not path.is_file():
        raise InvalidInput(f"{path} is no file", hint=f"Looked in {Path.cwd()}.", field="files")
    if root is None:
        return path.name
    try:
        return path.absolute().resolve().relative_to(Path(root).absolute().resolve()).as_posix()
    except ValueError:
        raise InvalidInput(f"{path} is not below relative_root {root}", field="relative_root") from None
