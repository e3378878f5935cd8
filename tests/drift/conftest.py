"""A home whose service has collected real rows: the recorder itself writes them, for the days that a test wants."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime
from pathlib import Path

import pytest
from api.running import end_everything

from sendoff import Dataset, Model, Workspace
from sendoff_serving.protocol import Frame, Kind
from sendoff_serving.recording.recorder import Recorder

FEATURES = ["alcohol", "malic_acid", "ash"]


@pytest.fixture(autouse=True)
def home(tmp_path, monkeypatch):
    (tmp_path / "work").mkdir()
    monkeypatch.setenv("SENDOFF_HOME", str(tmp_path / "home"))
    monkeypatch.delenv("SENDOFF_SERVER", raising=False)
    monkeypatch.chdir(tmp_path / "work")
    yield tmp_path / "home"
    end_everything(tmp_path / "home")


@pytest.fixture
def ws():
    return Workspace.create("demo", subscription_id="sub", resource_group="rg")


def _wines():
    # Here and not above: scikit-learn takes seconds to import, and every worker of the suite collects every file.
    from sklearn.datasets import load_wine

    return load_wine(as_frame=True).data[FEATURES]


def wine(shift: float = 0.0) -> list[dict[str, float]]:
    """Real rows; ``shift`` moves the alcohol by so many standard deviations."""
    frame = _wines()
    frame = frame.assign(alcohol=frame["alcohol"] + shift * frame["alcohol"].std())
    return frame.sample(frac=1, random_state=5).to_dict("records")


@pytest.fixture
def dataset(ws):
    _wines().to_csv("wine.csv", index=False)
    return Dataset.Tabular.from_delimited_files("wine.csv").register(ws, "wine")


@pytest.fixture
def model(ws, dataset):
    Path("m.txt").write_text("1")
    return Model.register(ws, "m.txt", "taster", datasets=[(Dataset.Scenario.TRAINING, dataset)])


@pytest.fixture
def collect(home, ws):
    """``collect(day, rows)``: what the scoring server of service "tasting" would have stored."""

    def collecting(day: date, rows: list[dict[str, float]], service: str = "tasting", version: int = 1) -> None:
        recorder = Recorder(home / "modeldata/sub/rg/demo" / service, f"{service}-{day}", 1 << 20)
        recorder.context(1, {"folder": f"taster/{version}", "redact": [], "max_store_bytes": 1 << 30})
        clock = datetime(day.year, day.month, day.day, 12, tzinfo=UTC).timestamp()
        for number, row in enumerate(rows):
            bodies = [f"{day}-{number}".encode(), json.dumps({"data": [row]}).encode(), b"[1]"]
            recorder.captured(Frame(Kind.CAPTURE, 1, 0, clock, bodies))
        recorder.flush(clock, last=True)
        assert recorder.stored["capture"] == len(rows)

    return collecting
