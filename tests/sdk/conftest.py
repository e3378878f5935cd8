"""Each test has a home and a working folder of its own."""

from __future__ import annotations

import sys

import pytest
from api.running import end_everything

from sendoff import Environment, Workspace


@pytest.fixture(autouse=True)
def home(tmp_path, monkeypatch):
    home = tmp_path / "home"
    work = tmp_path / "work"
    work.mkdir()
    monkeypatch.setenv("SENDOFF_HOME", str(home))
    monkeypatch.delenv("SENDOFF_SERVER", raising=False)
    monkeypatch.chdir(work)
    return home


@pytest.fixture
def ws():
    return Workspace.create("demo")


@pytest.fixture
def cleaned(home):
    yield
    end_everything(home)


@pytest.fixture
def here():
    env = Environment("here")
    env.python.user_managed_dependencies = True
    env.python.interpreter_path = sys.executable
    return env
