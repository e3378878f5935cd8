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
