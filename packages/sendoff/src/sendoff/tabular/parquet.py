"""Parquet, read with pyarrow where it is installed."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, BinaryIO

from ..errors import InvalidInput, MissingExtra


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
            "reading Parquet needs pyarrow", hint="pip install 'sendoff[parquet]'", package="pyarrow"
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
