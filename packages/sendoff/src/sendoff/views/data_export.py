"""Collected data as one file on this machine: CSV, JSON lines or Parquet. Staged beside its place, then renamed."""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypedDict

from .. import files
from ..errors import InvalidInput, NotFound, NotSupported
from ..spec.modeldata import JOINED
from ..spec.names import service_flags

if TYPE_CHECKING:
    from ..client.calls import Client

FORMATS = ("csv", "jsonl", "parquet")
_NUMBER = re.compile(r"-?(0|[1-9]\d*)(\.\d+)?([eE][+-]?\d+)?\Z")


class _Chosen(TypedDict):
    designation: str
    model: str | None
    version: str | None


class Selection:
    """Rows of a service over some days.

    Args:
        client: The API's client.
        workspace: Where the service is.
        service: Its name.
        designation: One that the listing names, or ``joined``.
        model: Only of this model.
        version: Only of this version.
        first: First day, ``YYYY-MM-DD``; None for the oldest.
        last: Last day, included; None for the newest.

    Raises:
        NotFound: There is nothing of it; the hint says what there is.
    """

    def __init__(
        self,
        client: Client,
        workspace: str,
        service: str,
        *,
        designation: str = JOINED,
        model: str | None = None,
        version: str | None = None,
        first: str | None = None,
        last: str | None = None,
    ) -> None:
        self._client = client
        self._at = (workspace, service)
        self._chosen: _Chosen = {"designation": designation, "model": model, "version": version}
        files = client.service_data(workspace, service).files
        fitting = [
            one
            for one in files
            if designation in (one.designation, JOINED)
            and model in (None, one.model)
            and version in (None, one.version)
            and (first or "") <= one.day <= (last or "9")
        ]
        self.days = sorted({one.day for one in fitting})
        if not self.days:
            there = sorted({f"{one.designation} of {one.model}:{one.version} on {one.day}" for one in files})
            what = f"{', '.join(there[:5])}{' and more' if len(there) > 5 else ''}"
            raise NotFound(
                f"service {service!r} has no such data",
                hint=f"There is {what}."
                if there
                else "Nothing was collected yet: 'sendoff service update "
                f"{service_flags(service, workspace)} --md true' turns it on.",
            )

    def columns(self) -> list[str]:
        """Columns of all days, in the order of the first."""
        found: dict[str, None] = {}
        for day in self.days:
            page = self._client.data_rows(*self._at, day=day, limit=1, **self._chosen)
            found |= dict.fromkeys(page.columns)
        return list(found)

    def rows(self, columns: list[str]) -> Iterator[list[str]]:
        """Every row, in these columns."""
        for day in self.days:
            for page in self._client.data_pages(*self._at, day=day, **self._chosen):
                if page.columns == columns:
                    yield from page.rows
                    continue
                at = {name: index for index, name in enumerate(page.columns)}
                places = [at.get(name) for name in columns]
                for row in page.rows:
                    yield ["" if place is None else row[place] for place in places]


def export(selection: Selection, path: Path, form: str) -> int:
    """Write a selection to a file; how many rows it has.

    Args:
        selection: What to write.
        path: The file; one that is there is replaced once the new one is whole.
        form: ``csv``; ``jsonl``, where numbers, truth values and nothing are JSON's own; ``parquet``, whose columns get
            the type that fits all their values.

    Raises:
        NotSupported: Parquet, and its package is not installed.
        InvalidInput: The file cannot be written.
    """
    writers: dict[str, Callable[[Selection, Path], int]] = {"csv": _csv, "jsonl": _jsonl, "parquet": _parquet}
    with files.staged(path, failure=InvalidInput) as staged:
        return writers[form](selection, staged)


def value_of(text: str) -> Any:
    """A cell's text as the JSON value that it says: a number, a truth value, null for nothing, else itself."""
    if text == "":
        return None
    if text in ("true", "false"):
        return text == "true"
    if _NUMBER.match(text):
        return json.loads(text)
    if text[0] in "[{":
        try:
            return json.loads(text)
        except ValueError:
            return text
    return text


def _csv(selection: Selection, path: Path) -> int:
    columns = selection.columns()
    count = 0
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(columns)
        for row in selection.rows(columns):
            writer.writerow(row)
            count += 1
    return count


def _jsonl(selection: Selection, path: Path) -> int:
    columns = selection.columns()
    count = 0
    with path.open("w", encoding="utf-8") as file:
        for row in selection.rows(columns):
            record = dict(zip(columns, map(value_of, row), strict=True))
            file.write(json.dumps(record, ensure_ascii=False) + "\n")
            count += 1
    return count


def _parquet(selection: Selection, path: Path) -> int:
    try:
        from pyarrow import csv as arrow_csv
        from pyarrow import parquet
    except ImportError:
        raise NotSupported(
            "Parquet needs a package that is not installed", hint="pip install 'sendoff-ml[parquet]', or --format csv"
        ) from None
    text = path.with_suffix(".csv")
    try:
        count = _csv(selection, text)
        # Whole before it is read, so that a column's type fits its last value too. Ids stay text.
        as_text = dict.fromkeys(("RequestId", "$aml_dc_correlation_id"), "string")
        table = arrow_csv.read_csv(
            text,
            parse_options=arrow_csv.ParseOptions(newlines_in_values=True),
            convert_options=arrow_csv.ConvertOptions(column_types=as_text, strings_can_be_null=True),
        )
        parquet.write_table(table, path)
    finally:
        text.unlink(missing_ok=True)
    return count
