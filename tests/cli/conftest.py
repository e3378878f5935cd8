"""Running the command line: inside this process through ``run(argv)``, and as the real console script."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from sendoff.cli.__main__ import run


@dataclass
class Done:
    """How a command line ended."""

    code: int
    out: str
    err: str

    @property
    def data(self) -> Any:
        return json.loads(self.out)


Cli = Callable[..., Done]


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A store and a working folder of this test's own."""
    folder = tmp_path / "home"
    work = tmp_path / "work"
    work.mkdir()
    monkeypatch.setenv("SENDOFF_HOME", str(folder))
    monkeypatch.delenv("SENDOFF_SERVER", raising=False)
    monkeypatch.delenv("SENDOFF_TOKEN", raising=False)
    monkeypatch.chdir(work)
    return folder


@pytest.fixture
def cli(home: Path, capsys: pytest.CaptureFixture[str]) -> Cli:
    """``cli("model", "list")`` inside this process."""

    def call(*argv: str) -> Done:
        capsys.readouterr()
        code = run(argv)
        out, err = capsys.readouterr()
        return Done(code, out, err)

    return call


SCRIPT = Path(sys.executable).with_name("sendoff")


@pytest.fixture
def script(home: Path) -> Cli:
    """``script("model", "list")`` as the installed console script in a process of its own."""

    def call(*argv: str, stdin: bytes | None = None, env: dict[str, str] | None = None) -> Done:
        done = subprocess.run(
            [str(SCRIPT), *argv],
            input=stdin if stdin is not None else b"",
            capture_output=True,
            timeout=240,
            env={**os.environ, **(env or {})},
            check=False,
        )
        return Done(done.returncode, done.stdout.decode(), done.stderr.decode())

    return call


@pytest.fixture
def model_file(home: Path) -> Path:
    """A small file to register."""
    file = Path("model.txt").absolute()
    file.write_text("weights\n")
    return file
