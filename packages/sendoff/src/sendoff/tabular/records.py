"""Files whose rows name their columns: JSON lines, an object a line; Parquet, with pyarrow where it is installed."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any, BinaryIO

from ..errors import InvalidInput, MissingExtra
from ..spec.dataset import Reading
from .delimited import lines


def read_json_lines(
    reading: Reading, open_: Callable[[], BinaryIO], path: str
) -> Iterator[tuple[list[str], list[Any]]]:
    """Rows of one file with their keys.

    Raises:
        InvalidInput: A line is no JSON object and ``invalid_lines`` is ``error``; names the line.
    """
    with open_() as stream:
        for number, line in lines(stream, reading.encoding, path):
            try:
                found = json.loads(line)
                if not isinstance(found, dict):
                    raise ValueError(f"it is {type(found).__name__}, not an object")
            except ValueError as error:
                if reading.invalid_lines == "drop":
                    continue
                raise InvalidInput(
                    f"{path}, line {number}: not a JSON object: {error}",
                    hint="invalid_lines='drop' leaves such lines out.",
                    where=path,
                    line=number,
                ) from None
            yield list(found), list(found.values())


def read_parquet(open_: Callable[[], BinaryIO], path: str) -> Iterator[tuple[list[str], list[Any]]]:
    """Rows of one file with its column names.

    Raises:
        MissingExtra: pyarrow is not installed.
        InvalidInput: It is no Parquet file.
    """
    try:
        import pyarrow
        import pyarrow.parquet
    except ImportError:
        raise MissingExtra(
            "reading Parquet needs pyarrow", hint="pip install 'sendoff-ml[parquet]'", package="pyarrow"
        ) from None
    with open_() as stream:
        data = stream.read()
    try:
        table = pyarrow.parquet.read_table(pyarrow.BufferReader(data))
    except pyarrow.ArrowException as error:
        raise InvalidInput(f"{path} is not a Parquet file: {error}", where=path) from None
    columns = [str(name) for name in table.column_names]
    for row in zip(*(column.to_pylist() for column in table.columns), strict=True):
        yield columns, list(row)
