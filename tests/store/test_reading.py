"""A home that nothing may be written to is read; what writes is told that."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from sendoff.errors import StoreError
from sendoff.registry import Registry
from sendoff.spec.model import ManifestFile, RegisterModel
from sendoff.spec.workspace import CreateWorkspace
from sendoff.store import open_store


def filled(home: Path) -> None:
    with open_store(home, environ={}) as store:
        registry = Registry(store)
        registry.create_workspace(CreateWorkspace(name="ws"))
        digest, size = store.blobs.put_bytes(b"weights")
        files = [ManifestFile(path="m.bin", digest=digest, size=size)]
        registry.register("ws", RegisterModel(name="m", files=files))


@pytest.fixture
def read_only(tmp_path: Path) -> Iterator[Path]:
    """Makes a home read-only: root's rights are taken by a mount, anybody else's by the folder's mode."""
    home = tmp_path / "home"
    filled(home)
    if os.geteuid() != 0:
        home.chmod(0o500)
        yield home
        home.chmod(0o700)
        return
    for command in (["mount", "--bind", home, home], ["mount", "-o", "remount,ro,bind", home]):
        if subprocess.run(command, capture_output=True).returncode:
            pytest.skip("nothing can be mounted here")
    yield home
    subprocess.run(["umount", home], check=True)


def test_a_read_only_home_is_read_and_a_write_is_told(read_only: Path) -> None:
    with open_store(read_only, environ={}) as store:
        assert store.settings.offline is False
        assert [one.id for one in Registry(store).list("ws")] == ["m:1"]
        assert store.blobs.read_bytes(Registry(store).get("ws", "m").files[0].digest) == b"weights"
        with pytest.raises(StoreError, match=r"the database /.*sendoff\.db is read-only") as caught:
            Registry(store).create_workspace(CreateWorkspace(name="other"))
    assert "read-only" in caught.value.hint


def test_what_stands_in_the_log_alone_is_read_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    home, copy = tmp_path / "home", tmp_path / "copy"
    filled(home)
    with open_store(home, environ={}) as store:
        Registry(store).create_workspace(CreateWorkspace(name="late"))
        assert (home / "sendoff.db-wal").stat().st_size  # the connection is open: the log is not yet in the file
        shutil.copytree(home, copy)
    for name in ("sendoff.db-shm", None):
        if name is not None:
            (copy / name).unlink()
        monkeypatch.setattr("os.access", lambda path, mode: mode != os.W_OK)
        with open_store(copy, environ={}) as store:
            assert "late" in [one.name for one in Registry(store).workspaces()]
        monkeypatch.undo()


@pytest.mark.parametrize(("text", "words"), [("ofline = true", "ofline"), ("offline = ", "not valid TOML")])
def test_a_wrong_settings_file_is_told_by_whatever_is_asked_first(tmp_path: Path, text: str, words: str) -> None:
    home = tmp_path / "home"
    home.mkdir()
    (home / "settings.toml").write_text(text)
    command = [sys.executable, "-m", "sendoff.cli", "model", "list"]
    done = subprocess.run(command, capture_output=True, text=True, env={**os.environ, "SENDOFF_HOME": str(home)})
    assert (done.returncode, words in done.stderr, str(home / "settings.toml") in done.stderr) == (2, True, True)
