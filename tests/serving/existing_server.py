"""Ours in compatibility mode and the existing server itself, started alike and asked alike.

The tests of ``test_existing_*.py`` name rows of the tables of spec/scoring-server.md and run against both, so that a
row that was misread fails too.
"""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from .interpreters import environment
from .running import Server, write_script

OURS, EXISTING = "ours", "theirs"
PACKAGES = ("azureml-inference-server-http", "inference-schema[numpy-support]")
PYTHON = "3.11"

Start = Callable[..., "Twin"]


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
        command = [python, "-u", "-m", "azureml_inference_server_http"]
        if side == OURS:
            command = [sys.executable, "-u", "-m", "sendoff_serving.existing_command", "--python", python]
        clean = {k: v for k, v in os.environ.items() if not k.startswith(("AZUREML_", "AML_", "SERVICE_", "WORKER_"))}
        self.lines: list[str] = []
        self._listening = threading.Event()
        self.process = subprocess.Popen(
            [*command, "--port", str(self.port), *arguments],
            cwd=folder,
            # Without its compiled files the existing server takes three times as long to start.
            env={**{k: v for k, v in clean.items() if k != "PYTHONDONTWRITEBYTECODE"}, **(env or {})},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
        )
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
