"""The engine, the base image and a home for images."""

import subprocess
import sys
from pathlib import Path

import container_engine
import environment_cache
import pytest

sys.path.insert(0, str(Path(__file__).parent))


@pytest.fixture(scope="session")
def base() -> str:
    """The base image's name, in an engine that answers."""
    return container_engine.base_image()


@pytest.fixture(scope="session")
def engine(base):
    """Another client of the engine than ours, to look at what we did."""
    import docker

    client = docker.from_env(timeout=600)
    yield client
    client.close()


@pytest.fixture
def rig(tmp_path, base):
    """A home of this test's own; layers that were made before are found again."""
    from image_rig import Rig

    made = Rig(tmp_path / "home", base)
    yield made
    made.store.close()


@pytest.fixture
def work(tmp_path, monkeypatch, base):
    """A working folder with a registered model, a script and a conda file; layers made before are found."""
    from image_rig import CONDA_311, SCORE

    from sendoff.cli.__main__ import run

    home = tmp_path / "home"
    home.mkdir()
    shared = environment_cache.cache() / "images"
    shared.mkdir(exist_ok=True)
    (home / "images").symlink_to(shared, target_is_directory=True)
    monkeypatch.setenv("SENDOFF_HOME", str(home))
    monkeypatch.setenv("SENDOFF_BASE_IMAGE", base)
    monkeypatch.delenv("SENDOFF_SERVER", raising=False)
    folder = tmp_path / "work"
    (folder / "src").mkdir(parents=True)
    (folder / "src" / "score.py").write_text(SCORE)
    (folder / "m.txt").write_text("a model")
    (folder / "environment.yml").write_text(CONDA_311)
    monkeypatch.chdir(folder)
    assert run(["model", "register", "-n", "m", "-p", "m.txt"]) == 0
    return folder


@pytest.fixture(scope="session")
def server_wheels() -> Path:
    """A wheelhouse with the scoring server's packages, and those of the tests' environment; fetched once."""
    from image_rig import server_packages

    # Two groups: the server's own idna is another one than the environment's.
    groups = (["idna==3.10", "setuptools<81"], server_packages())

    def fetch(folder: Path) -> None:
        for names in groups:
            command = [sys.executable, "-m", "pip", "download", "-q", "--no-deps", "-d", str(folder), *names]
            done = subprocess.run(command, capture_output=True, text=True)
            assert done.returncode == 0, done.stderr

    return environment_cache.folder("server-wheels", [sys.version, *groups[0], *groups[1]], fetch)
