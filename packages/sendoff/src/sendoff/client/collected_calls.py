"""Calls about what services have collected, whether it drifts, and the events that tell of it."""

from __future__ import annotations

from collections.abc import Iterator

from ..spec import drift
from ..spec.event import StoredEvent
from ..spec.modeldata import DataRows, DeletedData, ServiceData
from ..spec.page import Page
from .caller import LONG_SECONDS, Caller, answer_of, of


class CollectedCalls(Caller):
    """One method a route."""

    def service_data(self, workspace: str, name: str) -> ServiceData:
        """Files and counts of what a service has collected."""
        return self._get(ServiceData, of(workspace, "services", name, "data"))

    def data_rows(
        self,
        workspace: str,
        name: str,
        *,
        day: str,
        designation: str = "inputs",
        model: str | None = None,
        version: str | None = None,
        offset: int = 0,
        limit: int | None = None,
    ) -> DataRows:
        """Rows of one day, from an offset on."""
        return self._get(
            DataRows,
            of(workspace, "services", name, "data", "rows"),
            day=day,
            designation=designation,
            model=model,
            version=version,
            offset=offset or None,
            limit=limit,
        )

    def data_pages(
        self, workspace: str, name: str, *, day: str, designation: str, model: str | None, version: str | None
    ) -> Iterator[DataRows]:
        """Every row of one day, some at a time."""
        offset: int | None = 0
        while offset is not None:
            page = self.data_rows(
                workspace, name, day=day, designation=designation, model=model, version=version, offset=offset
            )
            yield page
            offset = page.next

    def copy_data(self, workspace: str, name: str) -> ServiceData:
        """Copy what has changed to the store of the settings."""
        return self._send(ServiceData, "POST", of(workspace, "services", name, "data", "copy"), timeout=LONG_SECONDS)

    def delete_data(self, workspace: str, name: str, before: str | None = None) -> DeletedData:
        """Delete files of days before one; all when None."""
        return answer_of(
            DeletedData, self._request("DELETE", of(workspace, "services", name, "data"), query={"before": before})
        )

    def create_drift_detector(self, workspace: str, body: drift.CreateDriftDetector) -> drift.DriftDetector:
        """Make a drift detector."""
        return self._send(drift.DriftDetector, "POST", of(workspace, "drift"), body)

    def drift_detectors(self, workspace: str) -> list[drift.DriftDetector]:
        """All of a workspace."""
        return self._list(drift.DriftDetector, of(workspace, "drift"))

    def drift_detector(self, workspace: str, name: str) -> drift.DriftDetector:
        """One by name."""
        return self._get(drift.DriftDetector, of(workspace, "drift", name))

    def update_drift_detector(self, workspace: str, name: str, body: drift.UpdateDriftDetector) -> drift.DriftDetector:
        """Change what is given."""
        return self._send(drift.DriftDetector, "PATCH", of(workspace, "drift", name), body)

    def delete_drift_detector(self, workspace: str, name: str) -> None:
        """Delete it with its runs."""
        self._send(None, "DELETE", of(workspace, "drift", name))

    def run_drift(self, workspace: str, name: str, body: drift.RunDrift) -> list[drift.DriftRun]:
        """Compare now."""
        page: Page[drift.DriftRun] = self._send(
            Page[drift.DriftRun], "POST", of(workspace, "drift", name, "run"), body, timeout=LONG_SECONDS
        )
        return page.value

    def drift_runs(self, workspace: str, name: str) -> list[drift.DriftRun]:
        """Its runs, the oldest first."""
        return self._list(drift.DriftRun, of(workspace, "drift", name, "runs"))

    def drift_report(self, workspace: str, name: str, run: str | None = None) -> drift.DriftReport:
        """A run as a page of HTML; the newest when None."""
        return self._get(drift.DriftReport, of(workspace, "drift", name, "report"), run=run)

    def events(self, workspace: str, type_: str | None = None) -> list[StoredEvent]:
        """Events of a workspace, the oldest first."""
        return self._list(StoredEvent, of(workspace, "events"), type=type_)
