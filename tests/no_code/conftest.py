"""Each test has a home of its own that finds the shared environments, a workspace, and its services taken away."""

from __future__ import annotations

import environment_cache
import pytest
from api.running import end_everything

from sendoff import Model, Workspace

from .rig import Asked


@pytest.fixture
def work(tmp_path, monkeypatch):
    folder = tmp_path / "work"
    folder.mkdir()
    monkeypatch.setenv("SENDOFF_HOME", str(environment_cache.share(tmp_path / "home")))
    monkeypatch.delenv("SENDOFF_SERVER", raising=False)
    monkeypatch.chdir(folder)
    yield folder
    end_everything(tmp_path / "home")


@pytest.fixture
def ws(work):
    return Workspace.create("demo")


@pytest.fixture
def deploy(ws):
    """Deploys one model as users do, and gives its address and the service."""

    def deploy(model, *rest, name="no-code"):
        service = Model.deploy(ws, name, [model], *rest)
        service.wait_for_deployment(show_output=True)
        assert service.state == "Healthy"
        asked = Asked(service.scoring_uri)
        asked.service = service
        return asked

    return deploy
