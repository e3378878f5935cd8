"""``sendoff drift``: is what services are asked still like what they were trained on?"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click

from ...spec.parse import Spec
from .. import options
from ..command import Group, option
from ..deployment_flags import names
from ..records import Record
from ..session import Session

_DETECTORS = (
    ("Name", "name"),
    ("Services", "settings.services"),
    ("Frequency", "settings.frequency"),
    ("Threshold", "settings.threshold"),
    ("Enabled", "enabled"),
    ("Newest", "latest[].coefficient"),
)
_RUNS = (
    ("Service", "service"),
    ("From", "firstDay"),
    ("To", "lastDay"),
    ("State", "state"),
    ("Rows", "targetRows"),
    ("Coefficient", "coefficient"),
    ("Detected", "detected"),
    ("Moved most", "features[0].name"),
)
_EVENTS = (("Time", "time"), ("Type", "type"), ("Subject", "subject"), ("Coefficient", "data.DriftCoefficient"))


_name = options.name("Name of the detector.")


@click.group(cls=Group)
def drift() -> None:
    """Watch whether the rows that services are sent drift away from a baseline."""


@drift.command(
    "create",
    columns=_DETECTORS,
    example="sendoff drift create -n ages -s diabetes --dataset training:1 --threshold 0.2 --enable",
)
@_name
@option("--service", "-s", "services", multiple=True, required=True, metavar="NAME", help="Service; repeat for more.")
@option("--dataset", default=None, metavar="NAME[:N]", help="Baseline; else the first rows that were collected.")
@option("--baseline-rows", type=int, default=1000, show_default=True, help="How many first rows, without a dataset.")
@option("--model-id", "model", default=None, metavar="NAME:N", help="Only rows of this model.")
@option("--designation", default="inputs", show_default=True, metavar="NAME", help="inputs, predictions or another.")
@option("--features", type=names, default=None, metavar="A,B", help="Columns to compare; all in common if not given.")
@option("--threshold", type=float, default=0.3, show_default=True, help="Coefficient above which an event is raised.")
@option("--frequency", type=click.Choice(["Day", "Week", "Month"], case_sensitive=False), default="Day",
        show_default=True, help="How long a period is.")  # fmt: skip
@option("--enable", is_flag=True, help="Run it after the end of each period.")
def create(session: Session, enable: bool, **given: Any) -> Spec:
    """Make a drift detector for services that collect data."""
    from ...spec.drift import CreateDriftDetector

    given["services"], given["features"] = list(given["services"]), given["features"] or []
    body = CreateDriftDetector(**given, enabled=enable)
    return session.client.create_drift_detector(session.workspace, body)


@drift.command("list", columns=_DETECTORS, example="sendoff drift list -o table")
def list_(session: Session) -> Sequence[Spec]:
    """List drift detectors with what they found last."""
    return session.client.drift_detectors(session.workspace)


@drift.command("show", columns=_RUNS, example="sendoff drift show -n ages -o table")
@_name
@option("--detector", is_flag=True, help="Its settings instead.")
def show(session: Session, name: str, detector: bool) -> Spec | Sequence[Spec]:
    """Show a detector's runs with the figures of every feature, the oldest first."""
    if detector:
        return session.client.drift_detector(session.workspace, name)
    return session.client.drift_runs(session.workspace, name)


@drift.command("run", columns=_RUNS, example="sendoff drift run -n ages --day 2026-03-09")
@_name
@option("--day", default=None, metavar="YYYY-MM-DD", help="Last day of the period, in UTC; today if not given.")
@option("--service", "-s", "services", multiple=True, metavar="NAME", help="Only this service; repeat for more.")
def run(session: Session, name: str, day: str | None, services: tuple[str, ...]) -> Sequence[Spec]:
    """Compare the newest period with the baseline now."""
    from ...spec.drift import RunDrift

    found = session.client.run_drift(session.workspace, name, RunDrift(day=day, services=list(services)))
    for one in found:
        if one.coefficient is None:
            session.say(f"{one.service}: {one.error or one.state}")
        else:
            moved = [f"{f.name} {f.magnitude:.2f}" for f in one.features if f.magnitude][:3]
            verdict = "drift" if one.detected else "no drift"
            session.say(
                f"{one.service}: {verdict}, coefficient {one.coefficient:.3f} (threshold {one.threshold:g})"
                + (f"; moved most: {', '.join(moved)}" if moved else "")
            )
    return found


@drift.command("report", example="sendoff drift report -n ages -f ages.html")
@_name
@option("--run-id", "run_id", default=None, metavar="ID", help="Of a run; the newest if not given.")
@option("--output-file", "-f", "target_file", required=True, metavar="FILE", help="HTML file to write.")
def report(session: Session, name: str, run_id: str | None, target_file: str) -> Record:
    """Write a run as one HTML page with plots, which needs nothing else."""
    from ...errors import InvalidInput

    found = session.client.drift_report(session.workspace, name, run_id)
    try:
        Path(target_file).write_text(found.html, encoding="utf-8")
    except OSError as error:
        raise InvalidInput(f"{target_file} cannot be written: {error.strerror}", where=target_file) from None
    session.say(f"Wrote the report to {target_file}.")
    return {"file": target_file, "run": found.run}


@drift.command("enable", columns=_DETECTORS, example="sendoff drift enable -n ages")
@_name
def enable(session: Session, name: str) -> Spec:
    """Run a detector after the end of each period from now on."""
    return _switched(session, name, True)


@drift.command("disable", columns=_DETECTORS, example="sendoff drift disable -n ages")
@_name
def disable(session: Session, name: str) -> Spec:
    """Run a detector no more by itself."""
    return _switched(session, name, False)


@drift.command("delete", example="sendoff drift delete -n ages")
@_name
def delete(session: Session, name: str) -> None:
    """Delete a detector with its runs and reports. Its events stay."""
    session.client.delete_drift_detector(session.workspace, name)
    session.say(f"Deleted drift detector {name!r}.")


@drift.command("events", columns=_EVENTS, example="sendoff drift events -o table")
def events(session: Session) -> Sequence[Spec]:
    """List the events that detectors have raised, as CloudEvents."""
    from ...spec.drift import DRIFT_DETECTED

    return session.client.events(session.workspace, DRIFT_DETECTED)


def _switched(session: Session, name: str, enabled: bool) -> Spec:
    from ...spec.drift import UpdateDriftDetector

    body = UpdateDriftDetector(enabled=enabled)
    return session.client.update_drift_detector(session.workspace, name, body)
