"""The same tests talk to the API in this process and over a real wire."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest
import uvicorn

from sendoff.api.application import Application
from sendoff.api.server import asgi
from sendoff.client import connect
from sendoff.core import Core
from sendoff.spec.workspace import CreateWorkspace

from .running import end_everything

TOKEN = "token-of-the-tests"


@contextmanager
def served(home: Path) -> Iterator[str]:
    """The API's server on real sockets, in a thread of this process; test_server_process starts it as users do."""
    with closing(Core(home, mode="server")) as core, socket.create_server(("127.0.0.1", 0)) as listener:
        config = uvicorn.Config(asgi(Application(core), TOKEN), log_config=None, access_log=False, lifespan="on")
        running = uvicorn.Server(config)
        thread = threading.Thread(target=running.run, kwargs={"sockets": [listener]})
        thread.start()
        try:
            yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        finally:
            running.should_exit = True
            thread.join(30)
            assert not thread.is_alive()


@pytest.fixture
def home(tmp_path):
    return tmp_path / "home"


@pytest.fixture(params=["memory", "wire"])
def client(request, home):
    if request.param == "memory":
        with connect(home=home) as client:
            yield client
        return
    with served(home) as url, connect(server=url, token=TOKEN) as client:
        yield client


@pytest.fixture
def workspace(client):
    return client.create_workspace(CreateWorkspace(name="demo")).name


@pytest.fixture
def cleaned(home):
    """Ends what the test has deployed."""
    yield
    end_everything(home)
