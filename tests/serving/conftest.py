"""Fixtures: servers that are stopped when their test ends."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from .running import Server, write_script


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Callable[..., Server]]:
    """Start servers: ``start("--entry-script", path)``; each is stopped at the end.

    ``within`` is how many seconds it may take until it listens.
    """
    servers: list[Server] = []

    def starting(
        *arguments: Any, wait: bool = True, within: float = 60.0, cwd: Path | None = None, **more: Any
    ) -> Server:
        server = Server(*arguments, cwd=cwd or tmp_path, **more)
        servers.append(server)
        return server.wait_listening(within) if wait else server

    yield starting
    for server in servers:
        if server.process.poll() is None:
            server.process.terminate()
    for server in servers:
        server.stop()


@pytest.fixture
def serve(tmp_path: Path, start: Callable[..., Server]) -> Callable[..., Server]:
    """Serve a script given as text."""

    def serving(text: str, *arguments: Any, **more: Any) -> Server:
        return start("--entry-script", write_script(tmp_path, text), *arguments, **more)

    return serving


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[..., Server]]:
    """Serve a script given as text, once for all tests of a file that ask for the same.

    For tests that send requests and look at the answers: starting a server costs more than a hundred requests. A test
    that stops the server, counts in its metrics or looks into its log asks :func:`serve` for one of its own.
    """
    servers: dict[str, Server] = {}

    def serving(text: str, *arguments: Any, **more: Any) -> Server:
        key = repr((text, arguments, more))
        if key not in servers:
            folder = tmp_path_factory.mktemp("shared")
            servers[key] = Server("--entry-script", write_script(folder, text), *arguments, cwd=folder, **more)
        running = servers[key].wait_listening()
        assert running.process.poll() is None, f"a test before this one has ended the server:\n{running.log}"
        return running

    yield serving
    for server in servers.values():
        if server.process.poll() is None:
            server.process.terminate()
    for server in servers.values():
        server.stop()


@pytest.fixture
def make_bundle(tmp_path: Path) -> Callable[..., Path]:
    """Make a bundle's folder around a script; keyword arguments change members of bundle.json."""
    made: list[Path] = []

    def making(text: str, **changes: Any) -> Path:
        folder = tmp_path / f"bundle{len(made)}"
        made.append(folder)
        write_script(folder / "app", text, "src/score.py")
        content: dict[str, Any] = {
            "schema_version": 1,
            "service": {"name": "svc", "version": "1.0", "path_prefix": ""},
            "app_root": "app",
            "entry_script": "src/score.py",
            "source_directory": "src",
            "models": [],
            "model_dir": None,
            "environment": {"name": "e", "version": "1", "lock_digest": "0", "variables": {}},
            "serving": {"workers": 1},
        }
        for name, value in changes.items():
            content[name] = {**content.get(name, {}), **value} if isinstance(value, dict) else value
        (folder / "bundle.json").write_text(json.dumps(content))
        return folder

    return making
