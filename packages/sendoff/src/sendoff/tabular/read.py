"""Files become a table: lines, fields, column names, values; then the steps of the definition."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, BinaryIO

from ..errors import InvalidInput
from ..spec.dataset import DELIMITED, DROP, JSON_LINES, KEEP, SKIP, TAKE, Change, DatasetDefinition, Reading
from ..spec.parse import did_you_mean
from .delimited import read_delimited
from .records import read_json_lines, read_parquet
from .values import converted

PATH = "Path"


@dataclass(frozen=True)
class DataFile:
    """One file of a dataset: its name in errors and in the ``Path`` column, and how to open it."""

    path: str
    open: Callable[[], BinaryIO]


@dataclass(frozen=True)
class Table:
    """Columns in order, and rows of as many values; a value that is not there is None."""

    columns: list[str]
    rows: list[list[Any]]

    def column(self, name: str) -> list[Any]:
        """The values of one column."""
        place = self.columns.index(name)
        return [row[place] for row in self.rows]


def read_table(definition: DatasetDefinition, files: Sequence[DataFile], *, typed: bool = True) -> Table:
    """Read a tabular dataset whole.

    Args:
        definition: How to read; its sources have been resolved to ``files``.
        files: In order.
        typed: False leaves the text of delimited files as it is written, whatever the definition says of types.

    Raises:
        InvalidInput: A file is not what the definition says; names file and line.
        MissingExtra: Parquet, and pyarrow is not installed.
    """
    reading = definition.reading
    assert reading is not None
    names: list[str] = []
    rows: list[list[Any]] = []
    limit = _limit(definition.changes)
    head: list[str] = []
    for columns, row in _records(reading, files, head):
        if columns is not names and columns != names:
            for name in columns:
                if name not in names:
                    names.append(name)
        if columns == names:
            rows.append(row)
        else:
            known = dict(zip(columns, row, strict=True))
            rows.append([known.get(name) for name in names])
        if limit is not None and len(rows) >= limit:
            break
    names += [] if names else head
    for row in rows:
        row += [None] * (len(names) - len(row))
    table = Table(names, rows)
    for change in definition.changes:
        table = _changed(table, change)
    return converted_table(table, reading) if typed and reading.form != "parquet" else table


def converted_table(table: Table, reading: Reading) -> Table:
    """The same table with text turned into values, as the definition asks."""
    unknown = [name for name in reading.column_types if name not in table.columns]
    if unknown:
        raise _no_column(unknown[0], table.columns)
    columns = []
    for name in table.columns:
        infer = reading.infer_column_types and reading.form == DELIMITED and name != PATH
        columns.append(converted(name, table.column(name), reading, infer=infer))
    return Table(table.columns, [list(row) for row in zip(*columns, strict=True)] if columns else [])


def column_of_texts(definition: DatasetDefinition, files: Sequence[DataFile]) -> list[str]:
    """The rows of a dataset of one column, as the text that is written in the file, to the byte.

    This is what profiling sends (spec/behaviour.md sec. 16.1): nothing is converted on the way.

    Raises:
        InvalidInput: It has more than one column, no rows, or values that are no text.
    """
    table = read_table(definition, files, typed=False)
    if not table.rows:
        raise InvalidInput("the dataset has no rows", hint="Each row is a request body.", field="input_dataset")
    if len(table.columns) != 1:
        raise InvalidInput(
            f"the dataset has {len(table.columns)} columns ({', '.join(table.columns[:5])}…); one is needed, "
            "each row of which is a request body",
            hint="Read whole lines: from_delimited_files(path, separator='\\n', header=NO_HEADERS).",
            field="input_dataset",
        )
    texts = [row[0] for row in table.rows if row[0] is not None]
    wrong = next((value for value in texts if not isinstance(value, str)), None)
    if wrong is not None:
        raise InvalidInput(
            f"column {table.columns[0]!r} holds {type(wrong).__name__}, not text: each row is a request body",
            hint="Register the requests as text, one a line.",
            field="input_dataset",
        )
    return texts


def _records(reading: Reading, files: Sequence[DataFile], head: list[str]) -> Iterator[tuple[list[str], list[Any]]]:
    for number, file in enumerate(files):
        if reading.form == DELIMITED:
            found = read_delimited(reading, file.open, file.path, head, first=number == 0)
        elif reading.form == JSON_LINES:
            found = read_json_lines(reading, file.open, file.path)
        else:
            found = read_parquet(file.open, file.path)
        if reading.include_path:
            yield from (([PATH, *columns], [file.path, *row]) for columns, row in found)
        else:
            yield from found


def _limit(changes: Sequence[Change]) -> int | None:
    """How many rows need to be read at all: a leading ``take`` ends the reading."""
    skipped = 0
    for change in changes:
        if change.action == SKIP:
            skipped += change.count
        elif change.action == TAKE:
            return skipped + change.count
    return None


def _changed(table: Table, change: Change) -> Table:
    if change.action == TAKE:
        return Table(table.columns, table.rows[: change.count])
    if change.action == SKIP:
        return Table(table.columns, table.rows[change.count :])
    for name in change.columns:
        if name not in table.columns:
            raise _no_column(name, table.columns)
    keep = change.columns if change.action == KEEP else [name for name in table.columns if name not in change.columns]
    assert change.action in (KEEP, DROP)
    places = [table.columns.index(name) for name in keep]
    return Table(list(keep), [[row[place] for place in places] for row in table.rows])


def _no_column(name: str, columns: list[str]) -> InvalidInput:
    return InvalidInput(
        f"the dataset has no column {name!r}",
        hint=did_you_mean(name, columns, f"Columns: {', '.join(columns) or 'none'}."),
        field="columns",
    )
