"""The files of a service's data: found by their paths, read as rows. A row that a crash cut is left out."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator
from pathlib import Path, PurePosixPath

from sendoff_serving.recording.day_files import whole_rows

from ..spec.modeldata import DataFile

_PARTS = 7  # model, version, designation, year, month, day, name


def describe(path: PurePosixPath, size: int, modified: float, where: str) -> DataFile | None:
    """What a path below the service's folder says of its file; None for a file that is no data."""
    parts = path.parts
    if len(parts) != _PARTS or path.suffix != ".csv":
        return None
    model, version, designation, year, month, day, _ = parts
    try:
        number = (int(year), int(month), int(day))
    except ValueError:
        return None
    return DataFile(
        path=str(path),
        model=model,
        version=version,
        designation=designation,
        day="{:04d}-{:02d}-{:02d}".format(*number),
        size=size,
        modified=modified,
        where=where,
    )


def local(folder: Path) -> list[DataFile]:
    """The files in a folder, oldest day first."""
    found = []
    for path in folder.glob("*/*/*/*/*/*/*.csv"):
        try:
            facts = path.stat()
        except OSError:
            continue  # removed meanwhile
        one = describe(PurePosixPath(path.relative_to(folder)), facts.st_size, facts.st_mtime, "local")
        if one is not None:
            found.append(one)
    return ordered(found)


def ordered(files: Iterable[DataFile]) -> list[DataFile]:
    """By day, then model, version, designation and name; ``data.2.csv`` comes before ``data.10.csv``."""
    return sorted(files, key=lambda f: (f.day, f.model, f.version, f.designation, len(f.path), f.path))


def rows_of(data: bytes) -> tuple[list[str], Iterator[list[str]]]:
    """Columns and rows of a file's content; what is not a whole row at its end is left out."""
    text = data[: whole_rows(data)].decode("utf-8", "replace")
    reader = csv.reader(io.StringIO(text, newline=""))
    columns = next(reader, [])
    return columns, (row for row in reader if len(row) == len(columns))
