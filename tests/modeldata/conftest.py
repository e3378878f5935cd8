"""A home, a workspace and a deployed service that collects."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from api.running import end_everything

from sendoff import Environment, InferenceConfig, Model, Workspace

SCORE = """
import json

def init():
    pass

def run(body):
    return [sum(row) for row in json.loads(body)["data"]]
"""


@pytest.fixture(autouse=True)
def home(tmp_path, monkeypatch):
    home = tmp_path / "home"
    (tmp_path / "work").mkdir()
    monkeypatch.setenv("SENDOFF_HOME", str(home))
    monkeypatch.delenv("SENDOFF_SERVER", raising=False)
    monkeypatch.chdir(tmp_path / "work")
    yield home
    end_everything(home)


@pytest.fixture
def ws():
    return Workspace.create("demo", subscription_id="sub", resource_group="rg")


@pytest.fixture
def config():
    env = Environment("here")
    env.python.user_managed_dependencies = True
    env.python.interpreter_path = sys.executable
    Path("score.py").write_text(SCORE)
    return InferenceConfig(entry_script="score.py", environment=env)


@pytest.fixture
def model(ws):
    Path("m.txt").write_text("2")
    return Model.register(workspace=ws, model_path="m.txt", model_name="adder")
