"""Ours in compatibility mode and the existing server itself, started alike and asked alike.

The tests of ``test_existing_*.py`` name rows of the tables of spec/scoring-server.md and run against both, so that a
row that was misread fails too.
"""

from __future__ import annotations

import os
import socket
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from . import forked
from .forked import Forked
from .interpreters import environment
from .running import Server, write_script

OURS, EXISTING = "ours", "theirs"
PACKAGES = ("azureml-inference-server-http", "inference-schema[numpy-support]")
PYTHON = "3.11"

Start = Callable[..., "Twin"]


_PROGRAM = """
import os, runpy, sys
import azure.monitor.opentelemetry.exporter, flask, flask_cors, gunicorn.app.wsgiapp, gunicorn.config
import gunicorn.workers.sync
import inference_schema.schema_util, numpy, pydantic_settings

def main(asked):
    gunicorn.config.Chdir.default = asked["cwd"]  # what it was when that module was imported
    sys.argv[0] = "azmlinfsrv"
    runpy.run_module("azureml_inference_server_http", run_name="__main__", alter_sys=True)
    return 0
"""


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port: int = taken.getsockname()[1]
        return port


class Twin(Server):
    """One of the two, started by the existing server's command line.

    Args:
        side: ``OURS`` or ``EXISTING``.
        folder: the working directory.
        arguments: the existing server's options, but for ``--port``, which is added.
    """

    def __init__(self, side: str, folder: Path, *arguments: str, env: dict[str, str] | None = None) -> None:
        self.side, self.folder, self.control = side, folder, None
        self.port = _free_port()
        # Scripts run in the same environment on both sides, so that their packages are the same too.
        python = environment(PYTHON, *PACKAGES)
        given = ["--port", str(self.port), *arguments]
        clean = {k: v for k, v in os.environ.items() if not k.startswith(("AZUREML_", "AML_", "SERVICE_", "WORKER_"))}
        self.lines: list[str] = []
        self._listening = threading.Event()
        environ = {**clean, "PYTHONUNBUFFERED": "1", **(env or {})}
        if side == OURS:
            self.process = Forked(forked.OURS, ["--python", python, *given], folder, environ, compatible=True)
        else:
            self.process = Forked(_PROGRAM, given, folder, environ, python)
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def wait_listening(self, seconds: float = 60.0) -> Twin:
        end = time.monotonic() + seconds
        while True:
            try:
                if self.get("/").status == 200:
                    return self
            except OSError:
                assert self.process.poll() is None and time.monotonic() < end, self.log
                time.sleep(0.02)


@pytest.fixture(scope="module", params=[OURS, EXISTING])
def twin(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Start]:
    """Start one of the two: ``twin(script, *arguments, env=…, files={name: text})``, once for what is asked alike."""
    running: dict[str, Twin] = {}

    def start(
        script: str | None,
        *arguments: str,
        env: dict[str, str] | None = None,
        files: dict[str, str] | None = None,
        named: bool = True,
        wait: bool = True,
    ) -> Twin:
        key = repr((script, arguments, env, files, named))
        if key not in running:
            folder = tmp_path_factory.mktemp("twin")
            (folder / "code").mkdir()
            if script is not None:
                write_script(folder, script, "code/score.py")
                arguments = (*arguments, "--entry_script", "code/score.py") if named else arguments
            for name, text in (files or {}).items():
                (folder / name).parent.mkdir(parents=True, exist_ok=True)
                (folder / name).write_text(text)
            running[key] = Twin(request.param, folder, *arguments, env=env)
        return running[key].wait_listening() if wait else running[key]

    yield start
    for server in running.values():
        if server.process.poll() is None:
            server.process.terminate()
    for server in running.values():
        server.stop()
