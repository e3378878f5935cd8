"""Detectors from end to end: real rows, real files, real processes (issue E, point 5)."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from datetime import UTC, date, datetime, timedelta
from html.parser import HTMLParser
from pathlib import Path

import pytest
from command_line import sendoff, sendoff_process
from sqlalchemy import update

from sendoff.client import connect
from sendoff.drift.detectors import Drift
from sendoff.errors import AlreadyExists, Conflict, InvalidInput, NotFound
from sendoff.schedule import periods as schedule
from sendoff.schedule.chores import Chores
from sendoff.sdk.datadrift import AlertConfiguration, DataDriftDetector
from sendoff.sdk.exceptions import WebserviceException
from sendoff.spec.drift import DRIFT_DETECTED, CreateDriftDetector, RunDrift, UpdateDriftDetector
from sendoff.store import open_store, tables

from .conftest import wine


def detector(client, **given):
    body = CreateDriftDetector(**{"name": "d", "services": ["tasting"], "dataset": "wine", **given})
    return client.create_drift_detector("demo", body)


def cli(*words, ok=True, run=sendoff):
    done = run(*words, "-w", "demo")
    assert (done.returncode == 0) == ok, done.stdout + done.stderr
    return done


class Page(HTMLParser):
    """What a page refers to and draws."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.names: list[str] = []
        self.links: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.names.append(tag)
        self.links += [value for name, value in attrs if name in ("src", "href", "xlink:href") and value]


def test_a_shift_is_detected_reported_and_raises_an_event_and_none_raises_none(today, collect, dataset):
    collect(today, wine(0))
    collect(today - timedelta(days=1), wine(1.5))
    cli("drift", "create", "-n", "d", "-s", "tasting", "--dataset", "wine", "--threshold", "0.2")
    calm = json.loads(cli("drift", "run", "-n", "d", "-o", "json", run=sendoff_process).stdout)[0]
    assert (calm["state"], calm["detected"], calm["coefficient"], calm["targetRows"]) == ("Completed", False, 0, 178)
    assert json.loads(cli("drift", "events", "-o", "json").stdout) == []

    done = cli("drift", "run", "-n", "d", "--day", today - timedelta(days=1), "-o", "json")
    moved = json.loads(done.stdout)[0]
    assert moved["detected"] and moved["features"][0]["name"] == "alcohol" and "drift, coefficient" in done.stderr
    assert moved["features"][0]["contribution"] == 1 and moved["coefficient"] == moved["features"][0]["ks"] > 0.3
    (event,) = json.loads(cli("drift", "events", "-o", "json").stdout)
    shown = json.loads(cli("drift", "show", "-n", "d", "--detector", "-o", "json").stdout)
    assert event["type"] == DRIFT_DETECTED and event["specversion"] == "1.0"
    assert event["subject"] == f"datadrift/{shown['id']}/run/{moved['id']}"
    assert event["source"].endswith("/Microsoft.MachineLearningServices/workspaces/demo")
    assert set(event["data"]) == {
        *("DataDriftId", "DataDriftName", "RunId", "BaseDatasetId", "TargetDatasetId"),
        *("DriftCoefficient", "StartTime", "EndTime"),
    }
    assert event["data"]["DriftCoefficient"] == moved["coefficient"] and event["data"]["BaseDatasetId"] == "wine:1"

    cli("drift", "report", "-n", "d", "-f", "d.html")
    page = Page(Path("d.html").read_text())
    assert page.names.count("svg") == 3 and "rect" in page.names and page.links == [] and "script" not in page.names
    assert "above the threshold of 0.2" in Path("d.html").read_text()
    assert len(json.loads(cli("drift", "show", "-n", "d", "-o", "json").stdout)) == 2
    cli("drift", "delete", "-n", "d")
    assert json.loads(cli("drift", "list", "-o", "json").stdout) == []
    assert len(json.loads(cli("drift", "events", "-o", "json").stdout)) == 1
    assert "there is no drift detector 'd'" in cli("drift", "run", "-n", "d", ok=False).stderr


def test_the_first_rows_are_a_baseline_that_stays_when_their_days_are_deleted(today, collect, home):
    client = connect()
    collect(today - timedelta(days=3), wine(0)[:100])
    detector(client, dataset=None, baseline_rows=150)
    with pytest.raises(Conflict, match="the first 150 rows of 'tasting'; there are 100 yet"):
        client.run_drift("demo", "d", RunDrift())
    collect(today - timedelta(days=2), wine(0)[100:])
    collect(today, wine(2))
    (first,) = client.run_drift("demo", "d", RunDrift())
    assert first.detected and first.baseline_rows == 150 and first.features[0].name == "alcohol"
    client.delete_data("demo", "tasting", today.isoformat())
    (again,) = client.run_drift("demo", "d", RunDrift())
    assert again.baseline_rows == 150 and again.coefficient == first.coefficient


def test_a_week_is_seven_days_and_only_the_models_own_rows_count(today, collect, dataset):
    client = connect()
    collect(today - timedelta(days=6), wine(0))
    collect(today - timedelta(days=7), wine(3))
    collect(today, wine(3), version=2)
    detector(client, frequency="Week", model="taster:1")
    (run,) = client.run_drift("demo", "d", RunDrift())
    assert (run.target_rows, run.detected) == (178, False)
    assert (run.first_day, run.last_day) == ((today - timedelta(days=6)).isoformat(), today.isoformat())
    (empty,) = client.run_drift("demo", "d", RunDrift(day="2001-01-31"))
    assert empty.state == "NoData" and "has collected no inputs" in empty.error


def test_wrong_settings_are_refused_before_anything_is_made(today, collect, dataset, ws):
    client = connect()
    collect(today, wine(0)[:5])
    for given, error, text in (
        ({"threshold": 1.5}, InvalidInput, "threshold has to be from 0 to 1"),
        ({"frequency": "Hour"}, InvalidInput, "frequency is Day, Week, Month"),
        ({"services": ["nobody"]}, NotFound, "there is no service 'nobody'"),
        ({"dataset": "nothing"}, NotFound, "nothing"),
        ({"name": "a b"}, InvalidInput, "name has 1 to 64"),
    ):
        with pytest.raises(error, match=text):
            detector(client, **given)
    assert client.drift_detectors("demo") == []
    detector(client)
    with pytest.raises(AlreadyExists):
        detector(client)
    with pytest.raises(InvalidInput, match="is no day"):
        client.run_drift("demo", "d", RunDrift(day="yesterday"))


def test_a_supervisor_loads_nothing_but_the_standard_library_for_its_chores():
    code = (
        "import sys; before = set(sys.modules); import sendoff.schedule.chores;"
        "print(*sorted({name.split('.')[0] for name in set(sys.modules) - before} - sys.stdlib_module_names))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["sendoff"]


def test_schedules_end_with_their_periods():
    noon = datetime(2026, 3, 11, 12, tzinfo=UTC).timestamp()  # a Wednesday

    def when(frequency):
        due = schedule.next_run(frequency, noon)
        return datetime.fromtimestamp(due, UTC).strftime("%m-%d %H:%M"), schedule.last_day(due)

    assert when("Day") == ("03-12 00:01", date(2026, 3, 11))
    assert when("Week") == ("03-16 00:01", date(2026, 3, 15))
    assert when("Month") == ("04-01 00:01", date(2026, 3, 31))
    assert schedule.period("Month", date(2026, 3, 31)) == (date(2026, 3, 1), date(2026, 3, 31))


def test_what_is_due_runs_once_for_each_period_that_was_missed(today, collect, dataset, home):
    client = connect()
    for back in (1, 2):
        collect(today - timedelta(days=back), wine(2 * (back - 1)))
    detector(client, enabled=True)
    client.close()
    store = open_store(home)
    two_days_ago = time.time() - 2 * 86400
    with store.begin() as connection:
        connection.execute(update(tables.drift_detectors).values(next_run=schedule.next_run("Day", two_days_ago)))
    drift = Drift(store)
    found = [(run.last_day, run.detected) for run in drift.run_due(time.time() + 120)]
    assert found[:2] == [
        ((today - timedelta(days=2)).isoformat(), True),
        ((today - timedelta(days=1)).isoformat(), False),
    ]
    assert list(drift.run_due(time.time() + 120)) == []
    store.close()


def test_the_supervisors_chores_start_what_is_due(today, collect, dataset, home):
    client = connect()
    collect(today - timedelta(days=1), wine(2))
    detector(client, enabled=True)
    client.close()
    chores = Chores(home)
    assert not chores.look()  # tomorrow
    store = open_store(home)
    due = schedule.next_run("Day", time.time() - 86400)
    with store.begin() as connection:
        connection.execute(update(tables.drift_detectors).values(next_run=due))
    store.close()
    (home / "drift/next-run").write_text(str(due))
    connect().drift_detectors("demo")  # no supervisor: whoever looks starts it
    end = time.monotonic() + 60
    while not (runs := connect().drift_runs("demo", "d")):
        assert time.monotonic() < end, (home / "drift/due.log").read_text()
        time.sleep(0.2)
    assert runs[0].detected and float((home / "drift/next-run").read_text()) > time.time()
    client.update_drift_detector("demo", "d", UpdateDriftDetector(enabled=False))
    assert not (home / "drift/next-run").exists()


def test_the_names_of_sdk_v1(today, collect, model, ws):
    collect(today, wine(2))
    monitor = DataDriftDetector.create_from_model(
        ws, "taster", 1, ["tasting"], frequency="Day", alert_config=AlertConfiguration(["a@b.c"]), drift_threshold=0.25
    )
    assert monitor.baseline_dataset == "wine:1" and monitor.alert_config.email_addresses == ["a@b.c"]
    (found,) = monitor.run(datetime.now(UTC))
    assert found["has_drift"] and found["datadrift_coefficient"] > 0.25
    by_name = {one["feature_name"]: one for one in found["metrics"]}
    assert by_name["alcohol"]["datadrift_contribution"] == 1 and by_name["alcohol"]["wasserstein_distance"] > 0
    assert monitor.get_output() == [found] and monitor.get_output(run_id="none") == []
    monitor.enable_schedule()
    assert DataDriftDetector.get_by_name(ws, "taster-1").state == "Enabled"
    monitor.disable_schedule()
    assert [one.name for one in DataDriftDetector.list(ws, model_name="taster")] == ["taster-1"]
    assert Path(monitor.show()).read_text().startswith("<!doctype html>")
    monitor.delete()
    with pytest.raises(WebserviceException, match="no drift detector"):
        DataDriftDetector.get_by_name(ws, "taster-1")
