"""Drift detectors of a home: made, run, scheduled, deleted; what each run found."""

from __future__ import annotations

import builtins
import shutil
import time
import uuid
from collections.abc import Sequence
from datetime import UTC, date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec
from sqlalchemy import Connection, Row, delete, insert, select, update

from .. import events
from ..errors import AlreadyExists, NotFound, SendoffError
from ..modeldata import place
from ..modeldata.collected import check_day
from ..schedule import periods
from ..schedule.chores import FOLDER, note
from ..spec import drift as spec
from ..spec.drift import (
    CreateDriftDetector,
    DriftDetector,
    DriftReport,
    DriftRun,
    RunDrift,
    UpdateDriftDetector,
)
from ..spec.page import ALL, Listed, Window
from ..spec.parse import replace, to_builtins
from ..store import tables as t
from ..store.pages import select_page
from ..store.rows import named
from ..store.workspaces import require_workspace
from . import report
from .baseline import Baselines, rows_of
from .compare import coefficient, compare

if TYPE_CHECKING:
    from ..store import Store


class Drift:
    """Drift detectors.

    Args:
        store: The home's store.
    """

    def __init__(self, store: Store) -> None:
        self._store = store
        self._baselines = Baselines(store)

    def create(self, workspace: str, body: CreateDriftDetector) -> DriftDetector:
        """Make a detector; its schedule begins when it is enabled.

        Raises:
            AlreadyExists: The name is taken.
            InvalidInput: A value is out of its range, or the dataset has no rows.
            NotFound: There is no such workspace, service or dataset.
        """
        spec.check(body, where="detector")
        body = self._baselines.check(workspace, body)
        now, id_ = time.time(), str(uuid.uuid4())
        start = max(now, body.start or now)
        with self._store.begin() as connection:
            require_workspace(connection, workspace)
            for service in body.services:
                self._require_service(connection, workspace, service)
            if named(connection, t.drift_detectors, workspace, body.name) is not None:
                raise AlreadyExists(f"drift detector {body.name!r} exists in workspace {workspace!r}", name=body.name)
            connection.execute(
                insert(t.drift_detectors).values(
                    id=id_,
                    workspace=workspace,
                    name=body.name,
                    settings=to_builtins(body),
                    enabled=body.enabled,
                    next_run=periods.next_run(body.frequency, start) if body.enabled else None,
                    created=now,
                )
            )
        note(self._store.home, self.next_due())
        return self.get(workspace, body.name)

    def list(self, workspace: str, *, window: Window = ALL) -> Listed[DriftDetector]:
        """All of a workspace, by name."""
        query = select(t.drift_detectors).where(t.drift_detectors.c.workspace == workspace)
        order = [t.drift_detectors.c.name]
        with self._store.read() as connection:
            return select_page(connection, query, order, window, lambda row: self._view(connection, row))

    def get(self, workspace: str, name: str) -> DriftDetector:
        """One by name.

        Raises:
            NotFound: There is none.
        """
        with self._store.read() as connection:
            return self._view(connection, self._row(connection, workspace, name))

    def update(self, workspace: str, name: str, body: UpdateDriftDetector) -> DriftDetector:
        """Change what is given.

        Raises:
            NotFound: There is no such detector or service.
            InvalidInput: A value is out of its range.
        """
        spec.check(body, where="detector")
        given = {
            field: value
            for field in ("services", "features", "threshold", "frequency", "emails")
            if (value := getattr(body, field)) is not None
        }
        with self._store.begin() as connection:
            row = self._row(connection, workspace, name)
            for service in body.services or []:
                self._require_service(connection, workspace, service)
            settings = replace(_settings(row), **given)
            enabled = row.enabled if body.enabled is None else body.enabled
            due = row.next_run
            if not enabled:
                due = None
            elif due is None or body.frequency is not None:
                due = periods.next_run(settings.frequency, max(time.time(), settings.start or 0.0))
            match = t.drift_detectors.c.id == row.id
            values = {"settings": to_builtins(settings), "enabled": enabled, "next_run": due}
            connection.execute(update(t.drift_detectors).where(match).values(**values))
        note(self._store.home, self.next_due())
        return self.get(workspace, name)

    def delete(self, workspace: str, name: str) -> None:
        """Delete a detector with its runs and reports; events stay.

        Raises:
            NotFound: There is none.
        """
        with self._store.begin() as connection:
            row = self._row(connection, workspace, name)
            connection.execute(delete(t.drift_runs).where(t.drift_runs.c.detector == row.id))
            connection.execute(delete(t.drift_detectors).where(t.drift_detectors.c.id == row.id))
        shutil.rmtree(self._folder(row.id), ignore_errors=True)
        note(self._store.home, self.next_due())

    def run(self, workspace: str, name: str, body: RunDrift) -> Sequence[DriftRun]:
        """Compare now, each service over the period that ends with a day.

        Raises:
            NotFound: There is no such detector, or the service is not one of its.
            InvalidInput: The day is none, or nothing can be compared.
            Conflict: The baseline is not complete yet.
        """
        detector = self.get(workspace, name)
        wrong = [service for service in body.services if service not in detector.settings.services]
        if wrong:
            raise NotFound(
                f"drift detector {name!r} does not watch {wrong[0]!r}",
                hint=f"It watches {', '.join(detector.settings.services)}.",
            )
        if body.day is not None:
            check_day(body.day)
        last = datetime.now(UTC).date() if body.day is None else date.fromisoformat(body.day)
        return [self._one(detector, service, last) for service in body.services or detector.settings.services]

    def run_due(self, now: float) -> Sequence[DriftRun]:
        """Run every detector whose time has come, each period that was missed too; failures are runs that say why."""
        made: builtins.list[DriftRun] = []
        while True:
            with self._store.begin() as connection:
                query = select(t.drift_detectors).where(
                    t.drift_detectors.c.enabled, t.drift_detectors.c.next_run <= now
                )
                row = connection.execute(query.order_by(t.drift_detectors.c.next_run).limit(1)).first()
                if row is None:
                    return made
                following = periods.next_run(_settings(row).frequency, row.next_run)
                match = t.drift_detectors.c.id == row.id
                connection.execute(update(t.drift_detectors).where(match).values(next_run=following))
            detector = self.get(row.workspace, row.name)
            last = periods.last_day(row.next_run)
            for service in detector.settings.services:
                try:
                    made.append(self._one(detector, service, last))
                except SendoffError as error:
                    failed = _run_of(detector, service, last, spec.FAILED, error=str(error.message))
                    made.append(self._keep(detector, failed))

    def next_due(self) -> float | None:
        """When the next run is due, Unix seconds."""
        query = select(t.drift_detectors.c.next_run).where(t.drift_detectors.c.enabled)
        with self._store.read() as connection:
            times = [row.next_run for row in connection.execute(query) if row.next_run is not None]
        return min(times, default=None)

    def runs(self, workspace: str, name: str, *, window: Window = ALL) -> Listed[DriftRun]:
        """Its runs, the oldest first, with all figures.

        Raises:
            NotFound: There is no such detector.
        """
        with self._store.read() as connection:
            row = self._row(connection, workspace, name)
            return self._runs(connection, row.id, window)

    def report(self, workspace: str, name: str, run: str | None) -> DriftReport:
        """A run as a page of HTML; the newest when None.

        Raises:
            NotFound: There is no such detector or run.
        """
        detector = self.get(workspace, name)
        made = [one for one in self.runs(workspace, name) if run in (None, one.id)]
        if not made:
            what = f"run {run!r}" if run else "run yet"
            raise NotFound(f"drift detector {name!r} has no {what}", hint=f"sendoff drift run -n {name}")
        return DriftReport(run=made[-1].id, html=report.page(detector, made[-1]))

    def _one(self, detector: DriftDetector, service: str, last: date) -> DriftRun:
        settings = detector.settings
        kept = self._folder(detector.id) / f"baseline-{service}.json"
        baseline = self._baselines.of(detector.workspace, settings, service, kept)
        first, last = periods.period(settings.frequency, last)
        target = self._baselines.collected(detector.workspace, settings, service, first, last)
        rows = rows_of(baseline), rows_of(target)
        if not rows_of(target):
            text = f"service {service!r} has collected no {settings.designation} from {first} to {last}"
            return self._keep(detector, _run_of(detector, service, last, spec.NO_DATA, rows, error=text))
        features = compare(baseline, target, settings.features)
        found = _run_of(detector, service, last, spec.COMPLETED, rows, features=features)
        value = coefficient(features)
        return self._keep(detector, replace(found, coefficient=value, detected=value > settings.threshold))

    def _keep(self, detector: DriftDetector, found: DriftRun) -> DriftRun:
        """Store a run, and the event that it may be, together."""
        with self._store.begin() as connection:
            self._row(connection, detector.workspace, detector.name)  # it may have been deleted meanwhile
            row = {"id": found.id, "detector": detector.id, "content": to_builtins(found), "created": found.created}
            connection.execute(insert(t.drift_runs).values(**row))
            if found.detected:
                data = {
                    "DataDriftId": detector.id,
                    "DataDriftName": detector.name,
                    "RunId": found.id,
                    "BaseDatasetId": detector.settings.dataset or f"{found.service}/first/{found.baseline_rows}",
                    "TargetDatasetId": f"{found.service}/{detector.settings.designation}",
                    "DriftCoefficient": found.coefficient,
                    "StartTime": f"{found.first_day}T00:00:00Z",
                    "EndTime": f"{found.last_day}T23:59:59Z",
                }
                subject = f"datadrift/{detector.id}/run/{found.id}"
                events.keep(connection, detector.workspace, spec.DRIFT_DETECTED, subject, data)
        return found

    def _folder(self, id_: str) -> Path:
        return self._store.home / FOLDER / id_

    def _require_service(self, connection: Connection, workspace: str, service: str) -> None:
        known = named(connection, t.services, workspace, service) is not None
        if not known and not place.folder(self._store, workspace, service).is_dir():
            raise NotFound(
                f"there is no service {service!r} in workspace {workspace!r}, and no data of one",
                hint="'sendoff service list' shows them.",
            )

    def _row(self, connection: Connection, workspace: str, name: str) -> Row[Any]:
        row = named(connection, t.drift_detectors, workspace, name)
        if row is None:
            raise NotFound(
                f"there is no drift detector {name!r} in workspace {workspace!r}",
                hint="'sendoff drift list' shows them.",
            )
        return row

    def _runs(self, connection: Connection, id_: str, window: Window = ALL) -> Listed[DriftRun]:
        query = select(t.drift_runs).where(t.drift_runs.c.detector == id_)
        order = [t.drift_runs.c.created, t.drift_runs.c.id]
        return select_page(connection, query, order, window, lambda row: msgspec.convert(row.content, DriftRun))

    def _view(self, connection: Connection, row: Row[Any]) -> DriftDetector:
        newest: dict[str, DriftRun] = {one.service: one for one in self._runs(connection, row.id)}
        return DriftDetector(
            id=row.id,
            name=row.name,
            workspace=row.workspace,
            settings=_settings(row),
            enabled=row.enabled,
            next_run=row.next_run,
            created=row.created,
            latest=[replace(one, features=[]) for one in newest.values()],
        )


def _settings(row: Row[Any]) -> CreateDriftDetector:
    return msgspec.convert(row.settings, CreateDriftDetector)


def _run_of(
    detector: DriftDetector, service: str, last: date, state: str, rows: tuple[int, int] = (0, 0), **more: Any
) -> DriftRun:
    """A run over the period that ends with a day; nothing was compared yet."""
    first, last = periods.period(detector.settings.frequency, last)
    return DriftRun(
        id=str(uuid.uuid4()),
        detector=detector.name,
        service=service,
        state=state,
        first_day=first.isoformat(),
        last_day=last.isoformat(),
        baseline_rows=rows[0],
        target_rows=rows[1],
        coefficient=None,
        threshold=detector.settings.threshold,
        detected=False,
        created=time.time(),
        **more,
    )
