"""Drift detectors: what services are asked now against what they were trained on (spec/behaviour.md sec. 17.3)."""

from __future__ import annotations

import re

from .parse import Spec, check_rules

DAY, WEEK, MONTH = "Day", "Week", "Month"
FREQUENCIES = (DAY, WEEK, MONTH)
COMPLETED, NO_DATA, FAILED = "Completed", "NoData", "Failed"
NUMERIC, CATEGORICAL = "numeric", "categorical"
DRIFT_DETECTED = "Microsoft.MachineLearningServices.DatasetDriftDetected"
THRESHOLD, BASELINE_ROWS = 0.3, 1000
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}\Z")


class CreateDriftDetector(Spec):
    """Body of ``POST …/drift``. The baseline is ``dataset``, or the first ``baseline_rows`` collected rows."""

    name: str
    services: list[str]
    dataset: str | None = None
    """``name``, ``name:version`` or id of a registered tabular dataset."""
    baseline_rows: int = BASELINE_ROWS
    designation: str = "inputs"
    model: str | None = None
    """``name:version``: only rows of this model; None for all of the service."""
    features: list[str] = []
    """Columns to compare; all that both sides have when empty."""
    threshold: float = THRESHOLD
    frequency: str = DAY
    start: float | None = None
    """When the schedule begins, Unix seconds; None is now."""
    enabled: bool = False
    emails: list[str] = []
    """Kept for SDK v1's sake; an event is raised, no mail is sent."""


class UpdateDriftDetector(Spec):
    """Body of ``PATCH …/drift/{name}``; what is None stays."""

    services: list[str] | None = None
    features: list[str] | None = None
    threshold: float | None = None
    frequency: str | None = None
    enabled: bool | None = None
    emails: list[str] | None = None


class DriftDetector(Spec):
    """A detector as the API shows it; times are Unix seconds."""

    id: str
    name: str
    workspace: str
    settings: CreateDriftDetector
    enabled: bool
    next_run: float | None
    created: float
    latest: list[DriftRun] = []
    """The newest run for each service, without the features."""


class Bin(Spec):
    """One bar of a feature's plot: its label and the shares of both sides."""

    label: str
    baseline: float
    target: float


class FeatureDrift(Spec):
    """How far one feature has moved; what does not apply to its kind is None."""

    name: str
    kind: str
    magnitude: float
    """0 to 1: the largest of the shifts that the rows give evidence of."""
    contribution: float
    """Share in the sum of all magnitudes."""
    psi: float | None
    ks: float | None
    wasserstein: float | None
    energy: float | None
    distance: float | None
    """Total variation distance of categories."""
    p_value: float | None
    """Of the Kolmogorov-Smirnov test, or of the chi-squared test for categories."""
    missing_baseline: float
    missing_target: float
    mean_baseline: float | None
    mean_target: float | None
    new_categories: list[str]
    bins: list[Bin]


class DriftRun(Spec):
    """One comparison, of one service over one period (days, both included)."""

    id: str
    detector: str
    service: str
    state: str
    first_day: str
    last_day: str
    baseline_rows: int
    target_rows: int
    coefficient: float | None
    threshold: float
    detected: bool
    created: float
    error: str | None = None
    features: list[FeatureDrift] = []


class RunDrift(Spec):
    """Body of ``POST …/drift/{name}/run``; the period ends with ``day`` (today when None, in UTC)."""

    day: str | None = None
    services: list[str] = []


class DriftReport(Spec):
    """A run as one HTML page that needs nothing else."""

    run: str
    html: str


def check(body: CreateDriftDetector | UpdateDriftDetector, *, where: str) -> None:
    """Refuse values out of their range.

    Raises:
        InvalidInput: Names the field, its rule and what was given.
    """
    rules: list[tuple[str, bool, str]] = []
    if isinstance(body, CreateDriftDetector):
        rules += [
            ("name", bool(_NAME.match(body.name)), "has 1 to 64 letters, digits, '-' and '_', none of these two first"),
            ("baseline_rows", body.baseline_rows >= 10, "has to be at least 10"),
        ]
    services, threshold, frequency = body.services, body.threshold, body.frequency
    rules += [
        ("services", services is None or bool(services), "has to name a service at least"),
        ("threshold", threshold is None or 0 <= threshold <= 1, "has to be from 0 to 1"),
        ("frequency", frequency is None or frequency in FREQUENCIES, f"is {', '.join(FREQUENCIES)}"),
    ]
    check_rules(body, rules, where=where)
