"""The Python interpreters of this machine, and environments made for them once a run."""

from __future__ import annotations

import fcntl
import functools
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


def _pyenv_versions() -> list[Path]:
    roots = [os.environ.get("PYENV_ROOT"), str(Path.home() / ".pyenv")]
    return [Path(root) / "versions" for root in roots if root]


def _answers(python: str, version: str) -> bool:
    try:
        found = subprocess.run(
            [python, "-c", "import sys; print('%d.%d' % sys.version_info[:2])"],
            capture_output=True,
            text=True,
            timeout=30,
        )
    except OSError:
        return False
    return found.returncode == 0 and found.stdout.strip() == version


@functools.cache
def interpreter(version: str) -> str:
    """Return an interpreter of a version such as "3.6"; skip the test where there is none.

    In CI every version must be there, so that a missing one cannot pass unnoticed.
    """
    candidates: list[str] = []
    for versions in _pyenv_versions():
        candidates += [str(path) for path in sorted(versions.glob(f"{version}.*/bin/python"), reverse=True)]
    on_path = shutil.which(f"python{version}")
    if on_path:
        candidates.append(on_path)
    if sys.version_info[:2] == tuple(map(int, version.split("."))):
        candidates.append(sys._base_executable)
    for candidate in candidates:
        if _answers(candidate, version):
            return candidate
    if os.environ.get("CI") == "true" and os.environ.get("SENDOFF_ALL_PYTHONS", "1") == "1":
        pytest.fail(f"no Python {version} on this machine")
    pytest.skip(f"no Python {version} on this machine")


def environment(version: str, *packages: str) -> str:
    """Return the interpreter of an environment with the packages, made once and kept in the test cache."""
    base = interpreter(version)
    cache = Path(os.environ.get("SENDOFF_TEST_CACHE") or ROOT / ".cache") / "serving"
    cache.mkdir(parents=True, exist_ok=True)
    name = "-".join([version, *packages]).replace("[", "_").replace("]", "").replace("=", "").replace("<", "lt")
    folder = cache / name
    python = folder / "bin" / "python"
    with (cache / f"{name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (folder / "complete").exists():
            shutil.rmtree(folder, ignore_errors=True)
            uv = shutil.which("uv", path=f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', '')}")
            assert uv, "uv is a development dependency"
            subprocess.run([uv, "venv", "-q", "-p", base, str(folder)], check=True)
            if packages:
                subprocess.run([uv, "pip", "install", "-q", "--python", str(python), *packages], check=True)
            (folder / "complete").touch()
    return str(python)
