"""A home, an environment of variables without this machine's pip settings, and wheels made by hand."""

import os
import shutil

import pytest

from environments.wheels import make_wheel
from sendoff.environments import interpreters
from sendoff.spec.settings import Settings


@pytest.fixture(scope="session")
def known_interpreters(tmp_path_factory):
    """What is remembered of this machine's Pythons, so that not each of a hundred new homes runs all of them."""
    home = tmp_path_factory.mktemp("interpreters")
    pyenv = os.environ.get("PYENV_ROOT") or os.path.expanduser("~/.pyenv")
    interpreters.discover(Settings(), {"PATH": os.environ["PATH"], "PYENV_ROOT": pyenv, "HOME": str(home)})
    return home / ".cache"


@pytest.fixture
def clean(tmp_path, known_interpreters):
    """Variables as on a machine where pip was never configured."""
    shutil.copytree(known_interpreters, tmp_path / "nobody" / ".cache")
    kept = {
        name: value for name, value in os.environ.items() if not name.startswith(("PIP_", "UV_", "XDG_", "SENDOFF_"))
    }
    pyenv = os.environ.get("PYENV_ROOT") or os.path.expanduser("~/.pyenv")
    cache = os.environ.get("UV_CACHE_DIR") or os.path.expanduser("~/.cache/uv")
    return {
        **kept,
        "HOME": str(tmp_path / "nobody"),
        "XDG_CONFIG_DIRS": str(tmp_path / "nobody"),
        "PIP_CONFIG_FILE": os.devnull,
        "PYENV_ROOT": pyenv,
        "UV_CACHE_DIR": cache,
    }


@pytest.fixture
def home(tmp_path):
    return tmp_path / "home"


@pytest.fixture
def wheelhouse(tmp_path):
    """Four tiny wheels: one and two need base, in versions that do or do not go together."""
    folder = tmp_path / "wheels"
    folder.mkdir()
    make_wheel(folder, "tiny-base", "1.0")
    make_wheel(folder, "tiny-base", "2.0")
    make_wheel(folder, "tiny-one", "1.5", requires=["tiny-base<2"])
    make_wheel(folder, "tiny-two", "0.3", requires=["tiny-base>=2"])
    return folder


@pytest.fixture
def offline(wheelhouse, clean):
    """Settings that look nowhere but into the wheelhouse; what uv has in its cache does not count either."""
    clean["PIP_NO_INDEX"] = "1"
    return Settings(offline=True, wheelhouse=str(wheelhouse))
