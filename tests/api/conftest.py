"""The same tests talk to the API in this process and over a real wire."""

from __future__ import annotations

import pytest

from sendoff.client import connect
from sendoff.spec.workspace import CreateWorkspace

from .running import end_everything, server


@pytest.fixture
def home(tmp_path):
    return tmp_path / "home"


@pytest.fixture(params=["memory", "wire"])
def client(request, home):
    if request.param == "memory":
        with connect(home=home) as client:
            yield client
        return
    with server(home) as running:
        with connect(server=running.url, token=running.token) as client:
            yield client


@pytest.fixture
def workspace(client):
    return client.create_workspace(CreateWorkspace(name="demo")).name


@pytest.fixture
def cleaned(home):
    """Ends what the test has deployed."""
    yield
    end_everything(home)
