"""``azureml.datadrift``: detectors of drift (spec/behaviour.md sec. 17.3)."""

from __future__ import annotations

import builtins
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..spec import drift as spec
from .exceptions import WebserviceException, as_sdk_errors
from .saying import say

if TYPE_CHECKING:
    from .workspace import Workspace


class AlertConfiguration:
    """Who is told of drift. An event is raised; no mail is sent, and the detector says so.

    Args:
        email_addresses: Kept with the detector.
    """

    def __init__(self, email_addresses: Sequence[str] | None = None) -> None:
        self.email_addresses = [email_addresses] if isinstance(email_addresses, str) else list(email_addresses or [])


class DataDriftDetector:
    """Compares what services are sent with a baseline: ``DataDriftDetector.get_by_name(workspace, name)``."""

    def __init__(self, workspace: Workspace, view: spec.DriftDetector) -> None:
        self.workspace = workspace
        self._fill(view)

    def _fill(self, view: spec.DriftDetector) -> None:
        settings = view.settings
        self.id, self.name = view.id, view.name
        self.services = list(settings.services)
        self.frequency, self.interval = settings.frequency, 1
        self.feature_list = list(settings.features)
        self.drift_threshold = settings.threshold
        self.baseline_dataset = settings.dataset
        self.model_name, _, version = (settings.model or "").partition(":")
        self.model_version = int(version) if version else None
        self.alert_config = AlertConfiguration(settings.emails)
        self.enabled = view.enabled
        self.state = "Enabled" if view.enabled else "Disabled"
        next_run = view.next_run
        self.schedule_start = None if next_run is None else datetime.fromtimestamp(next_run, UTC)

    def __repr__(self) -> str:
        return f"DataDriftDetector(name={self.name}, services={self.services}, state={self.state})"

    @staticmethod
    @as_sdk_errors(WebserviceException)
    def create_from_model(
        workspace: Workspace,
        model_name: str,
        model_version: int,
        services: Sequence[str],
        compute_target: Any = None,
        frequency: str | None = None,
        interval: int | None = None,
        feature_list: Sequence[str] | None = None,
        schedule_start: datetime | None = None,
        alert_config: AlertConfiguration | None = None,
        drift_threshold: float | None = None,
        *,
        name: str | None = None,
        baseline_dataset: Any = None,
        baseline_rows: int = spec.BASELINE_ROWS,
    ) -> DataDriftDetector:
        """Make a detector for the services of a model.

        Args:
            workspace: Where they are.
            model_name: The model.
            model_version: Its version.
            services: Names of services that collect data.
            compute_target: Taken for SDK v1's sake: runs are made here.
            frequency: Day, Week or Month.
            interval: 1.
            feature_list: Columns to compare; all in common when None.
            schedule_start: When the schedule begins; it does with `enable_schedule`.
            alert_config: Kept.
            drift_threshold: Coefficient, 0 to 1, above which an event is raised; 0.3 when None.
            name: Of the detector; the model's when None.
            baseline_dataset: A registered dataset; the model's dataset of the scenario ``training`` when None, else
                the first rows that were collected.
            baseline_rows: How many these are.

        Raises:
            WebserviceException: The name is taken, a service is unknown, or a value is out of its range.
        """
        if interval not in (None, 1):
            raise WebserviceException(f"interval is 1, not {interval!r}", hint="Use another frequency.")
        dataset = _dataset_of(baseline_dataset) or _training_dataset(workspace, model_name, model_version)
        body = spec.CreateDriftDetector(
            name=name or f"{model_name}-{model_version}",
            services=list(services),
            dataset=dataset,
            baseline_rows=baseline_rows,
            model=f"{model_name}:{model_version}",
            features=list(feature_list or []),
            threshold=spec.THRESHOLD if drift_threshold is None else drift_threshold,
            frequency=frequency or spec.DAY,
            start=None if schedule_start is None else schedule_start.timestamp(),
            emails=[] if alert_config is None else alert_config.email_addresses,
        )
        if body.emails:
            say("Drift raises an event; no mail is sent ('sendoff drift events').")
        return DataDriftDetector(workspace, workspace._client.create_drift_detector(workspace.name, body))

    @staticmethod
    @as_sdk_errors(WebserviceException)
    def get_by_name(workspace: Workspace, name: str) -> DataDriftDetector:
        """One by name.

        Raises:
            WebserviceException: There is none.
        """
        return DataDriftDetector(workspace, workspace._client.drift_detector(workspace.name, name))

    get = get_by_name

    @staticmethod
    @as_sdk_errors(WebserviceException)
    def list(
        workspace: Workspace, model_name: str | None = None, model_version: int | None = None, services: Any = None
    ) -> builtins.list[DataDriftDetector]:
        """Detectors of a workspace, of one model or service when these are given."""
        made = [DataDriftDetector(workspace, view) for view in workspace._client.drift_detectors(workspace.name)]
        wanted = {services} if isinstance(services, str) else set(services or [])
        return [
            one
            for one in made
            if model_name in (None, one.model_name)
            and model_version in (None, one.model_version)
            and (not wanted or wanted & set(one.services))
        ]

    @as_sdk_errors(WebserviceException)
    def run(
        self,
        target_date: datetime | None = None,
        services: Sequence[str] | None = None,
        compute_target: Any = None,
        create_compute_target: bool = False,
        feature_list: Sequence[str] | None = None,
        drift_threshold: float | None = None,
    ) -> builtins.list[dict[str, Any]]:
        """Compare now; what was found, one dict a service as `get_output` gives it.

        Args:
            target_date: Last day of the period; today when None.
            services: Only these.
            compute_target: Taken for SDK v1's sake, as is ``create_compute_target``.
            create_compute_target: See above.
            feature_list: Other columns, from now on.
            drift_threshold: Another threshold, from now on.

        Raises:
            WebserviceException: The baseline is not complete, or nothing can be compared.
        """
        if feature_list is not None or drift_threshold is not None:
            self.update(feature_list=feature_list, drift_threshold=drift_threshold)
        day = None if target_date is None else target_date.strftime("%Y-%m-%d")
        body = spec.RunDrift(day=day, services=[*(services or [])])
        return [_output(one) for one in self.workspace._client.run_drift(self.workspace.name, self.name, body)]

    @as_sdk_errors(WebserviceException)
    def get_output(
        self, start_time: datetime | None = None, end_time: datetime | None = None, run_id: str | None = None
    ) -> builtins.list[dict[str, Any]]:
        """What runs found: ``datadrift_coefficient``, and by feature ``datadrift_contribution``,
        ``wasserstein_distance``, ``energy_distance``, ``psi``, ``ks`` and more.

        Args:
            start_time: Only periods that end at it or later.
            end_time: Only periods that begin before it.
            run_id: Only this run.
        """
        found = self.workspace._client.drift_runs(self.workspace.name, self.name)
        return [
            _output(one)
            for one in found
            if run_id in (None, one.id)
            and (start_time is None or one.last_day >= start_time.strftime("%Y-%m-%d"))
            and (end_time is None or one.first_day <= end_time.strftime("%Y-%m-%d"))
        ]

    @as_sdk_errors(WebserviceException)
    def show(
        self, start_time: datetime | None = None, end_time: datetime | None = None, path: str | None = None
    ) -> str:
        """Write the newest run as an HTML page with plots; the file's path.

        Args:
            start_time: Taken for SDK v1's sake, as is ``end_time``.
            end_time: See above.
            path: The file; ``<name>.html`` when None.
        """
        target = Path(path or f"{self.name}.html")
        target.write_text(self.workspace._client.drift_report(self.workspace.name, self.name).html, encoding="utf-8")
        return str(target)

    @as_sdk_errors(WebserviceException)
    def enable_schedule(self, create_compute_target: bool = False, wait_for_completion: bool = True) -> None:
        """Run it after the end of each period."""
        self._change(spec.UpdateDriftDetector(enabled=True))

    @as_sdk_errors(WebserviceException)
    def disable_schedule(self, wait_for_completion: bool = True) -> None:
        """Run it no more by itself."""
        self._change(spec.UpdateDriftDetector(enabled=False))

    @as_sdk_errors(WebserviceException)
    def update(
        self,
        services: Sequence[str] | None = None,
        compute_target: Any = None,
        feature_list: Sequence[str] | None = None,
        schedule_start: datetime | None = None,
        alert_config: AlertConfiguration | None = None,
        drift_threshold: float | None = None,
    ) -> DataDriftDetector:
        """Change what is given."""
        self._change(
            spec.UpdateDriftDetector(
                services=None if services is None else [*services],
                features=None if feature_list is None else [*feature_list],
                threshold=drift_threshold,
                emails=None if alert_config is None else alert_config.email_addresses,
            )
        )
        return self

    @as_sdk_errors(WebserviceException)
    def delete(self, wait_for_completion: bool = True) -> None:
        """Delete it with its runs."""
        self.workspace._client.delete_drift_detector(self.workspace.name, self.name)

    def _change(self, body: spec.UpdateDriftDetector) -> None:
        self._fill(self.workspace._client.update_drift_detector(self.workspace.name, self.name, body))


def _dataset_of(given: Any) -> str | None:
    if given is None or isinstance(given, str):
        return given
    return f"{given.name}:{given.version}" if getattr(given, "name", None) else str(given.id)


def _training_dataset(workspace: Workspace, name: str, version: int) -> str | None:
    """The dataset that the model was registered with for the scenario ``training``."""
    view = workspace._client.model(workspace.name, f"{name}:{version}")
    return next((one.id for one in view.datasets if one.scenario.lower() == "training"), None)


def _output(run: spec.DriftRun) -> dict[str, Any]:
    return {
        "service": run.service,
        "run_id": run.id,
        "start_date": run.first_day,
        "end_date": run.last_day,
        "has_drift": run.detected,
        "drift_threshold": run.threshold,
        "datadrift_coefficient": run.coefficient,
        "status": run.state,
        "error": run.error,
        "metrics": [
            {
                "feature_name": one.name,
                "feature_type": one.kind,
                "magnitude": one.magnitude,
                "datadrift_contribution": one.contribution,
                "wasserstein_distance": one.wasserstein,
                "energy_distance": one.energy,
                "psi": one.psi,
                "ks": one.ks,
                "total_variation_distance": one.distance,
                "p_value": one.p_value,
                "missing_baseline": one.missing_baseline,
                "missing_target": one.missing_target,
                "new_categories": one.new_categories,
            }
            for one in run.features
        ],
    }
