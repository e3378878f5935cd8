"""Secrets: encrypted at rest, never shown, and bound to their names."""

from __future__ import annotations

import base64
import json
import multiprocessing
from pathlib import Path

import pytest

from sendoff.errors import InvalidInput, StoreError
from sendoff.store import open_store
from sendoff.store.secrets import Secrets

KEY = base64.urlsafe_b64encode(b"k" * 32).decode()


@pytest.fixture
def home(tmp_path: Path) -> Path:
    (tmp_path / "staging").mkdir()
    return tmp_path


def set_many(home: str, prefix: str) -> None:
    """Run in another process."""
    for number in range(20):
        Secrets(Path(home), {}).set(f"{prefix}{number}", prefix)


def test_values_come_back_after_opening_again(tmp_path: Path) -> None:
    with open_store(tmp_path) as store:
        store.secrets.set("service/key", "schlüssel 🔑")
        store.secrets.set("other", "")
    with open_store(tmp_path) as store:
        assert store.secrets.get("service/key") == "schlüssel 🔑"
        assert store.secrets.get("other") == ""
        assert store.secrets.get("none") is None
        assert store.secrets.list() == ["other", "service/key"]
        assert store.secrets.delete("other") is True
        assert store.secrets.delete("other") is False
        assert store.secrets.list() == ["service/key"]


def test_nothing_readable_lies_on_the_disk_and_files_are_private(home: Path) -> None:
    Secrets(home, {}).set("name", "very-secret-value")
    for file in ("secrets.json", "secrets.key"):
        assert (home / file).stat().st_mode & 0o777 == 0o600
        assert b"very-secret-value" not in (home / file).read_bytes()
    assert "very-secret" not in repr(Secrets(home, {"SENDOFF_SECRETS_KEY": KEY}))
    assert KEY not in repr(Secrets(home, {"SENDOFF_SECRETS_KEY": KEY}))


def test_the_key_may_come_from_the_environment_and_is_then_not_written(home: Path) -> None:
    Secrets(home, {"SENDOFF_SECRETS_KEY": KEY}).set("a", "b")
    assert not (home / "secrets.key").exists()
    assert Secrets(home, {"SENDOFF_SECRETS_KEY": KEY}).get("a") == "b"
    with pytest.raises(StoreError, match="key of the secrets is gone"):
        Secrets(home, {}).get("a")


def test_a_wrong_key_is_said(home: Path) -> None:
    Secrets(home, {}).set("a", "b")
    with pytest.raises(StoreError, match="cannot be read with the present key"):
        Secrets(home, {"SENDOFF_SECRETS_KEY": KEY}).get("a")
    with pytest.raises(StoreError, match="is no key"):
        Secrets(home, {"SENDOFF_SECRETS_KEY": "short"}).get("a")


def test_a_value_cannot_be_moved_to_another_name(home: Path) -> None:
    secrets = Secrets(home, {})
    secrets.set("mine", "a")
    secrets.set("yours", "b")
    document = json.loads((home / "secrets.json").read_text())
    document["secrets"]["mine"] = document["secrets"]["yours"]
    (home / "secrets.json").write_text(json.dumps(document))
    with pytest.raises(StoreError):
        secrets.get("mine")


def test_a_damaged_file_is_said_and_not_written_over(home: Path) -> None:
    (home / "secrets.json").write_text("{")
    with pytest.raises(StoreError, match="is damaged"):
        Secrets(home, {}).set("a", "b")
    assert (home / "secrets.json").read_text() == "{"


def test_names_are_checked(home: Path) -> None:
    with pytest.raises(InvalidInput):
        Secrets(home, {}).set("", "b")


def test_processes_that_write_at_once_lose_nothing(home: Path) -> None:
    context = multiprocessing.get_context("spawn")
    processes = [context.Process(target=set_many, args=(str(home), prefix)) for prefix in "ab"]
    for process in processes:
        process.start()
    for process in processes:
        process.join(60)
    secrets = Secrets(home, {})
    assert len(secrets.list()) == 40
    assert {secrets.get(name) for name in secrets.list()} == {"a", "b"}
