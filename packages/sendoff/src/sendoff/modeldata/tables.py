"""Rows of one day as one table: files with different columns united, designations joined by request and row."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

from sendoff_serving.recording.layout import CORRELATION, REQUEST_ID, ROW, TIMESTAMP

from ..spec.modeldata import DataFile
from .files import rows_of

OWN = (REQUEST_ID, ROW, CORRELATION, TIMESTAMP)
Read = Callable[[DataFile], bytes]


def united(files: Iterable[DataFile], read: Read) -> tuple[list[str], Iterator[list[str]]]:
    """Columns of all files in the order of their first, and their rows one file after the other.

    Args:
        files: of one designation.
        read: gives a file's content; it is asked twice for each.
    """
    listed = list(files)
    columns = list(dict.fromkeys(name for file in listed for name in rows_of(_head(read(file)))[0]))

    def rows() -> Iterator[list[str]]:
        for file in listed:
            names, found = rows_of(read(file))
            if names == columns:
                yield from found
                continue
            at = {name: index for index, name in enumerate(names)}
            places = [at.get(name) for name in columns]
            for row in found:
                yield ["" if place is None else row[place] for place in places]

    return columns, rows()


def joined(files: Iterable[DataFile], read: Read) -> tuple[list[str], list[list[str]]]:
    """One row for each row of a request, with the columns of every designation; those in two carry their designation.

    What one designation has fewer rows of (one prediction for a request of many rows) stands in its first row alone.
    """
    by_designation: dict[str, list[DataFile]] = {}
    for file in files:
        by_designation.setdefault(file.designation, []).append(file)
    order = sorted(by_designation, key=lambda name: (_ORDER.get(name, 9), name))
    tables = {name: united(by_designation[name], read) for name in order}
    features = {name: [column for column in tables[name][0] if column not in OWN] for name in order}
    clashing = {c for name in order for c in features[name] if sum(c in features[other] for other in order) > 1}
    columns = [*OWN]
    starts: dict[str, int] = {}
    for name in order:
        starts[name] = len(columns)
        columns += [f"{name}.{column}" if column in clashing else column for column in features[name]]
    made: dict[tuple[str, str, int], list[str]] = {}
    for name in order:
        names, rows = tables[name]
        at = {column: index for index, column in enumerate(names)}
        places = [at[column] for column in features[name]]
        again: dict[tuple[str, str], int] = {}
        for row in rows:
            request = row[at[REQUEST_ID]], row[at[ROW]]
            # The same request may come twice under one id: a caller that repeats its own ids.
            turn = again[request] = again.get(request, -1) + 1
            line = made.get((*request, turn))
            if line is None:
                line = made[(*request, turn)] = [""] * len(columns)
                line[:4] = [row[at[column]] if column in at else "" for column in OWN]
            elif not line[2] and CORRELATION in at:
                line[2] = row[at[CORRELATION]]
            for offset, place in enumerate(places):
                line[starts[name] + offset] = row[place]
    return columns, list(made.values())


_ORDER = {"inputs": 0, "predictions": 1, "labels": 2, "signals": 3, "general": 4}


def _head(data: bytes) -> bytes:
    """The content up to the end of its first row; a header may hold line feeds within quotes."""
    at = 0
    while (end := data.find(b"\n", at)) >= 0:
        if data.count(b'"', 0, end) % 2 == 0:
            return data[: end + 1]
        at = end + 1
    return b""
