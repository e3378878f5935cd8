"""Datastores, datasets, and profiles, which take one."""

from __future__ import annotations

from ..spec import dataset as spec
from ..spec.model import ManifestFile
from ..spec.profile import CreateProfile, Profile
from .caller import Caller, of


class DataCalls(Caller):
    """The routes of datastores, datasets and profiles as methods."""

    def datastores(self, workspace: str) -> list[spec.Datastore]:
        """A workspace's datastores."""
        return self._list(spec.Datastore, of(workspace, "datastores"))

    def datastore(self, workspace: str, name: str) -> spec.Datastore:
        """One datastore. Raises `NotFound`."""
        return self._get(spec.Datastore, of(workspace, "datastores", name))

    def set_default_datastore(self, workspace: str, name: str) -> spec.Datastore:
        """Make it the workspace's default."""
        return self._send(spec.Datastore, "POST", of(workspace, "datastores", name, "default"))

    def datastore_files(self, workspace: str, name: str, path: str = "") -> list[spec.DatastoreFile]:
        """Files at a path, below a folder or that match a pattern; all of them for an empty path."""
        return self._list(spec.DatastoreFile, of(workspace, "datastores", name, "files"), path=path or None)

    def put_datastore_files(self, workspace: str, name: str, body: spec.PutFiles) -> spec.FilesChanged:
        """Put blobs that are stored already at paths."""
        return self._send(spec.FilesChanged, "POST", of(workspace, "datastores", name, "files"), body)

    def remove_datastore_files(self, workspace: str, name: str, path: str) -> spec.FilesChanged:
        """Forget files. Raises `NotFound` when nothing is there."""
        body = spec.RemoveFiles(path=path)
        return self._send(spec.FilesChanged, "POST", of(workspace, "datastores", name, "remove"), body)

    def register_dataset(self, workspace: str, body: spec.RegisterDataset) -> spec.Dataset:
        """Make a dataset or its next version. Raises `AlreadyExists`."""
        return self._send(spec.Dataset, "POST", of(workspace, "datasets"), body)

    def datasets(self, workspace: str, *, name: str | None = None, versions: bool = False) -> list[spec.Dataset]:
        """The newest version of each dataset, or all of them."""
        return self._list(spec.Dataset, of(workspace, "datasets"), name=name, versions=versions or None)

    def dataset(self, workspace: str, key: str) -> spec.Dataset:
        """One version by id or ``name:version``, or the newest by ``name``. Raises `NotFound`."""
        return self._get(spec.Dataset, of(workspace, "datasets", key))

    def dataset_files(self, workspace: str, key: str) -> list[ManifestFile]:
        """The files that a version speaks of at this moment, in order."""
        return self._list(ManifestFile, of(workspace, "datasets", key, "files"))

    def update_dataset(self, workspace: str, key: str, body: spec.UpdateDataset) -> spec.Dataset:
        """Change description, tags or state of a version."""
        return self._send(spec.Dataset, "PATCH", of(workspace, "datasets", key), body)

    def create_profile(self, workspace: str, body: CreateProfile) -> Profile:
        """Start measuring and return at once."""
        return self._send(Profile, "POST", of(workspace, "profiles"), body)

    def profiles(self, workspace: str, *, model: str | None = None) -> list[Profile]:
        """A workspace's profiles, newest first."""
        return self._list(Profile, of(workspace, "profiles"), model=model)

    def profile(self, workspace: str, key: str) -> Profile:
        """One by id, or the newest of a name. Raises `NotFound`."""
        return self._get(Profile, of(workspace, "profiles", key))

    def unregister_dataset(self, workspace: str, name: str) -> None:
        """Forget all versions of a name."""
        self._send(None, "DELETE", of(workspace, "datasets", name))
