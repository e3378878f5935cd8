"""Drift detectors, their runs and reports; events."""

from __future__ import annotations

from typing import Any

from ...core import Core
from ...schedule.chores import Chores
from ...spec.drift import (
    CreateDriftDetector,
    DriftDetector,
    DriftReport,
    DriftRun,
    RunDrift,
    UpdateDriftDetector,
)
from ...spec.page import Listed, Page
from ..route import Answer, Call, Query, Route

_ALL, _ONE = "/workspaces/{ws}/drift", "/workspaces/{ws}/drift/{name}"


def create(core: Core, call: Call) -> DriftDetector:
    """Make one."""
    return core.drift.create(call.path["ws"], call.body)


def list_(core: Core, call: Call) -> Listed[DriftDetector]:
    """All of a workspace; what is due is started, since no supervisor may run."""
    Chores(core.home).look()
    return core.drift.list(call.path["ws"], window=call.window)


def get(core: Core, call: Call) -> DriftDetector:
    """One by name; what is due is started."""
    Chores(core.home).look()
    return core.drift.get(call.path["ws"], call.path["name"])


def update(core: Core, call: Call) -> DriftDetector:
    """Change it."""
    return core.drift.update(call.path["ws"], call.path["name"], call.body)


def delete(core: Core, call: Call) -> Any:
    """Delete it with its runs."""
    core.drift.delete(call.path["ws"], call.path["name"])
    return Answer(status=204)


def run(core: Core, call: Call) -> Page[DriftRun]:
    """Compare now."""
    return Page(value=[*core.drift.run(call.path["ws"], call.path["name"], call.body)])


def runs(core: Core, call: Call) -> Listed[DriftRun]:
    """What was found."""
    return core.drift.runs(call.path["ws"], call.path["name"], window=call.window)


def report(core: Core, call: Call) -> DriftReport:
    """A run as a page."""
    return core.drift.report(call.path["ws"], call.path["name"], call.query["run"])


ROUTES = (
    Route(
        method="POST",
        path=_ALL,
        handler=create,
        summary="Make a drift detector",
        body=CreateDriftDetector,
        answers={201: DriftDetector},
    ),
    Route(
        method="GET",
        path=_ALL,
        handler=list_,
        summary="Drift detectors with their newest runs",
        answers={200: Page[DriftDetector]},
        paged=True,
    ),
    Route(method="GET", path=_ONE, handler=get, summary="One drift detector", answers={200: DriftDetector}),
    Route(
        method="PATCH",
        path=_ONE,
        handler=update,
        summary="Change a drift detector, turn its schedule on or off",
        body=UpdateDriftDetector,
        answers={200: DriftDetector},
    ),
    Route(
        method="DELETE", path=_ONE, handler=delete, summary="Delete a drift detector and its runs", answers={204: None}
    ),
    Route(
        method="POST",
        path=f"{_ONE}/run",
        handler=run,
        summary="Compare each service's newest period with the baseline now",
        body=RunDrift,
        body_required=False,
        answers={200: Page[DriftRun]},
    ),
    Route(
        method="GET",
        path=f"{_ONE}/runs",
        handler=runs,
        summary="Its runs, the oldest first, with the figures of every feature",
        answers={200: Page[DriftRun]},
        paged=True,
    ),
    Route(
        method="GET",
        path=f"{_ONE}/report",
        handler=report,
        summary="A run as one HTML page with plots",
        query=(Query(name="run", summary="Its id; the newest when absent."),),
        answers={200: DriftReport},
    ),
)
