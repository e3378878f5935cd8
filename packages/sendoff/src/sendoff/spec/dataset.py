"""The dataset: a named, versioned description of rows or files; and the datastore that its files lie in.

Sources: spec/surface.md sec. 2.14, spec/behaviour.md sec. 16.1.
"""

from __future__ import annotations

from ..errors import InvalidInput
from . import names
from .model import ManifestFile, check_manifest, check_manifest_path
from .parse import Spec, not_known

TABULAR, FILE = "tabular", "file"
ACTIVE, ARCHIVED, DEPRECATED = "active", "archived", "deprecated"
DELIMITED, JSON_LINES, PARQUET = "delimited", "json_lines", "parquet"
NO_HEADERS, FIRST_FILE, COMBINE, ALL_SAME = "none", "first", "combine", "all"
"""Which files begin with a line of column names: none, the first, each its own, each the same."""
HEADERS = (NO_HEADERS, FIRST_FILE, COMBINE, ALL_SAME)
FORMS = (DELIMITED, JSON_LINES, PARQUET)
COLUMN_TYPES = ("bool", "datetime", "float", "long", "string")
TAKE, SKIP, KEEP, DROP = "take", "skip", "keep", "drop"


class DataSource(Spec):
    """Where some of a dataset's files are.

    Either a path or pattern (``*``, ``?``, ``**``) in a datastore, looked up whenever the data is read, or ``files``
    that were copied into the blob store when the dataset was made; ``path`` then is what they were called.
    """

    datastore: str | None = None
    path: str = ""
    files: list[ManifestFile] = []


class ColumnType(Spec):
    """What a column's text becomes; ``formats`` are ``strptime`` ones for a datetime, ``decimal_mark`` for a float."""

    kind: str
    formats: list[str] = []
    decimal_mark: str = "."


class Reading(Spec):
    """How files become rows; which fields count depends on ``form``."""

    form: str = DELIMITED
    separator: str = ","
    header: str = ALL_SAME
    encoding: str = "utf8"
    infer_column_types: bool = True
    column_types: dict[str, ColumnType] = {}
    multi_line: bool = False
    """A quoted field may hold line ends."""
    empty_as_string: bool = False
    include_path: bool = False
    """The first column, ``Path``, names each row's file."""
    invalid_lines: str = "error"


class Change(Spec):
    """One step after reading: ``take`` or ``skip`` rows or files, ``keep`` or ``drop`` columns."""

    action: str
    count: int = 0
    columns: list[str] = []


class DatasetDefinition(Spec):
    """Everything about the data itself; ``reading`` is None for files that are no rows."""

    kind: str
    sources: list[DataSource]
    reading: Reading | None = None
    changes: list[Change] = []


class RegisterDataset(Spec):
    """Body of ``POST /v1/workspaces/{ws}/datasets``; without a name it is kept for a job and not listed."""

    definition: DatasetDefinition
    name: str | None = None
    description: str = ""
    tags: dict[str, str] = {}
    create_new_version: bool = False
    validate: bool = True
    """Whether every source has to hold a file now."""


class UpdateDataset(Spec):
    """Body of ``PATCH …/datasets/{id}``: what is absent stays."""

    description: str | None = None
    tags: dict[str, str] | None = None
    add_tags: dict[str, str] = {}
    remove_tags: list[str] = []
    state: str | None = None
    deprecated_by: str | None = None


class Dataset(Spec):
    """A dataset version as the API shows it; times are unix seconds."""

    id: str
    workspace: str
    name: str | None
    version: int | None
    kind: str
    definition: DatasetDefinition
    description: str
    tags: dict[str, str]
    state: str
    deprecated_by: str | None
    created_time: float
    modified_time: float


class Datastore(Spec):
    """A datastore as the API shows it; its files lie in the blob store."""

    name: str
    workspace: str
    type: str
    is_default: bool
    files: int
    size: int
    created_time: float


class DatastoreFile(Spec):
    """A file at a path of a datastore; ``size`` in bytes, ``modified_time`` in unix seconds."""

    path: str
    digest: str
    size: int
    modified_time: float


class PutFiles(Spec):
    """Body of ``POST …/datastores/{name}/files``; the blobs are in the store already."""

    files: list[ManifestFile]
    overwrite: bool = False


class RemoveFiles(Spec):
    """Body of ``POST …/datastores/{name}/remove``: a path, a folder or a pattern."""

    path: str


class FilesChanged(Spec):
    """Paths that were written or removed, and paths that were there already and stayed."""

    changed: list[str]
    skipped: list[str] = []


def check_dataset_name(name: str) -> str:
    """A dataset's name: 1 to 255 letters, digits, blanks, ``-``, ``_``, ``.``, starting with a letter or digit."""
    rule = "1 to 255 letters, digits, blanks, '-', '_' or '.', starting with a letter or digit"
    return names.check(name, r"[A-Za-z0-9][A-Za-z0-9 ._-]{0,254}", "dataset name", rule)


def check_definition(definition: DatasetDefinition, where: str = "dataset") -> DatasetDefinition:
    """Check what can be told without looking at the data.

    Raises:
        InvalidInput: Names the field and what it has to be.
    """
    _one_of(definition.kind, (TABULAR, FILE), where, "kind")
    if not definition.sources:
        raise InvalidInput(f"{where}: it has no path", hint="Name at least one file.", where=where, field="path")
    for source in definition.sources:
        if source.datastore is None:
            check_manifest(source.files, where)
        elif source.files:
            raise InvalidInput(f"{where}: a source is either a datastore's or files of its own", where=where)
        else:
            check_store_path(source.path, where)
    reading = definition.reading
    if (reading is None) != (definition.kind == FILE):
        needed = "says how to read rows" if definition.kind == TABULAR else "is of files, and reads no rows"
        raise InvalidInput(f"{where}: a {definition.kind} dataset {needed}", where=where, field="reading")
    if reading is not None:
        _check_reading(reading, where)
    for change in definition.changes:
        _one_of(change.action, (TAKE, SKIP, KEEP, DROP), where, "action")
        if change.action in (KEEP, DROP) and (definition.kind == FILE or not change.columns):
            raise InvalidInput(f"{where}: {change.action} needs columns of a table", where=where, field="columns")
        if change.count < 0:
            raise InvalidInput(f"{where}: {change.action} {change.count} is below 0", where=where, field="count")
    return definition


def check_store_path(path: str, where: str) -> str:
    """A path, folder or pattern within a datastore: relative, with ``/``; empty means everything."""
    plain = path.removeprefix("./").strip("/")
    return check_manifest_path(plain, where) if plain else ""


def _check_reading(reading: Reading, where: str) -> None:
    _one_of(reading.form, FORMS, where, "form")
    _one_of(reading.header, HEADERS, where, "header")
    _one_of(reading.invalid_lines, ("error", "drop"), where, "invalid_lines")
    if reading.form == DELIMITED and len(reading.separator) != 1 and reading.separator != "\r\n":
        raise InvalidInput(
            f"{where}: separator {reading.separator!r} has to be one character",
            hint="separator='\\n' takes each line as one column.",
            where=where,
            field="separator",
        )
    try:
        "".encode(reading.encoding)
    except LookupError:
        raise InvalidInput(
            f"{where}: encoding {reading.encoding!r} is not known",
            hint="Use utf8, ascii, latin1, utf16, utf32 or windows1252.",
            where=where,
            field="encoding",
        ) from None
    for column, wanted in reading.column_types.items():
        _one_of(wanted.kind, COLUMN_TYPES, where, f"column_types.{column}")


def _one_of(value: str, known: tuple[str, ...], where: str, field: str) -> None:
    if value not in known:
        raise not_known(str(value), known, f"{where}: {field}", where=where, field=field)
