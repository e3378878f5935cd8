"""All that is SQLite's own: pragmas, ``BEGIN IMMEDIATE``, the backup, and what its error names mean."""

from __future__ import annotations

import atexit
import os
import shutil
import sqlite3
import tempfile
import time
from contextlib import closing
from pathlib import Path
from typing import Any
from urllib.parse import quote

from sqlalchemy import Connection, Engine, create_engine, event

BUSY_SECONDS = 30.0
Error = sqlite3.Error
READ_ONLY_TRANSACTION = "sendoff_read"
"""Execution option: the transaction only reads, so it need not wait for the writer."""


def url_of(path: Path) -> str:
    """The SQLAlchemy URL of a database file."""
    return f"sqlite:///{path}"


def url_to_read(path: Path) -> str:
    """The SQLAlchemy URL of a database file in a folder that nothing may be written to.

    SQLite keeps an index of its write-ahead log beside the file and cannot make one there: without a log the file is
    whole by itself; with one and its index both are read; else a copy of file and log in a folder of this process is.
    """
    log = Path(f"{path}-wal")
    if not log.exists() or log.stat().st_size == 0:
        return f"sqlite:///file:{quote(str(path))}?mode=ro&immutable=1&uri=true"
    if Path(f"{path}-shm").exists():
        return f"sqlite:///file:{quote(str(path))}?mode=ro&uri=true"
    folder = Path(tempfile.mkdtemp(prefix="sendoff-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    for one in (path, log):
        shutil.copyfile(one, folder / one.name)
    return url_of(folder / path.name)


def make_engine(url: str) -> Engine:
    """An engine whose write transactions take the write lock at their beginning.

    A transaction that starts as a reader and writes later can fail at once with SQLITE_BUSY_SNAPSHOT, whatever the
    busy timeout; one that starts with ``BEGIN IMMEDIATE`` waits for its turn.
    """
    engine = create_engine(url, connect_args={"timeout": BUSY_SECONDS})
    event.listen(engine, "connect", _on_connect)
    event.listen(engine, "begin", _on_begin)
    return engine


def _on_connect(connection: Any, _record: Any) -> None:
    connection.isolation_level = None  # the driver's own implicit BEGIN would come too late and skip DDL
    connection.execute(f"PRAGMA busy_timeout = {int(BUSY_SECONDS * 1000)}")
    connection.execute("PRAGMA foreign_keys = ON")
    # A registration that was answered must survive a power cut: WAL with NORMAL may lose the last commits.
    connection.execute("PRAGMA synchronous = FULL")


def _on_begin(connection: Connection) -> None:
    reads = connection.get_execution_options().get(READ_ONLY_TRANSACTION, False)
    connection.exec_driver_sql("BEGIN" if reads else "BEGIN IMMEDIATE")


def use_wal(path: Path) -> None:
    """Switch a database file to WAL; it stays so. Readers then never wait for the writer."""
    with closing(sqlite3.connect(path, timeout=BUSY_SECONDS)) as connection:
        connection.execute("PRAGMA journal_mode = WAL")


def backup(source: Path, destination: Path) -> None:
    """Copy a database, committed state only, also while others write to it."""
    with closing(sqlite3.connect(source, timeout=BUSY_SECONDS)) as one, closing(sqlite3.connect(destination)) as other:
        # One sync at the end, in place of one for each transaction's page: a copy that is cut off is thrown away.
        other.execute("PRAGMA synchronous = OFF")
        one.backup(other)
    with destination.open("rb") as copy:
        os.fsync(copy.fileno())


def note_birth(connection: Connection) -> None:
    """Write into a new database when it was made: in minutes, for the field has 31 bits."""
    connection.exec_driver_sql(f"PRAGMA user_version = {int(time.time() // 60)}")


def born(connection: Connection) -> float:
    """When the database was made, Unix seconds; 0 when it does not say."""
    return float(connection.exec_driver_sql("PRAGMA user_version").scalar_one()) * 60


_MEANINGS = (
    (
        "SQLITE_NOMEM",
        "needs more memory than there is",
        "End other processes, or use a larger machine, then try again.",
    ),
    ("SQLITE_BUSY", "is locked by another process", "Wait for the other sendoff process to end, then try again."),
    ("SQLITE_LOCKED", "is locked by another process", "Wait for the other sendoff process to end, then try again."),
    ("SQLITE_FULL", "cannot grow: the disk is full", "Free some space, then try again; the store is as it was."),
    ("SQLITE_READONLY", "is read-only", "Check who owns the folder and whether its disk is mounted read-only."),
    ("SQLITE_PERM", "may not be opened by this user", "Check who owns the folder."),
    ("SQLITE_AUTH", "may not be opened by this user", "Check who owns the folder."),
    ("SQLITE_CANTOPEN", "cannot be opened", "Check that the folder exists and belongs to you."),
    ("SQLITE_NOTADB", "is not a database", ""),
    ("SQLITE_CORRUPT", "is damaged", ""),
    ("SQLITE_IOERR", "cannot be read or written (the disk reports an error)", "Check the disk and its free space."),
)


def explain(error: BaseException) -> tuple[str, str] | None:
    """What a driver error means, as the rest of a sentence and a hint; None when it is no matter of the disk.

    The hint is empty where only a copy of the database helps.
    """
    name = str(getattr(error, "sqlite_errorname", ""))
    for prefix, meaning, hint in _MEANINGS:
        if name.startswith(prefix):
            return meaning, hint
    return None
