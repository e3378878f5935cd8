"""Calls about drift detectors and events."""

from __future__ import annotations

from ..spec.drift import (
    CreateDriftDetector,
    DriftDetector,
    DriftReport,
    DriftRun,
    RunDrift,
    UpdateDriftDetector,
)
from ..spec.event import StoredEvent
from ..spec.page import Page
from .caller import LONG_SECONDS, Caller, q


class DriftCalls(Caller):
    """One method a route."""

    def create_drift_detector(self, workspace: str, body: CreateDriftDetector) -> DriftDetector:
        """Make a drift detector."""
        return self._send(DriftDetector, "POST", f"/workspaces/{q(workspace)}/drift", body)

    def drift_detectors(self, workspace: str) -> list[DriftDetector]:
        """All of a workspace."""
        return self._list(DriftDetector, f"/workspaces/{q(workspace)}/drift")

    def drift_detector(self, workspace: str, name: str) -> DriftDetector:
        """One by name."""
        return self._get(DriftDetector, f"/workspaces/{q(workspace)}/drift/{q(name)}")

    def update_drift_detector(self, workspace: str, name: str, body: UpdateDriftDetector) -> DriftDetector:
        """Change what is given."""
        return self._send(DriftDetector, "PATCH", f"/workspaces/{q(workspace)}/drift/{q(name)}", body)

    def delete_drift_detector(self, workspace: str, name: str) -> None:
        """Delete it with its runs."""
        self._send(None, "DELETE", f"/workspaces/{q(workspace)}/drift/{q(name)}")

    def run_drift(self, workspace: str, name: str, body: RunDrift) -> list[DriftRun]:
        """Compare now."""
        path = f"/workspaces/{q(workspace)}/drift/{q(name)}/run"
        page: Page[DriftRun] = self._send(Page[DriftRun], "POST", path, body, timeout=LONG_SECONDS)
        return page.value

    def drift_runs(self, workspace: str, name: str) -> list[DriftRun]:
        """Its runs, the oldest first."""
        return self._list(DriftRun, f"/workspaces/{q(workspace)}/drift/{q(name)}/runs")

    def drift_report(self, workspace: str, name: str, run: str | None = None) -> DriftReport:
        """A run as a page of HTML; the newest when None."""
        return self._get(DriftReport, f"/workspaces/{q(workspace)}/drift/{q(name)}/report", run=run)

    def events(self, workspace: str, type_: str | None = None) -> list[StoredEvent]:
        """Events of a workspace, the oldest first."""
        return self._list(StoredEvent, f"/workspaces/{q(workspace)}/events", type=type_)
