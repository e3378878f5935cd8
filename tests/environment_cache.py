"""Environments that tests share: built once under ``SENDOFF_TEST_CACHE`` (default ``.cache/``), whoever comes first.

A test that needs an environment for real calls :func:`built`, or :func:`share` to let a whole home find what was built.
"""

import hashlib
import os
import shutil
from pathlib import Path

import pytest
from resolving import resolve

from sendoff.environments import build
from sendoff.spec import parse
from sendoff.spec.environment import Lock
from sendoff.spec.environment_files import read_conda_file
from sendoff.spec.settings import Settings

ARTICLE_CONDA = """\
name: project_environment
dependencies:
  - python=3.6.2
  - scikit-learn=0.20.0
  - pip:
      # You must list azureml-defaults as a pip dependency
    - azureml-defaults>=1.0.45
    - inference-schema[numpy-support]
"""
"""The environment of the article's kind: an interpreter and a scikit-learn of 2018."""


def cache() -> Path:
    """The folder that outlives a run."""
    folder = Path(os.environ.get("SENDOFF_TEST_CACHE") or Path(__file__).parents[1] / ".cache")
    folder.mkdir(parents=True, exist_ok=True)
    return folder.resolve()


def home() -> Path:
    """The home that shared environments lie in."""
    return cache() / "environments-home"


def locked(conda_text: str) -> Lock:
    """The lock of a conda file's text; resolved once."""
    kept = home() / "locks" / f"{hashlib.sha256(conda_text.encode()).hexdigest()[:16]}.json"
    if kept.exists():
        return parse.decode(kept.read_bytes(), Lock, where=str(kept))
    kept.parent.mkdir(parents=True, exist_ok=True)
    source = kept.with_suffix(f".{os.getpid()}.yml")
    source.write_text(conda_text)
    try:
        lock, _ = resolve(read_conda_file(source), home=home(), settings=Settings(), environ=os.environ)
    finally:
        source.unlink()
    staged = kept.with_suffix(f".{os.getpid()}")
    staged.write_bytes(parse.encode(lock))
    staged.replace(kept)
    return lock


def built(conda_text: str) -> Path:
    """The Python of a built environment; processes that ask at once build it once."""
    from sendoff.environments.indexes import Supply, effective

    lock = locked(conda_text)
    indexes, _ = effective(os.environ, Settings(), lock.pip_options)
    return build.ensure(lock, Supply(indexes, os.environ), home=home()).python


def share(own_home: Path) -> Path:
    """Let a test's home find the shared environments; for tests that collect no garbage."""
    shared = build.folder_of(home())
    shared.mkdir(parents=True, exist_ok=True)
    own_home.mkdir(parents=True, exist_ok=True)
    build.folder_of(own_home).symlink_to(shared, target_is_directory=True)
    return own_home


def interpreter(minor: str) -> str:
    """A Python of that minor version; where there is none the test is skipped, but fails in CI."""
    from sendoff.environments import interpreters

    for one in interpreters.discover(Settings(), os.environ):
        if not one.problem and one.version.startswith(f"{minor}."):
            return one.path
    reason = f"Python {minor} is not on this machine"
    if os.environ.get("CI") == "true":
        pytest.fail(reason)
    pytest.skip(reason)


def needs_compiler() -> None:
    """Skip, or fail in CI, where packages without wheels cannot be built."""
    if shutil.which("cc") or shutil.which("gcc"):
        return
    if os.environ.get("CI") == "true":
        pytest.fail("no C compiler on this machine")
    pytest.skip("no C compiler on this machine")
