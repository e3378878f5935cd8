"""The engine, the base image and a home for images."""

import sys
from pathlib import Path

import container_engine
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
