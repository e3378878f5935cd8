"""Environments that tests share: built once under ``SENDOFF_TEST_CACHE`` (default ``.cache/``), whoever comes first.

A test that needs an environment for real calls :func:`built`, or :func:`share` to let a whole home find what was built.
"""

import contextlib
import functools
import hashlib
import os
import shutil
from collections.abc import Callable, Collection, Sequence
from pathlib import Path

import pytest
from resolving import resolve

from sendoff import files
from sendoff.environments import build
from sendoff.packaging.image_layers import Layer
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


def folder(kind: str, made_from: Sequence[str], make: Callable[[Path], None]) -> Path:
    """A folder that ``make`` fills, given the empty one; filled once for the same ``made_from``, not to be changed."""
    digest = hashlib.sha256("\0".join(made_from).encode()).hexdigest()[:24]
    kept = cache() / kind / digest
    kept.parent.mkdir(exist_ok=True)
    with files.locked(kept.with_suffix(".lock")):
        if not kept.exists():
            staged = kept.with_suffix(".staged")
            shutil.rmtree(staged, ignore_errors=True)
            staged.mkdir()
            make(staged)
            staged.rename(kept)
    return kept


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


@functools.cache
def layers() -> Path:
    """Kept layers of images, for the code that makes them and the server in them as they are now."""
    from sendoff import environments, packaging
    from sendoff.packaging.image_environment import server_digest

    sources = [
        file.read_text()
        for room in (environments, packaging)
        for file in sorted(Path(*room.__path__).iterdir())
        if file.suffix in (".py", ".lock")
    ]
    return folder("layers", [server_digest(), *sources], lambda _: None)


def lend_layers(own_home: Path, names: Collection[str] = ("server",)) -> None:
    """Layers that other homes have made, as this home's own: it may collect garbage."""
    for facts in layers().glob("*.json"):
        _link(facts, own_home / "images" / "layers", names)


def keep_layers(own_home: Path, names: Collection[str] = ("server",)) -> None:
    """Let other homes have this one's layers."""
    for facts in (own_home / "images" / "layers").glob("[!.]*.json"):
        _link(facts, layers(), names)


def _link(facts: Path, into: Path, names: Collection[str]) -> None:
    layer = parse.decode(facts.read_bytes(), Layer, where=str(facts))
    if layer.name not in names or layer.path is None or (into / facts.name).exists():
        return
    into.mkdir(parents=True, exist_ok=True)
    with contextlib.suppress(FileExistsError, FileNotFoundError):  # another test keeps it, or garbage took it
        os.link(layer.path, into / Path(layer.path).name)
    files.write(into / facts.name, parse.encode(parse.replace(layer, path=str(into / Path(layer.path).name))))


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
