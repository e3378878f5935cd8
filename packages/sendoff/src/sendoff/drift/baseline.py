"""The rows that later ones are compared with: a dataset's, or the first that were collected."""

from __future__ import annotations

import json
import random
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sendoff_serving.recording.layout import CORRELATION, REQUEST_ID, ROW, TIMESTAMP

from .. import files
from ..datasets.datasets import Datasets
from ..errors import Conflict, InvalidInput, NotFound
from ..modeldata.collected import Collected
from ..spec.dataset import TABULAR
from ..spec.drift import CreateDriftDetector
from ..spec.parse import replace

if TYPE_CHECKING:
    from ..store import Store

MOST_ROWS = 50_000
"""Rows of one side that are compared; of more, so many are chosen by chance, the same ones each time."""
_OWN = frozenset({CORRELATION, REQUEST_ID, ROW, TIMESTAMP})

Table = dict[str, list[Any]]


class Baselines:
    """Baselines of detectors.

    Args:
        store: The home's store.
    """

    def __init__(self, store: Store) -> None:
        self._store = store
        self._collected = Collected(store)
        self._datasets = Datasets(store)

    def check(self, workspace: str, settings: CreateDriftDetector) -> CreateDriftDetector:
        """The settings with the dataset named by its version, so that later versions change nothing.

        Raises:
            NotFound: There is no such dataset.
            InvalidInput: Its data are files, no rows.
        """
        if settings.dataset is None:
            return settings
        found = self._datasets.get(workspace, settings.dataset)
        if found.definition.kind != TABULAR:
            raise InvalidInput(
                f"dataset {settings.dataset!r} holds files, no rows",
                hint="Give one made by Dataset.Tabular.",
                field="dataset",
            )
        return replace(settings, dataset=found.id if found.name is None else f"{found.name}:{found.version}")

    def of(self, workspace: str, settings: CreateDriftDetector, service: str, kept: Path) -> Table:
        """A detector's baseline for one service.

        Args:
            workspace: Where it is.
            settings: The detector's.
            service: Whose first rows they are, without a dataset.
            kept: File in which these are kept, so that they stay when old days are deleted.

        Raises:
            Conflict: Not enough was collected yet.
            NotFound: The dataset is gone.
        """
        if settings.dataset is not None:
            return self._of_dataset(workspace, settings.dataset)
        try:
            found: Table = json.loads(kept.read_bytes())
            return found
        except (OSError, ValueError):
            pass
        table = self.collected(workspace, settings, service, None, None, first=settings.baseline_rows)
        count = rows_of(table)
        if count < settings.baseline_rows:
            raise Conflict(
                f"the baseline takes the first {settings.baseline_rows} rows of {service!r}; there are {count} yet",
                hint="Wait for more, make the detector with fewer (--baseline-rows), or give it a dataset (--dataset).",
            )
        files.write_json(kept, table, folder=0o700)
        return table

    def collected(
        self,
        workspace: str,
        settings: CreateDriftDetector,
        service: str,
        first_day: date | None,
        last_day: date | None,
        *,
        first: int | None = None,
    ) -> Table:
        """Columns of what a service has collected over some days; ``first`` rows of them, else at most `MOST_ROWS`."""
        model, _, version = (settings.model or "").partition(":")
        listed = self._collected.listing(workspace, service).files
        days = sorted(
            {
                one.day
                for one in listed
                if one.designation == settings.designation
                and model in ("", one.model)
                and version in ("", one.version)
                and (first_day is None or one.day >= first_day.isoformat())
                and (last_day is None or one.day <= last_day.isoformat())
            }
        )
        rows = _Sample(first)
        for day in days:
            offset: int | None = 0
            while offset is not None and not rows.full:
                page = self._collected.rows(
                    workspace,
                    service,
                    day=day,
                    designation=settings.designation,
                    model=model or None,
                    version=version or None,
                    offset=offset,
                )
                rows.add(page.columns, page.rows)
                offset = page.next
        return rows.table()

    def _of_dataset(self, workspace: str, key: str) -> Table:
        from ..tabular import read_table

        found = self._datasets.get(workspace, key)
        table = read_table(found.definition, self._datasets.data(workspace, found.definition), typed=False)
        rows = _Sample(None)
        rows.add(table.columns, table.rows)
        made = rows.table()
        if not rows_of(made):
            raise NotFound(f"dataset {key!r} has no rows")
        return made


class _Sample:
    """Rows of changing columns, and of many a sample that is the same each time (reservoir sampling)."""

    def __init__(self, first: int | None) -> None:
        self._first = first
        self._chance = random.Random(0)
        self._rows: list[dict[str, Any]] = []
        self._seen = 0
        self._columns: dict[str, None] = {}

    @property
    def full(self) -> bool:
        """Whether no more rows are wanted."""
        return self._first is not None and len(self._rows) >= self._first

    def add(self, columns: list[str], rows: list[list[Any]]) -> None:
        """Take rows."""
        names = [name for name in columns if name not in _OWN]
        self._columns |= dict.fromkeys(names)
        for row in rows:
            if self.full:
                return
            record = {name: value for name, value in zip(columns, row, strict=True) if name not in _OWN}
            self._seen += 1
            if self._first is not None or len(self._rows) < MOST_ROWS:
                self._rows.append(record)
            elif (place := self._chance.randrange(self._seen)) < MOST_ROWS:
                self._rows[place] = record

    def table(self) -> Table:
        """The rows as columns; what a row lacks is missing."""
        return {name: [row.get(name) for row in self._rows] for name in self._columns}


def rows_of(table: Table) -> int:
    """How many rows a table has."""
    return max((len(values) for values in table.values()), default=0)
