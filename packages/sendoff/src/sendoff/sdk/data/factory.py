"""Making datasets (spec/surface.md sec. 2.14): ``Dataset.Tabular`` and ``Dataset.File``."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ...client.sources import copied_in
from ...errors import InvalidInput, MissingExtra, NotSupported
from ...spec.dataset import (
    DELIMITED,
    FILE,
    JSON_LINES,
    PARQUET,
    TABULAR,
    ColumnType,
    DatasetDefinition,
    DataSource,
    Reading,
    check_definition,
)
from ..connection import client as shared_client
from ..exceptions import UserErrorException, as_sdk_errors
from ..saying import say
from . import absent
from .datastore import Datastore
from .reference import DataPath, DataReference
from .types import DataType, encoding_of, header_of

if TYPE_CHECKING:
    from ..workspace import Workspace
    from .dataset import FileDataset, TabularDataset


@absent.tabular_factory
class TabularDatasetFactory:
    """``Dataset.Tabular``: rows and columns."""

    _makes: type[TabularDataset]
    """Told by the file of datasets, whose classes have the factories as members."""

    @staticmethod
    @as_sdk_errors(UserErrorException)
    def from_delimited_files(
        path: Any,
        validate: bool = True,
        include_path: bool = False,
        infer_column_types: bool = True,
        set_column_types: dict[str, DataType] | None = None,
        separator: str = ",",
        header: Any = True,
        partition_format: str | None = None,
        support_multi_line: bool = False,
        empty_as_string: bool = False,
        encoding: Any = "utf8",
    ) -> TabularDataset:
        """Rows of comma-separated files and their like.

        Args:
            path: ``(datastore, path)``, a local path or pattern, an ``https://`` address, a `DataPath`, or a list of
                them. What is in a datastore is looked up when it is read; anything else is copied in now.
            validate: Whether something has to be there now.
            include_path: A first column ``Path`` names each row's file.
            infer_column_types: Numbers, truth values and times are made of text where a whole column allows it.
            set_column_types: Types of columns by name.
            separator: One character. ``"\\n"`` takes each line as it is as one column, quotes and commas and all.
            header: True, False, or a `PromoteHeadersBehavior`.
            partition_format: Not supported.
            support_multi_line: Quoted fields may hold line ends.
            empty_as_string: Empty fields are empty text, not missing.
            encoding: A name, or a `FileEncoding`.

        Raises:
            UserErrorException: Nothing is there, or an argument is not allowed.
        """
        _refuse_partitions(partition_format)
        return _tabular(
            path,
            validate,
            form=DELIMITED,
            separator=separator,
            header=header_of(header),
            encoding=encoding_of(encoding),
            infer_column_types=infer_column_types,
            column_types=_types(set_column_types),
            multi_line=support_multi_line,
            empty_as_string=empty_as_string,
            include_path=include_path,
        )

    @staticmethod
    @as_sdk_errors(UserErrorException)
    def from_json_lines_files(
        path: Any,
        validate: bool = True,
        include_path: bool = False,
        set_column_types: dict[str, DataType] | None = None,
        partition_format: str | None = None,
        invalid_lines: str = "error",
        encoding: Any = "utf8",
    ) -> TabularDataset:
        """A JSON object a line; its keys are the columns. ``invalid_lines='drop'`` leaves others out."""
        _refuse_partitions(partition_format)
        types = _types(set_column_types)
        how = {"include_path": include_path, "invalid_lines": invalid_lines, "encoding": encoding_of(encoding)}
        return _tabular(path, validate, form=JSON_LINES, column_types=types, **how)

    @staticmethod
    @as_sdk_errors(UserErrorException)
    def from_parquet_files(
        path: Any,
        validate: bool = True,
        include_path: bool = False,
        set_column_types: dict[str, DataType] | None = None,
        partition_format: str | None = None,
    ) -> TabularDataset:
        """Parquet files; reading them needs pyarrow (``pip install 'sendoff-ml[parquet]'``)."""
        _refuse_partitions(partition_format)
        if set_column_types:
            raise NotSupported("Parquet files carry their own types", hint="Leave set_column_types out.")
        return _tabular(path, validate, form=PARQUET, include_path=include_path)

    @staticmethod
    @as_sdk_errors(UserErrorException)
    def register_pandas_dataframe(
        dataframe: Any,
        target: Any,
        name: str,
        description: str | None = None,
        tags: dict[str, str] | None = None,
        show_progress: bool = True,
        row_group_size: int | None = None,
        make_target_path_unique: bool = True,
    ) -> TabularDataset:
        """Write a data frame into a datastore as Parquet, and register it as a dataset's next version.

        Args:
            dataframe: A pandas data frame.
            target: A datastore, ``(datastore, folder)`` or a `DataPath`.
            name: The dataset's name.
            description: Free text.
            tags: Free.
            show_progress: Say what is done.
            row_group_size: Rows a group in the file.
            make_target_path_unique: Write into a new folder below the target.

        Raises:
            UserErrorException: pyarrow is missing, or the target is none.
        """
        import uuid

        place = _place(target)
        parts = ((place.path_on_datastore or "").strip("/"), str(uuid.uuid4()) if make_target_path_unique else "")
        folder = "/".join(part for part in parts if part)
        with tempfile.TemporaryDirectory() as scratch:
            file = Path(scratch, "part-00000.parquet")
            try:
                dataframe.to_parquet(file, index=False, row_group_size=row_group_size)
            except ImportError:
                raise MissingExtra(
                    "writing Parquet needs pyarrow", hint="pip install 'sendoff-ml[parquet]'", package="pyarrow"
                ) from None
            place.datastore.upload_files([str(file)], target_path=folder, overwrite=True, show_progress=show_progress)
        made = TabularDatasetFactory.from_parquet_files([(place.datastore, f"{folder}/part-00000.parquet".lstrip("/"))])
        return made.register(
            place.datastore.workspace, name, description=description, tags=tags, create_new_version=True
        )


class FileDatasetFactory:
    """``Dataset.File``: files as they are."""

    _makes: type[FileDataset]
    """Told by the file of datasets, whose classes have the factories as members."""

    @staticmethod
    @as_sdk_errors(UserErrorException)
    def from_files(
        path: Any, validate: bool = True, partition_format: str | None = None, is_file: bool = False
    ) -> FileDataset:
        """Files at paths; as `TabularDatasetFactory.from_delimited_files` takes them."""
        _refuse_partitions(partition_format)
        sources, workspace = _sources(path)
        return FileDatasetFactory._makes._made(DatasetDefinition(kind=FILE, sources=sources), workspace, validate)

    @staticmethod
    @as_sdk_errors(UserErrorException)
    def upload_directory(
        src_dir: str, target: Any, pattern: str | None = None, overwrite: bool = False, show_progress: bool = True
    ) -> FileDataset:
        """Copy a folder into a datastore and make a dataset of it.

        Args:
            src_dir: Local folder.
            target: A datastore, ``(datastore, folder)`` or a `DataPath`.
            pattern: Only files whose path below the folder matches.
            overwrite: Replace what is there.
            show_progress: Say what is copied.
        """
        place = _place(target)
        folder = Path(src_dir)
        if pattern:
            files = [str(path) for path in sorted(folder.glob(pattern)) if path.is_file()]
            done = place.datastore.upload_files(files, src_dir, place.path_on_datastore, overwrite, show_progress)
        else:
            done = place.datastore.upload(src_dir, place.path_on_datastore, overwrite, show_progress)
        return FileDatasetFactory.from_files((place.datastore, done.path_on_datastore or ""))


def _tabular(path: Any, validate: bool, **reading: Any) -> TabularDataset:
    sources, workspace = _sources(path)
    definition = DatasetDefinition(kind=TABULAR, sources=sources, reading=Reading(**reading))
    return TabularDatasetFactory._makes._made(definition, workspace, validate)


def _types(given: dict[str, DataType] | None) -> dict[str, ColumnType]:
    wrong = next((name for name, kind in (given or {}).items() if not isinstance(kind, DataType)), None)
    if wrong is not None:
        raise InvalidInput(f"the type of column {wrong!r} is none", hint="DataType.to_string() and the like make one.")
    return {name: kind._spec for name, kind in (given or {}).items()}


def _refuse_partitions(partition_format: str | None) -> None:
    if partition_format:
        raise NotSupported(
            "partition_format is not supported", hint="include_path=True gives a column with each row's path."
        )


def _place(target: Any) -> DataPath:
    if isinstance(target, Datastore):
        return DataPath(target)
    if isinstance(target, DataPath):
        return target
    if isinstance(target, tuple) and len(target) == 2 and isinstance(target[0], Datastore):
        return DataPath(target[0], str(target[1]))
    raise InvalidInput(f"target {target!r} is no place in a datastore", hint="Give (datastore, 'folder').")


def _sources(path: Any) -> tuple[list[DataSource], Workspace | None]:
    single = isinstance(path, str | os.PathLike | Datastore | DataPath) or (
        isinstance(path, tuple) and len(path) == 2 and isinstance(path[0], Datastore)
    )
    listed = [path] if single else list(path)
    workspace: Workspace | None = None
    sources = []
    for one in listed:
        if isinstance(one, Datastore | DataPath | DataReference | tuple):
            place = _place(one)
            workspace = place.datastore.workspace
            inner = (place.path_on_datastore or "").removeprefix("./").strip("/")
            sources.append(DataSource(datastore=place.datastore.name, path=inner))
        else:
            sources.append(copied_in(shared_client(), str(one), say))
    check_definition(DatasetDefinition(kind=FILE, sources=sources))
    return sources, workspace
