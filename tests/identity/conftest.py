"""A home and a working folder for each test, and services that end with it."""

from __future__ import annotations

import json
import ssl
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from api.running import end_everything

from sendoff import Environment, InferenceConfig, LocalWebservice, Model, Webservice, Workspace

SCORE = "def init():\n    print('init')\n\n\ndef run(data):\n    return ANSWER\n\n\nANSWER = 1\n"


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    work = tmp_path / "work"
    work.mkdir()
    monkeypatch.setenv("SENDOFF_HOME", str(tmp_path / "home"))
    monkeypatch.delenv("SENDOFF_SERVER", raising=False)
    monkeypatch.chdir(work)
    return tmp_path / "home"


@pytest.fixture
def ws(home: Path) -> Iterator[Workspace]:
    yield Workspace.create("demo")
    end_everything(home)


def config(script: str = SCORE) -> InferenceConfig:
    """Code that answers, in this interpreter."""
    env = Environment("here")
    env.python.user_managed_dependencies = True
    env.python.interpreter_path = sys.executable
    Path("score.py").write_text(script)
    return InferenceConfig(entry_script="score.py", environment=env)


@pytest.fixture
def deploy(ws: Workspace) -> Callable[..., Webservice]:
    """Deploy ``svc`` and wait: ``deploy(configuration)``, or the arguments of a local one."""

    def deploying(configuration: Any = None, name: str = "svc", overwrite: bool = False, **given: Any) -> Webservice:
        configuration = configuration or LocalWebservice.deploy_configuration(**given)
        service = Model.deploy(ws, name, [], config(), configuration, overwrite=overwrite)
        service.wait_for_deployment()
        return service

    return deploying


def call(uri: str, credential: str | None = None, *, context: ssl.SSLContext | None = None) -> tuple[int, Any]:
    """POST without the SDK: status and decoded body."""
    headers = {} if credential is None else {"Authorization": f"Bearer {credential}"}
    request = urllib.request.Request(uri, b"{}", headers)
    try:
        with urllib.request.urlopen(request, timeout=20, context=context) as answer:
            return answer.status, json.loads(answer.read())
    except urllib.error.HTTPError as error:
        return error.code, json.loads(error.read())


class Hammer:
    """Clients that call without a pause until the block ends; ``bad`` has every answer that was not 1."""

    def __init__(self, ask: Callable[[], Any], clients: int = 3) -> None:
        self.good = 0
        self.bad: list[Any] = []
        self._ask = ask
        self._stop = threading.Event()
        self._threads = [threading.Thread(target=self._run) for _ in range(clients)]

    def _run(self) -> None:
        while not self._stop.is_set():
            try:
                answer = self._ask()
            except Exception as error:
                answer = repr(error)
            if answer in (1, (200, 1)):
                self.good += 1
            else:
                self.bad.append(answer)

    def __enter__(self) -> Hammer:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        end = time.monotonic() + 15
        while self.good < 20 and not self.bad and time.monotonic() < end:
            time.sleep(0.02)
        self._stop.set()
        for thread in self._threads:
            thread.join()
