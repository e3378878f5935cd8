"""Opening a store: making it, migrating it, refusing it, and saying what is wrong with the disk."""

from __future__ import annotations

import multiprocessing
import os
import re
import resource
import sqlite3
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy import Connection, create_engine, insert, inspect, select, text

from sendoff.errors import StoreError, StoreTooNew
from sendoff.store import migrate, open_store
from sendoff.store.tables import metadata, workspaces

ROW = {
    "subscription_id": "",
    "resource_group": "",
    "location": "local",
    "sku": "basic",
    "friendly_name": "",
    "tags": {"ü": "1"},
    "created": 1.5,
}
SPAWN = multiprocessing.get_context("spawn")


def names(home: Path) -> list[str]:
    with open_store(home) as store, store.read() as connection:
        return list(connection.execute(select(workspaces.c.name).order_by(workspaces.c.name)).scalars())


def open_at(home: str, moment: float) -> None:
    """Run in another process: open a home at an agreed moment and write to it."""
    time.sleep(max(0.0, moment - time.time()))
    with open_store(home) as store, store.begin() as connection:
        connection.execute(insert(workspaces).values(name=f"ws-{os.getpid()}", **ROW))


def make_old(home: Path, version: str = "0000") -> None:
    """A store as an older Sendoff would have left it: a version before the first migration, and a row of its own."""
    home.mkdir()
    with closing(sqlite3.connect(home / "sendoff.db")) as connection:
        connection.execute("CREATE TABLE alembic_version (version_num VARCHAR(32) NOT NULL)")
        if version:
            connection.execute("INSERT INTO alembic_version VALUES (?)", (version,))
        connection.execute("CREATE TABLE old_notes (text TEXT)")
        connection.execute("INSERT INTO old_notes VALUES ('kept')")
        connection.commit()


def test_a_new_home_is_private_and_ready(tmp_path: Path) -> None:
    home = tmp_path / "a" / "home"
    with open_store(home) as store:
        assert store.home == home
        with store.begin() as connection:
            connection.execute(insert(workspaces).values(name="ws", **ROW))
        with store.read() as connection:
            assert connection.execute(select(workspaces.c.tags)).scalar_one() == {"ü": "1"}
            assert connection.execute(text("PRAGMA journal_mode")).scalar_one() == "wal"
    assert home.stat().st_mode & 0o777 == 0o700
    assert (home / "sendoff.db").stat().st_mode & 0o077 == 0


def test_a_folder_that_holds_other_things_keeps_its_mode(tmp_path: Path) -> None:
    tmp_path.chmod(0o755)
    (tmp_path / "notes.txt").write_text("mine")
    open_store(tmp_path).close()
    assert tmp_path.stat().st_mode & 0o777 == 0o755


def test_processes_that_open_a_new_home_at_once_all_succeed(tmp_path: Path) -> None:
    moment = time.time() + 2.5
    processes = [SPAWN.Process(target=open_at, args=(str(tmp_path / "home"), moment)) for _ in range(4)]
    for process in processes:
        process.start()
    for process in processes:
        process.join(60)
    assert [process.exitcode for process in processes] == [0, 0, 0, 0]
    assert len(names(tmp_path / "home")) == 4


def schema(connection: Connection) -> dict[str, list[str]]:
    """Every table's and index' definition, part by part: the order in which constraints stand says nothing."""
    rows = connection.execute(text("SELECT name, sql FROM sqlite_master WHERE sql IS NOT NULL"))
    return {name: sorted(" ".join(part.split()) for part in re.split(r",\s|[()]", sql)) for name, sql in rows}


def test_the_migrations_end_in_the_tables_that_the_code_uses(tmp_path: Path) -> None:
    from alembic.autogenerate import compare_metadata
    from alembic.migration import MigrationContext

    engine = create_engine("sqlite://")
    with engine.begin() as connection:
        migrate.upgrade(connection, "0001")
        migrate.upgrade(connection)
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, metadata) == []
        migrated = schema(connection)
    engine.dispose()
    with open_store(tmp_path) as store, store.read() as connection:
        assert schema(connection) == migrated


def test_a_new_store_is_made_without_alembic(tmp_path: Path) -> None:
    code = "import sys; from sendoff.store import open_store as use; use(sys.argv[1]); print('alembic' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code, str(tmp_path)], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"


def test_the_constant_head_is_the_newest_migration() -> None:
    from alembic.script import ScriptDirectory

    assert ScriptDirectory.from_config(migrate.configuration()).get_current_head() == migrate.HEAD


def test_the_statements_compile_for_postgresql() -> None:
    from sqlalchemy.dialects import postgresql
    from sqlalchemy.schema import CreateTable

    for table in metadata.sorted_tables:
        assert "CREATE TABLE" in str(CreateTable(table).compile(dialect=postgresql.dialect()))


def test_an_open_store_does_not_import_what_most_commands_never_need(tmp_path: Path) -> None:
    open_store(tmp_path).close()
    code = (
        "import sys; from sendoff.store import open_store; import sendoff.registry; s = open_store(sys.argv[1]);"
        "s.settings; s.secrets.get('none'); s.blobs.put_bytes(b'');"
        "print([m for m in sys.modules if m.split('.')[0] in ('alembic', 'cryptography', 'mako')"
        " or m.startswith('sqlalchemy.orm')])"
    )
    answer = subprocess.run([sys.executable, "-c", code, str(tmp_path)], capture_output=True, text=True, check=True)
    assert answer.stdout.strip() == "[]"


def test_an_older_store_is_migrated_after_a_backup(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    home = tmp_path / "home"
    make_old(home, version="")  # an empty version table: what a process that died while making it could leave
    assert names(home) == []
    # From here on pretend that the newest migration is a later one than the store's.
    script = tmp_path / "migrations"
    (script / "versions").mkdir(parents=True)
    source = Path(migrate.__file__).parent / "migrations"
    (script / "env.py").write_text((source / "env.py").read_text())
    for file in (source / "versions").glob("v*.py"):
        (script / "versions" / file.name).write_text(file.read_text())
    now, later = migrate.HEAD, f"{int(migrate.HEAD) + 1:04}"
    (script / "versions" / f"v{later}.py").write_text(
        f"from alembic import op\nimport sqlalchemy as sa\nrevision = '{later}'\ndown_revision = '{now}'\n"
        "def upgrade():\n    op.add_column('workspaces', sa.Column('colour', sa.Text()))\n"
    )
    original = migrate.configuration

    def with_later() -> object:
        config = original()
        config.set_main_option("script_location", str(script))
        return config

    with open_store(home) as store, store.begin() as connection:
        connection.execute(insert(workspaces).values(name="before", **ROW))
    monkeypatch.setattr(migrate, "configuration", with_later)
    monkeypatch.setattr(migrate, "HEAD", later)
    monkeypatch.setattr(migrate.upgrade, "__defaults__", (later,))
    with open_store(home) as store, store.read() as connection:
        assert "colour" in {column["name"] for column in inspect(connection).get_columns("workspaces")}
        assert connection.execute(select(workspaces.c.name)).scalars().all() == ["before"]
    (copy,) = (home / "backups").glob(f"sendoff-{now}-*.db")
    with closing(sqlite3.connect(copy)) as connection:
        assert connection.execute("SELECT name FROM workspaces").fetchall() == [("before",)]
        assert connection.execute("SELECT version_num FROM alembic_version").fetchall() == [(now,)]
    # Back in the present, this is a store that a newer Sendoff wrote.
    monkeypatch.undo()
    with pytest.raises(StoreTooNew, match="newer Sendoff"):
        open_store(home)


def test_a_store_of_the_first_tables_keeps_its_rows(tmp_path: Path) -> None:
    home = tmp_path / "home"
    home.mkdir()
    engine = create_engine(f"sqlite:///{home / 'sendoff.db'}")
    with engine.begin() as connection:
        migrate.upgrade(connection, "0001")
        connection.execute(insert(workspaces).values(name="before", **ROW))
        assert "profiles" not in inspect(connection).get_table_names()
    engine.dispose()
    with open_store(home) as store, store.read() as connection:
        assert {"datasets", "datastores", "datastore_files", "profiles"} <= set(inspect(connection).get_table_names())
    assert names(home) == ["before"]


def test_a_migration_that_fails_leaves_the_database_as_it_was(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(connection: object, revision: str = "") -> None:
        connection.execute(text("CREATE TABLE half (x TEXT)"))  # type: ignore[attr-defined]
        raise RuntimeError("the machine is on fire")

    monkeypatch.setattr(migrate, "upgrade", broken)
    with pytest.raises(RuntimeError):
        open_store(tmp_path)
    with closing(sqlite3.connect(tmp_path / "sendoff.db")) as connection:
        assert connection.execute("SELECT name FROM sqlite_master").fetchall() == []
    monkeypatch.undo()
    assert names(tmp_path) == []


def test_a_newer_store_is_refused_and_not_touched(tmp_path: Path) -> None:
    home = tmp_path / "home"
    make_old(home, version="0999")
    before = (home / "sendoff.db").read_bytes()
    with pytest.raises(StoreTooNew, match="schema 0999") as caught:
        open_store(home)
    assert "Upgrade Sendoff" in caught.value.hint
    assert (home / "sendoff.db").read_bytes() == before


def test_somebody_elses_database_is_refused(tmp_path: Path) -> None:
    with closing(sqlite3.connect(tmp_path / "sendoff.db")) as connection:
        connection.execute("CREATE TABLE customers (name TEXT)")
        connection.commit()
    with pytest.raises(StoreError, match="customers"):
        open_store(tmp_path)


def test_a_file_that_is_no_database_is_refused(tmp_path: Path) -> None:
    (tmp_path / "sendoff.db").write_text("not a database, but long enough to be looked at " * 100)
    with pytest.raises(StoreError, match="is not a database"):
        open_store(tmp_path)


def test_a_home_that_is_a_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "home").write_text("")
    with pytest.raises(StoreError, match="is not a folder"):
        open_store(tmp_path / "home")


def test_another_database_can_be_named_by_url(tmp_path: Path) -> None:
    with open_store(tmp_path / "home", url=f"sqlite:///{tmp_path}/other.db") as store, store.read() as connection:
        assert connection.execute(select(workspaces)).all() == []
    assert (tmp_path / "other.db").exists()
    assert not (tmp_path / "home" / "sendoff.db").exists()


def test_a_block_that_raises_writes_nothing(tmp_path: Path) -> None:
    with open_store(tmp_path) as store:
        with pytest.raises(ValueError, match="no"), store.begin() as connection:
            connection.execute(insert(workspaces).values(name="ws", **ROW))
            raise ValueError("no")
        assert names(tmp_path) == []


def test_a_reader_sees_one_state_while_another_writes(tmp_path: Path) -> None:
    with open_store(tmp_path) as store, store.read() as reader:
        assert reader.execute(select(workspaces)).all() == []
        with store.begin() as writer:
            writer.execute(insert(workspaces).values(name="ws", **ROW))
        assert reader.execute(select(workspaces)).all() == []
    assert names(tmp_path) == ["ws"]


def test_a_locked_database_is_said_to_be_locked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from sendoff.store import sqlite

    monkeypatch.setattr(sqlite, "BUSY_SECONDS", 0.05)
    with open_store(tmp_path) as one, open_store(tmp_path) as other, one.begin():
        with pytest.raises(StoreError, match="locked by another process"), other.begin():
            pass


def limited_writes(home: str) -> None:
    """Run in another process: write until the limit on file sizes, which stands in for a full disk, is reached."""
    from sendoff.store import open_store

    with open_store(home) as store:
        limit = (Path(home) / "sendoff.db-wal").stat().st_size + 20_000
        resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
        big = {**ROW, "friendly_name": "x" * 1_000_000}
        try:
            with store.begin() as connection:
                connection.execute(insert(workspaces).values(name="too-big", **big))
        except StoreError:
            pass
        else:
            raise SystemExit("no StoreError from the database")
        try:
            store.blobs.put_bytes(b"x" * 1_000_000)
        except StoreError:
            pass
        else:
            raise SystemExit("no StoreError from the blobs")


def test_a_disk_that_takes_no_more_is_said_and_changes_nothing(tmp_path: Path) -> None:
    with open_store(tmp_path) as store, store.begin() as connection:
        connection.execute(insert(workspaces).values(name="ws", **ROW))
    process = SPAWN.Process(target=limited_writes, args=(str(tmp_path),))
    process.start()
    process.join(60)
    assert process.exitcode == 0
    assert names(tmp_path) == ["ws"]
    with open_store(tmp_path) as store:
        assert list(store.blobs.digests()) == []
        assert list((tmp_path / "staging").glob("blob-*")) == []


@pytest.fixture
def small_disk(tmp_path: Path):  # type: ignore[no-untyped-def]
    """A file system of its own of 3 MiB."""
    place = tmp_path / "disk"
    place.mkdir()
    if (
        os.geteuid() != 0
        or subprocess.run(
            ["mount", "-t", "tmpfs", "-o", "size=3m", "tmpfs", str(place)], capture_output=True, check=False
        ).returncode
    ):
        pytest.skip("needs to mount a file system")
    yield place
    subprocess.run(["umount", "--lazy", str(place)], check=True)


def test_a_full_disk_is_said_and_changes_nothing(small_disk: Path) -> None:
    home = small_disk / "home"
    with open_store(home) as store:
        with store.begin() as connection:
            connection.execute(insert(workspaces).values(name="ws", **ROW))
        with pytest.raises(StoreError, match="No space left"):
            store.blobs.put_bytes(b"x" * 5_000_000)
        with pytest.raises(StoreError, match="full") as caught, store.begin() as connection:
            connection.execute(insert(workspaces).values(name="too-big", **{**ROW, "friendly_name": "x" * 5_000_000}))
        assert "Free some space" in caught.value.hint
        assert list(store.blobs.digests()) == []
    assert names(home) == ["ws"]


def test_a_read_only_disk_is_said(small_disk: Path) -> None:
    home = small_disk / "home"
    open_store(home).close()
    subprocess.run(["mount", "-o", "remount,ro", str(small_disk)], check=True)
    with open_store(home) as store:  # what is there can be read (test_reading.py)
        with pytest.raises(StoreError, match="read-only") as caught, store.begin() as connection:
            connection.execute(insert(workspaces).values(name="ws", **ROW))
        assert str(home) in caught.value.message
        with pytest.raises(StoreError, match="Read-only"):
            store.blobs.put_bytes(b"x")
    with pytest.raises(StoreError) as caught:
        open_store(small_disk / "new")
    assert str(small_disk / "new") in caught.value.message


def test_a_database_that_does_not_answer_is_a_store_error_without_its_password() -> None:
    from sqlalchemy.exc import OperationalError

    from sendoff.store.opening import explained

    class Elsewhere:
        url = create_engine("sqlite://").url.set(drivername="postgresql", username="u", password="hidden", host="db")

    with pytest.raises(StoreError) as caught, explained(Elsewhere()):  # type: ignore[arg-type]
        raise OperationalError("SELECT 1", {}, ConnectionError("connection refused"))
    assert "connection refused" in str(caught.value)
    assert "hidden" not in str(caught.value)
