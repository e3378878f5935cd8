"""Drift detectors, their runs and reports; events."""

from __future__ import annotations

from ...core import Core
from ...schedule.chores import Chores
from ...spec import drift as spec
from ...spec.page import Listed, Page
from ..noun import Noun, room
from ..route import Call, Query

drift = Noun("drift", spec.DriftDetector, "/workspaces/{ws}/drift", "/workspaces/{ws}/drift/{name}")


def list_(core: Core, call: Call) -> Listed[spec.DriftDetector]:
    """All of a workspace; what is due is started, since no supervisor may run."""
    Chores(core.home).look()
    return core.drift.list(call.path["ws"], window=call.window)


def get(core: Core, call: Call) -> spec.DriftDetector:
    """One by name; what is due is started."""
    Chores(core.home).look()
    return core.drift.get(call.path["ws"], call.path["name"])


def run(core: Core, call: Call) -> Page[spec.DriftRun]:
    """Compare now. The answer is whole: a run for each service that was asked for; the pages of all are at ``runs``."""
    return Page(value=[*core.drift.run(call.path["ws"], call.path["name"], call.body)])


ROUTES = (
    drift.create(room(lambda core: core.drift.create), "Make a drift detector", spec.CreateDriftDetector),
    drift.list(list_, "Drift detectors with their newest runs"),
    drift.get(get, "One drift detector"),
    drift.update(
        room(lambda core: core.drift.update),
        "Change a drift detector, turn its schedule on or off",
        spec.UpdateDriftDetector,
    ),
    drift.delete(room(lambda core: core.drift.delete), "Delete a drift detector and its runs"),
    drift.act(
        "run",
        run,
        "Compare each service's newest period with the baseline now",
        Page[spec.DriftRun],
        spec.RunDrift,
        body_required=False,
    ),
    drift.parts(
        "runs",
        room(lambda core: core.drift.runs),
        "Its runs, the oldest first, with the figures of every feature",
        spec.DriftRun,
    ),
    drift.part(
        "report",
        room(lambda core: core.drift.report),
        "A run as one HTML page with plots",
        spec.DriftReport,
        Query(name="run", summary="Its id; the newest when absent."),
    ),
)
