"""A home whose database is lost is no new home; the database's copies."""

from __future__ import annotations

import sqlite3
import subprocess
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy import insert, select

from sendoff.errors import StoreError
from sendoff.store import open_store
from sendoff.store.tables import workspaces

ROW = {
    "subscription_id": "",
    "resource_group": "",
    "location": "local",
    "sku": "basic",
    "friendly_name": "",
    "tags": {},
    "created": 1.5,
}


def used_home(home: Path) -> Path:
    """A home with a workspace and a blob, opened twice, so that a copy of the day is there."""
    with open_store(home) as store:
        store.blobs.put_bytes(b"weights")
        with store.begin() as connection:
            connection.execute(insert(workspaces).values(name="mine", **ROW))
    open_store(home).close()
    return home


def gone(database: Path) -> None:
    database.unlink()


def empty(database: Path) -> None:
    database.write_bytes(b"")


def header_alone(database: Path) -> None:
    """What is left when the file's log, where all of it still stood, is lost."""
    database.unlink()
    with closing(sqlite3.connect(database)) as connection:
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA user_version = 1")


@pytest.mark.parametrize("lose", [gone, empty, header_alone])
def test_a_home_whose_database_is_lost_is_refused_and_the_hint_brings_it_back(
    tmp_path: Path, lose: Callable[[Path], None]
) -> None:
    home = used_home(tmp_path / "my home")
    lose(home / "sendoff.db")
    before = (home / "sendoff.db").exists() and (home / "sendoff.db").read_bytes()
    with pytest.raises(StoreError) as caught:
        open_store(home)
    assert str(home / "sendoff.db") in str(caught.value)
    assert ((home / "sendoff.db").exists() and (home / "sendoff.db").read_bytes()) == before, "nothing was written"
    subprocess.run(["sh", "-c", caught.value.hint.partition(" put back by: ")[2]], check=True)
    with open_store(home) as store, store.read() as connection:
        assert list(connection.execute(select(workspaces.c.name)).scalars()) == ["mine"]


def test_without_a_copy_the_hint_says_what_may_be_done(tmp_path: Path) -> None:
    home = used_home(tmp_path / "home")
    gone(home / "sendoff.db")
    for copy in (home / "backups").iterdir():
        copy.unlink()
    with pytest.raises(StoreError, match=r"sendoff\.db is gone") as caught:
        open_store(home)
    assert "There is no copy" in caught.value.hint
    assert "SENDOFF_HOME" in caught.value.hint


@pytest.mark.parametrize("left", ["bundles/abc/bundle.json", "secrets.json"])
def test_bundles_and_secrets_tell_of_a_database_too(tmp_path: Path, left: str) -> None:
    file = tmp_path / "home" / left
    file.parent.mkdir(parents=True)
    file.write_text("{}")
    with pytest.raises(StoreError, match="holds what it knew of"):
        open_store(tmp_path / "home")


def test_a_home_that_was_made_and_not_used_is_new(tmp_path: Path) -> None:
    open_store(tmp_path / "home").close()
    (tmp_path / "home" / "sendoff.db").unlink()
    open_store(tmp_path / "home").close()


def test_a_damaged_database_names_the_newest_copy(tmp_path: Path) -> None:
    home = used_home(tmp_path / "home")
    (home / "sendoff.db").write_bytes(b"no database " * 1000)
    for end in ("-wal", "-shm"):
        (home / f"sendoff.db{end}").unlink(missing_ok=True)
    with pytest.raises(StoreError) as caught:
        open_store(home)
    (copy,) = (home / "backups").iterdir()
    assert str(copy) in caught.value.hint


def test_one_copy_a_day_is_kept_and_seven_of_them(tmp_path: Path) -> None:
    home = used_home(tmp_path / "home")
    copies = home / "backups"
    for day in range(1, 10):
        (copies / f"daily-2020010{day}.db").write_bytes(b"")
    (today,) = copies.glob(time.strftime("daily-%Y%m%d.db", time.gmtime()))
    today.unlink()
    open_store(home).close()
    made = today.stat().st_mtime_ns
    open_store(home).close()
    assert today.stat().st_mtime_ns == made
    kept = sorted(file.name for file in copies.glob("daily-*.db"))
    assert kept == [*(f"daily-2020010{day}.db" for day in range(4, 10)), today.name]
    assert today.stat().st_mode & 0o777 == 0o600
    with closing(sqlite3.connect(today)) as copy:
        assert copy.execute("SELECT name FROM workspaces").fetchall() == [("mine",)]


def test_a_copy_that_cannot_be_made_is_no_reason_to_fail(tmp_path: Path) -> None:
    home = used_home(tmp_path / "home")
    for file in (home / "backups").iterdir():
        file.unlink()
    (home / "staging" / "copy.lock").unlink()
    (home / "staging" / "copy.lock").mkdir()
    open_store(home).close()
    assert not list((home / "backups").iterdir())
