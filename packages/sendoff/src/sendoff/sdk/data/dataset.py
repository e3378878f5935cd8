"""The dataset (spec/surface.md sec. 2.14)."""

from __future__ import annotations

import builtins
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from ...client import Transfer
from ...errors import Conflict, InvalidInput, MissingExtra, NotSupported
from ...spec.dataset import (
    DROP,
    FILE,
    KEEP,
    SKIP,
    TAKE,
    Change,
    DatasetDefinition,
    RegisterDataset,
    UpdateDataset,
    check_definition,
)
from ...spec.dataset import Dataset as View
from ...spec.model import ManifestFile
from ...spec.parse import replace
from ..connection import client as shared_client
from ..exceptions import UserErrorException, as_sdk_errors, raised_as
from ..given import texts
from . import absent
from .factory import FileDatasetFactory, TabularDatasetFactory

if TYPE_CHECKING:
    from ...tabular import Table
    from ..workspace import Workspace


@absent.dataset
class AbstractDataset:
    """What tables and files have in common; the classes below are what is made."""

    Tabular = TabularDatasetFactory
    File = FileDatasetFactory

    _definition: DatasetDefinition
    _workspace: Workspace | None
    _view: View | None

    @classmethod
    def _made(cls, definition: DatasetDefinition, workspace: Workspace | None, validate: bool) -> Self:
        made = cls.__new__(cls)
        made._definition = check_definition(definition)
        made._workspace, made._view = workspace, None
        if validate:
            made._files()
        return made

    @staticmethod
    def _of(workspace: Workspace, view: View) -> TabularDataset | FileDataset:
        made: TabularDataset | FileDataset = (
            FileDataset.__new__(FileDataset) if view.kind == FILE else TabularDataset.__new__(TabularDataset)
        )
        made._definition, made._workspace, made._view = view.definition, workspace, view
        return made

    @property
    def id(self) -> str | None:
        """The version's id; None before it is registered."""
        return self._view.id if self._view is not None else None

    @property
    def name(self) -> str | None:
        """Its name; None before it is registered."""
        return self._view.name if self._view is not None else None

    @property
    def version(self) -> int | None:
        """Its version; None before it is registered."""
        return self._view.version if self._view is not None else None

    @property
    def description(self) -> str | None:
        """As given at registration."""
        return self._view.description if self._view is not None else None

    @property
    def tags(self) -> dict[str, str]:
        """Its tags."""
        return dict(self._view.tags) if self._view is not None else {}

    @property
    def data_changed_time(self) -> datetime | None:
        """When it was registered; None before."""
        return datetime.fromtimestamp(self._view.created_time, UTC) if self._view is not None else None

    @as_sdk_errors(UserErrorException)
    def register(
        self,
        workspace: Workspace,
        name: str,
        description: str | None = None,
        tags: dict[str, str] | None = None,
        create_new_version: bool = False,
    ) -> Self:
        """Keep it under a name.

        Args:
            workspace: Where to; the one whose datastores it reads.
            name: 1 to 255 letters, digits, blanks, ``-``, ``_``, ``.``.
            description: Free text.
            tags: Free.
            create_new_version: Needed when the name is taken.

        Returns:
            The registered dataset, with its ``id`` and ``version``.

        Raises:
            UserErrorException: The name is taken or not allowed, or the data is not there.
        """
        if self._workspace is not None and self._workspace.name != workspace.name:
            raise Conflict(
                f"the data lies in a datastore of workspace {self._workspace.name!r}, not of {workspace.name!r}",
                hint="Register it there, or upload the data to this workspace's datastore.",
            )
        body = RegisterDataset(
            name=name,
            definition=self._definition,
            description=description or "",
            tags=texts(tags),
            create_new_version=create_new_version,
        )
        made = AbstractDataset._of(workspace, workspace._client.register_dataset(workspace.name, body))
        assert isinstance(made, type(self))
        return made

    @staticmethod
    @as_sdk_errors(UserErrorException)
    def get_by_name(workspace: Workspace, name: str, version: int | str = "latest", **_: Any) -> Any:
        """A registered dataset; its newest version unless another is named.

        Raises:
            UserErrorException: There is none.
        """
        return AbstractDataset._of(workspace, workspace._client.dataset(workspace.name, f"{name}:{version}"))

    @staticmethod
    @as_sdk_errors(UserErrorException)
    def get_by_id(workspace: Workspace, id: str, **_: Any) -> Any:
        """The version with that id.

        Raises:
            UserErrorException: There is none.
        """
        return AbstractDataset._of(workspace, workspace._client.dataset(workspace.name, id))

    @staticmethod
    @as_sdk_errors(UserErrorException)
    def get_all(workspace: Workspace) -> dict[str, Any]:
        """The newest version of each registered dataset, by name."""
        found = workspace._client.datasets(workspace.name)
        return {str(view.name): AbstractDataset._of(workspace, view) for view in found}

    def add_tags(self, tags: dict[str, str] | None = None) -> Self:
        """Add tags, or change their values."""
        return self._update(UpdateDataset(add_tags=texts(tags)))

    def remove_tags(self, tags: builtins.list[str] | None = None) -> Self:
        """Remove tags by key."""
        return self._update(UpdateDataset(remove_tags=list(tags or ())))

    def update(self, description: str | None = None, tags: dict[str, str] | None = None) -> Self:
        """Change the description; ``tags`` replaces all tags."""
        return self._update(UpdateDataset(description=description, tags=None if tags is None else texts(tags)))

    @as_sdk_errors(UserErrorException)
    def unregister_all_versions(self) -> None:
        """Forget all versions of its name; the data stays."""
        workspace, view = self._registered()
        workspace._client.unregister_dataset(workspace.name, str(view.name))
        self._view = None

    def take(self, count: int) -> Self:
        """The same with its first ``count`` rows, or files, alone."""
        return self._changed(Change(action=TAKE, count=count))

    def skip(self, count: int) -> Self:
        """The same without its first ``count`` rows, or files."""
        return self._changed(Change(action=SKIP, count=count))

    @as_sdk_errors(UserErrorException)
    def _changed(self, change: Change) -> Self:
        definition = replace(self._definition, changes=[*self._definition.changes, change])
        return type(self)._made(definition, self._workspace, validate=False)

    @as_sdk_errors(UserErrorException)
    def _update(self, body: UpdateDataset) -> Self:
        workspace, view = self._registered()
        self._view = workspace._client.update_dataset(workspace.name, view.id, body)
        return self

    def _registered(self) -> tuple[Workspace, View]:
        if self._workspace is None or self._view is None:
            raise Conflict("the dataset is not registered", hint="Call register(workspace, name) first.")
        return self._workspace, self._view

    def _files(self) -> builtins.list[ManifestFile]:
        """The files that it speaks of at this moment; datastores are asked."""
        found: builtins.list[ManifestFile] = []
        for source in self._definition.sources:
            if source.datastore is None:
                found += source.files
                continue
            assert self._workspace is not None
            there = self._workspace._client.datastore_files(self._workspace.name, source.datastore, source.path)
            if not there:
                raise InvalidInput(
                    f"datastore {source.datastore!r} has no file at {source.path!r}",
                    hint="Upload it first: Datastore.upload_files.",
                    field="path",
                )
            found += [ManifestFile(path=file.path, digest=file.digest, size=file.size) for file in there]
        if self._definition.kind == FILE:
            for change in self._definition.changes:
                found = found[: change.count] if change.action == TAKE else found[change.count :]
        return found

    def _transfer(self) -> Transfer:
        return Transfer(self._workspace._client if self._workspace is not None else shared_client())

    def as_named_input(self, name: str) -> DatasetConsumptionConfig:
        """As an argument of a training script: it gets a path (files), or the dataset's id (tables)."""
        return DatasetConsumptionConfig(name, self)

    def __repr__(self) -> str:
        known = f"name={self.name!r}, version={self.version}, id={self.id!r}" if self._view else "not registered"
        paths = ", ".join(
            f"{one.datastore}:{one.path}" if one.datastore else one.path for one in self._definition.sources
        )
        return f"{type(self).__name__}({known}, source={paths!r})"


@absent.tabular_dataset
class TabularDataset(AbstractDataset):
    """Rows and columns. Made by ``Dataset.Tabular.from_…`` or fetched by `Dataset.get_by_name`."""

    @as_sdk_errors(UserErrorException)
    def to_pandas_dataframe(self, on_error: str = "null", out_of_range_datetime: str = "null") -> Any:
        """Read it all into a pandas data frame.

        Raises:
            UserErrorException: pandas is not installed, or a file is not what it was said to be.
        """
        try:
            import pandas
        except ImportError:
            raise MissingExtra(
                "to_pandas_dataframe() needs pandas", hint="pip install 'sendoff-ml[pandas]'", package="pandas"
            ) from None
        table = self._table()
        return pandas.DataFrame({place: table.column(name) for place, name in enumerate(table.columns)}).set_axis(
            table.columns, axis="columns"
        )

    @as_sdk_errors(UserErrorException)
    def to_records(self) -> builtins.list[dict[str, Any]]:
        """Read it all into a list with a dictionary a row; needs no pandas."""
        table = self._table()
        return [dict(zip(table.columns, row, strict=True)) for row in table.rows]

    def keep_columns(self, columns: str | builtins.list[str], validate: bool = False) -> TabularDataset:
        """The same with these columns alone, in this order."""
        listed = [columns] if isinstance(columns, str) else list(columns)
        return self._changed(Change(action=KEEP, columns=listed))

    def drop_columns(self, columns: str | builtins.list[str]) -> TabularDataset:
        """The same without these columns."""
        listed = [columns] if isinstance(columns, str) else list(columns)
        return self._changed(Change(action=DROP, columns=listed))

    def _table(self) -> Table:
        from ...tabular import DataFile, read_table

        open_ = self._transfer().reader()
        files = [DataFile(file.path, lambda digest=file.digest: open_(digest)) for file in self._files()]  # type: ignore[misc]
        return read_table(self._definition, files)


@absent.file_dataset
class FileDataset(AbstractDataset):
    """Files as they are. Made by ``Dataset.File.from_files`` or fetched by `Dataset.get_by_name`."""

    @as_sdk_errors(UserErrorException)
    def to_path(self) -> builtins.list[str]:
        """The files' paths, each with a leading ``/``, sorted as they are read."""
        return [f"/{file.path}" for file in self._files()]

    @as_sdk_errors(UserErrorException)
    def download(
        self, target_path: str | None = None, overwrite: bool = False, ignore_not_found: bool = False
    ) -> builtins.list[str]:
        """Copy its files below a folder, verified.

        Args:
            target_path: Made when it does not exist; None is a fresh temporary folder.
            overwrite: Replace files that are there.
            ignore_not_found: Taken for SDK v1's sake: a stored file is never missing.

        Returns:
            The paths of the copies.

        Raises:
            UserErrorException: A file is there already.
        """
        import tempfile

        folder = Path(target_path or tempfile.mkdtemp(prefix="sendoff-"))
        folder.mkdir(parents=True, exist_ok=True)
        files = self._files()
        self._transfer().get(files, folder, exist_ok=overwrite)
        return [str(folder / file.path) for file in files]

    def as_mount(self, path_on_compute: str | None = None) -> DatasetConsumptionConfig:
        """As an argument of a training script, which gets the path of a copy."""
        return DatasetConsumptionConfig("input", self, "mount", path_on_compute)

    def as_download(self, path_on_compute: str | None = None) -> DatasetConsumptionConfig:
        """As an argument of a training script, which gets the path of a copy."""
        return DatasetConsumptionConfig("input", self, "download", path_on_compute)


TabularDatasetFactory._makes = TabularDataset
FileDatasetFactory._makes = FileDataset


@dataclass(eq=False, repr=False)
class DatasetConsumptionConfig:
    """A dataset as an argument of a training script.

    Args:
        name: The input's name.
        dataset: The dataset.
        mode: direct, mount or download; files are copied in the last two.
        path_on_compute: Where to; None is a folder of its own.
    """

    name: str
    dataset: AbstractDataset
    mode: str = "direct"
    path_on_compute: str | None = None

    def as_mount(self, path_on_compute: str | None = None) -> DatasetConsumptionConfig:
        """The script gets the path of a copy."""
        return DatasetConsumptionConfig(self.name, self.dataset, "mount", path_on_compute)

    def as_download(self, path_on_compute: str | None = None) -> DatasetConsumptionConfig:
        """The script gets the path of a copy."""
        return DatasetConsumptionConfig(self.name, self.dataset, "download", path_on_compute)

    def _as_argument(self) -> str:
        if isinstance(self.dataset, FileDataset) and self.mode != "direct":
            import tempfile

            folder = self.path_on_compute or tempfile.mkdtemp(prefix="sendoff-data-")
            self.dataset.download(folder, overwrite=True)
            return str(folder)
        return str(self.dataset.id or "")


class Dataset(AbstractDataset):
    """The way to datasets: ``Dataset.Tabular``, ``Dataset.File``, ``Dataset.get_by_name``."""

    class Scenario:
        """What a dataset was to a model."""

        TRAINING = "training"
        VALIDATION = "validation"
        INFERENCING = "inferencing"

    def __init__(self, *_: Any, **__: Any) -> None:
        raise raised_as(
            UserErrorException,
            NotSupported(
                "a dataset is not made by calling Dataset",
                hint="Dataset.Tabular.from_delimited_files(…), Dataset.File.from_files(…) or "
                "Dataset.get_by_name(ws, name).",
            ),
        )


def saved(workspace: Workspace, dataset: Any) -> str:
    """The id of a dataset, an id itself, or of what is kept now for a job because it is not registered."""
    if isinstance(dataset, AbstractDataset):
        if dataset.id is not None:
            return dataset.id
        body = RegisterDataset(definition=dataset._definition)
        return workspace._client.register_dataset(workspace.name, body).id
    return str(getattr(dataset, "id", dataset))
