"""Delimited text. With the separator ``\\n`` each line is one column, to the byte: no quote or comma counts."""

from __future__ import annotations

import codecs
import csv
import io
import sys
from collections.abc import Callable, Iterator
from typing import BinaryIO

from ..errors import InvalidInput
from ..spec.dataset import ALL_SAME, COMBINE, NO_HEADERS, Reading

_CODECS = {"utf8": "utf-8-sig", "utf-8": "utf-8-sig", "utf8bom": "utf-8-sig", "iso88591": "latin-1"}
Record = tuple[list[str], list[str | None]]


def read_delimited(
    reading: Reading, open_: Callable[[], BinaryIO], path: str, head: list[str], *, first: bool
) -> Iterator[Record]:
    """Rows of one file with its column names, as text.

    Args:
        reading: How it is written.
        open_: Opens it.
        path: What it is called in errors.
        head: Filled with the first header that is met; files without one of their own take their names from it.
        first: Whether it is the dataset's first file.

    Lines end with ``\\n`` or ``\\r\\n``; lines without any text are left out. Columns without a header are called
    ``Column1``, ``Column2``…

    Raises:
        InvalidInput: A row has more fields than there are columns, or the bytes are not of the encoding.
    """
    has_header = reading.header in (ALL_SAME, COMBINE) or (first and reading.header != NO_HEADERS)
    columns: list[str] | None = None if has_header or not head else list(head)
    with open_() as stream:
        for number, fields in _fields(reading, stream, path):
            if columns is None and has_header:
                columns = _unique(fields)
                head[:] = head or columns
                continue
            if columns is None:
                columns = [f"Column{place + 1}" for place in range(len(fields))]
            if len(fields) > len(columns):
                if has_header or head:
                    raise InvalidInput(
                        f"{path}, line {number}: {len(fields)} fields, but the header has {len(columns)} columns",
                        hint="Is the separator right, or a quote missing? support_multi_line=True reads quoted line "
                        "ends; separator='\\n' takes whole lines.",
                        where=path,
                        line=number,
                    )
                columns = [f"Column{place + 1}" for place in range(len(fields))]
            row: list[str | None] = [*fields]
            yield columns, row + [None] * (len(columns) - len(row))


def _fields(reading: Reading, stream: BinaryIO, path: str) -> Iterator[tuple[int, list[str]]]:
    if reading.separator in ("\n", "\r\n"):
        yield from ((number, [line]) for number, line in lines(stream, reading.encoding, path))
        return
    csv.field_size_limit(sys.maxsize)  # the module's own limit of 128 KiB is below one picture in base64
    if reading.multi_line:
        text = io.TextIOWrapper(stream, encoding=_codec(reading.encoding), newline="")
        rows = csv.reader(text, delimiter=reading.separator)
        try:
            for row in rows:
                if row:
                    yield rows.line_num, row
        except (UnicodeDecodeError, csv.Error) as error:
            raise InvalidInput(f"{path}, line {rows.line_num + 1}: {error}", where=path) from None
        return
    for number, line in lines(stream, reading.encoding, path):
        try:
            yield number, next(csv.reader([line], delimiter=reading.separator))
        except (csv.Error, StopIteration) as error:
            raise InvalidInput(f"{path}, line {number}: {error}", where=path, line=number) from None


def lines(stream: BinaryIO, encoding: str, path: str) -> Iterator[tuple[int, str]]:
    """Numbered lines without their ends; only ``\\n`` and ``\\r\\n`` end one, and empty ones are left out.

    Raises:
        InvalidInput: Bytes that are not of the encoding; names the line.
    """
    codec = _codec(encoding)
    wide = codecs.lookup(codec).name.startswith(("utf-16", "utf-32"))
    if wide:  # a line end is more than one byte there
        source: Iterator[bytes] = iter(stream.read().decode(codec).encode().split(b"\n"))
        codec = "utf-8"
    else:
        source = iter(stream)
    for number, raw in enumerate(source, 1):
        raw = raw.removesuffix(b"\n").removesuffix(b"\r")
        try:
            text = raw.decode(codec if number == 1 else codec.removesuffix("-sig"))
        except UnicodeDecodeError as error:
            raise InvalidInput(
                f"{path}, line {number}: byte {error.start + 1} is not {encoding} text",
                hint="Say which encoding it is, or profile binary bodies as files (Dataset.File.from_files).",
                where=path,
                line=number,
            ) from None
        if text:
            yield number, text


def _codec(encoding: str) -> str:
    folded = encoding.lower()
    return _CODECS.get(folded, folded)


def _unique(names: list[str]) -> list[str]:
    """Column names, each once: a second ``a`` is ``a_1``, a missing one ``Column3``."""
    found: list[str] = []
    for place, name in enumerate(names):
        base = name.strip() or f"Column{place + 1}"
        fresh, count = base, 0
        while fresh in found:
            count += 1
            fresh = f"{base}_{count}"
        found.append(fresh)
    return found
