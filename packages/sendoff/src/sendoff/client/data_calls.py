"""Datastores, datasets, and profiles, which take one."""

from __future__ import annotations

from ..spec.dataset import (
    Dataset,
    Datastore,
    DatastoreFile,
    FilesChanged,
    PutFiles,
    RegisterDataset,
    RemoveFiles,
    UpdateDataset,
)
from ..spec.model import ManifestFile
from ..spec.profile import CreateProfile, Profile
from .caller import Caller, q


class DataCalls(Caller):
    """The routes of datastores, datasets and profiles as methods."""

    def datastores(self, workspace: str) -> list[Datastore]:
        """A workspace's datastores."""
        return self._list(Datastore, f"/workspaces/{q(workspace)}/datastores")

    def datastore(self, workspace: str, name: str) -> Datastore:
        """One datastore. Raises `NotFound`."""
        return self._get(Datastore, f"/workspaces/{q(workspace)}/datastores/{q(name)}")

    def set_default_datastore(self, workspace: str, name: str) -> Datastore:
        """Make it the workspace's default."""
        return self._send(Datastore, "POST", f"/workspaces/{q(workspace)}/datastores/{q(name)}/default")

    def datastore_files(self, workspace: str, name: str, path: str = "") -> list[DatastoreFile]:
        """Files at a path, below a folder or that match a pattern; all of them for an empty path."""
        return self._list(DatastoreFile, f"/workspaces/{q(workspace)}/datastores/{q(name)}/files", path=path or None)

    def put_datastore_files(self, workspace: str, name: str, body: PutFiles) -> FilesChanged:
        """Put blobs that are stored already at paths."""
        return self._send(FilesChanged, "POST", f"/workspaces/{q(workspace)}/datastores/{q(name)}/files", body)

    def remove_datastore_files(self, workspace: str, name: str, path: str) -> FilesChanged:
        """Forget files. Raises `NotFound` when nothing is there."""
        where = f"/workspaces/{q(workspace)}/datastores/{q(name)}/remove"
        return self._send(FilesChanged, "POST", where, RemoveFiles(path=path))

    def register_dataset(self, workspace: str, body: RegisterDataset) -> Dataset:
        """Make a dataset or its next version. Raises `AlreadyExists`."""
        return self._send(Dataset, "POST", f"/workspaces/{q(workspace)}/datasets", body)

    def datasets(self, workspace: str, *, name: str | None = None, versions: bool = False) -> list[Dataset]:
        """The newest version of each dataset, or all of them."""
        return self._list(Dataset, f"/workspaces/{q(workspace)}/datasets", name=name, versions=versions or None)

    def dataset(self, workspace: str, key: str) -> Dataset:
        """One version by id or ``name:version``, or the newest by ``name``. Raises `NotFound`."""
        return self._get(Dataset, f"/workspaces/{q(workspace)}/datasets/{q(key)}")

    def dataset_files(self, workspace: str, key: str) -> list[ManifestFile]:
        """The files that a version speaks of at this moment, in order."""
        return self._list(ManifestFile, f"/workspaces/{q(workspace)}/datasets/{q(key)}/files")

    def update_dataset(self, workspace: str, key: str, body: UpdateDataset) -> Dataset:
        """Change description, tags or state of a version."""
        return self._send(Dataset, "PATCH", f"/workspaces/{q(workspace)}/datasets/{q(key)}", body)

    def create_profile(self, workspace: str, body: CreateProfile) -> Profile:
        """Start measuring and return at once."""
        return self._send(Profile, "POST", f"/workspaces/{q(workspace)}/profiles", body)

    def profiles(self, workspace: str, *, model: str | None = None) -> list[Profile]:
        """A workspace's profiles, newest first."""
        return self._list(Profile, f"/workspaces/{q(workspace)}/profiles", model=model)

    def profile(self, workspace: str, key: str) -> Profile:
        """One by id, or the newest of a name. Raises `NotFound`."""
        return self._get(Profile, f"/workspaces/{q(workspace)}/profiles/{q(key)}")

    def unregister_dataset(self, workspace: str, name: str) -> None:
        """Forget all versions of a name."""
        self._send(None, "DELETE", f"/workspaces/{q(workspace)}/datasets/{q(name)}")
