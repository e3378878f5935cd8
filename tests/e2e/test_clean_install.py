"""The built wheels, in a fresh venv with only what they declare, on the newest Python (pain 17)."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SCORE = "def init():\n    pass\n\n\ndef run(data):\n    return len(data)\n"


def interpreter(minor: str) -> str | None:
    """A Python of that minor version: on the path or in pyenv's folder."""
    found = shutil.which(f"python{minor}")
    pyenv = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv")) / "versions"
    versions = sorted(pyenv.glob(f"{minor}.*")) if pyenv.is_dir() else []
    candidates = [str(v / "bin" / "python") for v in versions] + ([found] if found else [])
    for python in candidates:
        check = f"import sys, venv; sys.exit('%d.%d' % sys.version_info[:2] != '{minor}')"
        if subprocess.run([python, "-c", check], capture_output=True).returncode == 0:
            return python
    return None


@pytest.fixture(scope="session")
def wheels(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    out = tmp_path_factory.mktemp("wheels")
    for package in ("sendoff", "serving"):
        subprocess.run(
            [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(out)],
            cwd=ROOT / "packages" / package,
            check=True,
            capture_output=True,
        )
    return sorted(out.glob("*.whl"))


@pytest.mark.slow
@pytest.mark.parametrize("minor", ["3.13"])  # the oldest is the newcomer's, who reads the README (tests/docs)
def test_a_fresh_venv_with_the_wheels_deploys_and_scores(minor: str, wheels: list[Path], tmp_path: Path) -> None:
    python = interpreter(minor)
    if python is None:
        message = f"no Python {minor} on this machine"
        if os.environ.get("CI"):
            pytest.fail(message)
        pytest.skip(message)
    venv = tmp_path / "venv"
    uv = shutil.which("uv", path=str(Path(sys.executable).parent)) or "uv"
    subprocess.run([uv, "venv", "-q", "-p", python, str(venv)], check=True)
    subprocess.run([uv, "pip", "install", "-q", "-p", str(venv / "bin" / "python"), *map(str, wheels)], check=True)
    (tmp_path / "score.py").write_text(SCORE)
    (tmp_path / "model.txt").write_text("a model")
    env = {
        "PATH": f"{venv / 'bin'}:/usr/bin:/bin",
        "HOME": str(tmp_path),
        "SENDOFF_HOME": str(tmp_path / "home"),
        **{k: v for k, v in os.environ.items() if k.startswith(("PIP_", "SSL_", "UV_"))},
    }

    def sendoff(*args: str) -> str:
        done = subprocess.run(
            [str(venv / "bin" / "sendoff"), *args], cwd=tmp_path, env=env, capture_output=True, text=True, timeout=200
        )
        assert done.returncode == 0, f"sendoff {' '.join(args)}\n{done.stdout}\n{done.stderr}"
        return done.stdout

    (tmp_path / "ic.json").write_text(
        '{"entryScript": "score.py", "environment": {"name": "mine", "python":'
        ' {"userManagedDependencies": true, "interpreterPath": "%s"}}}' % (venv / "bin" / "python")
    )
    sendoff("--help")
    sendoff("model", "register", "-n", "m", "-p", "model.txt")
    try:
        sendoff("model", "deploy", "-n", "svc", "-m", "m:1", "--ic", "ic.json", "--dc", _local(tmp_path))
        assert sendoff("service", "run", "-n", "svc", "-d", "four").strip() == "4"
    finally:
        sendoff("service", "delete", "-n", "svc")


def _local(folder: Path) -> str:
    (folder / "dc.json").write_text('{"computeType": "local"}')
    return "dc.json"
